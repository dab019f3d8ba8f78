//! Relations between entities that different files tell of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use portreeve_model::{Entity, EntityId, EntityKind, Estate, Relation};

use crate::arn;

/// Group memberships name a group without its path: finds the group that has one.
pub(super) fn groups(estate: &Estate, relations: Vec<Relation>) -> Vec<Relation> {
    let mut by_name = BTreeMap::new();
    for entity in of_kind(estate, EntityKind::Group) {
        let name = format!(
            "{}/{}",
            entity.account.as_deref().unwrap_or_default(),
            entity.id.short_name()
        );
        by_name.insert(name, entity.id.clone());
    }
    relations
        .into_iter()
        .map(|relation| match relation {
            Relation::MemberOf { member, group } if estate.get(group.as_str()).is_none() => {
                let account = group.aws_account().unwrap_or_default();
                let name = format!("{account}/{}", group.short_name());
                let group = by_name.get(&name).cloned().unwrap_or(group);
                Relation::MemberOf { member, group }
            }
            other => other,
        })
        .collect()
}

/// Buckets' ids tell no account: where only one account is known they are in it.
pub(super) fn accounts_of_buckets(estate: &mut Estate) {
    let accounts: BTreeSet<_> = of_kind(estate, EntityKind::Account)
        .filter_map(|account| account.account.clone())
        .collect();
    let Some(only) = accounts.first().filter(|_| accounts.len() == 1) else {
        return;
    };
    let buckets: Vec<_> = of_kind(estate, EntityKind::Bucket)
        .filter(|bucket| bucket.account.is_none() && !bucket.inferred)
        .cloned()
        .collect();
    for mut bucket in buckets {
        bucket.account = Some(only.clone());
        estate.add(bucket);
    }
}

/// Instances and launch templates act as the role of their instance profile.
pub(super) fn roles_of_profiles(estate: &mut Estate) {
    let mut roles: BTreeMap<String, EntityId> = BTreeMap::new();
    for profile in of_kind(estate, EntityKind::Other) {
        let is_profile = profile.id.as_str().contains(":instance-profile/");
        if let Some(role) = profile.attributes.get("Role").filter(|_| is_profile) {
            let role = EntityId::from(role.as_str());
            let account = profile.account.as_deref().unwrap_or_default();
            let name = format!("{account}/{}", profile.id.short_name());
            roles.insert(profile.id.as_str().to_owned(), role.clone());
            roles.insert(name, role);
        }
    }
    let mut found = Vec::new();
    for entity in estate.entities() {
        let Some(profile) = entity.attributes.get("IamInstanceProfile") else {
            continue;
        };
        let account = entity.account.as_deref().unwrap_or_default();
        let role = roles
            .get(profile)
            .or_else(|| roles.get(&format!("{account}/{profile}")));
        found.extend(role.map(|role| Relation::RunsAs {
            workload: entity.id.clone(),
            principal: role.clone(),
        }));
    }
    for relation in found {
        estate.relate(relation);
    }
}

/// Services and running tasks act as their task definition does, and run its images.
pub(super) fn task_definitions(estate: &mut Estate) {
    let mut users: BTreeMap<String, Vec<EntityId>> = BTreeMap::new();
    for entity in estate.entities() {
        for name in ["taskDefinition", "taskDefinitionArn"] {
            let definition = entity.attributes.get(name);
            let definition = definition.filter(|definition| *definition != entity.id.as_str());
            if let Some(definition) = definition {
                let users = users.entry(definition.clone()).or_default();
                users.push(entity.id.clone());
            }
        }
    }
    let mut found = Vec::new();
    let none = Vec::new();
    for relation in estate.relations() {
        match relation {
            Relation::RunsAs {
                workload,
                principal,
            } => {
                let users = users.get(workload.as_str()).unwrap_or(&none).iter();
                found.extend(users.map(|user| Relation::RunsAs {
                    workload: user.clone(),
                    principal: principal.clone(),
                }));
            }
            Relation::Pulls {
                workload,
                repository,
            } => {
                let users = users.get(workload.as_str()).unwrap_or(&none).iter();
                found.extend(users.map(|user| Relation::Pulls {
                    workload: user.clone(),
                    repository: repository.clone(),
                }));
            }
            _ => {}
        }
    }
    for relation in found {
        estate.relate(relation);
    }
}

