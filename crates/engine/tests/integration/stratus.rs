//! Real CloudTrail of attack techniques, each run for real (Stratus Red Team, Apache-2.0): how many
//! of them give a finding that names the behaviour. The table in `docs/coverage.md` is this test's.

use std::path::Path;

use portreeve_engine::{Config, Request, RuleSet, Silent, built_in_rules, investigate};
use portreeve_model::Severity;
use serde_json::Value;

/// Technique, and words of which a title must hold one to count as naming the behaviour.
const NAMED: &[(&str, &[&str])] = &[
    (
        "aws.credential-access.ec2-get-password-data",
        &["Password data"],
    ),
    (
        "aws.credential-access.ec2-steal-instance-credentials",
        &["Instance credentials"],
    ),
    (
        "aws.defense-evasion.cloudtrail-delete",
        &["trail stopped or deleted"],
    ),
    (
        "aws.defense-evasion.cloudtrail-event-selectors",
        &["event selectors"],
    ),
    ("aws.defense-evasion.dns-delete-logs", &["DNS query logs"]),
    (
        "aws.defense-evasion.organizations-leave",
        &["leave the organization"],
    ),
    ("aws.discovery.ec2-download-user-data", &["User data"]),
    ("aws.execution.ec2-user-data", &["user data"]),
    (
        "aws.exfiltration.ec2-security-group-open-port-22-ingress",
        &["SSH"],
    ),
    ("aws.exfiltration.rds-share-snapshot", &["Snapshot"]),
    ("aws.impact.bedrock-invoke-model", &["Bedrock"]),
    (
        "aws.initial-access.console-login-without-mfa",
        &["without MFA"],
    ),
    (
        "aws.lateral-movement.ec2-serial-console-send-ssh-public-key",
        &["Serial console"],
    ),
    ("aws.persistence.iam-backdoor-role", &["role backdoor"]),
    ("aws.persistence.iam-backdoor-user", &["Access key created"]),
    (
        "aws.persistence.iam-create-admin-user",
        &["Administrator policy"],
    ),
    (
        "aws.persistence.iam-create-user-login-profile",
        &["login profile"],
    ),
    (
        "aws.persistence.lambda-backdoor-function",
        &["function backdoor"],
    ),
    (
        "aws.persistence.lambda-layer-extension",
        &["Layer or extension"],
    ),
    (
        "aws.persistence.lambda-overwrite-code",
        &["Function code overwritten"],
    ),
    (
        "aws.persistence.rolesanywhere-create-trust-anchor",
        &["trust anchor"],
    ),
];

#[test]
fn techniques_are_named() {
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stratus/stratus.ndjson");
    let Ok(text) = std::fs::read_to_string(&data) else {
        println!("SKIPPED: {} is not present", data.display());
        return;
    };
    let mut rows = Vec::new();
    let mut named = 0;
    let techniques: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for technique in &techniques {
        let id = technique["technique_id"].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("log.json"),
            technique["events"].to_string(),
        )
        .unwrap();
        let report = investigate(
            Request {
                paths: vec![folder.path().to_owned()],
                config: Config::default(),
                skip: Vec::new(),
                rules: RuleSet::parse(&built_in_rules(), &Config::default().rules),
                signs: Vec::new(),
                threads: 1,
            },
            &Silent,
        )
        .unwrap();
        assert_eq!(report.dead_letters, [], "{id}");
        let words = NAMED
            .iter()
            .find(|(name, _)| *name == id)
            .map_or(&[][..], |(_, words)| words);
        let finding = report.findings.iter().find(|finding| {
            finding.severity >= Severity::Medium
                && words.iter().any(|word| finding.title.contains(word))
        });
        named += usize::from(finding.is_some());
        let titles = match finding {
            Some(finding) => format!("{} ({})", finding.title, finding.severity),
            None => format!("not named; {} findings", report.findings.len()),
        };
        rows.push(format!("| `{id}` | {titles} |"));
    }
    println!("{}", rows.join("\n"));
    assert_eq!(techniques.len(), NAMED.len());
    assert_eq!(named, 21, "of {} techniques", techniques.len());
}
