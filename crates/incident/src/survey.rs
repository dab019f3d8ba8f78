//! Where and with what client each actor works, and which of that is strange.
//!
//! An address is *common* where many actors use it without a finding, or where the user declares
//! its network as corporate or a pipeline's. It is *ordinary* for an actor that used it on several
//! days before the actor's first finding from a strange address, or from the start did much of its
//! work there. It is *own* to an actor that used it before the first sign with nothing but the clients
//! that it uses where it ordinarily works, unless a grave finding was made there alone: a session that
//! is in two hands makes findings that show both, and one of them is the owner's. What is none of
//! these, and public, is *strange*: only that joins findings and makes other activity suspect.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{
    ActivityRow, ActorId, Actors, Folded, Networks, RowId, Symbol, client_family,
    is_provider_family, is_specific_family,
};
use portreeve_model::{Finding, FindingSource, OriginKind, Severity};

use crate::places::{NEVER, Place, PlaceId, Places, Use};
use crate::runners::Written;

/// From how many actors on, seen without a finding, an address is an office's or a provider's.
const COMMON_ACTORS: u8 = 4;

/// How long before the first finding a client may have been seen and still be the intruder's; and
/// how long after its first call an actor still begins.
const LEAD_SECONDS: i64 = 86_400;

/// One in so many of an actor's calls comes at least from where it habitually works.
const HABIT: u32 = 4;

/// One row in so many has a finding at most where an actor ordinarily works.
const RARE: u32 = 10;

pub(crate) type FamilyId = u32;

/// What an actor did from one address with one family of clients.
#[derive(Clone, Copy, Debug)]
struct ClientUse {
    actor: ActorId,
    place: PlaceId,
    family: FamilyId,
    found: bool,
    first: i64,
}

/// What a row tells of where its actor works.
#[derive(Clone, Copy, Debug)]
struct Seen {
    actor: ActorId,
    address: Symbol,
    row: RowId,
    family: FamilyId,
    is_public: bool,
    /// In seconds.
    time: i64,
}

/// What is known of addresses and clients.
pub(crate) struct Survey<'a> {
    folded: &'a Folded,
    pub(crate) actors: &'a Actors,
    /// For each finding its rows.
    pub(crate) rows_of_finding: Vec<Vec<RowId>>,
    /// Rows with a grave finding that says something of its address.
    grave_rows: Vec<RowId>,
    uses: Places,
    common: HashSet<Symbol, FixedState>,
    named: HashSet<Symbol, FixedState>,
    first_strange: HashMap<ActorId, i64, FixedState>,
    own: HashSet<(ActorId, Symbol), FixedState>,
    family_of: HashMap<Symbol, FamilyId, FixedState>,
    families: Vec<String>,
    /// Families that were seen only from strange addresses, with findings, since the first sign.
    distinctive: HashSet<FamilyId, FixedState>,
    /// Actors that were seen with a distinctive client that names its machine closely, and
    /// elsewhere with another.
    changed: HashSet<(ActorId, FamilyId), FixedState>,
    /// For each address with a finding when it was first used by anyone.
    first_of_address: HashMap<Symbol, i64, FixedState>,
    /// For each strange address with a finding those who used it.
    users_of_address: HashMap<Symbol, Vec<ActorId>, FixedState>,
    /// What was written that runs, and who does what.
    pub(crate) written: Written<'a>,
}

impl<'a> Survey<'a> {
    pub(crate) fn new(folded: &'a Folded, networks: &Networks) -> Self {
        let mut rows_of_finding = vec![Vec::new(); folded.findings.len()];
        for (row, finding) in &folded.hits {
            rows_of_finding[*finding as usize].push(*row);
        }
        let mut survey = Self {
            folded,
            actors: &folded.actors,
            rows_of_finding,
            grave_rows: Vec::new(),
            uses: Places::default(),
            common: HashSet::default(),
            named: HashSet::default(),
            first_strange: HashMap::default(),
            own: HashSet::default(),
            family_of: HashMap::default(),
            families: Vec::new(),
            distinctive: HashSet::default(),
            changed: HashSet::default(),
            first_of_address: HashMap::default(),
            users_of_address: HashMap::default(),
            written: Written::new(folded),
        };
        let clients = survey.read_uses();
        survey.mark_findings();
        survey.find_common(networks);
        survey.find_habitual();
        survey.find_first_strange();
        survey.find_own(&clients);
        survey.find_distinctive(&clients);
        survey.find_users();
        survey
    }

