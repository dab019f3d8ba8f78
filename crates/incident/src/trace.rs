//! The tree of credentials around one: from what each was made, and who held it where.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_detect::{
    ActivityRow, Certainty, Folded, Link, Networks, Symbol, client_family, described_client,
};
use portreeve_model::CredentialKind;
use serde::Serialize;

use crate::chains::network_name;
use crate::lifetime::{self, End};

/// Up to how many credentials a tree is told whole; of a larger one only what was asked for, what
/// it comes from, and what came of it.
const WHOLE_TREE: usize = 200;

/// What the logs tell of the credentials that were asked for. Its JSON form is what `lineage
/// --format json` writes.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// What was asked for: a credential, an ARN, a name.
    pub asked: String,
    /// Links less sure than this are left out.
    pub certainty: Certainty,
    /// The people, workloads and pipelines behind what was asked for, by name.
    pub actors: Vec<String>,
    /// The credentials that were asked for, by id.
    pub credentials: Vec<String>,
    /// The trees that they stand in, in order of time.
    pub trees: Vec<Tree>,
}

/// A credential that the logs show no parent of, and all that came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Tree {
    /// Each after the one that it was made with.
    pub credentials: Vec<TracedCredential>,
    /// How many of the tree's credentials are left out: neither asked for, nor made with what was
    /// asked for, nor what that was made with.
    pub omitted: u64,
}

/// One credential.
#[derive(Clone, Debug, Serialize)]
pub struct TracedCredential {
    /// Its id.
    pub credential: String,
    /// What it is.
    pub kind: CredentialKind,
    /// How many credentials stand between it and the root.
    pub depth: usize,
    /// Whether it is one of those asked for.
    pub asked: bool,
    /// The principal that it proves, with `/` and the session name where there is one.
    pub principal: String,
    /// Who is behind it, by name; several where records contradict one another.
    pub actors: Vec<String>,
    /// How it came to be; absent where the logs do not tell.
    pub minted: Option<Minting>,
    /// Whether there is an answer less sure than was asked for.
    pub unsure: bool,
    /// When it was created, as far as known.
    pub created: Option<Timestamp>,
    /// When it ends by itself; absent for what does not, and where it is not known.
    pub ends: Option<Timestamp>,
    /// Whether `ends` is the latest possible rather than known.
    pub ends_at_latest: bool,
    /// Who held it where, in order of first use.
    pub held: Vec<Held>,
}

/// How a credential came to be.
#[derive(Clone, Debug, Serialize)]
pub struct Minting {
    /// The credential that it was made with, where the logs tell.
    pub parent: Option<String>,
    /// By which operation: `assume-role`, `get-role-credentials`, `console-login`, ….
    pub method: &'static str,
    /// How sure that is.
    pub certainty: Certainty,
    /// Why, in words.
    pub reason: String,
    /// When its holder got it.
    pub time: Option<Timestamp>,
    /// From which address its holder got it.
    pub address: Option<String>,
    /// With which client.
    pub client: Option<String>,
    /// The event id of the call.
    pub event_id: Option<String>,
}

/// The use of one credential from one address with one client.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// The address, as recorded.
    pub address: String,
    /// The network that it is in.
    pub network: String,
    /// The network's class where it is declared, else `unknown`.
    pub class: String,
    /// The client's user agent, without what changes from call to call.
    pub client: Option<String>,
    /// The client in a few words: `aws-cli on macOS`.
    pub tool: Option<String>,
    /// First use.
    pub first: Option<Timestamp>,
    /// Last use.
    pub last: Option<Timestamp>,
    /// How many calls.
    pub calls: u64,
    /// How many of them were not done.
    pub refused: u64,
    /// The services called.
    pub services: Vec<String>,
}

