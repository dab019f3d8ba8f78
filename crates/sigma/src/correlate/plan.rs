//! Correlations compiled over the rules that they refer to.

use std::collections::BTreeMap;

use portreeve_record::{Fields, Record};
use smallvec::SmallVec;

use super::compile::{Compiled, Measure, compile};
use super::feed::{Feed, digest};
use super::item::{Items, Reference};
use crate::correlation::Correlation;
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::rule::Rule;

/// Correlations that refer to others nest at most so deep.
const MAX_LEVELS: usize = 16;
/// The most ways in which one rule may lead into correlations, through others included.
const MAX_FEEDS: usize = 10_000;

/// Correlations compiled over the rules that they refer to. Shared between threads.
#[derive(Debug)]
pub struct Plan {
    /// By the correlation's number; none where it is refused.
    pub(crate) compiled: Vec<Option<Compiled>>,
    /// By the rule's number.
    feeds: Vec<Vec<Feed>>,
    shows_rule: Vec<bool>,
    pub(crate) levels: usize,
    /// What decides its matches: state that was saved under another means nothing here.
    pub(crate) definition: u128,
}

/// What a name or id in `rules` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Rule(usize),
    Correlation(usize),
}

/// What can be referred to: by id from anywhere, by name first in the same file.
struct Names<'a> {
    ids: BTreeMap<&'a str, Target>,
    in_file: BTreeMap<(&'a str, &'a str), Target>,
    anywhere: BTreeMap<&'a str, Vec<Target>>,
}

impl<'a> Names<'a> {
    fn new(correlations: &'a [Correlation], rules: &'a [Rule]) -> Self {
        let mut names = Self {
            ids: BTreeMap::new(),
            in_file: BTreeMap::new(),
            anywhere: BTreeMap::new(),
        };
        let of_rules = rules.iter().enumerate().map(|(number, rule)| {
            let target = Target::Rule(number);
            (&rule.id, &rule.name, &*rule.file, target)
        });
        let of_correlations = correlations.iter().enumerate().map(|(number, one)| {
            let target = Target::Correlation(number);
            (&one.id, &one.name, &*one.file, target)
        });
        for (id, name, file, target) in of_rules.chain(of_correlations) {
            if let Some(id) = id {
                names.ids.entry(id).or_insert(target);
            }
            if let Some(name) = name {
                names.in_file.entry((file, name)).or_insert(target);
                names.anywhere.entry(name).or_default().push(target);
            }
        }
        names
    }

    fn find(&self, file: &str, reference: &str) -> Result<Target, String> {
        let near = self.in_file.get(&(file, reference));
        if let Some(target) = near.or_else(|| self.ids.get(reference)) {
            return Ok(*target);
        }
        match self.anywhere.get(reference).map(Vec::as_slice) {
            Some([only]) => Ok(*only),
            Some(_) => Err(format!(
                "`{reference}` is the name of several rules in other files; refer to one by its id"
            )),
            None => Err(format!("there is no rule or correlation `{reference}`")),
        }
    }
}

