//! The report as one page that needs no network.

use maud::{DOCTYPE, html};
use portreeve_incident::Report;

use crate::terminal;

/// Makes the page.
pub fn report(report: &Report) -> String {
    let text = terminal::report(report, &terminal::Options::default());
    html! { (DOCTYPE) html lang="en" { head { title { "Portreeve" } } body { pre { (text) } } } }
        .into_string()
}
