//! Did they touch it? The records that say yes, or what a no rests on.
//!
//! A resource was touched where a call on it, or on a part of it, was done. A call that was refused or
//! failed did not touch it, and is told apart. A call that names no single resource (a batch, a filter, a
//! path) may have touched it where it reaches that far. Everything else is a no, which is as good as
//! what was logged: the kinds of events that would show the touch, the hours, and what of the files is
//! proven.

mod covered;
mod kinds;
mod meant;
mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_detect::{ActivityRow, Folded, Networks, Symbol};
use portreeve_evidence::Verification;
use portreeve_model::{EntityId, Estate, Proof};

use crate::names;
use crate::report::Incident;
use covered::{Tally, covered};
pub(crate) use kinds::is_data_event;
use kinds::{Reach, bulk_on};
use meant::{Meant, Resource, meant};
pub use report::{
    Acted, Answer, Covered, Implied, KindCovered, Logged, Omitted, ProvenSpan, Subject, Touch,
    TouchRecord,
};

/// How many records of each kind are told; the rest are counted.
const RECORDS: usize = 10_000;

/// What is asked, and all that it is answered from.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The resource or principal: an ARN, `s3://BUCKET/KEY`, a key's id, or a name.
    pub asked: &'a str,
    /// What that means in the inventory, the likeliest first.
    pub known: &'a [EntityId],
    /// Whether it is meant as one or the other, where both are possible.
    pub subject: Option<Subject>,
    /// The incident whose credentials alone count.
    pub by: Option<&'a Incident>,
    /// The folded run.
    pub folded: &'a Folded,
    /// What is known of networks.
    pub networks: &'a Networks,
    /// What is known of the estate; empty without inventory.
    pub estate: &'a Estate,
    /// What digests prove; `None` without any.
    pub verification: Option<&'a Verification>,
}

/// From when to when what happened is of interest.
type Window = (Option<Timestamp>, Option<Timestamp>);

/// Answers. `None` where the name means nothing that is known. Looks at each row once.
pub fn touch(question: &Question<'_>) -> Option<Touch> {
    let meant = meant(question)?;
    let activities = &question.folded.activities;
    let proofs: HashMap<&str, Proof> = question
        .verification
        .iter()
        .flat_map(|verification| &verification.logs)
        .filter_map(|log| Some((log.file.as_deref()?, log.proof)))
        .collect();
    let lineage: Option<HashSet<Symbol, FixedState>> = question.by.map(|incident| {
        let strings = activities.strings();
        let ids = incident.credentials.iter();
        ids.filter_map(|id| strings.find(id)).collect()
    });
    let mut found = Found {
        proofs: question.verification.map(|_| proofs),
        ..Found::default()
    };
    let mut tally = Tally::default();
    let mut accounts = BTreeSet::new();
    for row in activities.iter() {
        tally.add(row, &meant);
        if lineage
            .as_ref()
            .is_some_and(|own| !own.contains(&row.credential_symbol()))
        {
            continue;
        }
        match &meant {
            Meant::Resource(resource) => found.look(row, resource),
            Meant::Principal(principal) => {
                if principal.made(row) {
                    accounts.extend(row.account().map(str::to_owned));
                    found.act(row);
                }
            }
        }
    }
    let window: Window = question.by.map_or((None, None), |incident| {
        (incident.first_sign, incident.last_activity)
    });
    let accounts: Vec<String> = match &meant {
        Meant::Resource(resource) => resource.account.clone().into_iter().collect(),
        Meant::Principal(principal) => {
            let ids = principal.ids.iter();
            accounts.extend(
                ids.filter_map(|id| EntityId::from(id.as_str()).aws_account().map(str::to_owned)),
            );
            accounts.into_iter().collect()
        }
    };
    let covered = covered(question, &meant, accounts, &tally, window);
    Some(found.answer(question, &meant, covered))
}

#[derive(Default)]
struct Found<'a> {
    proofs: Option<HashMap<&'a str, Proof>>,
    records: Vec<TouchRecord>,
    attempts: Vec<TouchRecord>,
    implied: Vec<Implied>,
    omitted: Omitted,
    may: bool,
    acted: BTreeMap<&'a str, (Acted, BTreeSet<&'a str>)>,
}

/// Adds to a list up to its limit, and counts what is beyond.
fn keep<T>(list: &mut Vec<T>, omitted: &mut u64, one: impl FnOnce() -> T) {
    if list.len() < RECORDS {
        list.push(one());
    } else {
        *omitted += 1;
    }
}

impl<'a> Found<'a> {
    fn add(&mut self, row: ActivityRow<'a>) {
        let one = record(row, self.proofs.as_ref());
        if row.succeeded() {
            keep(&mut self.records, &mut self.omitted.records, || one);
        } else {
            keep(&mut self.attempts, &mut self.omitted.attempts, || one);
        }
    }

    fn look(&mut self, row: ActivityRow<'a>, resource: &Resource) {
        if row.targets().any(|target| resource.is_hit(target)) {
            self.add(row);
            return;
        }
        let Some(bulk) = bulk_on(row.action(), &resource.service).filter(|_| row.succeeded())
        else {
            return;
        };
        let reaches = match bulk.reach {
            Reach::Bucket => resource
                .bucket
                .as_deref()
                .is_some_and(|bucket| row.targets().any(|target| target == bucket)),
            // One that names others of the service says which it reached.
            Reach::Account if row.targets().any(|target| resource.is_of_service(target)) => false,
            Reach::Account => {
                let own = resource.account.as_deref();
                own.is_none_or(|own| row.account().is_none_or(|account| account == own))
            }
        };
        if reaches {
            self.may |= bulk.touches;
            let one = Implied {
                record: record(row, self.proofs.as_ref()),
                touches: bulk.touches,
                says: bulk.says.to_owned(),
            };
            keep(&mut self.implied, &mut self.omitted.implied, || one);
        }
    }

