//! Digests, keys and signatures among the files, and what they prove of the log files.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use portreeve_evidence::{
    Digest, Given, LogFile, PublicKey, Signature, Verification, parse_keys, parse_signature, verify,
};
use portreeve_model::{DeadLetter, Input, InputKind, Proof};
use portreeve_telemetry::Recognition;

use crate::discover::{Found, discover};
use crate::open::Opened;
use crate::progress::Progress;
use crate::run::{NothingReadable, RunError};
use crate::survey::Rest;

/// A digest larger than this is refused: that of a busy hour is a hundredth of it.
const LARGEST_DIGEST: u64 = 64 << 20;

/// Metadata and keys larger than this are neither.
const LARGEST_BESIDE: u64 = 1 << 20;

/// A file of public keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyReadError {
    /// It cannot be read.
    #[error("cannot read public keys from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key in it is none.
    #[error(transparent)]
    Key(#[from] portreeve_evidence::KeyError),
}

/// Reads files of public keys: what `aws cloudtrail list-public-keys` prints, PEM or DER. The keys
/// that can be read are given beside what cannot.
pub fn read_digest_keys(paths: &[PathBuf]) -> (Vec<PublicKey>, Vec<KeyReadError>) {
    let mut keys = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match content(path, LARGEST_BESIDE) {
            Ok(bytes) => {
                let (own, wrong) = parse_keys(&path.to_string_lossy().into(), &bytes);
                keys.extend(own);
                errors.extend(wrong.into_iter().map(KeyReadError::from));
            }
            Err(source) => errors.push(KeyReadError::Read {
                path: path.clone(),
                source,
            }),
        }
    }
    (keys, errors)
}

/// The content of a file, decompressed.
fn content(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Opened::file(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(std::io::Error::other(format!("more than {most} bytes")));
    }
    Ok(bytes)
}

/// What there is to verify with.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    digests: Vec<(Arc<str>, Digest)>,
    broken: Vec<(Arc<str>, String)>,
    /// Files that are nothing known; one that has the name of a missing digest was one.
    unknown: Vec<(Arc<str>, String)>,
    signatures: Vec<Signature>,
    keys: Vec<PublicKey>,
    /// What could not be read.
    pub(crate) dead_letters: Vec<DeadLetter>,
}

/// Reads the digests, and the metadata saved beside them, among the files that are not inventory.
pub(crate) fn collect(rest: &[Rest], keys: &[PathBuf]) -> Digests {
    let mut found = Digests::default();
    for file in rest.iter().filter(|file| is_digest(file.recognition)) {
        found.take_digest(&file.found);
    }
    if found.is_empty() {
        return found;
    }
    for file in rest.iter().filter(|file| file.recognition.is_none()) {
        found.take_unknown(&file.found);
    }
    let (keys, errors) = read_digest_keys(keys);
    found.keys = keys;
    found
        .dead_letters
        .extend(errors.into_iter().map(|error| DeadLetter {
            file: "digest_keys".into(),
            offset: 0,
            reason: error.to_string(),
        }));
    found
}

/// Whether a file was recognised as a digest.
fn is_digest(recognition: Option<Recognition>) -> bool {
    recognition.is_some_and(|it| it.format == "digest")
}

/// Whether a file was recognised as a log of the form in which trails deliver them to buckets.
fn is_delivered(recognition: Option<Recognition>) -> bool {
    recognition.is_some_and(|it| it.format == "records")
}

impl Digests {
    /// Whether there is nothing to verify with.
    pub(crate) fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.broken.is_empty()
    }

    fn take_digest(&mut self, found: &Found) {
        let Some(path) = &found.path else {
            return;
        };
        let read = content(path, LARGEST_DIGEST)
            .map_err(|error| format!("a digest that cannot be read: {error}"))
            .and_then(|bytes| Digest::parse(&bytes).map_err(|error| error.to_string()));
        match read {
            Ok(digest) => self.digests.push((found.name.clone(), digest)),
            Err(reason) => {
                self.dead_letters.push(DeadLetter {
                    file: found.name.clone(),
                    offset: 0,
                    reason: reason.clone(),
                });
                self.broken.push((found.name.clone(), reason));
            }
        }
    }

    /// A file that is nothing known: metadata of a digest, or what was one.
    fn take_unknown(&mut self, found: &Found) {
        self.unknown.push((
            found.name.clone(),
            "the file of its name is no digest".to_owned(),
        ));
        let Some(path) = found
            .path
            .as_ref()
            .filter(|_| found.bytes <= LARGEST_BESIDE)
        else {
            return;
        };
        let bytes = content(path, LARGEST_BESIDE).unwrap_or_default();
        self.signatures.extend(parse_signature(&found.name, &bytes));
    }

    /// Verifies the log files, and says of each input what is known of it. `None` where there was no
    /// digest.
    pub(crate) fn verify(
        self,
        logs: &[LogFile],
        inputs: &mut [Input],
        notes: &mut Vec<String>,
    ) -> Option<Verification> {
        if self.is_empty() {
            return None;
        }
        if self.keys.is_empty() {
            notes.push(
                "CloudTrail's digests are among the files, and no public key to verify them with: \
                 nothing is proven to be as it was delivered. `--keys FILE` gives what `aws cloudtrail \
                 list-public-keys` prints (docs/evidence.md)."
                    .to_owned(),
            );
        }
        let beside: Vec<Arc<str>> = self
            .signatures
            .iter()
            .map(|signature| signature.file.clone())
            .collect();
        let verification = verify(Given {
            digests: self.digests,
            broken: [self.unknown, self.broken].concat(),
            logs,
            keys: &self.keys,
            signatures: &self.signatures,
        });
        let proofs: HashMap<&str, Proof> = verification
            .logs
            .iter()
            .filter_map(|log| Some((log.file.as_deref()?, log.proof)))
            .chain(
                verification
                    .digests
                    .iter()
                    .map(|digest| (&*digest.file, digest.proof)),
            )
            .collect();
        for input in inputs {
            input.proof = proofs.get(&*input.file).copied();
            if beside.contains(&input.file) {
                input.kind = InputKind::Ignored;
                input.format = "metadata of a digest".to_owned();
            }
        }
        Some(verification)
    }
}

