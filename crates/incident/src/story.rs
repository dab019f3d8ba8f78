//! Headline and narrative: what happened, in order of time, from evidence alone.

use std::collections::BTreeSet;

use portreeve_detect::{ActivityRow, Symbol, described_client};
use portreeve_graph::AttackPath;
use portreeve_model::{CredentialKind, Finding, FindingSource};

use crate::behaviour::Behaviour;
use crate::case::Case;
use crate::chains;
use crate::credentials::{self, Overlap};
use crate::facts::Facts;
use crate::lifetime;
use crate::names;
use crate::report::{Chain, Touched};
use crate::text::{capital, clean, counted, listed, minute, span};

/// An incident in words.
pub(crate) struct Story {
    pub(crate) headline: String,
    pub(crate) narrative: Vec<String>,
}

/// Tells an incident.
pub(crate) fn story(
    case: &Case<'_>,
    facts: &Facts<'_>,
    chains: &[Chain],
    touched: &[Touched],
    paths: &[AttackPath],
    omitted_paths: usize,
) -> Story {
    let lead = lead(case);
    let overlap = lead
        .filter(|_| case.group.is_strange())
        .filter(|row| row.credential_symbol().is_some())
        .and_then(|row| credentials::overlap(case, row.credential_symbol()));
    let mut narrative = Vec::new();
    narrative.extend(lead.map(|row| origin(case, row, overlap.as_ref())));
    narrative.push(certainty(case, overlap.as_ref()));
    narrative.extend(case.findings().next().map(first_sign));
    narrative.extend(sentence([denied(facts), looked(facts)]));
    narrative.extend(sentence([minted(case, facts), changed(facts)]));
    narrative.extend(written(facts));
    narrative.extend(case.runners.told(case.folded));
    narrative.extend(chains::told(chains).or_else(|| repeated(case, lead)));
    narrative.extend(sentence([jewels(touched), reach(paths, omitted_paths)]));
    narrative.extend(sentence([last(case), omitted(case)]));
    Story {
        headline: headline(case, facts, lead),
        narrative,
    }
}

/// One sentence of the clauses that there are.
fn sentence<const N: usize>(clauses: [Option<String>; N]) -> Option<String> {
    let clauses: Vec<String> = clauses.into_iter().flatten().collect();
    (!clauses.is_empty()).then(|| format!("{}.", capital(&clauses.join("; "))))
}

fn last(case: &Case<'_>) -> Option<String> {
    let time = case.deeds().filter_map(|row| row.time()).max()?;
    Some(format!(
        "the last activity that is known is of {}",
        minute(time)
    ))
}

fn omitted(case: &Case<'_>) -> Option<String> {
    (case.quiet_omitted > 0).then(|| {
        format!(
            "the timeline leaves out {} of the credentials' other activity, those farthest in time \
             from what is suspect",
            counted(case.quiet_omitted as u64, "record")
        )
    })
}

/// The first deed with a credential: from a strange address where there is one.
fn lead<'a>(case: &Case<'a>) -> Option<ActivityRow<'a>> {
    let has_credential = |row: &ActivityRow<'_>| row.credential_symbol().is_some();
    let strange =
        |row: &ActivityRow<'_>| case.group.is_strange() && case.survey.is_strange_row(*row);
    case.deeds()
        .find(|row| has_credential(row) && strange(row))
        .or_else(|| case.deeds().find(strange))
        .or_else(|| case.deeds().find(has_credential))
        .or_else(|| case.deeds().next())
}

/// What is in whose name: `session of dev.mira (WebDeploy in 111122223333)`.
fn subject(case: &Case<'_>, row: ActivityRow<'_>) -> String {
    let who = names::actor(row.principal(), row.session());
    let root = case.folded.lineage.root(row.credential_symbol());
    let root = if row.credential_symbol().is_some() {
        case.text(root)
    } else {
        ""
    };
    let who = match root {
        // A web identity's subject says more of who acts than the session name that it chose.
        subject if subject.contains(":repo:") || subject.contains(":system:") => {
            let sub = subject.split_once(':').map_or(subject, |(_, sub)| sub);
            format!("{} as {who}", clean(sub))
        }
        _ => who,
    };
    match lifetime::kind(case.folded, row.credential_symbol()) {
        _ if !row.credential_symbol().is_some() => who,
        CredentialKind::AccessKey => format!("access key of {who}"),
        CredentialKind::Session => format!("session of {who}"),
        CredentialKind::Password => format!("password of {who}"),
        CredentialKind::Token => format!("token of {who}"),
        CredentialKind::Other => format!("credential of {who}"),
    }
}

