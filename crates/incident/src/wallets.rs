//! What happened to wallets, joined to the intrusion that led there.
//!
//! A wallet's story hangs on an incident where, within sixty days before it, the incident wrote to what
//! serves the page that the wallet's signers use, or acted on the key that signs for it. That is no
//! proof that one led to the other, and each tie says how sure it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_detect::Certainty;
use portreeve_model::{Estate, Relation, Severity, Tactic, Technique};
use portreeve_wallet::Address;
use portreeve_wallet::contain::{Step, steps};
use portreeve_wallet::policy::{Policy, Wallet};
use portreeve_wallet::relations::wallet_id;
use portreeve_wallet::safe::{Check, Verification};
use portreeve_wallet::watch::{WalletFinding, WatchReport};
use serde::{Deserialize, Serialize};

use crate::names;
use crate::report::{Incident, ResponseStep, ScorePart, TimelineEntry, TimelineRole};
use crate::text::{clean, second, span};

/// Rules whose matches are money that leaves.
const LOSSES: [&str; 4] = [
    "wallet.approval-drain",
    "wallet.fan-out",
    "wallet.outflow-burst",
    "wallet.probe-then-drain",
];

/// Rules whose matches are preparation: what leads to the wallet may come after them.
const PREPARATIONS: [&str; 1] = ["wallet.staged-contract"];

/// How long before a wallet's first sign a deed may lie that led there: as long as this actor is known
/// to have waited (two months).
const REACH_SECONDS: i64 = 60 * 86_400;

/// What a loss adds to an incident's score, and what anything else that is grave does.
const LOSS_POINTS: u32 = 40;
const GRAVE_POINTS: u32 = 20;

/// What is known of the wallets.
#[derive(Clone, Copy, Debug)]
pub struct OnChain<'a> {
    /// The wallet policy.
    pub policy: &'a Policy,
    /// What blocks showed.
    pub watched: &'a WatchReport,
    /// What the queues of Safes showed.
    pub verified: &'a Verification,
}

/// What happened to one wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletStory {
    /// What the policy calls it; its address where it is not in the policy.
    pub wallet: String,
    /// Its address.
    pub address: String,
    /// Its id in the estate and the attack graph: that of CAIP-10.
    #[serde(default)]
    pub id: String,
    /// The gravest of its events.
    pub severity: Severity,
    /// Why it belongs to the incident that tells it; none where it belongs to none.
    pub ties: Vec<Tie>,
    /// What was seen, in order of time.
    pub events: Vec<WalletEvent>,
    /// When money first left that nobody approved.
    pub loss: Option<Timestamp>,
    /// What could have been known before the loss, the first first.
    pub before_loss: Vec<Lead>,
    /// What to do first where no incident tells of it; else the incident says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<ResponseStep>,
}

/// One thing that was seen of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletEvent {
    /// When: that of the block, or of the confirmation.
    pub time: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// The rule or the check.
    pub rule: String,
    /// What happened, in plain words.
    pub reason: String,
    /// The chain and the block, where it is in one.
    pub block: Option<(u64, u64)>,
    /// The transaction, or the safeTxHash of one that was not carried out.
    pub hash: Option<String>,
    /// Whether money left.
    pub loss: bool,
}

/// What binds a wallet's story to an intrusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// What kind of thing.
    pub kind: TieKind,
    /// What the intruder acted on.
    pub target: String,
    /// When, the last time before the wallet's first sign.
    pub time: Option<Timestamp>,
    /// With which call.
    pub action: String,
    /// Who.
    pub actor: String,
    /// The record's id.
    pub event_id: Option<String>,
    /// How sure it is that one led to the other.
    pub certainty: Certainty,
}

/// What an intruder can act on to get at a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieKind {
    /// The page that its signers use was written.
    Page,
    /// The key that signs for it was used or changed.
    SigningKey,
}

