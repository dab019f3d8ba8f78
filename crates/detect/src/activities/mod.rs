mod order;
mod row;
mod uuid;

use std::sync::Arc;

use jiff::Timestamp;
use portreeve_model::{Activity, OriginKind, Outcome, PrincipalKind};

use crate::repeated::News;
use crate::strings::{Strings, Symbol};

pub use row::ActivityRow;
pub(crate) use row::Shape;
use uuid::parse_uuid;

/// Where a record stands: what evidence points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file's number in [`Activities::files`].
    pub file: u32,
    /// The record's number in it, from 0.
    pub index: u64,
    /// Its first byte in the decompressed stream.
    pub offset: u64,
}

/// The number of a row in an [`Activities`] table.
pub type RowId = u32;

/// A table that has come to so many rows will have many more: room for them is made at once, since each
/// moving of the rows to a larger room touches all of its memory anew.
const MANY_ROWS: usize = 1 << 17;

const NO_TIME: i64 = i64::MAX;

/// An activity folded to about a hundred bytes: everything that incidents tell, with texts interned.
#[derive(Clone, Copy, Debug)]
struct Row {
    event_id: u128,
    time: i64,
    offset: u64,
    index: u64,
    file: u32,
    action: Symbol,
    principal: Symbol,
    session: Symbol,
    subject: Symbol,
    credential: Symbol,
    address: Symbol,
    client: Symbol,
    account: Symbol,
    code: Symbol,
    targets: [Symbol; 2],
    more_targets: u32,
    source: u8,
    kind: PrincipalKind,
    origin: OriginKind,
    flags: u8,
}

const READ_ONLY: u8 = 1;
const WRITES: u8 = 2;
const EVENT_ID_IS_UUID: u8 = 4;
const HAS_EVENT_ID: u8 = 8;
const CONSOLE: u8 = 16;
const DENIED: u8 = 32;
const FAILED: u8 = 64;
const NO_MORE_TARGETS: u32 = u32::MAX;

/// Where rows went when they were put in order.
pub(crate) struct Moved {
    /// For each former row number the new one; none for a repetition.
    pub(crate) moved: Vec<Option<RowId>>,
    /// Former numbers of repetitions, with that of the row that stands for each.
    pub(crate) repeated: Vec<(RowId, RowId)>,
}

/// What symbols of one table are called in another that holds a part of it.
pub(crate) struct Renaming<'s> {
    from: &'s Strings,
    to: Strings,
    /// By former symbol; none where the other table does not know the text.
    names: Vec<Symbol>,
}

impl Renaming<'_> {
    /// The symbol in the other table, made known there.
    pub(crate) fn rename(&mut self, symbol: Symbol) -> Symbol {
        let Some(name) = self.names.get_mut(symbol.index()) else {
            return Symbol::NONE;
        };
        if !name.is_some() {
            *name = self.to.intern_option(self.from.get(symbol));
        }
        *name
    }

    /// Whether the other table knows the text.
    pub(crate) fn knows(&self, symbol: Symbol) -> bool {
        self.names
            .get(symbol.index())
            .is_some_and(|name| name.is_some())
    }

    /// The texts of the other table.
    pub(crate) fn into_strings(self) -> Strings {
        self.to
    }
}

/// All activities of a run, one row each, in order of time once stage two has finished.
#[derive(Clone, Debug, Default)]
pub struct Activities {
    strings: Strings,
    rows: Vec<Row>,
    more_targets: Vec<Vec<Symbol>>,
    files: Vec<Arc<str>>,
    sources: Vec<&'static str>,
    /// Memory in which an action's text is put together.
    action: String,
}

impl Activities {
    /// Names a file that rows will point to.
    pub fn add_file(&mut self, name: Arc<str>) -> u32 {
        self.files.push(name);
        (self.files.len() - 1) as u32
    }

