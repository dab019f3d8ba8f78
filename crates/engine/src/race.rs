//! The race for the crown jewels: which rules may fire on which calls, and the paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_detect::{Batch, Position, Snapshot, StageOne};
use portreeve_graph::{AttackPath, Circumstances, Graph, Jewel};
use portreeve_incident::race::{Course, Logs, Race, RuleSign, race as run, walkers};
use portreeve_model::{DeadLetter, EntityId, EntityKind, Estate, PrincipalKind, Severity};
use portreeve_record::{Extractor, Fields, SlotBuffer, Value};
use portreeve_sigma::{Matcher, Verdict};
use portreeve_telemetry::sources;
use serde_json::Value as Json;

use crate::content::{RuleSet, built_in_profiles, is_for};
use crate::progress::Progress;
use crate::rule_tests::given;
use crate::run::{Request, RunError, gather};
use crate::survey::survey;

/// What to race for.
#[derive(Clone, Debug)]
pub struct RaceQuestion {
    /// Where the actor starts, as names; empty for every person, user and door.
    pub from: Vec<String>,
    /// The profile's id, as `lazarus`.
    pub actor: String,
    /// Seconds that people need from a sign to the cut.
    pub response: u64,
}

/// A race, with what the user should know.
#[derive(Debug)]
pub struct Raced {
    /// The race.
    pub race: Race,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// What else the user should know.
    pub notes: Vec<String>,
}

/// Why there is no race.
#[derive(Debug, thiserror::Error)]
pub enum RaceError {
    /// There is no inventory.
    #[error(transparent)]
    Run(#[from] RunError),
    /// No profile has the id.
    #[error("no actor is called `{asked}`; there are {}", known.join(", "))]
    NoActor {
        /// The id.
        asked: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Nothing in the inventory has the name.
    #[error(
        "nothing in the inventory is called `{0}`; give an ARN, a user or role name, or a key's id"
    )]
    NothingCalled(String),
}

/// How grave a rule must be to count as a sign: what is less does not call anyone.
const LEAST: Severity = Severity::Medium;

/// Runs the race over the inventory and the logs below the paths; without logs over what is documented.
pub fn race(
    mut request: Request,
    question: &RaceQuestion,
    progress: &dyn Progress,
) -> Result<Raced, RaceError> {
    let (profiles, mut notes) = built_in_profiles();
    let Some(profile) = profiles.iter().find(|profile| profile.id == question.actor) else {
        return Err(RaceError::NoActor {
            asked: question.actor.clone(),
            known: profiles.into_iter().map(|profile| profile.id).collect(),
        });
    };
    // Only what happened is needed of the logs, and not what rules make of it.
    let rules = std::mem::take(&mut request.rules);
    let (paths, config, skip) = (
        request.paths.clone(),
        request.config.clone(),
        request.skip.clone(),
    );
    let (graph, estate): (Arc<Graph>, Arc<Estate>);
    let (logs, dead_letters);
    match gather(request, progress) {
        Ok(gathered) => {
            logs = Logs::of(&gathered.folded);
            dead_letters = gathered.dead_letters().to_vec();
            (graph, estate) = gathered.into_graph();
        }
        Err(RunError::NothingReadable(_)) => {
            let anyone = Circumstances::default();
            let knowledge = survey(&paths, &config, &skip, &anyone, progress)?;
            notes.push(
                "No log was read: all calls are taken to be logged, and records to come as late as is \
                 documented."
                    .to_owned(),
            );
            logs = Logs::default();
            dead_letters = knowledge.dead_letters;
            (graph, estate) = (knowledge.graph.into(), knowledge.estate.into());
        }
    }
    let mut starts = Vec::new();
    for name in &question.from {
        let id = graph.lookup(name).into_iter().next();
        starts.push(id.ok_or_else(|| RaceError::NothingCalled(name.clone()))?);
    }
    progress.begin("Racing", 0);
    let jewels: Vec<(Jewel, Vec<AttackPath>)> = graph
        .jewels()
        .into_iter()
        .map(|jewel| {
            let paths = paths_to(&graph, &estate, &jewel.id, &starts);
            (jewel, paths)
        })
        .collect();
    let actions: BTreeSet<(&str, PrincipalKind)> = jewels
        .iter()
        .flat_map(|(_, paths)| paths)
        .flat_map(|path| path.steps.iter().zip(walkers(path)))
        .flat_map(|(step, kind)| {
            let permissions = step.permissions.iter();
            permissions.map(move |action| (action.as_str(), kind))
        })
        .collect();
    let pace = profile.pace.clone().unwrap_or_default();
    Ok(Raced {
        race: run(&Course {
            actor: &profile.title,
            pace: &pace,
            jewels: &jewels,
            signs: &signs(&rules, &actions),
            logs: &logs,
            response: question.response,
        }),
        dead_letters,
        notes,
    })
}