impl Plan {
    /// Compiles correlations over `rules`, the same that a matcher is made of. The fields that they
    /// group by and measure are interned into `fields`, from which an extractor is made afterwards.
    ///
    /// A correlation that cannot be compiled is told of; the numbers of the others do not change.
    pub fn new(
        correlations: &[Correlation],
        rules: &[Rule],
        fields: &mut Fields,
    ) -> (Plan, Vec<Diagnostic>) {
        let names = Names::new(correlations, rules);
        let mut diagnostics = Vec::new();
        let mut refuse = |one: &Correlation, message: String| {
            diagnostics.push(one.diagnostic(DiagnosticSeverity::Error, message));
        };
        let mut targets: Vec<Option<Vec<Target>>> = Vec::with_capacity(correlations.len());
        let mut compiled: Vec<Option<Compiled>> = Vec::with_capacity(correlations.len());
        for one in correlations {
            let found: Result<Vec<Target>, String> = one
                .rules
                .iter()
                .map(|reference| names.find(&one.file, reference))
                .collect();
            match found.and_then(|found| Ok((found, compile(one)?))) {
                Ok((found, ready)) => {
                    targets.push(Some(found));
                    compiled.push(Some(ready));
                }
                Err(message) => {
                    refuse(one, message);
                    targets.push(None);
                    compiled.push(None);
                }
            }
        }
        set_levels(correlations, &mut targets, &mut compiled, &mut refuse);
        let mut plan = Plan {
            levels: 0,
            shows_rule: vec![true; rules.len()],
            feeds: vec![Vec::new(); rules.len()],
            definition: 0,
            compiled,
        };
        plan.levels = plan
            .compiled
            .iter()
            .flatten()
            .map(|one| one.level + 1)
            .max()
            .unwrap_or(0);
        plan.hide_parts(correlations, &targets);
        let mut feeder = Feeder {
            correlations,
            rules,
            compiled: &plan.compiled,
            users: users(&targets),
            fields,
            made: 0,
        };
        for (rule, feeds) in plan.feeds.iter_mut().enumerate() {
            *feeds = feeder.feeds(Target::Rule(rule));
        }
        if feeder.made > MAX_FEEDS
            && let Some(one) = correlations.first()
        {
            refuse(
                one,
                format!("the correlations refer to one another in more than {MAX_FEEDS} ways"),
            );
            plan.compiled.iter_mut().for_each(|one| *one = None);
            plan.feeds.iter_mut().for_each(Vec::clear);
        }
        let mut definition = String::new();
        for (one, ready) in correlations.iter().zip(&plan.compiled) {
            definition.push_str(&format!("{} {}\n", ready.is_some(), one.definition()));
        }
        for (rule, _) in rules
            .iter()
            .zip(&plan.feeds)
            .filter(|(_, feeds)| !feeds.is_empty())
        {
            definition.push_str(&rule.question());
        }
        plan.definition = digest(definition.as_bytes());
        (plan, diagnostics)
    }

    fn hide_parts(&mut self, correlations: &[Correlation], targets: &[Option<Vec<Target>>]) {
        for (one, targets) in correlations.iter().zip(targets) {
            for target in targets.iter().flatten().filter(|_| !one.generate) {
                match target {
                    Target::Rule(rule) => {
                        if let Some(shows) = self.shows_rule.get_mut(*rule) {
                            *shows = false;
                        }
                    }
                    Target::Correlation(other) => {
                        if let Some(Some(other)) = self.compiled.get_mut(*other) {
                            other.shows = false;
                        }
                    }
                }
            }
        }
    }

    /// Whether no correlation was compiled.
    pub fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// Whether a correlation looks at matches of this rule.
    pub fn feeds(&self, rule: usize) -> bool {
        self.feeds.get(rule).is_some_and(|feeds| !feeds.is_empty())
    }

    /// Whether matches of a rule are told by themselves. Those of a rule that a correlation refers
    /// to are not, unless it says `generate: true`.
    pub fn shows_rule(&self, rule: usize) -> bool {
        self.shows_rule.get(rule).copied().unwrap_or(true)
    }

    /// The same for a correlation that others may refer to; false also where it is refused.
    pub fn shows(&self, correlation: usize) -> bool {
        self.get(correlation).is_some_and(|one| one.shows)
    }

    /// Whether a correlation was compiled.
    pub fn is_compiled(&self, correlation: usize) -> bool {
        self.get(correlation).is_some()
    }

    pub(crate) fn get(&self, correlation: usize) -> Option<&Compiled> {
        self.compiled.get(correlation)?.as_ref()
    }

    /// Adds to `items` what correlations look at of a record that a rule matched. `time` is the
    /// record's, in microseconds since the epoch.
    pub fn items<R: Record + ?Sized>(
        &self,
        rule: usize,
        record: &R,
        time: i64,
        reference: Reference,
        items: &mut Items,
    ) {
        for feed in self.feeds.get(rule).into_iter().flatten() {
            items.add(time, reference, |bytes, begin| {
                feed.pack(record, bytes, begin);
            });
        }
    }
}

/// Which correlations refer to what, and at which of their positions.
type Users = BTreeMap<(bool, usize), Vec<(usize, SmallVec<[u16; 1]>)>>;

fn index(target: Target) -> (bool, usize) {
    match target {
        Target::Rule(rule) => (false, rule),
        Target::Correlation(correlation) => (true, correlation),
    }
}

fn users(targets: &[Option<Vec<Target>>]) -> Users {
    let mut users = Users::new();
    for (number, targets) in targets.iter().enumerate() {
        for (position, target) in (0u16..).zip(targets.iter().flatten()) {
            let of_target = users.entry(index(*target)).or_default();
            match of_target.last_mut().filter(|(last, _)| *last == number) {
                // The last comes first, as items of one record are folded.
                Some((_, positions)) => positions.insert(0, position),
                None => of_target.push((number, SmallVec::from_slice(&[position]))),
            }
        }
    }
    users
}

