use portreeve_incident::actor::{Likeness, Resemblance};

use super::page::{Page, STRONG, Span, faint, plain};
use super::{Options, left_out};
use crate::text;

/// A likeness below this is anybody's; the report in JSON has it.
pub(crate) const LEAST_SHOWN: u32 = 20;

/// Whose known way an incident is like, and what speaks against it.
pub(super) fn write(page: &mut Page, likenesses: &[Likeness], options: &Options) {
    let told: Vec<&Likeness> = likenesses
        .iter()
        .filter(|it| it.score >= LEAST_SHOWN)
        .collect();
    if told.is_empty() {
        return;
    }
    page.heading("Whose known way it is like");
    for likeness in told {
        page.spans(
            4,
            &[
                Span(STRONG, format!("  {}", likeness.title)),
                plain(format!(": {} of 100", likeness.score)),
                faint("  (what is like it, less what is not; no proof of who it was)"),
            ],
        );
        list(page, "like it because", &likeness.like, '+', options);
        list(page, "unlike it because", &likeness.unlike, '−', options);
    }
}

fn list(page: &mut Page, title: &str, list: &[Resemblance], mark: char, options: &Options) {
    if list.is_empty() {
        return;
    }
    page.spans(4, &[plain(format!("  {title}"))]);
    let shown = options.list.unwrap_or(list.len()).min(list.len());
    for one in list.iter().take(shown) {
        let points = format!("{mark}{}", one.points);
        let pad = " ".repeat(5usize.saturating_sub(text::width(&points)));
        page.spans(
            11,
            &[
                faint(format!("    {pad}{points}  ")),
                plain(one.words.clone()),
            ],
        );
    }
    let more = (list.len() - shown) as u64;
    left_out(page, more, "reason", "reasons", options);
}
