use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use thiserror::Error;

use super::pattern::Tri;
use super::reader::Reader;
use super::statement::{Action, ActionPattern, Effect, Statement};

/// Why a policy, or a part of it, cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path} (line {line}, column {column}): {reason}; {advice}")]
pub struct PolicyError {
    /// Where in the document: `$.Statement[2].Effect`.
    pub path: String,
    /// The line, from 1. Of a URL-encoded document the line of the decoded text.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub advice: String,
}

/// A policy document, compiled.
///
/// Documents are read as exports hold them: as JSON text, URL-encoded (`%7B…`), or as a JSON
/// string that holds the JSON text; one statement or a list; one action, resource, principal or
/// value or a list.
#[derive(Clone, Debug, Default)]
pub struct Document {
    statements: Vec<Statement>,
    /// The statements that name only actions of given services, by service, in order.
    by_service: BTreeMap<Box<str>, Vec<u32>>,
    /// The statements that may cover actions of any service, in order.
    any_service: Vec<u32>,
    denies: bool,
    defects: Vec<PolicyError>,
    /// Equal for equal texts.
    fingerprint: u64,
}

impl Document {
    /// Reads a policy, all of which must be understood: the first defect is the error. For
    /// policies that someone is writing.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document = Self::parse_lenient(text);
        match document.defects.first() {
            Some(defect) => Err(defect.clone()),
            None => Ok(document),
        }
    }

    /// Reads what can be read of a policy; [`Document::defects`] holds the rest. For policies
    /// of an estate, where one bad statement must not lose the good ones.
    ///
    /// A statement with a defect keeps what was understood of it (its effect, actions,
    /// resources, conditions) and may mean anything in the rest. It never allows or denies for
    /// certain: an answer that it could change is *depends* on an atom of
    /// [`KeyClass::Unseen`](crate::KeyClass::Unseen) that names it and carries the reason. A text
    /// that is no policy at all is like [`Document::unseen`].
    pub fn parse_lenient(text: &str) -> Self {
        let decoded = decode_document(text);
        let mut reader = Reader::new(&decoded);
        let statements = reader.document();
        let defects = reader.into_defects();
        let mut document = Self::compile(statements, defects);
        let mut hasher = std::hash::DefaultHasher::new();
        decoded.hash(&mut hasher);
        document.fingerprint = hasher.finish();
        document
    }

    /// A policy of which nothing is known but that it is there: every answer that it could change
    /// is *depends*.
    pub fn unseen(reason: &str) -> Self {
        Self::compile(vec![Statement::unknown(0, reason)], Vec::new())
    }

    /// What could not be understood, in order of the text. Empty for a document from
    /// [`Document::parse`].
    pub fn defects(&self) -> &[PolicyError] {
        &self.defects
    }

    /// How many statements it has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// Whether any statement could apply to an action (`s3:GetObject`, case does not matter), to
    /// be rid of a question quickly.
    pub fn mentions_action(&self, action: &str) -> bool {
        let lower = lower_case(action);
        let action = Action::new(&lower);
        self.candidates(action.service)
            .any(|statement| statement.covers_action(&action) != Tri::No)
    }

    /// The statements that may cover actions of a service, in order.
    pub(super) fn candidates(&self, service: &str) -> impl Iterator<Item = &Statement> {
        self.candidate_places(service)
            .filter_map(|place| self.statements.get(place))
    }

    /// The services of which statements name actions, and whether any may cover every service's.
    pub(super) fn services(&self) -> (impl Iterator<Item = &str>, bool) {
        let names = self.by_service.keys().map(|name| &**name);
        (names, !self.any_service.is_empty())
    }

    /// Where they stand among [`Document::statements`].
    pub(super) fn candidate_places(&self, service: &str) -> impl Iterator<Item = usize> {
        let mut named = self
            .by_service
            .get(service)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .peekable();
        let mut others = self.any_service.iter().peekable();
        std::iter::from_fn(move || {
            let index = match (named.peek(), others.peek()) {
                (Some(one), Some(other)) if one < other => named.next(),
                (Some(_), None) => named.next(),
                _ => others.next(),
            }?;
            Some(*index as usize)
        })
    }

    /// Equal for documents read from equal texts; few others have it.
    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether two documents say the same in the same places.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.statements == other.statements
    }

    /// Whether any statement denies, or could.
    pub(super) fn denies(&self) -> bool {
        self.denies
    }

    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    pub(super) fn compile(statements: Vec<Statement>, defects: Vec<PolicyError>) -> Self {
        let mut by_service: BTreeMap<Box<str>, Vec<u32>> = BTreeMap::new();
        let mut any_service = Vec::new();
        for (index, statement) in (0_u32..).zip(&statements) {
            match services(statement) {
                None => any_service.push(index),
                Some(names) => {
                    for name in names {
                        let list = by_service.entry(name.into()).or_default();
                        if list.last() != Some(&index) {
                            list.push(index);
                        }
                    }
                }
            }
        }
        let denies = statements
            .iter()
            .any(|statement| statement.may_have(Effect::Deny));
        Self {
            statements,
            by_service,
            any_service,
            denies,
            defects,
            fingerprint: 0,
        }
    }
}

/// The services whose actions a statement names; `None` where it may be any.
fn services(statement: &Statement) -> Option<Vec<&str>> {
    let element = statement
        .actions
        .as_ref()
        .filter(|element| !element.negated)?;
    element
        .patterns
        .iter()
        .map(ActionPattern::service)
        .collect()
}

/// A text in lower case, borrowed where it is.
pub(super) fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Undoes the forms in which exports wrap a policy: URL encoding, as the IAM API answers, and a
/// JSON string that holds the document. Any other text is handed back as it is.
pub fn decode_document(text: &str) -> Cow<'_, str> {
    let mut decoded = Cow::Borrowed(text);
    // At most both, in either order.
    for _ in 0..2 {
        let trimmed = decoded.trim_start();
        let next = if trimmed
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("%7b"))
        {
            percent_decoded(&decoded)
        } else if trimmed.starts_with('"') {
            serde_json::from_str(trimmed.trim_end()).ok()
        } else {
            None
        };
        match next {
            Some(next) => decoded = Cow::Owned(next),
            None => break,
        }
    }
    decoded
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
