//! Writes a fictional organisation from a seed: its estate, its CloudTrail logs in the form in
//! which a trail delivers them, and the labels of what was an intrusion, in a file of their own
//! that detection never sees.
//!
//! The organisation is called Halyard and keeps other people's money in wallets. Sixty people work
//! there, thirty-five of them with access to AWS. Nothing here attacks anything: records are
//! written as a trail would have written them. Addresses, domains and account numbers are those
//! set aside for documentation.
//!
//! The same plan gives the same bytes. This crate does no I/O: what it writes goes into a
//! [`Sink`].
//!
//! ```
//! use portreeve_simulate::{Intrusion, MemorySink, Plan, simulate};
//!
//! let plan = Plan { days: 2, intrusion: Intrusion::None, max_records: 3_000, ..Plan::default() };
//! let mut sink = MemorySink::default();
//! let summary = simulate(&plan, &mut sink)?;
//! assert!(summary.records > 500 && summary.records <= 3_000);
//! assert!(sink.labels.is_empty());
//! # Ok::<(), portreeve_simulate::SimulateError>(())
//! ```

mod administration;
mod background;
mod call;
mod client;
mod delivery;
mod dice;
mod estate;
mod faults;
mod intrusion;
mod network;
mod organisation;
mod people;
mod record;
mod session;
mod sink;
mod stage;
mod time;
mod wallets;
mod without;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

pub use faults::{Faults, Share, ShareError};
pub use sink::{MemorySink, Sink, Written};
pub use without::{InventoryPart, Without, WithoutError};

use administration::Administration;
use delivery::Delivery;
use dice::Seeds;
use organisation::Organisation;
use stage::Stage;

/// Records that are at least kept free for an intrusion.
const INTRUSION_RECORDS: usize = 600;
/// How many records a day has on average at full volume; tells how far to turn the volume down.
const RECORDS_PER_DAY: usize = 9_000;
/// How many records a day has that no volume thins: the developer's own, a deploy, the sign-ins.
const FIXED_PER_DAY: usize = 60;
/// How few records a day may have at the lowest volume.
const LEAST_PER_DAY: usize = 300;

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Another seed gives other people, addresses, keys and times.
    pub seed: u64,
    /// How many days of logs. With an intrusion, the last days are the intrusion's and the ones
    /// before are quiet.
    pub days: u32,
    /// What happens beside the ordinary.
    pub intrusion: Intrusion,
    /// No more records than this, duplicates counted. Background is thinned to fit.
    pub max_records: usize,
    /// How many times the usual background there is, as far as `max_records` leaves room.
    pub scale: u32,
    /// What happens to records on their way into the logs.
    pub faults: Faults,
    /// What the organisation does not log, or does not hand over.
    pub without: Vec<Without>,
    /// With a number the logs begin that many days after the Monday of the foothold: what was
    /// before is not in them, and records before have no label.
    pub start_after_foothold: Option<u32>,
    /// How many changes administrators make of who may do what, beside everything else.
    pub changes: u32,
    /// At the end of which day of the plan, from 0, the inventory is made; without a number it is
    /// made when the plan begins.
    pub inventory_day: Option<u32>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            days: 48,
            intrusion: Intrusion::Main,
            max_records: 500_000,
            scale: 1,
            faults: Faults::default(),
            without: Vec::new(),
            start_after_foothold: None,
            changes: 0,
            inventory_day: None,
        }
    }
}

/// Which intrusion happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intrusion {
    /// None.
    None,
    /// A developer's stolen session, up to the replaced web bundle.
    Main,
    /// Another one by its name; [`intrusions`] lists them.
    Variant(String),
}

impl Intrusion {
    fn scenario(&self) -> Option<&str> {
        match self {
            Intrusion::None => None,
            Intrusion::Main => Some("main"),
            Intrusion::Variant(name) => Some(name),
        }
    }
}

impl FromStr for Intrusion {
    type Err = SimulateError;

    fn from_str(text: &str) -> Result<Self, SimulateError> {
        match text {
            "none" => Ok(Intrusion::None),
            "main" => Ok(Intrusion::Main),
            name if intrusion::names().iter().any(|known| known == name) => {
                Ok(Intrusion::Variant(name.to_owned()))
            }
            name => Err(SimulateError::UnknownIntrusion {
                name: name.to_owned(),
                known: intrusion::names().join(", "),
            }),
        }
    }
}