/// Tells the trees of the credentials that are meant by an id, an ARN or a name: of a user, role,
/// permission set, person, session, instance or repository.
pub fn trace(folded: &Folded, networks: &Networks, asked: &str, at_least: Certainty) -> Trace {
    let tracer = Tracer {
        folded,
        networks,
        at_least,
    };
    let credentials = tracer.meant(asked);
    let mut roots = Vec::new();
    let mut known = HashSet::<Symbol, FixedState>::default();
    for credential in &credentials {
        let above = folded.lineage.ancestors_at(*credential, at_least);
        let root = above.last().copied().unwrap_or(*credential);
        if known.insert(root) {
            roots.push(root);
        }
    }
    let wanted: HashSet<Symbol, FixedState> = credentials.iter().copied().collect();
    let mut trees: Vec<Tree> = roots
        .into_iter()
        .map(|root| tracer.tree(root, &wanted))
        .collect();
    trees.sort_by_cached_key(|tree| {
        let first = tree.credentials.iter().filter_map(began).min();
        let root = tree.credentials.first().map(|it| it.credential.clone());
        (first.is_none(), first, root)
    });
    let actors: BTreeSet<Cow<'_, str>> = credentials
        .iter()
        .flat_map(|credential| tracer.actors(*credential))
        .collect();
    let mut named: Vec<String> = credentials
        .iter()
        .map(|credential| tracer.text(*credential).to_owned())
        .collect();
    named.sort();
    Trace {
        asked: asked.to_owned(),
        certainty: at_least,
        actors: actors.into_iter().map(Cow::into_owned).collect(),
        credentials: named,
        trees,
    }
}

/// When anything is first known of a credential.
fn began(credential: &TracedCredential) -> Option<Timestamp> {
    let minted = credential.minted.as_ref().and_then(|minted| minted.time);
    let used = credential.held.iter().filter_map(|held| held.first).min();
    [credential.created, minted, used]
        .into_iter()
        .flatten()
        .min()
}

struct Tracer<'a> {
    folded: &'a Folded,
    networks: &'a Networks,
    at_least: Certainty,
}

