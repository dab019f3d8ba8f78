//! The estate as it was: the inventory, with what the logs tell of changes before and after it.
//!
//! An inventory shows one instant. What an activity changed is told as [`Effect`]s on spots of the
//! estate (the text of a policy, an attachment, a membership, an entity). For each spot the changes
//! and the inventory stand on one line of time, and what the spot held at an instant is told from
//! both sides: from the last change before it, which says what it left, and from the next change or
//! the inventory after it, as far as that says what it found.
//!
//! # What is not told
//!
//! - Across a hole in an account's logs nothing of that account is told: a change may be missing.
//! - Where both sides contradict each other, a change between them is missing.
//! - What a policy said before it was first put or deleted in the logs is told by nobody.
//!
//! All of it becomes a policy whose text is not known, which authorisation takes for one that may
//! allow and forbid anything: an answer that it could change becomes *depends*, and what cannot be
//! shown to have been there or not is kept as an inferred entity, of which nothing is certain.
//!
//! The logs are taken to be whole in the hours that they cover: of a single record that was taken
//! out of them and left no contradiction nothing can be known.
//!
//! ```
//! use std::collections::BTreeMap;
//! use portreeve_estate::history::{Change, Covered, History};
//! use portreeve_model::{Effect, EntityId, Estate, Held, PolicyLayer, Relation, Spot, Timestamp};
//!
//! let export = br#"{"RoleDetailList": [{
//!     "RoleName": "deploy", "Arn": "arn:aws:iam::111122223333:role/deploy",
//!     "AssumeRolePolicyDocument": {"Statement": []}, "AttachedManagedPolicies": [],
//!     "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": {"Statement": []}}]
//! }]}"#;
//! let mut inventory = Estate::default();
//! portreeve_estate::read("iam.json", export, &mut inventory);
//!
//! let time = |text: &str| text.parse::<Timestamp>().unwrap();
//! let put = Change {
//!     time: time("2026-03-03T10:02:00Z"),
//!     account: Some("111122223333".into()),
//!     event: None,
//!     effects: vec![Effect {
//!         spot: Spot::Document {
//!             subject: EntityId::from("arn:aws:iam::111122223333:role/deploy"),
//!             layer: PolicyLayer::Identity,
//!             name: "own".into(),
//!         },
//!         before: Held::Nothing,
//!         after: Held::told(Some(r#"{"Statement":[]}"#)),
//!     }],
//! };
//! let covered = Covered {
//!     from: time("2026-03-01T00:00:00Z"),
//!     until: time("2026-03-09T00:00:00Z"),
//!     accounts: BTreeMap::from([("111122223333".into(), Vec::new())]),
//! };
//! let history = History::new(inventory, None, vec![put], covered);
//! let policies = |at: &str| {
//!     let estate = history.at(time(at)).estate;
//!     estate.relations().iter().filter(|relation| {
//!         matches!(relation, Relation::Policy { layer: PolicyLayer::Identity, .. })
//!     }).count()
//! };
//! assert_eq!(policies("2026-03-03T10:00:00Z"), 0);
//! assert_eq!(policies("2026-03-03T10:02:00Z"), 1);
//! ```

mod lit;
mod names;
mod replay;
mod settled;
mod shown;
mod spots;
mod taken;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{
    BlindSpot, Effect, EntityId, EntityKind, Estate, Held, Hole, PolicyLayer, Spot, Timestamp,
};

use lit::{ALWAYS_DARK, Lit, dark};
use names::Names;
use replay::Replay;
use settled::Settled;
use shown::Shown;
use spots::{any_policy, identity, spot_of, trust_of, words};
use timeline::{Event, Timeline};

/// A logged making and the date in the inventory are the same where they lie no further apart.
const SAME_MAKING_SECONDS: i64 = 300;

/// What one call changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// When; logs tell it to the second.
    pub time: Timestamp,
    /// The account in whose logs it stands.
    pub account: Option<String>,
    /// The event's id: equal calls of one second are told apart by it.
    pub event: Option<String>,
    /// What it made of the estate.
    pub effects: Vec<Effect>,
}

