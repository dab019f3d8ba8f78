//! What addresses and user agents tell, kept: a log has few of them, and each many times.

use foldhash::fast::FixedState;
use portreeve_record::{FieldId, Value};

use crate::clients::Client;
use crate::derived::{Wanted, of_client, of_network};
use crate::networks::Network;
use crate::snapshot::Snapshot;

/// What the networks tell of the addresses that were asked for last: calls come in runs, and a few hundred
/// addresses make most of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentNetworks<'s>(hashbrown::HashMap<String, OfNetwork<'s>, FixedState>);

/// A network, and what it tells by itself.
#[derive(Clone, Debug)]
pub(crate) struct OfNetwork<'s> {
    pub(crate) network: Network<'s>,
    pub(crate) values: Vec<(FieldId, Value<'s>)>,
}

impl<'s> OfNetwork<'s> {
    pub(crate) fn new(address: &str, snapshot: &'s Snapshot, wanted: &[Wanted]) -> Self {
        let network = snapshot.networks().of(address);
        let values = wanted
            .iter()
            .filter_map(|(id, field)| Some((*id, of_network(field.path, &network)?)))
            .collect();
        Self { network, values }
    }
}

/// How many addresses are remembered; all are forgotten when there are more.
const RECENT_NETWORKS: usize = 1 << 14;

impl<'s> RecentNetworks<'s> {
    pub(crate) fn of(
        &mut self,
        address: &str,
        snapshot: &'s Snapshot,
        wanted: &[Wanted],
    ) -> &OfNetwork<'s> {
        if self.0.len() >= RECENT_NETWORKS && !self.0.contains_key(address) {
            self.0.clear();
        }
        // Looked for once where it is known.
        self.0
            .entry_ref(address)
            .or_insert_with(|| OfNetwork::new(address, snapshot, wanted))
    }
}

/// What the user agents that were met last tell: a few dozen programs make most of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentClients(
    hashbrown::HashMap<String, Vec<(FieldId, Value<'static>)>, FixedState>,
);

/// How many user agents are remembered; all are forgotten when there are more.
const RECENT_CLIENTS: usize = 1 << 12;

impl RecentClients {
    pub(crate) fn of(
        &mut self,
        user_agent: &str,
        wanted: &[Wanted],
    ) -> &[(FieldId, Value<'static>)] {
        if self.0.len() >= RECENT_CLIENTS && !self.0.contains_key(user_agent) {
            self.0.clear();
        }
        // Looked for once: a user agent is long, and its hash a good part of what this costs.
        self.0.entry_ref(user_agent).or_insert_with(|| {
            let client = Client::parse(user_agent);
            wanted
                .iter()
                .filter_map(|(id, field)| Some((*id, of_client(field.path, &client, user_agent)?)))
                .collect()
        })
    }
}
