//! A first look at a record: some of its fields, the others not known.

use portreeve_record::{FieldId, Record, Value};

/// The fields that a first look at a record sees, to tell whether a second one is worth it.
///
/// [`Matcher::look`](crate::Matcher::look) gives the least that is needed; an extractor made for
/// these fields reads far less of a record than one for all.
#[derive(Clone, Debug, Default)]
pub struct Look {
    seen: Vec<bool>,
}

impl Look {
    /// Sees one field more.
    pub fn add(&mut self, field: FieldId) {
        let at = field.0 as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, false);
        }
        self.seen[at] = true;
    }

    /// Whether it sees a field.
    pub fn sees(&self, field: FieldId) -> bool {
        self.seen.get(field.0 as usize).copied().unwrap_or_default()
    }
}

/// A record of which only what a look sees is known.
pub(crate) struct Glance<'l, R: ?Sized> {
    pub(crate) seen: &'l R,
    pub(crate) look: &'l Look,
}

impl<R: Record + ?Sized> Record for Glance<'_, R> {
    fn values(&self, field: FieldId) -> &[Value<'_>] {
        if self.look.sees(field) {
            self.seen.values(field)
        } else {
            &[Value::Unknown]
        }
    }

    fn text(&self) -> &str {
        self.seen.text()
    }
}
