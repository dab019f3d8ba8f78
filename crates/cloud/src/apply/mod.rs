//! Makes the changes of a plan, one by one, and takes them back.
//!
//! Before a change is made, what is there is read and held against what the plan expects, and written
//! to the journal; after it, what is there is read again. A run that was killed is gone on from, or
//! taken back, by its journal alone.

mod calls;
mod error;
mod journal;
mod organization;
mod stores;
mod thing;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use portreeve_graph::cut::{Change, Edit, PLAN_VERSION, Plan};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Access, CallError, Client, Session};
use crate::endpoint::partition;
use crate::run::{CollectError, identity};
use calls::Aws;
use journal::{Entry, Journal, Record};
use thing::{Present, Thing};

pub use error::ApplyError;

/// How often a change is looked for after it was made, and the wait between: what IAM and Identity
/// Center were told holds a while later.
const LOOKS: u32 = 30;
const WAIT: Duration = Duration::from_secs(2);

/// Whose credentials make the changes.
#[derive(Clone, Debug, Default)]
pub struct ApplyOptions {
    /// Where the user's own credentials come from.
    pub access: Access,
    /// The name of the role to assume in other accounts; without it they cannot be changed.
    pub role: Option<String>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// The journal.
    pub journal: PathBuf,
}

/// What the user says to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Make it.
    Yes,
    /// Leave it out.
    No,
    /// Make no more.
    Stop,
}

/// Asks and tells the user.
pub trait Reviewer {
    /// Shows a change as it is about to be made: what is there, and what comes in its place.
    fn consent(&mut self, shown: &Shown<'_>) -> Consent;
    /// Tells how a change ended.
    fn ended(&mut self, change: &Change, ending: Ending);
}

/// A change that is about to be made or taken back.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The change.
    pub change: &'a Change,
    /// Which it is, from 1, and of how many.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// What is there: a policy document, `null` for none, or whether it is so.
    pub present: &'a Value,
    /// What comes in its place.
    pub next: &'a Value,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It was made.
    Made,
    /// It had been made by an earlier run.
    MadeBefore,
    /// It was taken back.
    Undone,
    /// The user left it out.
    LeftOut,
    /// The run stopped before it.
    NotReached,
}

/// The digest of a plan: what `--yes` takes, so that it stands for this plan and no other.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    let text = serde_json::to_vec(plan).unwrap_or_default();
    let hash = Sha256::digest(&text);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether two states are the same: documents that differ in spelling alone are, as services rewrite
/// them (one value in place of a list of one, another order of values).
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    plain(a) == plain(b)
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Array(values) => match values.as_slice() {
            [one] => plain(one),
            many => {
                let mut many: Vec<Value> = many.iter().map(plain).collect();
                many.sort_by_key(Value::to_string);
                Value::Array(many)
            }
        },
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The states before and after an edit: a policy document, `null` for none, or whether it is so.
pub fn states(edit: &Edit) -> (Value, Value) {
    let document = |text: &Option<std::sync::Arc<str>>| match text {
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        None => Value::Null,
    };
    match edit {
        Edit::Document { before, after, .. } => (document(before), document(after)),
        Edit::Attachment { attached: then, .. }
        | Edit::Membership { member: then, .. }
        | Edit::AccessKey { active: then, .. }
        | Edit::WorkloadRole { runs: then, .. }
        | Edit::Assignment { assigned: then, .. } => (json!(!then), json!(then)),
    }
}

/// A change with what it changes and who may.
struct Ready<'p> {
    change: &'p Change,
    thing: Thing,
    account: String,
}

/// The accounts that are open.
struct Accounts {
    client: Client,
    home: String,
    caller: String,
    sessions: BTreeMap<String, Session>,
}

