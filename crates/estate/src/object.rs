//! Objects and lists as formats ask for them: by member name, with the JSON path for messages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use portreeve_model::Entity;

use crate::arn;
use crate::json::{Json, Values};
use crate::reader::Reader;

/// One JSON object, its members split.
pub(crate) struct Object<'a> {
    pub(crate) json: Json<'a>,
    pub(crate) path: String,
    members: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Object<'a> {
    pub(crate) fn new(json: Json<'a>, path: String) -> Self {
        let members = json.members().collect();
        Self {
            json,
            path,
            members,
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(key, _)| key.as_ref())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_ref(), *value))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.keys().any(|key| key == name)
    }

    /// Whether a member is there, were it `null`. A dot in the name leads into an object.
    pub(crate) fn has_path(&self, name: &str) -> bool {
        match name.rsplit_once('.') {
            Some((outer, inner)) => self
                .get(outer)
                .is_some_and(|outer| outer.members().any(|(key, _)| key == inner)),
            None => self.has(name),
        }
    }

    /// A member that is there and not `null`. A dot in the name leads into an object.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a>> {
        if let Some((outer, inner)) = name.split_once('.') {
            return inner
                .split('.')
                .try_fold(self.get(outer)?, |json, step| json.get(step));
        }
        self.members
            .iter()
            .find(|(key, value)| key == name && !value.is_null())
            .map(|(_, value)| *value)
    }

    /// The text of a string, number or boolean. Anything else is a dead letter.
    pub(crate) fn text(&self, name: &str, reader: &mut Reader<'_>) -> Option<Cow<'a, str>> {
        let value = self.get(name)?;
        let text = value.scalar();
        if text.is_none() {
            self.wrong(name, value, "text", reader);
        }
        text
    }

    /// The first of several members that is there.
    pub(crate) fn first(&self, names: &[&str], reader: &mut Reader<'_>) -> Option<Cow<'a, str>> {
        let name = names.iter().find(|name| self.get(name).is_some())?;
        self.text(name, reader)
    }

    /// The text of a member without which the object says nothing; a dead letter where it is
    /// missing.
    pub(crate) fn required(&self, names: &[&str], reader: &mut Reader<'_>) -> Option<Cow<'a, str>> {
        let found = names.iter().find(|name| self.get(name).is_some());
        match found {
            Some(name) => self.text(name, reader).filter(|text| !text.is_empty()),
            None => {
                let wanted = names.join("` or `");
                reader.letter(self.json.offset, &self.path, format!("has no `{wanted}`"));
                None
            }
        }
    }

    /// An ARN without which the object says nothing; a dead letter where it is missing or is none.
    pub(crate) fn arn(&self, names: &[&str], reader: &mut Reader<'_>) -> Option<Cow<'a, str>> {
        let text = self.required(names, reader)?;
        if arn::parts(&text).is_some() {
            return Some(text);
        }
        let wanted = names.join("` or `");
        let reason = format!("has the `{wanted}` `{text}`, which is no ARN");
        reader.letter(self.json.offset, &self.path, reason);
        None
    }

    /// The elements of a list; a dead letter where the member is something else.
    pub(crate) fn list(&self, name: &str, reader: &mut Reader<'_>) -> List<'a> {
        let value = self.get(name);
        if let Some(value) = value.filter(|value| !value.is_array()) {
            self.wrong(name, value, "a list", reader);
        }
        List {
            values: value.map(|value| value.elements()),
            path: format!("{}.{name}", self.path),
            index: 0,
        }
    }

    /// A member that is an object; a dead letter where it is something else.
    pub(crate) fn object(&self, name: &str, reader: &mut Reader<'_>) -> Option<Object<'a>> {
        let value = self.get(name)?;
        if !value.is_object() {
            self.wrong(name, value, "an object", reader);
            return None;
        }
        Some(Object::new(value, format!("{}.{name}", self.path)))
    }

    /// Tags: a list of `Key` and `Value` in any of the spellings of AWS, or an object.
    pub(crate) fn tags(&self, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for name in ["Tags", "tags", "TagSet", "TagList", "tagList"] {
            let Some(value) = self.get(name) else {
                continue;
            };
            if value.is_object() {
                let members = value.members();
                tags.extend(members.filter_map(|(key, value)| {
                    Some((key.into_owned(), value.scalar()?.into_owned()))
                }));
                continue;
            }
            let mut list = self.list(name, reader);
            while let Some(tag) = list.next(reader) {
                let key = tag.required(&["Key", "key", "TagKey"], reader);
                let value = tag.first(&["Value", "value", "TagValue"], reader);
                if let Some(key) = key {
                    tags.insert(key.into_owned(), value.unwrap_or_default().into_owned());
                }
            }
        }
        tags
    }

    /// Keeps members as attributes of an entity, by their own names.
    pub(crate) fn keep(&self, names: &[&str], entity: &mut Entity, reader: &mut Reader<'_>) {
        for name in names {
            let text = self.text(name, reader);
            // An address that carries a user name may carry a password or a token.
            let text = text.filter(|text| !(text.contains("://") && text.contains('@')));
            if let Some(text) = text {
                entity
                    .attributes
                    .insert((*name).to_owned(), text.into_owned());
            }
        }
    }

    /// Keeps members as attributes whatever they are: lists and objects as JSON text, `none` for a
    /// member that is there and `null`, so that what was asked for and is not set is told from what
    /// was not asked for.
    pub(crate) fn keep_whole(&self, names: &[&str], entity: &mut Entity, reader: &mut Reader<'_>) {
        for name in names {
            let text = match self.get(name) {
                Some(value) => match value.scalar() {
                    Some(text) => Some(text.into_owned()),
                    None => self
                        .compacted(name, value, reader)
                        .map(|text| (*text).to_owned()),
                },
                None => self.has_path(name).then(|| "none".to_owned()),
            };
            if let Some(text) = text {
                entity.attributes.insert((*name).to_owned(), text);
            }
        }
    }

    /// A policy document: an object, or a string that holds one, URL-encoded or not.
    pub(crate) fn document(&self, name: &str, reader: &mut Reader<'_>) -> Option<Arc<str>> {
        let mut value = self.get(name)?;
        if let Some(inner) = value
            .get("Policy")
            .filter(|_| value.get("Statement").is_none())
        {
            // As `get-bucket-policy` and its like wrap it.
            value = inner;
        }
        if value.is_object() {
            return self.compacted(name, value, reader);
        }
        let Some(text) = value.string() else {
            self.wrong(name, value, "a policy document", reader);
            return None;
        };
        let trimmed = text.trim_start();
        let decoded = if trimmed.starts_with('%') {
            Cow::Owned(percent_decode(trimmed))
        } else {
            Cow::Borrowed(trimmed)
        };
        if decoded.is_empty() {
            return None;
        }
        let inner = crate::json::values(&decoded).next();
        match inner.filter(|inner| inner.is_object() && inner.defect().is_none()) {
            Some(inner) => self.compacted(name, inner, reader),
            None => {
                self.wrong(name, value, "a policy document", reader);
                None
            }
        }
    }

    /// The whole object as JSON, without its white space.
    pub(crate) fn whole(&self, reader: &mut Reader<'_>) -> Option<Arc<str>> {
        match self.json.compact() {
            Some(text) => Some(text.into()),
            None => {
                let reason = "is nested deeper than 128 levels".to_owned();
                reader.letter(self.json.offset, &self.path, reason);
                None
            }
        }
    }

    fn compacted(&self, name: &str, value: Json<'_>, reader: &mut Reader<'_>) -> Option<Arc<str>> {
        match value.compact() {
            Some(text) => Some(text.into()),
            None => {
                let path = format!("{}.{name}", self.path);
                let reason = "is nested deeper than 128 levels".to_owned();
                reader.letter(value.offset, &path, reason);
                None
            }
        }
    }

    fn wrong(&self, name: &str, value: Json<'_>, expected: &str, reader: &mut Reader<'_>) {
        let path = format!("{}.{name}", self.path);
        let reason = format!("is {}, expected {expected}", value.kind());
        reader.letter(value.offset, &path, reason);
    }
}

/// The elements of a list, one after another.
pub(crate) struct List<'a> {
    values: Option<Values<'a>>,
    path: String,
    index: usize,
}

impl<'a> List<'a> {
    /// The next element and its path.
    pub(crate) fn next_value(&mut self) -> Option<(Json<'a>, String)> {
        let value = self.values.as_mut()?.next()?;
        let path = format!("{}[{}]", self.path, self.index);
        self.index += 1;
        Some((value, path))
    }

    /// The next element that is a whole object; those that are not are dead letters.
    pub(crate) fn next(&mut self, reader: &mut Reader<'_>) -> Option<Object<'a>> {
        loop {
            let (value, path) = self.next_value()?;
            if !value.is_object() {
                let reason = format!("is {}, expected an object", value.kind());
                reader.letter(value.offset, &path, reason);
            } else if reader.is_whole(value, &path) {
                return Some(Object::new(value, path));
            }
        }
    }
}

/// URL decoding (RFC 3986). What is not valid stays as it is.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let decoded = match (byte, after) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match decoded {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_decoding_leaves_what_is_not_encoded() {
        assert_eq!(percent_decode("%7B%22a%22%3A1%7D"), r#"{"a":1}"#);
        assert_eq!(percent_decode("100%, %zz %"), "100%, %zz %");
    }
}
