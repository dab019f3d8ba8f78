use serde_json::{Value, json};

use super::resources::control_policies;
use crate::organisation::{ACCOUNTS, Account, DEV, MANAGEMENT};
use crate::stage::Stage;

/// The tree of units and accounts with the policies that hold for them, as the listings of
/// `aws organizations` give them, with the parent or the targets beside each.
pub(super) fn organization(stage: &Stage) -> Value {
    let organisation = &stage.organisation;
    let owner = format!("arn:aws:organizations::{}", MANAGEMENT.id);
    let unit = |name: &str| {
        let root = organisation.root.trim_start_matches("r-");
        format!(
            "ou-{root}-{}",
            stage
                .seeds
                .stream("unit", u64::from(name == "Production"))
                .hex(8)
        )
    };
    let parent = |account: Account| match account {
        MANAGEMENT => organisation.root.clone(),
        DEV => unit("Development"),
        _ => unit("Production"),
    };
    let targets = [
        vec![
            organisation.root.clone(),
            unit("Production"),
            unit("Development"),
        ],
        vec![organisation.root.clone()],
        vec![unit("Development")],
    ];
    let units = ["Production", "Development"].map(|name| {
        json!({
            "Id": unit(name), "Arn": format!("{owner}:ou/{}/{}", organisation.id, unit(name)),
            "Name": name, "ParentId": organisation.root,
        })
    });
    json!({
        "Organization": {
            "Id": organisation.id, "Arn": format!("{owner}:organization/{}", organisation.id), "FeatureSet": "ALL",
            "MasterAccountArn": format!("{owner}:account/{}/{}", organisation.id, MANAGEMENT.id),
            "MasterAccountId": MANAGEMENT.id, "MasterAccountEmail": "aws-root@halyard.example",
        },
        "Roots": [{
            "Id": organisation.root, "Arn": format!("{owner}:root/{}/{}", organisation.id, organisation.root),
            "Name": "Root", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }],
        "OrganizationalUnits": units,
        "Accounts": ACCOUNTS.map(|account| json!({
            "Id": account.id, "Arn": format!("{owner}:account/{}/{}", organisation.id, account.id),
            "Name": account.name, "Email": format!("aws-{}@halyard.example", account.name), "Status": "ACTIVE",
            "ParentId": parent(account),
        })),
        "Policies": control_policies().into_iter().zip(targets).map(|((id, name, content), targets)| {
            let provided = id == "p-FullAWSAccess";
            let path = format!("policy/{}/service_control_policy/{id}", organisation.id);
            json!({
                "PolicySummary": {
                    "Id": id, "Name": name, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": provided,
                    "Arn": if provided { format!("arn:aws:organizations::aws:policy/service_control_policy/{id}") } else { format!("{owner}:{path}") },
                },
                "Content": content.to_string(),
                "Targets": targets.into_iter().map(|target| json!({
                    "TargetId": target, "Type": if target.starts_with("r-") { "ROOT" } else { "ORGANIZATIONAL_UNIT" },
                })).collect::<Vec<_>>(),
            })
        }).collect::<Vec<_>>(),
    })
}
