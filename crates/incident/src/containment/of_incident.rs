//! The cut of one incident: for all credentials of its lineage at once, with what ends by itself,
//! and what a permission set or a service control policy reaches.

use std::collections::BTreeSet;

use portreeve_detect::RowId;
use portreeve_graph::cut::{LeastCost, Plan};
use portreeve_graph::{Jewel, JewelKind};
use portreeve_model::{EntityId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Refused, Typed, typed};
use crate::case::Case;
use crate::lifetime::{self, End};
use crate::names::Principal;
use crate::reach::Reach;
use crate::report::ResponseStep;
use crate::text::clean;

/// The least severity of incidents whose cut is worked out: that of a weak one would cost more than
/// it tells.
const FROM_SEVERITY: Severity = Severity::High;

/// What cuts every path from what the intruder holds to crown jewels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentCut {
    /// The principals whose credentials the intruder holds.
    pub from: Vec<EntityId>,
    /// Whether the graph was built again with the changes made, and has no path.
    pub proven: bool,
    /// Whether every change is needed.
    pub minimal: bool,
    /// Whether no other set of the candidate changes costs less.
    pub least_cost: LeastCost,
    /// What the changes cost together.
    pub cost: u64,
    /// What every cut costs at least.
    pub bound: u64,
    /// How many candidate changes were weighed.
    pub candidates: u64,
    /// The changes, each with the command that makes it.
    pub changes: Vec<ResponseStep>,
    /// How many paths no known change can cut.
    pub left: u64,
    /// What others than the intruder did in these logs that would have been refused.
    pub refused: Vec<Refused>,
    /// How many calls of others were replayed for that.
    pub replayed: u64,
    /// The sessions that the intruder holds, and when each ends by itself; the last first.
    pub sessions: Vec<SessionEnd>,
    /// What a permission set or a service control policy can and cannot reach here.
    pub reach: Vec<String>,
}

/// When a session ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// The session's key id.
    pub credential: String,
    /// When.
    pub ends: Timestamp,
    /// Whether it may end before: only the provider's bound is known.
    pub at_latest: bool,
}

/// The cut of an incident; none where it is not grave, leads nowhere, or the graph is not at hand.
pub(crate) fn cut(
    case: &Case<'_>,
    severity: Severity,
    principals: &[String],
    reach: Option<&dyn Reach>,
    jewels: &[Jewel],
) -> Option<IncidentCut> {
    let reach = reach.filter(|_| severity >= FROM_SEVERITY)?;
    let from: BTreeSet<EntityId> = principals
        .iter()
        .filter_map(|principal| reach.resolve(principal))
        .collect();
    let from: Vec<EntityId> = from.into_iter().collect();
    let cut = reach.cut(&from).filter(|cut| !cut.before.is_empty())?;
    let deeds: BTreeSet<RowId> = case.deeds().map(|row| row.id()).collect();
    let replayed = reach
        .replay(&cut.plan, &case.folded.activities, &deeds)
        .unwrap_or_default();
    Some(IncidentCut {
        reach: reaches(&from, jewels),
        sessions: sessions(case),
        proven: cut.proven,
        minimal: cut.minimal,
        least_cost: cut.least_cost,
        cost: cut.cost,
        bound: cut.bound,
        candidates: cut.candidates as u64,
        changes: steps(&cut.plan),
        left: cut.left.len() as u64,
        refused: replayed.refused,
        replayed: replayed.calls,
        from,
    })
}

fn steps(plan: &Plan) -> Vec<ResponseStep> {
    let typed = typed(plan).into_iter();
    let step = |(change, typed): (&portreeve_graph::cut::Change, Typed)| {
        let account = change
            .account
            .as_deref()
            .map(|account| format!(" in {account}"));
        ResponseStep {
            title: clean(&(change.titles.join("; ") + &account.unwrap_or_default())),
            command: typed.command,
            caveat: typed.caveat,
        }
    };
    plan.changes.iter().zip(typed).map(step).collect()
}

fn sessions(case: &Case<'_>) -> Vec<SessionEnd> {
    let mut ends: Vec<SessionEnd> = case
        .held
        .iter()
        .filter_map(|&credential| {
            let end = lifetime::end(case.folded, credential)?;
            Some(SessionEnd {
                credential: case.text(credential).to_owned(),
                ends: end.time(),
                at_latest: matches!(end, End::AtLatest(_)),
            })
        })
        .collect();
    ends.sort_by(|one, other| (other.ends, &one.credential).cmp(&(one.ends, &other.credential)));
    ends
}

/// What a deny in a permission set, or in a service control policy, reaches of those principals.
fn reaches(from: &[EntityId], jewels: &[Jewel]) -> Vec<String> {
    let management = jewels
        .iter()
        .find(|jewel| jewel.kind == JewelKind::ManagementAccount)
        .and_then(|jewel| jewel.id.aws_account());
    let mut words = Vec::new();
    for id in from {
        let name = clean(id.full_name());
        let account = id.aws_account().unwrap_or_default();
        let is_managing = management == Some(account);
        let by_organization = match (management, is_managing) {
            (_, true) => "no service control policy binds it: it is in the management account",
            (Some(_), _) => "a service control policy binds it",
            (None, _) => {
                "whether a service control policy binds it is not known: the inventory shows no \
                 organization"
            }
        };
        let by_set = match Principal::parse(id.as_str()) {
            Principal::PermissionSet { name, .. } => format!(
                "a deny in permission set {} reaches it, and all its other holders, in every account",
                clean(name)
            ),
            Principal::Root { .. } => {
                "no permission set and no policy of its own reaches a root user".to_owned()
            }
            Principal::Role { .. } if id.as_str().contains(":role/aws-service-role/") => {
                "neither it nor its policies can be edited: it is a service's own".to_owned()
            }
            _ => "no permission set reaches it; its own policies do".to_owned(),
        };
        words.push(format!("{name} in {account}: {by_set}; {by_organization}."));
    }
    words
}
