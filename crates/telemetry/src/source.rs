use std::borrow::Cow;
use std::io::Read;

use portreeve_model::{Activity, CredentialKind, Timestamp};
use portreeve_record::{FieldId, Fields, Occasion, Record, Split, SplitOptions};

/// A log source: how it is recognised, how its records are found, what they say. A source declares
/// all of it in one file of `src/sources/`, in a `pub(crate) static SOURCE`.
pub trait Source: Send + Sync {
    /// Its id, as `aws.cloudtrail`; [`Activity::source`] of all its activities.
    fn id(&self) -> &'static str;

    /// Its name on screen.
    fn title(&self) -> &'static str;

    /// The Sigma log source that it answers to.
    fn logsource(&self) -> LogSource;

    /// The fields that its records may have, with dots; one that ends in `.*` holds whatever a call
    /// takes or gives. Empty where nobody says which there are.
    fn declared_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Keys whose array holds its records; see [`SplitOptions::envelopes`].
    fn envelopes(&self) -> &'static [&'static str];

    /// Whether the beginning of a file, decompressed, is of this source: by its content, never by
    /// its name. 64 KiB suffice.
    fn recognise(&self, head: &[u8]) -> Option<Recognition>;

    /// A reader of rows, for a file recognised as [`Container::Csv`]; `None` where the source has
    /// no such form.
    fn rows<'s>(&self, reader: Box<dyn Read + 's>) -> Option<Box<dyn Rows + 's>>;

    /// Interns the fields that it needs, and gives what reads its records by them.
    fn prepare(&self, fields: &mut Fields) -> Box<dyn Reader>;

    /// The OCSF class of an activity.
    fn ocsf(&self, activity: &Activity<'_>) -> OcsfClass;

    /// How a stream of this source is split.
    fn split_options(&self) -> SplitOptions {
        SplitOptions {
            envelopes: self
                .envelopes()
                .iter()
                .map(|key| (*key).to_owned())
                .collect(),
            ..SplitOptions::default()
        }
    }
}

/// Reads the records of one source. Shared by all threads.
pub trait Reader: Send + Sync {
    /// Whether an extracted record is this source's own, without anything around it. The common
    /// case; costs a few look-ups.
    fn is_native(&self, record: &dyn Record) -> bool;

    /// The fields by which [`Reader::is_native`] tells.
    fn native_fields(&self) -> Vec<FieldId>;

    /// Takes what is around the source's records off a record that is not native. Costs a parse.
    fn unwrap(&self, record: &[u8]) -> Unwrapped;

    /// What a native record says.
    fn activity<'a>(&self, record: &'a dyn Record) -> Activity<'a>;

    /// Who did what, of a native record: a small part of its activity, for who has no time for all
    /// of it.
    fn brief<'a>(&self, record: &'a dyn Record) -> Brief<'a>;

    /// The fields by which [`Reader::brief`] tells.
    fn brief_fields(&self) -> Vec<FieldId>;

    /// The kind of event as the source divides its events, for the statement of coverage:
    /// `Management`, `Data`.
    fn event_kind<'a>(&self, record: &'a dyn Record) -> &'a str;

    /// The fields that tell native records apart that say the same: of records that are equal but for the
    /// texts of these the activities are equal but for [`Activity::event_id`], which is the text of its
    /// field where it is not empty, and [`Activity::time`], which [`Reader::time`] reads from its field;
    /// and all are of one kind ([`Reader::event_kind`]). Where the texts of a session's fields differ, what is
    /// said of the credential does: its id is the text of the first, its kind what [`Reader::credential_kind`]
    /// says, and [`Reader::time`] reads from the second when it was created. Where those of a minted credential's
    /// fields differ, what is said of [`Activity::minted`] does: its id is the text of the first, where that is
    /// not the caller's own credential, and [`Reader::time`] reads from the second when it expires; of two ids of
    /// one [`Reader::credential_kind`] the kind is the same. An activity is not read from objects that one of
    /// these stands in, as a whole. `None` where the source makes no such promise.
    fn occasion(&self) -> Option<Occasion> {
        None
    }

    /// The time that a text in the time's field says.
    fn time(&self, _text: &str) -> Option<Timestamp> {
        None
    }

    /// What kind of credential an id in the session's field or in the minted one's is of.
    fn credential_kind(&self, _id: &str) -> CredentialKind {
        CredentialKind::Other
    }
}

/// Who did what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brief<'a> {
    /// As [`Activity::event_id`].
    pub event_id: Option<Cow<'a, str>>,
    /// The principal's id; empty where the record does not tell.
    pub principal: Cow<'a, str>,
    /// As [`Activity::operation`].
    pub operation: Cow<'a, str>,
}

/// What is inside a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwrapped {
    /// Nothing: it is the source's own record as it stands.
    Native,
    /// The native records inside, as JSON objects, and how many pieces inside were unreadable.
    Inner {
        /// Native records.
        records: Vec<Vec<u8>>,
        /// Why pieces inside could not be read; one entry a piece.
        dead: Vec<String>,
    },
    /// Known and not needed, as a digest file. Says what it is.
    Ignored(&'static str),
    /// Not of this source. Says what is missing.
    Foreign(&'static str),
    /// Not to be read. Says why.
    Broken(String),
}

/// Rows of a table as records, in the same shape as a splitter gives them: each row is one native
/// JSON record, its offset the row's first byte.
pub trait Rows {
    /// The next row; `None` at the end.
    fn next(&mut self) -> Option<Split<'_>>;
}

/// The Sigma `logsource` that a source answers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSource {
    /// Sigma's `product`.
    pub product: Option<&'static str>,
    /// Sigma's `category`.
    pub category: Option<&'static str>,
    /// Sigma's `service`.
    pub service: Option<&'static str>,
}

impl LogSource {
    /// Whether a rule for this log source means this source: whatever the rule names is equal.
    /// A rule that names nothing means every source.
    pub fn answers(
        &self,
        product: Option<&str>,
        category: Option<&str>,
        service: Option<&str>,
    ) -> bool {
        let equal = |wanted: Option<&str>, own: Option<&str>| match wanted {
            None => true,
            Some(wanted) => own.is_some_and(|own| own.eq_ignore_ascii_case(wanted)),
        };
        equal(product, self.product)
            && equal(category, self.category)
            && equal(service, self.service)
    }
}

/// What a file was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// The source's id.
    pub source: &'static str,
    /// The form in which it holds the records, for people: `lookup-events`.
    pub format: &'static str,
    /// How its records are found.
    pub container: Container,
}

/// How the records of a file are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// By a [`Splitter`](portreeve_record::Splitter) with [`Source::split_options`].
    Json,
    /// By [`Source::rows`].
    Csv,
    /// Not at all: the file is known and holds no records.
    Ignored,
}

/// An OCSF class, and the name of the activity in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcsfClass {
    /// 6003 is API Activity, 3002 Authentication.
    pub class_uid: u32,
    /// `activity_id` in the class.
    pub activity_id: u8,
    /// Its name: `Create`, `Read`, `Logon`.
    pub activity_name: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_means_a_source_when_all_it_names_is_equal() {
        let own = LogSource {
            product: Some("aws"),
            category: None,
            service: Some("cloudtrail"),
        };
        assert!(own.answers(Some("aws"), None, Some("cloudtrail")));
        assert!(own.answers(Some("AWS"), None, None));
        assert!(own.answers(None, None, None));
        assert!(!own.answers(Some("aws"), Some("process_creation"), None));
        assert!(!own.answers(Some("gcp"), None, Some("gcp.audit")));
    }
}
