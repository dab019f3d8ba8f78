//! The lexical ground that the splitter and the extractor share: JSON strings, numbers, literals
//! and white space, checked byte by byte, without allocation and without recursion.
//!
//! The workspace's choice for hot paths, `sonic-rs` lazy iterators, is not used here: its checked
//! iterators recurse once for each level of nesting without a limit, accept `\u` escapes that are
//! not hexadecimal, and scan a nested object again for each level that is descended into. This
//! scanner touches each byte once.

/// What stands in the way of reading on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The bytes end in the middle of a token. A string can be read on from this position.
    Ends(usize),
    /// At this position stands something that is not JSON.
    At(usize, &'static str),
}

/// How a string ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringEnd {
    /// The position behind the closing quote.
    pub(crate) after: usize,
    /// Whether it holds escapes.
    pub(crate) escaped: bool,
}

const PLAIN: u8 = 0;

/// Non-zero for the bytes that end a run of plain characters in a string.
const STRING_STOP: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = 1;
        byte += 1;
    }
    table[b'"' as usize] = 1;
    table[b'\\' as usize] = 1;
    table
};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The position of the first byte from `position` on that is a quote, a backslash or a control
/// character; the length where there is none.
fn string_stop(bytes: &[u8], mut position: usize) -> usize {
    // Eight bytes at a time. A borrow can mark a byte above a true match wrongly, never one below
    // it, so the lowest mark is right.
    while let Some(chunk) = bytes.get(position..position + 8) {
        let mut word = [0u8; 8];
        word.copy_from_slice(chunk);
        let word = u64::from_le_bytes(word);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let stops = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let stops = stops & HIGHS;
        if stops != 0 {
            return position + (stops.trailing_zeros() / 8) as usize;
        }
        position += 8;
    }
    while let Some(byte) = bytes.get(position) {
        if STRING_STOP[*byte as usize] != PLAIN {
            return position;
        }
        position += 1;
    }
    bytes.len()
}

/// Reads a string whose opening quote stands before `position`.
pub(crate) fn string(bytes: &[u8], mut position: usize) -> Result<StringEnd, Flaw> {
    let mut escaped = false;
    loop {
        position = string_stop(bytes, position);
        match bytes.get(position) {
            None => return Err(Flaw::Ends(bytes.len())),
            Some(b'"') => {
                return Ok(StringEnd {
                    after: position + 1,
                    escaped,
                });
            }
            Some(b'\\') => {
                escaped = true;
                position = escape(bytes, position)?;
            }
            Some(_) => return Err(Flaw::At(position, "a control character in a string")),
        }
    }
}

/// Checks the escape whose backslash stands at `position`.
pub(crate) fn escape(bytes: &[u8], position: usize) -> Result<usize, Flaw> {
    match bytes.get(position + 1) {
        None => Err(Flaw::Ends(position)),
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(position + 2),
        Some(b'u') => {
            for at in position + 2..position + 6 {
                match bytes.get(at) {
                    None => return Err(Flaw::Ends(position)),
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(_) => return Err(Flaw::At(at, "a `\\u` escape without four digits")),
                }
            }
            Ok(position + 6)
        }
        Some(_) => Err(Flaw::At(position, "an unknown escape in a string")),
    }
}

/// The first position from `position` on that is not white space.
pub(crate) fn white_space(bytes: &[u8], mut position: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(position) {
        position += 1;
    }
    position
}

/// Reads a number or a literal; gives the position behind it. At the end of the bytes a number
/// that may go on counts as ended.
pub(crate) fn scalar(bytes: &[u8], position: usize) -> Result<usize, Flaw> {
    let literal = |text: &'static [u8]| {
        let rest = bytes.get(position..).unwrap_or_default();
        if rest.starts_with(text) {
            Ok(position + text.len())
        } else if text.starts_with(rest) {
            Err(Flaw::Ends(position))
        } else {
            Err(Flaw::At(position, "neither a value nor its end"))
        }
    };
    match bytes.get(position) {
        None => Err(Flaw::Ends(position)),
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        Some(b'-' | b'0'..=b'9') => number(bytes, position),
        Some(_) => Err(Flaw::At(position, "neither a value nor its end")),
    }
}

