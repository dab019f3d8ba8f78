use crate::shapes::Learned;
use crate::tokens::Tokens;
use crate::{FieldId, Record, Value};

/// Where a field's values stand: first, and how many.
type Span = (u32, u32);

/// Memory for the values of one record at a time, kept from record to record so that extraction
/// does not allocate. One for each thread.
#[derive(Debug, Default)]
pub struct SlotBuffer {
    /// Empty between records; only its allocation is kept.
    values: Vec<Value<'static>>,
    /// The field of each value, where the values of one do not stand together.
    owners: Vec<u32>,
    /// The fields that have values, each once.
    found: Vec<FieldId>,
    spans: Vec<Span>,
    order: Vec<u32>,
    pub(crate) tokens: Tokens,
    pub(crate) learned: Learned,
}

impl SlotBuffer {
    /// A buffer that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes back what the last record had. There are many more fields than values in a record, so
    /// that only the fields that had values are gone through.
    fn forget(&mut self) {
        for field in self.found.drain(..) {
            if let Some(span) = self.spans.get_mut(field.0 as usize) {
                *span = (0, 0);
            }
        }
    }
}

/// The fields of one record: what the extractor found, and what was derived since.
///
/// A field's values are in the order of the record. A key that a record holds twice gives both
/// values, so that neither can hide the other.
#[derive(Debug)]
pub struct Slots<'r> {
    text: &'r str,
    values: Vec<Value<'r>>,
    scattered: bool,
    buffer: &'r mut SlotBuffer,
}

impl<'r> Slots<'r> {
    /// Slots of a record without any value, for `fields` fields.
    pub fn empty(text: &'r str, fields: usize, buffer: &'r mut SlotBuffer) -> Self {
        let values = std::mem::take(&mut buffer.values);
        buffer.forget();
        if buffer.spans.len() < fields {
            buffer.spans.resize(fields, (0, 0));
        }
        Self {
            text,
            values,
            scattered: false,
            buffer,
        }
    }

    /// Sets a field to one value, in place of what it had. For derived fields. A field that was
    /// interned after the extractor was made is taken too.
    pub fn set(&mut self, field: FieldId, value: Value<'r>) {
        let first = self.values.len();
        self.values.push(value);
        self.point(field, first);
    }

    /// Sets a field to several values, in place of what it had.
    pub fn set_all(&mut self, field: FieldId, values: impl IntoIterator<Item = Value<'r>>) {
        let first = self.values.len();
        self.values.extend(values);
        self.point(field, first);
    }

    /// Lets a field have the values from a place on.
    fn point(&mut self, field: FieldId, first: usize) {
        let slot = field.0 as usize;
        if slot >= self.buffer.spans.len() {
            self.buffer.spans.resize(slot + 1, (0, 0));
        }
        let new = (first as u32, (self.values.len() - first) as u32);
        let former = std::mem::replace(&mut self.buffer.spans[slot], new);
        if former.1 == 0 && new.1 > 0 {
            self.buffer.found.push(field);
        } else if former.1 > 0 && new.1 == 0 {
            self.buffer.found.retain(|found| *found != field);
        }
    }

