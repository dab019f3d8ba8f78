use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portreeve_graph::Opening;
use portreeve_model::{
    Coverage, Effect, Evidence, Finding, FindingSource, Hole, MintMethod, OriginKind, PolicyChange,
    PrincipalKind, Timestamp,
};
use portreeve_record::{FieldId, Fields, Record, Value};
use portreeve_sigma::{Matcher, Rule, Verdict};
use sha2::{Digest, Sha256};

use crate::activities::{Activities, ActivityRow, RowId};
use crate::actors::{ActorId, Actors};
use crate::behaviour::{Correlations, Told};
use crate::changes::Judged;
use crate::correlating::{Correlating, Remembered};
use crate::coverage::{count, coverage};
use crate::derived::{
    ACTOR_DEPLOY, CHANGE_JUDGED, CHANGE_OPENED, CHANGE_OPENS, CREDENTIAL_LOGIN,
    CREDENTIAL_MINTED_BY, CREDENTIAL_MOVED, CREDENTIAL_RUN,
};
use crate::lasting::Lasting;
use crate::lineage::{Lineage, Reason};
use crate::logins::Logins;
use crate::people::People;
use crate::runs::Runs;
use crate::sealing::{Past, Sealing};
use crate::settings::{Sign, SignKind};
use crate::silences::silences;
use crate::snapshot::Snapshot;
use crate::stage_one::{Batch, Candidate, Revocation};
use crate::strings::Symbol;

/// How many records a finding names as its evidence; the rest are counted.
pub const EVIDENCE_LIMIT: usize = 100;

/// How many details a finding shows.
const MOST_DETAILS: usize = 12;

/// On how many days a principal that is not a person must have written to a target to be taken
/// for one that deploys to it.
pub const DEPLOY_DAYS: usize = 3;

/// Over how many days the logs must show writes to a target before one who does not deploy to it
/// is told apart from one who has not done so yet.
pub(crate) const DEPLOY_WARM_UP_DAYS: i64 = 14;

/// Everything that the two stages make of the logs.
#[derive(Debug, Default)]
pub struct Folded {
    /// All activities, in order of time, each event once.
    pub activities: Activities,
    /// Which credential was minted from which.
    pub lineage: Lineage,
    /// Who is behind each row.
    pub actors: Actors,
    /// The findings, in order of time, then of id.
    pub findings: Vec<Finding>,
    /// Which row shows which finding (its number in `findings`), in order of rows.
    pub hits: Vec<(RowId, u32)>,
    /// What the logs covered.
    pub coverage: Vec<Coverage>,
    /// What took credentials and sessions away, in order of rows.
    pub revocations: Vec<Revocation>,
    /// Which principals were inferred to deploy to which targets, from the logs' history. Empty
    /// where the user declared them.
    pub inferred_deployers: BTreeMap<String, BTreeSet<String>>,
    /// What the activities made of the estate, in order of rows.
    pub effects: Vec<(RowId, Vec<Effect>)>,
    /// The accounts whose changes of the estate the logs would show, each with the stretches of
    /// time in which they may not: silences that are unusual for it, by its management events.
    pub silences: BTreeMap<String, Vec<Hole>>,
    /// How many changes of policies were not judged by what they open, since there were too many.
    pub changes_not_judged: usize,
    /// What correlations could not tell.
    pub behaviour: Told,
    /// Rows that wrote a target for which deployments are counted.
    pub(crate) deploys: Vec<RowId>,
}

impl Folded {
    /// What an actor is called, the same in every run: the user name of Identity Center, or the id
    /// where no name is known; an IAM user's ARN; `repository:kind` of a web identity; a role's ARN,
    /// with `/` and the session name where that tells workloads apart, as instances' ids do.
    pub fn actor_name(&self, actor: ActorId) -> Cow<'_, str> {
        self.actors.actor_name(actor, self.activities.strings())
    }
}

