use std::borrow::Cow;

/// The account number of an ARN: its fifth part, where that is one.
pub(super) fn account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    is_account(account).then_some(account)
}

/// Whether a text is twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition that a region belongs to.
pub(super) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The parts of a session's ARN, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` or
/// `arn:aws:sts::ACCOUNT:federated-user/NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionArn<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    /// Empty for a federated user.
    pub(super) role: &'a str,
    pub(super) session: &'a str,
}

impl<'a> SessionArn<'a> {
    pub(super) fn parse(arn: &'a str) -> Option<Self> {
        let (partition, rest) = part(arn.strip_prefix("arn:")?)?;
        let (_, rest) = part(rest.strip_prefix("sts:")?)?;
        let (account, resource) = part(rest)?;
        if let Some(session) = resource.strip_prefix("federated-user/") {
            return Some(Self {
                partition,
                account,
                role: "",
                session,
            });
        }
        let (role, session) = last_part(resource.strip_prefix("assumed-role/")?)?;
        Some(Self {
            partition,
            account,
            role,
            session,
        })
    }

    /// The ARN of the role, as far as the session's ARN tells it: without the role's path.
    pub(super) fn role_arn(&self) -> Option<String> {
        (!self.role.is_empty()).then(|| {
            format!(
                "arn:{}:iam::{}:role/{}",
                self.partition, self.account, self.role
            )
        })
    }
}

/// The first part of an ARN, and the rest. Parts are a few letters: setting up a search for the
/// colon would cost more than looking at each.
fn part(arn: &str) -> Option<(&str, &str)> {
    let colon = arn.bytes().position(|byte| byte == b':')?;
    Some((&arn[..colon], &arn[colon + 1..]))
}

/// What stands before the last slash, and behind it; looked for in the same way.
pub(super) fn last_part(path: &str) -> Option<(&str, &str)> {
    let slash = path.bytes().rposition(|byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

/// The ARN that stands for an account.
pub(super) fn account_root(account: &str, region: &str) -> String {
    format!("arn:{}:iam::{account}:root", partition(region))
}

/// The ARN of a user known by name alone: its path is not told.
pub(super) fn user(account: &str, name: &str, region: &str) -> String {
    format!("arn:{}:iam::{account}:user/{name}", partition(region))
}

/// An ARN as it stands; an account number as the ARN that stands for the account.
pub(super) fn principal<'a>(text: &'a str, region: &str) -> Cow<'a, str> {
    if is_account(text) {
        account_root(text, region).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_arns_name_role_and_session() {
        let arn = SessionArn::parse("arn:aws:sts::111122223333:assumed-role/deploy/ci-7").unwrap();
        assert_eq!(
            (arn.role, arn.session, arn.account),
            ("deploy", "ci-7", "111122223333")
        );
        assert_eq!(
            arn.role_arn().unwrap(),
            "arn:aws:iam::111122223333:role/deploy"
        );
        let arn = SessionArn::parse("arn:aws-cn:sts::111122223333:federated-user/bob").unwrap();
        assert_eq!((arn.session, arn.role_arn()), ("bob", None));
        assert_eq!(SessionArn::parse("arn:aws:iam::111122223333:user/x"), None);
        assert_eq!(SessionArn::parse("nonsense"), None);
        assert_eq!(account("arn:aws:s3:::bucket"), None);
    }
}
