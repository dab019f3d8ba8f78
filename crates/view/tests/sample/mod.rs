//! A made-up report, as rich as a real one: a developer's stolen session, a denied second factor,
//! discovery, a bulk read, the pipeline's role, a replaced web bundle, and paths still open.
#![allow(dead_code)]

mod story;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_evidence::{EvidenceHole, HoleKind, Verification};
use portreeve_graph::cut::LeastCost;
use portreeve_graph::{AttackPath, Jewel, JewelKind, PathStep};
use portreeve_incident::Held;
use portreeve_incident::containment::{IncidentCut, Refusal, Refused, SessionEnd};
use portreeve_incident::*;
use portreeve_model::*;

use story::{Story, finding, story};

pub(crate) const DEVELOPER: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Developer_9c2f41d7/mira.holm@halden.example";
pub(crate) const DEVELOPER_ROLE: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Developer_9c2f41d7";
pub(crate) const PIPELINE: &str = "arn:aws:iam::111122223333:role/ci/web-deploy/GitHubActions";
pub(crate) const PIPELINE_ROLE: &str = "arn:aws:iam::111122223333:role/ci/web-deploy";
pub(crate) const STOLEN: &str = "ASIAQ7LK2MXV4TEXAMPL";
pub(crate) const SECOND: &str = "ASIAQ7LK2MXVDAYTWOEX";
pub(crate) const THIRD: &str = "ASIAQ7LK2MXVDAYTHREE";
pub(crate) const MINTED: &str = "ASIAQ7LK2MXVPIPELINE";
pub(crate) const MINTED_LATER: &str = "ASIAQ7LK2MXVRELEASEX";
pub(crate) const BUCKET: &str = "arn:aws:s3:::halden-sign-web";
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:444455556666:key/3f1c9a52-7c0e-4a6b-9d51-2b8f6f0a7d10";
pub(crate) const SECRET: &str =
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/wallet/hot-signer-Xk29Pq";
pub(crate) const REPOSITORY: &str =
    "arn:aws:ecr:eu-west-1:111122223333:repository/halden/signer-api";
pub(crate) const INTRUDER: &str = "198.51.100.23";
pub(crate) const OFFICE: &str = "203.0.113.24";

/// What must not be left in a redacted report.
pub(crate) const SENSITIVE: &[&str] = &[
    "111122223333",
    "444455556666",
    "mira.holm",
    "halden",
    "AWSReservedSSO_Developer_9c2f41d7",
    "web-deploy",
    "GitHubActions",
    STOLEN,
    MINTED,
    SECOND,
    THIRD,
    MINTED_LATER,
    "hot-signer",
    "signer-api",
    INTRUDER,
    OFFICE,
    "198.51.100.0",
    "3f1c9a52",
    "/evidence",
    "main.4f2a.js",
    "lambda-signer",
    "jo.berg",
    "o-a1b2c3d4e5",
    "Tidewater",
];

const LOGS: &str = "/evidence/halden-trail/AWSLogs/111122223333/CloudTrail/eu-west-1";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn step(
    from: &str,
    to: &str,
    via: &str,
    title: &str,
    permissions: &[&str],
    conditions: &[&str],
    statement: &str,
) -> PathStep {
    let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    PathStep {
        from: from.into(),
        to: to.into(),
        via: via.into(),
        title: title.into(),
        permissions: list(permissions),
        conditions: list(conditions),
        statements: list(&[statement]),
    }
}

fn path(steps: Vec<PathStep>) -> AttackPath {
    let mut conditions: Vec<String> = steps
        .iter()
        .flat_map(|step| step.conditions.clone())
        .collect();
    conditions.dedup();
    AttackPath {
        from: steps[0].from.clone(),
        to: steps[steps.len() - 1].to.clone(),
        conditions,
        steps,
    }
}

