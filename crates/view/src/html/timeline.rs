//! The drawn timeline: a lane for each credential, its life as a band, what was done on it as
//! marks. Long pauses are cut out of the axis and labelled.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use portreeve_incident::{CredentialStory, Incident, TimelineEntry, TimelineRole};
use portreeve_model::{Finding, Severity, Timestamp};

use super::incident::Told;
use super::live::address;
use super::shape::{Clean, mark, middle, nick};
use crate::lineage::lineage;
use crate::{name, text};

const WIDTH: f64 = 1040.0;
const LANE: f64 = 54.0;
const LANES: usize = 10;
const PAUSE_WIDTH: f64 = 44.0;
const PAUSES: usize = 6;
/// How wide a mark is, and so how near two marks may be before they become one; twice as wide where there
/// would be more than so many marks, and so on.
const BIN: f64 = 9.0;
const MARKS: usize = 64;
const QUIET_BIN: f64 = 3.0;
/// How many lines a mark's hover text has.
const TOLD: usize = 2;
const PINS: usize = 24;
const PIN_ROOM: f64 = 21.0;
const PIN_ROWS: usize = 5;

/// Draws an incident's timeline with its numbered findings; nothing where no record has a time.
pub(super) fn draw(
    incident: &Incident,
    findings: &BTreeMap<&str, &Finding>,
    id: &str,
    told: Told<'_>,
) -> Markup {
    let Some(axis) = Axis::new(&incident.timeline) else {
        return html! {};
    };
    let lanes = Lanes::new(incident);
    let pins = pins(incident, findings, &axis, &lanes);
    let rows = pins.iter().map(|pin| pin.row + 1).max().unwrap_or(0) as f64;
    let top = 30.0 + rows * 22.0 + 6.0;
    let height = top + lanes.names.len() as f64 * LANE + 30.0;
    let bottom = height - 26.0;
    html! {
        div class="draw" tabindex="0" role="region" aria-label="Drawn timeline" {
            svg class="timeline" viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
                title id={ (id) "-title" } { "Timeline of the incident" }
                desc id={ (id) "-desc" } { "One lane for each credential. The list of findings below the drawing and the table of records say the same in words." }
                (axis.draw(top, bottom))
                (lanes.draw(&axis, top))
                @for pin in &pins {
                    g class=(pin.severity.as_str()) {
                        line class="leader" x1=(px(pin.pin_x)) y1=(px(40.0 + pin.row as f64 * 22.0)) x2=(px(pin.x)) y2=(px(top + pin.lane as f64 * LANE + 26.0)) {}
                    }
                }
                (marks(incident, findings, &axis, &lanes, top))
                @for pin in &pins {
                    g class=(pin.severity.as_str()) {
                        title { (pin.number) ". " (Clean(pin.title)) }
                        circle class="pin" cx=(px(pin.pin_x)) cy=(px(40.0 + pin.row as f64 * 22.0)) r="9" {}
                        text class="pin-text" x=(px(pin.pin_x)) y=(px(43.8 + pin.row as f64 * 22.0)) { (pin.number) }
                    }
                }
            }
        }
        (legend())
        (numbered(&pins, incident, told))
    }
}

/// A coordinate, to a tenth.
fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// One stretch of time without a long pause, and where it is drawn.
struct Panel {
    from: i64,
    until: i64,
    left: f64,
    width: f64,
}

struct Axis {
    panels: Vec<Panel>,
}