/// What the logs covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// When they begin.
    pub from: Timestamp,
    /// When they end.
    pub until: Timestamp,
    /// The accounts that they are of, each with its holes, in order of time.
    pub accounts: BTreeMap<String, Vec<Hole>>,
}

/// An inventory with its past and what came after it.
#[derive(Debug)]
pub struct History {
    shown: Shown,
    /// Accounts of entities whose ids do not tell them.
    accounts: BTreeMap<EntityId, String>,
    /// The first and the last instant at which the inventory may have been made.
    taken: (Timestamp, Timestamp),
    assumed: bool,
    covered: Covered,
    /// When nothing is told: of each account in the logs, and of any other.
    dark: BTreeMap<String, Vec<(Timestamp, Timestamp)>>,
    timelines: BTreeMap<Spot, Line>,
    /// Of each entity that was made or deleted: whether it may hold what is on no timeline.
    rest: BTreeMap<EntityId, Line>,
    /// When what is told changes.
    instants: Vec<Timestamp>,
}

/// The estate at an instant.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// When the inventory was made: the first and the last instant that are possible; one where it
    /// is given.
    pub taken: (Timestamp, Timestamp),
    /// Whether that is assumed: it is when the inventory agrees best with the logs.
    pub assumed: bool,
    /// What is there at another time and was surely not there then.
    pub absent: BTreeSet<EntityId>,
    /// The estate as it was, with conclusions drawn; its blind spots say what is not known.
    pub estate: Estate,
}

impl History {
    /// The history of an inventory, as [`read`](crate::read) gives it, before
    /// [`complete`](crate::complete). Without the time at which the inventory was made it is taken
    /// to be when it agrees best with the changes. The order of changes does not matter; equal ones
    /// count once. Costs their number times its logarithm, and one pass over the inventory.
    pub fn new(
        inventory: Estate,
        taken: Option<Timestamp>,
        mut changes: Vec<Change>,
        covered: Covered,
    ) -> Self {
        changes.sort();
        changes.dedup();
        let shown = Shown::new(inventory);
        let names = Names::new(
            &shown.estate,
            changes.iter().flat_map(|change| &change.effects),
        );
        for effect in changes.iter_mut().flat_map(|change| &mut change.effects) {
            effect.spot = names.spot(&effect.spot);
        }
        versions(&mut changes, &shown);
        let mut history = Self {
            accounts: accounts(&changes),
            dark: dark(&covered),
            assumed: taken.is_none(),
            taken: taken.map_or((covered.until, covered.until), |taken| (taken, taken)),
            instants: changes.iter().map(|change| change.time).collect(),
            covered,
            timelines: BTreeMap::new(),
            rest: BTreeMap::new(),
            shown,
        };
        let events = history.events(&changes);
        if taken.is_none() {
            history.taken = history.inferred(&events);
        }
        history.instants.extend([history.taken.0, history.taken.1]);
        let made = history.shown.made().map(|(_, time)| time);
        let holes = history.dark.values().flatten();
        let edges = holes.flat_map(|(from, until)| [*from, *until]);
        let more: Vec<Timestamp> = made.chain(edges).collect();
        history.instants.extend(more);
        history.instants.sort_unstable();
        history.instants.dedup();
        history.lay(events, &changes);
        history
    }

    /// When the inventory was made: the first and the last instant that are possible.
    pub fn taken(&self) -> (Timestamp, Timestamp) {
        self.taken
    }

    /// The instants at which what is told may change: between two of them the estate is the same.
    pub fn instants(&self) -> &[Timestamp] {
        &self.instants
    }

