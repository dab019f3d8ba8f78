//! Attack paths drawn as one tree: steps that paths share are drawn once.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portreeve_graph::cut::Broken;
use portreeve_graph::{AttackPath, JewelKind, PathStep};

use super::shape::{Clean, icon, middle, nick};
use crate::name;
use crate::text;

const BOX: f64 = 186.0;
const BOX_HEIGHT: f64 = 46.0;
const GAP: f64 = 46.0;
const ROW: f64 = 116.0;
/// How many paths one drawing holds.
pub(super) const DRAWN: usize = 12;

/// Draws paths and lists each with its steps.
pub(super) fn draw(paths: &[AttackPath], jewels: &BTreeMap<&str, JewelKind>, id: &str) -> Markup {
    draw_cut(
        paths,
        jewels,
        id,
        "Attack paths still open",
        &BTreeSet::new(),
    )
}

/// The same with the steps that a cut breaks marked.
pub(super) fn draw_cut(
    paths: &[AttackPath],
    jewels: &BTreeMap<&str, JewelKind>,
    id: &str,
    title: &str,
    broken: &BTreeSet<Broken>,
) -> Markup {
    let tree = Tree::of(paths.iter().take(DRAWN));
    let columns = tree
        .nodes
        .iter()
        .map(|node| node.column + 1)
        .max()
        .unwrap_or(0) as f64;
    let rows = tree.nodes.iter().map(|node| node.row).fold(0.0, f64::max) + 1.0;
    let width = columns * (BOX + GAP) - GAP + 8.0;
    let height = rows * ROW + 2.0;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Drawn attack paths" {
            svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("max-width:{width:.0}px;min-width:{:.0}px", width.min(1056.0) * 0.86)) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
                title id={ (id) "-title" } { (title) }
                desc id={ (id) "-desc" } { "From what the intruder holds, on the left, to crown jewels. The list below the drawing says the same in words." }
                @for node in &tree.nodes { (edge(node, &tree, broken)) }
                @for node in &tree.nodes { (shape(node, jewels)) }
            }
        }
        p class="legend" {
            span class="hint" { "Scrolls sideways." }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="edge" x1="0" y1="7" x2="14" y2="7" {} } "open now" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="edge gated" x1="0" y1="7" x2="14" y2="7" {} } "open only where the condition named holds" }
            @if !broken.is_empty() { span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="edge cut" x1="0" y1="7" x2="14" y2="7" {} } "cut" } }
            @if paths.len() > DRAWN { span { (paths.len() - DRAWN) " more paths are listed, not drawn." } }
        }
        div style="margin-top:16px" { @for path in paths { (listed(path, jewels, broken)) } }
    }
}

/// What a drawing of paths shows, as a table.
pub(super) fn table(paths: &[AttackPath]) -> Markup {
    html! {
        details {
            summary { span class="grow" { "The same as a table" } }
            div class="inside" { (rows(paths)) }
        }
    }
}

/// The table itself: a row for each step, the steps of a path one below the other.
pub(super) fn rows(paths: &[AttackPath]) -> Markup {
    html! {
        div class="scroll" { table {
            caption { "The steps of each path, in order. A condition must hold before the step can be taken." }
            thead { tr { th scope="col" { "Path" } th scope="col" { "From" } th scope="col" { "Step" } th scope="col" { "To" } th scope="col" { "Conditions" } } }
            tbody { @for (number, path) in paths.iter().take(DRAWN).enumerate() { @for step in &path.steps { tr {
                td { (number + 1) }
                td title=(text::clean(step.from.as_str())) { (Clean(name::short(step.from.as_str()))) }
                td { (Clean(&step.title)) }
                td title=(text::clean(step.to.as_str())) { (Clean(name::short(step.to.as_str()))) }
                td { (Clean(&step.conditions.join(", "))) }
            } } } }
        } }
    }
}

struct Node<'a> {
    id: &'a str,
    parent: Option<usize>,
    step: Option<&'a PathStep>,
    column: usize,
    row: f64,
    ends: bool,
    children: Vec<usize>,
}

impl Node<'_> {
    fn x(&self) -> f64 {
        4.0 + self.column as f64 * (BOX + GAP)
    }

    /// The middle of its box.
    fn y(&self) -> f64 {
        self.row * ROW + 38.0 + BOX_HEIGHT / 2.0
    }
}

struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    fn of(paths: impl Iterator<Item = &'a AttackPath>) -> Self {
        let mut nodes: Vec<Node<'a>> = Vec::new();
        for path in paths {
            let root = nodes
                .iter()
                .position(|node| node.parent.is_none() && node.id == path.from.as_str());
            let mut at = root.unwrap_or_else(|| push(&mut nodes, path.from.as_str(), None, None));
            for step in &path.steps {
                let known = nodes.iter().position(|node| {
                    node.parent == Some(at)
                        && node.id == step.to.as_str()
                        && node.step.is_some_and(|other| other.via == step.via)
                });
                at = known
                    .unwrap_or_else(|| push(&mut nodes, step.to.as_str(), Some(at), Some(step)));
            }
            if let Some(node) = nodes.get_mut(at) {
                node.ends = true;
            }
        }
        let mut tree = Self { nodes };
        tree.place();
        tree
    }

    /// Gives each leaf a row of its own, in order, and each other node the row of its first child.
    /// Children have greater numbers than their parents.
    fn place(&mut self) {
        let mut next = 0.0;
        let mut pending: Vec<usize> = (0..self.nodes.len())
            .rev()
            .filter(|place| {
                self.nodes
                    .get(*place)
                    .is_some_and(|node| node.parent.is_none())
            })
            .collect();
        while let Some(place) = pending.pop() {
            let Some(node) = self.nodes.get_mut(place) else {
                continue;
            };
            if node.children.is_empty() {
                node.row = next;
                next += 1.0;
            }
            pending.extend(node.children.iter().rev());
        }
        for place in (0..self.nodes.len()).rev() {
            let rows: Vec<f64> = self
                .nodes
                .get(place)
                .map(|node| {
                    node.children
                        .iter()
                        .filter_map(|child| self.nodes.get(*child))
                        .map(|child| child.row)
                        .collect()
                })
                .unwrap_or_default();
            if let (Some(first), Some(last)) = (rows.first(), rows.last())
                && let Some(node) = self.nodes.get_mut(place)
            {
                node.row = (first + last) / 2.0;
            }
        }
    }
}

fn push<'a>(
    nodes: &mut Vec<Node<'a>>,
    id: &'a str,
    parent: Option<usize>,
    step: Option<&'a PathStep>,
) -> usize {
    let place = nodes.len();
    let column = parent
        .and_then(|parent| nodes.get(parent))
        .map_or(0, |node| node.column + 1);
    if let Some(parent) = parent.and_then(|parent| nodes.get_mut(parent)) {
        parent.children.push(place);
    }
    nodes.push(Node {
        id,
        parent,
        step,
        column,
        row: 0.0,
        ends: false,
        children: Vec::new(),
    });
    place
}

/// Whether a cut breaks a step.
fn is_cut(step: &PathStep, broken: &BTreeSet<Broken>) -> bool {
    let same =
        |known: &Broken| known.from == step.from && known.to == step.to && known.via == step.via;
    broken.iter().any(same)
}

fn edge(node: &Node<'_>, tree: &Tree<'_>, broken: &BTreeSet<Broken>) -> Markup {
    let Some(parent) = node.parent.and_then(|parent| tree.nodes.get(parent)) else {
        return html! {};
    };
    let (from, y0, to, y1) = (parent.x() + BOX, parent.y(), node.x() - 7.0, node.y());
    let middle = from + (to - from) * 0.5;
    let path = if (y0 - y1).abs() < 1.0 {
        format!("M{from:.1} {y0:.1}H{to:.1}")
    } else {
        let bend = 10.0 * (y1 - y0).signum();
        format!(
            "M{from:.1} {y0:.1}H{:.1}Q{middle:.1} {y0:.1} {middle:.1} {:.1}V{:.1}Q{middle:.1} {y1:.1} {:.1} {y1:.1}H{to:.1}",
            middle - 10.0,
            y0 + bend,
            y1 - bend,
            middle + 10.0
        )
    };
    let gated = node.step.is_some_and(|step| !step.conditions.is_empty());
    let cut = node.step.is_some_and(|step| is_cut(step, broken));
    html! {
        path class={ "edge" @if gated { " gated" } @if cut { " cut" } } d=(path) {}
        @if cut {
            path class="edge cut" d=(format!("M{:.1} {:.1}l14 -14m-14 0l14 14", middle - 7.0, y1 + 7.0)) {}
        }
        path class="arrow" d=(format!("M{:.1} {y1:.1}l-8 -4.5v9z", node.x() - 1.0)) {}
    }
}

