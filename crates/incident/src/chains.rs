//! One person's sessions day after day, where the same foreign network or client recurs: keys that
//! end by themselves and were taken anew are one chain, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_detect::{ActivityRow, ActorId, Networks, Symbol, described_client};
use portreeve_model::MintMethod;

use crate::case::Case;
use crate::report::{Chain, ChainedCredential};
use crate::text::{clean, counted, listed, minute};

/// What ties one credential to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// A network that is strange to the actor.
    Network(String),
    /// A client that only the intruder was seen with.
    Client(u32),
}

/// The chains of an incident of two credentials or more, the longest first.
pub(crate) fn chains(case: &Case<'_>) -> Vec<Chain> {
    let mut rows_of = BTreeMap::<ActorId, Vec<ActivityRow<'_>>>::new();
    for row in case.deeds() {
        let from_elsewhere =
            case.survey.is_strange_row(row) || case.survey.distinctive_family(row).is_some();
        if let Some(actor) = case.survey.actors.actor_of(row.id())
            && row.credential_symbol().is_some()
            && from_elsewhere
            && !is_chained(case, row.credential_symbol())
        {
            rows_of.entry(actor).or_default().push(row);
        }
    }
    let mut chains: Vec<Chain> = rows_of
        .into_iter()
        .flat_map(|(actor, rows)| of_actor(case, actor, &rows))
        .collect();
    chains.sort_by_cached_key(|chain| {
        let first = chain.credentials.first().map(|it| it.credential.clone());
        let length = std::cmp::Reverse(chain.credentials.len());
        (length, chain.first.is_none(), chain.first, first)
    });
    chains
}

/// Whether a credential was taken with another, so that it is that one's branch rather than the
/// next of a chain.
fn is_chained(case: &Case<'_>, credential: Symbol) -> bool {
    case.folded.lineage.mint(credential).is_some_and(|link| {
        link.parent.is_some()
            && matches!(
                link.method,
                MintMethod::AssumeRole
                    | MintMethod::GetSessionToken
                    | MintMethod::GetFederationToken
            )
    })
}

fn of_actor(case: &Case<'_>, actor: ActorId, rows: &[ActivityRow<'_>]) -> Vec<Chain> {
    let mut ties = BTreeMap::<Symbol, BTreeSet<Tie>>::new();
    for row in rows {
        let known = ties.entry(row.credential_symbol()).or_default();
        if case.survey.is_strange_row(*row) {
            let address = row.address().unwrap_or_default();
            known.insert(Tie::Network(network_name(case.networks, address)));
        }
        known.extend(case.survey.distinctive_family(*row).map(Tie::Client));
    }
    // Each group holds the ties that its credentials share, directly or through others.
    let mut groups: Vec<(BTreeSet<Symbol>, BTreeSet<Tie>)> = Vec::new();
    for (credential, mut own) in ties {
        let mut members = BTreeSet::from([credential]);
        groups.retain(|(others, known)| {
            let apart = known.is_disjoint(&own);
            if !apart {
                members.extend(others);
                own.extend(known.iter().cloned());
            }
            apart
        });
        groups.push((members, own));
    }
    groups
        .into_iter()
        .filter(|(members, _)| members.len() > 1)
        .map(|(members, _)| chain(case, actor, &members, rows))
        .collect()
}

