//! Reports for a terminal: what a responder reads first.
//!
//! Text that comes from records is cleaned before it is shown (see [`crate::text::clean`]).
//! Commands are never broken or shortened, so that they can be copied.

mod access;
mod applied;
mod backtest;
mod collected;
mod cut;
mod difference;
mod eviction;
mod exceptions;
mod explained;
mod hunt;
mod incident;
mod keys;
mod likeness;
mod listing;
mod page;
mod path;
mod policy;
mod posture;
mod race;
mod roads;
mod sight;
mod surroundings;
mod touched;
mod trace;
mod verification;
mod wallet;
mod wallets;
mod watch;

use std::collections::BTreeMap;

use portreeve_graph::{Holders, JewelKind, Verdict};
use portreeve_incident::race::Race;
use portreeve_incident::touch::Touch;
use portreeve_incident::{Backtest, ExceptionUse, Report, Trace};
use portreeve_model::{BlindSpot, Finding};
use portreeve_posture::{Check, Posture};
use portreeve_sigma::Explained;
use portreeve_wallet::bundle::BundleReport;
use portreeve_wallet::ledger::LedgerReport;
use portreeve_wallet::safe::Verification;
use portreeve_wallet::watch::WatchReport;

use crate::applied::{Applied, AppliedChange};
use crate::collected::Collected;
use crate::cut::CutAnswer;
use crate::difference::Change;
use crate::hunt::Hunt;
use crate::keys::Keys;
use crate::policy::PolicyTests;
use crate::roads::{Loss, Roads};
use crate::text;
use crate::verification::Verified;
pub(crate) use eviction::summed;
pub(crate) use incident::{length, period};
pub(crate) use likeness::LEAST_SHOWN;
use page::{Page, SUSPECT, Span, faint, plain};

/// How a report is laid out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns to lay text out for.
    pub width: usize,
    /// Whether to use ANSI colours. Nothing is told by colour alone.
    pub colour: bool,
    /// The most lines of an incident's timeline; `None` for all.
    pub timeline: Option<usize>,
    /// The most lines of any other list; `None` for all.
    pub list: Option<usize>,
    /// How the reader gets to see what is left out, as the end of "… left out; ".
    pub see_all: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 80,
            colour: false,
            timeline: Some(40),
            list: Some(12),
            see_all: "`--format json` shows all".to_owned(),
        }
    }
}

/// What several parts of a report need to know of it.
struct Context<'a> {
    options: &'a Options,
    findings: BTreeMap<&'a str, &'a Finding>,
    jewels: BTreeMap<&'a str, JewelKind>,
}

/// Lays out a whole report.
pub fn report(report: &Report, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    let context = Context {
        options,
        findings: report
            .findings
            .iter()
            .map(|finding| (finding.id.as_str(), finding))
            .collect(),
        jewels: report
            .jewels
            .iter()
            .map(|jewel| (jewel.id.as_str(), jewel.kind))
            .collect(),
    };
    if report.simulated {
        page.spans(
            0,
            &[
                Span(SUSPECT.bold(), "Simulated data.".into()),
                plain(SIMULATED),
            ],
        );
        page.gap();
    }
    surroundings::opening(&mut page, report, options);
    let total = report.incidents.len();
    let shown = options.list.map_or(total, |_| INCIDENTS_IN_FULL).min(total);
    for incident in report.incidents.iter().take(shown) {
        incident::write(&mut page, incident, &context);
    }
    if shown < total {
        page.gap();
    }
    left_out(
        &mut page,
        (total - shown) as u64,
        "incident, named at the top,",
        "incidents, named at the top,",
        options,
    );
    wallets::write(&mut page, &report.wallets, options);
    surroundings::write(&mut page, report, &context);
    page.finish()
}

/// How many incidents are told in full where lists are limited; the others are named at the top.
const INCIDENTS_IN_FULL: usize = 5;

const SIMULATED: &str = " The simulator wrote these records; no organisation, person or intrusion \
    in them is real.";

/// Lays out attack paths, each with its steps, doors, from whom jewels are reachable, and what
/// could not be seen.
pub fn paths(roads: &Roads<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    roads::paths(&mut page, roads, options);
    page.finish()
}

/// Lays out a cut: its changes with what to type for each, what is proven, what the past says.
pub fn cut(answer: &CutAnswer<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    cut::write(&mut page, answer, options);
    page.finish()
}

/// Lays out what a loss would cost.
pub fn loss(loss: &Loss<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    roads::loss(&mut page, loss, options);
    page.finish()
}

/// Lays out what a change opened and closed.
pub fn change(change: &Change<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    difference::change(&mut page, change, options);
    page.finish()
}

/// Lays out credentials: the master keys, those that nobody uses, who is allowed too much.
pub fn keys(keys: &Keys<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    keys::keys(&mut page, keys, options);
    page.finish()
}

/// Lays out what posture checks found: what lies on attack paths first.
pub fn posture(posture: &Posture, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    posture::write(&mut page, posture, options);
    page.finish()
}

/// Lays out the posture checks that there are.
pub fn checks(checks: &[&Check], options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    posture::checks(&mut page, checks);
    page.finish()
}

