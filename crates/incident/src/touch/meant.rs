//! What a name means: a resource with all that counts as a part of it, or a principal with its
//! credentials.

use std::collections::{BTreeSet, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{ActivityRow, Certainty, Symbol};
use portreeve_model::{EntityId, EntityKind};

use super::{Question, Subject};
use crate::names;

/// What a question is about.
pub(super) enum Meant {
    Resource(Resource),
    Principal(Principal),
}

/// A resource.
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) service: String,
    /// What an ARN has after the account.
    pub(super) part: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    /// The bucket, where it is an object.
    pub(super) bucket: Option<String>,
}

/// A principal or credential, with all that was made with it.
pub(super) struct Principal {
    pub(super) ids: BTreeSet<String>,
    pub(super) credentials: HashSet<Symbol, FixedState>,
    principals: HashSet<Symbol, FixedState>,
}

impl Resource {
    fn new(id: &str, question: &Question<'_>) -> Self {
        let mut parts = id.splitn(6, ':').skip(2);
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let (service, region, account, rest) = (part(), part(), part(), part());
        let bucket = names::object(id).map(|(bucket, _)| bucket.to_owned());
        let entity = question
            .estate
            .get(id)
            .or_else(|| question.estate.get(bucket.as_deref()?));
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: id.to_owned(),
            service,
            part: rest,
            account: some(account).or_else(|| entity?.account.clone()),
            region: some(region),
            bucket,
        }
    }

    /// Whether a target of a call is of the same service.
    pub(super) fn is_of_service(&self, target: &str) -> bool {
        target.split(':').nth(2) == Some(&self.service)
    }

    /// Whether a target of a call is this resource or a part of it: an object of the bucket, a
    /// version of the function, an index of the table. A secret's last six characters may be left
    /// out.
    pub(super) fn is_hit(&self, target: &str) -> bool {
        let is_part = |own: &str| match target.strip_prefix(own) {
            Some("") => true,
            Some(rest) => rest.starts_with(['/', ':']),
            None => false,
        };
        is_part(&self.id)
            || (self.service == "secretsmanager"
                && names::without_suffix(target) == names::without_suffix(&self.id))
    }
}

impl Principal {
    /// Whether it made a call, by itself or with what was made with its credentials.
    pub(super) fn made(&self, row: ActivityRow<'_>) -> bool {
        self.credentials.contains(&row.credential_symbol())
            || self.principals.contains(&row.principal_symbol())
    }
}

/// What the name means; `None` where it means nothing.
pub(super) fn meant(question: &Question<'_>) -> Option<Meant> {
    let asked = question.asked;
    let known: Vec<&EntityId> = question.known.iter().collect();
    if let Some(id) = known.first() {
        let kind = question.estate.get(id.as_str()).map(|entity| entity.kind);
        let acts = kind.is_some_and(|kind| {
            kind.is_principal() || kind.is_credential() || kind == EntityKind::PermissionSet
        });
        return Some(if acts && question.subject != Some(Subject::Resource) {
            Meant::Principal(principal(question, id.as_str()))
        } else {
            Meant::Resource(Resource::new(id.as_str(), question))
        });
    }
    if let Some(rest) = asked.strip_prefix("s3://") {
        let id = format!("arn:aws:s3:::{}", rest.trim_end_matches('/'));
        return Some(Meant::Resource(Resource::new(&id, question)));
    }
    let is_resource_arn =
        asked.starts_with("arn:") && !matches!(asked.split(':').nth(2), Some("iam" | "sts"));
    if is_resource_arn || question.subject == Some(Subject::Resource) {
        let id = seen(question).unwrap_or_else(|| asked.to_owned());
        return id
            .starts_with("arn:")
            .then(|| Meant::Resource(Resource::new(&id, question)));
    }
    let found = principal(question, asked);
    if !found.credentials.is_empty() {
        return Some(Meant::Principal(found));
    }
    let id = seen(question).or_else(|| asked.starts_with("arn:").then(|| asked.to_owned()))?;
    let acts = matches!(id.split(':').nth(2), Some("iam" | "sts"));
    Some(if acts {
        Meant::Principal(principal(question, &id))
    } else {
        Meant::Resource(Resource::new(&id, question))
    })
}

/// The resource that calls in the logs name by this name; of several the first by its id.
fn seen(question: &Question<'_>) -> Option<String> {
    let activities = &question.folded.activities;
    let targets: HashSet<Symbol, FixedState> = activities
        .iter()
        .flat_map(ActivityRow::target_symbols)
        .collect();
    targets
        .into_iter()
        .filter_map(|symbol| activities.strings().get(symbol))
        .filter(|id| *id == question.asked || EntityId::from(*id).is_called(question.asked))
        .min()
        .map(str::to_owned)
}

fn principal(question: &Question<'_>, name: &str) -> Principal {
    let folded = question.folded;
    let strings = folded.activities.strings();
    let trace = crate::trace(folded, question.networks, name, Certainty::Likely);
    let own: Vec<Symbol> = trace
        .credentials
        .iter()
        .filter_map(|id| strings.find(id))
        .collect();
    let mut credentials: HashSet<Symbol, FixedState> = own.iter().copied().collect();
    for credential in own {
        credentials.extend(folded.lineage.descendants(credential));
    }
    let mut ids: BTreeSet<String> = [name.to_owned()].into();
    ids.extend(trace.actors);
    Principal {
        principals: ids.iter().filter_map(|id| strings.find(id)).collect(),
        ids,
        credentials,
    }
}