/// A file that was read, as one that a digest may list.
pub(crate) fn log_file(input: &Input, content: Option<[u8; 32]>) -> LogFile {
    LogFile {
        file: input.file.clone(),
        sha256: content,
        is_log: input.kind == InputKind::Log && input.format.ends_with("(records)"),
    }
}

/// What `evidence verify` tells.
#[derive(Debug)]
pub struct Verified {
    /// What is proven, and what is missing or altered.
    pub verification: Verification,
    /// How many files were looked at.
    pub files: u64,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
}

/// Verifies all files below the paths by the digests among them.
pub fn verify_evidence(
    paths: &[PathBuf],
    skip: &[PathBuf],
    keys: Vec<PublicKey>,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Verified, RunError> {
    let (mut files, mut dead_letters) = discover(paths);
    files.retain(|found| found.path.as_ref().is_some_and(|path| !skip.contains(path)));
    progress.begin("Hashing files", files.iter().map(|found| found.bytes).sum());
    let next = AtomicUsize::new(0);
    let looked = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        while let Some(found) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = look(found);
            looked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((found, result));
            progress.advance(found.bytes);
        }
    };
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(files.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
    looked.sort_by(|one, other| one.0.cmp(other.0));
    let mut digests = Digests {
        keys,
        ..Digests::default()
    };
    let mut logs = Vec::new();
    for (found, result) in looked {
        match result {
            Err(error) => dead_letters.push(DeadLetter {
                file: found.name.clone(),
                offset: 0,
                reason: format!("cannot be opened: {error}"),
            }),
            Ok(Looked::Digest) => digests.take_digest(found),
            Ok(Looked::Other {
                log,
                is_recognised,
                reason,
            }) => {
                if !is_recognised {
                    digests.take_unknown(found);
                }
                dead_letters.extend(reason.map(|reason| DeadLetter {
                    file: found.name.clone(),
                    offset: 0,
                    reason,
                }));
                logs.push(log);
            }
        }
    }
    dead_letters.append(&mut digests.dead_letters);
    dead_letters.sort();
    if digests.is_empty() {
        return Err(RunError::NothingReadable(NothingReadable {
            files: files.len(),
            inventory: 0,
            dead_letters,
            wanted: "a digest file of CloudTrail (AWSLogs/ACCOUNT/CloudTrail-Digest/…)",
        }));
    }
    let verification = digests.verify(&logs, &mut [], &mut Vec::new());
    Ok(Verified {
        verification: verification.unwrap_or_default(),
        files: files.len() as u64,
        dead_letters,
    })
}

/// What a file is, for the proof.
enum Looked {
    Digest,
    Other {
        log: LogFile,
        is_recognised: bool,
        reason: Option<String>,
    },
}

fn look(found: &Found) -> std::io::Result<Looked> {
    let path = found.path.as_deref().unwrap_or(Path::new(""));
    let mut opened = Opened::file(path)?;
    let recognition = portreeve_telemetry::recognise(opened.first())
        .or_else(|| portreeve_telemetry::recognise(opened.head()));
    if is_digest(recognition) {
        return Ok(Looked::Digest);
    }
    opened.hash_content();
    let sha256 = opened.content_sha256();
    Ok(Looked::Other {
        reason: sha256
            .is_none()
            .then(|| "the file breaks off, so that it has no hash".to_owned()),
        log: LogFile {
            file: found.name.clone(),
            sha256,
            is_log: is_delivered(recognition),
        },
        is_recognised: recognition.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cannot_be_read_are_told_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, "{\"PublicKeyList\": [{\"Value\": \"AAAA\"}]}").unwrap();
        let (keys, errors) = read_digest_keys(&[path, folder.path().join("none")]);
        assert!(keys.is_empty());
        assert!(errors[0].to_string().contains("keys.json: key 1"));
        assert!(
            errors[1]
                .to_string()
                .contains("cannot read public keys from")
        );
    }
}
