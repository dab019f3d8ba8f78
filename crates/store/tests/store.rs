//! What is committed stays; what fails leaves nothing behind; what people wrote outlives what is derived.

use std::path::Path;
use std::time::Duration;

use portreeve_model::{DeadLetter, Timestamp};
use portreeve_store::{
    AuditEntry, Care, Commit, Decision, DecisionKind, Note, Role, Segment, Sqlite, State, Store,
    StoreError, StoredToken, Value,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn finding(id: &str, body: &str) -> (String, Option<Value>) {
    (id.to_owned(), Some(Value::from(body.as_bytes())))
}

fn whole(id: &str) -> Commit {
    Commit {
        findings: vec![finding(id, "finding")],
        incidents: vec![finding(id, "incident")],
        state: vec![("counts".to_owned(), id.as_bytes().to_vec(), Some(vec![1]))],
        offsets: vec![(id.to_owned(), Some(b"100".to_vec()))],
        segments: vec![Segment {
            number: 1,
            bytes: 10,
            positions: 2,
            records: 1,
            latest: Some(5),
        }],
        dead_letters: vec![DeadLetter {
            file: "a".into(),
            offset: 3,
            reason: "broken".into(),
        }],
        ..Commit::default()
    }
}

fn findings(store: &Sqlite) -> Vec<String> {
    let mut found = Vec::new();
    store
        .each_finding(&mut |id, _| found.push(id.to_owned()))
        .unwrap();
    found
}

fn note(words: &str) -> Note {
    Note {
        who: "mira".to_owned(),
        time: at(7),
        words: words.to_owned(),
    }
}

fn open(folder: &Path) -> Sqlite {
    open_for(folder, Duration::from_secs(30))
}

/// Opens it to wait so long for others that write.
fn open_for(folder: &Path, patience: Duration) -> Sqlite {
    Sqlite::open_with(&folder.join("portreeve.db"), patience).unwrap()
}

#[test]
fn everything_of_a_commit_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    assert_eq!(store.revision().unwrap(), 0);
    assert_eq!(store.commit(&whole("one")).unwrap(), 1);
    let mut second = whole("two");
    second.findings.push(("one".to_owned(), None));
    second
        .state
        .push(("counts".to_owned(), b"one".to_vec(), None));
    second.offsets.push(("one".to_owned(), None));
    assert_eq!(store.commit(&second).unwrap(), 2);
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.revision().unwrap(), 2);
    assert_eq!(findings(&store), ["two"]);
    assert_eq!(store.finding("two").unwrap().unwrap(), b"finding");
    assert_eq!(store.finding("one").unwrap(), None);
    assert_eq!(store.incident("one").unwrap().unwrap(), b"incident");
    let mut state = Vec::new();
    store
        .state("counts", &mut |key, value| {
            state.push((key.to_vec(), value.to_vec()))
        })
        .unwrap();
    assert_eq!(state, [(b"two".to_vec(), vec![1])]);
    assert_eq!(
        store.offsets().unwrap(),
        [("two".to_owned(), b"100".to_vec())]
    );
    assert_eq!(store.segments().unwrap().len(), 1);
    // The same place and reason twice are one dead letter.
    let (letters, count) = store.dead_letters(10).unwrap();
    assert_eq!((letters.len(), count, letters[0].offset), (1, 1, 3));
}

#[test]
fn what_people_wrote_follows_an_incident_into_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store
        .commit(&Commit {
            incidents: vec![finding("a", "A"), finding("b", "B")],
            ..Commit::default()
        })
        .unwrap();
    store.add_note("b", &note("seen")).unwrap();
    let care = Care {
        owner: Some("mira".to_owned()),
        state: State::Investigating,
    };
    store.set_care("b", &care).unwrap();
    // B is found to be of A, then A of C: what was said of B stands beside C.
    for (former, now) in [("b", "a"), ("a", "c")] {
        store
            .commit(&Commit {
                incidents: vec![(former.to_owned(), None), finding(now, "merged")],
                aliases: vec![(former.to_owned(), now.to_owned())],
                ..Commit::default()
            })
            .unwrap();
    }
    assert_eq!(store.incident_id("b").unwrap(), "c");
    assert_eq!(store.incident("b").unwrap().unwrap(), b"merged");
    assert_eq!(store.notes("c").unwrap(), [note("seen")]);
    assert_eq!(store.notes("b").unwrap(), [note("seen")]);
    assert_eq!(store.cares().unwrap(), [("c".to_owned(), care)]);
    // What is said of C itself counts before it.
    let own = Care {
        owner: None,
        state: State::Closed,
    };
    store.set_care("c", &own).unwrap();
    assert_eq!(store.cares().unwrap(), [("c".to_owned(), own)]);
    // B is an incident of its own again.
    store
        .commit(&Commit {
            incidents: vec![finding("b", "apart")],
            ..Commit::default()
        })
        .unwrap();
    assert_eq!(store.incident("b").unwrap().unwrap(), b"apart");
    assert_eq!(store.notes("b").unwrap(), [note("seen")]);
}

