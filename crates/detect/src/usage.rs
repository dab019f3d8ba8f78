//! Who used what, and when last: the logs' history, for whoever compares it with what is allowed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use portreeve_model::Timestamp;

use crate::activities::Activities;
use crate::strings::Symbol;

/// How many targets of one operation of one principal are kept.
const TARGETS: usize = 1000;

/// What the logs show of everyone.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// By principal, as the logs name it.
    pub principals: BTreeMap<String, PrincipalUsage>,
    /// When each credential was last used.
    pub credentials: BTreeMap<String, Timestamp>,
    /// Everything that anyone did, as `s3:GetObject`.
    pub operations: BTreeSet<String>,
    /// The time of the last activity.
    pub last: Option<Timestamp>,
}

/// What one principal did.
#[derive(Clone, Debug, Default)]
pub struct PrincipalUsage {
    /// How many activities that were not refused.
    pub calls: u64,
    /// The time of the last.
    pub last: Option<Timestamp>,
    /// By operation, as `s3:GetObject`, what it was done on. Nothing where that is not told, or too
    /// much to tell one by one.
    pub operations: BTreeMap<String, BTreeSet<String>>,
}

impl Usage {
    /// Goes through all activities once. What was refused for lack of permission is no use.
    pub fn of(activities: &Activities) -> Self {
        /// Calls, the last of them, and what they were done on; nothing once that is too much.
        type Cell = (u64, Option<Timestamp>, Option<BTreeSet<Symbol>>);
        let mut cells: HashMap<(Symbol, Symbol), Cell, FixedState> = HashMap::default();
        let mut credentials: HashMap<Symbol, Timestamp, FixedState> = HashMap::default();
        let mut usage = Self::default();
        for row in activities.iter().filter(|row| !row.denied()) {
            let time = row.time();
            if let (Some(time), true) = (time, row.credential_symbol().is_some()) {
                let known = credentials.entry(row.credential_symbol()).or_insert(time);
                *known = time.max(*known);
            }
            let key = (row.principal_symbol(), row.action_symbol());
            let (calls, last, targets) = cells
                .entry(key)
                .or_insert_with(|| (0, None, Some(BTreeSet::new())));
            *calls += 1;
            *last = (*last).max(time);
            let of_row: Vec<Symbol> = row.target_symbols().collect();
            match targets {
                // A use on something untold may be a use on anything.
                Some(known) if !of_row.is_empty() && known.len() < TARGETS => known.extend(of_row),
                other => *other = None,
            }
        }
        let text = |symbol: Symbol| {
            activities
                .strings()
                .get(symbol)
                .unwrap_or_default()
                .to_owned()
        };
        for ((principal, action), (calls, last, targets)) in cells {
            let one = usage.principals.entry(text(principal)).or_default();
            one.calls += calls;
            one.last = one.last.max(last);
            usage.last = usage.last.max(last);
            let targets = targets.into_iter().flatten().map(text).collect();
            one.operations.insert(text(action), targets);
            usage.operations.insert(text(action));
        }
        usage.credentials = credentials
            .into_iter()
            .map(|(credential, last)| (text(credential), last))
            .collect();
        usage
    }
}