fn headline(case: &Case<'_>, facts: &Facts<'_>, lead: Option<ActivityRow<'_>>) -> String {
    let Some(lead) = lead else {
        return "Findings without records".into();
    };
    let since = lead
        .time()
        .map(|time| format!(" since {}", minute(time)))
        .unwrap_or_default();
    let head = if case.group.is_strange() {
        format!(
            "{} was used from {}{since}",
            capital(&subject(case, lead)),
            addresses(case, lead)
        )
    } else {
        let gravest = gravest_finding(case)
            .map(|finding| clean(&finding.title))
            .unwrap_or_default();
        format!("{}: {gravest}{since}", capital(&subject(case, lead)))
    };
    let consequences = consequences(facts);
    if consequences.is_empty() {
        head
    } else {
        format!("{head}; {}", consequences.join("; "))
    }
}

fn gravest_finding<'a>(case: &Case<'a>) -> Option<&'a Finding> {
    // Of equal ones the first: findings are in order of time.
    case.findings().reduce(|best, it| {
        if it.severity > best.severity {
            it
        } else {
            best
        }
    })
}

/// The lead's address, and how many others the deeds came from.
fn addresses(case: &Case<'_>, lead: ActivityRow<'_>) -> String {
    let strange: BTreeSet<Symbol> = case
        .deeds()
        .filter(|row| case.survey.is_strange_row(*row))
        .map(|row| row.address_symbol())
        .collect();
    let first = place(case, lead);
    match strange.len().saturating_sub(1) as u64 {
        0 => first,
        1 => format!("{first} and 1 other address"),
        more => format!("{first} and {more} other addresses"),
    }
}

/// An address with its network's class where that is declared.
fn place(case: &Case<'_>, row: ActivityRow<'_>) -> String {
    place_of(case, row.address().unwrap_or("an address that is not told"))
}

fn place_of(case: &Case<'_>, address: &str) -> String {
    match case.class(address) {
        "unknown" => clean(address),
        class => format!("{} ({})", clean(address), clean(class)),
    }
}

/// The gravest that was done, at most two.
fn consequences(facts: &Facts<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let buckets: Vec<String> = facts
        .written_buckets()
        .keys()
        .map(|bucket| names::resource(bucket))
        .collect();
    if !buckets.is_empty() {
        let how = match (facts.replaces(), facts.only_deletes()) {
            (true, _) => "replaced",
            (_, true) => "deleted",
            _ => "written",
        };
        found.push(format!("content in {} {how}", listed(&buckets, 2)));
    }
    let mut targets = |kind: Behaviour, words: &str, before: &str| {
        if facts.count(kind) > 0 {
            let mut names = facts.targets(kind);
            // A user and what is named after him.
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            found.push(match names.as_slice() {
                [] => words.to_owned(),
                names => format!("{words}{before} {}", listed(names, 2)),
            });
        }
    };
    targets(Behaviour::PushesImage, "image pushed", " to");
    targets(Behaviour::UsesKey, "key used", ":");
    targets(Behaviour::ImpairsLogging, "logging impaired", ":");
    targets(Behaviour::Persists, "made to stay", ":");
    targets(Behaviour::ChangesAccess, "permissions changed", " on");
    targets(Behaviour::ChangesCode, "code or configuration changed", ":");
    let secrets = facts.targets(Behaviour::ReadsSecret).len() as u64;
    if secrets > 0 {
        found.push(format!("{} read", counted(secrets, "secret")));
    }
    let objects: usize = facts.read.values().map(BTreeSet::len).sum();
    if objects > 0 {
        found.push(format!("{} read", counted(objects as u64, "object")));
    }
    found.truncate(2);
    found
}

