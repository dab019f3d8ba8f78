use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use portreeve_record::{FieldId, Fields, Record};

use crate::detection::{Leaf, Placeholders};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Problem};
use crate::expression::Expression;
use crate::index::{Index, WayTo};
use crate::look::{Glance, Look};
use crate::memo::Memo;
use crate::predicate::Predicate;
use crate::rule::Rule;
use crate::sample::Sample;
use crate::test::{PlainRecord, Test};
use crate::verdict::Verdict;

/// A rule that matched, or that may still match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// The rule's number in the rules that the matcher was made of.
    pub rule: usize,
    /// [`Verdict::Yes`] or [`Verdict::Unknown`], never [`Verdict::No`].
    pub verdict: Verdict,
}

/// All rules compiled into one.
///
/// A record is tested only against the rules that its values can lead to; a predicate that several
/// rules share is asked once a record.
#[derive(Debug)]
pub struct Matcher {
    tests: Vec<Test>,
    /// A rule that is refused has no condition and never matches.
    rules: Vec<Option<Expression<u32>>>,
    index: Index,
    /// By number of the field, whether it is derived.
    derived: Vec<bool>,
    /// By number of the rule, whether records are not asked about it.
    left_out: Vec<bool>,
}

/// Memory that a matcher needs while it looks at a record, kept from record to record. One for
/// each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    asking: Asking,
    /// By number of the rule, the last record that led to it.
    asked: Vec<u32>,
    candidates: Vec<u32>,
    lower: Vec<u8>,
    learning: Option<Learning>,
    /// What was learnt: it leads to rules in the place of the matcher's own index.
    index: Option<Index>,
}

/// What is known of a record while rules are asked about it.
#[derive(Debug, Default)]
struct Asking {
    /// The number of the record.
    record: u32,
    /// By number of the test: in the upper bits the record that it was last asked about, in the two lowest
    /// what came of it.
    verdicts: Vec<u32>,
    plain: PlainRecord,
    memo: Memo,
}

/// How the records so far looked, until there are enough.
#[derive(Debug, Default)]
struct Learning {
    records: usize,
    sample: Sample,
}

/// Of so many records one is learnt from: those that follow one another are often alike.
const LEARN_EVERY: usize = 16;
/// So many records are learnt from.
const LEARN_FROM: usize = 256;

impl Scratch {
    /// Memory that nothing was done with yet. It grows to what the matcher needs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Memory that learns from the first some thousand records what best leads to each rule, as
    /// [`Matcher::tune`] does, for a matcher that others use at the same time. No verdict changes by it.
    /// It is for one matcher, and for records with all of their fields.
    pub fn learning() -> Self {
        Self {
            learning: Some(Learning::default()),
            ..Self::default()
        }
    }

    fn learn<R: Record + ?Sized>(&mut self, matcher: &Matcher, record: &R) {
        let Some(learning) = &mut self.learning else {
            return;
        };
        learning.records += 1;
        if !learning.records.is_multiple_of(LEARN_EVERY) {
            return;
        }
        learning.sample.add(matcher, record);
        if learning.records >= LEARN_EVERY * LEARN_FROM {
            self.index = Some(matcher.index_by(&learning.sample));
            self.learning = None;
        }
    }

    fn begin(&mut self, matcher: &Matcher) {
        let asking = &mut self.asking;
        let fits = asking.verdicts.len() == matcher.tests.len()
            && self.asked.len() == matcher.rules.len()
            && asking.record < u32::MAX >> 2;
        if !fits {
            *asking = Asking::default();
            asking.verdicts.resize(matcher.tests.len(), 0);
            self.asked.clear();
            self.asked.resize(matcher.rules.len(), 0);
        }
        asking.record += 1;
        asking.plain.forget();
        self.candidates.clear();
    }
}

impl Matcher {
    /// Compiles rules. The fields that they ask for are interned into `fields`, from which an
    /// extractor is made afterwards.
    ///
    /// A rule that cannot be compiled, because it holds placeholders, is told of and never
    /// matches; the numbers of the others do not change.
    pub fn new(rules: &[Rule], fields: &mut Fields) -> (Matcher, Vec<Diagnostic>) {
        Self::with_placeholders(rules, fields, &BTreeMap::new())
    }