impl Axis {
    fn new(timeline: &[TimelineEntry]) -> Option<Self> {
        let mut seconds: Vec<i64> = timeline
            .iter()
            .filter_map(|entry| entry.time)
            .map(Timestamp::as_second)
            .collect();
        seconds.sort_unstable();
        let (first, last) = (*seconds.first()?, *seconds.last()?);
        let span = last - first;
        let mut pauses: Vec<(i64, i64)> = seconds
            .windows(2)
            .filter_map(|pair| match pair {
                [from, until] => Some((*from, *until)),
                _ => None,
            })
            .filter(|(from, until)| until - from > 4 * 3600 && (until - from) * 25 > span)
            .collect();
        pauses.sort_by_key(|(from, until)| std::cmp::Reverse(until - from));
        pauses.truncate(PAUSES);
        pauses.sort_unstable();
        let mut bounds = Vec::new();
        let mut from = first;
        for (until, next) in pauses {
            bounds.push((from, until));
            from = next;
        }
        bounds.push((from, last));
        let room = WIDTH - 32.0 - PAUSE_WIDTH * (bounds.len() - 1) as f64;
        let weight = |(from, until): &(i64, i64)| 1.0 + ((until - from) as f64 / 3600.0).sqrt();
        let total: f64 = bounds.iter().map(weight).sum();
        let mut left = 16.0;
        let panels = bounds
            .iter()
            .map(|bound| {
                let width = room * weight(bound) / total;
                // Room at both ends, so that marks do not sit on a panel's edge.
                let margin =
                    ((bound.1 - bound.0) as f64 * 14.0 / (width - 28.0).max(1.0)) as i64 + 60;
                let panel = Panel {
                    from: bound.0 - margin,
                    until: bound.1 + margin,
                    left,
                    width,
                };
                left += width + PAUSE_WIDTH;
                panel
            })
            .collect();
        Some(Self { panels })
    }

    /// Where a time is drawn; a time within a pause is at the pause's edge.
    fn x(&self, second: i64) -> f64 {
        let Some(panel) = self
            .panels
            .iter()
            .find(|panel| second <= panel.until)
            .or(self.panels.last())
        else {
            return 16.0;
        };
        let share = (second - panel.from) as f64 / (panel.until - panel.from).max(1) as f64;
        panel.left + share.clamp(0.0, 1.0) * panel.width
    }

    /// Where something that lasts until a time ends: within a pause, where the pause begins.
    fn end(&self, second: i64) -> f64 {
        let started = self.panels.iter().rev().find(|panel| panel.from <= second);
        let Some(panel) = started.or(self.panels.first()) else {
            return 16.0;
        };
        if second > panel.until {
            panel.left + panel.width
        } else {
            self.x(second)
        }
    }

    fn draw(&self, top: f64, bottom: f64) -> Markup {
        html! {
            @for (number, panel) in self.panels.iter().enumerate() {
                rect class="panel" x=(px(panel.left)) y="26" width=(px(panel.width)) height=(px(bottom - 26.0)) rx="6" {}
                text x=(px(panel.left + 2.0)) y="17" font-size="13" font-weight="600" { (days(panel)) @if number == 0 { tspan class="s" font-weight="400" { " UTC" } } }
                @for (second, label) in ticks(panel) {
                    line class="grid" x1=(px(self.x(second))) y1=(px(top - 4.0)) x2=(px(self.x(second))) y2=(px(bottom)) {}
                    text class="s" x=(px(self.x(second))) y=(px(bottom + 17.0)) font-size="11.5" text-anchor="middle" { (label) }
                }
                @if let Some(next) = self.panels.get(number + 1) {
                    @let middle = panel.left + panel.width + PAUSE_WIDTH / 2.0;
                    path class="break" d=(format!("M{:.1} {:.1}l4 -9m4 9l4 -9", middle - 6.0, bottom - 8.0)) {}
                    text class="s" x=(px(middle + PAUSE_WIDTH / 2.0 - 9.0)) y="17" font-size="11" text-anchor="end" {
                        (text::span(next.from - panel.until))
                    }
                }
            }
        }
    }
}

fn stamp(second: i64) -> String {
    Timestamp::from_second(second)
        .map(text::minute)
        .unwrap_or_default()
}

/// The days of a panel: `2026-02-04`, `2026-02-04 – 02-09`.
fn days(panel: &Panel) -> String {
    let (from, until) = (stamp(panel.from), stamp(panel.until));
    let day = |stamp: &str| stamp.get(..10).unwrap_or_default().to_owned();
    match day(&from) == day(&until) {
        true => day(&from),
        false => format!("{} – {}", day(&from), until.get(5..10).unwrap_or_default()),
    }
}

