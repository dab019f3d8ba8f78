//! Search identifiers: from the nodes under `detection` to expressions over predicates.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipnet::IpNet;

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::expression::Expression;
use crate::modifier::{Meaning, Modifiers, Place, Step};
use crate::number::{Comparison, Number};
use crate::pattern::Pattern;
use crate::predicate::{Predicate, Test, TextTest};
use crate::regular::Regex;
use crate::yaml::{Data, Node, Scalar, ScalarKind};

/// The longest value that has wildcards inside.
const MAX_WILDCARD_BYTES: usize = 8 << 10;

/// A leaf of a rule's condition.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Ready(Predicate),
    /// A field with placeholders, whose values are filled in when the rule is compiled, and its
    /// line and column.
    Pending(Arc<Item>, (usize, usize)),
}

/// A field with its modifiers and values, or a list of keywords.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) field: Option<Arc<str>>,
    modifiers: Modifiers,
    values: Vec<Value>,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug)]
struct Value {
    scalar: Scalar,
    span: Range<usize>,
}

/// The values of placeholders, by name without the percent signs.
pub(crate) type Placeholders = BTreeMap<String, Vec<String>>;

/// Reads what stands under a search identifier.
pub(crate) fn selection(
    node: &Node,
    warnings: &mut Vec<Problem>,
) -> Result<Expression<Leaf>, Problem> {
    match &node.data {
        Data::Map(entries) => {
            if entries.is_empty() {
                return Err(refuse(&node.span, "an empty map selects nothing"));
            }
            if let Some(entry) = crate::yaml::repeated_key(entries) {
                return Err(refuse(&entry.key_span, &format!("`{}` stands twice in this map", entry.key))
                    .help("one of them would be lost; put the values into one list, or use a second search identifier"));
            }
            let parts = entries
                .iter()
                .map(|entry| item(&entry.key, &entry.key_span, &entry.value, warnings))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Expression::all(parts))
        }
        Data::List(items) => {
            if items.is_empty() {
                return Err(refuse(&node.span, "an empty list selects nothing"));
            }
            let mut parts = Vec::new();
            let mut keywords = Vec::new();
            for item in items {
                match &item.data {
                    Data::Scalar(scalar) => {
                        keywords.push(Value {
                            scalar: scalar.clone(),
                            span: item.span.clone(),
                        });
                    }
                    Data::Map(_) => parts.push(selection(item, warnings)?),
                    Data::List(_) => {
                        return Err(refuse(
                            &item.span,
                            "a list in a list has no meaning in Sigma",
                        ));
                    }
                }
            }
            if !keywords.is_empty() {
                parts.push(keyword_item(keywords, &node.span, warnings)?);
            }
            Ok(Expression::any(parts))
        }
        Data::Scalar(scalar) => {
            let value = Value {
                scalar: scalar.clone(),
                span: node.span.clone(),
            };
            keyword_item(vec![value], &node.span, warnings)
        }
    }
}

fn keyword_item(
    values: Vec<Value>,
    span: &Range<usize>,
    warnings: &mut Vec<Problem>,
) -> Result<Expression<Leaf>, Problem> {
    let item = Item {
        field: None,
        modifiers: Modifiers::none(),
        values,
        span: span.clone(),
    };
    item.read(warnings)
}

fn item(
    key: &str,
    key_span: &Range<usize>,
    node: &Node,
    warnings: &mut Vec<Problem>,
) -> Result<Expression<Leaf>, Problem> {
    let mut parts = key.split('|');
    let field = parts.next().map(str::trim).filter(|name| !name.is_empty());
    let modifiers = Modifiers::read(parts.map(str::trim), key_span)?;
    let values = match &node.data {
        Data::Scalar(scalar) => {
            if modifiers.all {
                warnings.push(Problem::warning(
                    DiagnosticKind::Detection,
                    key_span,
                    "`all` has no meaning for a single value",
                ));
            }
            vec![Value {
                scalar: scalar.clone(),
                span: node.span.clone(),
            }]
        }
        Data::List(items) if items.is_empty() => {
            return Err(refuse(
                &node.span,
                "an empty list of values matches nothing",
            ));
        }
        Data::List(items) => items
            .iter()
            .map(|item| match &item.data {
                Data::Scalar(scalar) => Ok(Value {
                    scalar: scalar.clone(),
                    span: item.span.clone(),
                }),
                _ => Err(refuse(
                    &item.span,
                    &format!("{} cannot be a value", item.noun()),
                )),
            })
            .collect::<Result<_, _>>()?,
        Data::Map(_) => {
            return Err(refuse(&node.span, "a map cannot be a value")
                .help("write a nested field with dots: `userIdentity.type: Root`"));
        }
    };
    let item = Item {
        field: field.map(Arc::from),
        modifiers,
        values,
        span: key_span.clone(),
    };
    item.read(warnings)
}

