//! The event log: every record that was taken in, in the order of arrival.
//!
//! It stands before stage one. Whatever the two stages make is made of the log's records alone, so that the
//! log, with inventory and rules, is all that has to be kept to come to the same findings and incidents
//! again. Another form of it, spread over machines, implements [`EventLog`].

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_store::Segment;

/// One record as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'e> {
    /// The id of the log source that it is of.
    pub source: &'e str,
    /// The file or input that it came from.
    pub file: &'e Arc<str>,
    /// Its number there.
    pub index: u64,
    /// Its first byte there, decompressed.
    pub offset: u64,
    /// The record.
    pub bytes: &'e [u8],
}

/// Damage that was met while the log was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// What was found.
    pub reason: String,
    /// How many records could not be read back.
    pub lost: u64,
}

/// Keeps records in order of arrival.
pub trait EventLog: Send {
    /// Adds a record. It is of the log once it was sealed, and the segments that sealing gave are committed.
    ///
    /// # Errors
    /// Where it cannot be written; the record may be added again.
    fn append(&mut self, entry: Entry<'_>) -> io::Result<()>;

    /// Makes everything that was added durable, and says which segments grew. `latest` is the latest time of
    /// any record that was added, in microseconds since 1970.
    ///
    /// # Errors
    /// Where it cannot be written; it may be tried again.
    fn seal(&mut self, latest: Option<i64>) -> io::Result<Vec<Segment>>;

    /// All segments that were sealed, in order.
    fn segments(&self) -> &[Segment];

    /// Lets segments go, once a commit says that they are not of the log any more. What cannot be removed now
    /// is when the log is opened next.
    fn let_go(&mut self, numbers: &[u64]);

    /// Hands over the records of all segments in order of arrival, and says what of them is damaged.
    fn replay(&self, take: &mut dyn FnMut(Entry<'_>)) -> Vec<Damage>;

    /// Looks for one record, by where it came from.
    fn find(&self, file: &str, index: u64) -> Option<Vec<u8>>;
}

/// A segment is ended at so many records, or so many bytes on disk.
const RECORDS: u64 = 200_000;
const BYTES: u64 = 64 << 20;

/// So many bytes of records are compressed together.
const FRAME: usize = 2 << 20;

/// No block of positions is larger; a length beyond it is damage.
const LARGEST_BLOCK: u32 = 256 << 20;

/// The log in a folder: records as lines of JSON, compressed by Zstandard, with where they came from in a
/// file beside them. `zstd -dc` and this program's `investigate` read the records as they are.
#[derive(Debug)]
pub struct Segments {
    folder: PathBuf,
    sealed: Vec<Segment>,
    open: Option<Open>,
    frame: Frame,
}

/// The segment that is written.
#[derive(Debug)]
struct Open {
    segment: Segment,
    records: File,
    positions: File,
    /// Whether it grew since it was sealed.
    grew: bool,
    /// Whether its files are durable entries of the folder: once, for they stay the same files.
    is_entered: bool,
}

/// Records that are not compressed yet.
#[derive(Debug, Default)]
struct Frame {
    lines: Vec<u8>,
    /// Texts that positions refer to: sources and files in one table.
    texts: Vec<Arc<str>>,
    places: Vec<(u64, u64, u64, u64)>,
}

impl Frame {
    fn number(&mut self, text: &str) -> u64 {
        // Records of one file follow one another; there are few files in one frame.
        let known = self.texts.iter().rposition(|known| &**known == text);
        let number = known.unwrap_or_else(|| {
            self.texts.push(text.into());
            self.texts.len() - 1
        });
        number as u64
    }

    fn add(&mut self, entry: Entry<'_>) {
        let (source, file) = (self.number(entry.source), self.number(entry.file));
        self.places.push((source, file, entry.index, entry.offset));
        // A line break between two tokens means what a space means, and within a text there is none.
        let start = self.lines.len();
        self.lines.extend_from_slice(entry.bytes);
        for byte in &mut self.lines[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.lines.push(b'\n');
    }

    /// The block of positions, with its length before it.
    fn block(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.list(self.texts.iter(), |writer, text| {
            writer.list(text.bytes(), |writer, byte| {
                writer.number(byte.into());
            });
        });
        let (mut index, mut offset) = (0i64, 0i64);
        writer.list(self.places.iter(), |writer, place| {
            let (source, file, next_index, next_offset) = *place;
            let (next_index, next_offset) = (next_index as i64, next_offset as i64);
            writer
                .number(source)
                .number(file)
                .signed(next_index.wrapping_sub(index))
                .signed(next_offset.wrapping_sub(offset));
            (index, offset) = (next_index, next_offset);
        });
        let bytes = writer.finish();
        [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat()
    }
}

/// Where the records of one frame came from.
struct Places {
    texts: Vec<Arc<str>>,
    places: Vec<(u64, u64, u64, u64)>,
}

impl Places {
    fn texts(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, StateError> {
        reader.list(|reader| reader.list(Reader::narrow::<u8>))
    }

    /// Whether a block speaks of a file: its beginning tells.
    fn speak_of(bytes: &[u8], file: &str) -> Result<bool, StateError> {
        let texts = Self::texts(&mut Reader::new(bytes))?;
        Ok(texts.iter().any(|text| text == file.as_bytes()))
    }

    /// Which of them is a record of a file.
    fn line_of(&self, file: &str, index: u64) -> Option<usize> {
        let is_it = |place: &(u64, u64, u64, u64)| {
            place.2 == index && &*self.texts[place.1 as usize] == file
        };
        self.places.iter().position(is_it)
    }

    fn read(bytes: &[u8]) -> Result<Self, StateError> {
        let mut reader = Reader::new(bytes);
        let texts = Self::texts(&mut reader)?;
        let (mut index, mut offset) = (0i64, 0i64);
        let places = reader.list(|reader| {
            let (source, file) = (reader.number()?, reader.number()?);
            index = index.wrapping_add(reader.signed()?);
            offset = offset.wrapping_add(reader.signed()?);
            if source.max(file) >= texts.len() as u64 {
                return Err(StateError::Value("a text that is not there"));
            }
            Ok((source, file, index as u64, offset as u64))
        })?;
        reader.end()?;
        Ok(Self {
            texts: texts
                .iter()
                .map(|text| String::from_utf8_lossy(text).into())
                .collect(),
            places,
        })
    }

    fn entry<'e>(&'e self, place: &(u64, u64, u64, u64), bytes: &'e [u8]) -> Entry<'e> {
        Entry {
            source: &self.texts[place.0 as usize],
            file: &self.texts[place.1 as usize],
            index: place.2,
            offset: place.3,
            bytes,
        }
    }
}

impl Segments {
    /// Opens the log in a folder, made where there is none, as it was when these segments were committed:
    /// whatever was written behind them, or was let go, belongs to no commit, and is cut off.
    ///
    /// # Errors
    /// Where the folder cannot be read or written.
    pub fn open(folder: &Path, segments: Vec<Segment>) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut log = Self {
            folder: folder.to_owned(),
            sealed: segments,
            open: None,
            frame: Frame::default(),
        };
        let last = log.sealed.last().map_or(0, |segment| segment.number);
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path
                .file_name()
                .and_then(|name| name.to_str()?.split('.').next()?.parse::<u64>().ok());
            let is_of_log = |number| log.sealed.iter().any(|it| it.number == number);
            if number.is_some_and(|number| number > last || !is_of_log(number)) {
                std::fs::remove_file(path)?;
            }
        }
        if let Some(segment) = log.sealed.last()
            && segment.records < RECORDS
            && segment.bytes < BYTES
        {
            let segment = segment.clone();
            log.open = Some(log.reopen(segment)?);
        }
        Ok(log)
    }

    /// The log as it was committed, to be read alone: nothing is cut off, a watch may be writing it.
    pub fn read_only(folder: &Path, segments: Vec<Segment>) -> Self {
        Self {
            folder: folder.to_owned(),
            sealed: segments,
            open: None,
            frame: Frame::default(),
        }
    }

    fn paths(&self, number: u64) -> (PathBuf, PathBuf) {
        (
            self.folder.join(format!("{number:08}.ndjson.zst")),
            self.folder.join(format!("{number:08}.positions")),
        )
    }

    fn reopen(&self, segment: Segment) -> io::Result<Open> {
        let (records, positions) = self.paths(segment.number);
        let open = |path: &Path, length: u64| {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            // Shorter than was committed is damage, which reading tells; never make it longer.
            if file.metadata()?.len() > length {
                file.set_len(length)?;
            }
            Ok::<_, io::Error>(file)
        };
        Ok(Open {
            records: open(&records, segment.bytes)?,
            positions: open(&positions, segment.positions)?,
            segment,
            grew: false,
            is_entered: false,
        })
    }

    /// Compresses what was added and writes it. What a failure left half-written is written over.
    fn write_frame(&mut self) -> io::Result<()> {
        if self.frame.places.is_empty() {
            return Ok(());
        }
        if self.open.is_none() {
            let number = self.sealed.last().map_or(0, |segment| segment.number) + 1;
            let segment = Segment {
                number,
                ..Segment::default()
            };
            self.open = Some(self.reopen(segment)?);
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.include_checksum(true)?;
        encoder.write_all(&self.frame.lines)?;
        let lines = encoder.finish()?;
        let block = self.frame.block();
        let put = |file: &mut File, at: u64, bytes: &[u8]| {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(bytes)
        };
        put(&mut open.records, open.segment.bytes, &lines)?;
        put(&mut open.positions, open.segment.positions, &block)?;
        open.segment.bytes += lines.len() as u64;
        open.segment.positions += block.len() as u64;
        open.segment.records += self.frame.places.len() as u64;
        open.grew = true;
        self.frame = Frame::default();
        Ok(())
    }

    /// Makes the segment that is written durable, and sets it down among the sealed ones.
    fn settle(&mut self) -> io::Result<Option<Segment>> {
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        if !open.grew {
            return Ok(None);
        }
        open.records.sync_data()?;
        open.positions.sync_data()?;
        if !open.is_entered {
            File::open(&self.folder)?.sync_all()?;
            open.is_entered = true;
        }
        open.grew = false;
        let segment = open.segment.clone();
        self.sealed.retain(|known| known.number != segment.number);
        self.sealed.push(segment.clone());
        Ok(Some(segment))
    }

    /// In which frame of a segment a record lies, and which line there it is. Positions alone are read, and
    /// of those most blocks only as far as they name files.
    fn place_of(
        &self,
        segment: &Segment,
        file: &str,
        index: u64,
    ) -> Result<Option<(usize, usize)>, String> {
        let (_, positions) = self.paths(segment.number);
        let positions = File::open(positions).map_err(|error| error.to_string())?;
        let mut positions = BufReader::new(positions.take(segment.positions));
        for frame in 0.. {
            if positions
                .fill_buf()
                .map_err(|it| it.to_string())?
                .is_empty()
            {
                break;
            }
            let block = next_block(&mut positions)?;
            let damaged = |error: StateError| error.to_string();
            if Places::speak_of(&block, file).map_err(damaged)?
                && let Some(line) = Places::read(&block).map_err(damaged)?.line_of(file, index)
            {
                return Ok(Some((frame, line)));
            }
        }
        Ok(None)
    }

    /// One line of a frame; nothing before it is decompressed but what its frame holds.
    fn line(&self, segment: &Segment, frame: usize, line: usize) -> io::Result<Option<Vec<u8>>> {
        let (records, _) = self.paths(segment.number);
        let mut bytes = Vec::new();
        File::open(records)?
            .take(segment.bytes)
            .read_to_end(&mut bytes)?;
        let mut rest = &bytes[..];
        for _ in 0..frame {
            // Frames tell their length in the heads of their blocks.
            let length = zstd::zstd_safe::find_frame_compressed_size(rest);
            let length = length.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            rest = rest.get(length..).unwrap_or_default();
        }
        let decoder = zstd::stream::read::Decoder::with_buffer(rest)?.single_frame();
        BufReader::new(decoder).split(b'\n').nth(line).transpose()
    }

    /// Reads one segment frame by frame.
    fn read(&self, segment: &Segment, take: &mut dyn FnMut(Entry<'_>)) -> Result<(), String> {
        let (records, positions) = self.paths(segment.number);
        let open = |path: &Path, bytes: u64| {
            let file = File::open(path).map_err(|error| error.to_string())?;
            Ok::<_, String>(file.take(bytes))
        };
        let mut positions = BufReader::new(open(&positions, segment.positions)?);
        let decoder = zstd::stream::read::Decoder::new(open(&records, segment.bytes)?);
        let mut lines = BufReader::with_capacity(1 << 18, decoder.map_err(|it| it.to_string())?);
        let mut line = Vec::new();
        let mut left = segment.records;
        while left > 0 {
            let block = next_block(&mut positions)?;
            let places = Places::read(&block).map_err(|error| error.to_string())?;
            for place in &places.places {
                line.clear();
                let count = lines
                    .read_until(b'\n', &mut line)
                    .map_err(|error| format!("the records break off: {error}"))?;
                if count == 0 || line.pop() != Some(b'\n') {
                    return Err("the records end early".to_owned());
                }
                take(places.entry(place, &line));
                left = left.saturating_sub(1);
            }
        }
        Ok(())
    }
}

impl EventLog for Segments {
    fn append(&mut self, entry: Entry<'_>) -> io::Result<()> {
        if self.frame.lines.len() >= FRAME {
            self.write_frame()?;
        }
        self.frame.add(entry);
        Ok(())
    }

    fn segments(&self) -> &[Segment] {
        &self.sealed
    }

    fn let_go(&mut self, numbers: &[u64]) {
        for number in numbers {
            let (records, positions) = self.paths(*number);
            // Gone already, or removed when the log is opened next.
            let _ = (
                std::fs::remove_file(records),
                std::fs::remove_file(positions),
            );
        }
        self.sealed.retain(|it| !numbers.contains(&it.number));
    }

    fn seal(&mut self, latest: Option<i64>) -> io::Result<Vec<Segment>> {
        self.write_frame()?;
        if let Some(open) = self.open.as_mut().filter(|open| open.grew) {
            open.segment.latest = open.segment.latest.max(latest);
        }
        let segments: Vec<Segment> = self.settle()?.into_iter().collect();
        if let Some(open) = &self.open
            && (open.segment.records >= RECORDS || open.segment.bytes >= BYTES)
        {
            self.open = None;
        }
        Ok(segments)
    }

    fn replay(&self, take: &mut dyn FnMut(Entry<'_>)) -> Vec<Damage> {
        let mut damage = Vec::new();
        for segment in &self.sealed {
            let mut read = 0;
            let result = self.read(segment, &mut |entry| {
                read += 1;
                take(entry);
            });
            if let Err(reason) = result {
                damage.push(Damage {
                    file: self.paths(segment.number).0.display().to_string(),
                    reason,
                    lost: segment.records.saturating_sub(read),
                });
            }
        }
        damage
    }

    fn find(&self, file: &str, index: u64) -> Option<Vec<u8>> {
        self.sealed.iter().find_map(|segment| {
            // What is damaged is not found.
            let (frame, line) = self.place_of(segment, file, index).ok()??;
            self.line(segment, frame, line).ok()?
        })
    }
}

/// The next block of positions, without its length.
fn next_block(positions: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut length = [0; 4];
    let early = |error: io::Error| format!("the positions break off: {error}");
    positions.read_exact(&mut length).map_err(early)?;
    let length = u32::from_le_bytes(length);
    if length > LARGEST_BLOCK {
        return Err("a block of positions is too large".to_owned());
    }
    let mut block = vec![0; length as usize];
    positions.read_exact(&mut block).map_err(early)?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(log: &mut Segments, from: u64, to: u64) {
        for index in from..to {
            let file = Arc::from(format!("file-{}", index % 3));
            let bytes = format!("{{\"n\":{index},\n\"t\":\"{}\"}}", "x".repeat(60));
            log.append(Entry {
                source: "aws.cloudtrail",
                file: &file,
                index: index / 3,
                offset: index * 7,
                bytes: bytes.as_bytes(),
            })
            .unwrap();
        }
    }

    type Read = (String, u64, u64, String);

    fn read(log: &Segments) -> (Vec<Read>, Vec<Damage>) {
        let mut all = Vec::new();
        let damage = log.replay(&mut |entry| {
            assert_eq!(entry.source, "aws.cloudtrail");
            all.push((
                entry.file.to_string(),
                entry.index,
                entry.offset,
                String::from_utf8(entry.bytes.to_vec()).unwrap(),
            ));
        });
        (all, damage)
    }

    #[test]
    fn what_was_sealed_and_committed_comes_back_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Segments::open(folder.path(), Vec::new()).unwrap();
        add(&mut log, 0, 100);
        let first = log.seal(None).unwrap();
        add(&mut log, 100, 150);
        let second = log.seal(None).unwrap();
        assert_eq!(
            (second.len(), second[0].number, second[0].records),
            (1, 1, 150)
        );
        assert_eq!(log.seal(None).unwrap(), []);
        // Sealed, and the process ends before the commit: the log is that of the first commit.
        drop(log);
        let mut log = Segments::open(folder.path(), first).unwrap();
        let (all, damage) = read(&log);
        assert_eq!((all.len(), damage.len()), (100, 0));
        assert_eq!(all[7].0, "file-1");
        assert_eq!((all[7].1, all[7].2), (2, 49));
        assert_eq!(
            all[7].3,
            format!("{{\"n\":7, \"t\":\"{}\"}}", "x".repeat(60))
        );
        add(&mut log, 100, 150);
        let again = log.seal(None).unwrap();
        assert_eq!(again[0].records, 150);
        assert_eq!(read(&log).0.len(), 150);
        assert!(log.find("file-2", 49).unwrap().starts_with(b"{\"n\":149, "));
        assert_eq!(log.find("file-2", 50), None);
    }

    #[test]
    fn a_record_is_found_in_whichever_frame_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Segments::open(folder.path(), Vec::new()).unwrap();
        let mut segments = Vec::new();
        for from in [0, 30, 31, 90] {
            add(&mut log, from, from + 30);
            segments = log.seal(None).unwrap();
        }
        let log = Segments::read_only(folder.path(), segments);
        for number in [0, 1, 29, 30, 45, 60, 90, 119] {
            let found = log
                .find(&format!("file-{}", number % 3), number / 3)
                .unwrap();
            let start = format!("{{\"n\":{number}, ");
            assert!(found.starts_with(start.as_bytes()), "{number}");
        }
        assert_eq!(log.find("file-0", 29), None);
        assert_eq!(log.find("file-3", 0), None);
    }

    #[test]
    fn segments_end_and_others_begin() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Segments::open(folder.path(), Vec::new()).unwrap();
        add(&mut log, 0, RECORDS);
        let first = log.seal(None).unwrap();
        add(&mut log, 0, 10);
        let second = log.seal(None).unwrap();
        assert_eq!((first[0].number, second[0].number), (1, 2));
        let both = [first, second].concat();
        let log = Segments::open(folder.path(), both).unwrap();
        assert_eq!(read(&log).0.len() as u64, RECORDS + 10);
    }

    #[test]
    fn damage_costs_what_is_damaged_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Segments::open(folder.path(), Vec::new()).unwrap();
        add(&mut log, 0, 50);
        log.seal(None).unwrap();
        add(&mut log, 50, 100);
        let segments = log.seal(None).unwrap();
        let (records, positions) = log.paths(1);
        let sound = std::fs::read(&records).unwrap();
        for place in [0, sound.len() / 3, sound.len() - 3] {
            let mut bytes = sound.clone();
            bytes[place] ^= 0x55;
            std::fs::write(&records, bytes).unwrap();
            let log = Segments::open(folder.path(), segments.clone()).unwrap();
            let (all, damage) = read(&log);
            assert_eq!(damage.len(), 1, "at {place}");
            assert_eq!(all.len() as u64 + damage[0].lost, 100);
        }
        std::fs::write(&records, &sound).unwrap();
        std::fs::write(&positions, [0xff; 64]).unwrap();
        let log = Segments::open(folder.path(), segments.clone()).unwrap();
        assert_eq!(read(&log).1[0].lost, 100);
        std::fs::remove_file(&records).unwrap();
        assert_eq!(read(&log).1.len(), 1);
    }
}
