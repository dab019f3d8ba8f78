//! Builds of too many repositories get into a role.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes};
use crate::policy::Statement;
use crate::verdicts::Judged;

const PROVIDER: &str = "token.actions.githubusercontent.com";
const SUBJECT: &str = "token.actions.githubusercontent.com:sub";
const AUDIENCE: &str = "token.actions.githubusercontent.com:aud";

pub(super) const CHECK: Check = Check {
    id: "aws.pipeline-trust",
    title: "Builds of too many repositories get into a role",
    why: "A pull request, a branch or a repository that anyone may make is then enough to act as the role.",
    remedy: "Name the repository with its branch or environment in `sub`, and `sts.amazonaws.com` in `aud`.",
    severity: Severity::Critical,
    posture: &["A12"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for role in scene
            .principals()
            .filter(|own| own.kind == EntityKind::Role)
        {
            let trusts = scene.policies_of(&role.id, PolicyLayer::Trust);
            let statements = trusts.flat_map(|policy| policy.statements());
            let mut faults: Vec<(Severity, String)> = Vec::new();
            let mut any = false;
            for statement in statements.filter(|statement| statement.allows) {
                if is_of_builds(&statement) {
                    any = true;
                    faults.extend(fault(&statement));
                }
            }
            if any {
                let gravest = faults.iter().map(|(severity, _)| *severity).max();
                let words: Vec<String> = faults.into_iter().map(|(_, words)| words).collect();
                let judged = match gravest {
                    None => Judged::pass(),
                    Some(severity) => Judged::fail(words.join("; ")).graver(severity),
                };
                verdicts.of(role, judged);
            }
        }
    },
    examples: &[
        fails(
            r#"{"RoleDetailList": [{"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}, "StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"}}}]}, "AttachedManagedPolicies": []}]}"#,
        ),
        passes(
            r#"{"RoleDetailList": [{"RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com", "token.actions.githubusercontent.com:sub": "repo:example/web:environment:production"}}}]}, "AttachedManagedPolicies": []}]}"#,
        ),
    ],
    ..Check::DEFAULT
};

/// Whether a statement is about tokens of GitHub's builds: by its principal, or by its conditions
/// where the principal is anyone or another provider.
fn is_of_builds(statement: &Statement) -> bool {
    let mut federated = statement.of_type("Federated");
    federated.any(|provider| provider.ends_with(PROVIDER))
        || statement.is_on_any(&[SUBJECT, AUDIENCE])
}

fn fault(statement: &Statement) -> Option<(Severity, String)> {
    let critical = |words: &str| Some((Severity::Critical, words.to_owned()));
    let mut federated = statement.of_type("Federated");
    if statement.is_for_anyone() || !federated.any(|provider| provider.ends_with(PROVIDER)) {
        return critical("the principal is not GitHub's provider");
    }
    let audiences = statement.wanted(AUDIENCE);
    if audiences.is_empty() || audiences.iter().any(|audience| audience.contains('*')) {
        return critical("`aud` is not asked for");
    }
    let subjects = statement.wanted(SUBJECT);
    if subjects.is_empty() {
        return critical("`sub` is not asked for: any repository in the world");
    }
    let loose = subjects
        .into_iter()
        .filter_map(|subject| Some((looseness(subject)?, subject)));
    let (severity, subject) = loose.max()?;
    Some((severity, format!("`sub` may be {subject}")))
}

/// How grave it is what a subject leaves open: the owner or the repository, or what was built. Pull
/// requests are opened by others, and a branch is made by whoever may push.
fn looseness(subject: &str) -> Option<Severity> {
    let Some(rest) = subject.strip_prefix("repo:") else {
        return Some(Severity::Critical);
    };
    let (repository, claim) = rest.split_once(':').unwrap_or((rest, "*"));
    let open = |text: &str| text.contains('*') || text.contains('?');
    if open(repository) || !repository.contains('/') {
        return Some(Severity::Critical);
    }
    match claim {
        "pull_request" => Some(Severity::High),
        "*" => Some(Severity::Medium),
        _ => None,
    }
}
