//! What people call principals, credentials and resources.

use portreeve_model::EntityId;

use crate::text::clean;

/// The parts of a principal that commands and sentences need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Principal<'p> {
    /// A role of an Identity Center permission set: account, permission set.
    PermissionSet { account: &'p str, name: &'p str },
    /// Any other role: account, name.
    Role { account: &'p str, name: &'p str },
    /// An IAM user: account, name.
    User { account: &'p str, name: &'p str },
    /// An account's root user.
    Root { account: &'p str },
    /// Something else, or not told.
    Other(&'p str),
}

impl<'p> Principal<'p> {
    pub(crate) fn parse(id: &'p str) -> Self {
        let mut parts = id.splitn(6, ':');
        let (Some("arn"), Some(_), Some("iam"), Some(_), Some(account), Some(resource)) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Principal::Other(id);
        };
        let name = resource.rsplit('/').next().unwrap_or(resource);
        match resource.split('/').next() {
            Some("role") => match name.strip_prefix("AWSReservedSSO_") {
                Some(set) => {
                    let name = set.rsplit_once('_').map_or(set, |(name, _)| name);
                    Principal::PermissionSet { account, name }
                }
                None => Principal::Role { account, name },
            },
            Some("user") => Principal::User { account, name },
            Some("root") => Principal::Root { account },
            _ => Principal::Other(id),
        }
    }
}

/// Who acts, in words: `dev.mira (WebDeploy in 111122223333)`.
pub(crate) fn actor(principal: &str, session: Option<&str>) -> String {
    let words = match (Principal::parse(principal), session) {
        (Principal::PermissionSet { account, name }, Some(session)) => {
            format!("{session} ({name} in {account})")
        }
        (Principal::PermissionSet { account, name }, None) => {
            format!("permission set {name} in {account}")
        }
        (Principal::Role { account, name }, Some(session)) => {
            format!("{session} (role {name} in {account})")
        }
        (Principal::Role { account, name }, None) => format!("role {name} in {account}"),
        (Principal::User { account, name }, _) => format!("user {name} in {account}"),
        (Principal::Root { account }, _) => format!("the root user of {account}"),
        (Principal::Other(""), _) => "an unidentified caller".to_owned(),
        (Principal::Other(id), _) => id.to_owned(),
    };
    clean(&words)
}

/// A resource in words: what people call it, cleaned.
pub(crate) fn resource(id: &str) -> String {
    clean(EntityId::from(id).short_name())
}

/// A bucket's ARN and the key, where an id is an object's.
pub(crate) fn object(id: &str) -> Option<(&str, &str)> {
    if !is_s3(id) {
        return None;
    }
    let slash = id.find('/')?;
    Some((&id[..slash], &id[slash + 1..]))
}

/// Whether an id is a bucket's or an object's.
pub(crate) fn is_s3(id: &str) -> bool {
    let mut parts = id.splitn(6, ':');
    parts.next() == Some("arn") && parts.nth(1) == Some("s3") && parts.next() == Some("")
}

/// A bucket's name.
pub(crate) fn bucket_name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// A Secrets Manager ARN without the hyphen and six random characters that end it; calls may
/// leave them out.
pub(crate) fn without_suffix(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((name, suffix))
            if id.contains(":secretsmanager:")
                && suffix.len() == 6
                && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            name
        }
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_named_as_people_do() {
        let sso = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Web_Deploy_0a1b";
        assert_eq!(
            actor(sso, Some("dev.mira")),
            "dev.mira (Web_Deploy in 111122223333)"
        );
        assert_eq!(
            actor("arn:aws:iam::111122223333:role/ci/deploy", Some("run-7")),
            "run-7 (role deploy in 111122223333)"
        );
        assert_eq!(
            actor("arn:aws:iam::111122223333:user/alice", None),
            "user alice in 111122223333"
        );
        assert_eq!(
            actor("arn:aws:iam::111122223333:root", None),
            "the root user of 111122223333"
        );
        assert_eq!(actor("", None), "an unidentified caller");
        assert_eq!(actor("odd\u{1b}[0m", None), "odd\u{fffd}[0m");
    }

    #[test]
    fn objects_are_told_from_buckets() {
        assert_eq!(
            object("arn:aws:s3:::web/a/b.js"),
            Some(("arn:aws:s3:::web", "a/b.js"))
        );
        assert_eq!(object("arn:aws:s3:::web"), None);
        assert_eq!(object("arn:aws:iam::111122223333:role/x"), None);
        assert!(is_s3("arn:aws-cn:s3:::web"));
        assert_eq!(bucket_name("arn:aws:s3:::web"), "web");
    }
}