impl Item {
    /// Its expression, or a pending leaf where placeholders wait for their values.
    fn read(self, warnings: &mut Vec<Problem>) -> Result<Expression<Leaf>, Problem> {
        if self.field.is_none()
            && !matches!(
                self.modifiers.meaning,
                Meaning::Text | Meaning::Regex { .. }
            )
        {
            return Err(refuse(&self.span, "this modifier needs a field"));
        }
        if self.modifiers.expand {
            // Whatever can be wrong about it besides its values is told now.
            self.lower(&mut |_| Some(vec!["0.0.0.0/0".to_owned()]), warnings)?;
            return Ok(Expression::Leaf(Leaf::Pending(Arc::new(self), (0, 0))));
        }
        let expression = self.lower(&mut |_| None, warnings)?;
        expression.try_map(&mut |predicate| Ok(Expression::Leaf(Leaf::Ready(predicate.clone()))))
    }

    /// Its expression with placeholders filled in.
    pub(crate) fn fill(
        &self,
        placeholders: &Placeholders,
    ) -> Result<Expression<Predicate>, Problem> {
        self.lower(&mut |name| placeholders.get(name).cloned(), &mut Vec::new())
    }

    fn lower(
        &self,
        values_of: &mut dyn FnMut(&str) -> Option<Vec<String>>,
        warnings: &mut Vec<Problem>,
    ) -> Result<Expression<Predicate>, Problem> {
        let expression = match self.modifiers.meaning {
            Meaning::Text => self.lower_text(values_of)?,
            Meaning::Existence => self.lower_existence()?,
            Meaning::Regex {
                insensitive,
                multi_line,
                dot_all,
            } => {
                let flags: String = [(insensitive, 'i'), (multi_line, 'm'), (dot_all, 's')]
                    .iter()
                    .filter_map(|(set, flag)| set.then_some(*flag))
                    .collect();
                self.lower_each(&mut |value| self.regex(value, &flags))?
            }
            Meaning::Cidr => self.lower_networks(values_of, warnings)?,
            Meaning::Comparison(comparison) => {
                self.lower_each(&mut |value| compare(value, None, comparison))?
            }
            Meaning::Date(part, comparison) => {
                self.lower_each(&mut |value| compare(value, Some(part), comparison))?
            }
            Meaning::Reference => self.lower_each(&mut |value| {
                let other = string(value)?;
                if other.is_empty() {
                    return Err(refuse(&value.span, "the name of a field is missing"));
                }
                Ok(Test::Reference {
                    other: other.into(),
                    place: self.modifiers.place,
                    cased: self.modifiers.cased,
                })
            })?,
        };
        Ok(if self.modifiers.negated {
            Expression::Not(Box::new(expression))
        } else {
            expression
        })
    }

    fn leaf(&self, test: Test) -> Expression<Predicate> {
        Expression::Leaf(Predicate {
            field: self.field.clone(),
            test,
        })
    }

    fn combine(&self, parts: Vec<Expression<Predicate>>) -> Expression<Predicate> {
        if self.modifiers.all {
            Expression::all(parts)
        } else {
            Expression::any(parts)
        }
    }

