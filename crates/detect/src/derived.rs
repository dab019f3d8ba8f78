use portreeve_model::{Activity, CredentialKind, OriginKind};
use portreeve_record::{FieldId, Fields, Slots, Value};
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;

use crate::settings::outcome_word;
use crate::snapshot::Snapshot;
use crate::subject::Subject;

/// When a derived field can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the record, the estate and the declared networks: in stage one.
    Snapshot,
    /// From what happened before or elsewhere: in stage two.
    History,
}

/// A field that no record holds, and that rules may ask for.
#[derive(Clone, Copy, Debug)]
pub struct DerivedField {
    /// Its path, which begins with `portreeve.`.
    pub path: &'static str,
    /// When it can be known.
    pub stage: Stage,
    /// What it says, and which values it takes.
    pub meaning: &'static str,
}

const fn field(path: &'static str, stage: Stage, meaning: &'static str) -> DerivedField {
    DerivedField {
        path,
        stage,
        meaning,
    }
}

/// Every derived field, in one table. A field of which nothing is known is absent from a record.
pub const DERIVED_FIELDS: &[DerivedField] = &[
    field(
        ACTION,
        Stage::Snapshot,
        "service and operation, as `s3:PutObject`, without the date that some services append to an operation's name",
    ),
    field(
        ACTOR_KIND,
        Stage::Snapshot,
        "human, workload, pipeline, service or unknown; the estate's word first, then the record's",
    ),
    field(
        ACTOR_FOREIGN,
        Stage::Snapshot,
        "true where the actor's account is not in the estate; absent without an estate",
    ),
    field(
        ACTOR_PERSON,
        Stage::Snapshot,
        "the person behind the call: the user name of an Identity Center session, the user of the access portal, the source identity, or the IAM user's name; absent where the record names none",
    ),
    field(
        ACTOR_REPOSITORY,
        Stage::Snapshot,
        "the repository that a web identity's subject names, as `halyard/web`, or what its issuer has in its place; absent where there is none, or the subject is not understood",
    ),
    field(
        ACTOR_TRIGGER,
        Stage::Snapshot,
        "what started the run that a web identity stands for: branch, tag, environment, pull_request, service-account, or the issuer's own word",
    ),
    field(
        CREDENTIAL_KIND,
        Stage::Snapshot,
        "access-key, session, password, token or other",
    ),
    field(
        CREDENTIAL_CONSOLE,
        Stage::Snapshot,
        "true where the console forwarded the call",
    ),
    field(
        NETWORK_CLASS,
        Stage::Snapshot,
        "the class of the caller's network as portreeve.toml declares it; absent where it does not",
    ),
    field(
        ORIGIN_KIND,
        Stage::Snapshot,
        "public, private, service or unknown: what kind of address the call came from",
    ),
    field(OUTCOME, Stage::Snapshot, "success, denied or failed"),
    field(
        TARGET_WEB_ORIGIN,
        Stage::Snapshot,
        "true where a target is a bucket that a distribution serves, or an object in one",
    ),
    field(
        TARGET_PULLED,
        Stage::Snapshot,
        "true where a target is an image repository that a workload pulls from",
    ),
    field(
        TARGET_JEWEL,
        Stage::Snapshot,
        "the kind of crown jewel that a target is, as `signing-key`",
    ),
    field(
        TARGET_TAGS,
        Stage::Snapshot,
        "the targets' tags, each as `key=value`",
    ),
    field(
        ACTOR_DEPLOY,
        Stage::History,
        "true where the principal deploys to the target: declared in portreeve.toml, else inferred from who, other than people, wrote to it on several days; absent where nobody is known to, or where the logs show less than two weeks of writes",
    ),
    field(
        CREDENTIAL_MOVED,
        Stage::History,
        "true where a session is used from another public address than the one it was issued to; absent where its issue is not in the logs; a session of Identity Center is issued where the portal was called from",
    ),
    field(
        CREDENTIAL_MINTED_BY,
        Stage::History,
        "the operation that made the credential, as `assume-role-with-web-identity`, where the logs show it or leave nothing else; absent where they do not",
    ),
];

const ACTION: &str = "portreeve.action";
const ACTOR_KIND: &str = "portreeve.actor.kind";
const ACTOR_FOREIGN: &str = "portreeve.actor.foreign";
const ACTOR_PERSON: &str = "portreeve.actor.person";
const ACTOR_REPOSITORY: &str = "portreeve.actor.repository";
const ACTOR_TRIGGER: &str = "portreeve.actor.trigger";
const CREDENTIAL_KIND: &str = "portreeve.credential.kind";
const CREDENTIAL_CONSOLE: &str = "portreeve.credential.console";
const NETWORK_CLASS: &str = "portreeve.network.class";
const ORIGIN_KIND: &str = "portreeve.origin.kind";
const OUTCOME: &str = "portreeve.outcome";
const TARGET_WEB_ORIGIN: &str = "portreeve.target.web_origin";
const TARGET_PULLED: &str = "portreeve.target.pulled";
const TARGET_JEWEL: &str = "portreeve.target.jewel";
const TARGET_TAGS: &str = "portreeve.target.tags";
pub(crate) const ACTOR_DEPLOY: &str = "portreeve.actor.deploy";
pub(crate) const CREDENTIAL_MOVED: &str = "portreeve.credential.moved";
pub(crate) const CREDENTIAL_MINTED_BY: &str = "portreeve.credential.minted_by";

/// The declaration of a derived field, by its path.
pub fn derived_field(path: &str) -> Option<&'static DerivedField> {
    DERIVED_FIELDS.iter().find(|field| field.path == path)
}

