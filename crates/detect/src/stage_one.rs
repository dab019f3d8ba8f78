use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_model::{
    Activity, CredentialKind, Effect, MintMethod, Outcome, PolicyChange, Revoked,
};
use portreeve_record::{FieldId, Fields, Occasion, Record, SessionFields, Slots, Sought, Value};
use portreeve_sigma::{Hit, Matcher, Rule, Scratch, Verdict};
use smallvec::{SmallVec, smallvec};

use crate::activities::{Activities, Position, RowId};
use crate::behaviour::{Copies, Correlations};
use crate::derived::{Deriver, Stage, derived_field};
use crate::hours::{CellKey, Cells};
use crate::lineage::{Link, Reason, Use, Uses};
use crate::repeated::{BatchNumber, Lengths, Repeated, RowFacts};
use crate::settings::{Sign, SignKind};
use crate::snapshot::Snapshot;
use crate::strings::Symbol;

/// What stage one hands to stage two for a part of the logs: rows, and small items that point to
/// them. Batches may be handed over in any order and any number.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) activities: Activities,
    /// What the records say of the credentials that they used.
    pub(crate) uses: Uses,
    /// The last of them: a session's calls mostly follow one another.
    pub(crate) last_use: Option<Use>,
    /// The last record's account, region and kind.
    pub(crate) last_cell: Option<CellKey>,
    /// Mintings; without a child where the record does not tell its id.
    pub(crate) links: Vec<Link>,
    /// Row and rule, certain.
    pub(crate) hits: Vec<(RowId, u32)>,
    /// Row and rule, to be decided by history.
    pub(crate) candidates: Vec<Candidate>,
    /// Fields of records that matched a rule, for the correlations that ask for them. Of one row
    /// they stand together, and the values of one field in their order.
    pub(crate) copied: Vec<(RowId, FieldId, Symbol)>,
    /// Row and sign.
    pub(crate) signs: Vec<(RowId, u32)>,
    /// Rows that wrote a target for which deploy principals are told apart.
    pub(crate) deploys: Vec<RowId>,
    /// Rows that changed who may do what.
    pub(crate) changes: Vec<(RowId, PolicyChange<'static>)>,
    /// What rows made of the estate.
    pub(crate) effects: Vec<(RowId, Vec<Effect>)>,
    /// What certain hits show of their records, for rules that ask for it.
    pub(crate) shown: Vec<Candidate>,
    pub(crate) revocations: Vec<Revocation>,
    pub(crate) sources: BTreeMap<&'static str, SourceCounts>,
    /// Which batch it is, for what is remembered of its rows.
    pub(crate) number: BatchNumber,
}

/// An activity that took a credential, or a principal's sessions, away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The activity's row.
    pub row: RowId,
    /// The credential, or the principal whose sessions are refused.
    pub subject: Symbol,
    /// What was done.
    pub kind: RevocationKind,
}

/// What a revocation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationKind {
    /// The credential no longer works.
    Revoked,
    /// The credential works again.
    Restored,
    /// The principal's sessions that were issued before a time are refused.
    SessionsBefore(Timestamp),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SourceCounts {
    pub(crate) regions: HashMap<Symbol, u64, FixedState>,
    pub(crate) kinds: HashMap<Symbol, u64, FixedState>,
    pub(crate) cells: Cells,
}

/// A rule on a record, with what the record says to that rule: one that matches if history says
/// so, or one that shows what it matched.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) row: RowId,
    pub(crate) rule: u32,
    pub(crate) said: Said,
}

impl Candidate {
    /// What the record says to the rule, by field.
    pub(crate) fn all(&self) -> impl Iterator<Item = (FieldId, &Values)> + Clone {
        self.said.iter().map(|(field, values)| (*field, values))
    }
}

/// What a record says to a rule, by field. Records that say the same to it share what they say.
pub(crate) type Said = Arc<[(FieldId, Values)]>;

