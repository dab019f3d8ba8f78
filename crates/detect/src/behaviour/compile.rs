use std::collections::{BTreeSet, HashMap};

use portreeve_record::{FieldId, Fields};
use portreeve_sigma::{Correlation, Diagnostic, DiagnosticSeverity, Rule};

use super::facts::RowField;
use super::kind::{Built, Kind, Roles, builder};
use crate::derived::{Stage, derived_field};

/// Fields to copy along with a rule's match, by rule.
pub(crate) type Copies = Vec<Vec<FieldId>>;

/// The correlations of a run, made ready: each rule and correlation that they refer to is found,
/// and what is to be asked of a record is known.
#[derive(Clone, Debug, Default)]
pub struct Correlations {
    /// Such that whatever one refers to comes before it.
    loaded: Vec<Correlation>,
    /// What the match of a rule is for, by rule.
    pub(super) of_rules: Vec<Vec<Use>>,
    /// What the firing of a correlation is for, by correlation.
    pub(super) of_correlations: Vec<Vec<Use>>,
    /// What findings' tactics are for.
    pub(super) of_tactics: Vec<Use>,
    copies: Copies,
    silent: Vec<bool>,
    /// Rules that ask for the same as one before them, which stands for them too.
    merged: Vec<bool>,
    /// The same for correlations.
    silent_correlations: Vec<bool>,
}

/// How one rule's records become items of one correlation.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) correlation: u32,
    pub(super) leg: u8,
    pub(super) group: Vec<Getter>,
    pub(super) value: Vec<Getter>,
    pub(super) value_optional: bool,
    pub(super) extra: [Vec<Getter>; 2],
    pub(super) number: Option<Getter>,
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Getter {
    /// The row that every activity has.
    Row(RowField),
    /// Copied from the record with the match.
    Copied(FieldId),
}

/// What a correlation is called in messages and in the saved state.
pub(super) fn name(correlation: &Correlation) -> String {
    correlation
        .id
        .clone()
        .unwrap_or_else(|| format!("{}:{}", correlation.file, correlation.line))
}

/// A correlation's state, empty.
pub(super) fn build(correlation: &Correlation, bound: usize) -> Option<Box<dyn Kind>> {
    let mut settings = correlation.settings();
    builder(&correlation.kind)?(correlation, &mut settings, bound).map(|built| built.kind)
}

/// One of the things that a correlation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    Rule(usize),
    Correlation(usize),
}

/// A correlation whose type and settings hold.
struct Draft {
    correlation: Correlation,
    roles: Roles,
    /// The names of its legs.
    names: Vec<String>,
    legs: Vec<Leg>,
}

