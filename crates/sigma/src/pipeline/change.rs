//! What a step of a pipeline changes, as it is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::values::{logsource, refuse, text, texts, values_by_name, wanted_text};
use crate::detection::{self, Leaf};
use crate::diagnostic::Problem;
use crate::expression::Expression;
use crate::rule::LogSource;
use crate::yaml::Node;

/// A change to rules.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Rename(BTreeMap<String, Vec<Arc<str>>>),
    Prefixes(Vec<(String, Vec<String>)>),
    Around(String, String),
    Drop,
    Add(Expression<Leaf>),
    LogSource(LogSource),
    Refuse(String),
    /// Values of placeholders, which the whole pipeline gives.
    Nothing,
}

/// Reads the change of a step. What it says of placeholders is added to `placeholders`.
pub(super) fn change(
    step: &Node,
    vars: &BTreeMap<String, Vec<String>>,
    placeholders: &mut BTreeMap<String, Vec<String>>,
) -> Result<Change, Problem> {
    let kind = wanted_text(step, "type")?;
    let mapping = || -> Result<BTreeMap<String, Vec<String>>, Problem> {
        let entry = step
            .get("mapping")
            .ok_or_else(|| refuse(&step.span, "`mapping` is missing"))?;
        values_by_name(&entry.value)
    };
    Ok(match kind.as_str() {
        "field_name_mapping" => Change::Rename(
            mapping()?
                .into_iter()
                .map(|(from, to)| (from, to.into_iter().map(Arc::from).collect()))
                .collect(),
        ),
        "field_name_prefix_mapping" => {
            let mut prefixes: Vec<(String, Vec<String>)> = mapping()?.into_iter().collect();
            // Of two prefixes the longer says more.
            prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
            Change::Prefixes(prefixes)
        }
        "field_name_prefix" => Change::Around(wanted_text(step, "prefix")?, String::new()),
        "field_name_suffix" => Change::Around(String::new(), wanted_text(step, "suffix")?),
        "drop_detection_item" => Change::Drop,
        "add_condition" => {
            let entry = step
                .get("conditions")
                .ok_or_else(|| refuse(&step.span, "`conditions` is missing"))?;
            let added = detection::selection(&entry.value, &mut Vec::new())?;
            Change::Add(match text(step, "negated")?.as_deref() {
                Some("true") => Expression::Not(Box::new(added)),
                _ => added,
            })
        }
        "change_logsource" => Change::LogSource(logsource(step)?),
        "rule_failure" => Change::Refuse(wanted_text(step, "message")?),
        "value_placeholders" | "wildcard_placeholders" => {
            let names = match (step.get("include"), step.get("exclude")) {
                (Some(entry), _) => Some(texts(&entry.value)?),
                (None, Some(entry)) => {
                    return Err(refuse(
                        &entry.key_span,
                        "`exclude` is not known here; name them under `include`",
                    ));
                }
                (None, None) => None,
            };
            if kind == "wildcard_placeholders" {
                let names = names.ok_or_else(|| {
                    refuse(
                        &step.span,
                        "name the placeholders that any value may stand for under `include`",
                    )
                })?;
                placeholders.extend(names.into_iter().map(|name| (name, vec!["*".to_owned()])));
            } else {
                let is_named =
                    |name: &String| names.as_ref().is_none_or(|names| names.contains(name));
                let named = vars.iter().filter(|(name, _)| is_named(name));
                placeholders.extend(named.map(|(name, values)| (name.clone(), values.clone())));
            }
            Change::Nothing
        }
        other => {
            return Err(refuse(
                &step.span,
                format!("a transformation of type `{other}` is not known, or changes queries, of which there are none here"),
            )
            .help("known are field_name_mapping, field_name_prefix_mapping, field_name_prefix, field_name_suffix, drop_detection_item, add_condition, change_logsource, rule_failure, value_placeholders, wildcard_placeholders"));
        }
    })
}
