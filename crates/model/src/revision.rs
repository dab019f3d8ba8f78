use std::collections::{BTreeMap, BTreeSet};

use crate::{Entity, EntityId, Estate, Relation};

/// What changes between one state of an estate and the next: relations and entities that go, and
/// those that come.
///
/// Whatever changes an estate is told as revisions: what an activity of the past changed, what a
/// containment proposes, what a pipeline is about to change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Revision {
    /// Relations that hold no longer.
    pub gone: BTreeSet<Relation>,
    /// Relations that hold from now on.
    pub come: BTreeSet<Relation>,
    /// Entities that are no longer there.
    pub died: BTreeMap<EntityId, Entity>,
    /// Entities that are new.
    pub born: BTreeMap<EntityId, Entity>,
}

impl Revision {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.come.is_empty() && self.died.is_empty() && self.born.is_empty()
    }

    /// The revision that takes this one back.
    pub fn inverse(&self) -> Revision {
        Revision {
            gone: self.come.clone(),
            come: self.gone.clone(),
            died: self.born.clone(),
            born: self.died.clone(),
        }
    }
}

impl Estate {
    /// The estate after a revision. A relation that is both gone and come holds; one that is gone
    /// and was not there changes nothing. Costs one pass over the estate.
    pub fn revised(&self, revision: &Revision) -> Estate {
        let mut after = self.clone();
        after.revise(revision);
        after
    }

    /// Changes the estate by a revision, as [`Estate::revised`] says.
    pub fn revise(&mut self, revision: &Revision) {
        let mut relations = self.take_relations();
        relations.retain(|relation| !revision.gone.contains(relation));
        relations.extend(revision.come.iter().cloned());
        relations
            .into_iter()
            .for_each(|relation| self.relate(relation));
        for id in revision.died.keys() {
            self.remove(id);
        }
        for entity in revision.born.values() {
            self.add(entity.clone());
        }
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntityKind;

    #[test]
    fn a_revision_and_its_inverse_leave_the_estate_as_it_was() {
        let user = EntityId::from("arn:aws:iam::111122223333:user/ada");
        let member = |group: &str| Relation::MemberOf {
            member: user.clone(),
            group: EntityId::from(group),
        };
        let mut before = Estate::default();
        before.add(Entity::new(user.clone(), EntityKind::User));
        before.relate(member("arn:aws:iam::111122223333:group/old"));
        before.finish();

        let key = Entity::new("AKIAEXAMPLE", EntityKind::AccessKey);
        let revision = Revision {
            gone: BTreeSet::from([member("arn:aws:iam::111122223333:group/old")]),
            come: BTreeSet::from([member("arn:aws:iam::111122223333:group/new")]),
            born: BTreeMap::from([(key.id.clone(), key)]),
            ..Revision::default()
        };
        let after = before.revised(&revision);
        assert!(after.get("AKIAEXAMPLE").is_some());
        assert_eq!(
            after.relations(),
            [member("arn:aws:iam::111122223333:group/new")]
        );

        let back = after.revised(&revision.inverse());
        assert_eq!(back.relations(), before.relations());
        assert_eq!(back.len(), before.len());
    }
}
