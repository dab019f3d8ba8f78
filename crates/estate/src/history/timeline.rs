//! What one spot held, from instant to instant: what its changes and the inventory tell, forwards
//! from what was and backwards from what came.

use std::sync::Arc;

use portreeve_model::{Held, Timestamp};
use serde_json::{Value, json};

use super::lit::Lit;

/// More changes of one spot in one second than these are not put in order.
const MOST_AT_ONCE: usize = 5;

/// What a change tells of one spot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) time: Timestamp,
    /// Whether it is no change, but what the inventory shows.
    pub(super) observed: bool,
    pub(super) before: Held,
    pub(super) after: Held,
}

impl Event {
    pub(super) fn observed(time: Timestamp, held: Held) -> Self {
        Self {
            time,
            observed: true,
            before: held.clone(),
            after: held,
        }
    }
}

/// What is known of a spot at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Nothing, a text, something, or unknown.
    pub(super) held: Held,
    /// Whether what came before and what came after contradict each other: a change is missing
    /// between them.
    pub(super) contradicted: bool,
}

impl Known {
    pub(super) const UNKNOWN: Self = Self {
        held: Held::Unknown,
        contradicted: false,
    };
}

/// One spot's changes in order of time, with what each tells of what lies between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    events: Vec<Event>,
    /// What each leaves, told from what was before.
    forward: Vec<Held>,
    /// What each found, told from what came after.
    backward: Vec<Held>,
}

impl Timeline {
    /// The timeline of some events, in any order. Costs their number times its logarithm.
    pub(super) fn new(mut events: Vec<Event>, lit: &Lit<'_>) -> Self {
        events.sort();
        // What changes nothing may be told any number of times in one second.
        events.dedup_by(|one, other| one == other && one.before == one.after);
        let mut timeline = Self::default();
        let mut rest = events.as_slice();
        while let Some(first) = rest.first() {
            let same = |event: &Event| (event.time, event.observed) == (first.time, first.observed);
            let (group, after) = rest.split_at(rest.iter().take_while(|event| same(event)).count());
            rest = after;
            let former = match timeline.events.last() {
                Some(last) if lit.throughout(last.time, first.time) => {
                    timeline.forward.last().cloned().unwrap_or(Held::Unknown)
                }
                _ => Held::Unknown,
            };
            let event = in_order(group, &former);
            timeline.forward.push(applied(&event.after, &former));
            timeline.events.push(event);
        }
        let mut later: Option<(Timestamp, Held)> = None;
        for event in timeline.events.iter().rev() {
            let left = match &later {
                Some((time, held)) if lit.throughout(event.time, *time) => held.clone(),
                _ => Held::Unknown,
            };
            let found = found(event, &left);
            timeline.backward.push(found.clone());
            later = Some((event.time, found));
        }
        timeline.backward.reverse();
        timeline
    }

    /// What is known of the spot at an instant. Costs the logarithm of the number of changes.
    pub(super) fn at(&self, time: Timestamp, lit: &Lit<'_>) -> Known {
        let next = self.events.partition_point(|event| event.time <= time);
        let before = next
            .checked_sub(1)
            .filter(|last| lit.throughout(self.events[*last].time, time))
            .map(|last| &self.forward[last]);
        let after = self
            .events
            .get(next)
            .filter(|event| lit.throughout(time, event.time))
            .map(|_| &self.backward[next]);
        let (before, after) = (
            before.unwrap_or(&Held::Unknown),
            after.unwrap_or(&Held::Unknown),
        );
        match joined(before, after) {
            Some(held) => Known {
                held,
                contradicted: false,
            },
            None => Known {
                held: Held::Unknown,
                contradicted: true,
            },
        }
    }

    /// Between which changes the spot would contradict what an inventory shows of it: pairs of the
    /// last instant before and the first instant after. Observations do not count as changes.
    pub(super) fn contradictions(
        &self,
        shown: &Held,
    ) -> Vec<(Option<Timestamp>, Option<Timestamp>)> {
        (0..=self.events.len())
            .filter(|next| {
                let before = next.checked_sub(1).map(|last| &self.forward[last]);
                let after = self.backward.get(*next);
                [before, after]
                    .into_iter()
                    .flatten()
                    .any(|told| joined(told, shown).is_none())
            })
            .map(|next| {
                let time = |place: usize| self.events.get(place).map(|event| event.time);
                (next.checked_sub(1).and_then(time), time(next))
            })
            .collect()
    }
}

