//! What can be told of records as soon as each is judged, before stage two has folded them.
//!
//! A rule that asks for nothing of history is certain once stage one has matched it, and so is a sign. The
//! finding that follows has the id that the fold gives it, since that is made of the rule, the actor, the
//! credential and the day alone. What it shows is what these records show: the fold, which knows the
//! others, tells it whole.

use std::collections::BTreeMap;

use portreeve_model::Finding;

use crate::activities::{ActivityRow, RowId};
use crate::exceptions::{Exception, muting};
use crate::findings::{Origin, Shows, group, id_of, tell};
use crate::stage_one::Batch;
use crate::stage_two::Known;

/// Which findings of a batch are told at once, and how.
pub struct AtOnce<'a> {
    /// What the batch was judged by.
    pub known: Known<'a>,
    /// Whether a rule serves correlations alone, by its number.
    pub is_silent: &'a dyn Fn(usize) -> bool,
    /// What the user expects.
    pub exceptions: &'a [Exception],
    /// Names of rules' files by the rules' ids.
    pub files: &'a BTreeMap<String, String>,
}

impl std::fmt::Debug for AtOnce<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AtOnce").finish_non_exhaustive()
    }
}

impl AtOnce<'_> {
    /// The findings that these records make without any other, of those whose ids are new. Takes time by
    /// how many records matched.
    pub fn findings(&self, batch: &Batch, is_new: &mut dyn FnMut(&str) -> bool) -> Vec<Finding> {
        let activities = &batch.activities;
        let rules = batch.hits.iter().filter_map(|(row, rule)| {
            (!(self.is_silent)(*rule as usize)).then_some((*row, Origin::Rule(*rule)))
        });
        let signs = batch.signs.iter();
        let signs = signs.map(|(row, sign)| (*row, Origin::Sign(*sign)));
        let mut found: Vec<(RowId, Origin)> = rules.chain(signs).collect();
        if found.is_empty() {
            return Vec::new();
        }
        found.sort_by_key(|(row, origin)| {
            let time = activities.get(*row).moment();
            (time.is_none(), time, *row, *origin)
        });
        let mut groups = group(activities, found);
        groups.retain(|key, rows| {
            let first: ActivityRow<'_> = activities.get(rows[0]);
            is_new(&id_of(key, first, self.known.rules, self.known.signs))
        });
        let mut shows = Shows::default();
        if !groups.is_empty() {
            for candidate in &batch.shown {
                if let Some(rule) = self.known.rules.get(candidate.rule as usize) {
                    let of = (candidate.row, candidate.rule);
                    shows.add(of, rule, candidate.all(), self.known.fields);
                }
            }
        }
        let mut findings: Vec<Finding> = groups
            .into_iter()
            .map(|(key, rows)| {
                let mut finding = tell(
                    key,
                    &rows,
                    activities,
                    self.known.rules,
                    self.known.signs,
                    &shows,
                );
                let by = muting(self.exceptions, &finding, &rows, activities, self.files);
                finding.muted_by = by.map(|place| self.exceptions[place].id.clone());
                finding
            })
            .collect();
        findings.sort_by(|a, b| {
            (a.time.is_none(), a.time, &a.id).cmp(&(b.time.is_none(), b.time, &b.id))
        });
        findings
    }
}
