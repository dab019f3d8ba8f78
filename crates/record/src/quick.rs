//! The walk over a record by the positions of its tokens.
//!
//! It gives the same fields as the walk byte by byte, or gives up: then that one is taken, which also
//! tells what is wrong and where. The law below holds both equal.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::again::{Again, Open};
use crate::extract::{Extractor, MAX_DEPTH, NO_FIELD, NodeId, scalar_value};
use crate::tokens::Tokens;
use crate::{Slots, Value, scan};

struct Frame {
    node: NodeId,
    object: bool,
    field: u32,
    start: u32,
}

/// A text and where its tokens stand.
struct Walk<'r, 't> {
    text: &'r str,
    bytes: &'r [u8],
    tokens: &'t [u32],
    escapes: bool,
}

impl<'r> Walk<'r, '_> {
    /// The position of a token.
    #[inline(always)]
    fn at(&self, token: usize) -> usize {
        self.tokens
            .get(token)
            .map_or(self.bytes.len(), |at| *at as usize)
    }

    /// The byte at a position; zero at the end.
    #[inline(always)]
    fn byte(&self, position: usize) -> u8 {
        self.bytes.get(position).copied().unwrap_or(0)
    }

    /// Whether there is nothing but white space between two positions.
    #[inline(always)]
    fn is_gap(&self, from: usize, to: usize) -> bool {
        from == to || scan::white_space(self.bytes, from) == to
    }

    fn string(&self, open: usize, close: usize) -> Cow<'r, str> {
        let raw = self.text.get(open + 1..close).unwrap_or_default();
        if self.escapes && memchr::memchr(b'\\', raw.as_bytes()).is_some() {
            Cow::Owned(scan::unescape(raw))
        } else {
            Cow::Borrowed(raw)
        }
    }
}

