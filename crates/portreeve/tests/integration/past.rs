//! The estate as it was: 60 simulated days with 200 changes of policies, roles and keys. At 1,000
//! random instants an answer told from inventory and logs is that of the estate as the simulator
//! had it then, or depends; never a wrong yes or no.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use portreeve_authz::Decision;
use portreeve_engine::{Silent, chronicle};
use portreeve_estate::history::{Change, Covered, History, Moment};
use portreeve_graph::{Access, Circumstances};
use portreeve_model::{EntityId, EntityKind, Estate, Held, Hole, Spot, Timestamp};
use portreeve_simulate::{Faults, Intrusion, MemorySink, Plan, Without, estates_at, simulate};

const INSTANTS: usize = 1_000;
const CHANGES: u32 = 200;
const DAYS: u32 = 60;

fn plan(inventory_day: Option<u32>) -> Plan {
    Plan {
        seed: 11,
        days: DAYS,
        intrusion: Intrusion::None,
        max_records: 24_000,
        changes: CHANGES,
        inventory_day,
        faults: Faults {
            loss: Some("0".parse().unwrap()),
            ..Faults::default()
        },
        ..Plan::default()
    }
}

/// Draws of the test's own.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64, by its published constants.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn write(folder: &Path, sink: &MemorySink) {
    for (path, bytes) in &sink.files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The estate that an inventory of that time shows.
fn raw(sink: &MemorySink) -> Estate {
    let mut estate = Estate::default();
    for (path, bytes) in &sink.files {
        if path.starts_with("estate/") {
            assert!(portreeve_estate::read(path, bytes, &mut estate).is_empty());
        }
    }
    estate
}

fn completed(mut estate: Estate) -> Estate {
    portreeve_estate::complete(&mut estate);
    estate
}

/// A question: who, what, on what.
type Question = (String, String, String);

/// Questions about whatever policies of an estate name, and about whoever is or was there.
fn questions(truth: &Estate, everyone: &[String], draws: &mut Draws) -> Vec<Question> {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{rest}");
    let of_kind = |kind: EntityKind| -> Vec<String> {
        truth
            .entities()
            .filter(|entity| entity.kind == kind && !entity.inferred)
            .map(|entity| entity.id.to_string())
            .collect()
    };
    let buckets = of_kind(EntityKind::Bucket);
    let keys = of_kind(EntityKind::Key);
    let secrets = of_kind(EntityKind::Secret);
    let queues = of_kind(EntityKind::Queue);
    let functions = of_kind(EntityKind::Function);
    let repositories = of_kind(EntityKind::ImageRepository);
    let roles = of_kind(EntityKind::Role);
    (0..6)
        .map(|_| {
            let (action, resource) = match draws.below(9) {
                0 => ("s3:GetObject", format!("{}/x", draws.one(&buckets))),
                1 => ("s3:PutObject", format!("{}/x", draws.one(&buckets))),
                2 => ("kms:Sign", draws.one(&keys).clone()),
                3 => ("secretsmanager:GetSecretValue", draws.one(&secrets).clone()),
                4 => ("sqs:SendMessage", draws.one(&queues).clone()),
                5 => ("lambda:InvokeFunction", draws.one(&functions).clone()),
                6 => ("ecr:BatchGetImage", draws.one(&repositories).clone()),
                7 => ("sts:AssumeRole", draws.one(&roles).clone()),
                _ => ("iam:PassRole", arn("iam", ":111122223333:role/gha-deploy")),
            };
            (draws.one(everyone).clone(), action.to_owned(), resource)
        })
        .collect()
}

/// What an estate answers; nothing where who asks is surely not there.
fn decide(
    access: &Access<'_>,
    absent: &BTreeSet<EntityId>,
    (who, action, what): &Question,
) -> Option<Decision> {
    if absent.contains(who.as_str()) {
        return None;
    }
    let verdict = access.can(who, action, what, &Circumstances::default());
    Some(verdict.unwrap().answer.decision)
}

/// Whether an estate is sure that somebody is there.
fn lists(estate: &Estate, who: &str) -> bool {
    estate.get(who).is_some_and(|entity| !entity.inferred)
}

/// What came out of the comparison.
#[derive(Debug, Default)]
struct Tally {
    equal: usize,
    /// Depends, where the truth is a yes or no.
    depends: usize,
    /// Not known to have been there, or told as depending though it was not there.
    uncertain: usize,
    wrong: Vec<String>,
    /// Instants of which every answer was equal.
    whole: usize,
}

