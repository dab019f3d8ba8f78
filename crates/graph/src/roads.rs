//! Answers to what defenders ask of the graph: the ways to the crown jewels in order, what the
//! loss of something would cost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashSet;
use portreeve_model::{EntityId, EntityKind};
use serde::Serialize;

use crate::doors::Door;
use crate::export::NodeKind;
use crate::graph::{Arrival, Graph};
use crate::nodes::NodeId;
use crate::path::{AttackPath, JewelKind};

/// All that can be reached from somewhere, by hop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Blast {
    /// Where it starts.
    pub starts: Vec<EntityId>,
    /// The ways into the estate that the starts have, where they are outside it.
    pub doors: Vec<Door>,
    /// What is reached, by the number of steps that it takes.
    pub hops: Vec<Hop>,
    /// The best way to each crown jewel that is reached, in the order of [`Graph::rank`].
    pub paths: Vec<AttackPath>,
}

/// What is a number of steps away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// How many steps.
    pub hop: u32,
    /// What is reached by them, what is open now first.
    pub reached: Vec<BlastEntry>,
}

/// One thing that is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlastEntry {
    /// What.
    pub id: EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// Every condition of the way. Empty: open now.
    pub conditions: Arc<[String]>,
    /// Whether it is a crown jewel that is held, not merely read.
    pub jewel: bool,
    /// From which of the starts.
    pub from: EntityId,
}

impl Blast {
    /// Everything that is reached.
    pub fn reached(&self) -> impl Iterator<Item = &BlastEntry> {
        self.hops.iter().flat_map(|hop| &hop.reached)
    }
}

/// Who reaches a crown jewel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JewelReach {
    /// The jewel.
    pub jewel: EntityId,
    /// How many users, roles, people and identities from outside.
    pub principals: usize,
    /// How many of them on a way without conditions.
    pub open: usize,
    /// The first of them, by the ease of their way.
    pub from: Vec<EntityId>,
}

/// Steps, conditions, and whether it is no crown jewel: what is reached is told in this order.
type Cost = (u32, usize, bool);

/// How grave the loss of a jewel is; the gravest first.
fn gravity(kind: JewelKind) -> u8 {
    match kind {
        JewelKind::ColdWallet => 0,
        JewelKind::WarmWallet | JewelKind::Contract => 1,
        JewelKind::HotWallet => 2,
        JewelKind::SigningKey => 3,
        JewelKind::WalletSecret => 4,
        JewelKind::WebOrigin => 5,
        JewelKind::ManagementAccount => 6,
        JewelKind::Declared => 7,
        JewelKind::Administrator => 8,
        JewelKind::ImageRepository => 9,
    }
}

impl Graph {
    /// Puts paths in the order in which they want a look: those that start at a door first, then
    /// fewest conditions, the gravest jewel, fewest steps; then by their ends.
    pub fn rank(&self, paths: &mut [AttackPath]) {
        let doors: BTreeSet<&EntityId> = self.doors().iter().map(|door| &door.id).collect();
        let kinds: BTreeMap<EntityId, JewelKind> = self
            .jewels()
            .into_iter()
            .map(|jewel| (jewel.id, jewel.kind))
            .collect();
        paths.sort_by(|one, other| {
            let key = |path: &AttackPath| {
                (
                    Reverse(doors.contains(&path.from)),
                    path.conditions.len(),
                    kinds.get(&path.to).map_or(u8::MAX, |kind| gravity(*kind)),
                    path.steps.len(),
                )
            };
            let ends = (&one.from, &one.to).cmp(&(&other.from, &other.to));
            key(one).cmp(&key(other)).then(ends)
        });
    }

    /// The best way from each door to each crown jewel, in the order of [`Graph::rank`].
    pub fn paths_from_doors(&self) -> Vec<AttackPath> {
        let starts: BTreeSet<&EntityId> = self.doors().iter().map(|door| &door.id).collect();
        let mut paths: Vec<AttackPath> = starts
            .into_iter()
            .flat_map(|start| self.paths_to_jewels(start.as_str()))
            .collect();
        self.rank(&mut paths);
        paths
    }

