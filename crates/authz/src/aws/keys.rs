//! Condition keys: their values in a request, and who decides them.

use std::borrow::Cow;

use super::request::{Absent, Caller, CallerKind, Context, ContextValue};
use crate::KeyClass;

/// What is known of a key's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known<'a> {
    One(Cow<'a, str>),
    Many(&'a [String]),
    Absent,
    Unknown,
}

/// The keys of one request: those given, and those that follow from caller and resource.
pub(super) struct Keys<'a> {
    context: Option<&'a Context>,
    caller: Option<&'a Caller>,
    resource_account: Option<&'a str>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        context: &'a Context,
        caller: &'a Caller,
        resource_account: Option<&'a str>,
    ) -> Self {
        Self {
            context: Some(context),
            caller: Some(caller),
            resource_account,
        }
    }

    /// No keys at all, each of them absent.
    #[cfg(test)]
    pub(super) fn empty() -> Self {
        Self {
            context: None,
            caller: None,
            resource_account: None,
        }
    }

    /// The value of a key given in lower case.
    pub(super) fn get(&self, key: &str) -> Known<'a> {
        let Some(context) = self.context else {
            return Known::Absent;
        };
        match context.get(key) {
            Some(ContextValue::One(value)) => return Known::One(Cow::Borrowed(value)),
            Some(ContextValue::Many(values)) => return Known::Many(values),
            Some(ContextValue::Absent) => return Known::Absent,
            Some(ContextValue::Unknown) => return Known::Unknown,
            None => {}
        }
        if let Some(value) = self.derived(key) {
            return value;
        }
        match context.absent {
            Absent::Unknown => Known::Unknown,
            Absent::Absent => Known::Absent,
        }
    }

    /// The value that follows from caller and resource; `None` where none does.
    fn derived(&self, key: &str) -> Option<Known<'a>> {
        let caller = self.caller?;
        let one = |text: &'a str| Known::One(Cow::Borrowed(text));
        let has_account = !matches!(caller.kind, CallerKind::Service | CallerKind::Anonymous);
        if key == "kms:calleraccount" {
            return has_account.then(|| one(&caller.account));
        }
        let name = key.strip_prefix("aws:")?;
        let value = match name {
            "principalarn" => match caller.kind {
                CallerKind::Session => Known::One(session_principal_arn(caller)),
                _ if has_account => one(&caller.arn),
                _ => Known::Absent,
            },
            "principalaccount" if has_account => one(&caller.account),
            "principalaccount" => Known::Absent,
            "principaltype" => match caller.kind {
                CallerKind::User => one("User"),
                CallerKind::Role => one("AssumedRole"),
                CallerKind::Session if is_federated_user(caller) => one("FederatedUser"),
                CallerKind::Session => one("AssumedRole"),
                CallerKind::Root => one("Account"),
                CallerKind::Federated => one("FederatedUser"),
                CallerKind::Anonymous => one("Anonymous"),
                CallerKind::Service => Known::Absent,
            },
            "username" => match caller.kind {
                CallerKind::User => one(last_part(&caller.arn)),
                _ => Known::Absent,
            },
            "principalisawsservice" => one(if caller.kind == CallerKind::Service {
                "true"
            } else {
                "false"
            }),
            "principalservicename" => match caller.kind {
                CallerKind::Service => one(&caller.arn),
                _ => Known::Absent,
            },
            "resourceaccount" => one(self.resource_account?),
            _ => {
                let tag = name.strip_prefix("principaltag/")?;
                let held = caller
                    .tags
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(tag));
                match held {
                    Some((_, value)) => one(value),
                    None if caller.all_tags_known => Known::Absent,
                    None => return None,
                }
            }
        };
        Some(value)
    }
}

/// Whether a session is one of `GetFederationToken`.
pub(super) fn is_federated_user(caller: &Caller) -> bool {
    resource_part(&caller.arn).starts_with("federated-user/")
}

/// The name of the role that a session is of, from its ARN.
pub(super) fn session_role_name(caller: &Caller) -> Option<&str> {
    resource_part(&caller.arn)
        .strip_prefix("assumed-role/")?
        .split('/')
        .next()
}

/// The part of an ARN after its fifth colon.
pub(super) fn resource_part(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or_default()
}

