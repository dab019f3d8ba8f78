//! A picture of single steps that grows where it is touched: what one thing reaches by one step, and what that
//! reaches, as far as was asked for.
//!
//! Places are given in the order in which things were opened, and what has a place keeps it: opening one more
//! moves nothing. One that is shut again keeps the places behind it, so that neither does that. Which are open
//! stands in the address, so that a page is the same for whoever it is sent to.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portreeve_graph::{JewelKind, PathStep};

use super::super::shape::{Clean, icon, middle, nick};
use super::today::address;
use crate::{name, text};

/// How many things may be open at once, and how many steps of each are drawn; the table has them all.
const OPEN: usize = 16;
const DRAWN: usize = 10;

const BOX: f64 = 186.0;
const BOX_HEIGHT: f64 = 46.0;
const COLUMN: f64 = BOX + 54.0;
const ROW: f64 = 84.0;

/// The things that are shown, and where.
#[derive(Debug)]
pub struct Steps {
    nodes: Vec<Node>,
    opened: Vec<Opened>,
}

#[derive(Debug)]
struct Node {
    id: String,
    column: usize,
    row: usize,
    shown: bool,
}

/// One thing whose steps were asked for.
#[derive(Debug)]
struct Opened {
    node: usize,
    /// Whether it was shut again: its places are kept.
    shut: bool,
    steps: Vec<PathStep>,
    /// The nodes that are drawn behind it.
    children: Vec<usize>,
}

