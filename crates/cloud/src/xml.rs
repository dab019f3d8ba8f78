//! XML to a tree of elements. Attributes and name spaces are left out: no answer read here has
//! anything in them but the kind of a grantee, which no one asks for.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// Deeper nesting than this is refused.
const DEEPEST: usize = 64;

/// An element with its text or its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element of this name below, itself included, in the order of the text.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// Why a text is no XML that can be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum XmlError {
    #[error("byte {at}: {reason}")]
    Malformed { at: u64, reason: String },
    #[error("elements are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("the text ends inside an element")]
    Unfinished,
}

/// The root element of a document. Takes time and memory linear in the text.
pub(crate) fn parse(text: &str) -> Result<Element, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let malformed = |reader: &Reader<&[u8]>, reason: String| XmlError::Malformed {
            at: reader.error_position(),
            reason,
        };
        let event = reader
            .read_event()
            .map_err(|error| malformed(&reader, error.to_string()))?;
        let finished = match event {
            Event::Start(start) => {
                if open.len() >= DEEPEST {
                    return Err(XmlError::TooDeep);
                }
                open.push(named(start.local_name().as_ref()));
                None
            }
            Event::Empty(start) => Some(named(start.local_name().as_ref())),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                if let (Some(inner), Ok(text)) = (open.last_mut(), text.decode()) {
                    inner.text.push_str(&text);
                }
                None
            }
            Event::CData(text) => {
                if let (Some(inner), Ok(text)) = (open.last_mut(), text.decode()) {
                    inner.text.push_str(&text);
                }
                None
            }
            Event::GeneralRef(reference) => {
                if let Some(inner) = open.last_mut() {
                    match entity(&reference) {
                        Some(text) => inner.text.push_str(&text),
                        None => {
                            let reason = "an entity that XML does not define".to_owned();
                            return Err(malformed(&reader, reason));
                        }
                    }
                }
                None
            }
            Event::Eof => return Err(XmlError::Unfinished),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
        };
        if let Some(element) = finished {
            match open.last_mut() {
                Some(outer) => outer.children.push(element),
                None => return Ok(element),
            }
        }
    }
}

fn named(name: &[u8]) -> Element {
    Element {
        name: String::from_utf8_lossy(name).into_owned(),
        ..Element::default()
    }
}

fn entity(reference: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.to_string());
    }
    let name = reference.decode().ok()?;
    resolve_predefined_entity(&name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_text_and_entities_are_read() {
        let root = parse(
            "<?xml version=\"1.0\"?><a xmlns=\"x\"><b>1 &lt; 2 &#x26; 3</b><c/><b><![CDATA[<d>]]></b></a>",
        )
        .unwrap();
        assert_eq!(root.name, "a");
        let texts: Vec<_> = root
            .children
            .iter()
            .map(|child| child.text.as_str())
            .collect();
        assert_eq!(texts, ["1 < 2 & 3", "", "<d>"]);
        assert_eq!(root.find("c").unwrap().children, []);
    }

    #[test]
    fn what_is_no_xml_is_an_error() {
        assert_eq!(parse(""), Err(XmlError::Unfinished));
        assert_eq!(parse("<a><b></b>"), Err(XmlError::Unfinished));
        assert!(matches!(parse("<a></b>"), Err(XmlError::Malformed { .. })));
        assert_eq!(parse(&"<a>".repeat(100_000)), Err(XmlError::TooDeep));
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_it(text in "[<>/a&;!\\[\\]\"' ]{0,60}") {
            let _ = parse(&text);
        }
    }
}