/// What one simulation is compared by: what the simulator had, and what its logs tell.
struct World {
    /// The estate at each change, from then on.
    truths: BTreeMap<Timestamp, Estate>,
    everyone: Vec<String>,
    changes: Vec<Change>,
    covered: Covered,
    instants: Vec<Timestamp>,
    begins: Timestamp,
}

impl World {
    fn whole() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| Self::new(Vec::new()))
    }

    fn new(without: Vec<Without>) -> Self {
        let whole = plan(None);
        let plan = Plan {
            without,
            ..whole.clone()
        };
        let mut sink = MemorySink::default();
        let summary = simulate(&plan, &mut sink).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &sink);
        let read = chronicle(&[PathBuf::from(folder.path())], &[], &Silent).unwrap();
        assert!(read.dead_letters.is_empty(), "{:?}", read.dead_letters);
        let mut draws = Draws(7);
        let span = (summary.ends.as_second() - summary.begins.as_second()) as usize;
        let instants: Vec<Timestamp> = (0..INSTANTS)
            .map(|_| summary.begins.as_second() + draws.below(span) as i64)
            .map(|second| Timestamp::from_second(second).unwrap())
            .collect();
        let times: Vec<Timestamp> = match whole.without == plan.without {
            // The simulator's estate changes at these.
            true => read
                .changes
                .iter()
                .map(|it| it.time)
                .chain([summary.begins])
                .collect(),
            false => Self::whole().truths.keys().copied().collect(),
        };
        let times: Vec<Timestamp> = times
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut everyone = BTreeSet::new();
        let mut truths = BTreeMap::new();
        estates_at(&whole, &times, |time, sink| {
            let truth = raw(sink);
            everyone.extend(
                truth
                    .entities()
                    .filter(|it| {
                        matches!(it.kind, EntityKind::User | EntityKind::Role) && !it.inferred
                    })
                    .map(|it| it.id.to_string()),
            );
            truths.insert(time, completed(truth));
        })
        .unwrap();
        Self {
            truths,
            everyone: everyone.into_iter().collect(),
            changes: read.changes,
            covered: read.covered,
            instants,
            begins: summary.begins,
        }
    }

    /// The simulator's estate at an instant.
    fn truth(&self, time: Timestamp) -> &Estate {
        let (_, truth) = self.truths.range(..=time).next_back().unwrap();
        truth
    }

    /// Compares at every so many of the instants.
    fn compare(&self, history: &History, every: usize) -> Tally {
        let (mut moments, nobody) = (BTreeMap::new(), BTreeSet::new());
        let mut draws = Draws(3);
        let mut tally = Tally::default();
        for time in self.instants.iter().step_by(every) {
            let truth = self.truth(*time);
            // Between two of its instants a history tells the same.
            let place = history
                .instants()
                .partition_point(|instant| instant <= time);
            let told: &Moment = moments.entry(place).or_insert_with(|| history.at(*time));
            let (truth_access, told_access) = (Access::of(truth), Access::of(&told.estate));
            let before = tally.equal;
            let asked = questions(truth, &self.everyone, &mut draws);
            for question in &asked {
                let who = &question.0;
                let expected = lists(truth, who)
                    .then(|| decide(&truth_access, &nobody, question))
                    .flatten();
                let told = decide(&told_access, &told.absent, question);
                match (expected, told) {
                    (expected, told) if expected == told => tally.equal += 1,
                    (Some(_), Some(Decision::Depends)) => tally.depends += 1,
                    // Who was not there could do nothing.
                    (None, Some(Decision::Depends | Decision::Denied)) => tally.uncertain += 1,
                    (expected, told) => tally
                        .wrong
                        .push(format!("{time} {question:?}: {expected:?}, told {told:?}")),
                }
            }
            tally.whole += usize::from(tally.equal - before == asked.len());
        }
        println!(
            "{} equal, {} depend, {} uncertain, {} wrong; {} of {} instants whole",
            tally.equal,
            tally.depends,
            tally.uncertain,
            tally.wrong.len(),
            tally.whole,
            self.instants.len().div_ceil(every)
        );
        for wrong in tally.wrong.iter().take(20) {
            println!("WRONG {wrong}");
        }
        tally
    }
}