    /// Compiles rules, with the values of the placeholders that they hold, by name without the
    /// percent signs. A value may hold wildcards.
    pub fn with_placeholders(
        rules: &[Rule],
        fields: &mut Fields,
        placeholders: &BTreeMap<String, Vec<String>>,
    ) -> (Matcher, Vec<Diagnostic>) {
        let mut compiler = Compiler {
            fields,
            placeholders,
            numbers: HashMap::new(),
            tests: Vec::new(),
        };
        let mut diagnostics = Vec::new();
        let mut compiled = Vec::with_capacity(rules.len());
        let mut ids: BTreeMap<&str, &Rule> = BTreeMap::new();
        for rule in rules {
            for path in &rule.shown {
                compiler.fields.intern(path);
            }
            if let Some(id) = &rule.id
                && let Some(first) = ids.insert(id, rule)
            {
                diagnostics.push(diagnostic(
                    rule,
                    Problem::warning(
                        DiagnosticKind::Head,
                        &(0..0),
                        format!("the id {id} is also that of {}:{}", first.file, first.line),
                    ),
                    (rule.line, 1),
                ));
            }
            match compiler.rule(rule) {
                Ok(condition) => compiled.push(Some(condition)),
                Err((problem, place)) => {
                    diagnostics.push(diagnostic(rule, problem, place));
                    compiled.push(None);
                }
            }
        }
        let tests = compiler.tests;
        let derived: Vec<bool> = fields
            .paths()
            .iter()
            .map(|path| path.starts_with("portreeve."))
            .collect();
        let mut matcher = Matcher {
            tests,
            left_out: vec![false; compiled.len()],
            rules: compiled,
            index: Index::default(),
            derived,
        };
        matcher.tune(&Sample::default());
        (matcher, diagnostics)
    }

    /// The rules that match a record, or may still match it, in the order of the rules. `hits` is
    /// emptied first.
    pub fn matches<R: Record + ?Sized>(
        &self,
        record: &R,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) {
        hits.clear();
        scratch.begin(self);
        scratch.learn(self, record);
        self.gather(record, scratch);
        let Scratch {
            asking,
            candidates,
            index,
            ..
        } = scratch;
        let always = &index.as_ref().unwrap_or(&self.index).always;
        for rule in candidates.iter().chain(always) {
            let verdict = self.ask(*rule, record, asking);
            if verdict != Verdict::No {
                hits.push(Hit {
                    rule: *rule as usize,
                    verdict,
                });
            }
        }
        hits.sort_unstable();
    }

    /// Whether a record can match at all, told by the fields that a first look sees. Where this says
    /// no, [`Matcher::matches`] finds nothing in the whole record.
    pub fn may_match<R: Record + ?Sized>(
        &self,
        seen: &R,
        look: &Look,
        scratch: &mut Scratch,
    ) -> bool {
        scratch.begin(self);
        self.gather(seen, scratch);
        let Scratch {
            asking, candidates, ..
        } = scratch;
        let glance = Glance { seen, look };
        candidates
            .iter()
            .chain(&self.index.always)
            .any(|rule| self.ask(*rule, &glance, asking) != Verdict::No)
    }

    /// The rules that a record's values lead to.
    fn gather<R: Record + ?Sized>(&self, record: &R, scratch: &mut Scratch) {
        let Scratch {
            asking:
                Asking {
                    record: number,
                    plain,
                    ..
                },
            asked,
            candidates,
            lower,
            index,
            ..
        } = scratch;
        let index = index.as_ref().unwrap_or(&self.index);
        index.candidates(record, lower, plain, &mut |rule| {
            if let Some(asked) = asked.get_mut(rule as usize)
                && *asked != *number
            {
                *asked = *number;
                candidates.push(rule);
            }
        });
    }

    fn ask<R: Record + ?Sized>(&self, rule: u32, record: &R, asking: &mut Asking) -> Verdict {
        let Some(Some(condition)) = self.rules.get(rule as usize) else {
            return Verdict::No;
        };
        condition.evaluate(&mut |test| {
            let at = *test as usize;
            match asking.verdicts.get(at) {
                Some(known) if known >> 2 == asking.record => unpack(*known),
                _ => self.judge(at, record, asking),
            }
        })
    }

