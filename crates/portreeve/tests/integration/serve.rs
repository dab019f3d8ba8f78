//! The watch as a user runs it: killed at any instant, asked by whoever should not, told to end.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::served::Served;
use crate::common::{files_below, portreeve, said};
use portreeve_server::ROUTES;
use portreeve_store::{Role, Sqlite, Store};
use sha2::{Digest, Sha256};

/// How often the watch is killed; a soak sets more.
fn kills() -> u32 {
    let set = std::env::var("PORTREEVE_KILLS").ok();
    set.and_then(|number| number.parse().ok()).unwrap_or(20)
}

/// A simulated organisation with a part of its logs, so that an unoptimised build is done in time.
fn simulated(folder: &Path) -> PathBuf {
    let out = folder.join("halyard");
    let arguments = ["simulate", "--days", "18", "--max-records", "8000", "--out"];
    let mut arguments: Vec<&str> = arguments.to_vec();
    arguments.push(out.to_str().unwrap());
    let output = portreeve(&arguments);
    assert!(output.status.success(), "{}", said(&output));
    let mut logs = files_below(&out);
    logs.retain(|path| path.to_str().unwrap().ends_with(".json.gz"));
    for (number, path) in logs.iter().enumerate() {
        if number % 4 != 0 {
            std::fs::remove_file(path).unwrap();
        }
    }
    out
}

/// What is stored, byte for byte, and how many records the log holds.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    findings: BTreeMap<String, String>,
    incidents: BTreeMap<String, String>,
    records: u64,
}

fn outcome(data: &Path) -> Outcome {
    let store = Sqlite::open(&data.join("portreeve.db")).unwrap();
    let (mut findings, mut incidents) = (BTreeMap::new(), BTreeMap::new());
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    store
        .each_finding(&mut |id, body| drop(findings.insert(id.to_owned(), text(body))))
        .unwrap();
    store
        .each_incident(&mut |id, body| drop(incidents.insert(id.to_owned(), text(body))))
        .unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
    Outcome {
        findings,
        incidents,
        records: store.segments().unwrap().iter().map(|it| it.records).sum(),
    }
}

