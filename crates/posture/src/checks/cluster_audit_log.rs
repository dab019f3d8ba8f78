//! A cluster keeps no audit log.

use portreeve_model::Severity;
use serde_json::Value;

use crate::check::{Check, fails, passes, unknown};
use crate::policy::strings;
use crate::scene::{items, json};
use crate::verdicts::Judged;

const WANTED: [&str; 2] = ["audit", "authenticator"];

pub(super) const CHECK: Check = Check {
    id: "aws.cluster-audit-log",
    title: "A cluster keeps no audit log",
    why: "Who entered which pod, and who read which secret, is written nowhere else.",
    remedy: "Turn on the log types `audit` and `authenticator`.",
    severity: Severity::High,
    posture: &["A31"],
    references: &["https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html"],
    needs: &["aws.kubernetes-clusters"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("eks", "cluster/"), |cluster| {
            let Some(logging) = json(cluster, "logging.clusterLogging") else {
                return Judged::unknown("aws eks describe-cluster --name NAME");
            };
            let on = |kind: &str| {
                items(&logging).iter().any(|setup| {
                    let types = strings(setup.get("types"));
                    setup.get("enabled").and_then(Value::as_bool) == Some(true)
                        && types.iter().any(|own| own == kind)
                })
            };
            let off: Vec<&str> = WANTED.into_iter().filter(|kind| !on(kind)).collect();
            match off.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("off: {}", off.join(", "))),
            }
        });
    },
    examples: &[
        fails(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": false}]}}}"#,
        ),
        passes(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]}}}"#,
        ),
        unknown(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc"}}"#,
        ),
    ],
    ..Check::DEFAULT
};