    /// The estate at an instant. Costs a pass over the inventory and the changes.
    pub fn at(&self, time: Timestamp) -> Moment {
        let mut replay = Replay::new(&self.shown.estate, &self.accounts);
        let mut gaps = Gaps::default();
        for (spot, timeline) in &self.timelines {
            let known = timeline.at(time, &self.lit(self.home(spot).as_deref()));
            if known.contradicted {
                gaps.contradicted.insert(words(spot));
            } else if matches!(known.held, Held::Unknown | Held::Something)
                && !matches!(spot, Spot::Entity { .. } | Spot::Version { .. })
            {
                gaps.unknown.insert(words(spot));
            }
            replay.set(spot, &known.held);
        }
        let (from, until) = self.way(time);
        let is_dark = |account: Option<&str>| !self.lit(account).throughout(from, until);
        for relation in self.shown.estate.relations() {
            let Some(spot) = spot_of(relation) else {
                continue;
            };
            if !self.timelines.contains_key(&spot) && is_dark(self.home(&spot).as_deref()) {
                replay.set(&spot, &Held::Unknown);
            }
        }
        let management = self.shown.management();
        let organization_is_dark = management.is_some() && is_dark(management);
        for (id, kind) in replay.holders() {
            let account = self.account_of(&id);
            let spot = Spot::Entity {
                id: id.clone(),
                kind,
            };
            // It may have been deleted, or not yet been there.
            if kind != EntityKind::Account
                && !self.timelines.contains_key(&spot)
                && is_dark(account.as_deref())
            {
                replay.set(&spot, &Held::Unknown);
            }
            if organization_is_dark && kind == EntityKind::Account {
                replay.other(&id, kind);
            }
            let is_unknown = match self.rest.get(&id) {
                Some(rest) => {
                    let lit = self.lit(account.as_deref());
                    rest.at(time, &lit).held != Held::Nothing
                }
                None => is_dark(account.as_deref()),
            };
            if is_unknown && kind != EntityKind::Account {
                replay.other(&id, kind);
            }
        }
        let (mut estate, absent) = replay.finish();
        crate::complete(&mut estate);
        self.name_gaps(time, &gaps, &is_dark, &mut estate);
        Moment {
            at: time,
            taken: self.taken,
            assumed: self.assumed,
            absent,
            estate,
        }
    }

    /// From an instant to the inventory, or from the inventory to it.
    fn way(&self, time: Timestamp) -> (Timestamp, Timestamp) {
        (time.min(self.taken.0), time.max(self.taken.1))
    }