/// Stage two: owns all keys. Takes batches in any order; the result does not depend on how the
/// logs were parted.
#[derive(Clone, Debug, Default)]
pub struct StageTwo {
    pub(crate) batch: Batch,
    /// What is known of rows that are sealed.
    pub(crate) past: Past,
    correlations: Correlations,
    known_good: Option<(Timestamp, Timestamp)>,
}

impl StageTwo {
    /// Correlates too. `known_good` is when the estate was surely clean.
    #[must_use]
    pub fn with_correlations(
        mut self,
        correlations: Correlations,
        known_good: Option<(Timestamp, Timestamp)>,
    ) -> Self {
        self.correlations = correlations;
        self.known_good = known_good;
        self
    }

    /// How many activities it holds, repeated ones too.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Takes what another stage two has taken.
    pub fn absorb(&mut self, other: Self) {
        self.accept(other.batch);
    }

    /// Takes what stage one made of a part of the logs.
    pub fn accept(&mut self, part: Batch) {
        if self.past.until > i64::MIN {
            let until = self.past.until;
            let late = part.activities.moments().filter(|time| *time < until);
            self.past.late += late.count() as u64;
        }
        if self.batch.is_empty() {
            self.batch = part;
            return;
        }
        let first_row = self.batch.activities.len() as RowId;
        let Batch {
            activities,
            uses,
            links,
            hits,
            candidates,
            copied,
            signs,
            deploys,
            changes,
            effects,
            shown,
            revocations,
            sources,
            ..
        } = part;
        let map = self.batch.activities.append(activities);
        let renamed = |symbol: Symbol| {
            if symbol.is_some() {
                map[symbol.index()]
            } else {
                symbol
            }
        };
        let whole = &mut self.batch;
        whole.uses.merge(uses, renamed);
        whole
            .links
            .extend(links.into_iter().map(|link| crate::Link {
                child: renamed(link.child),
                parent: renamed(link.parent),
                principal: renamed(link.principal),
                session: renamed(link.session),
                row: link.row.map(|row| row + first_row),
                ..link
            }));
        whole
            .hits
            .extend(hits.into_iter().map(|(row, rule)| (row + first_row, rule)));
        let moved = |candidate: Candidate| Candidate {
            row: candidate.row + first_row,
            ..candidate
        };
        whole.candidates.extend(candidates.into_iter().map(moved));
        whole.shown.extend(shown.into_iter().map(moved));
        whole.changes.extend(
            changes
                .into_iter()
                .map(|(row, change)| (row + first_row, change)),
        );
        whole.effects.extend(
            effects
                .into_iter()
                .map(|(row, effects)| (row + first_row, effects)),
        );
        whole.copied.extend(
            copied
                .into_iter()
                .map(|(row, field, value)| (row + first_row, field, renamed(value))),
        );
        whole
            .signs
            .extend(signs.into_iter().map(|(row, sign)| (row + first_row, sign)));
        whole
            .deploys
            .extend(deploys.into_iter().map(|row| row + first_row));
        whole
            .revocations
            .extend(revocations.into_iter().map(|revocation| Revocation {
                row: revocation.row + first_row,
                subject: renamed(revocation.subject),
                ..revocation
            }));
        for (source, counts) in sources {
            let known = whole.sources.entry(source).or_default();
            for (region, count) in counts.regions {
                *known.regions.entry(renamed(region)).or_default() += count;
            }
            for (kind, count) in counts.kinds {
                *known.kinds.entry(renamed(kind)).or_default() += count;
            }
            known.cells.merge(counts.cells, renamed);
        }
    }

    /// Folds everything, in order of event time.
    pub fn finish(
        self,
        rules: &[Rule],
        matcher: &Matcher,
        fields: &Fields,
        snapshot: &Snapshot,
        signs: &[Sign],
    ) -> Folded {
        let known = Known {
            rules,
            matcher,
            fields,
            snapshot,
            signs,
        };
        self.fold(known, None).0
    }

    /// The same, and what is needed to seal the rows before a moment ([`StageTwo::seal`]).
    pub fn finish_and_seal(self, known: Known<'_>, until: Timestamp) -> (Folded, Option<Sealing>) {
        self.fold(known, Some(until.as_microsecond()))
    }