    /// Takes back all values.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.scattered = false;
        self.buffer.forget();
    }

    /// Gives the buffer the memory back that was taken out of it.
    pub(crate) fn give_back(&mut self, tokens: Tokens, learned: Learned) {
        self.buffer.tokens = tokens;
        self.buffer.learned = learned;
    }

    /// Adds a value to a field.
    #[inline(always)]
    pub(crate) fn push(&mut self, field: u32, value: Value<'r>) {
        let at = self.values.len() as u32;
        match self.buffer.spans.get_mut(field as usize) {
            Some(span) if span.1 == 0 && !self.scattered => {
                *span = (at, 1);
                self.buffer.found.push(FieldId(field));
                self.values.push(value);
            }
            Some(_) => self.push_another(field, value),
            None => {}
        }
    }

    /// Adds a value where the field has one, or those of another do not stand together.
    #[inline(never)]
    fn push_another(&mut self, field: u32, value: Value<'r>) {
        let at = self.values.len() as u32;
        let (first, count) = self.buffer.spans[field as usize];
        if count > 0 && first + count != at {
            self.scatter();
        }
        let span = &mut self.buffer.spans[field as usize];
        if count == 0 {
            span.0 = at;
            self.buffer.found.push(FieldId(field));
        }
        span.1 += 1;
        if self.scattered {
            self.buffer.owners.push(field);
        }
        self.values.push(value);
    }

    /// From here on it has to be known whose each value is. Until here all that a field has stands together.
    #[cold]
    fn scatter(&mut self) {
        if std::mem::replace(&mut self.scattered, true) {
            return;
        }
        let SlotBuffer {
            owners,
            spans,
            found,
            ..
        } = &mut *self.buffer;
        owners.clear();
        owners.resize(self.values.len(), 0);
        for field in found {
            let (first, count) = spans[field.0 as usize];
            owners[first as usize..(first + count) as usize].fill(field.0);
        }
    }

    /// Brings the values of each field together where an array interleaved them.
    pub(crate) fn gather(&mut self) {
        if !self.scattered {
            return;
        }
        self.scattered = false;
        let SlotBuffer {
            owners,
            spans,
            order,
            ..
        } = &mut *self.buffer;
        order.clear();
        order.extend(0..owners.len() as u32);
        order.sort_by_key(|at| owners[*at as usize]);
        let mut previous = None;
        for (place, at) in order.iter().enumerate() {
            let owner = owners[*at as usize];
            if previous != Some(owner) {
                spans[owner as usize].0 = place as u32;
                previous = Some(owner);
            }
        }
        let mut sorted: Vec<Value<'r>> = Vec::with_capacity(self.values.len());
        sorted.extend(
            order
                .iter()
                .map(|at| std::mem::replace(&mut self.values[*at as usize], Value::Null)),
        );
        self.values = sorted;
    }
}

impl Record for Slots<'_> {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        let (first, count) = self
            .buffer
            .spans
            .get(field.0 as usize)
            .copied()
            .unwrap_or_default();
        self.values
            .get(first as usize..(first + count) as usize)
            .unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.text
    }

    fn found(&self) -> Option<&[FieldId]> {
        Some(&self.buffer.found)
    }
}

impl Drop for Slots<'_> {
    fn drop(&mut self) {
        self.buffer.values = recycle(std::mem::take(&mut self.values));
    }
}

/// Empties a vector and gives its allocation a new lifetime: collecting an empty vector's own
/// iterator reuses its memory, since the element's layout is the same.
fn recycle<'to>(mut values: Vec<Value<'_>>) -> Vec<Value<'to>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_allocation() {
        let mut values: Vec<Value<'_>> = Vec::with_capacity(100);
        values.push(Value::Null);
        let values = recycle(values);
        assert!(values.is_empty());
        assert_eq!(values.capacity(), 100);
    }

    #[test]
    fn derived_fields_are_set_and_replaced() {
        let mut buffer = SlotBuffer::new();
        let mut slots = Slots::empty("{}", 1, &mut buffer);
        slots.set(FieldId(7), Value::Unknown);
        slots.set(FieldId(7), Value::Bool(true));
        slots.set_all(FieldId(0), [Value::Null, Value::Number("1")]);
        assert_eq!(slots.values(FieldId(7)), [Value::Bool(true)]);
        assert_eq!(slots.values(FieldId(0)).len(), 2);
        assert!(slots.values(FieldId(3)).is_empty());
        assert!(slots.values(FieldId(99)).is_empty());
        assert_eq!(slots.found().unwrap(), [FieldId(7), FieldId(0)]);
        slots.set_all(FieldId(7), []);
        assert_eq!(slots.found().unwrap(), [FieldId(0)]);
    }
}
