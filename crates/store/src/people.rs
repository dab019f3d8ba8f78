//! What people add to incidents, and who may.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::StoreError;

/// What someone wrote to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub who: String,
    /// When, by the server's clock.
    pub time: Timestamp,
    /// What.
    pub words: String,
}

/// Whose an incident is, and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// Who looks after it.
    pub owner: Option<String>,
    /// How it stands.
    pub state: State,
}

/// What someone decided of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its number; numbers rise. What it is given as does not matter where it is added.
    pub number: u64,
    /// The incident, by the id that it had.
    pub incident: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// The other incident, or the part.
    pub what: String,
    /// Who.
    pub who: String,
    /// When, by the server's clock.
    pub time: Timestamp,
    /// Who undid it, and when.
    pub undone: Option<(String, Timestamp)>,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, by the server's clock.
    pub time: Timestamp,
    /// The name of the token, or `loopback`.
    pub who: String,
    /// What was done: `note`, `care`, `join`, `part`, `undo`, `denied`.
    pub did: String,
    /// On what.
    pub what: String,
}

/// A token as it is kept: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// What it is called in the audit log.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// SHA-256 of the token, which is 32 random bytes, so that no salt and no slow hash are needed.
    pub hash: [u8; 32],
    /// When it was made.
    pub made: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

/// A word out of a fixed list was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of {expected}")]
pub struct WordError {
    found: String,
    expected: &'static str,
}

macro_rules! words {
    ($type:ident, $all:literal, $($variant:ident => $word:literal),+) => {
        impl $type {
            /// The word that it is stored and shown as.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(WordError { found: text.to_owned(), expected: $all }),
                }
            }
        }
    };
}

/// How an incident stands with those who look after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nobody has looked at it.
    #[default]
    New,
    /// Someone is at it.
    Investigating,
    /// The intruder is shut out.
    Contained,
    /// Done with.
    Closed,
    /// It was none.
    FalsePositive,
}

words!(State, "new, investigating, contained, closed, false-positive",
    New => "new", Investigating => "investigating", Contained => "contained", Closed => "closed",
    FalsePositive => "false-positive");

impl State {
    /// All of them, in the order in which they mostly follow one another.
    pub const ALL: [State; 5] = [
        State::New,
        State::Investigating,
        State::Contained,
        State::Closed,
        State::FalsePositive,
    ];

    /// Whether there is nothing more to do.
    pub fn is_over(self) -> bool {
        matches!(self, State::Closed | State::FalsePositive)
    }
}

/// What can be decided of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// It and another are one.
    Join,
    /// A part is not of it.
    Part,
}

words!(DecisionKind, "join, part", Join => "join", Part => "part");

/// What the bearer of a token may do. Each may what those before it may, but for `ingest`, which may
/// nothing but hand in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Hand in records, and nothing else.
    Ingest,
    /// Look at everything.
    Viewer,
    /// Write notes, take incidents on, say how they stand, join them and take parts out of them.
    Responder,
    /// See the audit log; hand in records.
    Admin,
}

words!(Role, "ingest, viewer, responder, admin",
    Ingest => "ingest", Viewer => "viewer", Responder => "responder", Admin => "admin");

impl Role {
    /// Whether one of this role may what is asked of that role.
    pub fn may(self, needed: Role) -> bool {
        match needed {
            Role::Ingest => matches!(self, Role::Ingest | Role::Admin),
            _ => self >= needed,
        }
    }
}

pub(crate) fn stored<T: FromStr>(word: &str) -> Result<T, StoreError> {
    word.parse()
        .map_err(|_| StoreError::Value(format!("`{word}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_lesser_may() {
        let roles = [Role::Ingest, Role::Viewer, Role::Responder, Role::Admin];
        let may: Vec<Vec<bool>> = roles
            .iter()
            .map(|role| roles.iter().map(|needed| role.may(*needed)).collect())
            .collect();
        assert_eq!(
            may,
            [
                [true, false, false, false],
                [false, true, false, false],
                [false, true, true, false],
                [true, true, true, true],
            ]
        );
    }

    #[test]
    fn words_come_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        let error = "done".parse::<State>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`done` is none of new, investigating, contained, closed, false-positive"
        );
    }
}