    fn fold(mut self, known: Known<'_>, until: Option<i64>) -> (Folded, Option<Sealing>) {
        let Known {
            rules,
            matcher,
            fields,
            snapshot,
            signs,
        } = known;
        let batch = std::mem::take(&mut self.batch);
        let Batch {
            mut activities,
            uses,
            mut links,
            hits,
            candidates,
            copied,
            signs: sign_hits,
            deploys,
            changes,
            effects,
            shown,
            mut revocations,
            sources,
            ..
        } = batch;
        let source_numbers: Vec<u8> = activities
            .iter()
            .map(|row| row.source_number() as u8)
            .collect();
        for (_, account) in self.past.remembered.rhythms.keys() {
            activities.strings_mut().intern_option(account.as_deref());
        }
        let moved = activities.finish();
        let numbers = self.past.numbers(&activities, &moved);
        let seal = until.map(|until| activities.first_from(until));
        let new_row = |row: RowId| moved.moved[row as usize];

        links.retain_mut(|link| {
            link.row = link.row.and_then(new_row);
            link.row.is_some()
        });
        revocations.retain_mut(|revocation| match new_row(revocation.row) {
            Some(row) => {
                revocation.row = row;
                true
            }
            None => false,
        });
        revocations.sort_unstable_by_key(|revocation| revocation.row);
        let facts = uses.facts(activities.strings());
        let people = People::new(
            facts.iter().map(|(_, facts)| facts),
            snapshot.people(),
            activities.strings_mut(),
        );
        let lineage = Lineage::join(&mut activities, links, facts, &people);
        let actors = Actors::new(&activities, &lineage, &people);
        let deploys: Vec<RowId> = deploys.into_iter().filter_map(new_row).collect();
        let deployers = Deployers::infer(&activities, &deploys, snapshot);
        let runs = Runs::infer(&activities, &lineage, &deploys);
        let logins = Logins::new(&activities);

        let mut matched: Vec<(RowId, u32)> = hits
            .into_iter()
            .filter_map(|(row, rule)| Some((new_row(row)?, rule)))
            .collect();
        let changes: BTreeMap<RowId, PolicyChange<'static>> = changes
            .into_iter()
            .filter_map(|(row, change)| Some((new_row(row)?, change)))
            .collect();
        let mut effects: Vec<(RowId, Vec<Effect>)> = effects
            .into_iter()
            .filter_map(|(row, effects)| Some((new_row(row)?, effects)))
            .collect();
        effects.sort();
        let asked: BTreeSet<RowId> = candidates
            .iter()
            .filter(|candidate| {
                candidate
                    .values
                    .iter()
                    .any(|(field, _)| matches!(fields.path(*field), CHANGE_OPENS | CHANGE_JUDGED))
            })
            .filter_map(|candidate| new_row(candidate.row))
            .collect();
        let judged = Judged::new(snapshot.changes(), &changes, &asked);
        let mut shows = Shows::default();
        for candidate in shown {
            if let Some(row) = new_row(candidate.row) {
                shows.add(row, &rules[candidate.rule as usize], &candidate, fields);
            }
        }
        let lasting = Lasting::new(&effects, &activities);
        let history = History {
            judged: &judged,
            lasting: &lasting,
            activities: &activities,
            lineage: &lineage,
            deployers: &deployers,
            runs: &runs,
            logins: &logins,
            snapshot,
            fields,
        };
        for candidate in candidates {
            let Some(row) = new_row(candidate.row) else {
                continue;
            };
            let Candidate { rule, values, .. } = candidate;
            let record = history.complete(activities.get(row), values);
            if matcher.evaluate_one(rule as usize, &record) == Verdict::Yes {
                matched.push((row, rule));
                let values = record.values;
                let shown = Candidate { row, rule, values };
                shows.add(row, &rules[rule as usize], &shown, fields);
            }
        }
        matched.sort_unstable();
        matched.dedup();
        let mut found: Vec<(RowId, Origin)> = matched
            .iter()
            .filter(|(_, rule)| !self.correlations.is_silent(*rule as usize))
            .map(|(row, rule)| (*row, Origin::Rule(*rule)))
            .collect();
        found.extend(
            sign_hits
                .into_iter()
                .filter_map(|(row, sign)| Some((new_row(row)?, Origin::Sign(sign)))),
        );
        found.sort_unstable();
        found.dedup();

        let mut made = findings(&activities, found, rules, signs, &shows);
        let mut behaviour = Told::default();
        let mut remembered = (Remembered::default(), Vec::new());
        let correlations = &self.correlations;
        if !correlations.is_empty() {
            let mut copied: Vec<(RowId, FieldId, Symbol)> = copied
                .into_iter()
                .filter_map(|(row, field, value)| Some((new_row(row)?, field, value)))
                .collect();
            // Stable, for the values of one field keep their order.
            copied.sort_by_key(|(row, field, _)| (*row, *field));
            let correlating = Correlating {
                correlations,
                rules,
                activities: &activities,
                lineage: &lineage,
                actors: &actors,
                snapshot,
                copied: &copied,
                numbers: &numbers,
                known_good: self.known_good,
            };
            let ran = correlating.run(&matched, &self.past.remembered, seal);
            made.extend(ran.findings);
            behaviour = ran.told;
            remembered = ran.sealed.unwrap_or_default();
        }
        let (mut findings, hits) = in_order(made);
        for finding in &mut findings {
            // Rows that are sealed and held no more.
            finding.evidence_total += self.past.more.get(&finding.id).copied().unwrap_or(0);
        }
        let silences = sources
            .values()
            .flat_map(|counts| silences(&counts.cells, activities.strings()))
            .collect();
        let counted = self.past.counted(&moved);
        let mut counts = self.past.counts.clone();
        let uncounted = activities.iter().filter(|row| !counted.contains(&row.id()));
        count(&mut counts, &activities, uncounted);
        for number in source_numbers.iter().skip(self.past.kept()) {
            if let Some(source) = activities.sources().get(usize::from(*number)) {
                counts.entry(source).or_default().read += 1;
            }
        }
        let coverage = coverage(&activities, counts, sources);
        let sealing = until.zip(seal).map(|(until, seal)| Sealing {
            until,
            seal,
            counts: self.counts_of_sealed(&activities, &source_numbers, &moved, seal),
            numbers,
            moved,
            remembered: remembered.0,
            evidence: remembered.1,
        });
        let inferred_deployers = deployers.named(&activities);
        let folded = Folded {
            activities,
            lineage,
            actors,
            findings,
            hits,
            coverage,
            revocations,
            inferred_deployers,
            changes_not_judged: judged.left,
            effects,
            silences,
            behaviour,
            deploys,
        };
        (folded, sealing)
    }
}

