//! Files in the order of time, for correlations.

use portreeve_model::Timestamp;
use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};

use super::plain::{self, LastTime, Plain};
use crate::discover::Found;
use crate::open::Opened;

/// How many records are looked at to find one with a time.
const RECORDS: usize = 10;

/// Puts files in the order of their first records, so that correlations meet records nearly in order;
/// those that tell no time come last. Standard input stands alone mostly, and is not looked at.
pub(super) fn by_time(files: &mut [Found]) {
    if files.len() > 1 {
        files.sort_by_cached_key(|file| {
            let time = first_time(file);
            (time.is_none(), time, file.name.clone())
        });
    }
}

fn first_time(file: &Found) -> Option<Timestamp> {
    let mut opened = Opened::unhashed(file.path.as_ref()?).ok()?;
    let head = opened.first();
    let known = portreeve_telemetry::recognise(head)
        .and_then(|known| portreeve_telemetry::source(known.source));
    let options = match known {
        Some(source) => source.split_options(),
        None => plain::split_options(head),
    };
    let mut fields = Fields::default();
    let times = Plain::new(&mut fields);
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let mut splitter = Splitter::whole(head, options);
    for _ in 0..RECORDS {
        if let Split::Record(record) = splitter.next()?
            && let Ok(record) = extractor.extract(record.bytes, &mut buffer)
            && let Some(time) = Plain::time(&record, times.time_fields(), &mut LastTime::default())
        {
            return Some(time);
        }
    }
    None
}