#[test]
fn decisions_are_kept_and_undone_once_whatever_is_derived() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let decision = |number, kind, what: &str| Decision {
        number,
        incident: "a".to_owned(),
        kind,
        what: what.to_owned(),
        who: "mira".to_owned(),
        time: at(7),
        undone: None,
    };
    let join = decision(1, DecisionKind::Join, "b");
    let part = decision(2, DecisionKind::Part, "finding:f");
    assert_eq!(store.add_decision(&join).unwrap(), 1);
    assert_eq!(store.add_decision(&part).unwrap(), 2);
    assert!(store.undo_decision(1, "jo", at(9)).unwrap());
    assert!(!store.undo_decision(1, "mira", at(10)).unwrap());
    assert!(!store.undo_decision(7, "mira", at(10)).unwrap());
    store
        .commit(&Commit {
            incidents: vec![("a".to_owned(), None)],
            ..Commit::default()
        })
        .unwrap();
    drop(store);
    let store = open(folder.path());
    let undone = Decision {
        undone: Some(("jo".to_owned(), at(9))),
        ..join
    };
    assert_eq!(store.decisions().unwrap(), [undone, part]);
}

#[test]
fn tokens_and_the_audit_log_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let token = StoredToken {
        name: "soc".to_owned(),
        role: Role::Responder,
        hash: [7; 32],
        made: at(1),
        expires: Some(at(9)),
    };
    store.add_token(&token).unwrap();
    assert_eq!(store.tokens().unwrap(), [token]);
    assert!(store.remove_token("soc").unwrap());
    assert!(!store.remove_token("soc").unwrap());
    for number in 0..3 {
        let entry = AuditEntry {
            time: at(number),
            who: "soc".to_owned(),
            did: "note".to_owned(),
            what: number.to_string(),
        };
        store.audit(&entry).unwrap();
    }
    let latest: Vec<String> = store
        .audit_log(2)
        .unwrap()
        .into_iter()
        .map(|it| it.what)
        .collect();
    assert_eq!(latest, ["2", "1"]);
}

#[test]
fn a_locked_database_is_told_and_the_same_commit_goes_through_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open_for(folder.path(), Duration::from_millis(50));
    let other = rusqlite::Connection::open(folder.path().join("portreeve.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.commit(&whole("one")).unwrap_err();
    assert!(matches!(error, StoreError::Locked), "{error}");
    assert!(error.is_passing());
    // Readers do not wait.
    assert_eq!(findings(&store), [""; 0]);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.commit(&whole("one")).unwrap(), 1);
}

#[test]
fn a_full_disk_leaves_nothing_of_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.commit(&whole("one")).unwrap();
    store.bound(64).unwrap();
    let mut large = whole("two");
    large.findings.push(finding("large", &"x".repeat(1 << 20)));
    let error = store.commit(&large).unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    assert!(error.is_passing());
    assert_eq!(
        (findings(&store), store.revision().unwrap()),
        (vec!["one".to_owned()], 1)
    );
    assert_eq!(store.offsets().unwrap().len(), 1);
    store.bound(1 << 20).unwrap();
    assert_eq!(store.commit(&large).unwrap(), 2);
}

#[test]
fn damage_is_told_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portreeve.db");
    {
        let mut store = open(folder.path());
        for number in 0..400 {
            let mut commit = whole(&format!("{number:04}"));
            commit.findings[0].1.as_mut().unwrap().body = vec![b'x'; 1_500];
            store.commit(&commit).unwrap();
        }
        assert_eq!(store.check().unwrap(), [""; 0]);
    }
    // What was written ahead is in the file itself once the last one has closed it.
    let sound = std::fs::read(&path).unwrap();
    assert!(sound.len() > 100 * 4096);
    let mut told = 0;
    for start in (0..sound.len()).step_by(sound.len() / 40) {
        let mut bytes = sound.clone();
        let end = (start + 6_000).min(bytes.len());
        bytes[start..end].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        let looked = Sqlite::open(&path).and_then(|store| {
            store.each_finding(&mut |_, _| ())?;
            store.each_incident(&mut |_, _| ())?;
            store.offsets()?;
            store.check()
        });
        told += usize::from(match looked {
            Err(error) => {
                assert!(!error.is_passing(), "{error}");
                true
            }
            Ok(damage) => !damage.is_empty(),
        });
    }
    // Only where nothing was written does it not show.
    assert!(told >= 36, "{told} of 40");
    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    let cut = Sqlite::open(&path).and_then(|store| store.check());
    assert!(cut.map_or(true, |damage| !damage.is_empty()));
    std::fs::write(
        &path,
        "this is no database, but long enough to be looked at as one".repeat(20),
    )
    .unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_backup_is_whole_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    for number in 0..50 {
        store.commit(&whole(&number.to_string())).unwrap();
    }
    let copy = folder.path().join("backup.db");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut other = open(folder.path());
            for number in 50..80 {
                while other.commit(&whole(&number.to_string())).is_err() {}
            }
        });
        open(folder.path()).backup(&copy).unwrap();
        writer.join().unwrap();
    });
    let backup = Sqlite::open(&copy).unwrap();
    assert_eq!(backup.check().unwrap(), [""; 0]);
    // As of one commit: each brought one finding and raised the number.
    assert_eq!(findings(&backup).len() as u64, backup.revision().unwrap());
    assert!(backup.revision().unwrap() >= 50);
    assert!(matches!(store.backup(&copy), Err(StoreError::Exists(_))));
}
