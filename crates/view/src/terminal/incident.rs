use portreeve_incident::{
    Certainty, Chain, CredentialStory, Incident, NetworkUse, ResponseStep, Touched,
};
use portreeve_model::{Severity, Timestamp};

use super::page::{self, FAINT, JEWEL, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Context, Options, cut, eviction, left_out, likeness, path, verification, wallets};
use crate::fold::{self, Line};
use crate::lineage::lineage;
use crate::{name, text};

/// One incident, in the order in which a responder needs it.
pub(super) fn write(page: &mut Page, incident: &Incident, context: &Context<'_>) {
    page.gap();
    let severity = incident.severity.as_str().to_uppercase();
    page.rule(
        Span(page::severity(incident.severity), format!(" {severity} ")),
        &format!("score {} of 100 · {}", incident.score, incident.id),
    );
    page.spans(0, &[Span(STRONG, incident.headline.clone())]);
    page.gap();
    facts(page, incident, context);
    chains(page, &incident.chains, context.options);
    likeness::write(page, &incident.likeness, context.options);
    credentials(page, &incident.credential_stories, context.options);
    touched(page, &incident.touched, context);
    verification::of_incident(page, incident, context.options);
    paths(page, incident, context);
    wallets::write(page, &incident.wallets, context.options);
    eviction::write(page, incident, context.options);
    response(page, &incident.response);
    if let Some(it) = &incident.cut {
        cut::of_incident(page, it, context.options);
    }
    timeline(page, incident, context);
}

fn facts(page: &mut Page, incident: &Incident, context: &Context<'_>) {
    if let Some(first) = incident.first_sign {
        let sign = incident
            .findings
            .iter()
            .filter_map(|id| context.findings.get(id.as_str()))
            .find(|finding| finding.time == Some(first));
        let mut spans = vec![Span(STRONG, format!("{} UTC", text::time(first)))];
        spans.extend(sign.map(|finding| plain(format!("  {}", finding.title))));
        page.field("first sign", spans);
    }
    if let Some(last) = incident.last_activity {
        let mut spans = vec![plain(format!("{} UTC", text::time(last)))];
        if let Some(first) = incident.first_sign.filter(|first| *first < last) {
            let seconds = last.as_second() - first.as_second();
            spans.push(faint(format!(
                "  {} after the first sign",
                text::span(seconds)
            )));
        }
        page.field("last activity", spans);
    }
    if !incident.tactics.is_empty() {
        let tactics: Vec<&str> = incident
            .tactics
            .iter()
            .map(|tactic| tactic.title())
            .collect();
        page.field("tactics", vec![plain(tactics.join(" → "))]);
    }
    if !incident.score_parts.is_empty() {
        let parts: Vec<String> = incident
            .score_parts
            .iter()
            .map(|part| format!("{} +{}", part.reason, part.points))
            .collect();
        page.field("score", vec![faint(parts.join(", "))]);
    }
    if incident.muted > 0 {
        let total = text::counted(incident.findings.len() as u64, "finding", "findings");
        page.field(
            "muted",
            vec![plain(format!(
                "{} of {total} by exceptions: told, not scored",
                incident.muted
            ))],
        );
    }
    if !incident.narrative.is_empty() {
        page.gap();
        for sentence in &incident.narrative {
            page.spans(2, &[plain(format!("  {sentence}"))]);
        }
    }
}

fn credentials(page: &mut Page, stories: &[CredentialStory], options: &Options) {
    if stories.is_empty() {
        return;
    }
    page.heading("Credentials used");
    let shown = options.list.unwrap_or(stories.len()).min(stories.len());
    for (story, depth) in lineage(stories).into_iter().take(shown) {
        let indent = 2 + 3 * depth.min(4);
        let branch = if depth == 0 { "" } else { "└─ " };
        let lead = indent.saturating_sub(text::width(branch));
        page.spans(
            indent + 2,
            &[
                faint(format!("{}{branch}", " ".repeat(lead))),
                Span(STRONG, story.credential.clone()),
                plain("  "),
                plain(name::short(&story.actor)),
            ],
        );
        let pad = " ".repeat(indent + 2);
        page.spans(indent + 2, &[faint(format!("{pad}{}", origin(story)))]);
        let networks = options
            .list
            .unwrap_or(story.networks.len())
            .min(story.networks.len());
        for network in story.networks.iter().take(networks) {
            network_line(page, network, &pad);
        }
        let more = (story.networks.len() - networks) as u64;
        left_out(page, more, "network", "networks", options);
    }
    let more = (stories.len() - shown) as u64;
    left_out(page, more, "credential", "credentials", options);
}

