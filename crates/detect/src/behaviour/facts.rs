//! What the row of an activity says to correlations, as hashes that are looked up once for each
//! distinct text.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use portreeve_model::{OriginKind, PrincipalKind};
use smallvec::{SmallVec, smallvec};

use super::table::{digest, join};
use crate::activities::{Activities, ActivityRow};
use crate::lineage::Lineage;
use crate::snapshot::Snapshot;
use crate::strings::Symbol;

/// A field that every activity's row tells, whatever log it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum RowField {
    Actor,
    ActorKind,
    Person,
    Principal,
    Session,
    Subject,
    Lineage,
    Credential,
    Account,
    Address,
    Network,
    NetworkClass,
    Client,
    ClientTool,
    ClientSystem,
    Action,
    Service,
    Target,
    Outcome,
}

/// Every such field: its path and what it says.
pub const ROW_FIELDS: &[(&str, RowField, &str)] = &[
    (
        "portreeve.actor",
        RowField::Actor,
        "the principal, with the session name behind a role",
    ),
    (
        "portreeve.actor.kind",
        RowField::ActorKind,
        "human, workload, pipeline, service or unknown",
    ),
    (
        "portreeve.person",
        RowField::Person,
        "who is behind it: for a person's role the session name, else the principal",
    ),
    (
        "portreeve.principal",
        RowField::Principal,
        "the user or role",
    ),
    (
        "portreeve.session",
        RowField::Session,
        "the session name behind a role",
    ),
    (
        "portreeve.subject",
        RowField::Subject,
        "the web identity: a pipeline's as repository and kind (branch, tag, pull request, environment)",
    ),
    (
        "portreeve.lineage",
        RowField::Lineage,
        "the first credential of the chain that the credential was minted in",
    ),
    (
        "portreeve.credential",
        RowField::Credential,
        "the credential",
    ),
    (
        "portreeve.account",
        RowField::Account,
        "the account in which it happened",
    ),
    (
        "portreeve.address",
        RowField::Address,
        "the caller's address",
    ),
    (
        "portreeve.network",
        RowField::Network,
        "the caller's network: its declared class where that is one's own (corporate, pipeline, …), else the range around the address",
    ),
    (
        "portreeve.network.class",
        RowField::NetworkClass,
        "the declared class of the caller's network",
    ),
    ("portreeve.client", RowField::Client, "the user agent"),
    (
        "portreeve.client.tool",
        RowField::ClientTool,
        "the client program: `aws-cli`, `Boto3`",
    ),
    (
        "portreeve.client.os",
        RowField::ClientSystem,
        "the client's operating system: macos, windows, linux",
    ),
    (
        "portreeve.action",
        RowField::Action,
        "service and operation",
    ),
    ("portreeve.service", RowField::Service, "the service called"),
    (
        "portreeve.target",
        RowField::Target,
        "what was acted on: each of the targets",
    ),
    (
        "portreeve.outcome",
        RowField::Outcome,
        "success, denied or failed",
    ),
];

impl RowField {
    /// The field with this path.
    pub fn new(path: &str) -> Option<Self> {
        ROW_FIELDS
            .iter()
            .find(|(known, ..)| *known == path)
            .map(|(_, field, _)| *field)
    }
}

/// The hashes of one field's values: one mostly, none where the row does not tell, several for
/// targets.
pub(crate) type Hashes = SmallVec<[u64; 2]>;

/// Looks up what rows say.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    activities: &'f Activities,
    lineage: &'f Lineage,
    snapshot: &'f Snapshot,
    /// By symbol; 0 where it was not asked for yet.
    hashes: Vec<u64>,
    derived: HashMap<(RowField, Symbol), u64, FixedState>,
    /// The few words that are no text of a record.
    words: Vec<(&'static str, u64)>,
}

impl<'f> Facts<'f> {
    pub(crate) fn new(
        activities: &'f Activities,
        lineage: &'f Lineage,
        snapshot: &'f Snapshot,
    ) -> Self {
        Self {
            activities,
            lineage,
            snapshot,
            hashes: vec![0; activities.strings().len()],
            derived: HashMap::default(),
            words: Vec::new(),
        }
    }

