//! The page.

mod sample;

use std::collections::BTreeSet;

use jiff::Timestamp;
use portreeve_incident::TimelineRole;
use portreeve_view::html;

/// Every tag of a page in order: name, attributes, whether it closes. Panics where a tag that must
/// be closed is not.
fn tags(page: &str) -> Vec<(String, String)> {
    let empty = ["br", "meta", "!DOCTYPE"];
    let mut open: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    let style = page.find("</style>").unwrap();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let inside_style =
            page.len() - rest.len() + at < style && open.last().is_some_and(|tag| tag == "style");
        rest = &rest[at + 1..];
        if inside_style {
            continue;
        }
        let end = rest.find('>').expect("a tag ends");
        let (name, attributes) = rest[..end].split_once(' ').unwrap_or((&rest[..end], ""));
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "closed in the order opened"
            ),
            None => {
                if !empty.contains(&name) {
                    open.push(name.to_owned());
                }
                tags.push((name.to_owned(), attributes.to_owned()));
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
    tags
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let start = attributes.find(&format!("{name}=\""))? + name.len() + 2;
    attributes[start..].split('"').next()
}

/// For looking at: `PORTREEVE_PAGES=folder cargo test -p portreeve-view --test html` writes pages.
fn keep(name: &str, page: &str) {
    if let Ok(folder) = std::env::var("PORTREEVE_PAGES") {
        std::fs::write(format!("{folder}/{name}.html"), page).unwrap();
    }
}

#[test]
fn pages_are_well_formed_and_name_what_they_point_to() {
    let mut pages = vec![
        ("report", sample::report()),
        ("clear", sample::clear()),
        ("two", sample::report()),
    ];
    let again = pages[2].1.incidents[0].clone();
    pages[2].1.incidents.push(again);
    pages[1].1.simulated = true;
    for (name, report) in pages {
        let page = html::report(&report);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        let tags = tags(&page);
        let ids: Vec<&str> = tags
            .iter()
            .filter_map(|(_, attributes)| {
                attribute(attributes, " id").or_else(|| attribute(attributes, "id"))
            })
            .collect();
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len(), "ids are unique");
        for (_, attributes) in &tags {
            if let Some(target) = attribute(attributes, "href") {
                assert!(
                    known.contains(target.strip_prefix('#').expect("links stay on the page")),
                    "{target}"
                );
            }
            for id in attribute(attributes, "aria-labelledby")
                .unwrap_or_default()
                .split_whitespace()
            {
                assert!(known.contains(id), "{id}");
            }
        }
        for landmark in ["header", "main", "nav", "footer", "h1"] {
            assert_eq!(
                tags.iter().filter(|(name, _)| name == landmark).count(),
                1,
                "{landmark}"
            );
        }
        assert!(
            tags.iter()
                .filter(|(name, _)| name == "th")
                .all(|(_, attributes)| attributes.contains("scope="))
        );
        keep(name, &page);
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let page = html::report(&sample::report());
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\""));
    for (name, attributes) in tags(&page) {
        assert!(
            ![
                "script", "link", "img", "iframe", "object", "embed", "image", "use", "base",
                "form"
            ]
            .contains(&name.as_str()),
            "{name}"
        );
        for attribute in ["src=", "srcset=", "onclick", "onload", "onerror", "xlink"] {
            assert!(!attributes.contains(attribute), "{name} {attributes}");
        }
    }
    assert!(
        !page.contains("url(")
            && !page.contains("@import")
            && !page.contains("http://")
            && !page.contains("https://")
    );
}

#[test]
fn the_outline() {
    let page = html::report(&sample::report());
    let mut outline = String::new();
    for part in page.split('<') {
        let level = match part.get(..2) {
            Some("h1") => 0,
            Some("h2") => 1,
            Some("h3") => 2,
            Some("h4") => 3,
            _ => match part.get(..7) {
                Some("summary") | Some("caption") => 4,
                _ => continue,
            },
        };
        let text = part.split_once('>').map_or("", |(_, text)| text);
        if !text.is_empty() {
            outline.push_str(&format!("{}{text}\n", "  ".repeat(level)));
        }
    }
    insta::assert_snapshot!(outline);
}

#[test]
fn what_an_intruder_writes_is_shown_and_not_obeyed() {
    let mut report = sample::report();
    let hostile = "\"><script>alert(1)</script><img src=x onerror=y>\u{202e}";
    let incident = &mut report.incidents[0];
    incident.headline = hostile.into();
    incident.timeline[0].action = hostile.into();
    incident.timeline[0].actor = hostile.into();
    incident.timeline[0].credential = Some(hostile.into());
    incident.credential_stories[0].networks[0].client = Some(hostile.into());
    incident.credential_stories[0].credential = hostile.into();
    incident.touched[0].resource = format!("arn:aws:s3:::{hostile}");
    incident.paths[0].steps[0].to = hostile.into();
    incident.paths[0].steps[0].title = hostile.into();
    incident.response[0].command = Some(hostile.into());
    report.findings[0].title = hostile.into();
    report.notes.push(hostile.into());
    report.inputs[0].file = hostile.into();
    report.dead_letters[0].reason = hostile.into();
    report.coverage[0].accounts.insert(hostile.into());
    let page = html::report(&report);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("&lt;U+202E&gt;"));
    tags(&page);
}

#[test]
fn a_long_timeline_makes_no_large_page() {
    let mut report = sample::report();
    let incident = &mut report.incidents[0];
    let pattern = incident.timeline.clone();
    let start = pattern[0].time.unwrap().as_second();
    incident.timeline = (0..50_000u64)
        .map(|number| {
            let mut entry = pattern[(number * 7 % pattern.len() as u64) as usize].clone();
            entry.time = Timestamp::from_second(start + (number * 31) as i64).ok();
            entry.credential = Some(format!("ASIA{:016}", number % 40));
            entry.address = Some(format!("203.0.113.{}", number % 200));
            entry.index = number;
            if entry.finding.is_none() && number % 3 == 0 {
                entry.role = TimelineRole::Suspect;
            }
            entry
        })
        .collect();
    let page = html::report(&report);
    keep("long", &page);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("left out of this table; the report in JSON holds all."));
    assert!(page.contains("31 other credentials"));
    tags(&page);
}

#[test]
fn odd_reports_do_no_harm() {
    let mut report = sample::report();
    for entry in &mut report.incidents[0].timeline {
        entry.time = None;
    }
    report.incidents[0].first_sign = None;
    report.incidents[0].findings.push("unknown".into());
    report.coverage[0].first = Some(Timestamp::MIN);
    report.coverage[0].last = Some(Timestamp::MAX);
    report.incidents[0].credential_stories[0].parent = Some(sample::STOLEN.into());
    tags(&html::report(&report));
    report.incidents[0].timeline.truncate(1);
    report.incidents[0].timeline[0].time = Some(Timestamp::MAX);
    report.incidents[0].paths[0].steps.clear();
    tags(&html::report(&report));
    let copy = report.incidents[0].timeline[0].clone();
    report.incidents[0].timeline.push(copy);
    report.incidents[0].timeline[0].time = Some(Timestamp::MIN);
    report.incidents[0].last_activity = Some(Timestamp::MIN);
    report.coverage.clear();
    tags(&html::report(&report));
}
