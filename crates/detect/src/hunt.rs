//! What a hunt finds: the matches of rules, one by one, and counted.
//!
//! A hunt asks rules about records and nothing more: no estate, no history. What it counts does not
//! depend on the order in which it is told of matches.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use portreeve_model::{Severity, Technique, Timestamp};
use portreeve_sigma::{Correlation, Rule};

/// A rule or a correlation, as it is shown with its matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its id.
    pub id: Option<String>,
    /// What it detects, in a few words.
    pub title: String,
    /// How much a match matters.
    pub level: Severity,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// Who wrote it.
    pub author: Option<String>,
    /// The ATT&CK techniques among its tags.
    pub techniques: Vec<Technique>,
    /// Whether it is a correlation.
    pub correlation: bool,
}

impl From<&Rule> for Head {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            level: rule.level,
            file: rule.file.clone(),
            author: rule.author.clone(),
            techniques: rule.techniques.clone(),
            correlation: false,
        }
    }
}

impl From<&Correlation> for Head {
    fn from(one: &Correlation) -> Self {
        Self {
            id: one.id.clone(),
            title: one.title.clone(),
            level: one.level,
            file: one.file.clone(),
            author: one.author.clone(),
            techniques: one.techniques.clone(),
            correlation: true,
        }
    }
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the file among the files of the hunt.
    pub file: u32,
    /// The number of the record in the file, from 0.
    pub index: u64,
    /// Its first byte in the decompressed stream.
    pub offset: u64,
    /// Its own id.
    pub event_id: Option<Box<str>>,
}

/// A rule that matched a record, or a correlation that held.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The number of the rule among the heads of the hunt.
    pub head: u32,
    /// The record; of a correlation the records with which it first held.
    pub records: Vec<Place>,
    /// When it happened; of a correlation when it first held.
    pub time: Option<Timestamp>,
    /// Who did it.
    pub actor: Option<Box<str>>,
    /// What was done.
    pub action: Option<Box<str>>,
    /// Of a correlation: what its records have in common, field and value.
    pub group: Vec<(Arc<str>, String)>,
    /// Of a correlation: the count or measure when it first held.
    pub number: Option<f64>,
}

/// What the reader of matches has to know beside each.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Rules, then correlations.
    pub heads: Vec<Head>,
    /// Names of files.
    pub files: Vec<Arc<str>>,
}

impl Known {
    /// The head of a match.
    pub fn head(&self, found: &Match) -> Option<&Head> {
        self.heads.get(found.head as usize)
    }

    /// The name of a record's file.
    pub fn file(&self, place: &Place) -> &str {
        self.files.get(place.file as usize).map_or("", |name| name)
    }
}

/// What a rule cost in a hunt that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFigures {
    /// The number of the rule among the heads of the hunt.
    pub rule: u32,
    /// What leads to it, for people.
    pub reached_by: String,
    /// How many records led to it.
    pub asked: u64,
    /// How many of them it matched.
    pub matched: u64,
    /// How long it took to ask it, in nanoseconds.
    pub nanoseconds: u64,
}

/// How many principals are counted by name; those that come later are counted together.
const PRINCIPALS: usize = 50_000;

/// How many columns the histogram keeps; above it, each is made twice as wide.
const COLUMNS: usize = 4_096;

/// The counts of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCount {
    /// Its matches.
    pub matches: u64,
    /// The time of the first one that has a time.
    pub first: Option<Timestamp>,
    /// The time of the last.
    pub last: Option<Timestamp>,
}

/// Matches, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By number of the head.
    pub rules: Vec<RuleCount>,
    /// All of them.
    pub matches: u64,
    principals: HashMap<Box<str>, u64, FixedState>,
    other_principals: u64,
    histogram: Histogram,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, found: &Match, level: Severity) {
        let at = found.head as usize;
        if self.rules.len() <= at {
            self.rules.resize(at + 1, RuleCount::default());
        }
        let rule = &mut self.rules[at];
        rule.matches += 1;
        self.matches += 1;
        if let Some(time) = found.time {
            rule.first = Some(rule.first.map_or(time, |first| first.min(time)));
            rule.last = rule.last.max(Some(time));
            self.histogram.add(time, level);
        }
        if let Some(actor) = &found.actor {
            if let Some(count) = self.principals.get_mut(actor) {
                *count += 1;
            } else if self.principals.len() < PRINCIPALS {
                self.principals.insert(actor.clone(), 1);
            } else {
                self.other_principals += 1;
            }
        }
    }

    /// Principals and their matches, those with most first.
    pub fn principals(&self) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> = self
            .principals
            .iter()
            .map(|(name, count)| (&**name, *count))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all
    }

    /// Matches of principals that are not counted by name, since there were too many.
    pub fn other_principals(&self) -> u64 {
        self.other_principals
    }

    /// Matches by technique, most first.
    pub fn techniques(&self, heads: &[Head]) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (head, count) in heads.iter().zip(&self.rules) {
            for technique in &head.techniques {
                *counts.entry(technique.as_str()).or_default() += count.matches;
            }
        }
        let mut all: Vec<(String, u64)> = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.to_owned(), count))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// Matches by level, the highest first.
    pub fn levels(&self, heads: &[Head]) -> Vec<(Severity, u64)> {
        let mut counts = [0; Severity::ALL.len()];
        for (head, count) in heads.iter().zip(&self.rules) {
            counts[head.level as usize] += count.matches;
        }
        let mut all: Vec<(Severity, u64)> = Severity::ALL.into_iter().zip(counts).collect();
        all.reverse();
        all
    }

    /// When they happened.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }
}

