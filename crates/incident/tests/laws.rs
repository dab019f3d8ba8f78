//! What must hold whatever the input.

mod common;

use common::*;
use portreeve_incident::{Incident, TimelineRole};
use portreeve_model::{MintMethod, Severity};
use proptest::prelude::*;

/// A story with a bit of everything.
fn mixed() -> Logs {
    let mut logs = stolen_session();
    let user = "arn:aws:iam::111122223333:user/alice";
    logs.add(
        event("2026-03-10T08:00:00Z", "iam:CreateAccessKey")
            .person("dev.mira", "ASIAMIRADAY00010")
            .from(VPN)
            .with(KALI)
            .mints(
                "AKIAALICE00000000001",
                user,
                None,
                MintMethod::CreateAccessKey,
            ),
    );
    logs.add(
        event("2026-03-20T08:00:00Z", "s3:GetObject")
            .user("alice", "AKIAALICE00000000001")
            .from(HOSTING),
    );
    logs.add(
        event("2026-03-09T03:00:00Z", "cloudtrail:StopLogging")
            .user("backup", "AKIABACKUP0000000001")
            .from("203.0.113.200"),
    );
    logs.add(
        event("2026-03-11T13:00:00Z", "signin:ConsoleLogin")
            .denied()
            .from("203.0.113.7"),
    );
    logs.add(event("2026-03-11T13:00:00Z", "iam:ListUsers").service("config.amazonaws.com"));
    let mut timeless = event("2026-03-11T13:00:00Z", "iam:CreateAccessKey")
        .user("clockless", "AKIACLOCKLESS0000001");
    timeless.time = None;
    logs.add(timeless);
    logs
}

fn networks() -> portreeve_detect::Settings {
    settings(&[("198.51.100.10/32", "corporate")])
}

fn json(incidents: &[Incident]) -> String {
    serde_json::to_string_pretty(incidents).unwrap()
}

/// The same without where the records stood.
fn without_positions(mut incidents: Vec<Incident>) -> String {
    for incident in &mut incidents {
        for entry in &mut incident.timeline {
            entry.file = "".into();
            entry.index = 0;
            entry.offset = 0;
        }
        incident
            .response
            .retain(|step| !step.title.starts_with("Keep the evidence"));
    }
    json(&incidents)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Batches may come in any order.
    #[test]
    fn the_order_of_files_does_not_show(order in Just((0usize..7).collect::<Vec<_>>()).prop_shuffle()) {
        let logs = mixed();
        let size = logs.events.len().div_ceil(7);
        let names: Vec<String> = (0..7).map(|number| format!("logs/{number}.json")).collect();
        let files: Vec<(&str, Vec<&Event>)> = logs
            .events
            .chunks(size)
            .zip(&names)
            .map(|(events, name)| (name.as_str(), events.iter().collect()))
            .collect();
        let shuffled: Vec<_> = order.iter().filter_map(|place| files.get(*place).cloned()).collect();
        let told = |files: &[(&str, Vec<&Event>)]| tell_with(&fold(files, &[], RULES), &networks(), None);
        prop_assert_eq!(json(&told(&files)), json(&told(&shuffled)));
    }

    /// Records may stand in any file, in any order.
    #[test]
    fn how_records_are_split_does_not_show(
        places in prop::collection::vec((0usize..5, any::<u32>()), 1100),
    ) {
        let logs = mixed();
        let names: Vec<String> = (0..5).map(|number| format!("logs/{number}.json")).collect();
        let mut files: Vec<(&str, Vec<(u32, &Event)>)> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
        for (event, (file, order)) in logs.events.iter().zip(&places) {
            files[*file].1.push((*order, event));
        }
        let files: Vec<(&str, Vec<&Event>)> = files
            .into_iter()
            .map(|(name, mut events)| {
                events.sort_by_key(|(order, _)| *order);
                (name, events.into_iter().map(|(_, event)| event).collect())
            })
            .collect();
        prop_assert!(logs.events.len() <= places.len());
        let split = tell_with(&fold(&files, &[], RULES), &networks(), None);
        let whole = tell_with(&logs.fold(), &networks(), None);
        prop_assert_eq!(without_positions(split), without_positions(whole));
    }

    /// Whatever a log holds, commands and sentences hold no control characters, and every finding
    /// is in one incident at most.
    #[test]
    fn nothing_in_a_log_breaks_out(
        name in "\\PC{0,3}[\\x00-\\x20'\"`$;&|<>\\\\\u{202e}a-z/:-]{0,12}",
        key in "[A-Z0-9'\\x1b ]{0,20}",
    ) {
        let mut logs = Logs::default();
        let bucket = format!("arn:aws:s3:::web/{name}");
        logs.add(event("2026-03-05T08:00:00Z", "iam:CreateAccessKey").user(&name, &key).from(HOSTING).with(&name));
        logs.add(event("2026-03-05T08:01:00Z", "s3:PutObject").person(&name, &key).from(HOSTING).on(&bucket));
        logs.add(event("2026-03-05T08:02:00Z", "sts:AssumeRole").user(&name, &key).mints(&name, &name, Some(&name), MintMethod::AssumeRole));
        logs.add(event("2026-03-05T08:03:00Z", "cloudtrail:StopLogging").role(&format!("arn:aws:iam::1:role/{name}"), &name, &key).on(&name));
        let folded = logs.fold();
        let incidents = tell(&folded);
        let mut seen = std::collections::BTreeSet::new();
        for incident in &incidents {
            prop_assert!(incident.findings.iter().all(|finding| seen.insert(finding.clone())));
            let steps = incident.response.iter();
            let texts = steps.flat_map(|it| [Some(&it.title), it.command.as_ref(), it.caveat.as_ref()]).flatten();
            for text in texts.chain(&incident.narrative).chain([&incident.headline]) {
                prop_assert!(!text.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{text:?}");
            }
            for command in commands(incident) {
                prop_assert!(is_one_command(command), "{command}");
            }
        }
    }
}

/// Whether, read as a shell does, nothing outside quotes is more than plain words and the `&&` and
/// `$(date …)` that we write.
fn is_one_command(command: &str) -> bool {
    let own = command
        .replace("\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"", "")
        .replace(" && ", " ");
    let mut quoted = false;
    let mut letters = own.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => quoted = !quoted,
            '\\' if !quoted && letters.next() != Some('\'') => return false,
            '\\' => {}
            _ if quoted => {}
            letter if letter.is_ascii_alphanumeric() || " -_=.:/".contains(letter) => {}
            _ => return false,
        }
    }
    !quoted
}

