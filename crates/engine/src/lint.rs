//! Rule files looked over: each by itself, then all together.

use std::collections::BTreeMap;

use portreeve_detect::derived_field;
use portreeve_record::Fields;
use portreeve_sigma::correlate::Plan;
use portreeve_sigma::{
    CorrelationKind, Diagnostic, DiagnosticKind, DiagnosticSeverity, FieldKnowledge, LogSource,
    apply_filters, lint, parse,
};

use crate::content::{ContentFile, answers};

/// Everything to be said about rule files: in order of the files, then of their lines.
pub fn lint_rules(files: &[ContentFile]) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    let (mut rules, mut correlations, mut filters) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        told.extend(lint(&file.name, &file.text, &knowledge));
        let parsed = parse(&file.name, &file.text);
        rules.extend(parsed.rules);
        correlations.extend(parsed.correlations);
        filters.extend(parsed.filters);
    }
    let mut seen: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let of_rules = rules.iter().map(|rule| (&rule.id, &rule.file, rule.line));
    let of_correlations = correlations
        .iter()
        .map(|one| (&one.id, &one.file, one.line));
    for (id, file, line) in of_rules.chain(of_correlations) {
        let Some(id) = id else { continue };
        if let Some((first, at)) = seen.insert(id, (file, line)) {
            told.push(Diagnostic {
                file: file.clone(),
                line,
                column: 1,
                span: 0..0,
                severity: DiagnosticSeverity::Error,
                kind: DiagnosticKind::Head,
                message: format!("the id {id} is also that of {first}:{at}"),
                help: Some("an id is unique: make a new one".to_owned()),
            });
        }
    }
    told.extend(apply_filters(&mut rules, &filters));
    // Types of our own are compiled where there is more than records to look at.
    let standard: Vec<_> = correlations
        .iter()
        .filter(|one| !matches!(one.kind, CorrelationKind::Extension(_)))
        .cloned()
        .collect();
    let all_standard = standard.len() == correlations.len();
    let (_, problems) = Plan::new(&standard, &rules, &mut Fields::default());
    // One that refers to a type of our own cannot be judged without it.
    told.extend(problems.into_iter().filter(|_| all_standard));
    let place: BTreeMap<&str, usize> = files
        .iter()
        .enumerate()
        .map(|(number, file)| (file.name.as_str(), number))
        .collect();
    told.sort_by_key(|one| (place.get(&*one.file).copied(), one.line, one.column));
    told
}

/// Whether the logs that a rule is for have a field: its own fields, or derived ones.
fn knowledge(wanted: &LogSource, field: &str) -> FieldKnowledge {
    if field.starts_with("portreeve.") {
        return match derived_field(field) {
            Some(_) => FieldKnowledge::Known,
            None => FieldKnowledge::Unknown(nearest(
                field,
                portreeve_detect::DERIVED_FIELDS
                    .iter()
                    .map(|known| known.path),
            )),
        };
    }
    let declared: Vec<&str> = portreeve_telemetry::sources()
        .iter()
        .filter(|source| answers(wanted, **source))
        .flat_map(|source| source.declared_fields())
        .copied()
        .collect();
    if declared.is_empty() {
        return FieldKnowledge::Undeclared;
    }
    let within = |path: &str, outer: &str| {
        path.strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let has = declared.iter().any(|known| match known.strip_suffix(".*") {
        Some(open) => within(field, open) || within(open, field),
        None => within(known, field),
    });
    if has {
        FieldKnowledge::Known
    } else {
        let names = declared.iter().map(|known| known.trim_end_matches(".*"));
        FieldKnowledge::Unknown(nearest(field, names))
    }
}

/// The name that agrees with another but for letter case, or begins and ends like it.
fn nearest<'n>(field: &str, mut names: impl Iterator<Item = &'n str>) -> Option<String> {
    let lower = field.to_ascii_lowercase();
    names
        .find(|name| {
            let name = name.to_ascii_lowercase();
            let same = |length: usize| {
                name.get(..length) == lower.get(..length) && name.get(..length).is_some()
            };
            name == lower
                || name.len().abs_diff(lower.len()) <= 2
                    && same(3)
                    && name.get(name.len().saturating_sub(3)..)
                        == lower.get(lower.len().saturating_sub(3)..)
        })
        .map(str::to_owned)
}
