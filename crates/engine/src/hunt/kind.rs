//! What is prepared once for each kind of log: rules that are meant for it, and how its records are
//! read for them.

use std::sync::{Mutex, OnceLock, PoisonError};

use portreeve_detect::hunt::RuleFigures;
use portreeve_model::Timestamp;
use portreeve_record::{Extractor, FieldId, Fields, SlotBuffer, Slots, Split, Splitter};
use portreeve_sigma::correlate::Plan;
use portreeve_sigma::{Correlation, Look, Matcher, Rule, Sample, Scratch};
use portreeve_telemetry::{Reader, Source};

use super::HuntRequest;
use super::plain::{LastTime, Plain};
use super::scan::Part;
use crate::content::is_for;

/// So many records, from the beginning of the first file of a kind, show what is frequent.
const SAMPLE: usize = 400;

/// Where a first look leaves more records open than one of so many, it is not worth its time.
const LOOK_PAYS: usize = 3;

/// The kinds of logs: one a source, and one for all that is not known. Each is prepared when the first
/// of its files is met.
pub(super) struct Kinds<'r> {
    request: &'r HuntRequest,
    slots: Vec<(Option<&'static dyn Source>, OnceLock<Kind>)>,
    notes: Mutex<Vec<String>>,
}

impl<'r> Kinds<'r> {
    pub(super) fn new(request: &'r HuntRequest) -> Self {
        let sources = portreeve_telemetry::sources().iter().copied().map(Some);
        Self {
            request,
            slots: sources
                .chain([None])
                .map(|source| (source, OnceLock::new()))
                .collect(),
            notes: Mutex::default(),
        }
    }

    /// The kind of a file; `begin` is what its content begins with, for what a sample shows.
    pub(super) fn of(&self, part: &Part, begin: &[u8]) -> &Kind {
        let wanted = part.recognition.map(|known| known.source);
        let (source, slot) = self
            .slots
            .iter()
            .find(|(source, _)| source.map(|source| source.id()) == wanted)
            .unwrap_or(&self.slots[self.slots.len() - 1]);
        slot.get_or_init(|| {
            let (kind, notes) = Kind::new(self.request, *source, part, begin);
            self.notes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(notes);
            kind
        })
    }

    /// Those that were met.
    pub(super) fn met(&self) -> impl Iterator<Item = &Kind> {
        self.slots.iter().filter_map(|(_, slot)| slot.get())
    }

    /// What was found when they were prepared, in order and each once.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        notes.sort();
        notes.dedup();
        notes
    }
}

/// One kind of log.
pub(super) struct Kind {
    pub(super) source: Option<&'static dyn Source>,
    pub(super) reader: Option<Box<dyn Reader>>,
    pub(super) plain: Plain,
    pub(super) fields: Fields,
    pub(super) matcher: Matcher,
    /// By number of the rule in the matcher, its number in the hunt.
    pub(super) numbers: Vec<u32>,
    /// What a first look sees, where one pays.
    pub(super) look: Option<Look>,
    /// Reads what a first look sees.
    pub(super) first: Extractor,
    /// Reads all that rules and correlations ask for, and what is told of a match.
    pub(super) asked: Extractor,
    /// Correlations, over the rules of the hunt.
    pub(super) plan: Plan,
    /// Conditions that a record has to fulfil beside.
    pub(super) wanted: Matcher,
    time_fields: Vec<FieldId>,
}

impl Kind {
    fn new(
        request: &HuntRequest,
        source: Option<&'static dyn Source>,
        part: &Part,
        begin: &[u8],
    ) -> (Self, Vec<String>) {
        let means =
            |rule: &Rule| request.any_source || source.is_none_or(|source| is_for(rule, source));
        let (numbers, rules): (Vec<u32>, Vec<Rule>) = (0u32..)
            .zip(&request.rules.rules)
            .filter(|(_, rule)| means(rule))
            .map(|(number, rule)| (number, rule.clone()))
            .unzip();
        let mut fields = Fields::default();
        let reader = source.map(|source| source.prepare(&mut fields));
        let plain = Plain::new(&mut fields);
        let (matcher, problems) =
            Matcher::with_placeholders(&rules, &mut fields, &request.placeholders);
        let (wanted, _) = Matcher::new(&request.wanted, &mut fields);
        let mut notes: Vec<String> = problems.iter().map(ToString::to_string).collect();
        notes.sort();

        let time_fields = match &source {
            Some(_) => plain.time_fields().iter().take(1).copied().collect(),
            None => plain.time_fields().to_vec(),
        };
        let always = reader
            .as_ref()
            .map(|reader| reader.native_fields())
            .unwrap_or_default();
        let mut asked = matcher.asked();
        let of_wanted = wanted.asked();
        for field in always.iter().chain(&time_fields) {
            asked.add(*field);
        }
        // All of them, so that numbers are the same whatever the kind.
        let (plan, _) = Plan::new(
            &request.rules.correlations,
            &request.rules.rules,
            &mut fields,
        );
        // What is told of a match is asked for only where one is told.
        if numbers.iter().any(|rule| plan.shows_rule(*rule as usize)) {
            let told = match &reader {
                Some(reader) => reader.brief_fields(),
                None => plain.all_fields().collect(),
            };
            told.into_iter().for_each(|field| asked.add(field));
        }
        for path in request.rules.correlations.iter().flat_map(correlated) {
            asked.add(fields.intern(path));
        }
        let mut kind = Self {
            source,
            reader,
            plain,
            first: Extractor::of(&fields, &|_| false),
            asked: Extractor::of(&fields, &|field| asked.sees(field) || of_wanted.sees(field)),
            plan,
            fields,
            matcher,
            numbers,
            look: None,
            wanted,
            time_fields,
        };
        kind.learn(part, begin, &always);
        (kind, notes)
    }

