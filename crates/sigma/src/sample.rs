//! What a sample of records shows: how often predicates hold, and fields are there.

use portreeve_record::{FieldId, Record};

use crate::test::PlainRecord;
use crate::{Matcher, Verdict};

/// Counts over records that are like those to come, for [`Matcher::tune`].
#[derive(Clone, Debug, Default)]
pub struct Sample {
    records: u32,
    tests: Vec<u32>,
    fields: Vec<u32>,
}

impl Sample {
    /// Counts one record, with all of its fields.
    pub fn add<R: Record + ?Sized>(&mut self, matcher: &Matcher, record: &R) {
        let mut plain = PlainRecord::default();
        self.records += 1;
        self.tests.resize(matcher.tests().len(), 0);
        for (test, count) in matcher.tests().iter().zip(&mut self.tests) {
            let Some(field) = test.needed_field() else {
                continue;
            };
            if record.values(field).is_empty() {
                continue;
            }
            let at = field.0 as usize;
            if self.fields.len() <= at {
                self.fields.resize(at + 1, 0);
            }
            if test.leads() && test.evaluate(record, &mut plain) != Verdict::No {
                *count += 1;
            }
        }
        if let Some(found) = record.found() {
            for field in found {
                if let Some(count) = self.fields.get_mut(field.0 as usize) {
                    *count += 1;
                }
            }
        }
    }

    /// Whether nothing was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// In how many records a test held.
    pub(crate) fn of_test(&self, test: u32) -> u32 {
        self.tests.get(test as usize).copied().unwrap_or_default()
    }

    /// In how many records a field was there.
    pub(crate) fn of_field(&self, field: FieldId) -> u32 {
        let count = self.fields.get(field.0 as usize);
        count.copied().unwrap_or_default()
    }
}
