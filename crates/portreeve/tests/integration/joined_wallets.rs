//! `investigate` with a wallet policy and recorded blocks among its input: what happened to a wallet
//! hangs on the intrusion that wrote to the page its signers use.

use std::fs;
use std::path::Path;

use crate::common::{portreeve, report, said};
use portreeve_model::Timestamp;
use serde_json::{Value, json};

const COLD: &str = "0x1111111111111111111111111111111111111111";
const THIEF: &str = "0x9999999999999999999999999999999999999999";
const MILLE: u128 = 1_000 * 1_000_000_000_000_000_000;

fn simulate(folder: &Path) {
    let output = portreeve(&[
        "simulate",
        "--seed",
        "3",
        "--max-records",
        "15000",
        "--without",
        "wallets",
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", said(&output));
}

fn investigate(folder: &Path) -> Value {
    report(&portreeve(&[
        "investigate",
        folder.to_str().unwrap(),
        "--format",
        "json",
    ]))
}

/// A bucket behind a page that the intruder wrote to, and when he did last.
fn written_page(told: &Value) -> (String, Timestamp) {
    let incident = &told["incidents"][0];
    let bucket = incident["touched"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["written"] == true && it["jewel"].is_string())
        .find_map(|it| {
            let (bucket, _) = it["resource"].as_str()?.split_once('/')?;
            bucket
                .starts_with("arn:aws:s3:::")
                .then(|| bucket.to_owned())
        })
        .expect("the intrusion writes to the page");
    let last = incident["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "s3:PutObject" && entry["role"] != "quiet")
        .filter(|entry| {
            let mut targets = entry["targets"].as_array().unwrap().iter();
            targets.any(|target| target.as_str().unwrap().starts_with(&bucket))
        })
        .filter_map(|entry| entry["time"].as_str()?.parse().ok())
        .max()
        .expect("with a time");
    (bucket, last)
}

fn hash(number: u64) -> String {
    format!("0x{number:064x}")
}

fn block(number: u64, seconds: i64, transactions: Value, balance: u128) -> String {
    let receipts: Vec<Value> = transactions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!({"transactionHash": one["hash"], "status": "0x1", "contractAddress": null, "logs": []}))
        .collect();
    let line = json!({
        "chainId": "0x1",
        "block": {"number": format!("0x{number:x}"), "hash": hash(number), "parentHash": hash(number - 1),
            "timestamp": format!("0x{seconds:x}"), "transactions": transactions},
        "receipts": receipts,
        "balances": {COLD: {"native": format!("0x{balance:x}")}},
    });
    format!("{line}\n")
}

/// A wallet that loses nine tenths of what it holds, at a time.
fn drained(at: Timestamp) -> String {
    let at = at.as_second();
    let spend = json!([{"hash": hash(77), "from": COLD, "to": THIEF, "nonce": "0x1",
        "value": format!("0x{:x}", MILLE / 10 * 9), "input": "0x"}]);
    [
        block(1, at - 12, json!([]), MILLE),
        block(2, at, spend, MILLE / 10),
    ]
    .concat()
}

fn policy(page: &str) -> String {
    format!(
        "# Wallets of the organisation\n[[wallet]]\nname = \"treasury\"\naddress = \"{COLD}\"\nrole = \"cold\"\npage = \"{page}\"\n"
    )
}

#[test]
fn a_drain_hangs_on_the_intrusion_that_changed_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("organisation");
    simulate(&input);
    let alone = investigate(&input);
    assert!(alone["incidents"][0].get("wallets").is_none());
    let (bucket, written) = written_page(&alone);

    let loss = Timestamp::from_second(written.as_second() + 8 * 3_600 + 1_800).unwrap();
    fs::write(input.join("wallets.toml"), policy(&bucket)).unwrap();
    fs::write(input.join("blocks.ndjson"), drained(loss)).unwrap();
    let told = investigate(&input);
    let incident = &told["incidents"][0];
    assert_eq!(incident["id"], alone["incidents"][0]["id"]);
    let story = &incident["wallets"][0];
    assert_eq!(story["wallet"], "treasury");
    assert_eq!(story["ties"][0]["kind"], "page");
    assert_eq!(story["ties"][0]["certainty"], "likely");
    assert_eq!(story["loss"], loss.to_string());
    let lead = story["before_loss"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lead| lead["what"] == "its signers' page was changed")
        .expect("the page's change is told before the loss");
    assert_eq!(lead["seconds"], 8 * 3_600 + 1_800);
    assert_eq!(incident["severity"], "critical");
    let headline = incident["headline"].as_str().unwrap();
    assert!(
        headline.contains("money left wallet treasury"),
        "{headline}"
    );
    let narrative = incident["narrative"].to_string();
    assert!(
        narrative.contains("its signers' page was changed 8 h 30 min before"),
        "{narrative}"
    );
    let first = incident["response"][0]["title"].as_str().unwrap();
    assert!(
        first.starts_with("Freeze withdrawals from treasury"),
        "{first}"
    );
    assert!(told.get("wallets").is_none());

    // Of another page, or long after, it is told apart.
    for (page, loss) in [
        ("https://elsewhere.example", loss),
        (
            bucket.as_str(),
            Timestamp::from_second(written.as_second() + 90 * 86_400).unwrap(),
        ),
    ] {
        fs::write(input.join("wallets.toml"), policy(page)).unwrap();
        fs::write(input.join("blocks.ndjson"), drained(loss)).unwrap();
        let told = investigate(&input);
        assert!(told["incidents"][0].get("wallets").is_none(), "{page}");
        assert_eq!(told["wallets"][0]["wallet"], "treasury");
        assert_eq!(told["wallets"][0]["ties"], json!([]));
    }

    // Without a policy nobody knows whose wallet it is.
    fs::remove_file(input.join("wallets.toml")).unwrap();
    let told = investigate(&input);
    assert!(told.get("wallets").is_none());
    assert!(told["notes"].to_string().contains("no wallet policy"));
}
