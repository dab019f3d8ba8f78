//! What a hunt keeps for the next one, so that both together are as one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use portreeve_sigma::correlate::{Match, RestoreError, Saved};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::discover::Found;
use crate::open::Opened;

/// The first bytes of a state.
const NAME: &[u8; 16] = b"portreeve-hunt\r\n";
/// The form that this program writes and reads.
const VERSION: u32 = 1;
/// So much of a file's beginning, decompressed, tells whether it is the same file.
const HEAD: u64 = 4096;
/// Its name among the inputs. It is read from its beginning each time.
const STANDARD_INPUT: &str = "-";

/// How far a hunt came: which of its inputs were read, and to where; what correlations know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HuntState {
    /// In the order in which they were first met: correlations refer to them by number.
    pub(super) files: Vec<FileState>,
    pub(super) correlations: Option<Saved>,
    /// Matches of correlations that are over, and were not told since the hunt was stopped.
    pub(super) untold: Vec<Match>,
    /// Matches of correlations that were told at the end of the input, and are not over.
    pub(super) told: BTreeSet<Told>,
}

/// One input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    name: String,
    /// Its size on disk when it was read.
    size: u64,
    /// How much of its beginning was looked at, and the digest of that.
    head: Option<(u64, [u8; 32])>,
    /// How far it was read.
    pub(super) mark: Mark,
    /// How many of its records were numbered.
    pub(super) records: u64,
    /// Whether it was read to its end.
    pub(super) ended: bool,
}

/// A place in a file from which it can be read on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// A byte of the decompressed stream.
    pub(super) offset: u64,
    /// How many records behind it were dealt with already, where it is no place to cut.
    pub(super) skip: u64,
}

/// What a match of a correlation is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Told {
    correlation: usize,
    time: i64,
    group: Vec<String>,
}

impl From<&Match> for Told {
    fn from(one: &Match) -> Self {
        Self {
            correlation: one.correlation,
            time: one.time,
            group: one.group.iter().map(|(_, value)| value.clone()).collect(),
        }
    }
}

/// Why a state cannot be taken up, or not be kept.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is something else.
    #[error("this is no state of a hunt")]
    NoState,
    /// It was saved by another version of this program.
    #[error(
        "the state was saved in the form {found}, this program reads the form {VERSION}; begin anew without it"
    )]
    Version {
        /// The form that was found.
        found: u32,
    },
    /// Its bytes are not those that were saved.
    #[error("the state is damaged; begin anew without it")]
    Damaged,
    /// The correlations are others now.
    #[error(transparent)]
    Correlations(#[from] RestoreError),
}

impl HuntState {
    /// Reads a state; `None` where there is no file.
    pub fn read(path: &Path) -> Result<Option<Self>, StateError> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        zstd::stream::read::Decoder::new(file)
            .and_then(|mut decoder| decoder.read_to_end(&mut bytes))
            .map_err(|_| StateError::NoState)?;
        let (name, rest) = bytes.split_first_chunk().ok_or(StateError::NoState)?;
        let (version, rest) = rest.split_first_chunk().ok_or(StateError::NoState)?;
        if name != NAME {
            return Err(StateError::NoState);
        }
        let found = u32::from_le_bytes(*version);
        if found != VERSION {
            return Err(StateError::Version { found });
        }
        let (digest, body) = rest.split_first_chunk().ok_or(StateError::Damaged)?;
        if <[u8; 32]>::from(Sha256::digest(body)) != *digest {
            return Err(StateError::Damaged);
        }
        let state = postcard::from_bytes(body).map_err(|_| StateError::Damaged)?;
        Ok(Some(state))
    }

    /// Writes it by replacing, so that a hunt that is killed leaves the state before or after.
    pub fn write(&self, path: &Path) -> Result<(), StateError> {
        let body = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mut encoder = zstd::stream::write::Encoder::new(&mut file, 0)?;
        encoder.write_all(NAME)?;
        encoder.write_all(&VERSION.to_le_bytes())?;
        encoder.write_all(&Sha256::digest(&body))?;
        encoder.write_all(&body)?;
        encoder.finish()?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Whether nothing was read yet.
    pub fn is_new(&self) -> bool {
        self.files.is_empty()
    }

    /// Puts the files of a hunt behind those that are known, and known ones in their former places.
    /// A file that has become another one is read anew, and named in the notes. `keeps` tells whether
    /// another hunt is to know the files again.
    pub(super) fn join(
        &mut self,
        found: Vec<Found>,
        keeps: bool,
        notes: &mut Vec<String>,
    ) -> Vec<Found> {
        let known: BTreeSet<&str> = self.files.iter().map(|known| &*known.name).collect();
        let (old, new): (Vec<Found>, Vec<Found>) = found
            .into_iter()
            .partition(|found| known.contains(&*found.name));
        let mut given: BTreeMap<Arc<str>, Found> = old
            .into_iter()
            .map(|found| (found.name.clone(), found))
            .collect();
        let mut all = Vec::with_capacity(self.files.len() + new.len());
        for known in &mut self.files {
            // One that is not asked for stays as it is; correlations may refer to it.
            let found = given.remove(&*known.name).unwrap_or_else(|| Found {
                name: known.name.as_str().into(),
                path: None,
                bytes: 0,
            });
            if !known.takes_up(&found) {
                notes.push(format!(
                    "{}: is another file than the one that was read, and is read from its beginning",
                    found.name
                ));
                *known = FileState::of(&found, keeps);
            }
            all.push(found);
        }
        let states = new.iter().map(|found| FileState::of(found, keeps));
        self.files.extend(states);
        all.extend(new);
        all
    }

    /// Whether a file is not to be read: it was read to its end, or is not asked for.
    pub(super) fn is_done(&self, file: usize, found: &Found) -> bool {
        let is_gone = found.path.is_none() && &*found.name != STANDARD_INPUT;
        is_gone || self.files.get(file).is_some_and(|known| known.ended)
    }
}

