//! What leads to rules that look for keywords: fragments of the keywords, all looked for in one pass
//! over a record's text.
//!
//! A keyword is found in the text of a record as it is written, or in the plain text: without white
//! space between tokens, escapes undone. A fragment is a piece of a keyword without brackets, commas,
//! colons, quotes, backslashes and control characters. Where it stands in the plain text it stands in
//! the written one too, since what differs between both is white space beside such signs, and escapes
//! for such signs; but for the escapes `\u` and `\/`, which can stand for any character. Only where
//! there is one of these the plain text is made and looked through as well.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::pattern::Part;
use crate::test::PlainRecord;
use crate::text::fold;

/// Shorter fragments stand in nearly every record, and lead nowhere.
const SHORTEST: usize = 3;

/// For each of some patterns a fragment that a text has to hold for the pattern to match; `None` where
/// one of them has none.
pub(crate) fn fragments(patterns: &[Vec<Part>]) -> Option<Box<[String]>> {
    let of_pattern = |parts: &Vec<Part>| {
        let texts = parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(fold(text)),
            _ => None,
        });
        let longest = texts
            .flat_map(|text| {
                let pieces = text.split(is_sign).map(str::to_owned);
                pieces.collect::<Vec<_>>()
            })
            .max_by_key(String::len)?;
        (longest.len() >= SHORTEST).then_some(longest)
    };
    patterns.iter().map(of_pattern).collect()
}

fn is_sign(character: char) -> bool {
    matches!(
        character,
        '{' | '}' | '[' | ']' | ',' | ':' | '"' | '\\' | '\0'..='\u{1f}'
    )
}

/// Fragments to the rules that they lead to.
#[derive(Debug)]
pub(crate) struct Keywords {
    finder: AhoCorasick,
    fragments: Vec<String>,
    /// By number of the fragment.
    rules: Vec<Vec<u32>>,
}

impl Keywords {
    /// `None` where there are no fragments, or too many for one automaton; the rules then have to be
    /// asked about each record.
    pub(crate) fn new<'f>(led: impl IntoIterator<Item = (&'f str, u32)>) -> Option<Self> {
        let mut by_fragment: std::collections::BTreeMap<&str, Vec<u32>> = Default::default();
        for (fragment, rule) in led {
            by_fragment.entry(fragment).or_default().push(rule);
        }
        if by_fragment.is_empty() {
            return None;
        }
        let (fragments, rules): (Vec<String>, Vec<Vec<u32>>) = by_fragment
            .into_iter()
            .map(|(fragment, rules)| (fragment.to_owned(), rules))
            .unzip();
        // What is looked through is in lower case beyond ASCII already.
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&fragments)
            .ok()?;
        Some(Self {
            finder,
            fragments,
            rules,
        })
    }

    /// Calls `found` with each rule that the text of a record leads to; a rule may come often.
    pub(crate) fn follow(&self, text: &str, plain: &mut PlainRecord, found: &mut dyn FnMut(u32)) {
        self.look_through(text, found);
        if has_wide_escapes(text.as_bytes())
            && let Some(plain) = plain.of(text)
        {
            self.look_through(plain, found);
        }
    }

    fn look_through(&self, text: &str, found: &mut dyn FnMut(u32)) {
        let folded;
        let text = if text.is_ascii() {
            text
        } else {
            folded = fold(text);
            &folded
        };
        for hit in self.finder.find_overlapping_iter(text) {
            let rules = self.rules.get(hit.pattern().as_usize());
            rules.into_iter().flatten().copied().for_each(&mut *found);
        }
    }

    /// The fragments that lead to a rule.
    pub(crate) fn leading_to(&self, rule: u32) -> impl Iterator<Item = &str> {
        self.fragments
            .iter()
            .zip(&self.rules)
            .filter(move |(_, rules)| rules.contains(&rule))
            .map(|(fragment, _)| fragment.as_str())
    }

    /// Leaves only some of the rules; false where none is left.
    pub(crate) fn retain(&mut self, is_wanted: &dyn Fn(u32) -> bool) -> bool {
        for rules in &mut self.rules {
            rules.retain(|rule| is_wanted(*rule));
        }
        self.rules.iter().any(|rules| !rules.is_empty())
    }
}

/// Whether there is an escape that can stand for what a fragment may hold.
fn has_wide_escapes(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(backslash) = memchr::memchr(b'\\', rest)
    {
        if matches!(rest.get(backslash + 1), Some(b'u' | b'/')) {
            return true;
        }
        at += backslash + 2;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::plain_text;
    use crate::pattern::Pattern;
    use crate::text::TextSet;

    fn parts(keyword: &str) -> Vec<Part> {
        let mut parts = vec![Part::Any];
        parts.extend(Pattern::parse(keyword).parts);
        parts.push(Part::Any);
        parts
    }

    #[test]
    fn fragments_are_the_longest_pieces_without_signs() {
        let of = |keyword: &str| fragments(&[parts(keyword)]).map(|all| all[0].clone());
        assert_eq!(of("Abc").as_deref(), Some("abc"));
        assert_eq!(of(r#""Action":"*""#).as_deref(), Some("action"));
        assert_eq!(of(r"C:\\Windows\\x").as_deref(), Some("windows"));
        assert_eq!(of("a*bcd?efgh").as_deref(), Some("efgh"));
        assert_eq!(of("ab*cd"), None);
        assert!(fragments(&[parts("long enough"), parts("no")]).is_none());
    }

    #[test]
    fn wide_escapes_are_told_from_others() {
        for (text, wide) in [
            (r"a\\u0041", false),
            (r"a\\\u0041", true),
            (r"\n\t\\/", false),
            (r"\/", true),
            ("\\", false),
        ] {
            assert_eq!(has_wide_escapes(text.as_bytes()), wide, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        /// Whatever a keyword matches, in the text as written or in the plain text, its fragment
        /// leads to.
        #[test]
        fn no_match_is_lost(
            keywords in prop::collection::vec(r#"[aAbKé/ :,"]{0,2}[aAbB/é ]{3,5}[aé\{"n]{0,2}"#, 1..4),
            strings in prop::collection::vec(r#"([aAbBKÉé/ :,n]|\\"|\\\\|\\/|\\n|\\u0061|\\u00c9){0,14}"#, 1..5),
            space in prop::sample::select(vec!["", " ", "\n "]),
            cased: bool,
        ) {
            let patterns: Vec<_> = keywords.iter().map(|keyword| parts(keyword)).collect();
            let members: Vec<String> = strings.iter().map(|string| format!("\"a\":{space}\"{string}\"")).collect();
            let text = format!("{{{}}}", members.join(&format!(",{space}")));
            // What is not JSON is no record, and is not looked through.
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            let set = TextSet::new(&patterns, cased).unwrap();
            let matches = set.is_match(&text) || plain_text(&text).is_some_and(|plain| set.is_match(&plain));
            if let Some(fragments) = fragments(&patterns) {
                let keywords = Keywords::new(fragments.iter().map(|fragment| (fragment.as_str(), 0))).unwrap();
                let mut led = false;
                keywords.follow(&text, &mut PlainRecord::default(), &mut |_| led = true);
                prop_assert!(led || !matches, "{patterns:?} {text}");
            }
        }
    }
}
