use std::collections::BTreeMap;

use crate::{BlindSpot, Entity, EntityId, EntityKind, Relation, sort};

/// All that is known of the organisation's clouds: entities and the relations between them.
///
/// Entities are kept in the order of their ids, so that whatever is made from an estate does not
/// depend on the order in which its files were read.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    entities: BTreeMap<EntityId, Entity>,
    relations: Vec<Relation>,
    /// What could not be seen, and what follows from that.
    pub blind_spots: Vec<BlindSpot>,
}

impl Estate {
    /// Adds an entity, or adds to what is known of it: tags and attributes are merged, an inferred
    /// entity becomes known, and a kind that says more replaces [`EntityKind::Other`].
    pub fn add(&mut self, entity: Entity) {
        match self.entities.get_mut(&entity.id) {
            None => {
                self.entities.insert(entity.id.clone(), entity);
            }
            Some(known) => {
                if known.kind == EntityKind::Other || (known.inferred && !entity.inferred) {
                    known.kind = entity.kind;
                }
                known.account = known.account.take().or(entity.account);
                known.tags.extend(entity.tags);
                known.attributes.extend(entity.attributes);
                known.inferred &= entity.inferred;
            }
        }
    }

    /// Adds a relation. One that is already known may be added again; [`Estate::finish`] drops it.
    pub fn relate(&mut self, relation: Relation) {
        self.relations.push(relation);
    }

    /// Adds everything of another estate, as what other files say: where both differ in a value the
    /// greater one stays, and an entity of which the other knows the id alone adds nothing to one that
    /// is known.
    pub fn merge(&mut self, other: Estate) {
        if self.entities.is_empty() {
            self.entities = other.entities;
        } else {
            for (id, mut entity) in other.entities {
                if let Some(known) = self.entities.get(&id) {
                    if entity.inferred && entity.tags.is_empty() && entity.attributes.is_empty() {
                        continue;
                    }
                    let is_less =
                        |old: Option<&String>, new: &String| old.is_none_or(|old| old < new);
                    let (tags, attributes) = (&mut entity.tags, &mut entity.attributes);
                    tags.retain(|key, value| is_less(known.tags.get(key), value));
                    attributes.retain(|key, value| is_less(known.attributes.get(key), value));
                }
                self.add(entity);
            }
        }
        self.relations.extend(other.relations);
        self.blind_spots.extend(other.blind_spots);
    }

    /// Puts relations in an order of their own and drops repeated ones.
    pub fn finish(&mut self) {
        sort(&mut self.relations);
        self.relations.dedup();
        self.blind_spots.sort();
        self.blind_spots.dedup();
    }

    /// Takes all relations out, for whoever rewrites them before they are final.
    pub fn take_relations(&mut self) -> Vec<Relation> {
        std::mem::take(&mut self.relations)
    }

    /// Takes an entity out. Its relations stay.
    pub fn remove(&mut self, id: &EntityId) -> Option<Entity> {
        self.entities.remove(id)
    }

    /// The entity with this id.
    pub fn get(&self, id: &str) -> Option<&Entity> {
        self.entities.get(id)
    }

    /// All entities, by id.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// All relations.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// How many entities are known.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_estates_the_greater_values_stay() {
        let of = |tier: &str, inferred: bool| {
            let mut bucket = Entity::new("arn:aws:s3:::web", EntityKind::Bucket);
            bucket.tags.insert("tier".into(), tier.into());
            let mut guessed = Entity::new("arn:aws:s3:::logs", EntityKind::Other);
            guessed.inferred = inferred;
            let mut estate = Estate::default();
            estate.add(bucket);
            estate.add(guessed);
            estate
        };
        for (first, second) in [("a", "b"), ("b", "a")] {
            let mut estate = of(first, false);
            estate.merge(of(second, true));
            assert_eq!(estate.get("arn:aws:s3:::web").unwrap().tags["tier"], "b");
            assert!(!estate.get("arn:aws:s3:::logs").unwrap().inferred);
            assert_eq!(estate.len(), 2);
        }
    }

    #[test]
    fn what_two_files_say_of_one_entity_is_merged() {
        let mut named = Entity::new("arn:aws:s3:::web", EntityKind::Bucket);
        named.inferred = true;
        let mut known = Entity::new("arn:aws:s3:::web", EntityKind::Bucket);
        known.tags.insert("tier".into(), "web-origin".into());
        let mut estate = Estate::default();
        estate.add(named);
        estate.add(known);
        let bucket = estate.get("arn:aws:s3:::web").unwrap();
        assert!(!bucket.inferred);
        assert_eq!(bucket.tags["tier"], "web-origin");
        assert_eq!(estate.len(), 1);
    }
}
