use std::fs::File;
use std::io::Write;
use std::path::Path;

use portreeve_store::{Commit, Role, Sqlite, Store, StoredToken, Value};
use sha2::{Digest, Sha256};

use super::*;
use crate::progress::Silent;

/// A data folder with a commit and a token, inventory, and settings with a secret.
fn packed(folder: &Path) -> (PathBuf, Packed) {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut store = Sqlite::open(&data.join("portreeve.db")).unwrap();
    store
        .commit(&Commit {
            findings: vec![("f".to_owned(), Some(Value::from(b"{}".as_slice())))],
            ..Commit::default()
        })
        .unwrap();
    store
        .add_token(&StoredToken {
            name: "soc".to_owned(),
            role: Role::Admin,
            hash: *b"a hash that must not leave here!",
            made: Timestamp::UNIX_EPOCH,
            expires: None,
        })
        .unwrap();
    store
        .set_told("slack=https://hooks.example/T000", "i", "high")
        .unwrap();
    let config = folder.join("portreeve.toml");
    let text = "canaries = [\"AKIAPLANTED\"]\n[serve]\nhold = 5000\nnotify = [\"slack=https://hooks.example/T000\"]\nqueue = \"https://sqs.example/1/trail\"\n";
    std::fs::write(&config, text).unwrap();
    let out = folder.join("case.tar.zst");
    let request = PackRequest {
        data,
        out: out.clone(),
        inputs: Inputs {
            config: Some(config),
            ..Inputs::default()
        },
        networks: None,
    };
    let packed = pack(&request, &Silent).unwrap();
    assert!(matches!(pack(&request, &Silent), Err(CaseError::Exists(_))));
    (out, packed)
}

fn opening(bundle: &Path, into: &Path) -> Opening {
    Opening {
        bundle: bundle.to_owned(),
        into: into.to_owned(),
        most: 1 << 30,
    }
}

#[test]
fn a_case_comes_back_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (bundle, packed) = packed(folder.path());
    let into = folder.path().join("opened");
    let manifest = open(&opening(&bundle, &into)).unwrap();
    assert_eq!(manifest, packed.manifest);
    let left_out = manifest.left_out.join("; ");
    assert!(
        left_out.contains("tokens (1)") && left_out.contains("serve.notify"),
        "{left_out}"
    );
    let case = CaseFolder::read(&into).unwrap();
    let text = std::fs::read_to_string(case.settings()).unwrap();
    assert!(
        text.contains("AKIAPLANTED") && text.contains("5000"),
        "{text}"
    );
    assert!(
        !text.contains("hooks.example") && !text.contains("sqs.example"),
        "{text}"
    );
    let bytes = std::fs::read(case.data().join("portreeve.db")).unwrap();
    let holds = |words: &[u8]| bytes.windows(words.len()).any(|it| it == words);
    assert!(!holds(b"must not leave") && !holds(b"hooks.example"));
    let store = Sqlite::open(&case.data().join("portreeve.db")).unwrap();
    assert_eq!(
        (store.revision().unwrap(), store.tokens().unwrap()),
        (1, Vec::new())
    );
    assert!(store.finding("f").unwrap().is_some());
    // Nothing is left beside it, and nothing is written over.
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 4);
    assert!(matches!(
        open(&opening(&bundle, &into)),
        Err(CaseError::Exists(_))
    ));
}

fn manifest(members: Vec<Member>) -> Manifest {
    Manifest {
        form: FORM.to_owned(),
        version: VERSION,
        portreeve: "0".to_owned(),
        packed: Timestamp::UNIX_EPOCH,
        revision: 1,
        built_in_rules: true,
        left_out: Vec::new(),
        members,
    }
}

fn member(name: &str, content: &[u8]) -> Member {
    Member {
        name: name.to_owned(),
        bytes: content.len() as u64,
        sha256: open::hex(&Sha256::digest(content)),
    }
}

/// One entry of an archive: its raw name, type and content.
type Entry<'e> = (&'e str, tar::EntryType, &'e [u8]);

