//! The early bird's IAM user, left from before Identity Center.

use std::rc::Rc;

use serde_json::json;

use super::commands::{human_call, pages};
use super::occasion::long_lived_key;
use super::place::Place;
use super::portal::session_token;
use crate::call::{Call, Minted};
use crate::delivery::Delivery;
use crate::organisation::{Account, GLOBAL_REGION, WEB};
use crate::session::{Caller, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// The session of the early bird's own IAM user in the console, on the days on which it is used.
pub(crate) fn user_console(stage: &Stage, day: Day) -> (Rc<Identity>, Rc<Identity>, i64) {
    let person = &stage.organisation.early_bird;
    let mut dice = stage.stream("user console", day);
    let created = day.midnight + person.begins + dice.between(20, 50) * MINUTE;
    let id = user_id(stage, WEB, &person.user_name);
    let key = format!("ASIA{}", dice.base32(16));
    let login = Identity::user_in_console(WEB.id, &person.user_name, &id, None);
    let session = Identity::user_in_console(WEB.id, &person.user_name, &id, Some((&key, created)));
    (login, session, created)
}

/// The id of an IAM user.
pub(crate) fn user_id(stage: &Stage, account: Account, name: &str) -> String {
    format!(
        "AIDA{}",
        stage
            .seeds
            .stream(&format!("user {} {name}", account.id), 0)
            .base32(17)
    )
}

/// A sign-in to the console with a second factor each day, and now and then a session for the command
/// line that the long-lived key and the second factor give together: without one the key may do
/// nothing.
pub(super) fn own_user(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let person = &stage.organisation.early_bird;
    let mut dice = stage.stream("own user", day);
    let place = Place::of(stage, day, person);
    let (login, session, created) = user_console(stage, day);
    let device = format!("arn:aws:iam::{}:mfa/{}", WEB.id, person.user_name);
    let browser = Caller::new(&login, place.at(created, &mut dice), &person.browser);
    let call = console_login(&device);
    out.benign(&mut dice, created, WEB, &browser, &call);
    let mut at = created;
    for _ in 0..stage.length(&mut dice, 3, 9) {
        at += dice.between(20, 30 * MINUTE);
        let name = dice.pick(pages("WebDeploy"));
        let call = human_call(stage, name, &session, &mut dice);
        let caller = Caller::new(&session, place.at(at, &mut dice), &person.browser);
        out.benign(&mut dice, at, WEB, &caller, &call);
    }
    if !dice.permille(250) {
        return;
    }
    let id = user_id(stage, WEB, &person.user_name);
    let long_lived = long_lived_key(stage.seeds, WEB.id, &person.user_name);
    let user = Identity::user(WEB.id, &person.user_name, &id, &long_lived);
    let mut at = created + dice.between(HOUR, 3 * HOUR);
    let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(&mut dice));
    let minted = Minted {
        key: &key,
        token: &token,
        expires: at + 8 * HOUR,
    };
    let call = Call::named("sts:GetSessionToken")
        .request(json!({"durationSeconds": 8 * HOUR, "serialNumber": device}))
        .response(json!({"credentials": minted.credentials()}));
    let address = place.at(at, &mut dice).to_owned();
    let caller = Caller::new(&user, &address, &person.command_line);
    out.benign(&mut dice, at, WEB, &caller, &call);
    let session = Identity::user_session(WEB.id, &person.user_name, &id, &key, at);
    for name in [
        "sts:GetCallerIdentity",
        "ecs:ListServices",
        "ecs:DescribeServices",
        "logs:FilterLogEvents@log",
    ] {
        at += dice.between(5, 90);
        let call = human_call(stage, name, &session, &mut dice);
        let caller = Caller::new(&session, &address, &person.command_line);
        out.benign(&mut dice, at, WEB, &caller, &call);
    }
}

/// A console sign-in with a second factor.
pub(super) fn console_login(device: &str) -> Call {
    let call = Call::named("signin:ConsoleLogin")
        .region(GLOBAL_REGION)
        .response(json!({"ConsoleLogin": "Success"}))
        .additional(json!({
            "LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No",
            "MFAIdentifier": device, "MFAUsed": "Yes",
        }));
    Call {
        event_type: "AwsConsoleSignIn",
        ..call
    }
}