/// What rows are folded by.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The rules of the run.
    pub rules: &'k [Rule],
    /// The same, compiled.
    pub matcher: &'k Matcher,
    /// The fields that they were compiled with.
    pub fields: &'k Fields,
    /// What stage one looked things up in.
    pub snapshot: &'k Snapshot,
    /// Signs that were looked for.
    pub signs: &'k [Sign],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Origin {
    Rule(u32),
    Sign(u32),
}

/// Who deploys to what, inferred from the writes that the logs show.
struct Deployers {
    inferred: HashMap<Symbol, BTreeSet<Symbol>, FixedState>,
    /// First and last day of the writes to each target.
    seen: HashMap<Symbol, (Date, Date), FixedState>,
}

impl Deployers {
    fn infer(activities: &Activities, deploys: &[RowId], snapshot: &Snapshot) -> Self {
        let mut inferred = HashMap::<Symbol, BTreeSet<Symbol>, FixedState>::default();
        let mut seen = HashMap::<Symbol, (Date, Date), FixedState>::default();
        if snapshot.declares_deployers() {
            return Self { inferred, seen };
        }
        let mut days = BTreeMap::<(Symbol, Symbol), BTreeSet<Date>>::new();
        for row in deploys.iter().map(|row| activities.get(*row)) {
            let (Some(day), true) = (day_of(row), row.succeeded()) else {
                continue;
            };
            if row.kind() != PrincipalKind::Human {
                for target in deploy_targets(row) {
                    let (first, last) = seen.entry(target).or_insert((day, day));
                    (*first, *last) = ((*first).min(day), (*last).max(day));
                    days.entry((target, row.principal_symbol()))
                        .or_default()
                        .insert(day);
                }
            }
        }
        for ((target, principal), days) in days {
            if days.len() >= DEPLOY_DAYS {
                inferred.entry(target).or_default().insert(principal);
            }
        }
        Self { inferred, seen }
    }

