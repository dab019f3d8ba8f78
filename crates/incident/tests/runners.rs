//! What runs what the intruder wrote belongs to the incident, as far as it does something new.

mod common;

use common::*;
use portreeve_incident::{Incident, TimelineRole};
use portreeve_model::{Severity, Tactic};

const NODE: &str = "arn:aws:iam::111122223333:role/cluster-node";
const BUILDER: &str = "arn:aws:iam::111122223333:role/builder";
const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:111122223333:repository/web-edge";
const OLD_SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:api/database-Ab12Cd";
const NEW_SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet/key-Ef34Gh";
const FIRST: &str = "i-0353ac30287ed7e24";
const SECOND: &str = "i-0c65dd79534854c7e";

fn node(time: &str, action: &str, instance: &str) -> Event {
    event(time, action)
        .role(NODE, instance, &format!("ASIANODE{}", &instance[12..]))
        .from("198.51.100.65")
        .with("aws-sdk-go-v2/1.32.7")
}

/// Two instances that have read one secret each day, and a stolen session that pushes an image.
fn pushed() -> Logs {
    let mut logs = stolen_session();
    for day in 1..19 {
        for instance in [FIRST, SECOND] {
            let time = format!("2026-02-{:02}T03:10:00Z", day + 9);
            logs.add(node(&time, "secretsmanager:GetSecretValue", instance).on(OLD_SECRET));
        }
    }
    logs.add(
        event("2026-03-10T08:20:00Z", "ecr:PutImage")
            .person("dev.mira", "ASIAMIRADAY00010")
            .created("2026-03-10T07:01:12Z")
            .from(VPN)
            .with(KALI)
            .on(REPOSITORY),
    );
    logs
}

fn pull(time: &str, instance: &str) -> Event {
    node(time, "ecr:BatchGetImage", instance).on(REPOSITORY)
}

fn read(time: &str, secret: &str, instance: &str) -> Event {
    node(time, "secretsmanager:GetSecretValue", instance).on(secret)
}

/// The gravest incident, and whether it holds a reading of a secret.
fn told(logs: &Logs) -> (Incident, bool) {
    let incident = tell(&logs.fold()).swap_remove(0);
    let reads = has_action(
        &incident,
        "secretsmanager:GetSecretValue",
        TimelineRole::Suspect,
    );
    (incident, reads)
}

#[test]
fn what_a_machine_does_anew_with_the_pulled_image_is_the_intruder_s() {
    let mut logs = pushed();
    logs.add(pull("2026-03-10T08:40:00Z", FIRST));
    logs.add(read("2026-03-11T10:15:00Z", OLD_SECRET, FIRST));
    logs.add(read("2026-03-11T10:16:00Z", NEW_SECRET, FIRST));
    let (incident, reads) = told(&logs);
    assert!(reads);
    let suspect = events_of(&incident, TimelineRole::Suspect);
    let last = logs.events.len() - 1;
    assert!(suspect.contains(&format!("event-{last:05}")));
    // The secret that the role always reads stays ordinary work.
    assert!(!suspect.contains(&format!("event-{:05}", last - 1)));
    assert!(
        incident
            .narrative
            .iter()
            .any(|it| it.contains("web-edge") && it.contains(FIRST)),
        "{:?}",
        incident.narrative
    );
    assert!(incident.principals.iter().any(|it| it.contains(NODE)));
}

#[test]
fn what_is_found_on_such_a_machine_joins_the_intruder_s_incident() {
    const WALLET: TestRule = TestRule {
        id: "wallet secret read",
        severity: Severity::High,
        tactic: Tactic::CredentialAccess,
        matches: |row| row.targets().any(|it| it.contains("wallet")),
    };
    let rules = [RULES, &[WALLET]].concat();
    let incidents = |pulled: &str| {
        let mut logs = pushed();
        logs.add(pull("2026-03-10T08:40:00Z", pulled));
        logs.add(read("2026-03-11T10:16:00Z", NEW_SECRET, FIRST));
        tell(&logs.fold_with(&[], &rules))
    };
    let joined = incidents(FIRST);
    assert_eq!(joined.len(), 1, "{:?}", joined[1].headline);
    assert!(has_action(
        &joined[0],
        "secretsmanager:GetSecretValue",
        TimelineRole::Finding
    ));
    // Where another machine pulled it, nothing ties the two.
    assert_eq!(incidents(SECOND).len(), 2);
}

#[test]
fn a_machine_that_pulled_nothing_of_it_is_not_touched() {
    let mut logs = pushed();
    logs.add(pull("2026-03-10T08:40:00Z", FIRST));
    logs.add(read("2026-03-11T10:16:00Z", NEW_SECRET, SECOND));
    // What an untouched machine of the role did first is the role's work.
    logs.add(read("2026-03-11T10:17:00Z", NEW_SECRET, FIRST));
    assert!(!told(&logs).1);
}

#[test]
fn a_pull_after_an_honest_push_is_of_that() {
    let mut logs = pushed();
    logs.add(
        event("2026-03-10T08:30:00Z", "ecr:PutImage")
            .role(BUILDER, "run", "ASIABUILDER00000001")
            .from("198.51.100.200")
            .on(REPOSITORY),
    );
    logs.add(pull("2026-03-10T08:40:00Z", FIRST));
    logs.add(read("2026-03-11T10:16:00Z", NEW_SECRET, FIRST));
    assert!(!told(&logs).1);
}

#[test]
fn what_comes_before_the_pull_or_long_after_is_not_put_down_to_it() {
    let mut logs = pushed();
    logs.add(read("2026-03-10T08:30:00Z", NEW_SECRET, FIRST));
    logs.add(pull("2026-03-10T08:40:00Z", FIRST));
    let late = NEW_SECRET.replace("wallet", "release");
    logs.add(read("2026-03-30T08:40:00Z", &late, FIRST));
    assert!(!told(&logs).1);
}

#[test]
fn a_machine_of_which_little_is_known_does_nothing_new() {
    let mut logs = pushed();
    let own = |it: &Event| it.principal == NODE;
    logs.events.retain(|it| !own(it));
    logs.add(pull("2026-03-10T08:40:00Z", FIRST));
    logs.add(read("2026-03-11T10:16:00Z", NEW_SECRET, FIRST));
    assert!(!told(&logs).1);
}

#[test]
fn a_function_acts_for_whoever_replaced_its_code() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/resize-role";
    let run = |time: &str, secret: &str| {
        event(time, "secretsmanager:GetSecretValue")
            .role(ROLE, "resize", "ASIARESIZE000000001")
            .from("203.0.113.250")
            .with("Boto3/1.34")
            .on(secret)
    };
    let mut logs = stolen_session();
    for day in 1..19 {
        logs.add(run(&format!("2026-02-{day:02}T03:10:00Z"), OLD_SECRET));
    }
    let mut untouched = logs.clone();
    logs.add(
        event(
            "2026-03-10T08:20:00Z",
            "lambda:UpdateFunctionCode20150331v2",
        )
        .person("dev.mira", "ASIAMIRADAY00010")
        .created("2026-03-10T07:01:12Z")
        .from(VPN)
        .with(KALI)
        .on("arn:aws:lambda:eu-west-1:111122223333:function:resize"),
    );
    logs.add(run("2026-03-10T09:00:00Z", NEW_SECRET));
    assert!(told(&logs).1);
    untouched.add(run("2026-03-10T09:00:00Z", NEW_SECRET));
    assert!(!told(&untouched).1);
}