impl fmt::Display for Intrusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.scenario().unwrap_or("none"))
    }
}

/// The names of all intrusions that can be simulated, `none` aside.
pub fn intrusions() -> Vec<String> {
    intrusion::names()
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Log records, duplicates too.
    pub records: usize,
    /// How many of those are duplicates.
    pub duplicates: usize,
    /// How many records were lost on the way, as happens.
    pub lost: usize,
    /// How many records are of a kind that the plan leaves out.
    pub left_out: usize,
    /// Log files, digests aside.
    pub log_files: usize,
    /// When the inventory was made.
    pub inventory: Timestamp,
    /// Bytes of log records, before compression.
    pub bytes: u64,
    /// Labels: records of the intrusion.
    pub labels: usize,
    /// Files of the estate.
    pub estate_files: usize,
    /// Blocks of the chain.
    pub blocks: usize,
    /// Transactions that were filed for the Safes.
    pub safe_transactions: usize,
    /// The first moment that the logs cover.
    pub begins: Timestamp,
    /// The first moment after them.
    pub ends: Timestamp,
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The intrusion is not known.
    #[error("no intrusion is called '{name}'; there are: none, {known}")]
    UnknownIntrusion {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The plan has fewer days than its intrusion takes.
    #[error("the intrusion takes {needed} days, the plan has {days}")]
    TooFewDays {
        /// Days that the plan has.
        days: u32,
        /// Days that it needs.
        needed: u32,
    },
    /// The logs would begin when the intrusion is over, or there is none that they could begin
    /// after.
    #[error("logs cannot begin {after} days after the foothold: the intrusion takes {days} days")]
    StartAfterFoothold {
        /// How many days after the foothold the logs should begin.
        after: u32,
        /// How many days the intrusion takes; 0 where there is none.
        days: u32,
    },
    /// The plan multiplies the background by nothing, or by more than a thousand.
    #[error("the background can be multiplied by 1 to 1,000, not by {0}")]
    Scale(u32),
    /// The plan has no day, or more than ten years of them.
    #[error("a plan has from 1 to 3,660 days, not {0}")]
    Days(u32),
    /// The plan is over before its inventory is made.
    #[error("the inventory cannot be made at the end of day {day}: the plan has days 0 to {last}")]
    InventoryDay {
        /// The day asked for.
        day: u32,
        /// The last day of the plan.
        last: u32,
    },
    /// The plan allows too few records for the intrusion to be told from the rest.
    #[error("a plan needs room for at least {needed} records, not {records}")]
    TooFewRecords {
        /// Records that the plan allows.
        records: usize,
        /// Records that it needs.
        needed: usize,
    },
    /// A scenario's file does not say what it should.
    #[error("scenario '{name}': {reason}")]
    Scenario {
        /// The scenario.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The sink did not take what was written.
    #[error("what was simulated could not be written")]
    Sink(#[from] std::io::Error),
}

/// Writes the estate, the logs and the labels of a plan.
pub fn simulate(plan: &Plan, sink: &mut dyn Sink) -> Result<Summary, SimulateError> {
    if plan.days == 0 || plan.days > 3_660 {
        return Err(SimulateError::Days(plan.days));
    }
    if plan.scale == 0 || plan.scale > 1_000 {
        return Err(SimulateError::Scale(plan.scale));
    }
    let scenario = load(plan)?;
    let takes = scenario.as_ref().map_or(0, |(_, scenario)| scenario.days);
    if plan.days < takes {
        return Err(SimulateError::TooFewDays {
            days: plan.days,
            needed: takes,
        });
    }
    if let Some(after) = plan.start_after_foothold.filter(|after| *after >= takes) {
        return Err(SimulateError::StartAfterFoothold { after, days: takes });
    }
    let reserved = scenario.as_ref().map_or(0, |(_, scenario)| {
        scenario.most_records().max(INTRUSION_RECORDS)
    });
    let least = reserved + LEAST_PER_DAY * plan.days as usize;
    if plan.max_records < least {
        return Err(SimulateError::TooFewRecords {
            records: plan.max_records,
            needed: least,
        });
    }
    let (stage, foothold) = stage(plan, &scenario, reserved);
    let start = stage.start;
    let administration = Administration::new(&stage, plan.changes);
    let inventory = match plan.inventory_day {
        Some(day) if day >= plan.days => {
            let last = plan.days - 1;
            return Err(SimulateError::InventoryDay { day, last });
        }
        Some(day) => start + (i64::from(day) + 1) * time::DAY - 1,
        None => start - 1,
    };
    let shown = administration.inventory(&stage, inventory);
    let estate_files = estate::write(&shown, &plan.without, sink)?;
    let wallets = match plan.without.contains(&Without::Wallets) {
        true => wallets::Counts::default(),
        false => {
            let scenario = scenario.as_ref().map(|(_, scenario)| scenario);
            wallets::write(&stage, scenario, foothold, sink)?
        }
    };
    let begins = plan.start_after_foothold.map_or(start, |after| {
        start.max(foothold + i64::from(after) * time::DAY)
    });
    let window = (begins, stage.end());
    let mut delivery = Delivery::new(sink, &stage, plan, window, reserved);
    for day in stage.calendar() {
        // A session that began the evening before may still be in use when the logs begin.
        if day.midnight + 2 * time::DAY <= begins {
            continue;
        }
        background::play(&stage, day, &mut delivery);
        administration.play(&stage, day, &mut delivery);
        if let Some((name, scenario)) = &scenario {
            intrusion::play(&stage, name, scenario, foothold, day, &mut delivery);
        }
        delivery.write_until(day.midnight + time::DAY)?;
    }
    let counts = delivery.finish()?;
    Ok(Summary {
        records: counts.records,
        duplicates: counts.duplicates,
        lost: counts.lost,
        left_out: counts.left_out,
        log_files: counts.files,
        bytes: counts.bytes,
        labels: counts.labels,
        estate_files,
        blocks: wallets.blocks,
        safe_transactions: wallets.filed,
        inventory: second(inventory),
        begins: second(window.0),
        ends: second(window.1),
    })
}

/// The estate of a plan as it stood at other times: what the inventory would have shown, had it
/// been made then. For tests, as labels are. `write` gets the files of each time, earlier ones first.
pub fn estates_at(
    plan: &Plan,
    times: &[Timestamp],
    mut write: impl FnMut(Timestamp, &MemorySink),
) -> Result<(), SimulateError> {
    let scenario = load(plan)?;
    let (stage, _) = stage(plan, &scenario, 0);
    let administration = Administration::new(&stage, plan.changes);
    let mut inventory = estate::Inventory::new(&stage);
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut from = i64::MIN;
    for time in times {
        administration.advance(&mut inventory, from, time.as_second());
        from = time.as_second();
        let mut sink = MemorySink::default();
        estate::write(&inventory, &plan.without, &mut sink)?;
        write(time, &sink);
    }
    Ok(())
}

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The scenario of a plan, with its name.
fn load(plan: &Plan) -> Result<Option<(&str, intrusion::Scenario)>, SimulateError> {
    plan.intrusion
        .scenario()
        .map(|name| Ok((name, intrusion::Scenario::load(name)?)))
        .transpose()
}

/// Where a plan happens, and when its intruder gets in.
fn stage(
    plan: &Plan,
    scenario: &Option<(&str, intrusion::Scenario)>,
    reserved: usize,
) -> (Stage, i64) {
    let seeds = Seeds(plan.seed);
    // The main scenario's length is where the last days begin, with or without it, so that the
    // quiet days are the same days.
    // Twelve seeds in a row have twelve different weeks: five and twelve share no factor.
    let weeks = (plan.seed.wrapping_mul(5) % 12) as i64;
    let foothold = time::FIRST_MONDAY + weeks * 7 * time::DAY;
    let after = scenario.as_ref().map_or(18, |(_, scenario)| scenario.days);
    let start = foothold - (i64::from(plan.days) - i64::from(after)) * time::DAY;
    let days = plan.days as usize;
    let room = plan
        .max_records
        .saturating_sub(reserved + FIXED_PER_DAY * days)
        * 1000
        / (RECORDS_PER_DAY * days);
    let stage = Stage {
        organisation: Organisation::new(seeds),
        seeds,
        start,
        days: plan.days,
        volume: (room as u64).min(1000 * u64::from(plan.scale)),
    };
    (stage, foothold)
}