    /// Whether the row's principal deploys to its target; nothing where nobody is known to, or
    /// where the logs are too short to tell.
    fn deploys(&self, row: ActivityRow<'_>, snapshot: &Snapshot) -> Option<bool> {
        if snapshot.declares_deployers() {
            return Some(snapshot.is_declared_deployer(row.principal()));
        }
        deploy_targets(row)
            .filter_map(|target| {
                let known = self.inferred.get(&target)?;
                let (first, last) = self.seen.get(&target)?;
                let warm = first.duration_until(*last).as_hours() >= 24 * DEPLOY_WARM_UP_DAYS;
                let deploys = known.contains(&row.principal_symbol());
                (deploys || warm).then_some(deploys)
            })
            .reduce(|one, other| one || other)
    }

    fn named(&self, activities: &Activities) -> BTreeMap<String, BTreeSet<String>> {
        let text = |symbol: &Symbol| {
            activities
                .strings()
                .get(*symbol)
                .unwrap_or_default()
                .to_owned()
        };
        self.inferred
            .iter()
            .map(|(target, principals)| (text(target), principals.iter().map(text).collect()))
            .collect()
    }
}

/// The buckets and repositories among a row's targets: what deployments are counted for.
pub(crate) fn deploy_targets(row: ActivityRow<'_>) -> impl Iterator<Item = Symbol> {
    row.target_symbols()
        .zip(row.targets())
        .filter(|(_, id)| !id.contains(":s3:::") || !id.contains('/'))
        .map(|(symbol, _)| symbol)
}

/// What rules show of the records that they matched: texts by row and rule.
#[derive(Debug, Default)]
struct Shows(BTreeMap<(RowId, u32), Vec<String>>);

impl Shows {
    fn add(&mut self, row: RowId, rule: &Rule, of: &Candidate, fields: &Fields) {
        let mut texts = Vec::new();
        for path in &rule.shown {
            let values = of
                .values
                .iter()
                .filter(|(field, _)| fields.path(*field) == path)
                .flat_map(|(_, values)| values);
            for value in values.filter_map(shown_text) {
                // What is derived speaks for itself.
                texts.push(match path.starts_with("portreeve.") {
                    true => value,
                    false => format!("{path}: {value}"),
                });
            }
        }
        if !texts.is_empty() {
            self.0.insert((row, of.rule), texts);
        }
    }

    /// What a finding of a rule on these rows shows, each once, in order of time.
    fn of(&self, rule: u32, rows: &[RowId]) -> Vec<String> {
        let mut shown = Vec::new();
        for text in rows
            .iter()
            .filter_map(|row| self.0.get(&(*row, rule)))
            .flatten()
        {
            if shown.len() < MOST_DETAILS && !shown.contains(text) {
                shown.push(text.clone());
            }
        }
        shown
    }
}

fn shown_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Unknown | Value::Null => None,
        Value::Bool(truth) => Some(truth.to_string()),
        Value::String(text) => Some(text.to_string()),
        Value::Number(text) | Value::Array(text) | Value::Object(text) => Some((*text).to_owned()),
    }
}

/// What history says of a row, joined with what its record says.
struct History<'h> {
    judged: &'h Judged,
    lasting: &'h Lasting,
    activities: &'h Activities,
    lineage: &'h Lineage,
    deployers: &'h Deployers,
    runs: &'h Runs,
    logins: &'h Logins,
    snapshot: &'h Snapshot,
    fields: &'h Fields,
}