fn catch_up(logs: &Path, data: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args([
            "serve",
            "--catch-up",
            "--gather",
            "30",
            "--poll",
            "20",
            "--settle",
            "1",
        ])
        .arg("--data")
        .arg(data)
        .arg(logs)
        .env("PORTREEVE_DATA_DIR", data)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_instant_it_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let logs = simulated(folder.path());
    let undisturbed = folder.path().join("undisturbed");
    let start = Instant::now();
    assert!(catch_up(&logs, &undisturbed).wait().unwrap().success());
    let whole = start.elapsed();
    let expected = outcome(&undisturbed);
    assert!(expected.incidents.len() > 1 && expected.findings.len() > 10);

    let disturbed = folder.path().join("disturbed");
    let mut killed = 0;
    for number in 0..kills() {
        let mut child = catch_up(&logs, &disturbed);
        // Instants that differ with each run of the test, over all that an undisturbed run takes.
        let seed = format!("{number} {:?} {}", start.elapsed(), std::process::id());
        let dice = Sha256::digest(seed);
        let share = f64::from(u16::from_le_bytes([dice[0], dice[1]])) / f64::from(u16::MAX);
        std::thread::sleep(whole.mul_f64(share));
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(catch_up(&logs, &disturbed).wait().unwrap().success());
    let found = outcome(&disturbed);
    println!("killed {killed} of {} times while it worked", kills());
    assert!(killed * 4 >= kills(), "{killed} kills came in time");
    assert_eq!(
        found.records, expected.records,
        "no record is lost, none is taken twice"
    );
    assert!(
        found == expected,
        "the same findings and incidents, byte for byte"
    );
}

const RECORD: &str = r#"{"eventVersion":"1.09","eventSource":"sts.amazonaws.com","eventName":"GetCallerIdentity","eventTime":"2026-03-03T07:44:00Z","eventID":"a20c2df5-71d5-441e-84c8-b424f1c78ffb","awsRegion":"eu-west-1","userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}}"#;

#[test]
fn each_route_needs_its_role() {
    let folder = tempfile::tempdir().unwrap();
    let roles = [Role::Ingest, Role::Viewer, Role::Responder, Role::Admin];
    let tokens: Vec<(Role, String)> = roles
        .into_iter()
        .map(|role| {
            (
                role,
                Served::token(folder.path(), role.as_str(), role.as_str()),
            )
        })
        .collect();
    let served = Served::new(folder, &["--behind-proxy"]);
    let forged = format!("Bearer portreeve_{}", "0".repeat(64));
    for (number, route) in ROUTES.iter().enumerate() {
        let path = route.path.replace("{number}", "1");
        let path = ["{id}", "{finding}", "{name}"]
            .iter()
            .fold(path, |path, name| path.replace(name, "none"));
        // Each route from an address of its own, so that no rate bites.
        let from = format!("192.0.2.{number}");
        let ask = |authorization: Option<&str>| {
            let mut headers = vec![("X-Forwarded-For", from.as_str())];
            headers.extend(authorization.map(|value| ("Authorization", value)));
            if route.method != "GET" {
                headers.push(("Content-Type", "application/json"));
            }
            served.ask(route.method, &path, &headers, b"").status
        };
        let Some(needed) = route.role else {
            assert!(!matches!(ask(None), 401 | 403 | 303), "{route:?}");
            continue;
        };
        let is_page = route.method == "GET" && !path.starts_with("/api/");
        let unknown = if is_page { 303 } else { 401 };
        assert_eq!(ask(None), unknown, "{route:?} without a token");
        assert_eq!(ask(Some(&forged)), unknown, "{route:?} with a forged one");
        assert_eq!(
            ask(Some("Basic YTpi")),
            unknown,
            "{route:?} with another scheme"
        );
        for (role, token) in &tokens {
            let status = ask(Some(&format!("Bearer {token}")));
            if role.may(needed) {
                assert!(
                    !matches!(status, 0 | 303 | 401 | 403 | 500),
                    "{route:?} for {role}: {status}"
                );
            } else {
                assert_eq!(status, 403, "{route:?} for {role}");
            }
        }
    }
    // What was refused is in the audit log, and no token is anywhere.
    let admin = format!("Bearer {}", tokens[3].1);
    let log = served
        .ask("GET", "/api/v1/audit", &[("Authorization", &admin)], b"")
        .body;
    assert!(
        log.contains("denied") && log.contains("token added"),
        "{log}"
    );
    let database = std::fs::read(served.folder.path().join("data/portreeve.db")).unwrap();
    for (_, token) in &tokens {
        assert!(!log.contains(token.as_str()));
        assert!(memchr::memmem::find(&database, token.as_bytes()).is_none());
    }
    // A cookie from the login is as good as the token; a wrong one is not.
    let body = format!("token={}", tokens[1].1);
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Forwarded-For", "198.51.100.9"),
    ];
    let login = served.ask("POST", "/login", &form, body.as_bytes());
    assert_eq!(login.status, 303);
    assert!(
        login.head.contains("httponly; samesite=strict"),
        "{}",
        login.head
    );
    let cookie = format!("__Host-portreeve={}", tokens[1].1);
    assert_eq!(
        served.ask("GET", "/", &[("Cookie", &cookie)], b"").status,
        200
    );
    assert_eq!(
        served.ask("POST", "/login", &form, b"token=wrong").status,
        401
    );
    // Whoever guesses on is no longer listened to; others are.
    let statuses: Vec<u16> = (0..15)
        .map(|_| served.ask("POST", "/login", &form, b"token=wrong").status)
        .collect();
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(
        served.ask("GET", "/", &[("Cookie", &cookie)], b"").status,
        200
    );
}

