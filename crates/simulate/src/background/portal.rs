//! What Identity Center records.
//!
//! A person signs in to its portal once a day: `UserAuthentication` by the sign-in service, then
//! `Authenticate` by the portal. All that follows carries one `credentialId`, the portal's session.
//! Each time a role is taken, the portal records `GetRoleCredentials` (for a command line) or
//! `Federate` (for the console) without saying what it gave; in the account of the role,
//! `AssumeRoleWithSAML` comes from an address of the provider's own and names a key that is not the
//! one which the session then uses.

use std::rc::Rc;

use serde_json::json;

use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, GLOBAL_REGION, HOME_REGION, MANAGEMENT, PermissionSet};
use crate::people::Person;
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// How a person uses a permission set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the command line.
    Line,
    /// By the command line once more, later in the day: another tool, or what the first had taken
    /// has ended. Another key of the same role.
    LineAgain,
    /// By the console.
    Console,
}

/// A person's session of a role.
pub(crate) struct SignIn {
    pub(crate) identity: Rc<Identity>,
    pub(crate) account: Account,
    pub(crate) created: i64,
    pub(crate) expires: i64,
}

/// The session that a person has on a day by one permission set: the same for whoever asks.
pub(crate) fn sign_in(
    stage: &Stage,
    day: Day,
    person: &Person,
    account: Account,
    set: &PermissionSet,
    way: Way,
) -> SignIn {
    let organisation = &stage.organisation;
    let (name, later) = match way {
        Way::Line => ("command line", 0),
        Way::LineAgain => ("command line again", 4 * HOUR),
        Way::Console => ("console", 20 * MINUTE),
    };
    let mut dice = stage.seeds.stream(
        &format!("session {name} {} {}", account.id, set.name),
        day.number() * 1000 + person.number as u64,
    );
    let wait = if person.number == organisation.early_bird.number {
        4
    } else {
        40
    };
    let created = day.midnight + person.begins + dice.between(30, wait * MINUTE) + later;
    role_session(stage, person, account, set, way, created, &mut dice)
}

/// A session of the role that a permission set gives, taken at this time.
pub(super) fn role_session(
    stage: &Stage,
    person: &Person,
    account: Account,
    set: &PermissionSet,
    way: Way,
    created: i64,
    dice: &mut Dice,
) -> SignIn {
    let organisation = &stage.organisation;
    let key = format!("ASIA{}", dice.base32(16));
    let role = organisation.reserved_role(account, set.name);
    let extra = Extra::Person {
        organisation,
        person,
        from_console: way == Way::Console,
    };
    SignIn {
        identity: Identity::role_session(&role, &person.user_name, &key, created, extra),
        account,
        created,
        expires: created + set.hours * HOUR,
    }
}

/// A person in the portal.
pub(super) struct Portal<'a> {
    stage: &'a Stage,
    person: &'a Person,
    identity: Rc<Identity>,
}

impl<'a> Portal<'a> {
    /// The person signs in with the organisation's identity provider.
    pub(super) fn open(
        stage: &'a Stage,
        person: &'a Person,
        address: &str,
        at: i64,
        dice: &mut Dice,
        out: &mut Delivery<'_>,
    ) -> Self {
        let organisation = &stage.organisation;
        let identity = Identity::portal(organisation, person, &dice.uuid());
        let browser = Caller::new(&identity, address, &person.browser);
        let authenticated = Call::named("signin:UserAuthentication")
            .region(HOME_REGION)
            .additional(json!({
                "AuthWorkflowID": dice.uuid(), "CredentialType": "EXTERNAL_IDP",
                "LoginTo": format!("https://{}.awsapps.com/start/", organisation.identity_store),
                "UserName": person.email,
            }))
            .service_event(json!({"UserAuthentication": "Success"}));
        out.benign(dice, at, MANAGEMENT, &browser, &authenticated);
        let entered = Call::named("sso:Authenticate")
            .service_event(json!({"CredentialType": "EXTERNAL_IDP"}));
        out.benign(dice, at + 2, MANAGEMENT, &browser, &entered);
        Self {
            stage,
            person,
            identity,
        }
    }

