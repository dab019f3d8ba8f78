//! The pages of the watch: the same pieces, framed by what leads from one page to the others.
//!
//! Every page works without scripts; those that there are bring what is new, and move pictures.

mod estate;
mod incident;
mod today;

use maud::{Markup, PreEscaped, html};
use portreeve_incident::Report;

use super::Page;
use super::page::{gate, whole};
use super::shape::Clean;
use super::{blind_spots, covered};
use crate::text;

pub use estate::{Estate, estate};
pub use incident::{IncidentPage, NoteLine, incident};
pub use today::{Listed, SourceLine, Today, address, today};

const STYLE: &str = include_str!("live.css");

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
    /// Posture checks.
    Posture,
    /// What the logs can show.
    Coverage,
}

impl Section {
    /// All of them, with their addresses and names.
    pub const ALL: [(Section, &str, &str); 6] = [
        (Section::Today, "/", "Today"),
        (Section::Estate, "/estate", "Estate"),
        (Section::Keys, "/keys", "Keys"),
        (Section::Doors, "/doors", "Doors"),
        (Section::Posture, "/posture", "Posture"),
        (Section::Coverage, "/coverage", "Coverage"),
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
            style { (PreEscaped(STYLE)) }
            script type="module" src="/assets/watch.js" {}
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
        " · keys: " kbd { "j" } " and " kbd { "k" } " move in a list, " kbd { "Enter" } " opens, " kbd { "g" } " then a page's first letter goes there"
    }
}

/// What the logs can show.
pub fn coverage(report: &Report) -> Page {
    let title = match report.blind_spots.len() as u64 {
        0 => "Nothing is known to be missing".to_owned(),
        some => format!(
            "{} could not be seen",
            text::counted(some, "thing", "things")
        ),
    };
    Page {
        what: html! {},
        main: html! {
            div class="answer" { h1 { (title) } p { "Which steps of known actors the logs can show, in which hours they may not, and what is missing from the inventory." } }
            (blind_spots(&report.blind_spots))
            (covered(report))
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