/// The values of one field: one, mostly.
pub(crate) type Values = SmallVec<[Value<'static>; 1]>;

impl Batch {
    /// Names a file that positions will point to.
    pub fn add_file(&mut self, name: Arc<str>) -> u32 {
        self.activities.add_file(name)
    }

    /// How many activities it holds.
    pub fn len(&self) -> usize {
        self.activities.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.activities.is_empty()
    }

    /// Counts a record for the statement of coverage.
    pub(crate) fn count(&mut self, source: &'static str, cell: CellKey, time: Option<Timestamp>) {
        let counts = self.sources.entry(source).or_default();
        if let Some(time) = time {
            counts.cells.add(cell, time);
        }
        *counts.kinds.entry(cell.kind).or_default() += 1;
        if cell.region.is_some() {
            *counts.regions.entry(cell.region).or_default() += 1;
        }
    }

    /// Takes in what a record says of its credential.
    pub(crate) fn add_use(&mut self, used: Use) {
        if self.last_use != Some(used) {
            self.uses.add(used);
            self.last_use = Some(used);
        }
    }

    /// The latest time of any of them.
    pub fn latest(&self) -> Option<Timestamp> {
        self.activities.iter().filter_map(|row| row.time()).max()
    }
}

/// Stage one: stateless. Knows the rules and the snapshot, and nothing of other records.
#[derive(Debug)]
pub struct StageOne<'s> {
    matcher: &'s Matcher,
    snapshot: &'s Snapshot,
    signs: &'s [Sign],
    deriver: Deriver<'s>,
    /// For each rule the fields that it asks for and shows, where it asks for any of history.
    history_rules: Vec<Vec<FieldId>>,
    /// For each rule the fields that it shows.
    shown: Vec<Vec<FieldId>>,
    /// For each rule whether it is meant for the records that come.
    applies: Vec<bool>,
    /// For each rule the fields that are copied with a match.
    copies: Copies,
    scratch: Scratch,
    hits: Vec<Hit>,
    /// For each rule what the last record said to it.
    said: Vec<Option<Said>>,
    /// What is known of records that come again, where the source tells them.
    repeated: Option<Repeated>,
    /// What the batch held before the row that was folded last.
    before: Lengths,
    /// What is to be remembered of that row.
    folded: Option<RowFacts>,
}

impl<'s> StageOne<'s> {
    /// Prepares stage one for one thread. `fields` are those that the matcher was compiled with.
    pub fn new(
        rules: &[Rule],
        matcher: &'s Matcher,
        fields: &Fields,
        snapshot: &'s Snapshot,
        signs: &'s [Sign],
    ) -> Self {
        let history_rules = rules
            .iter()
            .map(|rule| {
                let asks_history = rule.field_paths().any(|path| {
                    derived_field(path).is_some_and(|field| field.stage == Stage::History)
                });
                let asked = rule.field_paths();
                asked
                    .chain(rule.shown.iter().map(String::as_str))
                    .filter(|_| asks_history)
                    .filter_map(|path| fields.get(path))
                    .collect()
            })
            .collect();
        let shown = rules
            .iter()
            .map(|rule| {
                rule.shown
                    .iter()
                    .filter_map(|path| fields.get(path))
                    .collect()
            })
            .collect();
        Self {
            matcher,
            snapshot,
            signs,
            deriver: Deriver::new(fields),
            history_rules,
            shown,
            applies: vec![true; rules.len()],
            copies: Vec::new(),
            scratch: Scratch::learning(),
            hits: Vec::new(),
            said: vec![None; rules.len()],
            repeated: None,
            before: Lengths::default(),
            folded: None,
        }
    }