    /// The person takes a role there.
    pub(super) fn take(
        &self,
        session: &SignIn,
        set: &PermissionSet,
        way: Way,
        address: &str,
        dice: &mut Dice,
        out: &mut Delivery<'_>,
    ) {
        let person = self.person;
        let browser = Caller::new(&self.identity, address, &person.browser);
        let line = Caller::new(&self.identity, address, &person.command_line);
        let asked = session.created - dice.between(0, 2);
        let details = json!({"role_name": set.name, "account_id": session.account.id});
        if way == Way::Console {
            let accounts = Call::named("sso:ListAccounts").service_event(json!({}));
            out.benign(dice, asked - 9, MANAGEMENT, &browser, &accounts);
            let call = Call::named("sso:Federate").service_event(details);
            out.benign(dice, asked, MANAGEMENT, &browser, &call);
        } else {
            if way == Way::Line {
                let call = Call::named("sso:CreateToken").service_event(json!({}));
                out.benign(dice, asked - 15, MANAGEMENT, &line, &call);
            }
            let call = Call::named("sso:GetRoleCredentials").service_event(details);
            out.benign(dice, asked, MANAGEMENT, &line, &call);
        }
        self.assume(session, set, dice, out);
        if way == Way::Console {
            self.console(session, address, dice, out);
        }
    }

    /// Identity Center takes the role for the person. The key that the record names is used by
    /// nobody.
    fn assume(
        &self,
        session: &SignIn,
        set: &PermissionSet,
        dice: &mut Dice,
        out: &mut Delivery<'_>,
    ) {
        let (stage, person) = (self.stage, self.person);
        let account = session.account;
        let role = stage.organisation.reserved_role(account, set.name);
        let provider = stage
            .seeds
            .stream(&format!("saml {}", account.id), 0)
            .alphanumeric(27);
        let principal = format!(
            "arn:aws:iam::{}:saml-provider/AWSSSO_{}_DO_NOT_DELETE",
            account.id,
            stage.seeds.stream("saml", 0).hex(16)
        );
        let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(dice));
        let minted = Minted {
            key: &key,
            token: &token,
            expires: session.expires,
        };
        let request = json!({"principalArn": principal, "sAMLAssertionID": format!("_{}", dice.uuid()), "durationSeconds": set.hours * HOUR});
        let call = Call::assume_role(
            "sts:AssumeRoleWithSAML",
            &role,
            &person.user_name,
            &minted,
            request,
        );
        let client = Client::fixed(
            "aws-internal/3 aws-sdk-java/1.12.780 Linux/5.10.233 OpenJDK_64-Bit_Server_VM/17 java/17.0.13 kotlin/1.9.23",
        );
        let caller = Caller::new(
            &Identity::saml(person, &format!("{provider}=")),
            dice.pick(&network::IDENTITY_CENTER),
            &client,
        );
        out.benign(dice, session.created, account, &caller, &call);
    }

    /// The console is opened with the session.
    fn console(&self, session: &SignIn, address: &str, dice: &mut Dice, out: &mut Delivery<'_>) {
        let mut identity = (*session.identity).clone();
        identity.console = false;
        let identity = Rc::new(identity);
        // The provider's own client asks for the token with which the browser then signs in.
        let client = Client::fixed("Jersey/${project.version} (HttpUrlConnection 17.0.13)");
        let token = Call::named("signin:GetSigninToken")
            .region(GLOBAL_REGION)
            .response(json!({"GetSigninToken": "Success"}))
            .additional(json!({"MobileVersion": "No", "MFAUsed": "No"}));
        let token = Call {
            event_type: "AwsConsoleSignIn",
            ..token
        };
        let provider = Caller::new(&identity, dice.pick(&network::IDENTITY_CENTER), &client);
        out.benign(dice, session.created, session.account, &provider, &token);
        let login = Call::named("signin:ConsoleLogin")
            .region(GLOBAL_REGION)
            .response(json!({"ConsoleLogin": "Success"}))
            .additional(json!({"MobileVersion": "No", "MFAUsed": "No"}));
        let login = Call {
            event_type: "AwsConsoleSignIn",
            ..login
        };
        let browser = Caller::new(&identity, address, &self.person.browser);
        out.benign(dice, session.created + 1, session.account, &browser, &login);
    }
}

/// The opaque part of a session, shortened: real ones are a kilobyte long.
pub(crate) fn session_token(dice: &mut Dice) -> String {
    format!("IQoJb3JpZ2luX2Vj{}", dice.alphanumeric(48))
}
