use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::thread;

use portreeve_model::{DeadLetter, Estate, Input, InputKind};

use crate::discover::Found;
use crate::open::Opened;
use crate::progress::Progress;

/// An inventory file larger than this is refused: an export of a hundred thousand principals is a
/// tenth of it.
pub(crate) const LARGEST: u64 = 2 << 30;

/// How many files are open at once to be read together.
pub(crate) const TOGETHER: usize = 32;

/// Files that are less than this together, in bytes, are not worth a thread.
const WORTH_A_THREAD: u64 = 4 << 20;

/// Reads inventory files into the estate, on as many threads as there are: what each says, and what of it
/// could not be read, in the order of the files.
pub(crate) fn read_all(
    files: Vec<(Found, Opened)>,
    estate: &mut Estate,
    progress: &dyn Progress,
) -> (Vec<Input>, Vec<DeadLetter>) {
    let (mut inputs, mut dead_letters) = (Vec::new(), Vec::new());
    let bytes: u64 = files.iter().map(|(found, _)| found.bytes).sum();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(8).min(files.len());
    if threads < 2 || bytes < WORTH_A_THREAD {
        for (found, opened) in files {
            let (input, dead) = read(&found, opened, estate);
            inputs.push(input);
            dead_letters.extend(dead);
            progress.advance(found.bytes);
        }
        return (inputs, dead_letters);
    }
    let next = Mutex::new(files.into_iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, (found, opened))) = take() {
                    let mut own = Estate::default();
                    let (input, dead) = read(&found, opened, &mut own);
                    progress.advance(found.bytes);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(place, (own, input, dead));
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (own, input, dead) in done.into_values() {
        estate.merge(own);
        inputs.push(input);
        dead_letters.extend(dead);
    }
    (inputs, dead_letters)
}

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

#[cfg(test)]
mod tests {
    use portreeve_simulate::{Intrusion, MemorySink, Plan, simulate};

    use super::*;

    #[test]
    fn files_that_are_read_together_say_what_they_say_one_after_the_other() {
        let plan = Plan {
            days: 1,
            max_records: 1_000,
            intrusion: Intrusion::None,
            ..Plan::default()
        };
        let mut simulated = MemorySink::default();
        simulate(&plan, &mut simulated).unwrap();
        let files = simulated.files.iter();
        let files: Vec<(&String, &Vec<u8>)> = files
            .filter(|(_, bytes)| portreeve_estate::recognise(bytes).is_some())
            .collect();
        assert!(files.len() > 10, "{}", files.len());

        let told = |mut estate: Estate| {
            portreeve_estate::complete(&mut estate);
            let entities: Vec<_> = estate.entities().cloned().collect();
            (entities, estate.relations().to_vec(), estate.blind_spots)
        };
        let mut one_by_one = Estate::default();
        for (name, bytes) in &files {
            assert!(portreeve_estate::read(name, bytes, &mut one_by_one).is_empty());
        }
        let apart = files.iter().map(|(name, bytes)| {
            let mut own = Estate::default();
            portreeve_estate::read(name, bytes, &mut own);
            own
        });
        let apart: Vec<Estate> = apart.collect();
        let merged = |estates: &mut dyn Iterator<Item = &Estate>| {
            let mut all = Estate::default();
            estates.for_each(|own| all.merge(own.clone()));
            told(all)
        };
        let expected = told(one_by_one);
        assert_eq!(merged(&mut apart.iter()), expected);
        // The order of files does not matter.
        assert_eq!(merged(&mut apart.iter().rev()), expected);
    }
}
