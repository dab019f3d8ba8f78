//! What every page has: its head, its policy, its way to skip to the content.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::text;

/// The styles of every page.
pub(super) const STYLE: &str = include_str!("style.css");
/// The strokes of the program's sign, in a box of 24 by 24.
pub(super) const SIGN: &str = "M3.5 21V8.5L6 6l2.5 2.5M15.5 8.5L18 6l2.5 2.5V21M3.5 21h5V13a3.5 3.5 0 0 1 7 0v8h5M8.5 10.5V6.8h1.8V5h3.4v1.8h1.8v3.7";
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What a page holds, before it is known where it will be read.
#[derive(Clone, Debug)]
pub struct Page {
    pub(super) title: String,
    /// What kind of page it is, beside the program's name.
    pub(super) what: Markup,
    pub(super) main: Markup,
    pub(super) foot: Markup,
}

impl Page {
    /// As one file that needs no network and runs no script.
    pub fn file(self) -> String {
        page(&self.title, self.what, self.main, self.foot)
    }
}

/// A whole page: its title, what stands above the content, the content, what stands below.
pub(super) fn page(title: &str, head: Markup, main: Markup, foot: Markup) -> String {
    let more = html! {
        meta http-equiv="Content-Security-Policy" content=(POLICY);
        style { (PreEscaped(STYLE)) }
    };
    whole(title, more, head, main, foot)
}

/// The same with other things in its head, its styles among them.
pub(super) fn whole(title: &str, more: Markup, head: Markup, main: Markup, foot: Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (text::clean(title)) " · Portreeve" }
                (more)
            }
            body {
                a class="skip" href="#main" { "Skip to the report" }
                div class="page" {
                    (head)
                    main id="main" { (main) }
                    footer { (foot) }
                }
            }
        }
    };
    page.into_string()
}

/// The line that names the program and what kind of page it is.
pub(super) fn masthead(what: &str, end: Option<String>) -> Markup {
    html! {
        header class="masthead" {
            (gate())
            b { "Portreeve" } span { (what) }
            @if let Some(end) = end { span class="end" { (end) } }
        }
    }
}

/// The program's sign.
pub(super) fn gate() -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" {
            path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" stroke-linecap="round"
                d=(SIGN) {}
        }
    }
}

/// The foot of a page that is no report of an investigation.
pub(super) fn foot() -> Markup {
    html! { "Portreeve " (env!("CARGO_PKG_VERSION")) }
}

/// The first thing on a page: the answer in a line, and what it rests on.
pub(super) fn answer(title: &str, about: Markup, figures: &[(&str, String)]) -> Markup {
    html! {
        div class="answer" { h1 { (text::clean(title)) } p { (about) } }
        dl class="figures" {
            @for (name, value) in figures { div { dt { (name) } dd { (value) } } }
        }
    }
}