    /// From whom each crown jewel is reachable. `named` is how many are named of each.
    pub fn reach_of_jewels(&self, named: usize) -> Vec<JewelReach> {
        let jewels = self.jewels().into_iter();
        jewels
            .map(|jewel| {
                let paths = self.reachers(jewel.id.as_str());
                let open = paths.iter().filter(|path| path.conditions.is_empty());
                JewelReach {
                    principals: paths.len(),
                    open: open.count(),
                    from: paths
                        .into_iter()
                        .take(named)
                        .map(|path| path.from)
                        .collect(),
                    jewel: jewel.id,
                }
            })
            .collect()
    }

    /// What the loss of all of these together costs: what any of them reaches, by the easiest way.
    pub fn blast(&self, starts: &[EntityId]) -> Blast {
        let starts: BTreeSet<&EntityId> = starts.iter().collect();
        let mut best: Vec<(&EntityId, Arrival)> = Vec::new();
        let mut ways: BTreeMap<EntityId, AttackPath> = BTreeMap::new();
        for &start in &starts {
            let Some(place) = self.place(start.as_str()) else {
                continue;
            };
            let (arrivals, paths) = self.arrivals_and_ways(place);
            best.extend(arrivals.into_iter().map(|arrival| (start, arrival)));
            for path in paths {
                if starts.contains(&path.to) {
                    continue;
                }
                let cost = |path: &AttackPath| (path.conditions.len(), path.steps.len());
                let known = ways.get(&path.to);
                if known.is_none_or(|known| cost(&path) < cost(known)) {
                    ways.insert(path.to.clone(), path);
                }
            }
        }
        // Places are in the order of ids, so that no id is compared. Of equals the first start's stays.
        if starts.len() > 1 {
            let places = starts.iter().filter_map(|start| self.place(start.as_str()));
            let places: HashSet<NodeId> = places.collect();
            best.retain(|(_, one)| !places.contains(&one.place));
            best.sort_by_key(|(_, one)| (one.place, one.conditions.len(), one.hops));
            best.dedup_by_key(|(_, one)| one.place);
        }
        // Few costs differ among many arrivals, which are mostly in order already.
        let mut by_cost: BTreeMap<Cost, Vec<(&EntityId, Arrival)>> = BTreeMap::new();
        for (start, one) in best {
            let cost = (one.hops, one.conditions.len(), !one.is_jewel);
            by_cost.entry(cost).or_default().push((start, one));
        }
        let mut hops: Vec<Hop> = Vec::new();
        for ((hop, ..), mut arrivals) in by_cost {
            arrivals.sort_by_key(|(_, one)| one.place);
            let entries = arrivals.into_iter().map(|(start, arrival)| {
                let (id, kind) = self.named(arrival.place);
                BlastEntry {
                    id: id.clone(),
                    kind,
                    conditions: arrival.conditions,
                    jewel: arrival.is_jewel,
                    from: start.clone(),
                }
            });
            match hops.last_mut().filter(|last| last.hop == hop) {
                Some(last) => last.reached.extend(entries),
                None => hops.push(Hop {
                    hop,
                    reached: entries.collect(),
                }),
            }
        }
        let mut paths: Vec<AttackPath> = ways.into_values().collect();
        self.rank(&mut paths);
        let doors = self.doors().iter().filter(|door| starts.contains(&door.id));
        Blast {
            doors: doors.cloned().collect(),
            hops,
            paths,
            starts: starts.into_iter().cloned().collect(),
        }
    }

    /// The identities of a third party: as [`Graph::third_party`] tells them, else every identity
    /// outside the estate in whose id the name stands, as the owner of a repository.
    pub fn vendor(&self, name: &str) -> Vec<EntityId> {
        let known = self.third_party(name);
        let wanted = name.trim().to_ascii_lowercase();
        if !known.is_empty() || wanted.is_empty() {
            return known;
        }
        let part = |id: &str| {
            let id = id.to_ascii_lowercase();
            id.match_indices(&wanted).any(|(at, _)| {
                let edge = |text: Option<char>| {
                    text.is_none_or(|character| !character.is_ascii_alphanumeric())
                };
                edge(id[..at].chars().next_back()) && edge(id[at + wanted.len()..].chars().next())
            })
        };
        self.nodes()
            .filter(|node| node.kind == NodeKind::Entity(EntityKind::External) && part(node.id))
            .map(|node| EntityId::from(node.id))
            .collect()
    }
}