/// A short name for an id in an address: 32 bits of FNV-1a. Of two that share one the first is meant.
fn key(id: &str) -> String {
    let hash = id.bytes().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

impl Steps {
    /// Lays out what is open, beginning with one thing. `open` is what the address says: short names in the
    /// order in which they were opened, parted by `.`, with `-` before those that were shut again. What it
    /// names that has no place is passed over.
    pub fn lay(root: &str, open: &str, mut steps: impl FnMut(&str) -> Vec<PathStep>) -> Self {
        let mut all = Self {
            nodes: vec![Node {
                id: root.to_owned(),
                column: 0,
                row: 0,
                shown: true,
            }],
            opened: Vec::new(),
        };
        let mut taken = BTreeSet::from([(0, 0)]);
        all.open(0, false, steps(root), &mut taken);
        for word in open.split('.') {
            let (shut, word) = match word.strip_prefix('-') {
                Some(word) => (true, word),
                None => (false, word),
            };
            let node = all.nodes.iter().position(|node| key(&node.id) == word);
            let is_known = |node: usize| all.opened.iter().any(|it| it.node == node);
            if let Some(node) = node.filter(|node| !is_known(*node))
                && all.opened.len() <= OPEN
            {
                let found = steps(&all.nodes[node].id);
                all.open(node, shut, found, &mut taken);
            }
        }
        all.show();
        all
    }

    /// Gives what is behind a node its places: the first free ones of the next column, from its own row down.
    fn open(
        &mut self,
        node: usize,
        shut: bool,
        steps: Vec<PathStep>,
        taken: &mut BTreeSet<(usize, usize)>,
    ) {
        let (column, mut row) = (self.nodes[node].column + 1, self.nodes[node].row);
        let mut children = Vec::new();
        for step in &steps {
            let id = step.to.as_str();
            let known = self.nodes.iter().position(|it| it.id == id);
            if known.is_some_and(|known| children.contains(&known) || known == node) {
                continue;
            }
            if children.len() == DRAWN {
                break;
            }
            children.push(known.unwrap_or_else(|| {
                while !taken.insert((column, row)) {
                    row += 1;
                }
                self.nodes.push(Node {
                    id: id.to_owned(),
                    column,
                    row,
                    shown: false,
                });
                self.nodes.len() - 1
            }));
        }
        self.opened.push(Opened {
            node,
            shut,
            steps,
            children,
        });
    }

    /// What an open thing that is shown leads to is shown.
    fn show(&mut self) {
        let mut pending = vec![0];
        while let Some(node) = pending.pop() {
            let open = self.opened.iter().filter(|it| it.node == node && !it.shut);
            for child in open.flat_map(|it| &it.children) {
                if !std::mem::replace(&mut self.nodes[*child].shown, true) {
                    pending.push(*child);
                }
            }
        }
    }

    /// What is open and shown.
    fn open_now(&self) -> impl Iterator<Item = &Opened> {
        let shown = |it: &&Opened| !it.shut && self.nodes[it.node].shown;
        self.opened.iter().filter(shown)
    }

    /// What the address says where one thing is opened, or shut again.
    fn turned(&self, node: usize) -> String {
        let mut words = Vec::new();
        let mut found = false;
        // The first is always open.
        for it in self.opened.iter().skip(1) {
            let turns = it.node == node;
            found |= turns;
            let sign = if it.shut != turns { "-" } else { "" };
            words.push(format!("{sign}{}", key(&self.nodes[it.node].id)));
        }
        if !found {
            words.push(key(&self.nodes[node].id));
        }
        words.join(".")
    }

    fn may_open(&self) -> bool {
        self.opened.len() <= OPEN
    }
}

impl Node {
    fn x(&self) -> f64 {
        4.0 + self.column as f64 * COLUMN
    }

    /// The middle of its box.
    fn y(&self) -> f64 {
        self.row as f64 * ROW + 24.0 + BOX_HEIGHT / 2.0
    }
}

/// The picture, with the same as a table.
pub(super) fn section(steps: &Steps, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let shown = || steps.nodes.iter().filter(|node| node.shown);
    let columns = shown().map(|node| node.column).max().unwrap_or(0) as f64;
    let rows = shown().map(|node| node.row).max().unwrap_or(0) as f64;
    let (width, height) = (columns * COLUMN + BOX + 12.0, (rows + 1.0) * ROW + 4.0);
    let left_out: usize = steps
        .open_now()
        .map(|it| targets(&it.steps).len().saturating_sub(it.children.len()))
        .sum();
    html! {
        section class="card part" id="steps" data-steps {
            h2 { "Step by step" }
            p class="soft" { "What one step reaches. Choose a thing to see what is behind it; again, and it is gone." }
            div data-pan { div class="draw" tabindex="0" role="region" aria-label="Drawn steps" {
                svg viewBox=(format!("0 0 {width:.0} {height:.0}")) style=(format!("width:{width:.0}px;height:{height:.0}px;max-width:none")) role="group" aria-labelledby="steps-title" {
                    title id="steps-title" { "Steps from one thing to the next" }
                    @for it in steps.open_now() { @for child in &it.children {
                        (edge(&steps.nodes[it.node], &steps.nodes[*child], &it.steps))
                    } }
                    @for (number, node) in steps.nodes.iter().enumerate() { @if node.shown { (shape(steps, number, jewels)) } }
                }
            } }
            @if left_out > 0 { p class="soft small" { (text::counted(left_out as u64, "more is", "more are")) " in the table." } }
            (table(steps, jewels))
        }
    }
}

fn targets(steps: &[PathStep]) -> BTreeSet<&str> {
    let ids = steps.iter().filter(|step| step.from != step.to);
    ids.map(|step| step.to.as_str()).collect()
}

fn edge(from: &Node, to: &Node, steps: &[PathStep]) -> Markup {
    let own = || steps.iter().filter(|step| step.to.as_str() == to.id);
    let gated = own().all(|step| !step.conditions.is_empty());
    let (x0, y0, y1) = (from.x() + BOX, from.y(), to.y());
    let path = if to.column > from.column {
        let (x1, middle) = (to.x() - 7.0, (x0 + to.x() - 7.0) / 2.0);
        format!("M{x0:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}")
    } else {
        // Back to what was there before: round the outside of both.
        let (x1, out) = (to.x() + BOX + 7.0, x0.max(to.x() + BOX) + 34.0);
        format!("M{x0:.1} {y0:.1}C{out:.1} {y0:.1} {out:.1} {y1:.1} {x1:.1} {y1:.1}")
    };
    let arrow = match to.column > from.column {
        true => format!("M{:.1} {y1:.1}l-8 -4.5v9z", to.x() - 1.0),
        false => format!("M{:.1} {y1:.1}l8 -4.5v9z", to.x() + BOX + 1.0),
    };
    html! {
        path class={ "edge" @if gated { " gated" } } d=(path) { title { @for step in own() { (Clean(&step.title)) "; " } } }
        path class="arrow" d=(arrow) {}
    }
}

fn shape(steps: &Steps, number: usize, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let node = &steps.nodes[number];
    let read = name::of(&node.id);
    let (x, y) = (node.x(), node.y() - BOX_HEIGHT / 2.0);
    let opened = steps.opened.iter().find(|it| it.node == number);
    let open = opened.is_some_and(|it| !it.shut);
    let jewel = jewels.get(node.id.as_str()).map(|kind| kind.title());
    let ends = open && opened.is_some_and(|it| targets(&it.steps).is_empty());
    let role = match (number, jewel) {
        (0, _) => "start",
        (_, Some(_)) => "target",
        _ => "",
    };
    let drawn = html! {
        title { (Clean(&node.id)) }
        rect class={ "node " (role) } x=(format!("{x:.1}")) y=(format!("{y:.1}")) width=(BOX) height=(BOX_HEIGHT) rx="12" {}
        path class={ "icon " @if !role.is_empty() { (role) "-icon" } } transform=(format!("translate({:.1} {:.1})", x + 10.0, y + 13.0)) d=(icon(read.kind)) {}
        text x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 20.0)) font-size="12.5" font-weight="600" { (middle(&nick(read.name), 17)) }
        text class="s" x=(format!("{:.1}", x + 38.0)) y=(format!("{:.1}", y + 36.0)) font-size="11.5" { @if ends { "no further step" } @else { (jewel.unwrap_or(read.kind.title())) } }
        @if number > 0 && !ends { text x=(format!("{:.1}", x + BOX - 16.0)) y=(format!("{:.1}", y + 28.0)) font-size="15" aria-hidden="true" { @if open { "−" } @else { "+" } } }
    };
    let may = number > 0 && (opened.is_some() || steps.may_open());
    html! {
        @if may {
            a data-step=(key(&node.id)) href={ "/estate?q=" (address(&steps.nodes[0].id)) "&open=" (steps.turned(number)) "#steps" } aria-expanded=(open) { g { (drawn) } }
        } @else { g { (drawn) } }
    }
}