impl<'a> Tracer<'a> {
    fn text(&self, symbol: Symbol) -> &'a str {
        let strings = self.folded.activities.strings();
        strings.get(symbol).unwrap_or_default()
    }

    fn link(&self, credential: Symbol) -> Option<&'a Link> {
        self.folded.lineage.mint_at(credential, self.at_least)
    }

    /// The credentials that are meant. An id means one; a name may mean many.
    fn meant(&self, asked: &str) -> Vec<Symbol> {
        let (lineage, actors) = (&self.folded.lineage, &self.folded.actors);
        if let Some(symbol) = self.folded.activities.strings().find(asked) {
            let mut children = lineage.children_at(symbol, Certainty::Possible);
            let is_credential = lineage.facts(symbol).is_some()
                || lineage.mint_at(symbol, Certainty::Possible).is_some()
                || children.next().is_some();
            if is_credential {
                return vec![symbol];
            }
        }
        let mut meant = BTreeSet::<Symbol>::new();
        for persona in actors.personas() {
            let by_actor = || {
                persona
                    .actor
                    .is_some_and(|actor| is_called(&self.folded.actor_name(actor), asked))
            };
            if persona.credential.is_some()
                && (self.is_meant(persona.principal, persona.session, asked) || by_actor())
            {
                meant.insert(persona.credential);
            }
        }
        // What was made and never used.
        for link in lineage.mints() {
            if self.is_meant(link.principal, link.session, asked) {
                meant.insert(link.child);
            }
        }
        meant.into_iter().collect()
    }

    fn is_meant(&self, principal: Symbol, session: Symbol, asked: &str) -> bool {
        let (principal, session) = (self.text(principal), self.text(session));
        if principal.is_empty() && session.is_empty() {
            return false;
        }
        session == asked
            || is_called(principal, asked)
            || session_arn(asked).is_some_and(|(account, role, name)| {
                name == session
                    && principal.split(':').nth(4) == Some(account)
                    && principal.rsplit('/').next() == Some(role)
            })
            || permission_set(principal) == Some(asked)
    }

    fn actors(&self, credential: Symbol) -> BTreeSet<Cow<'a, str>> {
        let actors = &self.folded.actors;
        actors
            .of_credential(credential)
            .iter()
            .filter_map(|persona| actors.persona(*persona).actor)
            .map(|actor| self.folded.actor_name(actor))
            .collect()
    }

    fn rows(&self, credential: Symbol) -> impl Iterator<Item = ActivityRow<'a>> + use<'a> {
        let folded = self.folded;
        folded
            .actors
            .of_credential(credential)
            .iter()
            .flat_map(move |persona| folded.actors.rows_of(*persona))
            .map(move |row| folded.activities.get(*row))
    }

    fn tree(&self, root: Symbol, wanted: &HashSet<Symbol, FixedState>) -> Tree {
        let mut order = Vec::<(Symbol, usize)>::new();
        let mut seen = HashSet::<Symbol, FixedState>::default();
        let mut pending = vec![(root, 0)];
        while let Some((credential, depth)) = pending.pop() {
            if !seen.insert(credential) {
                continue;
            }
            order.push((credential, depth));
            let lineage = &self.folded.lineage;
            let mut children: Vec<Symbol> =
                lineage.children_at(credential, self.at_least).collect();
            // The last one pushed is the first one told.
            children.sort_by_cached_key(|child| {
                let began = self.began(*child);
                std::cmp::Reverse((began.is_none(), began, self.text(*child)))
            });
            pending.extend(children.into_iter().map(|child| (child, depth + 1)));
        }
        let total = order.len();
        if total > WHOLE_TREE {
            self.prune(&mut order, wanted);
        }
        Tree {
            omitted: (total - order.len()) as u64,
            credentials: order
                .into_iter()
                .map(|(credential, depth)| {
                    self.credential(credential, depth, wanted.contains(&credential))
                })
                .collect(),
        }
    }

    /// Leaves what is wanted, what that comes from, and what came of it.
    fn prune(&self, order: &mut Vec<(Symbol, usize)>, wanted: &HashSet<Symbol, FixedState>) {
        let mut kept = HashSet::<Symbol, FixedState>::default();
        let mut below: Option<usize> = None;
        for (credential, depth) in order.iter() {
            if below.is_some_and(|top| *depth <= top) {
                below = None;
            }
            if below.is_none() && wanted.contains(credential) {
                below = Some(*depth);
                kept.extend(self.folded.lineage.ancestors_at(*credential, self.at_least));
            }
            if below.is_some() {
                kept.insert(*credential);
            }
        }
        order.retain(|(credential, _)| kept.contains(credential));
    }

    fn began(&self, credential: Symbol) -> Option<Timestamp> {
        let minted = || {
            self.folded
                .activities
                .get(self.link(credential)?.row?)
                .time()
        };
        lifetime::created(self.folded, credential)
            .or_else(minted)
            .or_else(|| self.rows(credential).filter_map(|row| row.time()).min())
    }

    fn credential(&self, credential: Symbol, depth: usize, asked: bool) -> TracedCredential {
        let link = self.link(credential);
        let (principal, session) = match (self.folded.lineage.facts(credential), link) {
            (Some(facts), _) => (self.text(facts.principal), self.text(facts.session)),
            (None, Some(link)) => (self.text(link.principal), self.text(link.session)),
            (None, None) => ("", ""),
        };
        let minted = link.map(|link| {
            let row = link.row.map(|row| self.folded.activities.get(row));
            let parent = link.parent.is_some().then(|| self.text(link.parent));
            Minting {
                parent: parent.map(str::to_owned),
                method: link.method.as_str(),
                certainty: link.certainty(),
                reason: link.reason.to_string(),
                time: row.and_then(ActivityRow::time),
                address: row.and_then(ActivityRow::address).map(str::to_owned),
                client: row.and_then(ActivityRow::client).map(client_family),
                event_id: row.and_then(ActivityRow::event_id),
            }
        });
        let end = lifetime::end(self.folded, credential);
        let actors = self.actors(credential);
        TracedCredential {
            credential: self.text(credential).to_owned(),
            kind: lifetime::kind(self.folded, credential),
            depth,
            asked,
            principal: if session.is_empty() {
                principal.to_owned()
            } else {
                format!("{principal}/{session}")
            },
            actors: actors.into_iter().map(Cow::into_owned).collect(),
            created: lifetime::created(self.folded, credential)
                .or(minted.as_ref().and_then(|minted| minted.time)),
            unsure: minted.is_none()
                && self
                    .folded
                    .lineage
                    .mint_at(credential, Certainty::Possible)
                    .is_some(),
            minted,
            ends: end.map(End::time),
            ends_at_latest: matches!(end, Some(End::AtLatest(_))),
            held: self.held(credential),
        }
    }

    fn held(&self, credential: Symbol) -> Vec<Held> {
        let mut families = HashMap::<Symbol, String, FixedState>::default();
        let mut held = BTreeMap::<(&'a str, String), (Held, BTreeSet<&'a str>)>::new();
        for row in self.rows(credential) {
            let family = families
                .entry(row.client_symbol())
                .or_insert_with(|| client_family(row.client().unwrap_or_default()));
            let address = row.address().unwrap_or_default();
            let (one, services) = held
                .entry((address, family.clone()))
                .or_insert_with(|| (self.holder(address, family), BTreeSet::new()));
            one.first = match (one.first, row.time()) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            one.last = one.last.max(row.time());
            one.calls += 1;
            one.refused += u64::from(!row.succeeded());
            services.extend(row.action().split(':').next());
        }
        let mut held: Vec<Held> = held
            .into_values()
            .map(|(one, services)| Held {
                services: services.into_iter().map(str::to_owned).collect(),
                ..one
            })
            .collect();
        // Those of one first use stay in order of address and client.
        held.sort_by_key(|one| (one.first.is_none(), one.first));
        held
    }

    fn holder(&self, address: &str, family: &str) -> Held {
        let class = self.networks.of(address).class;
        Held {
            address: address.to_owned(),
            network: network_name(self.networks, address),
            class: class.unwrap_or("unknown").to_owned(),
            client: (!family.is_empty()).then(|| family.to_owned()),
            tool: (!family.is_empty()).then(|| described_client(family)),
            first: None,
            last: None,
            calls: 0,
            refused: 0,
            services: Vec::new(),
        }
    }
}

