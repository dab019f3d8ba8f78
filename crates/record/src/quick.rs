//! The walk over a record by the positions of its tokens.
//!
//! It gives the same fields as the walk byte by byte, or gives up: then that one is taken, which also
//! tells what is wrong and where. The laws in `laws.rs` hold both equal.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::extract::{Extractor, MAX_DEPTH, NO_FIELD, NodeId, container_value, scalar_value};
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
                            slots.push(here.field, container_value(raw, here.object));
                        }
                        here = stack.pop()?;
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
    use super::*;
    use crate::{Fields, Record, SlotBuffer};

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
                extractor.walk_quickly(text, &tokens, &mut slots).is_some(),
                "{text}"
            );
            assert!(!slots.values(field).is_empty());
        }
    }
}
