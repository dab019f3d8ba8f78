//! A simulated organisation's folder, and watches over it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portreeve_engine::serve::{
    Board, DataFolder, Figures, HOLD, Intake, Keep, Objects, Pace, Segments, Stop, Watch,
    WatchError, WatchRequest,
};
use portreeve_engine::{
    Config, Request, RuleSet, Silent, built_in_correlations, built_in_rules, investigate,
};
use portreeve_model::DeadLetter;
use portreeve_simulate::{Plan, Sink, Written, simulate};
use portreeve_store::{
    AuditEntry, Care, Commit, Decision, Note, Segment, Sqlite, Store, StoreError, StoredToken,
};

/// Findings and incidents, byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) findings: BTreeMap<String, String>,
    pub(crate) incidents: BTreeMap<String, String>,
}

pub(crate) struct House {
    folder: tempfile::TempDir,
}

/// What is simulated once for all tests: inventory, and a part of the logs, with how many records they hold.
#[derive(Default)]
struct Simulation {
    files: BTreeMap<String, Vec<u8>>,
    records: u64,
}

impl Sink for Simulation {
    fn estate(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn log(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        // Digests are not records; the watch does not verify them.
        match path.contains("CloudTrail-Digest") {
            true => Ok(()),
            false => self.estate(path, bytes),
        }
    }

    fn wallets(&mut self, _: Timestamp, _: &str, _: &Written) -> io::Result<()> {
        Ok(())
    }

    fn label(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

/// Every so many log files one is kept, so that an unoptimised build is done in time.
const KEPT: usize = 5;

fn simulation() -> &'static Simulation {
    static SIMULATION: OnceLock<Simulation> = OnceLock::new();
    SIMULATION.get_or_init(|| {
        let plan = Plan {
            days: 18,
            max_records: 8_000,
            ..Plan::default()
        };
        let mut simulation = Simulation::default();
        simulate(&plan, &mut simulation).unwrap();
        let mut number = 0;
        simulation.files.retain(|path, _| {
            number += usize::from(path.ends_with(".json.gz"));
            !path.ends_with(".json.gz") || number % KEPT == 0
        });
        let logs = simulation.files.iter();
        simulation.records = logs
            .filter(|(path, _)| path.ends_with(".json.gz"))
            .map(|(_, bytes)| records_of(bytes).len() as u64)
            .sum();
        simulation
    })
}

fn records_of(bytes: &[u8]) -> Vec<serde_json::Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    match document["Records"].take() {
        serde_json::Value::Array(records) => records,
        other => panic!("{other}"),
    }
}

pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl House {
    /// Few records over few days; parts of an intrusion are among them.
    pub(crate) fn simulated() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self { folder };
        for (path, bytes) in &simulation().files {
            house.put(path, bytes);
        }
        house
    }

    pub(crate) fn records(&self) -> u64 {
        simulation().records
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("halyard")
    }

