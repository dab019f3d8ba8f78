use portreeve_model::{Activity, CredentialKind, OriginKind};
use portreeve_record::{FieldId, Fields, Slots, Value};
use std::borrow::Cow;

use crate::clients::{Client, client_family};
use crate::networks::{Network, is_callers_address};
use crate::recent::{OfNetwork, RecentClients, RecentNetworks};
use crate::settings::outcome_word;
use crate::snapshot::{Sight, Snapshot};
use crate::subject::Subject;

/// When a derived field can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the record, the estate and the declared networks: in stage one.
    Snapshot,
    /// From what happened before or elsewhere: in stage two.
    History,
}

/// A field that no record holds, and that rules may ask for.
#[derive(Clone, Copy, Debug)]
pub struct DerivedField {
    /// Its path, which begins with `portreeve.`.
    pub path: &'static str,
    /// When it can be known.
    pub stage: Stage,
    /// What it says, and which values it takes.
    pub meaning: &'static str,
}

const fn field(path: &'static str, stage: Stage, meaning: &'static str) -> DerivedField {
    DerivedField {
        path,
        stage,
        meaning,
    }
}

/// Every derived field, in one table. A field of which nothing is known is absent from a record.
pub const DERIVED_FIELDS: &[DerivedField] = &[
    field(
        ACTION,
        Stage::Snapshot,
        "service and operation, as `s3:PutObject`, without the date that some services append to an operation's name",
    ),
    field(
        ACTOR_KIND,
        Stage::Snapshot,
        "human, workload, pipeline, service or unknown; the estate's word first, then the record's",
    ),
    field(
        ACTOR_FOREIGN,
        Stage::Snapshot,
        "true where the actor's account is not in the estate; absent without an estate",
    ),
    field(
        ACTOR_PERSON,
        Stage::Snapshot,
        "the person behind the call: the user name of an Identity Center session, the user of the access portal, the source identity, or the IAM user's name; absent where the record names none",
    ),
    field(
        ACTOR_REPOSITORY,
        Stage::Snapshot,
        "the repository that a web identity's subject names, as `halyard/web`, or what its issuer has in its place; absent where there is none, or the subject is not understood",
    ),
    field(
        ACTOR_TRIGGER,
        Stage::Snapshot,
        "what started the run that a web identity stands for: branch, tag, environment, pull_request, service-account, or the issuer's own word",
    ),
    field(
        CREDENTIAL_KIND,
        Stage::Snapshot,
        "access-key, session, password, token or other",
    ),
    field(
        CREDENTIAL_CONSOLE,
        Stage::Snapshot,
        "true where the console forwarded the call",
    ),
    field(
        NETWORK_CLASS,
        Stage::Snapshot,
        "the kind of the caller's network, as `corporate`, `vpn`, `hosting`, `cloud` or `residential`: portreeve.toml's word first, then that of data of networks; absent where neither is sure enough",
    ),
    field(
        NETWORK_CERTAINTY,
        Stage::Snapshot,
        "how sure the class of the network is, from 0.00 to 1.00; 1.00 where it is declared",
    ),
    field(
        NETWORK_ASN,
        Stage::Snapshot,
        "the number of the autonomous system that the caller's address is in",
    ),
    field(
        NETWORK_ORGANISATION,
        Stage::Snapshot,
        "who runs that autonomous system",
    ),
    field(
        NETWORK_COUNTRY,
        Stage::Snapshot,
        "the country of the caller's address, two capital letters",
    ),
    field(
        NETWORK_NAME,
        Stage::Snapshot,
        "what tells one network from another: the declared network's name, else `AS` with its number, else the /24 or /48 around the address",
    ),
    field(
        NETWORK_OWN,
        Stage::Snapshot,
        "true where the call comes from a declared way out of the own organisation's, or from a vendor's network by one of the vendor's principals",
    ),
    field(
        CLIENT_TOOL,
        Stage::Snapshot,
        "the program by its user agent, as `aws-cli`, `Terraform` or `Firefox`",
    ),
    field(CLIENT_VERSION, Stage::Snapshot, "the program's version"),
    field(
        CLIENT_KIND,
        Stage::Snapshot,
        "command-line, library, infrastructure, browser, console, service, script or other",
    ),
    field(
        CLIENT_OS,
        Stage::Snapshot,
        "the system that the client names: macOS, Linux, Windows, Android, iOS or FreeBSD",
    ),
    field(
        CLIENT_DISTRIBUTION,
        Stage::Snapshot,
        "the distribution of Linux, as `kali` or `ubuntu`; where the client does not name it, by its kernel's release",
    ),
    field(
        CLIENT_COMMAND,
        Stage::Snapshot,
        "the command of the AWS command line, as `s3.sync`",
    ),
    field(
        CLIENT_FAMILY,
        Stage::Snapshot,
        "the user agent without what changes from call to call: the same for all calls of one program on one machine",
    ),
    field(
        CLIENT_ENVIRONMENT,
        Stage::Snapshot,
        "what the program runs inside, as `CloudShell`, `AWS_Lambda_python3.12`, `WSL` or `GitHub Actions`",
    ),
    field(
        CLIENT_OFFENSIVE,
        Stage::Snapshot,
        "the tool or system made for attacks that the client names, as `Kali Linux`, `Pacu` or `TruffleHog`",
    ),
    field(
        ORIGIN_KIND,
        Stage::Snapshot,
        "public, private, service or unknown: what kind of address the call came from",
    ),
    field(OUTCOME, Stage::Snapshot, "success, denied or failed"),
    field(
        TARGET_WEB_ORIGIN,
        Stage::Snapshot,
        "true where a target is a bucket that a distribution serves, or an object in one",
    ),
    field(
        TARGET_PULLED,
        Stage::Snapshot,
        "true where a target is an image repository that a workload pulls from",
    ),
    field(
        TARGET_JEWEL,
        Stage::Snapshot,
        "the kind of crown jewel that a target is, as `signing-key`",
    ),
    field(
        TARGET_TAGS,
        Stage::Snapshot,
        "the targets' tags, each as `key=value`",
    ),
    field(
        CANARY,
        Stage::Snapshot,
        "`used` where the caller's credential or principal was planted for intruders, `touched` where a target was: portreeve.toml declares what; absent otherwise",
    ),
    field(
        ACTOR_DEPLOY,
        Stage::History,
        "true where the principal deploys to the target: declared in portreeve.toml, else inferred from who, other than people, wrote to it on several days; absent where nobody is known to, or where the logs show less than two weeks of writes",
    ),
    field(
        CREDENTIAL_MOVED,
        Stage::History,
        "true where a session is used from another public address than the one it was issued to; absent where its issue is not in the logs; a session of Identity Center is issued where the portal was called from",
    ),
    field(
        CREDENTIAL_MINTED_BY,
        Stage::History,
        "the operation that made the credential, as `assume-role-with-web-identity`, where the logs show it or leave nothing else; absent where they do not",
    ),
    field(
        CREDENTIAL_RUN,
        Stage::History,
        "true where a run of the pipeline that deploys to the target opened the session, told by its lineage; false where another or none did; absent where no pipeline is known to deploy there, or the logs do not show what opened the session",
    ),
    field(
        CREDENTIAL_LOGIN,
        Stage::History,
        "of a console session: `shown` where the logs show the login or the call that opened it, `missing` where they show logins of its account since the day before it, and not its own; absent otherwise",
    ),
    field(
        CHANGE_JUDGED,
        Stage::History,
        "true where a change was judged by what it opens, whatever that is; absent without an inventory, and where the inventory does not hold what is changed",
    ),
    field(
        CHANGE_OPENS,
        Stage::History,
        "what a change of a policy, a trust or a membership opens in the estate: door, administrator, jewel; absent where it opens nothing",
    ),
    field(
        CHANGE_OPENED,
        Stage::History,
        "the same in words, with the path or the door, and for how long it held",
    ),
];

