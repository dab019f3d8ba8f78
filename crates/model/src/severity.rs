use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much a finding or an incident matters, in the five steps that Sigma's `level` and OCSF's
/// `severity_id` share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; scores, never pages.
    #[default]
    Informational,
    /// Weak on its own.
    Low,
    /// Worth a look the same day.
    Medium,
    /// Worth a look now.
    High,
    /// An intrusion, or its consequence.
    Critical,
}

impl Severity {
    /// All five, lowest first.
    pub const ALL: [Severity; 5] = [
        Severity::Informational,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];

    /// The lower-case name used in every machine-readable report.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// OCSF 1.x `severity_id`: 1 (informational) to 5 (critical).
    pub fn ocsf_id(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownSeverity(text.to_owned()))
    }
}

/// A severity that is none of the five names.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a severity; use informational, low, medium, high or critical")]
pub struct UnknownSeverity(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_order_rises() {
        for pair in Severity::ALL.windows(2) {
            assert!(pair[0] < pair[1]);
        }
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse::<Severity>().unwrap(), severity);
        }
        assert!("urgent".parse::<Severity>().is_err());
        assert_eq!(Severity::Critical.ocsf_id(), 5);
    }
}