/// The last part of a path: a user's or role's name.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// For a role's session `aws:PrincipalArn` is the role's ARN.
fn session_principal_arn(caller: &Caller) -> Cow<'_, str> {
    if is_federated_user(caller) {
        return Cow::Borrowed(&caller.arn);
    }
    match (&caller.issuer, session_role_name(caller)) {
        (Some(issuer), _) => Cow::Borrowed(issuer),
        (None, Some(role)) => {
            let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
            Cow::Owned(format!(
                "arn:{partition}:iam::{}:role/{role}",
                caller.account
            ))
        }
        (None, None) => Cow::Borrowed(&caller.arn),
    }
}

/// Keys that the surroundings of a request decide.
const SURROUNDINGS: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:currenttime",
    "aws:ec2instancesourceprivateipv4",
    "aws:ec2instancesourcevpc",
    "aws:epochtime",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:tokenissuetime",
    "aws:viaawsservice",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
    "ec2:roledelivery",
    "ec2:sourceinstancearn",
    "kms:viaservice",
    "lambda:sourcefunctionarn",
    "ssm:sourceinstancearn",
];

/// Keys that the estate decides, beside those told by their form.
const FIXED: &[&str] = &[
    "aws:federatedprovider",
    "aws:sourceidentity",
    "aws:userid",
    "aws:username",
    "ecs:cluster",
    "identitystore:userid",
    "kms:calleraccount",
    "kms:keyorigin",
    "kms:keyspec",
    "kms:keyusage",
    "kms:multiregion",
    "kms:resourcealiases",
    "rds:endpointtype",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:resourceaccount",
];

/// Who decides a key's value; the key in lower case.
///
/// Keys that nothing is said of belong to a service and mostly repeat what the caller asks for
/// (`ec2:InstanceType`, `s3:prefix`): they count as settable, since to take them for fixed would
/// hide a road.
pub(super) fn class(key: &str) -> KeyClass {
    if SURROUNDINGS.binary_search(&key).is_ok() {
        return KeyClass::Surroundings;
    }
    let (service, name) = key.split_once(':').unwrap_or(("", key));
    let fixed = FIXED.binary_search(&key).is_ok()
        // Claims of an identity provider's token: `token.actions.githubusercontent.com:sub`.
        || service.contains('.')
        || service == "saml"
        || (service == "aws" && (name.starts_with("principal") || name.starts_with("resource")))
        || name.starts_with("resourcetag/")
        || name.starts_with("existingobjecttag/");
    if fixed {
        KeyClass::Fixed
    } else {
        KeyClass::Settable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(SURROUNDINGS.is_sorted() && FIXED.is_sorted());
    }

    #[test]
    fn classes() {
        for (key, expected) in [
            ("aws:requesttag/team", KeyClass::Settable),
            ("iam:passedtoservice", KeyClass::Settable),
            ("s3:prefix", KeyClass::Settable),
            ("aws:sourceip", KeyClass::Surroundings),
            ("aws:multifactorauthpresent", KeyClass::Surroundings),
            ("aws:principaltag/team", KeyClass::Fixed),
            ("aws:principalorgid", KeyClass::Fixed),
            ("aws:resourcetag/team", KeyClass::Fixed),
            ("ec2:resourcetag/team", KeyClass::Fixed),
            ("token.actions.githubusercontent.com:sub", KeyClass::Fixed),
        ] {
            assert_eq!(class(key), expected, "{key}");
        }
    }

    #[test]
    fn keys_follow_from_the_caller() {
        let context = Context::new(Absent::Unknown);
        let mut session =
            Caller::from_arn("arn:aws:sts::111122223333:assumed-role/deploy/anna").unwrap();
        let get = |caller: &Caller, key: &str| match Keys::new(&context, caller, None).get(key) {
            Known::One(value) => value.into_owned(),
            other => format!("{other:?}"),
        };
        assert_eq!(
            get(&session, "aws:principalarn"),
            "arn:aws:iam::111122223333:role/deploy"
        );
        session.issuer = Some("arn:aws:iam::111122223333:role/ci/deploy".into());
        assert_eq!(
            get(&session, "aws:principalarn"),
            "arn:aws:iam::111122223333:role/ci/deploy"
        );
        assert_eq!(get(&session, "aws:username"), "Absent");
        assert_eq!(get(&session, "aws:principaltag/team"), "Unknown");
        let mut user = Caller::from_arn("arn:aws:iam::111122223333:user/people/anna").unwrap();
        user.tags.insert("Team".into(), "web".into());
        user.all_tags_known = true;
        assert_eq!(get(&user, "aws:username"), "anna");
        assert_eq!(get(&user, "aws:principaltag/team"), "web");
        assert_eq!(get(&user, "aws:principaltag/other"), "Absent");
        assert_eq!(get(&user, "aws:userid"), "Unknown");
    }
}
