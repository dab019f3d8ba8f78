//! Administrators change who may do what: policies, roles, keys, memberships, guard rails. Each
//! change is a record in the logs and, beside it, an edit of the inventory, so that the inventory of
//! any instant is known.

mod identities;
mod resources;

use serde_json::Value;

use crate::background::{administrator, administrators};
use crate::call::Call;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::estate::iam::{allow, document};
use crate::estate::{AccountInventory, Inventory};
use crate::organisation::{Account, DEV, HOME_REGION, MANAGEMENT, SIGN, WEB};
use crate::stage::{Day, Stage};
use crate::time::{DAY, HOUR};

/// What one call makes of the inventory.
type Edit = Box<dyn Fn(&mut Inventory)>;

/// One call of an administrator.
struct Step {
    /// Seconds after the first call of the same errand.
    after: i64,
    account: Account,
    call: Call,
    edit: Edit,
}

/// A call that is made at a time.
struct Planned {
    at: i64,
    step: Step,
}

/// All changes of a plan, in order of time.
pub(crate) struct Administration {
    planned: Vec<Planned>,
}

impl Administration {
    /// So many changes over the days of a plan, in working hours. Each fits what the ones before it
    /// left.
    pub(crate) fn new(stage: &Stage, changes: u32) -> Self {
        let mut dice = stage.seeds.stream("administration", 0);
        let mut inventory = Inventory::new(stage);
        let mut times: Vec<i64> = (0..changes)
            .map(|_| {
                let day = stage.start + dice.between(0, i64::from(stage.days) - 1) * DAY;
                day + dice.between(8 * HOUR, 18 * HOUR - 1)
            })
            .collect();
        times.sort_unstable();
        let mut administration = Self {
            planned: Vec::new(),
        };
        let mut number = 0;
        let mut busy = i64::MIN;
        for time in times {
            if administration.planned.len() >= changes as usize {
                break;
            }
            // An errand is over before the next begins.
            let time = time.max(busy + 1);
            let mut errand = None;
            for _ in 0..50 {
                number += 1;
                errand = errand_of(stage, &inventory, number, time, &mut dice);
                if errand.is_some() {
                    break;
                }
            }
            for step in errand.into_iter().flatten() {
                let at = time + step.after;
                if at >= stage.end() {
                    continue;
                }
                (step.edit)(&mut inventory);
                busy = busy.max(at);
                administration.planned.push(Planned { at, step });
            }
        }
        administration
    }

    /// The inventory as it stood at a time.
    pub(crate) fn inventory(&self, stage: &Stage, at: i64) -> Inventory {
        let mut inventory = Inventory::new(stage);
        self.advance(&mut inventory, i64::MIN, at);
        inventory
    }

    /// Brings an inventory from one time to a later one.
    pub(crate) fn advance(&self, inventory: &mut Inventory, from: i64, until: i64) {
        for planned in &self.planned {
            if planned.at > from && planned.at <= until {
                (planned.step.edit)(inventory);
            }
        }
    }

    /// The records of one day.
    pub(crate) fn play(&self, stage: &Stage, day: Day, out: &mut Delivery<'_>) {
        let mut dice = stage.stream("administrators", day);
        let persons = administrators(stage);
        if persons.is_empty() {
            return;
        }
        let today = day.midnight..day.midnight + DAY;
        let mut session = None;
        for planned in self.planned.iter().filter(|it| today.contains(&it.at)) {
            let Planned { at, step } = planned;
            // A session of the console lasts an hour.
            if session
                .as_ref()
                .is_none_or(|(of, until, _)| *of != step.account || at > until)
            {
                let person = persons[dice.below(persons.len() as u64) as usize];
                let opened = at - dice.between(60, 300);
                let caller = administrator(stage, person, step.account, opened, &mut dice, out);
                session = caller.map(|caller| (step.account, at + HOUR, caller));
            }
            if let Some((_, _, caller)) = &session {
                out.change(&mut dice, *at, step.account, caller, &step.call);
            }
        }
    }
}