/// The changes of one second as one: in every order in which each finds what it needs, where all
/// those leave the same.
fn in_order(group: &[Event], former: &Held) -> Event {
    let [first, rest @ ..] = group else {
        unreachable!("a group has an event");
    };
    if rest.is_empty() {
        return first.clone();
    }
    let unknown = Event {
        before: Held::Unknown,
        after: Held::Unknown,
        ..first.clone()
    };
    if group.len() > MOST_AT_ONCE {
        return unknown;
    }
    let mut outcomes: Vec<(Held, Held)> = Vec::new();
    let mut order: Vec<usize> = Vec::new();
    permute(group, former, &mut order, &mut outcomes);
    let mut outcome = outcomes.into_iter();
    let Some((before, after)) = outcome.next() else {
        return unknown;
    };
    let (mut before, mut after) = (before, after);
    for (other_before, other_after) in outcome {
        if !is_same(&before, &other_before) {
            before = Held::Unknown;
        }
        if !is_same(&after, &other_after) {
            after = Held::Unknown;
        }
    }
    Event {
        before,
        after,
        ..first.clone()
    }
}

fn permute(group: &[Event], held: &Held, order: &mut Vec<usize>, outcomes: &mut Vec<(Held, Held)>) {
    if order.len() == group.len() {
        let before = order.first().map(|first| group[*first].before.clone());
        outcomes.push((before.unwrap_or(Held::Unknown), held.clone()));
        return;
    }
    for (place, event) in group.iter().enumerate() {
        if order.contains(&place) || joined(held, &event.before).is_none() {
            continue;
        }
        order.push(place);
        let left = applied(&event.after, held);
        permute(group, &left, order, outcomes);
        order.pop();
    }
}

/// What a change leaves of what it found.
fn applied(after: &Held, former: &Held) -> Held {
    match after {
        Held::With(statement) => match former {
            Held::Text(document) => with(Some(document), statement),
            Held::Nothing => with(None, statement),
            _ => Held::Something,
        },
        Held::Without(sid) => match former {
            Held::Text(document) => without(document, sid).unwrap_or(Held::Unknown),
            _ => Held::Unknown,
        },
        Held::Version(_) => Held::Something,
        told => told.clone(),
    }
}

/// What a change found, as far as it says so itself or what it left does.
fn found(event: &Event, left: &Held) -> Held {
    if !matches!(event.before, Held::Unknown | Held::Something) {
        return event.before.clone();
    }
    match (&event.after, left) {
        (Held::With(statement), Held::Text(document)) => sid_of(statement)
            .and_then(|sid| without(document, &sid))
            .unwrap_or(Held::Unknown),
        _ => event.before.clone(),
    }
}

/// What two sides tell together; none where they contradict each other.
fn joined(one: &Held, other: &Held) -> Option<Held> {
    Some(match (one, other) {
        (Held::Unknown, told) | (told, Held::Unknown) => told.clone(),
        (Held::Nothing, Held::Nothing) => Held::Nothing,
        (Held::Nothing, _) | (_, Held::Nothing) => return None,
        (Held::Text(_), Held::Text(_)) if !is_same(one, other) => return None,
        (Held::Text(text), _) | (_, Held::Text(text)) => Held::Text(text.clone()),
        _ => Held::Something,
    })
}

/// Whether two say the same: of documents, as JSON with statements in any order.
pub(super) fn is_same(one: &Held, other: &Held) -> bool {
    match (one, other) {
        (Held::Text(one), Held::Text(other)) => {
            one == other
                || one.starts_with('{')
                    && canonical(one).is_some_and(|one| Some(one) == canonical(other))
        }
        _ => one == other,
    }
}

fn canonical(document: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(document).ok()?;
    if let Some(Value::Array(statements)) = value.get_mut("Statement") {
        statements.sort_by_cached_key(Value::to_string);
        if let [only] = statements.as_mut_slice() {
            value["Statement"] = only.take();
        }
    }
    Some(value)
}

fn sid_of(statement: &str) -> Option<String> {
    let statement: Value = serde_json::from_str(statement).ok()?;
    Some(statement.get("Sid")?.as_str()?.to_owned())
}

/// A document with one statement more.
fn with(document: Option<&str>, statement: &str) -> Held {
    let Ok(statement) = serde_json::from_str::<Value>(statement) else {
        return Held::Something;
    };
    let mut policy = match document.map(serde_json::from_str::<Value>) {
        None => json!({"Version": "2012-10-17", "Statement": []}),
        Some(Ok(policy)) => policy,
        Some(Err(_)) => return Held::Something,
    };
    let mut statements = statements(&mut policy);
    statements.push(statement);
    policy["Statement"] = statements.into();
    Held::Text(policy.to_string().into())
}

/// A document without the statement of a `Sid`; nothing is left where it was the only one. None
/// where there is none.
fn without(document: &str, sid: &str) -> Option<Held> {
    let mut policy: Value = serde_json::from_str(document).ok()?;
    let mut statements = statements(&mut policy);
    let before = statements.len();
    statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(sid));
    if statements.len() == before {
        return None;
    }
    if statements.is_empty() {
        return Some(Held::Nothing);
    }
    policy["Statement"] = statements.into();
    Some(Held::Text(Arc::from(policy.to_string())))
}

