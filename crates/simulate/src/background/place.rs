//! Where people work from.

use crate::dice::Dice;
use crate::network;
use crate::people::{Habit, Person};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// The addresses that one person has on one day.
pub(super) struct Place {
    /// Where they are.
    pub(super) address: String,
    other: Option<Other>,
}

/// A second address on the same day.
struct Other {
    address: String,
    /// How many of the calls, in thousandths.
    share: u64,
    /// From when until when.
    between: (i64, i64),
}

impl Place {
    /// Where a person works from on a day.
    pub(super) fn of(stage: &Stage, day: Day, person: &Person) -> Self {
        let mut dice = stage
            .seeds
            .stream("place", day.number() * 1000 + person.number as u64);
        let draw = dice.below(100);
        let address = match person.habit {
            Habit::Contractor => network::CONTRACTOR_DESKTOP.to_owned(),
            Habit::Traveller if travels(stage, day, person) => {
                network::traveller(person.number, day.number())
            }
            Habit::NewHire if stage.place_of(day) < 16 => person.home.clone(),
            Habit::SplitTunnel if draw < 50 => person.home.clone(),
            _ if draw < 88 => network::OFFICE.to_owned(),
            _ if draw < 97 => person.home.clone(),
            _ => network::telephone(person.number, day.number()),
        };
        let all_day = (day.midnight, day.midnight + 2 * 24 * HOUR);
        let other = if person.habit == Habit::SplitTunnel && address == person.home {
            // A part of the provider's addresses goes through the company's tunnel, the rest out at
            // home: both at once, all day.
            Some(Other {
                address: network::OFFICE.to_owned(),
                share: 450,
                between: all_day,
            })
        } else if person.habit != Habit::Contractor && dice.permille(50) {
            // On the train for an hour, or the line at home is down: the telephone is the modem.
            let from = day.midnight + dice.between(8 * HOUR, 16 * HOUR);
            Some(Other {
                address: network::telephone(person.number, day.number()),
                share: 1000,
                between: (from, from + dice.between(25, 90) * MINUTE),
            })
        } else {
            None
        };
        Self { address, other }
    }

    /// The address that a call at a time comes from.
    pub(super) fn at(&self, time: i64, dice: &mut Dice) -> &str {
        match &self.other {
            Some(other)
                if (other.between.0..other.between.1).contains(&time)
                    && dice.permille(other.share) =>
            {
                &other.address
            }
            _ => &self.address,
        }
    }
}

/// Whether a traveller is away: two of every five weeks, each at a time of their own.
fn travels(stage: &Stage, day: Day, person: &Person) -> bool {
    let offset = stage
        .seeds
        .stream("journeys", person.number as u64)
        .below(35);
    (day.number() + offset) % 35 < 14
}
