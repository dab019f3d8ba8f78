//! Small stories told in a few lines: events are folded by the detection crate's own two stages,
//! then rules written as closures make findings as its fold does.

#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use portreeve_detect::{
    ActivityRow, Batch, Folded, Networks, Position, RowId, Settings, Sign, Snapshot, StageOne,
    StageTwo, stable_id,
};
use portreeve_graph::{AttackPath, Jewel, JewelKind, PathStep};
use portreeve_incident::{Context, Incident, Reach, TimelineRole, incidents};
use portreeve_model::{
    Activity, Actor, CredentialKind, CredentialRef, EntityId, Estate, Evidence, Finding,
    FindingSource, MintMethod, Minted, Origin, OriginKind, Outcome, PrincipalKind, Revoked,
    Severity, Tactic,
};
use portreeve_record::Fields;
use portreeve_sigma::Matcher;

pub const OFFICE: &str = "198.51.100.10";
pub const HOME: &str = "203.0.113.20";
pub const VPN: &str = "192.0.2.41";
pub const OTHER_VPN: &str = "192.0.2.42";
pub const HOSTING: &str = "192.0.2.90";
pub const MAC: &str =
    "aws-cli/2.15.30 md/awscrt#0.19 ua/2.0 os/macos#23.4.0 md/arch#arm64 lang/python#3.11.8";
pub const KALI: &str = "aws-cli/2.22.35 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2-amd64 md/arch#x86_64 \
    lang/python#3.12.8 md/distrib#kali.2024 md/command#sts.get-caller-identity";
pub const WEB_DEPLOY: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b2c3d";

#[derive(Clone, Debug)]
pub struct Mint {
    pub credential: String,
    pub kind: CredentialKind,
    pub principal: String,
    pub session: Option<String>,
    pub expires: Option<Timestamp>,
    pub method: MintMethod,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub time: Option<Timestamp>,
    pub service: String,
    pub operation: String,
    pub principal: String,
    pub session: Option<String>,
    pub subject: Option<String>,
    pub kind: PrincipalKind,
    pub credential: Option<(String, CredentialKind)>,
    pub created: Option<Timestamp>,
    pub address: String,
    pub client: String,
    pub targets: Vec<String>,
    pub denied: bool,
    pub read_only: Option<bool>,
    pub minted: Option<Mint>,
    pub revoked: Option<Revoked<'static>>,
}

/// An event at a time (`2026-03-03T07:44:00Z`), of an action (`sts:GetCallerIdentity`).
pub fn event(time: &str, action: &str) -> Event {
    let (service, operation) = action.split_once(':').unwrap();
    let looks = ["Get", "List", "Describe", "Assume"];
    Event {
        id: String::new(),
        time: Some(time.parse().unwrap()),
        service: service.into(),
        operation: operation.into(),
        principal: String::new(),
        session: None,
        subject: None,
        kind: PrincipalKind::Unknown,
        credential: None,
        created: None,
        address: OFFICE.into(),
        client: MAC.into(),
        targets: Vec::new(),
        denied: false,
        read_only: Some(looks.iter().any(|verb| operation.starts_with(verb))),
        minted: None,
        revoked: None,
    }
}

impl Event {
    pub fn person(self, name: &str, key: &str) -> Self {
        self.role(WEB_DEPLOY, name, key)
    }

    pub fn role(mut self, role: &str, session: &str, key: &str) -> Self {
        self.principal = role.into();
        self.session = Some(session.into());
        self.credential = Some((key.into(), CredentialKind::Session));
        self
    }

    pub fn user(mut self, name: &str, key: &str) -> Self {
        self.principal = format!("arn:aws:iam::111122223333:user/{name}");
        let kind = if key.starts_with("ASIA") {
            CredentialKind::Session
        } else {
            CredentialKind::AccessKey
        };
        self.credential = Some((key.into(), kind));
        self
    }

    pub fn service(mut self, name: &str) -> Self {
        self.principal = name.into();
        self.kind = PrincipalKind::Service;
        self.address = name.into();
        self.client = name.into();
        self
    }