    /// A folder among the logs.
    pub(crate) fn logs(&self) -> PathBuf {
        let logs = self.root().join("more");
        fs::create_dir_all(&logs).unwrap();
        logs
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn files(&self, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.root()).unwrap();
                let name = name.to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if wanted(&name) {
                    files.insert(name, fs::read(path).unwrap());
                }
            }
        }
        files
    }

    fn take_away(&self, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<u8>> {
        let files = self.files(wanted);
        for path in files.keys() {
            fs::remove_file(self.root().join(path)).unwrap();
        }
        files
    }

    pub(crate) fn take_logs_away(&self) -> BTreeMap<String, Vec<u8>> {
        self.take_away(|name| name.ends_with(".json.gz"))
    }

    pub(crate) fn take_inventory_away(&self) -> BTreeMap<String, Vec<u8>> {
        self.take_away(|name| !name.ends_with(".json.gz") && name != "portreeve.toml")
    }

    /// The records of all logs, one a line, each once.
    pub(crate) fn take_logs_as_lines(&self) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        let mut lines = Vec::new();
        for bytes in self.take_logs_away().values() {
            for record in records_of(bytes) {
                if seen.insert(record["eventID"].to_string()) {
                    lines.push(record.to_string());
                }
            }
        }
        lines
    }

    /// As a restore from a backup does: the same files with other numbers.
    pub(crate) fn copy_logs_in_place(&mut self) {
        for (path, bytes) in self.files(|name| name.ends_with(".json.gz")) {
            let old = self.root().join(&path);
            let new = old.with_extension("copy");
            fs::write(&new, bytes).unwrap();
            fs::rename(new, old).unwrap();
        }
    }

    /// The folder is gone from where it is looked for.
    pub(crate) fn vanish(&self) -> PathBuf {
        let away = self.folder.path().join("away");
        fs::rename(self.root(), &away).unwrap();
        away
    }

    pub(crate) fn come_back(&self, away: PathBuf) {
        fs::rename(away, self.root()).unwrap();
    }

    /// All segments of the log are let go, as retention would.
    pub(crate) fn let_the_log_go(&self) {
        let mut store = self.store();
        let segments = store.segments().unwrap();
        let latest = segments.iter().filter_map(|it| it.latest).max();
        let until = latest
            .expect("segments know their latest record")
            .to_string();
        store
            .commit(&Commit {
                dropped_segments: segments.iter().map(|it| it.number).collect(),
                state: vec![(
                    "retention".to_owned(),
                    b"dropped-until".to_vec(),
                    Some(until.into_bytes()),
                )],
                ..Commit::default()
            })
            .unwrap();
    }

    fn config(&self) -> (Config, Vec<PathBuf>) {
        let (config, path) = Config::find(&[self.root()]).unwrap();
        (config, path.into_iter().collect())
    }

    pub(crate) fn investigated(&self) -> Outcome {
        let (config, skip) = self.config();
        let mut files = built_in_rules();
        files.extend(built_in_correlations());
        let report = investigate(
            Request {
                paths: vec![self.root()],
                rules: RuleSet::parse(&files, &config.rules),
                config,
                skip,
                signs: Vec::new(),
                threads: 2,
            },
            &Silent,
        )
        .unwrap();
        let text = |value: &dyn Fn() -> serde_json::Result<String>| value().unwrap();
        Outcome {
            findings: report
                .findings
                .iter()
                .map(|it| (it.id.clone(), text(&|| serde_json::to_string(it))))
                .collect(),
            incidents: report
                .incidents
                .iter()
                .map(|it| (it.id.clone(), text(&|| serde_json::to_string(it))))
                .collect(),
        }
    }

    fn store(&self) -> Sqlite {
        Sqlite::open(&self.data().join("portreeve.db")).unwrap()
    }

    pub(crate) fn stored(&self) -> Outcome {
        let (store, mut findings, mut incidents) = (self.store(), BTreeMap::new(), BTreeMap::new());
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        store
            .each_finding(&mut |id, body| drop(findings.insert(id.to_owned(), text(body))))
            .unwrap();
        store
            .each_incident(&mut |id, body| drop(incidents.insert(id.to_owned(), text(body))))
            .unwrap();
        Outcome {
            findings,
            incidents,
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.store().revision().unwrap()
    }

    pub(crate) fn records_in_log(&self) -> u64 {
        let segments = self.store().segments().unwrap();
        segments.iter().map(|segment| segment.records).sum()
    }

    pub(crate) fn dead_letters(&self) -> u64 {
        self.store().dead_letters(0).unwrap().1
    }

    fn begin(&self, failures: u32, hold: usize, board: Arc<Board>) -> (DataFolder, Watch) {
        let (config, skip) = self.config();
        let mut rules = built_in_rules();
        rules.extend(built_in_correlations());
        let folder = DataFolder::take(self.data()).unwrap();
        let store = Sqlite::open(&folder.database()).unwrap();
        let log = Segments::open(&folder.log(), store.segments().unwrap()).unwrap();
        let request = WatchRequest {
            paths: vec![self.root()],
            config,
            skip,
            rules,
            signs: Vec::new(),
            pace: Pace {
                poll: Duration::from_millis(20),
                settle: Duration::from_secs(4),
                fold: Duration::from_millis(20),
                inventory: Duration::from_millis(100),
            },
            hold,
            keep: Keep::default(),
        };
        let store = Failing {
            store,
            taking: failures,
            folding: failures,
        };
        let watch = Watch::begin(request, Box::new(store), Box::new(log), board, &Silent);
        (folder, watch.unwrap())
    }

    pub(crate) fn catch_up(&self) {
        self.catch_up_holding(HOLD);
    }

    /// Takes in what there is, while so many records are held; the figures in the end.
    pub(crate) fn catch_up_holding(&self, hold: usize) -> Figures {
        let board = Arc::<Board>::default();
        let (_folder, watch) = self.begin(0, hold, board.clone());
        watch.catch_up().unwrap();
        board.figures()
    }

    pub(crate) fn watch(&self) -> Watching<'_> {
        self.watch_with_a_store_that_fails(0)
    }

    /// The first commits of either stage fail, so many of each.
    pub(crate) fn watch_with_a_store_that_fails(&self, failures: u32) -> Watching<'_> {
        let board = Arc::<Board>::default();
        let (folder, watch) = self.begin(failures, HOLD, board.clone());
        self.running(folder, watch, board)
    }

    /// A bucket is followed too.
    pub(crate) fn watch_bucket(&self, objects: Box<dyn Objects>) -> Watching<'_> {
        let board = Arc::<Board>::default();
        let (folder, mut watch) = self.begin(0, HOLD, board.clone());
        watch.follow(objects, Duration::from_millis(20));
        self.running(folder, watch, board)
    }

    fn running(&self, folder: DataFolder, watch: Watch, board: Arc<Board>) -> Watching<'_> {
        let (intake, stop) = (watch.intake(), watch.stopper());
        let running = std::thread::spawn(move || {
            let _folder = folder;
            watch.run()
        });
        Watching {
            house: self,
            board,
            intake,
            stop,
            running,
        }
    }
}

