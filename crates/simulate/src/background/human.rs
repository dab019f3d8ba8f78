use serde_json::json;

use super::commands::{human_call, lines, pages};
use super::own_user::own_user;
use super::place::Place;
use super::portal::{Portal, SignIn, Way, role_session, session_token, sign_in};
use super::shell;
use crate::call::{Call, Minted};
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::organisation::{PermissionSet, SIGN, WEB};
use crate::people::{Habit, Person, Team};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let organisation = &stage.organisation;
    for person in &organisation.engineers {
        let mut dice = stage
            .seeds
            .stream("human", day.number() * 1000 + person.number as u64);
        let early_bird = person.number == organisation.early_bird.number;
        let works = !day.weekend
            && (early_bird || dice.permille(920 * stage.volume.clamp(40, 1000) / 1000))
            && !not_yet_hired(stage, day, person);
        if !works {
            continue;
        }
        let place = Place::of(stage, day, person);
        let mut portal = None;
        for (account, set) in organisation.grants(person) {
            let (by_line, by_console) = habits(set.name, person);
            let mut ways = Vec::new();
            if dice.permille(by_line) || (early_bird && set.name == "WebDeploy") {
                ways.push(Way::Line);
                // The early bird's keys are one a day, which is the least that there can be.
                if !early_bird && dice.permille(300) {
                    ways.push(Way::LineAgain);
                }
            }
            if dice.permille(by_console) {
                ways.push(Way::Console);
            }
            for way in ways {
                let session = sign_in(stage, day, person, account, set, way);
                let portal = portal.get_or_insert_with(|| {
                    let at = day.midnight + person.begins - dice.between(5, 60);
                    let address = place.at(at, &mut dice).to_owned();
                    Portal::open(stage, person, &address, at, &mut dice, out)
                });
                let address = place.at(session.created, &mut dice).to_owned();
                portal.take(&session, set, way, &address, &mut dice, out);
                let work = Work {
                    stage,
                    day,
                    person,
                    set,
                    way,
                    place: &place,
                    session: &session,
                };
                work.play(&mut dice, out);
            }
        }
    }
    if !day.weekend {
        own_user(stage, day, out);
    }
    night_duty(stage, day, out);
}

/// The new colleague joins twelve days after the logs begin.
pub(super) fn not_yet_hired(stage: &Stage, day: Day, person: &Person) -> bool {
    person.habit == Habit::NewHire && stage.place_of(day) < 12
}

/// How often, in thousandths of the working days, a permission set is used by command line and by
/// console.
fn habits(set: &str, person: &Person) -> (u64, u64) {
    let (line, console) = match set {
        "WebDeploy" => (650, 300),
        "PlatformEngineer" => (750, 450),
        "Developer" => (650, 350),
        "ProdReadOnly" => (250, 450),
        "SignerOperator" => (120, 200),
        "SecurityAudit" => (200, 350),
        "Billing" => (0, 300),
        _ => (0, 40),
    };
    match person.team {
        Team::Web if set == "Developer" => (line / 2, console / 2),
        _ => (line, console),
    }
}

/// What a person does with one session.
struct Work<'a> {
    stage: &'a Stage,
    day: Day,
    person: &'a Person,
    set: &'a PermissionSet,
    way: Way,
    place: &'a Place,
    session: &'a SignIn,
}

