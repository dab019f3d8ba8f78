//! What the subject of a web identity names, whatever the issuer: which repository (or what the
//! issuer has in its place), and what kind of run. A branch of its own for each change makes each
//! run's subject new; repository and kind stay.
//!
//! | issuer | subject | repository, kind | source |
//! |---|---|---|---|
//! | GitHub Actions | `repo:OWNER/NAME:ref:refs/heads/…`, `…:environment:…`, `…:pull_request` | `OWNER/NAME`; branch, tag, environment, pull_request | GitHub, "OpenID Connect reference"; numeric ids behind `@` ("immutable subject claims", 2026) are left out |
//! | GitLab | `project_path:GROUP/PROJECT:ref_type:branch:ref:…` | `GROUP/PROJECT`; branch, tag | GitLab, "OpenID Connect authentication using ID tokens" |
//! | Bitbucket | `{REPOSITORY}:{ENVIRONMENT}:{STEP}`, `{REPOSITORY}:{STEP}` | the repository's UUID; environment, step | Atlassian, "Integrate Pipelines with resource servers using OIDC" |
//! | HCP Terraform | `organization:O:project:P:workspace:W:run_phase:plan` | `O/P/W`; plan, apply | HashiCorp, "Workload identity tokens" |
//! | Buildkite | `organization:O:pipeline:P:ref:refs/heads/…:commit:…:step:…` | `O/P`; branch, tag | Buildkite, "OIDC in Buildkite Pipelines" |
//! | CircleCI | `org/O/project/P/user/U…` with or without `vcs-origin/…/vcs-ref/…` | the origin, else `O/P`; branch, tag, pipeline | CircleCI, "Using OpenID Connect tokens in jobs" |
//! | Azure DevOps | `sc://ORGANIZATION/PROJECT/CONNECTION` | `ORGANIZATION/PROJECT`; service-connection | Microsoft, "Workload identity federation" |
//! | Vercel | `owner:TEAM:project:P:environment:E` | `TEAM/P`; environment | Vercel, "OIDC federation reference" |
//! | Pulumi | `pulumi:deploy:org:O:project:P:stack:S:operation:…` | `O/P/S`; deployment | Pulumi, "OIDC token" |
//! | Spacelift | `space:S:stack:ID:run_type:T:scope:write` | `S/ID`; the run's type | Spacelift, "OIDC: standard claims" |
//! | Kubernetes (EKS and others) | `system:serviceaccount:NAMESPACE:NAME` | `NAMESPACE/NAME`; service-account | Kubernetes, "Configure service accounts for pods" |

use std::borrow::Cow;

/// A web identity's subject, normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'s> {
    /// The repository, as `halyard/web`; for other issuers what stands in its place.
    pub repository: Cow<'s, str>,
    /// What started the run: `branch`, `tag`, `environment`, `pull_request`, `service-account`, …;
    /// `other` where the subject does not say.
    pub kind: &'s str,
}

impl<'s> Subject<'s> {
    /// Reads a `sub`, with or without the issuer before it; `None` for what is not known.
    pub fn parse(text: &'s str) -> Option<Self> {
        let found = |at: usize| Self::of_known(&text[at..]);
        found(0).or_else(|| {
            // `token.actions.githubusercontent.com:repo:…`: the issuer holds no `:`.
            let after = text.find(':')? + 1;
            found(after)
        })
    }

