use std::borrow::Cow;

use portreeve_model::{Actor, CredentialKind, CredentialRef, PrincipalKind, is_pipeline_issuer};
use portreeve_record::Record;

use super::arn::{self, SessionArn};
use super::kind;
use super::wanted::{Wanted, text, truth};

/// Who acted, and with what.
pub(super) fn read<'a>(
    wanted: &Wanted,
    record: &'a dyn Record,
    operation: &str,
) -> (Actor<'a>, Option<CredentialRef<'a>>) {
    let get = |field| text(record, field);
    let arn = get(wanted.identity_arn);
    let region = get(wanted.region).unwrap_or_default();
    let account = get(wanted.identity_account)
        .or_else(|| get(wanted.issuer_account))
        .or_else(|| arn.and_then(arn::account));
    let invoked_by = get(wanted.identity_invoked_by);
    let session_arn = arn.and_then(SessionArn::parse);
    let by_key = get(wanted.identity_key);
    let console = truth(record, wanted.from_console) == Some(true) || operation == "ConsoleLogin";

    let mut actor = Actor {
        account: account.map(Cow::Borrowed),
        on_behalf_of: get(wanted.session_source_identity)
            .or_else(|| get(wanted.on_behalf_of))
            .map(Cow::Borrowed),
        person: get(wanted.on_behalf_of).map(Cow::Borrowed),
        source_identity: get(wanted.session_source_identity).map(Cow::Borrowed),
        portal: get(wanted.identity_credential).map(Cow::Borrowed),
        delivered: !record.values(wanted.session_delivery).is_empty(),
        invoked_by: invoked_by.map(Cow::Borrowed),
        ..Actor::default()
    };
    // Until July 2025 the portal wrote `Unknown` for its users, with the same person and session.
    let declared = match get(wanted.identity_type) {
        Some("Unknown") if actor.person.is_some() && actor.portal.is_some() => {
            Some("IdentityCenterUser")
        }
        declared => declared,
    };
    // A record without a type, or with one unheard of, is read by the shape of its ARN.
    let kind = match declared {
        Some(kind) if TYPES.contains(&kind) => kind,
        _ => match session_arn {
            Some(session) if session.role.is_empty() => "FederatedUser",
            Some(_) => "AssumedRole",
            None if arn.is_some_and(|arn| arn.contains(":user/")) => "IAMUser",
            None if arn.is_some_and(|arn| arn.ends_with(":root")) => "Root",
            None if declared.is_none() && invoked_by.is_some() => "AWSService",
            None => "",
        },
    };
    let mut token = None;
    match kind {
        "Root" => {
            actor.principal = match account {
                Some(account) => arn::account_root(account, region).into(),
                None => arn.unwrap_or_default().into(),
            };
            actor.kind = PrincipalKind::Human;
        }
        "IAMUser" => {
            actor.principal = match (arn, account, get(wanted.identity_user)) {
                (Some(arn), ..) => arn.into(),
                (None, Some(account), Some(user)) => arn::user(account, user, region).into(),
                (None, _, user) => user
                    .or_else(|| get(wanted.identity_principal))
                    .unwrap_or_default()
                    .into(),
            };
            if console {
                actor.kind = PrincipalKind::Human;
            }
        }
        "AssumedRole" | "Role" => {
            let role = || session_arn.and_then(|session| session.role_arn());
            let other = || arn.or_else(|| get(wanted.identity_principal));
            actor.principal = get(wanted.issuer_arn)
                .map(Cow::Borrowed)
                .or_else(|| role().map(Cow::Owned))
                .or_else(|| other().map(Cow::Borrowed))
                .unwrap_or_default();
            let session = session_arn.map(|session| session.session).or_else(|| {
                get(wanted.identity_principal)?
                    .split_once(':')
                    .map(|(_, session)| session)
            });
            actor.kind = kind::of_session(
                &actor.principal,
                session.unwrap_or_default(),
                get(wanted.session_provider),
            );
            if actor.kind == PrincipalKind::Unknown && get(wanted.on_behalf_of).is_some() {
                actor.kind = PrincipalKind::Human;
            }
            actor.session = session.map(Cow::Borrowed);
        }
        "FederatedUser" => {
            actor.principal = get(wanted.issuer_arn).or(arn).unwrap_or_default().into();
            actor.session = session_arn
                .map(|session| session.session)
                .or_else(|| get(wanted.identity_user))
                .map(Cow::Borrowed);
        }
        "AWSAccount" => {
            actor.principal = match (arn, account) {
                (Some(arn), _) => arn.into(),
                (None, Some(account)) => arn::account_root(account, region).into(),
                (None, None) => get(wanted.identity_principal).unwrap_or_default().into(),
            };
            // Of a caller in another account only ids are told: `AROA…:session`.
            actor.session = get(wanted.identity_principal)
                .and_then(|principal| principal.split_once(':'))
                .map(|(_, session)| session.into());
        }
        "AWSService" => {
            actor.principal = invoked_by
                .or(arn)
                .or_else(|| get(wanted.identity_principal))
                .or_else(|| get(wanted.address))
                .unwrap_or_default()
                .into();
            actor.kind = PrincipalKind::Service;
        }
        "WebIdentityUser" => {
            let provider = issuer_name(get(wanted.identity_provider).unwrap_or_default());
            let subject = get(wanted.identity_user);
            actor.principal = match subject {
                Some(subject) => format!("{provider}:{subject}").into(),
                None => get(wanted.identity_principal).unwrap_or(provider).into(),
            };
            if is_pipeline_issuer(provider) {
                actor.kind = PrincipalKind::Pipeline;
            }
            actor.subject = Some(actor.principal.clone());
            token = Some(actor.principal.clone());
        }
        "SAMLUser" => {
            let provider = get(wanted.saml_provider)
                .or_else(|| get(wanted.identity_provider))
                .unwrap_or_default();
            let name = get(wanted.identity_user)
                .or_else(|| {
                    get(wanted.identity_principal)?
                        .rsplit_once(':')
                        .map(|(_, name)| name)
                })
                .unwrap_or_default();
            actor.principal = format!("{provider}:{name}").into();
            actor.kind = PrincipalKind::Human;
            actor.subject = Some(actor.principal.clone());
            token = Some(actor.principal.clone());
        }
        "IdentityCenterUser" => {
            actor.principal = match get(wanted.on_behalf_of) {
                Some(user) => format!("arn:aws:identitystore:::user/{user}").into(),
                None => arn
                    .or_else(|| get(wanted.identity_principal))
                    .unwrap_or_default()
                    .into(),
            };
            actor.session = get(wanted.identity_user).map(Cow::Borrowed);
            actor.kind = PrincipalKind::Human;
        }
        "Directory" => {
            actor.principal = arn
                .or_else(|| get(wanted.identity_user))
                .or_else(|| get(wanted.identity_principal))
                .unwrap_or_default()
                .into();
            actor.kind = PrincipalKind::Human;
        }
        _ => {
            actor.principal = arn
                .or_else(|| get(wanted.identity_principal))
                .or_else(|| get(wanted.identity_user))
                .or(invoked_by)
                .map(Cow::Borrowed)
                .or_else(|| Some(arn::account_root(account?, region).into()))
                .unwrap_or_default();
        }
    }

    // The console's record of a switch names the role's new session as its identity; who switched
    // is told apart.
    if operation == "SwitchRole"
        && let Some(from) = get(wanted.switched_from)
    {
        match SessionArn::parse(from) {
            Some(session) => {
                actor.principal = session.role_arn().map_or(from.into(), Cow::Owned);
                actor.session = Some(session.session.into());
            }
            None => {
                actor.principal = from.into();
                actor.session = None;
            }
        }
        actor.account = arn::account(from).map(Cow::Borrowed).or(actor.account);
        actor.kind = PrincipalKind::Human;
    }

    let created = get(wanted.session_created).and_then(super::time::read);
    let mfa = truth(record, wanted.session_mfa).or_else(|| match get(wanted.mfa_used)? {
        "Yes" => Some(true),
        "No" => Some(false),
        _ => None,
    });
    let proof = if let Some(key) = by_key {
        Some((Cow::Borrowed(key), key_kind(key)))
    } else if let Some(token) = token {
        Some((token, CredentialKind::Token))
    } else if let Some(credential) = get(wanted.identity_credential) {
        Some((Cow::Borrowed(credential), CredentialKind::Session))
    } else if let Some(created) = get(wanted.session_created) {
        let session = arn.unwrap_or(&actor.principal);
        Some((
            Cow::Owned(format!("{session}@{created}")),
            CredentialKind::Session,
        ))
    } else if operation == "ConsoleLogin"
        && matches!(kind, "IAMUser" | "Root")
        && !actor.principal.is_empty()
    {
        Some((
            Cow::Owned(format!("password:{}", actor.principal)),
            CredentialKind::Password,
        ))
    } else {
        None
    };
    let credential = proof.map(|(id, kind)| CredentialRef {
        id,
        kind,
        created,
        mfa,
        console,
    });
    (actor, credential)
}

/// The types that are read by a rule of their own.
const TYPES: &[&str] = &[
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "AWSAccount",
    "AWSService",
    "WebIdentityUser",
    "SAMLUser",
    "IdentityCenterUser",
    "Directory",
];

/// What an access key id is, by its first letters.
pub(super) fn key_kind(key: &str) -> CredentialKind {
    if key.starts_with("AKIA") {
        CredentialKind::AccessKey
    } else if key.starts_with("ASIA") {
        CredentialKind::Session
    } else {
        CredentialKind::Other
    }
}

/// The issuer's name in the ARN of its provider, else the text itself.
fn issuer_name(provider: &str) -> &str {
    provider
        .split_once("oidc-provider/")
        .map_or(provider, |(_, name)| name)
}
