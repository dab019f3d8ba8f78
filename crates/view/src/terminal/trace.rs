//! Trees of credentials: how each came to be, and who held it where.

use portreeve_incident::{Certainty, Held, Minting, Trace, TracedCredential, Tree};

use super::page::{self, FAINT, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, period};
use crate::{name, text};

/// How deep branches are still drawn further in.
const DEEPEST: usize = 6;

/// Lays out the trees.
pub(super) fn write(page: &mut Page, trace: &Trace, options: &Options) {
    let found = trace.credentials.len() as u64;
    let trees = trace.trees.len() as u64;
    page.spans(
        2,
        &[
            Span(STRONG, trace.asked.clone()),
            plain(format!(
                ": {} in {}",
                text::counted(found, "credential", "credentials"),
                text::counted(trees, "tree", "trees")
            )),
            faint(match trace.certainty {
                Certainty::Possible => "; links that are merely possible too".to_owned(),
                Certainty::Likely => "; links that are at least likely".to_owned(),
                Certainty::Certain => "; certain links only".to_owned(),
            }),
        ],
    );
    if !trace.actors.is_empty() {
        let named: Vec<&str> = trace
            .actors
            .iter()
            .take(LISTED)
            .map(|actor| name::short(actor))
            .collect();
        let more = trace.actors.len() - named.len();
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.spans(2, &[faint("of "), plain(named.join(", ")), plain(more)]);
    }
    let shown = options
        .list
        .unwrap_or(trace.trees.len())
        .min(trace.trees.len());
    for tree in trace.trees.iter().take(shown) {
        page.gap();
        write_tree(page, tree, options);
    }
    if shown < trace.trees.len() {
        page.gap();
    }
    let more = (trace.trees.len() - shown) as u64;
    left_out(page, more, "tree", "trees", options);
}

/// How many names or services stand in one line.
const LISTED: usize = 8;

fn write_tree(page: &mut Page, tree: &Tree, options: &Options) {
    let total = tree.credentials.len();
    let shown = options.list.map_or(total, |list| list * 4).min(total);
    let all_asked = tree.credentials.iter().all(|it| it.asked);
    for one in tree.credentials.iter().take(shown) {
        credential(page, one, !all_asked, options);
    }
    let more = (total - shown) as u64;
    left_out(page, more, "credential", "credentials", options);
    if tree.omitted > 0 {
        let others = text::counted(tree.omitted, "other credential", "other credentials");
        page.spans(
            2,
            &[faint(format!(
                "  {others} of this tree came of the same and are not told; ask for the first one by \
                 its id."
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
        faint(format!("  {}", one.kind.as_str())),
    ];
    if one.asked && mark {
        head.push(Span(SUSPECT, "  ← asked for".into()));
    }
    page.spans(indent + 2, &head);
    if !one.principal.is_empty() {
        let who = name::short(&one.principal);
        let mut spans = vec![plain(format!("{pad}{who}"))];
        if let Some(account) = name::of(&one.principal).account {
            spans.push(faint(format!(" in {account}")));
        }
        let others: Vec<&str> = one
            .actors
            .iter()
            .map(|actor| name::short(actor))
            .filter(|actor| !who.ends_with(actor))
            .collect();
        if !others.is_empty() {
            spans.push(plain(format!(", {}", others.join(", "))));
        }
        page.spans(indent + 2, &spans);
    }
    if let Some(minted) = &one.minted {
        minting(page, minted, &pad);
    } else if one.kind.as_str() == "session" {
        page.spans(
            indent + 2,
            &[faint(format!("{pad}how it was issued is not in the logs"))],
        );
    }
    if let Some(line) = lifetime(one) {
        page.spans(indent + 2, &[faint(format!("{pad}{line}"))]);
    }
    let shown = options.list.unwrap_or(one.held.len()).min(one.held.len());
    for held in one.held.iter().take(shown) {
        holder(page, held, &pad);
    }
    let more = (one.held.len() - shown) as u64;
    left_out(page, more, "holder", "holders", options);
    if one.held.is_empty() && one.depth > 0 {
        page.spans(
            indent + 2,
            &[faint(format!("{pad}no use of it is in the logs"))],
        );
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
    let mut services: Vec<&str> = held
        .services
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect();
    let more = held.services.len() - services.len();
    let more = format!("{more} more");
    if held.services.len() > LISTED {
        services.push(&more);
    }
    let mut line = vec![plain(format!("{pad}    {}", services.join(", ")))];
    if let Some(client) = &held.client {
        line.push(faint(format!("  {client}")));
    }
    page.spans(hang, &line);
}