    /// `repository:kind`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.repository, self.kind)
    }

    fn of_known(sub: &'s str) -> Option<Self> {
        let (head, rest) = sub.split_once(':').unwrap_or((sub, ""));
        match head {
            "repo" => Some(github(rest)),
            "project_path" => Some(gitlab(rest)),
            "organization" => organization(sub),
            "owner" => {
                let team = part(sub, "owner")?;
                let project = part(sub, "project")?;
                Some(Self {
                    repository: format!("{team}/{project}").into(),
                    kind: "environment",
                })
            }
            "pulumi" => {
                let (organisation, project, stack) = (
                    part(sub, "org")?,
                    part(sub, "project")?,
                    part(sub, "stack")?,
                );
                Some(Self {
                    repository: format!("{organisation}/{project}/{stack}").into(),
                    kind: "deployment",
                })
            }
            "space" => {
                let space = part(sub, "space")?;
                let stack = part(sub, "stack").or_else(|| part(sub, "module"))?;
                Some(Self {
                    repository: format!("{space}/{stack}").into(),
                    kind: part(sub, "run_type").unwrap_or("other"),
                })
            }
            "system" => {
                let (namespace, name) = rest.strip_prefix("serviceaccount:")?.split_once(':')?;
                Some(Self {
                    repository: format!("{namespace}/{name}").into(),
                    kind: "service-account",
                })
            }
            "sc" => {
                let mut parts = rest.strip_prefix("//")?.split('/');
                let (organisation, project) = (parts.next()?, parts.next()?);
                Some(Self {
                    repository: format!("{organisation}/{project}").into(),
                    kind: "service-connection",
                })
            }
            _ if sub.starts_with("org/") => circle(sub),
            _ if head.starts_with('{') && head.ends_with('}') => {
                let more = rest.split(':').filter(|it| it.starts_with('{')).count();
                Some(Self {
                    repository: head.into(),
                    kind: if more > 1 { "environment" } else { "step" },
                })
            }
            _ => None,
        }
    }
}

/// What follows a key in a list of keys and values, all separated by `:`.
fn part<'s>(sub: &'s str, key: &str) -> Option<&'s str> {
    let mut parts = sub.split(':');
    parts.find(|it| *it == key)?;
    parts.next().filter(|value| !value.is_empty())
}

fn of_reference(reference: &str) -> &'static str {
    if reference.starts_with("refs/tags/") {
        "tag"
    } else if reference.starts_with("refs/pull/") {
        "pull_request"
    } else {
        "branch"
    }
}

fn github(rest: &str) -> Subject<'_> {
    let (repository, context) = rest.split_once(':').unwrap_or((rest, ""));
    let repository = match repository.split_once('/') {
        Some((owner, name)) if repository.contains('@') => {
            format!("{}/{}", without_id(owner), without_id(name)).into()
        }
        _ => repository.into(),
    };
    let (key, value) = context.split_once(':').unwrap_or((context, ""));
    let kind = match key {
        "ref" => of_reference(value),
        "environment" => "environment",
        "pull_request" => "pull_request",
        // A template of the organisation's own may begin with other claims.
        _ => match (part(context, "ref"), part(context, "environment")) {
            (_, Some(_)) => "environment",
            (Some(reference), None) => of_reference(reference),
            (None, None) => "other",
        },
    };
    Subject { repository, kind }
}

/// `octocat@123456` → `octocat`.
fn without_id(name: &str) -> &str {
    match name.rsplit_once('@') {
        Some((plain, id)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            plain
        }
        _ => name,
    }
}

fn gitlab(rest: &str) -> Subject<'_> {
    let (repository, context) = rest.split_once(':').unwrap_or((rest, ""));
    let kind = match (part(context, "environment"), part(context, "ref_type")) {
        (Some(_), _) => "environment",
        (None, Some(kind)) => kind,
        (None, None) => "other",
    };
    Subject {
        repository: repository.into(),
        kind,
    }
}

fn organization(sub: &str) -> Option<Subject<'_>> {
    let organisation = part(sub, "organization")?;
    if let Some(pipeline) = part(sub, "pipeline") {
        return Some(Subject {
            repository: format!("{organisation}/{pipeline}").into(),
            kind: part(sub, "ref").map_or("other", of_reference),
        });
    }
    let (project, workspace) = (part(sub, "project")?, part(sub, "workspace")?);
    Some(Subject {
        repository: format!("{organisation}/{project}/{workspace}").into(),
        kind: part(sub, "run_phase").unwrap_or("other"),
    })
}