    pub fn web_identity(mut self, subject: &str) -> Self {
        self.principal = subject.into();
        self.subject = Some(subject.into());
        self
    }

    pub fn from(mut self, address: &str) -> Self {
        self.address = address.into();
        self
    }

    pub fn with(mut self, client: &str) -> Self {
        self.client = client.into();
        self
    }

    pub fn on(mut self, target: &str) -> Self {
        self.targets.push(target.into());
        self
    }

    pub fn denied(mut self) -> Self {
        self.denied = true;
        self
    }

    pub fn created(mut self, time: &str) -> Self {
        self.created = Some(time.parse().unwrap());
        self
    }

    pub fn mints(
        mut self,
        credential: &str,
        principal: &str,
        session: Option<&str>,
        method: MintMethod,
    ) -> Self {
        let kind = match method {
            MintMethod::CreateAccessKey => CredentialKind::AccessKey,
            MintMethod::CreateLoginProfile => CredentialKind::Password,
            _ => CredentialKind::Session,
        };
        self.minted = Some(Mint {
            credential: credential.into(),
            kind,
            principal: principal.into(),
            session: session.map(str::to_owned),
            expires: None,
            method,
        });
        self
    }

    pub fn revokes(mut self, revoked: Revoked<'static>) -> Self {
        self.revoked = Some(revoked);
        self
    }

    pub fn expires(mut self, time: &str) -> Self {
        if let Some(minted) = &mut self.minted {
            minted.expires = Some(time.parse().unwrap());
        }
        self
    }

    fn activity(&self) -> Activity<'_> {
        let origin = match self.address.parse::<std::net::IpAddr>() {
            Ok(address) if self.address.starts_with("10.") || address.is_loopback() => {
                OriginKind::Private
            }
            Ok(_) => OriginKind::Public,
            Err(_) if self.address.is_empty() => OriginKind::Unknown,
            Err(_) => OriginKind::Service,
        };
        Activity {
            source: "aws.cloudtrail",
            event_id: Some(self.id.as_str().into()),
            time: self.time,
            service: self.service.as_str().into(),
            operation: self.operation.as_str().into(),
            read_only: self.read_only,
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            actor: Actor {
                principal: self.principal.as_str().into(),
                kind: self.kind,
                session: self.session.as_deref().map(Into::into),
                subject: self.subject.as_deref().map(Into::into),
                ..Actor::default()
            },
            credential: self.credential.as_ref().map(|(id, kind)| CredentialRef {
                id: id.as_str().into(),
                kind: *kind,
                created: self.created,
                mfa: None,
                console: false,
            }),
            targets: self
                .targets
                .iter()
                .map(|target| target.as_str().into())
                .collect(),
            origin: Origin {
                address: self.address.as_str().into(),
                kind: origin,
                vpc_endpoint: None,
            },
            client: Some(self.client.as_str().into()),
            outcome: if self.denied {
                Outcome::Denied("AccessDenied".into())
            } else {
                Outcome::Success
            },
            minted: self.minted.as_ref().map(|minted| Minted {
                credential: minted.credential.as_str().into(),
                kind: minted.kind,
                principal: minted.principal.as_str().into(),
                session: minted.session.as_deref().map(Into::into),
                expires: minted.expires,
                method: minted.method,
            }),
            policy_change: None,
            effects: Vec::new(),
            revoked: self.revoked.clone(),
        }
    }
}