/// How the paths of all fields of the caller's network begin.
const NETWORK: &str = "portreeve.network.";
/// How the paths of all fields of the client begin.
const CLIENT: &str = "portreeve.client.";
const ACTION: &str = "portreeve.action";
const ACTOR_KIND: &str = "portreeve.actor.kind";
const ACTOR_FOREIGN: &str = "portreeve.actor.foreign";
const ACTOR_PERSON: &str = "portreeve.actor.person";
const ACTOR_REPOSITORY: &str = "portreeve.actor.repository";
const ACTOR_TRIGGER: &str = "portreeve.actor.trigger";
const CREDENTIAL_KIND: &str = "portreeve.credential.kind";
const CREDENTIAL_CONSOLE: &str = "portreeve.credential.console";
const NETWORK_CLASS: &str = "portreeve.network.class";
const NETWORK_CERTAINTY: &str = "portreeve.network.certainty";
const NETWORK_ASN: &str = "portreeve.network.asn";
const NETWORK_ORGANISATION: &str = "portreeve.network.organisation";
const NETWORK_COUNTRY: &str = "portreeve.network.country";
const NETWORK_NAME: &str = "portreeve.network.name";
const NETWORK_OWN: &str = "portreeve.network.own";
const CLIENT_TOOL: &str = "portreeve.client.tool";
const CLIENT_VERSION: &str = "portreeve.client.version";
const CLIENT_KIND: &str = "portreeve.client.kind";
const CLIENT_OS: &str = "portreeve.client.os";
const CLIENT_DISTRIBUTION: &str = "portreeve.client.distribution";
const CLIENT_COMMAND: &str = "portreeve.client.command";
const CLIENT_FAMILY: &str = "portreeve.client.family";
const CLIENT_ENVIRONMENT: &str = "portreeve.client.environment";
const CLIENT_OFFENSIVE: &str = "portreeve.client.offensive";
const ORIGIN_KIND: &str = "portreeve.origin.kind";
const OUTCOME: &str = "portreeve.outcome";
const TARGET_WEB_ORIGIN: &str = "portreeve.target.web_origin";
const TARGET_PULLED: &str = "portreeve.target.pulled";
const TARGET_JEWEL: &str = "portreeve.target.jewel";
const TARGET_TAGS: &str = "portreeve.target.tags";
pub(crate) const ACTOR_DEPLOY: &str = "portreeve.actor.deploy";
pub(crate) const CREDENTIAL_MOVED: &str = "portreeve.credential.moved";
pub(crate) const CREDENTIAL_MINTED_BY: &str = "portreeve.credential.minted_by";

