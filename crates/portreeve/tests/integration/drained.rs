//! The simulated theft, from the stolen session over the replaced page to the drain: told by `investigate`,
//! and told by the watch while it happens.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::served::Served;
use crate::common::{portreeve, report, said};
use portreeve_model::Timestamp;
use serde_json::Value;

/// Twenty days with few records, so that an unoptimised build is done in time.
fn simulate(folder: &Path, intrusion: &str) {
    let out = folder.join("halyard");
    let labels = folder.join("labels.ndjson");
    let output = portreeve(&[
        "simulate",
        "--seed",
        "3",
        "--intrusion",
        intrusion,
        "--days",
        "20",
        "--max-records",
        "7000",
        "--out",
        out.to_str().unwrap(),
        "--labels",
        labels.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
}

fn investigate(input: &Path, format: &str) -> Vec<u8> {
    let output = portreeve(&["investigate", input.to_str().unwrap(), "--format", format]);
    assert!(output.status.success(), "{}", said(&output));
    output.stdout
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// When a record of a step happened, by the labels and the logs' own times in the incident.
fn step_time(labels: &Path, step: &str, incident: &Value) -> Timestamp {
    let labels = fs::read_to_string(labels).unwrap();
    let labels = labels.lines().map(|line| {
        let label: Value = serde_json::from_str(line).unwrap();
        label
    });
    let ids: Vec<String> = labels
        .filter(|label| label["step"] == step)
        .map(|label| label["event_id"].as_str().unwrap().to_owned())
        .collect();
    let entries = incident["timeline"].as_array().unwrap().iter();
    let times = entries
        .filter(|entry| ids.iter().any(|id| entry["event_id"] == id.as_str()))
        .map(|entry| time(&entry["time"]));
    times.min().expect("the step is in the story")
}

fn hours(seconds: i64) -> String {
    format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60)
}

/// When the cold wallet's coin left, and when its first owner signed something else, by the files.
fn truth(wallets: &Path) -> (Timestamp, Timestamp) {
    let queue = fs::read_to_string(wallets.join("queue-cold.json")).unwrap();
    let queue: Value = serde_json::from_str(&queue).unwrap();
    let cold = queue["safe"]["address"].as_str().unwrap();
    let blocks = fs::read_to_string(wallets.join("blocks.ndjson")).unwrap();
    let empty = blocks.lines().find_map(|line| {
        let block: Value = serde_json::from_str(line).unwrap();
        let mut balances = block["balances"].as_object().unwrap().iter();
        let is_empty = balances.any(|(wallet, balances)| {
            wallet.eq_ignore_ascii_case(cold) && balances["native"] == "0x0"
        });
        let seconds = block["block"]["timestamp"].as_str().unwrap();
        is_empty.then(|| i64::from_str_radix(&seconds[2..], 16).unwrap())
    });
    let shown = queue["transactions"].as_array().unwrap().iter();
    let mut shown = shown.filter(|one| one["isExecuted"] == false);
    let misled = time(&shown.next().unwrap()["confirmations"][0]["submissionDate"]);
    assert!(shown.next().is_none(), "all else was carried out");
    (Timestamp::from_second(empty.unwrap()).unwrap(), misled)
}

#[test]
fn an_investigation_ends_at_the_drain_and_says_how_long_before_it_each_sign_stood() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), "main");
    let input = folder.path().join("halyard");
    let told: Value = serde_json::from_slice(&investigate(&input, "json")).unwrap();
    assert!(told.get("wallets").is_none(), "nothing is told apart");
    assert_eq!(told["dead_letters"], serde_json::json!([]));
    let incident = &told["incidents"][0];
    assert_eq!(incident["severity"], "critical");
    let story = &incident["wallets"][0];
    assert_eq!(story["wallet"], "cold");
    assert!(incident["wallets"].get(1).is_none());

    let (loss, misled) = truth(&input.join("wallets"));
    assert_eq!(time(&story["loss"]), loss);
    let labels = folder.path().join("labels.ndjson");
    let page = step_time(&labels, "S34", incident);
    let first = time(&incident["first_sign"]);
    let expected = [
        ("the first sign stood", first),
        ("its signers' page was changed", page),
        (
            "a signature for something other than was shown stood",
            misled,
        ),
    ];
    let narrative = incident["narrative"].as_array().unwrap();
    let ending = narrative.last().unwrap().as_str().unwrap();
    assert!(ending.starts_with("Money left cold at "), "{ending}");
    for (what, when) in expected {
        let seconds = loss.as_second() - when.as_second();
        let leads = story["before_loss"].as_array().unwrap().iter();
        let found: Vec<&Value> = leads.filter(|lead| lead["what"] == what).collect();
        assert_eq!(found.len(), 1, "{what}");
        assert_eq!(found[0]["seconds"], seconds, "{what}");
        let words = match seconds {
            ..3_600 => format!("{what} {} min before", seconds / 60),
            _ => format!("{what} {} before", hours(seconds)),
        };
        assert!(ending.contains(&words), "{words}: {ending}");
    }
    // The page was changed some two days before, and everything else on the chain is told.
    let before = loss.as_second() - page.as_second();
    assert!((40..54).contains(&(before / 3_600)), "{before}");
    let rules: Vec<&str> = story["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["rule"].as_str().unwrap())
        .collect();
    for rule in [
        "wallet.staged-contract",
        "signature-mismatch",
        "executed-differs-from-shown",
        "wallet.safe-delegatecall",
        "wallet.safe-implementation",
        "wallet.probe-then-drain",
        "wallet.outflow-burst",
        "wallet.fan-out",
    ] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
    let response = incident["response"][0]["title"].as_str().unwrap();
    assert!(response.starts_with("Freeze withdrawals"), "{response}");

    for format in ["terminal", "html"] {
        let text = String::from_utf8(investigate(&input, format)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = format!("page was changed {} before", hours(before));
        assert!(text.contains(&page), "{format}: {page}");
        assert!(text.contains("money left wallet cold"), "{format}");
    }
}

#[test]
fn ordinary_days_of_wallets_are_quiet() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), "none");
    let wallets = folder.path().join("halyard/wallets");
    let path = |name: &str| wallets.join(name).to_str().unwrap().to_owned();
    let policy = path("wallets.toml");
    let mut signatures = 0;
    for queue in ["queue-cold.json", "queue-warm.json"] {
        let output = portreeve(&[
            "wallet",
            "verify",
            &path(queue),
            "--policy",
            &policy,
            "--format",
            "json",
        ]);
        let verified = report(&output);
        assert_eq!(verified["verdict"], "clean", "{queue}");
        let signers = verified["signers"].as_array().unwrap();
        assert!(signers.iter().all(|signer| signer["matches"] == true));
        signatures += signers.len();
    }
    assert!(signatures > 25, "{signatures}");
    let watched = report(&portreeve(&[
        "wallet",
        "watch",
        "--policy",
        &policy,
        "--blocks",
        &path("blocks.ndjson"),
        "--format",
        "json",
    ]));
    let findings = watched["findings"].as_array().unwrap();
    // The ceremony that was announced: an owner goes, another comes.
    assert_eq!(findings.len(), 2, "{findings:?}");
    for finding in findings {
        assert_eq!(finding["rule"], "wallet.safe-configuration");
        assert_eq!(finding["announced"], true);
        assert_eq!(finding["severity"], "informational");
    }
    let told: Value =
        serde_json::from_slice(&investigate(&folder.path().join("halyard"), "json")).unwrap();
    assert!(told.get("wallets").is_none());
    for incident in told["incidents"].as_array().unwrap() {
        assert!(incident.get("wallets").is_none());
        let severity = incident["severity"].as_str().unwrap();
        assert!(!["high", "critical"].contains(&severity), "{incident}");
    }
}