/// A rule of a test.
#[derive(Clone, Copy)]
pub struct TestRule {
    pub id: &'static str,
    pub severity: Severity,
    pub tactic: Tactic,
    pub matches: fn(&ActivityRow<'_>) -> bool,
}

/// The rules of most stories.
pub const RULES: &[TestRule] = &[
    TestRule {
        id: "client of an attack system",
        severity: Severity::High,
        tactic: Tactic::InitialAccess,
        matches: |row| {
            row.client().is_some_and(|it| it.contains("kali"))
                && row.action() == "sts:GetCallerIdentity"
        },
    },
    TestRule {
        id: "second factor refused",
        severity: Severity::Medium,
        tactic: Tactic::Persistence,
        matches: |row| row.denied() && row.action().contains("MFADevice"),
    },
    TestRule {
        id: "access key made",
        severity: Severity::Medium,
        tactic: Tactic::Persistence,
        matches: |row| row.action() == "iam:CreateAccessKey",
    },
    TestRule {
        id: "web origin written by a person",
        severity: Severity::High,
        tactic: Tactic::Impact,
        matches: |row| row.action() == "s3:PutObject" && row.principal().contains("AWSReservedSSO"),
    },
    TestRule {
        id: "consumer VPN",
        severity: Severity::Low,
        tactic: Tactic::CommandAndControl,
        matches: |row| row.address().is_some_and(|it| it.starts_with("192.0.2.4")),
    },
    TestRule {
        id: "estate listed",
        severity: Severity::Low,
        tactic: Tactic::Discovery,
        matches: |row| row.action() == "iam:ListUsers",
    },
    TestRule {
        id: "secret read",
        severity: Severity::Low,
        tactic: Tactic::CredentialAccess,
        matches: |row| row.action() == "secretsmanager:GetSecretValue",
    },
    TestRule {
        id: "trail stopped",
        severity: Severity::High,
        tactic: Tactic::DefenseImpairment,
        matches: |row| row.action() == "cloudtrail:StopLogging",
    },
    TestRule {
        id: "login failed",
        severity: Severity::Medium,
        tactic: Tactic::CredentialAccess,
        matches: |row| row.action() == "signin:ConsoleLogin" && row.denied(),
    },
];

/// Events, each with an id of its own by its number.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    pub events: Vec<Event>,
}

impl Logs {
    pub fn add(&mut self, mut event: Event) -> &mut Self {
        event.id = format!("event-{:05}", self.events.len());
        self.events.push(event);
        self
    }

    /// Several days on which people work from the office, and Mira from her home too.
    pub fn ordinary_days(&mut self, days: std::ops::Range<u32>) -> &mut Self {
        for day in days {
            for (number, person) in [
                "dev.mira", "dev.ole", "dev.ada", "dev.kim", "dev.lin", "dev.sam",
            ]
            .iter()
            .enumerate()
            {
                let key = format!("ASIA{}DAY{day:05}", person[4..].to_uppercase());
                for hour in 8..16 {
                    let time = format!("2026-03-{day:02}T{hour:02}:{:02}:00Z", number * 7);
                    let address = if *person == "dev.mira" && hour == 15 {
                        HOME
                    } else {
                        OFFICE
                    };
                    self.add(
                        event(&time, "s3:ListBuckets")
                            .person(person, &key)
                            .from(address),
                    );
                }
            }
        }
        self
    }

    /// One file, one batch.
    pub fn fold(&self) -> Folded {
        self.fold_with(&[], RULES)
    }

    pub fn fold_with(&self, signs: &[Sign], rules: &[TestRule]) -> Folded {
        let events: Vec<&Event> = self.events.iter().collect();
        fold(&[("logs/a.json", events)], signs, rules)
    }
}

/// Folds events as they stand in files, one batch a file.
pub fn fold(files: &[(&str, Vec<&Event>)], signs: &[Sign], rules: &[TestRule]) -> Folded {
    let mut fields = Fields::default();
    let (matcher, _) = Matcher::new(&[], &mut fields);
    let snapshot = Snapshot::new(&Estate::default(), Settings::default(), []);
    let mut stage_one = StageOne::new(&[], &matcher, &fields, &snapshot, signs);
    let mut stage_two = StageTwo::default();
    for (name, events) in files {
        let mut batch = Batch::default();
        let file = batch.add_file(Arc::from(*name));
        for (index, event) in events.iter().enumerate() {
            let index = index as u64;
            let position = Position {
                file,
                index,
                offset: index * 100,
            };
            stage_one.fold(&event.activity(), "Management", position, &mut batch);
        }
        stage_two.accept(batch);
    }
    let mut folded = stage_two.finish(&[], &matcher, &fields, &snapshot, signs);
    find(&mut folded, rules);
    folded
}