    /// Lets records that come again be known by their bytes ([`StageOne::repeat`]), as far as no rule, no
    /// correlation and no sign looks at what tells them apart. To be called when all else is set.
    #[must_use]
    pub fn with_repeats(mut self, occasion: Option<Occasion>, fields: &Fields) -> Self {
        let asked = self.matcher.asked();
        let of_history = self.history_rules.iter();
        let copied: BTreeSet<FieldId> = of_history
            .chain(&self.shown)
            .chain(&self.copies)
            .flatten()
            .copied()
            .collect();
        let all = || (0..fields.paths().len()).map(|number| FieldId(number as u32));
        let asked: Vec<FieldId> = all().filter(|field| asked.sees(*field)).collect();
        let looked_at: Vec<FieldId> = asked.iter().chain(&copied).copied().collect();
        let is_key = |sign: &Sign| matches!(sign.kind, SignKind::Key(_));
        let is_any = !self.snapshot.has_canaries() && !self.signs.iter().any(is_key);
        let is_any_session = |session: &SessionFields| {
            let mut asked = asked.iter();
            is_any && !asked.any(|field| session.are_told_by(*field, fields))
        };
        self.repeated = occasion
            .filter(|_| !self.matcher.asks_text())
            .and_then(|occasion| occasion.without(&looked_at, fields))
            .map(|occasion| Occasion {
                session: occasion.session.filter(is_any_session),
                minted: occasion.minted.filter(|_| is_any),
                ..occasion
            })
            .map(|occasion| Repeated::new(occasion, &copied, fields));
        self
    }

    /// Folds a record that is the same as one in the batch but for which event it is, when, in which session of
    /// its caller, and which credential it minted, without reading it: its row. Else where it belongs, for
    /// [`StageOne::remember`]. `time` reads the text of a time, `kind` tells what kind of credential an id is of.
    ///
    /// # Errors
    /// Where it is to be read, as any other.
    pub fn repeat(
        &mut self,
        record: &[u8],
        position: Position,
        time: impl Fn(&str) -> Option<Timestamp>,
        kind: impl Fn(&str) -> CredentialKind,
        batch: &mut Batch,
    ) -> Result<RowId, Option<Sought>> {
        match &mut self.repeated {
            Some(repeated) => repeated
                .repeat(record, position, time, kind, batch)
                .map_err(Some),
            None => Err(None),
        }
    }

    /// Remembers the record that was folded and observed last, and of which [`StageOne::repeat`] said where
    /// it belongs.
    pub fn remember(
        &mut self,
        sought: Option<Sought>,
        record: &impl Record,
        row: RowId,
        batch: &Batch,
    ) {
        if let Some(sought) = sought
            && let Some(facts) = self.folded
            && let Some(repeated) = &mut self.repeated
        {
            repeated.remember(sought, record, (row, facts), &self.before, batch);
        }
    }

    /// Leaves out rules that are not meant for the log source whose records will come.
    #[must_use]
    pub fn limited_to(mut self, rules: &[Rule], is_meant: impl Fn(&Rule) -> bool) -> Self {
        for (applies, rule) in self.applies.iter_mut().zip(rules) {
            *applies &= is_meant(rule);
        }
        self
    }

    /// Copies what correlations will ask for.
    #[must_use]
    pub fn for_correlations(mut self, correlations: &Correlations) -> Self {
        self.copies = correlations.copies().clone();
        for (rule, applies) in self.applies.iter_mut().enumerate() {
            *applies &= !correlations.is_merged(rule);
        }
        self
    }