fn ticks(panel: &Panel) -> Vec<(i64, String)> {
    let steps = [
        60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
        2_592_000, 31_536_000,
    ];
    let span = panel.until - panel.from;
    let most = (panel.width / 62.0).max(1.0);
    let Some(step) = steps.into_iter().find(|step| (span / step) as f64 <= most) else {
        return Vec::new();
    };
    let mut second = panel.from.div_euclid(step) * step + step;
    let mut ticks = Vec::new();
    while second < panel.until && ticks.len() < 40 {
        let stamp = stamp(second);
        let label = if step >= 86_400 {
            stamp.get(5..10)
        } else {
            stamp.get(11..)
        };
        ticks.push((second, label.unwrap_or_default().to_owned()));
        second += step;
    }
    // A label at the very edge would run into the pause's.
    let edge = (span as f64 * 16.0 / panel.width) as i64;
    ticks.retain(|(second, _)| *second - panel.from > edge && panel.until - *second > edge);
    ticks
}

struct Lanes<'a> {
    /// Label, depth in the lineage, and what is known of the credential.
    names: Vec<(String, usize, Option<&'a CredentialStory>)>,
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Lanes<'a> {
    fn new(incident: &'a Incident) -> Self {
        let mut lanes = Self {
            names: Vec::new(),
            places: BTreeMap::new(),
        };
        let used: BTreeSet<&str> = incident.timeline.iter().map(key).collect();
        let stories = lineage(&incident.credential_stories);
        let known = stories
            .into_iter()
            .filter(|(story, _)| used.contains(story.credential.as_str()));
        let mut others = 0usize;
        for (story, depth) in known {
            let label = format!("{}  {}", story.credential, name::short(&story.actor));
            others += usize::from(!lanes.add(&story.credential, label, depth, Some(story)));
        }
        for entry in &incident.timeline {
            if !lanes.places.contains_key(key(entry)) {
                let label = match &entry.credential {
                    Some(credential) => format!("{credential}  {}", name::short(&entry.actor)),
                    None => name::short(&entry.actor).to_owned(),
                };
                others += usize::from(!lanes.add(key(entry), label, 0, None));
            }
        }
        if others > 0
            && let Some(last) = lanes.names.last_mut()
        {
            *last = (
                text::counted(others as u64 + 1, "other credential", "other credentials"),
                0,
                None,
            );
        }
        lanes
    }

    /// Gives a credential its lane; beyond the last lane it shares that one, and `false` is given.
    fn add(
        &mut self,
        key: &'a str,
        label: String,
        depth: usize,
        story: Option<&'a CredentialStory>,
    ) -> bool {
        let own = self.names.len() < LANES;
        if own {
            self.names.push((label, depth, story));
        }
        self.places.insert(key, self.names.len().saturating_sub(1));
        own
    }

    fn of(&self, entry: &TimelineEntry) -> usize {
        self.places.get(key(entry)).copied().unwrap_or(0)
    }

    fn draw(&self, axis: &Axis, top: f64) -> Markup {
        html! {
            @for (place, (label, depth, story)) in self.names.iter().enumerate() {
                @let y = top + place as f64 * LANE;
                @let line = y + 26.0;
                @for panel in &axis.panels {
                    line class="axis" x1=(px(panel.left)) y1=(px(line)) x2=(px(panel.left + panel.width)) y2=(px(line)) opacity=".6" {}
                }
                @if let Some(story) = story {
                    @let from = axis.x(story.created.map_or(i64::MIN / 2, Timestamp::as_second));
                    @let until = axis.end(story.expires.map_or(i64::MAX / 2, Timestamp::as_second));
                    @if let Some(parent) = story.parent.as_deref().and_then(|parent| self.places.get(parent)) {
                        @let above = top + *parent as f64 * LANE + 26.0;
                        path class="link" d=(format!("M{from:.1} {above:.1}V{:.1}", line - 9.0)) {}
                        path class="link" d=(format!("M{:.1} {:.1}l4 5l4 -5", from - 4.0, line - 14.0)) {}
                    }
                    @if story.created.is_some() || story.expires.is_some() {
                        g {
                            title { (Clean(&life(story))) }
                            rect class="life" x=(px(from)) y=(px(line - 9.0)) width=(px((until - from).max(2.0))) height="18" rx="3" {}
                        }
                        @if story.created.is_some() {
                            line class="life-edge" x1=(px(from)) y1=(px(line - 9.0)) x2=(px(from)) y2=(px(line + 9.0)) {}
                        }
                    }
                }
                text class="m" x=(px(20.0 + *depth as f64 * 12.0)) y=(px(y + 8.0)) font-size="11" {
                    @if *depth > 0 { "└ " }
                    @let (credential, actor) = label.split_once("  ").unwrap_or((label.as_str(), ""));
                    tspan font-weight="600" { (Clean(credential)) }
                    tspan class="s" dx="8" { (middle(&nick(actor), 64)) }
                }
            }
        }
    }
}

