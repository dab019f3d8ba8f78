use portreeve_sigma::{Correlation, CorrelationKind, SettingsReader};

use super::item::{Fired, Item, Moment};
use super::kinds;
use super::table::Stored;

/// How many records a correlation that fires names.
pub(crate) const RECORDS: usize = 100;

/// What a type of correlation does with its items. Items come in order of event time.
pub(crate) trait Kind: std::fmt::Debug + Send + Sync {
    /// A copy with everything that it remembers.
    fn boxed(&self) -> Box<dyn Kind>;

    /// Takes an item.
    fn fold(&mut self, item: &Item, world: &World<'_>, out: &mut Out<'_>);

    /// Reads what taking the item will read, and answers anything that depends on it. Of a million
    /// entities most are in no cache, and reads that do not wait for one another take a fraction
    /// of the time. Worth it where there is an entity for nearly each item.
    fn expect(&self, _item: &Item) -> u64 {
        0
    }

    /// Whether anything waits for event time to pass.
    fn closes(&self) -> bool {
        false
    }

    /// Event time has come to `now`, and nothing before it is to come: decides what waited.
    fn pass(&mut self, _now: Moment, _out: &mut Out<'_>) {}

    /// All input has ended: decides what it can of what is still open, and tells the rest.
    fn finish(&mut self, _now: Moment, _world: &World<'_>, _out: &mut Out<'_>) {}

    /// The tables that hold its state, always in the same order.
    fn tables(&mut self) -> Vec<&mut dyn Stored>;

    /// The state was restored: whatever is kept beside the tables is to be made anew.
    fn restored(&mut self) {}
}

impl Clone for Box<dyn Kind> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

/// What is known beyond the items themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'w> {
    /// When the estate was surely clean.
    pub(crate) known_good: Option<(Moment, Moment)>,
    /// When some log was silent that should not have been, in order of time.
    pub(crate) holes: &'w [(Moment, Moment)],
    /// The first activity of all.
    pub(crate) began: Moment,
}

impl World<'_> {
    /// How much of a time the logs were silent.
    pub(crate) fn silence(&self, from: Moment, to: Moment) -> Moment {
        let mut silence = 0;
        let mut reached = from;
        for (start, end) in self.holes {
            let (start, end) = ((*start).max(reached), (*end).min(to));
            if end > start {
                silence += end - start;
                reached = end;
            }
        }
        silence
    }
}

/// Where a type tells what it found.
#[derive(Debug)]
pub(crate) struct Out<'o> {
    pub(crate) correlation: u32,
    pub(crate) fired: &'o mut Vec<Fired>,
    /// How many questions could not be answered.
    pub(crate) unknown: &'o mut u64,
}

impl Out<'_> {
    /// It fired. Records are put in order, and cut to the first hundred.
    pub(crate) fn fire(
        &mut self,
        key: u64,
        time: Moment,
        records: Vec<u64>,
        lead: u64,
    ) -> &mut Fired {
        let mut records = records;
        records.dedup();
        records.truncate(RECORDS);
        self.fired.push(Fired {
            correlation: self.correlation,
            key,
            time,
            records,
            lead,
            values: Vec::new(),
            number: None,
            rare: false,
            raised: false,
        });
        let last = self.fired.len() - 1;
        &mut self.fired[last]
    }
}

/// What a type asks of each record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// The fields whose values, together, are the item's value.
    pub(crate) value: Vec<String>,
    /// The same for the two further values.
    pub(crate) extra: [Vec<String>; 2],
    /// The field whose number is the item's number.
    pub(crate) number: Option<String>,
    /// The rules in the order in which the type counts them, where that is not the document's.
    pub(crate) legs: Option<Vec<String>>,
    /// Whether the tactics of findings are what it looks at.
    pub(crate) tactics: bool,
    /// Whether an item makes sense without a value.
    pub(crate) value_optional: bool,
}

/// A type that was made ready.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) kind: Box<dyn Kind>,
    pub(crate) roles: Roles,
}

/// Makes a correlation of a type ready; `None` where it cannot be used, which the reader then
/// tells. The number is the bound on entities.
pub(crate) type Build = fn(&Correlation, &mut SettingsReader<'_>, usize) -> Option<Built>;

/// A type that Portreeve adds to those of Sigma.
#[derive(Clone, Copy, Debug)]
pub struct Extension {
    /// The word behind `type:`.
    pub name: &'static str,
    /// What it finds.
    pub meaning: &'static str,
    pub(crate) build: Build,
}

/// Every type that Portreeve adds, in one table.
pub const EXTENSIONS: &[Extension] = &[
    Extension {
        name: "portreeve.first_seen",
        meaning: "a value that this entity has not shown before",
        build: kinds::first_seen::build,
    },
    Extension {
        name: "portreeve.rate",
        meaning: "more in a time span than ever in the entity's own history, or that of its peers",
        build: kinds::rate::build,
    },
    Extension {
        name: "portreeve.concurrent_use",
        meaning: "one actor at two places at once, going back and forth",
        build: kinds::concurrent_use::build,
    },
    Extension {
        name: "portreeve.dormant",
        meaning: "something long idle that wakes",
        build: kinds::dormant::build,
    },
    Extension {
        name: "portreeve.flip_flop",
        meaning: "a protection taken off and put back, perhaps used in between",
        build: kinds::flip_flop::build,
    },
    Extension {
        name: "portreeve.returns",
        meaning: "a value that changes and comes back",
        build: kinds::returns::build,
    },
    Extension {
        name: "portreeve.revoked_alive",
        meaning: "something used after it was revoked",
        build: kinds::revoked_alive::build,
    },
    Extension {
        name: "portreeve.stages",
        meaning: "several tactics of an intrusion by one lineage",
        build: kinds::stages::build,
    },
];

/// How a type is made ready; `None` for one that is not known.
pub(crate) fn builder(kind: &CorrelationKind) -> Option<Build> {
    Some(match kind {
        CorrelationKind::EventCount
        | CorrelationKind::ValueCount
        | CorrelationKind::ValueSum
        | CorrelationKind::ValueAverage
        | CorrelationKind::ValuePercentile => kinds::window::build,
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => kinds::temporal::build,
        CorrelationKind::Extension(name) => {
            EXTENSIONS
                .iter()
                .find(|extension| extension.name == name)?
                .build
        }
    })
}