/// Adds what rules find: one finding for each rule, actor, credential and day.
fn find(folded: &mut Folded, rules: &[TestRule]) {
    let mut groups = BTreeMap::<(usize, String, String, String), Vec<RowId>>::new();
    for row in folded.activities.iter() {
        for (number, rule) in rules.iter().enumerate() {
            if (rule.matches)(&row) {
                let day = row
                    .time()
                    .map(|time| time.to_string()[..10].to_owned())
                    .unwrap_or_default();
                let credential = row.credential().unwrap_or_default().to_owned();
                groups
                    .entry((number, row.actor(), credential, day))
                    .or_default()
                    .push(row.id());
            }
        }
    }
    let signs = std::mem::take(&mut folded.findings);
    let sign_rows = |number: usize| -> Vec<RowId> {
        folded
            .hits
            .iter()
            .filter(|(_, it)| *it as usize == number)
            .map(|(row, _)| *row)
            .collect()
    };
    let mut made: Vec<(Finding, Vec<RowId>)> = signs
        .into_iter()
        .enumerate()
        .map(|(number, sign)| (sign, sign_rows(number)))
        .collect();
    for ((number, actor, credential, day), rows) in groups {
        let rule = &rules[number];
        let views = || rows.iter().map(|row| folded.activities.get(*row));
        let finding = Finding {
            id: stable_id(&[rule.id, &actor, &credential, &day]),
            rule: rule.id.to_owned(),
            title: format!("Rule: {}", rule.id),
            severity: rule.severity,
            time: views().filter_map(|row| row.time()).min(),
            last_time: views().filter_map(|row| row.time()).max(),
            source: FindingSource::Detection,
            actor,
            credential: (!credential.is_empty()).then_some(credential),
            targets: Vec::new(),
            techniques: Vec::new(),
            tactics: vec![rule.tactic],
            evidence: views()
                .map(|row| Evidence {
                    file: row.file().clone(),
                    index: row.position().index,
                    offset: row.position().offset,
                    event_id: row.event_id(),
                    time: row.time(),
                    action: row.action().to_owned(),
                })
                .collect(),
            evidence_total: rows.len() as u64,
            rule_author: None,
            details: Vec::new(),
            muted_by: None,
        };
        made.push((finding, rows));
    }
    made.sort_by(|(a, _), (b, _)| {
        (a.time.is_none(), a.time, &a.id).cmp(&(b.time.is_none(), b.time, &b.id))
    });
    folded.hits = made
        .iter()
        .enumerate()
        .flat_map(|(number, (_, rows))| rows.iter().map(move |row| (*row, number as u32)))
        .collect();
    folded.hits.sort_unstable();
    folded.findings = made.into_iter().map(|(finding, _)| finding).collect();
}

/// Networks as a user declares them.
pub fn settings(networks: &[(&str, &str)]) -> Settings {
    let networks = networks
        .iter()
        .map(|(range, class)| (range.parse().unwrap(), (*class).to_owned()))
        .collect();
    Settings {
        networks,
        ..Settings::default()
    }
}

pub fn tell(folded: &Folded) -> Vec<Incident> {
    tell_with(folded, &Settings::default(), None)
}

pub fn tell_with(folded: &Folded, settings: &Settings, reach: Option<&dyn Reach>) -> Vec<Incident> {
    incidents(&Context {
        folded,
        reach,
        networks: &Networks::new(settings, Vec::new()),
        settings,
        profiles: &[],
    })
}

/// A small estate: who reaches which jewel over how many steps.
#[derive(Default)]
pub struct SmallEstate {
    pub jewels: Vec<Jewel>,
    pub paths: Vec<(String, String, usize)>,
}

impl SmallEstate {
    pub fn jewel(mut self, id: &str, kind: JewelKind) -> Self {
        self.jewels.push(Jewel {
            id: id.into(),
            kind,
            reason: "of the test".into(),
        });
        self
    }

