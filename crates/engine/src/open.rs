use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// How much of a file is looked at to tell what it is.
const HEAD: usize = 64 * 1024;

/// How much is looked at first: a log mostly tells by its first record, and an organisation's logs are
/// many small files.
const FIRST: usize = 16 * 1024;

const CHUNK: usize = 128 * 1024;

/// An input that was opened: what it begins with, decompressed, and all of its content.
///
/// Compression is told by the first bytes. What goes wrong while reading is told by the reader, at
/// its place in the stream, so that everything before it is used.
pub(crate) struct Opened {
    head: Vec<u8>,
    /// How much of the head was read again.
    position: usize,
    failure: Option<io::Error>,
    decoder: Decoder,
    /// Of the content, decompressed, as far as it was read; where that is asked for.
    content: Option<ContentHash>,
}

enum ContentHash {
    /// What is not compressed is hashed as it is on disk.
    OnDisk,
    Own(Sha256),
}

/// Counts and hashes the bytes of a file as they are on disk.
struct Raw {
    file: Box<dyn Read + Send>,
    /// What was read ahead of it, counted and hashed already.
    ahead: io::Cursor<Vec<u8>>,
    /// `None` where nobody asks for it: hashing takes longer than a hunt's matching.
    hash: Option<Sha256>,
    bytes: u64,
}

impl Raw {
    fn new(file: Box<dyn Read + Send>, hash: Option<Sha256>) -> Self {
        Self {
            file,
            ahead: io::Cursor::default(),
            hash,
            bytes: 0,
        }
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.ahead.read(buffer)?;
        if count > 0 {
            return Ok(count);
        }
        let most = if self.bytes == 0 { FIRST } else { CHUNK };
        let size = most.min(buffer.len());
        let count = self.file.read(&mut buffer[..size])?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        self.bytes += count as u64;
        Ok(count)
    }
}

enum Decoder {
    Plain(Box<BufReader<Raw>>),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstandard(Box<zstd::stream::read::Decoder<'static, BufReader<Raw>>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<crate::parquet::Lines<BufReader<Raw>>>),
}

impl Opened {
    /// Opens a file.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        Self::new(Box::new(std::fs::File::open(path)?))
    }

    /// Opens a file of which nobody asks for the hash: [`Opened::finish`] then gives none.
    pub(crate) fn unhashed(path: &Path) -> io::Result<Self> {
        Self::open(Box::new(std::fs::File::open(path)?), None)
    }

    /// Opens any stream.
    pub(crate) fn new(file: Box<dyn Read + Send>) -> io::Result<Self> {
        Self::open(file, Some(Sha256::new()))
    }

    /// What is known not to be compressed, from wherever it begins; unhashed.
    pub(crate) fn plain(file: Box<dyn Read + Send>) -> Self {
        let raw = Raw::new(file, None);
        Self {
            head: Vec::new(),
            position: 0,
            failure: None,
            decoder: Decoder::Plain(Box::new(BufReader::with_capacity(CHUNK, raw))),
            content: None,
        }
    }