struct Feeder<'a, 'f> {
    correlations: &'a [Correlation],
    rules: &'a [Rule],
    compiled: &'a [Option<Compiled>],
    users: Users,
    fields: &'f mut Fields,
    made: usize,
}

impl Feeder<'_, '_> {
    fn feeds(&mut self, target: Target) -> Vec<Feed> {
        let users = self.users.get(&index(target)).cloned().unwrap_or_default();
        let mut feeds = Vec::new();
        for (number, positions) in users {
            self.made += 1;
            let compiled = self.compiled.get(number).and_then(Option::as_ref);
            let (Some(one), Some(compiled)) = (self.correlations.get(number), compiled) else {
                continue;
            };
            if self.made > MAX_FEEDS {
                break;
            }
            let known = match target {
                Target::Rule(rule) => self.rules.get(rule).map(|rule| (&rule.name, &rule.id)),
                Target::Correlation(other) => self
                    .correlations
                    .get(other)
                    .map(|other| (&other.name, &other.id)),
            };
            let known: Vec<&str> = known
                .into_iter()
                .flat_map(|(name, id)| [name.as_deref(), id.as_deref()])
                .flatten()
                .collect();
            let intern = |paths: &[String], fields: &mut Fields| {
                paths
                    .iter()
                    .map(|path| fields.intern(one.field(path, &known)))
                    .collect()
            };
            let group = intern(&one.group_by, self.fields);
            let measured = intern(&compiled.condition.fields, self.fields);
            feeds.push(Feed {
                correlation: number as u32,
                // What counts records takes any of the rules alike.
                positions: if compiled.counts_records() {
                    SmallVec::from_slice(&[0])
                } else {
                    positions
                },
                group,
                measured,
                numeric: !matches!(compiled.measure, Measure::Distinct),
                carried: self.feeds(Target::Correlation(number)),
            });
        }
        feeds
    }
}

/// Gives each correlation its level, and refuses those that refer to themselves, to what is refused,
/// or too deep.
fn set_levels(
    correlations: &[Correlation],
    targets: &mut [Option<Vec<Target>>],
    compiled: &mut [Option<Compiled>],
    refuse: &mut dyn FnMut(&Correlation, String),
) {
    let mut open: Vec<usize> = (0..correlations.len()).collect();
    let mut levels: Vec<Option<usize>> = vec![None; correlations.len()];
    // Each round decides what looks only at what is decided.
    while !open.is_empty() {
        let before = open.len();
        open.retain(|number| {
            let Some(Some(of_one)) = targets.get(*number) else {
                return false;
            };
            let mut level = 0;
            let mut refused = false;
            for target in of_one {
                let Target::Correlation(other) = target else {
                    continue;
                };
                match levels.get(*other).copied().flatten() {
                    Some(below) => level = level.max(below + 1),
                    None if targets.get(*other).is_some_and(Option::is_none) => refused = true,
                    None => return true,
                }
            }
            let reason = if refused {
                Some("it refers to a correlation that cannot be used".to_owned())
            } else if level >= MAX_LEVELS {
                Some(format!("correlations nested deeper than {MAX_LEVELS}"))
            } else {
                None
            };
            match (reason, compiled.get_mut(*number)) {
                (None, Some(Some(ready))) => {
                    ready.level = level;
                    if let Some(slot) = levels.get_mut(*number) {
                        *slot = Some(level);
                    }
                }
                (reason, slot) => {
                    if let (Some(reason), Some(one)) = (reason, correlations.get(*number)) {
                        refuse(one, reason);
                    }
                    slot.into_iter().for_each(|slot| *slot = None);
                    if let Some(slot) = targets.get_mut(*number) {
                        *slot = None;
                    }
                }
            }
            false
        });
        if open.len() < before {
            continue;
        }
        for number in open.drain(..) {
            if let Some(one) = correlations.get(number) {
                refuse(one, "it refers to itself, through others".to_owned());
            }
            if let (Some(targets), Some(compiled)) =
                (targets.get_mut(number), compiled.get_mut(number))
            {
                *targets = None;
                *compiled = None;
            }
        }
    }
}
