//! What happened in the sample, call by call.

use jiff::Timestamp;
use portreeve_incident::{TimelineEntry, TimelineRole};
use portreeve_model::{Evidence, Finding, FindingSource, Severity, Tactic, Technique};

use super::*;

pub(super) fn finding(
    id: &str,
    rule: &str,
    title: &str,
    severity: Severity,
    time: &str,
) -> Finding {
    Finding {
        id: id.into(),
        rule: rule.into(),
        title: title.into(),
        severity,
        time: Some(at(time)),
        last_time: Some(at(time)),
        source: FindingSource::Detection,
        actor: DEVELOPER.into(),
        credential: Some(STOLEN.into()),
        targets: vec![],
        techniques: vec![],
        tactics: vec![],
        evidence: vec![],
        evidence_total: 0,
        rule_author: None,
        details: Vec::new(),
        muted_by: None,
    }
}

/// The developer has a new session each day; each of the three was used by the intruder too.
fn credential(time: Timestamp, pipeline: bool) -> &'static str {
    match (time.strftime("%m-%d").to_string().as_str(), pipeline) {
        ("02-04", _) => STOLEN,
        ("02-09", false) => SECOND,
        ("02-09", true) => MINTED,
        (_, false) => THIRD,
        (_, true) => MINTED_LATER,
    }
}

/// Builds the timeline entry by entry; each entry that belongs to a finding becomes its evidence.
pub(super) struct Story {
    pub(super) timeline: Vec<TimelineEntry>,
    pub(super) findings: Vec<Finding>,
}

struct Call<'a> {
    action: &'a str,
    outcome: &'a str,
    target: &'a str,
    finding: Option<&'a str>,
    pipeline: bool,
    quiet: bool,
}

const CALL: Call<'_> = Call {
    action: "",
    outcome: "success",
    target: "",
    finding: None,
    pipeline: false,
    quiet: false,
};

impl Story {
    fn call(&mut self, time: Timestamp, call: Call<'_>) {
        let index = self.timeline.len() as u64;
        let file = format!(
            "{LOGS}/{}/{}.json.gz",
            time.strftime("%Y/%m/%d"),
            index / 40
        );
        let event_id = format!(
            "{:08x}-52c1-4e0e-9f61-{:012x}",
            0x9e37_79b9u32.wrapping_mul(index as u32 + 1),
            index
        );
        let entry = TimelineEntry {
            time: Some(time),
            action: call.action.into(),
            outcome: call.outcome.into(),
            actor: if call.pipeline { PIPELINE } else { DEVELOPER }.into(),
            credential: Some(credential(time, call.pipeline).into()),
            targets: if call.target.is_empty() {
                vec![]
            } else {
                vec![call.target.into()]
            },
            address: Some(if call.quiet { OFFICE } else { INTRUDER }.into()),
            event_id: Some(event_id.clone()),
            file: file.as_str().into(),
            index: index % 40,
            offset: (index % 40) * 1711,
            finding: call.finding.map(str::to_owned),
            role: match (call.finding, call.quiet) {
                (Some(_), _) => TimelineRole::Finding,
                (None, true) => TimelineRole::Quiet,
                (None, false) => TimelineRole::Suspect,
            },
        };
        if let Some(finding) = self
            .findings
            .iter_mut()
            .find(|finding| Some(finding.id.as_str()) == call.finding)
        {
            finding.evidence_total += 1;
            finding.last_time = Some(time);
            if !call.target.is_empty()
                && !finding.targets.iter().any(|known| known == call.target)
                && finding.targets.len() < 20
            {
                finding.targets.push(call.target.into());
            }
            if finding.evidence.len() < 10 {
                finding.evidence.push(Evidence {
                    file: entry.file.clone(),
                    index: entry.index,
                    offset: entry.offset,
                    event_id: Some(event_id),
                    time: Some(time),
                    action: call.action.into(),
                });
            }
        }
        self.timeline.push(entry);
    }

