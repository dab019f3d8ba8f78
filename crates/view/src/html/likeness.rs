//! Whose known way an incident is like, in words.

use maud::{Markup, html};
use portreeve_incident::actor::{Likeness, Resemblance};

use super::shape::Clean;
use crate::terminal::LEAST_SHOWN;

/// The section; nothing where it is like nobody's.
pub(super) fn section(likenesses: &[Likeness]) -> Markup {
    let told: Vec<&Likeness> = likenesses
        .iter()
        .filter(|it| it.score >= LEAST_SHOWN)
        .collect();
    html! {
        @if !told.is_empty() {
            section {
                h3 { "Whose known way it is like" }
                p class="soft small" { "What is like an actor's published cases, less what is unlike them. It is no proof of who it was." }
                @for likeness in told {
                    h4 { (Clean(&likeness.title)) ": " (likeness.score) " of 100" }
                    (reasons("Like it because", &likeness.like))
                    (reasons("Unlike it because", &likeness.unlike))
                }
            }
        }
    }
}

fn reasons(title: &str, list: &[Resemblance]) -> Markup {
    html! {
        @if !list.is_empty() {
            p class="soft small" { (title) }
            ul class="bullets" {
                @for one in list {
                    li title=(crate::text::clean(&one.basis)) { (Clean(&one.words)) " " span class="tag" { (one.points) } }
                }
            }
        }
    }
}
