use super::StateError;

/// Writes a saved value: numbers in as few bytes as they need.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A number, seven bits a byte, the lowest first; the top bit says that more follow.
    pub fn number(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }

    /// A number that may be negative; small ones of either sign are short.
    pub fn signed(&mut self, value: i64) -> &mut Self {
        self.number(((value << 1) ^ (value >> 63)) as u64)
    }

    /// A hash: eight bytes, for all of them count.
    pub fn hash(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// A fraction, exactly.
    pub fn float(&mut self, value: f64) -> &mut Self {
        self.hash(value.to_bits())
    }

    /// Yes or no.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.bytes.push(value.into());
        self
    }

    /// A list: its length, then each of its items.
    pub fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
        self
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote. Bytes that no writer wrote are an error, never a panic.
#[derive(Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// At the start of a saved value.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    fn byte(&mut self) -> Result<u8, StateError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(StateError::Value("it ends early"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, StateError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(StateError::Value("a number is too large"))
    }

    /// A number that has to fit a narrower type.
    pub fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, StateError> {
        T::try_from(self.number()?).map_err(|_| StateError::Value("a number is too large"))
    }

    /// A number that may be negative.
    pub fn signed(&mut self) -> Result<i64, StateError> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A hash.
    pub fn hash(&mut self) -> Result<u64, StateError> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<8>()
            .ok_or(StateError::Value("it ends early"))?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// A fraction.
    pub fn float(&mut self) -> Result<f64, StateError> {
        self.hash().map(f64::from_bits)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> Result<bool, StateError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(StateError::Value("a flag is neither yes nor no")),
        }
    }

    /// A list, in whatever kind of list it is kept. Its length is believed only as far as there are
    /// bytes, and no room to spare is made.
    pub fn list<T, List: From<Vec<T>>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, StateError>,
    ) -> Result<List, StateError> {
        let length: usize = self.narrow()?;
        if length > self.rest.len() {
            return Err(StateError::Value("a list is longer than the value"));
        }
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(read(self)?);
        }
        Ok(items.into())
    }

    /// Makes sure that everything was read.
    pub fn end(&self) -> Result<(), StateError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(StateError::Value("more follows than belongs to it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, -1, 1, -64, 64, i64::MIN, i64::MAX];
        let mut writer = Writer::new();
        writer.list(numbers.iter(), |writer, number| {
            writer.number(*number);
        });
        writer.list(signed.iter(), |writer, number| {
            writer.signed(*number);
        });
        writer.hash(7).float(-0.5).flag(true);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.list::<_, Vec<u64>>(Reader::number).unwrap(), numbers);
        assert_eq!(reader.list::<_, Vec<i64>>(Reader::signed).unwrap(), signed);
        assert_eq!(reader.hash().unwrap(), 7);
        assert_eq!(reader.float().unwrap(), -0.5);
        assert!(reader.flag().unwrap());
        reader.end().unwrap();
    }

    #[test]
    fn foreign_bytes_are_errors() {
        assert!(Reader::new(&[]).number().is_err());
        assert!(Reader::new(&[0xff; 11]).number().is_err());
        assert!(Reader::new(&[0x80, 0x80]).number().is_err());
        assert!(Reader::new(&[1, 2, 3]).hash().is_err());
        assert!(Reader::new(&[9]).flag().is_err());
        let short = Reader::new(&[200, 1, 0]).list::<_, Vec<u64>>(Reader::number);
        assert!(short.is_err());
        assert!(Reader::new(&[0]).end().is_err());
        assert!(Reader::new(&[0x80, 0x02]).narrow::<u8>().is_err());
    }
}