impl Correlations {
    /// Makes correlations ready. `rules` are those of the run, by whose numbers matches will be
    /// told; `others` are names and ids of rules that are known and not in the run, for want of
    /// their log source: a correlation that refers to one is left out without a word.
    pub fn new(
        correlations: Vec<Correlation>,
        rules: &[Rule],
        others: &BTreeSet<String>,
        fields: &mut Fields,
    ) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut silent = vec![false; rules.len()];
        let mut drafts = Vec::new();
        let mut ids = BTreeSet::new();
        for correlation in correlations {
            if !ids.insert(name(&correlation)) {
                diagnostics.push(correlation.diagnostic(
                    DiagnosticSeverity::Error,
                    format!("the id {} is also that of another", name(&correlation)),
                ));
                continue;
            }
            let Some(build) = builder(&correlation.kind) else {
                diagnostics.push(correlation.diagnostic(
                    DiagnosticSeverity::Error,
                    format!("there is no type {:?}", correlation.kind),
                ));
                continue;
            };
            let mut settings = correlation.settings();
            let built = build(&correlation, &mut settings, 1);
            let told = settings.finish();
            let refused = told
                .iter()
                .any(|one| one.severity == DiagnosticSeverity::Error);
            diagnostics.extend(told);
            let Some(Built { roles, .. }) = built else {
                // Its rules are parts of it, and would be noise alone.
                silence(&correlation, &correlation.rules, rules, &mut silent);
                continue;
            };
            let names = roles
                .legs
                .clone()
                .unwrap_or_else(|| correlation.rules.clone());
            silence(&correlation, &names, rules, &mut silent);
            if !refused {
                drafts.push(Draft {
                    correlation,
                    roles,
                    names,
                    legs: Vec::new(),
                });
            }
        }
        let drafts = resolve(drafts, rules, others, &mut diagnostics);
        let drafts = in_order(drafts, &mut diagnostics);
        let mut ready = Self {
            of_rules: vec![Vec::new(); rules.len()],
            of_correlations: vec![Vec::new(); drafts.len()],
            copies: vec![Vec::new(); rules.len()],
            silent,
            ..Self::default()
        };
        ready.plan(drafts, rules, fields, &mut diagnostics);
        ready.merge(rules);
        (ready, diagnostics)
    }

    /// Correlations that look at all of a person's calls each bring a rule for them, and it is the
    /// same one. Of such rules the first stands for all: one match a record instead of several.
    fn merge(&mut self, rules: &[Rule]) {
        let mut first_of: HashMap<String, usize> = HashMap::new();
        self.merged = vec![false; rules.len()];
        for (number, rule) in rules.iter().enumerate() {
            // What shows something alone is a finding, and those are told apart.
            if !self.silent[number] || self.of_rules[number].is_empty() {
                continue;
            }
            let first = *first_of.entry(rule.question()).or_insert(number);
            if first == number {
                continue;
            }
            self.merged[number] = true;
            let uses = std::mem::take(&mut self.of_rules[number]);
            self.of_rules[first].extend(uses);
            for field in std::mem::take(&mut self.copies[number]) {
                if !self.copies[first].contains(&field) {
                    self.copies[first].push(field);
                }
            }
        }
    }

    /// Where each leg's values come from, and what must be copied with its matches.
    fn plan(
        &mut self,
        drafts: Vec<Draft>,
        rules: &[Rule],
        fields: &mut Fields,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        // The rules that stand behind each correlation, through others.
        let mut behind: Vec<BTreeSet<usize>> = Vec::new();
        let tactics: Vec<usize> = (0..rules.len())
            .filter(|rule| !self.silent[*rule] && !rules[*rule].tactics.is_empty())
            .collect();
        for (number, draft) in drafts.iter().enumerate() {
            let Draft {
                correlation,
                roles,
                legs,
                ..
            } = draft;
            let mut rules_behind = BTreeSet::new();
            let mut places: Vec<(u8, Option<Leg>)> = (0u8..)
                .zip(legs)
                .map(|(at, leg)| (at, Some(*leg)))
                .collect();
            if roles.tactics {
                places.push((0, None));
            }
            for (at, leg) in places {
                let called: Vec<&str> = match leg {
                    Some(Leg::Rule(rule)) => {
                        [rules[rule].name.as_deref(), rules[rule].id.as_deref()]
                            .into_iter()
                            .flatten()
                            .collect()
                    }
                    Some(Leg::Correlation(other)) => {
                        let other = &drafts[other].correlation;
                        [other.name.as_deref(), other.id.as_deref()]
                            .into_iter()
                            .flatten()
                            .collect()
                    }
                    None => Vec::new(),
                };
                let mut getter = |path: &String| {
                    let path = correlation.field(path, &called);
                    match RowField::new(path) {
                        Some(field) => Getter::Row(field),
                        None => {
                            let odd = path.starts_with("portreeve.")
                                && derived_field(path)
                                    .is_none_or(|field| field.stage == Stage::History);
                            if odd {
                                diagnostics.push(correlation.diagnostic(
                                    DiagnosticSeverity::Warning,
                                    format!("`{path}` is no field that a correlation can ask for"),
                                ));
                            }
                            Getter::Copied(fields.intern(path))
                        }
                    }
                };
                let one = Use {
                    correlation: number as u32,
                    leg: at,
                    group: correlation.group_by.iter().map(&mut getter).collect(),
                    value: roles.value.iter().map(&mut getter).collect(),
                    value_optional: roles.value_optional,
                    extra: roles
                        .extra
                        .each_ref()
                        .map(|paths| paths.iter().map(&mut getter).collect()),
                    number: roles.number.as_ref().map(&mut getter),
                };
                let sources: BTreeSet<usize> = match leg {
                    Some(Leg::Rule(rule)) => [rule].into(),
                    Some(Leg::Correlation(other)) => behind[other].clone(),
                    None => tactics.iter().copied().collect(),
                };
                let copied = [&one.group, &one.value, &one.extra[0], &one.extra[1]]
                    .into_iter()
                    .flatten()
                    .chain(&one.number)
                    .filter_map(|getter| match getter {
                        Getter::Copied(field) => Some(*field),
                        Getter::Row(_) => None,
                    });
                for field in copied {
                    for rule in &sources {
                        if !self.copies[*rule].contains(&field) {
                            self.copies[*rule].push(field);
                        }
                    }
                }
                rules_behind.extend(sources);
                match leg {
                    Some(Leg::Rule(rule)) => self.of_rules[rule].push(one),
                    Some(Leg::Correlation(other)) => self.of_correlations[other].push(one),
                    None => self.of_tactics.push(one),
                }
            }
            behind.push(rules_behind);
        }
        self.silent_correlations = vec![false; drafts.len()];
        for draft in drafts.iter().filter(|draft| !draft.correlation.generate) {
            for leg in &draft.legs {
                if let Leg::Correlation(other) = leg {
                    self.silent_correlations[*other] = true;
                }
            }
        }
        self.loaded = drafts.into_iter().map(|draft| draft.correlation).collect();
    }

    /// The correlations, by number.
    pub fn loaded(&self) -> impl ExactSizeIterator<Item = &Correlation> {
        self.loaded.iter()
    }

    /// One of them.
    pub fn get(&self, number: u32) -> Option<&Correlation> {
        self.loaded.get(number as usize)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
    }

    /// Whether a rule is a part of correlations, and shows nothing alone.
    pub fn is_silent(&self, rule: usize) -> bool {
        self.silent.get(rule).copied().unwrap_or(false)
    }

    /// Whether a correlation is a part of others, and shows nothing alone.
    pub fn is_silent_correlation(&self, correlation: u32) -> bool {
        self.silent_correlations
            .get(correlation as usize)
            .copied()
            .unwrap_or(false)
    }

    /// Whether another rule stands for this one, whose own matches need not be told.
    pub fn is_merged(&self, rule: usize) -> bool {
        self.merged.get(rule).copied().unwrap_or(false)
    }

    pub(crate) fn copies(&self) -> &Copies {
        &self.copies
    }

    /// The uses that make items of a correlation.
    pub(super) fn uses_of(&self, correlation: u32) -> impl Iterator<Item = &Use> {
        self.of_rules
            .iter()
            .chain(&self.of_correlations)
            .flatten()
            .chain(&self.of_tactics)
            .filter(move |one| one.correlation == correlation)
    }
}

