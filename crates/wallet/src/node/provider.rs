//! A node, as the reader speaks to it.

use serde_json::Value;

/// A node's JSON-RPC. How it is reached is for whoever implements it; the reader never waits itself.
pub trait Provider {
    /// What people call it; told where it disagrees. Not its whole address, which may hold a key.
    fn name(&self) -> &str;

    /// One call: the `result` of the answer.
    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError>;
}

/// Why a node gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Too many calls (HTTP 429, or the error -32005).
    #[error("it asks to be called less often")]
    RateLimited {
        /// After how many seconds it may be called again, where it says so.
        seconds: Option<u64>,
    },
    /// Not reached, or the answer broke off.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The answer is none.
    #[error("its answer cannot be read: {0}")]
    Garbage(String),
    /// It refused.
    #[error("it answered with error {code}: {message}")]
    Refused {
        /// JSON-RPC's code.
        code: i64,
        /// Its words.
        message: String,
    },
}
