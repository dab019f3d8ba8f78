use std::io::Read;

use portreeve_model::{DeadLetter, Estate, Input, InputKind};

use crate::discover::Found;
use crate::open::Opened;

/// An inventory file larger than this is refused: an export of a hundred thousand principals is a
/// tenth of it.
pub(crate) const LARGEST: u64 = 2 << 30;

/// Reads one inventory file into the estate.
pub(crate) fn read(
    found: &Found,
    mut opened: Opened,
    estate: &mut Estate,
) -> (Input, Vec<DeadLetter>) {
    let head = opened.head();
    let format = portreeve_estate::recognise(head).map_or("", portreeve_estate::Format::id);
    let mut bytes = Vec::with_capacity(usize::try_from(found.bytes.min(LARGEST)).unwrap_or(0));
    let mut dead = Vec::new();
    let mut letter = |reason: String| {
        dead.push(DeadLetter {
            file: found.name.clone(),
            offset: 0,
            reason,
        });
    };
    match (&mut opened).take(LARGEST + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > LARGEST => {
            letter("an inventory file of more than 2 GiB; export one account at a time".to_owned());
            bytes.clear();
        }
        Ok(_) => {}
        Err(error) => letter(format!("the file breaks off: {error}")),
    }
    if !bytes.is_empty() {
        dead.extend(portreeve_estate::read(&found.name, &bytes, estate));
    }
    let input = finish(found, opened, InputKind::Inventory, format, 0, &mut dead);
    (input, dead)
}

/// The entry of a file in the report, with its hash.
pub(crate) fn finish(
    found: &Found,
    opened: Opened,
    kind: InputKind,
    format: &str,
    records: u64,
    dead: &mut Vec<DeadLetter>,
) -> Input {
    let (bytes, sha256) = opened.finish().unwrap_or_else(|error| {
        dead.push(DeadLetter {
            file: found.name.clone(),
            offset: 0,
            reason: format!("cannot be read to its end: {error}"),
        });
        (found.bytes, String::new())
    });
    Input {
        file: found.name.clone(),
        kind,
        format: format.to_owned(),
        bytes,
        sha256,
        records,
        proof: None,
    }
}
