//! What the terminal shows.

mod sample;

use portreeve_view::roads::Roads;
use portreeve_view::terminal::{self, Options};
use portreeve_view::text;

#[test]
fn the_report_at_80_columns() {
    insta::assert_snapshot!(terminal::report(&sample::report(), &Options::default()));
}

#[test]
fn the_report_at_44_columns() {
    let options = Options {
        width: 44,
        timeline: Some(8),
        ..Options::default()
    };
    insta::assert_snapshot!(terminal::report(&sample::report(), &options));
}

#[test]
fn the_report_when_nothing_was_found() {
    let mut report = sample::clear();
    report.simulated = true;
    insta::assert_snapshot!(terminal::report(&report, &Options::default()));
}

#[test]
fn paths_and_their_blind_spots() {
    let report = sample::report();
    let roads = Roads {
        given: &[],
        paths: &sample::paths(),
        jewels: &report.jewels,
        doors: &[],
        reach: &[],
        blind_spots: &report.blind_spots,
    };
    insta::assert_snapshot!(terminal::paths(&roads, &Options::default()));
}

#[test]
fn no_line_but_a_command_is_wider_than_the_page() {
    let report = sample::report();
    let incident = &report.incidents[0];
    let of_cut = incident.cut.iter().flat_map(|cut| &cut.changes);
    let mut commands: Vec<String> = incident
        .response
        .iter()
        .chain(of_cut)
        .filter_map(|step| step.command.clone())
        .collect();
    commands.extend(
        report
            .blind_spots
            .iter()
            .map(|blind_spot| blind_spot.remedy.clone()),
    );
    for width in [30, 44, 60, 80, 100, 200] {
        let shown = terminal::report(
            &report,
            &Options {
                width,
                ..Options::default()
            },
        );
        for line in shown.lines() {
            let is_command = commands.iter().any(|command| command == line.trim_start());
            assert!(
                is_command || text::width(line) <= width,
                "{width}: {line:?}"
            );
        }
        for command in &commands {
            assert!(
                shown.lines().any(|line| line.trim_start() == command),
                "{width}: {command}"
            );
        }
    }
}

#[test]
fn colour_changes_no_word_and_untrusted_text_cannot_steer_the_terminal() {
    let report = sample::report();
    let plain = terminal::report(&report, &Options::default());
    let coloured = terminal::report(
        &report,
        &Options {
            colour: true,
            ..Options::default()
        },
    );
    assert!(!plain.contains('\u{1b}'));
    assert!(plain.contains("kali<U+001B>[2J"));
    assert!(plain.contains("jo.berg<U+202E>nimda"));
    assert!(!coloured.contains("\u{1b}[2J"));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..at]);
        let after = &rest[at..];
        rest = &after[after.find('m').unwrap() + 1..];
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn everything_left_out_is_counted() {
    let report = sample::report();
    let options = Options {
        timeline: Some(5),
        ..Options::default()
    };
    let shown = terminal::report(&report, &options);
    assert!(
        shown.contains("left out of this timeline; `--format json` shows all."),
        "{shown}"
    );
    let all = terminal::report(
        &report,
        &Options {
            timeline: None,
            list: None,
            ..Options::default()
        },
    );
    assert!(!all.contains("left out of this timeline"));
}

#[test]
fn a_table_keeps_its_columns() {
    let rows = vec![
        vec![
            "日本".to_owned(),
            "1".to_owned(),
            "a long text that does not fit into the width at all".to_owned(),
        ],
        vec!["x\u{1b}".to_owned(), "22".to_owned(), String::new()],
    ];
    let options = Options {
        width: 40,
        ..Options::default()
    };
    insta::assert_snapshot!(terminal::table(&["name", "calls", "what"], &rows, &options));
}

#[test]
fn many_incidents_are_all_named_and_the_gravest_told() {
    let mut report = sample::report();
    let one = report.incidents[0].clone();
    report.incidents = (0..9)
        .map(|number| {
            let mut incident = one.clone();
            incident.id = format!("inc-{number}");
            incident.headline = format!("Headline number {number}");
            incident
        })
        .collect();
    let shown = terminal::report(&report, &Options::default());
    assert!((0..9).all(|number| shown.contains(&format!("Headline number {number}"))));
    assert!(shown.contains("inc-4") && !shown.contains("inc-5"));
    assert!(
        shown.contains("4 more incidents, named at the top, left out"),
        "{shown}"
    );
    let all = terminal::report(
        &report,
        &Options {
            list: None,
            ..Options::default()
        },
    );
    assert!((0..9).all(|number| all.contains(&format!("inc-{number}"))));
}

#[test]
fn a_tree_of_credentials() {
    let options = Options::default();
    insta::assert_snapshot!(terminal::lineage(&sample::trace(), &options));
    for width in [30, 44, 80] {
        let shown = terminal::lineage(
            &sample::trace(),
            &Options {
                width,
                ..Options::default()
            },
        );
        for line in shown.lines() {
            assert!(text::width(line) <= width.max(30), "{width}: {line}");
        }
    }
}
