//! What people decide changes what is shown, and nothing else.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use common::*;
use portreeve_detect::Folded;
use portreeve_incident::Incident;
use portreeve_incident::decide::{Decided, Decision, Part, decide};
use portreeve_model::{Finding, MintMethod};
use proptest::prelude::*;

/// Three intrusions: a stolen session with its sessions after it, a key from elsewhere, a log that is stopped.
fn logs() -> Logs {
    let mut logs = stolen_session();
    let user = "arn:aws:iam::111122223333:user/alice";
    logs.add(
        event("2026-03-10T08:00:00Z", "iam:CreateAccessKey")
            .person("dev.mira", "ASIAMIRADAY00010")
            .from(VPN)
            .with(KALI)
            .mints(
                "AKIAALICE00000000001",
                user,
                None,
                MintMethod::CreateAccessKey,
            ),
    );
    logs.add(
        event("2026-03-20T08:00:00Z", "iam:CreateAccessKey")
            .user("carol", "AKIACAROL00000000001")
            .from(HOSTING),
    );
    logs.add(
        event("2026-03-09T03:00:00Z", "cloudtrail:StopLogging")
            .user("backup", "AKIABACKUP0000000001")
            .from("203.0.113.200"),
    );
    logs.add(
        event("2026-03-09T04:00:00Z", "iam:CreateAccessKey")
            .user("backup", "AKIABACKUP0000000001")
            .from("203.0.113.200"),
    );
    logs
}

static TOLD: LazyLock<(Folded, Vec<Incident>)> = LazyLock::new(|| {
    let folded = logs().fold();
    let networks = settings(&[("198.51.100.10/32", "corporate")]);
    let incidents = tell_with(&folded, &networks, None);
    assert!(incidents.len() >= 3, "{}", incidents.len());
    (folded, incidents)
});

fn derived() -> &'static [Incident] {
    &TOLD.1
}

fn finding(id: &str) -> Option<&'static Finding> {
    TOLD.0.findings.iter().find(|it| it.id == id)
}

fn by(incidents: &[Incident], decisions: &[Decision]) -> Decided {
    let incident = |id: &str| {
        derived()
            .iter()
            .find(|it| it.id == id && incidents.iter().any(|own| own.id == id))
    };
    decide(incident, finding, decisions)
}

/// What is shown, by id.
fn shown(decided: &Decided) -> BTreeMap<&str, &Incident> {
    let kept = derived()
        .iter()
        .filter(|it| !decided.replaced.contains(&it.id));
    kept.chain(decided.made.values())
        .map(|it| (it.id.as_str(), it))
        .collect()
}

fn json(decided: &Decided) -> String {
    serde_json::to_string(&shown(decided)).unwrap()
}

fn join(one: &Incident, other: &Incident) -> Decision {
    Decision::Join(one.id.clone(), other.id.clone())
}

fn without(of: &Incident, part: Part) -> Decision {
    Decision::Part {
        id: part.id(&of.id),
        of: of.id.clone(),
        part,
    }
}

/// An incident with findings on several credentials, and one of them.
fn splittable() -> (&'static Incident, Part) {
    let credentials = |it: &Incident| -> BTreeSet<String> {
        let found = it.findings.iter().filter_map(|id| finding(id));
        found.filter_map(|it| it.credential.clone()).collect()
    };
    let of = derived()
        .iter()
        .find(|it| credentials(it).len() > 1)
        .expect("an incident of several credentials");
    // The latest: nothing was minted from it that would go with it.
    let mut last = of.credentials.iter().rev();
    let last = last.find(|it| credentials(of).contains(*it)).cloned();
    (of, Part::Credential(last.unwrap()))
}

