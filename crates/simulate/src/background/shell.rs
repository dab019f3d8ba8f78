//! The shell that the provider's console opens: its calls come from the provider's addresses.

use serde_json::json;

use super::commands::{human_call, lines};
use super::portal::SignIn;
use crate::call::Call;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::PermissionSet;
use crate::people::Person;
use crate::session::{Caller, Extra, Identity};
use crate::stage::Stage;

/// A person opens the shell from the console and works in it for a while. It is handed the console's
/// session: the same role and moment of creation, another key.
#[allow(clippy::too_many_arguments)]
pub(super) fn play(
    stage: &Stage,
    person: &Person,
    set: &PermissionSet,
    session: &SignIn,
    console: &Caller,
    from: i64,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let account = session.account;
    let environment = json!({"EnvironmentId": dice.uuid()});
    for (offset, name, request) in [
        (0, "cloudshell:CreateEnvironment", json!({})),
        (3, "cloudshell:CreateSession", environment.clone()),
        (4, "cloudshell:PutCredentials", environment),
    ] {
        let call = Call::named(name).request(request);
        out.benign(dice, from + offset, account, console, &call);
    }
    let key = format!("ASIA{}", dice.base32(16));
    let role = stage.organisation.reserved_role(account, set.name);
    let extra = Extra::Person {
        organisation: &stage.organisation,
        person,
        from_console: true,
    };
    let handed = Identity::role_session(&role, &person.user_name, &key, session.created, extra);
    let client = Client::command_line(
        "2.24.10 md/awscrt#0.23.8",
        "os/linux#6.1.128-136.201.amzn2023.x86_64 md/arch#x86_64 lang/python#3.12.9 md/pyimpl#CPython exec-env/CloudShell cfg/retry-mode#standard md/installer#exe md/distrib#amzn.2023 md/prompt#off",
    );
    let caller = Caller::new(&handed, dice.pick(&network::CONSOLE_SHELL), &client);
    let pool = lines(set.name);
    let mut at = from + 20;
    for _ in 0..dice.between(3, 8) {
        let call = human_call(stage, dice.pick(pool), &handed, dice);
        out.benign(dice, at, account, &caller, &call);
        at += dice.between(4, 60);
    }
}