    pub fn path(mut self, from: &str, to: &str, steps: usize) -> Self {
        self.paths.push((from.into(), to.into(), steps));
        self
    }
}

impl Reach for SmallEstate {
    fn resolve(&self, principal: &str) -> Option<EntityId> {
        self.paths
            .iter()
            .any(|(from, ..)| from == principal)
            .then(|| principal.into())
    }

    fn paths_to_jewels(&self, from: &EntityId) -> Vec<AttackPath> {
        self.paths
            .iter()
            .filter(|(start, ..)| start == from.as_str())
            .map(|(start, end, steps)| AttackPath {
                from: start.as_str().into(),
                to: end.as_str().into(),
                conditions: Vec::new(),
                steps: (0..*steps)
                    .map(|number| PathStep {
                        from: format!("node-{number}").into(),
                        to: format!("node-{}", number + 1).into(),
                        via: "sts-assume-role".into(),
                        title: "Assume the role".into(),
                        permissions: Vec::new(),
                        conditions: Vec::new(),
                        statements: Vec::new(),
                    })
                    .collect(),
            })
            .collect()
    }

    fn jewels(&self) -> Vec<Jewel> {
        self.jewels.clone()
    }
}

/// The ids of the timeline's events that have a role.
pub fn events_of(incident: &Incident, role: TimelineRole) -> Vec<String> {
    incident
        .timeline
        .iter()
        .filter(|it| it.role == role)
        .filter_map(|it| it.event_id.clone())
        .collect()
}

pub fn has_action(incident: &Incident, action: &str, role: TimelineRole) -> bool {
    incident
        .timeline
        .iter()
        .any(|it| it.action == action && it.role == role)
}

pub fn commands(incident: &Incident) -> Vec<&str> {
    incident
        .response
        .iter()
        .filter_map(|step| step.command.as_deref())
        .collect()
}

/// The stolen session of the main story.
pub fn stolen_session() -> Logs {
    const BUNDLE: &str = "arn:aws:s3:::halyard-web-prod/_next/static/chunks/pages/_app-52c9.js";
    let mut logs = Logs::default();
    logs.ordinary_days(1..18);
    let mira = |time: &str, action: &str, day: u32| {
        let created = format!("2026-03-{day:02}T07:01:12Z");
        event(time, action)
            .person("dev.mira", &format!("ASIAMIRADAY{day:05}"))
            .created(&created)
    };
    let stolen = |time: &str, action: &str, day: u32| mira(time, action, day).from(VPN).with(KALI);
    logs.add(stolen("2026-03-10T07:44:00Z", "sts:GetCallerIdentity", 10));
    logs.add(stolen("2026-03-10T07:49:00Z", "iam:CreateVirtualMFADevice", 10).denied());
    logs.add(stolen("2026-03-10T07:50:00Z", "iam:EnableMFADevice", 10).denied());
    logs.add(stolen("2026-03-10T08:05:00Z", "iam:ListRoles", 10));
    // On the following days no rule fires, but the address and the client are the same.
    logs.add(
        stolen("2026-03-12T10:12:00Z", "s3:GetBucketVersioning", 12)
            .from(OTHER_VPN)
            .on("arn:aws:s3:::halyard-web-prod"),
    );
    logs.add(
        stolen("2026-03-12T10:20:00Z", "s3:GetObject", 12)
            .on("arn:aws:s3:::halyard-web-prod/_next/static/chunks/main.js")
            .on("arn:aws:s3:::halyard-web-prod"),
    );
    logs.add(
        stolen("2026-03-15T15:29:00Z", "s3:PutObject", 15)
            .on(BUNDLE)
            .on("arn:aws:s3:::halyard-web-prod"),
    );
    logs.add(
        stolen("2026-03-17T14:15:13Z", "s3:PutObject", 17)
            .on(BUNDLE)
            .on("arn:aws:s3:::halyard-web-prod"),
    );
    logs
}