fn archive(to: &Path, manifest: &[u8], entries: &[Entry<'_>]) {
    let mut archive = tar::Builder::new(Vec::new());
    let first = (MANIFEST, tar::EntryType::Regular, manifest);
    for (name, kind, content) in [first].iter().chain(entries) {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    let bytes = zstd::encode_all(&*archive.into_inner().unwrap(), 1).unwrap();
    File::create(to).unwrap().write_all(&bytes).unwrap();
}

const REGULAR: tar::EntryType = tar::EntryType::Regular;

#[test]
fn what_was_made_to_do_harm_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bad.tar.zst");
    let base = || vec![member(DATABASE, b"db")];
    let named = |name: &str| [base(), vec![member(name, b"x")]].concat();
    let db: Entry<'_> = (DATABASE, REGULAR, b"db");
    let cases: Vec<(&str, Vec<Member>, Vec<Entry<'_>>)> = vec![
        (
            "outside",
            named("../evil"),
            vec![db, ("../evil", REGULAR, b"x")],
        ),
        ("absolute", named("/tmp/evil"), vec![db]),
        ("inside out", named("inventory/../../evil"), vec![db]),
        ("below", named("inventory/a/b"), vec![db]),
        ("device", named("inventory/con.json"), vec![db]),
        ("drive", named("inventory/1:evil"), vec![db]),
        ("manifest again", named(MANIFEST), vec![db]),
        (
            "not named",
            base(),
            vec![db, ("inventory/1-x", REGULAR, b"x")],
        ),
        ("twice", base(), vec![db, db]),
        ("named twice", [base(), base()].concat(), vec![db]),
        ("missing", named("inventory/1-x"), vec![db]),
        ("longer", base(), vec![(DATABASE, REGULAR, b"dbdb")]),
        ("altered", base(), vec![(DATABASE, REGULAR, b"DB")]),
        (
            "link",
            base(),
            vec![(DATABASE, tar::EntryType::Symlink, b"")],
        ),
        (
            "hard link",
            base(),
            vec![(DATABASE, tar::EntryType::Link, b"")],
        ),
        (
            "folder",
            base(),
            vec![("data/", tar::EntryType::Directory, b""), db],
        ),
        (
            "long name",
            base(),
            vec![("x", tar::EntryType::GNULongName, b"../evil"), db],
        ),
        (
            "extension",
            base(),
            vec![("x", tar::EntryType::XHeader, b"16 path=../evil\n"), db],
        ),
        (
            "no database",
            vec![member(SETTINGS, b"")],
            vec![(SETTINGS, REGULAR, b"")],
        ),
        (
            "too large",
            vec![Member {
                bytes: 1 << 40,
                ..member(DATABASE, b"db")
            }],
            vec![db],
        ),
        (
            "too large together",
            vec![
                Member {
                    bytes: u64::MAX,
                    ..member(DATABASE, b"")
                },
                Member {
                    bytes: u64::MAX,
                    ..member(SETTINGS, b"")
                },
            ],
            vec![db],
        ),
    ];
    let into = folder.path().join("into");
    for (what, members, entries) in cases {
        let text = serde_json::to_vec(&manifest(members)).unwrap();
        archive(&bundle, &text, &entries);
        let error = open(&opening(&bundle, &into)).expect_err(what);
        assert!(
            matches!(error, CaseError::Refused { .. }),
            "{what}: {error}"
        );
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "{what}");
    }
    for text in [&b"{}"[..], b"not json", br#"{"form":"x"}"#] {
        archive(&bundle, text, &[db]);
        assert!(open(&opening(&bundle, &into)).is_err());
    }
    for bytes in [&b""[..], b"not zstd", &[0x28, 0xb5, 0x2f, 0xfd, 0xff]] {
        std::fs::write(&bundle, bytes).unwrap();
        assert!(open(&opening(&bundle, &into)).is_err());
    }
    assert!(!into.exists());
}

#[test]
fn a_bundle_that_was_cut_off_or_altered_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (bundle, _) = packed(folder.path());
    let bytes = std::fs::read(&bundle).unwrap();
    let into = folder.path().join("into");
    for place in 1..24 {
        let at = bytes.len() * place / 24;
        std::fs::write(&bundle, &bytes[..at]).unwrap();
        assert!(open(&opening(&bundle, &into)).is_err(), "cut off at {at}");
        let mut altered = bytes.clone();
        altered[at] ^= 0x20;
        std::fs::write(&bundle, &altered).unwrap();
        // Where it does open, it is what was packed: what was altered says nothing.
        if open(&opening(&bundle, &into)).is_ok() {
            std::fs::remove_dir_all(&into).unwrap();
        }
    }
}