/// Lays out the trees of credentials: how each came to be, and who held it where.
pub fn lineage(trace: &Trace, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    trace::write(&mut page, trace, options);
    page.finish()
}

/// Lays out exceptions with what each did.
pub fn exceptions(uses: &[ExceptionUse], options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    exceptions::write(&mut page, uses, options);
    page.finish()
}

/// Lays out what the logs cover, and which steps of known actors' ways they can show.
pub fn sight(report: &Report, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    sight::write(&mut page, report, options);
    page.finish()
}

/// Lays out how soon each crown jewel could be taken, and how soon anyone could know.
pub fn race(race: &Race, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    race::write(&mut page, race, options);
    page.finish()
}

/// Lays out why a rule matches a record, or does not.
pub fn explained(title: &str, explained: &Explained, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    explained::write(&mut page, title, explained);
    page.finish()
}

/// Lays out what a hunt found.
pub fn hunt(hunt: &Hunt<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    hunt::write(&mut page, hunt, options);
    page.finish()
}

/// Lays out whether something was touched, with the records, or with what a no rests on.
pub fn touched(touch: &Touch, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    touched::write(&mut page, touch, options);
    page.finish()
}

/// Lays out what digests prove of log files, and what is missing or altered.
pub fn verified(verified: &Verified<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    verification::write(&mut page, verified, options);
    page.finish()
}

/// Lays out what signers of Safes were shown, and what they signed.
pub fn wallet(verification: &Verification, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    wallet::write(&mut page, verification, options);
    page.finish()
}

/// Lays out signatures and spends that nothing explains.
pub fn ledger(report: &LedgerReport, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    listing::write(&mut page, &crate::listing::of_ledger(report), options);
    page.finish()
}

/// Lays out what is served against what was built.
pub fn bundle(report: &BundleReport, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    listing::write(&mut page, &crate::listing::of_bundle(report), options);
    page.finish()
}

/// Lays out what happened to wallets on a chain.
pub fn watch(report: &WatchReport, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    watch::write(&mut page, report, options);
    page.finish()
}

/// Lays out whether a principal may do something, and what each layer of policies says.
pub fn verdict(verdict: &Verdict, unseen: &[BlindSpot], options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    access::verdict(&mut page, verdict);
    surroundings::blind_spots(&mut page, unseen, options);
    page.finish()
}

/// Lays out who may do something.
pub fn holders(holders: &Holders, unseen: &[BlindSpot], options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    access::holders(&mut page, holders, options);
    surroundings::blind_spots(&mut page, unseen, options);
    page.finish()
}

/// Lays out the changes of a plan, each with what goes and what comes.
pub fn applied(applied: &Applied, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    applied::applied(&mut page, applied);
    page.finish()
}

/// Lays out one change of a plan.
pub fn applied_change(change: &AppliedChange, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    applied::one(&mut page, change);
    page.finish()
}

/// Lays out what a collection of inventory read, and what it could not.
pub fn collected(collected: &Collected, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    collected::collected(&mut page, collected, options);
    page.finish()
}

/// Lays out the failures of tests of policies, and the run in numbers.
pub fn policy_tests(tests: &PolicyTests<'_>, options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    policy::tests(&mut page, tests, options);
    page.finish()
}

/// Lays out a rule's trial on a history.
pub fn backtest(told: &Backtest, options: &Options) -> String {
    backtest::write(told, options)
}

/// Lays out a table. The last column that does not fit is wrapped; no cell is shortened.
pub fn table(headers: &[&str], rows: &[Vec<String>], options: &Options) -> String {
    let mut page = Page::new(options.width, options.colour);
    let mut widths: Vec<usize> = headers.iter().map(|header| text::width(header)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::width(&text::clean(cell)));
        }
    }
    let hang: usize = widths
        .iter()
        .take(widths.len().saturating_sub(1))
        .map(|width| width + 2)
        .sum();
    let cell = |text: &str, column: usize| {
        let text = text::clean(text).into_owned();
        let last = column + 1 == widths.len();
        let width = widths.get(column).copied().unwrap_or(0);
        let padding = if last {
            0
        } else {
            (width + 2).saturating_sub(text::width(&text))
        };
        format!("{text}{}", " ".repeat(padding))
    };
    let heads: Vec<Span> = headers
        .iter()
        .enumerate()
        .map(|(column, header)| faint(cell(header, column)))
        .collect();
    page.spans(hang, &heads);
    for row in rows {
        let cells: Vec<Span> = row
            .iter()
            .take(headers.len())
            .enumerate()
            .map(|(column, text)| plain(cell(text, column)))
            .collect();
        page.spans(hang, &cells);
    }
    page.finish()
}

/// Says how many are left out, and how to see them.
fn left_out(page: &mut Page, number: u64, one: &str, many: &str, options: &Options) {
    if number > 0 {
        let what = text::counted(number, &format!("more {one}"), &format!("more {many}"));
        page.spans(
            2,
            &[faint(format!("  {what} left out; {}.", options.see_all))],
        );
    }
}
