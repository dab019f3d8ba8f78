//! Correlations: documents that say what several matches mean together.
//!
//! This module reads them; [`crate::correlate`] evaluates them. The types of Sigma's
//! specification are read here whole. A type with a prefix of its own (`portreeve.first_seen`) is
//! an extension: its settings are kept with their places, for whoever knows the type to read
//! through a [`SettingsReader`]. Another tool refuses such a type rather than misread it.

mod kind;
mod read;
mod rule_condition;
mod threshold;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use portreeve_model::{Severity, Tactic, Technique};

use crate::diagnostic::{Diagnostic, DiagnosticKind, DiagnosticSeverity};
use crate::rule::Status;
use crate::settings::SettingsReader;
use crate::yaml::Node;

pub use kind::CorrelationKind;
pub(crate) use read::correlation;
pub use rule_condition::RuleCondition;
pub use threshold::{Bound, Threshold};
pub(crate) use values::{duration, number, problem, texts};

/// A Sigma correlation: what it is called, which rules it looks at, and what makes it fire.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// Its globally unique id.
    pub id: Option<String>,
    /// A name by which other correlations may refer to it.
    pub name: Option<String>,
    /// What it detects, in a few words.
    pub title: String,
    /// How mature it is.
    pub status: Option<Status>,
    /// How much it matters when it fires. One without a level counts as medium.
    pub level: Severity,
    /// What it detects, at length.
    pub description: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// All tags as written.
    pub tags: Vec<String>,
    /// The ATT&CK techniques among the tags.
    pub techniques: Vec<Technique>,
    /// The ATT&CK tactics among the tags.
    pub tactics: Vec<Tactic>,
    /// Where its author learnt of the behaviour.
    pub references: Vec<String>,
    /// Known harmless causes.
    pub falsepositives: Vec<String>,
    /// The file that it was read from.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// The map under the top-level key `portreeve`; null where there is none.
    pub fields: serde_json::Value,
    /// What kind of correlation it is.
    pub kind: CorrelationKind,
    /// The rules and correlations that it refers to, by name or id, in its order.
    pub rules: Vec<String>,
    /// Whether the rules that it refers to also stand for themselves. If not, they are parts of
    /// this one and show nothing alone.
    pub generate: bool,
    /// The fields that must agree: each combination of their values is a group of its own.
    pub group_by: Vec<String>,
    /// What a field of `group_by` is called in the records of a rule: alias, rule, field.
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Within how many seconds it must happen.
    pub timespan: Option<u64>,
    /// From which count, sum or number of rules it fires.
    pub condition: Option<Threshold>,
    /// Which of its rules must match, where the condition is over their names.
    pub rule_condition: Option<RuleCondition>,
    pub(crate) settings: Vec<Setting>,
}

#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) place: (usize, usize),
    pub(crate) value: Arc<Node>,
}

impl Correlation {
    /// Something to tell about it, at its first line.
    pub fn diagnostic(
        &self,
        severity: DiagnosticSeverity,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: self.file.clone(),
            line: self.line,
            column: 1,
            span: 0..0,
            severity,
            kind: DiagnosticKind::Correlation,
            message: format!("{}: {}", self.title, message.into()),
            help: None,
        }
    }

    /// The name of a field in the records of a rule: an alias is followed, where it has one for
    /// this rule.
    pub fn field<'f>(&'f self, field: &'f str, rule: &[&str]) -> &'f str {
        self.aliases
            .get(field)
            .and_then(|of_rules| rule.iter().find_map(|name| of_rules.get(*name)))
            .map_or(field, String::as_str)
    }

    /// A reader of the settings of an extension.
    pub fn settings(&self) -> SettingsReader<'_> {
        SettingsReader::new(self)
    }

    /// Everything that decides when it fires, in one text: where it changes, what was remembered
    /// for it means nothing any more.
    pub fn definition(&self) -> String {
        let mut settings: Vec<String> = self
            .settings
            .iter()
            .map(|setting| format!("{}={}", setting.key, setting.value.to_json()))
            .collect();
        settings.extend(
            self.rule_condition
                .iter()
                .map(|condition| format!("{:?}", condition.expression)),
        );
        format!(
            "{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}",
            self.kind,
            self.rules,
            self.group_by,
            self.aliases,
            self.timespan,
            self.condition,
            settings
        )
    }
}