fn origin(case: &Case<'_>, lead: ActivityRow<'_>, overlap: Option<&Overlap>) -> String {
    let credential = lead.credential_symbol();
    let what = match lead.credential() {
        Some(id) => format!("{} ({})", subject(case, lead), clean(id)),
        None => subject(case, lead),
    };
    let link = case.folded.lineage.mint(credential);
    let issue = link
        .and_then(|link| link.row)
        .map(|row| case.folded.activities.get(row));
    let facts = case.folded.lineage.facts(credential);
    let made = facts
        .and_then(|facts| facts.created)
        .or(issue.and_then(|row| row.time()));
    let mut text = format!("The {what}");
    if let Some(made) = made.filter(|_| credential.is_some()) {
        text.push_str(&format!(" was made at {}", minute(made)));
        if let Some(issue) = issue {
            text.push_str(&format!(" from {}", place(case, issue)));
        }
        text.push_str(" and");
    }
    if let Some(overlap) = overlap {
        text.push_str(&format!(
            " was used from {}{} and",
            place_of(case, &overlap.owner_address),
            with(&overlap.owner_client)
        ));
    } else {
        text.push_str(" was");
    }
    if overlap.is_none() {
        text.push_str(" used");
    }
    text.push_str(&format!(" from {}", place(case, lead)));
    text.push_str(&with(
        &lead.client().map(described_client).unwrap_or_default(),
    ));
    if let Some(time) = lead.time() {
        text.push_str(&format!(" at {}", minute(time)));
    }
    text.push('.');
    text
}

fn with(client: &str) -> String {
    if client.is_empty() {
        String::new()
    } else {
        format!(" with {}", clean(client))
    }
}

/// How sure it is that the credential is in other hands.
fn certainty(case: &Case<'_>, overlap: Option<&Overlap>) -> String {
    let sign = case
        .findings()
        .find(|finding| finding.source == FindingSource::Sign)
        .map(|sign| format!("Named by you: {}.", clean(&sign.title)));
    let Some(overlap) = overlap else {
        let unsure = if case.group.is_strange() {
            "The logs show no use of it from another public address: nothing tells whether it is in \
             other hands, or its owner works from somewhere new."
        } else {
            "Nothing shows it in other hands: this may be its owner's work."
        };
        return sign.unwrap_or_else(|| unsure.to_owned());
    };
    let sign = sign.map(|sign| sign + " ").unwrap_or_default();
    let (owner, strange) = (&overlap.owner_client, &overlap.strange_client);
    let systems = if system(owner) != system(strange) && !owner.is_empty() && !strange.is_empty() {
        " with different systems"
    } else if owner != strange && !owner.is_empty() && !strange.is_empty() {
        " with different clients"
    } else {
        ""
    };
    format!(
        "{sign}Likely stolen: used from two networks within {}{systems}.",
        span(overlap.seconds)
    )
}

fn system(described: &str) -> &str {
    described
        .split_once(" on ")
        .map_or("", |(_, system)| system)
}

fn first_sign(finding: &Finding) -> String {
    let when = finding
        .time
        .map(|time| format!(" at {}", minute(time)))
        .unwrap_or_default();
    format!(
        "The first sign was{when}: {} ({}).",
        clean(&finding.title),
        finding.severity
    )
}

fn denied(facts: &Facts<'_>) -> Option<String> {
    let (action, time) = facts.first_denied?;
    let when = time
        .map(|time| format!(" at {}", minute(time)))
        .unwrap_or_default();
    let verb = if facts.denied == 1 { "was" } else { "were" };
    Some(format!(
        "{} {verb} refused, the first {}{when}",
        counted(facts.denied, "call"),
        clean(action)
    ))
}

