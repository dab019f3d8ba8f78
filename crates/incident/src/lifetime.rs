//! What a credential is, and when it ends by itself.

use jiff::Timestamp;
use portreeve_detect::{Folded, Symbol};
use portreeve_model::{CredentialKind, MintMethod};

/// What a credential is, as its use or its minting says.
pub(crate) fn kind(folded: &Folded, credential: Symbol) -> CredentialKind {
    let used = folded.lineage.facts(credential).map(|facts| facts.kind);
    used.or_else(|| folded.lineage.mint(credential).map(|link| link.kind))
        .unwrap_or(CredentialKind::Other)
}

/// When a session was created, as its records say.
pub(crate) fn created(folded: &Folded, credential: Symbol) -> Option<Timestamp> {
    folded
        .lineage
        .facts(credential)
        .and_then(|facts| facts.created)
}

/// When a session ends by itself: known, or the latest possible.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Known(Timestamp),
    AtLatest(Timestamp),
}

impl End {
    pub(crate) fn time(self) -> Timestamp {
        match self {
            End::Known(time) | End::AtLatest(time) => time,
        }
    }
}

/// The longest that sessions of a role live, and those of `GetSessionToken` and
/// `GetFederationToken`. See "Temporary security credentials in IAM" in the AWS IAM user guide.
const ROLE_SESSION_HOURS: i64 = 12;
const USER_SESSION_HOURS: i64 = 36;

/// When a session ends by itself; `None` for what does not, and where nothing is known.
pub(crate) fn end(folded: &Folded, credential: Symbol) -> Option<End> {
    if kind(folded, credential) != CredentialKind::Session {
        return None;
    }
    let link = folded.lineage.mint(credential);
    if let Some(expires) = link.and_then(|link| link.expires) {
        return Some(End::Known(expires));
    }
    let minted = link
        .and_then(|link| link.row)
        .and_then(|row| folded.activities.get(row).time());
    let start = created(folded, credential).or(minted)?;
    let is_user = match link {
        Some(link) => {
            matches!(
                link.method,
                MintMethod::GetSessionToken | MintMethod::GetFederationToken
            )
        }
        None => folded
            .actors
            .of_credential(credential)
            .iter()
            .map(|persona| folded.actors.persona(*persona).principal)
            .any(|principal| {
                let id = folded.activities.strings().get(principal);
                !id.unwrap_or_default().contains(":role/")
            }),
    };
    let hours = if is_user {
        USER_SESSION_HOURS
    } else {
        ROLE_SESSION_HOURS
    };
    let end = Timestamp::from_second(start.as_second().saturating_add(hours * 3_600)).ok()?;
    Some(End::AtLatest(end))
}
