//! The race: for each crown jewel, how soon this actor could have it, and how soon anyone could know.
//!
//! A path takes the time of its calls, at the actor's pace, and of what has to start meanwhile. The first
//! sign is the first step whose calls are logged and on which a rule may fire; it shows when its record has
//! come. Where the jewel is taken before that, no detection wins, and only controls on the path do.

mod delay;
mod pace;

use std::collections::{BTreeMap, BTreeSet};

use portreeve_graph::{AttackPath, Jewel, JewelKind, PathStep};
use portreeve_model::{EntityId, PrincipalKind, Severity};
use serde::{Deserialize, Serialize};

use crate::touch::is_data_event;
pub use delay::{Delay, delays};

/// How fast an actor works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds from one call to the next.
    pub seconds_a_call: u64,
    /// In which cases that was seen, or why it is taken.
    pub basis: String,
}

impl Default for Pace {
    /// That of a program, for actors of whom nothing is known.
    fn default() -> Self {
        Self {
            seconds_a_call: 1,
            basis: "nothing is known of this actor's pace: that of a program".to_owned(),
        }
    }
}

/// A rule that may fire on a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleSign {
    /// How much it matters.
    pub level: Severity,
    /// Its title.
    pub title: String,
    /// Its id.
    pub rule: String,
}

/// What is known of the logs.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Whether there are any; without them all calls are taken to be logged.
    pub given: bool,
    /// Accounts with management events.
    pub accounts: BTreeSet<String>,
    /// Accounts and services with data events.
    pub data: BTreeSet<(String, String)>,
    /// How late records come, by account.
    pub delays: BTreeMap<String, Delay>,
}

impl Logs {
    /// What the logs of a run tell.
    pub fn of(folded: &portreeve_detect::Folded) -> Self {
        let cells = || folded.coverage.iter().flat_map(|it| &it.cells);
        let mut data = BTreeSet::new();
        for row in folded.activities.iter() {
            if let (Some(service), Some(account)) = (is_data_event(row.action()), row.account()) {
                data.insert((account.to_owned(), service.to_owned()));
            }
        }
        Self {
            given: true,
            accounts: cells()
                .filter(|cell| cell.kind == "Management")
                .map(|cell| cell.account.clone())
                .collect(),
            data,
            delays: delays(folded),
        }
    }

    fn has(&self, action: &str, account: Option<&str>) -> bool {
        let Some(account) = account.filter(|_| self.given) else {
            return true;
        };
        match is_data_event(action) {
            Some(service) => self
                .data
                .contains(&(account.to_owned(), service.to_owned())),
            None => self.accounts.contains(account),
        }
    }

    fn delay(&self, account: Option<&str>) -> Delay {
        account
            .and_then(|account| self.delays.get(account))
            .copied()
            .unwrap_or(Delay::DOCUMENTED)
    }
}

/// What a race is told from.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    /// The actor's name.
    pub actor: &'a str,
    /// How fast he works.
    pub pace: &'a Pace,
    /// The crown jewels, each with the paths on which he could take it.
    pub jewels: &'a [(Jewel, Vec<AttackPath>)],
    /// The rules that may fire on each action, by the kind of principal that makes the call.
    pub signs: &'a BTreeMap<(String, PrincipalKind), Vec<RuleSign>>,
    /// What is known of the logs.
    pub logs: &'a Logs,
    /// Seconds that people need from a sign to the cut.
    pub response: u64,
}

/// The race for every crown jewel. Its JSON form is what `race --format json` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// The actor.
    pub actor: String,
    /// How fast he works.
    pub pace: Pace,
    /// Seconds that people need from a sign to the cut.
    pub response: u64,
    /// How late records come, by account; measured from the names of delivered files.
    pub delays: BTreeMap<String, Delay>,
    /// The delay that is used for accounts of which nothing could be measured.
    pub documented_delay: Delay,
    /// Whether logs were given; without them all calls are taken to be logged.
    pub logs_given: bool,
    /// The jewels, those that are lost first.
    pub jewels: Vec<JewelRace>,
    /// Jewels without a path, by id.
    pub out_of_reach: Vec<EntityId>,
    /// What cuts the quickest paths to jewels that detection cannot save, that of most jewels first.
    pub controls: Vec<Control>,
}

