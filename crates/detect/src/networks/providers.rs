//! From operators of networks to the kind of network, by a weighted table.

use std::collections::{BTreeMap, HashMap};

use aho_corasick::{AhoCorasick, MatchKind};
use foldhash::fast::FixedState;
use serde::Deserialize;

/// The table that is built in.
const BUILT_IN: &str = include_str!("../../../../networks/providers.toml");

/// The table of signs.
#[derive(Debug)]
pub struct Providers {
    bound: f64,
    signs: Vec<ProviderSign>,
    of_asn: HashMap<u32, Vec<u16>, FixedState>,
    words: Option<AhoCorasick>,
    /// For each word its sign, and which of its ends are open.
    of_word: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    sign: u16,
    open_start: bool,
    open_end: bool,
}

/// One sign of the kind of a network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSign {
    /// The kind that it speaks for.
    pub class: String,
    /// How sure it is, from 0 to 1.
    pub weight: f64,
    /// AS numbers.
    #[serde(default)]
    asn: Vec<u32>,
    /// Words of the operator's name.
    #[serde(default)]
    organisation: Vec<String>,
    /// Why.
    pub reason: String,
    /// Where the fact is published.
    #[serde(default)]
    pub source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bound: f64,
    #[serde(rename = "sign")]
    signs: Vec<ProviderSign>,
}

/// What the table says of one operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Judgement<'p> {
    /// Each class that any sign speaks for, the surest first.
    pub(super) classes: Vec<(&'p str, f64)>,
    /// The signs, by their number.
    pub(super) signs: Vec<u16>,
}

impl Providers {
    /// The table that is built in.
    pub fn built_in() -> Self {
        // Empty only if the table were broken, which a test rules out.
        Self::parse(BUILT_IN).unwrap_or_else(|_| Self::none())
    }

    /// A table that says nothing.
    pub(super) fn none() -> Self {
        Self::of(1.0, Vec::new())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(wrong) = file
            .signs
            .iter()
            .find(|sign| !(0.0..=1.0).contains(&sign.weight))
        {
            return Err(format!(
                "a weight of {} for `{}`",
                wrong.weight, wrong.class
            ));
        }
        Ok(Self::of(file.bound, file.signs))
    }

