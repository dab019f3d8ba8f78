//! Findings of one kind in a list.

use super::page::{self, Page, STRONG, Span, faint, plain};
use super::{Options, left_out};
use crate::listing::Listing;
use crate::text;

pub(super) fn write(page: &mut Page, listing: &Listing, options: &Options) {
    page.spans(0, &[Span(STRONG, listing.title.clone())]);
    for (name, value) in &listing.figures {
        page.field(name, vec![plain(value.clone())]);
    }
    let shown = options
        .list
        .unwrap_or(listing.rows.len())
        .min(listing.rows.len());
    for row in listing.rows.iter().take(shown) {
        page.gap();
        let time = row
            .time
            .map_or_else(String::new, |time| format!("  {}", text::time(time)));
        page.spans(
            2,
            &[
                Span(page::severity(row.severity), row.severity.to_string()),
                Span(STRONG, format!("  {}", row.subject)),
            ],
        );
        page.spans(2, &[plain(format!("  {}", row.reason))]);
        page.spans(2, &[faint(format!("  {}{time}", row.what))]);
    }
    left_out(
        page,
        (listing.rows.len() - shown) as u64,
        "finding",
        "findings",
        options,
    );
    if !listing.blind_spots.is_empty() {
        page.heading("What could not be seen");
        for spot in &listing.blind_spots {
            page.spans(4, &[plain(format!("  {spot}"))]);
        }
    }
}