impl History<'_> {
    fn complete(
        &self,
        row: ActivityRow<'_>,
        mut values: Vec<(FieldId, Vec<Value<'static>>)>,
    ) -> OwnedRecord {
        for (field, known) in &mut values {
            let value = match self.fields.path(*field) {
                ACTOR_DEPLOY => self.deployers.deploys(row, self.snapshot).map(Value::Bool),
                CREDENTIAL_MOVED => self.moved(row).map(Value::Bool),
                CREDENTIAL_MINTED_BY => self
                    .lineage
                    .mint(row.credential_symbol())
                    .map(|link| Value::String(link.method.as_str().into())),
                CREDENTIAL_RUN => self.runs.opened(row).map(Value::Bool),
                CREDENTIAL_LOGIN => self
                    .logins
                    .of(row, self.lineage)
                    .map(|word| Value::String(word.into())),
                CHANGE_JUDGED => self.judged.holds(row.id()).then_some(Value::Bool(true)),
                CHANGE_OPENS => {
                    let kinds: BTreeSet<_> = self.openings(row).map(|it| it.kind).collect();
                    *known = kinds
                        .into_iter()
                        .map(|kind| Value::String(kind.as_str().into()))
                        .collect();
                    continue;
                }
                CHANGE_OPENED => {
                    *known = self
                        .openings(row)
                        .map(|opening| {
                            let lasting = self.lasting.words(row.id(), row.time());
                            Value::String(format!("{}; {lasting}", opening.words).into())
                        })
                        .collect();
                    continue;
                }
                _ => continue,
            };
            *known = value.into_iter().collect();
        }
        OwnedRecord { values }
    }

    fn openings(&self, row: ActivityRow<'_>) -> impl Iterator<Item = &Opening> {
        self.judged.of(row.id()).iter()
    }

    /// Compares the address of use with the very address that the session was issued to: runners
    /// share their provider's networks with anyone, so that a network's name would prove nothing.
    fn moved(&self, row: ActivityRow<'_>) -> Option<bool> {
        let link = self.lineage.mint(row.credential_symbol())?;
        // What was joined by its date tells when a session began, and of a portal from where; what
        // the console or an instance makes of it goes on elsewhere.
        let tells_place = matches!(
            link.reason,
            Reason::ReturnedKey | Reason::NamesPortal | Reason::Portal { .. }
        );
        let issue = self.activities.get(link.row.filter(|_| tells_place)?);
        let permanent = matches!(
            link.method,
            MintMethod::CreateAccessKey | MintMethod::CreateLoginProfile
        );
        if permanent || issue.origin() != OriginKind::Public || row.origin() != OriginKind::Public {
            return None;
        }
        Some(issue.address_symbol() != row.address_symbol())
    }
}

struct OwnedRecord {
    values: Vec<(FieldId, Vec<Value<'static>>)>,
}

impl Record for OwnedRecord {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        self.values
            .iter()
            .find(|(id, _)| *id == field)
            .map_or(&[], |(_, values)| values)
    }

    fn text(&self) -> &str {
        ""
    }
}

pub(crate) fn day_of(row: ActivityRow<'_>) -> Option<Date> {
    row.time().map(|time| time.to_zoned(TimeZone::UTC).date())
}

/// Joins what was found into findings: one for each rule, actor, credential and day, so that a
/// rule that fires on every call of a session makes one finding with many records.
fn findings(
    activities: &Activities,
    found: Vec<(RowId, Origin)>,
    rules: &[Rule],
    signs: &[Sign],
    shows: &Shows,
) -> Vec<(Finding, Vec<RowId>)> {
    type Key = (Origin, Symbol, Symbol, Symbol, Option<Date>);
    let mut groups = BTreeMap::<Key, Vec<RowId>>::new();
    for (row, origin) in found {
        let view = activities.get(row);
        let key = (
            origin,
            view.principal_symbol(),
            view.session_symbol(),
            view.credential_symbol(),
            day_of(view),
        );
        groups.entry(key).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|((origin, .., day), rows)| {
            let finding = match origin {
                Origin::Rule(rule) => Finding {
                    details: shows.of(rule, &rows),
                    ..of_rule(&rules[rule as usize], activities, &rows, day)
                },
                Origin::Sign(sign) => of_sign(&signs[sign as usize], activities, &rows, day),
            };
            (finding, rows)
        })
        .collect()
}

