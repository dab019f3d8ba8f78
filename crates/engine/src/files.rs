//! Files as they are, for what is compared by digest.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use portreeve_model::DeadLetter;
use sha2::{Digest, Sha256};

use crate::discover::discover;

/// The files below a folder, in order of their names. An error is the first that cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, DeadLetter> {
    let (found, dead) = discover(&[folder.to_owned()]);
    match dead.into_iter().next() {
        Some(letter) => Err(letter),
        None => Ok(found.into_iter().filter_map(|file| file.path).collect()),
    }
}

/// The SHA-256 of a file's bytes in hexadecimal, and how many they are.
pub fn file_sha256(path: &Path) -> io::Result<(String, u64)> {
    stream_sha256(&mut File::open(path)?)
}

pub(crate) fn stream_sha256(stream: &mut dyn Read) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let bytes = io::copy(stream, &mut hash)?;
    let digest = hash.finalize();
    Ok((
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        bytes,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_of_the_bytes() {
        // FIPS 180-2, appendix B.1.
        let (digest, bytes) = stream_sha256(&mut b"abc".as_slice()).unwrap();
        assert_eq!(bytes, 3);
        assert_eq!(
            digest,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(files_below(Path::new("no such folder")).is_err());
    }
}
