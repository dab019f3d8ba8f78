//! Files of blocks that grow: read on from where they were, with what was made of the blocks before.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portreeve_model::{DeadLetter, Input, InputKind, Timestamp};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::watch::{Observation, Watch, Watcher};
use sha2::{Digest, Sha256};

use crate::blocks::{Blocks, Place};
use crate::discover::Found;
use crate::open::Opened;

/// So much of the beginning, and of what was read last, tells that a file only grew.
const ENDS: u64 = 4_096;

/// What was made of files of blocks, and how far each was read. Reading on comes to the same as reading all of them
/// anew: where it would not, it is not done.
#[derive(Debug)]
pub(crate) struct Growing {
    /// The SHA-256 of the wallet policy by which blocks were judged.
    policy: [u8; 32],
    files: Vec<Grown>,
    watch: Watch,
    /// The latest time of a block.
    latest: Option<Timestamp>,
}

/// One file, and how far it was read.
#[derive(Debug)]
struct Grown {
    path: PathBuf,
    place: Place,
    /// What is at both ends of what was read.
    ends: [u8; 32],
    /// What of it is no block, whole lines; and the last line, which may go on.
    dead: Vec<DeadLetter>,
    unfinished: Vec<DeadLetter>,
}

impl Growing {
    /// Reads on, or from the first where that comes to something else. `None` where it cannot: some file cannot be
    /// read.
    pub(crate) fn read_on(
        before: Option<Self>,
        policy: &Policy,
        digest: [u8; 32],
        found: &[Found],
    ) -> Option<Self> {
        let before = before.filter(|before| before.policy == digest && before.grew_to(found));
        if let Some(mut before) = before
            && before.take_in()?
        {
            return Some(before);
        }
        let files = found.iter().map(|found| {
            Some(Grown {
                path: found.path.clone()?,
                place: Place::first(Arc::clone(&found.name)),
                ends: [0; 32],
                dead: Vec::new(),
                unfinished: Vec::new(),
            })
        });
        let mut anew = Self {
            policy: digest,
            files: files.collect::<Option<_>>()?,
            watch: Watch::new(Watcher::new(policy.clone())),
            latest: None,
        };
        anew.take_in()?.then_some(anew)
    }

    /// What was made of the blocks.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The files, for the report.
    pub(crate) fn inputs(&self, format: &str) -> Vec<Input> {
        let inputs = self.files.iter().map(|file| Input {
            file: Arc::clone(&file.place.name),
            kind: InputKind::Wallets,
            format: format.to_owned(),
            bytes: file.place.offset + file.place.rest.len() as u64,
            sha256: file.place.sha256(),
            records: 0,
            proof: None,
        });
        inputs.collect()
    }

    /// What of the files is no block.
    pub(crate) fn dead_letters(&self) -> impl Iterator<Item = &DeadLetter> {
        let files = self.files.iter();
        files.flat_map(|file| file.dead.iter().chain(&file.unfinished))
    }

    /// Whether files are those that were read, with something behind at most.
    fn grew_to(&self, found: &[Found]) -> bool {
        let same = |(file, found): (&Grown, &Found)| {
            found.path.as_ref() == Some(&file.path)
                && found.name == file.place.name
                && ends(&file.path, file.place.offset).is_ok_and(|ends| ends == file.ends)
        };
        self.files.len() == found.len() && self.files.iter().zip(found).all(same)
    }

    /// Takes in what is behind what was read. Not all, if a block belongs before one that was judged: then this is
    /// of no use any more. `None` where a file cannot be read.
    fn take_in(&mut self) -> Option<bool> {
        let mut blocks = Blocks::open(&[]);
        for file in &self.files {
            let mut opened = fs::File::open(&file.path).ok()?;
            opened.seek(SeekFrom::Start(file.place.offset)).ok()?;
            blocks.add_from(file.place.clone(), Opened::plain(Box::new(opened)));
        }
        // Those of several files are judged in order of time.
        let before = self.latest.filter(|_| self.files.len() > 1);
        for block in blocks.by_ref() {
            if before.is_some_and(|before| block.time <= before) {
                return Some(false);
            }
            self.latest = self.latest.max(Some(block.time));
            self.watch
                .observe(Observation::Block(Box::new(block), Vec::new()));
        }
        let letters = blocks.take_dead_letters();
        for (file, place) in self.files.iter_mut().zip(blocks.places()) {
            let own = letters.iter().filter(|letter| letter.file == place.name);
            let (whole, unfinished): (Vec<_>, Vec<_>) = own
                .cloned()
                .partition(|letter| letter.offset < place.offset);
            file.dead.extend(whole);
            file.unfinished = unfinished;
            file.ends = ends(&file.path, place.offset).ok()?;
            file.place = place;
        }
        Some(true)
    }
}