/// Fills in the derived fields that the rules of a run ask for.
#[derive(Clone, Debug)]
pub(crate) struct Deriver {
    wanted: Vec<(FieldId, &'static DerivedField)>,
}

/// Derived fields of one record with their values.
pub type DerivedValues<'s> = SmallVec<[(FieldId, SmallVec<[Value<'s>; 1]>); 12]>;

/// Sets derived fields on the record that they were derived from.
pub fn set_derived<'s: 'r, 'r>(slots: &mut Slots<'r>, derived: DerivedValues<'s>) {
    for (field, values) in derived {
        // A `SmallVec` is invariant in its elements' lifetime; each value is shortened by itself.
        #[allow(clippy::map_identity)]
        slots.set_all(
            field,
            values.into_iter().map(|value| -> Value<'r> { value }),
        );
    }
}

impl Deriver {
    /// Takes the derived fields among those that were interned.
    pub(crate) fn new(fields: &Fields) -> Self {
        let wanted = DERIVED_FIELDS
            .iter()
            .filter_map(|field| Some((fields.get(field.path)?, field)))
            .collect();
        Self { wanted }
    }

    /// What the snapshot knows of a record; fields of history are marked as not known yet.
    pub(crate) fn derive<'s>(
        &self,
        activity: &Activity<'_>,
        snapshot: &'s Snapshot,
    ) -> DerivedValues<'s> {
        let mut values = DerivedValues::new();
        for (id, field) in &self.wanted {
            if field.stage == Stage::History {
                values.push((*id, smallvec![Value::Unknown]));
                continue;
            }
            let text = |text: &'static str| Some(Value::String(Cow::Borrowed(text)));
            let yes = |holds: bool| holds.then_some(Value::Bool(true));
            let value = match field.path {
                ACTION => Some(Value::String(Cow::Owned(action(activity)))),
                ACTOR_KIND => text(snapshot.actor_kind(activity).as_str()),
                ACTOR_FOREIGN => snapshot.actor_is_foreign(activity).map(Value::Bool),
                ACTOR_PERSON => snapshot
                    .person(activity)
                    .map(|person| Value::String(Cow::Owned(person.to_owned()))),
                ACTOR_REPOSITORY => subject(activity)
                    .map(|subject| Value::String(Cow::Owned(subject.repository.into_owned()))),
                ACTOR_TRIGGER => subject(activity)
                    .map(|subject| Value::String(Cow::Owned(subject.kind.to_owned()))),
                CREDENTIAL_KIND => text(
                    activity
                        .credential
                        .as_ref()
                        .map_or(CredentialKind::Other, |it| it.kind)
                        .as_str(),
                ),
                CREDENTIAL_CONSOLE => yes(activity
                    .credential
                    .as_ref()
                    .is_some_and(|credential| credential.console)),
                NETWORK_CLASS => snapshot
                    .network_class(&activity.origin.address)
                    .map(|class| Value::String(Cow::Borrowed(class))),
                ORIGIN_KIND => text(match activity.origin.kind {
                    OriginKind::Public => "public",
                    OriginKind::Private => "private",
                    OriginKind::Service => "service",
                    OriginKind::Unknown => "unknown",
                }),
                OUTCOME => text(outcome_word(&activity.outcome)),
                TARGET_WEB_ORIGIN => yes(snapshot.is_web_origin(activity)),
                TARGET_PULLED => yes(snapshot.is_pulled(activity)),
                TARGET_JEWEL => snapshot
                    .jewel(activity)
                    .map(|kind| Value::String(Cow::Borrowed(kind))),
                TARGET_TAGS => {
                    let tags = snapshot.tags(activity).into_iter();
                    values.push((
                        *id,
                        tags.map(|tag| Value::String(Cow::Borrowed(tag))).collect(),
                    ));
                    None
                }
                _ => None,
            };
            if let Some(value) = value {
                values.push((*id, smallvec![value]));
            }
        }
        values
    }
}

fn subject<'a>(activity: &'a Activity<'_>) -> Option<Subject<'a>> {
    Subject::parse(activity.actor.subject.as_deref()?)
}

/// `service:Operation`, without the API version that some services append to the operation
/// (`UpdateFunctionCode20150331v2`).
fn action(activity: &Activity<'_>) -> String {
    [&activity.service, ":", without_version(&activity.operation)].concat()
}

fn without_version(operation: &str) -> &str {
    let unversioned = match operation.rsplit_once('v') {
        Some((head, tail))
            if !tail.is_empty()
                && tail.bytes().all(|byte| byte.is_ascii_digit())
                && head.ends_with(|last: char| last.is_ascii_digit()) =>
        {
            head
        }
        _ => operation,
    };
    let name = unversioned.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
    if unversioned.len() - name.len() >= 8 {
        name
    } else {
        operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_left_out_of_operations() {
        assert_eq!(
            without_version("UpdateFunctionCode20150331v2"),
            "UpdateFunctionCode"
        );
        assert_eq!(without_version("ListFunctions20150331"), "ListFunctions");
        assert_eq!(
            without_version("UpdateDistribution2020_05_31"),
            "UpdateDistribution"
        );
        assert_eq!(without_version("GetObject"), "GetObject");
        assert_eq!(without_version("ListObjectsV2"), "ListObjectsV2");
    }

    #[test]
    fn paths_are_unique_and_told_apart() {
        for (position, field) in DERIVED_FIELDS.iter().enumerate() {
            assert!(field.path.starts_with("portreeve."));
            assert!(
                DERIVED_FIELDS[..position]
                    .iter()
                    .all(|other| other.path != field.path)
            );
        }
    }
}