    /// Tells the families of all clients.
    fn read_families(&mut self) {
        let mut numbers = HashMap::<String, FamilyId, FixedState>::default();
        for row in self.folded.activities.iter() {
            let client = row.client_symbol();
            if self.family_of.contains_key(&client) {
                continue;
            }
            let name = client_family(row.client().unwrap_or_default());
            let next = self.families.len() as FamilyId;
            let number = *numbers.entry(name.clone()).or_insert(next);
            if number == next {
                self.families.push(name);
            }
            self.family_of.insert(client, number);
        }
    }

    /// Reads where each actor works. There may be as many places as records, and a table of all of
    /// them would be jumped about in; so rows are sorted.
    fn read_uses(&mut self) -> Vec<ClientUse> {
        self.read_families();
        let rows = self.folded.activities.iter();
        let mut seen: Vec<Seen> = rows
            .filter_map(|row| {
                Some(Seen {
                    actor: self.actors.actor_of(row.id())?,
                    address: row.address_symbol(),
                    row: row.id(),
                    family: *self.family_of.get(&row.client_symbol())?,
                    is_public: row.origin() == OriginKind::Public,
                    time: row.time()?.as_second(),
                })
            })
            .collect();
        // Of one address in order of time, as rows are numbered.
        seen.sort_unstable_by_key(|it| (it.actor, it.address, it.row));
        let mut clients = Vec::new();
        for at_address in seen.chunk_by(|a, b| (a.actor, a.address) == (b.actor, b.address)) {
            self.read_place(at_address, &mut clients);
        }
        self.uses.end_before(self.actors.len() as ActorId);
        self.mark_clients(&mut clients);
        clients
    }

    /// Reads what one actor did at one address, in order of time.
    fn read_place(&mut self, seen: &[Seen], clients: &mut Vec<ClientUse>) {
        let Some(Seen { actor, address, .. }) = seen.first().copied() else {
            return;
        };
        self.uses.end_before(actor);
        let place = self.uses.next();
        let first_client = clients.len();
        let mut used: Option<Use> = None;
        for it in seen {
            let known = &clients[first_client..];
            if !known.iter().any(|client| client.family == it.family) {
                clients.push(ClientUse {
                    actor,
                    place,
                    family: it.family,
                    found: false,
                    first: it.time,
                });
            }
            if it.is_public {
                used.get_or_insert(Use::new(it.time)).add(it.time);
            }
        }
        self.uses.add(Place { address, used });
    }

    /// Marks what was done with a client where a finding says something of the address.
    fn mark_clients(&self, clients: &mut [ClientUse]) {
        for (number, rows) in self.rows_of_finding.iter().enumerate() {
            if !tells_address(&self.folded.findings[number]) {
                continue;
            }
            for row in rows.iter().map(|row| self.folded.activities.get(*row)) {
                let Some(place) = self
                    .actors
                    .actor_of(row.id())
                    .and_then(|actor| self.uses.find(actor, row.address_symbol()))
                else {
                    continue;
                };
                let family = self.family_of.get(&row.client_symbol());
                let first = clients.partition_point(|client| client.place < place);
                let here = clients[first..]
                    .iter_mut()
                    .take_while(|client| client.place == place);
                for client in here.filter(|client| Some(&client.family) == family) {
                    client.found = true;
                }
            }
        }
    }

