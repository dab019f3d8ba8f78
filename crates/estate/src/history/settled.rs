//! What the making or deleting of an entity says of all that hangs on it.

use portreeve_model::{Effect, Held, Spot, Timestamp};

use super::spots::must_be_gone;
use super::timeline::Event;

/// How the making or deleting of an entity settles its other spots.
#[derive(Clone, Copy, Debug)]
pub(super) enum Settled {
    Made,
    /// With more than is told.
    MadeInPart,
    Deleted,
}

impl Settled {
    pub(super) fn by(effect: &Effect) -> Option<Self> {
        if !matches!(effect.spot, Spot::Entity { .. }) {
            return None;
        }
        match (&effect.before, &effect.after) {
            (_, Held::Nothing) => Some(Self::Deleted),
            (Held::Nothing, Held::Text(_)) => Some(Self::Made),
            (Held::Nothing, _) => Some(Self::MadeInPart),
            _ => None,
        }
    }

    pub(super) fn event(self, time: Timestamp, spot: &Spot) -> Event {
        let (before, after) = match self {
            Self::Made => (Held::Nothing, Held::Nothing),
            Self::MadeInPart => (Held::Nothing, Held::Unknown),
            Self::Deleted if must_be_gone(spot) => (Held::Nothing, Held::Nothing),
            Self::Deleted => (Held::Unknown, Held::Nothing),
        };
        Event {
            time,
            observed: false,
            before,
            after,
        }
    }
}
