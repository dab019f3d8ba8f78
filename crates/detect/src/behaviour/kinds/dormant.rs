//! `portreeve.dormant`: something long idle that wakes, perhaps in a place that it was never seen
//! in. One look-up an item; state of what an entity usually does.
//!
//! Time in which the logs were silent does not count as idle.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};

use super::familiar::{Familiar, Memory, Sight};
use super::{required, span};
use crate::behaviour::item::{DAY, Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

#[derive(Clone, Debug)]
struct Dormant {
    idle: Moment,
    /// Whether the value must be new too.
    valued: bool,
    /// Whether one that was not seen since the logs began counts as idle since then.
    unseen: bool,
    memory: Memory,
    entities: Table<Sleeper>,
}

#[derive(Clone, Debug, Default)]
struct Sleeper {
    known: bool,
    last: Moment,
    familiar: Familiar,
}

pub(crate) fn build(
    _correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let idle = required(settings, "idle");
    let value = settings.texts("value");
    let unseen = settings.flag("unseen");
    let remember = settings.duration("remember").map(span);
    let idle = idle?;
    let remember = remember.unwrap_or(idle.saturating_mul(8));
    if remember <= idle {
        settings.refuse("what is remembered for no longer than `idle` cannot be seen to wake");
    }
    Some(Built {
        kind: Box::new(Dormant {
            idle,
            valued: !value.is_empty(),
            unseen,
            memory: Memory {
                remember,
                warm_up: DAY,
                rare_days: 0.0,
                rare_calls: 0.0,
            },
            entities: Table::new(bound, remember),
        }),
        roles: Roles {
            value_optional: value.is_empty(),
            value,
            ..Roles::default()
        },
    })
}

impl Kind for Dormant {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn expect(&self, item: &Item) -> u64 {
        self.entities.expect(item.key)
    }

    fn fold(&mut self, item: &Item, world: &World<'_>, out: &mut Out<'_>) {
        let time = item.time;
        let sleeper = self.entities.touch(item.key, time);
        let (known, since) = if sleeper.known {
            (true, sleeper.last)
        } else {
            (false, world.began)
        };
        (sleeper.known, sleeper.last) = (true, time);
        let new = match sleeper.familiar.see(item.value, time, &self.memory, world) {
            Sight::Familiar | Sight::Restless => false,
            Sight::New | Sight::Cold => true,
        };
        let idle = time - since;
        if idle <= self.idle || !(known || self.unseen) || (self.valued && !new) {
            return;
        }
        // It may have been awake while nobody was looking.
        if idle - world.silence(since, time) <= self.idle {
            *out.unknown += 1;
            return;
        }
        let fired = out.fire(item.key, time, vec![item.record], item.record);
        fired.number = Some((idle / DAY) as f64);
        fired.values.extend(self.valued.then_some(item.value));
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.entities]
    }
}

impl Entry for Sleeper {
    fn write(&self, writer: &mut Writer) {
        writer.flag(self.known).signed(self.last);
        self.familiar.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            known: reader.flag()?,
            last: moment(reader)?,
            familiar: Familiar::read(reader)?,
        })
    }
}