    /// Adds an activity.
    pub fn push(&mut self, activity: &Activity<'_>, position: Position) -> RowId {
        let strings = &mut self.strings;
        let mut flags = match activity.read_only {
            Some(true) => READ_ONLY,
            Some(false) => WRITES,
            None => 0,
        };
        let event_id = match activity.event_id.as_deref() {
            None => 0,
            Some(text) => {
                flags |= HAS_EVENT_ID;
                match parse_uuid(text) {
                    Some(uuid) => {
                        flags |= EVENT_ID_IS_UUID;
                        uuid
                    }
                    None => strings.intern(text).index() as u128,
                }
            }
        };
        let code = match &activity.outcome {
            Outcome::Success => None,
            Outcome::Denied(code) => {
                flags |= DENIED;
                Some(&**code)
            }
            Outcome::Failed(code) => {
                flags |= FAILED;
                Some(&**code)
            }
        };
        self.action.clear();
        self.action.push_str(&activity.service);
        self.action.push(':');
        self.action.push_str(&activity.operation);
        let credential = activity.credential.as_ref();
        if credential.is_some_and(|credential| credential.console) {
            flags |= CONSOLE;
        }
        let actor = &activity.actor;
        let address = &*activity.origin.address;
        let target = |number: usize| activity.targets.get(number).map(|target| &**target);
        let near = self.rows.last().map_or([Symbol::NONE; 11], |last| {
            [
                last.action,
                last.principal,
                last.session,
                last.subject,
                last.credential,
                last.address,
                last.client,
                last.account,
                last.code,
                last.targets[0],
                last.targets[1],
            ]
        });
        let texts = [
            Some(&*self.action),
            Some(&*actor.principal),
            actor.session.as_deref(),
            actor.subject.as_deref(),
            credential.map(|credential| &*credential.id),
            (!address.is_empty()).then_some(address),
            activity.client.as_deref(),
            activity.account.as_deref(),
            code,
            target(0),
            target(1),
        ];
        let [
            action,
            principal,
            session,
            subject,
            credential,
            address,
            client,
            account,
            code,
            first_target,
            second_target,
        ] = strings.intern_all(texts, near);
        let more_targets = match activity.targets.get(2..) {
            None | Some([]) => NO_MORE_TARGETS,
            Some(more) => {
                let more = more.iter().map(|target| strings.intern(target)).collect();
                self.more_targets.push(more);
                (self.more_targets.len() - 1) as u32
            }
        };
        let source = number_of(&mut self.sources, activity.source);
        self.push_row(Row {
            event_id,
            time: activity.time.map_or(NO_TIME, Timestamp::as_microsecond),
            offset: position.offset,
            index: position.index,
            file: position.file,
            action,
            principal,
            session,
            subject,
            credential,
            address,
            client,
            account,
            code,
            targets: [first_target, second_target],
            more_targets,
            source,
            kind: actor.kind,
            origin: activity.origin.kind,
            flags,
        });
        (self.rows.len() - 1) as RowId
    }

    /// Adds an activity that is the same as one in the table but for its event's id, its time, its credential's
    /// id and where it stands; `None` where its id is not told by a number as that one's is. What is not given
    /// is that of the other.
    pub(crate) fn push_repeated(
        &mut self,
        of: RowId,
        news: &News<'_>,
        position: Position,
    ) -> Option<RowId> {
        let mut row = *self.rows.get(of as usize)?;
        if let Some(text) = news.id
            && row.flags & HAS_EVENT_ID != 0
        {
            if row.flags & EVENT_ID_IS_UUID == 0 {
                return None;
            }
            row.event_id = parse_uuid(text)?;
        }
        if let Some(time) = news.time {
            row.time = time.map_or(NO_TIME, Timestamp::as_microsecond);
        }
        if let Some(credential) = news.credential {
            row.credential = self.strings.intern(credential);
        }
        row.offset = position.offset;
        row.index = position.index;
        row.file = position.file;
        self.push_row(row);
        Some((self.rows.len() - 1) as RowId)
    }

    fn push_row(&mut self, row: Row) {
        if self.rows.len() == self.rows.capacity() && self.rows.len() >= MANY_ROWS {
            self.rows.reserve(7 * MANY_ROWS);
        }
        self.rows.push(row);
    }

    /// Replaces what the record alone told of the actor's kind.
    pub(crate) fn set_kind(&mut self, id: RowId, kind: PrincipalKind) {
        self.rows[id as usize].kind = kind;
    }

    /// Adds all rows of another table behind the own ones; returns what each of its symbols has
    /// become, so that whatever else refers to them can follow.
    pub(crate) fn append(&mut self, other: Activities) -> Vec<Symbol> {
        let map: Vec<Symbol> = other
            .strings
            .iter()
            .map(|(_, text)| self.strings.intern(text))
            .collect();
        let renamed = |symbol: Symbol| {
            if symbol.is_some() {
                map[symbol.index()]
            } else {
                symbol
            }
        };
        let first_file = self.files.len() as u32;
        let sources: Vec<u8> = other
            .sources
            .iter()
            .map(|source| number_of(&mut self.sources, source))
            .collect();
        let first_more = self.more_targets.len() as u32;
        self.files.extend(other.files);
        self.more_targets.extend(
            other
                .more_targets
                .into_iter()
                .map(|list| list.into_iter().map(renamed).collect()),
        );
        self.rows.extend(other.rows.into_iter().map(|row| {
            Row {
                event_id: if row.flags & HAS_EVENT_ID != 0 && row.flags & EVENT_ID_IS_UUID == 0 {
                    map[row.event_id as usize].index() as u128
                } else {
                    row.event_id
                },
                file: row.file + first_file,
                source: sources
                    .get(usize::from(row.source))
                    .copied()
                    .unwrap_or_default(),
                action: renamed(row.action),
                principal: renamed(row.principal),
                session: renamed(row.session),
                subject: renamed(row.subject),
                credential: renamed(row.credential),
                address: renamed(row.address),
                client: renamed(row.client),
                account: renamed(row.account),
                code: renamed(row.code),
                targets: row.targets.map(renamed),
                more_targets: match row.more_targets {
                    NO_MORE_TARGETS => NO_MORE_TARGETS,
                    index => index + first_more,
                },
                ..row
            }
        }));
        map
    }