    pub(crate) fn activities(&self) -> &'f Activities {
        self.activities
    }

    /// The hash of an interned text; 0 for none.
    pub(crate) fn hash(&mut self, symbol: Symbol) -> u64 {
        let Some(text) = self.activities.strings().get(symbol) else {
            return 0;
        };
        let known = &mut self.hashes[symbol.index()];
        if *known == 0 {
            *known = digest(text.as_bytes());
        }
        *known
    }

    fn word(&mut self, word: &'static str) -> u64 {
        if let Some((_, hash)) = self.words.iter().find(|(known, _)| *known == word) {
            return *hash;
        }
        let hash = digest(word.as_bytes());
        self.words.push((word, hash));
        hash
    }

    /// A hash that follows from a text, looked up once for each text.
    fn derived(
        &mut self,
        field: RowField,
        symbol: Symbol,
        derive: impl FnOnce(&Self) -> Option<Cow<'f, str>>,
    ) -> u64 {
        if !symbol.is_some() {
            return 0;
        }
        if let Some(known) = self.derived.get(&(field, symbol)) {
            return *known;
        }
        let hash = derive(self).map_or(0, |text| digest(text.as_bytes()));
        self.derived.insert((field, symbol), hash);
        hash
    }

    /// The values of a field, hashed.
    pub(crate) fn of(&mut self, field: RowField, row: ActivityRow<'f>) -> Hashes {
        let one = match field {
            RowField::Actor => {
                let (principal, session) = (row.principal_symbol(), row.session_symbol());
                match (self.hash(principal), self.hash(session)) {
                    (principal, 0) => principal,
                    (principal, session) => join(principal, session),
                }
            }
            RowField::Person => match person(row) {
                Some(symbol) => self.hash(symbol),
                None => 0,
            },
            RowField::Principal => self.hash(row.principal_symbol()),
            RowField::Session => self.hash(row.session_symbol()),
            RowField::Lineage => {
                let credential = row.credential_symbol();
                let root = match self.derived.get(&(field, credential)) {
                    Some(known) => return smallvec![*known],
                    None => self.lineage.root(credential),
                };
                let hash = self.hash(root);
                self.derived.insert((field, credential), hash);
                hash
            }
            RowField::Credential => self.hash(row.credential_symbol()),
            RowField::Account => self.hash(row.account_symbol()),
            RowField::Address => self.hash(row.address_symbol()),
            RowField::Client => self.hash(row.client_symbol()),
            RowField::Action => self.hash(row.action_symbol()),
            RowField::Target => {
                return row
                    .target_symbols()
                    .map(|target| self.hash(target))
                    .collect();
            }
            RowField::ActorKind => self.word(row.kind().as_str()),
            RowField::Outcome => self.word(outcome(row)),
            RowField::Network
            | RowField::NetworkClass
            | RowField::Subject
            | RowField::ClientTool
            | RowField::ClientSystem
            | RowField::Service => {
                let symbol = match field {
                    RowField::Subject => row.subject_symbol(),
                    RowField::ClientTool | RowField::ClientSystem => row.client_symbol(),
                    RowField::Service => row.action_symbol(),
                    _ => row.address_symbol(),
                };
                self.derived(field, symbol, |facts| facts.text(field, row))
            }
        };
        if one == 0 {
            Hashes::new()
        } else {
            smallvec![one]
        }
    }

    /// The values of a field as texts, in the order of [`Facts::of`].
    pub(crate) fn texts(&self, field: RowField, row: ActivityRow<'f>) -> Vec<String> {
        match field {
            RowField::Target => row.targets().map(str::to_owned).collect(),
            _ => self
                .text(field, row)
                .map(Cow::into_owned)
                .into_iter()
                .collect(),
        }
    }

    fn text(&self, field: RowField, row: ActivityRow<'f>) -> Option<Cow<'f, str>> {
        let strings = self.activities.strings();
        let filled = |text: &'f str| (!text.is_empty()).then_some(Cow::Borrowed(text));
        match field {
            RowField::Actor => Some(Cow::Owned(row.actor())),
            RowField::ActorKind => Some(Cow::Borrowed(row.kind().as_str())),
            RowField::Person => strings.get(person(row)?).map(Cow::Borrowed),
            RowField::Principal => filled(row.principal()),
            RowField::Session => row.session().map(Cow::Borrowed),
            RowField::Subject => row.subject().map(normal_subject),
            RowField::Lineage => strings
                .get(self.lineage.root(row.credential_symbol()))
                .map(Cow::Borrowed),
            RowField::Credential => row.credential().map(Cow::Borrowed),
            RowField::Account => row.account().map(Cow::Borrowed),
            RowField::Address => row.address().map(Cow::Borrowed),
            RowField::Network => network(self.snapshot, row.address()?, row.origin()),
            RowField::NetworkClass => self
                .snapshot
                .network_class(row.address()?)
                .map(|class| Cow::Owned(class.to_owned())),
            RowField::Client => row.client().map(Cow::Borrowed),
            RowField::ClientTool => client_tool(row.client()?).map(Cow::Borrowed),
            RowField::ClientSystem => client_system(row.client()?).map(Cow::Borrowed),
            RowField::Action => filled(row.action()),
            RowField::Service => row
                .action()
                .split_once(':')
                .map(|(service, _)| Cow::Borrowed(service)),
            RowField::Target => row.targets().next().map(Cow::Borrowed),
            RowField::Outcome => Some(Cow::Borrowed(outcome(row))),
        }
    }
}

