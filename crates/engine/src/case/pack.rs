//! Packs a case.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use portreeve_model::InputKind;
use portreeve_store::{Sqlite, Store};
use sha2::{Digest, Sha256};

use super::{
    CaseError, DATABASE, FORM, Inputs, MANIFEST, Manifest, Member, SETTINGS, VERSION, failed,
};
use crate::config::Config;
use crate::progress::Progress;
use crate::survey::files;

/// How hard it is compressed; the log is compressed already.
const LEVEL: i32 = 3;

/// Settings of `[serve]` that what is found depends on. All others say how and where a watch runs; some of
/// them are secrets.
const KEPT: [&str; 1] = ["hold"];

/// What to pack.
#[derive(Clone, Debug)]
pub struct PackRequest {
    /// The data folder. A watch may be at it.
    pub data: PathBuf,
    /// The bundle to write.
    pub out: PathBuf,
    /// What the watch was begun with.
    pub inputs: Inputs,
    /// Where data of networks are kept that no setting names.
    pub networks: Option<PathBuf>,
}

/// What was packed.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The manifest.
    pub manifest: Manifest,
    /// The SHA-256 of the bundle.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// A member before it is packed.
struct Source {
    name: String,
    path: PathBuf,
    /// How much of the file is of the case.
    bytes: Option<u64>,
}

/// Writes the bundle of a case. A watch may go on meanwhile: what is packed is as of one commit.
///
/// # Errors
/// Where something cannot be read or written, or the bundle is there already. No half-written one is left.
pub fn pack(request: &PackRequest, progress: &dyn Progress) -> Result<Packed, CaseError> {
    let (data, out) = (&request.data, &request.out);
    let database = data.join("portreeve.db");
    if !database.is_file() {
        return Err(CaseError::NoData(data.clone()));
    }
    if out.exists() {
        return Err(CaseError::Exists(out.clone()));
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let staging = tempfile::tempdir_in(parent).map_err(failed(parent))?;
    progress.begin("Copying the database", 0);
    let copy = staging.path().join("portreeve.db");
    Sqlite::open(&database)?.backup(&copy)?;
    let mut store = Sqlite::open(&copy)?;
    let tokens = store.tokens()?.len();
    store.forget_secrets()?;
    let (segments, revision) = (store.segments()?, store.revision()?);
    drop(store);
    let mut sources = vec![Source {
        name: DATABASE.to_owned(),
        path: copy,
        bytes: None,
    }];
    for segment in &segments {
        for (ending, bytes) in [
            ("ndjson.zst", segment.bytes),
            ("positions", segment.positions),
        ] {
            let name = format!("log/{:08}.{ending}", segment.number);
            sources.push(Source {
                path: data.join(&name),
                name: format!("data/{name}"),
                bytes: Some(bytes),
            });
        }
    }
    let mut left_out = vec![format!(
        "tokens ({tokens}) and who was told of which incident"
    )];
    let mut known = request.inputs.paths.clone();
    let settings = staging.path().join(SETTINGS);
    let (text, network_data) = settings_without_secrets(request, &mut left_out)?;
    std::fs::write(&settings, text).map_err(failed(&settings))?;
    sources.push(Source {
        name: SETTINGS.to_owned(),
        path: settings,
        bytes: None,
    });
    // The order of names is that in which data of networks are asked.
    known.extend(network_data);
    known.extend(request.networks.clone().filter(|it| it.is_dir()));
    sources.extend(knowledge(&known, data, &mut left_out, progress));
    for (number, path) in rule_files(&request.inputs.rules).into_iter().enumerate() {
        sources.push(Source {
            name: numbered("rules", number, &path),
            path,
            bytes: None,
        });
    }
    progress.begin("Hashing", 0);
    let members = sources.iter().map(Source::member);
    let manifest = Manifest {
        form: FORM.to_owned(),
        version: VERSION,
        portreeve: env!("CARGO_PKG_VERSION").to_owned(),
        packed: Timestamp::now(),
        revision,
        built_in_rules: !request.inputs.no_built_in_rules,
        left_out,
        members: members.collect::<Result<_, _>>()?,
    };
    let total = manifest.members.iter().map(|it| it.bytes).sum();
    progress.begin("Packing", total);
    let half = staging.path().join("case.tar.zst");
    write(&half, &manifest, &sources, progress)?;
    let (sha256, bytes) = hash(&half, None)?;
    // On the same disk: the bundle is there whole, or not at all. One that came meanwhile stays.
    match std::fs::hard_link(&half, out) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CaseError::Exists(out.clone()));
        }
        Err(_) => std::fs::rename(&half, out).map_err(failed(out))?,
    }
    Ok(Packed {
        manifest,
        sha256,
        bytes,
    })
}

impl Source {
    fn member(&self) -> Result<Member, CaseError> {
        let (sha256, bytes) = hash(&self.path, self.bytes)?;
        if self.bytes.is_some_and(|expected| expected != bytes) {
            return Err(CaseError::Changed(self.path.clone()));
        }
        Ok(Member {
            name: self.name.clone(),
            bytes,
            sha256,
        })
    }
}