/// Matches by time and level, in columns of equal width. Columns are made wider, twice as wide at a
/// time, where there would be too many; how wide they end depends on the times alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    width: i64,
    columns: BTreeMap<i64, [u64; Severity::ALL.len()]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            width: 60,
            columns: BTreeMap::new(),
        }
    }
}

impl Histogram {
    fn add(&mut self, time: Timestamp, level: Severity) {
        let column = time.as_second().div_euclid(self.width);
        self.columns.entry(column).or_default()[level as usize] += 1;
        while self.columns.len() > COLUMNS {
            self.width *= 2;
            for (column, counts) in std::mem::take(&mut self.columns) {
                add(
                    self.columns.entry(column.div_euclid(2)).or_default(),
                    &counts,
                );
            }
        }
    }

    /// At most so many columns, two at least, that follow each other without a hole, from the first match to the
    /// last: the beginning of each, with its counts by level, the lowest first.
    pub fn columns(&self, most: usize) -> Vec<(Timestamp, [u64; Severity::ALL.len()])> {
        let (Some(first), Some(last)) = (
            self.columns.keys().next().copied(),
            self.columns.keys().next_back().copied(),
        ) else {
            return Vec::new();
        };
        let mut factor = 1;
        let span = |factor: i64| last.div_euclid(factor) - first.div_euclid(factor) + 1;
        while span(factor) > most.max(2) as i64 {
            factor *= 2;
        }
        let begin = first.div_euclid(factor);
        let mut counts = vec![[0; Severity::ALL.len()]; span(factor) as usize];
        for (column, more) in &self.columns {
            let at = (column.div_euclid(factor) - begin) as usize;
            if let Some(sum) = counts.get_mut(at) {
                add(sum, more);
            }
        }
        (begin..)
            .zip(counts)
            .filter_map(|(column, counts)| {
                let second = column.checked_mul(factor)?.checked_mul(self.width)?;
                Some((Timestamp::from_second(second).ok()?, counts))
            })
            .collect()
    }
}

fn add<const N: usize>(sum: &mut [u64; N], more: &[u64; N]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(head: u32, second: i64, actor: &str) -> Match {
        Match {
            head,
            records: Vec::new(),
            time: Timestamp::from_second(second).ok(),
            actor: Some(actor.into()),
            action: None,
            group: Vec::new(),
            number: None,
        }
    }

    #[test]
    fn counts_do_not_depend_on_order() {
        let matches: Vec<Match> = (0..9_000)
            .map(|number| found(number % 3, i64::from(number) * 977, "x"))
            .collect();
        let count = |matches: &mut dyn Iterator<Item = &Match>| {
            let mut tally = Tally::default();
            matches.for_each(|found| tally.add(found, Severity::High));
            tally
        };
        let (there, back) = (count(&mut matches.iter()), count(&mut matches.iter().rev()));
        assert_eq!(there.rules, back.rules);
        assert_eq!(there.histogram, back.histogram);
        assert_eq!(there.principals(), [("x", 9_000)]);
        assert_eq!(there.rules[0].matches, 3_000);
        assert_eq!(there.rules[0].first, Timestamp::from_second(0).ok());
    }

    #[test]
    fn columns_have_no_holes_and_lose_nothing() {
        let mut histogram = Histogram::default();
        for second in [0, 59, 60, 86_400, 86_401] {
            histogram.add(Timestamp::from_second(second).unwrap(), Severity::Low);
        }
        for most in [1, 2, 7, 60] {
            let columns = histogram.columns(most);
            assert!(columns.len() <= most.max(2), "{}", columns.len());
            let sum: u64 = columns.iter().map(|(_, counts)| counts[1]).sum();
            assert_eq!(sum, 5);
            let step =
                |pair: &[(Timestamp, [u64; 5])]| pair[1].0.as_second() - pair[0].0.as_second();
            let steps: Vec<i64> = columns.windows(2).map(step).collect();
            assert!(steps.windows(2).all(|pair| pair[0] == pair[1]));
        }
        assert!(Histogram::default().columns(10).is_empty());
    }
}
