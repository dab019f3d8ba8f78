//! The queues of Safes by HTTP: a small transaction service on loopback, and the program that reads it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::said;
use serde_json::{Value, json};

const COLD: &str = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4";
const WARM: &str = "0x00000000000000000000000000000000000000B2";
const PAYEE: &str = "0x00000000000000000000000000000000000000AA";
const PATIENCE: Duration = Duration::from_secs(60);

/// What the service holds and does.
#[derive(Default)]
struct World {
    filed: BTreeMap<String, Vec<Value>>,
    /// The status that it answers with instead, and lines of its head.
    instead: Option<(u16, &'static str)>,
    heads: Vec<String>,
    conditional: usize,
}

struct Service {
    address: String,
    world: Arc<Mutex<World>>,
}

impl Service {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/tx-service/eth", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::default()));
        let own = Arc::clone(&world);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
                let (status, more, body) = answer(&mut own.lock().unwrap(), &head);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, world }
    }

    fn files(&self, safe: &str, entry: Value) {
        let mut world = self.world.lock().unwrap();
        world
            .filed
            .entry(safe.to_lowercase())
            .or_default()
            .push(entry);
    }

    fn answers(&self, instead: Option<(u16, &'static str)>) {
        self.world.lock().unwrap().instead = instead;
    }
}

/// A page holds two transactions.
fn answer(world: &mut World, head: &str) -> (u16, String, String) {
    world.heads.push(head.to_ascii_lowercase());
    if let Some((status, more)) = world.instead {
        return (status, more.to_owned(), "<html>".to_owned());
    }
    let path = head.split(' ').nth(1).unwrap();
    let rest = path.strip_prefix("/tx-service/eth/api/v1/safes/").unwrap();
    let (safe, rest) = rest.split_once('/').unwrap();
    let all = world
        .filed
        .get(&safe.to_lowercase())
        .cloned()
        .unwrap_or_default();
    let body = if rest.is_empty() {
        json!({"address": safe, "nonce": "0", "threshold": 1, "owners": [PAYEE], "version": "1.4.1"})
    } else {
        let offset = rest
            .split_once("offset=")
            .map_or(0, |(_, at)| at.parse().unwrap());
        let end = all.len().min(offset + 2);
        let next = format!("https://elsewhere.example/?limit=2&offset={end}");
        json!({"count": all.len(), "next": (end < all.len()).then_some(next), "results": all[offset..end]})
    };
    let tag = format!("\"{}-{}\"", all.len(), rest.len());
    if head.contains(&format!("if-none-match: {tag}")) {
        world.conditional += 1;
        return (304, String::new(), String::new());
    }
    (200, format!("etag: {tag}\r\n"), body.to_string())
}

fn entry(safe: &str, nonce: u64, operation: u8) -> Value {
    json!({"safe": safe, "to": PAYEE, "value": "1", "data": null, "operation": operation, "nonce": nonce,
        "submissionDate": "2026-01-01T10:00:00Z", "isExecuted": false, "confirmations": []})
}

fn policy(folder: &tempfile::TempDir) -> PathBuf {
    let wallet = |name: &str, address: &str| {
        format!(
            "[[wallet]]\nname = \"{name}\"\naddress = \"{address}\"\nrole = \"warm\"\nowners = [\"{PAYEE}\"]\nthreshold = 1\n"
        )
    };
    let path = folder.path().join("wallets.toml");
    std::fs::write(&path, wallet("cold", COLD) + &wallet("warm", WARM)).unwrap();
    path
}

fn command(task: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    command
        .args(["wallet", task])
        .env_remove("PORTREEVE_QUEUE_TOKEN")
        .stdin(Stdio::null());
    command
}