/// Something that could have been known before a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// What.
    pub what: String,
    /// When.
    pub time: Timestamp,
    /// How many seconds before the loss.
    pub seconds: i64,
}

/// Hangs what happened to wallets on the incidents that led there, gravest incident first again. What
/// belongs to none is given back.
pub fn join_wallets(
    incidents: &mut [Incident],
    estate: &Estate,
    on_chain: &OnChain<'_>,
) -> Vec<WalletStory> {
    let mut apart = Vec::new();
    for (address, mut story) in stories(on_chain) {
        let wallet = on_chain.policy.wallet(address);
        let origins = wallet.map(|wallet| page_origins(estate, wallet));
        let tied = wallet.zip(origins).and_then(|(wallet, origins)| {
            // The gravest incident comes first; of two the later deed is the likelier cause.
            let tied = incidents.iter().enumerate().filter_map(|(number, one)| {
                let ties = ties(one, wallet, &origins, &story);
                let last = ties.iter().filter_map(|tie| tie.time).max();
                (!ties.is_empty()).then_some((last, number, ties))
            });
            tied.max_by_key(|(last, number, _)| (*last, std::cmp::Reverse(*number)))
        });
        let steps: Vec<Step> = steps(&on_chain.watched.findings, on_chain.policy)
            .into_iter()
            .filter(|step| step.wallet == address)
            .collect();
        match tied {
            Some((_, number, ties)) => {
                story.ties = ties;
                tell(&mut incidents[number], story, &steps);
            }
            None => {
                story.response = steps.iter().map(response_step).collect();
                apart.push(story);
            }
        }
    }
    crate::build::order(incidents);
    apart
}

/// What is worth a word, by wallet. What was announced is not.
fn stories(on_chain: &OnChain<'_>) -> BTreeMap<Address, WalletStory> {
    let mut stories = BTreeMap::<Address, WalletStory>::new();
    let mut add = |address: Address, event: WalletEvent| {
        let story = stories.entry(address).or_insert_with(|| WalletStory {
            wallet: match on_chain.policy.wallet(address) {
                Some(wallet) => wallet.name.clone(),
                None => address.to_string(),
            },
            address: address.to_string(),
            id: wallet_id(Some(on_chain.policy), address).to_string(),
            severity: Severity::Informational,
            ties: Vec::new(),
            events: Vec::new(),
            loss: None,
            before_loss: Vec::new(),
            response: Vec::new(),
        });
        story.severity = story.severity.max(event.severity);
        story.events.push(event);
    };
    let findings = on_chain.watched.findings.iter();
    for finding in findings.filter(|one| one.severity > Severity::Informational) {
        add(finding.wallet, of_finding(finding));
    }
    let checks = on_chain.verified.checks.iter();
    for check in checks.filter(|one| one.severity > Severity::Low) {
        add(check.safe, of_check(check));
    }
    for story in stories.values_mut() {
        story
            .events
            .sort_by_key(|event| (event.time.is_none(), event.time));
        let losses = story.events.iter().filter(|event| event.loss);
        story.loss = losses.filter_map(|event| event.time).min();
    }
    stories
}

fn of_finding(finding: &WalletFinding) -> WalletEvent {
    WalletEvent {
        time: Some(finding.time),
        severity: finding.severity,
        rule: finding.rule.to_owned(),
        reason: finding.reason.clone(),
        block: Some((finding.chain, finding.block)),
        hash: finding.transaction.map(|hash| hash.to_string()),
        loss: LOSSES.contains(&finding.rule) && finding.severity >= Severity::High,
    }
}

fn of_check(check: &Check) -> WalletEvent {
    WalletEvent {
        time: check.time,
        severity: check.severity,
        rule: check.id.to_owned(),
        reason: check.reason.clone(),
        block: None,
        hash: check.hash.map(|hash| hash.to_string()),
        loss: false,
    }
}

