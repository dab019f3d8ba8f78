//! What follows from a world, for finding things in it.

use foldhash::HashMap;
use portreeve_authz::aws::{AttachedPolicy, Document, ResourceAccess};
use portreeve_model::EntityKind;

use super::outside::{account_in, principal_id};
use super::{Named, Opening, Places, World};
use crate::nodes::Nodes;

/// A policy that allows everything: what one who controls an account can give.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

impl World {
    /// Works out what follows from the rest.
    pub(crate) fn find_places(&mut self, nodes: &Nodes) {
        let mut places = Places {
            everything: Some(AttachedPolicy::new(
                "every permission",
                Document::parse_lenient(EVERYTHING),
            )),
            taker_of: vec![u32::MAX; nodes.len()],
            ..Places::default()
        };
        for (place, taker) in self.takers.iter().enumerate() {
            places.taker_of[taker.node as usize] = place as u32;
        }
        // Who is named, with the one account where that is so; none for several.
        let mut named: HashMap<String, Option<Option<&str>>> = HashMap::default();
        for (place, policy) in self.of_resources() {
            let node = nodes.get(place);
            let outline = self.policies.outline_of(policy);
            let account = Some(node.account.as_deref());
            for name in &outline.names {
                let known = named.entry(principal_id(name)).or_insert(account);
                if *known != account {
                    *known = None;
                }
            }
            for grant in &outline.grants {
                for principal in &grant.principals {
                    let opening = Opening {
                        resource: place,
                        actions: grant.actions.clone(),
                    };
                    let name = principal_id(principal);
                    if name.ends_with(":root") && account_in(&name) != node.account.as_deref() {
                        let foreign = places.foreign.entry(name.clone()).or_default();
                        foreign.push(opening.clone());
                    }
                    places.openings.entry(name).or_default().push(opening);
                }
                if node.kind == EntityKind::Role && !grant.services.is_empty() {
                    places
                        .trusted_services
                        .entry(place)
                        .or_default()
                        .extend(grant.services.iter().cloned());
                }
            }
        }
        let by_session = named.keys().any(|name| name.starts_with("session:"));
        for (_, node) in nodes.iter() {
            let session = || {
                let account = node.account.as_deref().unwrap_or_default();
                named.get(&format!("session:{account}:{}", node.id.short_name()))
            };
            let by_id = named.get(node.id.as_str());
            let by_session = by_session.then(session).flatten();
            let abroad = |by: Option<&Option<Option<&str>>>| {
                by.is_some_and(|by| *by != Some(node.account.as_deref()))
            };
            places.named.push(match (by_id, by_session) {
                (None, None) => Named::No,
                (id, session) if abroad(id) || abroad(session) => Named::Abroad,
                _ => Named::AtHome,
            });
        }
        for (&place, grants) in &self.grants {
            let compiled = grants.iter().map(|grant| {
                let policy = self.policies.attached(grant.policy);
                (policy, grant.issuing_account.clone())
            });
            places
                .access
                .insert(place, ResourceAccess::of_grants(compiled));
        }
        self.places = places;
    }
}
