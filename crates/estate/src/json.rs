//! A lenient walk over JSON text: nothing is built of it but what is asked for, and what is whole
//! before and after a broken place is still found. Nothing here recurses.

use std::borrow::Cow;

/// Deeper nesting than this is refused, as serde_json refuses it.
const DEEPEST: usize = 128;

/// The text of one value, and where it begins. The text may be cut off or malformed inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    pub(crate) text: &'a str,
    pub(crate) offset: usize,
}

/// The values that follow one another in a text: one, a concatenation, or one a line.
pub(crate) fn values(text: &str) -> Values<'_> {
    Values {
        text,
        position: 0,
        offset: 0,
    }
}

/// Values one after another, separated by anything that is not a value.
pub(crate) struct Values<'a> {
    text: &'a str,
    position: usize,
    offset: usize,
}

impl<'a> Iterator for Values<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let bytes = self.text.as_bytes();
        let start = skip_separators(bytes, self.position);
        if start >= bytes.len() || matches!(bytes[start], b'}' | b']') {
            return None;
        }
        self.position = end_of_value(bytes, start);
        let text = self.text.get(start..self.position)?;
        Some(Json {
            text,
            offset: self.offset + start,
        })
    }
}

/// The members of an object.
pub(crate) struct Members<'a>(Values<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?.string()?;
        let bytes = self.0.text.as_bytes();
        let colon = skip_separators(bytes, self.0.position);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        self.0.position = colon + 1;
        Some((key, self.0.next()?))
    }
}

impl<'a> Json<'a> {
    pub(crate) fn is_object(&self) -> bool {
        self.text.starts_with('{')
    }

    pub(crate) fn is_array(&self) -> bool {
        self.text.starts_with('[')
    }

    pub(crate) fn is_null(&self) -> bool {
        self.text == "null"
    }

    /// What the value is, in words for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'0'..=b'9' | b'-') => "a number",
            _ => "not JSON",
        }
    }

    fn inside(&self) -> Values<'a> {
        Values {
            text: self.text.get(1..).unwrap_or_default(),
            position: 0,
            offset: self.offset + 1,
        }
    }

    /// The elements of a list; none where it is not one.
    pub(crate) fn elements(&self) -> Values<'a> {
        if self.is_array() {
            self.inside()
        } else {
            values("")
        }
    }

    /// The members of an object; none where it is not one.
    pub(crate) fn members(&self) -> Members<'a> {
        Members(if self.is_object() {
            self.inside()
        } else {
            values("")
        })
    }

    /// The first member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a>> {
        self.members()
            .find(|(key, value)| key == name && !value.is_null())
            .map(|(_, value)| value)
    }

    /// A whole string, unescaped.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        if self.text.len() < 2 {
            return None;
        }
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(self.text)
            .ok()
            .map(Cow::Owned)
    }

    /// A string, a number or a boolean, as text.
    pub(crate) fn scalar(&self) -> Option<Cow<'a, str>> {
        match self.text.as_bytes().first()? {
            b'"' => self.string(),
            b't' | b'f' | b'0'..=b'9' | b'-' => Some(Cow::Borrowed(self.text)),
            _ => None,
        }
    }

    /// One string, or the strings of a list.
    pub(crate) fn strings(&self) -> Vec<Cow<'a, str>> {
        match self.string() {
            Some(one) => vec![one],
            None => self.elements().filter_map(|value| value.string()).collect(),
        }
    }

    /// Why the text is not JSON, and the byte at which that shows; `None` where it is.
    pub(crate) fn defect(&self) -> Option<(usize, String)> {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(self.text).err()?;
        let line = error.line().saturating_sub(1);
        let start: usize = self
            .text
            .split_inclusive('\n')
            .take(line)
            .map(str::len)
            .sum();
        let at = (start + error.column().saturating_sub(1)).min(self.text.len());
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        Some((self.offset + at, reason.to_owned()))
    }

    /// The text without white space between tokens; `None` where it is nested too deep.
    pub(crate) fn compact(&self) -> Option<String> {
        let mut out = String::with_capacity(self.text.len());
        let bytes = self.text.as_bytes();
        let (mut position, mut depth) = (0, 0usize);
        let mut copied = 0;
        while position < bytes.len() {
            match bytes[position] {
                b'"' => {
                    position = end_of_string(bytes, position);
                    continue;
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth > DEEPEST {
                        return None;
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b' ' | b'\t' | b'\r' | b'\n' => {
                    out.push_str(self.text.get(copied..position)?);
                    copied = position + 1;
                }
                _ => {}
            }
            position += 1;
        }
        out.push_str(self.text.get(copied..)?);
        Some(out)
    }
}

fn skip_separators(bytes: &[u8], mut position: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',') = bytes.get(position) {
        position += 1;
    }
    position
}

/// The position after the value that begins at `start`; the end of the text where it is cut off.
fn end_of_value(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => end_of_string(bytes, start),
        Some(b'{' | b'[') => {
            let (mut position, mut depth) = (start, 0usize);
            while let Some(byte) = bytes.get(position) {
                match byte {
                    b'"' => {
                        position = end_of_string(bytes, position);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return position + 1;
                        }
                    }
                    _ => {}
                }
                position += 1;
            }
            bytes.len()
        }
        _ => {
            let rest = bytes.get(start + 1..).unwrap_or_default();
            let length = rest.iter().position(|byte| {
                matches!(
                    byte,
                    b',' | b']' | b'}' | b'{' | b'[' | b'"' | b':' | b' ' | b'\t' | b'\r' | b'\n'
                )
            });
            length.map_or(bytes.len(), |length| start + 1 + length)
        }
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'"' => return position + 1,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_before_a_break_is_found() {
        let text = r#"{"a": [1, {"b": "x"}], "c": [{"d": 1}, {"d": "#;
        let whole = values(text).next().unwrap();
        let keys: Vec<_> = whole.members().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "c"]);
        let list = whole.get("c").unwrap();
        let elements: Vec<_> = list.elements().map(|value| value.text).collect();
        assert_eq!(elements, [r#"{"d": 1}"#, r#"{"d": "#]);
        assert!(list.elements().nth(1).unwrap().defect().is_some());
    }

    #[test]
    fn offsets_lead_back_into_the_text() {
        let text = "{\"a\":\n [10, 20]} {\"b\": null}";
        let documents: Vec<_> = values(text).collect();
        assert_eq!(documents.len(), 2);
        let second = documents[0].get("a").unwrap().elements().nth(1).unwrap();
        assert_eq!(&text[second.offset..second.offset + 2], "20");
        assert!(documents[1].get("b").is_none());
    }

    #[test]
    fn compact_keeps_strings_and_refuses_depth() {
        let json = |text| values(text).next().unwrap();
        assert_eq!(
            json("{ \"a b\" : [ 1 , \"c \\\" d\" ] }")
                .compact()
                .unwrap(),
            r#"{"a b":[1,"c \" d"]}"#
        );
        assert!(json(&"[".repeat(100_000)).compact().is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_the_walk(text in "[\\[\\]{}\":,a1\\\\ é]{0,60}") {
            for value in values(&text) {
                let inside = value.members().count() + value.elements().count();
                proptest::prop_assert!(inside <= text.len());
                let _ = (value.string(), value.compact(), value.defect());
            }
        }
    }
}
