use std::collections::BTreeMap;

use portreeve_graph::JewelKind;
use portreeve_graph::cut::Edit;
use portreeve_incident::containment::{Refusal, Refused};

use super::page::{GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out, path, surroundings};
use crate::cut::CutAnswer;
use crate::{name, text};

/// The changes with what to type for each, what is proven, and what the past says.
pub(super) fn write(page: &mut Page, answer: &CutAnswer<'_>, options: &Options) {
    let style = if answer.cut.left.is_empty() {
        STRONG
    } else {
        SUSPECT
    };
    page.spans(0, &[Span(style, format!("{}.", answer.title()))]);
    for proof in answer.proofs() {
        page.spans(2, &[plain(format!("  {proof}"))]);
    }
    if !answer.given.is_empty() {
        page.spans(2, &[faint(format!("  Given {}.", answer.given.join(", ")))]);
    }
    changes(page, answer);
    past(page, answer, options);
    let kinds: BTreeMap<&str, JewelKind> = answer
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    for (title, paths) in [
        ("Paths that no known change can cut", &answer.cut.left),
        ("Paths that are cut", &answer.cut.before),
    ] {
        if paths.is_empty() {
            continue;
        }
        page.heading(title);
        let most = options.list.unwrap_or(paths.len()).min(paths.len());
        for path in paths.iter().take(most) {
            page.gap();
            path::write(page, path, &kinds);
        }
        left_out(page, (paths.len() - most) as u64, "path", "paths", options);
    }
    surroundings::blind_spots(page, answer.blind_spots, options);
}

fn changes(page: &mut Page, answer: &CutAnswer<'_>) {
    if answer.cut.plan.changes.is_empty() {
        return;
    }
    page.heading(&format!("Changes (cost {})", answer.cut.cost));
    page.spans(2, &[faint("  Commands to review before you run them.")]);
    for (change, typed) in answer.changes() {
        page.gap();
        let account = change
            .account
            .as_deref()
            .map(|account| format!("  {account}"));
        for (place, title) in change.titles.iter().enumerate() {
            let number = match place {
                0 => format!("{:>3}. ", change.id),
                _ => "     ".to_owned(),
            };
            let mut spans = vec![Span(STRONG, number), Span(STRONG, title.clone())];
            spans.extend(account.clone().filter(|_| place == 0).map(faint));
            page.spans(5, &spans);
        }
        if let Some(command) = &typed.command {
            page.command(command);
        }
        if let Some(caveat) = &typed.caveat {
            page.spans(5, &[faint(format!("     {caveat}"))]);
        }
        if let Edit::Document { after, .. } = &change.edit {
            let what = match after {
                Some(_) => "The policy then:",
                None => "The policy is gone then.",
            };
            page.spans(5, &[faint(format!("     {what}"))]);
            if let Some(after) = after {
                page.command(&indented(after));
            }
        }
        if let Some(undo) = &typed.undo {
            page.spans(5, &[faint("     To take it back:")]);
            page.command(undo);
        }
        if let Some(terraform) = &typed.terraform {
            page.spans(5, &[faint("     In Terraform:")]);
            page.command(terraform);
        }
    }
}

/// A policy over several lines, as it was written where it cannot be read.
fn indented(document: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(document).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| document.to_owned())
}

fn past(page: &mut Page, answer: &CutAnswer<'_>, options: &Options) {
    let (Some(history), Some(past)) = (answer.history, answer.past()) else {
        return;
    };
    page.heading("What was used that would be refused");
    page.spans(2, &[plain(format!("  {past}"))]);
    let refused = &history.refused;
    let most = options.list.unwrap_or(refused.len()).min(refused.len());
    for one in refused.iter().take(most) {
        page.gap();
        entry(page, one);
    }
    left_out(
        page,
        (refused.len() - most) as u64,
        "entry",
        "entries",
        options,
    );
    if !history.silent.is_empty() {
        page.gap();
        page.spans(2, &[faint("  Of these the logs may be silent:")]);
        for silent in &history.silent {
            page.spans(6, &[faint(format!("    {silent}"))]);
        }
    }
}

fn entry(page: &mut Page, refused: &Refused) {
    let verb = match refused.refusal {
        Refusal::Denied => Span(SUSPECT, "refused".into()),
        Refusal::Depends => Span(GOOD, "refused or not, by what the logs do not tell".into()),
    };
    page.spans(
        4,
        &[
            Span(
                STRONG,
                format!("  {}", name::short(refused.principal.as_str())),
            ),
            plain(format!("  {} on ", refused.action)),
            Span(STRONG, name::short(&refused.resource).to_owned()),
            plain(format!(
                ", {}: ",
                text::counted(refused.calls, "call", "calls")
            )),
            verb,
        ],
    );
    let mut details = Vec::new();
    if refused.operation != refused.action {
        details.push(format!("called as {}", refused.operation));
    }
    details.extend(refused.reason.clone());
    details.extend(
        refused
            .last
            .map(|last| format!("last {}", text::minute(last))),
    );
    if !refused.sessions.is_empty() {
        details.push(format!("in sessions {}", refused.sessions.join(", ")));
    }
    page.spans(4, &[faint(format!("    {}", details.join("; ")))]);
}
