//! What is shown as of one commit, with where each finding and incident of it stands.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use portreeve_engine::serve::Shown;
use portreeve_incident::Incident;
use portreeve_model::Finding;
use portreeve_store::{Care, Note, Store, StoreError};

use crate::api::paging::Listed;
use crate::decisions::{self, Decisions, Found};

/// What is shown, and where each thing of it is.
///
/// The incidents are those that were derived with what people decided applied: [`Viewed::incidents`], never
/// those of the report.
#[derive(Debug)]
pub(crate) struct Viewed {
    shown: Arc<Shown>,
    findings: Places,
    incidents: Places,
    /// What people decided, as of this number of changes.
    decisions: Decisions,
    changes: u64,
}

/// Whose each incident is and how it stands, by the id that it is shown as.
pub(crate) type Cares = BTreeMap<String, Care>;

impl Deref for Viewed {
    type Target = Shown;

    fn deref(&self) -> &Shown {
        &self.shown
    }
}

impl Viewed {
    /// Takes time in proportion to what is shown.
    pub(crate) fn new(shown: Arc<Shown>, decisions: Decisions, changes: u64) -> Self {
        let report = &shown.report;
        let mut viewed = Self {
            findings: Places::of(report.findings.iter().map(|it| it.id.as_str())),
            incidents: Places::of(report.incidents.iter().map(|it| it.id.as_str())),
            shown,
            decisions: Decisions::default(),
            changes,
        };
        let mut decisions = decisions;
        decisions.apply(&viewed);
        viewed.decisions = decisions;
        viewed
    }

    /// Whether it is of this commit, and of so many changes of what people decided.
    pub(crate) fn is_of(&self, shown: &Arc<Shown>, changes: u64) -> bool {
        Arc::ptr_eq(&self.shown, shown) && self.changes == changes
    }

    /// What people decided.
    pub(crate) fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// A finding, in logarithmic time.
    pub(crate) fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.find(id, &self.report.findings, |it| &it.id)
    }

    /// The incidents that are shown, gravest first.
    pub(crate) fn incidents(&self) -> Vec<&Incident> {
        let rank = |it: &Incident| (it.rank(), it.id.clone());
        decisions::shown(&self.shown, &self.decisions.decided, rank)
    }

    /// An incident by an id that it has now, or that of one that people joined to it; in logarithmic time.
    pub(crate) fn incident(&self, id: &str) -> Option<&Incident> {
        let id = self.decisions.now(id);
        match self.decisions.decided.made.get(id) {
            Some(made) => Some(made),
            None => self.derived(id),
        }
    }

    /// Whose each incident is and how it stands. What is said of the incident itself goes before what was said
    /// of those that were joined to it.
    pub(crate) fn cares(&self, store: &dyn Store) -> Result<Cares, StoreError> {
        let mut all: Vec<(String, Care)> = store.cares()?;
        all.sort_by_key(|(id, _)| self.decisions.now(id) != id);
        let mut cares = Cares::new();
        for (id, care) in all {
            let now = self.decisions.now(&id).to_owned();
            cares.entry(now).or_insert(care);
        }
        Ok(cares)
    }

    /// What people wrote to an incident and to those that were joined to it, the oldest first.
    pub(crate) fn notes(
        &self,
        incident: &Incident,
        store: &dyn Store,
    ) -> Result<Vec<Note>, StoreError> {
        let mut notes = store.notes(&incident.id)?;
        let by_people = incident.by_people.iter();
        for id in by_people.flat_map(|it| &it.joined) {
            notes.extend(store.notes(id)?);
        }
        notes.sort_by_key(|note| note.time);
        Ok(notes)
    }

    /// An incident's findings by id.
    pub(crate) fn findings_of<'v>(
        &'v self,
        incident: &'v Incident,
    ) -> BTreeMap<&'v str, &'v Finding> {
        let ids = incident.findings.iter().map(String::as_str);
        ids.filter_map(|id| Some((id, self.finding(id)?))).collect()
    }
}

impl Found for Viewed {
    fn derived(&self, id: &str) -> Option<&Incident> {
        self.incidents.find(id, &self.report.incidents, |it| &it.id)
    }

    fn found(&self, id: &str) -> Option<&Finding> {
        self.finding(id)
    }
}

/// Where in a list the item of each id stands: the hashes of the ids, in order, each with its place. Sixteen
/// bytes an item, and no second copy of an id.
#[derive(Debug)]
struct Places(Vec<(u64, u32)>);

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl Places {
    fn of<'i>(ids: impl Iterator<Item = &'i str>) -> Self {
        let mut places: Vec<(u64, u32)> = ids.map(hash).zip(0..).collect();
        places.sort_unstable();
        Self(places)
    }

    fn find<'t, T>(&self, id: &str, items: &'t [T], of: impl Fn(&T) -> &String) -> Option<&'t T> {
        let wanted = hash(id);
        let start = self.0.partition_point(|(hash, _)| *hash < wanted);
        let alike = self.0[start..]
            .iter()
            .take_while(|(hash, _)| *hash == wanted);
        let mut alike = alike.filter_map(|(_, place)| items.get(*place as usize));
        alike.find(|item| of(item) == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_found_by_its_id_and_nothing_else_is() {
        let items: Vec<String> = (0..1_000).map(|number| format!("f-{number}")).collect();
        let places = Places::of(items.iter().map(String::as_str));
        for item in &items {
            assert_eq!(places.find(item, &items, |it| it), Some(item));
        }
        assert_eq!(places.find("f-1000", &items, |it| it), None);
        assert_eq!(places.find("", &items, |it| it), None);
        // Where hashes collide the ids decide.
        let both = Places(vec![(hash("b"), 0), (hash("b"), 1)]);
        let items = ["a".to_owned(), "b".to_owned()];
        assert_eq!(both.find("b", &items, |it| it), Some(&items[1]));
    }
}
