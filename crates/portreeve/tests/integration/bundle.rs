//! What was built, what is served, and the record that changed it, told by the program.

use crate::common::{portreeve, record, said};
use serde_json::{Value, json};

const HASHED: &str = "_next/static/chunks/main-4f3a2b1c9d8e7f60.js";

struct Page {
    folder: tempfile::TempDir,
}

impl Page {
    /// A bundle that was built, attested, and is served as it was.
    fn new() -> Self {
        let page = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["built", "served"] {
            page.write(name, "index.html", "<script src=main></script>");
            page.write(name, HASHED, "sign()");
        }
        let (built, manifest) = (page.path("built"), page.path("bundle.json"));
        let output = portreeve(&["bundle", "attest", &built, "--output", &manifest]);
        assert!(output.status.success(), "{}", said(&output));
        page
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, folder: &str, name: &str, text: &str) {
        let path = self.folder.path().join(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn verify(&self, more: &[&str]) -> (i32, Value) {
        let (served, manifest) = (self.path("served"), self.path("bundle.json"));
        let fixed = [
            "bundle",
            "verify",
            &served,
            "--manifest",
            &manifest,
            "--format",
            "json",
        ];
        let output = portreeve(&[&fixed[..], more].concat());
        let document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        (output.status.code().unwrap(), document)
    }
}

/// A write to the bundle's script.
fn write(number: u32, time: &str, principal: &str, address: &str) -> Value {
    let mut write = record(number, time, address);
    write["eventName"] = "PutObject".into();
    write["readOnly"] = false.into();
    write["eventCategory"] = "Data".into();
    write["userIdentity"]["arn"] =
        format!("arn:aws:sts::111122223333:assumed-role/web/{principal}").into();
    write["userIdentity"]["principalId"] = format!("AROAEXAMPLE:{principal}").into();
    write["requestParameters"] = json!({"bucketName": "web-prod", "key": HASHED});
    write["resources"] =
        json!([{"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::web-prod/{HASHED}")}]);
    write
}

#[test]
fn the_statement_is_an_in_toto_statement_and_an_equal_page_is_clean() {
    let page = Page::new();
    let statement: Value =
        serde_json::from_slice(&std::fs::read(page.path("bundle.json")).unwrap()).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["subject"][0]["name"], HASHED);
    assert_eq!(
        statement["subject"][0]["digest"]["sha256"]
            .as_str()
            .unwrap()
            .len(),
        64
    );
    let (code, report) = page.verify(&[]);
    assert_eq!(
        (code, &report["verdict"], &report["as_built"]),
        (0, &json!("clean"), &json!(2))
    );
}

#[test]
fn a_replaced_script_is_named_with_the_record_that_replaced_it() {
    let page = Page::new();
    page.write("served", HASHED, "sign(); steal()");
    let writes = [
        write(1, "2026-03-01T10:00:00Z", "ci-deploy", "198.51.100.7"),
        write(2, "2026-03-17T15:29:00Z", "dev.mira", "192.0.2.44"),
    ];
    let lines: String = writes.iter().map(|write| format!("{write}\n")).collect();
    page.write("logs", "log.json", &lines);
    let logs = page.path("logs");
    let (code, report) = page.verify(&["--logs", &logs, "--bucket", "web-prod"]);
    assert_eq!((code, &report["verdict"]), (10, &json!("critical")));
    let findings = report["findings"].as_array().unwrap();
    let ids: Vec<&str> = findings
        .iter()
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["file-altered", "hashed-name-overwritten"]);
    let by = &findings[0]["changed_by"];
    assert_eq!(by["event_id"], "00000000-0000-4000-8000-000000000002");
    assert_eq!(by["from"], "192.0.2.44");
    assert!(
        by["principal"].as_str().unwrap().ends_with("/dev.mira"),
        "{by}"
    );
}

#[test]
fn a_script_that_was_put_back_is_told_by_an_earlier_probe() {
    let page = Page::new();
    page.write("probed", "index.html", "<script src=main></script>");
    page.write("probed", HASHED, "sign(); steal()");
    let (probed, probe) = (page.path("probed"), page.path("probe.json"));
    assert!(
        portreeve(&["bundle", "attest", &probed, "--output", &probe])
            .status
            .success()
    );
    let (code, report) = page.verify(&["--earlier", &probe]);
    assert_eq!(code, 10);
    assert_eq!(report["findings"][0]["id"], "content-came-back");
    assert_eq!(report["as_built"], 2);
}

#[test]
fn what_is_no_manifest_and_what_is_no_folder_are_told() {
    let page = Page::new();
    let (served, manifest) = (page.path("served"), page.path("built/index.html"));
    let output = portreeve(&["bundle", "verify", &served, "--manifest", &manifest]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("index.html: no in-toto statement"),
        "{}",
        said(&output)
    );
    let output = portreeve(&["bundle", "attest", &manifest]);
    assert!(said(&output).contains("is no folder"), "{}", said(&output));
}
