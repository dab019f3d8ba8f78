//! `docs/checks.md` says what the checks say. `UPDATE_DOCS=1 cargo test -p portreeve-posture --test
//! docs` writes it anew.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portreeve_posture::checks;

const BEGIN: &str = "<!-- begin: made from the checks -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let mut text = String::from(BEGIN);
    let mut all = checks().to_vec();
    all.sort_by_key(|check| (std::cmp::Reverse(check.severity), check.id));
    let _ = writeln!(text, "\n{} checks.\n", all.len());
    for check in all {
        let listed: Vec<String> = check
            .posture
            .iter()
            .map(|id| (*id).to_owned())
            .chain(check.cis.iter().map(|section| format!("CIS {section}")))
            .collect();
        let listed = match listed.is_empty() {
            true => String::new(),
            false => format!(" · {}", listed.join(", ")),
        };
        let _ = writeln!(text, "### {}\n", check.id);
        let _ = writeln!(text, "{}. *{}*{listed}\n", check.title, check.severity);
        let _ = writeln!(text, "{} {}", check.why, check.remedy);
        for limit in check.limits {
            let _ = writeln!(
                text,
                "`{}` = {}: {}.",
                limit.name, limit.default, limit.meaning
            );
        }
        let needs: Vec<String> = check.needs.iter().map(|id| format!("`{id}`")).collect();
        let pages: Vec<String> = check
            .references
            .iter()
            .map(|page| format!("<{page}>"))
            .collect();
        let _ = writeln!(
            text,
            "\nShown by {}. See {}.\n",
            needs.join(" or "),
            pages.join(", ")
        );
    }
    text.push_str(END);
    text
}

#[test]
fn the_guide_lists_every_check_as_it_is() {
    let path = common::root().join("docs/checks.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the mark of its beginning");
    let (_, tail) = rest.split_once(END).expect("the mark of its end");
    let wanted = format!("{head}{}{tail}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        text == wanted,
        "docs/checks.md is stale: UPDATE_DOCS=1 cargo test -p portreeve-posture --test docs"
    );
}

/// What matters to the intruder that this project is built for, by the numbers of its list.
#[test]
fn every_point_of_the_list_has_a_check() {
    let listed: BTreeSet<&str> = checks()
        .iter()
        .flat_map(|check| check.posture)
        .copied()
        .collect();
    let wanted: Vec<String> = (1..=32).map(|number| format!("A{number:02}")).collect();
    let missing: Vec<&String> = wanted
        .iter()
        .filter(|id| !listed.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unknown: Vec<&&str> = listed
        .iter()
        .filter(|id| !wanted.iter().any(|own| own == *id))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The sections of the CIS AWS Foundations Benchmark v3.0.0 on identity, storage and logging that a
/// configuration shows. Left out: 1.1 to 1.3 (contact details and security questions, which no API
/// tells whether they are right) and 2.1.3 (that data was classified).
#[test]
fn the_benchmark_s_sections_have_checks() {
    let listed: BTreeSet<&str> = checks()
        .iter()
        .flat_map(|check| check.cis)
        .copied()
        .collect();
    let identity = (4..=22).map(|number| format!("1.{number}"));
    let storage = [
        "2.1.1", "2.1.2", "2.1.4", "2.2.1", "2.3.1", "2.3.2", "2.3.3", "2.4.1",
    ];
    let logging = (1..=9).map(|number| format!("3.{number}"));
    let wanted = identity.chain(storage.map(str::to_owned)).chain(logging);
    let missing: Vec<String> = wanted
        .filter(|section| !listed.contains(section.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