    fn of(bound: f64, signs: Vec<ProviderSign>) -> Self {
        let mut of_asn = HashMap::<u32, Vec<u16>, FixedState>::default();
        let mut texts = Vec::new();
        let mut of_word = Vec::new();
        for (number, sign) in (0_u16..).zip(&signs) {
            for asn in &sign.asn {
                of_asn.entry(*asn).or_default().push(number);
            }
            for word in &sign.organisation {
                let inner = word.trim_matches('*');
                texts.push(inner);
                of_word.push(Word {
                    sign: number,
                    open_start: word.starts_with('*'),
                    open_end: word.ends_with('*'),
                });
            }
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .ok();
        Self {
            bound,
            of_asn,
            words,
            of_word,
            signs,
        }
    }

    /// How sure a class must be to be told.
    pub(super) fn bound(&self) -> f64 {
        self.bound
    }

    /// A sign by its number.
    pub(super) fn sign(&self, number: u16) -> Option<&ProviderSign> {
        self.signs.get(usize::from(number))
    }

    /// Weighs everything that is known of an operator.
    pub(super) fn judge(&self, asn: Option<u32>, organisation: Option<&str>) -> Judgement<'_> {
        if asn.is_none() && organisation.is_none() {
            return Judgement::default();
        }
        let mut signs: Vec<u16> = asn
            .and_then(|asn| self.of_asn.get(&asn))
            .cloned()
            .unwrap_or_default();
        if let (Some(words), Some(name)) = (&self.words, organisation) {
            for found in words.find_overlapping_iter(name) {
                let word = self.of_word[found.pattern().as_usize()];
                let part_of_word =
                    |character: Option<char>| character.is_some_and(char::is_alphanumeric);
                let starts = !part_of_word(name[..found.start()].chars().next_back());
                let ends = !part_of_word(name[found.end()..].chars().next());
                if (starts || word.open_start) && (ends || word.open_end) {
                    signs.push(word.sign);
                }
            }
        }
        // One sign counts once, by whatever it was recognised.
        signs.sort_unstable();
        signs.dedup();
        let mut doubt = BTreeMap::<&str, f64>::new();
        for sign in signs.iter().filter_map(|number| self.sign(*number)) {
            *doubt.entry(&sign.class).or_insert(1.0) *= 1.0 - sign.weight;
        }
        let mut classes: Vec<(&str, f64)> = doubt
            .into_iter()
            .map(|(class, doubt)| (class, 1.0 - doubt))
            .collect();
        // Of equally sure ones the first by name, so that the answer never depends on the table's order.
        classes.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        Judgement { classes, signs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(asn: u32, organisation: &str) -> Option<(String, f64)> {
        let providers = Providers::built_in();
        let judgement = providers.judge(Some(asn), Some(organisation));
        let (class, certainty) = *judgement.classes.first()?;
        (certainty >= providers.bound()).then(|| (class.to_owned(), certainty))
    }

    fn word(asn: u32, organisation: &str) -> String {
        class(asn, organisation).map_or_else(|| "unknown".to_owned(), |(class, _)| class)
    }

    #[test]
    fn the_table_is_well_formed() {
        let providers = Providers::parse(BUILT_IN).unwrap();
        assert!((0.4..=0.6).contains(&providers.bound));
        for sign in &providers.signs {
            assert!(
                !sign.asn.is_empty() || !sign.organisation.is_empty(),
                "{sign:?}"
            );
            assert!(sign.weight > 0.0 && sign.weight < 1.0, "{sign:?}");
            assert!(!sign.reason.is_empty(), "{sign:?}");
            for word in &sign.organisation {
                assert_eq!(*word, word.to_lowercase(), "{sign:?}");
                assert!(word.trim_matches('*').len() >= 2, "{sign:?}");
            }
            // What is said of one company's customers is a fact, and facts have a source.
            if sign.class == "vpn" && !sign.asn.is_empty() {
                assert!(sign.source.is_some(), "{sign:?}");
            }
        }
    }

    #[test]
    fn networks_of_vpn_companies_are_told_from_where_they_rent() {
        assert_eq!(word(216_025, "Mullvad VPN AB"), "vpn");
        assert_eq!(word(136_787, "PacketHub S.A."), "vpn");
        assert_eq!(word(209_103, "Proton AG"), "vpn");
        // Anybody rents there: hosting is all that one knows.
        assert_eq!(word(9_009, "M247 Europe SRL"), "hosting");
        assert_eq!(word(212_238, "Datacamp Limited"), "hosting");
        let providers = Providers::built_in();
        let judgement = providers.judge(Some(9_009), Some("M247 Europe SRL"));
        assert!(
            judgement
                .classes
                .iter()
                .any(|(class, sure)| *class == "vpn" && *sure > 0.5)
        );
        assert_eq!(word(24_940, "Hetzner Online GmbH"), "hosting");
    }

    #[test]
    fn the_large_operators_are_known() {
        assert_eq!(word(16_509, "Amazon.com, Inc."), "cloud");
        assert_eq!(word(14_618, "Amazon.com, Inc."), "cloud");
        assert_eq!(word(8_075, "Microsoft Corporation"), "cloud");
        assert_eq!(
            word(7_922, "Comcast Cable Communications, LLC"),
            "residential"
        );
        assert_eq!(word(3_320, "Deutsche Telekom AG"), "residential");
        assert_eq!(word(21_928, "T-Mobile USA, Inc."), "mobile");
        assert_eq!(
            word(14_593, "Space Exploration Technologies Corporation"),
            "satellite"
        );
        assert_eq!(word(22_616, "ZSCALER, INC."), "sase");
        assert_eq!(
            word(7_377, "University of California San Diego"),
            "education"
        );
        assert_eq!(word(174, "Cogent Communications"), "transit");
        assert_eq!(word(64_500, "Example GmbH"), "unknown");
    }

    #[test]
    fn words_are_whole_unless_an_end_is_open() {
        // `vps` and `servers` are words; `conservers` holds one only as a part.
        assert_eq!(word(64_500, "Conservers Guild"), "unknown");
        assert_eq!(word(64_500, "Example VPS Ltd"), "hosting");
        assert_eq!(word(64_500, "Example-Hosting Ltd"), "hosting");
    }

    #[test]
    fn signs_of_one_class_add_up_and_one_counts_once() {
        let (_, by_number) = class(24_940, "").unwrap();
        let (_, by_both) = class(24_940, "Hetzner Online GmbH").unwrap();
        assert!((by_number - by_both).abs() < 1e-9);
        let (_, with_more) = class(24_940, "Hetzner Hosting").unwrap();
        assert!(with_more > by_both && with_more < 1.0);
    }
}
