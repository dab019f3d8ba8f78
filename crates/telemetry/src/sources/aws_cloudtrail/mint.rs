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
        "ConsoleLogin" => MintMethod::ConsoleLogin,
        "SwitchRole" => MintMethod::SwitchRole,
        "GetSigninToken" => MintMethod::GetSigninToken,
        "GetRoleCredentials" => MintMethod::GetRoleCredentials,
        "Federate" => MintMethod::Federate,
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
        MintMethod::GetRoleCredentials | MintMethod::Federate => portal(wanted, record, method),
        MintMethod::ConsoleLogin | MintMethod::SwitchRole | MintMethod::GetSigninToken => {
            sign_in(wanted, record, method, actor)
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

/// What Identity Center's portal gave: a session of the role of a permission set in an account. Its
/// key is in no record: the response is left out of this one, and `AssumeRoleWithSAML` shows
/// another. See "Understanding CloudTrail events for IAM Identity Center" in the AWS IAM Identity
/// Center user guide.
fn portal<'a>(wanted: &Wanted, record: &'a dyn Record, method: MintMethod) -> Option<Minted<'a>> {
    let get = |field| text(record, field);
    if get(wanted.error_code).is_some() {
        return None;
    }
    let (account, role) = (get(wanted.portal_account)?, get(wanted.portal_role)?);
    let partition = arn::partition(get(wanted.region).unwrap_or_default());
    Some(Minted {
        credential: Cow::Borrowed(""),
        kind: CredentialKind::Session,
        principal: format!(
            "arn:{partition}:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{role}"
        )
        .into(),
        session: None,
        expires: None,
        method,
    })
}

/// The console session that a sign-in began. Only the federation endpoint tells a key of it.
fn sign_in<'a>(
    wanted: &Wanted,
    record: &'a dyn Record,
    method: MintMethod,
    actor: &Actor<'a>,
) -> Option<Minted<'a>> {
    let get = |field| text(record, field);
    let answer = match method {
        MintMethod::ConsoleLogin => wanted.login,
        MintMethod::SwitchRole => wanted.switched,
        _ => wanted.signin_token,
    };
    let failed = get(answer).is_some_and(|answer| answer != "Success");
    if failed || get(wanted.error_code).is_some() || get(wanted.error_message).is_some() {
        return None;
    }
    let (principal, session) = match method {
        // The record's own identity is the role that was switched to.
        MintMethod::SwitchRole => {
            let assumed = get(wanted.identity_arn).and_then(SessionArn::parse)?;
            (assumed.role_arn()?.into(), Some(assumed.session.into()))
        }
        _ => (actor.principal.clone(), actor.session.clone()),
    };
    let own = get(wanted.identity_key);
    let credential = get(wanted.minted_key).filter(|key| Some(*key) != own);
    Some(Minted {
        expires: credential.and_then(|_| super::time::of(record, wanted.minted_expiration)),
        credential: credential.unwrap_or_default().into(),
        kind: CredentialKind::Session,
        principal,
        session,
        method,
    })
}