fn is_called(rule: &Rule, name: &str) -> bool {
    rule.id.as_deref() == Some(name) || rule.name.as_deref() == Some(name)
}

/// The rules that a name stands for: an id is unique, a name first means what stands in the same
/// file.
fn rules_called(correlation: &Correlation, name: &str, rules: &[Rule]) -> Vec<usize> {
    let all: Vec<usize> = (0..rules.len())
        .filter(|rule| is_called(&rules[*rule], name))
        .collect();
    let near: Vec<usize> = all
        .iter()
        .copied()
        .filter(|rule| rules[*rule].file == correlation.file)
        .collect();
    if near.is_empty() { all } else { near }
}

/// The same for correlations.
fn correlations_called(of: &Correlation, name: &str, known: &[Correlation]) -> Vec<usize> {
    let all: Vec<usize> = (0..known.len())
        .filter(|at| {
            let one = &known[*at];
            one.id.as_deref() == Some(name) || one.name.as_deref() == Some(name)
        })
        .collect();
    let near: Vec<usize> = all
        .iter()
        .copied()
        .filter(|at| known[*at].file == of.file)
        .collect();
    if near.is_empty() { all } else { near }
}

fn silence(correlation: &Correlation, names: &[String], rules: &[Rule], silent: &mut [bool]) {
    if correlation.generate {
        return;
    }
    for name in names {
        for rule in rules_called(correlation, name, rules) {
            silent[rule] = true;
        }
    }
}

