//! What the logs can show of a known actor's way, and what is missing from them.
//!
//! Silence of a kind of log is told only where something shows that there should be records: the
//! estate lists an account that no record is of, sessions are used whose issue is nowhere, people
//! use Identity Center and no portal event is there. Where all management events of an account are
//! logged, a service without a record was simply not called.

mod gaps;
mod needs;
mod seen;

use jiff::Timestamp;
use portreeve_detect::{Folded, Settings};
use portreeve_graph::Jewel;
use portreeve_model::{BlindSpot, Estate, Technique};
use serde::{Deserialize, Serialize};

use crate::actor::{Profile, Stage};
use seen::Seen;

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Surveyed<'a> {
    /// The folded run.
    pub folded: &'a Folded,
    /// What is known of the estate; empty without inventory.
    pub estate: &'a Estate,
    /// Its crown jewels.
    pub jewels: &'a [Jewel],
    /// What the user declares.
    pub settings: &'a Settings,
    /// The actors whose steps are looked for.
    pub profiles: &'a [Profile],
    /// Ids of the log sources that can be read at all.
    pub readable: &'a [&'a str],
}

/// What the logs can show of one actor's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSight {
    /// The profile's id.
    pub actor: String,
    /// The actor's name.
    pub title: String,
    /// The steps of the way, in order.
    pub steps: Vec<StepSight>,
}

/// What the logs can show of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSight {
    /// The step's id in the profile.
    pub id: String,
    /// What happens.
    pub title: String,
    /// Whether it leads up to the harm, or is part of it.
    pub stage: Stage,
    /// How telling it is.
    pub weight: u32,
    /// Its techniques.
    pub techniques: Vec<Technique>,
    /// Whether it can be seen in those of its logs that can be read at all.
    pub state: LogState,
    /// Each log that shows it.
    pub logs: Vec<LogSight>,
}

/// Whether a log that shows a step is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSight {
    /// The log source.
    pub source: String,
    /// The kind of event in it.
    pub kind: Option<String>,
    /// The services whose calls show the step.
    pub services: Vec<String>,
    /// What it holds, in words.
    pub what: String,
    /// Whether it is there.
    pub state: LogState,
    /// What is missing of it, and why that is thought.
    pub gaps: Vec<Gap>,
}

/// Whether a log is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogState {
    /// Everywhere it should be, as far as is known.
    There,
    /// Not everywhere: the gaps tell where not.
    Partly,
    /// Nowhere.
    Absent,
    /// It cannot be read yet.
    Unread,
}

/// Where, or when, a log is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The account; absent for all.
    pub account: Option<String>,
    /// The region; absent for all.
    pub region: Option<String>,
    /// The first hour that is missing; absent for the whole time.
    pub from: Option<Timestamp>,
    /// The first hour after that.
    pub until: Option<Timestamp>,
    /// What shows that something is missing.
    pub why: String,
}

/// Tells for each actor's way which of its steps the logs can show, and what the logs lack.
pub fn sight(surveyed: &Surveyed<'_>) -> (Vec<ProfileSight>, Vec<BlindSpot>) {
    let seen = Seen::new(surveyed);
    let profiles = surveyed
        .profiles
        .iter()
        .map(|profile| ProfileSight {
            actor: profile.id.clone(),
            title: profile.title.clone(),
            steps: profile
                .steps
                .iter()
                .map(|step| needs::step(&seen, step))
                .collect(),
        })
        .collect();
    (profiles, gaps::blind_spots(&seen))
}
