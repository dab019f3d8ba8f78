//! The difference of two graphs: which doors and which ways to crown jewels a change opened and closed.

use std::collections::BTreeMap;

use portreeve_model::EntityId;
use serde::Serialize;

use crate::changed::ChangedPolicy;
use crate::doors::Door;
use crate::graph::Graph;
use crate::path::{AttackPath, JewelKind, PathStep};
use crate::wildcard::matches;

/// What a change did to the ways of an estate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Ways that were not there before.
    pub opened: Vec<Way>,
    /// Ways that are no longer there.
    pub closed: Vec<Way>,
    /// Ways that need fewer conditions than before, or others.
    pub weakened: Vec<Way>,
    /// Ways that need more conditions than before.
    pub strengthened: Vec<Way>,
    /// Doors that were not there before.
    pub doors_opened: Vec<Door>,
    /// Doors that are no longer there.
    pub doors_closed: Vec<Door>,
    /// Doors whose conditions changed, with those that they had before.
    pub doors_changed: Vec<ChangedDoor>,
}

/// A way from a principal to a crown jewel that a change touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Who walks it: a user, role, person, service or identity from outside.
    pub from: EntityId,
    /// The jewel.
    pub to: EntityId,
    /// Of what kind the jewel is.
    pub jewel: JewelKind,
    /// The conditions on the other side of the change; `None` where there was no way.
    pub conditions_before: Option<Vec<String>>,
    /// The way; of one that was closed as it was before.
    pub path: AttackPath,
    /// The step of the way that the change opened or closed, from 0: its statements are to blame.
    /// `None` where each step alone was there on both sides, and what changed is how they add up.
    pub step: Option<usize>,
    /// Changed policies that bear on that step, once [`Difference::explain`] has named them.
    pub causes: Vec<ChangedPolicy>,
    /// Jewels that come with it, since they are in the account that the way leads to.
    pub with_it: Vec<EntityId>,
}

impl Way {
    /// The step to blame.
    pub fn changed_step(&self) -> Option<&PathStep> {
        self.path.steps.get(self.step?)
    }
}

/// A door whose conditions changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedDoor {
    /// The door as it is now.
    #[serde(flatten)]
    pub door: Door,
    /// The conditions that it had before.
    pub conditions_before: Vec<String>,
    /// Whether it is open to more than before: none of the conditions that it has now is new.
    pub weaker: bool,
}

impl Difference {
    /// Whether nothing opened, closed or changed.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty()
            && self.strengthened.is_empty()
            && self.doors_closed.is_empty()
            && self.doors_changed.is_empty()
            && !self.opens()
    }

    /// Whether anything is open to more than before.
    pub fn opens(&self) -> bool {
        let weaker = self.doors_changed.iter().any(|door| door.weaker);
        weaker
            || !(self.opened.is_empty() && self.weakened.is_empty() && self.doors_opened.is_empty())
    }

    /// Whether anything is open now, without a condition, that was not.
    pub fn opens_now(&self) -> bool {
        let ways = self.opened.iter().chain(&self.weakened);
        let changed = self.doors_changed.iter().filter(|changed| changed.weaker);
        let mut doors = self
            .doors_opened
            .iter()
            .chain(changed.map(|changed| &changed.door));
        ways.map(|way| &way.path.conditions).any(Vec::is_empty)
            || doors.any(|door| door.conditions.is_empty())
    }

    /// What leads from one graph to another. Both must be built with the same catalogue and declared
    /// jewels.
    ///
    /// A way is a principal that reaches a crown jewel. Of ways by one who controls the jewel's account
    /// before and after nothing is said: he has whatever is made in it. Ways to what is in an account go
    /// with the way to the account where that changed alike. Of a way that opens or closes to anyone no
    /// other walker is named.
    ///
    /// Cost: a walk backwards from each jewel of each graph, and a path for each way that is told.
    pub fn between(before: &Graph, after: &Graph) -> Self {
        let (was, is) = (Reach::of(before), Reach::of(after));
        let mut difference = Self {
            opened: is.against(&was).alone(),
            closed: was.against(&is).alone(),
            ..Self::default()
        };
        for way in is.against(&was).changed() {
            let (now, then) = (&way.path.conditions, way.conditions_before.as_deref());
            match is_weaker(now, then.unwrap_or_default()) {
                true => difference.weakened.push(way),
                false => difference.strengthened.push(way),
            }
        }
        difference.doors(before, after);
        difference
    }

    fn doors(&mut self, before: &Graph, after: &Graph) {
        let (was, is) = (doors_by_ends(before), doors_by_ends(after));
        let is_covered = |(who, to): &(&EntityId, &EntityId), by: &Ends<'_>| {
            by.keys()
                .any(|(other, its)| its == to && covers(other, who))
        };
        for (ends, door) in &is {
            match was.get(ends) {
                None if is_covered(ends, &was) => {}
                None => self.doors_opened.push((*door).clone()),
                Some(former) if former.conditions != door.conditions => {
                    self.doors_changed.push(ChangedDoor {
                        door: (*door).clone(),
                        conditions_before: former.conditions.clone(),
                        weaker: is_weaker(&door.conditions, &former.conditions),
                    });
                }
                Some(_) => {}
            }
        }
        let closed = was
            .iter()
            .filter(|(ends, _)| !is.contains_key(*ends) && !is_covered(ends, &is));
        self.doors_closed = closed.map(|(_, door)| (*door).clone()).collect();
    }
}

