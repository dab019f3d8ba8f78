//! For how long what a call changed held: until it was taken back, or put anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portreeve_model::{Effect, EntityId, Held, Relation, Spot};

use crate::activities::{Activities, RowId};

/// When what rows changed was taken back or changed again.
#[derive(Debug, Default)]
pub(crate) struct Lasting(BTreeMap<RowId, End>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    time: Timestamp,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    TakenBack,
    ChangedAgain,
}

/// A spot, the path of whose owner few records tell.
type Key = (String, String);

impl Lasting {
    /// `effects` are in order of rows, and rows in order of time.
    pub(crate) fn new(effects: &[(RowId, Vec<Effect>)], activities: &Activities) -> Self {
        let mut ends = BTreeMap::new();
        // From the last to the first: what came next on each spot is known then.
        let mut next = BTreeMap::<Key, (&Held, Timestamp)>::new();
        for (row, effects) in effects.iter().rev() {
            let Some(time) = activities.get(*row).time() else {
                continue;
            };
            let own = effects
                .iter()
                .filter(|effect| effect.after != Held::Nothing);
            let end = own
                .filter_map(|effect| {
                    let later = next.get(&key(&effect.spot));
                    let again = later.filter(|(held, _)| **held != effect.after);
                    let gone = next
                        .get(&(owner(effect.spot.subject()), String::new()))
                        .filter(|(held, _)| **held == Held::Nothing);
                    let end = |(held, time): &(&Held, Timestamp)| End {
                        time: *time,
                        how: match held {
                            Held::Nothing | Held::Without(_) => How::TakenBack,
                            _ => How::ChangedAgain,
                        },
                    };
                    again.into_iter().chain(gone).map(end).min()
                })
                .min();
            ends.extend(end.map(|end| (*row, end)));
            for effect in effects {
                next.insert(key(&effect.spot), (&effect.after, time));
            }
        }
        Self(ends)
    }

    /// For how long it held, as far as the logs show.
    pub(crate) fn words(&self, row: RowId, time: Option<Timestamp>) -> String {
        let Some((end, time)) = self.0.get(&row).zip(time) else {
            return "not taken back in these logs".to_owned();
        };
        let minutes = (end.time.as_second() - time.as_second()) / 60;
        let how = match end.how {
            How::TakenBack => "taken back",
            How::ChangedAgain => "changed again",
        };
        format!("{how} after {}, at {}", span(minutes), end.time)
    }
}

fn span(minutes: i64) -> String {
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// An entity's id without the path that only the record of its making tells.
fn owner(id: &EntityId) -> String {
    let text = id.as_str();
    match text.split_once(":iam:").and_then(|_| text.split_once('/')) {
        Some((kind, _)) => format!("{kind}/{}", id.short_name()),
        None => text.to_owned(),
    }
}

fn key(spot: &Spot) -> Key {
    let what = match spot {
        Spot::Entity { .. } => String::new(),
        Spot::Relation(Relation::Policy { name, layer, .. }) => {
            format!("attached {} {name}", layer.as_str())
        }
        Spot::Relation(Relation::MemberOf { group, .. }) => format!("member of {}", owner(group)),
        Spot::Relation(relation) => format!("{relation:?}"),
        Spot::Document { layer, name, .. } => format!("{} policy {name}", layer.as_str()),
        Spot::Version { version, .. } => format!("version {version}"),
        Spot::Boundary { .. } => "boundary".to_owned(),
        Spot::RunsAs { .. } => "role".to_owned(),
        Spot::Tag { key, .. } => format!("tag {key}"),
        Spot::Attribute { name, .. } => format!("attribute {name}"),
    };
    (owner(spot.subject()), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        assert_eq!(span(38), "38 min");
        assert_eq!(span(130), "2 h 10 min");
        assert_eq!(span(3 * 24 * 60 + 59), "3 d 0 h");
    }

    #[test]
    fn owners_go_without_their_path() {
        let role = |path: &str| owner(&format!("arn:aws:iam::111122223333:role/{path}").into());
        assert_eq!(role("team/deploy"), role("deploy"));
        let bucket = EntityId::from("arn:aws:s3:::web");
        assert_eq!(owner(&bucket), "arn:aws:s3:::web");
    }
}