/// The race for one jewel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JewelRace {
    /// The jewel.
    pub jewel: EntityId,
    /// Its kind.
    pub kind: JewelKind,
    /// Where the quickest path starts.
    pub from: EntityId,
    /// An administrator that every path to the jewel goes through, where that is so: the race for that
    /// one comes first.
    pub through: Option<EntityId>,
    /// Conditions that it needs; empty where it is open now.
    pub conditions: Vec<String>,
    /// Its steps with their times.
    pub steps: Vec<TimedStep>,
    /// Seconds from the first call to the jewel.
    pub seconds: u64,
    /// How many paths to it were looked at.
    pub paths: u64,
    /// The first sign; `None` where no step shows.
    pub first_sign: Option<FirstSign>,
    /// How it ends.
    pub outcome: Outcome,
    /// Seconds that are left when people could have cut it off, with records as late as half of them
    /// are; negative where the jewel is gone by then. Absent where nothing shows.
    pub margin: Option<i64>,
}

/// One step with its times, in seconds from the first call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedStep {
    /// The step.
    #[serde(flatten)]
    pub step: PathStep,
    /// When its call is made.
    pub called: u64,
    /// When it has given what it gives.
    pub done: u64,
    /// What is waited for meanwhile; empty for nothing.
    pub waits_for: String,
    /// Actions of the step that are in the logs.
    pub logged: Vec<String>,
    /// Actions of the step that are not.
    pub unlogged: Vec<String>,
    /// Rules that may fire on it.
    pub signs: Vec<RuleSign>,
}

/// The first sign on a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstSign {
    /// The number of the step, from 0.
    pub step: usize,
    /// The gravest rule that may fire.
    pub rule: RuleSign,
    /// When the call is made.
    pub called: u64,
    /// When its record is there, as late as half of all are.
    pub shown: u64,
    /// When it is there, as late as one of ten is.
    pub shown_late: u64,
    /// How the delay is known.
    pub delay: Delay,
}

/// How a race ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// No step is logged on which a rule fires.
    Unseen,
    /// The jewel is taken before anyone could cut the path.
    Lost,
    /// Only where the record comes as soon as half of them do.
    Luck,
    /// Also where the record comes late.
    Won,
}

impl Outcome {
    /// The name used in reports.
    pub fn title(self) -> &'static str {
        match self {
            Outcome::Unseen => "unseen",
            Outcome::Lost => "lost",
            Outcome::Luck => "a matter of luck",
            Outcome::Won => "can be won",
        }
    }

    /// Whether only controls save the jewel.
    pub fn needs_controls(self) -> bool {
        matches!(self, Outcome::Unseen | Outcome::Lost)
    }
}

/// A step whose permission, taken away, cuts quickest paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Who walks the step.
    pub from: EntityId,
    /// Onto what.
    pub to: EntityId,
    /// The step's id.
    pub via: String,
    /// The step in words.
    pub title: String,
    /// The permissions that it uses.
    pub permissions: Vec<String>,
    /// The statements that allow it.
    pub statements: Vec<String>,
    /// The jewels whose quickest path takes it.
    pub jewels: Vec<EntityId>,
}

/// Runs the race for every jewel.
pub fn race(course: &Course<'_>) -> Race {
    let administrators: BTreeSet<&EntityId> = course
        .jewels
        .iter()
        .filter(|(jewel, _)| {
            matches!(
                jewel.kind,
                JewelKind::Administrator | JewelKind::ManagementAccount
            )
        })
        .map(|(jewel, _)| &jewel.id)
        .collect();
    let mut jewels = Vec::new();
    let mut out_of_reach = Vec::new();
    for (jewel, paths) in course.jewels {
        let quickest = paths
            .iter()
            .map(|path| (path, timed(course, path)))
            .min_by_key(|(path, steps)| {
                // Whoever has an administrator has the rest; that race is told by itself. What is open
                // now comes before what needs a condition.
                (
                    through(path, &administrators).is_some(),
                    !path.conditions.is_empty(),
                    end(steps),
                    steps.len(),
                    path.from.clone(),
                )
            });
        match quickest {
            Some((path, steps)) => {
                let mut race = one(course, jewel, path, steps, paths.len() as u64);
                race.through = through(path, &administrators).cloned();
                jewels.push(race);
            }
            None => out_of_reach.push(jewel.id.clone()),
        }
    }
    jewels.sort_by(|one, other| {
        (
            one.outcome,
            !one.conditions.is_empty(),
            one.seconds,
            &one.jewel,
        )
            .cmp(&(
                other.outcome,
                !other.conditions.is_empty(),
                other.seconds,
                &other.jewel,
            ))
    });
    Race {
        actor: course.actor.to_owned(),
        pace: course.pace.clone(),
        response: course.response,
        delays: course.logs.delays.clone(),
        documented_delay: Delay::DOCUMENTED,
        logs_given: course.logs.given,
        controls: controls(&jewels),
        jewels,
        out_of_reach,
    }
}