/// The buckets behind a wallet's page: the one that the policy names, or those behind the distributions
/// that serve the page's host.
fn page_origins<'e>(estate: &'e Estate, wallet: &'e Wallet) -> BTreeSet<&'e str> {
    let Some(page) = wallet.page.as_deref() else {
        return BTreeSet::new();
    };
    if names::is_s3(page) {
        return BTreeSet::from([page]);
    }
    let host = page.split_once("://").map_or(page, |(_, rest)| rest);
    let host = host.split(['/', ':', '?']).next().unwrap_or_default();
    let serves = |distribution: &str| {
        let attributes = estate.get(distribution).map(|entity| &entity.attributes);
        ["Aliases", "DomainName"].iter().any(|name| {
            let names = attributes.and_then(|attributes| attributes.get(*name));
            let mut names = names.into_iter().flat_map(|names| names.split(", "));
            names.any(|name| name.eq_ignore_ascii_case(host))
        })
    };
    let relations = estate.relations().iter();
    relations
        .filter_map(|relation| match relation {
            Relation::Serves {
                distribution,
                origin,
            } if serves(distribution.as_str()) => Some(origin.as_str()),
            _ => None,
        })
        .collect()
}

/// What an incident did that leads to a wallet, before it showed.
fn ties(
    incident: &Incident,
    wallet: &Wallet,
    origins: &BTreeSet<&str>,
    story: &WalletStory,
) -> Vec<Tie> {
    let Some((from, until)) = window(story) else {
        return Vec::new();
    };
    let mut found = BTreeMap::<TieKind, Tie>::new();
    let deeds = incident.timeline.iter().filter(|entry| {
        let second = entry.time.map(Timestamp::as_second);
        entry.role != TimelineRole::Quiet
            && entry.outcome == "success"
            && second.is_some_and(|second| (from..=until).contains(&second))
    });
    for entry in deeds {
        for target in &entry.targets {
            let bucket = names::object(target).map_or(target.as_str(), |(bucket, _)| bucket);
            let kind = if origins.contains(bucket) && writes(&entry.action) {
                TieKind::Page
            } else if wallet.signing_key.as_deref().is_some_and(|key| {
                names_key(target, key) && (writes(&entry.action) || entry.action == "kms:Sign")
            }) {
                TieKind::SigningKey
            } else {
                continue;
            };
            found.insert(kind, tie(kind, target, entry));
        }
    }
    found.into_values().collect()
}

/// Between which seconds a deed lies that may have led to a wallet: before the first grave thing that was
/// done to it. Where only preparation is seen, what leads there may be yet to come.
fn window(story: &WalletStory) -> Option<(i64, i64)> {
    let grave = |event: &&WalletEvent| event.severity >= Severity::High;
    let grave = || story.events.iter().filter(grave);
    let is_done = |event: &&WalletEvent| !PREPARATIONS.contains(&event.rule.as_str());
    let done = grave().filter(is_done).find_map(|event| event.time);
    let first = done.or_else(|| grave().find_map(|event| event.time))?;
    let until = done.map_or(i64::MAX, Timestamp::as_second);
    Some((first.as_second() - REACH_SECONDS, until))
}

fn tie(kind: TieKind, target: &str, entry: &TimelineEntry) -> Tie {
    Tie {
        kind,
        target: target.to_owned(),
        time: entry.time,
        action: entry.action.clone(),
        actor: entry.actor.clone(),
        event_id: entry.event_id.clone(),
        certainty: match entry.action.as_str() {
            // What signs is the key itself.
            "kms:Sign" => Certainty::Certain,
            _ => Certainty::Likely,
        },
    }
}

/// Whether a call may change something, by its name: the record's own word is not in a timeline.
fn writes(action: &str) -> bool {
    const READS: [&str; 8] = [
        "Describe", "Get", "Head", "List", "Lookup", "Select", "Sign", "Verify",
    ];
    let operation = action.split_once(':').map_or(action, |(_, name)| name);
    !READS.iter().any(|read| operation.starts_with(read))
}