/// The SHA-256 of what a file begins with and of what comes before a place in it. An error where it is shorter.
fn ends(path: &Path, offset: u64) -> io::Result<[u8; 32]> {
    let mut file = fs::File::open(path)?;
    let size = offset.min(ENDS);
    let mut both = vec![0; 2 * size as usize];
    let (head, tail) = both.split_at_mut(size as usize);
    file.read_exact(head)?;
    file.seek(SeekFrom::Start(offset - size))?;
    file.read_exact(tail)?;
    Ok(Sha256::digest(&both).into())
}

#[cfg(test)]
mod tests {
    use portreeve_wallet::watch::WatchReport;
    use proptest::prelude::*;

    use super::*;
    use crate::blocks::tests::line;

    const POLICY: &str = "[[wallet]]\nname = \"hot\"\naddress = \"0x00000000000000000000000000000000000000aa\"\nrole = \"hot\"\n";

    struct Folder {
        folder: tempfile::TempDir,
        policy: Policy,
    }

    impl Folder {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                policy: Policy::read(POLICY).unwrap().0,
            }
        }

        fn write(&self, name: &str, content: &[u8]) -> Found {
            let path = self.folder.path().join(name);
            fs::write(&path, content).unwrap();
            Found {
                name: name.into(),
                bytes: content.len() as u64,
                path: Some(path),
            }
        }

        fn read(&self, before: Option<Growing>, found: &[Found]) -> Growing {
            Growing::read_on(before, &self.policy, [1; 32], found).unwrap()
        }
    }

    fn told(growing: &Growing) -> (WatchReport, Vec<(String, u64)>, Vec<DeadLetter>) {
        let inputs = growing.inputs("blocks").into_iter();
        let inputs = inputs.map(|input| (input.sha256, input.bytes));
        let dead = growing.dead_letters().cloned();
        (growing.watch().report(), inputs.collect(), dead.collect())
    }

    fn text(told: &(WatchReport, Vec<(String, u64)>, Vec<DeadLetter>)) -> String {
        format!("{told:?}")
    }

    #[test]
    fn only_what_is_new_is_read() {
        let folder = Folder::new();
        let first = line(1, 1, 100);
        let one = folder.write("one", first.as_bytes());
        let growing = folder.read(None, std::slice::from_ref(&one));
        assert_eq!(growing.watch().report().blocks, 1);
        // What was read is spoilt where nobody looks: it is not read again.
        let mut grown = vec![b'\n'; ENDS as usize * 3];
        grown.splice(..0, first.bytes());
        let one = folder.write("one", &grown);
        let growing = folder.read(Some(growing), std::slice::from_ref(&one));
        grown[ENDS as usize + 900] = b'x';
        grown.extend(line(1, 2, 112).bytes());
        let one = folder.write("one", &grown);
        let growing = folder.read(Some(growing), std::slice::from_ref(&one));
        assert_eq!(growing.watch().report().blocks, 2);
        assert_eq!(growing.dead_letters().count(), 0);
        // Another file of its name, and one that is shorter, are read from the first.
        grown[0] = b' ';
        let one = folder.write("one", &grown);
        let growing = folder.read(Some(growing), std::slice::from_ref(&one));
        assert_eq!(growing.dead_letters().count(), 2);
        let one = folder.write("one", first.as_bytes());
        let growing = folder.read(Some(growing), std::slice::from_ref(&one));
        assert_eq!(growing.watch().report().blocks, 1);
        // So is everything by another policy.
        let other = Growing::read_on(Some(growing), &folder.policy, [2; 32], &[one]).unwrap();
        assert_eq!(other.watch().report().blocks, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// However two files grow, what is made of them is what reading both in whole makes of them.
        #[test]
        fn reading_on_is_reading_all(
            steps in prop::collection::vec((any::<bool>(), 1u64..400, 0u64..60), 1..12),
            spoilt in prop::option::of(0usize..8),
        ) {
            let folder = Folder::new();
            let mut whole = [Vec::new(), Vec::new()];
            for number in 1..=8u64 {
                for (chain, file) in whole.iter_mut().enumerate() {
                    let own = line(chain as u64 + 1, number, 100 + number * 12 + chain as u64);
                    file.extend(if spoilt == Some(number as usize - 1) { b"{\n".to_vec() } else { own.into_bytes() });
                }
            }
            let mut lengths = [0, 0];
            let mut growing = None;
            for (which, most, _) in steps {
                let which = usize::from(which);
                lengths[which] = whole[which].len().min(lengths[which] + most as usize);
                let found = [0, 1].map(|place| folder.write(&place.to_string(), &whole[place][..lengths[place]]));
                let on = folder.read(growing.take(), &found);
                let anew = folder.read(None, &found);
                prop_assert_eq!(text(&told(&on)), text(&told(&anew)));
                growing = Some(on);
            }
        }
    }
}