/// The paths that are still open.
pub(crate) fn paths() -> Vec<AttackPath> {
    let signer = "arn:aws:iam::111122223333:role/lambda-signer";
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:settlement-signer";
    let to_pipeline = || {
        step(
            DEVELOPER_ROLE,
            PIPELINE_ROLE,
            "sts-assume-role",
            "assume the role",
            &["sts:AssumeRole"],
            &[],
            "DeveloperAccess#AssumeCi",
        )
    };
    vec![
        path(vec![
            to_pipeline(),
            step(
                PIPELINE_ROLE,
                BUCKET,
                "s3-write-web-origin",
                "write to the web origin",
                &["s3:PutObject"],
                &[],
                "web-deploy#WriteSite",
            ),
        ]),
        path(vec![
            to_pipeline(),
            step(
                PIPELINE_ROLE,
                REPOSITORY,
                "ecr-push-image",
                "push an image that workloads run",
                &["ecr:PutImage", "ecr:UploadLayerPart"],
                &["aws:SourceVpce"],
                "web-deploy#3",
            ),
        ]),
        path(vec![
            to_pipeline(),
            step(
                PIPELINE_ROLE,
                function,
                "lambda-update-code",
                "replace the function's code",
                &["lambda:UpdateFunctionCode"],
                &[],
                "web-deploy#Functions",
            ),
            step(
                function,
                signer,
                "workload-runs-as",
                "the function runs as",
                &[],
                &[],
                "",
            ),
            step(
                signer,
                KEY,
                "kms-sign",
                "sign with the key",
                &["kms:Sign"],
                &["kms:ViaService", "aws:PrincipalOrgID"],
                "signer-inline#Sign",
            ),
        ]),
    ]
}

fn network(
    address: &str,
    class: &str,
    client: &str,
    first: &str,
    last: &str,
    calls: u64,
    suspect: bool,
) -> NetworkUse {
    NetworkUse {
        address: address.into(),
        class: class.into(),
        client: Some(client.into()),
        first: Some(at(first)),
        last: Some(at(last)),
        calls,
        suspect,
    }
}

const OWNERS_CLIENT: &str = "aws-cli/2.15.30 md/Botocore#1.34.69 ua/2.0 os/macos#23.4.0";
const INTRUDERS_CLIENT: &str = "Boto3/1.26.0 Python/3.11.8 Linux/6.6.9-kali";

fn credential_story(
    credential: &str,
    parent: Option<&str>,
    created: &str,
    hours: i64,
    networks: Vec<NetworkUse>,
) -> CredentialStory {
    let minted = parent.is_some();
    CredentialStory {
        credential: credential.into(),
        actor: if minted { PIPELINE } else { DEVELOPER }.into(),
        parent: parent.map(str::to_owned),
        minted_by: if minted {
            "assume-role"
        } else {
            "assume-role-with-saml"
        }
        .into(),
        certainty: Some(Certainty::Certain),
        reason: None,
        created: Some(at(created)),
        expires: Some(Timestamp::from_second(at(created).as_second() + hours * 3600).unwrap()),
        networks,
    }
}

fn containment() -> eviction::Containment {
    eviction::Containment {
        at: at("2026-02-19T18:00:00Z"),
        basis: eviction::ContainmentBasis::Stated,
    }
}

fn evicted() -> Vec<eviction::Evicted> {
    use portreeve_incident::eviction::*;
    let record = |action: &str, time: &str| RecordName {
        time: Some(at(time)),
        action: action.into(),
        actor: PIPELINE.into(),
        event_id: Some("e-0001".into()),
        file: Some(format!("{LOGS}/a.json.gz").into()),
        index: Some(3),
    };
    let thing = |kind: &str, id: &str, how, state, why: &str| Evicted {
        kind: kind.into(),
        id: id.into(),
        how,
        since: Some(at("2026-02-19T15:20:02Z")),
        record: Some(record("sts:AssumeRole", "2026-02-19T15:20:02Z")),
        state,
        until: None,
        why: why.into(),
        shown_by: None,
        fired: Vec::new(),
        fired_total: 0,
    };
    vec![
        Evicted {
            until: Some(at("2026-02-20T03:20:02Z")),
            fired: vec![record("s3:GetObject", "2026-02-19T19:11:00Z")],
            fired_total: 1,
            ..thing(
                "session",
                MINTED_LATER,
                Hold::Made,
                EvictionState::AliveUntil,
                "it ends by itself then",
            )
        },
        thing(
            "trust of a role",
            PIPELINE_ROLE,
            Hold::Changed,
            EvictionState::Alive,
            "no record in the logs takes it away",
        ),
        Evicted {
            shown_by: Some(record("s3:PutObject", "2026-02-19T17:40:00Z")),
            ..thing(
                "content",
                &format!("{BUCKET}/_next/static/chunks/main.4f2a.js"),
                Hold::Changed,
                EvictionState::Dead,
                "s3:PutObject at 2026-02-19 17:40 UTC",
            )
        },
    ]
}

