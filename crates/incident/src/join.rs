//! Which findings belong to one intrusion.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;
use portreeve_detect::{ActorId, Folded, RowId, Symbol};
use portreeve_model::{Finding, FindingSource, Severity, Tactic};

use crate::survey::{Survey, is_grave, tells_address};

/// How many low rules of as many tactics, on one lineage, make an incident.
const LOW_RULES: usize = 3;

/// The findings of one incident, and what holds them together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Numbers of findings, in their order.
    pub(crate) findings: Vec<usize>,
    /// Actors with a finding from a strange address, or on a credential used from one.
    pub(crate) strange_actors: Vec<ActorId>,
    /// Credentials used from a strange address, and those minted from them by such use.
    pub(crate) tainted: HashSet<Symbol, FixedState>,
    /// Whether a sign that the user named is among the findings.
    pub(crate) named: bool,
}

impl Group {
    /// Whether a credential seems to be in other hands than its owner's.
    pub(crate) fn is_strange(&self) -> bool {
        !self.strange_actors.is_empty() || !self.tainted.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'f> {
    /// An actor's credentials in strange hands.
    Strange(ActorId),
    /// An actor's ordinary work.
    Ordinary(ActorId),
    Credential(Symbol),
    Address(Symbol),
    Client(u32),
    Sign(&'f str),
    /// A rule that fires on callers of which nothing is known.
    Caller(&'f str, Symbol),
}

/// Sets of findings that are merged as keys prove common.
#[derive(Debug, Default)]
struct Sets<'f> {
    parents: Vec<usize>,
    keys: HashMap<Key<'f>, usize, FixedState>,
}

impl<'f> Sets<'f> {
    fn new(findings: usize) -> Self {
        Self {
            parents: (0..findings).collect(),
            keys: HashMap::default(),
        }
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn merge(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        // The lower number stays, so that a set is known by its first finding.
        self.parents[a.max(b)] = a.min(b);
    }

    fn node(&mut self, key: Key<'f>) -> usize {
        let next = self.parents.len();
        let node = *self.keys.entry(key).or_insert(next);
        if node == next {
            self.parents.push(next);
        }
        node
    }

    fn tie(&mut self, finding: usize, key: Key<'f>) {
        let node = self.node(key);
        self.merge(finding, node);
    }
}

/// Joins the findings of a run into groups, in order of their first findings.
pub(crate) fn groups(folded: &Folded, survey: &Survey<'_>) -> Vec<Group> {
    let tainted = Tainted::new(folded, survey);
    let mut sets = Sets::new(folded.findings.len());
    let mut strange = vec![false; folded.findings.len()];
    for (number, finding) in folded.findings.iter().enumerate() {
        let Some(first) = survey.rows_of_finding[number].first() else {
            continue;
        };
        strange[number] = tie(&mut sets, folded, survey, &tainted, number, *first);
        if finding.source == FindingSource::Sign
            && !finding.rule.starts_with("sign:network=")
            && !finding.rule.starts_with("sign:client=")
        {
            sets.tie(number, Key::Sign(&finding.rule));
        }
    }
    for (child, parent) in &tainted.links {
        let (child, parent) = (
            sets.node(Key::Credential(*child)),
            sets.node(Key::Credential(*parent)),
        );
        sets.merge(child, parent);
    }
    let mut members = BTreeMap::<usize, Vec<usize>>::new();
    for number in 0..folded.findings.len() {
        if !survey.rows_of_finding[number].is_empty() {
            let first = sets.find(number);
            members.entry(first).or_default().push(number);
        }
    }
    let mut groups: Vec<Group> = members
        .into_values()
        .filter_map(|findings| group(folded, survey, &tainted, &strange, findings))
        .collect();
    groups.sort_by_key(|group| group.findings.first().copied());
    groups
}

/// Ties one finding to its keys; tells whether it shows a credential in strange hands.
fn tie<'f>(
    sets: &mut Sets<'f>,
    folded: &'f Folded,
    survey: &Survey<'_>,
    tainted: &Tainted,
    number: usize,
    first: RowId,
) -> bool {
    let finding = &folded.findings[number];
    let row = folded.activities.get(first);
    let credentials = survey.credentials_of(number);
    let held = credentials
        .iter()
        .any(|credential| tainted.credentials.contains(credential));
    let strange_rows = || {
        survey.rows_of_finding[number]
            .iter()
            .map(|row| folded.activities.get(*row))
            .filter(|row| tells_address(finding) && survey.is_strange_row(*row))
    };
    let is_strange = held || strange_rows().next().is_some();
    for credential in credentials {
        if tainted.credentials.contains(&credential) {
            sets.tie(number, Key::Credential(credential));
        }
    }
    match survey.actors.actor_of(first) {
        Some(actor) if is_strange => sets.tie(number, Key::Strange(actor)),
        Some(actor) => sets.tie(number, Key::Ordinary(actor)),
        None if row.credential_symbol().is_some() => {
            sets.tie(number, Key::Credential(row.credential_symbol()));
        }
        None if !is_strange => {
            sets.tie(number, Key::Caller(&finding.rule, row.principal_symbol()));
        }
        None => {}
    }
    if is_strange && is_grave(finding) {
        for row in strange_rows() {
            sets.tie(number, Key::Address(row.address_symbol()));
            if let Some(family) = survey.distinctive_family(row)
                && let Some(actor) = survey.actors.actor_of(row.id())
                && survey.changed_to(actor, family)
            {
                sets.tie(number, Key::Client(family));
            }
        }
    }
    is_strange && survey.actors.actor_of(first).is_some()
}

/// Credentials in strange hands.
struct Tainted {
    credentials: HashSet<Symbol, FixedState>,
    /// Child and parent, both tainted.
    links: Vec<(Symbol, Symbol)>,
}

impl Tainted {
    fn new(folded: &Folded, survey: &Survey<'_>) -> Self {
        let mut credentials = HashSet::<Symbol, FixedState>::default();
        let mut work = Vec::new();
        for (number, finding) in folded.findings.iter().enumerate() {
            if !is_grave(finding) || !tells_address(finding) {
                continue;
            }
            for row in survey.rows_of_finding[number]
                .iter()
                .map(|row| folded.activities.get(*row))
            {
                let credential = row.credential_symbol();
                if credential.is_some()
                    && survey.is_strange_row(row)
                    && credentials.insert(credential)
                {
                    work.push((credential, false));
                }
            }
        }
        let mut links = Vec::new();
        let mut wholly = HashSet::<Symbol, FixedState>::default();
        while let Some((parent, is_wholly)) = work.pop() {
            for child in folded.lineage.children(parent) {
                let minted_strangely = is_wholly
                    || folded
                        .lineage
                        .mint(*child)
                        .and_then(|link| link.row)
                        .is_some_and(|row| survey.is_strange_row(folded.activities.get(row)));
                // A credential minted from strange hands was never anyone else's.
                if minted_strangely && wholly.insert(*child) {
                    credentials.insert(*child);
                    links.push((*child, parent));
                    work.push((*child, true));
                }
            }
        }
        Self { credentials, links }
    }
}

/// Makes a group of findings that a common key holds together, or none where they are too weak.
fn group(
    folded: &Folded,
    survey: &Survey<'_>,
    tainted: &Tainted,
    strange: &[bool],
    mut findings: Vec<usize>,
) -> Option<Group> {
    let found = |number: &usize| &folded.findings[*number];
    let lineage = |number: &usize| {
        let row = folded
            .activities
            .get(*survey.rows_of_finding[*number].first()?);
        let credential = row.credential_symbol();
        credential
            .is_some()
            .then(|| folded.lineage.first_used(credential))
    };
    let is_strange = findings.iter().any(|number| strange[*number]);
    let has_grave = findings.iter().any(|number| is_grave(found(number)));
    if !is_strange || !has_grave {
        // Ordinary work: what is weak stays only on a lineage that shows more.
        let mut kept = BTreeSet::<Option<Symbol>>::new();
        let mut by_lineage = BTreeMap::<Option<Symbol>, Vec<&Finding>>::new();
        for number in &findings {
            by_lineage
                .entry(lineage(number))
                .or_default()
                .push(found(number));
        }
        for (root, found) in &by_lineage {
            if found.iter().any(|finding| is_grave(finding)) || is_series(found) {
                kept.insert(*root);
            }
        }
        findings.retain(|number| {
            is_grave(found(number))
                || (kept.contains(&lineage(number)) && lineage(number).is_some())
        });
        if findings.is_empty() {
            return None;
        }
    }
    let mut strange_actors: Vec<ActorId> = findings
        .iter()
        .filter(|number| strange[**number])
        .filter_map(|number| {
            survey
                .actors
                .actor_of(*survey.rows_of_finding[*number].first()?)
        })
        .collect();
    strange_actors.sort_unstable();
    strange_actors.dedup();
    let mut own = HashSet::<Symbol, FixedState>::default();
    for number in &findings {
        own.extend(
            survey
                .credentials_of(*number)
                .into_iter()
                .filter(|it| tainted.credentials.contains(it)),
        );
    }
    let named = findings
        .iter()
        .any(|number| found(number).source == FindingSource::Sign);
    Some(Group {
        findings,
        strange_actors,
        tainted: own,
        named,
    })
}

/// Whether weak findings make an incident together: several rules of several tactics.
fn is_series(findings: &[&Finding]) -> bool {
    let low = || {
        findings
            .iter()
            .filter(|finding| finding.severity == Severity::Low)
    };
    let rules: BTreeSet<&str> = low().map(|finding| finding.rule.as_str()).collect();
    let tactics: BTreeSet<Tactic> = low()
        .flat_map(|finding| finding.tactics.iter().copied())
        .collect();
    rules.len() >= LOW_RULES && tactics.len() >= LOW_RULES
}
