//! Who may do what, drawn: the layers of policies as gates on the way, and who comes through.

use maud::{Markup, html};
use portreeve_authz::{Atom, Decision};
use portreeve_graph::{Holder, Holders, LayerResult, LayerVerdict, Verdict};
use portreeve_model::BlindSpot;

use super::incident::left_out;
use super::page::{self, answer};
use super::shape::{Clean, icon, middle, nick};
use super::{ROWS, blind_spots};
use crate::{name, policy, text};

const GATE: f64 = 150.0;
const GATE_HEIGHT: f64 = 92.0;
const END: f64 = 186.0;
const GAP: f64 = 34.0;
const MIDDLE: f64 = 66.0;

/// The page of one question: `can --format html`.
pub fn verdict(verdict: &Verdict, unseen: &[BlindSpot]) -> String {
    let decision = verdict.answer.decision;
    let title = match decision {
        Decision::Allowed => "Allowed",
        Decision::Denied => "Denied",
        Decision::Depends => "It depends",
    };
    let about = html! {
        b { (Clean(name::short(verdict.principal.as_str()))) } " asks for " code { (Clean(&verdict.action)) }
        " on " b { (Clean(name::short(verdict.resource.as_str()))) } ": "
        (Clean(&policy::ground(decision.into(), verdict.answer.layer, verdict.answer.statement.as_ref()))) "."
    };
    let main = html! {
        (answer(title, about, &[]))
        section class="card part" {
            h2 { "Layer by layer" }
            (gates(verdict))
            (layers(&verdict.layers))
        }
        @if !verdict.answer.depends_on.is_empty() {
            section class="card part" {
                h2 { "What it depends on" }
                ul class="bullets" { @for atom in &verdict.answer.depends_on { li { (Clean(&policy::atom(atom))) } } }
            }
        }
        (notes(&verdict.notes))
        (blind_spots(unseen))
    };
    page::page(
        title,
        page::masthead("Who may do what", None),
        main,
        page::foot(),
    )
}

/// The way from who asks to what is asked for, a gate for each layer.
fn gates(verdict: &Verdict) -> Markup {
    let count = verdict.layers.len() as f64;
    let width = END * 2.0 + (count + 1.0) * GAP + count * GATE + 8.0;
    let height = MIDDLE * 2.0;
    let first = 4.0 + END + GAP;
    let goal = first + count * (GATE + GAP);
    let opened = verdict.answer.decision != Decision::Denied;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Layers of policies" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:{:.0}px", width.min(1056.0) * 0.86)) role="img" aria-label=(format!("The request passes {count} layers; the list below says the same in words.")) {
                line class={ "edge" @if verdict.answer.decision == Decision::Depends { " gated" } } x1=(format!("{:.1}", 4.0 + END)) x2=(format!("{goal:.1}")) y1=(MIDDLE) y2=(MIDDLE) {}
                (end(verdict.principal.as_str(), 4.0, "start"))
                @for (place, layer) in verdict.layers.iter().enumerate() {
                    (gate(layer, first + place as f64 * (GATE + GAP)))
                }
                (end(verdict.resource.as_str(), goal, if opened { "target" } else { "" }))
            }
        }
    }
}

fn end(id: &str, x: f64, role: &str) -> Markup {
    let read = name::of(id);
    let y = MIDDLE - 23.0;
    html! {
        g {
            title { (Clean(id)) }
            rect class={ "node " (role) } x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(END) height="46" rx="12" {}
            path class={ "icon " @if !role.is_empty() { (role) "-icon" } } transform=(format!("translate({:.1} {:.1})", x + 10.0, y + 13.0)) d=(icon(read.kind)) {}
            text x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 20.0)) font-size="12.5" font-weight="600" { (middle(&nick(read.name), 18)) }
            text class="s" x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 36.0)) font-size="11.5" { (read.kind.title()) }
        }
    }
}

/// The mark of what a layer says: told by its shape and its word.
fn mark(result: LayerResult) -> &'static str {
    match result {
        LayerResult::Allow => "✓",
        LayerResult::Deny => "✗",
        LayerResult::None => "–",
        LayerResult::Depends => "?",
    }
}

fn tag(result: LayerResult) -> &'static str {
    match result {
        LayerResult::Allow => "tag warn",
        LayerResult::Deny => "tag good",
        LayerResult::None => "tag",
        LayerResult::Depends => "tag jewel",
    }
}

fn gate(layer: &LayerVerdict, x: f64) -> Markup {
    let y = MIDDLE - GATE_HEIGHT / 2.0;
    let at = x + GATE / 2.0;
    let line = |text: String, dy: f64, class: &str, size: &str| {
        html! {
            text class=(class) text-anchor="middle" x=(format!("{at:.1}")) y=(format!("{:.1}", y + dy)) font-size=(size) { (text) }
        }
    };
    html! {
        g {
            title { (Clean(layer.at.as_str())) }
            rect class="node" stroke-dasharray=[(layer.result == LayerResult::Depends).then_some("5 4")] x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(GATE) height=(GATE_HEIGHT) rx="4" {}
            (line(format!("{} {}", mark(layer.result), layer.result.as_str()), 24.0, "", "14"))
            (line(layer.layer.as_str().to_owned(), 44.0, "s", "11.5"))
            (line(middle(name::short(layer.at.as_str()), 20), 60.0, "s", "11"))
            @if let Some(statement) = &layer.statement { (line(middle(&statement.to_string(), 20), 78.0, "m s", "10.5")) }
        }
    }
}

