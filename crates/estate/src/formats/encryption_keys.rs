//! KMS keys with their policies, aliases and grants.

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::arn;
use crate::format::FormatFile;
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.keys",
    title: "KMS keys with policies, aliases and grants",
    command: "aws kms list-keys; aws kms list-aliases (with describe-key, get-key-policy, get-key-rotation-status, list-grants of each)",
    without: "which keys sign, and who may use them",
    recognise,
    read,
    ..FormatFile::DEFAULT
};

const KEPT: &[&str] = &[
    "KeySpec",
    "KeyUsage",
    "Origin",
    "KeyState",
    "KeyManager",
    "Description",
    "MultiRegion",
    "KeyRotationEnabled",
];

const KEYS: Listing = Listing {
    service: "kms",
    kind: EntityKind::Key,
    members: &["Keys", "KeyMetadata"],
    id: &["Arn", "KeyArn"],
    policy: &["Policy"],
    kept: KEPT,
    ..Listing::DEFAULT
};

/// `describe-key` as it is, with the policy beside it.
const DESCRIBED: Listing = Listing {
    service: "kms",
    kind: EntityKind::Key,
    members: &["Keys"],
    id: &["KeyMetadata.Arn"],
    policy: &["Policy"],
    kept: &[],
    ..Listing::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    KEYS.is_in(document)
        || DESCRIBED.is_in(document)
        || document.get("Aliases").is_some_and(|aliases| {
            let first = aliases.elements().next();
            first.is_some_and(|alias| alias.get("AliasArn").is_some())
        })
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut described = false;
    if let Some(first) = document.get("Keys").and_then(|keys| keys.elements().next()) {
        described = first.get("KeyMetadata").is_some();
    }
    let listing = if described { DESCRIBED } else { KEYS };
    listing.read_with(document, reader, &mut |key, entity, reader| {
        if let Some(metadata) = key.object("KeyMetadata", reader) {
            metadata.keep(KEPT, entity, reader);
            key.keep(&["KeyRotationEnabled"], entity, reader);
        }
        grants(key, entity, reader);
        let aliases = key.get("Aliases").map(|aliases| aliases.strings());
        let aliases = aliases.filter(|aliases| !aliases.is_empty());
        if let Some(aliases) = aliases {
            entity
                .attributes
                .insert("Aliases".to_owned(), aliases.join(", "));
        }
    });
    let mut aliases = document.list("Aliases", reader);
    while let Some(alias) = aliases.next(reader) {
        let id = alias.arn(&["AliasArn"], reader);
        let (Some(id), Some(key)) = (id, alias.text("TargetKeyId", reader)) else {
            continue;
        };
        let Some([partition, _, region, account, name]) = arn::parts(&id) else {
            continue;
        };
        let key = format!("arn:{partition}:kms:{region}:{account}:key/{key}");
        let mut entity = Entity::new(key, EntityKind::Key);
        entity
            .attributes
            .insert("Aliases".to_owned(), name.to_owned());
        reader.add(entity);
    }
}

/// Grants: each by itself, and in one line for reading: who, which operations.
fn grants(key: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    let mut lines = Vec::new();
    let mut grants = key.list("Grants", reader);
    while let Some(grant) = grants.next(reader) {
        let grantee = grant.required(&["GranteePrincipal"], reader);
        let operations = grant
            .get("Operations")
            .map(|list| list.strings().join(", "));
        let Some(grantee) = grantee else { continue };
        lines.push(format!("{grantee}: {}", operations.unwrap_or_default()));
        if let (Some(id), Some(text)) = (grant.required(&["GrantId"], reader), grant.whole(reader))
        {
            let name = format!("grant:{id}");
            reader.policy(entity.id.clone(), PolicyLayer::Grant, name, text);
        }
    }
    lines.sort();
    if !lines.is_empty() {
        entity
            .attributes
            .insert("Grants".to_owned(), lines.join("; "));
    }
}