/// Whether conditions stand less in the way than others: some of them, or fewer, or as many others.
fn is_weaker(now: &[String], before: &[String]) -> bool {
    let all_new = before.iter().all(|key| now.contains(key));
    !all_new && now.len() <= before.len()
}

/// Whether an identity outside the estate stands for another as well: a pattern of subjects, anyone.
fn covers(pattern: &EntityId, id: &EntityId) -> bool {
    pattern != id && pattern.as_str().contains('*') && matches(pattern.as_str(), id.as_str())
}

/// The id of anyone.
const ANYONE: &str = "*";

/// Doors by who comes in and where.
type Ends<'g> = BTreeMap<(&'g EntityId, &'g EntityId), &'g Door>;

/// The doors of a graph by their ends; of several the one with the fewest conditions.
fn doors_by_ends(graph: &Graph) -> Ends<'_> {
    let mut doors: Ends<'_> = BTreeMap::new();
    for door in graph.doors() {
        let known = doors.entry((&door.id, &door.to)).or_insert(door);
        if door.conditions.len() < known.conditions.len() {
            *known = door;
        }
    }
    doors
}

/// Doors that one graph has and another has not, or has under more conditions.
pub(crate) fn wider_doors<'g>(
    without: &'g Graph,
    with: &'g Graph,
) -> impl Iterator<Item = &'g Door> {
    let known = doors_by_ends(without);
    with.doors().iter().filter(move |door| {
        known
            .get(&(&door.id, &door.to))
            .is_none_or(|known| door.conditions.len() < known.conditions.len())
    })
}

/// Paths to jewels that a start has in one graph and not in another, or there under more conditions.
pub(crate) fn wider_paths(without: &Graph, with: &Graph, start: &str) -> Vec<AttackPath> {
    let before = without.paths_to_jewels(start);
    let known: BTreeMap<&EntityId, usize> = before
        .iter()
        .map(|path| (&path.to, path.conditions.len()))
        .collect();
    let mut paths = with.paths_to_jewels(start);
    paths.retain(|path| {
        known
            .get(&path.to)
            .is_none_or(|conditions| path.conditions.len() < *conditions)
    });
    paths
}

/// Who reaches which jewels of a graph.
struct Reach<'g> {
    graph: &'g Graph,
    jewels: BTreeMap<EntityId, JewelKind>,
    /// By jewel, then by who reaches it.
    paths: BTreeMap<EntityId, BTreeMap<EntityId, AttackPath>>,
}

/// One side of a change, seen against the other.
struct Against<'r, 'g> {
    own: &'r Reach<'g>,
    other: &'r Reach<'g>,
}

impl<'g> Reach<'g> {
    fn of(graph: &'g Graph) -> Self {
        let jewels: BTreeMap<EntityId, JewelKind> = graph
            .jewels()
            .into_iter()
            .map(|jewel| (jewel.id, jewel.kind))
            .collect();
        let paths = jewels
            .keys()
            .map(|jewel| {
                let paths = graph.reachers(jewel.as_str()).into_iter();
                let paths = paths.map(|path| (path.from.clone(), path));
                (jewel.clone(), paths.collect())
            })
            .collect();
        Self {
            graph,
            jewels,
            paths,
        }
    }

    fn against<'r>(&'r self, other: &'r Reach<'g>) -> Against<'r, 'g> {
        Against { own: self, other }
    }

    fn path(&self, from: &EntityId, to: &EntityId) -> Option<&AttackPath> {
        self.paths.get(to)?.get(from)
    }

    /// The account that has a jewel; nothing for an account itself.
    fn account_of(&self, jewel: &EntityId) -> Option<EntityId> {
        let account = self.graph.account_of(jewel.as_str())?;
        (account != *jewel).then_some(account)
    }
}

