//! Matching of texts: sets of patterns compiled so that a match costs one pass and no allocation
//! where text and patterns are ASCII.
//!
//! Unless cased, both sides are compared in lower case, character by character as Unicode maps
//! them. A text that is not ASCII is written anew in lower case first; this is the slow, rare way.

use std::cmp::Ordering;

use aho_corasick::{AhoCorasick, packed};
use smallvec::SmallVec;

use crate::pattern::{DASHES, Part};

/// The longest needle that is looked for by comparing at each candidate; longer ones and sets of
/// needles go through an automaton, so that no text makes the search more than linear.
const MAX_COMPARED_BYTES: usize = 64;

/// A text in lower case.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// To compare with more starts and ends than this costs more than to remember what came of it.
const MANY_ENDS: usize = 8;

/// Compiled patterns; a text matches when it matches one of them.
#[derive(Debug, Default)]
pub(crate) struct TextSet {
    cased: bool,
    any: bool,
    exact: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
    suffixes: Vec<Box<str>>,
    needle: Option<Needle>,
    needles: Option<Box<Needles>>,
    globs: Vec<Glob>,
}

impl TextSet {
    pub(crate) fn new(patterns: &[Vec<Part>], cased: bool) -> Result<Self, String> {
        let mut set = Self {
            cased,
            ..Self::default()
        };
        let folded = |text: &str| if cased { text.to_owned() } else { fold(text) };
        let mut needles = Vec::new();
        for pattern in patterns {
            match pattern.as_slice() {
                [] => set.exact.push("".into()),
                [Part::Any] => set.any = true,
                [Part::Text(text)] => set.exact.push(folded(text).into()),
                [Part::Text(text), Part::Any] => set.prefixes.push(folded(text).into()),
                [Part::Any, Part::Text(text)] => set.suffixes.push(folded(text).into()),
                [Part::Any, Part::Text(text), Part::Any] => needles.push(folded(text)),
                _ => set.globs.push(Glob::new(pattern, &folded)),
            }
        }
        set.exact
            .sort_by(|left, right| (left.len(), left).cmp(&(right.len(), right)));
        set.exact.dedup();
        match needles.as_slice() {
            [] => {}
            [needle] if needle.len() <= MAX_COMPARED_BYTES => {
                set.needle = Some(Needle::new(needle))
            }
            _ => {
                set.needles = Some(Box::new(Needles::new(&needles, cased)?));
            }
        }
        Ok(set)
    }

    /// The texts, in lower case, of which a text must equal one, where there is no other way to
    /// match.
    pub(crate) fn only_exact(&self) -> Option<&[Box<str>]> {
        let others = self.any
            || self.needle.is_some()
            || self.needles.is_some()
            || !(self.prefixes.is_empty() && self.suffixes.is_empty() && self.globs.is_empty());
        (!others).then_some(&self.exact)
    }

    /// Whether a text is gone through for it, more than once or for many.
    pub(crate) fn costs(&self) -> bool {
        let ends = self.prefixes.len() + self.suffixes.len();
        !self.any && (self.needles.is_some() || !self.globs.is_empty() || ends > MANY_ENDS)
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        if self.any {
            true
        } else if self.cased {
            self.search::<true>(text)
        } else if text.is_ascii() {
            self.search::<false>(text)
        } else {
            self.search::<false>(&fold(text))
        }
    }

    fn is_exact<const CASED: bool>(&self, bytes: &[u8]) -> bool {
        match self.exact.as_slice() {
            [] => false,
            [known] => same::<CASED>(known.as_bytes(), bytes),
            many => many
                .binary_search_by(|known| order::<CASED>(known.as_bytes(), bytes))
                .is_ok(),
        }
    }

    fn search<const CASED: bool>(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        self.is_exact::<CASED>(bytes)
            || self.prefixes.iter().any(|prefix| {
                bytes
                    .get(..prefix.len())
                    .is_some_and(|start| same::<CASED>(prefix.as_bytes(), start))
            })
            || self.suffixes.iter().any(|suffix| {
                bytes.len().checked_sub(suffix.len()).is_some_and(|at| {
                    bytes
                        .get(at..)
                        .is_some_and(|end| same::<CASED>(suffix.as_bytes(), end))
                })
            })
            || self
                .needle
                .as_ref()
                .is_some_and(|needle| needle.find::<CASED>(bytes, 0).is_some())
            || self
                .needles
                .as_ref()
                .is_some_and(|needles| needles.is_match::<CASED>(bytes))
            || self.globs.iter().any(|glob| glob.is_match::<CASED>(text))
    }
}