#[test]
fn on_loopback_it_answers_its_own_pages_and_bad_requests_as_they_deserve() {
    let served = Served::new(tempfile::tempdir().unwrap(), &[]);
    for path in [
        "/",
        "/estate",
        "/keys",
        "/doors",
        "/wallets",
        "/posture",
        "/coverage",
        "/hunt",
    ] {
        let page = served.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.head
                .contains("content-security-policy: default-src 'none'; script-src 'self'")
        );
        assert!(page.body.contains("<main"), "{path}");
    }
    assert_eq!(served.get("/readyz").status, 200);
    assert_eq!(served.get("/nothing").status, 404);
    assert_eq!(served.get("/incidents/none").status, 404);
    assert_eq!(served.get("/incidents/none/plan").status, 404);
    assert_eq!(served.get("/records?file=none&index=0").status, 404);
    assert_eq!(served.get("/records?index=0").status, 400);
    assert_eq!(served.get("/posture?failures=all").status, 400);
    assert_eq!(served.get("/assets/none.js").status, 404);
    assert_eq!(served.get("/api/v1/incidents?severity=worst").status, 400);
    assert_eq!(served.get("/api/v1/incidents?limit=0").status, 400);
    assert_eq!(served.get("/api/v1/incidents?unknown=1").status, 400);
    // Whatever a program asks wrongly is told as a problem (RFC 9457); what a person does, as a page.
    let bad = [
        ("GET", "/api/v1/incidents?unknown=1", 400),
        ("GET", "/api/v1/incidents?after=none", 400),
        ("GET", "/api/v1/incidents/%FF", 400),
        ("GET", "/api/v1/incidents/none/stix", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/incidents", 405),
        ("POST", "/api/v1/incidents/none/notes", 415),
    ];
    for (method, path, status) in bad {
        let refused = served.ask(method, path, &[], b"");
        assert_eq!(refused.status, status, "{method} {path}");
        assert!(
            refused
                .head
                .contains("content-type: application/problem+json"),
            "{path}"
        );
        let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(problem["status"], status, "{path}");
        assert!(
            problem["detail"].as_str().is_some_and(|it| !it.is_empty()),
            "{path}"
        );
    }
    for (method, path, status) in [
        ("GET", "/incidents/%FF", 400),
        ("GET", "/?after=none", 400),
        ("GET", "/hunt?before=x", 400),
        ("DELETE", "/", 405),
    ] {
        let refused = served.ask(method, path, &[], b"");
        assert_eq!(refused.status, status, "{method} {path}");
        assert!(refused.head.contains("content-type: text/html"), "{path}");
        assert!(refused.body.contains("<main"), "{path}");
    }
    // A page elsewhere whose name leads here, and one that has a browser send a form.
    assert_eq!(
        served
            .ask("GET", "/", &[("Host", "evil.example")], b"")
            .status,
        421
    );
    let json = ("Content-Type", "application/json");
    let cross = [json, ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/incidents/none/notes",
                &cross,
                b"{\"words\":\"x\"}"
            )
            .status,
        403
    );
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/incidents/none/notes",
                &[json],
                b"{\"words\":\"x\"}"
            )
            .status,
        404
    );
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/incidents/none/notes",
                &[json],
                b"{\"words\":"
            )
            .status,
        400
    );
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/incidents/none/notes",
                &[json],
                &vec![b' '; 100_000]
            )
            .status,
        413
    );

    // Records are taken once they are stored, and once only.
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let taken = served.ask("POST", "/api/v1/records", &[], RECORD.as_bytes());
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert!(taken.body.contains("\"records\":1"), "{}", taken.body);
    let encoded = [("Content-Encoding", "gzip")];
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/records",
                &encoded,
                &gzip(RECORD.as_bytes())
            )
            .status,
        200
    );
    assert_eq!(
        served
            .ask("POST", "/api/v1/records", &encoded, RECORD.as_bytes())
            .status,
        400
    );
    assert_eq!(
        served
            .ask(
                "POST",
                "/api/v1/records",
                &[("Content-Encoding", "br")],
                b"x"
            )
            .status,
        415
    );
    assert_eq!(
        served.ask("POST", "/api/v1/records", &[], b"hello").status,
        400
    );
    let bomb = gzip(&vec![b' '; 140 << 20]);
    assert_eq!(
        served
            .ask("POST", "/api/v1/records", &encoded, &bomb)
            .status,
        413
    );
    // It is found again as it arrived, by a hunt and by the part of the log that holds it.
    let found = served.get("/hunt?fields=eventName%3DGetCaller*");
    assert_eq!(found.status, 200);
    assert!(
        found.body.contains("/records?segment=1&amp;index=0"),
        "{}",
        found.body
    );
    let raw = served.get("/records?segment=1&index=0");
    assert!(raw.body.contains("a20c2df5-71d5-441e-84c8-b424f1c78ffb"));
    let wrong = served.get("/hunt?fields=eventName");
    assert!(wrong.body.contains("role=\"alert\""), "{}", wrong.body);
    let coverage: serde_json::Value =
        serde_json::from_str(&served.get("/api/v1/coverage").body).unwrap();
    assert_eq!(coverage["coverage"][0]["records"], 1);
    assert_eq!(coverage["coverage"][0]["duplicates"], 1);
    assert!(
        served
            .get("/metrics")
            .body
            .contains("portreeve_records_total 2")
    );
    // What is known already is not sent again.
    let first = served.get("/api/v1/coverage");
    let tag = first
        .head
        .split("etag: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        served
            .ask("GET", "/api/v1/coverage", &[("If-None-Match", &tag)], b"")
            .status,
        304
    );
}