/// Keys and second factors that were listed with a user's name prove that user. Where the listing
/// told no account, the name must be the only one of its kind.
pub(super) fn credentials_of_users(estate: &mut Estate) {
    let mut users: HashMap<&str, Vec<&Entity>> = HashMap::new();
    for user in of_kind(estate, EntityKind::User) {
        users.entry(user.id.short_name()).or_default().push(user);
    }
    let mut found = Vec::new();
    for credential in estate.entities() {
        let is_credential = matches!(
            credential.kind,
            EntityKind::AccessKey | EntityKind::MfaDevice
        );
        let name = credential.attributes.get("UserName");
        let Some(name) = name.filter(|_| is_credential) else {
            continue;
        };
        let named = users.get(name.as_str()).into_iter().flatten();
        let fitting: Vec<_> = named
            .filter(|user| credential.account.is_none() || credential.account == user.account)
            .collect();
        if let [user] = fitting.as_slice() {
            found.push(Relation::Proves {
                credential: credential.id.clone(),
                principal: user.id.clone(),
            });
        }
    }
    for relation in found {
        estate.relate(relation);
    }
}

/// People sign in as the roles that Identity Center made of permission sets:
/// `AWSReservedSSO_NAME_` and 16 hexadecimal digits. Gives the assignments whose role is not known,
/// as `NAME in ACCOUNT`.
pub(super) fn sign_ins(estate: &mut Estate) -> BTreeSet<String> {
    let mut roles: BTreeMap<(String, String), Vec<EntityId>> = BTreeMap::new();
    for role in of_kind(estate, EntityKind::Role) {
        let name = role.id.short_name().strip_prefix("AWSReservedSSO_");
        if let Some((set, _)) = name.and_then(|name| name.rsplit_once('_')) {
            let account = role.account.clone().unwrap_or_default();
            let roles = roles.entry((account, set.to_owned())).or_default();
            roles.push(role.id.clone());
        }
    }
    let mut members: BTreeMap<&str, Vec<&EntityId>> = BTreeMap::new();
    for relation in estate.relations() {
        if let Relation::MemberOf { member, group } = relation {
            members.entry(group.as_str()).or_default().push(member);
        }
    }
    let mut found = Vec::new();
    let mut unmatched = BTreeSet::new();
    for set in of_kind(estate, EntityKind::PermissionSet) {
        let name = set.attributes.get("Name").map(String::as_str);
        let name = name.unwrap_or(set.id.short_name());
        for assignment in set.attributes.keys() {
            let Some((account, principal)) = assignment
                .strip_prefix("Assignment:")
                .and_then(|assignment| assignment.split_once(':'))
            else {
                continue;
            };
            let Some(roles) = roles.get(&(account.to_owned(), name.to_owned())) else {
                unmatched.insert(format!("{name} in {account}"));
                continue;
            };
            let principal_id = EntityId::from(principal);
            let people = match members.get(principal) {
                Some(members) => members.clone(),
                None if principal.contains(":group/") => continue,
                None => vec![&principal_id],
            };
            for person in people {
                found.extend(roles.iter().map(|role| Relation::SignsInAs {
                    person: person.clone(),
                    role: role.clone(),
                }));
            }
        }
    }
    for relation in found {
        if let Relation::SignsInAs { person, .. } = &relation {
            super::infer(estate, person.clone(), EntityKind::Person);
        }
        estate.relate(relation);
    }
    unmatched
}

/// The entities of one kind.
pub(super) fn of_kind(estate: &Estate, kind: EntityKind) -> impl Iterator<Item = &Entity> {
    estate.entities().filter(move |entity| entity.kind == kind)
}

/// The name of an account for messages.
pub(super) fn account_name(estate: &Estate, account: &str) -> String {
    let entity = estate.get(&arn::account(account));
    match entity.and_then(|entity| entity.attributes.get("Name")) {
        Some(name) => format!("{account} ({name})"),
        None => account.to_owned(),
    }
}