fn digits(bytes: &[u8], mut position: usize) -> Result<usize, Flaw> {
    let start = position;
    while let Some(b'0'..=b'9') = bytes.get(position) {
        position += 1;
    }
    if position > start {
        Ok(position)
    } else if position >= bytes.len() {
        Err(Flaw::Ends(position))
    } else {
        Err(Flaw::At(position, "a number without a digit"))
    }
}

fn number(bytes: &[u8], mut position: usize) -> Result<usize, Flaw> {
    if bytes.get(position) == Some(&b'-') {
        position += 1;
    }
    position = if bytes.get(position) == Some(&b'0') {
        position + 1
    } else {
        digits(bytes, position)?
    };
    if bytes.get(position) == Some(&b'.') {
        position = digits(bytes, position + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(position) {
        position += 1;
        if let Some(b'+' | b'-') = bytes.get(position) {
            position += 1;
        }
        position = digits(bytes, position)?;
    }
    match bytes.get(position) {
        Some(b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z') => {
            Err(Flaw::At(position, "a number that is not one"))
        }
        _ => Ok(position),
    }
}

/// The text of a string whose escapes have been checked. A surrogate without its partner becomes
/// U+FFFD.
pub(crate) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(slash) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(slash);
        text.push_str(plain);
        let Some(letter) = escape.as_bytes().get(1) else {
            return text;
        };
        let mut length = 2;
        match letter {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let high = unit(escape, 2);
                length = 6;
                let mut character = char::from_u32(high);
                if (0xD800..0xDC00).contains(&high) && escape.get(6..8) == Some("\\u") {
                    let low = unit(escape, 8);
                    if (0xDC00..0xE000).contains(&low) {
                        length = 12;
                        character =
                            char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
                    }
                }
                text.push(character.unwrap_or('\u{FFFD}'));
            }
            other => text.push(char::from(*other)),
        }
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

fn unit(escape: &str, from: usize) -> u32 {
    escape
        .get(from..from + 4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xD800)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_quote() {
        let end = |text: &str| string(text.as_bytes(), 0).map(|end| (end.after, end.escaped));
        assert_eq!(end("abc\" rest"), Ok((4, false)));
        assert_eq!(
            end("a longer text, with \\\" in it\" and more"),
            Ok((29, true))
        );
        assert_eq!(end("éé\u{80}ééééééé\""), Ok((21, false)));
        assert_eq!(end("never"), Err(Flaw::Ends(5)));
        assert_eq!(end("never\\u00"), Err(Flaw::Ends(5)));
        assert!(matches!(end("a\nb\""), Err(Flaw::At(1, _))));
        assert!(matches!(end("\\x\""), Err(Flaw::At(0, _))));
        assert!(matches!(end("\\u12g4\""), Err(Flaw::At(4, _))));
    }

    #[test]
    fn every_stop_is_found_in_every_column() {
        for length in 0..40 {
            for stop in [b'"', b'\\', 0u8, 0x1f, b'\n'] {
                for filler in [b'a', 0x80, 0xff, b'!', b'#', b'['] {
                    let mut bytes = vec![filler; length];
                    bytes.push(stop);
                    bytes.extend([b'"'; 9]);
                    assert_eq!(string_stop(&bytes, 0), length);
                }
            }
        }
    }

    #[test]
    fn numbers_are_checked() {
        for good in ["0", "-0", "10", "1.5", "1e9", "-1.25E-7"] {
            assert_eq!(scalar(good.as_bytes(), 0), Ok(good.len()), "{good}");
        }
        for bad in ["01", "1.x", "1e+,", "-a", "1.2.3", "tru_", "nil", "+1"] {
            assert!(
                matches!(scalar(bad.as_bytes(), 0), Err(Flaw::At(..))),
                "{bad}"
            );
        }
        for cut in ["-", "1.", "1e", "tr", "nul"] {
            assert!(
                matches!(scalar(cut.as_bytes(), 0), Err(Flaw::Ends(_))),
                "{cut}"
            );
        }
    }

    #[test]
    fn escapes_become_text() {
        assert_eq!(
            unescape(r#"a\"b\\c\/d\n\u00e9\ud83d\ude00"#),
            "a\"b\\c/d\né😀"
        );
        assert_eq!(unescape(r"\ud83dx\ude00"), "\u{FFFD}x\u{FFFD}");
    }
}
