//! The rules of a hunt, chosen from files.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_model::Severity;
use portreeve_sigma::{Correlation, Diagnostic, Pipeline, Rule, Status};

use crate::content::ContentFile;

/// Which of the rules in some files are hunted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Only rules of these statuses; a rule without one is always taken. Without any here, all but
    /// deprecated and unsupported ones.
    pub statuses: Vec<Status>,
    /// Only rules of this level at least.
    pub level: Severity,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            statuses: Vec::new(),
            level: Severity::Informational,
        }
    }
}

impl Chosen {
    fn takes(&self, status: Option<Status>, level: Severity) -> bool {
        let of_status = match status {
            None => true,
            Some(Status::Deprecated | Status::Unsupported) if self.statuses.is_empty() => false,
            Some(status) => self.statuses.is_empty() || self.statuses.contains(&status),
        };
        of_status && level >= self.level
    }
}

/// The condition that a field has a value, in Sigma's meaning: the field may have modifiers, the value
/// wildcards. The error tells what is wrong with it.
pub fn condition(field: &str, value: &str) -> Result<Rule, String> {
    // Strings of JSON are strings of YAML.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let text = format!(
        "title: {}\nlogsource: {{}}\ndetection:\n  s:\n    {}: {}\n  condition: s\n",
        quoted(field),
        quoted(field),
        quoted(value)
    );
    let mut parsed = portreeve_sigma::parse("--where", &text);
    match parsed.rules.pop() {
        Some(rule) => Ok(rule),
        None => Err(parsed
            .diagnostics
            .first()
            .map(|diagnostic| diagnostic.message.clone())
            .unwrap_or_default()),
    }
}

/// The rules of a hunt.
#[derive(Debug, Default)]
pub struct HuntRules {
    /// Rules.
    pub rules: Vec<Rule>,
    /// Correlations of them.
    pub correlations: Vec<Correlation>,
    /// What is wrong with files, in their order.
    pub diagnostics: Vec<Diagnostic>,
    /// What the user should know.
    pub notes: Vec<String>,
}

impl HuntRules {
    /// Parses files; one that does not parse is told of, and the others are used.
    ///
    /// Rules that ask for what only an investigation derives (`portreeve.*`) are left out: a hunt
    /// knows no estate and no history. Those that correlations refer to are taken whatever their level
    /// and status.
    pub fn parse(files: &[ContentFile], chosen: &Chosen) -> Self {
        let mut all = Self::default();
        let mut ids = BTreeSet::new();
        let (mut left_out, mut derived, mut repeated) = (0u64, 0u64, Vec::new());
        let mut parsed = Vec::new();
        for file in files {
            let mut one = portreeve_sigma::parse(&file.name, &file.text);
            all.diagnostics.append(&mut one.diagnostics);
            parsed.push(one);
        }
        // The parts of a correlation that is left out would be noise alone.
        let mut noise: BTreeSet<String> = BTreeSet::new();
        for one in &mut parsed {
            for correlation in one.correlations.drain(..) {
                let is_extension = matches!(
                    correlation.kind,
                    portreeve_sigma::CorrelationKind::Extension(_)
                );
                let taken = !is_extension && chosen.takes(correlation.status, correlation.level);
                if taken {
                    all.correlations.push(correlation);
                    continue;
                }
                derived += u64::from(is_extension);
                left_out += u64::from(!is_extension);
                if !correlation.generate {
                    noise.extend(correlation.rules);
                }
            }
        }
        let parts: BTreeSet<String> = all
            .correlations
            .iter()
            .flat_map(|one| one.rules.iter().cloned())
            .collect();
        let filters: Vec<_> = parsed
            .iter_mut()
            .flat_map(|one| one.filters.drain(..))
            .collect();
        for rule in parsed.into_iter().flat_map(|one| one.rules) {
            let names = || [&rule.id, &rule.name].into_iter().flatten();
            let is_part = names().any(|name| parts.contains(name));
            if !is_part && names().any(|name| noise.contains(name)) {
                continue;
            }
            if rule
                .field_paths()
                .any(|path| path.starts_with("portreeve."))
            {
                derived += 1;
            } else if !chosen.takes(rule.status, rule.level) && !is_part {
                left_out += 1;
            } else if let Some(id) = &rule.id
                && !ids.insert(id.clone())
            {
                repeated.push(format!(
                    "{}:{}: left out, since another rule has the same id {id}",
                    rule.file, rule.line
                ));
            } else {
                all.rules.push(rule);
            }
        }
        let of_filters = portreeve_sigma::apply_filters(&mut all.rules, &filters);
        all.diagnostics.extend(of_filters);
        if left_out > 0 {
            all.notes.push(format!(
                "{left_out} rules are left out by status or level (deprecated and unsupported ones \
                 unless `--status` names them)"
            ));
        }
        if derived > 0 {
            all.notes.push(format!(
                "{derived} rules ask for what only `portreeve investigate` derives, and are left out"
            ));
        }
        all.notes.append(&mut repeated);
        all
    }
}

