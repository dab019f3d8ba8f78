//! Small drawings: severities and kinds of things told by shape, not by colour alone.

use maud::{Markup, Render, html};
use portreeve_model::Severity;

use crate::name::Kind;
use crate::text;

/// Text from records: cleaned, then escaped by the template.
pub(super) struct Clean<'a>(pub(super) &'a str);

impl Render for Clean<'_> {
    fn render_to(&self, buffer: &mut String) {
        text::clean(self.0).as_ref().render_to(buffer);
    }
}

/// The mark of a severity around a point: diamond, triangle, disc, ring, dot.
pub(super) fn mark(severity: Severity, x: f64, y: f64, size: f64) -> Markup {
    let points = |corners: &[(f64, f64)]| {
        corners
            .iter()
            .map(|(dx, dy)| format!("{:.1},{:.1}", x + dx * size, y + dy * size))
            .collect::<Vec<_>>()
            .join(" ")
    };
    html! {
        @match severity {
            Severity::Critical => polygon class="dot" points=(points(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)])) {},
            Severity::High => polygon class="dot" points=(points(&[(0.0, -1.15), (1.15, 0.85), (-1.15, 0.85)])) {},
            Severity::Medium => circle class="dot" cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{size:.1}")) {},
            Severity::Low => rect class="dot" x=(format!("{:.1}", x - size * 0.8)) y=(format!("{:.1}", y - size * 0.8)) width=(format!("{:.1}", size * 1.6)) height=(format!("{:.1}", size * 1.6)) {},
            Severity::Informational => circle class="dot" cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{:.1}", size * 0.6)) {},
        }
    }
}

/// A severity with its mark and its name.
pub(super) fn badge(severity: Severity) -> Markup {
    let name = severity.as_str();
    let caption = format!(
        "{}{}",
        name.get(..1).unwrap_or_default().to_uppercase(),
        name.get(1..).unwrap_or_default()
    );
    html! {
        span class={ "badge " (name) } {
            svg viewBox="0 0 14 14" aria-hidden="true" { (mark(severity, 7.0, 7.0, 4.8)) }
            (caption)
        }
    }
}

/// The strokes of a kind's icon in a box of 20 by 20.
pub(super) fn icon(kind: Kind) -> &'static str {
    match kind {
        Kind::Person | Kind::User | Kind::Group => {
            "M10 10.5a3.6 3.6 0 1 0 0-7.2a3.6 3.6 0 0 0 0 7.2zM3.4 17.4c.8-3.3 3.4-4.9 6.6-4.9s5.8 1.6 6.6 4.9"
        }
        Kind::Role | Kind::Service | Kind::External => {
            "M10 2.6l6.2 2.2v4.6c0 3.9-2.6 6.6-6.2 8c-3.6-1.4-6.2-4.1-6.2-8V4.8zM7.4 9.8l2 2l3.4-3.8"
        }
        Kind::Credential | Kind::Key => {
            "M7 13.6a3.6 3.6 0 1 0 0-7.2a3.6 3.6 0 0 0 0 7.2zM10.6 10h7M14.4 10v3M17.2 10v2.2"
        }
        Kind::Bucket | Kind::Object => {
            "M3.6 4.8h12.8l-1.5 12h-9.8zM3.6 4.8c0-2.2 12.8-2.2 12.8 0c0 2.2-12.8 2.2-12.8 0"
        }
        Kind::Secret | Kind::Parameter => {
            "M4.2 9h11.6v8.2H4.2zM6.6 9V6.4a3.4 3.4 0 0 1 6.8 0V9M10 12.2v2"
        }
        Kind::Function => "M5 3.4h2.4c.8 0 1.3.4 1.6 1.2l4.4 12h2.4M9.2 8.4L5 16.8",
        Kind::Instance | Kind::Task => {
            "M4 4h12v12H4zM7.4 7.4h5.2v5.2H7.4zM7 1.8V4M13 1.8V4M7 16v2.2M13 16v2.2M1.8 7H4M1.8 13H4M16 7h2.2M16 13h2.2"
        }
        Kind::ImageRepository | Kind::BuildProject => {
            "M10 2.4l6.8 3.8v7.6L10 17.6l-6.8-3.8V6.2zM3.4 6.4L10 10l6.6-3.6M10 10v7.4"
        }
        Kind::Distribution => {
            "M10 17.4a7.4 7.4 0 1 0 0-14.8a7.4 7.4 0 0 0 0 14.8zM2.8 10h14.4M10 2.6c4 4.4 4 10.4 0 14.8c-4-4.4-4-10.4 0-14.8"
        }
        Kind::Account | Kind::Organization => {
            "M4 17.2V4.4h8v12.8M12 8.4h4.2v8.8M2.6 17.2h14.8M6.6 7.6h2.8M6.6 10.6h2.8M6.6 13.6h2.8"
        }
        Kind::Wallet => {
            "M3.4 6.4h12.2v-2.6H4.6c-1.6 0-1.6 2.6 0 2.6M3.4 5.2v10.6h13.2V6.4M16.6 9.6h-3.8v3h3.8"
        }
        Kind::Policy | Kind::Other => "M5 2.8h7l3.2 3.2v11.2H5zM12 2.8V6h3.2M7.6 9.6h5M7.6 12.8h5",
    }
}

/// The middle of a long name left out, so that both ends can be recognised.
pub(super) fn middle(name: &str, limit: usize) -> String {
    let characters: Vec<char> = text::clean(name).chars().collect();
    if characters.len() <= limit {
        return characters.into_iter().collect();
    }
    let head = limit.saturating_sub(1).div_ceil(2);
    let tail = limit.saturating_sub(1) - head;
    let mut short: String = characters.iter().take(head).collect();
    short.push('…');
    short.extend(characters.iter().skip(characters.len() - tail));
    short
}

/// A name for a drawing: roles that Identity Center made go by their permission set's name, as
/// `Developer (SSO)`; the whole name is in the drawing's hover text.
pub(super) fn nick(name: &str) -> String {
    let (role, session) = name.split_once('/').unwrap_or((name, ""));
    let set = role
        .strip_prefix("AWSReservedSSO_")
        .and_then(|rest| rest.rsplit_once('_'));
    match (set, session) {
        (Some((set, _)), "") => format!("{set} (SSO)"),
        (Some((set, _)), session) => format!("{set} (SSO) / {session}"),
        (None, _) => name.to_owned(),
    }
}
