//! Fetching data of networks: through the user's own package client, which knows their proxies
//! and registries and keeps HTTP out of this program, or from files that they brought.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;
use portreeve_detect::{DataOrigin, NetworkData, NetworkDataError, TableReader};

use super::LARGEST;
use super::store::{StoredContent, StoredData};

/// The packages of the open set: operators, and countries.
pub const OPEN_SET: [&str; 2] = ["@ip-location-db/asn", "@ip-location-db/asn-country"];

/// How many files of an archive are looked at.
const MEMBERS: usize = 1_000;

/// Whom the licences of known packages ask to be named: RouteViews, NRO and DB-IP by the notices
/// in the first, NRO by the notice in the second.
const ATTRIBUTIONS: &[(&str, &str)] = &[
    (
        OPEN_SET[0],
        "RouteViews (routeviews.org), NRO (nro.net), DB-IP (db-ip.com), joined by ip-location-db",
    ),
    (OPEN_SET[1], "NRO (nro.net), by ip-location-db"),
];

/// Why there are no new data. What was stored before is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The package client could not be started.
    #[error(
        "cannot run `{client}`: {source}\n  The open set is fetched through npm, the package client \
         of Node.js. Install it, or fetch the packages {} on another machine \
         (`npm pack NAME`) and hand the files over with `--from`; a MaxMind database or a CSV does \
         as well",
        OPEN_SET.join(" and ")
    )]
    NoClient {
        /// The program.
        client: String,
        /// Why.
        source: std::io::Error,
    },
    /// The package client failed.
    #[error(
        "`{client}` failed ({status}):\n{message}\n  Without a way to a package registry, fetch {} \
         on another machine (`npm pack NAME`) and hand the files over with `--from`",
        OPEN_SET.join(" and ")
    )]
    ClientFailed {
        /// What was run.
        client: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last lines that it said.
        message: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no data of networks.
    #[error("{}: {reason}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Fetches the open set with a package client (`npm`, or a program that is called like it) and puts
/// it into the folder, in place of what is there.
pub fn update_from_open_set(folder: &Path, client: &OsStr) -> Result<Vec<StoredData>, UpdateError> {
    let temporary = tempfile::tempdir().map_err(in_file(&std::env::temp_dir()))?;
    let shown = format!("{} pack", client.to_string_lossy());
    let output = Command::new(client)
        .arg("pack")
        .args(OPEN_SET)
        // The packages hold data only, and nothing of them is to run.
        .args(["--ignore-scripts", "--loglevel=error", "--pack-destination"])
        .arg(temporary.path())
        .current_dir(temporary.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|source| UpdateError::NoClient {
            client: client.to_string_lossy().into_owned(),
            source,
        })?;
    if !output.status.success() {
        return Err(UpdateError::ClientFailed {
            client: shown,
            status: output.status,
            message: last_lines(&output.stderr),
        });
    }
    let mut archives: Vec<PathBuf> = super::store::files(temporary.path());
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    update_from_files(folder, &archives)
}

/// The end of what a program said, indented.
fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(8)..]
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Puts data from files into the folder, in place of what is there: packages and other tar archives,
/// MaxMind databases, CSV. The order of the files is the order in which they count.
pub fn update_from_files(folder: &Path, files: &[PathBuf]) -> Result<Vec<StoredData>, UpdateError> {
    let mut sets = Vec::new();
    for path in files {
        sets.extend(read_file(path)?);
    }
    if sets.is_empty() {
        return Err(UpdateError::Data {
            path: files.first().cloned().unwrap_or_default(),
            reason: "no data of networks in it".to_owned(),
        });
    }
    store(folder, &sets)
}

/// A set of data, ready to be stored.
struct Set {
    name: String,
    extension: &'static str,
    bytes: Vec<u8>,
    content: StoredContent,
}

fn read_file(path: &Path) -> Result<Vec<Set>, UpdateError> {
    let broken = |reason: String| UpdateError::Data {
        path: path.to_owned(),
        reason,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = std::fs::File::open(path).map_err(in_file(path))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(in_file(path))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&*bytes)
            .take(LARGEST + 1)
            .read_to_end(&mut plain)
            .map_err(in_file(path))?;
        bytes = plain;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(broken("more than 1 GiB".to_owned()));
    }
    if is_archive(&bytes) {
        return read_archive(path, &bytes);
    }
    let set = one_set(&name, bytes).map_err(|error| broken(error.to_string()))?;
    Ok(vec![set])
}

