//! The types of correlation, one module each.

pub(crate) mod concurrent_use;
pub(crate) mod dormant;
mod familiar;
pub(crate) mod first_seen;
pub(crate) mod flip_flop;
pub(crate) mod rate;
pub(crate) mod returns;
pub(crate) mod revoked_alive;
pub(crate) mod stages;
pub(crate) mod temporal;
pub(crate) mod window;

use portreeve_sigma::{Correlation, SettingsReader};

use super::item::{Moment, SECOND};

/// Seconds of a setting as a span of event time.
fn span(seconds: u64) -> Moment {
    Moment::try_from(seconds)
        .unwrap_or(Moment::MAX / SECOND)
        .saturating_mul(SECOND)
}

/// A time span that has to be set.
fn required(settings: &mut SettingsReader<'_>, key: &'static str) -> Option<Moment> {
    let found = settings.duration(key).map(span);
    if found.is_none() {
        settings.refuse(format!("this type needs a `{key}`"));
    }
    found
}

/// Fields that have to be set.
fn required_fields(settings: &mut SettingsReader<'_>, key: &'static str) -> Option<Vec<String>> {
    let found = settings.texts(key);
    if found.is_empty() {
        settings.refuse(format!(
            "this type needs a `{key}`: the fields that it compares"
        ));
        return None;
    }
    Some(found)
}

/// The document's time span, which this type has to have.
fn timespan(correlation: &Correlation, settings: &mut SettingsReader<'_>) -> Option<Moment> {
    if correlation.timespan.is_none() {
        settings.refuse("this type needs a `timespan`");
    }
    correlation.timespan.map(span)
}

/// Adds to a list that mostly stays short: of millions of lists, each with room to spare, the room
/// would take more than what is in them.
fn push_tight<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 2);
    }
    list.push(item);
}