    fn mark_findings(&mut self) {
        let mut grave = Vec::new();
        for (number, rows) in self.rows_of_finding.iter().enumerate() {
            let finding = &self.folded.findings[number];
            if !tells_address(finding) || !is_grave(finding) {
                continue;
            }
            grave.extend_from_slice(rows);
            if names_address(finding) {
                let address = |row: &RowId| self.folded.activities.get(*row).address_symbol();
                self.named.extend(rows.iter().map(address));
            }
        }
        grave.sort_unstable();
        grave.dedup();
        for row in &grave {
            let address = self.folded.activities.get(*row).address_symbol();
            if let Some(actor) = self.actors.actor_of(*row)
                && let Some(used) = self.uses.get_mut(actor, address)
            {
                used.found += 1;
            }
        }
        self.grave_rows = grave;
    }

    /// Takes for ordinary from the start where an actor began, did a good part of its work, and
    /// seldom gave a finding: else a finding in the first days of the logs would make all of a
    /// robot's work suspect.
    fn find_habitual(&mut self) {
        for actor in 0..self.actors.len() as ActorId {
            let places = self.uses.of_mut(actor);
            let uses = || places.iter().filter_map(|place| place.used);
            let rows: u32 = uses().map(|used| used.rows).sum();
            let first = uses().map(|used| used.first).min().unwrap_or(NEVER);
            for Place { address, used } in places {
                let Some(used) = used else { continue };
                let is_habitual = used.settled != NEVER
                    && used.first <= first.saturating_add(LEAD_SECONDS)
                    && used.rows.saturating_mul(HABIT) >= rows
                    && used.found.saturating_mul(RARE) <= used.rows;
                if is_habitual && !self.named.contains(address) {
                    used.settled = i64::MIN;
                }
            }
        }
    }

    fn find_common(&mut self, networks: &Networks) {
        let strings = self.folded.activities.strings();
        // By address, one more than how many use it without a finding; 0 for no address.
        let mut quiet = vec![0u8; strings.len()];
        for (_, address, used) in self.uses.iter() {
            if let Some(quiet) = quiet.get_mut(address.index()) {
                *quiet = (*quiet).max(1).saturating_add((used.found == 0).into());
            }
        }
        self.common = strings
            .iter()
            .zip(quiet)
            .filter(|((address, text), quiet)| {
                let own = || !networks.is_empty() && networks.of(text).own;
                *quiet > 0 && !self.named.contains(address) && (*quiet > COMMON_ACTORS || own())
            })
            .map(|((address, _), _)| address)
            .collect();
    }

    /// Finds for each actor its first grave finding from an address that was not ordinary for it
    /// by then.
    fn find_first_strange(&mut self) {
        // Rows are in order of time.
        for row in &self.grave_rows {
            let row = self.folded.activities.get(*row);
            let (Some(actor), Some(time)) = (self.actors.actor_of(row.id()), row.time()) else {
                continue;
            };
            let time = time.as_second();
            let Some(used) = self.uses.get(actor, row.address_symbol()) else {
                continue;
            };
            let settled = used.settled < time && !self.named.contains(&row.address_symbol());
            if !settled && !self.common.contains(&row.address_symbol()) {
                self.first_strange.entry(actor).or_insert(time);
            }
        }
    }

    /// Finds the addresses that are an actor's own though they are neither ordinary nor common.
    fn find_own(&mut self, clients: &[ClientUse]) {
        let mut usual = HashSet::<(ActorId, FamilyId), FixedState>::default();
        let of_found =
            || (clients.iter()).filter(|client| self.first_strange.contains_key(&client.actor));
        for client in of_found() {
            if !self.is_strange_place(client) {
                usual.insert((client.actor, client.family));
            }
        }
        let mut own = HashSet::<(ActorId, Symbol), FixedState>::default();
        for client in of_found() {
            let Place { address, used } = self.uses.at(client.place);
            let first_strange = self.first_strange.get(&client.actor);
            let earlier = used
                .zip(first_strange)
                .is_some_and(|(used, first_strange)| used.first < *first_strange);
            if earlier && !self.named.contains(address) {
                own.insert((client.actor, *address));
            }
        }
        for client in of_found() {
            if !usual.contains(&(client.actor, client.family)) {
                own.remove(&(client.actor, self.uses.at(client.place).address));
            }
        }
        for (number, rows) in self.rows_of_finding.iter().enumerate() {
            let finding = &self.folded.findings[number];
            if !tells_address(finding) || !is_grave(finding) {
                continue;
            }
            let places: BTreeSet<(ActorId, Symbol)> = rows
                .iter()
                .filter_map(|row| {
                    let actor = self.actors.actor_of(*row)?;
                    Some((actor, self.folded.activities.get(*row).address_symbol()))
                })
                .collect();
            if let (Some(place), 1) = (places.first(), places.len()) {
                own.remove(place);
            }
        }
        self.own = own;
    }