pub(crate) struct Watching<'h> {
    house: &'h House,
    board: Arc<Board>,
    intake: Intake,
    stop: Stop,
    running: JoinHandle<Result<(), WatchError>>,
}

impl Watching<'_> {
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Waits until something holds; fails loudly where it never does.
    pub(crate) fn wait(&self, holds: impl Fn(&Board) -> bool) {
        let start = Instant::now();
        while !holds(&self.board) {
            assert!(!self.running.is_finished(), "the watch ended by itself");
            assert!(
                start.elapsed() < Duration::from_secs(600),
                "{:?}; {:?}",
                self.board.health(),
                self.board.figures()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn wait_for(&self, holds: impl Fn(&House) -> bool) {
        self.wait(|_| holds(self.house));
    }

    pub(crate) fn stop(self) {
        self.stop.stop();
        self.running.join().unwrap().unwrap();
    }
}

/// A store that is full for a while.
struct Failing {
    store: Sqlite,
    /// How many commits with offsets fail yet, and how many with incidents.
    taking: u32,
    folding: u32,
}

impl Store for Failing {
    fn commit(&mut self, commit: &Commit) -> Result<u64, StoreError> {
        let failures = match commit.incidents.is_empty() {
            true => &mut self.taking,
            false => &mut self.folding,
        };
        let has_records = !commit.offsets.is_empty() || !commit.incidents.is_empty();
        if *failures > 0 && has_records {
            *failures -= 1;
            return Err(StoreError::Full);
        }
        self.store.commit(commit)
    }

    fn revision(&self) -> Result<u64, StoreError> {
        self.store.revision()
    }

    fn each_finding(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.store.each_finding(take)
    }

    fn each_incident(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.store.each_incident(take)
    }

    fn finding(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.finding(id)
    }

    fn incident(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.incident(id)
    }

    fn incident_id(&self, id: &str) -> Result<String, StoreError> {
        self.store.incident_id(id)
    }

    fn state(&self, space: &str, take: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        self.store.state(space, take)
    }

    fn offsets(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.store.offsets()
    }

    fn segments(&self) -> Result<Vec<Segment>, StoreError> {
        self.store.segments()
    }

    fn dead_letters(&self, limit: usize) -> Result<(Vec<DeadLetter>, u64), StoreError> {
        self.store.dead_letters(limit)
    }

    fn add_note(&mut self, incident: &str, note: &Note) -> Result<(), StoreError> {
        self.store.add_note(incident, note)
    }

    fn notes(&self, incident: &str) -> Result<Vec<Note>, StoreError> {
        self.store.notes(incident)
    }

    fn set_care(&mut self, incident: &str, care: &Care) -> Result<(), StoreError> {
        self.store.set_care(incident, care)
    }

    fn cares(&self) -> Result<Vec<(String, Care)>, StoreError> {
        self.store.cares()
    }

    fn add_decision(&mut self, decision: &Decision) -> Result<u64, StoreError> {
        self.store.add_decision(decision)
    }

    fn undo_decision(
        &mut self,
        number: u64,
        who: &str,
        time: jiff::Timestamp,
    ) -> Result<bool, StoreError> {
        self.store.undo_decision(number, who, time)
    }

    fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        self.store.decisions()
    }

    fn told(&self, target: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.store.told(target)
    }

    fn set_told(&mut self, target: &str, incident: &str, state: &str) -> Result<(), StoreError> {
        self.store.set_told(target, incident, state)
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.store.audit(entry)
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit_log(limit)
    }

    fn add_token(&mut self, token: &StoredToken) -> Result<(), StoreError> {
        self.store.add_token(token)
    }

    fn remove_token(&mut self, name: &str) -> Result<bool, StoreError> {
        self.store.remove_token(name)
    }

    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        self.store.tokens()
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.store.backup(to)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.store.check()
    }
}