const CANARY: &str = "portreeve.canary";
pub(crate) const CREDENTIAL_RUN: &str = "portreeve.credential.run";
pub(crate) const CREDENTIAL_LOGIN: &str = "portreeve.credential.login";

pub(crate) const CHANGE_JUDGED: &str = "portreeve.change.judged";
pub(crate) const CHANGE_OPENS: &str = "portreeve.change.opens";
pub(crate) const CHANGE_OPENED: &str = "portreeve.change.opened";

/// The declaration of a derived field, by its path.
pub fn derived_field(path: &str) -> Option<&'static DerivedField> {
    DERIVED_FIELDS.iter().find(|field| field.path == path)
}

/// Derives the fields that the rules of a run ask for, of one record at a time.
#[derive(Clone, Debug)]
pub(crate) struct Deriver<'s> {
    /// What is known in stage two only, each with what makes it moot.
    history: Vec<(FieldId, Moot)>,
    /// What the caller's network and the client tell.
    network: Vec<Wanted>,
    client: Vec<Wanted>,
    /// Whether the network's name is asked for.
    names_network: bool,
    /// What follows from the network and the principal.
    own: Option<FieldId>,
    others: Vec<(FieldId, Teller)>,
    tags: Option<FieldId>,
    networks: RecentNetworks<'s>,
    clients: RecentClients,
    /// What was derived of the record at hand. Several values of one field stand together.
    values: Vec<(FieldId, Value<'s>)>,
}

/// What tells a field of an activity.
type Teller = for<'s> fn(&Activity<'_>, &'s Snapshot, &Sight<'s>) -> Option<Value<'s>>;