    fn open(file: Box<dyn Read + Send>, hash: Option<Sha256>) -> io::Result<Self> {
        // What is not compressed is mostly read past this buffer, and for many small files a large one is
        // dear: it is cleared.
        let mut reader = BufReader::with_capacity(FIRST, Raw::new(file, hash));
        let whole = |reader: BufReader<Raw>| {
            let ahead = reader.buffer().to_vec();
            let mut raw = reader.into_inner();
            raw.ahead = io::Cursor::new(ahead);
            BufReader::with_capacity(CHUNK, raw)
        };
        let decoder = match io::BufRead::fill_buf(&mut reader)? {
            [0x1f, 0x8b, ..] => Decoder::Gzip(Box::new(MultiGzDecoder::new(whole(reader)))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let reader = whole(reader);
                Decoder::Zstandard(Box::new(zstd::stream::read::Decoder::with_buffer(reader)?))
            }
            #[cfg(feature = "parquet")]
            [b'P', b'A', b'R', b'1', ..] => {
                Decoder::Parquet(Box::new(crate::parquet::Lines::new(whole(reader))?))
            }
            #[cfg(not(feature = "parquet"))]
            [b'P', b'A', b'R', b'1', ..] => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "this build does not read Parquet; `full` builds do",
                ));
            }
            _ => Decoder::Plain(Box::new(reader)),
        };
        Ok(Self {
            head: Vec::new(),
            position: 0,
            failure: None,
            decoder,
            content: None,
        })
    }

    /// Whether it is not compressed.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.decoder, Decoder::Plain(_))
    }

    /// From here on what is read is hashed, decompressed. To be called before anything is read.
    pub(crate) fn hash_content(&mut self) {
        self.content = Some(match &self.decoder {
            Decoder::Plain(reader) if reader.get_ref().hash.is_some() => ContentHash::OnDisk,
            _ => ContentHash::Own(Sha256::new()),
        });
    }

    /// The SHA-256 of all of the content, what was not read yet included; `None` where it was not
    /// asked for, or the content breaks off.
    pub(crate) fn content_sha256(&mut self) -> Option<[u8; 32]> {
        self.content.as_ref()?;
        io::copy(self, &mut io::sink()).ok()?;
        let hash = match (self.content.take()?, &self.decoder) {
            (ContentHash::Own(hash), _) => hash,
            (ContentHash::OnDisk, Decoder::Plain(reader)) => reader.get_ref().hash.clone()?,
            (ContentHash::OnDisk, _) => return None,
        };
        Some(hash.finalize().into())
    }

    /// What the content begins with: up to 64 KiB, decompressed. Reading gives it again.
    pub(crate) fn head(&mut self) -> &[u8] {
        self.begin(HEAD)
    }

    /// Less of what the content begins with: up to 16 KiB.
    pub(crate) fn first(&mut self) -> &[u8] {
        self.begin(FIRST)
    }

    /// Reads the beginning up to a size, and gives what was read of it.
    fn begin(&mut self, size: usize) -> &[u8] {
        let mut filled = self.head.len();
        if filled < size {
            self.head.resize(size, 0);
            while filled < size && self.failure.is_none() {
                match self.decoder.read(&mut self.head[filled..]) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => self.failure = Some(error),
                }
            }
            self.head.truncate(filled);
        }
        &self.head
    }

    /// How many bytes of the file on disk were read so far.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        match &self.decoder {
            Decoder::Plain(reader) => reader.get_ref().bytes,
            Decoder::Gzip(decoder) => decoder.get_ref().get_ref().bytes,
            Decoder::Zstandard(decoder) => decoder.get_ref().get_ref().bytes,
            #[cfg(feature = "parquet")]
            Decoder::Parquet(lines) => lines.get_ref().get_ref().bytes,
        }
    }

    /// Reads what is left on disk, so that the hash is that of the whole file, and gives the size
    /// on disk with the SHA-256 in hexadecimal.
    pub(crate) fn finish(self) -> io::Result<(u64, String)> {
        let mut reader = match self.decoder {
            Decoder::Plain(reader) => *reader,
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Zstandard(decoder) => decoder.finish(),
            #[cfg(feature = "parquet")]
            Decoder::Parquet(lines) => lines.into_inner(),
        };
        io::copy(&mut reader, &mut io::sink())?;
        let raw = reader.into_inner();
        let sha256 = raw.hash.map_or(String::new(), |hash| {
            let sum = hash.finalize();
            sum.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        Ok((raw.bytes, sha256))
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_on(buffer);
        match &read {
            Ok(count) => {
                if let Some(ContentHash::Own(content)) = &mut self.content {
                    content.update(&buffer[..*count]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What breaks off has no hash.
            Err(_) => self.content = None,
        }
        read
    }
}

impl Opened {
    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.head[self.position..];
        if !left.is_empty() {
            let count = left.len().min(buffer.len());
            buffer[..count].copy_from_slice(&left[..count]);
            self.position += count;
            return Ok(count);
        }
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.decoder.read(buffer),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(reader) => reader.read(buffer),
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstandard(reader) => reader.read(buffer),
            #[cfg(feature = "parquet")]
            Decoder::Parquet(lines) => lines.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn open(bytes: Vec<u8>) -> Opened {
        Opened::new(Box::new(io::Cursor::new(bytes))).unwrap()
    }

    #[test]
    fn compression_is_told_by_content() {
        let text = b"{\"Records\":[]}".repeat(20_000);
        let zstandard = zstd::encode_all(text.as_slice(), 1).unwrap();
        let members = [gzip(&text[..100]), gzip(&text[100..])].concat();
        for bytes in [text.clone(), gzip(&text), zstandard, members] {
            let mut opened = open(bytes.clone());
            opened.hash_content();
            assert_eq!(opened.first(), &text[..FIRST]);
            assert_eq!(opened.head(), &text[..HEAD]);
            let mut content = vec![0; 100_000];
            opened.read_exact(&mut content).unwrap();
            assert_eq!(content, text[..100_000]);
            // What is left is read for it.
            let expected: [u8; 32] = Sha256::digest(&text).into();
            assert_eq!(opened.content_sha256(), Some(expected));
            assert_eq!(opened.content_sha256(), None);
            let (size, sha256) = opened.finish().unwrap();
            assert_eq!(size, bytes.len() as u64);
            let expected: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(sha256, expected);
        }
    }

    #[test]
    fn a_broken_tail_comes_after_everything_before_it() {
        let text: Vec<u8> = (0..200_000u32)
            .flat_map(|number| number.to_string().into_bytes())
            .collect();
        let mut bytes = gzip(&text);
        bytes.truncate(bytes.len() / 2);
        let mut opened = open(bytes.clone());
        opened.hash_content();
        opened.head();
        let mut content = Vec::new();
        assert!(opened.read_to_end(&mut content).is_err());
        assert_eq!(opened.content_sha256(), None);
        assert!(
            content.len() > text.len() / 4,
            "{} of {}",
            content.len(),
            text.len()
        );
        assert_eq!(content, text[..content.len()]);
        assert_eq!(opened.finish().unwrap().0, bytes.len() as u64);
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn parquet_without_records_is_told_when_it_is_opened() {
        let told = Opened::new(Box::new(io::Cursor::new(b"PAR1 and no more")));
        let told = told.err().map(|error| error.to_string());
        assert!(told.is_some_and(|it| it.starts_with("Parquet: ")));
    }

    #[test]
    fn an_empty_file_is_empty() {
        let mut opened = open(Vec::new());
        assert!(opened.head().is_empty());
        assert_eq!(opened.finish().unwrap().0, 0);
    }
}
