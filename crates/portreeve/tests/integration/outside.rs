//! The watch and what is outside of it: receivers of messages, buckets and queues. Servers are played by a few
//! lines that answer as the real ones do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request as a played server hears it.
#[derive(Clone, Debug)]
struct Heard {
    method: String,
    target: String,
    head: String,
    body: String,
}

/// A server that is played.
struct Played {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Played {
    /// `answer` gives a status and a body to each request.
    fn new(answer: impl Fn(&Heard) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (heard.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, answer) = (kept.clone(), answer.clone());
                std::thread::spawn(move || {
                    let Some(request) = hear(&stream) else { return };
                    let (status, body) = answer(&request);
                    kept.lock().unwrap().push(request);
                    let head = format!(
                        "HTTP/1.1 {status} Played\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let mut stream = &stream;
                    // Who asked may be gone.
                    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
                });
            }
        });
        Self { address, heard }
    }

    fn heard(&self, wanted: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|it| wanted(it)).cloned().collect()
    }
}

fn hear(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    Some(Heard {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        head: lower,
    })
}

/// A watch that runs until it is dropped.
struct Watch {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
}

impl Watch {
    fn new(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .args(["serve", "--listen", "127.0.0.1:0", "--poll", "50"])
            .args(["--log-format", "json", "--data"])
            .arg(data)
            .args(arguments)
            .env("PORTREEVE_DATA_DIR", data)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let address = lines
            .by_ref()
            .find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(&line).ok()?;
                line["address"].as_str()?.parse().ok()
            })
            .expect("it says where it listens");
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = said.clone();
        std::thread::spawn(move || lines.for_each(|line| kept.lock().unwrap().push(line)));
        Self {
            child,
            address,
            said,
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn wait(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What an intruder with a stolen session leaves, as lines.
fn intrusion() -> String {
    let lines: Vec<String> = [
        crate::common::record(1, "2026-03-03T07:02:00Z", "198.51.100.10"),
        crate::common::record(2, "2026-03-03T07:03:00Z", "198.51.100.10"),
        crate::common::enrolment(3, "2026-03-03T09:00:00Z"),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    lines.join("\n") + "\n"
}

#[cfg(feature = "notify")]
#[test]
fn others_are_told_of_an_incident_once_even_if_they_were_away() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("audit.ndjson"), intrusion()).unwrap();
    let calls = Mutex::new(0);
    let receiver = Played::new(move |_| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        // Away the first time.
        (if *calls == 1 { 503 } else { 200 }, Vec::new())
    });
    let slack = format!("slack=http://{}/hooks/secret", receiver.address);
    let ocsf = format!("ocsf=http://{}/ocsf", receiver.address);
    let arguments = [
        logs.to_str().unwrap(),
        "--notify",
        &slack,
        "--notify",
        &ocsf,
        "--page",
        "https://watch.example",
    ];
    let environment = [("PORTREEVE_SERVE_NOTIFY_FROM", "low")];
    let data = folder.path().join("data");
    let watch = Watch::new(&data, &arguments, &environment);
    let to = |path: &str| receiver.heard(|it| it.method == "POST" && it.target == path);
    wait("both are told", || {
        to("/hooks/secret").len() + to("/ocsf").len() >= 3
    });
    let told = to("/hooks/secret").pop().unwrap();
    let message: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    let words = message["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        words.contains("https://watch.example/incidents/"),
        "{words}"
    );
    let findings: serde_json::Value =
        serde_json::from_str(&to("/ocsf").pop().unwrap().body).unwrap();
    assert_eq!(findings[0]["class_uid"], 2005);
    assert_eq!(findings[1]["class_uid"], 2004);
    wait("it says that one was away", || {
        let said = watch.said.lock().unwrap();
        said.iter().any(|line| line.contains("is not reached"))
    });
    let said = watch.said.lock().unwrap().join("\n");
    assert!(!said.contains("secret"), "{said}");
    // Begun again it tells nothing anew.
    drop(watch);
    let before = receiver.heard(|_| true).len();
    let again = Watch::new(&data, &arguments, &environment);
    std::thread::sleep(Duration::from_secs(2));
    assert!(again.get("/readyz").starts_with("HTTP/1.1 200 "));
    assert_eq!(receiver.heard(|_| true).len(), before);
}