    fn quiet(&mut self, day: &str, count: u64) {
        let actions = [
            "s3:ListBuckets",
            "logs:GetLogEvents",
            "ecs:DescribeServices",
            "logs:FilterLogEvents",
            "ecr:DescribeImages",
        ];
        let start = at(&format!("{day}T08:12:04Z")).as_second();
        for number in 0..count {
            let time =
                Timestamp::from_second(start + (number * number * 37 % 28_000) as i64).unwrap();
            let action = actions[(number * number % 5) as usize];
            self.call(
                time,
                Call {
                    action,
                    quiet: true,
                    ..CALL
                },
            );
        }
    }
}

/// The incident's findings and timeline.
pub(super) fn story() -> Story {
    use Severity::{Critical, High, Low, Medium};
    let mut story = Story {
        timeline: vec![],
        findings: vec![
            finding(
                "f-2b71d0aa",
                "aws-mfa-enrolment-denied",
                "Enrolment of a second factor was refused",
                High,
                "2026-02-04T13:02:11Z",
            ),
            finding(
                "f-51c8e4f3",
                "aws-session-new-network",
                "Session used from a network it was not issued to",
                High,
                "2026-02-04T13:02:11Z",
            ),
            finding(
                "f-7720be19",
                "aws-discovery-burst",
                "Many kinds of listing calls within minutes",
                Medium,
                "2026-02-04T13:04:02Z",
            ),
            finding(
                "f-83aa0c5d",
                "aws-web-origin-bulk-read",
                "Bulk read of a web origin",
                High,
                "2026-02-04T16:10:40Z",
            ),
            finding(
                "f-9417f6c2",
                "aws-pipeline-role-elsewhere",
                "Pipeline's role assumed outside the pipeline",
                High,
                "2026-02-09T15:31:20Z",
            ),
            finding(
                "f-a06b2e81",
                "aws-secret-read-refused",
                "Reading a wallet's secret was refused",
                Medium,
                "2026-02-09T15:52:45Z",
            ),
            finding(
                "f-c95d1f44",
                "aws-web-bundle-replaced",
                "Web bundle replaced outside a release",
                Critical,
                "2026-02-19T15:29:25Z",
            ),
            finding(
                "f-d13e77b0",
                "aws-trail-lookup",
                "Look-up of the audit trail by a developer",
                Low,
                "2026-02-09T16:05:00Z",
            ),
        ],
    };
    let tag = |story: &mut Story, id: &str, techniques: &[&str], tactics: &[Tactic]| {
        let finding = story
            .findings
            .iter_mut()
            .find(|finding| finding.id == id)
            .unwrap();
        finding.techniques = techniques
            .iter()
            .filter_map(|id| Technique::new(id))
            .collect();
        finding.tactics = tactics.to_vec();
    };
    tag(
        &mut story,
        "f-2b71d0aa",
        &["T1098.005"],
        &[Tactic::Persistence],
    );
    tag(
        &mut story,
        "f-51c8e4f3",
        &["T1550.001"],
        &[Tactic::LateralMovement],
    );
    tag(
        &mut story,
        "f-7720be19",
        &["T1526", "T1580"],
        &[Tactic::Discovery],
    );
    tag(&mut story, "f-83aa0c5d", &["T1530"], &[Tactic::Collection]);
    tag(
        &mut story,
        "f-9417f6c2",
        &["T1078.004"],
        &[Tactic::PrivilegeEscalation],
    );
    tag(
        &mut story,
        "f-a06b2e81",
        &["T1555.006"],
        &[Tactic::CredentialAccess],
    );
    tag(
        &mut story,
        "f-c95d1f44",
        &["T1565.001", "T1195.002"],
        &[Tactic::Impact],
    );
    tag(&mut story, "f-d13e77b0", &["T1654"], &[Tactic::Discovery]);

    for (day, calls) in [("2026-02-04", 120), ("2026-02-09", 84), ("2026-02-19", 148)] {
        story.quiet(day, calls);
    }
    let seconds =
        |time: &str, add: u64| Timestamp::from_second(at(time).as_second() + add as i64).unwrap();
    let device = "arn:aws:iam::111122223333:mfa/mira.holm";
    for add in [0, 21] {
        story.call(
            seconds("2026-02-04T13:02:11Z", add),
            Call {
                action: "iam:EnableMFADevice",
                outcome: "AccessDenied",
                target: device,
                finding: Some("f-2b71d0aa"),
                ..CALL
            },
        );
    }
    story.call(
        at("2026-02-04T13:02:52Z"),
        Call {
            action: "sts:GetCallerIdentity",
            finding: Some("f-51c8e4f3"),
            ..CALL
        },
    );
    for number in 0..64 {
        let actions = [
            "s3:ListBuckets",
            "iam:ListRoles",
            "ec2:DescribeInstances",
            "lambda:ListFunctions",
            "kms:ListKeys",
            "cloudfront:ListDistributions",
            "secretsmanager:ListSecrets",
            "ecr:DescribeRepositories",
        ];
        let action = actions[number % actions.len()];
        story.call(
            seconds("2026-02-04T13:04:02Z", number as u64 * 3),
            Call {
                action,
                finding: Some("f-7720be19"),
                ..CALL
            },
        );
    }
    for number in 0..9 {
        story.call(
            seconds("2026-02-04T16:08:01Z", number * 11),
            Call {
                action: "s3:GetBucketPolicy",
                target: BUCKET,
                ..CALL
            },
        );
    }
    for number in 0..140 {
        let object = format!("{BUCKET}/_next/static/chunks/{number:04}.js");
        story.call(
            seconds("2026-02-04T16:10:40Z", number * 2),
            Call {
                action: "s3:GetObject",
                target: &object,
                finding: Some("f-83aa0c5d"),
                ..CALL
            },
        );
    }
    for add in [0, 4] {
        story.call(
            seconds("2026-02-09T15:31:20Z", add),
            Call {
                action: "sts:AssumeRole",
                target: PIPELINE_ROLE,
                finding: Some("f-9417f6c2"),
                ..CALL
            },
        );
    }
    for number in 0..12 {
        story.call(
            seconds("2026-02-09T15:34:00Z", number * 9),
            Call {
                action: "s3:ListObjects",
                target: BUCKET,
                pipeline: true,
                ..CALL
            },
        );
    }
    for number in 0..4 {
        story.call(
            seconds("2026-02-09T15:52:45Z", number * 40),
            Call {
                action: "secretsmanager:GetSecretValue",
                outcome: "AccessDenied",
                target: SECRET,
                finding: Some("f-a06b2e81"),
                pipeline: true,
                ..CALL
            },
        );
    }
    for number in 0..6 {
        story.call(
            seconds("2026-02-09T16:05:00Z", number * 15),
            Call {
                action: "cloudtrail:LookupEvents",
                finding: Some("f-d13e77b0"),
                pipeline: true,
                ..CALL
            },
        );
    }
    story.call(
        at("2026-02-19T15:20:02Z"),
        Call {
            action: "sts:AssumeRole",
            target: PIPELINE_ROLE,
            finding: Some("f-9417f6c2"),
            ..CALL
        },
    );
    let bundle = format!("{BUCKET}/_next/static/chunks/main.4f2a.js");
    story.call(
        at("2026-02-19T15:28:50Z"),
        Call {
            action: "s3:GetObject",
            target: &bundle,
            pipeline: true,
            ..CALL
        },
    );
    for time in ["2026-02-19T15:29:25Z", "2026-02-19T17:13:35Z"] {
        story.call(
            at(time),
            Call {
                action: "s3:PutObject",
                target: &bundle,
                finding: Some("f-c95d1f44"),
                pipeline: true,
                ..CALL
            },
        );
    }
    story.call(
        at("2026-02-19T17:15:13Z"),
        Call {
            action: "s3:GetObject",
            target: &bundle,
            pipeline: true,
            ..CALL
        },
    );
    for entry in &story.timeline {
        if entry.actor == PIPELINE
            && let Some(finding) = story
                .findings
                .iter_mut()
                .find(|finding| Some(&finding.id) == entry.finding.as_ref())
        {
            finding.actor = PIPELINE.into();
            finding.credential = entry.credential.clone();
        }
    }
    story.timeline.sort_by_key(|entry| entry.time);
    story.findings.sort_by_key(|finding| finding.time);
    story
}
