//! Runs the program as a user would.

pub mod python;
pub mod served;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// Runs the program in an empty folder of its own, so that no settings lie about.
pub fn portreeve<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    command(folder.path()).args(arguments).output().unwrap()
}

/// The same, with text on standard input.
pub fn portreeve_with_input<S: AsRef<std::ffi::OsStr>>(arguments: &[S], input: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that ends early closes the pipe; that is for the test to judge.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
    command.current_dir(folder);
    // What the tester's own machine knows of networks is not to show.
    command.env("PORTREEVE_DATA_DIR", folder.join("data"));
    command
}

/// The report of a run that ended well.
pub fn report(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What the program said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Shared reference data, or `None` with a word about the test that is skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {} is not present", path.display());
    None
}

/// A CloudTrail record: a person's session reads something. `number` makes its event id.
pub fn record(number: u32, time: &str, address: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:dev.mira",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071/dev.mira",
            "accountId": "111122223333",
            "accessKeyId": "ASIAMIRA000100EXAMPL",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071",
                    "accountId": "111122223333",
                    "userName": "AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071"
                },
                "attributes": {"creationDate": "2026-03-03T07:01:12Z", "mfaAuthenticated": "false"}
            }
        },
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": address,
        "userAgent": "aws-cli/2.22.35 os/macos#23.5.0",
        "requestParameters": null,
        "responseElements": null,
        "eventID": format!("00000000-0000-4000-8000-{number:012x}"),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management"
    })
}

/// The stolen session at work: a denied MFA enrolment from another network.
pub fn enrolment(number: u32, time: &str) -> Value {
    let mut record = record(number, time, "192.0.2.41");
    record["eventSource"] = "iam.amazonaws.com".into();
    record["eventName"] = "CreateVirtualMFADevice".into();
    record["errorCode"] = "AccessDenied".into();
    record["readOnly"] = false.into();
    record["userAgent"] = "[aws-cli/2.22.35 os/linux#6.11.2-amd64 md/distrib#kali.2024]".into();
    record["requestParameters"] = json!({"virtualMFADeviceName": "phone"});
    record
}

/// Two records of the owner, one of the intruder.
pub fn story() -> Vec<Value> {
    vec![
        record(1, "2026-03-03T07:05:00Z", "198.51.100.10"),
        enrolment(2, "2026-03-03T07:49:00Z"),
        record(3, "2026-03-03T08:00:00Z", "198.51.100.10"),
    ]
}

/// The owner of a session tries to enrol a second factor with its key: grave, and not a theft.
pub fn clumsy_story() -> Vec<Value> {
    let mut enrolment = enrolment(2, "2026-03-03T07:49:00Z");
    let own = record(1, "2026-03-03T07:05:00Z", "198.51.100.10");
    for field in ["sourceIPAddress", "userAgent"] {
        enrolment[field] = own[field].clone();
    }
    vec![own, enrolment]
}

/// One record a line.
pub fn lines(records: &[Value]) -> Vec<u8> {
    records
        .iter()
        .flat_map(|record| format!("{record}\n").into_bytes())
        .collect()
}

/// Compresses.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All files below a folder, by path.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

/// A folder with the logs and inventory of a simulated organisation below `logs`: a fortnight, and the
/// beginning of an intrusion.
pub fn simulated() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let few = ["simulate", "--days", "18", "--max-records", "6000", "--out"];
    let output = portreeve(&[&few[..], &[logs.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", said(&output));
    folder
}
