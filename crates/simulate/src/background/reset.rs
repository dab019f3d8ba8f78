//! A telephone is lost: the second factor of an IAM user is taken off by one administrator and put on
//! again by another, some time later, both from the office and in the console.

use serde_json::json;

use super::portal::{Portal, Way, role_session};
use crate::call::Call;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, GLOBAL_REGION, MANAGEMENT, PermissionSet, WEB};
use crate::people::Person;
use crate::session::{Caller, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// The day of the plan on which it happens: in quiet weeks, for plans that have some.
const DAY_OF_PLAN: i64 = 17;
const LEAST_DAYS: u32 = 40;

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let place = stage.place_of(day);
    if stage.days < LEAST_DAYS || place != first_working_day(stage) {
        return;
    }
    let organisation = &stage.organisation;
    let administrators = administrators(stage);
    let [first, second, ..] = administrators[..] else {
        return;
    };
    let mut dice = stage.stream("reset", day);
    let user = &organisation.early_bird.user_name;
    let serial = format!("arn:aws:iam::{}:mfa/{user}", WEB.id);
    let named = json!({"userName": user, "serialNumber": serial});
    let at = day.midnight + 9 * HOUR + dice.between(0, 4 * HOUR);
    let off = [
        Call::named("iam:DeactivateMFADevice").request(named.clone()),
        Call::named("iam:DeleteVirtualMFADevice").request(json!({"serialNumber": serial})),
    ];
    administer(stage, first, WEB, at, &off, &mut dice, out);
    let on = [
        Call::named("iam:CreateVirtualMFADevice")
            .request(json!({"virtualMFADeviceName": user}))
            .response(json!({"virtualMFADevice": {"serialNumber": serial}})),
        Call::named("iam:EnableMFADevice").request(named),
    ];
    let later = at + dice.between(18, 26) * MINUTE;
    administer(stage, second, WEB, later, &on, &mut dice, out);
}

/// Those who may administer all accounts.
pub(crate) fn administrators(stage: &Stage) -> Vec<&Person> {
    let engineers = stage.organisation.engineers.iter().map(|person| &**person);
    engineers
        .filter(|person| administration(stage, person).is_some())
        .collect()
}

fn first_working_day(stage: &Stage) -> i64 {
    (DAY_OF_PLAN..)
        .find(|place| !Day::at(stage.start + place * 24 * HOUR).weekend)
        .unwrap_or(DAY_OF_PLAN)
}

/// What lets a person administer the other accounts.
fn administration(stage: &Stage, person: &Person) -> Option<(Account, &'static PermissionSet)> {
    stage
        .organisation
        .grants(person)
        .into_iter()
        .find(|(account, set)| *account == MANAGEMENT && set.name == "AdministratorAccess")
}

/// An administrator switches to an account's role in the console, and makes some calls.
fn administer(
    stage: &Stage,
    person: &Person,
    of: Account,
    at: i64,
    calls: &[Call],
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let Some(caller) = administrator(stage, person, of, at, dice, out) else {
        return;
    };
    let mut at = at + dice.between(20, 60);
    for call in calls {
        out.benign(dice, at, of, &caller, call);
        at += dice.between(5, 40);
    }
}

/// An administrator signs in and, but in the management account itself, switches to an account's
/// role in the console.
pub(crate) fn administrator(
    stage: &Stage,
    person: &Person,
    of: Account,
    at: i64,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) -> Option<Caller> {
    let (account, set) = administration(stage, person)?;
    let before = at - dice.between(60, 240);
    let session = role_session(stage, person, account, set, Way::Console, before, dice);
    let portal = Portal::open(stage, person, network::OFFICE, before - 30, dice, out);
    portal.take(&session, set, Way::Console, network::OFFICE, dice, out);
    if of == MANAGEMENT {
        return Some(Caller::new(
            &session.identity,
            network::OFFICE,
            &person.browser,
        ));
    }
    let role = stage.organisation.role(of, "OrganizationAccountAccessRole");
    let key = format!("ASIA{}", dice.base32(16));
    let switched = Identity::switched(&role, &person.user_name, &key, at);
    let caller = Caller::new(&switched, network::OFFICE, &person.browser);
    let switch = Call::named("signin:SwitchRole")
        .region(GLOBAL_REGION)
        .response(json!({"SwitchRole": "Success"}))
        .additional(
            json!({"SwitchFrom": session.identity.arn, "RedirectTo": "https://console.aws.amazon.com/iam/home"}),
        );
    let switch = Call {
        event_type: "AwsConsoleSignIn",
        ..switch
    };
    out.benign(dice, at, of, &caller, &switch);
    Some(caller)
}
