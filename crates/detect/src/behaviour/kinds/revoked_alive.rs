//! `portreeve.revoked_alive`: something that is used after it was revoked. Constant work an item;
//! state of one record for each thing revoked, until the time span ends or it is given back.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, SettingsReader};

use super::{span, timespan};
use crate::behaviour::item::{Item, Moment, SECOND, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

const REVOKED: u8 = 0;
const ALIVE: u8 = 1;

#[derive(Clone, Debug)]
struct RevokedAlive {
    timespan: Moment,
    /// How long a revocation may take to be known everywhere.
    grace: Moment,
    revoked: Table<Revoked>,
}

#[derive(Clone, Debug, Default)]
struct Revoked {
    at: Option<(Moment, u64)>,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings);
    let revoked = settings.text("revoked");
    let alive = settings.text("alive");
    let restored = settings.text("restored");
    let grace = settings.duration("grace").map_or(300 * SECOND, span);
    if revoked.is_none() || alive.is_none() {
        settings.refuse(
            "this type needs `revoked` and `alive`: the rules that revoke it and show its use",
        );
    }
    let (timespan, revoked, alive) = (timespan?, revoked?, alive?);
    Some(Built {
        kind: Box::new(RevokedAlive {
            timespan,
            grace,
            revoked: Table::new(bound, timespan),
        }),
        roles: Roles {
            legs: Some([revoked, alive].into_iter().chain(restored).collect()),
            ..Roles::default()
        },
    })
}

impl Kind for RevokedAlive {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let (key, time) = (item.key, item.time);
        match item.leg {
            REVOKED => {
                let revoked = self.revoked.touch(key, time);
                // A second revocation of what is revoked already makes the first no younger.
                if revoked.at.is_none() {
                    revoked.at = Some((time, item.record));
                }
            }
            ALIVE => {
                let Some((at, record)) = self.revoked.get(key, time).and_then(|one| one.at) else {
                    return;
                };
                if (at + self.grace..=at + self.timespan).contains(&time) {
                    out.fire(key, time, vec![record, item.record], item.record);
                }
            }
            _ => {
                if self.revoked.get(key, time).is_some() {
                    self.revoked.touch(key, time).at = None;
                }
            }
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.revoked]
    }
}

impl Entry for Revoked {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        if let Some((_, record)) = self.at {
            take(record);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.flag(self.at.is_some());
        if let Some((time, record)) = self.at {
            writer.signed(time).number(record);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            at: if reader.flag()? {
                Some((moment(reader)?, reader.number()?))
            } else {
                None
            },
        })
    }
}
