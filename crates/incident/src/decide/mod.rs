//! What people decide of incidents: that two are one, that a part is not of it.
//!
//! Incidents are derived; what people decide lies beside them and is applied to what is shown. [`decide`]
//! is a pure function of both: without decisions it changes nothing, so that what is undone is as if it had
//! never been, and the order in which decisions were made does not matter.
//!
//! * Parts are taken out before incidents are joined. Of incidents that are one, a part is taken out of each.
//! * A credential goes with those that were minted from it. A finding that is named itself goes before its
//!   credential.
//! * A part that would leave nothing behind is not taken out: the whole is what it is a part of. One without
//!   a finding is none.
//! * A decision about an incident that is not there waits: it does nothing, and holds again as soon as the
//!   incident is there. One that grows, grows with what was decided.
//! * Incidents that are one have the id of the one that began first; each other id leads there.

mod join;
mod part;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use portreeve_detect::stable_id;
use portreeve_model::{Finding, Timestamp};
use serde::{Deserialize, Serialize};

use crate::report::Incident;

/// A part of an incident that is not of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What was found on this credential, and on those minted from it.
    Credential(String),
    /// One finding, by its id.
    Finding(String),
}

impl Part {
    /// The id that this part of an incident has as an incident of its own.
    pub fn id(&self, of: &str) -> String {
        stable_id(&["part", of, &self.to_string()])
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = match self {
            Part::Credential(id) => ("credential", id),
            Part::Finding(id) => ("finding", id),
        };
        write!(formatter, "{kind}:{id}")
    }
}

/// A part is named by its kind and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part is `credential:ID` or `finding:ID`")]
pub struct PartError;

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        match text.split_once(':') {
            Some((_, "")) => Err(PartError),
            Some(("credential", id)) => Ok(Part::Credential(id.to_owned())),
            Some(("finding", id)) => Ok(Part::Finding(id.to_owned())),
            _ => Err(PartError),
        }
    }
}

/// One decision. Incidents are named by the ids that they have now, parts by [`Part::id`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// These two are one.
    Join(String, String),
    /// A part is not of it.
    Part {
        /// The part's own id.
        id: String,
        /// What it is not of.
        of: String,
        /// What.
        part: Part,
    },
}

/// What people decided of an incident that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByPeople {
    /// The other incidents that were joined into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// The parts that were taken out of it, by their own ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The incidents that it is a part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub part_of: Vec<String>,
}

/// What comes of decisions.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// The incidents that are shown in place of others, by id.
    pub made: BTreeMap<String, Incident>,
    /// The derived incidents that are not shown as they are.
    pub replaced: BTreeSet<String>,
    /// What each id is shown as, where that is another.
    pub now: BTreeMap<String, String>,
    /// Whether each decision does anything, in their order.
    pub holds: Vec<bool>,
}