    fn act(&mut self, row: ActivityRow<'a>) {
        self.add(row);
        let targets: Vec<&str> = row.targets().collect();
        let buckets: BTreeSet<&str> = targets
            .iter()
            .filter_map(|id| names::object(id).map(|(bucket, _)| bucket))
            .collect();
        for target in targets {
            let (resource, object) = match names::object(target) {
                Some((bucket, _)) => (bucket, Some(target)),
                // A call on an object names its bucket too.
                None if buckets.contains(target) => continue,
                None => (target, None),
            };
            let (acted, objects) = self.acted.entry(resource).or_insert_with(|| {
                let acted = Acted {
                    resource: resource.to_owned(),
                    objects: 0,
                    actions: BTreeMap::new(),
                    refused: BTreeMap::new(),
                    first: None,
                    last: None,
                };
                (acted, BTreeSet::new())
            });
            let actions = if row.succeeded() {
                objects.extend(object);
                &mut acted.actions
            } else {
                &mut acted.refused
            };
            *actions.entry(row.action().to_owned()).or_default() += 1;
            // Rows are in order of time.
            acted.first = acted.first.or(row.time());
            acted.last = row.time().or(acted.last);
        }
    }

    fn answer(self, question: &Question<'_>, meant: &Meant, covered: Covered) -> Touch {
        let answer = match (self.records.is_empty(), self.may) {
            (false, _) => Answer::Yes,
            (true, true) => Answer::Possibly,
            (true, false) => Answer::No,
        };
        let mut resources: Vec<Acted> = self
            .acted
            .into_values()
            .map(|(acted, objects)| Acted {
                objects: objects.len() as u64,
                ..acted
            })
            .collect();
        resources.sort_by_cached_key(|acted| {
            let calls: u64 = acted.actions.values().sum();
            let refused: u64 = acted.refused.values().sum();
            (std::cmp::Reverse((calls, refused)), acted.resource.clone())
        });
        let (subject, ids) = match meant {
            Meant::Resource(resource) => (Subject::Resource, vec![resource.id.clone()]),
            Meant::Principal(principal) => {
                (Subject::Principal, principal.ids.iter().cloned().collect())
            }
        };
        let mut touch = Touch {
            asked: question.asked.to_owned(),
            subject,
            ids,
            by: question.by.map(|incident| incident.id.clone()),
            answer,
            headline: String::new(),
            records: self.records,
            attempts: self.attempts,
            implied: self.implied,
            omitted: self.omitted,
            resources,
            covered,
        };
        touch.headline = headline(&touch);
        touch
    }
}

fn record(row: ActivityRow<'_>, proofs: Option<&HashMap<&str, Proof>>) -> TouchRecord {
    let position = row.position();
    let file: Arc<str> = row.file().clone();
    TouchRecord {
        time: row.time(),
        action: row.action().to_owned(),
        outcome: crate::build::outcome(row).to_owned(),
        denied: row.denied(),
        actor: row.actor(),
        credential: row.credential().map(str::to_owned),
        targets: row.targets().map(str::to_owned).collect(),
        account: row.account().map(str::to_owned),
        address: row.address().map(str::to_owned),
        client: row.client().map(str::to_owned),
        event_id: row.event_id(),
        index: position.index,
        offset: position.offset,
        proof: proofs.map(|proofs| proofs.get(&*file).copied().unwrap_or(Proof::Unproven)),
        file,
    }
}

fn headline(touch: &Touch) -> String {
    let name = match touch.subject {
        Subject::Resource => touch.ids.first().map_or("", String::as_str),
        Subject::Principal => touch.asked.as_str(),
    };
    let name = crate::text::clean(name);
    let who = match &touch.by {
        Some(incident) => format!(" by the credentials of incident {incident}"),
        None => String::new(),
    };
    let done = touch.records.len() as u64 + touch.omitted.records;
    let refused = touch.attempts.len() as u64 + touch.omitted.attempts;
    let attempts = match refused {
        0 => String::new(),
        1 => "; one call was refused or failed".to_owned(),
        many => format!("; {many} calls were refused or failed"),
    };
    let calls = |count: u64| match count {
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    };
    match (touch.subject, touch.answer) {
        (Subject::Resource, Answer::Yes) => {
            format!(
                "Yes: {name} was touched{who}, in {}{attempts}.",
                calls(done)
            )
        }
        (Subject::Resource, Answer::Possibly) => format!(
            "Possibly: no call{who} that was done names {name}, and {} may have reached it{attempts}.",
            calls(touch.implied.iter().filter(|it| it.touches).count() as u64)
        ),
        (Subject::Resource, Answer::No) => {
            let limits = match touch.covered.limits.is_empty() {
                true => "",
                false => " This holds within the limits that are listed.",
            };
            format!("No: no call{who} on {name} that was done is in these logs{attempts}.{limits}")
        }
        (Subject::Principal, Answer::No) => {
            format!("No: no call of {name} that was done is in these logs{attempts}.")
        }
        (Subject::Principal, _) => format!(
            "{name} touched {} resources in {}{attempts}.",
            touch
                .resources
                .iter()
                .filter(|acted| !acted.actions.is_empty())
                .count(),
            calls(done)
        ),
    }
}
