//! The account accepts tokens of a provider that nobody declared.

use portreeve_graph::wildcard::matches;
use portreeve_model::Severity;

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.unknown-provider",
    title: "An identity provider is trusted that nobody declared",
    why: "A provider of one's own is how an intruder comes back whenever he likes, as whom he likes.",
    remedy: "Declare the providers that are meant in portreeve.toml (`[checks] identity_providers`), and delete the others.",
    severity: Severity::High,
    posture: &["A14"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html"],
    needs: &["aws.identity-providers"],
    judge: |scene, verdicts| {
        let all = [
            ("iam", "oidc-provider/"),
            ("iam", "saml-provider/"),
            ("rolesanywhere", "trust-anchor/"),
        ];
        for (service, kind) in all {
            for provider in scene.of_type(service, kind) {
                let id = provider.id.as_str();
                let declared = &scene.settings.identity_providers;
                // Identity Center makes its own.
                let known = id.contains(":saml-provider/AWSSSO_")
                    || declared.iter().any(|pattern| matches(pattern, id));
                let judged = match known {
                    true => Judged::pass(),
                    false if kind == "trust-anchor/" || kind == "saml-provider/" => {
                        Judged::fail("it is not declared")
                    }
                    false => Judged::fail("it is not declared").graver(Severity::Medium),
                };
                verdicts.of(provider, judged);
            }
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "SAMLProviderList": [{"Arn": "arn:aws:iam::111122223333:saml-provider/backup"}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "SAMLProviderList": [{"Arn": "arn:aws:iam::111122223333:saml-provider/AWSSSO_0a1b2c3d4e5f6071_DO_NOT_DELETE"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
