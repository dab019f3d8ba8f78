//! What signers of a Safe were shown and what they signed, told by the program.

mod common;

use common::{portreeve, portreeve_with_input, said, shared};
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