fn evidence_hole() -> EvidenceHole {
    EvidenceHole {
        from: Some(at("2026-02-19T16:00:00Z")),
        until: Some(at("2026-02-19T16:55:12Z")),
        kind: HoleKind::MissingLog,
        account: "444455556666".into(),
        region: "eu-west-1".into(),
        trail: "org-trail".into(),
        object: "halden-trail/AWSLogs/444455556666/CloudTrail/eu-west-1/2026/02/19/444455556666_CloudTrail_eu-west-1_20260219T1700Z_a1B2c3D4e5F6g7H8.json.gz".into(),
        file: None,
        reason: "a proven digest lists it".into(),
    }
}

fn exception() -> ExceptionUse {
    ExceptionUse {
        id: "nightly-scan".into(),
        state: ExceptionState::Unused,
        muted: 0,
        incidents: Vec::new(),
        scope: vec![
            "rule=aws-many-refused".into(),
            "actor=scanner-*".into(),
            "account=444455556666".into(),
        ],
        from: None,
        expires: at("2026-06-01T00:00:00Z"),
        owner: "jo.berg".into(),
        reason: "Tidewater's scanner asks for more than it may".into(),
        ticket: "SEC-41".into(),
    }
}

fn sight() -> sight::ProfileSight {
    use portreeve_incident::sight::*;
    let log = |state, gaps| LogSight {
        source: "aws.cloudtrail".into(),
        kind: Some("Data".into()),
        services: vec!["s3".into()],
        what: "writes of objects in web origins".into(),
        state,
        gaps,
    };
    let step = |id: &str, title: &str, state, gaps| StepSight {
        id: id.into(),
        title: title.into(),
        stage: actor::Stage::Following,
        weight: 14,
        techniques: Technique::new("T1565.001").into_iter().collect(),
        state,
        logs: vec![log(state, gaps)],
    };
    let gap = Gap {
        account: Some("444455556666".into()),
        from: Some(at("2026-01-17T00:00:00Z")),
        until: Some(at("2026-01-19T00:00:00Z")),
        why: "no call on an object of halden-sign-web is in the logs".into(),
        ..Gap::default()
    };
    ProfileSight {
        actor: "lazarus".into(),
        title: "Lazarus Group".into(),
        steps: vec![
            step(
                "put-back",
                "what was replaced is put back",
                LogState::There,
                Vec::new(),
            ),
            step(
                "origin-replaced",
                "content that signers' browsers load is replaced",
                LogState::Partly,
                vec![gap],
            ),
        ],
    }
}

fn likeness() -> actor::Likeness {
    let reason = |id: &str, words: &str, points| actor::Resemblance {
        id: id.into(),
        words: words.into(),
        points,
        basis: "a published case".into(),
    };
    actor::Likeness {
        actor: "lazarus".into(),
        title: "Lazarus Group".into(),
        score: 26,
        like: vec![
            reason(
                "origin-replaced",
                "content that signers' browsers load is replaced (s3:PutObject ×2, first 2026-02-19 15:29 UTC)",
                18,
            ),
            reason(
                "put-back",
                "what was replaced is put back (halden-sign-web/main.4f2a.js was written again 106 minutes later)",
                14,
            ),
        ],
        unlike: vec![reason(
            "other-hours",
            "works mostly when the victim does not (3 of 12 calls in hours of the day in which the owner works)",
            6,
        )],
    }
}

