//! What follows from all files together.

mod blind_spots;
mod kinds;
mod links;
mod policies;
mod stores;

pub(crate) use blind_spots::listed;
use portreeve_model::{Entity, EntityId, EntityKind, Estate};

/// Draws the conclusions that need all files, and names what is missing. Call it once, after the
/// last file.
///
/// - Attached policies get their documents, from the files or from the AWS-managed policies that
///   this crate holds; where there is none the relation keeps an empty document.
/// - Resources and principals that only policies name become inferred entities.
/// - Instances get the role of their instance profile; services and running tasks the roles and
///   images of their task definition; permission sets' people the role in the assigned account.
/// - Principals get their kind, keys their user, secrets that are named for a user's keys that user.
/// - Every format that an account or the organization lacks becomes a blind spot.
pub fn complete(estate: &mut Estate) {
    let relations = estate.take_relations();
    let (relations, unseen) = policies::resolve(relations);
    let relations = links::groups(estate, relations);
    for relation in relations {
        estate.relate(relation);
    }
    policies::infer_named(estate);
    links::accounts_of_buckets(estate);
    links::roles_of_profiles(estate);
    links::task_definitions(estate);
    links::credentials_of_users(estate);
    let unmatched = links::sign_ins(estate);
    stores::find(estate);
    kinds::tell(estate);
    blind_spots::name(estate, &unseen, &unmatched);
    estate.finish();
}

/// Adds an entity of which only the id is known, unless it is known already.
fn infer(estate: &mut Estate, id: impl Into<EntityId>, kind: EntityKind) {
    let mut entity = Entity::new(id, kind);
    if estate.get(entity.id.as_str()).is_none() {
        entity.inferred = true;
        estate.add(entity);
    }
}