impl Against<'_, '_> {
    /// Ways that this side has alone.
    fn alone(&self) -> Vec<Way> {
        self.told(|path| {
            let other = self.other.path(&path.from, &path.to);
            let is_known = || {
                // What became a jewel, or is none any more, was reached all the same.
                let was_jewel = self.other.jewels.contains_key(&path.to);
                let known = (!was_jewel)
                    .then(|| self.other.graph.path(path.from.as_str(), path.to.as_str()));
                known.flatten().is_some_and(|other| {
                    let mut keys = other.conditions.iter();
                    keys.all(|key| path.conditions.contains(key))
                })
            };
            other.is_none() && !self.is_covered(path) && !is_known()
        })
    }

    /// Ways that both sides have, under other conditions.
    fn changed(&self) -> Vec<Way> {
        self.told(|path| {
            let other = self.other.path(&path.from, &path.to);
            other.is_some_and(|other| other.conditions != path.conditions)
        })
    }

    /// Whether on the other side a wider identity goes the same way.
    fn is_covered(&self, path: &AttackPath) -> bool {
        let others = self.other.paths.get(&path.to).into_iter().flatten();
        others
            .filter(|(who, _)| covers(who, &path.from))
            .any(|(_, other)| other.conditions.len() <= path.conditions.len())
    }

    /// The ways of which something holds; those that come with the account of their jewel are told
    /// with the way to it.
    fn told(&self, holds: impl Fn(&AttackPath) -> bool) -> Vec<Way> {
        let mut found: BTreeMap<(&EntityId, &EntityId), &AttackPath> = BTreeMap::new();
        for path in self.own.paths.values().flat_map(BTreeMap::values) {
            if holds(path) {
                found.insert((&path.from, &path.to), path);
            }
        }
        // What is open to anyone is open to everyone by himself too.
        let anyone = EntityId::from(ANYONE);
        let to_all: BTreeMap<&EntityId, usize> = found
            .iter()
            .filter(|((from, _), _)| **from == anyone)
            .map(|((_, to), path)| (*to, path.conditions.len()))
            .collect();
        found.retain(|(from, to), path| {
            let to_all = to_all.get(to).filter(|_| **from != anyone);
            to_all.is_none_or(|conditions| path.conditions.len() < *conditions)
        });
        let mut with_it: BTreeMap<(&EntityId, EntityId), Vec<EntityId>> = BTreeMap::new();
        let mut apart = Vec::new();
        for (&(from, to), &path) in &found {
            let Some(account) = self.own.account_of(to) else {
                apart.push(path);
                continue;
            };
            if let Some(whole) = found.get(&(from, &account)) {
                let on_the_way = whole.steps.iter().any(|step| step.to == *to);
                let through = path.steps.iter().any(|step| step.to == account);
                if on_the_way || through {
                    with_it.entry((from, account)).or_default().push(to.clone());
                    continue;
                }
            }
            // Who controls the account on both sides has whatever is in it.
            let own = self.own.path(from, &account);
            let other = self.other.path(from, &account);
            let controls = own.zip(other).is_some_and(|(own, other)| {
                own.conditions == other.conditions && own.conditions.len() <= path.conditions.len()
            });
            if !controls {
                apart.push(path);
            }
        }
        let mut ways: Vec<Way> = apart
            .into_iter()
            .map(|path| Way {
                from: path.from.clone(),
                to: path.to.clone(),
                jewel: self
                    .own
                    .jewels
                    .get(&path.to)
                    .copied()
                    .unwrap_or(JewelKind::Declared),
                conditions_before: self
                    .other
                    .path(&path.from, &path.to)
                    .map(|other| other.conditions.clone()),
                step: path
                    .steps
                    .iter()
                    .position(|step| !self.other.graph.has_step(step)),
                causes: Vec::new(),
                with_it: with_it
                    .remove(&(&path.from, path.to.clone()))
                    .unwrap_or_default(),
                path: path.clone(),
            })
            .collect();
        ways.sort_by(|one, other| {
            let key = |way: &Way| (way.path.conditions.len(), way.path.steps.len());
            let ends = (&one.from, &one.to).cmp(&(&other.from, &other.to));
            key(one).cmp(&key(other)).then(ends)
        });
        ways
    }
}