/// A wallet whose signers used the page that was written.
fn wallet() -> WalletStory {
    let event = |time, severity, rule: &str, reason: &str, block, loss| WalletEvent {
        time: Some(at(time)),
        severity,
        rule: rule.into(),
        reason: reason.into(),
        block,
        hash: Some(format!("0x{}", "5a".repeat(32))),
        loss,
    };
    WalletStory {
        wallet: "treasury-cold".into(),
        address: format!("0x{}", "1c".repeat(20)),
        id: format!("eip155:1:0x{}", "1c".repeat(20)),
        severity: Severity::Critical,
        ties: vec![Tie {
            kind: TieKind::Page,
            target: format!("{BUCKET}/static/app.3f9c1a.js"),
            time: Some(at("2026-02-19T15:20:02Z")),
            action: "s3:PutObject".into(),
            actor: PIPELINE.into(),
            event_id: Some("c0ffee00-0000-4000-8000-000000000001".into()),
            certainty: Certainty::Likely,
        }],
        events: vec![
            event(
                "2026-02-20T05:42:40Z",
                Severity::Critical,
                "signature-mismatch",
                "an owner signed a delegatecall, and was shown a transfer",
                None,
                false,
            ),
            event(
                "2026-02-20T14:13:35Z",
                Severity::Critical,
                "wallet.outflow-burst",
                "401,346 ETH left within two minutes, all that it held",
                Some((1, 21_895_251)),
                true,
            ),
        ],
        loss: Some(at("2026-02-20T14:13:35Z")),
        before_loss: vec![Lead {
            what: "its signers' page was changed".into(),
            time: at("2026-02-19T15:20:02Z"),
            seconds: 82_413,
        }],
        response: Vec::new(),
    }
}

