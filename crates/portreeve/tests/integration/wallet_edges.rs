//! From the estate to the wallet: what `simulate` writes of the hot wallet's key leads `paths`, `blast`, `cut` and the
//! watch's pages on to the wallet.

use std::path::Path;

use crate::common::served::Served;
use crate::common::{portreeve, report, said};
use serde_json::Value;

/// A simulated organisation with its wallets: the folder and the hot wallet's address.
fn simulated(folder: &Path) -> (String, String) {
    let out = folder.join("logs").to_str().unwrap().to_owned();
    let output = portreeve(&[
        "simulate",
        "--days",
        "18",
        "--max-records",
        "6000",
        "--out",
        &out,
    ]);
    assert!(output.status.success(), "{}", said(&output));
    let policy = std::fs::read_to_string(Path::new(&out).join("wallets/wallets.toml")).unwrap();
    let (_, hot) = policy.split_once("name = \"hot\"\naddress = \"").unwrap();
    let address = hot.split('"').next().unwrap().to_owned();
    (out, address)
}

fn json(arguments: &[&str]) -> Value {
    report(&portreeve(&[arguments, &["--format", "json"]].concat()))
}

#[test]
fn ways_go_on_from_the_key_to_the_wallet() {
    let folder = tempfile::tempdir().unwrap();
    let (out, address) = simulated(folder.path());
    let id = format!("eip155:0:{address}");
    let estate = format!("{out}/estate");
    let policy = format!("{out}/wallets/wallets.toml");

    let told = json(&["paths", "--to", &address, &estate, &policy]);
    let paths = told["paths"].as_array().unwrap();
    assert!(!paths.is_empty());
    for path in paths {
        assert_eq!(path["to"], id);
        let last = path["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(last["via"], "signs-for");
        assert_eq!(last["title"], "Sign for the wallet hot");
    }
    let jewels = told["jewels"].as_array().unwrap();
    let kind = |name: &str| jewels.iter().filter(|it| it["kind"] == name).count();
    let counts = ["hot-wallet", "warm-wallet", "cold-wallet"].map(kind);
    assert_eq!(counts, [1, 1, 1]);

    // The public key alone tells the address; the policy, its name.
    let told = json(&["paths", "--to", &address, &estate]);
    let jewels = told["jewels"].as_array().unwrap();
    assert!(
        jewels
            .iter()
            .any(|it| it["id"] == id && it["kind"] == "hot-wallet")
    );

    let from = paths[0]["from"].as_str().unwrap();
    let blast = json(&["blast", from, &estate, &policy]);
    assert!(blast.to_string().contains(&id));
    let cut = json(&["cut", "--from", from, "--to", &address, &estate, &policy]);
    assert_eq!(
        (&cut["proven"], &cut["minimal"]),
        (&true.into(), &true.into())
    );
}

#[test]
fn the_watch_lists_wallets_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let (_, address) = simulated(folder.path());
    let served = Served::new(folder, &[]);
    served.wait_until_ready();
    let list = |query: &str| -> Value {
        let answer = served.get(&format!("/api/v1/wallets{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let all = list("");
    let items = all["items"].as_array().unwrap();
    assert_eq!((items.len(), &all["total"]), (3, &3.into()));
    let hot = items.iter().find(|it| it["role"] == "hot").unwrap();
    assert_eq!(
        (&hot["address"], &hot["name"]),
        (&address.clone().into(), &"hot".into())
    );
    assert!(hot["keys"][0].as_str().unwrap().contains(":kms:"));
    assert!(hot["reached_by"].as_u64().unwrap() > 0);
    let cold = items.iter().find(|it| it["role"] == "cold").unwrap();
    assert_eq!(
        (&cold["owners"], &cold["threshold"]),
        (&5.into(), &3.into())
    );

    // Page by page it is the same list.
    let mut read = Vec::new();
    let mut query = "?limit=1".to_owned();
    loop {
        let page = list(&query);
        read.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=1&after={next}"),
            None => break,
        }
    }
    assert_eq!(&read, items);

    let page = served.get("/wallets");
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&address) && page.body.contains("3 of 5 owners"));
    // The search of the estate knows the address.
    let one = served.get(&format!("/estate?q={address}"));
    assert!(one.body.contains("Who reaches it") && !one.body.contains("Nobody was found"));
}
