//! What the service models of `models/` say: protocols, operations, shapes.
//!
//! They are AWS's own models of its services, from which the SDKs and the command line are made, cut
//! down by `models/prune.py` to the operations that are called here.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// How a service is spoken to (<https://smithy.io/2.0/aws/protocols/index.html>).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    Json,
    RestJson,
    RestXml,
    Query,
    Ec2,
}

/// One service.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) protocol: Protocol,
    /// The version of the interface, which the query protocols send.
    pub(crate) version: String,
    /// What the host's name begins with.
    pub(crate) prefix: String,
    /// The service's name in signatures.
    pub(crate) signing: String,
    /// What `X-Amz-Target` begins with.
    #[serde(default)]
    pub(crate) target: String,
    /// The version of the JSON protocol.
    #[serde(default)]
    pub(crate) json: String,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

/// One operation of a service.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    /// The element around the result in the query protocol.
    pub(crate) wrapper: Option<String>,
    /// Whether the body needs a checksum.
    #[serde(default)]
    pub(crate) checksum: bool,
    pub(crate) pages: Option<Pages>,
    /// What stands before the host's name, with members of the input in braces.
    pub(crate) host: Option<String>,
}

/// How an operation's pages follow one another.
#[derive(Debug, Deserialize)]
pub(crate) struct Pages {
    /// Members of the input that take the tokens of `output`, in their order.
    pub(crate) input: Vec<String>,
    /// Members of the output, or paths with dots; `A || B` is the first that is there.
    pub(crate) output: Vec<String>,
    /// Members of the output that tell whether there is more.
    pub(crate) more: Option<String>,
    /// The lists that go on from page to page.
    pub(crate) items: Vec<String>,
}

/// A type that is made of others.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Shape {
    Structure {
        #[serde(default)]
        members: BTreeMap<String, Member>,
        payload: Option<String>,
    },
    List {
        element: Member,
        #[serde(default)]
        flattened: bool,
    },
    Map {
        key: Member,
        value: Member,
        #[serde(default)]
        flattened: bool,
    },
}

/// A member of a type: of what type it is, and how it is written.
#[derive(Debug, Deserialize)]
#[serde(from = "Written")]
pub(crate) struct Member {
    pub(crate) shape: String,
    pub(crate) location: Option<Location>,
    /// Its name on the wire.
    pub(crate) name: Option<String>,
    /// Its name in the requests of EC2.
    pub(crate) query: Option<String>,
    pub(crate) flattened: bool,
}

/// Where a member of a request or an answer stands, if not in the body.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Location {
    Uri,
    #[serde(rename = "querystring")]
    QueryString,
    Header,
    Headers,
    StatusCode,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Plain(String),
    Full {
        shape: String,
        location: Option<Location>,
        name: Option<String>,
        query: Option<String>,
        #[serde(default)]
        flattened: bool,
    },
}

impl From<Written> for Member {
    fn from(written: Written) -> Self {
        match written {
            Written::Plain(shape) => Member {
                shape,
                location: None,
                name: None,
                query: None,
                flattened: false,
            },
            Written::Full {
                shape,
                location,
                name,
                query,
                flattened,
            } => Member {
                shape,
                location,
                name,
                query,
                flattened,
            },
        }
    }
}

impl Model {
    /// The members of a structure; none where the shape is another.
    pub(crate) fn members(&self, shape: &str) -> impl Iterator<Item = (&String, &Member)> {
        let members = match self.shapes.get(shape) {
            Some(Shape::Structure { members, .. }) => Some(members),
            _ => None,
        };
        members.into_iter().flatten()
    }

    /// The member of a structure that is the whole body.
    pub(crate) fn payload(&self, shape: &str) -> Option<(&str, &Member)> {
        match self.shapes.get(shape)? {
            Shape::Structure {
                members,
                payload: Some(payload),
            } => members
                .get_key_value(payload)
                .map(|(name, member)| (name.as_str(), member)),
            _ => None,
        }
    }

    /// Whether a list of this type is written without an element around it.
    pub(crate) fn is_flattened(&self, member: &Member) -> bool {
        let shape = match self.shapes.get(&member.shape) {
            Some(Shape::List { flattened, .. } | Shape::Map { flattened, .. }) => *flattened,
            _ => false,
        };
        shape || member.flattened
    }
}

const TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

fn models() -> &'static BTreeMap<&'static str, Model> {
    static MODELS: OnceLock<BTreeMap<&'static str, Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let parsed = TEXTS.iter().filter_map(|(name, text)| {
            // A test holds that each parses.
            serde_json::from_str(text).ok().map(|model| (*name, model))
        });
        parsed.collect()
    })
}

/// The model of a service and of one of its operations.
pub(crate) fn operation(
    service: &str,
    operation: &str,
) -> Option<(&'static Model, &'static Operation)> {
    let model = models().get(service)?;
    Some((model, model.operations.get(operation)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALARS: &[&str] = &[
        "string",
        "boolean",
        "integer",
        "float",
        "timestamp",
        "blob",
        "policy",
    ];

    #[test]
    fn every_model_parses_and_names_only_shapes_that_it_has() {
        for (name, text) in TEXTS {
            let model: Model =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let known = |shape: &str| SCALARS.contains(&shape) || model.shapes.contains_key(shape);
            for (operation, described) in &model.operations {
                for shape in [&described.input, &described.output].into_iter().flatten() {
                    assert!(known(shape), "{name} {operation} {shape}");
                }
            }
            for shape in model.shapes.values() {
                let members: Vec<&Member> = match shape {
                    Shape::Structure { members, .. } => members.values().collect(),
                    Shape::List { element, .. } => vec![element],
                    Shape::Map { key, value, .. } => vec![key, value],
                };
                for member in members {
                    assert!(known(&member.shape), "{name} {}", member.shape);
                }
            }
        }
    }
}
