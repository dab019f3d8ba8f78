//! The report as one JSON object a line: what `--format ndjson` writes.
//!
//! Each line has a `type`. In this order:
//!
//! | `type` | lines | holds |
//! |---|---|---|
//! | `report` | one, first | `version`, `rules`, `rules_sha256`, `simulated` |
//! | `incident` | one each, gravest first | the fields of [`Incident`](portreeve_incident::Incident) |
//! | `finding` | one each, in order of time | the fields of [`Finding`](portreeve_model::Finding), and `incidents`: the ids of the incidents it is in |
//! | `jewel`, `coverage`, `blind_spot`, `dead_letter`, `input` | one each | the fields of the model's type of that name |
//! | `note` | one each | `text` |
//! | `summary` | one, last | `records`, `bytes`, `seconds`, `dead_letters_omitted` |
//!
//! A reader that sees no `summary` has not seen the whole report.

use std::collections::BTreeMap;
use std::io;

use portreeve_incident::Report;
use serde::Serialize;

use crate::policy::TestedCase;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Report {
        version: &'a str,
        rules: u64,
        rules_sha256: &'a str,
        simulated: bool,
    },
    Incident(&'a portreeve_incident::Incident),
    Finding(FindingLine<'a>),
    Jewel(JewelLine<'a>),
    Coverage(&'a portreeve_model::Coverage),
    BlindSpot(&'a portreeve_model::BlindSpot),
    DeadLetter(&'a portreeve_model::DeadLetter),
    Input(&'a portreeve_model::Input),
    Note {
        text: &'a str,
    },
    Summary(SummaryLine<'a>),
}

#[derive(Serialize)]
struct FindingLine<'a> {
    #[serde(flatten)]
    finding: &'a portreeve_model::Finding,
    incidents: &'a [&'a str],
}

#[derive(Serialize)]
struct JewelLine<'a> {
    #[serde(flatten)]
    jewel: &'a portreeve_graph::Jewel,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    #[serde(flatten)]
    summary: &'a portreeve_incident::Summary,
    dead_letters_omitted: u64,
}

/// Writes the report, one JSON object a line.
pub fn report(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    write(
        out,
        &Line::Report {
            version: &report.version,
            rules: report.rules,
            rules_sha256: &report.rules_sha256,
            simulated: report.simulated,
        },
    )?;
    let mut incidents_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for incident in &report.incidents {
        write(out, &Line::Incident(incident))?;
        for finding in &incident.findings {
            incidents_of.entry(finding).or_default().push(&incident.id);
        }
    }
    for finding in &report.findings {
        let incidents = incidents_of
            .get(finding.id.as_str())
            .map_or(&[][..], Vec::as_slice);
        write(out, &Line::Finding(FindingLine { finding, incidents }))?;
    }
    for jewel in &report.jewels {
        write(out, &Line::Jewel(JewelLine { jewel }))?;
    }
    for coverage in &report.coverage {
        write(out, &Line::Coverage(coverage))?;
    }
    for blind_spot in &report.blind_spots {
        write(out, &Line::BlindSpot(blind_spot))?;
    }
    for dead_letter in &report.dead_letters {
        write(out, &Line::DeadLetter(dead_letter))?;
    }
    for input in &report.inputs {
        write(out, &Line::Input(input))?;
    }
    for text in &report.notes {
        write(out, &Line::Note { text })?;
    }
    let dead_letters_omitted = report.dead_letters_omitted;
    write(
        out,
        &Line::Summary(SummaryLine {
            summary: &report.summary,
            dead_letters_omitted,
        }),
    )
}

fn write(out: &mut impl io::Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Writes tests of policies, one object a case: [`TestedCase`].
pub fn policy_tests(cases: &[TestedCase<'_>], out: &mut impl io::Write) -> io::Result<()> {
    for case in cases {
        serde_json::to_writer(&mut *out, case)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
