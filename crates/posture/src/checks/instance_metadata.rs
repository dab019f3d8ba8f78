//! A machine gives its role away to whoever can make it fetch an address.

use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes, unknown};
use crate::scene::{number, text};
use crate::verdicts::Judged;

pub(super) const CHECK: Check = Check {
    id: "aws.instance-metadata",
    title: "A machine's role can be taken through its metadata",
    why: "Version 1 answers any request that the machine is made to send; with more than one hop, containers on it reach the machine's role.",
    remedy: "Require tokens (`HttpTokens: required`), and set the hop limit to 1.",
    severity: Severity::High,
    posture: &["A17"],
    cis: &["5.6"],
    references: &[
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
    ],
    needs: &["aws.instances"],
    limits: &[Limit {
        name: "hops",
        default: 1,
        meaning: "hops that an answer may take",
    }],
    judge: |scene, verdicts| {
        let hops = scene.limit(CHECK.id, "hops");
        for instance in scene.of_kind(EntityKind::Instance) {
            if matches!(
                text(instance, "State.Name"),
                Some("terminated" | "shutting-down")
            ) {
                continue;
            }
            let closed = text(instance, "MetadataOptions.HttpEndpoint") == Some("disabled");
            let tokens = text(instance, "MetadataOptions.HttpTokens");
            let limit = number(instance, "MetadataOptions.HttpPutResponseHopLimit");
            let judged = match (tokens, limit) {
                _ if closed => Judged::pass(),
                (None, _) => Judged::unknown("aws ec2 describe-instances"),
                (Some("required"), Some(limit)) if limit > hops => {
                    Judged::fail(format!("the hop limit is {limit}")).graver(Severity::Medium)
                }
                (Some("required"), _) => Judged::pass(),
                (Some(_), _) => Judged::fail("version 1 is allowed"),
            };
            let roles = scene
                .roles_of(&instance.id)
                .iter()
                .map(|role| (*role).clone());
            verdicts.of(instance, judged.on(roles));
        }
    },
    examples: &[
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "MetadataOptions": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}}]}"#,
        ),
        fails(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}}]}"#,
        ),
        passes(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1", "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}}]}"#,
        ),
        unknown(
            r#"{"Account": "111122223333", "Region": "eu-west-1", "Instances": [{"InstanceId": "i-1"}]}"#,
        ),
    ],
};
