//! `portreeve.stages`: one lineage that shows several tactics of an intrusion, each perhaps weak.
//!
//! Each tactic is as strong as its strongest finding, halved with every half-life that has gone by
//! since. It fires when enough tactics are there and their strengths add up. A pass over fifteen
//! tactics an item; state of one record a tactic and lineage.

use portreeve_model::Severity;
use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};

use super::{span, timespan};
use crate::behaviour::item::{DAY, Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

#[derive(Clone, Debug)]
struct Stages {
    timespan: Moment,
    half_life: Moment,
    at_least: usize,
    strength: f64,
    lineages: Table<Shown>,
}

#[derive(Clone, Debug, Default)]
struct Shown {
    tactics: Vec<Stage>,
}

#[derive(Clone, Copy, Debug)]
struct Stage {
    tactic: u64,
    strength: f64,
    time: Moment,
    record: u64,
}

/// How strong a finding is as a sign of its stage.
pub(crate) fn strength(level: Severity) -> f64 {
    match level {
        Severity::Informational => 0.0,
        Severity::Low => 0.5,
        Severity::Medium => 1.0,
        Severity::High => 2.0,
        Severity::Critical => 3.0,
    }
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let half_life = settings.duration("half-life").map_or(10 * DAY, span);
    let at_least = settings.count("at-least").unwrap_or(4);
    let strength = settings.number("strength").unwrap_or(3.0);
    if !correlation.rules.is_empty() {
        settings.refuse("this type looks at all findings, and takes no `rules`");
    }
    let timespan = timespan?;
    Some(Built {
        kind: Box::new(Stages {
            timespan,
            half_life,
            at_least,
            strength,
            lineages: Table::new(bound, timespan),
        }),
        roles: Roles {
            tactics: true,
            ..Roles::default()
        },
    })
}

impl Stages {
    fn decayed(&self, stage: &Stage, now: Moment) -> f64 {
        let lives = (now - stage.time) as f64 / self.half_life as f64;
        stage.strength * (-lives).exp2()
    }
}

impl Kind for Stages {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let time = item.time;
        let mut shown = std::mem::take(self.lineages.touch(item.key, time));
        shown
            .tactics
            .retain(|stage| stage.time >= time - self.timespan);
        let new = Stage {
            tactic: item.value,
            strength: item.number,
            time,
            record: item.record,
        };
        let known = shown
            .tactics
            .iter()
            .position(|stage| stage.tactic == item.value);
        let first = known.is_none();
        match known {
            Some(at) => {
                let stronger = self.decayed(&shown.tactics[at], time) <= new.strength;
                if stronger {
                    shown.tactics[at] = new;
                }
            }
            None => shown.tactics.push(new),
        }
        let sum: f64 = shown
            .tactics
            .iter()
            .map(|stage| self.decayed(stage, time))
            .sum();
        // Told when a stage is added, not with every further call of the same.
        if first && shown.tactics.len() >= self.at_least && sum >= self.strength {
            let mut stages = shown.tactics.clone();
            stages.sort_unstable_by_key(|stage| (stage.time, stage.record));
            let records = stages.iter().map(|stage| stage.record).collect();
            let fired = out.fire(item.key, time, records, item.record);
            fired.number = Some(stages.len() as f64);
        }
        *self.lineages.touch(item.key, time) = shown;
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.lineages]
    }
}

impl Entry for Shown {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        self.tactics.iter().for_each(|stage| take(stage.record));
    }

    fn write(&self, writer: &mut Writer) {
        writer.list(self.tactics.iter(), |writer, stage| {
            writer
                .hash(stage.tactic)
                .float(stage.strength)
                .signed(stage.time)
                .number(stage.record);
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            tactics: reader.list(|reader| {
                Ok(Stage {
                    tactic: reader.hash()?,
                    strength: reader.float()?,
                    time: moment(reader)?,
                    record: reader.number()?,
                })
            })?,
        })
    }
}