fn incident(story: &Story) -> Incident {
    let part = |reason: &str, points| ScorePart {
        reason: reason.into(),
        points,
    };
    Incident {
        wallets: vec![wallet()],
        id: "inc-3f1c9b20".into(),
        severity: Severity::Critical,
        score: 96,
        score_parts: vec![part("a crown jewel was written", 40), part("session used from a new network", 20), part("a second credential was minted", 16), part("a path to a signing key is open", 20)],
        headline: "A stolen session of mira.holm@halden.example reached the pipeline's role and replaced the web bundle in halden-sign-web that signers load".into(),
        narrative: vec![
            "The session was issued on 2026-02-04 in the office network and used from 198.51.100.23 four hours later, first to enrol a second factor, which was refused.".into(),
            "It listed what the account holds, read 140 objects of the web origin, and assumed the pipeline's role web-deploy.".into(),
            "With that role the bundle main.4f2a.js was replaced on 2026-02-19 and put back two hours later.".into(),
        ],
        first_sign: Some(at("2026-02-04T13:02:11Z")),
        last_activity: Some(at("2026-02-19T17:15:13Z")),
        principals: vec![DEVELOPER.into(), PIPELINE.into()],
        credentials: [STOLEN, SECOND, MINTED, THIRD, MINTED_LATER].map(str::to_owned).to_vec(),
        credential_stories: vec![
            credential_story(STOLEN, None, "2026-02-04T08:11:58Z", 12, vec![
                network(OFFICE, "office", OWNERS_CLIENT, "2026-02-04T08:12:04Z", "2026-02-04T15:58:41Z", 120, false),
                network(INTRUDER, "unknown", "Boto3/1.26.0 Python/3.11.8 Linux/6.6.9-kali\u{1b}[2J", "2026-02-04T13:02:11Z", "2026-02-04T16:15:18Z", 216, true),
            ]),
            credential_story(SECOND, None, "2026-02-09T08:11:40Z", 12, vec![
                network(OFFICE, "office", OWNERS_CLIENT, "2026-02-09T08:12:04Z", "2026-02-09T15:50:12Z", 84, false),
                network(INTRUDER, "unknown", INTRUDERS_CLIENT, "2026-02-09T15:31:20Z", "2026-02-09T15:31:24Z", 2, true),
            ]),
            credential_story(MINTED, Some(SECOND), "2026-02-09T15:31:24Z", 1, vec![network(INTRUDER, "unknown", INTRUDERS_CLIENT, "2026-02-09T15:34:00Z", "2026-02-09T16:06:15Z", 22, true)]),
            credential_story(THIRD, None, "2026-02-19T08:11:31Z", 12, vec![
                network(OFFICE, "office", OWNERS_CLIENT, "2026-02-19T08:12:04Z", "2026-02-19T15:57:01Z", 148, false),
                network(INTRUDER, "unknown", INTRUDERS_CLIENT, "2026-02-19T15:20:02Z", "2026-02-19T15:20:02Z", 1, true),
            ]),
            credential_story(MINTED_LATER, Some(THIRD), "2026-02-19T15:20:02Z", 12, vec![network(INTRUDER, "unknown", INTRUDERS_CLIENT, "2026-02-19T15:28:50Z", "2026-02-19T17:15:13Z", 4, true)]),
        ],
        chains: vec![Chain {
            person: "mira.holm@halden.example".into(),
            networks: vec!["198.51.100.0/24".into()],
            clients: vec![INTRUDERS_CLIENT.into()],
            first: Some(at("2026-02-04T13:02:11Z")),
            last: Some(at("2026-02-19T15:20:02Z")),
            days: 3,
            credentials: [
                (STOLEN, "2026-02-04T13:02:11Z", "2026-02-04T16:15:18Z", 216),
                (SECOND, "2026-02-09T15:31:20Z", "2026-02-09T15:31:24Z", 2),
                (THIRD, "2026-02-19T15:20:02Z", "2026-02-19T15:20:02Z", 1),
            ]
            .map(|(credential, first, last, calls)| ChainedCredential {
                credential: credential.into(),
                first: Some(at(first)),
                last: Some(at(last)),
                calls,
            })
            .to_vec(),
        }],
        techniques: story.findings.iter().flat_map(|finding| finding.techniques.clone()).collect(),
        tactics: vec![Tactic::Persistence, Tactic::PrivilegeEscalation, Tactic::CredentialAccess, Tactic::Discovery, Tactic::LateralMovement, Tactic::Collection, Tactic::Impact],
        findings: story.findings.iter().map(|finding| finding.id.clone()).collect(),
        timeline: story.timeline.clone(),
        touched: vec![
            Touched { resource: BUCKET.into(), objects: 141, actions: vec![("s3:GetObject".into(), 142), ("s3:ListObjects".into(), 12), ("s3:GetBucketPolicy".into(), 9), ("s3:PutObject".into(), 2)], written: true, succeeded: true, jewel: Some("web origin".into()) },
            Touched { resource: SECRET.into(), objects: 0, actions: vec![("secretsmanager:GetSecretValue".into(), 4)], written: false, succeeded: false, jewel: Some("wallet secret".into()) },
            Touched { resource: PIPELINE_ROLE.into(), objects: 0, actions: vec![("sts:AssumeRole".into(), 3)], written: false, succeeded: true, jewel: None },
            Touched { resource: "arn:aws:iam::111122223333:mfa/mira.holm".into(), objects: 0, actions: vec![("iam:EnableMFADevice".into(), 2)], written: true, succeeded: false, jewel: None },
        ],
        paths: paths(),
        response: vec![
            ResponseStep {
                title: "Refuse everything to sessions of web-deploy issued before now".into(),
                command: Some("aws iam put-role-policy --role-name web-deploy --policy-name portreeve-revoke-older-sessions --policy-document '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-02-19T18:00:00Z\"}}}]}'".into()),
                caveat: Some("Releases fail until the pipeline assumes the role anew.".into()),
            },
            ResponseStep {
                title: "End the sign-in sessions of mira.holm in Identity Center, and reset the password".into(),
                command: None,
                caveat: Some("Role sessions that were already issued go on until they end: see the step above.".into()),
            },
            ResponseStep {
                title: "Put back the bundle from the last release and look at what changed".into(),
                command: Some("aws s3api list-object-versions --bucket halden-sign-web --prefix _next/static/chunks/main.4f2a.js".into()),
                caveat: Some("Only a bucket with versioning keeps the replaced object.".into()),
            },
        ],
        cut: Some(cut()),
        likeness: vec![likeness()],
        containment: Some(containment()),
        eviction: evicted(),
        muted: 0,
        evidence_holes: vec![evidence_hole()],
        proof: [(Proof::Proven, 21), (Proof::Unproven, 3)].into(),
        by_people: None,
    }
}

