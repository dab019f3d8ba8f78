//! Who may do what, and what each layer of policies says.

use anstyle::Style;
use portreeve_authz::{Atom, Decision};
use portreeve_graph::{Holder, Holders, LayerResult, LayerVerdict, Verdict};

use super::page::{FAINT, GOOD, Page, STRONG, SUSPECT, Span, faint, plain};
use super::{Options, left_out};
use crate::{name, policy, text};

/// How a decision looks. From a defender's side what is allowed is what to look at.
fn style(decision: Decision) -> Style {
    match decision {
        Decision::Allowed => SUSPECT.bold(),
        Decision::Denied => GOOD.bold(),
        Decision::Depends => STRONG,
    }
}

/// An answer, its reason, and each layer.
pub(super) fn verdict(page: &mut Page, verdict: &Verdict) {
    let answer = &verdict.answer;
    page.spans(
        2,
        &[
            Span(
                style(answer.decision),
                answer.decision.as_str().to_uppercase(),
            ),
            plain("  "),
            Span(STRONG, name::short(verdict.principal.as_str()).into()),
            plain(format!(" {} ", may(answer.decision))),
            Span(STRONG, verdict.action.clone()),
            plain(" on "),
            Span(STRONG, name::short(verdict.resource.as_str()).into()),
        ],
    );
    page.spans(
        2,
        &[faint(format!(
            "  {} on {}",
            verdict.principal, verdict.resource
        ))],
    );
    let ground = policy::ground(
        answer.decision.into(),
        answer.layer,
        answer.statement.as_ref(),
    );
    page.spans(2, &[plain(format!("  {ground}"))]);
    atoms(page, &answer.depends_on, "  ");

    page.heading("Layer by layer");
    if verdict.layers.is_empty() {
        page.spans(2, &[plain("  No policy speaks of it.")]);
    }
    for layer in &verdict.layers {
        one_layer(page, layer);
    }
    notes(page, &verdict.notes);
}

fn may(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "may do",
        Decision::Denied => "may not do",
        Decision::Depends => "may perhaps do",
    }
}

fn one_layer(page: &mut Page, layer: &LayerVerdict) {
    let (mark, style) = match layer.result {
        LayerResult::Allow => ("✓", SUSPECT),
        LayerResult::Deny => ("✗", GOOD),
        LayerResult::None => ("–", FAINT),
        LayerResult::Depends => ("?", STRONG),
    };
    let word = layer.result.as_str();
    let mut spans = vec![
        Span(style, format!("  {mark} {word:<8}")),
        plain(policy::layer(layer.layer)),
        faint(format!(", {}", name::short(layer.at.as_str()))),
    ];
    if let Some(statement) = &layer.statement {
        spans.push(plain(format!("  {statement}")));
    }
    page.spans(12, &spans);
    atoms(page, &layer.depends_on, "            ");
}

fn atoms(page: &mut Page, atoms: &[Atom], indent: &str) {
    for atom in atoms {
        let text = format!("{indent}{}", policy::atom(atom));
        page.spans(indent.len() + 2, &[plain(text)]);
    }
}

fn notes(page: &mut Page, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    page.heading("Notes");
    for note in notes {
        page.spans(4, &[plain(format!("  - {note}"))]);
    }
}

/// Who may do it.
pub(super) fn holders(page: &mut Page, holders: &Holders, options: &Options) {
    let counted = |list: &[Holder]| text::counted(list.len() as u64, "principal", "principals");
    page.spans(
        2,
        &[
            Span(STRONG, holders.action.clone()),
            plain(" on "),
            Span(STRONG, holders.resource.to_string()),
            plain(format!(
                ": {} may, for {} it depends, {} may not",
                counted(&holders.allowed),
                text::count(holders.depends.len() as u64),
                text::count(holders.denied as u64)
            )),
        ],
    );
    for (title, list) in [("May", &holders.allowed), ("Depends", &holders.depends)] {
        if list.is_empty() {
            continue;
        }
        page.heading(&format!("{title} ({})", text::count(list.len() as u64)));
        let most = options.list.unwrap_or(list.len()).min(list.len());
        for holder in list.iter().take(most) {
            one_holder(page, holder);
        }
        left_out(
            page,
            (list.len() - most) as u64,
            "principal",
            "principals",
            options,
        );
    }
    notes(page, &holders.notes);
}

fn one_holder(page: &mut Page, holder: &Holder) {
    let read = name::of(holder.principal.as_str());
    let account = read
        .account
        .map_or_else(String::new, |account| format!(", {account}"));
    let mut spans = vec![
        Span(style(holder.answer.decision), format!("  {}", read.name)),
        faint(format!("  {}{account}", read.kind.title())),
    ];
    if holder.outside {
        spans.push(Span(SUSPECT, "  outside the estate".into()));
    }
    if let Some(statement) = &holder.answer.statement {
        spans.push(plain(format!("  {statement}")));
    }
    page.spans(4, &spans);
    atoms(page, &holder.answer.depends_on, "    ");
}
