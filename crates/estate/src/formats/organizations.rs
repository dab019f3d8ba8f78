//! AWS Organizations: the tree of accounts and the policies on it.

use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.organizations",
    title: "AWS Organizations: accounts, units, service and resource control policies",
    command: "aws organizations describe-organization, list-roots, list-organizational-units-for-parent, list-accounts-for-parent, list-policies, describe-policy, list-targets-for-policy (the loop in docs/inventory.md)",
    without: "which accounts there are, which is the management account, and what service and resource control policies forbid: a path that they stop is still shown",
    wanted: Wanted::Once,
    recognise,
    read,
    ..FormatFile::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    let first_has = |list: &str, test: &dyn Fn(&str) -> bool, member: &str| {
        document.get(list).is_some_and(|list| {
            let first = list.elements().next();
            let value = first.and_then(|first| first.get(member)?.string());
            value.is_some_and(|value| test(&value))
        })
    };
    let ours = |id: &str| id.starts_with("arn:") && id.contains(":organizations:");
    document.get("Organization.MasterAccountId").is_some()
        || first_has("Roots", &|id| id.starts_with("r-"), "Id")
        || first_has("OrganizationalUnits", &|id| id.starts_with("ou-"), "Id")
        || first_has("Accounts", &ours, "Arn")
        || first_has("Policies", &ours, "Arn")
        || document.get("Policy.PolicySummary").is_some()
        || document.get("Policies").is_some_and(|policies| {
            let first = policies.elements().next();
            first.is_some_and(|first| first.get("PolicySummary").is_some())
        })
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    if let Some(organization) = document.object("Organization", reader) {
        let management = organization.required(&["MasterAccountId"], reader);
        if let Some(management) = management.filter(|account| arn::is_account(account)) {
            let id = arn::account(&management);
            let mut entity = Entity::new(id.as_str(), EntityKind::Account);
            organization.keep(&["FeatureSet"], &mut entity, reader);
            if let Some(name) = organization.text("Id", reader) {
                let attribute = "OrganizationId".to_owned();
                entity.attributes.insert(attribute, name.into_owned());
            }
            reader.add(entity);
            reader.relate(Relation::ManagementAccount { account: id.into() });
        }
    }
    for (list, kind) in [
        ("Roots", EntityKind::Organization),
        ("OrganizationalUnits", EntityKind::OrganizationalUnit),
        ("Accounts", EntityKind::Account),
    ] {
        let mut nodes = document.list(list, reader);
        while let Some(node) = nodes.next(reader) {
            read_node(&node, kind, reader);
        }
    }
    let mut policies = document.list("Policies", reader);
    while let Some(policy) = policies.next(reader) {
        read_policy(&policy, reader);
    }
    if let Some(policy) = document.object("Policy", reader) {
        read_policy(&policy, reader);
    }
}

fn read_node(node: &Object<'_>, kind: EntityKind, reader: &mut Reader<'_>) {
    let Some(id) = node.required(&["Id"], reader) else {
        return;
    };
    let id = node_id(&id);
    let mut entity = Entity::new(id.as_str(), kind);
    entity.tags = node.tags(reader);
    node.keep(&["Name", "Status", "State", "Arn"], &mut entity, reader);
    let mut types = Vec::new();
    let mut enabled = node.list("PolicyTypes", reader);
    while let Some(policy_type) = enabled.next(reader) {
        let status = policy_type.text("Status", reader);
        if status.is_none_or(|status| status == "ENABLED") {
            types.extend(
                policy_type
                    .text("Type", reader)
                    .map(|name| name.into_owned()),
            );
        }
    }
    if !types.is_empty() {
        types.sort();
        entity
            .attributes
            .insert("PolicyTypes".to_owned(), types.join(", "));
    }
    reader.add(entity);
    if let Some(parent) = node.first(&["ParentId", "Parent"], reader) {
        reader.relate(Relation::Contains {
            parent: node_id(&parent).into(),
            child: id.as_str().into(),
        });
    }
    // The output of `list-policies-for-target`, kept with its node.
    let mut policies = node.list("Policies", reader);
    while let Some(policy) = policies.next(reader) {
        let policy_id = policy.arn(&["Arn", "PolicySummary.Arn"], reader);
        if let Some(policy_id) = policy_id
            && let Some(layer) = layer(&policy_id)
        {
            reader.attach(id.as_str(), layer, &policy_id);
        }
    }
}