fn looked(facts: &Facts<'_>) -> Option<String> {
    let mut parts = Vec::new();
    if facts.looks > 0 {
        let services: Vec<String> = facts.services.iter().map(|it| clean(it)).collect();
        parts.push(format!(
            "{} looked at {}",
            counted(facts.looks, "call"),
            listed(&services, 5)
        ));
    }
    for (bucket, objects) in facts.read.iter().take(3) {
        parts.push(format!(
            "{} of {} read",
            counted(objects.len() as u64, "object"),
            names::resource(bucket)
        ));
    }
    let secrets = facts.targets(Behaviour::ReadsSecret);
    if !secrets.is_empty() {
        parts.push(format!(
            "{} read: {}",
            counted(secrets.len() as u64, "secret"),
            listed(&secrets, 4)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn minted(case: &Case<'_>, facts: &Facts<'_>) -> Option<String> {
    let mut parts = Vec::new();
    let made: Vec<String> = case
        .held
        .iter()
        .filter(|credential| case.made.contains(*credential))
        .map(|credential| clean(case.text(*credential)))
        .collect();
    if !made.is_empty() {
        parts.push(format!(
            "{} minted with these credentials: {}",
            counted(made.len() as u64, "credential"),
            listed(&made, 4)
        ));
    }
    if facts.count(Behaviour::Persists) > 0 {
        let actions = facts.actions_of(Behaviour::Persists);
        let on = facts.targets(Behaviour::Persists);
        parts.push(format!(
            "made to outlive the session by {} ({})",
            listed(&actions, 3),
            listed(&on, 3)
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn changed(facts: &Facts<'_>) -> Option<String> {
    let kinds = [
        (
            Behaviour::ImpairsLogging,
            "logging or detection was impaired",
        ),
        (Behaviour::ChangesAccess, "permissions were changed"),
        (Behaviour::ChangesCode, "code or configuration was changed"),
        (Behaviour::PushesImage, "an image was pushed"),
        (Behaviour::UsesKey, "a key signed or decrypted"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(kind, _)| facts.count(*kind) > 0)
        .map(|(kind, words)| {
            let on = facts.targets(*kind);
            let actions = listed(&facts.actions_of(*kind), 3);
            if on.is_empty() {
                format!("{words} ({actions})")
            } else {
                format!("{words} ({actions} on {})", listed(&on, 3))
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn written(facts: &Facts<'_>) -> Option<String> {
    let buckets = facts.written_buckets();
    if buckets.is_empty() {
        return None;
    }
    let parts: Vec<String> = buckets
        .iter()
        .take(3)
        .map(|(bucket, objects)| {
            let first = objects
                .iter()
                .filter_map(|it| facts.written.get(it)?.times.iter().min())
                .min();
            let when = first
                .map(|time| format!(" from {}", minute(*time)))
                .unwrap_or_default();
            format!(
                "{} of {} written or deleted{when}",
                counted(objects.len() as u64, "object"),
                names::resource(bucket)
            )
        })
        .collect();
    let mut text = capital(&parts.join("; "));
    if let Some((object, first, last)) =
        facts
            .rewritten()
            .into_iter()
            .max_by_key(|(object, first, last)| {
                (
                    last.as_second() - first.as_second(),
                    std::cmp::Reverse(*object),
                )
            })
    {
        text.push_str(&format!(
            "; {} was written again at {}, {} later: perhaps to restore what was there",
            names::resource(object),
            minute(last),
            span(last.as_second() - first.as_second())
        ));
    }
    text.push('.');
    Some(text)
}

/// On how many other credentials of the same actor the same was seen.
fn repeated(case: &Case<'_>, lead: Option<ActivityRow<'_>>) -> Option<String> {
    let lead = lead?;
    let actor = case.survey.actors.actor_of(lead.id())?;
    let mut others = BTreeSet::new();
    let mut last = None;
    for row in case.deeds() {
        let credential = row.credential_symbol();
        if credential.is_some()
            && credential != lead.credential_symbol()
            && !case.made.contains(&credential)
            && case.survey.actors.actor_of(row.id()) == Some(actor)
        {
            others.insert(credential);
            last = row.time().max(last);
        }
    }
    let last = last?;
    Some(format!(
        "{} of the same actor {} used in the same way until {}: the intruder got new ones.",
        counted(others.len() as u64, "later or earlier credential"),
        if others.len() == 1 { "was" } else { "were" },
        minute(last)
    ))
    .filter(|_| case.group.is_strange())
}

fn jewels(touched: &[Touched]) -> Option<String> {
    let jewels: Vec<String> = touched
        .iter()
        .filter_map(|it| {
            let how = match (it.written, it.succeeded) {
                (true, _) => "written",
                (false, true) => "reached",
                (false, false) => "tried, refused",
            };
            Some(format!(
                "{} ({}, {how})",
                names::resource(&it.resource),
                it.jewel.as_deref()?
            ))
        })
        .collect();
    (!jewels.is_empty()).then(|| format!("crown jewels touched: {}", listed(&jewels, 4)))
}

fn reach(paths: &[AttackPath], omitted: usize) -> Option<String> {
    let shortest = paths.first()?;
    let mut text = format!(
        "from here {} can be reached, as {} in {}",
        counted((paths.len() + omitted) as u64, "crown jewel"),
        names::resource(shortest.to.as_str()),
        counted(shortest.steps.len() as u64, "step")
    );
    if omitted > 0 {
        text.push_str(&format!(", the paths to {omitted} of them not shown"));
    }
    Some(text)
}