fn key(entry: &TimelineEntry) -> &str {
    entry.credential.as_deref().unwrap_or(&entry.actor)
}

fn life(story: &CredentialStory) -> String {
    let time = |time: Option<Timestamp>| time.map_or("not known".to_owned(), text::time);
    format!(
        "{}: issued {} UTC, ends by itself {} UTC",
        story.credential,
        time(story.created),
        time(story.expires)
    )
}

/// What is drawn at one place of a lane.
#[derive(Default)]
struct Bin {
    severity: Option<Severity>,
    count: u64,
    first: Option<Timestamp>,
    lines: Vec<String>,
    x: f64,
}

/// The hollow mark, the faint tick and the severities' marks of every lane.
fn marks(
    incident: &Incident,
    findings: &BTreeMap<&str, &Finding>,
    axis: &Axis,
    lanes: &Lanes<'_>,
    top: f64,
) -> Markup {
    let mut quiet: BTreeMap<usize, BTreeMap<i64, u64>> = BTreeMap::new();
    let mut loud = Vec::new();
    for entry in &incident.timeline {
        let Some(time) = entry.time else { continue };
        let x = axis.x(time.as_second());
        let lane = lanes.of(entry);
        if entry.role == TimelineRole::Quiet {
            let places = quiet.entry(lane).or_default();
            *places.entry((x / QUIET_BIN) as i64).or_default() += 1;
        } else {
            loud.push((entry, lane, x));
        }
    }
    let mut width = BIN;
    while loud
        .iter()
        .map(|(_, lane, x)| (*lane, (x / width) as i64))
        .collect::<BTreeSet<_>>()
        .len()
        > MARKS
    {
        width *= 2.0;
    }
    let mut bins: BTreeMap<(usize, i64), Bin> = BTreeMap::new();
    for (entry, lane, x) in loud {
        let bin = bins
            .entry((lane, (x / width) as i64))
            .or_insert_with(|| Bin {
                x,
                ..Bin::default()
            });
        let finding = entry.finding.as_deref().and_then(|id| findings.get(id));
        bin.severity = bin.severity.max(finding.map(|finding| finding.severity));
        bin.count += 1;
        bin.first = bin.first.or(entry.time);
        if bin.lines.len() == TOLD {
            continue;
        }
        let line = match finding {
            Some(finding) => format!(
                "{} · {} ({})",
                finding.severity, finding.title, entry.action
            ),
            None => format!("{} · {}", entry.action, entry.outcome),
        };
        if !bin.lines.contains(&line) {
            bin.lines.push(line);
        }
    }
    html! {
        @for (lane, places) in &quiet { path class="quiet" d=(ticks_of(places, top + *lane as f64 * LANE + 26.0)) {} }
        @for ((lane, _), bin) in &bins {
            @let y = top + *lane as f64 * LANE + 26.0;
            @let size = 4.4 + (bin.count as f64).ln().min(6.0) * 0.5;
            g class=(bin.severity.map_or("", Severity::as_str)) {
                title {
                    (bin.first.map(text::time).unwrap_or_default()) " UTC, " (text::counted(bin.count, "record", "records"))
                    @for line in &bin.lines { "\n" (Clean(line)) }
                }
                @match bin.severity {
                    Some(severity) => (mark(severity, bin.x, y, size)),
                    None => circle class="suspect" cx=(px(bin.x)) cy=(px(y)) r="3.4" {},
                }
            }
        }
    }
}

/// The faint ticks of one lane as one stroke.
fn ticks_of(places: &BTreeMap<i64, u64>, y: f64) -> String {
    let mut path = String::new();
    for (place, count) in places {
        let x = (*place as f64 + 0.5) * QUIET_BIN;
        let tall = 3.0 + (*count as f64).ln_1p().min(4.0) * 1.4;
        path.push_str(&format!("M{x:.1} {:.1}v{:.1}", y - tall, tall * 2.0));
    }
    path
}

