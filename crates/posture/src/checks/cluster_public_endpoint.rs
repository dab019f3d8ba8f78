//! A cluster's control plane faces the internet.

use portreeve_model::Severity;

use crate::check::{Check, fails, passes, unknown};
use crate::policy::strings;
use crate::scene::{flag, json};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.cluster-public-endpoint",
    title: "A cluster's control plane faces the internet",
    why: "A token that was stolen from a laptop or a build works from anywhere.",
    remedy: "Make the endpoint private, or name the networks that may reach it.",
    severity: Severity::High,
    posture: &["A31"],
    references: &["https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"],
    needs: &["aws.kubernetes-clusters"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_type("eks", "cluster/"), |cluster| {
            let public = flag(cluster, "resourcesVpcConfig.endpointPublicAccess");
            let ranges = json(cluster, "resourcesVpcConfig.publicAccessCidrs");
            let ranges = ranges.map(|ranges| strings(Some(&ranges)));
            match (public, ranges) {
                (None, _) => Judged::unknown("aws eks describe-cluster --name NAME"),
                (Some(false), _) => Judged::pass(),
                // Without a list every address is let in.
                (Some(true), ranges) => {
                    let narrow = ranges.is_some_and(|ranges| {
                        !ranges.is_empty()
                            && !ranges
                                .iter()
                                .any(|range| range == "0.0.0.0/0" || range == "::/0")
                    });
                    Judged::holds(Some(narrow), "it is open to every address", "")
                }
            }
        });
    },
    examples: &[
        fails(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "resourcesVpcConfig": {"endpointPublicAccess": true, "publicAccessCidrs": ["0.0.0.0/0"]}}}"#,
        ),
        passes(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc", "resourcesVpcConfig": {"endpointPublicAccess": true, "publicAccessCidrs": ["198.51.100.0/28"]}}}"#,
        ),
        unknown(
            r#"{"cluster": {"name": "rpc", "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/rpc"}}"#,
        ),
    ],
    ..Check::DEFAULT
};
