use std::collections::BTreeMap;

use portreeve_model::{EntityKind, Technique};
use saphyr::{LoadableYamlNode, MarkedYaml, YamlData};
use saphyr_parser::{Event, Marker, Parser};

use super::{CatalogueError, Escalation, Example, Need, Origin, Permission, TargetKind, Yields};

/// A file of the catalogue is a page of text; one that is larger or deeper is none.
const MAX_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 16;

/// Reads one file.
pub(super) fn escalation(name: &str, text: &str) -> Result<Escalation, CatalogueError> {
    read(name, text).map_err(|(marker, reason)| CatalogueError {
        file: name.to_owned(),
        line: marker.line().max(1),
        column: marker.col() + 1,
        reason,
    })
}

type Fault = (Marker, String);
type Node<'t> = MarkedYaml<'t>;

fn read(name: &str, text: &str) -> Result<Escalation, Fault> {
    let start = Marker::new(0, 1, 0);
    let id = file_stem(name);
    if id.is_empty() {
        return Err((start, "the file has no name to take the id from".to_owned()));
    }
    if text.len() > MAX_BYTES {
        return Err((start, format!("the file is larger than {MAX_BYTES} bytes")));
    }
    check_shape(text)?;
    let documents = Node::load_from_str(text)
        .map_err(|error| (start, format!("not readable as YAML: {error}")))?;
    let [document] = documents.as_slice() else {
        return Err((start, "the file must hold one YAML document".to_owned()));
    };
    let fields = Fields::of(document)?;
    fields.only(&[
        "title",
        "description",
        "techniques",
        "references",
        "differs",
        "from",
        "target",
        "needs",
        "beside",
        "assumes",
        "yields",
        "test",
    ])?;

    let techniques = fields
        .texts("techniques")?
        .into_iter()
        .map(|(marker, text)| {
            Technique::new(text).ok_or_else(|| (marker, format!("`{text}` is not an ATT&CK id")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let references = fields
        .texts("references")?
        .into_iter()
        .map(|(marker, text)| {
            if text.starts_with("https://") {
                Ok(text.to_owned())
            } else {
                Err((marker, format!("`{text}` is not an https address")))
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    if references.is_empty() {
        return Err((fields.at, "at least one reference is needed".to_owned()));
    }
    let from = match fields.optional_text("from")? {
        None => Origin::Principal,
        Some((_, "principal")) => Origin::Principal,
        Some((_, "web-identity")) => Origin::WebIdentity,
        Some((_, "saml")) => Origin::Saml,
        Some((marker, other)) => {
            let reason = format!("`{other}` is none of principal, web-identity, saml");
            return Err((marker, reason));
        }
    };
    let (marker, yields) = fields.text("yields")?;
    let yields = match yields {
        "target" => Yields::Target,
        "read" => Yields::Read,
        "administrator" => Yields::Administrator,
        "membership" => Yields::Membership,
        "without-boundary" => Yields::WithoutBoundary,
        other => {
            let reason = format!(
                "`{other}` is none of target, read, administrator, membership, without-boundary"
            );
            return Err((marker, reason));
        }
    };
    Ok(Escalation {
        id: id.to_owned(),
        title: fields.text("title")?.1.trim().to_owned(),
        description: fields.text("description")?.1.trim().to_owned(),
        techniques,
        references,
        differs: match fields.optional_node("differs") {
            Some(node) => reasons(node)?,
            None => BTreeMap::new(),
        },
        from,
        target: target(fields.node("target")?)?,
        needs: needs(fields.node("needs")?)?,
        beside: kinds(fields.optional_texts("beside")?)?,
        assumes: fields
            .optional_texts("assumes")?
            .into_iter()
            .map(|(_, text)| text.to_owned())
            .collect(),
        yields,
        examples: match fields.optional_node("test") {
            Some(node) => examples(node)?,
            None => Vec::new(),
        },
    })
}

fn file_stem(name: &str) -> &str {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base.strip_suffix(".yml")
        .or_else(|| base.strip_suffix(".yaml"))
        .unwrap_or(base)
}

/// Refuses a document that is nested deeper than any escalation is, before a tree is made of it.
fn check_shape(text: &str) -> Result<(), Fault> {
    let mut depth = 0usize;
    for event in Parser::new_from_str(text) {
        match event {
            Err(error) => return Err((*error.marker(), error.info().to_owned())),
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err((span.start, "nested too deeply".to_owned()));
                }
            }
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => depth = depth.saturating_sub(1),
            Ok((Event::Alias(_), span)) => {
                return Err((span.start, "aliases are not used here".to_owned()));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// A mapping of names to reasons.
fn reasons(node: &Node<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let fields = Fields::of(node)?;
    fields
        .fields
        .iter()
        .map(|(_, name, value)| Ok(((*name).to_owned(), text(value)?.trim().to_owned())))
        .collect()
}

fn target(node: &Node<'_>) -> Result<TargetKind, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&["kind", "trusts", "id"])?;
    let words = fields.optional_texts("kind")?;
    let member_accounts = words.iter().any(|(_, word)| *word == "member-account");
    let kinds = if member_accounts {
        vec![EntityKind::Account]
    } else {
        kinds(words)?
    };
    if kinds.is_empty() {
        return Err((fields.at, "`kind` is missing".to_owned()));
    }
    let owned = |list: Vec<(Marker, &str)>| list.into_iter().map(|(_, t)| t.to_owned()).collect();
    Ok(TargetKind {
        kinds,
        member_accounts,
        trusts: owned(fields.optional_texts("trusts")?),
        ids: owned(fields.optional_texts("id")?),
    })
}

/// The kinds by the names that they have in reports.
fn kinds(words: Vec<(Marker, &str)>) -> Result<Vec<EntityKind>, Fault> {
    words
        .into_iter()
        .map(|(marker, word)| {
            serde_json::from_value(serde_json::Value::String(word.to_owned()))
                .map_err(|_| (marker, format!("`{word}` is not a kind of entity")))
        })
        .collect()
}

fn needs(node: &Node<'_>) -> Result<Vec<Need>, Fault> {
    let list = sequence(node)?;
    if list.is_empty() {
        return Err((node.span.start, "a step needs something".to_owned()));
    }
    list.iter()
        .map(|node| {
            if node.data.as_str().is_some() {
                return Ok(Need {
                    any_of: vec![permission(node)?],
                });
            }
            let fields = Fields::of(node)?;
            fields.only(&["any of"])?;
            let any_of = sequence(fields.node("any of")?)?
                .iter()
                .map(permission)
                .collect::<Result<Vec<_>, _>>()?;
            if any_of.is_empty() {
                return Err((node.span.start, "`any of` holds nothing".to_owned()));
            }
            Ok(Need { any_of })
        })
        .collect()
}

fn permission(node: &Node<'_>) -> Result<Permission, Fault> {
    Permission::parse(text(node)?).map_err(|reason| (node.span.start, reason))
}

fn examples(node: &Node<'_>) -> Result<Vec<Example>, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&["opens", "stays shut"])?;
    let mut examples = Vec::new();
    for (name, opens) in [("opens", true), ("stays shut", false)] {
        let Some(list) = fields.optional_node(name) else {
            continue;
        };
        for policy in sequence(list)? {
            let statements = sequence(policy)?
                .iter()
                .map(|statement| text(statement).map(str::to_owned))
                .collect::<Result<Vec<_>, _>>()?;
            examples.push(Example { opens, statements });
        }
    }
    Ok(examples)
}

fn text<'n>(node: &'n Node<'_>) -> Result<&'n str, Fault> {
    node.data
        .as_str()
        .ok_or_else(|| (node.span.start, "text is expected here".to_owned()))
}

fn sequence<'n, 't>(node: &'n Node<'t>) -> Result<&'n [Node<'t>], Fault> {
    match &node.data {
        YamlData::Sequence(list) => Ok(list),
        _ => Err((node.span.start, "a list is expected here".to_owned())),
    }
}

/// The fields of a mapping.
struct Fields<'n, 't> {
    at: Marker,
    fields: Vec<(&'n Node<'t>, &'n str, &'n Node<'t>)>,
}

impl<'n, 't> Fields<'n, 't> {
    fn of(node: &'n Node<'t>) -> Result<Self, Fault> {
        let YamlData::Mapping(mapping) = &node.data else {
            return Err((node.span.start, "a mapping is expected here".to_owned()));
        };
        let fields = mapping
            .iter()
            .map(|(key, value)| Ok((key, text(key)?, value)))
            .collect::<Result<_, Fault>>()?;
        Ok(Self {
            at: node.span.start,
            fields,
        })
    }

    fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self
            .fields
            .iter()
            .find(|(_, name, _)| !known.contains(name))
        {
            None => Ok(()),
            Some((key, name, _)) => Err((
                key.span.start,
                format!("`{name}` is not known here; known are {}", known.join(", ")),
            )),
        }
    }

    fn optional_node(&self, wanted: &str) -> Option<&'n Node<'t>> {
        self.fields
            .iter()
            .find(|(_, name, _)| *name == wanted)
            .map(|(_, _, node)| *node)
    }

    fn node(&self, wanted: &str) -> Result<&'n Node<'t>, Fault> {
        self.optional_node(wanted)
            .ok_or_else(|| (self.at, format!("`{wanted}` is missing")))
    }

    fn text(&self, wanted: &str) -> Result<(Marker, &'n str), Fault> {
        let node = self.node(wanted)?;
        Ok((node.span.start, text(node)?))
    }

    fn optional_text(&self, wanted: &str) -> Result<Option<(Marker, &'n str)>, Fault> {
        self.optional_node(wanted)
            .map(|node| Ok((node.span.start, text(node)?)))
            .transpose()
    }

    fn texts(&self, wanted: &str) -> Result<Vec<(Marker, &'n str)>, Fault> {
        sequence(self.node(wanted)?)?
            .iter()
            .map(|node| Ok((node.span.start, text(node)?)))
            .collect()
    }

    /// One text, or a list of them, or nothing.
    fn optional_texts(&self, wanted: &str) -> Result<Vec<(Marker, &'n str)>, Fault> {
        match self.optional_node(wanted) {
            None => Ok(Vec::new()),
            Some(node) if node.data.as_str().is_some() => Ok(vec![(node.span.start, text(node)?)]),
            Some(_) => self.texts(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
title: Assume the role
description: The role's trust policy lets the principal in.
techniques: [T1078.004]
references: [https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html]
target: {kind: role}
needs:
  - sts:AssumeRole
yields: target
test:
  opens:
    - [sts:AssumeRole on target]
";

    #[test]
    fn a_good_file_is_read() {
        let escalation = escalation("aws/sts-assume-role.yml", GOOD).unwrap();
        assert_eq!(escalation.id, "sts-assume-role");
        assert_eq!(escalation.target.kinds, [EntityKind::Role]);
        assert!(escalation.examples[0].opens);
    }

    #[test]
    fn faults_have_their_place() {
        let fault = |from: &str, to: &str| {
            let error = escalation("x.yml", &GOOD.replace(from, to)).unwrap_err();
            (error.line, error.column, error.reason)
        };
        assert_eq!(fault("T1078.004", "X1").0, 3);
        assert_eq!(fault("sts:AssumeRole\n", "AssumeRole\n").0, 7);
        assert_eq!(fault("yields: target", "yields: power").0, 8);
        assert_eq!(fault("kind: role", "kind: rôle").0, 5);
        assert!(fault("title: Assume the role\n", "").2.contains("title"));
        assert!(fault("yields:", "yeilds:").2.contains("yeilds"));
        assert!(escalation("x.yml", "[").is_err());
        assert!(escalation("x.yml", "").is_err());
        assert!(escalation("x.yml", &"- ".repeat(50_000)).is_err());
        assert!(escalation("x.yml", &"[".repeat(50_000)).is_err());
    }
}