/// The first administrator that a path starts at or goes through, before its end.
fn through<'p>(path: &'p AttackPath, administrators: &BTreeSet<&EntityId>) -> Option<&'p EntityId> {
    path.steps
        .iter()
        .map(|step| &step.from)
        .find(|id| administrators.contains(id) && **id != path.to)
}

fn end(steps: &[TimedStep]) -> u64 {
    steps.last().map_or(0, |step| step.done)
}

/// The account in which a step is logged.
fn account(step: &PathStep) -> Option<&str> {
    step.to.aws_account().or(step.from.aws_account())
}

/// What kind of principal makes the calls of each step of a path, as far as names and the steps
/// before tell.
pub fn walkers(path: &AttackPath) -> Vec<PrincipalKind> {
    let mut before: Option<&PathStep> = None;
    path.steps
        .iter()
        .map(|step| {
            let id = step.from.as_str();
            let kind = match before.map(|step| step.via.as_str()) {
                Some("sts-assume-role-with-web-identity") => PrincipalKind::Pipeline,
                Some("runs-as") => PrincipalKind::Workload,
                _ if id.contains("AWSReservedSSO_") || id.contains(":user/") => {
                    PrincipalKind::Human
                }
                _ => PrincipalKind::Unknown,
            };
            before = Some(step);
            kind
        })
        .collect()
}

fn timed(course: &Course<'_>, path: &AttackPath) -> Vec<TimedStep> {
    let mut now = 0;
    let kinds = walkers(path);
    path.steps
        .iter()
        .zip(kinds)
        .map(|(step, kind)| {
            let (call, wait, what) = pace::of_step(step, course.pace.seconds_a_call);
            let called = now + call;
            now = called + wait;
            let (logged, unlogged): (Vec<String>, Vec<String>) = step
                .permissions
                .iter()
                .cloned()
                .partition(|action| course.logs.has(action, account(step)));
            let signs: BTreeSet<RuleSign> = logged
                .iter()
                .filter_map(|action| course.signs.get(&(action.clone(), kind)))
                .flatten()
                .cloned()
                .collect();
            TimedStep {
                step: step.clone(),
                called,
                done: now,
                waits_for: what.to_owned(),
                logged,
                unlogged,
                // The gravest first.
                signs: signs.into_iter().rev().collect(),
            }
        })
        .collect()
}

fn one(
    course: &Course<'_>,
    jewel: &Jewel,
    path: &AttackPath,
    steps: Vec<TimedStep>,
    paths: u64,
) -> JewelRace {
    let seconds = end(&steps);
    let first_sign = steps
        .iter()
        .enumerate()
        .filter_map(|(number, step)| {
            let rule = step.signs.first()?.clone();
            let delay = course.logs.delay(account(&step.step));
            Some(FirstSign {
                step: number,
                rule,
                called: step.called,
                shown: step.called + delay.median,
                shown_late: step.called + delay.late,
                delay,
            })
        })
        .min_by_key(|sign| (sign.shown, sign.step));
    let left = |shown: u64| seconds as i64 - (shown + course.response) as i64;
    let outcome = match &first_sign {
        None => Outcome::Unseen,
        Some(sign) if left(sign.shown) <= 0 => Outcome::Lost,
        Some(sign) if left(sign.shown_late) <= 0 => Outcome::Luck,
        Some(_) => Outcome::Won,
    };
    JewelRace {
        jewel: jewel.id.clone(),
        kind: jewel.kind,
        from: path.from.clone(),
        through: None,
        conditions: path.conditions.clone(),
        seconds,
        paths,
        margin: first_sign.as_ref().map(|sign| left(sign.shown)),
        first_sign,
        outcome,
        steps,
    }
}