    fn lit(&self, account: Option<&str>) -> Lit<'_> {
        let dark = account.and_then(|account| self.dark.get(account));
        Lit::of(dark.map_or(ALWAYS_DARK, Vec::as_slice))
    }

    fn home(&self, spot: &Spot) -> Option<String> {
        self.shown
            .home(spot)
            .or_else(|| self.accounts.get(spot.subject()).cloned())
    }

    fn account_of(&self, id: &EntityId) -> Option<String> {
        self.accounts
            .get(id)
            .cloned()
            .or_else(|| self.shown.account_of(id))
    }

    /// The events of each spot that calls name, and of each entity whose making is dated.
    fn events(&self, changes: &[Change]) -> BTreeMap<Spot, Vec<Event>> {
        let mut events: BTreeMap<Spot, Vec<Event>> = BTreeMap::new();
        let mut settled: BTreeMap<&EntityId, Vec<(usize, Settled)>> = BTreeMap::new();
        let mut own: BTreeSet<(usize, &Spot)> = BTreeSet::new();
        for (number, change) in changes.iter().enumerate() {
            for effect in &change.effects {
                if matches!(effect.spot, Spot::Version { .. }) {
                    continue;
                }
                own.insert((number, &effect.spot));
                events.entry(effect.spot.clone()).or_default().push(Event {
                    time: change.time,
                    observed: false,
                    before: effect.before.clone(),
                    after: effect.after.clone(),
                });
                if let Some(how) = Settled::by(effect) {
                    let list = settled.entry(effect.spot.subject()).or_default();
                    list.push((number, how));
                }
            }
            // Who is changed is there.
            for effect in &change.effects {
                if let Some(spot) = identity(effect.spot.subject())
                    && !change.effects.iter().any(|other| other.spot == spot)
                {
                    events.entry(spot).or_default().push(Event {
                        time: change.time,
                        observed: false,
                        before: Held::Something,
                        after: Held::Something,
                    });
                }
            }
        }
        // What an entity held that was deleted or made anew is on a line too, without a call of
        // its own.
        for relation in self.shown.estate.relations() {
            if let Some(spot) = spot_of(relation)
                && settled.contains_key(spot.subject())
            {
                events.entry(spot).or_default();
            }
        }
        // So is what such a one had without a call of its own: its trust, and perhaps a boundary.
        for id in settled.keys() {
            let subject = (*id).clone();
            let is = |kind: &str| id.as_str().contains(kind);
            if is(":role/") {
                events.entry(trust_of(&subject)).or_default();
            }
            if is(":role/") || is(":user/") {
                events.entry(Spot::Boundary { subject }).or_default();
            }
        }
        for (spot, list) in &mut events {
            if matches!(spot, Spot::Entity { .. }) {
                continue;
            }
            for (number, how) in settled.get(spot.subject()).into_iter().flatten() {
                if !own.contains(&(*number, spot)) {
                    list.push(how.event(changes[*number].time, spot));
                }
            }
        }
        events
    }

    /// Lays out the lines, once it is known when the inventory was made.
    fn lay(&mut self, mut events: BTreeMap<Spot, Vec<Event>>, changes: &[Change]) {
        let mut settled: BTreeMap<EntityId, Vec<Event>> = BTreeMap::new();
        for change in changes {
            for effect in &change.effects {
                if let Some(how) = Settled::by(effect) {
                    let id = effect.spot.subject();
                    let event = how.event(change.time, &any_policy(id));
                    settled.entry(id.clone()).or_default().push(event);
                }
            }
        }
        // The inventory dates the making of what it shows.
        let made: Vec<(EntityId, EntityKind, Timestamp)> = self
            .shown
            .made()
            .map(|(entity, time)| (entity.id.clone(), entity.kind, time))
            .collect();
        for (id, kind, time) in made {
            let spot = Spot::Entity {
                id: id.clone(),
                kind,
            };
            let list = events.entry(spot).or_default();
            let is_logged = list.iter().any(|event| {
                event.before == Held::Nothing
                    && (event.time.as_second() - time.as_second()).abs() <= SAME_MAKING_SECONDS
            });
            // What was made after the inventory was is not in it.
            if is_logged || time > self.taken.1 {
                continue;
            }
            list.push(Event {
                time,
                observed: false,
                before: Held::Nothing,
                after: Held::there(),
            });
            if let Some(known) = settled.get_mut(&id) {
                known.push(Settled::MadeInPart.event(time, &any_policy(&id)));
            }
        }
        for (spot, list) in events {
            let held = self.shown.held(&spot);
            let lit = self.lit(self.home(&spot).as_deref());
            let line = Line::new(&list, held, self.taken, &lit);
            self.timelines.insert(spot, line);
        }
        for (id, list) in settled {
            let held = match self.shown.held(&any_policy(&id)) {
                Held::Nothing => Held::Nothing,
                _ => Held::Unknown,
            };
            let lit = self.lit(self.account_of(&id).as_deref());
            let line = Line::new(&list, held, self.taken, &lit);
            self.rest.insert(id, line);
        }
    }

    /// Names what is not known at an instant.
    fn name_gaps(
        &self,
        time: Timestamp,
        gaps: &Gaps,
        is_dark: &dyn Fn(Option<&str>) -> bool,
        estate: &mut Estate,
    ) {
        let accounts: Vec<String> = estate
            .entities()
            .filter(|entity| entity.kind == EntityKind::Account && !entity.inferred)
            .filter_map(|entity| entity.account.clone())
            .filter(|account| is_dark(Some(account)))
            .collect();
        let mut spots = Vec::new();
        if !accounts.is_empty() {
            let (from, until) = self.way(time);
            spots.push(BlindSpot {
                missing: format!(
                    "logs of {} for all of the time from {from} to {until}",
                    crate::complete::listed(&accounts)
                ),
                consequence: "changes of who may do what may be missing: what hangs on these \
                              accounts' policies is told as depending"
                    .to_owned(),
                remedy: "give CloudTrail's management events of these accounts for that time"
                    .to_owned(),
            });
        }
        let list = |names: &BTreeSet<String>| {
            let names: Vec<String> = names.iter().cloned().collect();
            crate::complete::listed(&names)
        };
        if !gaps.contradicted.is_empty() {
            spots.push(BlindSpot {
                missing: format!("records of changes of {}", list(&gaps.contradicted)),
                consequence:
                    "what the logs and the inventory show before and after that time does \
                              not fit together: what it was then is told as depending"
                        .to_owned(),
                remedy: "look for missing log files; `--inventory-time` says when the inventory \
                         was made, where that is taken wrongly"
                    .to_owned(),
            });
        }
        if !gaps.unknown.is_empty() {
            spots.push(BlindSpot {
                missing: format!("what held at that time of {}", list(&gaps.unknown)),
                consequence: "the logs show that it was changed, and not what it was before: what \
                              hangs on it is told as depending"
                    .to_owned(),
                remedy: "give older logs, or an older inventory".to_owned(),
            });
        }
        estate.blind_spots.extend(spots);
        estate.finish();
    }
}