    fn lower_each(
        &self,
        test: &mut dyn FnMut(&Value) -> Result<Test, Problem>,
    ) -> Result<Expression<Predicate>, Problem> {
        let parts = self
            .values
            .iter()
            .map(|value| test(value).map(|test| self.leaf(test)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.combine(parts))
    }

    fn lower_text(
        &self,
        values_of: &mut dyn FnMut(&str) -> Option<Vec<String>>,
    ) -> Result<Expression<Predicate>, Problem> {
        let mut parts = Vec::new();
        let mut alternatives = TextTest {
            cased: self.modifiers.cased,
            ..TextTest::default()
        };
        for value in &self.values {
            if value.scalar.kind == ScalarKind::Null {
                if self.field.is_none()
                    || self.modifiers.place != Place::Whole
                    || !self.modifiers.steps.is_empty()
                {
                    return Err(refuse(&value.span, "null has no text to look for"));
                }
                parts.push(self.leaf(Test::Null));
                continue;
            }
            let mut test = TextTest {
                cased: self.modifiers.cased,
                ..TextTest::default()
            };
            self.add_text(value, values_of, &mut test)?;
            if self.modifiers.all {
                parts.push(self.leaf(Test::Text(test)));
            } else {
                alternatives.patterns.append(&mut test.patterns);
                alternatives.numbers.append(&mut test.numbers);
            }
        }
        if !alternatives.patterns.is_empty() {
            parts.insert(0, self.leaf(Test::Text(alternatives)));
        }
        Ok(self.combine(parts))
    }

    fn add_text(
        &self,
        value: &Value,
        values_of: &mut dyn FnMut(&str) -> Option<Vec<String>>,
        test: &mut TextTest,
    ) -> Result<(), Problem> {
        let mut patterns = match value.scalar.kind {
            ScalarKind::Text if self.modifiers.expand => expand(value, values_of)?,
            ScalarKind::Text => vec![Pattern::parse(&value.scalar.text)],
            _ => vec![Pattern::literal(&value.scalar.text)],
        };
        for step in &self.modifiers.steps {
            patterns = match step {
                Step::Dashes => patterns.into_iter().map(Pattern::dashes).collect(),
                Step::Encode(encoding) => {
                    let mut encoded = Vec::new();
                    for pattern in patterns {
                        encoded.extend(
                            pattern
                                .encode(*encoding)
                                .map_err(|reason| refuse(&value.span, reason))?,
                        );
                    }
                    encoded
                }
            };
        }
        if let ScalarKind::Number(number) = value.scalar.kind
            && self.modifiers.place == Place::Whole
            && self.modifiers.steps.is_empty()
            && self.field.is_some()
        {
            test.numbers.push(number);
        }
        // A keyword may stand anywhere in the record.
        let place = match self.modifiers.place {
            Place::Whole if self.field.is_none() => Place::Anywhere,
            place => place,
        };
        for pattern in patterns {
            if pattern.has_wildcards() && value.scalar.text.len() > MAX_WILDCARD_BYTES {
                return Err(Problem::error(
                    DiagnosticKind::Limit,
                    &value.span,
                    format!("a value with wildcards of more than {MAX_WILDCARD_BYTES} bytes"),
                ));
            }
            let pattern = pattern.open(
                matches!(place, Place::End | Place::Anywhere),
                matches!(place, Place::Start | Place::Anywhere),
            );
            test.patterns.push(pattern.parts);
        }
        Ok(())
    }

    fn lower_existence(&self) -> Result<Expression<Predicate>, Problem> {
        let [value] = self.values.as_slice() else {
            return Err(refuse(
                &self.span,
                "`exists` takes one value, `true` or `false`",
            ));
        };
        let wanted = match value.scalar.kind {
            ScalarKind::Bool(wanted) => wanted,
            ScalarKind::Text if value.scalar.text.eq_ignore_ascii_case("true") => true,
            ScalarKind::Text if value.scalar.text.eq_ignore_ascii_case("false") => false,
            _ => return Err(refuse(&value.span, "`exists` takes `true` or `false`")),
        };
        Ok(self.leaf(Test::Exists(wanted)))
    }

    fn regex(&self, value: &Value, flags: &str) -> Result<Test, Problem> {
        let text = string(value)?;
        let (before, behind) = match self.modifiers.place {
            Place::Start => (r"\A(?:", ")"),
            Place::End => ("(?:", r")\z"),
            Place::Whole | Place::Anywhere => ("", ""),
        };
        let flags = if flags.is_empty() {
            String::new()
        } else {
            format!("(?{flags})")
        };
        Regex::new(&format!("{flags}{before}{text}{behind}"))
            .map(|regex| Test::Regex(Arc::new(regex)))
            .map_err(|reason| {
                let reason = reason.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                refuse(
                    &value.span,
                    &format!("not a regular expression that can be run: {reason}"),
                )
            })
    }

    fn lower_networks(
        &self,
        values_of: &mut dyn FnMut(&str) -> Option<Vec<String>>,
        warnings: &mut Vec<Problem>,
    ) -> Result<Expression<Predicate>, Problem> {
        let mut groups = Vec::new();
        for value in &self.values {
            let texts: Vec<String> = if self.modifiers.expand {
                let patterns = expand(value, values_of)?;
                patterns
                    .into_iter()
                    .map(|pattern| plain_text(&pattern))
                    .collect()
            } else {
                vec![string(value)?.to_owned()]
            };
            let networks = texts
                .iter()
                .map(|text| network(text, &value.span, warnings))
                .collect::<Result<Vec<_>, _>>()?;
            groups.push(networks);
        }
        if !self.modifiers.all {
            groups = vec![groups.into_iter().flatten().collect()];
        }
        Ok(self.combine(
            groups
                .into_iter()
                .map(|group| self.leaf(Test::Cidr(group)))
                .collect(),
        ))
    }
}

fn refuse(span: &Range<usize>, message: &str) -> Problem {
    Problem::error(DiagnosticKind::Detection, span, message)
}

fn string(value: &Value) -> Result<&str, Problem> {
    match value.scalar.kind {
        ScalarKind::Null => Err(refuse(
            &value.span,
            "null cannot be used with this modifier",
        )),
        _ => Ok(&value.scalar.text),
    }
}

fn compare(
    value: &Value,
    part: Option<crate::date::DatePart>,
    comparison: Comparison,
) -> Result<Test, Problem> {
    let number = match value.scalar.kind {
        ScalarKind::Number(number) => Some(number),
        ScalarKind::Text => Number::parse(&value.scalar.text),
        _ => None,
    };
    match number {
        Some(number) => Ok(Test::Compare {
            part,
            comparison,
            number,
        }),
        None => Err(refuse(
            &value.span,
            "this modifier compares numbers, and the value is none",
        )),
    }
}

fn network(text: &str, span: &Range<usize>, warnings: &mut Vec<Problem>) -> Result<IpNet, Problem> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => {
                return Err(refuse(span, &format!("`{text}` is not a network"))
                    .help("write it as `10.0.0.0/8` or `2001:db8::/32`"));
            }
        },
    };
    if network.trunc() != network {
        warnings.push(
            Problem::warning(
                DiagnosticKind::Detection,
                span,
                format!("`{text}` has bits set behind its prefix"),
            )
            .help(format!("taken as `{}`", network.trunc())),
        );
    }
    Ok(network.trunc())
}