/// The inventory as it is made at the end of a day of the plan.
fn inventory(begins: Timestamp, day: Option<u32>) -> (Estate, Timestamp) {
    let plan = plan(day);
    let mut found = None;
    let taken = begins.as_second() + day.map_or(0, |day| i64::from(day) + 1) * 86_400 - 1;
    let taken = Timestamp::from_second(taken).unwrap();
    estates_at(&plan, &[taken], |_, sink| found = Some(raw(sink))).unwrap();
    (found.unwrap(), taken)
}

/// The history of an inventory that is made at the end of a day.
fn history(
    world: &World,
    day: Option<u32>,
    is_told: bool,
    changes: &[Change],
    covered: &Covered,
) -> History {
    let (inventory, taken) = inventory(world.begins, day);
    let taken = is_told.then_some(taken);
    History::new(inventory, taken, changes.to_vec(), covered.clone())
}

/// Compares inventories of three days at every so many of the instants.
fn whole_logs(every: usize) {
    let world = World::whole();
    for day in [None, Some(29), Some(59)] {
        for (is_told, every) in [(true, every), (false, every * 4)] {
            print!("inventory of day {day:?}, time given {is_told}: ");
            let history = history(world, day, is_told, &world.changes, &world.covered);
            let tally = world.compare(&history, every);
            assert_eq!(tally.wrong, Vec::<String>::new());
            // Nobody can tell all of what was changed before the logs begin.
            let asked = tally.equal + tally.depends + tally.uncertain;
            assert!(tally.equal * 100 > asked * 75, "{tally:?}");
        }
    }
}

#[test]
fn the_estate_is_as_it_was_or_depends() {
    whole_logs(8);
}

#[test]
#[ignore = "takes minutes: all 1,000 instants"]
fn the_estate_is_as_it_was_or_depends_at_every_instant() {
    whole_logs(1);
}

#[test]
fn where_hours_of_the_logs_are_missing_it_depends() {
    let world = World::whole();
    let mut draws = Draws(23);
    let mut covered = world.covered.clone();
    let mut changes = world.changes.clone();
    // The files of an account of the hours around some changes are lost, as files are.
    for _ in 0..12 {
        let lost = draws.one(&world.changes).clone();
        let Some(account) = lost.account else {
            continue;
        };
        let hour = lost.time.as_second().div_euclid(3_600) * 3_600;
        let edge = |hours: i64| Timestamp::from_second(hour + hours * 3_600).unwrap();
        let hole = Hole {
            from: edge(-1),
            until: edge(2),
        };
        changes.retain(|it| {
            it.account.as_ref() != Some(&account) || it.time < hole.from || it.time >= hole.until
        });
        let holes = covered.accounts.get_mut(&account).unwrap();
        holes.push(hole);
        holes.sort_unstable();
    }
    assert!(changes.len() < world.changes.len());
    for day in [None, Some(29), Some(59)] {
        print!("holes, inventory of day {day:?}: ");
        let history = history(world, day, true, &changes, &covered);
        let tally = world.compare(&history, 8);
        assert_eq!(tally.wrong, Vec::<String>::new());
        assert!(tally.equal > 0 && tally.depends > 0);
    }
}

#[test]
fn where_days_of_the_logs_are_missing_it_depends() {
    // Told from what is written to disk: nobody says which days these are.
    let world = World::new(vec!["days=24..26".parse().unwrap()]);
    assert!(world.changes.len() < World::whole().changes.len());
    for day in [None, Some(59)] {
        print!("three days missing, inventory of day {day:?}: ");
        let history = history(&world, day, true, &world.changes, &world.covered);
        let tally = world.compare(&history, 8);
        assert_eq!(tally.wrong, Vec::<String>::new());
        assert!(tally.equal > 0 && tally.depends > 0);
    }
}

/// A single record that is missing is seen where it leaves a contradiction.
#[test]
fn a_deletion_that_is_missing_makes_it_depend() {
    let world = World::whole();
    let is_deletion = |change: &Change| {
        change.effects.len() == 1
            && matches!(change.effects[0].spot, Spot::Document { .. })
            && change.effects[0].after == Held::Nothing
    };
    let mut seen = 0;
    let mut changes = world.changes.clone();
    changes.retain(|change| {
        let goes = is_deletion(change) && seen % 2 == 0;
        seen += usize::from(is_deletion(change));
        !goes
    });
    assert!(changes.len() + 5 < world.changes.len());
    print!("every other deletion of a policy missing: ");
    let history = history(world, Some(59), true, &changes, &world.covered);
    let tally = world.compare(&history, 8);
    for wrong in &tally.wrong {
        println!("{wrong}");
    }
    assert_eq!(tally.wrong, Vec::<String>::new());
}
