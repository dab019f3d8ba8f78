//! Reading the queues of Safes from a transaction service that lags, errs, lies, leaves things out and refuses.

mod answer;
mod desk;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;

pub use desk::{Desk, Fault, Round};

/// A transaction service. How it is reached is for whoever implements it; the desk never waits itself.
pub trait Service {
    /// What is at a path below the service's address, with its query: `/api/v1/safes/ADDRESS/`. The bytes of an
    /// answer with status 200.
    ///
    /// # Errors
    /// Where there is no such answer.
    fn get(&mut self, path: &str) -> Result<Vec<u8>, ServiceError>;
}

/// Why a service gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// Too many calls (HTTP 429).
    RateLimited {
        /// After how many seconds it may be called again, where it says so.
        seconds: Option<u64>,
    },
    /// Not reached, or the answer broke off.
    Unreachable(String),
    /// Another status than 200.
    Status(u16),
    /// The answer is larger than what is read.
    TooLarge,
    /// The answer is none.
    Garbage(String),
}

impl fmt::Display for ServiceError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited { .. } => to.write_str("it asks to be called less often"),
            Self::Unreachable(why) => write!(to, "not reached: {why}"),
            Self::Status(401 | 403) => to.write_str(
                "it does not let us in (status 401 or 403); check the token (PORTREEVE_QUEUE_TOKEN, --queue-token-file)",
            ),
            Self::Status(404) => to.write_str("it does not know the Safe (status 404); check the address and the chain"),
            Self::Status(status @ 300..=399) => write!(
                to,
                "it points elsewhere (status {status}), which is not followed; give the address that it points to"
            ),
            Self::Status(status) => write!(to, "it answered with status {status}"),
            Self::TooLarge => to.write_str("its answer is larger than what is read"),
            Self::Garbage(why) => write!(to, "its answer cannot be read: {why}"),
        }
    }
}

impl std::error::Error for ServiceError {}