fn verify(address: &str, more: &[&str]) -> Output {
    let mut command = command("verify");
    command
        .args([address, "--chain", "1", "--format", "json"])
        .args(more);
    command.output().unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

#[test]
fn a_queue_is_verified_page_by_page_by_the_address_of_its_safe_or_by_the_policy() {
    let service = Service::new();
    for nonce in 0..5 {
        service.files(COLD, entry(COLD, nonce, 0));
    }
    let one = format!("{}/api/v1/safes/{COLD}/", service.address);
    let clean = verify(&one, &[]);
    assert_eq!(clean.status.code(), Some(0), "{}", said(&clean));
    assert_eq!(
        document(&clean)["transactions"].as_array().unwrap().len(),
        5
    );
    // A Safe in whose queue nothing is is clean too.
    let empty = verify(&format!("{}/api/v1/safes/{WARM}/", service.address), &[]);
    assert_eq!(
        (empty.status.code(), &document(&empty)["verdict"]),
        (Some(0), &json!("clean"))
    );

    service.files(WARM, entry(WARM, 7, 1));
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(&folder);
    let both = verify(&service.address, &["--policy", policy.to_str().unwrap()]);
    assert_eq!(both.status.code(), Some(10), "{}", said(&both));
    assert_eq!(document(&both)["transactions"].as_array().unwrap().len(), 6);
    assert_eq!(document(&both)["verdict"], "critical");
    let nobody = verify(&service.address, &[]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(said(&nobody).contains("give an address that goes on with"));
}

#[test]
fn a_token_comes_from_a_file_or_the_environment_and_is_never_shown() {
    let service = Service::new();
    let one = format!("{}/api/v1/safes/{COLD}/", service.address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hush-file\n").unwrap();
    let read = verify(&one, &["--queue-token-file", file.to_str().unwrap()]);
    assert_eq!(read.status.code(), Some(0), "{}", said(&read));
    let mut environment = command("verify");
    environment
        .args([&one, "--chain", "1"])
        .env("PORTREEVE_QUEUE_TOKEN", "hush-environment");
    assert!(environment.output().unwrap().status.success());
    let heads = std::mem::take(&mut service.world.lock().unwrap().heads);
    let sent = |token: &str| heads.iter().filter(|head| head.contains(token)).count();
    assert_eq!(
        (sent("bearer hush-file"), sent("bearer hush-environment")),
        (2, 2)
    );

    let exposed = format!("http://safe.example/api/v1/safes/{COLD}/");
    let refused = verify(&exposed, &["--queue-token-file", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("https:// alone"));
    std::fs::write(&file, " \n").unwrap();
    let empty = verify(&one, &["--queue-token-file", file.to_str().unwrap()]);
    assert!(said(&empty).contains("holds no token"));
}

#[test]
fn what_could_not_be_read_is_not_clean() {
    let service = Service::new();
    let one = format!("{}/api/v1/safes/{COLD}/", service.address);
    for (status, more, word) in [
        (401, "", "does not let us in"),
        (404, "", "does not know the Safe"),
        (302, "location: http://127.0.0.1:1/\r\n", "points elsewhere"),
        (429, "retry-after: 2\r\n", "less often"),
        (503, "", "status 503"),
        (200, "", "cannot be read"),
    ] {
        service.answers(Some((status, more)));
        let output = verify(&one, &[]);
        assert_eq!(output.status.code(), Some(3), "{status}");
        assert!(said(&output).contains(word), "{status}: {}", said(&output));
    }
    let nobody = verify(&format!("http://127.0.0.1:1/api/v1/safes/{COLD}/"), &[]);
    assert_eq!(nobody.status.code(), Some(3));
    assert!(said(&nobody).contains("not reached"));
}

/// The program that follows queues; its lines come one by one.
struct Watching {
    child: Child,
    found: Receiver<String>,
    words: Receiver<String>,
}

impl Watching {
    fn start(service: &Service, folder: &tempfile::TempDir) -> Self {
        let mut child = command("watch")
            .args([
                "--queue",
                &service.address,
                "--chain",
                "1",
                "--queue-every",
                "0.05",
                "--format",
                "json",
            ])
            .arg("--policy")
            .arg(policy(folder))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let found = lines(child.stdout.take().unwrap());
        let words = lines(child.stderr.take().unwrap());
        Self {
            child,
            found,
            words,
        }
    }

    fn finds(&self) -> Value {
        serde_json::from_str(&self.found.recv_timeout(PATIENCE).unwrap()).unwrap()
    }

    fn says(&self, word: &str) {
        while !self.words.recv_timeout(PATIENCE).unwrap().contains(word) {}
    }
}

fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_filed_while_the_watch_goes_on_is_told_before_it_is_carried_out_and_a_gap_is_told() {
    let service = Service::new();
    let folder = tempfile::tempdir().unwrap();
    service.files(COLD, entry(COLD, 0, 0));
    let watching = Watching::start(&service, &folder);
    service.files(WARM, entry(WARM, 3, 1));
    let first = watching.finds();
    assert_eq!(
        (&first["id"], &first["nonce"]),
        (&json!("delegatecall-to-unknown"), &json!("3"))
    );
    assert_eq!(first["severity"], "critical");
    service.answers(Some((503, "")));
    watching.says("was not read: it answered with status 503");
    service.files(COLD, entry(COLD, 1, 1));
    service.answers(None);
    watching.says("is read again, after");
    let second = watching.finds();
    assert_eq!(
        (&second["id"], &second["nonce"]),
        (&json!("delegatecall-to-unknown"), &json!("1"))
    );
    service.answers(Some((429, "retry-after: 1\r\n")));
    watching.says("less often");
    watching.says("asking again in 1 s");
    service.answers(None);
    watching.says("is read again");
    // What has not changed was asked for by its tag, and nothing was told twice.
    assert!(service.world.lock().unwrap().conditional > 0);
    assert!(watching.found.try_recv().is_err());
}

#[test]
fn the_chain_must_be_known() {
    let folder = tempfile::tempdir().unwrap();
    let output = command("watch")
        .args(["--queue", "http://127.0.0.1:1", "--policy"])
        .arg(policy(&folder))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("give --chain"));
}