    /// Whether a client was used from a strange address. Calls through the provider or from within
    /// a network tell nothing of a machine.
    fn is_strange_place(&self, client: &ClientUse) -> bool {
        let Place { address, used } = self.uses.at(client.place);
        used.as_ref()
            .is_some_and(|used| self.is_strange_use(client.actor, *address, used))
    }

    fn find_distinctive(&mut self, clients: &[ClientUse]) {
        let mut firsts = HashMap::<(ActorId, FamilyId), ClientUse, FixedState>::default();
        let mut ordinary = HashSet::<FamilyId, FixedState>::default();
        for client in clients {
            if !ordinary.contains(&client.family) && !self.is_strange_place(client) {
                ordinary.insert(client.family);
            }
        }
        for client in clients {
            if ordinary.contains(&client.family) {
                continue;
            }
            let pair = firsts
                .entry((client.actor, client.family))
                .or_insert(*client);
            pair.first = pair.first.min(client.first);
            pair.found |= client.found;
        }
        let mut found = HashSet::<FamilyId, FixedState>::default();
        for ((actor, family), seen) in &firsts {
            let near = self
                .first_strange
                .get(actor)
                .is_some_and(|first| seen.first >= first - LEAD_SECONDS);
            if !seen.found || !near || is_provider_family(&self.families[*family as usize]) {
                ordinary.insert(*family);
            } else {
                found.insert(*family);
            }
        }
        found.retain(|family| !ordinary.contains(family));
        self.find_changed(&firsts, &found, clients);
        self.distinctive = found;
    }

    /// Finds the actors whose credentials changed hands: seen with a distinctive client, and
    /// elsewhere with another. A tester with an attack system of their own is not among them.
    fn find_changed(
        &mut self,
        firsts: &HashMap<(ActorId, FamilyId), ClientUse, FixedState>,
        distinctive: &HashSet<FamilyId, FixedState>,
        clients: &[ClientUse],
    ) {
        let pairs: Vec<(ActorId, FamilyId)> = firsts
            .keys()
            .filter(|(_, family)| distinctive.contains(family))
            .filter(|(_, family)| is_specific_family(&self.families[*family as usize]))
            .copied()
            .collect();
        let mut uses_of = HashMap::<ActorId, Vec<(FamilyId, Symbol)>, FixedState>::default();
        for (actor, _) in &pairs {
            uses_of.entry(*actor).or_default();
        }
        for client in clients {
            if let Some(known) = uses_of.get_mut(&client.actor) {
                known.push((client.family, self.uses.at(client.place).address));
            }
        }
        for (actor, family) in pairs {
            let Some(known) = uses_of.get(&actor) else {
                continue;
            };
            let own: HashSet<Symbol, FixedState> = known
                .iter()
                .filter(|(it, _)| *it == family)
                .map(|(_, address)| *address)
                .collect();
            if known
                .iter()
                .any(|(other, address)| *other != family && !own.contains(address))
            {
                self.changed.insert((actor, family));
            }
        }
    }

    fn find_users(&mut self) {
        for row in self.rows_of_finding.iter().flatten() {
            let address = self.folded.activities.get(*row).address_symbol();
            self.first_of_address.insert(address, NEVER);
        }
        let mut users = HashMap::<Symbol, Vec<ActorId>, FixedState>::default();
        for (actor, address, used) in self.uses.iter() {
            let Some(first) = self.first_of_address.get_mut(&address) else {
                continue;
            };
            *first = used.first.min(*first);
            if self.is_strange_use(actor, address, used) {
                users.entry(address).or_default().push(actor);
            }
        }
        for actors in users.values_mut() {
            actors.sort_unstable();
        }
        self.users_of_address = users;
    }

