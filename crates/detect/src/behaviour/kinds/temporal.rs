//! Sigma's `temporal` and `temporal_ordered`: several rules within a time span, in any order or in
//! theirs. A few comparisons an item; state of one record for each rule that matched.

use portreeve_model::state::{Reader, StateError, Writer};
use portreeve_sigma::{Correlation, CorrelationKind, RuleCondition, SettingsReader, Threshold};

use super::timespan;
use crate::behaviour::item::{Item, Moment, moment};
use crate::behaviour::kind::{Built, Kind, Out, Roles, World};
use crate::behaviour::table::{Entry, Stored, Table};

#[derive(Clone, Debug)]
struct Temporal {
    legs: usize,
    ordered: bool,
    condition: Option<Threshold>,
    /// Which rules must match, where the condition is over their names.
    rule_condition: Option<RuleCondition>,
    timespan: Moment,
    groups: Table<Chain>,
}

/// For each leg: in any order the latest record that matched; in order the chain that leads up to
/// it and began last, for that one has the most time left.
#[derive(Clone, Debug, Default)]
struct Chain {
    legs: Vec<Option<Link>>,
}

#[derive(Clone, Debug, Default)]
struct Link {
    /// When the chain began.
    began: Moment,
    records: Vec<u64>,
}

pub(crate) fn build(
    correlation: &Correlation,
    settings: &mut SettingsReader<'_>,
    bound: usize,
) -> Option<Built> {
    let timespan = timespan(correlation, settings)?;
    let legs = correlation.rules.len();
    let ordered = correlation.kind == CorrelationKind::TemporalOrdered;
    if let Some(condition) = &correlation.condition
        && condition.largest() > legs as f64
    {
        settings.refuse(format!(
            "the condition asks for more than the {legs} rules that there are"
        ));
        return None;
    }
    if ordered && (correlation.condition.is_some() || correlation.rule_condition.is_some()) {
        settings
            .refuse("a sequence of records takes no condition here: all of its rules must match");
        return None;
    }
    // What must not be there is known at the end of the time span alone, and records are told as
    // they come.
    if let Some(condition) = &correlation.rule_condition
        && !condition.only_rises()
    {
        settings
            .refuse("a condition with `not` over the names of rules is evaluated by `hunt` alone");
        return None;
    }
    Some(Built {
        kind: Box::new(Temporal {
            legs,
            ordered,
            condition: correlation.condition.clone(),
            rule_condition: correlation.rule_condition.clone(),
            timespan,
            groups: Table::new(bound, timespan),
        }),
        roles: Roles::default(),
    })
}

impl Kind for Temporal {
    fn boxed(&self) -> Box<dyn Kind> {
        Box::new(self.clone())
    }

    fn fold(&mut self, item: &Item, _world: &World<'_>, out: &mut Out<'_>) {
        let (legs, time) = (self.legs, item.time);
        let chain = self.groups.touch(item.key, time);
        chain.legs.resize(legs, None);
        let earliest = time - self.timespan;
        for leg in &mut chain.legs {
            if leg.as_ref().is_some_and(|link| link.began < earliest) {
                *leg = None;
            }
        }
        let at = usize::from(item.leg);
        let before = match (self.ordered, at) {
            (true, 1..) => match chain.legs.get(at - 1).cloned().flatten() {
                Some(before) => before,
                None => return,
            },
            _ => Link {
                began: time,
                records: Vec::new(),
            },
        };
        let mut link = before;
        // One record that two rules match is one event, and no sequence of two.
        if self.ordered && link.records.last() == Some(&item.record) {
            return;
        }
        link.records.push(item.record);
        let Some(slot) = chain.legs.get_mut(at) else {
            return;
        };
        *slot = Some(link);
        let fires = if self.ordered {
            at + 1 == legs
        } else {
            let matched = chain.legs.iter().flatten().count();
            let is_matched = |leg: usize| chain.legs.get(leg).is_some_and(Option::is_some);
            match (&self.rule_condition, &self.condition) {
                (Some(condition), _) => condition.holds(&is_matched),
                (None, Some(condition)) => condition.holds(matched as f64),
                (None, None) => matched == legs,
            }
        };
        if fires {
            let mut records: Vec<(Moment, u64)> = if self.ordered {
                let link = chain.legs.get(at).cloned().flatten().unwrap_or_default();
                link.records.iter().map(|record| (0, *record)).collect()
            } else {
                chain
                    .legs
                    .iter()
                    .flatten()
                    .flat_map(|link| link.records.iter().map(|record| (link.began, *record)))
                    .collect()
            };
            if !self.ordered {
                records.sort_unstable();
            }
            let records = records.into_iter().map(|(_, record)| record).collect();
            out.fire(item.key, time, records, item.record);
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.groups]
    }
}

impl Entry for Chain {
    fn records(&self, take: &mut dyn FnMut(u64)) {
        let links = self.legs.iter().flatten();
        links.flat_map(|link| &link.records).copied().for_each(take);
    }

    fn write(&self, writer: &mut Writer) {
        writer.list(self.legs.iter(), |writer, leg| {
            writer.flag(leg.is_some());
            if let Some(link) = leg {
                writer
                    .signed(link.began)
                    .list(link.records.iter(), |writer, record| {
                        writer.number(*record);
                    });
            }
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        Ok(Self {
            legs: reader.list(|reader| {
                Ok(if reader.flag()? {
                    Some(Link {
                        began: moment(reader)?,
                        records: reader.list(Reader::number)?,
                    })
                } else {
                    None
                })
            })?,
        })
    }
}
