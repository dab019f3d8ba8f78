use portreeve_authz::aws::{Absent, Context, ContextValue};
use serde::{Deserialize, Serialize};

/// The circumstances of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Condition keys with their values; without any, the request does not carry the key.
    /// `aws:SecureTransport` is true and `aws:ViaAWSService` is
    /// false where nothing else is said.
    pub context: Vec<(String, Vec<String>)>,
    /// Whether a key that is not among them is absent; else nothing is known of it.
    pub strict: bool,
}

impl Circumstances {
    /// Those of a session that was made without a second factor: its requests say so. Those of a
    /// long-term key say nothing of it, which some policies forget:
    /// `Circumstances::default().with("aws:MultiFactorAuthPresent", &[])`.
    pub fn without_mfa() -> Self {
        Self {
            context: vec![
                (
                    "aws:MultiFactorAuthPresent".to_owned(),
                    vec!["false".to_owned()],
                ),
                ("aws:MultiFactorAuthAge".to_owned(), Vec::new()),
            ],
            strict: false,
        }
    }

    /// The same, and one more thing: a condition key with its values. None: the request does not
    /// carry the key.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.context.push((key.to_owned(), values));
        self
    }

    /// A context with these laid over it.
    pub(crate) fn laid_over(&self, mut context: Context) -> Context {
        if self.strict {
            context.absent = Absent::Absent;
        }
        for (key, values) in &self.context {
            match values.as_slice() {
                [] => context.set(key, ContextValue::Absent),
                [one] => context.set(key, one.as_str()),
                many => context.set(key, many.to_vec()),
            };
        }
        context
    }
}