/// Findings in order of time, then of id, and which row shows which.
fn in_order(mut made: Vec<(Finding, Vec<RowId>)>) -> (Vec<Finding>, Vec<(RowId, u32)>) {
    made.sort_by(|(a, _), (b, _)| {
        (a.time.is_none(), a.time, &a.id).cmp(&(b.time.is_none(), b.time, &b.id))
    });
    let mut hits: Vec<(RowId, u32)> = made
        .iter()
        .enumerate()
        .flat_map(|(number, (_, rows))| rows.iter().map(move |row| (*row, number as u32)))
        .collect();
    hits.sort_unstable();
    (made.into_iter().map(|(finding, _)| finding).collect(), hits)
}

fn of_rule(rule: &Rule, activities: &Activities, rows: &[RowId], day: Option<Date>) -> Finding {
    let id = rule.id.clone().unwrap_or_else(|| rule.file.to_string());
    let mut finding = shell(activities, rows, &id, day);
    finding.title = rule.title.clone();
    finding.severity = rule.level;
    finding.techniques = rule.techniques.clone();
    finding.tactics = rule.tactics.clone();
    finding.rule_author = rule.author.clone();
    finding
}

fn of_sign(sign: &Sign, activities: &Activities, rows: &[RowId], day: Option<Date>) -> Finding {
    let (what, value) = match &sign.kind {
        SignKind::Key(key) => ("key", key.clone()),
        SignKind::Network(range) if range.prefix_len() == range.max_prefix_len() => {
            ("address", range.addr().to_string())
        }
        SignKind::Network(range) => ("network", range.to_string()),
        SignKind::User(user) => ("user", user.clone()),
        SignKind::Role(role) => ("role", role.clone()),
        SignKind::Client(client) => ("client", client.clone()),
    };
    let mut finding = shell(activities, rows, &format!("sign:{what}={value}"), day);
    finding.title = format!("Activity of the {what} {value}, named by {}", sign.origin);
    finding.severity = sign.severity;
    finding.source = FindingSource::Sign;
    finding
}

/// A finding with everything but what its rule says.
pub(crate) fn shell(
    activities: &Activities,
    rows: &[RowId],
    rule: &str,
    day: Option<Date>,
) -> Finding {
    let views = || rows.iter().map(|row| activities.get(*row));
    let first = activities.get(rows[0]);
    let targets: BTreeSet<&str> = views()
        .take(EVIDENCE_LIMIT)
        .flat_map(ActivityRow::targets)
        .collect();
    let evidence = views()
        .take(EVIDENCE_LIMIT)
        .map(|row| Evidence {
            file: row.file().clone(),
            index: row.position().index,
            offset: row.position().offset,
            event_id: row.event_id(),
            time: row.time(),
            action: row.action().to_owned(),
        })
        .collect();
    let actor = first.actor();
    let credential = first.credential().map(str::to_owned);
    let day = day.map(|day| day.to_string()).unwrap_or_default();
    Finding {
        id: stable_id(&[
            rule,
            &actor,
            credential.as_deref().unwrap_or_default(),
            &day,
        ]),
        rule: rule.to_owned(),
        title: String::new(),
        severity: portreeve_model::Severity::Informational,
        time: first.time(),
        last_time: views().filter_map(ActivityRow::time).max(),
        source: FindingSource::Detection,
        actor,
        credential,
        targets: targets.into_iter().map(str::to_owned).collect(),
        techniques: Vec::new(),
        tactics: Vec::new(),
        evidence,
        evidence_total: rows.len() as u64,
        rule_author: None,
        details: Vec::new(),
        muted_by: None,
    }
}

/// 16 hexadecimal digits of the SHA-256 of the parts: the same for the same parts, in any run.
pub fn stable_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