impl FileState {
    fn of(found: &Found, keeps: bool) -> Self {
        Self {
            name: found.name.to_string(),
            size: found.bytes,
            head: if keeps { head(found, HEAD) } else { None },
            ..Self::default()
        }
    }

    /// Makes ready to read on where it was read to; false where it is another file now.
    fn takes_up(&mut self, found: &Found) -> bool {
        if found.path.is_none() {
            if &*found.name == STANDARD_INPUT {
                *self = Self::of(found, true);
            }
            return true;
        }
        if self.ended && self.size == found.bytes {
            return true;
        }
        // A file that cannot be read is told of when it is opened.
        if let (Some((length, _)), Some(now)) = (self.head, head(found, HEAD)) {
            let same = found.bytes >= self.size && head(found, length) == self.head;
            if !same {
                return false;
            }
            self.head = Some(now);
        }
        self.ended &= self.size == found.bytes;
        self.size = found.bytes;
        true
    }
}

/// How much of a file's beginning there is, up to a length, and its digest.
fn head(found: &Found, length: u64) -> Option<(u64, [u8; 32])> {
    let opened = Opened::unhashed(found.path.as_ref()?).ok()?;
    let mut head = Vec::new();
    opened.take(length).read_to_end(&mut head).ok()?;
    Some((head.len() as u64, Sha256::digest(&head).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &Path) -> Found {
        Found {
            name: path.to_string_lossy().into(),
            path: Some(path.to_owned()),
            bytes: path.metadata().unwrap().len(),
        }
    }

    #[test]
    fn a_state_comes_back_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        assert!(HuntState::read(&path).unwrap().is_none());
        let log = folder.path().join("log.json");
        std::fs::write(&log, "{}\n").unwrap();
        let mut state = HuntState::default();
        state.join(vec![found(&log)], true, &mut Vec::new());
        state.files[0].records = 7;
        state.write(&path).unwrap();
        let read = HuntState::read(&path).unwrap().unwrap();
        assert_eq!(read.files, state.files);

        let whole = zstd::decode_all(std::fs::File::open(&path).unwrap()).unwrap();
        for (at, error) in [
            (3, "no state"),
            (16, "the form"),
            (25, "damaged"),
            (60, "damaged"),
        ] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, zstd::encode_all(&changed[..], 0).unwrap()).unwrap();
            let said = HuntState::read(&path).unwrap_err().to_string();
            assert!(said.contains(error), "{said}");
        }
        std::fs::write(&path, "title: a rule").unwrap();
        assert!(matches!(HuntState::read(&path), Err(StateError::NoState)));
    }

    #[test]
    fn files_keep_their_numbers_and_are_read_anew_where_they_are_others() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
        for path in [&a, &b, &c] {
            std::fs::write(path, format!("{{\"in\":\"{}\"}}\n", path.display())).unwrap();
        }
        let mut state = HuntState::default();
        let mut notes = Vec::new();
        state.join(vec![found(&b), found(&c)], true, &mut notes);
        for file in &mut state.files {
            file.ended = true;
            file.records = 1;
        }
        // One grows, one becomes another, one is new.
        let grown = std::fs::read_to_string(&b).unwrap() + "{}\n";
        std::fs::write(&b, grown).unwrap();
        std::fs::write(&c, "{\"other\":1, \"much\":\"longer than it was before, by far, whatever the folder\", \"and\":\"so on and so on and so on\"}\n".repeat(9)).unwrap();
        let all = state.join(vec![found(&a), found(&b), found(&c)], true, &mut notes);
        let names: Vec<&str> = all.iter().map(|found| &*found.name).collect();
        assert_eq!(names, [&b, &c, &a].map(|path| path.to_str().unwrap()));
        assert_eq!(state.files[0].records, 1);
        assert_eq!(state.files[1].records, 0);
        assert!((0..3).all(|file| !state.is_done(file, &all[file])));
        assert_eq!(notes.len(), 1);
        // One that is not asked for is left alone.
        state.files[2].ended = true;
        let all = state.join(vec![found(&a)], true, &mut notes);
        assert!((0..3).all(|file| state.is_done(file, &all[file])));
    }
}