fn outcome(row: ActivityRow<'_>) -> &'static str {
    if row.succeeded() {
        "success"
    } else if row.denied() {
        "denied"
    } else {
        "failed"
    }
}

/// Who is behind a row. A person's role is worn by many, and the session name tells who wears it;
/// a workload's session name only numbers it.
fn person(row: ActivityRow<'_>) -> Option<Symbol> {
    let named = row.kind() == PrincipalKind::Human || row.principal().contains("/AWSReservedSSO_");
    let symbol = if named && row.session_symbol().is_some() {
        row.session_symbol()
    } else {
        row.principal_symbol()
    };
    symbol.is_some().then_some(symbol)
}

/// Classes of networks that many strangers share: of them the range tells more than the class.
const SHARED: &[&str] = &["residential", "mobile", "vpn", "hosting", "cloud"];

/// The network that an address belongs to: the class that the user declared, so that all own
/// ranges are one; else the range that providers hand out at once.
fn network<'f>(snapshot: &Snapshot, address: &'f str, origin: OriginKind) -> Option<Cow<'f, str>> {
    let class = snapshot.network_class(address);
    if let Some(class) = class.filter(|class| !SHARED.contains(class)) {
        return Some(Cow::Owned(class.to_owned()));
    }
    if origin == OriginKind::Private {
        return Some(Cow::Borrowed("private"));
    }
    let address: std::net::IpAddr = address.parse().ok()?;
    let length = if address.is_ipv4() { 24 } else { 48 };
    let range = ipnet::IpNet::new(address, length).ok()?.trunc();
    Some(Cow::Owned(range.to_string()))
}

/// The program that a user agent names: what stands before the first slash.
fn client_tool(client: &str) -> Option<&str> {
    let plain = client.trim_start_matches('[');
    let end = plain.find(['/', ' ', ']']).unwrap_or(plain.len());
    Some(&plain[..end]).filter(|tool| !tool.is_empty())
}

/// The operating system that a user agent names.
fn client_system(client: &str) -> Option<&'static str> {
    let lower = client.to_ascii_lowercase();
    let names = [
        ("os/macos", "macos"),
        ("os/darwin", "macos"),
        ("darwin/", "macos"),
        ("mac os x", "macos"),
        ("os/windows", "windows"),
        ("windows nt", "windows"),
        ("windows/", "windows"),
        ("linux", "linux"),
    ];
    names
        .iter()
        .find(|(part, _)| lower.contains(part))
        .map(|(_, name)| *name)
}