    /// Whether an address is public, used by few, and new for the actor since its first sign.
    pub(crate) fn is_strange(&self, actor: ActorId, address: Symbol) -> bool {
        match self.uses.get(actor, address) {
            Some(used) => self.is_strange_use(actor, address, used),
            None => self.named.contains(&address),
        }
    }

    fn is_strange_use(&self, actor: ActorId, address: Symbol, used: &Use) -> bool {
        if self.named.contains(&address) {
            return true;
        }
        let first_strange = self.first_strange.get(&actor).copied().unwrap_or(NEVER);
        let ordinary = used.settled < first_strange;
        !ordinary && !self.common.contains(&address) && !self.own.contains(&(actor, address))
    }

    /// Whether a row was done from a strange address.
    pub(crate) fn is_strange_row(&self, row: ActivityRow<'_>) -> bool {
        match self.actors.actor_of(row.id()) {
            Some(actor) => self.is_strange(actor, row.address_symbol()),
            None => {
                row.origin() == OriginKind::Public && !self.common.contains(&row.address_symbol())
            }
        }
    }

    /// Those for whom an address with a finding is strange, and who used it.
    pub(crate) fn users_of(&self, address: Symbol) -> &[ActorId] {
        self.users_of_address
            .get(&address)
            .map_or(&[], Vec::as_slice)
    }

    /// Whether an actor first used an address after its first finding from a strange one.
    pub(crate) fn is_new(&self, actor: ActorId, address: Symbol) -> bool {
        match (
            self.uses.get(actor, address),
            self.first_strange.get(&actor),
        ) {
            (Some(used), Some(first)) => used.first >= *first,
            _ => false,
        }
    }

    /// When an address with a finding was first used by anyone, in seconds.
    pub(crate) fn first_use(&self, address: Symbol) -> i64 {
        self.first_of_address
            .get(&address)
            .copied()
            .unwrap_or(NEVER)
    }

    /// The family of a row's client, where only intruders were seen with it.
    pub(crate) fn distinctive_family(&self, row: ActivityRow<'_>) -> Option<FamilyId> {
        self.family_of
            .get(&row.client_symbol())
            .copied()
            .filter(|family| self.distinctive.contains(family))
    }

    /// Whether an actor's credentials came into the hands of whoever has a client, so that the
    /// client ties the actor to others of whom the same holds.
    pub(crate) fn changed_to(&self, actor: ActorId, family: FamilyId) -> bool {
        self.changed.contains(&(actor, family))
    }

    /// The family of a row's client, for grouping.
    pub(crate) fn family_name(&self, row: ActivityRow<'_>) -> &str {
        self.family_of
            .get(&row.client_symbol())
            .and_then(|family| self.families.get(*family as usize))
            .map_or("", String::as_str)
    }

    /// Addresses that the user named as signs.
    pub(crate) fn is_named(&self, address: Symbol) -> bool {
        self.named.contains(&address)
    }

    /// The distinct credentials of findings' rows.
    pub(crate) fn credentials_of(&self, finding: usize) -> BTreeSet<Symbol> {
        self.rows_of_finding[finding]
            .iter()
            .map(|row| self.folded.activities.get(*row).credential_symbol())
            .filter(|credential| credential.is_some())
            .collect()
    }
}

/// Whether a finding alone is worth an incident.
pub(crate) fn is_grave(finding: &Finding) -> bool {
    finding.severity >= Severity::Medium || finding.source == FindingSource::Sign
}

/// Whether a finding says something of the address that it was made on. A sign that names a
/// credential or an actor is found on everything that these do, wherever it is done.
pub(crate) fn tells_address(finding: &Finding) -> bool {
    finding.source == FindingSource::Detection
        || names_address(finding)
        || finding.rule.starts_with("sign:client=")
}

fn names_address(finding: &Finding) -> bool {
    finding.source == FindingSource::Sign
        && (finding.rule.starts_with("sign:address=") || finding.rule.starts_with("sign:network="))
}
