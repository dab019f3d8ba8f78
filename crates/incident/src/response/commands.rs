//! Commands for a responder to review and run.
//!
//! Names come from logs, which an intruder may have had a hand in. A name that its service would
//! not accept gives no command; every other is put in single quotes. Values that the command line
//! would take for something else than themselves (`file://…`) are refused too.

use crate::text::quote;

/// Now, as the shell will put it when the command is run.
const NOW: &str = r#"'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'"#;

/// A name as IAM accepts it for users, roles and sessions.
pub(crate) fn is_iam_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

fn is_key_id(id: &str) -> bool {
    (16..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Whether the command line takes a value as it stands.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && !["file://", "fileb://", "http://", "https://"]
            .iter()
            .any(|it| value.starts_with(it))
        && crate::text::clean(value) == value
}

/// An option with its value; with `=` where the value would look like an option.
fn option(name: &str, value: &str) -> String {
    let separator = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{separator}{}", quote(value))
}

pub(crate) fn deactivate_key(user: Option<&str>, key: &str) -> Option<String> {
    if !is_key_id(key) {
        return None;
    }
    let user = match user {
        Some(user) if is_iam_name(user) => option("user-name", user) + " ",
        Some(_) => return None,
        None => String::new(),
    };
    Some(format!(
        "aws iam update-access-key {user}{} --status Inactive",
        option("access-key-id", key)
    ))
}

/// The condition that AWS's own "revoke older sessions" uses. Long-lived keys have no issue time,
/// so that it does not deny them.
fn deny_older_sessions() -> String {
    let head = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"DateLessThan":{"aws:TokenIssueTime":""#;
    format!(r#"'{head}{NOW}"}}}}}}]}}'"#)
}

pub(crate) fn revoke_role_sessions(role: &str) -> Option<String> {
    is_iam_name(role).then(|| {
        format!(
            "aws iam put-role-policy {} --policy-name AWSRevokeOlderSessions --policy-document {}",
            option("role-name", role),
            deny_older_sessions()
        )
    })
}

pub(crate) fn revoke_user_sessions(user: &str) -> Option<String> {
    is_iam_name(user).then(|| {
        format!(
            "aws iam put-user-policy {} --policy-name RevokeOlderSessions --policy-document {}",
            option("user-name", user),
            deny_older_sessions()
        )
    })
}

pub(crate) fn find_person(user_name: &str) -> Option<String> {
    is_iam_name(user_name).then(|| {
        let filter =
            serde_json::json!([{"AttributePath": "UserName", "AttributeValue": user_name}]);
        format!(
            "aws identitystore list-users --identity-store-id IDENTITY_STORE_ID {}",
            option("filters", &filter.to_string())
        )
    })
}

const DENY_PERSON: &str = r#"'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"identitystore:userId":"USER_ID"}}}]}'"#;

pub(crate) fn deny_person_in_permission_set() -> String {
    format!(
        "aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE_ARN \
         --permission-set-arn PERMISSION_SET_ARN --inline-policy {DENY_PERSON} && aws sso-admin \
         provision-permission-set --instance-arn INSTANCE_ARN --permission-set-arn \
         PERMISSION_SET_ARN --target-type ALL_PROVISIONED_ACCOUNTS"
    )
}

pub(crate) fn deny_person_by_control_policy() -> String {
    format!(
        "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name deny-one-person \
         --description 'Incident containment' --content {DENY_PERSON}"
    )
}

pub(crate) fn delete_login_profile(user: &str) -> Option<String> {
    is_iam_name(user).then(|| format!("aws iam delete-login-profile {}", option("user-name", user)))
}

pub(crate) fn show_trust(role: &str) -> Option<String> {
    is_iam_name(role).then(|| {
        format!(
            "aws iam get-role {} --query Role.AssumeRolePolicyDocument",
            option("role-name", role)
        )
    })
}

pub(crate) fn show_user_policies(user: &str) -> Option<String> {
    is_iam_name(user).then(|| {
        format!(
            "aws iam list-user-policies {0} && aws iam list-attached-user-policies {0}",
            option("user-name", user)
        )
    })
}

pub(crate) fn show_role_policies(role: &str) -> Option<String> {
    is_iam_name(role).then(|| {
        format!(
            "aws iam get-role {0} && aws iam list-role-policies {0} && aws iam \
             list-attached-role-policies {0}",
            option("role-name", role)
        )
    })
}

pub(crate) fn show_bucket_policy(bucket: &str) -> Option<String> {
    is_bucket_name(bucket)
        .then(|| format!("aws s3api get-bucket-policy {}", option("bucket", bucket)))
}

pub(crate) fn list_versions(bucket: &str, key: &str) -> Option<String> {
    (is_bucket_name(bucket) && is_plain(key)).then(|| {
        format!(
            "aws s3api list-object-versions {} {}",
            option("bucket", bucket),
            option("prefix", key)
        )
    })
}

/// The images of a repository by its ARN, newest last.
pub(crate) fn list_images(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let name = resource.strip_prefix("repository/")?;
    let is_word = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    (is_word(region, b"-") && is_word(account, b"") && is_word(name, b"-_./")).then(|| {
        format!(
            "aws ecr describe-images {} {} {} --query 'sort_by(imageDetails,&imagePushedAt)[-10:]'",
            option("region", region),
            option("registry-id", account),
            option("repository-name", name)
        )
    })
}

pub(crate) fn start_logging(trail: &str) -> Option<String> {
    let is_trail = trail
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b":/._-".contains(&byte));
    (is_trail && is_plain(trail))
        .then(|| format!("aws cloudtrail start-logging {}", option("name", trail)))
}

/// What a credential did since a time, for the management events of the last 90 days.
pub(crate) fn look_up(key: &str, since: Option<&str>) -> Option<String> {
    is_key_id(key).then(|| {
        let since = since
            .map(|time| format!(" {}", option("start-time", time)))
            .unwrap_or_default();
        format!(
            "aws cloudtrail lookup-events --lookup-attributes \
             'AttributeKey=AccessKeyId,AttributeValue={key}'{since}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_in_commands_are_json_once_the_shell_has_read_them() {
        let command = revoke_role_sessions("deploy").unwrap();
        let document = command.split_once("--policy-document ").unwrap().1;
        let read = document.replace(NOW, "2026-03-19T15:00:00Z");
        let json: serde_json::Value = serde_json::from_str(read.trim_matches('\'')).unwrap();
        assert_eq!(
            json["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"],
            "2026-03-19T15:00:00Z"
        );
        let person = DENY_PERSON.trim_matches('\'');
        assert!(serde_json::from_str::<serde_json::Value>(person).is_ok());
    }

    #[test]
    fn names_that_no_service_accepts_give_no_command() {
        for name in [
            "",
            "a b",
            "x'; rm -rf ~; '",
            "file:///etc/passwd",
            "a\u{1b}[2J",
            "a\nb",
        ] {
            assert_eq!(revoke_role_sessions(name), None, "{name:?}");
            assert_eq!(delete_login_profile(name), None, "{name:?}");
            assert_eq!(find_person(name), None, "{name:?}");
            assert_eq!(
                deactivate_key(Some(name), "AKIAEXAMPLE000000001"),
                None,
                "{name:?}"
            );
        }
        assert_eq!(deactivate_key(None, "$(id)"), None);
        assert_eq!(list_versions("web", "file://x"), None);
        assert_eq!(list_versions("web", "a\u{7}"), None);
    }

    #[test]
    fn values_stay_one_argument() {
        assert_eq!(
            list_versions("web", "it's/$(id) `x`").unwrap(),
            r"aws s3api list-object-versions --bucket 'web' --prefix 'it'\''s/$(id) `x`'"
        );
        assert!(
            delete_login_profile("-x")
                .unwrap()
                .ends_with("--user-name='-x'")
        );
        assert_eq!(
            list_images("arn:aws:ecr:eu-west-1:111122223333:repository/team/web").unwrap(),
            "aws ecr describe-images --region 'eu-west-1' --registry-id '111122223333' \
             --repository-name 'team/web' --query 'sort_by(imageDetails,&imagePushedAt)[-10:]'"
        );
    }
}
