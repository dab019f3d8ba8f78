//! What belongs to one incident: its rows with their roles, and the credentials that were held.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{ActivityRow, Folded, Networks, RowId, Settings, Symbol};
use portreeve_model::{Finding, Severity};

use crate::join::Group;
use crate::report::TimelineRole;
use crate::runners::Runners;
use crate::survey::{Survey, tells_address};

/// How many rows of a credential's other activity a timeline shows.
pub(crate) const QUIET_LIMIT: usize = 2_000;

/// How long before the first finding from an address its first use may lie, where all who use it
/// are to be taken for the intruder.
const LEAD_SECONDS: i64 = 86_400;

/// One row of an incident.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaseRow {
    pub(crate) row: RowId,
    pub(crate) role: TimelineRole,
    /// The number of the gravest finding on it.
    pub(crate) finding: Option<usize>,
}

/// All that one incident is made of.
pub(crate) struct Case<'a> {
    pub(crate) folded: &'a Folded,
    pub(crate) survey: &'a Survey<'a>,
    pub(crate) networks: &'a Networks,
    pub(crate) settings: &'a Settings,
    pub(crate) group: Group,
    /// In order of time.
    pub(crate) rows: Vec<CaseRow>,
    deed_rows: HashSet<RowId, FixedState>,
    /// Rows of other activity beyond [`QUIET_LIMIT`].
    pub(crate) quiet_omitted: usize,
    /// Credentials that the intruder used or made, in order of first sight.
    pub(crate) held: Vec<Symbol>,
    /// Those that the intruder made.
    pub(crate) made: HashSet<Symbol, FixedState>,
    /// Who runs what the intruder wrote.
    pub(crate) runners: Runners,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        folded: &'a Folded,
        survey: &'a Survey<'a>,
        networks: &'a Networks,
        settings: &'a Settings,
        group: Group,
    ) -> Self {
        let mut case = Self {
            folded,
            survey,
            networks,
            settings,
            group,
            rows: Vec::new(),
            deed_rows: HashSet::default(),
            quiet_omitted: 0,
            held: Vec::new(),
            made: HashSet::default(),
            runners: Runners::default(),
        };
        let found = case.finding_of_rows();
        let mut rows: HashMap<RowId, CaseRow, FixedState> = found
            .iter()
            .map(|(row, finding)| {
                (
                    *row,
                    CaseRow {
                        row: *row,
                        role: TimelineRole::Finding,
                        finding: Some(*finding),
                    },
                )
            })
            .collect();
        if case.group.is_strange() {
            case.add_suspect(&mut rows);
        }
        let mut held = case.hold(&mut rows);
        if case.add_runners(&mut rows) {
            held.extend(case.hold(&mut rows));
        }
        case.deed_rows = rows.keys().copied().collect();
        case.add_quiet(&held, &mut rows);
        case.order(rows);
        case.held = case.in_order_of_sight(held);
        case
    }

    /// The findings, in order of time.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &'a Finding> + Clone {
        let folded = self.folded;
        self.group
            .findings
            .iter()
            .map(move |number| &folded.findings[*number])
    }

    /// The findings that no exception mutes: those that score.
    pub(crate) fn loud(&self) -> impl Iterator<Item = &'a Finding> + Clone {
        self.findings().filter(|finding| !finding.is_muted())
    }

    /// The severity of the gravest finding that no exception mutes.
    pub(crate) fn gravest(&self) -> Severity {
        self.loud()
            .map(|finding| finding.severity)
            .max()
            .unwrap_or_default()
    }

    /// What the intruder did, as far as known: rows with a finding and suspect ones, in order of
    /// time.
    pub(crate) fn deeds(&self) -> impl Iterator<Item = ActivityRow<'a>> {
        let folded = self.folded;
        self.rows
            .iter()
            .filter(|row| row.role != TimelineRole::Quiet)
            .map(move |row| folded.activities.get(row.row))
    }

    /// Whether a row has a finding or is suspect.
    pub(crate) fn is_deed(&self, row: RowId) -> bool {
        self.deed_rows.contains(&row)
    }

    /// All rows of a credential.
    pub(crate) fn rows_of_credential(
        &self,
        credential: Symbol,
    ) -> impl Iterator<Item = ActivityRow<'a>> {
        let (folded, survey) = (self.folded, self.survey);
        survey
            .actors
            .of_credential(credential)
            .iter()
            .flat_map(move |persona| survey.actors.rows_of(*persona))
            .map(move |row| folded.activities.get(*row))
    }

    /// The text of a symbol.
    pub(crate) fn text(&self, symbol: Symbol) -> &'a str {
        self.folded
            .activities
            .strings()
            .get(symbol)
            .unwrap_or_default()
    }

    /// The class of an address's network: declared, or by data of networks.
    pub(crate) fn class(&self, address: &str) -> &'a str {
        self.networks.of(address).class.unwrap_or("unknown")
    }

    fn finding_of_rows(&self) -> HashMap<RowId, usize, FixedState> {
        let mut found = HashMap::<RowId, usize, FixedState>::default();
        let severity = |number: usize| self.folded.findings[number].severity;
        for number in &self.group.findings {
            for row in &self.survey.rows_of_finding[*number] {
                let known = found.entry(*row).or_insert(*number);
                if severity(*number) > severity(*known) {
                    *known = *number;
                }
            }
        }
        found
    }

    /// Adds what was done from the intruder's addresses or with the intruder's client.
    fn add_suspect(&self, rows: &mut HashMap<RowId, CaseRow, FixedState>) {
        let survey = self.survey;
        // Address with the time of the first finding from it.
        let mut addresses = HashMap::<Symbol, i64, FixedState>::default();
        let mut families = HashSet::<u32, FixedState>::default();
        for number in &self.group.findings {
            if !tells_address(&self.folded.findings[*number]) {
                continue;
            }
            for row in survey.rows_of_finding[*number]
                .iter()
                .map(|row| self.folded.activities.get(*row))
            {
                if survey.is_strange_row(row) {
                    let time = row.time().map_or(i64::MAX, |time| time.as_second());
                    let first = addresses.entry(row.address_symbol()).or_insert(time);
                    *first = time.min(*first);
                    families.extend(survey.distinctive_family(row));
                }
            }
        }
        let mut personas = BTreeSet::new();
        for actor in &self.group.strange_actors {
            personas.extend(survey.actors.of_actor(*actor));
        }
        for credential in &self.group.tainted {
            personas.extend(survey.actors.of_credential(*credential));
        }
        for (address, first) in &addresses {
            let shared = self.class(self.text(*address)) == "vpn" && !survey.is_named(*address);
            if !shared && survey.first_use(*address) >= first.saturating_sub(LEAD_SECONDS) {
                for actor in survey.users_of(*address) {
                    personas.extend(survey.actors.of_actor(*actor));
                }
            }
        }
        for persona in personas {
            let who = *survey.actors.persona(persona);
            let tainted = self.group.tainted.contains(&who.credential);
            for row in survey.actors.rows_of(persona) {
                let view = self.folded.activities.get(*row);
                let address = view.address_symbol();
                let from_address = survey.is_strange_row(view)
                    && (addresses.contains_key(&address)
                        || (tainted
                            && who.actor.is_some_and(|actor| survey.is_new(actor, address))));
                let is_suspect = from_address
                    || survey
                        .distinctive_family(view)
                        .is_some_and(|it| families.contains(&it));
                if is_suspect {
                    rows.entry(*row).or_insert(CaseRow {
                        row: *row,
                        role: TimelineRole::Suspect,
                        finding: None,
                    });
                }
            }
        }
    }

    /// Adds what those did for the first time who run what the intruder wrote; tells whether there
    /// is any.
    fn add_runners(&mut self, rows: &mut HashMap<RowId, CaseRow, FixedState>) -> bool {
        if !(self.group.is_strange() || self.group.named) {
            return false;
        }
        self.runners = Runners::new(&self.survey.written, rows.keys().copied(), |row| {
            rows.contains_key(&row)
        });
        for row in &self.runners.unusual {
            rows.entry(*row).or_insert(CaseRow {
                row: *row,
                role: TimelineRole::Suspect,
                finding: None,
            });
        }
        !self.runners.unusual.is_empty()
    }

    /// The credentials that the rows show, and those minted from them. What the intruder minted is
    /// the intruder's alone: all its use is suspect.
    fn hold(
        &mut self,
        rows: &mut HashMap<RowId, CaseRow, FixedState>,
    ) -> HashSet<Symbol, FixedState> {
        let survey = self.survey;
        let mut held = HashSet::<Symbol, FixedState>::default();
        let mut minters = BTreeSet::new();
        for row in rows.keys() {
            let persona = survey.actors.persona(survey.actors.persona_of(*row));
            if persona.credential.is_some() {
                minters.insert(persona.credential);
                if !persona.is_subject {
                    held.insert(persona.credential);
                }
            }
        }
        let in_strange_hands = self.group.is_strange() || self.group.named;
        let mut work: Vec<(Symbol, bool)> = minters.into_iter().map(|it| (it, false)).collect();
        while let Some((parent, wholly)) = work.pop() {
            for child in self.folded.lineage.children(parent) {
                let Some(link) = self.folded.lineage.mint(*child) else {
                    continue;
                };
                let is_deed = || link.row.is_some_and(|row| rows.contains_key(&row));
                if !(wholly || is_deed()) || !self.made.insert(*child) {
                    continue;
                }
                held.insert(*child);
                if !in_strange_hands {
                    continue;
                }
                work.push((*child, true));
                for persona in survey.actors.of_credential(*child) {
                    for row in survey.actors.rows_of(*persona) {
                        rows.entry(*row).or_insert(CaseRow {
                            row: *row,
                            role: TimelineRole::Suspect,
                            finding: None,
                        });
                    }
                }
            }
        }
        held
    }

    /// Adds the other activity of the held credentials, and where each came from.
    fn add_quiet(
        &mut self,
        held: &HashSet<Symbol, FixedState>,
        rows: &mut HashMap<RowId, CaseRow, FixedState>,
    ) {
        let mut quiet = Vec::<RowId>::new();
        for credential in held {
            for persona in self.survey.actors.of_credential(*credential) {
                quiet.extend(
                    self.survey
                        .actors
                        .rows_of(*persona)
                        .iter()
                        .filter(|row| !rows.contains_key(row)),
                );
            }
            if let Some(link) = self.folded.lineage.mint(*credential)
                && let Some(row) = link.row
                && !rows.contains_key(&row)
            {
                quiet.push(row);
            }
        }
        quiet.sort_unstable();
        quiet.dedup();
        if quiet.len() > QUIET_LIMIT {
            self.quiet_omitted = quiet.len() - QUIET_LIMIT;
            let mut times: Vec<i64> = rows.keys().filter_map(|row| self.seconds(*row)).collect();
            times.sort_unstable();
            let mut ranked: Vec<(i64, i64, RowId)> = quiet
                .iter()
                .map(|row| {
                    let time = self.seconds(*row).unwrap_or(i64::MAX);
                    (distance(&times, time), time, *row)
                })
                .collect();
            ranked.select_nth_unstable_by(QUIET_LIMIT, |a, b| {
                (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| {
                    let activities = &self.folded.activities;
                    activities.get(a.2).compare_event_ids(activities.get(b.2))
                })
            });
            quiet = ranked[..QUIET_LIMIT]
                .iter()
                .map(|(_, _, row)| *row)
                .collect();
        }
        for row in quiet {
            rows.insert(
                row,
                CaseRow {
                    row,
                    role: TimelineRole::Quiet,
                    finding: None,
                },
            );
        }
    }

    fn seconds(&self, row: RowId) -> Option<i64> {
        self.folded
            .activities
            .get(row)
            .time()
            .map(|time| time.as_second())
    }

    /// Puts the rows in order of time; those that share an instant by their own ids, so that it
    /// does not matter which file held them.
    fn order(&mut self, rows: HashMap<RowId, CaseRow, FixedState>) {
        let mut rows: Vec<CaseRow> = rows.into_values().collect();
        rows.sort_unstable_by(|a, b| {
            let (left, right) = (
                self.folded.activities.get(a.row),
                self.folded.activities.get(b.row),
            );
            let key = |row: ActivityRow<'_>| (row.time().is_none(), row.time());
            key(left)
                .cmp(&key(right))
                .then_with(|| left.compare_event_ids(right))
                .then(a.row.cmp(&b.row))
        });
        self.rows = rows;
    }

    fn in_order_of_sight(&self, held: HashSet<Symbol, FixedState>) -> Vec<Symbol> {
        let mut first = HashMap::<Symbol, usize, FixedState>::default();
        for (position, row) in self.rows.iter().enumerate() {
            let credential = self.folded.activities.get(row.row).credential_symbol();
            if row.role != TimelineRole::Quiet {
                first.entry(credential).or_insert(position);
            }
        }
        let mut held: Vec<Symbol> = held.into_iter().collect();
        held.sort_by_cached_key(|credential| {
            (
                first.get(credential).copied().unwrap_or(usize::MAX),
                self.text(*credential),
            )
        });
        held
    }
}

/// How far a time lies from the nearest of the sorted times.
fn distance(times: &[i64], time: i64) -> i64 {
    let next = times.partition_point(|known| *known < time);
    let after = times.get(next).map(|known| known.saturating_sub(time));
    let before = next
        .checked_sub(1)
        .and_then(|last| times.get(last))
        .map(|known| time.saturating_sub(*known));
    after.into_iter().chain(before).min().unwrap_or(i64::MAX)
}