fn shape(node: &Node<'_>, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let read = name::of(node.id);
    let (x, y) = (node.x(), node.y() - BOX_HEIGHT / 2.0);
    let jewel = jewels.get(node.id).map(|kind| kind.title());
    let role = match (node.parent.is_none(), node.ends) {
        (true, _) => "start",
        (false, true) => "target",
        (false, false) => "",
    };
    html! {
        g {
            title { (Clean(node.id)) }
            rect class={ "node " (role) } x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(BOX) height=(BOX_HEIGHT) rx=(if node.ends { 4 } else { 12 }) {}
            path class={ "icon " @if !role.is_empty() { (role) "-icon" } } transform=(format!("translate({:.1} {:.1})", x + 10.0, y + 13.0)) d=(icon(read.kind)) {}
            text x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 20.0)) font-size="12.5" font-weight="600" { (middle(&nick(read.name), 18)) }
            text class="s" x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 36.0)) font-size="11.5" {
                @if node.parent.is_none() { "start: " }
                (jewel.unwrap_or(read.kind.title()))
            }
            @if let Some(step) = node.step {
                text x=(format!("{:.1}", x + 2.0)) y=(format!("{:.1}", y - 20.0)) font-size="11.5" { (middle(&step.title, 32)) }
                text class="m s" x=(format!("{:.1}", x + 2.0)) y=(format!("{:.1}", y - 6.5)) font-size="10.5" { (permissions(step)) }
                @if let Some(condition) = step.conditions.first() {
                    text class="gate" x=(format!("{:.1}", x + 2.0)) y=(format!("{:.1}", y + BOX_HEIGHT + 15.0)) font-size="11" {
                        "if " (middle(condition, 22))
                        @if step.conditions.len() > 1 { " and " (step.conditions.len() - 1) " more" }
                    }
                }
            }
        }
    }
}

fn permissions(step: &PathStep) -> String {
    match step.permissions.as_slice() {
        [] => String::new(),
        [one] => middle(one, 29),
        [first, rest @ ..] => format!("{} +{}", middle(first, 25), rest.len()),
    }
}

/// A path in words.
fn listed(
    path: &AttackPath,
    jewels: &BTreeMap<&str, JewelKind>,
    broken: &BTreeSet<Broken>,
) -> Markup {
    let target = name::of(path.to.as_str());
    let kind = jewels
        .get(path.to.as_str())
        .map_or(target.kind.title(), |kind| kind.title());
    html! {
        details {
            summary {
                span class="grow" {
                    b class="name" { (Clean(target.name)) } " "
                    span class="soft" { (kind) ", " (text::counted(path.steps.len() as u64, "step", "steps")) }
                }
                @if path.conditions.is_empty() {
                    span class="tag warn" { "open now" }
                } @else {
                    span class="tag good" { "needs " (Clean(&path.conditions.join(", "))) }
                }
            }
            div class="inside" {
                p class="small soft" style="margin-bottom:10px" { "From " span class="mono" { (Clean(path.from.as_str())) } }
                ol class="steps" {
                    @for step in &path.steps {
                        li {
                            (Clean(&step.title)) " → " b { (Clean(name::short(step.to.as_str()))) }
                            @if is_cut(step, broken) { " " span class="tag good" { "cut here" } }
                            div class="small soft mono" { (Clean(step.to.as_str())) }
                            @if !step.permissions.is_empty() {
                                div class="small" { "uses " code { (Clean(&step.permissions.join(", "))) } }
                            }
                            @if step.statements.iter().any(|statement| !statement.is_empty()) {
                                div class="small" { "allowed by " code { (Clean(&step.statements.join(", "))) } }
                            }
                            @if !step.conditions.is_empty() {
                                div class="small" { span class="tag good" { "if " (Clean(&step.conditions.join(", "))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