/// Steps that a policy allows, on the quickest paths to jewels that detection cannot save.
fn controls(jewels: &[JewelRace]) -> Vec<Control> {
    let mut found = BTreeMap::<(&EntityId, &EntityId, &str), Control>::new();
    for race in jewels.iter().filter(|race| race.outcome.needs_controls()) {
        for TimedStep { step, .. } in &race.steps {
            if step.permissions.is_empty() {
                continue;
            }
            let control = found
                .entry((&step.from, &step.to, &step.via))
                .or_insert_with(|| Control {
                    from: step.from.clone(),
                    to: step.to.clone(),
                    via: step.via.clone(),
                    title: step.title.clone(),
                    permissions: step.permissions.clone(),
                    statements: step.statements.clone(),
                    jewels: Vec::new(),
                });
            control.jewels.push(race.jewel.clone());
        }
    }
    let mut controls: Vec<Control> = found.into_values().collect();
    controls.sort_by(|one, other| {
        other
            .jewels
            .len()
            .cmp(&one.jewels.len())
            .then_with(|| (&one.from, &one.to, &one.via).cmp(&(&other.from, &other.to, &other.via)))
    });
    controls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: &str, to: &str, via: &str, action: &str) -> PathStep {
        PathStep {
            from: from.into(),
            to: to.into(),
            via: via.into(),
            title: via.into(),
            permissions: if action.is_empty() {
                Vec::new()
            } else {
                vec![action.into()]
            },
            conditions: Vec::new(),
            statements: Vec::new(),
        }
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:seed-a1B2c3";

    /// A person takes a role and with it reads a secret.
    fn path() -> AttackPath {
        AttackPath {
            from: "mira".into(),
            to: SECRET.into(),
            conditions: Vec::new(),
            steps: vec![
                step("mira", ROLE, "sts-assume-role", "sts:AssumeRole"),
                step(
                    ROLE,
                    SECRET,
                    "secretsmanager-get-secret-value",
                    "secretsmanager:GetSecretValue",
                ),
            ],
        }
    }

    fn run(seconds: u64, on: &str, median: u64, late: u64, response: u64) -> JewelRace {
        let jewel = Jewel {
            id: SECRET.into(),
            kind: JewelKind::WalletSecret,
            reason: String::new(),
        };
        let sign = RuleSign {
            level: Severity::High,
            title: "seen".into(),
            rule: "r".into(),
        };
        let delay = Delay {
            records: 9,
            median,
            late,
        };
        let race = race(&Course {
            actor: "someone",
            pace: &Pace {
                seconds_a_call: seconds,
                basis: String::new(),
            },
            jewels: &[(jewel, vec![path()])],
            signs: &[((on.to_owned(), PrincipalKind::Unknown), vec![sign])].into(),
            logs: &Logs {
                given: true,
                accounts: ["111122223333".to_owned()].into(),
                data: BTreeSet::new(),
                delays: [("111122223333".to_owned(), delay)].into(),
            },
            response,
        });
        race.jewels[0].clone()
    }

    #[test]
    fn the_sign_has_to_come_before_the_jewel_is_gone() {
        let first = "sts:AssumeRole";
        let won = run(600, first, 300, 500, 0);
        assert_eq!(
            (won.seconds, won.outcome, won.margin),
            (1_200, Outcome::Won, Some(300))
        );
        assert_eq!(run(600, first, 300, 700, 0).outcome, Outcome::Luck);
        assert_eq!(run(60, first, 300, 500, 0).outcome, Outcome::Lost);
        // People take their time too.
        assert_eq!(run(600, first, 300, 500, 400).outcome, Outcome::Lost);
        // A sign of the last step comes after it.
        let last = run(600, "secretsmanager:GetSecretValue", 1, 1, 0);
        assert_eq!(
            (last.outcome, last.first_sign.unwrap().step),
            (Outcome::Lost, 1)
        );
        assert_eq!(run(600, "kms:Sign", 1, 1, 0).outcome, Outcome::Unseen);
    }

    #[test]
    fn who_walks_is_told_by_the_step_before() {
        let path = AttackPath {
            from: "repo".into(),
            to: "x".into(),
            conditions: Vec::new(),
            steps: vec![
                step(
                    "repo",
                    ROLE,
                    "sts-assume-role-with-web-identity",
                    "sts:AssumeRoleWithWebIdentity",
                ),
                step(ROLE, "image", "ecr-push-image", "ecr:PutImage"),
                step("image", "service", "pulled-by", ""),
                step("service", "node", "runs-as", ""),
                step("node", "x", "y", "z:Z"),
            ],
        };
        use PrincipalKind::{Pipeline, Unknown, Workload};
        assert_eq!(
            walkers(&path),
            [Unknown, Pipeline, Unknown, Unknown, Workload]
        );
    }

    #[test]
    fn what_is_not_logged_shows_nothing() {
        let mut logs = Logs {
            given: true,
            accounts: ["1".to_owned()].into(),
            ..Logs::default()
        };
        assert!(logs.has("sts:AssumeRole", Some("1")) && !logs.has("sts:AssumeRole", Some("2")));
        assert!(!logs.has("s3:PutObject", Some("1")));
        logs.data.insert(("1".to_owned(), "s3".to_owned()));
        assert!(logs.has("s3:PutObject", Some("1")));
        assert!(Logs::default().has("s3:PutObject", Some("1")));
        assert_eq!(logs.delay(Some("1")), Delay::DOCUMENTED);
    }
}
