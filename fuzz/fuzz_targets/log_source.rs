//! Records of what log sources look for, and any bytes: reading them never panics, what is inside a
//! record is native, and the brief of a record says what its activity says.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portreeve_record::{Extractor, Fields, SlotBuffer, Split, Splitter};
use portreeve_telemetry::{Container, Reader, Source, Unwrapped, recognise, sources};

mod common;
use common::{Grower, LOGS};

/// A source, and what reads its records: made once, for that takes long.
struct Prepared {
    source: &'static dyn Source,
    reader: Box<dyn Reader>,
    extractor: Extractor,
}

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    let prepared = |source: &&'static dyn Source| {
        let mut fields = Fields::default();
        let reader = source.prepare(&mut fields);
        let extractor = Extractor::new(&fields);
        Prepared {
            source: *source,
            reader,
            extractor,
        }
    };
    sources().iter().map(prepared).collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let mut grown = Vec::new();
    let bytes = if kind % 4 == 0 {
        bytes
    } else {
        let mut grower = Grower::new(bytes, LOGS);
        while !grower.is_over() {
            grown.extend_from_slice(grower.document().to_string().as_bytes());
            grown.push(b'\n');
        }
        &grown
    };
    let is_table = recognise(bytes).is_some_and(|known| known.container == Container::Csv);
    for prepared in &*PREPARED {
        let mut splitter = Splitter::whole(bytes, prepared.source.split_options());
        while let Some(split) = splitter.next() {
            if let Split::Record(record) = split {
                prepared.take(record.bytes, true);
            }
        }
        if is_table && let Some(mut rows) = prepared.source.rows(Box::new(bytes)) {
            while let Some(split) = rows.next() {
                if let Split::Record(record) = split {
                    prepared.take(record.bytes, false);
                }
            }
        }
    }
});

impl Prepared {
    /// Reads a record, and those inside it where there may be some.
    fn take(&self, bytes: &[u8], may_hold: bool) {
        let mut buffer = SlotBuffer::new();
        let Ok(record) = self.extractor.extract(bytes, &mut buffer) else {
            return;
        };
        if self.reader.is_native(&record) {
            let activity = self.reader.activity(&record);
            let brief = self.reader.brief(&record);
            assert_eq!(brief.principal, activity.actor.principal);
            assert_eq!(brief.operation, activity.operation);
            assert_eq!(brief.event_id, activity.event_id);
            self.reader.event_kind(&record);
            self.source.ocsf(&activity);
        } else if may_hold && let Unwrapped::Inner { records, .. } = self.reader.unwrap(bytes) {
            for inner in records {
                self.take(&inner, false);
            }
        }
    }
}
