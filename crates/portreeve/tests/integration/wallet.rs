//! What signers of a Safe were shown and what they signed, told by the program.

use crate::common::{portreeve, portreeve_with_input, said, shared};
use serde_json::{Value, json};

fn document(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(output)))
}

#[test]
fn the_theft_of_2025_02_21_is_told_at_its_first_confirmation() {
    let Some(case) = shared("data/bybit/safe_nonce_71.json") else {
        return;
    };
    let output = portreeve(&[
        "wallet",
        "verify",
        case.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(10));
    let found = document(&output);
    assert_eq!(found["verdict"], "critical");
    assert_eq!(found["first_sign"], "2025-02-21T05:42:40Z");
    // 8 h 30 min and 55 s.
    assert_eq!(found["lead_seconds"], 30_655);
    let checks = found["checks"].as_array().unwrap();
    let first = checks
        .iter()
        .find(|check| check["severity"] == "critical")
        .unwrap();
    assert_eq!(first["id"], "signature-mismatch");
    assert_eq!(first["time"], "2025-02-21T05:42:40Z");
    let case: Value = serde_json::from_slice(&std::fs::read(case).unwrap()).unwrap();
    for (transaction, key) in found["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["shown", "executed"])
    {
        assert_eq!(transaction["computed_hash"], case[key]["safeTxHash"]);
        assert_eq!(transaction["domain"], "Safe 1.0 to 1.2");
    }
    let executed = &case["executed"]["safeTxHash"];
    for (signer, confirmation) in found["signers"]
        .as_array()
        .unwrap()
        .iter()
        .zip(case["confirmations"].as_array().unwrap())
    {
        let owner = confirmation["owner"].as_str().unwrap().to_lowercase();
        assert_eq!(signer["owner"], owner.as_str());
        assert_eq!(signer["kind"], "eth_sign");
        assert_eq!(signer["matches"], false);
        assert_eq!(&signer["signed"], executed);
        assert!(
            signer["shown"]
                .as_str()
                .unwrap()
                .starts_with("send 30,000 ether to")
        );
        assert!(
            signer["signs"]
                .as_str()
                .unwrap()
                .contains("as the Safe itself (delegatecall)")
        );
        let good = found["transactions"][1]["signed_by"].as_array().unwrap();
        assert!(good.contains(&signer["owner"]));
    }
    let path = case_path();
    let text = portreeve(&["wallet", "verify", &path]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("8 h 30 min before 2025-02-21 14:13:35 UTC"),
        "{text}"
    );
    let page = portreeve(&["wallet", "verify", &path, "--format", "html"]);
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.contains("<svg") && page.contains("not as shown") && !page.contains("<script"));
}

fn case_path() -> String {
    shared("data/bybit/safe_nonce_71.json")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// A payment that nobody has confirmed yet, as the transaction service lists it.
fn listed() -> Value {
    json!({
        "safe": "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4",
        "to": "0x00000000000000000000000000000000000000aa",
        "value": "1000000000000000000", "data": null, "operation": 0, "nonce": 3,
        "confirmations": []
    })
}

#[test]
fn a_queue_on_standard_input_is_judged_before_anyone_signs() {
    let verify = |transaction: Value, more: &[&str]| {
        let safe = json!({"address": transaction["safe"], "version": "1.4.1"});
        let input = json!({"safe": safe, "transactions": [transaction]}).to_string();
        let arguments = [
            &["wallet", "verify", "-", "--chain", "1", "--format", "json"],
            more,
        ]
        .concat();
        portreeve_with_input(&arguments, input.as_bytes())
    };
    let quiet = verify(listed(), &[]);
    assert_eq!(quiet.status.code(), Some(0));
    assert_eq!(document(&quiet)["verdict"], "clean");
    let mut takeover = listed();
    takeover["operation"] = 1.into();
    let output = verify(takeover, &[]);
    assert_eq!(output.status.code(), Some(10));
    assert_eq!(document(&output)["verdict"], "critical");
    assert!(
        document(&output)["checks"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("delegatecall")
    );
}

#[test]
fn what_cannot_be_read_is_told_by_file_and_place() {
    let mut broken = listed();
    broken["to"] = "nowhere".into();
    let input = json!({"results": [broken, listed()]}).to_string();
    let output = portreeve_with_input(
        &["wallet", "verify", "-", "--format", "json"],
        input.as_bytes(),
    );
    assert!(
        said(&output).contains("-: transaction 0: `to` is no address"),
        "{}",
        said(&output)
    );
    assert_eq!(
        document(&output)["transactions"].as_array().unwrap().len(),
        1
    );
    let nothing = portreeve_with_input(&["wallet", "verify", "-"], b"[]");
    assert_eq!(nothing.status.code(), Some(3));
    assert!(said(&nothing).contains("no queue of a Safe"));
}

#[test]
fn a_file_that_is_missing_hides_none_beside_it() {
    let input = json!({"results": [listed()]}).to_string();
    let verify = |files: &[&str]| {
        let arguments = [&["wallet", "verify", "--format", "json"], files].concat();
        portreeve_with_input(&arguments, input.as_bytes())
    };
    let (alone, beside) = (verify(&["-"]), verify(&["no/such/queue", "-"]));
    assert!(said(&beside).contains("no/such/queue"), "{}", said(&beside));
    assert_eq!(document(&beside), document(&alone));
    // It may have held what is wrong.
    let clean = ["--fail-on", "critical"];
    assert_eq!(
        verify(&[&["-"], &clean[..]].concat()).status.code(),
        Some(0)
    );
    let missing = verify(&[&["no/such/queue", "-"], &clean[..]].concat());
    assert_eq!(missing.status.code(), Some(3));
}

const COLD: &str = "0xc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";
const STRANGER: &str = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
const PARTNER: &str = "0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1";

const POLICY: &str = r#"
[[wallet]]
name = "cold"
address = "0xc1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1"
role = "cold"
owners = ["0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"]
threshold = 1
implementation = "0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
recipients = ["0xb1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]
signing_key = "arn:aws:kms:eu-west-1:111122223333:key/0a1b"
"#;

fn word(address: &str) -> String {
    format!("0x{:0>64}", address.trim_start_matches("0x"))
}

/// A block in which `payments` of the cold wallet go out.
fn block(number: u64, implementation: &str, payments: &[(&str, u64)]) -> Value {
    let hash = |number: u64| format!("0x{number:064x}");
    let transactions: Vec<Value> = payments
        .iter()
        .enumerate()
        .map(|(place, (to, ether))| {
            json!({"hash": hash(number * 100 + place as u64), "from": COLD, "to": to, "nonce": "0x1",
                "value": format!("0x{:x}", u128::from(*ether) * 1_000_000_000_000_000_000), "input": "0x"})
        })
        .collect();
    let receipts: Vec<Value> = transactions
        .iter()
        .map(|transaction| json!({"transactionHash": transaction["hash"], "status": "0x1", "contractAddress": null, "logs": []}))
        .collect();
    json!({
        "chainId": "0x1",
        "block": {"number": format!("0x{number:x}"), "hash": hash(number), "parentHash": hash(number - 1),
            "timestamp": format!("0x{:x}", 1_767_225_600 + number * 12), "transactions": transactions},
        "receipts": receipts,
        "storage": {COLD: {"0x0": word(implementation)}},
        "balances": {COLD: {"native": format!("0x{:x}", 1_000u128 * 1_000_000_000_000_000_000)}},
    })
}

struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

fn watched(blocks: &[Value], more: &[&str]) -> std::process::Output {
    let lines: String = blocks.iter().map(|block| format!("{block}\n")).collect();
    let files = Written::new(&[
        ("wallets.toml", POLICY.to_owned()),
        ("blocks.ndjson", lines),
    ]);
    let (policy, blocks) = (files.path("wallets.toml"), files.path("blocks.ndjson"));
    portreeve(
        &[
            &["wallet", "watch", "--policy", &policy, "--blocks", &blocks],
            more,
        ]
        .concat(),
    )
}

#[test]
fn a_takeover_and_its_drain_are_told_in_their_blocks_with_what_to_do() {
    let blocks = [
        block(100, PARTNER, &[(PARTNER, 100)]),
        block(101, STRANGER, &[]),
        block(103, STRANGER, &[(STRANGER, 900)]),
    ];
    let output = watched(&blocks, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(10));
    let report = document(&output);
    let found: Vec<(&str, u64)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["block"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("wallet.safe-implementation", 101),
            ("wallet.outflow-burst", 103)
        ]
    );
    let commands: Vec<&str> = report["response"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["command"].as_str())
        .collect();
    assert_eq!(
        commands,
        ["aws kms disable-key --key-id arn:aws:kms:eu-west-1:111122223333:key/0a1b"]
    );
    assert_eq!(
        report["notices"][0],
        json!({"notice": "hole", "chain": 1, "from": 102, "until": 102})
    );
    let text = String::from_utf8(watched(&blocks, &[]).stdout).unwrap();
    assert!(
        text.contains("A Safe's implementation or guard was replaced")
            && text.contains("Bitcoin, Solana"),
        "{text}"
    );
    let page = String::from_utf8(watched(&blocks, &["--format", "html"]).stdout).unwrap();
    assert!(page.contains("<svg") && page.contains("wallet.outflow-burst"));
}

#[test]
fn quiet_blocks_are_clean_and_broken_lines_are_told() {
    let mut broken = block(101, PARTNER, &[]);
    broken["block"]["hash"] = "0x12".into();
    let output = watched(
        &[block(100, PARTNER, &[(PARTNER, 900)]), broken],
        &["--format", "json"],
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(
        said(&output).contains("blocks.ndjson, line 2: no recorded block"),
        "{}",
        said(&output)
    );
    assert_eq!(document(&output)["blocks"], 1);
}

/// A record of the key service; `minute` makes its ids.
fn signature(minute: u32) -> Value {
    let mut record = crate::common::record(
        minute,
        &format!("2026-01-01T10:{minute:02}:00Z"),
        "198.51.100.10",
    );
    record["eventSource"] = "kms.amazonaws.com".into();
    record["eventName"] = "Sign".into();
    record["requestID"] = format!("kms-{minute}").into();
    record["managementEvent"] = true.into();
    record["resources"] = json!([{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:eu-west-1:111122223333:key/0a1b"}]);
    record["requestParameters"] = json!({"keyId": "arn:aws:kms:eu-west-1:111122223333:key/0a1b", "signingAlgorithm": "ECDSA_SHA_256", "messageType": "DIGEST"});
    record
}

#[test]
fn a_signature_that_nobody_asked_for_is_told_from_those_of_requests() {
    // The public key of the private key 1, the curve's generator (SEC 2), as the service prints it.
    let point =
        "BHm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeYSDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj/sQ1Lg=";
    let keys = json!({"KeyId": "arn:aws:kms:eu-west-1:111122223333:key/0a1b", "PublicKey": point, "KeySpec": "ECC_SECG_P256K1"});
    let logs: String = (1..=3)
        .map(|minute| format!("{}\n", signature(minute * 10)))
        .collect();
    let requests = "request_id,key,approved_at,approvers,transaction,kms_request_id,signatures\n\
        a,arn:aws:kms:eu-west-1:111122223333:key/0a1b,2026-01-01T10:09:58Z,ann;bob,,kms-10,\n\
        b,arn:aws:kms:eu-west-1:111122223333:key/0a1b,2026-01-01T10:29:58Z,ann;bob,,,\n";
    let files = Written::new(&[
        ("keys.json", keys.to_string()),
        ("logs/log.json", logs),
        ("requests.csv", requests.to_owned()),
    ]);
    let (keys, logs, requests) = (
        files.path("keys.json"),
        files.path("logs"),
        files.path("requests.csv"),
    );
    let output = portreeve(&[
        "wallet",
        "ledger",
        &logs,
        "--keys",
        &keys,
        "--requests",
        &requests,
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let report = document(&output);
    assert_eq!(
        report["keys"][0]["address"],
        "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
    );
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["id"], "signed-off-the-books");
    assert_eq!(findings[0]["time"], "2026-01-01T10:20:00Z");
    assert_eq!(findings[0]["certainty"], "likely");
}