    /// Puts the rows in order of time (those without a time last, ties by file and position), drops
    /// repeated events, and tells for each former row number the new one, `None` where it was a
    /// repetition. Of several copies the one in the first file by name is kept, so that neither
    /// the order of the files nor the number of threads shows in the result.
    pub(crate) fn finish(&mut self) -> Moved {
        let (mut order, repeated) = order::of(&self.rows, &self.files);
        let mut moved = vec![None; self.rows.len()];
        for (row, former) in (0..).zip(&order) {
            moved[*former as usize] = Some(row);
        }
        let kept = order.len();
        order.extend(repeated.iter().map(|(former, _)| *former));
        order::put(&mut self.rows, order);
        self.rows.truncate(kept);
        Moved { moved, repeated }
    }

    /// The first row whose time is this moment or later, of rows in order of time.
    pub(crate) fn first_from(&self, moment: i64) -> RowId {
        self.rows.partition_point(|row| row.time < moment) as RowId
    }

    /// A table of some rows alone, in the order given, and what symbols are called in it: none for a text
    /// that no row of them tells.
    pub(crate) fn part(&self, rows: &[RowId]) -> (Activities, Renaming<'_>) {
        let mut part = Activities {
            sources: self.sources.clone(),
            ..Activities::default()
        };
        let mut renaming = Renaming {
            from: &self.strings,
            to: Strings::default(),
            names: vec![Symbol::NONE; self.strings.len()],
        };
        let mut files = vec![None; self.files.len()];
        part.rows.reserve(rows.len());
        for row in rows.iter().map(|row| self.rows[*row as usize]) {
            let file = *files[row.file as usize]
                .get_or_insert_with(|| part.add_file(self.files[row.file as usize].clone()));
            let more_targets = match row.more_targets {
                NO_MORE_TARGETS => NO_MORE_TARGETS,
                index => {
                    let targets = &self.more_targets[index as usize];
                    let targets = targets.iter().map(|target| renaming.rename(*target));
                    part.more_targets.push(targets.collect());
                    (part.more_targets.len() - 1) as u32
                }
            };
            part.rows.push(Row {
                event_id: match row.flags & (HAS_EVENT_ID | EVENT_ID_IS_UUID) {
                    HAS_EVENT_ID => {
                        let text = Symbol::from_index(row.event_id as usize);
                        renaming.rename(text).index() as u128
                    }
                    _ => row.event_id,
                },
                file,
                action: renaming.rename(row.action),
                principal: renaming.rename(row.principal),
                session: renaming.rename(row.session),
                subject: renaming.rename(row.subject),
                credential: renaming.rename(row.credential),
                address: renaming.rename(row.address),
                client: renaming.rename(row.client),
                account: renaming.rename(row.account),
                code: renaming.rename(row.code),
                targets: row.targets.map(|target| renaming.rename(target)),
                more_targets,
                ..row
            });
        }
        (part, renaming)
    }

    pub(crate) fn set_strings(&mut self, strings: Strings) {
        self.strings = strings;
    }

    /// The times of all rows that have one, in no particular order.
    pub(crate) fn moments(&self) -> impl Iterator<Item = i64> {
        let times = self.rows.iter().map(|row| row.time);
        times.filter(|time| *time != NO_TIME)
    }

    /// The rows, in order of time.
    pub fn iter(&self) -> impl Iterator<Item = ActivityRow<'_>> {
        (0..self.rows.len() as RowId).map(|id| self.get(id))
    }

    /// One row.
    ///
    /// # Panics
    /// Where there is no such row; row numbers come only from this table.
    pub fn get(&self, id: RowId) -> ActivityRow<'_> {
        ActivityRow {
            table: self,
            row: &self.rows[id as usize],
            id,
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The interned texts: symbols make cheap keys for grouping.
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    pub(crate) fn strings_mut(&mut self) -> &mut Strings {
        &mut self.strings
    }

    /// The log sources that rows are from.
    pub(crate) fn sources(&self) -> &[&'static str] {
        &self.sources
    }

    /// The files that rows point to.
    pub fn files(&self) -> &[Arc<str>] {
        &self.files
    }
}

/// The number of a log source among those seen; there are a few dozen at most.
fn number_of(sources: &mut Vec<&'static str>, source: &'static str) -> u8 {
    let known = sources.iter().position(|known| *known == source);
    let number = known.unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    });
    number as u8
}
