use smallvec::SmallVec;

use crate::{FieldId, Record, Value};

/// A record with derived fields laid over it. The record itself stays borrowed, so that what was
/// read from it (an activity) can be kept while fields derived from that are set.
///
/// ```
/// use portreeve_record::{Extractor, Fields, Overlay, Record, SlotBuffer, Value};
///
/// let mut fields = Fields::default();
/// let user = fields.intern("user");
/// let kind = fields.intern("portreeve.actor.kind");
/// let mut buffer = SlotBuffer::new();
/// let slots = Extractor::new(&fields).extract(br#"{"user":"mira"}"#, &mut buffer)?;
/// let who = slots.string(user);
///
/// let mut record = Overlay::new(&slots);
/// record.set(kind, Value::String("human".into()));
/// assert_eq!(record.string(kind), Some("human"));
/// assert_eq!(record.string(user), who);
/// # Ok::<(), portreeve_record::ExtractError>(())
/// ```
pub struct Overlay<'a> {
    base: &'a dyn Record,
    /// Bit n is set when a field whose id leaves n when divided by 128 is laid over: most look-ups
    /// are of others, and need not search.
    mask: u128,
    fields: SmallVec<[FieldId; 16]>,
    values: SmallVec<[SmallVec<[Value<'a>; 1]>; 16]>,
}

impl<'a> Overlay<'a> {
    /// Nothing laid over a record yet.
    pub fn new(base: &'a dyn Record) -> Self {
        Self {
            base,
            mask: 0,
            fields: SmallVec::new(),
            values: SmallVec::new(),
        }
    }

    /// Sets a field to one value, in place of what it had.
    pub fn set(&mut self, field: FieldId, value: Value<'a>) {
        self.set_all(field, [value]);
    }

    /// Sets a field to several values, in place of what it had.
    pub fn set_all(&mut self, field: FieldId, values: impl IntoIterator<Item = Value<'a>>) {
        let values = values.into_iter().collect();
        match self
            .place(field)
            .and_then(|place| self.values.get_mut(place))
        {
            Some(there) => *there = values,
            None => {
                self.mask |= bit(field);
                self.fields.push(field);
                self.values.push(values);
            }
        }
    }

    fn place(&self, field: FieldId) -> Option<usize> {
        if self.mask & bit(field) == 0 {
            return None;
        }
        self.fields.iter().position(|set| *set == field)
    }
}

fn bit(field: FieldId) -> u128 {
    1 << (field.0 % 128)
}

impl Record for Overlay<'_> {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        match self.place(field).and_then(|place| self.values.get(place)) {
            Some(values) => values,
            None => self.base.values(field),
        }
    }

    fn text(&self) -> &str {
        self.base.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SlotBuffer, Slots};

    #[test]
    fn what_is_laid_over_hides_what_is_below() {
        let mut buffer = SlotBuffer::new();
        let mut slots = Slots::empty("{}", 2, &mut buffer);
        slots.set(FieldId(0), Value::Number("1"));
        slots.set(FieldId(1), Value::Number("2"));
        let mut record = Overlay::new(&slots);
        record.set(FieldId(0), Value::Unknown);
        record.set(FieldId(0), Value::Bool(true));
        record.set_all(FieldId(129), [Value::Null, Value::Null]);
        assert_eq!(record.values(FieldId(0)), [Value::Bool(true)]);
        assert_eq!(record.values(FieldId(1)), [Value::Number("2")]);
        assert_eq!(record.values(FieldId(129)).len(), 2);
        assert!(record.values(FieldId(257)).is_empty());
        record.set_all(FieldId(1), []);
        assert!(record.values(FieldId(1)).is_empty());
        assert_eq!(record.text(), "{}");
    }
}
