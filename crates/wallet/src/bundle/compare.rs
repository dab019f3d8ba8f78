//! What is served against what was built.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portreeve_model::Severity;
use serde::Serialize;

use super::statement::{Statement, is_content_hashed};
use super::writes::{Trace, Write, returns};

/// What is served: the SHA-256 of each file, by name; absent where it could not be read.
pub type Served = BTreeMap<String, Option<String>>;

/// What is wrong with a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleFinding {
    /// `file-altered`, `file-missing`, `file-added`, `file-unread`, `hashed-name-overwritten`,
    /// `content-came-back`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The file.
    pub name: String,
    /// When it was changed, where a record tells.
    pub time: Option<Timestamp>,
    /// What was seen, in plain words.
    pub reason: String,
    /// The record that changed it.
    pub changed_by: Option<Write>,
}

/// A bundle, compared.
#[derive(Clone, Debug, Serialize)]
pub struct BundleReport {
    /// `clean`, or the gravest severity above informational.
    pub verdict: &'static str,
    /// How many files were built.
    pub files: u64,
    /// How many are served as they were built.
    pub as_built: u64,
    /// What is wrong.
    pub findings: Vec<BundleFinding>,
    /// What could not be told.
    pub blind_spots: Vec<String>,
}

/// Compares. `earlier` are statements of what was served before, oldest first; `writes` those to the
/// storage's objects, `None` where no records were given; `complete` says whether `served` names all
/// files that are there, as a folder does and a web server does not.
pub fn compare(
    manifest: &Statement,
    served: &Served,
    complete: bool,
    earlier: &[Statement],
    writes: Option<&[Write]>,
) -> BundleReport {
    let built = manifest.digests();
    let mut findings = Vec::new();
    let mut as_built = 0;
    let mut by_name: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
    for write in writes.into_iter().flatten() {
        by_name.entry(&write.name).or_default().push(write);
    }
    for list in by_name.values_mut() {
        list.sort_by_key(|write| write.time);
    }
    for (name, digest) in &built {
        let finding = match served.get(*name) {
            Some(Some(found)) if found == digest => {
                as_built += 1;
                continue;
            }
            Some(Some(found)) => (
                "file-altered",
                of_kind(name, Severity::Critical, Severity::High),
                format!("It is served with SHA-256 {found}; built was {digest}"),
            ),
            Some(None) => (
                "file-unread",
                Severity::Medium,
                "It could not be read".to_owned(),
            ),
            None => (
                "file-missing",
                Severity::Medium,
                "It was built, and is not served".to_owned(),
            ),
        };
        findings.push(told(name, finding, by_name.get(name)));
    }
    for name in served
        .keys()
        .filter(|name| !built.contains_key(name.as_str()))
    {
        let severity = of_kind(name, Severity::High, Severity::Low);
        findings.push(told(
            name,
            (
                "file-added",
                severity,
                "It is served, and no build made it".to_owned(),
            ),
            by_name.get(name.as_str()),
        ));
    }
    for (name, list) in &by_name {
        overwritten(name, list, &mut findings);
        came_back_by_writes(name, list, &mut findings);
    }
    came_back_by_probes(&built, served, earlier, &mut findings);
    findings.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then_with(|| (&one.name, one.id).cmp(&(&other.name, other.id)))
    });
    let mut blind_spots = Vec::new();
    if writes.is_none() {
        blind_spots.push("No records of the storage were given: who changed a file, and what was put back, is not known".to_owned());
    }
    if !complete {
        blind_spots
            .push("A web server does not list its files: what was added is not seen".to_owned());
    }
    let gravest = findings
        .iter()
        .map(|finding| finding.severity)
        .max()
        .unwrap_or_default();
    BundleReport {
        verdict: match gravest {
            Severity::Informational => "clean",
            grave => grave.as_str(),
        },
        files: built.len() as u64,
        as_built,
        findings,
        blind_spots,
    }
}

/// Whether a browser runs a file: scripts, pages, styles, WebAssembly, maps of imports.
fn of_kind(name: &str, runs: Severity, other: Severity) -> Severity {
    let end = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = [
        "js", "mjs", "cjs", "html", "htm", "wasm", "css", "svg", "json",
    ];
    if known.contains(&end.as_str()) {
        runs
    } else {
        other
    }
}