/// What tells that history has nothing to say of a field of an activity.
type Moot = fn(&Activity<'_>, &Snapshot) -> bool;

/// A derived field that some rule asks for.
pub(crate) type Wanted = (FieldId, &'static DerivedField);

impl<'s> Deriver<'s> {
    /// Takes the derived fields among those that were interned.
    pub(crate) fn new(fields: &Fields) -> Self {
        let wanted = |belongs: &dyn Fn(&DerivedField) -> bool| -> Vec<Wanted> {
            DERIVED_FIELDS
                .iter()
                .filter(|field| belongs(field))
                .filter_map(|field| Some((fields.get(field.path)?, field)))
                .collect()
        };
        let is_history = |field: &DerivedField| field.stage == Stage::History;
        let is_of = |prefix: &'static str| {
            move |field: &DerivedField| !is_history(field) && field.path.starts_with(prefix)
        };
        let (is_network, is_client) = (is_of(NETWORK), is_of(CLIENT));
        Self {
            history: wanted(&is_history)
                .into_iter()
                .map(|(id, field)| (id, moot(field.path)))
                .collect(),
            network: wanted(&is_network),
            client: wanted(&is_client),
            // Names are compared here, and not once more for each record.
            others: wanted(&|field| !is_history(field) && !is_network(field) && !is_client(field))
                .into_iter()
                .filter_map(|(id, field)| Some((id, of_activity(field.path)?)))
                .collect(),
            names_network: fields.get(NETWORK_NAME).is_some(),
            own: fields.get(NETWORK_OWN),
            tags: fields.get(TARGET_TAGS),
            networks: RecentNetworks::default(),
            clients: RecentClients::default(),
            values: Vec::new(),
        }
    }

    /// Finds what the snapshot knows of a record; fields of history are marked as not known yet.
    pub(crate) fn derive(
        &mut self,
        activity: &Activity<'_>,
        snapshot: &'s Snapshot,
        sight: &Sight<'s>,
    ) {
        let values = &mut self.values;
        values.clear();
        for (id, is_moot) in &self.history {
            if !is_moot(activity, snapshot) {
                values.push((*id, Value::Unknown));
            }
        }
        for (id, tell) in &self.others {
            values.extend(tell(activity, snapshot, sight).map(|value| (*id, value)));
        }
        if let Some(id) = self.tags {
            let tags = sight.tags();
            values.extend(tags.map(|tag| (id, Value::String(Cow::Borrowed(tag)))));
        }
        // Where nothing is known of any network, only its name is left to ask for.
        let asks_network = match snapshot.networks().is_empty() {
            true => self.names_network,
            false => !self.network.is_empty(),
        };
        if asks_network && let Some(address) = callers_address(activity) {
            let not_kept;
            let known = if snapshot.networks().is_empty() {
                // Where nothing is known there is nothing to remember.
                not_kept = OfNetwork::new(address, snapshot, &self.network);
                &not_kept
            } else {
                self.networks.of(address, snapshot, &self.network)
            };
            values.extend_from_slice(&known.values);
            if let Some(id) = self.own
                && let principal = &activity.actor.principal
                && snapshot.networks().expects(&known.network, principal)
            {
                values.push((id, Value::Bool(true)));
            }
        }
        if !self.client.is_empty()
            && let Some(user_agent) = activity.client.as_deref()
        {
            values.extend_from_slice(self.clients.of(user_agent, &self.client));
        }
    }

    /// Sets what was derived last on the record that it was derived from.
    pub(crate) fn set<'r>(&mut self, slots: &mut Slots<'r>)
    where
        's: 'r,
    {
        let mut values = self.values.drain(..).peekable();
        while let Some((field, first)) = values.next() {
            if values.peek().is_none_or(|(other, _)| *other != field) {
                slots.set(field, first);
                continue;
            }
            let more = std::iter::from_fn(|| {
                let next = values.next_if(|(other, _)| *other == field);
                next.map(|(_, value)| value)
            });
            slots.set_all(field, std::iter::once(first).chain(more));
        }
    }
}

/// What makes a field of history moot.
fn moot(path: &str) -> Moot {
    match path {
        // What changes nothing opens nothing, whatever history says.
        CHANGE_OPENS | CHANGE_OPENED => |activity, _| activity.policy_change.is_none(),
        // Without an estate nothing will be judged.
        CHANGE_JUDGED => {
            |activity, snapshot| activity.policy_change.is_none() || snapshot.changes().is_none()
        }
        // The console's own sessions alone begin with a login.
        CREDENTIAL_LOGIN => |activity, _| !is_console(activity),
        _ => |_, _| false,
    }
}

/// A field that the activity tells together with the estate.
fn of_activity(path: &str) -> Option<Teller> {
    Some(match path {
        ACTION => |activity, _, _| owned(action(activity)),
        ACTOR_KIND => |_, _, sight| text(sight.kind.as_str()),
        ACTOR_FOREIGN => {
            |activity, snapshot, _| snapshot.actor_is_foreign(activity).map(Value::Bool)
        }
        ACTOR_PERSON => |activity, snapshot, _| owned(snapshot.person(activity)?),
        ACTOR_REPOSITORY => |activity, _, _| owned(subject(activity)?.repository),
        ACTOR_TRIGGER => |activity, _, _| owned(subject(activity)?.kind),
        CREDENTIAL_KIND => |activity, _, _| {
            let credential = activity.credential.as_ref();
            text(
                credential
                    .map_or(CredentialKind::Other, |it| it.kind)
                    .as_str(),
            )
        },
        CREDENTIAL_CONSOLE => |activity, _, _| yes(is_console(activity)),
        CANARY => |activity, snapshot, _| text(snapshot.canary(activity)?),
        ORIGIN_KIND => |activity, _, _| {
            text(match activity.origin.kind {
                OriginKind::Public => "public",
                OriginKind::Private => "private",
                OriginKind::Service => "service",
                OriginKind::Unknown => "unknown",
            })
        },
        OUTCOME => |activity, _, _| text(outcome_word(&activity.outcome)),
        TARGET_WEB_ORIGIN => |_, _, sight| yes(sight.is_web_origin()),
        TARGET_PULLED => |_, _, sight| yes(sight.is_pulled()),
        TARGET_JEWEL => |_, _, sight| text(sight.jewel()?),
        _ => return None,
    })
}

