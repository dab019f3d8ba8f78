//! The pages of the watch: the same pieces, framed by what leads from one page to the others.
//!
//! Every page works without scripts; those that there are bring what is new, and move pictures.

mod decisions;
mod estate;
mod evidence;
mod hunt;
mod incident;
mod plan;
mod steps;
mod today;
mod wallets;

use maud::{Markup, html};
use portreeve_incident::{Report, Totals};

use super::page::{SIGN, STYLE, gate, whole};
use super::parts::Parts;
use super::shape::Clean;
use super::{Page, blind_spots_in, covered, matrix};
use crate::text;

pub use decisions::{DecisionLine, DecisionsPage, decisions};
pub use estate::{Estate, estate};
pub use evidence::{Raw, finding, findings, record, records};
pub use hunt::{HuntPage, Searched, hunt};
pub use incident::{IncidentPage, NoteLine, incident};
pub use plan::{paths, plan, plan_text};
pub use steps::Steps;
pub use today::{Listed, SourceLine, Today, address, today};
pub use wallets::wallets;

/// The styles of all pages of the watch; served at [`STYLESHEET`].
pub fn stylesheet() -> String {
    [STYLE, include_str!("live.css")].concat()
}

/// The picture that stands for the program in a browser's tab; served at [`ICON`].
pub fn icon() -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\"><rect width=\"24\" height=\"24\" rx=\"5\" fill=\"#0d5a68\"/><path transform=\"translate(2.4 2.1) scale(.8)\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-linecap=\"round\" d=\"{SIGN}\"/></svg>"
    )
}

/// Where the styles are asked for.
pub const STYLESHEET: &str = "/assets/watch.css";
/// Where the picture is asked for.
pub const ICON: &str = "/assets/icon.svg";
/// Where the module is asked for that all others are imported by.
pub const MODULE: &str = "/assets/watch.js";

/// The parts of the watch that are always a click away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What wants a look today.
    Today,
    /// Who can reach what.
    Estate,
    /// Credentials.
    Keys,
    /// Ways in, and ways to jewels.
    Doors,
    /// Wallets.
    Wallets,
    /// Posture checks.
    Posture,
    /// What the logs can show.
    Coverage,
    /// A question to all that was kept.
    Hunt,
}

impl Section {
    /// All of them, with their addresses and names.
    pub const ALL: [(Section, &str, &str); 8] = [
        (Section::Today, "/", "Today"),
        (Section::Estate, "/estate", "Estate"),
        (Section::Keys, "/keys", "Keys"),
        (Section::Doors, "/doors", "Doors"),
        (Section::Wallets, "/wallets", "Wallets"),
        (Section::Posture, "/posture", "Posture"),
        (Section::Coverage, "/coverage", "Coverage"),
        (Section::Hunt, "/hunt", "Hunt"),
    ];
}

/// What is around a page.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f> {
    /// Where the reader is.
    pub section: Option<Section>,
    /// Whether the data came from the simulator.
    pub simulated: bool,
    /// What the watch is waiting for, where it takes nothing in.
    pub trouble: Option<&'f str>,
    /// Who reads, where there was a login.
    pub who: Option<&'f str>,
    /// As of which commit.
    pub revision: u64,
    /// Up to when the records reach.
    pub up_to: Option<portreeve_model::Timestamp>,
}

impl Frame<'_> {
    /// A page in this frame.
    pub fn around(&self, page: Page) -> String {
        let Page {
            title, main, foot, ..
        } = page;
        whole(&title, self.head(), self.masthead(), main, foot)
    }

    fn head(&self) -> Markup {
        html! {
            meta name="portreeve-revision" content=(self.revision);
            link rel="stylesheet" href=(STYLESHEET);
            link rel="icon" type="image/svg+xml" href=(ICON);
            script type="module" src=(MODULE) {}
        }
    }

    fn masthead(&self) -> Markup {
        html! {
            header class="masthead watch" {
                (gate())
                b { "Portreeve" }
                nav aria-label="Pages" { ul {
                    @for (section, address, name) in Section::ALL {
                        li { a href=(address) aria-current=[(self.section == Some(section)).then_some("page")] { (name) } }
                    }
                } }
                span class="end" id="clock" aria-live="polite" {
                    @if let Some(time) = self.up_to { "records up to " (text::minute(time)) " UTC" }
                    @if let Some(who) = self.who { " · " (Clean(who)) }
                }
            }
            @if self.simulated {
                p class="banner" role="note" {
                    b { "Simulated data." } " The simulator wrote these records; no organisation, person or intrusion in them is real."
                }
            }
            @if let Some(trouble) = self.trouble {
                p class="banner bad" role="alert" { b { "Nothing is taken in at the moment." } " " (Clean(trouble)) }
            }
            p class="banner news" id="news" role="status" hidden { "There is something new. " a href="" { "Show it" } }
        }
    }
}

fn foot() -> Markup {
    html! {
        "Portreeve " (env!("CARGO_PKG_VERSION")) " · " a href="/openapi.json" { "API" } " · " a href="/metrics" { "metrics" }
        " · keys: " kbd { "j" } " and " kbd { "k" } " move in a list, " kbd { "Enter" } " opens, " kbd { "g" } " then a page's first letter goes there, " kbd { "/" } " searches"
    }
}

/// What the logs can show; `totals` are those of the report's findings.
pub fn coverage(report: &Report, totals: &Totals, parts: Parts<'_>) -> Page {
    let title = match report.blind_spots.len() as u64 {
        0 => "Of the logs in use nothing is known to be missing".to_owned(),
        some => format!(
            "{} could not be seen",
            text::counted(some, "thing", "things")
        ),
    };
    Page {
        what: html! {},
        main: html! {
            div class="answer" { h1 { (title) } p { "Which steps of known actors the logs can show, in which hours they may not, and what is missing from the inventory." } }
            @for profile in &report.sight { (matrix::matrix(profile, totals)) }
            (blind_spots_in(&report.blind_spots, parts))
            (covered(report, totals))
        },
        foot: foot(),
        title,
    }
}

/// A page that says one thing: that something is not there, or not allowed.
pub fn message(title: &str, words: &str) -> Page {
    Page {
        title: title.to_owned(),
        what: html! {},
        main: html! { div class="answer" { h1 { (Clean(title)) } p { (Clean(words)) } p { a href="/" { "To what wants a look today" } } } },
        foot: foot(),
    }
}

/// Where a token is given.
pub fn login(wrong: bool) -> Page {
    let title = "Who is there?".to_owned();
    Page {
        what: html! {},
        main: html! {
            div class="answer" {
                h1 { (title) }
                p { "Paste the token that " code { "portreeve token add" } " printed for you." }
                @if wrong { p class="banner bad" role="alert" { "That token is not known, or has expired." } }
            }
            form class="card care" method="post" action="/login" {
                label { "Token " input type="password" name="token" autocomplete="current-password" required; }
                button { "Enter" }
            }
        },
        foot: html! {},
        title,
    }
}