/// Whether two byte strings are equal; the first is in lower case already.
fn same<const CASED: bool>(known: &[u8], text: &[u8]) -> bool {
    if CASED {
        known == text
    } else {
        known.eq_ignore_ascii_case(text)
    }
}

fn order<const CASED: bool>(known: &[u8], text: &[u8]) -> Ordering {
    known.len().cmp(&text.len()).then_with(|| {
        if CASED {
            known.cmp(text)
        } else {
            known
                .iter()
                .copied()
                .cmp(text.iter().map(u8::to_ascii_lowercase))
        }
    })
}

/// One needle, found by its rarest byte.
#[derive(Debug)]
struct Needle {
    bytes: Box<[u8]>,
    rare: usize,
}

impl Needle {
    fn new(text: &str) -> Self {
        let bytes: Box<[u8]> = text.as_bytes().into();
        let rare = (0..bytes.len())
            .min_by_key(|at| bytes.get(*at).map_or(0, |byte| commonness(*byte)))
            .unwrap_or(0);
        Self { bytes, rare }
    }

    /// The first position from `from` on where it stands.
    fn find<const CASED: bool>(&self, text: &[u8], from: usize) -> Option<usize> {
        let Some(rare) = self.bytes.get(self.rare).copied() else {
            return Some(from);
        };
        let last = text.len().checked_sub(self.bytes.len())?;
        let mut start = from;
        while start <= last {
            let area = text.get(start + self.rare..last + self.rare + 1)?;
            let upper = rare.to_ascii_uppercase();
            let found = if CASED || upper == rare {
                memchr::memchr(rare, area)
            } else {
                memchr::memchr2(rare, upper, area)
            };
            let at = start + found?;
            if same::<CASED>(&self.bytes, text.get(at..at + self.bytes.len())?) {
                return Some(at);
            }
            start = at + 1;
        }
        None
    }
}

/// Several needles, or one that is long.
#[derive(Debug)]
struct Needles {
    /// Looks at many bytes at a time, for lower case only. What it looks at more closely is no more
    /// than the needles together for each byte, so it is only used where these are few and short.
    packed: Option<packed::Searcher>,
    automaton: AhoCorasick,
}

/// Up to how many needles are looked for together; far more make false alarms at every byte.
const MAX_PACKED: usize = 32;

impl Needles {
    fn new(needles: &[String], cased: bool) -> Result<Self, String> {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(!cased)
            .build(needles)
            .map_err(|error| error.to_string())?;
        let few = needles.len() <= MAX_PACKED
            && needles
                .iter()
                .all(|needle| (1..=MAX_COMPARED_BYTES).contains(&needle.len()));
        let packed = few.then(|| packed::Searcher::new(needles)).flatten();
        Ok(Self { packed, automaton })
    }

    fn is_match<const CASED: bool>(&self, text: &[u8]) -> bool {
        match &self.packed {
            None => self.automaton.is_match(text),
            Some(packed) if CASED => packed.find(text).is_some(),
            Some(packed) => {
                let mut lower = SmallVec::<[u8; 256]>::from_slice(text);
                lower.make_ascii_lowercase();
                packed.find(&lower).is_some()
            }
        }
    }
}

/// A rank of how often a byte stands in logs; guesses are good enough, they only cost time.
fn commonness(byte: u8) -> usize {
    const COMMON: &[u8] = b"zqxjkvwybghfpumdlcnstroaie0123456789-_/.:,\" ";
    let byte = byte.to_ascii_lowercase();
    COMMON
        .iter()
        .position(|common| *common == byte)
        .map_or(0, |rank| rank + 1)
}

/// A pattern with wildcards inside.
#[derive(Debug)]
struct Glob {
    /// What stands between the `*`s.
    pieces: Vec<Piece>,
    /// Whether the first piece stands at the start of the text, the last at its end.
    starts: bool,
    ends: bool,
}

#[derive(Debug, Default)]
struct Piece {
    units: Vec<Unit>,
    characters: usize,
}

#[derive(Debug)]
enum Unit {
    Text(Needle),
    One,
    Dash,
}

