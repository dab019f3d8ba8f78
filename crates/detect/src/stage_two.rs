use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::{Coverage, Effect, Finding, Hole, PolicyChange, Timestamp};
use portreeve_record::{FieldId, Fields};
use portreeve_sigma::{Matcher, Rule, Verdict};

use crate::activities::{Activities, RowId};
use crate::actors::{ActorId, Actors};
use crate::behaviour::{Correlations, Told};
use crate::by_row::by_row;
use crate::changes::Judged;
use crate::correlating::{Correlating, Remembered};
use crate::coverage::{count, coverage};
use crate::deployers::Deployers;
use crate::derived::{CHANGE_JUDGED, CHANGE_OPENS};
use crate::findings::{Origin, Shows, findings, in_order};
use crate::history::History;
use crate::lasting::Lasting;
use crate::lineage::Lineage;
use crate::logins::Logins;
use crate::people::People;
use crate::runs::Runs;
use crate::sealing::{Past, Sealing};
use crate::settings::Sign;
use crate::silences::silences;
use crate::snapshot::Snapshot;
use crate::stage_one::{Batch, Candidate, Revocation};
use crate::strings::Symbol;

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

        let hits: Vec<(RowId, u32)> = hits
            .into_iter()
            .filter_map(|(row, rule)| Some((new_row(row)?, rule)))
            .collect();
        let mut matched = by_row(hits, activities.len(), |(row, _)| *row);
        let changes: BTreeMap<RowId, PolicyChange<'static>> = changes
            .into_iter()
            .filter_map(|(row, change)| Some((new_row(row)?, change)))
            .collect();
        let mut effects: Vec<(RowId, Vec<Effect>)> = effects
            .into_iter()
            .filter_map(|(row, effects)| Some((new_row(row)?, effects)))
            .collect();
        effects.sort();
        let judging = [CHANGE_OPENS, CHANGE_JUDGED].map(|path| fields.get(path));
        let asked: BTreeSet<RowId> = candidates
            .iter()
            .filter(|candidate| {
                let mut asks = candidate.said.iter().map(|(field, _)| *field);
                asks.any(|field| judging.contains(&Some(field)))
            })
            .filter_map(|candidate| new_row(candidate.row))
            .collect();
        let judged = Judged::new(snapshot.changes(), &changes, &asked);
        let mut shows = Shows::default();
        for candidate in shown {
            if let Some(row) = new_row(candidate.row) {
                let rule = candidate.rule;
                shows.add((row, rule), &rules[rule as usize], candidate.all(), fields);
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
            let Candidate { rule, said, .. } = &candidate;
            let record = history.complete(activities.get(row), said);
            if matcher.evaluate_one(*rule as usize, &record) == Verdict::Yes {
                matched.push((row, *rule));
                shows.add((row, *rule), &rules[*rule as usize], record.all(), fields);
            }
        }
        // Those that history decided came behind the rest, which is in order.
        matched.sort();
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
            let copied: Vec<(RowId, FieldId, Symbol)> = copied
                .into_iter()
                .filter_map(|(row, field, value)| Some((new_row(row)?, field, value)))
                .collect();
            let mut copied = by_row(copied, activities.len(), |(row, ..)| *row);
            for of_row in copied.chunk_by_mut(|(one, ..), (other, ..)| one == other) {
                // Stable, for the values of one field keep their order.
                of_row.sort_by_key(|(_, field, _)| *field);
            }
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
