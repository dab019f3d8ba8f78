//! How far a file was read, in a form that outlives the process, a rotation and a move of the folder.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So much of a file's beginning tells it from another one of the same name.
const HEAD: u64 = 1_024;

/// How far one file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// What it was called when it was first seen. Evidence names it so after a rotation too.
    pub(crate) name: String,
    /// Its size when it was read last.
    pub(crate) size: u64,
    /// Where reading goes on, in the decompressed stream; of a file that is read from its beginning each
    /// time, where it ended.
    pub(crate) done: u64,
    /// How many records of it were taken.
    pub(crate) index: u64,
    /// How many of its first bytes are hashed in `head`.
    pub(crate) head_bytes: u64,
    pub(crate) head: String,
    /// Whether everything in it was taken, for this size.
    pub(crate) whole: bool,
    /// Since when the file is not there any more, in seconds since 1970, as far as that was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone: Option<i64>,
    /// Records up to this time, in seconds since 1970, are passed over: marks of files that held such were
    /// pruned before this file was first seen, and it may be one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<i64>,
}

impl Mark {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // A structure of texts and numbers has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether this is how far that file was read: it begins as it did, and is no shorter.
    pub(crate) fn is_of(&self, path: &Path, size: u64) -> io::Result<bool> {
        Ok(size >= self.size.max(self.head_bytes) && head(path, self.head_bytes)? == self.head)
    }

    /// Sets down what the file begins with.
    pub(crate) fn recognise(&mut self, path: &Path, size: u64) -> io::Result<()> {
        let bytes = size.min(HEAD);
        if bytes != self.head_bytes {
            self.head = head(path, bytes)?;
            self.head_bytes = bytes;
        }
        Ok(())
    }
}

fn head(path: &Path, bytes: u64) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?.take(bytes), &mut hash)?;
    let hash = hash.finalize();
    Ok(hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// What tells that a file changed, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    modified: Option<SystemTime>,
    /// Device and number of the file, where the system has such: they stay when it is renamed.
    identity: Option<(u64, u64)>,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }

    /// What the file's mark is stored under: one that a rename does not change, where there is such.
    pub(crate) fn key(&self, path: &Path) -> String {
        match self.identity {
            Some((device, number)) => format!("file:{device:x}:{number:x}"),
            None => format!("path:{}", path.display()),
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