struct Pin<'a> {
    number: usize,
    severity: Severity,
    title: &'a str,
    finding: &'a Finding,
    x: f64,
    /// Where the pin itself is: beside `x` where others stand there already.
    pin_x: f64,
    row: usize,
    lane: usize,
}

/// The gravest findings in order of time, each with a number and a place above the lanes.
fn pins<'a>(
    incident: &'a Incident,
    findings: &BTreeMap<&str, &'a Finding>,
    axis: &Axis,
    lanes: &Lanes<'_>,
) -> Vec<Pin<'a>> {
    let mut firsts: BTreeMap<&str, &TimelineEntry> = BTreeMap::new();
    for entry in &incident.timeline {
        if let (Some(id), Some(_)) = (entry.finding.as_deref(), entry.time) {
            firsts.entry(id).or_insert(entry);
        }
    }
    let mut shown: Vec<(&TimelineEntry, &'a Finding)> = firsts
        .iter()
        .filter_map(|(id, entry)| Some((*entry, *findings.get(id)?)))
        .collect();
    shown.sort_by_key(|(entry, finding)| {
        (std::cmp::Reverse(finding.severity), entry.time, &finding.id)
    });
    shown.truncate(PINS);
    shown.sort_by_key(|(entry, finding)| (entry.time, &finding.id));
    let mut ends: Vec<f64> = Vec::new();
    let mut pins = Vec::new();
    for (number, (entry, finding)) in shown.into_iter().enumerate() {
        let x = axis.x(entry.time.map_or(0, Timestamp::as_second));
        // The first row with room; where none has, the pin moves aside in the row with most room.
        let free = ends.iter().position(|end| x - end >= PIN_ROOM);
        let row = free.unwrap_or_else(|| {
            if ends.len() < PIN_ROWS {
                return ends.len();
            }
            let nearest = ends.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
            nearest.map_or(0, |(row, _)| row)
        });
        let pin_x = ends
            .get(row)
            .map_or(x, |end| x.max(end + PIN_ROOM))
            .min(WIDTH - 16.0);
        match ends.get_mut(row) {
            Some(end) => *end = pin_x,
            None => ends.push(pin_x),
        }
        pins.push(Pin {
            number: number + 1,
            severity: finding.severity,
            title: &finding.title,
            finding,
            x,
            pin_x,
            row,
            lane: lanes.of(entry),
        });
    }
    pins
}

fn legend() -> Markup {
    html! {
        p class="legend" {
            span class="hint" { "Scrolls sideways." }
            @for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
                span class=(severity.as_str()) { svg viewBox="0 0 14 14" aria-hidden="true" { (mark(severity, 7.0, 7.0, 4.6)) } (severity.as_str()) }
            }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { circle class="suspect" cx="7" cy="7" r="3.6" {} } "no finding, from where the intruder works" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { line class="quiet" x1="5" y1="3" x2="5" y2="11" {} line class="quiet" x1="9" y1="4" x2="9" y2="10" {} } "quiet, perhaps the owner's" }
            span { svg viewBox="0 0 14 14" aria-hidden="true" { rect class="life" x="0" y="3" width="14" height="8" rx="2" {} } "life of the credential" }
        }
    }
}

fn numbered(pins: &[Pin<'_>], incident: &Incident, told: Told<'_>) -> Markup {
    let left = incident.findings.len().saturating_sub(pins.len());
    html! {
        ol class="marks" {
            @for pin in pins {
                li class=(pin.severity.as_str()) {
                    span class="no" aria-hidden="true" { (pin.number) }
                    div {
                        @match told {
                            Told::Whole => (Clean(pin.title)),
                            Told::Linked(incident) => a href={ (incident) "/findings/" (address(&pin.finding.id)) } data-inline { (Clean(pin.title)) },
                        }
                        span class="soft" {
                            (pin.finding.time.map_or("no time".to_owned(), text::minute)) " · " (pin.severity.as_str())
                            " · " (text::counted(pin.finding.evidence_total, "record", "records"))
                        }
                    }
                }
            }
        }
        @if left > 0 {
            p class="left-out" { (text::counted(left as u64, "finding", "findings")) " of this incident not numbered here; all are listed below." }
        }
    }
}