impl Work<'_> {
    fn play(&self, dice: &mut Dice, out: &mut Delivery<'_>) {
        let (stage, person, session) = (self.stage, self.person, self.session);
        let midnight = self.day.midnight;
        let ends = (midnight + person.ends).min(session.expires - 5 * MINUTE);
        let (fewest, most) = match self.way {
            Way::Line => (5, 13),
            Way::LineAgain => (1, 4),
            Way::Console => (4, 9),
        };
        for _ in 0..stage.repeated(dice.between(fewest, most)) {
            let mut at = session.created
                + 10
                + dice.below((ends - session.created - 30).max(1) as u64) as i64;
            // Half of what would fall into the lunch break is done an hour later.
            if (12 * HOUR..13 * HOUR).contains(&(at - midnight))
                && dice.permille(500)
                && at + HOUR < ends
            {
                at += HOUR;
            }
            self.burst(at, dice, out);
        }
        if self.way == Way::Console && dice.permille(30 * stage.volume.min(1000) / 1000) {
            let at = session.created + dice.between(10 * MINUTE, 40 * MINUTE);
            let caller = Caller::new(&session.identity, self.place.at(at, dice), &person.browser);
            shell::play(stage, person, self.set, session, &caller, at, dice, out);
        }
        if self.set.name == "PlatformEngineer"
            && session.account == WEB
            && self.way == Way::Line
            && dice.permille(250)
        {
            let caller = Caller::new(
                &session.identity,
                self.place.at(session.created, dice),
                &person.command_line,
            );
            chain(stage, session, &caller, dice, out);
        }
    }

    /// Some calls one after the other.
    fn burst(&self, from: i64, dice: &mut Dice, out: &mut Delivery<'_>) {
        let (person, session) = (self.person, self.session);
        let console = self.way == Way::Console;
        let pool = if console {
            pages(self.set.name)
        } else {
            lines(self.set.name)
        };
        let first = dice.below(pool.len() as u64);
        let mut at = from;
        for turn in 0..dice.between(2, 6) {
            // A console page makes neighbouring calls; on the command line anything follows.
            let next = if console {
                first + turn as u64 / 2
            } else {
                dice.below(64)
            };
            let call = human_call(
                self.stage,
                pool[next as usize % pool.len()],
                &session.identity,
                dice,
            );
            let client = if console {
                &person.browser
            } else if person.habit == Habit::Container && dice.permille(400) {
                &person.container
            } else {
                &person.command_line
            };
            let caller = Caller::new(&session.identity, self.place.at(at, dice), client);
            out.benign(dice, at, session.account, &caller, &call);
            at += if console {
                dice.between(0, 3)
            } else {
                dice.between(2, 40)
            };
        }
    }
}

/// A platform engineer goes on into the signing account by a role there.
fn chain(
    stage: &Stage,
    session: &SignIn,
    caller: &Caller,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let role = stage.organisation.role(SIGN, "platform-operations");
    let key = format!("ASIA{}", dice.base32(16));
    let token = session_token(dice);
    let at = session.created + dice.between(20 * MINUTE, 2 * HOUR);
    let name = session
        .identity
        .arn
        .rsplit('/')
        .next()
        .unwrap_or("engineer")
        .to_owned();
    let minted = Minted {
        key: &key,
        token: &token,
        expires: at + HOUR,
    };
    let call = Call::assume_role(
        "sts:AssumeRole",
        &role,
        &name,
        &minted,
        json!({"durationSeconds": 3600}),
    );
    out.benign(dice, at, WEB, caller, &call);
    let chained = Identity::role_session(&role, &name, &key, at, Extra::None);
    let chained = Caller {
        identity: chained,
        ..caller.clone()
    };
    for step in 0..stage.length(dice, 4, 12) {
        let name = dice.pick(&[
            "ecs:DescribeServices",
            "ec2:DescribeInstances",
            "logs:DescribeLogGroups",
            "cloudwatch:DescribeAlarms",
            "kms:ListAliases",
        ]);
        let later = at + 30 + step * dice.between(15, 90);
        out.benign(dice, later, SIGN, &chained, &Call::named(name));
    }
}

/// One of the platform team is called at night once in four days.
fn night_duty(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let mut dice = stage.stream("night duty", day);
    if !dice.permille(250) {
        return;
    }
    let platform: Vec<_> = stage
        .organisation
        .engineers
        .iter()
        .filter(|person| person.team == Team::Platform)
        .collect();
    // A week each.
    let Some(person) = platform.get((day.number() / 7) as usize % platform.len().max(1)) else {
        return;
    };
    let Some((account, set)) = stage
        .organisation
        .grants(person)
        .into_iter()
        .find(|(account, _)| *account == WEB)
    else {
        return;
    };
    let created = day.midnight + dice.between(30 * MINUTE, 4 * HOUR);
    let session = role_session(stage, person, account, set, Way::Line, created, &mut dice);
    let portal = Portal::open(stage, person, &person.home, created - 40, &mut dice, out);
    portal.take(&session, set, Way::Line, &person.home, &mut dice, out);
    let caller = Caller::new(&session.identity, &person.home, &person.command_line);
    let mut at = created + 30;
    for _ in 0..stage.length(&mut dice, 25, 60) {
        let name = dice.pick(lines("PlatformEngineer"));
        let call = human_call(stage, name, &session.identity, &mut dice);
        out.benign(&mut dice, at, account, &caller, &call);
        at += dice.between(3, 70);
    }
}