/// Credentials that the intruder took one after the other, each chain in a few lines.
fn chains(page: &mut Page, chains: &[Chain], options: &Options) {
    if chains.is_empty() {
        return;
    }
    page.heading("Taken anew, day after day");
    let shown = options.list.unwrap_or(chains.len()).min(chains.len());
    for chain in chains.iter().take(shown) {
        page.spans(
            4,
            &[
                Span(STRONG, format!("  {}", name::short(&chain.person))),
                plain(format!("  {}", length(chain))),
            ],
        );
        page.spans(
            6,
            &[
                plain(format!("    {}", period(chain.first, chain.last))),
                faint("  from "),
                Span(SUSPECT, chain.networks.join(", ")),
            ],
        );
        for client in &chain.clients {
            page.spans(6, &[faint(format!("    {client}"))]);
        }
    }
    let more = (chains.len() - shown) as u64;
    left_out(page, more, "chain", "chains", options);
}

/// How long a chain is: `one chain of 12 credentials on 11 days`.
pub(crate) fn length(chain: &Chain) -> String {
    format!(
        "one chain of {} on {}",
        text::counted(chain.credentials.len() as u64, "credential", "credentials"),
        text::counted(chain.days, "day", "days")
    )
}

/// How and when a credential came to be, and when it ends.
fn origin(story: &CredentialStory) -> String {
    let made = match (story.minted_by.as_str(), story.created) {
        ("unknown", None) => "how it was issued is not in the logs".to_owned(),
        ("unknown", Some(created)) => format!("issued {}", text::minute(created)),
        (method, Some(created)) if story.certainty.is_some_and(|it| it < Certainty::Certain) => {
            format!("issued {}, likely by {method}", text::minute(created))
        }
        (method, None) => format!("issued by {method}"),
        (method, Some(created)) => format!("issued {} by {method}", text::minute(created)),
    };
    match (story.created, story.expires) {
        (_, None) if story.credential.starts_with("AKIA") => {
            format!("{made}; it lives until it is deleted")
        }
        (_, None) => format!("{made}; when it ends is not known"),
        (Some(created), Some(expires)) if text::day(created) == text::day(expires) => {
            format!(
                "{made}, ends by itself {}",
                text::minute(expires).get(11..).unwrap_or_default()
            )
        }
        (_, Some(expires)) => format!("{made}, ends by itself {}", text::minute(expires)),
    }
}

/// One network; its client stands on a line of its own where there is no room for it.
fn network_line(page: &mut Page, network: &NetworkUse, pad: &str) {
    let (mark, style) = if network.suspect {
        ("! ", SUSPECT)
    } else {
        ("  ", page::PLAIN)
    };
    let address = match network.address.as_str() {
        "" => "no address recorded",
        address => address,
    };
    let mut tail = String::new();
    if network.class != "unknown" {
        tail.push_str(&format!(" ({})", network.class));
    }
    tail.push_str(&format!(
        "  {}",
        text::counted(network.calls, "call", "calls")
    ));
    tail.push_str(&format!("  {}", period(network.first, network.last)));
    let hang = pad.len() + 4;
    let used = pad.len() + 2 + text::width(&text::clean(&format!("{address}{tail}")));
    let client = network.client.as_deref().unwrap_or_default();
    let beside = used + 2 + text::width(&text::clean(client)) <= page.width();
    let mut spans = vec![
        plain(pad),
        Span(SUSPECT.bold(), mark.into()),
        Span(style, address.to_owned()),
        plain(tail),
    ];
    if beside && !client.is_empty() {
        spans.push(faint(format!("  {client}")));
    }
    page.spans(hang, &spans);
    if !beside && !client.is_empty() {
        page.spans(hang, &[faint(format!("{pad}    {client}"))]);
    }
}

