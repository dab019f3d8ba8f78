//! Sigma strings: text with wildcards, and the modifiers that transform them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// This text.
    Text(String),
    /// Any text, also none: `*`.
    Any,
    /// One character: `?`.
    One,
    /// One of the characters that begin a command-line flag on Windows; made by `windash`.
    Dash,
}

/// What Windows command lines accept before a flag.
pub(crate) const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// The most strings that `windash` before an encoding may make of one.
const MAX_DASH_VARIANTS: usize = 625;

/// A string with wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Pattern {
    pub(crate) parts: Vec<Part>,
    /// The text is bytes, each written as the character with its number.
    pub(crate) binary: bool,
}

/// A modifier that makes other strings of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    Base64Offset,
    Utf16LittleEndian,
    Utf16BigEndian,
    Utf16,
}

impl Pattern {
    /// A string without wildcards.
    pub(crate) fn literal(text: &str) -> Self {
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text.to_owned())]
        };
        Self {
            parts,
            binary: false,
        }
    }

    /// Reads wildcards and escapes: a backslash takes the meaning from a wildcard or a backslash
    /// behind it, and stands for itself before anything else.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' => pattern.push(Part::Any),
                '?' => pattern.push(Part::One),
                '\\' => match characters.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                    Some(escaped) => pattern.push_character(escaped),
                    None => pattern.push_character('\\'),
                },
                other => pattern.push_character(other),
            }
        }
        pattern
    }

    fn push(&mut self, part: Part) {
        match (&part, self.parts.last_mut()) {
            (Part::Any, Some(Part::Any)) => {}
            (Part::Text(more), Some(Part::Text(text))) => text.push_str(more),
            _ => self.parts.push(part),
        }
    }

    fn push_character(&mut self, character: char) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push(character),
            _ => self.parts.push(Part::Text(character.into())),
        }
    }

    pub(crate) fn append(&mut self, other: Pattern) {
        for part in other.parts {
            self.push(part);
        }
    }

    pub(crate) fn has_wildcards(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Any | Part::One))
    }

    /// With `*` before it, behind it, or both.
    pub(crate) fn open(mut self, before: bool, behind: bool) -> Self {
        if before && self.parts.first() != Some(&Part::Any) {
            self.parts.insert(0, Part::Any);
        }
        if behind {
            self.push(Part::Any);
        }
        self
    }

    /// Lets each dash or slash that begins a word stand for all that may begin a flag.
    pub(crate) fn dashes(self) -> Self {
        let mut changed = Self {
            parts: Vec::new(),
            binary: self.binary,
        };
        for part in self.parts {
            let Part::Text(text) = part else {
                changed.push(part);
                continue;
            };
            let is_word = |character: Option<char>| {
                character.is_some_and(|character| character.is_alphanumeric() || character == '_')
            };
            let mut before = None;
            let mut characters = text.chars().peekable();
            while let Some(character) = characters.next() {
                let flag = matches!(character, '-' | '/')
                    && !is_word(before)
                    && is_word(characters.peek().copied());
                if flag {
                    changed.push(Part::Dash);
                } else {
                    changed.push_character(character);
                }
                before = Some(character);
            }
        }
        changed
    }

    /// The strings that it stands for when each of its dashes is written out.
    fn dash_variants(self) -> Result<Vec<Self>, &'static str> {
        let mut variants = vec![Self {
            parts: Vec::new(),
            binary: self.binary,
        }];
        for part in self.parts {
            if part != Part::Dash {
                variants
                    .iter_mut()
                    .for_each(|variant| variant.push(part.clone()));
                continue;
            }
            if variants.len() * DASHES.len() > MAX_DASH_VARIANTS {
                return Err("`windash` would make too many strings of this value to encode");
            }
            variants = variants
                .iter()
                .flat_map(|variant| {
                    DASHES.iter().map(|dash| {
                        let mut variant = variant.clone();
                        variant.push_character(*dash);
                        variant
                    })
                })
                .collect();
        }
        Ok(variants)
    }

    fn bytes(&self) -> Vec<u8> {
        self.parts
            .iter()
            .flat_map(|part| match part {
                Part::Text(text) if self.binary => text
                    .chars()
                    .map(|character| character as u32 as u8)
                    .collect(),
                Part::Text(text) => text.clone().into_bytes(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// The strings that an encoding makes of it.
    pub(crate) fn encode(self, encoding: Encoding) -> Result<Vec<Self>, &'static str> {
        if self.parts.contains(&Part::Dash) {
            let mut all = Vec::new();
            for variant in self.dash_variants()? {
                all.extend(variant.encode(encoding)?);
            }
            return Ok(all);
        }
        match encoding {
            Encoding::Base64 | Encoding::Base64Offset if self.has_wildcards() => {
                Err("a value with wildcards cannot be encoded as Base64")
            }
            Encoding::Base64 => Ok(vec![Self::literal(&STANDARD.encode(self.bytes()))]),
            Encoding::Base64Offset => {
                let bytes = self.bytes();
                Ok((0..3)
                    .map(|shift| Self::literal(&base64_core(&bytes, shift)))
                    .collect())
            }
            Encoding::Utf16LittleEndian => Ok(vec![self.utf16(u16::to_le_bytes, false)]),
            Encoding::Utf16BigEndian => Ok(vec![self.utf16(u16::to_be_bytes, false)]),
            Encoding::Utf16 => Ok(vec![self.utf16(u16::to_le_bytes, true)]),
        }
    }

    fn utf16(self, order: fn(u16) -> [u8; 2], mark: bool) -> Self {
        let mut wide = Self {
            parts: Vec::new(),
            binary: true,
        };
        if mark {
            wide.push_character('\u{ff}');
            wide.push_character('\u{fe}');
        }
        for part in self.parts {
            match part {
                Part::Text(text) => {
                    for byte in text.encode_utf16().flat_map(order) {
                        wide.push_character(char::from(byte));
                    }
                }
                other => wide.push(other),
            }
        }
        wide
    }
}

/// The part of the Base64 text of `bytes` that stays the same whatever stands around them, when
/// `shift` bytes (modulo three) stand before them.
fn base64_core(bytes: &[u8], shift: usize) -> String {
    let mut shifted = vec![b' '; shift];
    shifted.extend_from_slice(bytes);
    let encoded = STANDARD.encode(&shifted);
    let from = [0, 2, 3].get(shift).copied().unwrap_or(0);
    let cut = [0, 3, 2].get(shifted.len() % 3).copied().unwrap_or(0);
    encoded
        .get(from..encoded.len().saturating_sub(cut))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn escapes_follow_the_specification() {
        let parts = |value: &str| Pattern::parse(value).parts;
        assert_eq!(parts(r"C:\Windows"), [text(r"C:\Windows")]);
        assert_eq!(parts(r"C:\\Windows"), [text(r"C:\Windows")]);
        assert_eq!(parts(r"a\*b"), [text("a*b")]);
        assert_eq!(parts(r"a\?b"), [text("a?b")]);
        assert_eq!(parts(r"a\\*b"), [text(r"a\"), Part::Any, text("b")]);
        assert_eq!(parts(r"a\\\*b"), [text(r"a\*b")]);
        assert_eq!(parts(r"a\\\b"), [text(r"a\\b")]);
        assert_eq!(parts(r"a\\\\b"), [text(r"a\\b")]);
        assert_eq!(parts(r"end\"), [text(r"end\")]);
        assert_eq!(parts("a**?"), [text("a"), Part::Any, Part::One]);
        assert!(parts("").is_empty());
    }

    #[test]
    fn dashes_count_only_where_a_flag_begins() {
        let parts = Pattern::parse(" -a /b c-d http://x").dashes().parts;
        assert_eq!(
            parts,
            [
                text(" "),
                Part::Dash,
                text("a "),
                Part::Dash,
                text("b c-d http:/"),
                Part::Dash,
                text("x")
            ]
        );
    }

    #[test]
    fn base64_offsets_are_the_three_static_cores() {
        let cores = Pattern::parse("foobar")
            .encode(Encoding::Base64Offset)
            .unwrap();
        let cores: Vec<_> = cores
            .into_iter()
            .flat_map(|pattern| pattern.parts)
            .collect();
        assert_eq!(cores, [text("Zm9vYmFy"), text("Zvb2Jhc"), text("mb29iYX")]);
    }

    #[test]
    fn each_base64_core_stands_in_its_encoding() {
        for length in 1..12 {
            let value: String = ('a'..='z').take(length).collect();
            let cores = Pattern::parse(&value)
                .encode(Encoding::Base64Offset)
                .unwrap();
            for (shift, core) in cores.iter().enumerate() {
                let Some(Part::Text(core)) = core.parts.first() else {
                    continue;
                };
                for behind in ["", "~", "~~", "~~~"] {
                    let whole = format!("{}{value}{behind}", "#".repeat(shift));
                    assert!(
                        STANDARD.encode(whole).contains(core.as_str()),
                        "{value} {shift}"
                    );
                }
            }
        }
    }

    #[test]
    fn wide_strings_hold_their_bytes() {
        let wide = |encoding| {
            Pattern::parse("cm")
                .encode(encoding)
                .unwrap()
                .remove(0)
                .bytes()
        };
        assert_eq!(wide(Encoding::Utf16LittleEndian), b"c\0m\0");
        assert_eq!(wide(Encoding::Utf16BigEndian), b"\0c\0m");
        assert_eq!(wide(Encoding::Utf16), b"\xff\xfec\0m\0");
        assert!(Pattern::parse("a*").encode(Encoding::Base64).is_err());
    }
}
