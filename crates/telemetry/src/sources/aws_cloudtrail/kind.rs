use portreeve_model::{PrincipalKind, is_pipeline_issuer};

use super::arn;

/// Session names that programs give themselves.
const PROGRAMS: &[&str] = &["botocore-session-", "aws-sdk-", "aws-go-sdk-", "boto3-"];

/// What kind of principal a role's session is, by the names of role and session alone.
pub(super) fn of_session(role_arn: &str, session: &str, issuer: Option<&str>) -> PrincipalKind {
    if let Some(issuer) = issuer
        && is_pipeline_issuer(issuer)
    {
        return PrincipalKind::Pipeline;
    }
    let role = arn::last_part(role_arn).map_or(role_arn, |(_, role)| role);
    if role.starts_with("AWSReservedSSO_") || session.contains('@') {
        return PrincipalKind::Human;
    }
    if role.starts_with("AWSServiceRoleFor") || role_arn.contains(":role/aws-service-role/") {
        return PrincipalKind::Service;
    }
    if is_program(session) {
        PrincipalKind::Workload
    } else {
        PrincipalKind::Unknown
    }
}

fn is_program(session: &str) -> bool {
    let instance = session.strip_prefix("i-").is_some_and(|id| {
        (8..=17).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    // A number is a time or a process: SDKs without a name for the session make one up so.
    let number = session.len() >= 6 && session.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = session.len() >= 32 && session.bytes().all(|byte| byte.is_ascii_hexdigit());
    instance || number || hexadecimal || PROGRAMS.iter().any(|program| session.starts_with(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_people_from_programs() {
        let kind = |role: &str, session: &str| {
            of_session(
                &format!("arn:aws:iam::111122223333:role/{role}"),
                session,
                None,
            )
        };
        assert_eq!(
            kind("AWSReservedSSO_WebDeploy_0a1b", "mira"),
            PrincipalKind::Human
        );
        assert_eq!(kind("admin", "mira@halyard.example"), PrincipalKind::Human);
        assert_eq!(kind("node", "i-0123456789abcdef0"), PrincipalKind::Workload);
        assert_eq!(
            kind("app", "botocore-session-1700000000"),
            PrincipalKind::Workload
        );
        assert_eq!(kind("app", "1700000000123"), PrincipalKind::Workload);
        assert_eq!(kind("app", "carol"), PrincipalKind::Unknown);
        assert_eq!(
            of_session(
                "arn:aws:iam::1:role/x",
                "s",
                Some("token.actions.githubusercontent.com")
            ),
            PrincipalKind::Pipeline
        );
    }
}