#[test]
fn two_that_are_one_are_told_as_one() {
    let (a, b) = (&derived()[0], &derived()[1]);
    let decided = by(derived(), &[join(b, a)]);
    assert_eq!((decided.holds, decided.made.len()), (vec![true], 1));
    let one = decided.made.values().next().unwrap();
    let first = if a.first_sign <= b.first_sign { a } else { b };
    assert_eq!(one.id, first.id);
    let other = if first.id == a.id { b } else { a };
    assert_eq!(decided.now[&other.id], first.id);
    assert_eq!(
        (one.score, one.severity, &one.headline),
        (a.score, a.severity, &a.headline)
    );
    assert_eq!(one.findings.len(), a.findings.len() + b.findings.len());
    let times: Vec<_> = one
        .timeline
        .iter()
        .map(|it| (it.time.is_none(), it.time))
        .collect();
    assert!(times.is_sorted());
    let records = |it: &Incident| -> BTreeSet<_> {
        let records = it.timeline.iter();
        records.map(|it| (it.file.to_string(), it.index)).collect()
    };
    assert_eq!(&records(a) | &records(b), records(one));
    assert_eq!(records(one).len(), one.timeline.len());
    for sentence in a.narrative.iter().chain(&b.narrative) {
        assert!(one.narrative.contains(sentence), "{sentence}");
    }
    let by_people = one.by_people.as_ref().unwrap();
    assert_eq!(by_people.joined, [other.id.as_str()]);
}

#[test]
fn a_part_becomes_an_incident_of_its_own_and_can_be_another_s() {
    let (of, part) = splittable();
    let id = part.id(&of.id);
    let other = derived().iter().find(|it| it.id != of.id).unwrap();
    let decided = by(derived(), &[without(of, part.clone())]);
    let (rest, out) = (&decided.made[&of.id], &decided.made[&id]);
    let Part::Credential(credential) = &part else {
        panic!("{part}")
    };
    assert!(!rest.credentials.contains(credential) && out.credentials.contains(credential));
    assert!(
        rest.findings
            .iter()
            .all(|it| finding(it).unwrap().credential.as_ref() != Some(credential))
    );
    assert_eq!(rest.findings.len() + out.findings.len(), of.findings.len());
    assert!(!out.timeline.is_empty() && out.score > 0 && rest.score <= of.score);
    assert_eq!(out.by_people.as_ref().unwrap().part_of, [of.id.as_str()]);
    assert_eq!(rest.by_people.as_ref().unwrap().without, [id.as_str()]);
    // Joined to another it is told there, and no longer by itself.
    let decisions = [
        without(of, part),
        Decision::Join(other.id.clone(), id.clone()),
    ];
    let decided = by(derived(), &decisions);
    assert_eq!(decided.now[&id], other.id);
    assert_eq!(
        decided.made[&other.id].findings.len(),
        other.findings.len() + out.findings.len()
    );
    assert_eq!(decided.holds, [true, true]);
    // Joined back it is the whole again, as far as that is told by findings.
    let (of, part) = splittable();
    let back = by(
        derived(),
        &[without(of, part), Decision::Join(of.id.clone(), id)],
    );
    assert_eq!(back.made[&of.id].findings.len(), of.findings.len());
    assert_eq!(back.made[&of.id].timeline.len(), of.timeline.len());
}

#[test]
fn one_finding_is_taken_out_by_itself() {
    let (of, _) = splittable();
    let id = of.findings.last().unwrap();
    let part = Part::Finding(id.clone());
    let decided = by(derived(), &[without(of, part.clone())]);
    assert_eq!(decided.made[&part.id(&of.id)].findings, [id.as_str()]);
    assert!(!decided.made[&of.id].findings.contains(id));
    let told = decided.made[&of.id].timeline.iter();
    assert!(told.clone().all(|it| it.finding.as_ref() != Some(id)));
}

#[test]
fn what_would_leave_nothing_is_not_taken_out_and_leads_to_the_whole() {
    let one = derived().iter().min_by_key(|it| it.findings.len()).unwrap();
    let all: Vec<Decision> = one
        .findings
        .iter()
        .map(|id| without(one, Part::Finding(id.clone())))
        .collect();
    let decided = by(derived(), &all);
    assert!(decided.made.is_empty() && decided.replaced.is_empty());
    assert!(decided.holds.iter().all(|holds| !holds));
    let id = Part::Finding(one.findings[0].clone()).id(&one.id);
    assert_eq!(decided.now[&id], one.id);
    let unknown = without(one, Part::Credential("AKIANOBODY".into()));
    assert_eq!(by(derived(), &[unknown]).holds, [false]);
}

#[test]
fn what_is_said_of_an_incident_that_is_gone_waits_until_it_is_there_again() {
    let (a, b) = (&derived()[0], &derived()[1]);
    let decisions = [join(a, b), without(b, Part::Finding(b.findings[0].clone()))];
    let decided = by(&derived()[..1], &decisions);
    assert_eq!(decided.holds, [false, false]);
    assert!(decided.made.is_empty() && decided.replaced.is_empty() && decided.now.is_empty());
    assert!(by(derived(), &decisions).holds[0]);
}