/// What stands at this place of every tar archive since 1988: `ustar`.
fn is_archive(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// A database is kept as it is; a CSV in the compact form.
fn one_set(name: &str, bytes: Vec<u8>) -> Result<Set, NetworkDataError> {
    let tail = &bytes[bytes.len().saturating_sub(portreeve_detect::TAIL)..];
    if NetworkData::recognise(&bytes, tail) == Some("networks.csv") {
        let mut reader = TableReader::default();
        reader.read(name, &bytes)?;
        return table_set(
            name,
            reader,
            DataOrigin {
                name: name.to_owned(),
                ..DataOrigin::default()
            },
        );
    }
    let extension = if NetworkData::recognise(&bytes, tail) == Some("networks.maxmind") {
        "mmdb"
    } else {
        "networks"
    };
    let (data, _) = NetworkData::read(name, bytes.clone())?;
    Ok(Set {
        name: stem(name).to_owned(),
        extension,
        content: StoredContent::of(&data),
        bytes,
    })
}

fn table_set(name: &str, reader: TableReader, origin: DataOrigin) -> Result<Set, NetworkDataError> {
    let (table, _, problems) = reader.finish(origin);
    if table.is_empty() {
        let first = problems.first().map(|problem| format!(": {problem}"));
        return Err(NetworkDataError::Empty(first.unwrap_or_default()));
    }
    let bytes = table.to_bytes();
    Ok(Set {
        name: stem(name).to_owned(),
        extension: "networks",
        bytes,
        content: StoredContent::of(&NetworkData::of_table(table)),
    })
}

fn stem(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.split('.').next().unwrap_or(name)
}

/// What `package.json` of a package says.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Package {
    name: String,
    version: String,
    license: String,
}

/// A package's tables are one set, that of IPv4 with that of IPv6; each database is one.
fn read_archive(path: &Path, bytes: &[u8]) -> Result<Vec<Set>, UpdateError> {
    let failed = in_file(path);
    let broken = |error: NetworkDataError| UpdateError::Data {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut tables = BTreeMap::new();
    let mut sets = Vec::new();
    let mut package = Package::default();
    let mut archive = tar::Archive::new(bytes);
    for member in archive.entries().map_err(&failed)?.take(MEMBERS) {
        let mut member = member.map_err(&failed)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let wanted = name.ends_with(".mmdb")
            || name.ends_with("/package.json")
            // The same ranges, with addresses written as numbers.
            || (name.ends_with(".csv") && !name.ends_with("-num.csv"));
        if !wanted {
            continue;
        }
        let mut content = Vec::new();
        member.read_to_end(&mut content).map_err(&failed)?;
        if name.ends_with("/package.json") {
            package = serde_json::from_slice(&content).unwrap_or_default();
        } else if name.ends_with(".mmdb") {
            sets.push(one_set(&name, content).map_err(broken)?);
        } else {
            tables.insert(name, content);
        }
    }
    if !tables.is_empty() {
        let mut reader = TableReader::default();
        for (name, content) in &tables {
            reader.read(name, content).map_err(broken)?;
        }
        let name = match package.name.rsplit('/').next() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => stem(&path.to_string_lossy()).to_owned(),
        };
        sets.push(table_set(&name, reader, origin(package, &name)).map_err(broken)?);
    }
    Ok(sets)
}

fn origin(package: Package, file: &str) -> DataOrigin {
    let known = ATTRIBUTIONS.iter().find(|(name, _)| *name == package.name);
    let name = if package.name.is_empty() {
        file
    } else {
        &package.name
    };
    DataOrigin {
        name: name.to_owned(),
        date: date_of(&package.version).unwrap_or_default(),
        licence: match known {
            // As the notices in the packages say; the manifest of one of them says otherwise.
            Some(_) => "CC BY 4.0".to_owned(),
            None => package.license,
        },
        attribution: known.map_or_else(String::new, |(_, whom)| (*whom).to_owned()),
        version: package.version,
    }
}

/// The open set's versions end with day and hour: `2.3.2026061719`.
fn date_of(version: &str) -> Option<String> {
    let stamp = version.rsplit('.').next()?;
    let day = stamp.get(..8)?;
    let is_date = stamp.bytes().all(|byte| byte.is_ascii_digit()) && day.starts_with("20");
    is_date.then(|| format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]))
}

/// Writes all sets beside the folder, then puts them in its place.
fn store(folder: &Path, sets: &[Set]) -> Result<Vec<StoredData>, UpdateError> {
    let failed = in_file(folder);
    let parent = folder.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(in_file(parent))?;
    let temporary = tempfile::Builder::new()
        .prefix(".networks-")
        .tempdir_in(parent)
        .map_err(in_file(parent))?;
    let new = temporary.path().join("new");
    std::fs::create_dir(&new).map_err(in_file(&new))?;
    let mut names = Vec::new();
    for (number, set) in (1..).zip(sets) {
        let safe: String = set
            .name
            .chars()
            .filter(|character| character.is_ascii_alphanumeric() || "-_".contains(*character))
            .take(60)
            .collect();
        let name = format!("{number}-{safe}.{}", set.extension);
        let path = new.join(&name);
        std::fs::write(&path, &set.bytes).map_err(in_file(&path))?;
        names.push(name);
    }
    // Only data of ours are replaced: a folder that somebody else uses is left alone.
    let old = temporary.path().join("old");
    if folder.exists() {
        std::fs::rename(folder, &old).map_err(&failed)?;
    }
    if let Err(error) = std::fs::rename(&new, folder) {
        let _ = std::fs::rename(&old, folder);
        return Err(failed(error));
    }
    Ok(names
        .into_iter()
        .zip(sets)
        .map(|(name, set)| StoredData {
            path: folder.join(name),
            bytes: set.bytes.len() as u64,
            content: Ok(StoredContent {
                origin: set.content.origin.clone(),
                ..set.content
            }),
        })
        .collect())
}

