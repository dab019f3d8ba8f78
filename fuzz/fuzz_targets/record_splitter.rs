//! Any bytes: splitting and extracting end without panic, records lie where they say, and what was
//! learned of the records before does not change what is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_record::{Extractor, Fields, Record, SlotBuffer, Split, SplitOptions, Splitter};

/// Gives few bytes at a time, so that every boundary falls somewhere.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((control, data)) = data.split_first() else {
        return;
    };
    let options = SplitOptions {
        envelopes: ["Records", "a", "hits.hits"].map(str::to_owned).to_vec(),
        max_record: if control & 1 == 0 { 64 } else { 1 << 20 },
        max_depth: if control & 2 == 0 { 4 } else { 128 },
    };
    let mut fields = Fields::default();
    let ids = ["a", "a.b", "b.c.d", "eventName", "a.b.c"].map(|path| fields.intern(path));
    let extractor = Extractor::new(&fields);
    let mut buffer = SlotBuffer::new();
    let mut pieces = Vec::new();
    let mut splitter = Splitter::new(Pieces(data, usize::from(control >> 2) + 1), options.clone());
    while let Some(split) = splitter.next() {
        match split {
            Split::Record(record) => {
                let at = record.offset as usize;
                assert_eq!(&data[at..at + record.bytes.len()], record.bytes);
                // Once to learn its shape, once by it, and once by a buffer that knows nothing.
                let _ = extractor.extract(record.bytes, &mut buffer);
                let slots = extractor.extract(record.bytes, &mut buffer);
                let mut fresh = SlotBuffer::new();
                let expected = extractor.extract(record.bytes, &mut fresh);
                match (slots, expected) {
                    (Ok(slots), Ok(expected)) => {
                        for id in ids {
                            assert_eq!(slots.values(id), expected.values(id));
                            for value in slots.values(id) {
                                assert!(value.elements().count() <= record.bytes.len());
                            }
                        }
                    }
                    (slots, expected) => assert_eq!(slots.err(), expected.err()),
                }
                pieces.push((record.offset, record.bytes.len(), String::new()));
            }
            Split::Dead { offset, reason } => {
                assert!(offset <= data.len() as u64);
                pieces.push((offset, 0, reason.into_owned()));
            }
        }
    }
    // Neither the size of the pieces read shows, nor that ends of records were guessed.
    let mut whole = Splitter::new(data, options);
    let mut at = 0;
    while let Some(split) = whole.next_likely() {
        let piece = match split {
            Split::Record(record)
                if record.likely && extractor.extract(record.bytes, &mut buffer).is_err() =>
            {
                whole.reread();
                continue;
            }
            Split::Record(record) => (record.offset, record.bytes.len(), String::new()),
            Split::Dead { offset, reason } => (offset, 0, reason.into_owned()),
        };
        assert_eq!(pieces.get(at), Some(&piece));
        at += 1;
    }
    assert_eq!(at, pieces.len());
});