fn cut() -> IncidentCut {
    IncidentCut {
        from: vec![PIPELINE_ROLE.into()],
        proven: true,
        minimal: true,
        least_cost: LeastCost::Proven,
        cost: 2,
        bound: 2,
        candidates: 9,
        changes: vec![ResponseStep {
            title: "Take s3:PutObject out of the statement of policy upload of web-deploy in 111122223333".into(),
            command: Some("aws iam delete-role-policy --role-name 'web-deploy' --policy-name 'upload'".into()),
            caveat: None,
        }],
        left: 0,
        refused: vec![Refused {
            principal: PIPELINE_ROLE.into(),
            sessions: vec!["mira.holm".into()],
            action: "s3:PutObject".into(),
            operation: "s3:PutObject".into(),
            resource: format!("{BUCKET}/index.html"),
            refusal: Refusal::Denied,
            reason: None,
            calls: 12,
            first: Some("2026-02-03T09:00:00Z".parse().unwrap()),
            last: Some("2026-02-18T16:40:00Z".parse().unwrap()),
        }],
        replayed: 4_112,
        sessions: vec![SessionEnd {
            credential: MINTED.into(),
            ends: "2026-02-20T05:12:00Z".parse().unwrap(),
            at_latest: true,
        }],
        reach: vec!["web-deploy in 111122223333: no permission set reaches it; its own policies do; a service control policy binds it.".into()],
    }
}