fn plain_text(pattern: &Pattern) -> String {
    pattern
        .parts
        .iter()
        .map(|part| match part {
            crate::pattern::Part::Text(text) => text.as_str(),
            _ => "*",
        })
        .collect()
}

/// Fills in the placeholders `%name%` of a value; `\%` stands for a percent sign. The values of a
/// placeholder are strings with wildcards.
fn expand(
    value: &Value,
    values_of: &mut dyn FnMut(&str) -> Option<Vec<String>>,
) -> Result<Vec<Pattern>, Problem> {
    const MAX_VARIANTS: usize = 100_000;
    let mut patterns = vec![Pattern::default()];
    let mut rest = value.scalar.text.as_str();
    let mut plain = String::new();
    while let Some(at) = rest.find(['%', '\\']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("\\%") {
            plain.push('%');
            rest = behind;
            continue;
        }
        if rest.starts_with('\\') {
            // The escape stays for the wildcards' own reading: two characters, so that the second
            // of `\\` cannot escape what is behind it.
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            plain.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        let name = rest[1..].split('%').next().unwrap_or_default();
        let closed = rest[1..].len() > name.len();
        if !closed || name.is_empty() || name.contains(char::is_whitespace) {
            plain.push('%');
            rest = &rest[1..];
            continue;
        }
        let Some(values) = values_of(name) else {
            return Err(Problem::error(
                DiagnosticKind::Placeholder,
                &value.span,
                format!("no values are given for the placeholder `%{name}%`"),
            )
            .help("give the placeholder's values, or leave the rule out"));
        };
        let before = Pattern::parse(&std::mem::take(&mut plain));
        if values.is_empty() || patterns.len().saturating_mul(values.len()) > MAX_VARIANTS {
            return Err(Problem::error(
                DiagnosticKind::Placeholder,
                &value.span,
                format!("the placeholder `%{name}%` has no values, or too many to combine"),
            ));
        }
        patterns = patterns
            .iter()
            .flat_map(|pattern| {
                values.iter().map(|value| {
                    let mut pattern = pattern.clone();
                    pattern.append(before.clone());
                    pattern.append(Pattern::parse(value));
                    pattern
                })
            })
            .collect();
        rest = &rest[name.len() + 2..];
    }
    plain.push_str(rest);
    let behind = Pattern::parse(&plain);
    for pattern in &mut patterns {
        pattern.append(behind.clone());
    }
    Ok(patterns)
}