/// Whether a target is a key that is named by its ARN or by its id alone.
fn names_key(target: &str, key: &str) -> bool {
    target == key
        || target
            .strip_suffix(key)
            .is_some_and(|before| before.ends_with(":key/"))
}

/// Tells a wallet's story in an incident.
fn tell(incident: &mut Incident, mut story: WalletStory, steps: &[Step]) {
    story.before_loss = leads(incident, &story);
    let name = clean(&story.wallet);
    for tie in &story.ties {
        let what = match tie.kind {
            TieKind::Page => "what serves the page that its signers use",
            TieKind::SigningKey => "the key that signs for it",
        };
        incident.narrative.push(format!(
            "Wallet {name} hangs on this: {} called {} on {what}{}.",
            clean(&tie.actor),
            tie.action,
            tie.time
                .map(|time| format!(" at {}", second(time)))
                .unwrap_or_default()
        ));
    }
    // Each kind of event once: the wallet's own list has them all.
    let mut kinds: Vec<(&WalletEvent, usize)> = Vec::new();
    for event in story
        .events
        .iter()
        .filter(|event| event.severity >= Severity::High)
    {
        match kinds.iter_mut().find(|(first, _)| first.rule == event.rule) {
            Some((_, more)) => *more += 1,
            None => kinds.push((event, 0)),
        }
    }
    for (event, more) in kinds {
        let time = event.time.map(second).unwrap_or_default();
        let more = match more {
            0 => String::new(),
            more => format!("; {more} more of this kind"),
        };
        incident
            .narrative
            .push(format!("{time}: {name}: {}{more}", clean(&event.reason)));
    }
    let points = match story.loss {
        Some(loss) => {
            let before: Vec<String> = story
                .before_loss
                .iter()
                .map(|lead| format!("{} {} before", lead.what, hours(lead.seconds)))
                .collect();
            if !before.is_empty() {
                incident.narrative.push(format!(
                    "Money left {name} at {}: {}.",
                    second(loss),
                    before.join(", ")
                ));
            }
            incident.headline.push_str(&format!(
                "; money left wallet {name}, {} after the first sign",
                incident.first_sign.map_or_else(
                    || "some time".to_owned(),
                    |first| span(loss.as_second() - first.as_second())
                )
            ));
            incident.severity = Severity::Critical;
            LOSS_POINTS
        }
        None => {
            incident
                .headline
                .push_str(&format!("; wallet {name} is about to be taken"));
            incident.severity = incident.severity.max(story.severity);
            GRAVE_POINTS
        }
    };
    incident.score_parts.push(ScorePart {
        reason: format!("wallet {name}: {} on the chain", story.severity.as_str()),
        points,
    });
    incident.score = (incident.score + points).min(100);
    if let Some(technique) = Technique::new("T1657")
        && !incident.techniques.contains(&technique)
    {
        incident.techniques.push(technique);
        incident.techniques.sort();
    }
    if !incident.tactics.contains(&Tactic::Impact) {
        incident.tactics.push(Tactic::Impact);
        incident.tactics.sort();
    }
    let last = story.events.iter().filter_map(|event| event.time).max();
    incident.last_activity = incident.last_activity.max(last);
    // Money comes first: what is gone does not come back.
    incident
        .response
        .splice(0..0, steps.iter().map(response_step));
    incident.wallets.push(story);
}

