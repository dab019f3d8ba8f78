//! From what logs and people call someone to the node.

use foldhash::{HashMap, HashMapExt};
use portreeve_model::EntityKind;

use crate::nodes::{NodeId, Nodes};
use crate::wildcard::matches;
use crate::world::session_role;

/// The names of nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    short: HashMap<String, Vec<NodeId>>,
    /// Identities from outside whose id is a pattern.
    patterns: Vec<NodeId>,
}

impl Names {
    pub(crate) fn of(nodes: &Nodes) -> Self {
        let mut names = Self {
            short: HashMap::with_capacity(nodes.len()),
            patterns: Vec::new(),
        };
        for (place, node) in nodes.iter() {
            let short = node.id.short_name().to_ascii_lowercase();
            let whole = node.id.full_name().to_ascii_lowercase();
            if whole != short {
                names.short.entry(whole).or_default().push(place);
            }
            names.short.entry(short).or_default().push(place);
            for called in &node.called {
                let called = called.to_ascii_lowercase();
                names.short.entry(called).or_default().push(place);
            }
            if node.kind == EntityKind::External && node.id.as_str().contains('*') {
                names.patterns.push(place);
            }
        }
        names
    }

    /// All nodes that a name may mean, the likeliest first.
    pub(crate) fn find(&self, nodes: &Nodes, name: &str) -> Vec<NodeId> {
        let name = name.trim();
        if let Some(place) = nodes.find(name) {
            return vec![place];
        }
        if let Some((account, role)) = session_role(name) {
            return self.named(nodes, role, &[EntityKind::Role], Some(account));
        }
        if name.starts_with("arn:") {
            // `ROLE_ARN/SESSION`, or an IAM ARN without its path.
            if let Some((shorter, _)) = name.rsplit_once('/')
                && let Some(place) = nodes.find(shorter)
            {
                return vec![place];
            }
            let mut parts = name.splitn(6, ':');
            let (service, account) = (parts.nth(2), parts.nth(1));
            let resource = parts.next().unwrap_or_default();
            let kinds: &[EntityKind] = match resource.split('/').next() {
                Some("role") => &[EntityKind::Role],
                Some("user") => &[EntityKind::User],
                Some("group") => &[EntityKind::Group],
                _ => return Vec::new(),
            };
            if service != Some("iam") {
                return Vec::new();
            }
            let short = resource.rsplit('/').next().unwrap_or_default();
            return self.named(nodes, short, kinds, account);
        }
        let by_name = self.named(nodes, name, &[], None);
        if !by_name.is_empty() {
            return by_name;
        }
        let mut identities: Vec<NodeId> = self
            .patterns
            .iter()
            .copied()
            .filter(|&place| {
                let pattern = nodes.id(place).as_str();
                pattern != "*" && matches(pattern, name)
            })
            .collect();
        // The longest pattern says most.
        identities.sort_by_key(|&place| (std::cmp::Reverse(nodes.id(place).as_str().len()), place));
        identities
    }

    fn named(
        &self,
        nodes: &Nodes,
        short: &str,
        kinds: &[EntityKind],
        account: Option<&str>,
    ) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self
            .short
            .get(&short.to_ascii_lowercase())
            .into_iter()
            .flatten()
            .copied()
            .filter(|&place| kinds.is_empty() || kinds.contains(&nodes.get(place).kind))
            .filter(|&place| {
                account.is_none_or(|account| nodes.get(place).account.as_deref() == Some(account))
            })
            .collect();
        // Principals before resources of the same name.
        found.sort_by_key(|&place| (!nodes.get(place).kind.is_principal(), place));
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use portreeve_model::{Entity, Estate};

    use super::*;

    #[test]
    fn people_and_keys_are_found_by_what_they_are_called() {
        const PERSON: &str = "arn:aws:identitystore:::user/4e80c913";
        const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/6f6417be";
        let mut estate = Estate::default();
        for (id, kind, attribute, value) in [
            (PERSON, EntityKind::Person, "UserName", "Mira.Dev"),
            (
                KEY,
                EntityKind::Key,
                "Aliases",
                "alias/hot-wallet, alias/old",
            ),
        ] {
            let mut entity = Entity::new(id, kind);
            entity.attributes.insert(attribute.into(), value.into());
            estate.add(entity);
        }
        let nodes = Nodes::of(&estate, Nodes::named_by(&estate), BTreeSet::new());
        let names = Names::of(&nodes);
        let found = |name: &str| -> Vec<&str> {
            let found = names.find(&nodes, name).into_iter();
            found.map(|place| nodes.id(place).as_str()).collect()
        };
        assert_eq!(found("mira.dev"), [PERSON]);
        assert_eq!(found("4e80c913"), [PERSON]);
        assert_eq!(found("hot-wallet"), [KEY]);
        assert_eq!(found("old"), [KEY]);
        assert!(found("hot").is_empty());
    }
}