    /// Chooses what leads to rules, and what a first look sees, by the first records.
    fn learn(&mut self, part: &Part, begin: &[u8], always: &[FieldId]) {
        let mut splitter = Splitter::whole(begin, part.split.clone());
        let mut records: Vec<Vec<u8>> = Vec::new();
        while records.len() < SAMPLE
            && let Some(split) = splitter.next()
        {
            if let Split::Record(record) = split {
                records.push(record.bytes.to_vec());
            }
        }
        let mut buffers: Vec<SlotBuffer> = records.iter().map(|_| SlotBuffer::new()).collect();
        let read: Vec<Slots<'_>> = records
            .iter()
            .zip(&mut buffers)
            .filter_map(|(record, buffer)| self.asked.extract(record, buffer).ok())
            .collect();
        let mut sample = Sample::default();
        for record in &read {
            sample.add(&self.matcher, record);
        }
        self.matcher.tune(&sample);
        let mut look = self.matcher.look();
        let mut scratch = Scratch::new();
        self.matcher.widen(&mut look, &read, &mut scratch);
        let mut open = 0;
        for record in &read {
            open += usize::from(self.matcher.may_match(record, &look, &mut scratch));
        }
        let pays = open * LOOK_PAYS <= read.len();
        self.first = Extractor::of(&self.fields, &|field| {
            look.sees(field) || always.contains(&field)
        });
        self.look = pays.then_some(look);
    }

    /// When a record happened.
    pub(super) fn time(&self, record: &Slots<'_>, last: &mut LastTime) -> Option<Timestamp> {
        Plain::time(record, &self.time_fields, last)
    }

    /// The number in the hunt of a rule of the matcher.
    pub(super) fn number(&self, rule: usize) -> u32 {
        self.numbers.get(rule).copied().unwrap_or(u32::MAX)
    }
}

/// The fields by which a correlation groups, and those that it counts and measures.
fn correlated(one: &Correlation) -> impl Iterator<Item = &str> {
    let aliases = one.aliases.values().flat_map(|of_rule| of_rule.values());
    let measured = one.condition.iter().flat_map(|condition| &condition.fields);
    one.group_by
        .iter()
        .chain(aliases)
        .chain(measured)
        .map(String::as_str)
}

/// What one thread measured, by number of the rule.
pub(super) type Figures = std::collections::BTreeMap<u32, (u64, u64, u64)>;

/// Brings together what threads measured, the costliest rule first.
pub(super) fn figures(kinds: &Kinds<'_>, measured: Vec<Figures>) -> Vec<RuleFigures> {
    let mut sums = Figures::new();
    for (rule, (asked, matched, time)) in measured.into_iter().flatten() {
        let sum = sums.entry(rule).or_default();
        *sum = (sum.0 + asked, sum.1 + matched, sum.2 + time);
    }
    let mut all = Vec::new();
    for kind in kinds.met() {
        for (own, rule) in kind.numbers.iter().enumerate() {
            let (asked, matched, nanoseconds) = sums.remove(rule).unwrap_or_default();
            all.push(RuleFigures {
                rule: *rule,
                reached_by: reached_by(kind, own),
                asked,
                matched,
                nanoseconds,
            });
        }
    }
    all.sort_by(|a, b| b.nanoseconds.cmp(&a.nanoseconds).then(a.rule.cmp(&b.rule)));
    all
}

/// What leads to a rule, in words.
fn reached_by(kind: &Kind, rule: usize) -> String {
    if !kind.matcher.is_compiled(rule) {
        return "refused".to_owned();
    }
    let way = kind.matcher.way_to(rule);
    let mut words = Vec::new();
    let mut last = None;
    for (field, value) in &way.values {
        if last != Some(*field) {
            words.push(format!("{} = {value}", kind.fields.path(*field)));
            last = Some(*field);
        } else if let Some(word) = words.last_mut() {
            word.push_str(", ");
            word.push_str(value);
        }
    }
    let present = way.present.iter();
    words.extend(present.map(|field| format!("{} is there", kind.fields.path(*field))));
    let fragments = way.fragments.iter();
    words.extend(fragments.map(|fragment| format!("{fragment:?} anywhere")));
    if way.always {
        words.push("every record".to_owned());
    }
    words.join(" or ")
}