    /// Folds one activity into the batch, without matching rules; returns its row. What was derived
    /// of it is to be set on the record ([`StageOne::set_derived`]) before [`StageOne::observe`].
    pub fn fold(
        &mut self,
        activity: &Activity<'_>,
        event_kind: &str,
        position: Position,
        batch: &mut Batch,
    ) -> RowId {
        self.before = Lengths::of(batch);
        let row = batch.activities.push(activity, position);
        let sight = self.snapshot.sight(activity);
        batch.activities.set_kind(row, sight.kind);
        let symbols = batch.activities.get(row);
        let (credential, principal) = (symbols.credential_symbol(), symbols.principal_symbol());
        let session = symbols.session_symbol();
        let used = Use::new(
            activity,
            (credential, principal, session),
            batch.uses.first_of(credential),
            batch.activities.strings_mut(),
        );
        if let Some(used) = used {
            batch.add_use(used);
        }
        if let Some(minted) = &activity.minted {
            let strings = batch.activities.strings_mut();
            let parent = match (&activity.actor.subject, minted.method) {
                (Some(subject), MintMethod::AssumeRoleWithWebIdentity) if !credential.is_some() => {
                    strings.intern(subject)
                }
                _ => credential,
            };
            let minted_principal = if minted.principal.is_empty() {
                principal
            } else {
                strings.intern(&minted.principal)
            };
            let link = Link {
                child: strings
                    .intern_option((!minted.credential.is_empty()).then_some(&*minted.credential)),
                parent,
                kind: minted.kind,
                principal: minted_principal,
                session: strings.intern_option(minted.session.as_deref()),
                expires: minted.expires,
                method: minted.method,
                row: Some(row),
                reason: Reason::ReturnedKey,
            };
            batch.links.push(link);
        }
        if let Some(revoked) = &activity.revoked
            && matches!(activity.outcome, Outcome::Success)
        {
            let (subject, kind) = match revoked {
                Revoked::Credential(id) => (id, RevocationKind::Revoked),
                Revoked::Restored(id) => (id, RevocationKind::Restored),
                Revoked::Sessions { principal, before } => {
                    (principal, RevocationKind::SessionsBefore(*before))
                }
            };
            let subject = batch.activities.strings_mut().intern(subject);
            batch.revocations.push(Revocation { row, subject, kind });
        }
        if activity.read_only != Some(true) && (sight.is_web_origin() || sight.is_pulled()) {
            batch.deploys.push(row);
        }
        if let Some(change) = &activity.policy_change {
            batch.changes.push((row, (**change).clone().into_owned()));
        }
        if !activity.effects.is_empty() {
            batch.effects.push((row, activity.effects.clone()));
        }
        for (number, sign) in self.signs.iter().enumerate() {
            if is_sign(&sign.kind, activity, self.snapshot) {
                batch.signs.push((row, number as u32));
            }
        }
        let near = batch.last_cell;
        let near = near.map_or([Symbol::NONE; 2], |cell| [cell.region, cell.kind]);
        let texts = [activity.region.as_deref(), Some(event_kind)];
        let [region, kind] = batch.activities.strings_mut().intern_all(texts, near);
        let cell = CellKey {
            account: batch.activities.get(row).account_symbol(),
            region,
            kind,
        };
        batch.last_cell = Some(cell);
        self.folded = Some(RowFacts {
            source: activity.source,
            cell,
            used,
        });
        batch.count(activity.source, cell, activity.time);
        self.deriver.derive(activity, self.snapshot, &sight);
        row
    }

    /// Sets the derived fields of the activity that was folded last on its record.
    pub fn set_derived<'r>(&mut self, record: &mut Slots<'r>)
    where
        's: 'r,
    {
        self.deriver.set(record);
    }

    /// Matches the rules against a record whose derived fields are set.
    pub fn observe(&mut self, record: &impl Record, row: RowId, batch: &mut Batch) {
        self.hits.clear();
        self.matcher
            .matches(record, &mut self.scratch, &mut self.hits);
        for hit in &self.hits {
            if !self.applies.get(hit.rule).copied().unwrap_or(false) {
                continue;
            }
            let rule = hit.rule as u32;
            for field in self.copies.get(hit.rule).into_iter().flatten() {
                copy(record, row, *field, batch);
            }
            let (asked, told) = match hit.verdict {
                Verdict::Yes => {
                    batch.hits.push((row, rule));
                    let shown = self.shown.get(hit.rule).filter(|shown| !shown.is_empty());
                    (shown, &mut batch.shown)
                }
                Verdict::Unknown => (self.history_rules.get(hit.rule), &mut batch.candidates),
                Verdict::No => continue,
            };
            if let Some(asked) = asked
                && let Some(known) = self.said.get_mut(hit.rule)
            {
                let said = said(record, asked, known);
                told.push(Candidate { row, rule, said });
            }
        }
    }
}