/// A finding with the last write to the object, which made it what it is.
fn told(
    name: &str,
    (id, severity, reason): (&'static str, Severity, String),
    writes: Option<&Vec<&Write>>,
) -> BundleFinding {
    let last = writes
        .and_then(|writes| writes.last())
        .map(|write| (*write).clone());
    let by = last
        .as_ref()
        .map_or_else(String::new, |write| format!(". {}", by(write)));
    BundleFinding {
        id,
        severity,
        name: name.to_owned(),
        time: last.as_ref().map(|write| write.time),
        reason: format!("{reason}{by}"),
        changed_by: last,
    }
}

fn by(write: &Write) -> String {
    let from = write
        .from
        .as_deref()
        .map_or_else(String::new, |from| format!(" from {from}"));
    let event = write
        .event_id
        .as_deref()
        .map_or_else(String::new, |id| format!(", event {id}"));
    format!(
        "{} by {}{from} at {}{event} ({})",
        write.operation, write.principal, write.time, write.place
    )
}

/// A name that holds the content's hash was written again, with content that is not known to be the
/// same.
fn overwritten(name: &str, writes: &[&Write], findings: &mut Vec<BundleFinding>) {
    if !is_content_hashed(name) {
        return;
    }
    let puts: Vec<&&Write> = writes
        .iter()
        .filter(|write| !write.operation.starts_with("Delete"))
        .collect();
    for pair in puts.windows(2) {
        let same = pair[0]
            .content
            .as_ref()
            .is_some_and(|content| content.is_sure() && pair[1].content.as_ref() == Some(content));
        // A pipeline that uploads all of its files again writes equal sizes.
        let alike = pair[0].principal == pair[1].principal
            && pair[0].content.is_some()
            && pair[0].content == pair[1].content;
        if !same && !alike {
            findings.push(BundleFinding {
                id: "hashed-name-overwritten",
                severity: Severity::High,
                name: name.to_owned(),
                time: Some(pair[1].time),
                reason: format!(
                    "Its name holds the hash of its content, and it was written again. {}",
                    by(pair[1])
                ),
                changed_by: Some((*pair[1]).clone()),
            });
        }
    }
}

fn came_back_by_writes(name: &str, writes: &[&Write], findings: &mut Vec<BundleFinding>) {
    let contents: Vec<Option<Trace>> = writes.iter().map(|write| write.content.clone()).collect();
    // A rollback puts an entry page back; what never changes by itself has no reason to come back.
    for (middle, back) in returns(&contents) {
        let sure = contents[back].as_ref().is_some_and(Trace::is_sure);
        let severity = match (sure, is_content_hashed(name)) {
            (true, true) => Severity::Critical,
            (true, false) | (false, true) => Severity::Medium,
            (false, false) => Severity::Low,
        };
        let how = if sure {
            "the same content"
        } else {
            "content of the same size"
        };
        findings.push(BundleFinding {
            id: "content-came-back",
            severity,
            name: name.to_owned(),
            time: Some(writes[middle].time),
            reason: format!(
                "Between {} and {} it held something else, then {how} came back. {}; put back: {}",
                writes[middle].time,
                writes[back].time,
                by(writes[middle]),
                by(writes[back])
            ),
            changed_by: Some(writes[middle].clone()),
        });
    }
}

/// The same told by what was seen to be served: earlier statements, then now.
fn came_back_by_probes(
    built: &BTreeMap<&str, String>,
    served: &Served,
    earlier: &[Statement],
    findings: &mut Vec<BundleFinding>,
) {
    if earlier.is_empty() {
        return;
    }
    let probes: Vec<BTreeMap<&str, String>> = earlier.iter().map(Statement::digests).collect();
    let names: BTreeSet<&str> = probes
        .iter()
        .flat_map(|probe| probe.keys().copied())
        .chain(served.keys().map(String::as_str))
        .collect();
    for name in names {
        let first = built.get(name).cloned();
        let row: Vec<Option<String>> = std::iter::once(first)
            .chain(probes.iter().map(|probe| probe.get(name).cloned()))
            .chain(std::iter::once(served.get(name).cloned().flatten()))
            .collect();
        for (middle, back) in returns(&row) {
            findings.push(BundleFinding {
                id: "content-came-back",
                severity: of_kind(name, Severity::Critical, Severity::High),
                name: name.to_owned(),
                time: None,
                reason: format!("Probe {middle} of {} saw another content than was built, and by {} it was back", earlier.len(), if back > earlier.len() { "now".to_owned() } else { format!("probe {back}") }),
                changed_by: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASHED: &str = "static/main.4f3a2b1c.js";

    fn statement(files: &[(&str, &str)]) -> Statement {
        Statement::of(
            &files
                .iter()
                .map(|(name, digit)| ((*name).to_owned(), digit.repeat(64)))
                .collect(),
            0,
        )
    }

    fn served(files: &[(&str, &str)]) -> Served {
        files
            .iter()
            .map(|(name, digit)| ((*name).to_owned(), Some(digit.repeat(64))))
            .collect()
    }

    fn write(name: &str, minute: u8, principal: &str, content: Option<Trace>) -> Write {
        Write {
            time: format!("2026-03-17T15:{minute:02}:00Z").parse().unwrap(),
            name: name.to_owned(),
            operation: "PutObject".to_owned(),
            principal: principal.to_owned(),
            from: Some("192.0.2.44".to_owned()),
            client: None,
            event_id: Some(format!("event-{minute}")),
            place: "log 1".to_owned(),
            content,
        }
    }

    fn ids(report: &BundleReport) -> Vec<(&'static str, Severity)> {
        report
            .findings
            .iter()
            .map(|finding| (finding.id, finding.severity))
            .collect()
    }

    #[test]
    fn what_is_as_built_is_clean_and_the_rest_is_named() {
        let built = statement(&[("index.html", "a"), (HASHED, "b"), ("logo.png", "c")]);
        let clean = compare(
            &built,
            &served(&[("index.html", "a"), (HASHED, "b"), ("logo.png", "c")]),
            true,
            &[],
            Some(&[]),
        );
        assert_eq!(
            (clean.verdict, clean.as_built, clean.blind_spots.len()),
            ("clean", 3, 0)
        );
        let wrong = compare(
            &built,
            &served(&[
                ("index.html", "a"),
                (HASHED, "d"),
                ("extra.js", "e"),
                ("note.txt", "f"),
            ]),
            true,
            &[],
            None,
        );
        assert_eq!(
            ids(&wrong),
            [
                ("file-altered", Severity::Critical),
                ("file-added", Severity::High),
                ("file-missing", Severity::Medium),
                ("file-added", Severity::Low)
            ]
        );
    }

    #[test]
    fn the_record_that_changed_an_object_is_named() {
        let built = statement(&[(HASHED, "b")]);
        let writes = [
            write(HASHED, 1, "deploy", None),
            write(HASHED, 29, "dev.mira", None),
        ];
        let report = compare(&built, &served(&[(HASHED, "d")]), true, &[], Some(&writes));
        assert_eq!(
            ids(&report),
            [
                ("file-altered", Severity::Critical),
                ("hashed-name-overwritten", Severity::High)
            ]
        );
        let by = report.findings[0].changed_by.as_ref().unwrap();
        assert_eq!(
            (by.principal.as_str(), by.event_id.as_deref()),
            ("dev.mira", Some("event-29"))
        );
        assert!(
            report.findings[0]
                .reason
                .contains("PutObject by dev.mira from 192.0.2.44 at 2026-03-17T15:29:00Z")
        );
    }

    #[test]
    fn what_was_put_back_is_found_by_writes_and_by_probes() {
        let built = statement(&[(HASHED, "b")]);
        let tag = |text: &str| Some(Trace::ETag(text.to_owned()));
        let writes = [
            write(HASHED, 1, "deploy", tag("a")),
            write(HASHED, 29, "mira", tag("b")),
            write(HASHED, 40, "mira", tag("a")),
        ];
        let report = compare(&built, &served(&[(HASHED, "b")]), true, &[], Some(&writes));
        assert_eq!(ids(&report)[0], ("content-came-back", Severity::Critical));
        assert_eq!(
            report.findings[0]
                .changed_by
                .as_ref()
                .unwrap()
                .event_id
                .as_deref(),
            Some("event-29")
        );
        let probe = statement(&[(HASHED, "d")]);
        let report = compare(&built, &served(&[(HASHED, "b")]), false, &[probe], None);
        assert_eq!(ids(&report), [("content-came-back", Severity::Critical)]);
        assert_eq!(report.blind_spots.len(), 2);
    }

    #[test]
    fn uploads_of_the_same_and_rollbacks_of_pages_are_not_grave() {
        let built = statement(&[(HASHED, "b"), ("index.html", "a")]);
        let all = served(&[(HASHED, "b"), ("index.html", "a")]);
        let again = [
            write(HASHED, 1, "deploy", Some(Trace::Bytes(5))),
            write(HASHED, 30, "deploy", Some(Trace::Bytes(5))),
        ];
        assert_eq!(
            compare(&built, &all, true, &[], Some(&again)).verdict,
            "clean"
        );
        let tag = |text: &str| Some(Trace::ETag(text.to_owned()));
        let rollback = [
            write("index.html", 1, "deploy", tag("a")),
            write("index.html", 9, "deploy", tag("b")),
            write("index.html", 30, "deploy", tag("a")),
        ];
        assert_eq!(
            ids(&compare(&built, &all, true, &[], Some(&rollback))),
            [("content-came-back", Severity::Medium)]
        );
    }
}
