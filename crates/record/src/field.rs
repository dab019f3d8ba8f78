use std::borrow::Cow;
use std::collections::HashMap;

/// The number of an interned field path. Ids count up from 0 in the order of interning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// The set of field paths that rules and activities together ask for.
///
/// A path is dotted, as `userIdentity.sessionContext.sessionIssuer.arn`. Where a record holds an
/// array on the way, the path leads into each of its elements, so that one field may have several
/// values. Paths that begin with `portreeve.` are derived: no record holds them, they are set by
/// whoever derives them.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    paths: Vec<String>,
    ids: HashMap<String, FieldId, foldhash::fast::RandomState>,
}

impl Fields {
    /// The id of a path; the same path always gets the same id.
    pub fn intern(&mut self, path: &str) -> FieldId {
        if let Some(id) = self.ids.get(path) {
            return *id;
        }
        let id = FieldId(self.paths.len() as u32);
        self.paths.push(path.to_owned());
        self.ids.insert(path.to_owned(), id);
        id
    }

    /// The id of a path that was interned before.
    pub fn get(&self, path: &str) -> Option<FieldId> {
        self.ids.get(path).copied()
    }

    /// The path with this id.
    pub fn path(&self, id: FieldId) -> &str {
        &self.paths[id.0 as usize]
    }

    /// All paths, by id.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// One value of a field, borrowed from the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'r> {
    /// Not decided yet: the field is derived from history, and history is not folded yet.
    /// Whatever depends on it is neither true nor false.
    Unknown,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written in the record.
    Number(&'r str),
    /// A string, unescaped.
    String(Cow<'r, str>),
    /// An array that a path ends at: its JSON text. (Its elements are also reachable through it.)
    Array(&'r str),
    /// An object that a path ends at: its JSON text.
    Object(&'r str),
}

impl<'r> Value<'r> {
    /// The text of a string, else `None`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// A record as rules and log sources see it: fields by id.
pub trait Record {
    /// The values of a field. Empty where the record does not have it; one value mostly; several
    /// where the path leads through an array.
    fn values(&self, field: FieldId) -> &[Value<'_>];

    /// The whole record as JSON text, for keyword search.
    fn text(&self) -> &str;

    /// The fields that have values, each once, in no order; `None` where only asking for each tells.
    fn found(&self) -> Option<&[FieldId]> {
        None
    }

    /// The first value of a field that is a string.
    fn string(&self, field: FieldId) -> Option<&str> {
        self.values(field).iter().find_map(Value::as_str)
    }
}
