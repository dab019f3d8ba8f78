use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use portreeve_graph::Catalogue;
use portreeve_incident::actor::Profile;
use portreeve_sigma::{Correlation, Diagnostic, LogSource, Rule};
use portreeve_telemetry::Source;
use sha2::{Digest, Sha256};

use crate::config::RuleSettings;

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");
static CORRELATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../correlations");
static ESCALATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../escalations");
static ACTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../actors");

/// A content file: its name for messages, and its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentFile {
    /// As `rules/aws/trail-stopped.yml`, or the path of a user's file.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The rules that are built into the program, in order of name.
pub fn built_in_rules() -> Vec<ContentFile> {
    embedded(&RULES, "rules")
}

/// The correlations that are built into the program, with the rules that are parts of them, in
/// order of name.
pub fn built_in_correlations() -> Vec<ContentFile> {
    embedded(&CORRELATIONS, "correlations")
}

/// The escalations that are built into the program, in order of name.
pub fn built_in_escalations() -> Vec<ContentFile> {
    embedded(&ESCALATIONS, "escalations")
}

/// The profiles of actors that are built into the program, and what is wrong with those that
/// cannot be read.
pub fn built_in_profiles() -> (Vec<Profile>, Vec<String>) {
    let mut profiles = Vec::new();
    let mut errors = Vec::new();
    for file in embedded(&ACTORS, "actors") {
        match Profile::parse(&file.name, &file.text) {
            Ok(profile) => profiles.push(profile),
            Err(error) => errors.push(error.to_string()),
        }
    }
    (profiles, errors)
}

fn embedded(folder: &Dir<'_>, prefix: &str) -> Vec<ContentFile> {
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(
            folder
                .files()
                .filter(|file| is_yaml(file.path()))
                .filter_map(|file| {
                    let name = format!(
                        "{prefix}/{}",
                        file.path().to_string_lossy().replace('\\', "/")
                    );
                    Some(ContentFile {
                        name,
                        text: file.contents_utf8()?.to_owned(),
                    })
                }),
        );
    }
    files.sort();
    files
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yml" || extension == "yaml")
}

/// A rule file or folder of the user's that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot read rules: {source}", path.display())]
pub struct RuleReadError {
    path: PathBuf,
    source: io::Error,
}

/// Reads the rule files of a user's file or folder, in order of name.
pub fn read_rules(path: &Path) -> Result<Vec<ContentFile>, RuleReadError> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(path)
        .follow_links(true)
        .sort_by_file_name()
    {
        let failed = |path: &Path, source| RuleReadError {
            path: path.to_owned(),
            source,
        };
        let entry = entry.map_err(|error| {
            let at = error.path().unwrap_or(path).to_owned();
            let is_a_loop = io::Error::other(error.to_string());
            failed(&at, error.into_io_error().unwrap_or(is_a_loop))
        })?;
        if entry.file_type().is_file() && (is_yaml(entry.path()) || entry.depth() == 0) {
            let bytes = std::fs::read(entry.path()).map_err(|error| failed(entry.path(), error))?;
            files.push(ContentFile {
                name: entry.path().to_string_lossy().into_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
        }
    }
    Ok(files)
}

/// The rules of a run.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Those that are in use.
    pub rules: Vec<Rule>,
    /// The correlations that are in use.
    pub correlations: Vec<Correlation>,
    /// Names and ids of rules that are known and not in use: correlations that refer to them are
    /// left out.
    pub left_out: BTreeSet<String>,
    /// What is wrong with the others, in order of file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 over names and texts of all files.
    pub sha256: String,
    /// Those that were loaded and switched off.
    pub disabled: usize,
    /// Those that are for log sources that Portreeve does not read yet.
    pub other_sources: usize,
}

