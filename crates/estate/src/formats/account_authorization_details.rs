//! `get-account-authorization-details`: users, groups, roles, their policies and trust.

use portreeve_model::{Entity, EntityKind, PolicyLayer, Relation};

use crate::arn;
use crate::format::FormatFile;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.account-authorization-details",
    title: "IAM users, groups, roles and policies",
    command: "aws iam get-account-authorization-details > iam-ACCOUNT.json",
    without: "who may do what: no path through the account's identities can be found",
    recognise,
    read,
    ..FormatFile::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    ["UserDetailList", "GroupDetailList", "RoleDetailList"]
        .iter()
        .any(|name| document.has(name))
        || document.get("Policies").is_some_and(|policies| {
            let first = policies.elements().next();
            first.is_some_and(|policy| policy.get("PolicyVersionList").is_some())
        })
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut policies = document.list("Policies", reader);
    while let Some(policy) = policies.next(reader) {
        read_policy(&policy, reader);
    }
    let mut groups = document.list("GroupDetailList", reader);
    while let Some(group) = groups.next(reader) {
        if let Some(id) = principal(
            &group,
            EntityKind::Group,
            &["GroupId", "CreateDate"],
            reader,
        ) {
            inline(&group, "GroupPolicyList", &id, reader);
        }
    }
    let mut users = document.list("UserDetailList", reader);
    while let Some(user) = users.next(reader) {
        read_user(&user, reader);
    }
    let mut roles = document.list("RoleDetailList", reader);
    while let Some(role) = roles.next(reader) {
        read_role(&role, reader);
    }
}

fn read_policy(policy: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(id) = policy.arn(&["Arn"], reader) else {
        return;
    };
    // AWS's own policies cannot be edited; they are no entities of the estate.
    if arn::parts(&id).is_some_and(|parts| arn::is_account(parts[3])) {
        let mut entity = Entity::new(&*id, EntityKind::Policy);
        entity.tags = policy.tags(reader);
        policy.keep(&["PolicyName", "DefaultVersionId"], &mut entity, reader);
        reader.add(entity);
    }
    let default = policy.text("DefaultVersionId", reader);
    let mut versions = policy.list("PolicyVersionList", reader);
    while let Some(version) = versions.next(reader) {
        let is_default = match version.text("IsDefaultVersion", reader) {
            Some(flag) => flag == "true",
            None => default.is_some() && version.text("VersionId", reader) == default,
        };
        if is_default && let Some(text) = version.document("Document", reader) {
            reader.define(PolicyLayer::Identity, &id, text);
        }
    }
}

fn read_user(user: &Object<'_>, reader: &mut Reader<'_>) {
    let kept = ["UserName", "UserId", "CreateDate", "PasswordLastUsed"];
    let Some(id) = principal(user, EntityKind::User, &kept, reader) else {
        return;
    };
    inline(user, "UserPolicyList", &id, reader);
    boundary(user, &id, reader);
    let account = arn::parts(&id).map(|parts| parts[3].to_owned());
    let mut groups = user.list("GroupList", reader);
    while let Some((name, path)) = groups.next_value() {
        let (Some(name), Some(account)) = (name.string(), &account) else {
            let reason = format!("is {}, expected a group's name", name.kind());
            reader.letter(name.offset, &path, reason);
            continue;
        };
        // The export gives a group's name only; `complete` finds the group's ARN where it has a path.
        reader.relate(Relation::MemberOf {
            member: id.as_str().into(),
            group: format!("arn:aws:iam::{account}:group/{name}").into(),
        });
    }
}

fn read_role(role: &Object<'_>, reader: &mut Reader<'_>) {
    let kept = [
        "RoleName",
        "RoleId",
        "CreateDate",
        "MaxSessionDuration",
        "Description",
    ];
    let Some(id) = principal(role, EntityKind::Role, &kept, reader) else {
        return;
    };
    inline(role, "RolePolicyList", &id, reader);
    boundary(role, &id, reader);
    if let Some(trust) = role.document("AssumeRolePolicyDocument", reader) {
        reader.policy(id.as_str(), PolicyLayer::Trust, "trust policy", trust);
    }
    let mut profiles = role.list("InstanceProfileList", reader);
    while let Some(profile) = profiles.next(reader) {
        let Some(profile_id) = profile.arn(&["Arn"], reader) else {
            continue;
        };
        let mut entity = Entity::new(&*profile_id, EntityKind::Other);
        profile.keep(&["InstanceProfileName"], &mut entity, reader);
        entity.attributes.insert("Role".to_owned(), id.clone());
        reader.add(entity);
    }
}

/// The entity of a user, group or role with its attached policies; its id.
fn principal(
    object: &Object<'_>,
    kind: EntityKind,
    kept: &[&str],
    reader: &mut Reader<'_>,
) -> Option<String> {
    let id = object.arn(&["Arn"], reader)?;
    let mut entity = Entity::new(&*id, kind);
    entity.tags = object.tags(reader);
    object.keep(kept, &mut entity, reader);
    if let Some(used) = object.object("RoleLastUsed", reader)
        && let Some(date) = used.text("LastUsedDate", reader)
    {
        entity
            .attributes
            .insert("RoleLastUsed".to_owned(), date.into_owned());
    }
    reader.add(entity);
    let mut attached = object.list("AttachedManagedPolicies", reader);
    while let Some(policy) = attached.next(reader) {
        if let Some(policy) = policy.arn(&["PolicyArn"], reader) {
            reader.attach(&*id, PolicyLayer::Identity, &policy);
        }
    }
    Some(id.into_owned())
}

fn inline(object: &Object<'_>, list: &str, id: &str, reader: &mut Reader<'_>) {
    let mut policies = object.list(list, reader);
    while let Some(policy) = policies.next(reader) {
        let name = policy.required(&["PolicyName"], reader);
        if let Some(text) = policy.document("PolicyDocument", reader) {
            let name = name.unwrap_or_default().into_owned();
            reader.policy(id, PolicyLayer::Identity, name, text);
        }
    }
}

fn boundary(object: &Object<'_>, id: &str, reader: &mut Reader<'_>) {
    if let Some(boundary) = object.object("PermissionsBoundary", reader)
        && let Some(policy) = boundary.arn(&["PermissionsBoundaryArn"], reader)
    {
        reader.attach(id, PolicyLayer::Boundary, &policy);
    }
}