fn statements(policy: &mut Value) -> Vec<Value> {
    match policy.get_mut("Statement").map(Value::take) {
        Some(Value::Array(list)) => list,
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + second).unwrap()
    }

    fn text(text: &str) -> Held {
        Held::Text(text.into())
    }

    fn event(second: i64, before: Held, after: Held) -> Event {
        Event {
            time: at(second),
            observed: false,
            before,
            after,
        }
    }

    fn put(second: i64, document: &str) -> Event {
        event(second, Held::Unknown, text(document))
    }

    fn delete(second: i64) -> Event {
        event(second, Held::Something, Held::Nothing)
    }

    fn held(events: &[Event], holes: &[(i64, i64)], second: i64) -> Held {
        let holes: Vec<_> = holes.iter().map(|(a, b)| (at(*a), at(*b))).collect();
        let lit = Lit::of(&holes);
        Timeline::new(events.to_vec(), &lit)
            .at(at(second), &lit)
            .held
    }

    #[test]
    fn a_policy_is_what_was_put_last() {
        let events = [put(10, "a"), put(20, "b"), delete(30)];
        assert_eq!(held(&events, &[], 5), Held::Unknown);
        assert_eq!(held(&events, &[], 10), text("a"));
        assert_eq!(held(&events, &[], 25), text("b"));
        assert_eq!(held(&events, &[], 30), Held::Nothing);
    }

    #[test]
    fn what_the_inventory_shows_holds_back_to_the_last_change() {
        let events = [put(20, "b"), Event::observed(at(50), text("b"))];
        assert_eq!(held(&events, &[], 30), text("b"));
        assert_eq!(held(&events, &[], 10), Held::Unknown);
        let events = [delete(20), Event::observed(at(50), Held::Nothing)];
        assert_eq!(held(&events, &[], 10), Held::Something);
        let older = [Event::observed(at(5), text("a")), delete(20)];
        assert_eq!(held(&older, &[], 10), text("a"));
    }

    #[test]
    fn nothing_is_told_across_a_hole() {
        let events = [put(10, "a"), Event::observed(at(50), text("a"))];
        assert_eq!(held(&events, &[(20, 30)], 15), text("a"));
        assert_eq!(held(&events, &[(20, 30)], 25), Held::Unknown);
        assert_eq!(held(&events, &[(20, 30)], 40), text("a"));
        let events = [put(10, "a"), Event::observed(at(50), text("b"))];
        assert_eq!(held(&events, &[(20, 30)], 15), text("a"));
        assert_eq!(held(&events, &[(20, 30)], 40), text("b"));
    }

    #[test]
    fn a_contradiction_shows_that_a_change_is_missing() {
        // The deletion of what was put, or the putting of what is deleted, is not in the logs.
        let lit = Lit::of(&[]);
        let events = vec![put(10, "a"), Event::observed(at(50), Held::Nothing)];
        let timeline = Timeline::new(events, &lit);
        assert_eq!(
            timeline.at(at(20), &lit),
            Known {
                held: Held::Unknown,
                contradicted: true
            }
        );
        let events = [Event::observed(at(5), Held::Nothing), delete(20)];
        assert_eq!(held(&events, &[], 10), Held::Unknown);
        assert_eq!(held(&events, &[], 20), Held::Nothing);
    }

    #[test]
    fn changes_of_one_second_are_put_in_the_only_order_that_works() {
        let made = event(10, Held::Nothing, Held::Nothing);
        assert_eq!(held(&[put(10, "a"), made], &[], 10), text("a"));
        assert_eq!(held(&[put(10, "a"), put(10, "b")], &[], 10), Held::Unknown);
        // Deleted and made again, since it was there before.
        let created = event(10, Held::Nothing, text("a"));
        let before = Event::observed(at(5), text("old"));
        assert_eq!(
            held(&[created.clone(), before, delete(10)], &[], 10),
            text("a")
        );
        assert_eq!(held(&[created, delete(10)], &[], 10), Held::Unknown);
    }

    #[test]
    fn statements_are_added_and_taken_away() {
        let statement = r#"{"Sid":"x","Effect":"Allow"}"#;
        let add = event(10, Held::Unknown, Held::With(statement.into()));
        let shown = text(r#"{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Allow"}]}"#);
        let seen = Event::observed(at(50), shown.clone());
        assert_eq!(held(&[add.clone(), seen.clone()], &[], 5), Held::Nothing);
        assert!(is_same(&held(&[add.clone(), seen], &[], 20), &shown));
        let none = Event::observed(at(5), Held::Nothing);
        assert!(is_same(
            &held(&[none.clone(), add.clone()], &[], 20),
            &shown
        ));
        let remove = event(30, Held::Something, Held::Without("x".into()));
        assert_eq!(held(&[none, add, remove], &[], 40), Held::Nothing);
    }

    #[test]
    fn documents_are_the_same_in_any_order_of_statements() {
        let one = text(r#"{"Statement":[{"Sid":"a"},{"Sid":"b"}]}"#);
        let other = text(r#"{"Statement":[{"Sid":"b"},{"Sid":"a"}]}"#);
        assert!(is_same(&one, &other));
        assert!(!is_same(&one, &text(r#"{"Statement":[{"Sid":"b"}]}"#)));
    }
}