/// The whole report.
pub(crate) fn report() -> Report {
    let mut story = story();
    let incident = incident(&story);
    let mut other = finding(
        "f-0e2f9d11",
        "aws-root-sign-in",
        "Sign-in of an account's root user",
        Severity::Medium,
        "2026-01-15T09:00:00Z",
    );
    other.actor = "arn:aws:iam::444455556666:root".into();
    other.credential = None;
    let mut scanner = Vec::new();
    for number in 0..3 {
        let mut one = finding(
            &format!("f-1c0000{number}"),
            "aws-many-refused",
            "Many refused calls of one principal",
            Severity::Low,
            &format!("2026-01-2{number}T03:00:00Z"),
        );
        one.actor = format!("arn:aws:iam::444455556666:user/scanner-{}", number % 2);
        one.rule_author = Some("J. Example (Detection Rule License 1.1)".into());
        scanner.push(one);
    }
    story.findings.push(other);
    story.findings.extend(scanner);
    story.findings.push(Finding {
        actor: "arn:aws:iam::111122223333:user/jo.berg\u{202e}nimda".into(),
        credential: None,
        ..finding(
            "f-2200ab90",
            "aws-login-profile-created",
            "Console password created for a user",
            Severity::Medium,
            "2026-01-30T10:00:00Z",
        )
    });
    for finding in &mut story.findings {
        if finding.evidence.is_empty() {
            finding.evidence_total = 1;
            finding.evidence.push(Evidence {
                file: format!("{LOGS}/2026/01/15/0.json.gz").as_str().into(),
                index: 3,
                offset: 4410,
                event_id: Some("0c4f11aa-1b2c-4d5e-8f90-000000000001".into()),
                time: finding.time,
                action: "signin:ConsoleLogin".into(),
            });
        }
    }
    story.findings.sort_by_key(|finding| finding.time);
    let jewel = |id: &str, kind, reason: &str| Jewel {
        id: id.into(),
        kind,
        reason: reason.into(),
    };
    Report {
        wallets: Vec::new(),
        version: "0.1.0".into(),
        rules_sha256: "5b0e77f2a94c1d3be86f20aa41d79c35f1e2b7a8046c9d51ee73a2b1c4d5f607".into(),
        rules: 92,
        simulated: false,
        incidents: vec![incident],
        findings: story.findings,
        jewels: vec![
            jewel(BUCKET, JewelKind::WebOrigin, "distribution E1HALDEN2SIGN serves it"),
            jewel(KEY, JewelKind::SigningKey, "a key of spec ECC_SECG_P256K1"),
            jewel(SECRET, JewelKind::WalletSecret, "its name says wallet"),
            jewel(REPOSITORY, JewelKind::ImageRepository, "the task settlement pulls from it"),
        ],
        coverage: vec![Coverage {
            source: "aws.cloudtrail".into(),
            first: Some(at("2026-01-05T00:00:41Z")),
            last: Some(at("2026-02-21T23:59:12Z")),
            records: 214_310,
            duplicates: 96,
            without_time: 1,
            accounts: BTreeSet::from(["111122223333".into(), "444455556666".into()]),
            regions: BTreeSet::from(["eu-west-1".into(), "us-east-1".into()]),
            event_kinds: BTreeMap::from([("Management".into(), 171_002), ("Data".into(), 43_308)]),
            days_without_records: vec!["2026-01-17".into(), "2026-01-18".into()],
            services: BTreeMap::from([("111122223333".into(), BTreeMap::from([("s3".into(), 43_308)]))]),
            cells: vec![CoverageCell {
                account: "111122223333".into(),
                region: "eu-west-1".into(),
                kind: "Data".into(),
                records: 43_308,
                hours: 900,
                first: Some(at("2026-01-05T00:00:00Z")),
                last: Some(at("2026-02-21T23:00:00Z")),
                holes: vec![Hole {
                    from: at("2026-01-17T00:00:00Z"),
                    until: at("2026-01-19T00:00:00Z"),
                }],
            }],
            cells_omitted: false,
        }],
        sight: vec![sight()],
        exceptions: vec![exception()],
        blind_spots: vec![
            BlindSpot { missing: "S3 data events of account 444455556666".into(), consequence: "whether objects were read or written there cannot be told".into(), remedy: "aws cloudtrail get-event-selectors --trail-name org-trail".into() },
            BlindSpot { missing: "key policies of account 444455556666".into(), consequence: "paths to its keys may be missing, or shown where the key's policy refuses them".into(), remedy: "aws kms get-key-policy --key-id KEY --policy-name default --profile halden-vault".into() },
        ],
        dead_letters: vec![DeadLetter { file: format!("{LOGS}/2026/01/29/7.json.gz").as_str().into(), offset: 88_211, reason: "the gzip stream ends early; 412 records before it were read".into() }],
        dead_letters_omitted: 0,
        inputs: (0..6)
            .map(|number| Input {
                file: if number == 0 { "/evidence/halden-trail/estate/authorization-details.json".into() } else { format!("{LOGS}/2026/02/{:02}/{number}.json.gz", number + 3).as_str().into() },
                kind: if number == 0 { InputKind::Inventory } else { InputKind::Log },
                format: if number == 0 { "aws.account-authorization-details" } else { "aws.cloudtrail" }.into(),
                bytes: 181_204 * (number + 1),
                sha256: format!("{number:x}").repeat(64),
                records: if number == 0 { 0 } else { 8_300 * number },
                proof: (number > 0).then_some(Proof::Proven),
            })
            .collect(),
        verification: Some(Verification {
            holes: vec![evidence_hole()],
            ..Verification::default()
        }),
        notes: vec![
            "Deploy principals of halden-sign-web were inferred from the 30 quiet days before the first finding: web-deploy, from the addresses of the pipeline.".into(),
            "The organisation o-a1b2c3d4e5 (repo:Tidewater/sign-web:ref:refs/heads/main) has no service control policies in the export.".into(),
        ],
        summary: Summary { records: 214_407, bytes: 318_004_112, seconds: 4.2 },
    }
}