/// The best path to a jewel from each start: without any from each person, each user, and everyone
/// outside who is let in. A role is held by whoever takes it.
fn paths_to(
    graph: &Graph,
    estate: &Estate,
    jewel: &EntityId,
    starts: &[EntityId],
) -> Vec<AttackPath> {
    if !starts.is_empty() {
        return starts
            .iter()
            .filter_map(|start| graph.path(start.as_str(), jewel.as_str()))
            .filter(|path| !path.steps.is_empty())
            .collect();
    }
    let is_start = |id: &EntityId| {
        let kind = estate.get(id.as_str()).map(|entity| entity.kind);
        matches!(kind, Some(EntityKind::Person | EntityKind::User))
            || graph.doors().iter().any(|door| door.id == *id)
    };
    graph
        .reachers(jewel.as_str())
        .into_iter()
        .filter(|path| !path.steps.is_empty() && is_start(&path.from))
        .collect()
}

/// The rules that may fire on each action: those of which a record that they are tested with still
/// matches with the action put in its place, and no longer with one that does not exist. A rule that
/// fires whatever the action (on a client, on an address) is no sign of the action.
fn signs(
    rules: &RuleSet,
    actions: &BTreeSet<(&str, PrincipalKind)>,
) -> BTreeMap<(String, PrincipalKind), Vec<RuleSign>> {
    let mut fields = Fields::default();
    let readers: Vec<_> = sources()
        .iter()
        .map(|source| source.prepare(&mut fields))
        .collect();
    let (matcher, _) = Matcher::new(&rules.rules, &mut fields);
    let extractor = Extractor::new(&fields);
    let snapshot = Snapshot::default();
    let mut stage = StageOne::new(&rules.rules, &matcher, &fields, &snapshot, &[]);
    let mut buffer = SlotBuffer::new();
    let kind_field = fields.get("portreeve.actor.kind");
    let mut fires = |number: usize, test: &Json, record: &Json, kind: PrincipalKind| -> bool {
        let rule = &rules.rules[number];
        let reader = sources()
            .iter()
            .zip(&readers)
            .find(|(source, _)| is_for(rule, **source));
        let Some((_, reader)) = reader else {
            return false;
        };
        let text = record.to_string();
        let Ok(mut slots) = extractor.extract(text.as_bytes(), &mut buffer) else {
            return false;
        };
        {
            let activity = reader.activity(&slots);
            let at = Position {
                file: 0,
                index: 0,
                offset: 0,
            };
            stage.fold(&activity, "", at, &mut Batch::default());
        }
        stage.set_derived(&mut slots);
        for (field, values) in given(test, &fields) {
            slots.set_all(field, values);
        }
        if let (Some(field), false) = (kind_field, kind == PrincipalKind::Unknown) {
            slots.set_all(field, vec![Value::String(kind.as_str().into())]);
        }
        // What waits for history may fire.
        matcher.evaluate_one(number, &slots) != Verdict::No
    };
    let mut found = BTreeMap::<(String, PrincipalKind), BTreeSet<RuleSign>>::new();
    for (number, rule) in rules.rules.iter().enumerate() {
        let tests = rule.fields.get("tests").and_then(Json::as_array);
        if rule.level < LEAST {
            continue;
        }
        for test in tests.into_iter().flatten() {
            let expected = test.get("expect").and_then(Json::as_str).unwrap_or("match");
            let Some(record) = test.get("record").filter(|_| expected != "none") else {
                continue;
            };
            let source = record.get("eventSource").and_then(Json::as_str);
            let service = source.and_then(|source| source.split('.').next());
            let with = |operation: &str| {
                let mut record = record.clone();
                if let Some(record) = record.as_object_mut() {
                    record.insert("eventName".to_owned(), operation.into());
                }
                record
            };
            for (action, kind) in actions {
                let key = ((*action).to_owned(), *kind);
                let Some((own, operation)) = action.split_once(':') else {
                    continue;
                };
                if Some(own) != service
                    || found.get(&key).is_some_and(|known| {
                        known
                            .iter()
                            .any(|sign| Some(&sign.rule) == rule.id.as_ref())
                    })
                {
                    continue;
                }
                // Lambda's records have the version of its interface behind the name.
                let versions: &[&str] = match own {
                    "lambda" => &["", "20150331", "20150331v2"],
                    _ => &[""],
                };
                let hit = versions.iter().any(|version| {
                    fires(number, test, &with(&format!("{operation}{version}")), *kind)
                });
                if hit && !fires(number, test, &with("PortreeveNoSuchOperation"), *kind) {
                    found.entry(key).or_default().insert(RuleSign {
                        level: rule.level,
                        title: rule.title.clone(),
                        rule: rule.id.clone().unwrap_or_default(),
                    });
                }
            }
        }
    }
    found
        .into_iter()
        .map(|(action, signs)| (action, signs.into_iter().rev().collect()))
        .collect()
}
