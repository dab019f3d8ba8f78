use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use portreeve_model::{Severity, Tactic, Technique};

use crate::detection::Leaf;
use crate::expression::Expression;

/// A Sigma rule: what it is called, what it is meant for, and what it looks for.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its globally unique id.
    pub id: Option<String>,
    /// A name by which correlations may refer to it.
    pub name: Option<String>,
    /// What it detects, in a few words.
    pub title: String,
    /// How mature it is.
    pub status: Option<Status>,
    /// How much a match matters. A rule without a level counts as medium.
    pub level: Severity,
    /// What it detects, at length. Empty where the rule has none.
    pub description: String,
    /// Who wrote it; to be named wherever the rule or its match is shown.
    pub author: Option<String>,
    /// The licence, as an SPDX id.
    pub license: Option<String>,
    /// All tags as written.
    pub tags: Vec<String>,
    /// The ATT&CK techniques among the tags.
    pub techniques: Vec<Technique>,
    /// The ATT&CK tactics among the tags.
    pub tactics: Vec<Tactic>,
    /// Where its author learnt of the behaviour.
    pub references: Vec<String>,
    /// Known harmless causes of a match.
    pub falsepositives: Vec<String>,
    /// Paths of the fields that whoever looks at a match wants to see: Sigma's `fields`.
    pub shown: Vec<String>,
    /// The logs that it is meant for. The matcher does not look at it: whoever compiles rules for
    /// a log chooses them.
    pub logsource: LogSource,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The map under the top-level key `portreeve`, for what Sigma has no place for; null where
    /// there is none.
    pub fields: serde_json::Value,
    pub(crate) condition: Expression<Leaf>,
    /// Paths asked for, sorted, each once.
    pub(crate) paths: Vec<Arc<str>>,
}

impl Rule {
    /// All field paths that the rule asks for, in alphabetical order, each once.
    ///
    /// A caller tells by them which rules ask for derived fields (`portreeve.*`).
    pub fn field_paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| &**path)
    }

    /// What it asks of which logs, written out: two rules of which this is the same match the same
    /// records.
    pub fn question(&self) -> String {
        format!("{:?} {:?}", self.logsource, self.condition)
    }
}

/// The logs that a rule is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogSource {
    /// The product that writes them: `aws`, `windows`.
    pub product: Option<String>,
    /// What they tell of: `process_creation`, `webserver`.
    pub category: Option<String>,
    /// One log of the product: `cloudtrail`, `sshd`.
    pub service: Option<String>,
}

impl LogSource {
    /// Whether everything that this one names, the other names too, and alike.
    pub fn includes(&self, other: &LogSource) -> bool {
        let agrees =
            |mine: &Option<String>, theirs: &Option<String>| mine.is_none() || mine == theirs;
        agrees(&self.product, &other.product)
            && agrees(&self.category, &other.category)
            && agrees(&self.service, &other.service)
    }
}

/// How mature a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Fit for production.
    Stable,
    /// Mostly stable; may need small adjustments.
    Test,
    /// May be noisy.
    Experimental,
    /// Replaced by another rule.
    Deprecated,
    /// Cannot be used in its current state.
    Unsupported,
}

impl Status {
    /// All five.
    pub const ALL: [Status; 5] = [
        Status::Stable,
        Status::Test,
        Status::Experimental,
        Status::Deprecated,
        Status::Unsupported,
    ];

    /// The word used in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Stable => "stable",
            Status::Test => "test",
            Status::Experimental => "experimental",
            Status::Deprecated => "deprecated",
            Status::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A status that is none of the five words.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a status; use stable, test, experimental, deprecated or unsupported")]
pub struct UnknownStatus(String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}