/// What stands for an incident while decisions are applied: derived ones, then parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'d> {
    Derived(&'d str),
    Part(&'d str),
}

/// Sets of nodes, each known by its least.
#[derive(Debug, Default)]
struct Sets<'d>(BTreeMap<Node<'d>, Node<'d>>);

impl<'d> Sets<'d> {
    fn find(&self, mut node: Node<'d>) -> Node<'d> {
        while let Some(next) = self.0.get(&node) {
            node = *next;
        }
        node
    }

    /// Whether they were apart.
    fn merge(&mut self, a: Node<'d>, b: Node<'d>) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a != b {
            self.0.insert(a.max(b), a.min(b));
        }
        a != b
    }
}

/// Applies decisions to incidents, which are looked up by the ids that they have now, as findings are.
/// Takes time in proportion to the incidents that decisions name and to the decisions.
pub fn decide<'i>(
    incident: impl Fn(&str) -> Option<&'i Incident>,
    finding: impl Fn(&str) -> Option<&'i Finding>,
    decisions: &[Decision],
) -> Decided {
    let mut decided = Decided {
        holds: vec![false; decisions.len()],
        ..Decided::default()
    };
    let mut named = BTreeMap::<&str, &Incident>::new();
    for decision in decisions {
        let ids = match decision {
            Decision::Join(one, other) => [Some(one), Some(other)],
            Decision::Part { of, .. } => [Some(of), None],
        };
        for id in ids.into_iter().flatten() {
            if let Some(found) = incident(id) {
                named.insert(id, found);
            }
        }
    }
    let mut sets = Sets::default();
    for decision in decisions {
        if let Decision::Join(one, other) = decision
            && named.contains_key(one.as_str())
            && named.contains_key(other.as_str())
        {
            sets.merge(Node::Derived(one), Node::Derived(other));
        }
    }
    // What is one is taken apart as one.
    let mut wholes = BTreeMap::<Node<'_>, Vec<&Incident>>::new();
    for (id, found) in &named {
        let whole = wholes.entry(sets.find(Node::Derived(id))).or_default();
        whole.push(found);
    }
    let mut asked = BTreeMap::<Node<'_>, BTreeMap<&Part, &str>>::new();
    for decision in decisions {
        if let Decision::Part { id, of, part } = decision
            && named.contains_key(of.as_str())
        {
            let parts = asked.entry(sets.find(Node::Derived(of))).or_default();
            let known = parts.entry(part).or_insert(id);
            *known = (*known).min(id);
        }
    }
    let mut pieces = BTreeMap::<Node<'_>, Vec<Incident>>::new();
    let mut part_of = BTreeMap::<&str, BTreeSet<String>>::new();
    let mut taken = BTreeSet::<&str>::new();
    for (whole, members) in &wholes {
        let parts = asked.get(whole);
        let split = parts.and_then(|parts| part::split(members, parts, &finding));
        let Some(split) = split else {
            let own = members.iter().map(|it| (*it).clone());
            pieces.entry(*whole).or_default().extend(own);
            continue;
        };
        pieces.entry(*whole).or_default().extend(split.rest);
        for (id, out) in split.parts {
            taken.insert(id);
            let of = members.iter().map(|member| member.id.clone());
            part_of.entry(id).or_default().extend(of);
            pieces.entry(Node::Part(id)).or_default().extend(out);
        }
    }
    // Where each id is to be found: a part that is not taken out, in what it is a part of.
    let mut stands = BTreeMap::<&str, Node<'_>>::new();
    for id in named.keys() {
        stands.insert(id, sets.find(Node::Derived(id)));
    }
    for (number, decision) in decisions.iter().enumerate() {
        if let Decision::Part { id, of, part } = decision
            && named.contains_key(of.as_str())
        {
            let whole = sets.find(Node::Derived(of));
            let first = asked.get(&whole).and_then(|parts| parts.get(part));
            let first = first.copied().filter(|first| taken.contains(first));
            decided.holds[number] = first.is_some();
            stands.insert(id, first.map_or(whole, Node::Part));
        }
    }
    for (number, decision) in decisions.iter().enumerate() {
        if let Decision::Join(one, other) = decision
            && let (Some(a), Some(b)) = (stands.get(one.as_str()), stands.get(other.as_str()))
        {
            sets.merge(*a, *b);
            decided.holds[number] = one != other;
        }
    }
    let mut shown = BTreeMap::<Node<'_>, Vec<Node<'_>>>::new();
    for node in pieces.keys() {
        shown.entry(sets.find(*node)).or_default().push(*node);
    }
    let taken_of = |whole: &Node<'_>| -> Vec<String> {
        let parts = asked.get(whole).into_iter().flat_map(BTreeMap::values);
        let parts = parts.filter(|id| taken.contains(**id));
        parts.map(|id| (*id).to_owned()).collect()
    };
    for nodes in shown.values() {
        let ids: BTreeSet<&str> = stands
            .iter()
            // A part that waits is no part of it.
            .filter(|(id, node)| named.contains_key(**id) || matches!(node, Node::Part(_)))
            .filter(|(_, node)| nodes.contains(node))
            .map(|(id, _)| *id)
            .collect();
        let without: BTreeSet<String> = nodes
            .iter()
            .filter(|node| matches!(node, Node::Derived(_)))
            .flat_map(taken_of)
            .filter(|id| !ids.contains(id.as_str()))
            .collect();
        if ids.len() == 1 && without.is_empty() && matches!(nodes[..], [Node::Derived(_)]) {
            continue;
        }
        let id = id_of(&ids, &named);
        let is_part = nodes.iter().all(|node| matches!(node, Node::Part(_)));
        let of = ids.iter().filter_map(|id| part_of.get(id)).flatten();
        let by_people = ByPeople {
            joined: ids
                .iter()
                .filter(|it| **it != id && (named.contains_key(**it) || taken.contains(**it)))
                .map(|it| (*it).to_owned())
                .collect(),
            without: without.into_iter().collect(),
            part_of: match is_part {
                true => BTreeSet::from_iter(of.cloned()).into_iter().collect(),
                false => Vec::new(),
            },
        };
        let members: Vec<Incident> = nodes
            .iter()
            .filter_map(|node| pieces.remove(node))
            .flatten()
            .collect();
        for other in &ids {
            if named.contains_key(other) {
                decided.replaced.insert((*other).to_owned());
            }
            if *other != id {
                decided.now.insert((*other).to_owned(), id.to_owned());
            }
        }
        if let Some(one) = join::join(members, id, by_people, &finding) {
            decided.made.insert(id.to_owned(), one);
        }
    }
    // Those of a part that waits lead to the whole.
    for (id, node) in &stands {
        if !named.contains_key(id)
            && !decided.now.contains_key(*id)
            && let Node::Derived(whole) = node
        {
            let whole = decided.now.get(*whole).map_or(*whole, String::as_str);
            decided.now.insert((*id).to_owned(), whole.to_owned());
        }
    }
    decided
}

/// The id of what these are together: that of the derived incident that began first; of parts alone, that of
/// the least id.
fn id_of<'d>(ids: &BTreeSet<&'d str>, named: &BTreeMap<&'d str, &Incident>) -> &'d str {
    let began = |id: &str| -> (bool, bool, Option<Timestamp>) {
        let first = named.get(id).and_then(|it| it.first_sign);
        (!named.contains_key(id), first.is_none(), first)
    };
    let first = ids.iter().min_by_key(|id| (began(id), **id));
    first.copied().unwrap_or_default()
}
