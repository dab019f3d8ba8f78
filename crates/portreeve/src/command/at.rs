//! What the commands that ask about another time have in common.

use std::collections::BTreeSet;

use portreeve_engine::Instant;
use portreeve_estate::history::Moment;
use portreeve_model::{EntityId, Estate, Timestamp};
use portreeve_view::json;

use crate::arguments::At;

/// The instant that is asked about, if one is.
pub(super) fn instant(at: &At) -> Option<Instant> {
    Some(Instant {
        at: at.at?,
        inventory: at.inventory_time,
    })
}

/// The instant of an answer, and what is said about it.
#[derive(Debug)]
pub(super) struct Then {
    at: Timestamp,
    taken: (Timestamp, Timestamp),
    assumed: bool,
    /// What is there at another time, and was not then.
    absent: BTreeSet<EntityId>,
}

impl Then {
    pub(super) fn of(moment: Moment) -> Self {
        Self {
            at: moment.at,
            taken: moment.taken,
            assumed: moment.assumed,
            absent: moment.absent,
        }
    }

    /// The instant in words.
    pub(super) fn words(&self) -> String {
        let (from, until) = self.taken;
        let inventory = if !self.assumed {
            format!("an inventory of {until}")
        } else if from == until {
            format!("an inventory that agrees best with them at {until}")
        } else {
            format!("an inventory that agrees best with them from {from} to {until}")
        };
        format!(
            "the estate as of {}, told from the logs and {inventory}",
            self.at
        )
    }

    /// The instant for machines.
    pub(super) fn json(&self) -> json::At {
        json::At {
            time: self.at,
            inventory_from: self.taken.0,
            inventory_until: self.taken.1,
            inventory_assumed: self.assumed,
        }
    }

    /// That what is meant by a name was not there, where that is sure.
    pub(super) fn missing(&self, estate: &Estate, name: &str) -> Option<String> {
        let meant = |id: &EntityId| id.as_str() == name || id.is_called(name);
        let is_there = estate
            .entities()
            .any(|entity| !self.absent.contains(&entity.id) && meant(&entity.id));
        let id = self.absent.iter().find(|id| meant(id))?;
        (!is_there).then(|| {
            format!(
                "{id} was not there at {}: the logs and the inventory show it at other times only",
                self.at
            )
        })
    }
}
