//! Trees of credentials: how each came to be, and who held it where.

use portreeve_incident::{Certainty, Held, Minting, Trace, TracedCredential, Tree};

use super::page::{self, FAINT, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, period};
use crate::{name, text};

/// How deep branches are still drawn further in.
const DEEPEST: usize = 6;

/// How many names or services stand in one line.
const LISTED: usize = 8;

/// Lays out the trees.
pub(super) fn write(page: &mut Page, trace: &Trace, options: &Options) {
    let total = trace.trees.len();
    page.spans(
        2,
        &[
            Span(STRONG, trace.asked.clone()),
            plain(format!(
                ": {} in {}",
                text::counted(trace.credentials.len() as u64, "credential", "credentials"),
                text::counted(total as u64, "tree", "trees")
            )),
            faint(match trace.certainty {
                Certainty::Possible => "; links that are merely possible too",
                Certainty::Likely => "; links that are at least likely",
                Certainty::Certain => "; certain links only",
            }),
        ],
    );
    if !trace.actors.is_empty() {
        let actors = trace.actors.iter().map(|it| actor(it)).collect();
        page.spans(2, &[faint("of "), plain(listed(actors))]);
    }
    let shown = options.list.unwrap_or(total).min(total);
    for tree in trace.trees.iter().take(shown) {
        page.gap();
        write_tree(page, tree, options);
    }
    if shown < total {
        page.gap();
    }
    left_out(page, (total - shown) as u64, "tree", "trees", options);
}

/// The first few of a list, and how many more there are.
fn listed(mut items: Vec<String>) -> String {
    if items.len() > LISTED {
        let more = items.len() - LISTED;
        items.truncate(LISTED);
        items.push(format!("{more} more"));
    }
    items.join(", ")
}

/// What an actor is called: what an ARN names, with its kind and account, else the name itself.
fn actor(id: &str) -> String {
    let read = name::of(id);
    match read.account {
        Some(account) => format!("{} {} in {account}", read.kind.title(), read.name),
        None => read.name.to_owned(),
    }
}

fn write_tree(page: &mut Page, tree: &Tree, options: &Options) {
    let total = tree.credentials.len();
    let shown = options.list.map_or(total, |list| list * 4).min(total);
    // Where all were asked for, or are there for what was, a mark would say nothing.
    let all_asked = tree.credentials.iter().all(|it| it.asked);
    for one in tree.credentials.iter().take(shown) {
        credential(page, one, !all_asked, options);
    }
    left_out(
        page,
        (total - shown) as u64,
        "credential",
        "credentials",
        options,
    );
    if tree.omitted > 0 {
        let others = text::counted(tree.omitted, "other credential", "other credentials");
        page.spans(
            2,
            &[faint(format!(
                "  {others} that came of the same are not told; ask for the first one by its id."
            ))],
        );
    }
}

fn credential(page: &mut Page, one: &TracedCredential, mark: bool, options: &Options) {
    let indent = 3 * one.depth.min(DEEPEST);
    let branch = if one.depth == 0 { "" } else { "└─ " };
    let lead = indent.saturating_sub(text::width(branch));
    let pad = " ".repeat(indent + 2);
    let mut head = vec![
        Span(FAINT, format!("{}{branch}", " ".repeat(lead))),
        Span(STRONG, one.credential.clone()),
        faint(format!("  {}", kind(one))),
    ];
    if one.asked && mark {
        head.push(Span(SUSPECT, "  ← asked for".into()));
    }
    page.spans(indent + 2, &head);
    who(page, one, &pad);
    match &one.minted {
        Some(minted) => minting(page, minted, &pad),
        None if one.unsure => {
            page.spans(
                pad.len(),
                &[plain(format!(
                    "{pad}how it was issued is less sure than asked for: `--certainty possible` \
                     shows it"
                ))],
            );
        }
        None if kind(one) == "session" => {
            page.spans(
                pad.len(),
                &[faint(format!("{pad}how it was issued is not in the logs"))],
            );
        }
        None => {}
    }
    if let Some(line) = lifetime(one) {
        page.spans(pad.len(), &[faint(format!("{pad}{line}"))]);
    }
    let total = one.held.len();
    let shown = options.list.unwrap_or(total).min(total);
    for held in one.held.iter().take(shown) {
        holder(page, held, &pad);
    }
    left_out(page, (total - shown) as u64, "holder", "holders", options);
    if total == 0 && one.depth > 0 {
        page.spans(
            pad.len(),
            &[faint(format!("{pad}no use of it is in the logs"))],
        );
    }
}