fn layers(layers: &[LayerVerdict]) -> Markup {
    html! {
        div class="scroll" style="margin-top:16px" { table {
            thead { tr { th scope="col" { "Layer" } th scope="col" { "At" } th scope="col" { "Says" } th scope="col" { "Statement" } th scope="col" { "Depends on" } } }
            tbody { @for layer in layers { tr {
                td { (policy::layer(layer.layer)) }
                td class="mono" { (Clean(layer.at.as_str())) }
                td { span class=(tag(layer.result)) { (mark(layer.result)) " " (layer.result.as_str()) } }
                td class="mono" { @if let Some(statement) = &layer.statement { (Clean(&statement.to_string())) } }
                td { (atoms(&layer.depends_on)) }
            } } }
        } }
    }
}

fn atoms(atoms: &[Atom]) -> Markup {
    html! {
        @for (number, atom) in atoms.iter().enumerate() {
            @if number > 0 { br; }
            (Clean(&policy::atom(atom)))
        }
    }
}

fn notes(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section class="card part" {
                h2 { "Notes" }
                ul class="bullets" { @for note in notes { li { (Clean(note)) } } }
            }
        }
    }
}

/// How many holders the drawing shows.
const DRAWN: usize = 24;
const ROW: f64 = 54.0;

/// The page of who may do something: `who-can --format html`.
pub fn holders(holders: &Holders, unseen: &[BlindSpot]) -> String {
    let allowed = holders.allowed.len() as u64;
    let title = match allowed {
        0 => "Nobody may for certain".to_owned(),
        _ => format!("{} may", text::counted(allowed, "principal", "principals")),
    };
    let about = html! {
        code { (Clean(&holders.action)) } " on " span class="mono" { (Clean(holders.resource.as_str())) }
    };
    let figures = [
        ("May", text::count(allowed)),
        ("Depends", text::count(holders.depends.len() as u64)),
        ("May not", text::count(holders.denied as u64)),
    ];
    let main = html! {
        (answer(&title, about, &figures))
        @if !(holders.allowed.is_empty() && holders.depends.is_empty()) {
            section class="card part" { h2 { "Who" } (fan(holders)) }
        }
        (listed("May", &holders.allowed))
        (listed("Depends", &holders.depends))
        (notes(&holders.notes))
        (blind_spots(unseen))
    };
    page::page(
        &title,
        page::masthead("Who may do what", None),
        main,
        page::foot(),
    )
}

/// Everyone on the left, the resource on the right.
fn fan(holders: &Holders) -> Markup {
    let total = holders.allowed.len() + holders.depends.len();
    let list = holders.allowed.iter().map(|holder| (holder, false));
    let list: Vec<(&Holder, bool)> = list
        .chain(holders.depends.iter().map(|holder| (holder, true)))
        .take(DRAWN)
        .collect();
    let height = (list.len() as f64 * ROW).max(ROW) + 20.0;
    let (left, right) = (4.0, 4.0 + END + 260.0);
    let width = right + END + 4.0;
    let centre = height / 2.0;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Who may do it" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:{:.0}px", width * 0.8)) role="img" aria-label="Principals on the left, the resource on the right; the lists below say the same in words." {
                @for (row, (holder, gated)) in list.iter().enumerate() {
                    @let y = 10.0 + row as f64 * ROW + ROW / 2.0;
                    path class={ "edge" @if *gated { " gated" } } d=(format!("M{:.1} {y:.1}C{:.1} {y:.1} {:.1} {centre:.1} {:.1} {centre:.1}", left + END, left + END + 130.0, right - 130.0, right)) {}
                    g transform=(format!("translate(0 {:.1})", y - MIDDLE)) { (end(holder.principal.as_str(), left, if holder.outside { "start" } else { "" })) }
                }
                g transform=(format!("translate(0 {:.1})", centre - MIDDLE)) { (end(holders.resource.as_str(), right, "target")) }
            }
        }
        p class="legend" {
            span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="edge" x1="0" y1="7" x2="14" y2="7" {} } "may" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="edge gated" x1="0" y1="7" x2="14" y2="7" {} } "may where the condition holds" }
            @if total > DRAWN { span { (total - DRAWN) " more are listed, not drawn." } }
        }
    }
}

fn listed(title: &str, list: &[Holder]) -> Markup {
    html! {
        @if !list.is_empty() {
            section class="card part" {
                h2 { (title) }
                div class="scroll" { table {
                    thead { tr { th scope="col" { "Principal" } th scope="col" { "Statement" } th scope="col" { "Layer" } th scope="col" { "Depends on" } } }
                    tbody { @for holder in list.iter().take(ROWS) { tr {
                        td { b { (Clean(name::short(holder.principal.as_str()))) } @if holder.outside { " " span class="tag warn" { "outside" } }
                            div class="small soft mono" { (Clean(holder.principal.as_str())) } }
                        td class="mono" { @if let Some(statement) = &holder.answer.statement { (Clean(&statement.to_string())) } }
                        td { (holder.answer.layer.map_or("", policy::layer)) }
                        td { (atoms(&holder.answer.depends_on)) }
                    } } }
                } }
                (left_out(list.len(), ROWS, "principal", "principals"))
            }
        }
    }
}
