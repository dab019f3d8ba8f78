use portreeve_model::PrincipalKind;

use super::arn;

/// How the hosts end whose web identities are those of build pipelines.
const PIPELINES: &[&str] = &[
    "token.actions.githubusercontent.com",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "app.terraform.io",
    "api.bitbucket.org",
    "vstoken.dev.azure.com",
    "oidc.codefresh.io",
    "oidc.vercel.com",
    "oidc.pulumi.com",
    "spacelift.io",
];

/// What is in the names of pipelines that mostly run on hosts of one's own.
const OWN_PIPELINE: &str = "gitlab";

/// Session names that programs give themselves.
const PROGRAMS: &[&str] = &["botocore-session-", "aws-sdk-", "aws-go-sdk-", "boto3-"];

/// Whether the issuer of a web identity is a build pipeline's. An issuer is a host, with a path or
/// without one, or the ARN of its provider, which ends with that.
pub(super) fn is_pipeline_issuer(issuer: &str) -> bool {
    issuer.split('/').any(|part| {
        PIPELINES.iter().any(|host| part.ends_with(host)) || part.contains(OWN_PIPELINE)
    })
}

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
    fn issuers_tell_pipelines() {
        for pipeline in [
            "token.actions.githubusercontent.com",
            "token.actions.githubusercontent.com/halyard",
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
            "arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/0a1b",
            "https://halyard.app.spacelift.io",
            "https://gitlab.halyard.example",
            "arn:aws:iam::111122223333:oidc-provider/ci.example/gitlab",
        ] {
            assert!(is_pipeline_issuer(pipeline), "{pipeline}");
        }
        for other in [
            "",
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B",
            "cognito-identity.amazonaws.com",
            "accounts.google.com",
            "api.bitbucket.org.example",
        ] {
            assert!(!is_pipeline_issuer(other), "{other}");
        }
    }

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