/// Whether something is called so: by its id, by the last part of an ARN, or by a repository without
/// the kind of its run.
fn is_called(id: &str, asked: &str) -> bool {
    if id == asked {
        return true;
    }
    if id.starts_with("arn:") {
        return id.rsplit('/').next() == Some(asked);
    }
    id.rsplit_once(':').is_some_and(|(name, _)| name == asked)
}

/// Account, role and session of a session's ARN.
fn session_arn(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    if parts.next()? != "sts" {
        return None;
    }
    let (account, resource) = (parts.nth(1)?, parts.next()?);
    let (role, session) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((account, role, session))
}

/// The permission set that Identity Center made a role for.
fn permission_set(principal: &str) -> Option<&str> {
    let set = principal
        .rsplit('/')
        .next()?
        .strip_prefix("AWSReservedSSO_")?;
    Some(set.rsplit_once('_').map_or(set, |(set, _)| set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_called_by_ids_and_by_names() {
        let user = "arn:aws:iam::111122223333:user/eng/bob";
        assert!(is_called(user, user) && is_called(user, "bob") && !is_called(user, "eng"));
        assert!(is_called("halyard/web:branch", "halyard/web"));
        assert!(!is_called(
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333"
        ));
        assert_eq!(
            session_arn("arn:aws:sts::111122223333:assumed-role/deploy/ci-7"),
            Some(("111122223333", "deploy", "ci-7"))
        );
        assert_eq!(session_arn("arn:aws:iam::111122223333:role/deploy"), None);
        assert_eq!(
            permission_set("arn:aws:iam::111122223333:role/x/AWSReservedSSO_Web_Deploy_0a1b"),
            Some("Web_Deploy")
        );
    }
}