/// A web identity by what it stands for. GitHub's `sub` names the branch, of which each is new
/// once; the repository and the kind are what a trust is meant for. See "OpenID Connect reference"
/// in the GitHub Actions documentation.
fn normal_subject(subject: &str) -> Cow<'_, str> {
    let Some(at) = subject.find(":repo:") else {
        return Cow::Borrowed(subject);
    };
    let provider = &subject[..at];
    let mut parts = subject[at + 6..].splitn(3, ':');
    let (Some(repository), Some(kind)) = (parts.next(), parts.next()) else {
        return Cow::Borrowed(subject);
    };
    let rest = parts.next().unwrap_or_default();
    let kind = match kind {
        "ref" if rest.starts_with("refs/tags/") => "tag".to_owned(),
        "ref" if rest.starts_with("refs/heads/") => "branch".to_owned(),
        "environment" => format!("environment:{rest}"),
        other => other.to_owned(),
    };
    Cow::Owned(format!("{provider}:repo:{repository}:{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_by_repository_and_kind() {
        let provider = "token.actions.githubusercontent.com";
        for (written, normal) in [
            ("repo:o/web:ref:refs/heads/fix/cache", "repo:o/web:branch"),
            ("repo:o/web:ref:refs/tags/v1", "repo:o/web:tag"),
            ("repo:o/web:pull_request", "repo:o/web:pull_request"),
            ("repo:o/web:environment:prod", "repo:o/web:environment:prod"),
        ] {
            assert_eq!(
                normal_subject(&format!("{provider}:{written}")),
                format!("{provider}:{normal}")
            );
        }
        let other = "oidc.eks/id/1:system:serviceaccount:ci:runner";
        assert_eq!(normal_subject(other), other);
    }

    #[test]
    fn clients_are_told_by_tool_and_system() {
        let kali = "[aws-cli/2.22.35 os/linux#6.11.2-amd64 md/distrib#kali.2024]";
        assert_eq!(client_tool(kali), Some("aws-cli"));
        assert_eq!(client_system(kali), Some("linux"));
        assert_eq!(client_system("aws-cli/2 os/macos#23.5.0"), Some("macos"));
        assert_eq!(client_tool(""), None);
        assert_eq!(client_system("kms.amazonaws.com"), None);
    }

    #[test]
    fn networks_are_declared_classes_or_ranges() {
        let settings = crate::Settings {
            networks: [("198.51.100.0/24", "corporate"), ("203.0.113.0/25", "vpn")]
                .map(|(range, class)| (range.parse().unwrap(), class.to_owned()))
                .into(),
            ..crate::Settings::default()
        };
        let snapshot = Snapshot::new(&portreeve_model::Estate::default(), settings, []);
        let network = |address, origin| network(&snapshot, address, origin);
        assert_eq!(
            network("198.51.100.7", OriginKind::Public).as_deref(),
            Some("corporate")
        );
        assert_eq!(
            network("203.0.113.7", OriginKind::Public).as_deref(),
            Some("203.0.113.0/24"),
            "a provider's customers are not one network"
        );
        assert_eq!(
            network("192.0.2.41", OriginKind::Public).as_deref(),
            Some("192.0.2.0/24")
        );
        assert_eq!(
            network("2001:db8:1:2::3", OriginKind::Public).as_deref(),
            Some("2001:db8:1::/48")
        );
        assert_eq!(
            network("10.0.0.1", OriginKind::Private).as_deref(),
            Some("private")
        );
        assert_eq!(network("s3.amazonaws.com", OriginKind::Service), None);
    }

    #[test]
    fn paths_are_unique() {
        for (at, (path, field, meaning)) in ROW_FIELDS.iter().enumerate() {
            assert_eq!(RowField::new(path), Some(*field));
            assert!(!meaning.is_empty());
            assert!(ROW_FIELDS[..at].iter().all(|(other, ..)| other != path));
        }
    }
}
