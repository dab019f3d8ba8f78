//! Which marks are no longer needed.
//!
//! A mark says how far a file was read. Where the log keeps everything so do the marks. Where it lets records go
//! after so many days (`--keep-days`), the mark of a file that has been gone for as long goes too.
//!
//! A file that comes back after that is not known, and must not count twice. Whatever it held was written before
//! it went, so that its records are of an earlier time than when it was seen to be gone: the latest such moment
//! of all marks that were pruned is the *floor*. In a file that is new from then on, records up to the floor are
//! passed over, and it is said how many. The floor is always older than what is kept of the log.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::mark::Mark;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// For how long marks are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeping {
    /// For how many days after their file went; for good where nothing is said.
    pub(crate) days: Option<u32>,
    /// Up to when marks of files were pruned, in seconds since 1970.
    pub(crate) floor: Option<i64>,
}

/// How often it is looked which marks are needed.
pub(crate) const PRUNE: Duration = Duration::from_secs(3_600);

/// What changed of the marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// Marks to be stored anew: of files that went, or that are there again.
    pub(crate) changed: Vec<(String, Mark)>,
    /// Marks to be forgotten.
    pub(crate) forgotten: Vec<String>,
    /// The floor that comes of them.
    pub(crate) floor: Option<i64>,
}

/// Whether a mark is of a file in a folder.
pub(crate) fn is_of_a_file(key: &str) -> bool {
    key.starts_with("file:") || key.starts_with("path:")
}

/// Goes through the marks of files or of a bucket's objects, knowing which there are: by their keys, and by the
/// names of those that have no mark of their own because they were copied.
pub(crate) fn prune(
    marks: &mut HashMap<String, Mark>,
    is_looked_at: impl Fn(&str) -> bool,
    there: &HashSet<String>,
    named: &HashSet<String>,
    keep_days: Option<u32>,
    now: i64,
) -> Pruned {
    let mut pruned = Pruned::default();
    let oldest = keep_days.map(|days| now.saturating_sub(i64::from(days).saturating_mul(DAY)));
    for (key, mark) in marks.iter_mut() {
        if !is_looked_at(key) {
            continue;
        }
        let is_there = there.contains(key) || named.contains(&mark.name);
        match (is_there, mark.gone) {
            (true, None) => {}
            (true, Some(_)) => {
                mark.gone = None;
                pruned.changed.push((key.clone(), mark.clone()));
            }
            (false, None) => {
                mark.gone = Some(now);
                pruned.changed.push((key.clone(), mark.clone()));
            }
            // A clock that was put back prunes nothing.
            (false, Some(gone)) if oldest.is_some_and(|oldest| gone < oldest) => {
                pruned.floor = pruned.floor.max(Some(gone));
                pruned.forgotten.push(key.clone());
            }
            (false, Some(_)) => {}
        }
    }
    for key in &pruned.forgotten {
        marks.remove(key);
    }
    pruned.changed.sort_by(|a, b| a.0.cmp(&b.0));
    pruned.forgotten.sort();
    pruned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(names: &[&str]) -> HashMap<String, Mark> {
        let mark = |name: &&str| {
            let mark = Mark {
                name: format!("logs/{name}"),
                ..Mark::default()
            };
            (format!("file:{name}"), mark)
        };
        names.iter().map(mark).collect()
    }

    fn set(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_gone_for_longer_than_is_kept_goes_and_what_is_back_stays() {
        let mut all = marks(&["a", "b", "c"]);
        let there = set(&["file:a"]);
        let none = HashSet::new();
        let first = prune(&mut all, is_of_a_file, &there, &none, Some(30), 1_000 * DAY);
        assert_eq!(first.changed.len(), 2);
        assert_eq!(all["file:b"].gone, Some(1_000 * DAY));
        // Told once; and not before its time.
        let next = prune(&mut all, is_of_a_file, &there, &none, Some(30), 1_029 * DAY);
        assert_eq!(next, Pruned::default());
        // One is there again.
        let there = set(&["file:a", "file:c"]);
        let back = prune(&mut all, is_of_a_file, &there, &none, Some(30), 1_030 * DAY);
        assert_eq!((back.changed.len(), all["file:c"].gone), (1, None));
        let last = prune(
            &mut all,
            is_of_a_file,
            &there,
            &none,
            Some(30),
            1_030 * DAY + 1,
        );
        assert_eq!(
            (last.forgotten, last.floor),
            (vec!["file:b".to_owned()], Some(1_000 * DAY))
        );
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn where_all_is_kept_so_are_marks() {
        let mut all = marks(&["a"]);
        let none = HashSet::new();
        prune(&mut all, is_of_a_file, &none, &none, None, 0);
        assert_eq!(
            prune(&mut all, is_of_a_file, &none, &none, None, 9_999 * DAY),
            Pruned::default()
        );
        assert_eq!(all.len(), 1);
    }

    #[test]
    fn one_that_a_copy_goes_by_and_what_is_no_file_s_stay() {
        let mut all = marks(&["a"]);
        all.insert("object:s3://b/a".to_owned(), Mark::default());
        let named = set(&["logs/a"]);
        let none = HashSet::new();
        for day in [0, 500] {
            assert_eq!(
                prune(&mut all, is_of_a_file, &none, &named, Some(1), day * DAY),
                Pruned::default()
            );
        }
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_clock_that_is_put_back_prunes_nothing() {
        let mut all = marks(&["a"]);
        let none = HashSet::new();
        prune(&mut all, is_of_a_file, &none, &none, Some(1), 900 * DAY);
        assert_eq!(
            prune(&mut all, is_of_a_file, &none, &none, Some(1), DAY),
            Pruned::default()
        );
    }
}