#[test]
fn who_dawdles_is_not_waited_for() {
    let watch = Served::new(tempfile::tempdir().unwrap(), &[]);
    let send = |text: &str| {
        let mut stream = TcpStream::connect(watch.address).unwrap();
        let patience = Duration::from_secs(60);
        stream.set_read_timeout(Some(patience)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    // A head that never ends, and bodies of which half comes, of records and of forms.
    let mut head = send("GET / HTTP/1.1\r\nHost: local");
    let bodies = ["/api/v1/records", "/login", "/incidents/none/notes"].map(|path| {
        send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\nContent-Type: \
             application/x-www-form-urlencoded\r\n\r\nhalf",
            watch.address
        ))
    });
    let start = Instant::now();
    for mut body in bodies {
        let mut buffer = [0; 1_024];
        let count = body.read(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..count]);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    let mut rest = Vec::new();
    // Closed, with or without a word.
    let _ = head.read_to_end(&mut rest);
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(40), "{waited:?}");
    println!("told after {waited:?}");
    assert_eq!(watch.get("/healthz").status, 200);
}

#[test]
fn away_from_loopback_it_does_not_start_without_tokens_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let input = folder.path().to_str().unwrap();
    let start = |more: &[&str]| {
        let mut arguments = vec!["serve", input, "--data", data, "--listen", "0.0.0.0:0"];
        arguments.extend(more);
        let output = portreeve(&arguments);
        (output.status.code(), said(&output))
    };
    let (code, words) = start(&[]);
    assert_eq!(code, Some(2));
    assert!(words.contains("portreeve token add"), "{words}");
    Served::token(folder.path(), "soc", "viewer");
    let (code, words) = start(&[]);
    assert_eq!(code, Some(2));
    assert!(words.contains("--behind-proxy"), "{words}");
}

#[test]
fn the_doctor_tells_sound_from_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("a.ndjson"), format!("{RECORD}\n").repeat(50)).unwrap();
    let data = folder.path().join("data");
    assert!(catch_up(&logs, &data).wait().unwrap().success());
    let text = data.to_str().unwrap();
    let doctor = || {
        let output = portreeve(&["doctor", "--data", text]);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, words) = doctor();
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("event log  sound, 50 records"), "{words}");
    let copy = folder.path().join("copy.db");
    let backup = ["doctor", "--data", text, "--backup", copy.to_str().unwrap()];
    assert!(portreeve(&backup).status.success());
    assert!(Sqlite::open(&copy).unwrap().check().unwrap().is_empty());
    assert!(
        !portreeve(&backup).status.success(),
        "a backup replaces nothing"
    );
    let segment = data.join("log/00000001.ndjson.zst");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&segment, bytes).unwrap();
    let (code, words) = doctor();
    assert_eq!(code, Some(1));
    assert!(words.contains("event log  DAMAGED"), "{words}");
}