/// Asks until an incident is as it is wanted, and gives it.
fn awaited(served: &Served, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let answer = served.get("/api/v1/incidents?limit=50");
        if answer.status == 200
            && let Ok(body) = serde_json::from_str::<Value>(&answer.body)
        {
            for listed in body["items"].as_array().into_iter().flatten() {
                let id = listed["id"].as_str().unwrap();
                let whole = served.get(&format!("/api/v1/incidents/{id}"));
                if let Ok(whole) = serde_json::from_str::<Value>(&whole.body)
                    && holds(&whole)
                {
                    return whole;
                }
            }
        }
        assert!(start.elapsed() < Duration::from_secs(900), "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn wallet_of(incident: &Value) -> &Value {
    &incident["wallets"][0]
}

#[test]
fn the_demo_unfolds_to_the_drain() {
    let served = Served::demo(&["--speed", "1000000", "--seed", "3"]);
    let drained = awaited(&served, "the demo ends at the drain", |incident| {
        let rules = wallet_of(incident)["events"].as_array();
        let mut rules = rules.into_iter().flatten().map(|event| &event["rule"]);
        rules.any(|rule| rule == "wallet.fan-out")
    });
    let story = wallet_of(&drained);
    assert_eq!(story["wallet"], "cold");
    assert!(story["loss"].is_string());
    let id = drained["id"].as_str().unwrap();
    let page = served.get(&format!("/incidents/{id}")).body;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for lead in story["before_loss"].as_array().unwrap() {
        let what = lead["what"].as_str().unwrap().replace('\'', "&#39;");
        let plain = what.replace("&#39;", "'");
        assert!(page.contains(&what) || page.contains(&plain), "{what}");
    }
    let changed = story["before_loss"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lead| lead["what"] == "its signers' page was changed")
        .expect("the page's change stood before the drain");
    let words = format!("{} before", hours(changed["seconds"].as_i64().unwrap()));
    assert!(page.contains(&words), "{words}");
}

#[test]
fn a_followed_folder_tells_of_wallets_as_their_files_come_and_grow() {
    let folder = tempfile::tempdir().unwrap();
    simulate(folder.path(), "main");
    let wallets = folder.path().join("halyard/wallets");
    let away = folder.path().join("wallets");
    fs::rename(&wallets, &away).unwrap();
    fs::rename(folder.path().join("halyard"), folder.path().join("logs")).unwrap();
    let wallets = folder.path().join("logs/wallets");
    fs::create_dir(&wallets).unwrap();
    let served = Served::new(folder, &[]);
    // The whole intrusion is known, and nothing of wallets.
    awaited(&served, "the intrusion", |incident| {
        incident["severity"] == "critical" && incident["wallets"].get(0).is_none()
    });
    let bring = |name: &str| fs::copy(away.join(name), wallets.join(name)).unwrap();
    bring("wallets.toml");
    bring("queue-cold.json");
    let warned = awaited(&served, "the queue", |incident| {
        wallet_of(incident)["wallet"] == "cold"
    });
    assert_eq!(wallet_of(&warned)["loss"], Value::Null);
    let blocks = fs::read(away.join("blocks.ndjson")).unwrap();
    // All but the drain; the last line is half there.
    let (loss, _) = truth(&away);
    let drain = String::from_utf8(blocks.clone()).unwrap();
    let stamp = format!("\"timestamp\":\"0x{:x}\"", loss.as_second());
    let until = drain.find(&stamp).expect("the drain has a block");
    fs::write(wallets.join("blocks.ndjson"), &blocks[..until]).unwrap();
    awaited(&served, "the takeover", |incident| {
        let rules = wallet_of(incident)["events"].as_array();
        let mut rules = rules.into_iter().flatten().map(|event| &event["rule"]);
        rules.any(|rule| rule == "wallet.safe-implementation")
            && wallet_of(incident)["loss"].is_null()
    });
    let mut file = fs::File::options()
        .append(true)
        .open(wallets.join("blocks.ndjson"))
        .unwrap();
    std::io::Write::write_all(&mut file, &blocks[until..]).unwrap();
    let drained = awaited(&served, "the drain", |incident| {
        wallet_of(incident)["loss"].is_string()
    });
    assert_eq!(time(&wallet_of(&drained)["loss"]), loss);
    // What is taken away again is not told of any more.
    fs::remove_file(wallets.join("wallets.toml")).unwrap();
    awaited(&served, "no policy", |incident| {
        incident["severity"] == "critical" && incident["wallets"].get(0).is_none()
    });
}