/// From when to when, the day only once where it is the same.
pub(crate) fn period(first: Option<Timestamp>, last: Option<Timestamp>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if text::minute(first) == text::minute(last) => {
            text::minute(first)
        }
        (Some(first), Some(last)) if text::day(first) == text::day(last) => {
            let until = text::minute(last);
            format!(
                "{}–{}",
                text::minute(first),
                until.get(11..).unwrap_or_default()
            )
        }
        (Some(first), Some(last)) => format!("{} – {}", text::minute(first), text::minute(last)),
        (Some(time), None) | (None, Some(time)) => text::minute(time),
        (None, None) => "at an unknown time".to_owned(),
    }
}

fn touched(page: &mut Page, touched: &[Touched], context: &Context<'_>) {
    if touched.is_empty() {
        return;
    }
    page.heading("What was touched");
    let mut sorted: Vec<&Touched> = touched.iter().collect();
    sorted.sort_by_key(|one| one.jewel.is_none());
    let shown = context
        .options
        .list
        .unwrap_or(sorted.len())
        .min(sorted.len());
    for one in sorted.iter().take(shown) {
        let read = name::of(&one.resource);
        let mut spans = match &one.jewel {
            Some(kind) => vec![
                Span(JEWEL, format!("  ◆ {}", read.name)),
                Span(JEWEL, format!("  crown jewel: {kind}")),
            ],
            None => vec![
                Span(STRONG, format!("    {}", read.name)),
                faint(format!("  {}", read.kind.title())),
            ],
        };
        spans.push(match (one.succeeded, one.written) {
            (false, _) => faint("  every call refused"),
            (true, true) => Span(page::severity(Severity::High), "  WRITTEN".into()),
            (true, false) => plain(format!("  {}", read.kind.seen())),
        });
        if one.objects > 0 {
            spans.push(faint(format!(
                "  {}",
                text::counted(one.objects, "object", "objects")
            )));
        }
        page.spans(6, &spans);
        let actions: Vec<String> = one
            .actions
            .iter()
            .take(6)
            .map(|(action, count)| times(action, *count))
            .collect();
        if !actions.is_empty() {
            page.spans(6, &[faint(format!("      {}", actions.join(", ")))]);
        }
    }
    left_out(
        page,
        (sorted.len() - shown) as u64,
        "resource",
        "resources",
        context.options,
    );
}

/// `s3:GetObject ×140`, never broken before its figure; a single call has none.
pub(super) fn times(action: &str, count: u64) -> String {
    match count {
        1 => action.to_owned(),
        _ => format!("{action}\u{a0}×{}", text::count(count)),
    }
}

fn paths(page: &mut Page, incident: &Incident, context: &Context<'_>) {
    page.heading("How far it can still go");
    if incident.paths.is_empty() {
        page.spans(
            2,
            &[plain(
                "  No path to a crown jewel was found in what is known of the estate.",
            )],
        );
        return;
    }
    let shown = context
        .options
        .list
        .unwrap_or(incident.paths.len())
        .min(incident.paths.len());
    for (number, one) in incident.paths.iter().take(shown).enumerate() {
        if number > 0 {
            page.gap();
        }
        path::write(page, one, &context.jewels);
    }
    left_out(
        page,
        (incident.paths.len() - shown) as u64,
        "path",
        "paths",
        context.options,
    );
}

fn response(page: &mut Page, steps: &[ResponseStep]) {
    if steps.is_empty() {
        return;
    }
    page.heading("What to do first");
    page.spans(2, &[faint("  Commands to review before you run them.")]);
    for (number, step) in steps.iter().enumerate() {
        page.gap();
        page.spans(
            5,
            &[
                Span(STRONG, format!("{:>3}. ", number + 1)),
                Span(STRONG, step.title.clone()),
            ],
        );
        if let Some(command) = &step.command {
            page.command(command);
        }
        if let Some(caveat) = &step.caveat {
            page.spans(5, &[faint(format!("     {caveat}"))]);
        }
    }
}

