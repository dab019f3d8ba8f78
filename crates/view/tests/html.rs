//! The page.

mod sample;

use portreeve_view::html;

/// For looking at: `PORTREEVE_PAGES=folder cargo test -p portreeve-view --test html` writes pages.
#[test]
fn pages_for_looking_at() {
    let mut pages = vec![("report", sample::report()), ("clear", sample::clear())];
    pages[1].1.simulated = true;
    for (name, report) in pages {
        let page = html::report(&report);
        assert!(page.starts_with("<!DOCTYPE html>"));
        if let Ok(folder) = std::env::var("PORTREEVE_PAGES") {
            std::fs::write(format!("{folder}/{name}.html"), page).unwrap();
        }
    }
}