    /// The verdict of a test that the record was not asked about yet.
    #[inline(never)]
    fn judge<R: Record + ?Sized>(&self, at: usize, record: &R, asking: &mut Asking) -> Verdict {
        let Asking {
            record: number,
            verdicts,
            plain,
            memo,
        } = asking;
        let verdict = self.tests.get(at).map_or(Verdict::No, |test| {
            let mut judge = || test.evaluate(record, plain);
            match test.memorable(record) {
                Some(text) => memo.verdict(at, text, judge),
                None => judge(),
            }
        });
        if let Some(slot) = verdicts.get_mut(at) {
            *slot = *number << 2 | verdict as u32;
        }
        verdict
    }

    /// The least that a first look has to see: what leads to rules, and all that those ask for to
    /// which nothing leads.
    pub fn look(&self) -> Look {
        let mut look = Look::default();
        self.index.fields().for_each(|field| look.add(field));
        for rule in &self.index.always {
            self.fields_of(*rule, &mut |field| look.add(field));
        }
        look
    }

    /// All that rules ask for, those left out apart.
    pub fn asked(&self) -> Look {
        let mut look = Look::default();
        for (rule, left_out) in (0u32..).zip(&self.left_out) {
            if !left_out {
                self.fields_of(rule, &mut |field| look.add(field));
            }
        }
        look
    }

    /// Whether a rule looks at the whole text of records, as keywords do.
    pub fn asks_text(&self) -> bool {
        self.tests.iter().any(|test| test.fields().next().is_none())
    }

    /// The rules that a record's values lead to, for who wants to ask each by itself with
    /// [`Matcher::evaluate_one`].
    pub fn led_to<R: Record + ?Sized>(&self, record: &R, scratch: &mut Scratch) -> Vec<usize> {
        scratch.begin(self);
        self.gather(record, scratch);
        let all = scratch.candidates.iter().chain(&self.index.always);
        all.map(|rule| *rule as usize).collect()
    }

    /// Lets a look see more, by records that are like those to come: all that a rule asks for which
    /// the look could not rule out in many of them. Records with all fields.
    pub fn widen<'r, R: Record + 'r>(
        &self,
        look: &mut Look,
        records: impl IntoIterator<Item = &'r R>,
        scratch: &mut Scratch,
    ) {
        let mut open = vec![0usize; self.rules.len()];
        let mut count = 0;
        for record in records {
            count += 1;
            scratch.begin(self);
            self.gather(record, scratch);
            let Scratch {
                asking, candidates, ..
            } = &mut *scratch;
            let glance = Glance { seen: record, look };
            for rule in candidates {
                if self.ask(*rule, &glance, asking) != Verdict::No {
                    open[*rule as usize] += 1;
                }
            }
        }
        for (rule, open) in (0u32..).zip(open) {
            if open * OPEN_SELDOM > count {
                self.fields_of(rule, &mut |field| look.add(field));
            }
        }
    }

    fn fields_of(&self, rule: u32, visit: &mut dyn FnMut(FieldId)) {
        let Some(Some(condition)) = self.rules.get(rule as usize) else {
            return;
        };
        condition.leaves(&mut |test| {
            if let Some(test) = self.tests.get(*test as usize) {
                test.fields().for_each(&mut *visit);
            }
        });
    }

    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Chooses anew what leads to each rule, by what was seen in a sample of the records. No verdict
    /// changes by it.
    pub fn tune(&mut self, sample: &Sample) {
        self.index = self.index_by(sample);
    }

    fn index_by(&self, sample: &Sample) -> Index {
        let is_derived = |field: FieldId| {
            let derived = self.derived.get(field.0 as usize);
            derived.copied().unwrap_or_default()
        };
        let mut index = Index::new(&self.rules, &self.tests, &is_derived, sample);
        index.retain(&|rule| {
            !self
                .left_out
                .get(rule as usize)
                .copied()
                .unwrap_or_default()
        });
        index
    }

    /// What leads to a rule.
    pub fn way_to(&self, rule: usize) -> WayTo {
        self.index.way_to(rule as u32)
    }

    /// The verdict of one rule on a record. For a record whose undecided fields are known by now.
    pub fn evaluate_one<R: Record + ?Sized>(&self, rule: usize, record: &R) -> Verdict {
        let Some(Some(condition)) = self.rules.get(rule) else {
            return Verdict::No;
        };
        let mut plain = PlainRecord::default();
        condition.evaluate(&mut |test| {
            self.tests
                .get(*test as usize)
                .map_or(Verdict::No, |test| test.evaluate(record, &mut plain))
        })
    }

