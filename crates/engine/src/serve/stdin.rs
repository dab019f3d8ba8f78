//! Follows standard input: lines as they come.

use std::io::Read;
use std::sync::Arc;

use portreeve_record::Split;

use super::intake::{Chunk, Intake, each_split};

/// The input's name, as `investigate` calls it.
pub(crate) const NAME: &str = "-";

/// So many bytes are read at a time at most.
const PIECE: usize = 1 << 20;

/// What comes before a line's end is not waited for beyond this.
const LONGEST: usize = 64 << 20;

/// Reads to the end. What arrives is handed on line by line; a document without lines once it has ended.
pub(crate) fn follow(stream: &mut dyn Read, intake: &Intake) {
    let mut rest = Vec::new();
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        rest.extend_from_slice(&buffer[..count]);
        let ready = match rest.iter().rposition(|byte| *byte == b'\n') {
            Some(end) if begins_a_line(&rest) => end + 1,
            _ if count == 0 || rest.len() > LONGEST => rest.len(),
            _ => 0,
        };
        if ready > 0 && !intake.bring(chunk(&rest[..ready])) {
            return;
        }
        rest.drain(..ready);
        if count == 0 {
            return;
        }
    }
}

/// Whether the first line stands for itself.
fn begins_a_line(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.trim_ascii();
    !line.starts_with(b"{") && !line.starts_with(b"[")
        || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

fn chunk(bytes: &[u8]) -> Chunk {
    let name: Arc<str> = NAME.into();
    let recognition = portreeve_telemetry::recognise(bytes);
    let source = recognition.and_then(|it| portreeve_telemetry::source(it.source));
    let (Some(recognition), Some(source)) = (recognition, source) else {
        let mut chunk = Chunk::new(NAME, "", name);
        if !bytes.trim_ascii().is_empty() {
            chunk.bury(0, "these are records of no log source that is known");
        }
        return chunk;
    };
    let mut chunk = Chunk::new(NAME, recognition.source, name);
    each_split(source, recognition.container, &mut &*bytes, &mut |split| {
        match split {
            Split::Record(record) => chunk.add(record.bytes, record.index, record.offset),
            Split::Dead { offset, reason } => chunk.bury(offset, reason),
        }
        true
    });
    chunk
}