impl Glob {
    fn new(pattern: &[Part], folded: &dyn Fn(&str) -> String) -> Self {
        let mut pieces = vec![Piece::default()];
        for part in pattern {
            let Some(piece) = pieces.last_mut() else {
                break;
            };
            let (unit, characters) = match part {
                Part::Any => {
                    pieces.push(Piece::default());
                    continue;
                }
                Part::One => (Unit::One, 1),
                Part::Dash => (Unit::Dash, 1),
                Part::Text(text) => {
                    let text = folded(text);
                    (Unit::Text(Needle::new(&text)), text.chars().count())
                }
            };
            piece.units.push(unit);
            piece.characters += characters;
        }
        let starts = pattern.first() != Some(&Part::Any);
        let ends = pattern.last() != Some(&Part::Any);
        pieces.retain(|piece| !piece.units.is_empty());
        Self {
            pieces,
            starts,
            ends,
        }
    }

    fn is_match<const CASED: bool>(&self, text: &str) -> bool {
        let mut pieces = self.pieces.as_slice();
        let mut from = 0;
        if self.starts
            && let Some((first, rest)) = pieces.split_first()
        {
            match first.stands::<CASED>(text, 0) {
                Some(end) => from = end,
                None => return false,
            }
            if rest.is_empty() {
                // Without a `*` the first piece is also the last.
                return !self.ends || from == text.len();
            }
            pieces = rest;
        }
        let last = if self.ends { pieces.split_last() } else { None };
        let middle = last.map_or(pieces, |(_, middle)| middle);
        for piece in middle {
            match piece.find::<CASED>(text, from) {
                Some(end) => from = end,
                None => return false,
            }
        }
        let Some((last, _)) = last else {
            return true;
        };
        // The last piece has a fixed number of characters: count them from the end.
        let mut characters = text.char_indices().rev();
        let start = match last.characters {
            0 => Some(text.len()),
            count => characters.nth(count - 1).map(|(at, _)| at),
        };
        start.is_some_and(|start| {
            start >= from && last.stands::<CASED>(text, start) == Some(text.len())
        })
    }
}

impl Piece {
    /// The end of the piece when it stands at `at`.
    fn stands<const CASED: bool>(&self, text: &str, mut at: usize) -> Option<usize> {
        for unit in &self.units {
            match unit {
                Unit::Text(needle) => {
                    let end = at + needle.bytes.len();
                    if !same::<CASED>(&needle.bytes, text.as_bytes().get(at..end)?) {
                        return None;
                    }
                    at = end;
                }
                Unit::One => at += text.get(at..)?.chars().next()?.len_utf8(),
                Unit::Dash => {
                    let character = text.get(at..)?.chars().next()?;
                    if !DASHES.contains(&character) {
                        return None;
                    }
                    at += character.len_utf8();
                }
            }
        }
        Some(at)
    }

