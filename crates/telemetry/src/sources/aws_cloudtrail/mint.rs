use std::borrow::Cow;

use portreeve_model::{Actor, CredentialKind, MintMethod, Minted};
use portreeve_record::Record;

use super::arn::{self, SessionArn};
use super::identity::key_kind;
use super::wanted::{Wanted, text};

/// The credential that a call made, where its record shows one. A call that failed shows none.
pub(super) fn read<'a>(
    wanted: &Wanted,
    record: &'a dyn Record,
    operation: &str,
    actor: &Actor<'a>,
) -> Option<Minted<'a>> {
    let method = match operation {
        "AssumeRole" => MintMethod::AssumeRole,
        "AssumeRoleWithWebIdentity" => MintMethod::AssumeRoleWithWebIdentity,
        "AssumeRoleWithSAML" => MintMethod::AssumeRoleWithSaml,
        "AssumeRoot" => MintMethod::AssumeRoot,
        "GetSessionToken" => MintMethod::GetSessionToken,
        "GetFederationToken" => MintMethod::GetFederationToken,
        "CreateAccessKey" => MintMethod::CreateAccessKey,
        "CreateLoginProfile" => MintMethod::CreateLoginProfile,
        _ => return None,
    };
    let get = |field| text(record, field);
    let region = get(wanted.region).unwrap_or_default();
    let named_user = |user: Option<&'a str>| match (user, &actor.account) {
        (Some(user), Some(account)) => Cow::Owned(arn::user(account, user, region)),
        (Some(user), None) => user.into(),
        // A call that names no user is about the caller.
        (None, _) => actor.principal.clone(),
    };
    match method {
        MintMethod::CreateAccessKey => {
            let credential = get(wanted.created_key)?;
            let user = get(wanted.created_key_user).or_else(|| get(wanted.asked_user));
            Some(Minted {
                credential: credential.into(),
                kind: CredentialKind::AccessKey,
                principal: named_user(user),
                session: None,
                expires: None,
                method,
            })
        }
        MintMethod::CreateLoginProfile => {
            if get(wanted.error_code).is_some() {
                return None;
            }
            let principal = named_user(get(wanted.login_user).or_else(|| get(wanted.asked_user)));
            Some(Minted {
                credential: format!("password:{principal}").into(),
                kind: CredentialKind::Password,
                principal,
                session: None,
                expires: None,
                method,
            })
        }
        _ => {
            let credential = get(wanted.minted_key)?;
            let assumed = get(wanted.assumed_arn).and_then(SessionArn::parse);
            let (principal, session) = match method {
                MintMethod::GetSessionToken => (actor.principal.clone(), actor.session.clone()),
                MintMethod::GetFederationToken => (
                    actor.principal.clone(),
                    get(wanted.asked_name).map(Cow::Borrowed),
                ),
                MintMethod::AssumeRoot => (
                    arn::principal(get(wanted.asked_root).unwrap_or_default(), region),
                    None,
                ),
                _ => (
                    get(wanted.asked_role)
                        .map(Cow::Borrowed)
                        .or_else(|| assumed?.role_arn().map(Cow::Owned))
                        .unwrap_or_default(),
                    get(wanted.asked_session)
                        .or(assumed.map(|assumed| assumed.session))
                        .map(Cow::Borrowed),
                ),
            };
            let expires = super::time::of(record, wanted.minted_expiration);
            Some(Minted {
                credential: credential.into(),
                kind: match key_kind(credential) {
                    CredentialKind::AccessKey => CredentialKind::AccessKey,
                    // What STS gives is a session, whatever its id looks like.
                    _ => CredentialKind::Session,
                },
                principal,
                session,
                expires,
                method,
            })
        }
    }
}