/// What stood before a loss: the first sign of the incident, the change of the page, and the first sign
/// on the wallet itself.
fn leads(incident: &Incident, story: &WalletStory) -> Vec<Lead> {
    let Some(loss) = story.loss else {
        return Vec::new();
    };
    let mut leads = Vec::new();
    let mut add = |what: &str, time: Option<Timestamp>| {
        if let Some(time) = time.filter(|time| *time < loss) {
            leads.push(Lead {
                what: what.to_owned(),
                time,
                seconds: loss.as_second() - time.as_second(),
            });
        }
    };
    add("the first sign stood", incident.first_sign);
    for tie in &story.ties {
        match tie.kind {
            TieKind::Page => add("its signers' page was changed", tie.time),
            TieKind::SigningKey => add("its key was acted on", tie.time),
        }
    }
    let first = |rule: &str| {
        let mut events = story.events.iter();
        events
            .find(|event| event.rule == rule)
            .and_then(|event| event.time)
    };
    add(
        "a contract staged near it stood",
        first("wallet.staged-contract"),
    );
    add(
        "a signature for something other than was shown stood",
        first("signature-mismatch"),
    );
    add("the takeover stood", first("wallet.safe-implementation"));
    leads.sort_by_key(|lead| lead.time);
    leads
}

/// A time in hours and minutes, as responders count.
fn hours(seconds: i64) -> String {
    match (seconds / 3_600, seconds % 3_600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn response_step(step: &Step) -> ResponseStep {
    ResponseStep {
        title: step.text.clone(),
        command: step.command.clone(),
        caveat: step.transaction.as_ref().map(|transaction| {
            let from = match transaction.from {
                Some(from) => format!("from {from} "),
                None => "from whoever may do that ".to_owned(),
            };
            format!(
                "Propose {from}to {} with data {}; nothing is signed or sent. Verify what is proposed with `portreeve wallet verify` before anyone signs.",
                transaction.to, transaction.data
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_rules() {
        let rules: BTreeSet<&str> = portreeve_wallet::watch::rules()
            .iter()
            .map(|rule| rule.id)
            .collect();
        for rule in LOSSES.iter().chain(&PREPARATIONS) {
            assert!(rules.contains(rule), "{rule}");
        }
    }

    #[test]
    fn what_leads_to_a_wallet_lies_before_what_was_done_and_may_follow_preparation() {
        let event = |second, rule: &str, severity| WalletEvent {
            time: Timestamp::from_second(second).ok(),
            severity,
            rule: rule.to_owned(),
            reason: String::new(),
            block: None,
            hash: None,
            loss: false,
        };
        let told = |events: &[WalletEvent]| WalletStory {
            wallet: "cold".to_owned(),
            address: String::new(),
            id: String::new(),
            severity: Severity::High,
            ties: Vec::new(),
            events: events.to_vec(),
            loss: None,
            before_loss: Vec::new(),
            response: Vec::new(),
        };
        let low = event(REACH_SECONDS, "wallet.outflow-burst", Severity::Low);
        let staged = event(REACH_SECONDS + 10, PREPARATIONS[0], Severity::High);
        let done = event(
            REACH_SECONDS + 500,
            "signature-mismatch",
            Severity::Critical,
        );
        assert_eq!(window(&told(std::slice::from_ref(&low))), None);
        assert_eq!(
            window(&told(&[low.clone(), staged.clone()])),
            Some((10, i64::MAX))
        );
        assert_eq!(
            window(&told(&[low, staged, done])),
            Some((500, REACH_SECONDS + 500))
        );
    }

    #[test]
    fn calls_that_write_are_told_by_name() {
        for action in ["s3:PutObject", "s3:CopyObject", "kms:PutKeyPolicy"] {
            assert!(writes(action), "{action}");
        }
        for action in ["s3:GetObject", "kms:DescribeKey", "s3:HeadObject"] {
            assert!(!writes(action), "{action}");
        }
    }

    #[test]
    fn keys_are_told_by_their_arn_or_their_whole_id() {
        let arn = "arn:aws:kms:eu-central-1:111122223333:key/ab-cd";
        assert!(names_key(arn, arn));
        assert!(names_key(arn, "ab-cd"));
        assert!(!names_key(arn, "cd"));
    }

    #[test]
    fn hours_are_whole() {
        assert_eq!(hours(30_655), "8 h 30 min");
        assert_eq!(hours(150), "2 min");
        assert_eq!(hours(20), "20 s");
    }
}