/// The settings as they go with the case, and the files with data of networks that they name.
fn settings_without_secrets(
    request: &PackRequest,
    left_out: &mut Vec<String>,
) -> Result<(String, Vec<PathBuf>), CaseError> {
    let (mut table, mut network_data) = (toml::Table::new(), Vec::new());
    if let Some(path) = &request.inputs.config {
        // What is no setting is refused here: no unknown key is packed.
        network_data = Config::read(path)?.network_data;
        let text = std::fs::read_to_string(path).map_err(failed(path))?;
        table = text.parse().unwrap_or_default();
    }
    if let Some(toml::Value::Table(serve)) = table.get_mut("serve") {
        serve.retain(|name, _| {
            let kept = KEPT.contains(&name);
            if !kept {
                left_out.push(format!("the setting serve.{name}"));
            }
            kept
        });
    }
    if let Some(hold) = request.inputs.hold.and_then(|it| i64::try_from(it).ok()) {
        let serve = table.entry("serve");
        let serve = serve.or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(serve) = serve {
            serve.insert("hold".to_owned(), hold.into());
        }
    }
    // These files go with the inventory; digests are not asked for by a watch.
    for name in ["network_data", "digest_keys"] {
        table.remove(name);
    }
    Ok((table.to_string(), network_data))
}

/// Inventory, data of networks and what tells of wallets, below these paths. Logs are not among it: what was
/// taken in of them is in the event log.
fn knowledge(
    paths: &[PathBuf],
    data: &Path,
    left_out: &mut Vec<String>,
    progress: &dyn Progress,
) -> Vec<Source> {
    let is_file = |path: &&PathBuf| {
        let remote = path.to_str().is_some_and(|path| path.starts_with("s3://"));
        path.as_os_str() != "-" && !remote
    };
    let mut sources: Vec<Source> = Vec::new();
    let skip = [data.to_owned()];
    for path in paths.iter().filter(is_file) {
        if !path.exists() {
            left_out.push(format!("{}: it is not there", path.display()));
            continue;
        }
        let found = files(std::slice::from_ref(path), &skip, progress);
        for input in found.inputs {
            let kinds = [
                InputKind::Inventory,
                InputKind::Networks,
                InputKind::Wallets,
            ];
            let path = PathBuf::from(&*input.file);
            if kinds.contains(&input.kind) && sources.iter().all(|it| it.path != path) {
                sources.push(Source {
                    name: numbered("inventory", sources.len(), &path),
                    path,
                    bytes: None,
                });
            }
        }
    }
    sources
}

fn rule_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let entries = paths.iter().flat_map(|path| {
        let walk = walkdir::WalkDir::new(path).follow_links(true);
        walk.sort_by_file_name().into_iter().flatten()
    });
    entries
        .filter(|entry| {
            let ending = entry.path().extension().and_then(|it| it.to_str());
            entry.file_type().is_file()
                && (matches!(ending, Some("yml" | "yaml")) || entry.depth() == 0)
        })
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// A name in the bundle: plain letters whatever the file is called, in the order of the files.
fn numbered(folder: &str, number: usize, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => letter,
        _ => '_',
    };
    let name: String = name.chars().map(plain).collect();
    let start = name.len().saturating_sub(60);
    format!("{folder}/{:06}-{}", number + 1, &name[start..])
}

/// The SHA-256 and the size of a file, or of its beginning.
fn hash(path: &Path, most: Option<u64>) -> Result<(String, u64), CaseError> {
    let file = File::open(path).map_err(failed(path))?;
    let mut file = file.take(most.unwrap_or(u64::MAX));
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut file, &mut hash).map_err(failed(path))?;
    Ok((super::open::hex(&hash.finalize()), bytes))
}

fn write(
    to: &Path,
    manifest: &Manifest,
    sources: &[Source],
    progress: &dyn Progress,
) -> Result<(), CaseError> {
    let file = File::create(to).map_err(failed(to))?;
    let encoder = zstd::stream::write::Encoder::new(file, LEVEL).map_err(failed(to))?;
    let mut archive = tar::Builder::new(encoder);
    let text = serde_json::to_vec_pretty(manifest).unwrap_or_default();
    let put = |header: &mut tar::Header, name: &str, bytes: u64| {
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(manifest.packed.as_second().unsigned_abs());
        header.set_path(name)?;
        header.set_cksum();
        Ok::<_, io::Error>(())
    };
    let mut header = tar::Header::new_ustar();
    put(&mut header, MANIFEST, text.len() as u64).map_err(failed(to))?;
    archive.append(&header, &*text).map_err(failed(to))?;
    for (source, member) in sources.iter().zip(&manifest.members) {
        let mut header = tar::Header::new_ustar();
        put(&mut header, &member.name, member.bytes).map_err(failed(to))?;
        let file = File::open(&source.path).map_err(failed(&source.path))?;
        let mut hashed = Hashed {
            inner: file.take(member.bytes),
            hash: Sha256::new(),
            bytes: 0,
        };
        archive.append(&header, &mut hashed).map_err(failed(to))?;
        let whole = hashed.bytes == member.bytes;
        if !whole || super::open::hex(&hashed.hash.finalize()) != member.sha256 {
            return Err(CaseError::Changed(source.path.clone()));
        }
        progress.advance(member.bytes);
    }
    let encoder = archive.into_inner().map_err(failed(to))?;
    let mut file = encoder.finish().map_err(failed(to))?;
    file.flush().map_err(failed(to))?;
    file.sync_all().map_err(failed(to))
}

/// Hashes what is read.
pub(super) struct Hashed<R> {
    pub(super) inner: R,
    pub(super) hash: Sha256,
    pub(super) bytes: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