fn chain(
    case: &Case<'_>,
    actor: ActorId,
    members: &BTreeSet<Symbol>,
    rows: &[ActivityRow<'_>],
) -> Chain {
    let mut credentials = BTreeMap::<Symbol, ChainedCredential>::new();
    let mut networks = BTreeSet::new();
    let mut clients = BTreeSet::new();
    let mut days = BTreeSet::new();
    for row in rows {
        let credential = row.credential_symbol();
        if !members.contains(&credential) {
            continue;
        }
        let address = row.address().unwrap_or_default();
        networks.insert(network_name(case.networks, address));
        let client = case.survey.family_name(*row);
        if !client.is_empty() {
            clients.insert(client.to_owned());
        }
        days.extend(row.time().map(|time| time.as_second().div_euclid(86_400)));
        let used = credentials
            .entry(credential)
            .or_insert_with(|| ChainedCredential {
                credential: case.text(credential).to_owned(),
                first: row.time(),
                last: row.time(),
                calls: 0,
            });
        used.first = earliest(used.first, row.time());
        used.last = used.last.max(row.time());
        used.calls += 1;
    }
    let mut credentials: Vec<ChainedCredential> = credentials.into_values().collect();
    credentials.sort_by(|a, b| {
        (a.first.is_none(), a.first, &a.credential).cmp(&(
            b.first.is_none(),
            b.first,
            &b.credential,
        ))
    });
    Chain {
        person: case.folded.actor_name(actor).into_owned(),
        networks: networks.into_iter().collect(),
        clients: clients.into_iter().collect(),
        first: credentials.iter().filter_map(|it| it.first).min(),
        last: credentials.iter().filter_map(|it| it.last).max(),
        days: days.len() as u64,
        credentials,
    }
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The longest chain in one sentence.
pub(crate) fn told(chains: &[Chain]) -> Option<String> {
    let chain = chains.first()?;
    let until = chain
        .last
        .map(|last| format!(", until {}", minute(last)))
        .unwrap_or_default();
    let networks: Vec<String> = chain.networks.iter().map(|name| clean(name)).collect();
    let clients: BTreeSet<String> = chain
        .clients
        .iter()
        .map(|client| clean(&described_client(client)))
        .collect();
    let clients: Vec<String> = clients.into_iter().collect();
    let with = if clients.is_empty() {
        String::new()
    } else {
        format!(" with {}", listed(&clients, 2))
    };
    let others = match chains.len() - 1 {
        0 => String::new(),
        others => format!(
            "; {} in this incident",
            counted(others as u64, "other such chain")
        ),
    };
    Some(format!(
        "{} of {} on {} are one chain, from {}{with}{until}: the intruder got new ones as the old \
         ones ended{others}.",
        counted(chain.credentials.len() as u64, "credential"),
        clean(&chain.person),
        counted(chain.days, "day"),
        listed(&networks, 3),
    ))
}

/// What a network is called, so that neighbouring addresses are one: the declared name, else the
/// number and the organisation of its autonomous system, else the `/24` (`/48` of IPv6) that holds
/// the address; with its class where that is known.
pub(crate) fn network_name(networks: &Networks, address: &str) -> String {
    let network = networks.of(address);
    let Some(mut name) = network.name().map(|name| name.into_owned()) else {
        return address.to_owned();
    };
    if let Some(organisation) = network.organisation
        && !network.declared
    {
        name.push(' ');
        name.push_str(organisation);
    }
    if let Some(class) = network.class {
        name.push_str(&format!(" ({class})"));
    }
    name
}

#[cfg(test)]
mod tests {
    use portreeve_detect::Settings;

    use super::*;

    #[test]
    fn neighbours_are_one_network() {
        let mut settings = Settings::default();
        let name = |settings: &Settings, address: &str| {
            network_name(&Networks::new(settings, Vec::new()), address)
        };
        assert_eq!(name(&settings, "192.0.2.41"), "192.0.2.0/24");
        assert_eq!(name(&settings, "2001:db8:1:2::3"), "2001:db8:1::/48");
        assert_eq!(name(&settings, "s3.amazonaws.com"), "s3.amazonaws.com");
        settings
            .networks
            .insert("192.0.2.40/29".parse().unwrap(), "vpn".into());
        assert_eq!(name(&settings, "192.0.2.41"), "192.0.2.40/29 (vpn)");
        assert_eq!(name(&settings, "192.0.2.90"), "192.0.2.0/24");
    }
}