impl Accounts {
    async fn open(options: &ApplyOptions, ready: &[Ready<'_>]) -> Result<Self, ApplyError> {
        let client = Client::new(&options.access, 4)
            .await
            .map_err(CollectError::Credentials)?;
        let own = client.own().map_err(CollectError::Credentials)?;
        let (home, caller) = identity(&client, &own)
            .await
            .map_err(|error| CollectError::Credentials(error.to_string()))?;
        let mut sessions = BTreeMap::from([(home.clone(), own)]);
        for one in ready.iter().filter(|one| !one.thing.is_of_organization()) {
            let account = one.account.as_str();
            if account.is_empty() || sessions.contains_key(account) {
                continue;
            }
            let Some(role) = &options.role else {
                return Err(ApplyError::OtherAccount(account.to_owned()));
            };
            let partition = partition(client.region()).name;
            let role = format!("arn:{partition}:iam::{account}:role/{role}");
            let session = client.assume(&role, options.external_id.as_deref()).await;
            sessions.insert(account.to_owned(), session);
        }
        Ok(Self {
            client,
            home,
            caller,
            sessions,
        })
    }

    fn of(&self, ready: &Ready<'_>) -> Result<Aws<'_>, ApplyError> {
        let own = ready.thing.is_of_organization() || ready.account.is_empty();
        let account = if own { &self.home } else { &ready.account };
        let session = self.sessions.get(account);
        Ok(Aws {
            client: &self.client,
            session: session.ok_or_else(|| ApplyError::OtherAccount(account.clone()))?,
            region: ready
                .thing
                .region()
                .unwrap_or(self.client.region())
                .to_owned(),
        })
    }
}

fn ready<'p>(changes: impl Iterator<Item = &'p Change>) -> Result<Vec<Ready<'p>>, ApplyError> {
    let mut all = Vec::new();
    let mut by_hand = Vec::new();
    for change in changes {
        let target = change.edit.target();
        let account = target.aws_account().map(str::to_owned);
        match Thing::of(&change.edit) {
            Ok(thing) => all.push(Ready {
                change,
                thing,
                account: account
                    .or_else(|| change.account.clone())
                    .unwrap_or_default(),
            }),
            Err(why) => by_hand.push((change.id.clone(), why)),
        }
    }
    match by_hand.is_empty() {
        true => Ok(all),
        false => Err(ApplyError::ByHand(by_hand)),
    }
}

fn of_change(id: &str) -> impl FnOnce(CallError) -> ApplyError {
    let id = id.to_owned();
    |source| ApplyError::Call { id, source }
}

/// Makes the changes of a plan, in its order. Nothing is changed unless every change can be made and
/// the estate is as the plan expects; each change is shown before it is made.
pub fn apply(
    options: &ApplyOptions,
    plan: &Plan,
    reviewer: &mut dyn Reviewer,
) -> Result<Vec<(String, Ending)>, ApplyError> {
    if plan.version != PLAN_VERSION {
        return Err(ApplyError::Version(plan.version));
    }
    let ready = ready(plan.changes.iter())?;
    block(make(options, plan, &ready, reviewer))
}

fn block<T>(work: impl Future<Output = Result<T, ApplyError>>) -> Result<T, ApplyError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CollectError::Runtime)?;
    runtime.block_on(work)
}