/// Finds what each correlation refers to; leaves out those that refer to what is not there, and
/// then those that refer to them.
fn resolve(
    mut drafts: Vec<Draft>,
    rules: &[Rule],
    others: &BTreeSet<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Draft> {
    loop {
        let known: Vec<Correlation> = drafts
            .iter()
            .map(|draft| draft.correlation.clone())
            .collect();
        let mut left_out = Vec::new();
        for (number, draft) in drafts.iter_mut().enumerate() {
            draft.legs.clear();
            for name in &draft.names {
                let found = rules_called(&draft.correlation, name, rules);
                let others_called = correlations_called(&draft.correlation, name, &known);
                let leg = match (found.as_slice(), others_called.as_slice()) {
                    ([rule], _) => Some(Leg::Rule(*rule)),
                    ([], [other]) => Some(Leg::Correlation(*other)),
                    ([], []) => {
                        if !others.contains(name) {
                            diagnostics.push(draft.correlation.diagnostic(
                                DiagnosticSeverity::Error,
                                format!("there is no rule `{name}`"),
                            ));
                        }
                        None
                    }
                    _ => {
                        diagnostics.push(draft.correlation.diagnostic(
                            DiagnosticSeverity::Error,
                            format!("several rules are called `{name}`: refer to one by its id"),
                        ));
                        None
                    }
                };
                match leg {
                    Some(leg) => draft.legs.push(leg),
                    None => {
                        left_out.push(number);
                        break;
                    }
                }
            }
        }
        if left_out.is_empty() {
            return drafts;
        }
        let mut number = 0;
        drafts.retain(|_| {
            number += 1;
            !left_out.contains(&(number - 1))
        });
    }
}

/// Puts what is referred to before what refers to it; those in a circle are left out. What looks
/// at all findings comes last.
fn in_order(drafts: Vec<Draft>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Draft> {
    let mut order: Vec<usize> = Vec::new();
    for last in [false, true] {
        loop {
            let next = drafts.iter().enumerate().position(|(number, draft)| {
                !order.contains(&number)
                    && draft.roles.tactics == last
                    && draft.legs.iter().all(|leg| match leg {
                        Leg::Rule(_) => true,
                        Leg::Correlation(other) => order.contains(other),
                    })
            });
            match next {
                Some(number) => order.push(number),
                None => break,
            }
        }
    }
    let mut new_numbers = vec![None; drafts.len()];
    for (new, old) in order.iter().enumerate() {
        new_numbers[*old] = Some(new);
    }
    let mut placed: Vec<(usize, Draft)> = Vec::new();
    for (old, mut draft) in drafts.into_iter().enumerate() {
        let Some(new) = new_numbers[old] else {
            diagnostics.push(draft.correlation.diagnostic(
                DiagnosticSeverity::Error,
                "refers to itself, through others",
            ));
            continue;
        };
        for leg in &mut draft.legs {
            if let Leg::Correlation(other) = leg
                && let Some(new) = new_numbers[*other]
            {
                *other = new;
            }
        }
        placed.push((new, draft));
    }
    placed.sort_by_key(|(new, _)| *new);
    placed.into_iter().map(|(_, draft)| draft).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule_stands_for_those_that_ask_the_same() {
        let rule = |name: &str, wanted: &str| {
            format!(
                "title: {name}\nname: {name}\nlogsource: {{product: aws}}\n\
                 detection: {{s: {{f: {wanted}}}, condition: s}}\n---\n"
            )
        };
        let correlation = |name: &str, rule: &str, value: &str, generate: bool| {
            format!(
                "title: {name}\nid: {name}\ncorrelation: {{type: value_count, rules: [{rule}], \
                 group-by: [g], timespan: 1h, generate: {generate}, \
                 condition: {{field: {value}, gte: 2}}}}\n---\n"
            )
        };
        let text = [
            rule("first", "a"),
            rule("same", "a"),
            rule("other", "b"),
            rule("told", "a"),
            correlation("one", "first", "v", false),
            correlation("two", "same", "w", false),
            correlation("three", "other", "v", false),
            correlation("four", "told", "v", true),
        ]
        .concat();
        let parsed = portreeve_sigma::parse("all.yml", &text);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let mut fields = Fields::default();
        let (ready, problems) = Correlations::new(
            parsed.correlations,
            &parsed.rules,
            &BTreeSet::new(),
            &mut fields,
        );
        assert!(problems.is_empty(), "{problems:?}");
        let merged: Vec<bool> = (0..4).map(|rule| ready.is_merged(rule)).collect();
        // What is told as a finding of its own stays apart.
        assert_eq!(merged, [false, true, false, false]);
        let uses: Vec<Vec<u32>> = ready
            .of_rules
            .iter()
            .map(|uses| uses.iter().map(|one| one.correlation).collect())
            .collect();
        assert_eq!(uses, [vec![0, 1], vec![], vec![2], vec![3]]);
        let field = |path| fields.get(path).unwrap();
        assert_eq!(ready.copies()[0], [field("g"), field("v"), field("w")]);
        assert!(ready.copies()[1].is_empty());
    }
}
