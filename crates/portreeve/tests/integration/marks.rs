//! How far a file was read is forgotten once the file has been gone for longer than records are kept, and one that
//! comes back does not count twice.

use std::path::Path;

use crate::common::{lines, portreeve, record, said};
use portreeve_model::Timestamp;
use portreeve_store::{Commit, Sqlite, Store};

/// So many days ago.
fn ago(days: i64) -> Timestamp {
    let now = Timestamp::now().as_second();
    Timestamp::from_second(now - days * 86_400).unwrap()
}

fn caught_up(folder: &Path) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let output = portreeve(&[
        "serve",
        "--catch-up",
        "--keep-days",
        "30",
        "--settle",
        "1",
        "--data",
        &path("data"),
        &path("logs"),
    ]);
    assert!(output.status.success(), "{}", said(&output));
}

fn store(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("data/portreeve.db")).unwrap()
}

/// The names of the files that have a mark, and how many records were kept.
fn known(folder: &Path) -> (Vec<String>, u64) {
    let store = store(folder);
    let marks = store.offsets().unwrap().into_iter();
    let name = |(_, mark): (String, Vec<u8>)| {
        let mark: serde_json::Value = serde_json::from_slice(&mark).unwrap();
        mark["name"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let mut names: Vec<String> = marks.map(name).collect();
    names.sort();
    let segments = store.segments().unwrap();
    (names, segments.iter().map(|it| it.records).sum())
}

#[test]
fn a_file_that_comes_back_after_its_mark_was_pruned_does_not_count_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let logs = folder.join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let records = |first: u32, time: Timestamp| {
        let numbers = first..first + 5;
        let time = time.to_string();
        lines(
            &numbers
                .map(|it| record(it, &time, "192.0.2.1"))
                .collect::<Vec<_>>(),
        )
    };
    let old = records(0, ago(200));
    std::fs::write(logs.join("old.json"), &old).unwrap();
    std::fs::write(logs.join("new.json"), records(10, ago(1))).unwrap();
    caught_up(folder);
    assert_eq!(
        known(folder),
        (vec!["new.json".to_owned(), "old.json".to_owned()], 10)
    );

    // It goes: first that is set down, and nothing is forgotten.
    std::fs::remove_file(logs.join("old.json")).unwrap();
    caught_up(folder);
    assert_eq!(known(folder).0.len(), 2);
    // A hundred days later it is.
    let mut later = store(folder);
    for (key, mark) in later.offsets().unwrap() {
        let mut mark: serde_json::Value = serde_json::from_slice(&mark).unwrap();
        if mark["gone"].is_i64() {
            mark["gone"] = ago(100).as_second().into();
            let offsets = vec![(key, Some(mark.to_string().into_bytes()))];
            later
                .commit(&Commit {
                    offsets,
                    ..Commit::default()
                })
                .unwrap();
        }
    }
    drop(later);
    caught_up(folder);
    assert_eq!(known(folder), (vec!["new.json".to_owned()], 10));

    // It comes back under another name, with something that was not there before.
    let back = [old, records(20, ago(2))].concat();
    std::fs::write(logs.join("back.json"), back).unwrap();
    caught_up(folder);
    assert_eq!(
        known(folder),
        (vec!["back.json".to_owned(), "new.json".to_owned()], 15)
    );
    let (letters, _) = store(folder).dead_letters(10).unwrap();
    let told = letters
        .iter()
        .any(|it| it.reason.starts_with("5 records up to"));
    assert!(told, "{letters:?}");
    // Once more, and nothing is new.
    caught_up(folder);
    assert_eq!(known(folder).1, 15);
}
