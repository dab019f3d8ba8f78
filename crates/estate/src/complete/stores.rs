//! Secrets and parameters that hold a user's keys.

use std::collections::BTreeMap;

use portreeve_model::{EntityId, EntityKind, Estate, Relation};

use super::links::of_kind;

/// Words that say that something is a key of IAM. Compared in lower case with `_`, `.`, `/` and
/// spaces as hyphens.
const WORDS: &[&str] = &[
    "access-key",
    "accesskey",
    "aws-credential",
    "aws-secret-key",
    "secret-key-id",
    "iam-credential",
    "iam-key",
    "iam-user",
];

/// Shorter user names are too common as words.
const SHORTEST_NAME: usize = 3;

/// A secret or parameter stores a user's credential where its name or description both says that
/// it is a key of IAM ([`WORDS`]) and holds, as whole words, the name of a user. Where it is in an
/// account that has a user of that name, only that user counts. A name alone is not enough:
/// services and the users made for them are often called the same.
pub(super) fn find(estate: &mut Estate) {
    let mut users: BTreeMap<String, Vec<(&EntityId, Option<&str>)>> = BTreeMap::new();
    for user in of_kind(estate, EntityKind::User).filter(|user| !user.inferred) {
        let name = normal(user.id.short_name());
        if name.len() >= SHORTEST_NAME {
            let account = user.account.as_deref();
            users.entry(name).or_default().push((&user.id, account));
        }
    }
    let mut found = Vec::new();
    for store in estate.entities() {
        if !matches!(store.kind, EntityKind::Secret | EntityKind::Parameter) {
            continue;
        }
        let description = store.attributes.get("Description");
        let name = store.id.as_str().splitn(6, ':').nth(5).unwrap_or_default();
        let text = format!("{name} {}", description.map_or("", String::as_str));
        let text = normal(&text);
        if !WORDS.iter().any(|word| text.contains(word)) {
            continue;
        }
        for name in names_in(&text) {
            let named = users.get(name).map(Vec::as_slice).unwrap_or_default();
            let account = store.account.as_deref();
            let same = named.iter().filter(|(_, of)| *of == account);
            let same: Vec<_> = same.collect();
            let chosen = if same.is_empty() {
                named.iter().collect()
            } else {
                same
            };
            found.extend(chosen.into_iter().map(|(user, _)| Relation::Stores {
                store: store.id.clone(),
                credential: (*user).clone(),
            }));
        }
    }
    for relation in found {
        estate.relate(relation);
    }
}

fn normal(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    lower.replace(['_', '.', '/', ' ', ':', ',', '@'], "-")
}

/// Every run of whole words in a text, up to eight words long: what a user's name could be.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut starts = vec![0];
    starts.extend(text.match_indices('-').map(|(at, _)| at + 1));
    starts.truncate(64);
    starts.into_iter().flat_map(move |start| {
        let rest = text.get(start..).unwrap_or_default();
        let ends = rest.match_indices('-').map(|(at, _)| at);
        ends.chain([rest.len()])
            .take(8)
            .filter_map(move |end| rest.get(..end))
    })
}

#[cfg(test)]
mod tests {
    use portreeve_model::{Entity, EntityKind, Estate, Relation};

    #[test]
    fn a_store_needs_both_the_word_and_the_name() {
        let user = "arn:aws:iam::111122223333:user/ci-deploy";
        let secret =
            |name: &str| format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:{name}");
        let mut estate = Estate::default();
        estate.add(Entity::new(user, EntityKind::User));
        for name in [
            "prod/ci_deploy/access-key-AbCdEf",
            "prod/ci-deploy-AbCdEf",
            "prod/access-key-AbCdEf",
            "prod/notci-deployer/access-key-AbCdEf",
        ] {
            estate.add(Entity::new(secret(name), EntityKind::Secret));
        }
        let mut described = Entity::new(secret("k-AbCdEf"), EntityKind::Secret);
        let text = "IAM user ci-deploy, access key of the pipeline".to_owned();
        described.attributes.insert("Description".to_owned(), text);
        estate.add(described);
        super::find(&mut estate);
        let stores: Vec<_> = estate
            .relations()
            .iter()
            .map(|relation| match relation {
                Relation::Stores { store, credential } => (store.as_str(), credential.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            stores,
            [
                (secret("k-AbCdEf").as_str(), user),
                (secret("prod/ci_deploy/access-key-AbCdEf").as_str(), user)
            ]
        );
    }
}
