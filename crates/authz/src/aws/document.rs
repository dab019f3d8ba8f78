use thiserror::Error;

/// Why a policy, or a part of it, cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path} (line {line}, column {column}): {reason}; {advice}")]
pub struct PolicyError {
    /// Where in the document: `$.Statement[2].Effect`.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub advice: String,
}

/// A policy document, compiled.
#[derive(Clone, Debug, Default)]
pub struct Document {
    defects: Vec<PolicyError>,
}

impl Document {
    /// Reads a policy, all of which must be understood.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document = Self::parse_lenient(text);
        match document.defects.first() {
            Some(defect) => Err(defect.clone()),
            None => Ok(document),
        }
    }

    /// Reads what can be read of a policy; [`Document::defects`] holds the rest.
    pub fn parse_lenient(_text: &str) -> Self {
        Self::default()
    }

    /// A policy of which nothing is known but that it is there.
    pub fn unseen(_reason: &str) -> Self {
        Self::default()
    }

    /// What could not be understood.
    pub fn defects(&self) -> &[PolicyError] {
        &self.defects
    }

    /// Whether any statement could apply to an action (`s3:GetObject`, case does not matter).
    pub fn mentions_action(&self, _action: &str) -> bool {
        true
    }
}