fn table(steps: &Steps, jewels: &BTreeMap<&str, JewelKind>) -> Markup {
    let link = |id: &str| {
        html! { a href={ "/estate?q=" (address(id)) } title=(text::clean(id)) { (Clean(name::short(id))) } @if jewels.contains_key(id) { " " span class="tag jewel" { "◆" } } }
    };
    html! {
        details {
            summary { span class="grow" { "The same as a table" } }
            div class="inside scroll" { table {
                caption { "Every step of what is open. A condition must hold before the step can be taken." }
                thead { tr { th scope="col" { "From" } th scope="col" { "Step" } th scope="col" { "To" } th scope="col" { "Conditions" } } }
                tbody { @for it in steps.open_now() { @for step in it.steps.iter().take(ROWS) { tr {
                    td { (Clean(name::short(step.from.as_str()))) }
                    td { (Clean(&step.title)) }
                    td { (link(step.to.as_str())) }
                    td { (Clean(&step.conditions.join(", "))) }
                } } } }
            } }
        }
    }
}

/// The most rows of one thing.
const ROWS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    /// A small world: each number leads to some others, the same each time.
    fn world(from: &str) -> Vec<PathStep> {
        let number: usize = from.parse().unwrap();
        let step = |to: usize| PathStep {
            from: from.into(),
            to: to.to_string().as_str().into(),
            via: "v".into(),
            title: format!("step to {to}"),
            permissions: Vec::new(),
            conditions: if to.is_multiple_of(3) {
                vec!["aws:SourceIp".to_owned()]
            } else {
                Vec::new()
            },
            statements: Vec::new(),
        };
        (1..=number % 4 + 1)
            .map(|it| step((number * 7 + it * 5) % 40))
            .collect()
    }

    fn places(steps: &Steps) -> BTreeMap<String, (usize, usize)> {
        let nodes = steps.nodes.iter();
        nodes
            .map(|node| (node.id.clone(), (node.column, node.row)))
            .collect()
    }

    fn shown(steps: &Steps) -> BTreeSet<&str> {
        let nodes = steps.nodes.iter().filter(|node| node.shown);
        nodes.map(|node| node.id.as_str()).collect()
    }

    #[test]
    fn opening_and_shutting_moves_nothing() {
        let mut open = String::new();
        let mut steps = Steps::lay("3", &open, world);
        // Opens whatever is shown and not open yet, and shuts every third again.
        for round in 0..30 {
            let before = places(&steps);
            let closed = (1..steps.nodes.len()).find(|number| {
                steps.nodes[*number].shown && !steps.opened.iter().any(|it| it.node == *number)
            });
            let next = match closed.filter(|_| round % 3 < 2) {
                Some(next) => next,
                None => steps.opened[1 + round % (steps.opened.len() - 1)].node,
            };
            open = steps.turned(next);
            steps = Steps::lay("3", &open, world);
            let after = places(&steps);
            for (id, place) in &before {
                assert_eq!(after.get(id), Some(place), "{id} in {open}");
            }
            let all: BTreeSet<_> = after.values().collect();
            assert_eq!(all.len(), after.len(), "two at one place: {open}");
        }
        assert!(steps.opened.len() > 4);
    }

    #[test]
    fn what_is_shut_is_gone_with_what_only_it_leads_to() {
        let first = Steps::lay("3", "", world);
        let seen: Vec<String> = shown(&first).into_iter().map(str::to_owned).collect();
        let open = first.turned(1);
        let second = Steps::lay("3", &open, world);
        assert!(shown(&second).len() > seen.len());
        let again = second.turned(1);
        assert_eq!(again, format!("-{open}"));
        let third = Steps::lay("3", &again, world);
        assert_eq!(shown(&third).into_iter().collect::<Vec<_>>(), seen);
        assert_eq!(third.turned(1), open);
    }

    #[test]
    fn whatever_an_address_says_is_drawn() {
        for open in [
            "",
            ".",
            "-",
            "nothing.-here",
            "00000000",
            &"x.".repeat(5_000),
        ] {
            let steps = Steps::lay("3", open, world);
            assert_eq!(steps.opened.len(), 1);
            let drawn = section(&steps, &BTreeMap::new()).into_string();
            assert!(
                drawn.contains("<table>") && drawn.contains("data-step"),
                "{drawn}"
            );
        }
        let everything: Vec<String> = (0..40).map(|it: usize| key(&it.to_string())).collect();
        let steps = Steps::lay("3", &everything.join(".").repeat(3), world);
        assert!(steps.opened.len() <= OPEN + 1);
        assert!(section(&steps, &BTreeMap::new()).into_string().len() < 60_000);
    }
}