/// A report in which nothing was found.
pub(crate) fn clear() -> Report {
    let mut report = report();
    report.incidents.clear();
    report.findings.clear();
    report.dead_letters.clear();
    report
}

/// The tree of a stolen session: from the portal, over its key, to the pipeline's role.
pub(crate) fn trace() -> Trace {
    let held =
        |address: &str, class: &str, tool: &str, first: &str, last: &str, services: &[&str]| Held {
            address: address.into(),
            network: format!("{address}/24"),
            class: class.into(),
            client: Some(tool.into()),
            tool: Some(tool.into()),
            first: Some(at(first)),
            last: Some(at(last)),
            calls: 214,
            refused: 2,
            services: services.iter().map(|it| (*it).to_owned()).collect(),
        };
    let minting =
        |parent: &str, method, certainty, reason: &str, time: &str, address: &str| Minting {
            parent: Some(parent.into()),
            method,
            certainty,
            reason: reason.into(),
            time: Some(at(time)),
            address: Some(address.into()),
            client: None,
            event_id: None,
        };
    let one = |credential: &str, depth, asked, principal: &str| TracedCredential {
        credential: credential.into(),
        kind: CredentialKind::Session,
        depth,
        asked,
        principal: principal.into(),
        actors: vec!["mira.holm@halden.example".into()],
        minted: None,
        unsure: false,
        created: None,
        ends: None,
        ends_at_latest: false,
        held: vec![],
    };
    let portal = TracedCredential {
        held: vec![held(
            OFFICE,
            "office",
            "aws-cli on macOS",
            "2026-02-04T08:11:40Z",
            "2026-02-04T08:11:52Z",
            &["sso"],
        )],
        ..one(
            "c6a1f1b2-7f0e-4e9b-9d0c-3b6f4a0e7a51",
            0,
            false,
            "arn:aws:identitystore:::user/94d00cd8-e9e6-4810-b177-b08e84775435",
        )
    };
    let stolen = TracedCredential {
        minted: Some(minting(
            "c6a1f1b2-7f0e-4e9b-9d0c-3b6f4a0e7a51",
            "get-role-credentials",
            Certainty::Likely,
            "the same person took this permission set in this account from the portal 6 s from its \
             creation",
            "2026-02-04T08:11:52Z",
            OFFICE,
        )),
        created: Some(at("2026-02-04T08:11:58Z")),
        ends: Some(at("2026-02-04T20:11:58Z")),
        ends_at_latest: true,
        held: vec![
            held(
                OFFICE,
                "office",
                "aws-cli on macOS",
                "2026-02-04T08:12:04Z",
                "2026-02-04T15:58:41Z",
                &["ec2", "ecr", "s3"],
            ),
            held(
                INTRUDER,
                "unknown",
                "Boto3 on Kali Linux\u{1b}[2J",
                "2026-02-04T13:02:11Z",
                "2026-02-04T16:15:18Z",
                &[
                    "cloudfront",
                    "ec2",
                    "ecr",
                    "ecs",
                    "iam",
                    "kms",
                    "lambda",
                    "s3",
                    "ssm",
                    "sts",
                ],
            ),
        ],
        ..one(STOLEN, 1, true, DEVELOPER)
    };
    let minted = TracedCredential {
        minted: Some(minting(
            STOLEN,
            "assume-role",
            Certainty::Certain,
            "the call that made it returned its key",
            "2026-02-04T13:20:00Z",
            INTRUDER,
        )),
        created: Some(at("2026-02-04T13:20:00Z")),
        ends: Some(at("2026-02-04T14:20:00Z")),
        ..one(MINTED, 2, false, PIPELINE)
    };
    Trace {
        asked: STOLEN.into(),
        certainty: Certainty::Likely,
        actors: vec!["mira.holm@halden.example".into()],
        credentials: vec![STOLEN.into()],
        trees: vec![Tree {
            credentials: vec![portal, stolen, minted],
            omitted: 3,
        }],
    }
}
