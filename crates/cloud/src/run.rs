//! A collection from beginning to end: whose accounts, which regions, which parts.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::client::{Access, CallError, Client, Session};
use crate::endpoint::partition;
use crate::folder::{Folder, FolderError, Part, Place};
use crate::surface::{Call, SURFACES, Scope, Surface};

const GET_CALLER_IDENTITY: Call = Call::new("sts", "GetCallerIdentity");
const DESCRIBE_REGIONS: Call = Call::new("ec2", "DescribeRegions");
const LIST_ACCOUNTS: Call = Call::new("organizations", "ListAccounts");

/// What is asked of each account before its parts.
pub(crate) const DISCOVER_ACCOUNTS: &[Call] = &[GET_CALLER_IDENTITY, DESCRIBE_REGIONS];

/// What is asked of the organization before its parts.
pub(crate) const DISCOVER_ORGANIZATION: &[Call] = &[LIST_ACCOUNTS];

/// The calls that find out where the parts are, as a surface of their own.
const DISCOVERY: Surface = Surface {
    id: "discovery",
    title: "accounts and regions",
    scope: Scope::Account,
    formats: &[],
    calls: &[GET_CALLER_IDENTITY, DESCRIBE_REGIONS, LIST_ACCOUNTS],
    collect: |_| Box::pin(async { crate::surface::Found::new() }),
};

/// Which accounts to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// The one that the user's credentials are of.
    Own,
    /// These.
    Listed(Vec<String>),
    /// Every active account of the organization.
    Organization,
}

/// What to collect.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where credentials come from.
    pub access: Access,
    /// The folder to write to.
    pub out: PathBuf,
    /// Which accounts.
    pub accounts: Accounts,
    /// The name of the role to assume in every account but the user's own.
    pub role: String,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// The regions; every region that an account has enabled where empty.
    pub regions: Vec<String>,
    /// The surfaces, by id; all where empty.
    pub only: Vec<String>,
    /// How many calls are under way at a time.
    pub at_once: usize,
    /// Whether to read again what an earlier run has read.
    pub again: bool,
}

/// Told how far a collection is.
pub trait Progress {
    /// So many parts more are planned.
    fn planned(&self, parts: usize);
    /// A part is done.
    fn done(&self, part: &Part);
}

/// An account that could not be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unreachable {
    /// The account.
    pub account: String,
    /// What failed: `sts:AssumeRole`, or the first call.
    pub action: String,
    /// Why.
    pub message: String,
}

/// What was collected.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Collection {
    /// How it went as a whole.
    #[serde(rename = "Collection")]
    pub summary: Summary,
    /// Accounts that could not be entered.
    pub unreachable: Vec<Unreachable>,
    /// Its parts, by place.
    pub parts: Vec<Part>,
}

/// What holds of a collection as a whole.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    /// The form of the manifest.
    pub version: u32,
    /// Whether every planned part was read, were it in part.
    pub finished: bool,
    /// Why it is not, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// When the run began (UTC).
    pub began: Timestamp,
    /// When it ended; `None` while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Who collected.
    pub caller: String,
    /// The account that the organization was read from.
    pub home: String,
    /// The accounts that were entered, with the regions that were read.
    pub accounts: BTreeMap<String, Vec<String>>,
}

/// Why nothing could be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The user's own credentials do not work, or are not there.
    #[error(
        "{0}\nset AWS_PROFILE or give --profile; `aws sts get-caller-identity` tells whether it works"
    )]
    Credentials(String),
    /// The organization's accounts cannot be listed.
    #[error(
        "the organization's accounts cannot be listed: {0}\nuse the management account or a \
         delegated administrator, or name the accounts with --accounts"
    )]
    Organization(String),
    /// There is no such surface.
    #[error("there is no `{wanted}` to read; there are {known}")]
    Unknown {
        /// What the user asked for.
        wanted: String,
        /// All that there is.
        known: String,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The machine gives no runtime.
    #[error("no runtime for network calls: {0}")]
    Runtime(#[from] std::io::Error),
}

/// The surfaces that there are: id and title.
pub fn surfaces() -> impl Iterator<Item = (&'static str, &'static str)> {
    SURFACES.iter().map(|surface| (surface.id, surface.title))
}

/// Reads what the options say into files that the inventory reader understands, and goes on where an
/// earlier run in the same folder ended. Every call only reads.
pub fn collect(options: &Options, progress: &dyn Progress) -> Result<Collection, CollectError> {
    let surfaces = chosen(&options.only)?;
    let folder = Folder::open(&options.out)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(options, &surfaces, &folder, progress))
}