    /// The end of the first place from `from` on where the piece stands.
    fn find<const CASED: bool>(&self, text: &str, from: usize) -> Option<usize> {
        if let [Unit::Text(needle)] = self.units.as_slice() {
            return needle
                .find::<CASED>(text.as_bytes(), from)
                .map(|at| at + needle.bytes.len());
        }
        // One fixed text of the piece tells where it can stand at all.
        let before = self
            .units
            .iter()
            .take_while(|unit| !matches!(unit, Unit::Text(_)))
            .count();
        if let Some(Unit::Text(needle)) = self.units.get(before) {
            let mut search = from;
            while let Some(found) = needle.find::<CASED>(text.as_bytes(), search) {
                let start = match before {
                    0 => Some(found),
                    count => text
                        .get(from..found)?
                        .char_indices()
                        .rev()
                        .nth(count - 1)
                        .map(|(at, _)| from + at),
                };
                if let Some(end) = start.and_then(|start| self.stands::<CASED>(text, start)) {
                    return Some(end);
                }
                search = found + 1;
                while !text.is_char_boundary(search) {
                    search += 1;
                }
            }
            return None;
        }
        text.get(from..)?
            .char_indices()
            .map(|(at, _)| from + at)
            .chain([text.len()])
            .find_map(|at| self.stands::<CASED>(text, at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::Pattern;

    fn matches(pattern: &str, text: &str) -> bool {
        TextSet::new(&[Pattern::parse(pattern).parts], false)
            .unwrap()
            .is_match(text)
    }

    /// The definition, without any cleverness.
    fn naive(pattern: &[Part], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [Part::Any, rest @ ..] => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            [Part::One, rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
            [Part::Dash, rest @ ..] => {
                text.first().is_some_and(|first| DASHES.contains(first)) && naive(rest, &text[1..])
            }
            [Part::Text(wanted), rest @ ..] => {
                let wanted: Vec<char> = fold(wanted).chars().collect();
                text.starts_with(&wanted) && naive(rest, &text[wanted.len()..])
            }
        }
    }

    fn agrees(pattern: &Pattern, text: &str) -> bool {
        let folded: Vec<char> = fold(text).chars().collect();
        TextSet::new(std::slice::from_ref(&pattern.parts), false)
            .unwrap()
            .is_match(text)
            == naive(&pattern.parts, &folded)
    }

    #[test]
    fn case_is_ignored_beyond_ascii() {
        assert!(matches("straße", "STRAßE"));
        assert!(matches("*ÄÖ*", "xäöx"));
        assert!(matches("é?", "ÉÜ"));
        assert!(!matches("é", "e"));
        assert!(matches("k", "\u{212a}"));
    }

    #[test]
    fn wildcards_take_characters_not_bytes() {
        assert!(matches("a?c", "aéc"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*?", "é"));
        assert!(!matches("?", ""));
        assert!(matches("*", ""));
        assert!(matches("a*b?c*d", "aXXbéc--d"));
        assert!(!matches("ab*ba", "aba"));
    }

    #[test]
    fn cased_patterns_tell_case_apart() {
        let set = TextSet::new(&[Pattern::parse("*Abc*").parts], true).unwrap();
        assert!(set.is_match("xAbcx"));
        assert!(!set.is_match("xabcx"));
    }

    #[test]
    fn sets_match_any_of_their_patterns() {
        let patterns: Vec<_> = ["one", "t*o", "*three*", "*four*", "five*", "*six", ""]
            .iter()
            .map(|pattern| Pattern::parse(pattern).parts)
            .collect();
        let set = TextSet::new(&patterns, false).unwrap();
        for text in ["ONE", "tXo", "a three", "FOURTH", "fives", "sixsix", ""] {
            assert!(set.is_match(text), "{text}");
        }
        for text in ["ones", "two ", "thre", "a five", "six "] {
            assert!(!set.is_match(text), "{text}");
        }
    }

    #[test]
    fn long_needles_are_found_too() {
        let needle = "ab".repeat(100);
        assert!(matches(
            &format!("*{needle}*"),
            &format!("xx{}yy", needle.to_uppercase())
        ));
        assert!(!matches(&format!("*{needle}*"), &"ab".repeat(99)));
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_the_naive_matcher(pattern in r"[aAbé*?\\-]{0,8}", text in r"[aAbBéÉ*?\\-]{0,10}") {
            prop_assert!(agrees(&Pattern::parse(&pattern), &text), "{pattern} {text}");
        }

        #[test]
        fn flags_agree_with_the_naive_matcher(pattern in r"[ a*?/-]{0,7}", text in "[ a/—-]{0,8}") {
            prop_assert!(agrees(&Pattern::parse(&pattern).dashes(), &text), "{pattern} {text}");
        }

        #[test]
        fn case_never_matters(value in "[a-zA-ZäÄéÉ .*?]{0,8}", text in "[a-zA-ZäÄéÉ .]{0,12}") {
            prop_assert_eq!(matches(&value, &text), matches(&value, &text.to_uppercase()));
            prop_assert_eq!(matches(&value, &text), matches(&value.to_uppercase(), &text));
        }

        #[test]
        fn needles_agree_with_the_standard_library(needle in "[abc]{1,4}", text in "[abc]{0,20}") {
            prop_assert_eq!(matches(&format!("*{needle}*"), &text), text.contains(&needle));
        }

        #[test]
        fn sets_of_needles_agree_with_the_standard_library(
            needles in prop::collection::vec("[a-cB-D]{1,5}", 2..40),
            text in "[a-dA-D]{0,60}",
            cased: bool,
        ) {
            let patterns: Vec<_> = needles
                .iter()
                .map(|needle| Pattern::parse(&format!("*{needle}*")).parts)
                .collect();
            let set = TextSet::new(&patterns, cased).unwrap();
            let folded = |text: &str| if cased { text.to_owned() } else { fold(text) };
            let found = needles.iter().any(|needle| folded(&text).contains(&folded(needle)));
            prop_assert_eq!(set.is_match(&text), found);
        }
    }
}
