//! A person administers a cluster.

use portreeve_model::{EntityId, Severity};
use serde_json::Value;

use crate::check::{Check, fails, passes, unknown};
use crate::scene::{items, json};
use crate::verdicts::{A_PERSON, Judged};

/// Access policies that let their holder do everything in the cluster.
const EVERYTHING: [&str; 2] = ["AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy"];

pub(super) const CHECK: Check = Check {
    id: "aws.cluster-administrator",
    title: "A person administers a cluster at all times",
    why: "His stolen session enters every pod, and takes every role that a pod has.",
    remedy: "Give people a role to read; let them assume administration for the task.",
    severity: Severity::High,
    posture: &["A31"],
    references: &["https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html"],
    needs: &["aws.kubernetes-clusters"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("eks", "cluster/"), |cluster| {
            let Some(entries) = json(cluster, "AccessEntries") else {
                return Judged::unknown("aws eks list-access-entries --cluster-name NAME");
            };
            let administers = |entry: &&Value| {
                let groups = crate::policy::strings(entry.get("kubernetesGroups"));
                let policies = entry.get("associatedAccessPolicies");
                let policies = policies.map_or(&[][..], |list| items(list));
                groups.iter().any(|group| group == "system:masters")
                    || policies.iter().any(|policy| {
                        let id = policy.get("policyArn").and_then(Value::as_str);
                        let id = id.unwrap_or_default();
                        EVERYTHING.iter().any(|name| id.ends_with(name))
                    })
            };
            let mut people: Vec<EntityId> = Vec::new();
            let mut unclear = false;
            let holders = items(&entries).iter().filter(administers);
            for id in holders.filter_map(|entry| entry.get("principalArn")?.as_str()) {
                let principal = scene.estate.get(id);
                match principal.map(|principal| scene.is_person(principal)) {
                    Some(Some(true)) => people.push(id.into()),
                    Some(None) => unclear = true,
                    _ => {}
                }
            }
            let names: Vec<&str> = people.iter().map(EntityId::short_name).collect();
            match names.is_empty() {
                true if unclear => Judged::unknown(A_PERSON),
                true => Judged::pass(),
                false => Judged::fail(format!("administered by {}", names.join(", "))).on(people),
            }
        });
    },
    examples: &[
        fails(
            r#"[{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "AccessEntries": [{"principalArn": "arn:aws:iam::111122223333:user/ana", "associatedAccessPolicies": [{"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}]}]}}, {"UserDetailList": [{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana"}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/ana", "User": {"Arn": "arn:aws:iam::111122223333:user/ana"}}]}]"#,
        ),
        passes(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "AccessEntries": [{"principalArn": "arn:aws:iam::111122223333:role/deploy", "associatedAccessPolicies": [{"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}]}]}}"#,
        ),
        unknown(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc"}}"#,
        ),
    ],
    ..Check::DEFAULT
};
