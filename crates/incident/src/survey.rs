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

use crate::runners::Written;

/// From how many actors on, seen without a finding, an address is an office's or a provider's.
const COMMON_ACTORS: u32 = 4;

/// On how many days an actor must have worked from an address for it to be ordinary.
const ORDINARY_DAYS: u8 = 3;

/// How long before the first finding a client may have been seen and still be the intruder's; and
/// how long after its first call an actor still begins.
const LEAD_SECONDS: i64 = 86_400;

/// One in so many of an actor's calls comes at least from where it habitually works.
const HABIT: u32 = 4;

/// One row in so many has a finding at most where an actor ordinarily works.
const RARE: u32 = 10;

/// Stands for "never" where times are compared.
const NEVER: i64 = i64::MAX;

pub(crate) type FamilyId = u32;

#[derive(Clone, Copy, Debug)]
struct Use {
    first: i64,
    /// When the last of [`ORDINARY_DAYS`] days began.
    settled: i64,
    last_day: i32,
    rows: u32,
    /// Rows with a grave finding.
    found: u32,
    days: u8,
}

#[derive(Clone, Copy, Debug)]
struct ClientUse {
    first: i64,
    found: bool,
}

/// What is known of addresses and clients.
pub(crate) struct Survey<'a> {
    folded: &'a Folded,
    pub(crate) actors: &'a Actors,
    /// For each finding its rows.
    pub(crate) rows_of_finding: Vec<Vec<RowId>>,
    /// Rows with a grave finding that says something of its address.
    grave_rows: Vec<RowId>,
    uses: HashMap<(ActorId, Symbol), Use, FixedState>,
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
            uses: HashMap::default(),
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
        let client_uses = survey.read_uses();
        survey.mark_findings();
        survey.find_common(networks);
        survey.find_habitual();
        survey.find_first_strange();
        survey.find_own(&client_uses);
        survey.find_distinctive(&client_uses);
        survey.find_users();
        survey
    }

    fn read_uses(&mut self) -> HashMap<(ActorId, FamilyId, Symbol), ClientUse, FixedState> {
        let mut family_numbers = HashMap::<String, FamilyId, FixedState>::default();
        let mut client_uses = HashMap::<_, ClientUse, _>::with_hasher(FixedState::default());
        for row in self.folded.activities.iter() {
            let family = match self.family_of.get(&row.client_symbol()) {
                Some(family) => *family,
                None => {
                    let name = client_family(row.client().unwrap_or_default());
                    let next = self.families.len() as FamilyId;
                    let number = *family_numbers.entry(name.clone()).or_insert(next);
                    if number == next {
                        self.families.push(name);
                    }
                    self.family_of.insert(row.client_symbol(), number);
                    number
                }
            };
            let (Some(actor), Some(time)) = (self.actors.actor_of(row.id()), row.time()) else {
                continue;
            };
            let (time, address) = (time.as_second(), row.address_symbol());
            client_uses
                .entry((actor, family, address))
                .and_modify(|seen| seen.first = seen.first.min(time))
                .or_insert(ClientUse {
                    first: time,
                    found: false,
                });
            if row.origin() != OriginKind::Public {
                continue;
            }
            let day = time.div_euclid(86_400) as i32;
            let used = self.uses.entry((actor, address)).or_insert(Use {
                first: time,
                settled: NEVER,
                last_day: i32::MIN,
                rows: 0,
                found: 0,
                days: 0,
            });
            used.rows += 1;
            if used.last_day != day {
                used.last_day = day;
                used.days = used.days.saturating_add(1);
                if used.days == ORDINARY_DAYS {
                    used.settled = time;
                }
            }
        }
        for (number, rows) in self.rows_of_finding.iter().enumerate() {
            if !tells_address(&self.folded.findings[number]) {
                continue;
            }
            for row in rows.iter().map(|row| self.folded.activities.get(*row)) {
                if let Some(actor) = self.actors.actor_of(row.id())
                    && let Some(family) = self.family_of.get(&row.client_symbol())
                    && let Some(seen) = client_uses.get_mut(&(actor, *family, row.address_symbol()))
                {
                    seen.found = true;
                }
            }
        }
        client_uses
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
                && let Some(used) = self.uses.get_mut(&(actor, address))
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
        let mut totals = vec![(0u32, NEVER); self.actors.len()];
        for ((actor, _), used) in &self.uses {
            let (rows, first) = &mut totals[*actor as usize];
            *rows += used.rows;
            *first = used.first.min(*first);
        }
        for ((actor, address), used) in &mut self.uses {
            let (rows, first) = totals[*actor as usize];
            let is_habitual = used.settled != NEVER
                && used.first <= first.saturating_add(LEAD_SECONDS)
                && used.rows.saturating_mul(HABIT) >= rows
                && used.found.saturating_mul(RARE) <= used.rows;
            if is_habitual && !self.named.contains(address) {
                used.settled = i64::MIN;
            }
        }
    }

    fn find_common(&mut self, networks: &Networks) {
        let mut quiet = HashMap::<Symbol, u32, FixedState>::default();
        for ((_, address), used) in &self.uses {
            *quiet.entry(*address).or_default() += u32::from(used.found == 0);
        }
        let strings = self.folded.activities.strings();
        self.common = quiet
            .into_iter()
            .filter(|(address, count)| {
                let own = !networks.is_empty()
                    && strings
                        .get(*address)
                        .is_some_and(|text| networks.of(text).own);
                !self.named.contains(address) && (*count >= COMMON_ACTORS || own)
            })
            .map(|(address, _)| address)
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
            let Some(used) = self.uses.get(&(actor, row.address_symbol())) else {
                continue;
            };
            let settled = used.settled < time && !self.named.contains(&row.address_symbol());
            if !settled && !self.common.contains(&row.address_symbol()) {
                self.first_strange.entry(actor).or_insert(time);
            }
        }
    }

    /// Finds the addresses that are an actor's own though they are neither ordinary nor common.
    fn find_own(&mut self, uses: &HashMap<(ActorId, FamilyId, Symbol), ClientUse, FixedState>) {
        let mut usual = HashSet::<(ActorId, FamilyId), FixedState>::default();
        for (actor, family, address) in uses.keys() {
            let is_strange = || {
                let used = self.uses.get(&(*actor, *address));
                used.is_some_and(|used| self.is_strange_use(*actor, *address, used))
            };
            if self.first_strange.contains_key(actor) && !is_strange() {
                usual.insert((*actor, *family));
            }
        }
        let mut own = HashSet::<(ActorId, Symbol), FixedState>::default();
        for (actor, _, address) in uses.keys() {
            let Some(first_strange) = self.first_strange.get(actor) else {
                continue;
            };
            let earlier = self
                .uses
                .get(&(*actor, *address))
                .is_some_and(|used| used.first < *first_strange);
            if earlier && !self.named.contains(address) {
                own.insert((*actor, *address));
            }
        }
        for (actor, family, address) in uses.keys() {
            if !usual.contains(&(*actor, *family)) {
                own.remove(&(*actor, *address));
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

    fn find_distinctive(
        &mut self,
        uses: &HashMap<(ActorId, FamilyId, Symbol), ClientUse, FixedState>,
    ) {
        let mut firsts = HashMap::<(ActorId, FamilyId), ClientUse, FixedState>::default();
        let mut ordinary = HashSet::<FamilyId, FixedState>::default();
        for (actor, family, address) in uses.keys() {
            // Calls through the provider or from within a network tell nothing of a machine.
            let is_strange = || {
                let used = self.uses.get(&(*actor, *address));
                used.is_some_and(|used| self.is_strange_use(*actor, *address, used))
            };
            if !ordinary.contains(family) && !is_strange() {
                ordinary.insert(*family);
            }
        }
        for ((actor, family, _), seen) in uses {
            if ordinary.contains(family) {
                continue;
            }
            let pair = firsts.entry((*actor, *family)).or_insert(*seen);
            pair.first = pair.first.min(seen.first);
            pair.found |= seen.found;
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
        self.find_changed(&firsts, &found, uses);
        self.distinctive = found;
    }

    /// Finds the actors whose credentials changed hands: seen with a distinctive client, and
    /// elsewhere with another. A tester with an attack system of their own is not among them.
    fn find_changed(
        &mut self,
        firsts: &HashMap<(ActorId, FamilyId), ClientUse, FixedState>,
        distinctive: &HashSet<FamilyId, FixedState>,
        uses: &HashMap<(ActorId, FamilyId, Symbol), ClientUse, FixedState>,
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
        for (actor, family, address) in uses.keys() {
            if let Some(known) = uses_of.get_mut(actor) {
                known.push((*family, *address));
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
        for ((actor, address), used) in &self.uses {
            let Some(first) = self.first_of_address.get_mut(address) else {
                continue;
            };
            *first = used.first.min(*first);
            if self.is_strange_use(*actor, *address, used) {
                users.entry(*address).or_default().push(*actor);
            }
        }
        for actors in users.values_mut() {
            actors.sort_unstable();
        }
        self.users_of_address = users;
    }

    /// Whether an address is public, used by few, and new for the actor since its first sign.
    pub(crate) fn is_strange(&self, actor: ActorId, address: Symbol) -> bool {
        match self.uses.get(&(actor, address)) {
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
            self.uses.get(&(actor, address)),
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
