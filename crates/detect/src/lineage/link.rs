use std::fmt;

use jiff::Timestamp;
use portreeve_model::{CredentialKind, MintMethod};
use serde::{Deserialize, Serialize};

use crate::activities::RowId;
use crate::strings::Symbol;

/// How sure it is that one credential was made with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// More than one answer fits what the records say.
    Possible,
    /// Time, principal and person fit, and nothing else in the logs does; no record says it.
    Likely,
    /// A record says it.
    Certain,
}

impl Certainty {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Possible => "possible",
            Certainty::Likely => "likely",
            Certainty::Certain => "certain",
        }
    }
}

/// Why one credential is taken to be made with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The call that made it returned its key.
    ReturnedKey,
    /// Its own records name the session of the access portal.
    NamesPortal,
    /// A portal session of the same person gave this permission set in this account at its
    /// creation.
    Portal {
        /// How many seconds lie between the portal's call and the session's creation.
        seconds: i64,
        /// Whether the person is known by the id of the identity store, not by name alone.
        by_id: bool,
        /// Whether `AssumeRoleWithSAML` of the same role and name shows the provider's part.
        seen: bool,
        /// How many portal sessions fit.
        fitting: usize,
    },
    /// Identity Center assumed the role for the same name at its creation; the portal's own call
    /// is not in the logs.
    Provider,
    /// The same principal signed in to the console at its creation.
    Login {
        /// How many seconds lie between sign-in and creation.
        seconds: i64,
        /// How many sign-ins fit.
        fitting: usize,
    },
    /// The session was handed over to the console, and its records go on there with the same
    /// date of creation.
    HandedOver,
    /// The same principal asked for a sign-in token at its creation.
    SigninToken {
        /// How many seconds lie between the call and the creation.
        seconds: i64,
        /// How many calls fit.
        fitting: usize,
    },
    /// Someone switched to this role in the console at its creation.
    Switch {
        /// How many seconds lie between the switch and the creation.
        seconds: i64,
        /// How many of the switcher's console sessions it may have come from.
        fitting: usize,
    },
    /// It carries the source identity of another credential that was alive at its creation.
    SourceIdentity {
        /// How many credentials fit.
        fitting: usize,
    },
    /// Its records say that it was delivered by an instance's metadata service.
    Delivered,
    /// The service that runs the workload assumed the role for it.
    ServiceAssumed,
    /// Its session is named as an instance's are; whoever assumes a role may choose such a name.
    SessionName,
}

impl Reason {
    /// How sure it makes.
    pub fn certainty(self) -> Certainty {
        match self {
            Reason::ReturnedKey
            | Reason::NamesPortal
            | Reason::Delivered
            | Reason::ServiceAssumed => Certainty::Certain,
            Reason::Provider | Reason::HandedOver | Reason::SessionName => Certainty::Likely,
            Reason::Portal { fitting, .. }
            | Reason::Login { fitting, .. }
            | Reason::SigninToken { fitting, .. }
            | Reason::Switch { fitting, .. }
            | Reason::SourceIdentity { fitting } => {
                if fitting > 1 {
                    Certainty::Possible
                } else {
                    Certainty::Likely
                }
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let apart = |seconds: i64| match seconds.abs() {
            0 => "at the second of its creation".to_owned(),
            1 => "1 s from its creation".to_owned(),
            seconds => format!("{seconds} s from its creation"),
        };
        let among = |out: &mut fmt::Formatter<'_>, fitting: usize, what: &str| {
            if fitting > 1 {
                write!(out, "; {fitting} {what} fit")
            } else {
                Ok(())
            }
        };
        match *self {
            Reason::ReturnedKey => out.write_str("the call that made it returned its key"),
            Reason::NamesPortal => out.write_str("its own records name the portal session"),
            Reason::Portal {
                seconds,
                by_id,
                seen,
                fitting,
            } => {
                let who = if by_id {
                    "the same person"
                } else {
                    "a person of the same user name"
                };
                write!(
                    out,
                    "{who} took this permission set in this account from the portal {}",
                    apart(seconds)
                )?;
                if seen {
                    out.write_str(", when Identity Center assumed the role")?;
                }
                among(out, fitting, "portal sessions")
            }
            Reason::Provider => out.write_str(
                "Identity Center assumed the role under this name at its creation; the portal's \
                 call is not in the logs",
            ),
            Reason::Login { seconds, fitting } => {
                write!(
                    out,
                    "the same principal signed in to the console {}",
                    apart(seconds)
                )?;
                among(out, fitting, "sign-ins")
            }
            Reason::HandedOver => out.write_str(
                "the session was handed over to the console, where its date of creation goes on",
            ),
            Reason::SigninToken { seconds, fitting } => {
                write!(
                    out,
                    "the same principal asked for a sign-in token {}",
                    apart(seconds)
                )?;
                among(out, fitting, "calls")
            }
            Reason::Switch { seconds, fitting } => {
                write!(out, "the console switched to this role {}", apart(seconds))?;
                among(out, fitting, "sessions of who switched")
            }
            Reason::SourceIdentity { fitting } => {
                out.write_str("it carries the same source identity")?;
                among(out, fitting, "credentials")
            }
            Reason::Delivered => {
                out.write_str("its records say that the instance's metadata service gave it")
            }
            Reason::ServiceAssumed => {
                out.write_str("the service that runs the workload assumed the role for it")
            }
            Reason::SessionName => out.write_str(
                "its session has an instance's name, which whoever assumes a role may choose",
            ),
        }
    }
}

/// One minting: how a credential came to be.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The credential that was made. In what stage one gathers [`Symbol::NONE`] where the record
    /// does not tell its id.
    pub child: Symbol,
    /// The credential that it was made with; [`Symbol::NONE`] where the logs do not tell.
    pub parent: Symbol,
    /// What was made.
    pub kind: CredentialKind,
    /// The principal that it proves.
    pub principal: Symbol,
    /// The session name asked for.
    pub session: Symbol,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// By which operation.
    pub method: MintMethod,
    /// The row of the call by which its holder got it; `None` where that is not in the logs.
    pub row: Option<RowId>,
    /// Why parent and child belong together.
    pub reason: Reason,
}

impl Link {
    /// How sure it is.
    pub fn certainty(&self) -> Certainty {
        self.reason.certainty()
    }
}
