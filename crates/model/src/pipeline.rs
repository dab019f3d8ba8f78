/// Hosts whose web identities are those of build pipelines, and of everything below them. From the pages on
/// OpenID Connect of each vendor's documentation.
const HOSTS: &[&str] = &[
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

/// A pipeline that mostly runs on a host of one's own, under any name that says so.
const ON_OWN_HOST: &str = "gitlab";

/// Whether the issuer of a web identity is a build pipeline's.
///
/// An issuer is a host with a path or without one (`oidc.circleci.com/org/…`), the URL of that, or the ARN
/// of its provider in IAM, which ends with it (`arn:aws:iam::…:oidc-provider/…`). A host is known where it,
/// or one that it is below, is; GitLab is known by a word of the host or the path.
pub fn is_pipeline_issuer(issuer: &str) -> bool {
    let issuer = issuer
        .split_once(":oidc-provider/")
        .map_or(issuer, |(_, issuer)| issuer);
    let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
    let host = issuer.split('/').next().unwrap_or_default();
    let is_below = |known: &&str| {
        host.strip_suffix(*known)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    HOSTS.iter().any(is_below)
        || issuer
            .split(['.', '/', '-', ':'])
            .any(|word| word.eq_ignore_ascii_case(ON_OWN_HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_tell_pipelines() {
        for pipeline in [
            "token.actions.githubusercontent.com",
            "token.actions.githubusercontent.com/halyard",
            "https://token.actions.githubusercontent.com",
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
            "arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/0a1b",
            "https://halyard.app.spacelift.io",
            "gitlab.com",
            "https://gitlab.halyard.example",
            "GitLab-ci.halyard.example:8443",
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
            "fakeapp.terraform.io",
            "example.com/app.terraform.io",
            "forgitlabs.example",
        ] {
            assert!(!is_pipeline_issuer(other), "{other}");
        }
    }
}