impl RuleSet {
    /// Parses rule files; a file that does not parse is told, and the others are used.
    pub fn parse(files: &[ContentFile], settings: &RuleSettings) -> Self {
        let mut hash = Sha256::new();
        let mut set = RuleSet::default();
        let mut filters = Vec::new();
        for file in files {
            hash.update(&file.name);
            hash.update([0]);
            hash.update(&file.text);
            hash.update([0]);
            let parsed = portreeve_sigma::parse(&file.name, &file.text);
            set.diagnostics.extend(parsed.diagnostics);
            filters.extend(parsed.filters);
            // The parts of a correlation that is switched off would be noise alone.
            let mut parts_off = BTreeSet::new();
            let mut parts_on = BTreeSet::new();
            for correlation in parsed.correlations {
                let id = correlation.id.as_deref();
                let off = is_disabled(id, &correlation.file, settings);
                let parts = if off { &mut parts_off } else { &mut parts_on };
                if !correlation.generate {
                    parts.extend(correlation.rules.iter().cloned());
                }
                if off {
                    set.disabled += 1;
                    set.left_out.extend(correlation.id);
                    set.left_out.extend(correlation.name);
                } else {
                    set.correlations.push(correlation);
                }
            }
            for rule in parsed.rules {
                let names = || [&rule.id, &rule.name].into_iter().flatten();
                let only_part = names().any(|name| parts_off.contains(name))
                    && !names().any(|name| parts_on.contains(name));
                if only_part || is_disabled(rule.id.as_deref(), &rule.file, settings) {
                    set.disabled += usize::from(!only_part);
                    set.left_out.extend(names().cloned());
                } else if !has_source(&rule) {
                    set.other_sources += 1;
                    set.left_out.extend(names().cloned());
                } else {
                    set.rules.push(rule);
                }
            }
        }
        let of_filters = portreeve_sigma::apply_filters(&mut set.rules, &filters);
        set.diagnostics.extend(of_filters);
        set.sha256 = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        set
    }

    /// Whether a rule is a part of correlations, and shows nothing alone.
    pub fn is_part(&self, rule: &Rule) -> bool {
        self.refers_to(&rule.file, rule.id.as_deref(), rule.name.as_deref())
    }

    /// The same for a correlation that others refer to.
    pub fn is_part_correlation(&self, one: &Correlation) -> bool {
        self.refers_to(&one.file, one.id.as_deref(), one.name.as_deref())
    }

    /// By id from anywhere, by name from the same file.
    fn refers_to(&self, file: &str, id: Option<&str>, name: Option<&str>) -> bool {
        self.correlations
            .iter()
            .filter(|one| !one.generate)
            .any(|one| {
                one.rules
                    .iter()
                    .any(|part| id == Some(part) || (name == Some(part) && &*one.file == file))
            })
    }
}

fn is_disabled(id: Option<&str>, file: &str, settings: &RuleSettings) -> bool {
    settings.disabled.iter().any(|name| {
        id == Some(name)
            || Path::new(file)
                .file_stem()
                .is_some_and(|stem| stem == name.as_str())
    })
}

fn has_source(rule: &Rule) -> bool {
    portreeve_telemetry::sources()
        .iter()
        .any(|source| is_for(rule, *source))
}

/// Whether a rule is meant for a log source.
pub(crate) fn is_for(rule: &Rule, source: &dyn Source) -> bool {
    answers(&rule.logsource, source)
}

/// Whether a log source is one that a rule's `logsource` means.
pub(crate) fn answers(wanted: &LogSource, source: &dyn Source) -> bool {
    source.logsource().answers(
        wanted.product.as_deref(),
        wanted.category.as_deref(),
        wanted.service.as_deref(),
    )
}

/// The catalogue of escalations that is built into the program.
pub fn built_in_catalogue() -> (Catalogue, Vec<String>) {
    let files = built_in_escalations();
    let (catalogue, errors) = Catalogue::parse(
        files
            .iter()
            .map(|file| (file.name.as_str(), file.text.as_str())),
    );
    (catalogue, errors.iter().map(ToString::to_string).collect())
}

/// Renders a diagnostic with the lines that it is about, where its file is among `files`.
pub fn render_diagnostic(diagnostic: &Diagnostic, files: &[ContentFile], colour: bool) -> String {
    let name: Arc<str> = diagnostic.file.clone();
    match files.iter().find(|file| *file.name == *name) {
        Some(file) => diagnostic.render(&file.text, colour),
        None => diagnostic.to_string(),
    }
}