/// What a record says of some fields; `known` is what the last one said of them.
fn said(record: &impl Record, fields: &[FieldId], known: &mut Option<Said>) -> Said {
    let is_same = |said: &Said| {
        said.len() == fields.len()
            && said.iter().zip(fields).all(|((known, values), field)| {
                let now = record.values(*field);
                known == field
                    && values.len() == now.len()
                    && values.iter().zip(now).all(|(one, now)| is_owned(one, now))
            })
    };
    if let Some(said) = known.as_ref().filter(|said| is_same(said)) {
        return said.clone();
    }
    let said: Said = fields
        .iter()
        .map(|field| (*field, record.values(*field).iter().map(owned).collect()))
        .collect();
    *known = Some(said.clone());
    said
}

/// How many values of one field of one record are copied.
const COPIED: usize = 32;

fn copy(record: &impl Record, row: RowId, field: FieldId, batch: &mut Batch) {
    let known = batch
        .copied
        .iter()
        .rev()
        .take_while(|(other, ..)| *other == row)
        .any(|(_, other, _)| *other == field);
    if known {
        return;
    }
    let values = record.values(field).iter().flat_map(|value| match value {
        // A field that ends at an array holds what is in it.
        Value::Array(_) => value.elements().collect::<SmallVec<[Value<'_>; 4]>>(),
        plain => smallvec![plain.clone()],
    });
    let strings = batch.activities.strings_mut();
    for value in values.take(COPIED) {
        let text = match &value {
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::String(text) => text,
            Value::Number(text) => text,
            // Nothing that could be counted or compared.
            Value::Unknown | Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        batch.copied.push((row, field, strings.intern(text)));
    }
}

/// Arrays and objects keep their JSON text, as a string: history rules compare derived fields and
/// plain values.
fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Unknown => Value::Unknown,
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::String(text) => Value::String(text.to_string().into()),
        Value::Number(text) | Value::Array(text) | Value::Object(text) => {
            Value::String(text.to_string().into())
        }
    }
}

/// Whether a value is what [`owned`] makes of another.
fn is_owned(value: &Value<'_>, of: &Value<'_>) -> bool {
    match (value, of) {
        (Value::String(one), Value::Number(text) | Value::Array(text) | Value::Object(text)) => {
            one == text
        }
        (one, other) => one == other,
    }
}

fn is_sign(sign: &SignKind, activity: &Activity<'_>, snapshot: &Snapshot) -> bool {
    let actor = &activity.actor;
    let minted = activity.minted.as_ref();
    match sign {
        SignKind::Key(key) => {
            activity
                .credential
                .as_ref()
                .is_some_and(|credential| credential.id == key.as_str())
                || minted.is_some_and(|minted| minted.credential == key.as_str())
        }
        SignKind::Network(range) => activity
            .origin
            .address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| range.contains(&address)),
        SignKind::User(user) => {
            actor.principal == user.as_str()
                || actor.session.as_deref() == Some(user)
                || actor.on_behalf_of.as_deref() == Some(user)
                || snapshot.person(activity) == Some(user)
                || (actor.principal.contains(":user/") && last_part(&actor.principal) == user)
        }
        SignKind::Role(role) => {
            let is_role = |principal: &str| {
                principal == role || (principal.contains(":role/") && last_part(principal) == role)
            };
            is_role(&actor.principal) || minted.is_some_and(|minted| is_role(&minted.principal))
        }
        SignKind::Client(part) => activity
            .client
            .as_deref()
            .is_some_and(|client| client.contains(part.as_str())),
    }
}

fn last_part(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
