//! Data of networks: found among the input, named in the configuration, or stored by
//! `portreeve networks update`.

mod store;
mod update;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portreeve_detect::{NetworkData, Networks, Settings, TAIL};
use portreeve_model::{DeadLetter, Input, InputKind};

use crate::config::Config;
use crate::discover::Found;
use crate::inventory;
use crate::open::Opened;

pub use store::{StoredContent, StoredData, default_network_folder, stored_data};
pub use update::{OPEN_SET, UpdateError, update_from_files, update_from_open_set};

/// Data larger than this are refused: the whole open set is a thirtieth of it.
pub(crate) const LARGEST: u64 = 1 << 30;

/// A set of data, with the file that it was read from.
#[derive(Debug)]
pub struct FoundData {
    /// The file.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub data: NetworkData,
}

/// The format of a file of data of networks. A MaxMind database is told by its end, which is looked
/// at only where the beginning is no text.
pub(crate) fn recognise(head: &[u8], path: Option<&Path>) -> Option<&'static str> {
    let tail = match path {
        Some(path) if head.contains(&0) => tail(path).unwrap_or_default(),
        _ => Vec::new(),
    };
    NetworkData::recognise(head, &tail)
}

fn tail(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL as u64)))?;
    let mut bytes = Vec::new();
    file.take(TAIL as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of data of networks. What cannot be read is told as dead letters.
pub(crate) fn read(
    found: &Found,
    mut opened: Opened,
) -> (Input, Option<NetworkData>, Vec<DeadLetter>) {
    let format = recognise(opened.head(), found.path.as_deref()).unwrap_or_default();
    let mut dead = Vec::new();
    let mut letter = |reason: String| {
        dead.push(DeadLetter {
            file: found.name.clone(),
            offset: 0,
            reason,
        });
    };
    let mut bytes = Vec::with_capacity(usize::try_from(found.bytes.min(LARGEST)).unwrap_or(0));
    let data = match (&mut opened).take(LARGEST + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > LARGEST => {
            letter("data of networks of more than 1 GiB".to_owned());
            None
        }
        // The folder it lies in is no part of what the data are called.
        Ok(_) => match NetworkData::read(file_name(&found.name), bytes) {
            Ok((data, problems)) => {
                problems.into_iter().for_each(&mut letter);
                Some(data)
            }
            Err(error) => {
                letter(error.to_string());
                None
            }
        },
        Err(error) => {
            letter(format!("the file breaks off: {error}"));
            None
        }
    };
    let records = data.as_ref().and_then(NetworkData::ranges).unwrap_or(0) as u64;
    let input = inventory::finish(
        found,
        opened,
        InputKind::Networks,
        format,
        records,
        &mut dead,
    );
    (input, data, dead)
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What was read besides the input, in the order in which it counts.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) data: Vec<NetworkData>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) dead_letters: Vec<DeadLetter>,
}

/// Joins data found among the input with those that the configuration names and with those that
/// are stored. The closest to the user's hand counts first.
pub(crate) fn gather(config: &Config, found: Vec<FoundData>) -> Gathered {
    let mut gathered = Gathered::default();
    let mut read_already = Vec::new();
    for FoundData { path, data } in found {
        read_already.extend(path.and_then(|path| path.canonicalize().ok()));
        gathered.data.push(data);
    }
    let stored = config
        .network_folder
        .as_deref()
        .map(store::files)
        .unwrap_or_default();
    for path in config.network_data.iter().chain(&stored) {
        let canonical = path.canonicalize().ok();
        if canonical.is_some_and(|path| read_already.contains(&path)) {
            continue;
        }
        let found = Found {
            name: path.to_string_lossy().into(),
            bytes: path.metadata().map_or(0, |metadata| metadata.len()),
            path: Some(path.clone()),
        };
        match Opened::file(path) {
            Ok(opened) => {
                let (input, data, dead) = read(&found, opened);
                gathered.inputs.push(input);
                gathered.dead_letters.extend(dead);
                gathered.data.extend(data);
            }
            Err(error) => gathered.dead_letters.push(DeadLetter {
                file: found.name,
                offset: 0,
                reason: format!("data of networks that cannot be opened: {error}"),
            }),
        }
    }
    gathered
}

/// Everything that a configuration knows of networks, for looking addresses up; with what could
/// not be read.
pub fn networks(config: &Config) -> (Arc<Networks>, Vec<DeadLetter>) {
    let gathered = gather(config, Vec::new());
    let networks = Networks::new(&config.settings(), gathered.data);
    (Arc::new(networks), gathered.dead_letters)
}

/// Which data were used, or what is hidden without them.
pub(crate) fn note(networks: &Networks, settings: &Settings) -> String {
    let named = |tells: fn(&NetworkData) -> bool| -> Vec<String> {
        networks
            .data()
            .iter()
            .filter(|data| tells(data))
            .map(|data| data.origin().to_string())
            .collect()
    };
    let (operators, countries) = (
        named(NetworkData::tells_asn),
        named(NetworkData::tells_country),
    );
    let declared = !settings.networks.is_empty()
        || !settings.autonomous_systems.is_empty()
        || !settings.vendors.is_empty();
    let mut sentences = Vec::new();
    if operators.is_empty() {
        let known = if declared {
            "are known only where portreeve.toml declares them"
        } else {
            "are not known"
        };
        sentences.push(format!(
            "Without data of networks, operators and kinds of networks (VPN, hosting, cloud, \
             residential) {known}, and two addresses count as one network only where they share a \
             /24 (IPv6: /48); `portreeve networks update` fetches an open set."
        ));
    } else {
        sentences.push(format!(
            "Operators of networks are those of {}.",
            operators.join(", ")
        ));
    }
    if !countries.is_empty() {
        sentences.push(format!("Countries are those of {}.", countries.join(", ")));
    } else if !operators.is_empty() {
        sentences.push("Countries are not known.".to_owned());
    }
    sentences.join(" ")
}