#[test]
fn a_part_is_named_by_its_kind_and_its_id() {
    for part in [Part::Credential("a:b".into()), Part::Finding("f".into())] {
        assert_eq!(part.to_string().parse(), Ok(part));
    }
    for wrong in ["", "finding", "finding:", "actor:x"] {
        assert!(wrong.parse::<Part>().is_err(), "{wrong}");
    }
}

/// Any decision: about incidents, and about parts that may or may not be taken out.
fn decisions() -> impl Strategy<Value = Vec<Decision>> {
    let (ids, mut parts) = (
        derived().iter().map(|it| it.id.clone()).collect::<Vec<_>>(),
        Vec::new(),
    );
    for it in derived() {
        let found = it.findings.iter().cloned().map(Part::Finding);
        let held = it.credentials.iter().cloned().map(Part::Credential);
        parts.extend(found.chain(held).map(|part| (it.id.clone(), part)));
    }
    let mut ends = ids.clone();
    ends.extend(parts.iter().map(|(of, part)| part.id(of)));
    ends.push("nothing".to_owned());
    let end = || prop::sample::select(ends.clone());
    let joins = (end(), end()).prop_map(|(a, b)| Decision::Join(a, b));
    let outs = (prop::sample::select(parts), prop::sample::select(ids), 0..8).prop_map(
        |((own, part), any, odd)| {
            let of = if odd == 0 { any } else { own };
            Decision::Part {
                id: part.id(&of),
                of,
                part,
            }
        },
    );
    prop::collection::vec(prop_oneof![joins, outs], 0..7)
}

proptest! {
    /// The order of decisions does not show, nor which of two was named first; undone ones are as if they had
    /// never been.
    #[test]
    fn the_order_of_decisions_does_not_show(
        (made, shuffled) in decisions().prop_flat_map(|made| (Just(made.clone()), Just(made).prop_shuffle())),
        undone in decisions(),
        turned in any::<u64>(),
    ) {
        let turned: Vec<Decision> = shuffled.into_iter().zip(0..).map(|(decision, bit)| match decision {
            Decision::Join(a, b) if turned >> bit & 1 == 1 => Decision::Join(b, a),
            other => other,
        }).collect();
        let first = by(derived(), &made);
        prop_assert_eq!(json(&first), json(&by(derived(), &turned)));
        let both: Vec<Decision> = made.iter().chain(&undone).cloned().collect();
        let _more = by(derived(), &both);
        let undone_again: Vec<Decision> = both.into_iter().take(made.len()).collect();
        prop_assert_eq!(json(&first), json(&by(derived(), &undone_again)));
        prop_assert_eq!(json(&by(derived(), &[])), serde_json::to_string(&shown(&Decided::default())).unwrap());
    }

    /// Nothing is lost and no finding is told twice; every id leads to something that is shown.
    #[test]
    fn nothing_is_lost(made in decisions()) {
        let decided = by(derived(), &made);
        let shown = shown(&decided);
        let mut told: Vec<&String> = shown.values().flat_map(|it| &it.findings).collect();
        told.sort();
        let mut all: Vec<&String> = derived().iter().flat_map(|it| &it.findings).collect();
        all.sort();
        prop_assert_eq!(told, all);
        let records = |all: &mut dyn Iterator<Item = &Incident>| -> BTreeSet<(String, u64)> {
            all.flat_map(|it| &it.timeline).map(|it| (it.file.to_string(), it.index)).collect()
        };
        prop_assert_eq!(records(&mut shown.values().copied()), records(&mut derived().iter()));
        for it in derived() {
            let now = decided.now.get(&it.id).unwrap_or(&it.id);
            prop_assert!(shown.contains_key(now.as_str()), "{}", it.id);
        }
        for now in decided.now.values() {
            prop_assert!(shown.contains_key(now.as_str()), "{now}");
        }
        for it in shown.values() {
            prop_assert!(it.score <= 100 && !it.headline.is_empty());
            let sum: u32 = it.score_parts.iter().map(|part| part.points).sum();
            prop_assert_eq!(it.score, sum.min(100));
        }
    }
}