#[cfg(feature = "aws")]
#[test]
fn a_bucket_is_followed_by_listing_and_by_its_queue() {
    use std::sync::atomic::{AtomicU32, Ordering};

    let first =
        crate::common::record(1, "2026-03-03T07:02:00Z", "198.51.100.10").to_string() + "\n";
    let second =
        crate::common::record(2, "2026-03-03T07:03:00Z", "198.51.100.10").to_string() + "\n";
    let (lists, told) = (AtomicU32::new(0), AtomicU32::new(0));
    let aws = Played::new(move |request| {
        let text = |status, text: &str| (status, text.as_bytes().to_vec());
        if request.method == "POST" {
            let is_new =
                request.head.contains("receivemessage") && told.fetch_add(1, Ordering::SeqCst) == 0;
            if !is_new {
                std::thread::sleep(Duration::from_millis(100));
                return text(200, "{}");
            }
            let body = serde_json::json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": {
                "bucket": {"name": "trail"},
                "object": {"key": "AWSLogs/b+b.ndjson", "size": 7, "eTag": "e2"}}}]});
            let message = serde_json::json!({"Messages": [
                {"ReceiptHandle": "r1", "Body": body.to_string()}]});
            return text(200, &message.to_string());
        }
        match request.target.as_str() {
            target if target.starts_with("/trail?list-type=2") => {
                // The bucket is gone for a moment, then there.
                if lists.fetch_add(1, Ordering::SeqCst) == 0 {
                    return text(404, "<Error><Code>NoSuchBucket</Code></Error>");
                }
                let object = "<Contents><Key>AWSLogs/a.ndjson</Key><Size>7</Size><ETag>\"e1\"</ETag></Contents>";
                let objects = if target.contains("start-after") {
                    ""
                } else {
                    object
                };
                text(
                    200,
                    &format!("<ListBucketResult>{objects}</ListBucketResult>"),
                )
            }
            "/trail/AWSLogs/a.ndjson" => text(200, &first),
            "/trail/AWSLogs/b%20b.ndjson" => text(200, &second),
            _ => text(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", aws.address);
    let queue = format!("{endpoint}/111122223333/trail");
    let arguments = [
        "s3://trail/AWSLogs/",
        "--queue",
        &queue,
        "--bucket-every",
        "1",
    ];
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let data = folder.path().join("data");
    let watch = Watch::new(&data, &arguments, &environment);
    wait("both objects are taken in", || {
        watch
            .get("/metrics")
            .contains("portreeve_records_total 2\n")
    });
    let deleted = || aws.heard(|it| it.head.contains("deletemessage") && it.body.contains("r1"));
    wait("the message is taken off once it is committed", || {
        !deleted().is_empty()
    });
    assert!(
        watch
            .get("/metrics")
            .contains("portreeve_inputs_missing 0\n")
    );
    let findings = watch.get("/api/v1/coverage");
    assert!(findings.contains("\"records\":2"), "{findings}");
    // Every request is signed for its service.
    let unsigned = aws.heard(|it| !it.head.contains("aws4-hmac-sha256"));
    assert!(unsigned.is_empty(), "{unsigned:?}");
    assert!(
        !aws.heard(|it| it.head.contains("/eu-west-1/sqs/aws4_request"))
            .is_empty()
    );
    // Begun again it reads no object again.
    drop(watch);
    let reads = || aws.heard(|it| it.target.starts_with("/trail/")).len();
    let before = reads();
    let lists = || aws.heard(|it| it.target.starts_with("/trail?")).len();
    let listed = lists();
    let again = Watch::new(&data, &arguments, &environment);
    wait("it lists again", || lists() >= listed + 2);
    assert_eq!(reads(), before);
    assert!(again.get("/readyz").starts_with("HTTP/1.1 200 "));
}