impl Extractor {
    /// Fills the slots; `None` where the record is broken, or this way cannot tell.
    pub(crate) fn walk_quickly<'r>(
        &self,
        text: &'r str,
        tokens: &Tokens,
        again: &mut Again,
        slots: &mut Slots<'r>,
    ) -> Option<()> {
        let walk = Walk {
            text,
            bytes: text.as_bytes(),
            tokens: tokens.positions(),
            escapes: tokens.has_escapes(),
        };
        // The container at hand, and those around it. Between two members nothing but the former is looked
        // at.
        let mut stack: SmallVec<[Frame; 16]> = SmallVec::new();
        let mut here = Frame {
            node: 0,
            object: false,
            field: NO_FIELD,
            start: 0,
        };
        let mut token = 0;
        if walk.byte(walk.at(0)) != b'{' {
            return None;
        }
        // What stands before the next token was read up to here.
        let mut from = 0;
        let mut node: NodeId = 0;
        let mut field = NO_FIELD;
        // The object at the top of the record that is being walked, if it is to be remembered.
        let mut open: Option<Open> = None;
        'value: loop {
            let position = walk.at(token);
            let byte = walk.byte(position);
            let structured = matches!(byte, b'"' | b'{' | b'[') && walk.is_gap(from, position);
            if structured && byte == b'"' {
                let close = walk.at(token + 1);
                if field != NO_FIELD {
                    slots.push(field, Value::String(walk.string(position, close)));
                }
                from = close + 1;
                token += 2;
            } else if structured
                && let Some(known) = (byte == b'{' && stack.len() == 1 && again.pays(node))
                    .then(|| again.find((self.number, node), walk.bytes, position))
                    .and_then(|found| {
                        open = found.as_ref().err().copied().flatten().map(|place| Open {
                            place,
                            start: position,
                            token,
                            node,
                            values: slots.pushed(),
                        });
                        found.ok()
                    })
            {
                known.give(text, position, slots);
                from = position + known.len();
                token += known.tokens;
                again.came(node);
            } else if structured {
                if stack.len() >= MAX_DEPTH {
                    return None;
                }
                let object = byte == b'{';
                let inner = Frame {
                    node,
                    object,
                    field,
                    start: position as u32,
                };
                stack.push(std::mem::replace(&mut here, inner));
                from = position + 1;
                token += 1;
                let next = walk.at(token);
                let close = if object { b'}' } else { b']' };
                if walk.byte(next) != close || !walk.is_gap(from, next) {
                    if object {
                        (token, from, node, field) = self.key_quickly(&walk, token, from, node)?;
                    } else {
                        field = NO_FIELD;
                    }
                    continue 'value;
                }
            } else {
                let start = scan::white_space(walk.bytes, from);
                let after = scan::scalar(walk.bytes, start).ok()?;
                if field != NO_FIELD {
                    let raw = text.get(start..after).unwrap_or_default();
                    slots.push(field, scalar_value(raw));
                }
                from = after;
            }
            loop {
                if stack.is_empty() {
                    let end = scan::white_space(walk.bytes, from);
                    return (end == walk.bytes.len() && walk.at(token) == end).then_some(());
                }
                let position = walk.at(token);
                if !walk.is_gap(from, position) {
                    return None;
                }
                from = position + 1;
                token += 1;
                match (walk.byte(position), here.object) {
                    (b',', true) => {
                        (token, from, node, field) =
                            self.key_quickly(&walk, token, from, here.node)?;
                        continue 'value;
                    }
                    (b',', false) => {
                        node = here.node;
                        field = NO_FIELD;
                        continue 'value;
                    }
                    (b'}', true) | (b']', false) => {
                        if here.field != NO_FIELD {
                            let raw = text.get(here.start as usize..from).unwrap_or_default();
                            let value = if here.object {
                                Value::Object(raw)
                            } else {
                                Value::Array(raw)
                            };
                            slots.push(here.field, value);
                        }
                        here = stack.pop()?;
                        if stack.len() == 1
                            && let Some(open) = open.take()
                        {
                            again.remember(
                                self.number,
                                open,
                                text,
                                from,
                                token - open.token,
                                slots,
                            );
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    /// Reads a key and its colon; gives the token behind them, the position behind the colon, and what
    /// the value answers.
    #[inline(always)]
    fn key_quickly(
        &self,
        walk: &Walk<'_, '_>,
        token: usize,
        from: usize,
        node: NodeId,
    ) -> Option<(usize, usize, NodeId, u32)> {
        let [open, close] = [walk.at(token), walk.at(token + 1)];
        if walk.byte(open) != b'"' || !walk.is_gap(from, open) {
            return None;
        }
        let mut colon = close + 1;
        if walk.byte(colon) != b':' {
            colon = scan::white_space(walk.bytes, colon);
            if walk.byte(colon) != b':' {
                return None;
            }
        }
        let (to, field) = match self.node(node) {
            None => (crate::extract::NOWHERE, NO_FIELD),
            Some(node) => {
                let to = if walk.escapes {
                    node.step(walk.string(open, close).as_bytes())
                } else {
                    node.step(walk.bytes.get(open + 1..close).unwrap_or_default())
                };
                (to, self.node(to).map_or(NO_FIELD, |node| node.field))
            }
        };
        Some((token + 2, colon + 1, to, field))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Fields, Record, SlotBuffer};

    const KEYS: &[&str] = &["a", "b", "a.b", "c", r"\u0061", "caf\u{e9}", r#"\""#, ""];
    const PATHS: &[&str] = &[
        "a",
        "a.b",
        "a.b.c",
        "c",
        "b.a",
        "caf\u{e9}.a",
        "\"",
        "b.c.a",
    ];

    fn space() -> impl Strategy<Value = &'static str> {
        prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("\n\t "), 1 => Just("\r\n")]
    }

    fn scalar() -> impl Strategy<Value = String> {
        let texts = "[a-c{}\\[\\]:, \u{e9}]{0,80}".prop_map(|text| format!("\"{text}\""));
        let escapes = r#"(\\\\|\\"|\\u00e9|\\ud83d\\ude00|\\n|x){0,40}"#
            .prop_map(|text| format!("\"{text}\""));
        let others = prop::sample::select(vec![
            "0", "-1.5e3", "true", "false", "null", "01", "tru", "1.", "nan", "-", "\"",
        ]);
        prop_oneof![4 => texts, 2 => escapes, 3 => others.prop_map(str::to_owned)]
    }

    fn value() -> impl Strategy<Value = String> {
        scalar().prop_recursive(5, 60, 5, |inner| {
            let member = (
                space(),
                prop::sample::select(KEYS),
                space(),
                inner.clone(),
                space(),
            );
            let members = prop::collection::vec(member, 0..5).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(s, key, t, value, u)| format!("{s}\"{key}\"{t}:{u}{value}{s}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            });
            let elements =
                prop::collection::vec((space(), inner, space()), 0..5).prop_map(|elements| {
                    let elements: Vec<String> = elements
                        .into_iter()
                        .map(|(s, value, t)| format!("{s}{value}{t}"))
                        .collect();
                    format!("[{}]", elements.join(","))
                });
            prop_oneof![3 => members, 1 => elements]
        })
    }

    /// Records with objects that are long enough to be remembered, and of which there are few.
    fn repeating() -> impl Strategy<Value = String> {
        let word = || prop::sample::select(vec!["x", "y", r"\u0061", "caf\u{e9}", ""]);
        let inner = prop::sample::select(vec![
            "1",
            "null",
            "true",
            "{}",
            "\"\"",
            "01",
            "[]",
            r#"[1,{"c":2}]"#,
            r#"{"c":-1.5}"#,
        ]);
        let long = (word(), inner, word()).prop_map(|(first, inner, last)| {
            let filling = "-".repeat(100);
            format!(
                r#"{{"c":"{filling}","b":"{first}","a":{inner},"b":{{"c":{inner}}},"b.c":[{{"a":"{last}"}}]}}"#
            )
        });
        let member = (prop::sample::select(KEYS), space(), long);
        prop::collection::vec(member, 1..4).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, space, value)| format!("{space}\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    fn changed(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        let edits =
            prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<char>()), 0..3);
        let signs = prop::sample::select(vec!['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '1']);
        (text, edits, signs).prop_map(|(text, edits, sign)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (at, kind, character) in edits {
                if characters.is_empty() {
                    break;
                }
                let at = at.index(characters.len());
                match kind {
                    0 => drop(characters.remove(at)),
                    1 => characters.insert(at, sign),
                    _ => characters[at] = character,
                }
            }
            characters.into_iter().collect()
        })
    }

    type Read = Result<Vec<Vec<Value<'static>>>, crate::ExtractError>;

    fn owned(value: &Value<'_>) -> Value<'static> {
        // Where it is borrowed from does not matter.
        match value {
            Value::String(text) => Value::String(Cow::Owned(text.clone().into_owned())),
            Value::Number(text) => Value::String(Cow::Owned(format!("number {text}"))),
            Value::Array(text) => Value::String(Cow::Owned(format!("array {text}"))),
            Value::Object(text) => Value::String(Cow::Owned(format!("object {text}"))),
            Value::Bool(value) => Value::Bool(*value),
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
        }
    }

    fn read(fields: &Fields, slots: Result<Slots<'_>, crate::ExtractError>) -> Read {
        slots.map(|slots| {
            PATHS
                .iter()
                .filter_map(|path| fields.get(path))
                .map(|field| slots.values(field).iter().map(owned).collect())
                .collect()
        })
    }

    fn both(text: &str, buffers: &mut (SlotBuffer, SlotBuffer)) -> (Read, Read) {
        let mut fields = Fields::default();
        for path in PATHS {
            fields.intern(path);
        }
        let extractor = Extractor::new(&fields);
        let quick = read(&fields, extractor.extract(text.as_bytes(), &mut buffers.0));
        let plain = read(&fields, extractor.extract_plainly(text, &mut buffers.1));
        (quick, plain)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn both_walks_read_the_same(texts in prop::collection::vec(changed(value()), 1..4)) {
            // One buffer after the other, so that nothing of a record is left for the next.
            let mut buffers = Default::default();
            for text in texts {
                let (quick, plain) = both(&text, &mut buffers);
                prop_assert_eq!(quick, plain);
            }
        }

        #[test]
        fn what_comes_again_is_read_the_same(
            texts in prop::collection::vec(prop_oneof![repeating(), changed(repeating())], 1..8)
        ) {
            let mut fields = Fields::default();
            for path in PATHS {
                fields.intern(path);
            }
            // Two that share a buffer, and ask for different fields.
            let all = Extractor::new(&fields);
            let some = Extractor::of(&fields, &|field| field.0 % 2 == 0);
            let mut shared = SlotBuffer::new();
            for text in texts {
                for extractor in [&all, &all, &some] {
                    let quick = read(&fields, extractor.extract(text.as_bytes(), &mut shared));
                    let mut own = SlotBuffer::new();
                    let plain = read(&fields, extractor.extract_plainly(&text, &mut own));
                    prop_assert_eq!(quick, plain);
                }
            }
        }
    }

    #[test]
    fn long_objects_at_the_top_are_remembered() {
        let mut fields = Fields::default();
        let field = fields.intern("a.b");
        let extractor = Extractor::new(&fields);
        let mut buffer = SlotBuffer::new();
        let long = format!(r#"{{"b":"x","c":"{}"}}"#, "-".repeat(100));
        for (space, is_known) in [("", false), (" ", true)] {
            let text = format!(r#"{{"a":{space}{long}}}"#);
            let at = text.find(&long).unwrap();
            let node = extractor.node(0).unwrap().step(b"a");
            let known = |buffer: &SlotBuffer| {
                let of = (extractor.number, node);
                buffer.again.find(of, text.as_bytes(), at).is_ok()
            };
            assert_eq!(known(&buffer), is_known);
            let slots = extractor.extract(text.as_bytes(), &mut buffer).unwrap();
            assert_eq!(slots.values(field), [Value::String("x".into())]);
            drop(slots);
            assert!(known(&buffer));
        }
    }

    #[test]
    fn good_records_are_read_quickly() {
        let mut fields = Fields::default();
        let field = fields.intern("a.b");
        let extractor = Extractor::new(&fields);
        for text in [
            r#"{"a":{"b":"x\u00e9"}}"#,
            " {\"a\" : [ {\"b\":1.5} , {\"b\" :null}, [ ], { } ]\n}\n",
            r#"{"a.b":true,"z":[[["]"]]]}"#,
        ] {
            let mut tokens = Tokens::default();
            let mut buffer = SlotBuffer::new();
            assert!(tokens.find(text.as_bytes()), "{text}");
            let mut slots = Slots::empty(text, fields.paths().len(), &mut buffer);
            assert!(
                extractor
                    .walk_quickly(text, &tokens, &mut Again::default(), &mut slots)
                    .is_some(),
                "{text}"
            );
            assert!(!slots.values(field).is_empty());
        }
    }
}
