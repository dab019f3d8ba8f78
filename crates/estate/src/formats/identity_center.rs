//! IAM Identity Center: people, groups, permission sets and who has them in which account.

use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.identity-center",
    title: "IAM Identity Center: people, groups, permission sets, assignments",
    command: "aws identitystore list-users, list-groups, list-group-memberships; aws sso-admin list-permission-sets, describe-permission-set, list-account-assignments (the loop in docs/inventory.md)",
    without: "which person can sign in as which role",
    wanted: Wanted::Once,
    recognise,
    read,
    ..FormatFile::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    let first_has = |list: &str, member: &str| {
        document.get(list).is_some_and(|list| {
            let first = list.elements().next();
            first.is_some_and(|first| first.get(member).is_some())
        })
    };
    first_has("PermissionSets", "PermissionSetArn")
        || document.get("PermissionSet.PermissionSetArn").is_some()
        || first_has("AccountAssignments", "PermissionSetArn")
        || first_has("GroupMemberships", "MemberId")
        || first_has("Users", "IdentityStoreId")
        || first_has("Groups", "IdentityStoreId")
}

fn person(id: &str) -> String {
    format!("arn:aws:identitystore:::user/{id}")
}

fn group(id: &str) -> String {
    format!("arn:aws:identitystore:::group/{id}")
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut users = document.list("Users", reader);
    while let Some(user) = users.next(reader) {
        if let Some(id) = user.required(&["UserId"], reader) {
            let mut entity = Entity::new(person(&id), EntityKind::Person);
            let kept = ["UserName", "DisplayName", "Title", "UserStatus"];
            user.keep(&kept, &mut entity, reader);
            reader.add(entity);
        }
    }
    let mut groups = document.list("Groups", reader);
    while let Some(object) = groups.next(reader) {
        if let Some(id) = object.required(&["GroupId"], reader) {
            let mut entity = Entity::new(group(&id), EntityKind::PersonGroup);
            object.keep(&["DisplayName", "Description"], &mut entity, reader);
            reader.add(entity);
        }
    }
    let mut memberships = document.list("GroupMemberships", reader);
    while let Some(membership) = memberships.next(reader) {
        let of = membership.required(&["GroupId"], reader);
        let member = membership.required(&["MemberId.UserId", "UserId"], reader);
        if let (Some(of), Some(member)) = (of, member) {
            reader.relate(Relation::MemberOf {
                member: person(&member).into(),
                group: group(&of).into(),
            });
        }
    }
    let mut sets = document.list("PermissionSets", reader);
    // `list-permission-sets` gives ARNs alone; they say nothing that the assignments do not.
    while let Some((value, path)) = sets.next_value() {
        if value.is_object() {
            if reader.is_whole(value, &path) {
                read_set(&Object::new(value, path), reader);
            }
        } else if value.string().is_none() {
            let reason = format!("is {}, expected a permission set", value.kind());
            reader.letter(value.offset, &path, reason);
        }
    }
    if let Some(set) = document.object("PermissionSet", reader) {
        read_set(&set, reader);
    }
    let mut assignments = document.list("AccountAssignments", reader);
    while let Some(assignment) = assignments.next(reader) {
        read_assignment(&assignment, reader);
    }
}

fn read_set(set: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(id) = set.arn(&["PermissionSetArn"], reader) else {
        return;
    };
    let mut entity = Entity::new(&*id, EntityKind::PermissionSet);
    entity.tags = set.tags(reader);
    set.keep(
        &["Name", "Description", "SessionDuration"],
        &mut entity,
        reader,
    );
    let mut customer = Vec::new();
    let mut policies = set.list("CustomerManagedPolicies", reader);
    while let Some(policy) = policies.next(reader) {
        customer.extend(
            policy
                .required(&["Name"], reader)
                .map(|name| name.into_owned()),
        );
    }
    if !customer.is_empty() {
        customer.sort();
        let name = "CustomerManagedPolicies".to_owned();
        entity.attributes.insert(name, customer.join(", "));
    }
    reader.add(entity);
    if let Some(text) = set.document("InlinePolicy", reader) {
        reader.policy(&*id, PolicyLayer::Identity, "inline policy", text);
    }
    for list in ["AttachedManagedPolicies", "ManagedPolicies"] {
        let mut policies = set.list(list, reader);
        while let Some(policy) = policies.next(reader) {
            if let Some(policy) = policy.arn(&["Arn", "PolicyArn"], reader) {
                reader.attach(&*id, PolicyLayer::Identity, &policy);
            }
        }
    }
    let boundary = set.get("PermissionsBoundary.ManagedPolicyArn");
    if let Some(boundary) = boundary.and_then(|boundary| boundary.string()) {
        reader.attach(&*id, PolicyLayer::Boundary, &boundary);
    }
}

/// Kept as an attribute of the permission set, from which `complete` finds the role in the account.
fn read_assignment(assignment: &Object<'_>, reader: &mut Reader<'_>) {
    let set = assignment.required(&["PermissionSetArn"], reader);
    let account = assignment.required(&["AccountId"], reader);
    let principal = assignment.required(&["PrincipalId"], reader);
    let (Some(set), Some(account), Some(principal)) = (set, account, principal) else {
        return;
    };
    if !arn::is_account(&account) {
        let reason = format!("has the `AccountId` `{account}`, expected 12 digits");
        reader.letter(assignment.json.offset, &assignment.path, reason);
        return;
    }
    let is_group = assignment
        .text("PrincipalType", reader)
        .is_some_and(|kind| kind == "GROUP");
    let id = if is_group {
        group(&principal)
    } else {
        person(&principal)
    };
    reader.known_account(&account);
    let mut entity = Entity::new(&*set, EntityKind::PermissionSet);
    entity
        .attributes
        .insert(format!("Assignment:{account}:{id}"), "assigned".to_owned());
    reader.add(entity);
}
