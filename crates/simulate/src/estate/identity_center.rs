use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::permission_sets::permission_set;
use crate::organisation::PERMISSION_SETS;
use crate::people::Person;
use crate::stage::Stage;

/// People, groups, permission sets and who has which where, as `aws identitystore` and
/// `aws sso-admin` list them.
pub(super) fn identity_center(stage: &Stage) -> Value {
    let organisation = &stage.organisation;
    let store = &organisation.identity_store;
    let group_id = |name: &str| stage.seeds.stream(&format!("group {name}"), 0).uuid();
    let set_arn = |name: &str| {
        let instance = organisation
            .instance_arn
            .rsplit('/')
            .next()
            .unwrap_or_default();
        format!(
            "arn:aws:sso:::permissionSet/{instance}/ps-{}",
            stage.seeds.stream(&format!("set {name}"), 0).hex(16)
        )
    };
    let mut members: BTreeMap<String, Vec<&Person>> = BTreeMap::new();
    for person in &organisation.people {
        members
            .entry(person.team.name().to_owned())
            .or_default()
            .push(person);
        // Each permission set has a group of those who hold it.
        for (_, set) in organisation.grants(person) {
            let holders = members.entry(format!("aws-{}", set.name)).or_default();
            if holders
                .last()
                .is_none_or(|last| last.number != person.number)
            {
                holders.push(person);
            }
        }
    }
    let memberships: Vec<_> = members
        .iter()
        .flat_map(|(name, people)| {
            people.iter().map(move |person| {
                json!({
                    "IdentityStoreId": store, "MembershipId": stage.seeds.stream(&format!("member {name}"), person.number as u64).uuid(),
                    "GroupId": group_id(name), "MemberId": {"UserId": person.user_id},
                })
            })
        })
        .collect();
    json!({
        "Instances": [{"InstanceArn": organisation.instance_arn, "IdentityStoreId": store, "Status": "ACTIVE"}],
        "Users": organisation.people.iter().map(|person| json!({
            "UserName": person.user_name, "UserId": person.user_id, "IdentityStoreId": store,
            "DisplayName": format!("{} {}", person.given, person.family),
            "Name": {"GivenName": person.given, "FamilyName": person.family},
            "Emails": [{"Value": person.email, "Type": "work", "Primary": true}],
        })).collect::<Vec<_>>(),
        "Groups": members.keys().map(|name| json!({
            "GroupId": group_id(name), "DisplayName": name, "IdentityStoreId": store,
        })).collect::<Vec<_>>(),
        "GroupMemberships": memberships,
        "PermissionSets": PERMISSION_SETS.iter().map(|set| {
            let (inline, attached) = permission_set(stage, set.name);
            json!({
                "Name": set.name, "PermissionSetArn": set_arn(set.name), "SessionDuration": format!("PT{}H", set.hours),
                "InlinePolicy": inline.map(|body| body.to_string()).unwrap_or_default(),
                "AttachedManagedPolicies": attached.iter().map(|name| {
                    let path = if *name == "Billing" { "job-function/" } else { "" };
                    json!({"Name": name, "Arn": format!("arn:aws:iam::aws:policy/{path}{name}")})
                }).collect::<Vec<_>>(),
            })
        }).collect::<Vec<_>>(),
        "AccountAssignments": PERMISSION_SETS.iter().flat_map(|set| {
            set.grants.iter().map(|(account, _)| json!({
                "AccountId": account.id, "PermissionSetArn": set_arn(set.name),
                "PrincipalType": "GROUP", "PrincipalId": group_id(&format!("aws-{}", set.name)),
            })).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
    })
}