/// What an administrator does next, where the inventory has something to do it to.
fn errand_of(
    stage: &Stage,
    inventory: &Inventory,
    number: u64,
    time: i64,
    dice: &mut Dice,
) -> Option<Vec<Step>> {
    let mut errand = Errand {
        stage,
        inventory,
        number,
        time,
        dice,
    };
    match errand.dice.below(20) {
        0..=3 => errand.inline_policy(),
        4 | 5 => errand.attachment(),
        6 | 7 => errand.managed_policy(),
        8 => errand.new_role(),
        9 => errand.old_role(),
        10 => errand.trust(),
        11 => errand.boundary(),
        12 => errand.user(),
        13 => errand.membership(),
        14 => errand.key(),
        15 => errand.tags(),
        16 | 17 => errand.resource_policy(),
        18 => errand.statement(),
        _ => errand.guard_rail(),
    }
}

/// One errand in the making.
struct Errand<'a> {
    stage: &'a Stage,
    inventory: &'a Inventory,
    /// Tells names apart.
    number: u64,
    time: i64,
    dice: &'a mut Dice,
}

impl Errand<'_> {
    fn account(&mut self) -> Account {
        self.dice.pick(&[WEB, WEB, WEB, DEV, DEV, SIGN, MANAGEMENT])
    }

    /// A policy for somebody of an account: a few things that the organisation has.
    fn document(&mut self, account: Account) -> Value {
        let organisation = &self.stage.organisation;
        let at = |service: &str, rest: &str| {
            format!("arn:aws:{service}:{HOME_REGION}:{}:{rest}", account.id)
        };
        let pool = [
            ("s3:GetObject", "arn:aws:s3:::halyard-reports/*".to_owned()),
            (
                "s3:PutObject",
                format!("arn:aws:s3:::{}/*", organisation.web_bucket),
            ),
            (
                "s3:GetObject",
                format!("arn:aws:s3:::{}/*", organisation.log_bucket),
            ),
            ("kms:Sign", organisation.signing_key.clone()),
            (
                "secretsmanager:GetSecretValue",
                organisation.secret("halyard/wallet/hot-relayer").to_owned(),
            ),
            ("sqs:SendMessage", at("sqs", "ledger")),
            ("iam:PassRole", "*".to_owned()),
            ("lambda:InvokeFunction", at("lambda", "function:webhook")),
            ("ecr:BatchGetImage", at("ecr", "repository/web-edge")),
            (
                "sts:AssumeRole",
                format!("arn:aws:iam::{}:role/*", account.id),
            ),
        ];
        let mut statements = Vec::new();
        for _ in 0..self.dice.between(1, 3) {
            let place = self.dice.below(pool.len() as u64) as usize;
            let (action, resource) = &pool[place];
            let mut statement = allow(&[action], &[resource]);
            if self.dice.permille(200) {
                statement["Effect"] = "Deny".into();
            } else if self.dice.permille(150) {
                statement["Condition"]["StringEquals"]["aws:PrincipalTag/team"] = "web".into();
            }
            statements.push(statement);
        }
        document(statements)
    }
}

/// One of a list, by chance.
fn one<'v>(list: &'v Value, dice: &mut Dice, fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
    let fitting: Vec<&Value> = list.as_array()?.iter().filter(|it| fits(it)).collect();
    if fitting.is_empty() {
        return None;
    }
    Some(fitting[dice.below(fitting.len() as u64) as usize])
}

/// What a member says.
fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

impl Inventory {
    fn of(&self, account: Account) -> Option<&AccountInventory> {
        self.accounts.iter().find(|of| of.account == account)
    }

    fn of_mut(&mut self, account: Account) -> Option<&mut AccountInventory> {
        self.accounts.iter_mut().find(|of| of.account == account)
    }
}

/// The element of a list whose member says this.
fn named<'v>(list: &'v mut Value, member: &str, name: &str) -> Option<&'v mut Value> {
    let found = list.as_array_mut()?;
    found.iter_mut().find(|it| text(it, member) == name)
}

/// Takes the element of a list out whose member says this.
fn remove(list: &mut Value, member: &str, name: &str) {
    if let Some(list) = list.as_array_mut() {
        list.retain(|it| text(it, member) != name);
    }
}

fn push(list: &mut Value, value: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}

/// A text with everything but letters, digits and `-._~` escaped, as responses hold documents.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