fn kind(one: &TracedCredential) -> &'static str {
    match name::of(&one.principal).kind {
        name::Kind::Person => "portal session",
        _ if one.principal.is_empty() && one.held.is_empty() => "workload",
        _ => one.kind.as_str(),
    }
}

/// As what it acts, and who is behind that.
fn who(page: &mut Page, one: &TracedCredential, pad: &str) {
    let read = name::of(&one.principal);
    let mut spans = Vec::new();
    // A token is called as what it proves.
    if !one.principal.is_empty() && one.principal != one.credential {
        spans.push(plain(read.name));
        if let Some(account) = read.account {
            spans.push(faint(format!(" in {account}")));
        }
    }
    let others: Vec<String> = one
        .actors
        .iter()
        .filter(|it| **it != one.principal && !read.name.ends_with(it.as_str()))
        .map(|it| actor(it))
        .collect();
    if !others.is_empty() {
        let comma = if spans.is_empty() { "" } else { ", " };
        spans.push(plain(format!("{comma}{}", listed(others))));
    }
    if !spans.is_empty() {
        spans.insert(0, plain(pad));
        page.spans(pad.len(), &spans);
    }
}

fn minting(page: &mut Page, minted: &Minting, pad: &str) {
    let when = minted
        .time
        .map(|time| format!(" {}", text::minute(time)))
        .unwrap_or_default();
    let place = minted
        .address
        .as_deref()
        .map(|address| format!(" from {address}"))
        .unwrap_or_default();
    page.spans(
        pad.len(),
        &[plain(format!(
            "{pad}issued{when} by {}{place}",
            minted.method
        ))],
    );
    let style = match minted.certainty {
        Certainty::Certain => FAINT,
        _ => page::PLAIN,
    };
    page.spans(
        pad.len(),
        &[
            Span(style, format!("{pad}{}", minted.certainty.as_str())),
            faint(format!(": {}", minted.reason)),
        ],
    );
}

/// When it began, where the minting does not say so, and when it ends by itself.
fn lifetime(one: &TracedCredential) -> Option<String> {
    let told = one.minted.as_ref().and_then(|minted| minted.time);
    let mut parts = Vec::new();
    if let Some(created) = one.created.filter(|created| Some(*created) != told) {
        parts.push(format!("began {}", text::time(created)));
    }
    match one.ends {
        Some(ends) => {
            let latest = if one.ends_at_latest {
                " at the latest"
            } else {
                ""
            };
            parts.push(format!("ends by itself {}{latest}", text::minute(ends)));
        }
        None if matches!(one.kind.as_str(), "access-key" | "password") => {
            parts.push("lives until it is deleted".to_owned());
        }
        None => {}
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn holder(page: &mut Page, held: &Held, pad: &str) {
    let address = match held.address.as_str() {
        "" => "no address recorded",
        address => address,
    };
    let mut tail = String::new();
    if held.class != "unknown" {
        tail.push_str(&format!(" ({})", held.class));
    }
    tail.push_str(&format!("  {}", text::counted(held.calls, "call", "calls")));
    if held.refused > 0 {
        tail.push_str(&format!(", {} not done", text::count(held.refused)));
    }
    tail.push_str(&format!("  {}", period(held.first, held.last)));
    let hang = pad.len() + 4;
    page.spans(
        hang,
        &[
            plain(format!("{pad}  ")),
            Span(STRONG, address.to_owned()),
            plain(tail),
        ],
    );
    let tool = held.tool.as_deref().unwrap_or("no client recorded");
    page.spans(
        hang,
        &[
            faint(format!("{pad}    {tool}: ")),
            plain(listed(held.services.clone())),
        ],
    );
}
