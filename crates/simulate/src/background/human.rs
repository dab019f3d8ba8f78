use std::rc::Rc;

use serde_json::json;

use crate::call::{Call, Minted};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, GLOBAL_REGION, MANAGEMENT, PermissionSet, SIGN, WEB};
use crate::people::{Habit, Person, Team};
use crate::session::{Caller, Extra, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// A person's session for one day.
pub(crate) struct SignIn {
    pub(crate) identity: Rc<Identity>,
    pub(crate) account: Account,
    pub(crate) created: i64,
    pub(crate) expires: i64,
}

/// Where a person works from on a day.
pub(crate) fn place(stage: &Stage, day: Day, person: &Person) -> String {
    let mut dice = stage
        .seeds
        .stream("place", day.number() * 1000 + person.number as u64);
    let draw = dice.below(100);
    match person.habit {
        Habit::Contractor => network::CONTRACTOR_DESKTOP.to_owned(),
        Habit::Traveller if travels(stage, day, person) => network::traveller(person.number),
        _ if draw < 88 => network::OFFICE.to_owned(),
        _ if draw < 97 => person.home.clone(),
        _ => network::telephone(person.number),
    }
}

/// Whether a traveller is away: two of every five weeks, each at a time of their own.
fn travels(stage: &Stage, day: Day, person: &Person) -> bool {
    let offset = stage
        .seeds
        .stream("journeys", person.number as u64)
        .below(35);
    (day.number() + offset) % 35 < 14
}

/// The session that a person has on a day by one permission set: the same for whoever asks.
pub(crate) fn sign_in(
    stage: &Stage,
    day: Day,
    person: &Person,
    account: Account,
    set: &PermissionSet,
    from_console: bool,
) -> SignIn {
    let organisation = &stage.organisation;
    let way = if from_console {
        "console"
    } else {
        "command line"
    };
    let mut dice = stage.seeds.stream(
        &format!("session {way} {} {}", account.id, set.name),
        day.number() * 1000 + person.number as u64,
    );
    let wait = if person.number == organisation.early_bird.number {
        4
    } else {
        40
    };
    let created = day.midnight
        + person.begins
        + dice.between(30, wait * MINUTE)
        + if from_console { 20 * MINUTE } else { 0 };
    let key = format!("ASIA{}", dice.base32(16));
    let role = organisation.reserved_role(account, set.name);
    let extra = Extra::Person {
        organisation,
        person,
        from_console,
    };
    SignIn {
        identity: Identity::role_session(&role, &person.user_name, &key, created, extra),
        account,
        created,
        expires: created + set.hours * HOUR,
    }
}

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

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let organisation = &stage.organisation;
    for person in &organisation.engineers {
        let mut dice = stage
            .seeds
            .stream("human", day.number() * 1000 + person.number as u64);
        let early_bird = person.number == organisation.early_bird.number;
        let works = !day.weekend
            && (early_bird || dice.permille(920 * stage.volume.max(40) / 1000))
            && !not_yet_hired(stage, day, person);
        if !works {
            continue;
        }
        let address = place(stage, day, person);
        for (account, set) in organisation.grants(person) {
            let (by_line, by_console) = habits(set.name, person);
            if dice.permille(by_line) || (early_bird && set.name == "WebDeploy") {
                day_of_work(
                    stage, day, person, account, set, false, &address, &mut dice, out,
                );
            }
            if dice.permille(by_console) {
                day_of_work(
                    stage, day, person, account, set, true, &address, &mut dice, out,
                );
            }
        }
    }
    if !day.weekend {
        own_user(stage, day, out);
    }
    night_duty(stage, day, out);
}

