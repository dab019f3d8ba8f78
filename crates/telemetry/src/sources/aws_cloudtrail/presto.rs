use serde_json::{Map, Value};

/// Structures nested deeper are not read.
const DEEPEST: usize = 32;

/// Reads a structure as Presto prints it: `{type=Role, attributes={mfa=false}, list=[a, b]}`.
/// Texts are not quoted there, so a text ends where a closing bracket, or a comma and another
/// `name=`, stands.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text.trim() };
    if !parser.rest.starts_with(['{', '[']) {
        return None;
    }
    let value = parser.value(0, false)?;
    parser.rest.trim().is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize, in_list: bool) -> Option<Value> {
        if depth >= DEEPEST {
            return None;
        }
        self.rest = self.rest.trim_start();
        if self.eat('{') {
            self.structure(depth)
        } else if self.eat('[') {
            self.list(depth)
        } else {
            let end = text_end(self.rest, in_list);
            let (text, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            Some(match text.trim() {
                "null" => Value::Null,
                text => Value::String(text.to_owned()),
            })
        }
    }

    fn structure(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.eat('}') {
                return Some(Value::Object(members));
            }
            let (name, rest) = self.rest.split_once('=')?;
            self.rest = rest;
            let value = self.value(depth + 1, false)?;
            members.insert(name.trim().to_owned(), value);
            self.rest = self.rest.trim_start();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let mut elements = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.eat(']') {
                return Some(Value::Array(elements));
            }
            elements.push(self.value(depth + 1, true)?);
            self.rest = self.rest.trim_start();
            if !self.eat(',') && !self.rest.starts_with(']') {
                return None;
            }
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn text_end(text: &str, in_list: bool) -> usize {
    for (at, letter) in text.char_indices() {
        match letter {
            '}' | ']' => return at,
            ',' if in_list => return at,
            ',' => {
                let next = text.get(at + 1..).unwrap_or_default().trim_start();
                let name = next.split_once('=').map_or("", |(name, _)| name);
                let named = !name.is_empty()
                    && name.len() <= 64
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
                if named {
                    return at;
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_presto_prints() {
        assert_eq!(
            parse("{type=Role, note=a, b and c, none=null, inner={x=1, y={}}, list=[a, {k=v}]}"),
            Some(json!({
                "type": "Role",
                "note": "a, b and c",
                "none": null,
                "inner": {"x": "1", "y": {}},
                "list": ["a", {"k": "v"}],
            }))
        );
        assert_eq!(
            parse("{arn=arn:aws:s3:::b/a=b}"),
            Some(json!({"arn": "arn:aws:s3:::b/a=b"}))
        );
    }

    #[test]
    fn broken_structures_are_none() {
        for broken in ["", "text", "{", "{a", "{a=", "{a=b", "[a", "{a=b}}", "{=,"] {
            assert_eq!(
                parse(broken).filter(|value| value.is_string()),
                None,
                "{broken}"
            );
        }
        assert_eq!(parse(&"{a=".repeat(10_000)), None);
        assert_eq!(parse(&"[".repeat(100_000)), None);
    }
}