fn in_file(path: &Path) -> impl Fn(std::io::Error) -> UpdateError + use<> {
    let path = path.to_owned();
    move |source| UpdateError::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, members: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let manifest =
            format!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"license\":\"CC0-1.0\"}}");
        for (path, text) in members
            .iter()
            .chain(&[("package/package.json", &*manifest)])
        {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive
                .append_data(&mut header, path, text.as_bytes())
                .unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn asn_package() -> Vec<u8> {
        package(
            OPEN_SET[0],
            "2.3.2026061719",
            &[
                (
                    "package/asn-ipv4.csv",
                    "192.0.2.0,192.0.2.255,9009,M247 Europe SRL\n",
                ),
                (
                    "package/asn-ipv4-num.csv",
                    "3221225984,3221226239,9009,M247 Europe SRL\n",
                ),
                (
                    "package/asn-ipv6.csv",
                    "2001:db8::,2001:db8::ffff,16509,\"Amazon.com, Inc.\"\n",
                ),
                ("package/README.md", "x"),
            ],
        )
    }

    #[test]
    fn a_package_becomes_one_set_with_its_attribution() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("asn.tgz");
        std::fs::write(&file, asn_package()).unwrap();
        let data = folder.path().join("data/networks");
        let stored = update_from_files(&data, &[file]).unwrap();
        assert_eq!(stored.len(), 1);
        let content = stored[0].content.as_ref().unwrap();
        assert_eq!(content.ranges, Some(2));
        assert!(content.tells_asn && !content.tells_country);
        assert_eq!(content.origin.date, "2026-06-17");
        assert_eq!(content.origin.licence, "CC BY 4.0");
        assert!(content.origin.attribution.contains("DB-IP (db-ip.com)"));

        let config = crate::Config {
            network_folder: Some(data.clone()),
            ..crate::Config::default()
        };
        let (networks, dead) = super::super::networks(&config);
        assert!(dead.is_empty(), "{dead:?}");
        assert_eq!(networks.of("192.0.2.41").asn, Some(9_009));
        assert_eq!(networks.of("2001:db8::1").class, Some("cloud"));
        let note = super::super::note(&networks, &config.settings());
        assert!(note.contains("of 2026-06-17 (RouteViews"), "{note}");
        assert!(note.contains("Countries are not known"), "{note}");
    }

    #[test]
    fn an_update_replaces_what_was_there_or_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("networks");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let asn = write("asn.tgz", &asn_package());
        let own = write("own.csv", b"network,class\n192.0.2.40/29,vpn\n");
        let wrong = write("holiday.txt", b"not data");
        update_from_files(&data, &[own, asn.clone()]).unwrap();
        let names = |data: &Path| -> Vec<String> { stored_names(&super::super::stored_data(data)) };
        assert_eq!(names(&data), ["1-own.networks", "2-asn.networks"]);
        let error = update_from_files(&data, &[wrong]).unwrap_err().to_string();
        assert!(
            error.contains("holiday.txt") && error.contains("MaxMind"),
            "{error}"
        );
        assert_eq!(names(&data), ["1-own.networks", "2-asn.networks"]);
        update_from_files(&data, &[asn]).unwrap();
        assert_eq!(names(&data), ["1-asn.networks"]);
        let missing = folder.path().join("missing.tgz");
        assert!(update_from_files(&data, &[missing]).is_err());
        assert_eq!(names(&data), ["1-asn.networks"]);
    }

    fn stored_names(stored: &[StoredData]) -> Vec<String> {
        stored
            .iter()
            .inspect(|data| assert!(data.content.is_ok(), "{data:?}"))
            .map(|data| {
                data.path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    #[test]
    fn a_client_that_is_not_there_is_told_with_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let client = OsStr::new("portreeve-no-such-client");
        let error = update_from_open_set(&folder.path().join("networks"), client)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("--from") && error.contains(OPEN_SET[0]),
            "{error}"
        );
    }

    #[test]
    fn days_are_read_from_versions() {
        assert_eq!(date_of("2.3.2026061719").as_deref(), Some("2026-06-17"));
        assert_eq!(date_of("1.2.3"), None);
        assert_eq!(date_of("1.2.202606ab"), None);
        assert_eq!(date_of(""), None);
    }
}