async fn make(
    options: &ApplyOptions,
    plan: &Plan,
    ready: &[Ready<'_>],
    reviewer: &mut dyn Reviewer,
) -> Result<Vec<(String, Ending)>, ApplyError> {
    let accounts = Accounts::open(options, ready).await?;
    check(&accounts, ready, &options.journal, plan).await?;
    let mut journal = Journal::open(&options.journal, true)?;
    if journal.plan.is_none() {
        journal.write(Entry::Begun {
            version: PLAN_VERSION,
            plan: digest(plan),
            caller: accounts.caller.clone(),
            time: Timestamp::now(),
        })?;
    }
    let mut endings = Vec::new();
    let mut stopped = false;
    for (index, one) in ready.iter().enumerate() {
        let id = &one.change.id;
        let ending = match (stopped, journal.of(id)) {
            (true, _) => Ending::NotReached,
            (false, Some(record)) if record.made => Ending::MadeBefore,
            (false, _) => {
                let place = (index + 1, ready.len());
                let ending = make_one(&accounts, one, place, &mut journal, reviewer).await?;
                stopped = ending == Ending::NotReached;
                ending
            }
        };
        reviewer.ended(one.change, ending);
        endings.push((id.clone(), ending));
    }
    Ok(endings)
}

/// Holds what is there against what the plan expects, for all changes before the first is made.
async fn check(
    accounts: &Accounts,
    ready: &[Ready<'_>],
    path: &Path,
    plan: &Plan,
) -> Result<(), ApplyError> {
    let journal = match path.exists() {
        true => Some(Journal::open(path, false)?),
        false => None,
    };
    if journal
        .as_ref()
        .and_then(|journal| journal.plan.as_ref())
        .is_some_and(|of| *of != digest(plan))
    {
        return Err(ApplyError::OtherPlan {
            path: path.to_owned(),
        });
    }
    let mut differs = Vec::new();
    for one in ready {
        let id = &one.change.id;
        let record = journal.as_ref().and_then(|journal| journal.of(id));
        let present = one
            .thing
            .read(&accounts.of(one)?)
            .await
            .map_err(of_change(id))?;
        let (before, after) = states(&one.change.edit);
        let expected = match record {
            Some(record) if record.made => same(&present.state, &after),
            Some(_) => same(&present.state, &after) || same(&present.state, &before),
            None => same(&present.state, &before),
        };
        if !expected {
            differs.push((id.clone(), told(&present.state, &before)));
        }
    }
    match differs.is_empty() {
        true => Ok(()),
        false => Err(ApplyError::Differs(differs)),
    }
}

fn told(present: &Value, expected: &Value) -> String {
    let words = |state: &Value| match state {
        Value::Null => "no policy".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        document => document.to_string(),
    };
    format!("there is {}, expected {}", words(present), words(expected))
}

async fn make_one(
    accounts: &Accounts,
    one: &Ready<'_>,
    (number, of): (usize, usize),
    journal: &mut Journal,
    reviewer: &mut dyn Reviewer,
) -> Result<Ending, ApplyError> {
    let id = &one.change.id;
    let aws = accounts.of(one)?;
    let (before, after) = states(&one.change.edit);
    let present = one.thing.read(&aws).await.map_err(of_change(id))?;
    if journal.of(id).is_some() && same(&present.state, &after) {
        // The run before was killed between the change and its note.
        one.thing.settle(&aws).await.map_err(of_change(id))?;
        journal.write(made(id))?;
        return Ok(Ending::MadeBefore);
    }
    let shown = Shown {
        change: one.change,
        number,
        of,
        present: &present.state,
        next: &after,
    };
    match reviewer.consent(&shown) {
        Consent::Yes => {}
        Consent::No => return Ok(Ending::LeftOut),
        Consent::Stop => return Ok(Ending::NotReached),
    }
    // The user may have thought about it for an hour.
    let present = one.thing.read(&aws).await.map_err(of_change(id))?;
    if !same(&present.state, &before) {
        return Err(ApplyError::Differs(vec![(
            id.clone(),
            told(&present.state, &before),
        )]));
    }
    journal.write(Entry::Making {
        change: Box::new(one.change.clone()),
        was: present.state.clone(),
        detail: present.detail.clone(),
        time: Timestamp::now(),
    })?;
    one.thing
        .write(&aws, &after, &present)
        .await
        .map_err(of_change(id))?;
    seen(one, &aws, &after).await?;
    journal.write(made(id))?;
    Ok(Ending::Made)
}

fn made(id: &str) -> Entry {
    Entry::Made {
        id: id.to_owned(),
        time: Timestamp::now(),
    }
}

/// Waits until a state shows.
async fn seen(one: &Ready<'_>, aws: &Aws<'_>, state: &Value) -> Result<(), ApplyError> {
    let id = &one.change.id;
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(WAIT).await;
        }
        let present = one.thing.read(aws).await.map_err(of_change(id))?;
        if same(&present.state, state) {
            return Ok(());
        }
    }
    Err(ApplyError::NotSeen { id: id.clone() })
}

/// The changes that a journal says were made, or may have been, the last first; and of which plan.
pub fn journalled(path: &Path) -> Result<(Option<String>, Vec<Change>), ApplyError> {
    let journal = Journal::open(path, false)?;
    let open = journal.records.iter().rev().filter(|record| !record.undone);
    let changes = open.map(|record| record.change.clone()).collect();
    Ok((journal.plan, changes))
}

/// Takes back what a journal says was made, the last change first, so that all is as it was before.
/// What someone else has changed since is left, and told.
pub fn undo(
    options: &ApplyOptions,
    reviewer: &mut dyn Reviewer,
) -> Result<Vec<(String, Ending)>, ApplyError> {
    let mut journal = Journal::open(&options.journal, false)?;
    let records: Vec<Record> = journal
        .records
        .iter()
        .rev()
        .filter(|record| !record.undone)
        .cloned()
        .collect();
    let ready = ready(records.iter().map(|record| &record.change))?;
    block(take_back(options, &ready, &records, &mut journal, reviewer))
}

