//! Profiles of actors: how one is publicly known to walk, what of it which log shows, and how like
//! it an incident is. Data, not code: one YAML file in `actors/` an actor.

mod like;
mod measure;
mod parse;

use portreeve_graph::JewelKind;
use portreeve_model::Technique;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::race::Pace;

pub(crate) use like::likenesses;
pub use measure::Measure;

/// What is publicly known of one actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its file's name without folders and ending: `lazarus`.
    pub id: String,
    /// The name by which most know the actor.
    pub title: String,
    /// The actor's way in a few sentences.
    pub description: String,
    /// Other names. Sets of names overlap imperfectly between those who give them.
    pub aliases: Vec<String>,
    /// Public documents that the facts are from.
    pub references: Vec<Reference>,
    /// How fast he works, where that is known.
    pub pace: Option<Pace>,
    /// The actor's way, in order.
    pub steps: Vec<ProfileStep>,
    /// Habits that accompany it.
    pub traits: Vec<Trait>,
    /// What speaks against the actor.
    pub unlike: Vec<Trait>,
}

/// A public document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Who wrote it, what it is, and when.
    pub title: String,
    /// Where it is.
    pub link: String,
}

/// One step of an actor's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileStep {
    /// Its id in the profile.
    pub id: String,
    /// What happens, as the end of "like the actor because …".
    pub title: String,
    /// Whether it leads up to the harm, or is part of it.
    pub stage: Stage,
    /// How telling it is: points of likeness.
    pub weight: u32,
    /// Techniques of ATT&CK, mapped.
    pub techniques: Vec<Technique>,
    /// In which cases it was seen.
    pub basis: String,
    /// What in an incident counts as the step; any one suffices. Empty where nothing that is read
    /// can show it.
    pub shows: Vec<Sign>,
    /// Which logs show it.
    pub logs: Vec<LogNeed>,
}

/// Where a step stands on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before the harm is done: where finding it still saves something.
    Leading,
    /// The harm, and what comes after it.
    Following,
}

/// A habit of an actor, or what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trait {
    /// Its id in the profile.
    pub id: String,
    /// What it is, as the end of "like the actor because …".
    pub title: String,
    /// Points of likeness that it adds, or takes.
    pub weight: u32,
    /// In which cases it was seen, or that it was in none.
    pub basis: String,
    /// What in an incident counts as it.
    pub sign: Sign,
}

/// What in an incident counts as a step or a trait. All parts that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sign {
    /// Patterns of actions, `*` for any characters. Empty: only the measure counts.
    pub actions: Vec<String>,
    /// How the calls ended; absent where it does not matter.
    pub outcome: Option<Ended>,
    /// Kinds of crown jewels that the calls must be on. Where no inventory tells jewels, objects
    /// that browsers load stand for web origins.
    pub on: Vec<JewelKind>,
    /// How many calls there must be.
    pub at_least: u64,
    /// Count different actions, not calls.
    pub distinct: bool,
    /// Count different targets, not calls.
    pub distinct_targets: bool,
    /// Something that is reckoned from the whole incident.
    pub measure: Option<Measure>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    Done,
    /// It was refused for lack of permission.
    Denied,
}

/// A log that shows a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNeed {
    /// The source's id: `aws.cloudtrail`; of sources that are not read yet too.
    pub source: String,
    /// The kind of event in it: `Management`, `Data`. Absent: any.
    pub kind: Option<String>,
    /// The services whose calls show it; empty for all.
    pub services: Vec<String>,
    /// What it holds, in words.
    pub what: String,
    /// Whether the service writes its events in one region for all, `us-east-1`.
    pub global: bool,
    /// Whether it must be there for every account and region.
    pub everywhere: bool,
    /// Whether what it has to show are calls that only read, which some trails leave out.
    pub reads: bool,
    /// Only the accounts that hold crown jewels of this kind must have it.
    pub jewel: Option<JewelKind>,
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct ProfileError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

impl Profile {
    /// Reads a profile: the name of its file, and its text.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        parse::profile(name, text)
    }
}

/// How like an actor an incident is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Likeness {
    /// The profile's id.
    pub actor: String,
    /// The actor's name.
    pub title: String,
    /// From 0 to 100: the points of what is like it, less the points of what is unlike.
    pub score: u32,
    /// What is like it, the most telling first.
    pub like: Vec<Resemblance>,
    /// What speaks against it, the most telling first.
    pub unlike: Vec<Resemblance>,
}

/// One thing that is like an actor, or speaks against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resemblance {
    /// The step's or trait's id in the profile.
    pub id: String,
    /// What it is, with what shows it here.
    pub words: String,
    /// Points that it adds or takes.
    pub points: u32,
    /// In which cases it was seen.
    pub basis: String,
}