    /// No longer asks a record about some of the rules; [`Matcher::evaluate_one`] still does.
    pub fn leave_out(&mut self, is_unwanted: impl Fn(usize) -> bool) {
        for (rule, left_out) in self.left_out.iter_mut().enumerate() {
            *left_out |= is_unwanted(rule);
        }
        let left_out = &self.left_out;
        self.index.retain(&|rule| {
            left_out
                .get(rule as usize)
                .is_some_and(|left_out| !left_out)
        });
    }

    /// How many rules were given, refused ones included.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// Whether a rule was compiled.
    pub fn is_compiled(&self, rule: usize) -> bool {
        self.rules.get(rule).is_some_and(Option::is_some)
    }

    /// How many rules demand no value that the index could use, so that each record is tested
    /// against them.
    pub fn always_tested(&self) -> usize {
        self.index.always.len()
    }
}

fn unpack(bits: u32) -> Verdict {
    match bits & 3 {
        2 => Verdict::Yes,
        1 => Verdict::Unknown,
        _ => Verdict::No,
    }
}

fn diagnostic(rule: &Rule, problem: Problem, (line, column): (usize, usize)) -> Diagnostic {
    Diagnostic {
        file: rule.file.clone(),
        line,
        column,
        span: problem.span,
        severity: problem.severity,
        kind: problem.kind,
        message: format!("{}: {}", rule.title, problem.message),
        help: problem.help,
    }
}

struct Compiler<'a> {
    fields: &'a mut Fields,
    placeholders: &'a Placeholders,
    /// Predicates that were met, by what they are written out.
    numbers: HashMap<String, u32>,
    tests: Vec<Test>,
}

impl Compiler<'_> {
    fn rule(&mut self, rule: &Rule) -> Result<Expression<u32>, (Problem, (usize, usize))> {
        let head = (rule.line, 1);
        let mut condition = rule.condition.try_map(&mut |leaf| match leaf {
            Leaf::Ready(predicate) => self
                .test(predicate)
                .map(Expression::Leaf)
                .map_err(|problem| (problem, head)),
            Leaf::Pending(item, place) => item
                .fill(self.placeholders)
                .and_then(|filled| {
                    filled.try_map(&mut |predicate| self.test(predicate).map(Expression::Leaf))
                })
                .map_err(|problem| (problem, *place)),
        })?;
        condition.flatten();
        self.cheap_first(&mut condition);
        Ok(condition)
    }

    fn test(&mut self, predicate: &Predicate) -> Result<u32, Problem> {
        let key = format!("{predicate:?}");
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let test = Test::new(predicate, self.fields)
            .map_err(|reason| Problem::error(DiagnosticKind::Limit, &(0..0), reason))?;
        let number = self.tests.len() as u32;
        self.tests.push(test);
        self.numbers.insert(key, number);
        Ok(number)
    }

    /// Orders parts so that those are asked first that cost little and are likely to decide, and
    /// gives the cost of the whole.
    fn cheap_first(&self, condition: &mut Expression<u32>) -> u32 {
        match condition {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                let mut costed: Vec<(u32, Expression<u32>)> = std::mem::take(parts)
                    .into_iter()
                    .map(|mut part| (self.cheap_first(&mut part), part))
                    .collect();
                costed.sort_by_key(|(cost, _)| *cost);
                let cost = costed
                    .iter()
                    .map(|(cost, _)| *cost)
                    .fold(1, u32::saturating_add);
                *parts = costed.into_iter().map(|(_, part)| part).collect();
                cost
            }
            // What a rule excludes is seldom there, so that asking for it seldom decides anything.
            Expression::Not(inner) => self.cheap_first(inner).saturating_add(EXCLUSION),
            Expression::Leaf(test) => self.tests.get(*test as usize).map_or(0, Test::cost),
        }
    }
}

/// A rule that a first look leaves open in fewer than one of so many records is not worth a wider look.
const OPEN_SELDOM: usize = 500;

/// What an exclusion costs more than what it excludes.
const EXCLUSION: u32 = 2;

/// Rules are shared between threads once compiled.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Matcher>();
    shared::<Arc<Rule>>();
};