fn chosen(only: &[String]) -> Result<Vec<&'static Surface>, CollectError> {
    let unknown = only
        .iter()
        .find(|wanted| !SURFACES.iter().any(|surface| surface.id == **wanted));
    if let Some(wanted) = unknown {
        let known: Vec<&str> = SURFACES.iter().map(|surface| surface.id).collect();
        return Err(CollectError::Unknown {
            wanted: wanted.clone(),
            known: known.join(", "),
        });
    }
    let wanted = |id: &str| only.is_empty() || only.iter().any(|only| only == id);
    Ok(SURFACES
        .iter()
        .copied()
        .filter(|surface| wanted(surface.id))
        .collect())
}

/// An account that was entered.
struct Entered {
    account: String,
    session: Session,
    regions: Vec<String>,
}

/// A part to read.
struct Task<'t> {
    place: Place,
    session: &'t Session,
    region: &'t str,
    surface: &'static Surface,
}

async fn run(
    options: &Options,
    surfaces: &[&'static Surface],
    folder: &Folder,
    progress: &dyn Progress,
) -> Result<Collection, CollectError> {
    let client = Client::new(&options.access, options.at_once)
        .await
        .map_err(CollectError::Credentials)?;
    let own = client.own().map_err(CollectError::Credentials)?;
    let (home, caller) = identity(&client, &own)
        .await
        .map_err(|error| CollectError::Credentials(error.to_string()))?;
    let mut collection = Collection {
        summary: Summary {
            version: 1,
            finished: false,
            stopped: None,
            began: Timestamp::now(),
            ended: None,
            caller,
            home: home.clone(),
            accounts: BTreeMap::new(),
        },
        unreachable: Vec::new(),
        parts: Vec::new(),
    };
    folder.manifest(&collection)?;
    let accounts = accounts(options, &client, &own, &home).await?;
    let entered: Vec<Result<Entered, Unreachable>> = futures_util::stream::iter(accounts)
        .map(|account| enter(options, &client, &own, &home, account))
        .buffered(options.at_once.max(1))
        .collect()
        .await;
    let mut open = Vec::new();
    for account in entered {
        match account {
            Ok(account) => {
                let regions = account.regions.clone();
                let accounts = &mut collection.summary.accounts;
                accounts.insert(account.account.clone(), regions);
                open.push(account);
            }
            Err(closed) => collection.unreachable.push(closed),
        }
    }
    folder.manifest(&collection)?;

    let tasks = tasks(surfaces, &client, &own, &home, &open);
    progress.planned(tasks.len());
    let stop = Cell::new(false);
    let mut done = futures_util::stream::iter(tasks)
        .map(|task| part(task, options, &client, folder, &stop))
        .buffer_unordered(options.at_once.max(1));
    while let Some(part) = done.next().await {
        if let Some(part) = part? {
            progress.done(&part);
            collection.parts.push(part);
        }
    }
    collection.parts.sort_by(|a, b| a.place.cmp(&b.place));
    collection.summary.finished = !stop.get();
    if stop.get() {
        let why = "the credentials ran out: sign in again and run the same command to go on";
        collection.summary.stopped = Some(why.to_owned());
    }
    collection.summary.ended = Some(Timestamp::now());
    folder.manifest(&collection)?;
    Ok(collection)
}

/// The account and the ARN that a session is of.
pub(crate) async fn identity(
    client: &Client,
    session: &Session,
) -> Result<(String, String), CallError> {
    let answer = client
        .call(
            session,
            GET_CALLER_IDENTITY.service,
            GET_CALLER_IDENTITY.operation,
            client.region(),
            &json!({}),
        )
        .await?;
    let text = |name: &str| {
        let text = answer.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Ok((text("Account"), text("Arn")))
}

async fn accounts(
    options: &Options,
    client: &Client,
    own: &Session,
    home: &str,
) -> Result<BTreeSet<String>, CollectError> {
    match &options.accounts {
        Accounts::Own => Ok(BTreeSet::from([home.to_owned()])),
        Accounts::Listed(accounts) => Ok(accounts.iter().cloned().collect()),
        Accounts::Organization => {
            let caller = Caller::new(client, own, home, client.region(), &DISCOVERY);
            let Some(listed) = caller.list(LIST_ACCOUNTS, json!({})).await else {
                let unseen = caller.unseen().into_iter().next().unwrap_or_default();
                let reason = format!("{}: {}", unseen.code, unseen.message);
                return Err(CollectError::Organization(reason));
            };
            let active = listed.iter().filter(|account| {
                let state = account.get("Status");
                state.is_none_or(|state| state == "ACTIVE")
            });
            let ids = active.filter_map(|account| account.get("Id")?.as_str());
            let accounts: BTreeSet<String> = ids.map(str::to_owned).collect();
            if accounts.is_empty() {
                let reason = "this account is in no organization".to_owned();
                return Err(CollectError::Organization(reason));
            }
            Ok(accounts)
        }
    }
}

/// Gets a session in an account, and the regions to read there.
async fn enter(
    options: &Options,
    client: &Client,
    own: &Session,
    home: &str,
    account: String,
) -> Result<Entered, Unreachable> {
    let mut action = "sts:GetCallerIdentity";
    let session = if account == home {
        own.clone()
    } else {
        action = "sts:AssumeRole";
        let partition = partition(client.region()).name;
        let role = format!("arn:{partition}:iam::{account}:role/{}", options.role);
        client.assume(&role, options.external_id.as_deref()).await
    };
    let closed = |message: String| Unreachable {
        account: account.clone(),
        action: action.to_owned(),
        message,
    };
    match identity(client, &session).await {
        Ok((found, _)) if found != account => {
            return Err(closed(format!("the role leads into account {found}")));
        }
        Ok(_) => {}
        Err(error) => return Err(closed(error.to_string())),
    }
    let regions = if options.regions.is_empty() {
        let caller = Caller::new(client, &session, &account, client.region(), &DISCOVERY);
        let answer = caller.one(DESCRIBE_REGIONS, json!({})).await.found();
        let listed = answer
            .as_ref()
            .and_then(|answer| answer.get("Regions")?.as_array());
        let names = listed
            .into_iter()
            .flatten()
            .filter_map(|region| region.get("RegionName")?.as_str());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        if names.is_empty() {
            let unseen = caller.unseen().into_iter().next().unwrap_or_default();
            return Err(Unreachable {
                account: account.clone(),
                action: DESCRIBE_REGIONS.action(),
                message: format!(
                    "{}: {}; name the regions with --regions",
                    unseen.code, unseen.message
                ),
            });
        }
        names
    } else {
        options.regions.clone()
    };
    Ok(Entered {
        account,
        session,
        regions,
    })
}

fn tasks<'t>(
    surfaces: &[&'static Surface],
    client: &'t Client,
    own: &'t Session,
    home: &str,
    open: &'t [Entered],
) -> Vec<Task<'t>> {
    let mut tasks = Vec::new();
    let mut add = |account: &str, region: Option<&'t str>, session, surface: &'static Surface| {
        tasks.push(Task {
            place: Place {
                account: account.to_owned(),
                region: region.map(str::to_owned),
                surface: surface.id.to_owned(),
            },
            session,
            region: region.unwrap_or_else(|| client.region()),
            surface,
        });
    };
    for surface in surfaces {
        match surface.scope {
            Scope::Organization => add(home, None, own, surface),
            Scope::Account => {
                for account in open {
                    add(&account.account, None, &account.session, surface);
                }
            }
            Scope::Region => {
                for account in open {
                    for region in &account.regions {
                        add(&account.account, Some(region), &account.session, surface);
                    }
                }
            }
        }
    }
    tasks
}

/// Reads one part, unless it is there already; `None` where the run is to stop.
async fn part(
    task: Task<'_>,
    options: &Options,
    client: &Client,
    folder: &Folder,
    stop: &Cell<bool>,
) -> Result<Option<Part>, FolderError> {
    if stop.get() {
        return Ok(None);
    }
    if !options.again
        && let Some(done) = folder.done(&task.place)
    {
        return Ok(Some(done));
    }
    let caller = Caller::new(
        client,
        task.session,
        &task.place.account,
        task.region,
        task.surface,
    );
    let found = (task.surface.collect)(&caller).await;
    if caller.expired() {
        stop.set(true);
        return Ok(None);
    }
    let part = Part {
        place: task.place,
        calls: caller.calls(),
        unseen: caller.unseen(),
        kept: false,
    };
    folder.write(&part, task.surface.formats, found)?;
    Ok(Some(part))
}
