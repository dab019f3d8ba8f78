use std::borrow::Cow;

use jiff::Timestamp;
use portreeve_model::{Actor, Revoked};
use portreeve_record::Record;
use serde_json::Value;

use super::arn;
use super::wanted::{Wanted, text};

/// What a call takes away: a key or password, or the sessions of a principal by the policy that
/// AWS itself attaches to revoke them ("Revoking IAM role temporary security credentials" in the
/// IAM user guide).
pub(super) fn read<'a>(
    wanted: &Wanted,
    record: &'a dyn Record,
    operation: &str,
    actor: &Actor<'a>,
) -> Option<Revoked<'a>> {
    let get = |field| text(record, field);
    match operation {
        "DeleteAccessKey" => Some(Revoked::Credential(get(wanted.asked_key)?.into())),
        "UpdateAccessKey" => {
            let key = get(wanted.asked_key)?.into();
            match get(wanted.asked_status)? {
                status if status.eq_ignore_ascii_case("inactive") => Some(Revoked::Credential(key)),
                status if status.eq_ignore_ascii_case("active") => Some(Revoked::Restored(key)),
                _ => None,
            }
        }
        "DeleteLoginProfile" => {
            let region = get(wanted.region).unwrap_or_default();
            let user = match (get(wanted.asked_user), &actor.account) {
                (Some(user), Some(account)) => Cow::Owned(arn::user(account, user, region)),
                (Some(user), None) => user.into(),
                (None, _) => actor.principal.clone(),
            };
            Some(Revoked::Credential(format!("password:{user}").into()))
        }
        "PutRolePolicy" | "PutUserPolicy" => {
            let before = refused_before(get(wanted.asked_policy)?)?;
            let region = get(wanted.region).unwrap_or_default();
            let account = get(wanted.recipient).or(actor.account.as_deref())?;
            let principal = match operation {
                "PutRolePolicy" => {
                    let name = get(wanted.asked_role_name)?;
                    format!("arn:{}:iam::{account}:role/{name}", arn::partition(region))
                }
                _ => arn::user(account, get(wanted.asked_user)?, region),
            };
            Some(Revoked::Sessions {
                principal: principal.into(),
                before,
            })
        }
        _ => None,
    }
}

/// The time before which issued sessions are refused everything by a policy; `None` where it is
/// not such a policy.
fn refused_before(policy: &str) -> Option<Timestamp> {
    // Cheap for the policies that are none.
    if !policy.contains("TokenIssueTime") {
        return None;
    }
    let policy: Value = serde_json::from_str(policy).ok()?;
    let statements = match policy.get("Statement")? {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let has_all = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text == "*",
        Some(Value::Array(list)) => list.iter().any(|it| it == "*"),
        _ => false,
    };
    statements
        .iter()
        .filter(|statement| {
            statement.get("Effect").is_some_and(|it| it == "Deny")
                && has_all(statement.get("Action"))
                && has_all(statement.get("Resource"))
                // Another condition beside it would let some sessions through.
                && statement
                    .get("Condition")
                    .and_then(Value::as_object)
                    .is_some_and(|condition| condition.len() == 1)
        })
        .filter_map(|statement| {
            let dates = statement
                .get("Condition")?
                .get("DateLessThan")?
                .as_object()?;
            let (_, time) = dates
                .iter()
                .filter(|_| dates.len() == 1)
                .find(|(key, _)| key.eq_ignore_ascii_case("aws:TokenIssueTime"))?;
            let time = match time {
                Value::Array(list) => list.first()?.as_str()?,
                one => one.as_str()?,
            };
            time.parse::<Timestamp>().ok()
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::refused_before;

    #[test]
    fn the_policy_that_revokes_sessions_is_known() {
        let policy = |condition: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{condition}}}]}}"#
            )
        };
        let time = r#"{"DateLessThan":{"aws:TokenIssueTime":"2026-03-19T15:00:00.000Z"}}"#;
        assert_eq!(
            refused_before(&policy(time)).unwrap().to_string(),
            "2026-03-19T15:00:00Z"
        );
        let narrowed = r#"{"DateLessThan":{"aws:TokenIssueTime":"2026-03-19T15:00:00Z"},"StringEquals":{"aws:userid":"x"}}"#;
        assert_eq!(refused_before(&policy(narrowed)), None);
        let allow = policy(time).replace("Deny", "Allow");
        assert_eq!(refused_before(&allow), None);
        for broken in [
            "",
            "{",
            "TokenIssueTime",
            r#"{"Statement":"TokenIssueTime"}"#,
        ] {
            assert_eq!(refused_before(broken), None);
        }
    }
}
