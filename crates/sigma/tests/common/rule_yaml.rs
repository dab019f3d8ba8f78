//! Rules read for the reference matcher, by another parser than the crate's own.

use saphyr::{ScalarStyle, Yaml as Node, YamlLoader};
use saphyr_parser::Parser;

use super::reference::{Scalar, Yaml};

/// The documents of a file.
pub(crate) fn documents(text: &str) -> Vec<Yaml> {
    let mut loader = YamlLoader::<Node<'_>>::default();
    loader.early_parse(false);
    Parser::new_from_str(text)
        .load(&mut loader, true)
        .expect("the file is YAML");
    loader.into_documents().iter().map(node).collect()
}

/// What stands under a key.
pub(crate) fn get<'y>(yaml: &'y Yaml, key: &str) -> Option<&'y Yaml> {
    match yaml {
        Yaml::Map(entries) => entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value),
        _ => None,
    }
}

fn node(node: &Node<'_>) -> Yaml {
    match node {
        Node::Representation(text, style, tag) => Yaml::Scalar(match style {
            ScalarStyle::Plain if tag.is_none() => scalar(text),
            _ => Scalar::Text(text.to_string()),
        }),
        Node::Sequence(items) => Yaml::List(items.iter().map(self::node).collect()),
        Node::Mapping(entries) => Yaml::Map(
            entries
                .iter()
                .map(|(key, value)| {
                    let Node::Representation(key, ..) = key else {
                        panic!("a key is a scalar");
                    };
                    (key.to_string(), self::node(value))
                })
                .collect(),
        ),
        other => panic!("{other:?} in a rule"),
    }
}

/// A plain scalar by the core schema of YAML 1.2.2, section 10.3.2.
fn scalar(text: &str) -> Scalar {
    let digits =
        |text: &str, base: u32| !text.is_empty() && text.chars().all(|one| one.is_digit(base));
    let is_number = || {
        let signed = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match signed.find(['e', 'E']) {
            Some(at) => (&signed[..at], &signed[at + 1..]),
            None => (signed, "0"),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        digits(&format!("{whole}{fraction}"), 10) && digits(exponent, 10)
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ if text.strip_prefix("0x").is_some_and(|rest| digits(rest, 16))
            || text.strip_prefix("0o").is_some_and(|rest| digits(rest, 8))
            || is_number() =>
        {
            Scalar::Number(text.to_owned())
        }
        _ => Scalar::Text(text.to_owned()),
    }
}
