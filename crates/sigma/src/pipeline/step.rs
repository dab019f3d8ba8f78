//! One step of a pipeline, and what it does to a rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::change::Change;
use super::conditions::{Conditions, FieldTest, RuleTest};
use crate::detection::Leaf;
use crate::expression::Expression;
use crate::predicate::{Predicate, Test};
use crate::rule::Rule;

/// A step: what it changes, of which rules and fields.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) id: Option<String>,
    pub(super) change: Change,
    pub(super) rules: Conditions<RuleTest>,
    pub(super) fields: Conditions<FieldTest>,
}

impl Step {
    /// Whether it is for a rule, to which the steps named in `applied` were applied before.
    pub(super) fn is_for(&self, rule: &Rule, applied: &BTreeSet<&str>) -> bool {
        self.rules.hold(|test| match test {
            RuleTest::LogSource(wanted) => wanted.includes(&rule.logsource),
            RuleTest::Applied(id) => applied.contains(id.as_str()),
            RuleTest::Tag(tag) => rule.tags.contains(tag),
            RuleTest::HasField(field) => rule.paths.iter().any(|path| **path == **field),
        })
    }

    pub(super) fn run(&self, rule: &mut Rule) -> Result<(), String> {
        match &self.change {
            Change::Nothing => {}
            Change::Refuse(message) => return Err(message.clone()),
            Change::LogSource(new) => rule.logsource = new.clone(),
            Change::Add(more) => {
                let before = std::mem::replace(&mut rule.condition, Expression::All(Vec::new()));
                rule.condition = Expression::all(vec![more.clone(), before]);
            }
            Change::Drop => match without(&rule.condition, &|field| self.names(field)) {
                Some(rest) => rule.condition = rest,
                None => return Err("the pipeline leaves nothing of its condition".to_owned()),
            },
            Change::Rename(_) | Change::Prefixes(_) | Change::Around(..) => {
                rule.condition = rule
                    .condition
                    .try_map(&mut |leaf| Ok::<_, String>(self.renamed(leaf)))?;
                for path in &mut rule.shown {
                    if let Some(first) = self.new_names(path).first() {
                        *path = first.to_string();
                    }
                }
            }
        }
        Ok(())
    }

    fn names(&self, field: &str) -> bool {
        self.fields.hold(|test| test.holds(field))
    }

    /// What a field is called from now on; itself where nothing is said of it.
    fn new_names(&self, field: &str) -> Vec<Arc<str>> {
        if !self.names(field) {
            return vec![field.into()];
        }
        match &self.change {
            Change::Rename(names) => names.get(field).cloned(),
            Change::Prefixes(prefixes) => prefixes.iter().find_map(|(prefix, new)| {
                let rest = field.strip_prefix(prefix.as_str())?;
                Some(
                    new.iter()
                        .map(|new| format!("{new}{rest}").into())
                        .collect(),
                )
            }),
            Change::Around(before, behind) => Some(vec![format!("{before}{field}{behind}").into()]),
            _ => None,
        }
        .unwrap_or_else(|| vec![field.into()])
    }

    fn renamed(&self, leaf: &Leaf) -> Expression<Leaf> {
        let each = |field: &Option<Arc<str>>, with: &dyn Fn(Option<Arc<str>>) -> Vec<Leaf>| {
            let names = match field {
                Some(field) => self.new_names(field).into_iter().map(Some).collect(),
                None => vec![None],
            };
            let leaves = names.into_iter().flat_map(with);
            Expression::any(leaves.map(Expression::Leaf).collect())
        };
        match leaf {
            Leaf::Pending(item, place) => each(&item.field, &|field| {
                let mut item = (**item).clone();
                item.field = field;
                vec![Leaf::Pending(Arc::new(item), *place)]
            }),
            Leaf::Ready(predicate) => each(&predicate.field, &|field| {
                let tests = match &predicate.test {
                    Test::Reference {
                        other,
                        place,
                        cased,
                    } => self
                        .new_names(other)
                        .into_iter()
                        .map(|other| Test::Reference {
                            other,
                            place: *place,
                            cased: *cased,
                        })
                        .collect(),
                    test => vec![test.clone()],
                };
                tests
                    .into_iter()
                    .map(|test| {
                        Leaf::Ready(Predicate {
                            field: field.clone(),
                            test,
                        })
                    })
                    .collect()
            }),
        }
    }
}

/// A condition without the tests of some fields; none where nothing is left.
fn without(
    condition: &Expression<Leaf>,
    is_unwanted: &dyn Fn(&str) -> bool,
) -> Option<Expression<Leaf>> {
    let each = |parts: &[Expression<Leaf>]| -> Vec<Expression<Leaf>> {
        parts
            .iter()
            .filter_map(|part| without(part, is_unwanted))
            .collect()
    };
    let some = |parts: Vec<Expression<Leaf>>| (!parts.is_empty()).then_some(parts);
    match condition {
        Expression::All(parts) => some(each(parts)).map(Expression::all),
        Expression::Any(parts) => some(each(parts)).map(Expression::any),
        Expression::AtLeast(count, parts) => {
            some(each(parts)).map(|parts| Expression::AtLeast((*count).min(parts.len()), parts))
        }
        Expression::Not(inner) => {
            without(inner, is_unwanted).map(|inner| Expression::Not(Box::new(inner)))
        }
        Expression::Leaf(leaf) => {
            let field = match leaf {
                Leaf::Ready(predicate) => predicate.field.as_deref(),
                Leaf::Pending(item, _) => item.field.as_deref(),
            };
            (!field.is_some_and(is_unwanted)).then(|| Expression::Leaf(leaf.clone()))
        }
    }
}