fn circle(sub: &str) -> Option<Subject<'_>> {
    let after = |key: &str| sub.split_once(key).map(|(_, rest)| rest);
    let origin = after("/vcs-origin/").map(|rest| {
        rest.split_once("/vcs-ref/")
            .map_or(rest, |(origin, _)| origin)
    });
    let kind = after("/vcs-ref/").map_or("pipeline", of_reference);
    let repository = match origin {
        Some(origin) => origin.into(),
        None => {
            let mut parts = sub.split('/');
            let (organisation, project) = (parts.nth(1)?, parts.nth(1)?);
            format!("{organisation}/{project}").into()
        }
    };
    Some(Subject { repository, kind })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Subject;

    #[test]
    fn issuers_are_read_alike() {
        let cases = [
            (
                "repo:halyard/web:ref:refs/heads/fix/cache",
                "halyard/web:branch",
            ),
            ("repo:halyard/web:ref:refs/tags/v1", "halyard/web:tag"),
            (
                "repo:halyard/web:environment:prod:eu",
                "halyard/web:environment",
            ),
            ("repo:halyard/web:pull_request", "halyard/web:pull_request"),
            (
                "repo:halyard/web:ref:refs/pull/7/merge",
                "halyard/web:pull_request",
            ),
            (
                "repo:halyard@12/web@345:ref:refs/heads/main",
                "halyard/web:branch",
            ),
            (
                "repo:halyard/web:actor:mira:ref:refs/tags/v2",
                "halyard/web:tag",
            ),
            ("repo:halyard/web", "halyard/web:other"),
            (
                "token.actions.githubusercontent.com:repo:halyard/web:ref:refs/heads/main",
                "halyard/web:branch",
            ),
            (
                "project_path:halyard/core/signer:ref_type:tag:ref:v1",
                "halyard/core/signer:tag",
            ),
            ("{4a-1}:{5b-2}:{6c-3}", "{4a-1}:environment"),
            ("{4a-1}:{6c-3}", "{4a-1}:step"),
            (
                "organization:halyard:project:web:workspace:prod:run_phase:apply",
                "halyard/web/prod:apply",
            ),
            (
                "organization:halyard:pipeline:web:ref:refs/heads/main:commit:9f:step:build",
                "halyard/web:branch",
            ),
            ("org/1a/project/2b/user/3c", "1a/2b:pipeline"),
            (
                "org/1a/project/2b/user/3c/vcs-origin/github.com/halyard/web/vcs-ref/refs/heads/x",
                "github.com/halyard/web:branch",
            ),
            (
                "sc://halyard/web/aws-prod",
                "halyard/web:service-connection",
            ),
            (
                "owner:halyard:project:web:environment:production",
                "halyard/web:environment",
            ),
            (
                "pulumi:deploy:org:halyard:project:web:stack:prod:operation:update:scope:write",
                "halyard/web/prod:deployment",
            ),
            (
                "space:root:stack:net:run_type:tracked:scope:write",
                "root/net:tracked",
            ),
            (
                "oidc.eks.eu-west-1.amazonaws.com/id/ABC:system:serviceaccount:ci:runner",
                "ci/runner:service-account",
            ),
        ];
        for (sub, name) in cases {
            assert_eq!(Subject::parse(sub).unwrap().name(), name, "{sub}");
        }
        for unknown in [
            "",
            "mira",
            "accounts.google.com:1234",
            "system:node:a",
            ":",
            "space:x",
        ] {
            assert_eq!(Subject::parse(unknown), None, "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_token_says_is_fatal(text in "\\PC{0,80}") {
            let _ = Subject::parse(&text);
        }

        #[test]
        fn a_branch_does_not_show(branch in "[a-z/:_-]{1,30}") {
            let text = format!("repo:halyard/web:ref:refs/heads/{branch}");
            prop_assert_eq!(Subject::parse(&text).unwrap().name(), "halyard/web:branch");
        }
    }
}