/// A spot's timeline for each place that the inventory may have among its changes: one mostly.
#[derive(Debug)]
struct Line(Vec<Timeline>);

impl Line {
    fn new(
        events: &[Event],
        shown: Held,
        (from, until): (Timestamp, Timestamp),
        lit: &Lit<'_>,
    ) -> Self {
        if shown == Held::Unknown {
            return Self(vec![Timeline::new(events.to_vec(), lit)]);
        }
        let between = events.iter().map(|event| event.time);
        let between = between.filter(|time| *time > from && *time <= until);
        let places: BTreeSet<Timestamp> = between.chain([from]).collect();
        let last = places.len() - 1;
        let timelines = places.into_iter().enumerate().map(|(number, place)| {
            let mut list = events.to_vec();
            list.push(Event::observed(place, shown.clone()));
            // After the last change it may be of any time up to the end.
            if number == last {
                list.push(Event::observed(until, shown.clone()));
            }
            Timeline::new(list, lit)
        });
        Self(timelines.collect())
    }

    /// What is known at an instant wherever the inventory stands.
    fn at(&self, time: Timestamp, lit: &Lit<'_>) -> timeline::Known {
        let mut known = self.0.iter().map(|timeline| timeline.at(time, lit));
        let Some(first) = known.next() else {
            return timeline::Known::UNKNOWN;
        };
        known.fold(first, |known, other| {
            if timeline::is_same(&known.held, &other.held) {
                known
            } else {
                timeline::Known {
                    contradicted: known.contradicted || other.contradicted,
                    ..timeline::Known::UNKNOWN
                }
            }
        })
    }
}

/// What is not known at an instant, in words.
#[derive(Debug, Default)]
struct Gaps {
    contradicted: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

/// The accounts of entities that calls made.
fn accounts(changes: &[Change]) -> BTreeMap<EntityId, String> {
    let mut accounts = BTreeMap::new();
    for change in changes {
        for effect in &change.effects {
            if let (Spot::Entity { id, .. }, Some(account)) = (&effect.spot, &change.account)
                && id.aws_account().is_none()
            {
                accounts.insert(id.clone(), account.clone());
            }
        }
    }
    accounts
}

/// Puts in the texts of versions that were made the default again. A version's text never changes;
/// where a policy was deleted and made anew under its name there may be two, and neither counts.
fn versions(changes: &mut [Change], shown: &Shown) {
    let mut texts: BTreeMap<(EntityId, String), BTreeSet<Held>> = BTreeMap::new();
    for effect in changes.iter().flat_map(|change| &change.effects) {
        if let Spot::Version { policy, version } = &effect.spot {
            let key = (policy.clone(), version.clone());
            texts.entry(key).or_default().insert(effect.after.clone());
        }
    }
    for entity in shown.estate.entities() {
        if entity.kind == EntityKind::Policy
            && let Some(version) = entity.attributes.get("DefaultVersionId")
        {
            let text = shown.held(&Spot::Document {
                subject: entity.id.clone(),
                layer: PolicyLayer::Identity,
                name: entity.id.to_string(),
            });
            let key = (entity.id.clone(), version.clone());
            let known = texts.entry(key).or_default();
            if !known.iter().any(|known| timeline::is_same(known, &text)) {
                known.insert(text);
            }
        }
    }
    for effect in changes.iter_mut().flat_map(|change| &mut change.effects) {
        if let (Held::Version(version), Spot::Document { subject, .. }) =
            (&effect.after, &effect.spot)
        {
            let found = texts.get(&(subject.clone(), version.to_string()));
            let only = found.filter(|texts| texts.len() == 1);
            effect.after = only
                .and_then(|texts| texts.first().cloned())
                .unwrap_or(Held::Something);
        }
    }
}