async fn take_back(
    options: &ApplyOptions,
    ready: &[Ready<'_>],
    records: &[Record],
    journal: &mut Journal,
    reviewer: &mut dyn Reviewer,
) -> Result<Vec<(String, Ending)>, ApplyError> {
    let accounts = Accounts::open(options, ready).await?;
    let mut endings = Vec::new();
    let mut stopped = false;
    for (index, (one, record)) in ready.iter().zip(records).enumerate() {
        let place = (index + 1, ready.len());
        let ending = match stopped {
            true => Ending::NotReached,
            false => take_one_back(&accounts, one, record, place, reviewer).await?,
        };
        stopped |= ending == Ending::NotReached;
        if ending == Ending::Undone {
            journal.write(Entry::Undone {
                id: one.change.id.clone(),
                time: Timestamp::now(),
            })?;
        }
        reviewer.ended(one.change, ending);
        endings.push((one.change.id.clone(), ending));
    }
    Ok(endings)
}

async fn take_one_back(
    accounts: &Accounts,
    one: &Ready<'_>,
    record: &Record,
    (number, of): (usize, usize),
    reviewer: &mut dyn Reviewer,
) -> Result<Ending, ApplyError> {
    let id = &one.change.id;
    let aws = accounts.of(one)?;
    let (_, after) = states(&one.change.edit);
    let was = Present {
        state: record.was.clone(),
        detail: record.detail.clone(),
    };
    let present = one.thing.read(&aws).await.map_err(of_change(id))?;
    if same(&present.state, &was.state) {
        // It never came to be, or someone took it back; what the change brought beside may be left.
        one.thing.tidy(&aws, &was).await.map_err(of_change(id))?;
        return Ok(Ending::Undone);
    }
    if !same(&present.state, &after) {
        return Err(ApplyError::Differs(vec![(
            id.clone(),
            told(&present.state, &after),
        )]));
    }
    let shown = Shown {
        change: one.change,
        number,
        of,
        present: &present.state,
        next: &was.state,
    };
    match reviewer.consent(&shown) {
        Consent::Yes => {}
        Consent::No => return Ok(Ending::LeftOut),
        Consent::Stop => return Ok(Ending::NotReached),
    }
    one.thing
        .write(&aws, &was.state, &was)
        .await
        .map_err(of_change(id))?;
    seen(one, &aws, &was.state).await?;
    Ok(Ending::Undone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_the_same_however_services_write_them() {
        let a =
            json!({"Statement": [{"Action": ["s3:GetObject"], "Principal": {"AWS": ["b", "a"]}}]});
        let b = json!({"Statement": {"Principal": {"AWS": ["a", "b"]}, "Action": "s3:GetObject"}});
        assert!(same(&a, &b));
        assert!(!same(&a, &json!({"Statement": []})));
        assert!(!same(&Value::Null, &json!(false)));
    }

    #[test]
    fn a_digest_stands_for_one_plan() {
        let mut plan = Plan::default();
        let empty = digest(&plan);
        assert_eq!(empty.len(), 16);
        plan.version += 1;
        assert_ne!(digest(&plan), empty);
    }

    #[test]
    fn a_journal_that_was_cut_off_is_read_up_to_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let change = Change {
            id: "1".to_owned(),
            kinds: Vec::new(),
            titles: Vec::new(),
            cost: 1,
            account: None,
            edit: Edit::Membership {
                user: "arn:aws:iam::111122223333:user/a".into(),
                group: "arn:aws:iam::111122223333:group/g".into(),
                member: false,
            },
        };
        let mut journal = Journal::open(&path, true).unwrap();
        let making = Entry::Making {
            change: Box::new(change),
            was: json!(true),
            detail: Value::Null,
            time: Timestamp::UNIX_EPOCH,
        };
        journal.write(making).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [whole.as_slice(), b"{\"step\": \"ma"].concat()).unwrap();
        let mut journal = Journal::open(&path, false).unwrap();
        assert!(journal.of("1").is_some_and(|record| !record.made));
        journal.write(made("1")).unwrap();
        let journal = Journal::open(&path, false).unwrap();
        assert!(journal.of("1").is_some_and(|record| record.made));
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(matches!(
            Journal::open(&path, false),
            Err(ApplyError::Unreadable { line: 1, .. })
        ));
    }
}