#[test]
fn the_gravest_comes_first_and_ids_are_stable() {
    let folded = mixed().fold();
    let incidents = tell_with(&folded, &networks(), None);
    assert!(incidents.len() >= 4);
    assert!(incidents.is_sorted_by(|a, b| (a.severity, a.score) >= (b.severity, b.score)));
    let ids: std::collections::BTreeSet<&str> = incidents.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids.len(), incidents.len());
    // What happens later does not change an incident's id.
    let mut longer = mixed();
    longer.add(
        event("2026-03-25T08:00:00Z", "s3:GetObject")
            .person("dev.mira", "ASIAMIRADAY00025")
            .from(VPN)
            .with(KALI),
    );
    let later = tell_with(&longer.fold(), &networks(), None);
    assert_eq!(later[0].id, incidents[0].id);
    assert_eq!(later[0].timeline.len(), incidents[0].timeline.len() + 1);
}

#[test]
fn a_key_that_the_intruder_made_is_held_and_deactivated() {
    let incidents = tell_with(&mixed().fold(), &networks(), None);
    let incident = &incidents[0];
    assert!(
        incident
            .credentials
            .iter()
            .any(|it| it == "AKIAALICE00000000001")
    );
    assert!(incident.timeline.iter().any(|it| it.credential.as_deref()
        == Some("AKIAALICE00000000001")
        && it.role == TimelineRole::Suspect));
    assert!(commands(incident).contains(&"aws iam update-access-key --user-name 'alice' --access-key-id 'AKIAALICE00000000001' --status Inactive"));
    assert!(
        incident
            .response
            .iter()
            .any(|it| it.title.contains("minted by the intruder"))
    );
}

#[test]
fn an_activity_without_a_time_is_told_last() {
    let mut logs = Logs::default();
    let mut timeless =
        event("2026-03-11T13:00:00Z", "cloudtrail:StopLogging").user("x", "AKIAX000000000000001");
    timeless.time = None;
    logs.add(timeless);
    logs.add(event("2026-03-11T13:00:00Z", "s3:ListBuckets").user("x", "AKIAX000000000000001"));
    let incidents = tell(&logs.fold());
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].first_sign, None);
    assert_eq!(incidents[0].timeline.last().unwrap().time, None);
    assert!(incidents[0].severity <= Severity::High);
}

#[test]
fn reports_read_back_as_they_were_written() {
    let incidents = tell_with(&mixed().fold(), &networks(), None);
    let text = json(&incidents);
    let back: Vec<Incident> = serde_json::from_str(&text).unwrap();
    assert_eq!(json(&back), text);
}
