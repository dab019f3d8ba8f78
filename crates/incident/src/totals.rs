//! What findings add up to. A watch may hold a million of them: what is shown of all is counted as they
//! come, and not at each look.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_model::{Finding, Severity, Technique};

/// Seconds of a day.
const SECONDS: i64 = 86_400;

/// How many findings there are by day, by technique and by rule.
///
/// ```
/// use portreeve_incident::Totals;
///
/// let totals = Totals::of(&[]);
/// assert_eq!(totals.of_rule("portreeve-aws-s11"), 0);
/// assert_eq!(totals.of_technique("T1078.004"), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By days since 1970, in UTC.
    days: BTreeMap<i64, (Severity, u64)>,
    techniques: BTreeMap<String, u64>,
    rules: BTreeMap<String, u64>,
}

impl Totals {
    /// Counts findings; takes time in proportion to their evidence.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut totals = Self::default();
        for finding in findings {
            totals.add(finding);
        }
        totals
    }

    /// Counts one finding more.
    pub fn add(&mut self, finding: &Finding) {
        for day in days(finding) {
            let (gravest, count) = self.days.entry(day).or_insert((finding.severity, 0));
            *gravest = finding.severity.max(*gravest);
            *count += 1;
        }
        let mut ids: Vec<&str> = finding.techniques.iter().map(Technique::v19).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            count(&mut self.techniques, id);
        }
        count(&mut self.rules, &finding.rule);
    }

    /// The gravest finding that bears on a day, and how many do: those whose time or evidence is of it.
    pub fn of_day(&self, date: Date) -> Option<(Severity, u64)> {
        let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        self.days.get(&day_of(midnight)).copied()
    }

    /// How many findings are of a technique, by its id of ATT&CK v19.
    pub fn of_technique(&self, id: &str) -> u64 {
        self.techniques.get(id).copied().unwrap_or_default()
    }

    /// How many findings a rule made.
    pub fn of_rule(&self, id: &str) -> u64 {
        self.rules.get(id).copied().unwrap_or_default()
    }
}

fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SECONDS)
}

/// The days that a finding bears on, each once.
fn days(finding: &Finding) -> Vec<i64> {
    let evidence = finding.evidence.iter().filter_map(|one| one.time);
    let mut days = Vec::new();
    for day in finding.time.into_iter().chain(evidence).map(day_of) {
        // Most evidence is of the day of what stands before it.
        if days.last() != Some(&day) {
            days.push(day);
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

/// One more of a key, which is copied the first time alone.
fn count(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(count) => *count += 1,
        None => drop(counts.insert(key.to_owned(), 1)),
    }
}

#[cfg(test)]
mod tests {
    use portreeve_model::{Evidence, FindingSource};

    use super::*;

    fn finding(rule: &str, severity: Severity, times: &[&str], techniques: &[&str]) -> Finding {
        let times: Vec<Timestamp> = times.iter().map(|it| it.parse().unwrap()).collect();
        let evidence = times.iter().map(|time| Evidence {
            file: "log.ndjson".into(),
            index: 0,
            offset: 0,
            event_id: None,
            time: Some(*time),
            action: String::new(),
        });
        Finding {
            id: format!("{rule}-{times:?}"),
            rule: rule.to_owned(),
            title: String::new(),
            severity,
            time: times.first().copied(),
            last_time: times.last().copied(),
            source: FindingSource::Detection,
            actor: String::new(),
            credential: None,
            targets: Vec::new(),
            techniques: techniques
                .iter()
                .map(|it| Technique::new(it).unwrap())
                .collect(),
            tactics: Vec::new(),
            evidence: evidence.collect(),
            evidence_total: times.len() as u64,
            rule_author: None,
            details: Vec::new(),
            muted_by: None,
        }
    }

    #[test]
    fn each_finding_counts_once_on_each_of_its_days_and_for_each_of_its_techniques() {
        let findings = [
            finding(
                "one",
                Severity::Low,
                &[
                    "1969-12-31T23:59:59Z",
                    "1970-01-01T00:00:00Z",
                    "1970-01-01T12:00:00Z",
                ],
                &["T1078.004", "T1078.004"],
            ),
            finding(
                "two",
                Severity::High,
                &["1970-01-01T23:59:59Z"],
                &["T1078.004", "T1552.005"],
            ),
            finding("two", Severity::Medium, &[], &[]),
        ];
        let totals = Totals::of(&findings);
        let day = |text: &str| totals.of_day(text.parse().unwrap());
        assert_eq!(day("1969-12-31"), Some((Severity::Low, 1)));
        assert_eq!(day("1970-01-01"), Some((Severity::High, 2)));
        assert_eq!(day("1970-01-02"), None);
        assert_eq!(totals.of_technique("T1078.004"), 2);
        assert_eq!(totals.of_technique("T1552.005"), 1);
        assert_eq!(totals.of_technique("T1098"), 0);
        assert_eq!((totals.of_rule("one"), totals.of_rule("two")), (1, 2));
        // In whatever order they come.
        assert_eq!(Totals::of(findings.iter().rev()), totals);
    }
}