/// Values of placeholders, by name without the percent signs.
pub type Placeholders = BTreeMap<String, Vec<String>>;

impl HuntRules {
    /// Changes the rules by a processing pipeline of pySigma's form, and adds the placeholders that it
    /// has values for.
    pub fn change(
        &mut self,
        pipeline: &ContentFile,
        placeholders: &mut Placeholders,
    ) -> Result<(), Box<Diagnostic>> {
        let pipeline = Pipeline::parse(&pipeline.name, &pipeline.text)?;
        self.diagnostics.extend(pipeline.apply(&mut self.rules));
        add_placeholders(placeholders, pipeline.placeholders().clone());
        Ok(())
    }
}

/// Adds the placeholders of a file.
pub fn read_placeholders(
    file: &ContentFile,
    placeholders: &mut Placeholders,
) -> Result<(), Box<Diagnostic>> {
    let more = portreeve_sigma::parse_placeholders(&file.name, &file.text)?;
    add_placeholders(placeholders, more);
    Ok(())
}

fn add_placeholders(all: &mut Placeholders, more: Placeholders) {
    for (name, values) in more {
        all.entry(name).or_default().extend(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, head: &str, field: &str) -> ContentFile {
        ContentFile {
            name: name.to_owned(),
            text: format!(
                "title: {name}\n{head}\nlogsource: {{product: aws}}\n\
                 detection:\n  s:\n    {field}: x\n  condition: s\n"
            ),
        }
    }

    fn titles(rules: &HuntRules) -> Vec<&str> {
        rules.rules.iter().map(|rule| rule.title.as_str()).collect()
    }

    #[test]
    fn rules_are_chosen_by_status_and_level() {
        let files = [
            file("low", "level: low\nstatus: stable", "a"),
            file("high", "level: high\nstatus: experimental", "a"),
            file("old", "level: high\nstatus: deprecated", "a"),
            file("derived", "level: high", "portreeve.actor.kind"),
        ];
        let all = HuntRules::parse(&files, &Chosen::default());
        assert_eq!(titles(&all), ["low", "high"]);
        assert_eq!(all.notes.len(), 2);
        let chosen = Chosen {
            statuses: vec![Status::Deprecated, Status::Stable],
            level: Severity::Informational,
        };
        assert_eq!(titles(&HuntRules::parse(&files, &chosen)), ["low", "old"]);
        let chosen = Chosen {
            level: Severity::High,
            ..Chosen::default()
        };
        assert_eq!(titles(&HuntRules::parse(&files, &chosen)), ["high"]);
    }

    #[test]
    fn parts_go_with_their_correlation() {
        let part = file("part", "name: part\nlevel: low", "a");
        let correlation = |kind: &str| ContentFile {
            name: "correlation".to_owned(),
            text: format!(
                "title: c\nlevel: high\ncorrelation:\n  type: {kind}\n  rules: [part]\n  \
                 group-by: [b]\n  timespan: 1h\n  condition: {{gte: 2}}\n"
            ),
        };
        let high = Chosen {
            level: Severity::High,
            ..Chosen::default()
        };
        let taken = HuntRules::parse(&[part.clone(), correlation("event_count")], &high);
        assert_eq!(
            (titles(&taken), taken.correlations.len()),
            (vec!["part"], 1)
        );
        let left = HuntRules::parse(&[part, correlation("portreeve.burst")], &Chosen::default());
        assert!(titles(&left).is_empty() && left.correlations.is_empty());
        assert_eq!(left.notes.len(), 1);
    }

    #[test]
    fn an_id_is_taken_once() {
        let id = "id: 0d2a3e9c-7a53-4a7e-9d5c-5c0a9ec5a001";
        let rules = HuntRules::parse(
            &[file("one", id, "a"), file("two", id, "b")],
            &Chosen::default(),
        );
        assert_eq!(titles(&rules), ["one"]);
        assert!(rules.notes[0].starts_with("two:1:"), "{:?}", rules.notes);
    }
}
