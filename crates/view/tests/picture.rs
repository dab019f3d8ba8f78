//! The picture in the documentation is what the code makes.

mod sample;

use portreeve_view::{svg, terminal};

/// `PORTREEVE_PICTURES=1 cargo test -p portreeve-view --test picture` writes it anew.
#[test]
fn the_picture_of_an_investigation_is_up_to_date() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/images/investigate.svg"
    );
    let options = terminal::Options {
        colour: true,
        ..terminal::Options::default()
    };
    let mut report = sample::report();
    let incident = &mut report.incidents[0];
    incident
        .credential_stories
        .retain(|story| [sample::THIRD, sample::MINTED_LATER].contains(&story.credential.as_str()));
    incident.score_parts.clear();
    let shown = terminal::report(&report, &options);
    // Short enough to be looked at; the commands that follow are wider than a picture can be.
    let part: Vec<&str> = shown
        .lines()
        .take_while(|line| !line.contains("WHAT TO DO FIRST"))
        .collect();
    let picture = svg::titled(
        part.join("\n").trim_end(),
        "portreeve investigate evidence/",
    );
    if std::env::var_os("PORTREEVE_PICTURES").is_some() {
        std::fs::write(path, &picture).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == picture,
        "docs/images/investigate.svg is out of date: run with PORTREEVE_PICTURES=1"
    );
}