fn read_policy(policy: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(id) = policy.arn(&["PolicySummary.Arn", "Arn"], reader) else {
        return;
    };
    // Tag, backup and other policies decide nothing about access.
    let Some(layer) = layer(&id) else {
        return;
    };
    if let Some(document) = policy.document("Content", reader) {
        reader.define(layer, &id, document);
    }
    let mut targets = policy.list("Targets", reader);
    while let Some((target, path)) = targets.next_value() {
        let named = target.get("TargetId").and_then(|id| id.string());
        match target.string().or(named) {
            Some(target) => reader.attach(node_id(&target), layer, &id),
            None => reader.letter(target.offset, &path, "has no `TargetId`"),
        }
    }
}

fn layer(id: &str) -> Option<PolicyLayer> {
    if id.contains("/service_control_policy/") {
        Some(PolicyLayer::ServiceControl)
    } else if id.contains("/resource_control_policy/") {
        Some(PolicyLayer::ResourceControl)
    } else {
        None
    }
}

/// Accounts go by the id that they have everywhere, roots and units by their own.
fn node_id(id: &str) -> String {
    if arn::is_account(id) {
        arn::account(id)
    } else {
        id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};

    #[test]
    fn the_tree_and_its_policies_are_read() {
        let text = br#"{
            "Organization": {"Id": "o-abc", "MasterAccountId": "999988887777", "FeatureSet": "ALL"},
            "Roots": [{"Id": "r-ab12", "Name": "Root", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}],
            "OrganizationalUnits": [{"Id": "ou-ab12-prod", "Name": "prod", "ParentId": "r-ab12"}],
            "Accounts": [
                {"Id": "999988887777", "Arn": "arn:aws:organizations::999988887777:account/o-abc/999988887777", "Name": "main", "ParentId": "r-ab12"},
                {"Id": "111122223333", "Arn": "arn:aws:organizations::999988887777:account/o-abc/111122223333", "Name": "web", "ParentId": "ou-ab12-prod"}],
            "Policies": [
                {"PolicySummary": {"Id": "p-1", "Arn": "arn:aws:organizations::999988887777:policy/o-abc/service_control_policy/p-1", "Name": "no-leave", "Type": "SERVICE_CONTROL_POLICY"},
                 "Content": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"organizations:LeaveOrganization\",\"Resource\":\"*\"}]}",
                 "Targets": [{"TargetId": "ou-ab12-prod"}, "111122223333"]},
                {"PolicySummary": {"Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", "AwsManaged": true}, "Targets": ["r-ab12"]}]
        }"#;
        assert_eq!(crate::recognise(text).unwrap().id(), "aws.organizations");
        let mut estate = Estate::default();
        assert_eq!(crate::read("org.json", text, &mut estate), []);
        crate::complete(&mut estate);
        let web = estate.get("arn:aws:iam::111122223333:root").unwrap();
        assert_eq!(
            (web.kind, web.attributes["Name"].as_str()),
            (EntityKind::Account, "web")
        );
        let scps: Vec<_> = estate
            .relations()
            .iter()
            .filter_map(|relation| match relation {
                Relation::Policy {
                    subject,
                    layer: PolicyLayer::ServiceControl,
                    document,
                    ..
                } => Some((
                    subject.as_str(),
                    document.contains("Leave"),
                    document.is_empty(),
                )),
                _ => None,
            })
            .collect();
        assert_eq!(
            scps,
            [
                ("arn:aws:iam::111122223333:root", true, false),
                ("ou-ab12-prod", true, false),
                ("r-ab12", false, false),
            ]
        );
        let contains = |parent: &str, child: &str| {
            estate.relations().contains(&Relation::Contains {
                parent: parent.into(),
                child: child.into(),
            })
        };
        assert!(contains("r-ab12", "ou-ab12-prod"));
        assert!(contains("ou-ab12-prod", "arn:aws:iam::111122223333:root"));
        assert!(estate.relations().contains(&Relation::ManagementAccount {
            account: "arn:aws:iam::999988887777:root".into()
        }));
    }
}
