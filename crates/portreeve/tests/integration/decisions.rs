//! People say which incidents are one and what is not of one; the watch shows that, keeps it, and forgets nothing
//! when it is undone.

use crate::common::served::{Answer, Served};
use crate::common::simulated;
use serde_json::{Value, json};

fn post(served: &Served, path: &str, body: &Value) -> Answer {
    let json = ("Content-Type", "application/json");
    served.ask("POST", path, &[json], body.to_string().as_bytes())
}

fn read(served: &Served, path: &str) -> Value {
    let answer = served.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn ids(served: &Served) -> Vec<String> {
    let list = read(served, "/api/v1/incidents?limit=1000");
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn incidents_are_joined_parted_and_as_before_when_that_is_undone() {
    let served = Served::new(simulated(), &[]);
    served.wait_until_caught_up();
    let before = ids(&served);
    assert!(before.len() > 1, "{before:?}");
    let of = |id: &str| format!("/api/v1/incidents/{id}");
    let (a, b) = (&before[0], &before[1]);
    let bytes: Vec<String> = before.iter().map(|id| served.get(&of(id)).body).collect();
    let pages = |served: &Served| {
        ["/plan.txt"].map(|page| served.get(&format!("/incidents/{a}{page}")).body)
    };
    let drawn = pages(&served);
    let exported = served.get(&format!("{}/stix", of(a))).body;

    // Two are one: both ids lead there, whichever is told it.
    let decisions = format!("{}/decisions", of(b));
    let taken = post(&served, &decisions, &json!({"kind": "join", "what": a}));
    assert_eq!(taken.status, 201, "{}", taken.body);
    // The same said again changes nothing, whichever of them is told it.
    let again = post(
        &served,
        &format!("{}/decisions", of(a)),
        &json!({"kind": "join", "what": b}),
    );
    assert_eq!(again.status, 409, "{}", again.body);
    let one = read(&served, &of(a));
    assert_eq!(one["id"], read(&served, &of(b))["id"]);
    assert_eq!(ids(&served).len(), before.len() - 1);
    let (first, second): (Value, Value) = (
        serde_json::from_str(&bytes[0]).unwrap(),
        serde_json::from_str(&bytes[1]).unwrap(),
    );
    assert_eq!(
        one["score"].as_u64(),
        first["score"].as_u64().max(second["score"].as_u64())
    );
    for part in [&first, &second] {
        for finding in texts(&part["findings"]) {
            assert!(texts(&one["findings"]).contains(&finding));
        }
        let stix = served.get(&format!("{}/stix", of(b))).body;
        let report = served.get(&format!("/incidents/{b}/report.html")).body;
        for credential in texts(&part["credentials"]) {
            assert!(
                stix.contains(&credential) || report.contains(&credential),
                "{credential}"
            );
        }
    }
    // What is written then is of both.
    let note = post(
        &served,
        &format!("{}/notes", of(b)),
        &json!({"words": "one hand"}),
    );
    assert_eq!(note.status, 201);
    let page = served.get(&format!("/incidents/{b}/decisions"));
    assert!(
        page.body.contains("are one") && page.body.contains("Undo"),
        "{}",
        page.body
    );

    // A part is not of it. Where it is nothing, or all, that is said.
    let nothing = json!({"kind": "part", "what": "credential:AKIANOBODYHASTHIS"});
    assert_eq!(post(&served, &decisions, &nothing).status, 409);
    assert_eq!(
        post(&served, &decisions, &json!({"kind": "part", "what": "x"})).status,
        404
    );
    assert_eq!(
        post(
            &served,
            &decisions,
            &json!({"kind": "join", "what": "none"})
        )
        .status,
        404
    );
    let finding = texts(&one["findings"]).pop().unwrap();
    // By the form of the page, without a script.
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let body = format!("kind=part&what=finding:{finding}");
    let sent = served.ask(
        "POST",
        &format!("/incidents/{a}/decisions"),
        &[form],
        body.as_bytes(),
    );
    assert_eq!(sent.status, 303, "{}", sent.body);
    let parted = read(&served, &of(a));
    assert!(!texts(&parted["findings"]).contains(&finding));
    let part = texts(&parted["by_people"]["without"]).pop().unwrap();
    assert_eq!(texts(&read(&served, &of(&part))["findings"]), [finding]);
    assert_eq!(ids(&served).len(), before.len());

    // All of it outlives the process.
    let shown = served.get(&of(a)).body;
    let served = Served::new(served.end(), &[]);
    served.wait_until_caught_up();
    assert_eq!(served.get(&of(a)).body, shown);

    // Undone, everything is as it was: the same bytes, but for the note.
    let list = read(&served, &format!("{}/decisions", of(a)));
    for decision in list.as_array().unwrap() {
        let path = format!("{}/decisions/{}", of(a), decision["number"]);
        assert_eq!(decision["holds"], true);
        let method = if decision["kind"] == "join" {
            "DELETE"
        } else {
            "POST"
        };
        let undone = match method {
            "DELETE" => served.ask("DELETE", &path, &[], b"").status,
            _ => {
                let path = path.replace("/api/v1", "") + "/undo";
                served.ask("POST", &path, &[form], b"").status
            }
        };
        assert!(matches!(undone, 204 | 303), "{undone}");
        assert_eq!(served.ask("DELETE", &path, &[], b"").status, 404);
    }
    assert_eq!(ids(&served), before);
    for (id, bytes) in before.iter().zip(&bytes) {
        if id != one["id"].as_str().unwrap() {
            assert_eq!(&served.get(&of(id)).body, bytes);
            continue;
        }
        let mut now = read(&served, &of(id));
        assert_eq!(now["notes"].as_array().unwrap().len(), 1);
        now["notes"] = json!([]);
        assert_eq!(now, serde_json::from_str::<Value>(bytes).unwrap(), "{id}");
    }
    assert_eq!(served.get(&format!("{}/stix", of(a))).body, exported);
    assert_eq!(pages(&served), drawn);
    // The part's id leads to what it was a part of; who did what is known.
    assert_eq!(read(&served, &of(&part))["id"], one["id"]);
    let list = read(&served, &format!("{}/decisions", of(a)));
    assert_eq!(list[0]["undone_by"], "loopback");
    let audit = served.get("/api/v1/audit").body;
    for did in ["\"join\"", "\"part\"", "\"undo\""] {
        assert!(audit.contains(did), "{did}: {audit}");
    }
}
