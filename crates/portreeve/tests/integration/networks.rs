//! Data of networks: fetched, shown, asked, and used by an investigation.

use std::path::{Path, PathBuf};

use crate::common::{lines, portreeve, report, said, story};
use crate::test_database::{Data, database};
use serde_json::Value;

const ASN: &str =
    "192.0.2.0,192.0.2.255,9009,M247 Europe SRL\n198.51.100.0,198.51.100.255,64500,Example Net\n";
const COUNTRIES: &str = "192.0.2.0,192.0.2.255,RO\n";

/// A package as a registry gives it.
fn package(folder: &Path, name: &str, table: &str, rows: &str) -> PathBuf {
    let manifest = format!("{{\"name\":\"{name}\",\"version\":\"2.3.2026061719\"}}");
    let path = folder.join(name.replace(['@', '/'], "") + "-2.3.2026061719.tgz");
    let encoder = flate2::write::GzEncoder::new(
        std::fs::File::create(&path).unwrap(),
        flate2::Compression::fast(),
    );
    let mut archive = tar::Builder::new(encoder);
    for (member, text) in [(table, rows), ("package/package.json", &*manifest)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append_data(&mut header, member, text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    path
}

fn packages(folder: &Path) -> [PathBuf; 2] {
    [
        package(folder, "@ip-location-db/asn", "package/asn-ipv4.csv", ASN),
        package(
            folder,
            "@ip-location-db/asn-country",
            "package/asn-country-ipv4.csv",
            COUNTRIES,
        ),
    ]
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn stdout(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn files_are_taken_shown_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let [asn, countries] = packages(folder.path()).map(|path| text(&path));
    let data = text(&folder.path().join("networks"));
    let update = [
        "networks", "update", "--folder", &data, "--from", &asn, "--from", &countries,
    ];
    let output = stdout(&portreeve(&update));
    assert!(output.contains("RouteViews (routeviews.org)"), "{output}");
    assert!(output.contains("tells operators of 2 ranges"), "{output}");

    let show = portreeve(&["networks", "show", "--folder", &data, "--format", "json"]);
    let shown: Value = serde_json::from_str(&stdout(&show)).unwrap();
    assert_eq!(shown["data"].as_array().unwrap().len(), 2);
    assert_eq!(shown["data"][0]["licence"], "CC BY 4.0");
    assert_eq!(shown["data"][0]["date"], "2026-06-17");

    let lookup = [
        "networks",
        "lookup",
        "--folder",
        &data,
        "192.0.2.41",
        "2001:db8::1",
    ];
    let output = stdout(&portreeve(&lookup));
    assert!(output.contains("AS9009 M247 Europe SRL"), "{output}");
    assert!(output.contains("hosting, sure to 0.90"), "{output}");
    assert!(output.contains("vpn 0.60: "), "{output}");
    assert!(output.contains("called       2001:db8::/48"), "{output}");

    let lookup = portreeve(&[&lookup[..], &["--format", "json"]].concat());
    let found: Value = serde_json::from_str(&stdout(&lookup)).unwrap();
    let exit = &found["addresses"][0];
    assert_eq!(exit["asn"], 9009);
    assert_eq!(exit["country"], "RO");
    assert_eq!(exit["class"], "hosting");
    assert_eq!(exit["name"], "AS9009");
    assert_eq!(exit["told_by"].as_array().unwrap().len(), 2);
    assert_eq!(found["addresses"][1]["asn"], Value::Null);
}

#[test]
fn without_data_the_commands_say_what_to_do() {
    let show = stdout(&portreeve(&["networks", "show"]));
    assert!(show.contains("portreeve networks update"), "{show}");
    let lookup = portreeve(&["networks", "lookup", "192.0.2.41"]);
    assert!(
        said(&lookup).contains("networks update"),
        "{}",
        said(&lookup)
    );
    assert!(stdout(&lookup).contains("192.0.2.0/24"));
    let wrong = portreeve(&["networks", "lookup", "example.com"]);
    assert_eq!(wrong.status.code(), Some(2));
    let missing = portreeve(&["networks", "update", "--from", "no-such-file.tgz"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        said(&missing).contains("no-such-file.tgz"),
        "{}",
        said(&missing)
    );
}

#[cfg(unix)]
#[test]
fn the_open_set_comes_through_the_users_own_client() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    std::fs::create_dir(&registry).unwrap();
    packages(&registry);
    let client = folder.path().join("npm");
    let script = |lines: &str| {
        std::fs::write(&client, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&client, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let data = text(&folder.path().join("networks"));
    let update = [
        "networks",
        "update",
        "--folder",
        &data,
        "--npm",
        &text(&client),
    ];

    script("echo 'npm error network request failed' >&2; exit 1");
    let failed = portreeve(&update);
    assert_eq!(failed.status.code(), Some(1));
    let message = said(&failed);
    assert!(
        message.contains("request failed") && message.contains("--from"),
        "{message}"
    );
    assert!(!folder.path().join("networks").exists());

    // It is asked for both packages, and nothing of them is to run.
    script(&format!(
        "case \"$*\" in *'@ip-location-db/asn @ip-location-db/asn-country'*--ignore-scripts*) \
         cp {}/*.tgz . ;; *) exit 9 ;; esac",
        registry.display()
    ));
    let output = stdout(&portreeve(&update));
    assert!(output.contains("1-asn.networks"), "{output}");
    assert!(output.contains("2-asn-country.networks"), "{output}");
}

#[test]
fn data_among_the_input_are_used_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("log.json", &lines(&story()));
    write(
        "networks.csv",
        b"network,asn,organisation,country\n192.0.2.0/24,9009,M247 Europe SRL,RO\n",
    );
    let systems = [("autonomous_system_number", Data::Number(64_500))];
    let record = Data::Map(&systems);
    write(
        "GeoLite2-ASN.mmdb",
        &database("GeoLite2-ASN", &[("198.51.100.0/24", record)]),
    );
    let rules = tempfile::tempdir().unwrap();
    let rule = "title: From hosting\nid: hosting\nlogsource: {product: aws}\ndetection:\n  it: {portreeve.network.class: hosting, portreeve.network.country: RO}\n  condition: it\nlevel: low\n";
    std::fs::write(rules.path().join("rule.yml"), rule).unwrap();

    let output = portreeve(&[
        "investigate",
        &text(folder.path()),
        "--rules",
        &text(rules.path()),
        "--format",
        "json",
    ]);
    let report = report(&output);
    let kinds: Vec<&str> = report["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["format"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "networks.maxmind",
            "aws.cloudtrail (ndjson)",
            "networks.csv"
        ]
    );
    let notes = report["notes"].to_string();
    assert!(notes.contains("GeoLite2-ASN of 2026-05-28"), "{notes}");
    assert!(!notes.contains("Not recognised"), "{notes}");
    let found: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "hosting")
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["evidence"][0]["index"], 1);
}

#[test]
fn settings_name_data_and_a_missing_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("log.json", &lines(&story()));
    write(
        "asn.data",
        b"network,asn,organisation\n192.0.2.0/24,9009,M247 Europe SRL\n",
    );
    write(
        "portreeve.toml",
        b"network_data = [\"asn.data\", \"missing.mmdb\"]\n",
    );
    let output = portreeve(&["investigate", &text(folder.path()), "--format", "json"]);
    let report = report(&output);
    let notes = report["notes"].to_string();
    assert!(notes.contains("asn.data"), "{notes}");
    let letters = report["dead_letters"].to_string();
    assert!(letters.contains("missing.mmdb"), "{letters}");
    // It lies among the input too, and counts once.
    let named = report["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|input| input["file"].as_str().unwrap().ends_with("asn.data"))
        .count();
    assert_eq!(named, 1);
}

#[test]
fn without_data_a_report_says_what_that_hides() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("log.json"), lines(&story())).unwrap();
    let output = portreeve(&["investigate", &text(folder.path()), "--format", "json"]);
    let notes = report(&output)["notes"].to_string();
    assert!(notes.contains("networks update"), "{notes}");
}