fn timeline(page: &mut Page, incident: &Incident, context: &Context<'_>) {
    if incident.timeline.is_empty() {
        return;
    }
    page.heading(&format!(
        "Timeline ({})",
        text::counted(incident.timeline.len() as u64, "record", "records")
    ));
    page.spans(
        2,
        &[
            Span(STRONG, "  ● ".into()),
            plain("finding  "),
            plain("○ "),
            plain("done from where the intruder works  "),
            faint("· quiet, perhaps the owner's"),
        ],
    );
    let severity = |id: &str| {
        context
            .findings
            .get(id)
            .map_or(Severity::Informational, |finding| finding.severity)
    };
    let (lines, omitted) = fold::abridge(
        fold::lines(&incident.timeline),
        context.options.timeline,
        severity,
    );
    let mut day = String::new();
    let mut actor = (String::new(), None);
    for line in &lines {
        let today = line.time().map_or("no time".to_owned(), text::day);
        if today != day {
            page.gap();
            page.spans(2, &[Span(STRONG, format!("  {today}"))]);
            day = today;
        }
        match line {
            Line::Quiet(quiet) => quiet_line(page, quiet),
            Line::Calls(calls) => {
                let entry = calls.first;
                let next = (entry.actor.clone(), entry.credential.clone());
                if next != actor {
                    let with = entry
                        .credential
                        .as_ref()
                        .map(|id| format!(" with {id}"))
                        .unwrap_or_default();
                    page.spans(
                        6,
                        &[faint(format!("    as {}{with}", name::short(&entry.actor)))],
                    );
                    actor = next;
                }
                calls_line(page, calls, context);
            }
        }
    }
    if omitted > 0 {
        page.gap();
        let what = text::counted(omitted, "record is", "records are");
        page.spans(
            2,
            &[faint(format!(
                "  {what} left out of this timeline; {}.",
                context.options.see_all
            ))],
        );
    }
}

fn calls_line(page: &mut Page, calls: &fold::Calls<'_>, context: &Context<'_>) {
    let entry = calls.first;
    let finding = entry
        .finding
        .as_deref()
        .and_then(|id| context.findings.get(id));
    let style = finding.map_or(page::PLAIN, |finding| page::severity(finding.severity));
    let clock = entry.time.map_or("--:--:--".to_owned(), text::clock);
    let mark = if entry.finding.is_some() {
        "●"
    } else {
        "○"
    };
    let mark_style = if finding.is_some_and(|finding| finding.severity == Severity::Critical) {
        page::severity(Severity::High)
    } else {
        style
    };
    let action_style = if entry.finding.is_some() {
        STRONG
    } else {
        page::PLAIN
    };
    let mut spans = vec![faint(format!("  {clock} ")), Span(mark_style, mark.into())];
    match calls.actions.as_slice() {
        [(action, count)] => spans.push(Span(action_style, format!(" {}", times(action, *count)))),
        actions => {
            spans.push(Span(
                action_style,
                format!(" {} calls:", text::count(calls.count)),
            ));
            let mut named: Vec<String> = actions
                .iter()
                .take(4)
                .map(|(action, count)| times(action, *count))
                .collect();
            if actions.len() > 4 {
                named.push(format!("{} other actions", actions.len() - 4));
            }
            spans.push(plain(format!(" {}", named.join(", "))));
        }
    }
    if entry.outcome != "success" {
        spans.push(Span(SUSPECT, format!("  {}", entry.outcome)));
    }
    let target = calls.target();
    if !target.is_empty() {
        spans.push(plain(format!("  {target}")));
    }
    page.spans(13, &spans);
    if let Some(finding) = finding {
        page.spans(
            13,
            &[
                plain(" ".repeat(13)),
                Span(
                    page::severity(finding.severity),
                    finding.severity.as_str().to_uppercase(),
                ),
                plain(format!(" {}", finding.title)),
            ],
        );
        for detail in finding.details.iter().take(2) {
            page.spans(13, &[plain(" ".repeat(13)), Span(FAINT, detail.clone())]);
        }
    }
}

fn quiet_line(page: &mut Page, quiet: &fold::Quiet<'_>) {
    let actions = quiet.actions();
    let mut named: Vec<String> = actions
        .iter()
        .take(3)
        .map(|(action, count)| times(action, *count))
        .collect();
    if actions.len() > 3 {
        named.push(format!("{} other actions", actions.len() - 3));
    }
    let clock = quiet.first.map_or("--:--:--".to_owned(), text::clock);
    let what = text::counted(quiet.count, "quiet call", "quiet calls");
    page.spans(
        13,
        &[Span(
            FAINT,
            format!("  {clock} · {what}: {}", named.join(", ")),
        )],
    );
}