/// The new colleague joins twelve days after the logs begin.
fn not_yet_hired(stage: &Stage, day: Day, person: &Person) -> bool {
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

#[allow(clippy::too_many_arguments)]
fn day_of_work(
    stage: &Stage,
    day: Day,
    person: &Person,
    account: Account,
    set: &PermissionSet,
    from_console: bool,
    address: &str,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let session = sign_in(stage, day, person, account, set, from_console);
    portal(
        stage,
        person,
        &session,
        set,
        address,
        from_console,
        dice,
        out,
    );
    let client = if from_console {
        &person.browser
    } else {
        &person.command_line
    };
    let caller = Caller::new(&session.identity, address, client);
    let in_container = Caller::new(&session.identity, address, &person.container);
    let ends = (day.midnight + person.ends).min(session.expires - 5 * MINUTE);
    let bursts = if from_console {
        dice.between(4, 9)
    } else {
        dice.between(5, 13)
    };
    for _ in 0..bursts {
        let mut at =
            session.created + 10 + dice.below((ends - session.created - 30).max(1) as u64) as i64;
        // Half of what would fall into the lunch break is done an hour later.
        if (12 * HOUR..13 * HOUR).contains(&(at - day.midnight))
            && dice.permille(500)
            && at + HOUR < ends
        {
            at += HOUR;
        }
        let pool = if from_console {
            pages(set.name)
        } else {
            lines(set.name)
        };
        let first = dice.below(pool.len() as u64);
        for turn in 0..dice.between(2, 6) {
            // A console page makes neighbouring calls; on the command line anything follows.
            let next = if from_console {
                first + turn as u64 / 2
            } else {
                dice.below(64)
            };
            let call = human_call(
                stage,
                pool[next as usize % pool.len()],
                &session.identity,
                dice,
            );
            let caller = if person.habit == Habit::Container && !from_console && dice.permille(400)
            {
                &in_container
            } else {
                &caller
            };
            out.benign(dice, at, account, caller, &call);
            at += if from_console {
                dice.between(0, 3)
            } else {
                dice.between(2, 40)
            };
        }
    }
    if set.name == "PlatformEngineer" && account == WEB && !from_console && dice.permille(250) {
        chain(stage, &session, &caller, dice, out);
    }
}

/// What Identity Center records when a person takes a permission set.
#[allow(clippy::too_many_arguments)]
fn portal(
    stage: &Stage,
    person: &Person,
    session: &SignIn,
    set: &PermissionSet,
    address: &str,
    from_console: bool,
    dice: &mut Dice,
    out: &mut Delivery<'_>,
) {
    let organisation = &stage.organisation;
    let credential = dice.uuid();
    let identity = Identity::portal(organisation, person, &credential);
    let browser = Caller::new(&identity, address, &person.browser);
    let time = session.created - 6;
    let authenticated =
        Call::named("sso:Authenticate").service_event(json!({"CredentialType": "EXTERNAL_IDP"}));
    out.benign(dice, time - 40, MANAGEMENT, &browser, &authenticated);
    let details = json!({"role_name": set.name, "account_id": session.account.id});
    if from_console {
        let call = Call::named("sso:Federate").service_event(details);
        out.benign(dice, time, MANAGEMENT, &browser, &call);
    } else {
        let line = Caller::new(&identity, address, &person.command_line);
        out.benign(
            dice,
            time - 15,
            MANAGEMENT,
            &line,
            &Call::named("sso:CreateToken").service_event(json!({})),
        );
        let call = Call::named("sso:GetRoleCredentials").service_event(details);
        out.benign(dice, time, MANAGEMENT, &line, &call);
    }
    let role = organisation.reserved_role(session.account, set.name);
    let provider = stage
        .seeds
        .stream(&format!("saml {}", session.account.id), 0)
        .alphanumeric(27);
    let principal = format!(
        "arn:aws:iam::{}:saml-provider/AWSSSO_{}_DO_NOT_DELETE",
        session.account.id,
        stage.seeds.stream("saml", 0).hex(16)
    );
    let (key, token) = (format!("ASIA{}", dice.base32(16)), session_token(dice));
    let minted = Minted {
        key: &key,
        token: &token,
        expires: session.created + set.hours * HOUR,
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
    out.benign(dice, session.created, session.account, &caller, &call);
    if from_console {
        let login = Call::named("signin:ConsoleLogin")
            .region(GLOBAL_REGION)
            .response(json!({"ConsoleLogin": "Success"}))
            .additional(json!({"MobileVersion": "No", "MFAUsed": "No"}));
        let login = Call {
            event_type: "AwsConsoleSignIn",
            ..login
        };
        let mut identity = (*session.identity).clone();
        identity.console = false;
        out.benign(
            dice,
            session.created + 1,
            session.account,
            &Caller::new(&Rc::new(identity), address, &person.browser),
            &login,
        );
    }
}

/// The opaque part of a session, shortened: real ones are a kilobyte long.
pub(crate) fn session_token(dice: &mut Dice) -> String {
    format!("IQoJb3JpZ2luX2Vj{}", dice.alphanumeric(48))
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
    for step in 0..stage.amount(dice, 4, 12) {
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

/// The early bird's IAM user of old times: a sign-in with a second factor now and then, and a key
/// that a script uses.
fn own_user(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    let person = &stage.organisation.early_bird;
    let mut dice = stage.stream("own user", day);
    let address = place(stage, day, person);
    let (login, session, created) = user_console(stage, day);
    let browser = Caller::new(&login, &address, &person.browser);
    let device = format!("arn:aws:iam::{}:mfa/{}", WEB.id, person.user_name);
    let call = console_login(&device);
    out.benign(&mut dice, created, WEB, &browser, &call);
    let caller = Caller::new(&session, &address, &person.browser);
    let mut at = created;
    for _ in 0..stage.amount(&mut dice, 3, 9) {
        at += dice.between(20, 30 * MINUTE);
        let name = dice.pick(pages("WebDeploy"));
        let call = human_call(stage, name, &session, &mut dice);
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
    let key = format!("ASIA{}", dice.base32(16));
    let role = stage.organisation.reserved_role(account, set.name);
    let extra = Extra::Person {
        organisation: &stage.organisation,
        person,
        from_console: false,
    };
    let session = SignIn {
        identity: Identity::role_session(&role, &person.user_name, &key, created, extra),
        account,
        created,
        expires: created + set.hours * HOUR,
    };
    portal(
        stage,
        person,
        &session,
        set,
        &person.home,
        false,
        &mut dice,
        out,
    );
    let caller = Caller::new(&session.identity, &person.home, &person.command_line);
    let mut at = created + 30;
    for _ in 0..stage.amount(&mut dice, 25, 60) {
        let name = dice.pick(lines("PlatformEngineer"));
        let call = human_call(stage, name, &session.identity, &mut dice);
        out.benign(&mut dice, at, account, &caller, &call);
        at += dice.between(3, 70);
    }
}

/// A call as a person makes it: now and then refused, throttled, or on what does not exist.
fn human_call(stage: &Stage, name: &str, identity: &Identity, dice: &mut Dice) -> Call {
    let organisation = &stage.organisation;
    let (name, bucket_like) = match name.split_once('@') {
        Some((name, on)) => (name, Some(on)),
        None => (name, None),
    };
    let mut call = match bucket_like {
        Some("distribution") => Call::named(name).request(json!({"id": organisation.distribution})),
        Some("repository") => Call::repository(name, WEB.id, dice.pick(&["web-edge", "api", "ledger", "quotes"]), json!({"maxResults": 100})),
        Some("bucket") => Call::bucket(name, dice.pick(&["halyard-build-cache", "halyard-app-logs", "halyard-reports", "halyard-media-dev"])),
        Some("object") => {
            let key = format!("reports/{}/{}.csv", dice.below(12) + 1, dice.hex(8));
            Call::object(name, dice.pick(&["halyard-reports", "halyard-build-cache"]), &key, dice.between(900, 90_000))
        }
        Some("log") => Call::named(name).request(json!({"logGroupName": format!("/halyard/{}", dice.pick(&["api", "ledger", "quotes", "web-edge"]))})),
        Some("role") => Call::named(name).request(json!({"roleName": format!("svc-{}", dice.pick(&["api", "ledger", "quotes", "rates"]))})),
        _ => Call::named(name),
    };
    match dice.below(1000) {
        0..=29 => call = call.denied(identity),
        30..=34 => call = call.failed("ThrottlingException", "Rate exceeded"),
        35..=39 if call.operation == "GetObject" => {
            call = call.failed("NoSuchKey", "The specified key does not exist.")
        }
        35..=38 => {
            call = call.failed(
                "ResourceNotFoundException",
                "The requested resource does not exist.",
            )
        }
        _ => {}
    }
    call
}

/// What people look at in the console, by permission set.
fn pages(set: &str) -> &'static [&'static str] {
    match set {
        "WebDeploy" => &[
            "cloudwatch:DescribeAlarms",
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "cloudwatch:GetMetricData",
            "ecs:ListServices",
            "ecs:DescribeServices",
            "ecr:DescribeRepositories",
            "cloudfront:ListInvalidations@distribution",
        ],
        "Developer" => &[
            "lambda:ListFunctions20150331",
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "dynamodb:ListTables",
            "sqs:ListQueues",
            "cloudwatch:GetMetricData",
            "states:ListStateMachines",
            "s3:ListBuckets",
            "s3:GetBucketLocation@bucket",
        ],
        "PlatformEngineer" => &[
            "ec2:DescribeInstances",
            "ec2:DescribeVolumes",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeTags",
            "autoscaling:DescribeAutoScalingGroups",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTargetHealth",
            "eks:DescribeCluster",
            "rds:DescribeDBInstances",
            "iam:ListRoles",
            "iam:GetRole@role",
            "cloudwatch:DescribeAlarms",
            "s3:GetBucketTagging@bucket",
        ],
        "SecurityAudit" => &[
            "guardduty:ListFindings",
            "securityhub:GetFindings",
            "access-analyzer:ListFindings",
            "iam:ListUsers",
            "iam:ListRoles",
            "iam:GetAccountSummary",
            "cloudtrail:LookupEvents",
            "config:DescribeComplianceByConfigRule",
            "s3:GetBucketPolicy@bucket",
        ],
        "Billing" => &[
            "ce:GetCostAndUsage",
            "ce:GetCostForecast",
            "budgets:ViewBudget",
            "organizations:ListAccounts",
        ],
        "SignerOperator" => &[
            "kms:ListAliases",
            "kms:DescribeKey",
            "cloudwatch:GetMetricData",
            "logs:FilterLogEvents@log",
            "ecs:DescribeServices",
        ],
        _ => &[
            "logs:DescribeLogGroups",
            "logs:FilterLogEvents@log",
            "cloudwatch:GetMetricData",
            "cloudwatch:DescribeAlarms",
            "rds:DescribeDBInstances",
            "ecs:DescribeServices",
        ],
    }
}

/// What people do on the command line, by permission set.
fn lines(set: &str) -> &'static [&'static str] {
    match set {
        "WebDeploy" => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "logs:GetQueryResults",
            "ecr:DescribeImages@repository",
            "ecs:DescribeServices",
            "ecs:ListTasks",
            "cloudformation:DescribeStacks",
            "cloudfront:GetInvalidation@distribution",
        ],
        "Developer" => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "lambda:ListFunctions20150331",
            "s3:GetObject@object",
            "s3:ListBuckets",
            "dynamodb:DescribeTable",
            "sqs:GetQueueAttributes",
            "ecr:DescribeImages@repository",
            "ecr:GetAuthorizationToken",
            "cloudformation:DescribeStackEvents",
            "ssm:GetParameter",
        ],
        "PlatformEngineer" => &[
            "sts:GetCallerIdentity",
            "eks:DescribeCluster",
            "ec2:DescribeInstances",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            "ecs:UpdateService",
            "ecs:DescribeServices",
            "autoscaling:DescribeAutoScalingGroups",
            "logs:FilterLogEvents@log",
            "ssm:DescribeParameters",
            "cloudformation:DescribeStacks",
            "iam:GetRole@role",
            "route53:ListHostedZones",
            "ec2:CreateTags",
        ],
        "SecurityAudit" => &[
            "sts:GetCallerIdentity",
            "iam:ListUsers",
            "iam:GetRole@role",
            "cloudtrail:LookupEvents",
            "access-analyzer:ListFindings",
            "guardduty:ListFindings",
        ],
        "SignerOperator" => &[
            "sts:GetCallerIdentity",
            "kms:DescribeKey",
            "ecs:DescribeServices",
            "logs:FilterLogEvents@log",
        ],
        _ => &[
            "sts:GetCallerIdentity",
            "logs:FilterLogEvents@log",
            "logs:StartQuery@log",
            "s3:GetObject@object",
            "rds:DescribeDBInstances",
            "ecs:DescribeServices",
        ],
    }
}
