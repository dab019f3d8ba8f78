//! Opens a bundle. What is in one may be anything: only what its manifest names is taken, each member once, as
//! long as it says and with the hash that it says; names lead nowhere but into the folder; links, devices and
//! extensions of the format are refused. Whatever is refused, nothing is left behind.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use portreeve_store::Sqlite;
use sha2::{Digest, Sha256};

use super::pack::Hashed;
use super::{CaseError, DATABASE, MANIFEST, Manifest, Member, SETTINGS, failed};

/// The largest manifest, and the most members.
const LARGEST_MANIFEST: u64 = 64 << 20;
const MEMBERS: usize = 200_000;

/// How a bundle is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The bundle.
    pub bundle: PathBuf,
    /// The folder to put it into, which must not be there yet.
    pub into: PathBuf,
    /// How many bytes its members may have together.
    pub most: u64,
}

/// Opens a bundle into a folder of its own, every member verified.
///
/// # Errors
/// Where it is refused, or cannot be read or written. The folder is there whole, or not at all.
pub fn open(opening: &Opening) -> Result<Manifest, CaseError> {
    let Opening { bundle, into, most } = opening;
    if into.exists() {
        return Err(CaseError::Exists(into.clone()));
    }
    let parent = match into.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(failed(parent))?;
    let staging = tempfile::tempdir_in(parent).map_err(failed(parent))?;
    let file = File::open(bundle).map_err(failed(bundle))?;
    let manifest =
        unpack(BufReader::new(file), staging.path(), *most).map_err(|stop| match stop {
            Stop::Refused { member, reason } => CaseError::Refused {
                bundle: bundle.clone(),
                member,
                reason,
            },
            Stop::Failed(error) => error,
        })?;
    // Brought up to date here: it is only read from now on. What tokens there are let nobody in.
    Sqlite::open(&staging.path().join(DATABASE))?.forget_secrets()?;
    let whole = staging.keep();
    std::fs::rename(&whole, into).map_err(|error| {
        drop(std::fs::remove_dir_all(&whole));
        failed(into)(error)
    })?;
    Ok(manifest)
}

enum Stop {
    Refused { member: String, reason: String },
    Failed(CaseError),
}

fn refused<T>(member: &str, reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused {
        // Whoever made it chose the name.
        member: member
            .chars()
            .take(120)
            .map(|it| if it.is_control() { '?' } else { it })
            .collect(),
        reason: reason.into(),
    })
}

fn unpack(from: impl Read, folder: &Path, most: u64) -> Result<Manifest, Stop> {
    let broken = |member: &str, error: &io::Error| Stop::Refused {
        member: member.to_owned(),
        reason: format!("it cannot be read: {error}"),
    };
    let decoder = zstd::stream::read::Decoder::new(from).map_err(|it| broken(MANIFEST, &it))?;
    let mut archive = tar::Archive::new(decoder);
    // Raw: an extension of the format, as a name of any length, is a member like others, and refused.
    let entries = archive
        .entries()
        .map_err(|it| broken(MANIFEST, &it))?
        .raw(true);
    let mut manifest = None::<(Manifest, BTreeMap<String, Member>)>;
    for entry in entries {
        let mut entry = entry.map_err(|it| broken("a header", &it))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != tar::EntryType::Regular {
            return refused(&name, "it is no file");
        }
        let size = entry.size();
        let Some((_, left)) = &mut manifest else {
            let read = read_manifest(&name, size, &mut entry, most)?;
            manifest = Some(read);
            continue;
        };
        let Some(member) = left.remove(&name) else {
            return refused(&name, "the manifest does not name it, or it came before");
        };
        if size != member.bytes {
            return refused(&name, format!("it has {size} bytes, not {}", member.bytes));
        }
        let path = folder.join(&name);
        let failed_at = |error| Stop::Failed(failed(&path)(error));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed_at)?;
        }
        let new = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = new.map_err(failed_at)?;
        let mut hashed = Hashed {
            inner: entry.take(member.bytes),
            hash: Sha256::new(),
            bytes: 0,
        };
        let copied = io::copy(&mut hashed, &mut file);
        copied.map_err(|it| broken(&name, &it))?;
        if hashed.bytes != member.bytes || hex(&hashed.hash.finalize()) != member.sha256 {
            return refused(&name, "its SHA-256 is not what the manifest says");
        }
        file.sync_all().map_err(failed_at)?;
    }
    let Some((manifest, left)) = manifest else {
        return refused(MANIFEST, "it is missing");
    };
    if let Some(name) = left.keys().next() {
        return refused(name, "the manifest names it, and it is missing");
    }
    for folder_of in ["inventory", "data/log"] {
        let path = folder.join(folder_of);
        std::fs::create_dir_all(&path).map_err(|it| Stop::Failed(failed(&path)(it)))?;
    }
    let path = folder.join(MANIFEST);
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    std::fs::write(&path, text).map_err(|it| Stop::Failed(failed(&path)(it)))?;
    Ok(manifest)
}

/// The manifest, which comes first, with the members that are to follow.
fn read_manifest(
    name: &str,
    size: u64,
    entry: &mut impl Read,
    most: u64,
) -> Result<(Manifest, BTreeMap<String, Member>), Stop> {
    if name != MANIFEST {
        return refused(name, format!("a bundle begins with {MANIFEST}"));
    }
    if size > LARGEST_MANIFEST {
        return refused(
            name,
            format!("it has {size} bytes; {LARGEST_MANIFEST} at most"),
        );
    }
    let mut text = Vec::new();
    if let Err(error) = entry.take(size).read_to_end(&mut text) {
        return refused(name, format!("it cannot be read: {error}"));
    }
    let manifest = match Manifest::read(&text) {
        Ok(manifest) => manifest,
        Err(reason) => return refused(name, reason),
    };
    if manifest.members.len() > MEMBERS {
        return refused(name, format!("it names more than {MEMBERS} members"));
    }
    let mut members = BTreeMap::new();
    let mut total = 0u64;
    for member in &manifest.members {
        if !is_plain(&member.name) {
            return refused(&member.name, "no bundle has a member of this name");
        }
        total = total.saturating_add(member.bytes);
        if members
            .insert(member.name.clone(), member.clone())
            .is_some()
        {
            return refused(&member.name, "the manifest names it twice");
        }
    }
    if total > most {
        let reason =
            format!("its members have {total} bytes; {most} are allowed (--most-gigabytes)");
        return refused(name, reason);
    }
    if !members.contains_key(DATABASE) {
        return refused(DATABASE, "the manifest does not name it");
    }
    Ok((manifest, members))
}

/// Whether a name is one that [`pack`](super::pack) gives: into one of the folders, of plain letters.
fn is_plain(name: &str) -> bool {
    let folders = ["data/log/", "inventory/", "rules/"];
    let below = folders.iter().find_map(|folder| name.strip_prefix(folder));
    match below {
        None => name == DATABASE || name == SETTINGS,
        Some(file) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !file.is_empty()
                && file.len() <= 80
                && !file.starts_with('.')
                // A system that knows devices by name knows them with any ending.
                && file.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
                && file.bytes().all(plain)
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
