//! Another account may become a role.

use portreeve_model::{EntityKind, PolicyLayer, Severity};

use crate::check::{Check, fails, passes};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.external-trust",
    title: "A stranger's account may become a role",
    why: "Whoever breaks into the vendor is in here; without an external id, so is whoever is the vendor's other customer.",
    remedy: "Name the vendor's role and an external id, or remove the trust; list known accounts in portreeve.toml.",
    severity: Severity::High,
    posture: &["A13"],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
    ],
    needs: &["aws.account-authorization-details"],
    judge: |scene, verdicts| {
        for role in scene
            .principals()
            .filter(|own| own.kind == EntityKind::Role)
        {
            let mut strangers = Vec::new();
            let mut anyone = false;
            let mut bare = false;
            for policy in scene.policies_of(&role.id, PolicyLayer::Trust) {
                for statement in policy.statements() {
                    if !statement.allows {
                        continue;
                    }
                    let found = scene.strangers(role, &statement);
                    // The organization's own accounts may be meant by a condition.
                    let own = statement.is_on_any(&["aws:principalorgid", "aws:principalorgpaths"]);
                    if found.is_empty() || own {
                        continue;
                    }
                    bare |= !statement.is_on_any(&["sts:externalid"]);
                    anyone |= found.iter().any(|id| id == "*") && statement.conditions.is_empty();
                    strangers.extend(found);
                }
            }
            strangers.dedup();
            let judged = match strangers.is_empty() {
                true => Judged::pass(),
                false if anyone => Judged::fail("anyone may become it").graver(Severity::Critical),
                false => {
                    let list = strangers.join(", ");
                    let without = if bare { ", without an external id" } else { "" };
                    let severity = if bare {
                        Severity::Critical
                    } else {
                        Severity::Medium
                    };
                    Judged::fail(format!("trusts {list}{without}")).graver(severity)
                }
            };
            verdicts.of(role, judged);
        }
    },
    examples: &[
        fails(
            r#"{"RoleDetailList": [{"RoleName": "vendor", "Arn": "arn:aws:iam::111122223333:role/vendor", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "sts:AssumeRole"}]}, "AttachedManagedPolicies": []}]}"#,
        ),
        passes(
            r#"{"RoleDetailList": [{"RoleName": "dev", "Arn": "arn:aws:iam::111122223333:role/dev", "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}]}, "AttachedManagedPolicies": []}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