fn text(text: &str) -> Option<Value<'_>> {
    Some(Value::String(Cow::Borrowed(text)))
}

fn owned(text: impl Into<String>) -> Option<Value<'static>> {
    Some(Value::String(Cow::Owned(text.into())))
}

fn yes(holds: bool) -> Option<Value<'static>> {
    holds.then_some(Value::Bool(true))
}

fn is_console(activity: &Activity<'_>) -> bool {
    let credential = activity.credential.as_ref();
    credential.is_some_and(|credential| credential.console)
}

/// The address of the call, where it is the caller's own.
fn callers_address<'a>(activity: &'a Activity<'_>) -> Option<&'a str> {
    let origin = &activity.origin;
    let targets = activity.targets.iter().map(|target| &**target);
    is_callers_address(origin.kind, &activity.operation, targets).then_some(&*origin.address)
}

/// What a network tells whoever calls from it.
pub(crate) fn of_network<'s>(path: &str, network: &Network<'s>) -> Option<Value<'s>> {
    let text = |text: &'s str| Value::String(Cow::Borrowed(text));
    match path {
        NETWORK_CLASS => network.class.map(text),
        // Cut, not rounded: what is not certain must not look so.
        NETWORK_CERTAINTY => network.class.map(|_| {
            let hundredths = (network.certainty * 100.0).floor() / 100.0;
            Value::String(Cow::Owned(format!("{hundredths:.2}")))
        }),
        NETWORK_ASN => network
            .asn
            .map(|asn| Value::String(Cow::Owned(asn.to_string()))),
        NETWORK_ORGANISATION => network.organisation.map(text),
        NETWORK_COUNTRY => network.country.map(text),
        NETWORK_NAME => network.name().map(Value::String),
        _ => None,
    }
}

pub(crate) fn of_client(
    path: &str,
    client: &Client<'_>,
    user_agent: &str,
) -> Option<Value<'static>> {
    let fixed = |text: &'static str| Some(Value::String(Cow::Borrowed(text)));
    let text = match path {
        CLIENT_KIND => return fixed(client.kind.as_str()),
        CLIENT_OS => return fixed(client.system?),
        CLIENT_OFFENSIVE => return fixed(client.offensive?),
        CLIENT_FAMILY => return Some(Value::String(Cow::Owned(client_family(user_agent)))),
        CLIENT_TOOL => Some(client.tool).filter(|tool| !tool.is_empty()),
        CLIENT_VERSION => client.version,
        CLIENT_DISTRIBUTION => client.distribution,
        CLIENT_COMMAND => client.command,
        CLIENT_ENVIRONMENT => client.environment,
        _ => None,
    };
    text.map(|text| Value::String(Cow::Owned(text.to_owned())))
}

fn subject<'a>(activity: &'a Activity<'_>) -> Option<Subject<'a>> {
    Subject::parse(activity.actor.subject.as_deref()?)
}

/// `service:Operation`, without the API version that some services append to the operation
/// (`UpdateFunctionCode20150331v2`).
fn action(activity: &Activity<'_>) -> String {
    [&activity.service, ":", without_version(&activity.operation)].concat()
}

fn without_version(operation: &str) -> &str {
    let unversioned = match operation.rsplit_once('v') {
        Some((head, tail))
            if !tail.is_empty()
                && tail.bytes().all(|byte| byte.is_ascii_digit())
                && head.ends_with(|last: char| last.is_ascii_digit()) =>
        {
            head
        }
        _ => operation,
    };
    let name = unversioned.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
    if unversioned.len() - name.len() >= 8 {
        name
    } else {
        operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_are_left_out_of_operations() {
        assert_eq!(
            without_version("UpdateFunctionCode20150331v2"),
            "UpdateFunctionCode"
        );
        assert_eq!(without_version("ListFunctions20150331"), "ListFunctions");
        assert_eq!(
            without_version("UpdateDistribution2020_05_31"),
            "UpdateDistribution"
        );
        assert_eq!(without_version("GetObject"), "GetObject");
        assert_eq!(without_version("ListObjectsV2"), "ListObjectsV2");
    }

    #[test]
    fn paths_are_unique_and_told_apart() {
        for (position, field) in DERIVED_FIELDS.iter().enumerate() {
            assert!(field.path.starts_with("portreeve."));
            assert!(
                DERIVED_FIELDS[..position]
                    .iter()
                    .all(|other| other.path != field.path)
            );
        }
    }
}
