//! From what people call principals and resources to their ids.

use portreeve_model::{EntityId, EntityKind};

use super::{Access, AskError};

impl Access<'_> {
    /// The id of a principal by its id or name.
    pub(super) fn principal_named(&self, name: &str) -> Result<String, AskError> {
        let name = name.trim();
        let full = name.starts_with("arn:") || name == "*" || name.ends_with(".amazonaws.com");
        if full && !name.starts_with("arn:aws:iam:") || self.estate.get(name).is_some() {
            return Ok(name.to_owned());
        }
        // Policies and logs leave out the path of a user or role.
        let mut wanted = (None, None, name);
        if full {
            let mut parts = name.splitn(6, ':').skip(4);
            let account = parts.next();
            let Some((kind, short)) = parts.next().and_then(|rest| rest.split_once('/')) else {
                return Ok(name.to_owned());
            };
            wanted = (account, Some(kind), short);
        }
        let (account, kind, short) = wanted;
        let named = self.estate.entities().filter(|entity| {
            let kinds = match kind {
                Some("user") => entity.kind == EntityKind::User,
                Some("role") => entity.kind == EntityKind::Role,
                Some(_) => false,
                None => true,
            };
            kinds
                && account.is_none_or(|account| entity.account.as_deref() == Some(account))
                && entity.id.is_called(short)
        });
        let mut named: Vec<(bool, EntityId)> = named
            .map(|entity| (!entity.kind.is_principal(), entity.id.clone()))
            .collect();
        // Principals before whatever else has the same name.
        named.sort();
        let rank = named.first().map(|(other, _)| *other);
        named.retain(|(other, _)| Some(*other) == rank);
        match named.as_slice() {
            [] => Ok(name.to_owned()),
            [(_, one)] => Ok(one.to_string()),
            _ => Err(AskError::Ambiguous {
                name: name.to_owned(),
                meant: named.into_iter().map(|(_, id)| id).collect(),
            }),
        }
    }

    /// The ARN of a resource by its ARN, its name, or as `s3://BUCKET/KEY`.
    pub(super) fn resource_named(&self, name: &str, action: &str) -> Result<String, AskError> {
        let name = name.trim();
        if let Some(path) = name.strip_prefix("s3://") {
            return Ok(format!("arn:aws:s3:::{path}"));
        }
        if name == "*" || name.starts_with("arn:") {
            return Ok(name.to_owned());
        }
        let mut named: Vec<&EntityId> = self
            .estate
            .entities()
            .map(|entity| &entity.id)
            .filter(|id| id.is_called(name))
            .collect();
        // The action tells which of several is meant.
        let service = action.split(':').next().unwrap_or_default();
        let of_service = |id: &EntityId| {
            let own = id.as_str().split(':').nth(2).unwrap_or_default();
            own == service || (service == "sts" && own == "iam")
        };
        if named.iter().any(|id| of_service(id)) {
            named.retain(|id| of_service(id));
        }
        match named.as_slice() {
            [] => Err(AskError::BadResource(name.to_owned())),
            // By the name of a bucket what is in it is meant, where the action acts on that.
            [one] if wrong_resource(action, one).is_some() => Ok(format!("{one}/*")),
            [one] => Ok(one.to_string()),
            _ => Err(AskError::Ambiguous {
                name: name.to_owned(),
                meant: named.into_iter().cloned().collect(),
            }),
        }
    }
}

/// A word on a resource that the action never acts on.
pub(super) fn wrong_resource(action: &str, resource: &EntityId) -> Option<String> {
    let name = action.strip_prefix("s3:")?;
    let bucket = resource.as_str().strip_prefix("arn:aws:s3:::")?;
    let of_objects = name.contains("Object") && !name.contains("Bucket");
    (of_objects && !bucket.contains('/')).then(|| {
        format!("{action} acts on objects: ask about {resource}/* for any object of the bucket")
    })
}
