//! One activity, as it is looked at.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;
use portreeve_model::{OriginKind, PrincipalKind};

use super::uuid::format_uuid;
use super::{
    Activities, CONSOLE, DENIED, EVENT_ID_IS_UUID, FAILED, HAS_EVENT_ID, NO_MORE_TARGETS, NO_TIME,
    Position, READ_ONLY, Row, RowId, WRITES,
};
use crate::networks::is_callers_address;
use crate::strings::Symbol;

/// One activity of the table.
#[derive(Clone, Copy, Debug)]
pub struct ActivityRow<'t> {
    pub(super) table: &'t Activities,
    pub(super) row: &'t Row,
    pub(super) id: RowId,
}

/// What two rows that are alike have in common: everything but their time, place and targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    symbols: [Symbol; 9],
    kinds: (u8, PrincipalKind, OriginKind, u8),
}

impl<'t> ActivityRow<'t> {
    /// What it has in common with its like; without its details only who, from where and with what client.
    pub(crate) fn shape(self, with_details: bool) -> Shape {
        let row = self.row;
        let detail = |symbol| if with_details { symbol } else { Symbol::NONE };
        let flags = match with_details {
            true => row.flags & !(HAS_EVENT_ID | EVENT_ID_IS_UUID),
            false => 0,
        };
        Shape {
            symbols: [
                row.principal,
                row.session,
                row.subject,
                row.address,
                row.client,
                detail(row.action),
                detail(row.credential),
                detail(row.account),
                detail(row.code),
            ],
            kinds: (row.source, row.kind, row.origin, flags),
        }
    }

    fn text(self, symbol: Symbol) -> Option<&'t str> {
        self.table.strings.get(symbol)
    }

    /// Its number in the table.
    pub fn id(self) -> RowId {
        self.id
    }

    /// When; `None` where the record does not tell.
    pub fn time(self) -> Option<Timestamp> {
        (self.row.time != NO_TIME)
            .then(|| Timestamp::from_microsecond(self.row.time).ok())
            .flatten()
    }

    /// The same in microseconds since 1970.
    pub(crate) fn moment(self) -> Option<i64> {
        (self.row.time != NO_TIME).then_some(self.row.time)
    }

    /// What: `s3:GetObject`.
    pub fn action(self) -> &'t str {
        self.text(self.row.action).unwrap_or_default()
    }

    /// The action's symbol.
    pub fn action_symbol(self) -> Symbol {
        self.row.action
    }

    /// The principal's id; empty where the record does not tell.
    pub fn principal(self) -> &'t str {
        self.text(self.row.principal).unwrap_or_default()
    }

    /// The principal's symbol.
    pub fn principal_symbol(self) -> Symbol {
        self.row.principal
    }

    /// The session name behind a role.
    pub fn session(self) -> Option<&'t str> {
        self.text(self.row.session)
    }

    /// The session name's symbol.
    pub fn session_symbol(self) -> Symbol {
        self.row.session
    }

    /// Principal and session in one text: `ROLE_ARN/dev.mira`.
    pub fn actor(self) -> String {
        match self.session() {
            Some(session) => format!("{}/{session}", self.principal()),
            None => self.principal().to_owned(),
        }
    }

    /// The web identity's provider and `sub`.
    pub fn subject(self) -> Option<&'t str> {
        self.text(self.row.subject)
    }

    /// The web identity's symbol.
    pub fn subject_symbol(self) -> Symbol {
        self.row.subject
    }

    /// What kind of principal, as far as record and estate tell.
    pub fn kind(self) -> PrincipalKind {
        self.row.kind
    }

    /// The credential's id.
    pub fn credential(self) -> Option<&'t str> {
        self.text(self.row.credential)
    }

    /// The credential's symbol.
    pub fn credential_symbol(self) -> Symbol {
        self.row.credential
    }

    /// Whether the console forwarded the call.
    pub fn console(self) -> bool {
        self.row.flags & CONSOLE != 0
    }

    /// The address as recorded.
    pub fn address(self) -> Option<&'t str> {
        self.text(self.row.address)
    }

    /// The address, where it is the caller's own: neither a service's nor the one from which
    /// Identity Center takes a person's session.
    pub fn callers_address(self) -> Option<&'t str> {
        let (_, operation) = self.action().split_once(':').unwrap_or_default();
        let is_callers = is_callers_address(self.origin(), operation, self.targets());
        self.address().filter(|_| is_callers)
    }

    /// The address's symbol.
    pub fn address_symbol(self) -> Symbol {
        self.row.address
    }

    /// What kind of address it is.
    pub fn origin(self) -> OriginKind {
        self.row.origin
    }

    /// The client's user agent.
    pub fn client(self) -> Option<&'t str> {
        self.text(self.row.client)
    }

    /// The client's symbol.
    pub fn client_symbol(self) -> Symbol {
        self.row.client
    }

    /// The symbol of the account in which it happened.
    pub fn account_symbol(self) -> Symbol {
        self.row.account
    }

    /// The account in which it happened.
    pub fn account(self) -> Option<&'t str> {
        self.text(self.row.account)
    }

    /// Whether it was done.
    pub fn succeeded(self) -> bool {
        self.row.flags & (DENIED | FAILED) == 0
    }

    /// Whether it was refused for lack of permission.
    pub fn denied(self) -> bool {
        self.row.flags & DENIED != 0
    }

    /// The source's error code, where it was not done.
    pub fn error_code(self) -> Option<&'t str> {
        self.text(self.row.code)
    }

    /// Whether the operation only reads, where the source says so.
    pub fn read_only(self) -> Option<bool> {
        match self.row.flags & (READ_ONLY | WRITES) {
            READ_ONLY => Some(true),
            WRITES => Some(false),
            _ => None,
        }
    }

    /// Symbols of what was acted on.
    pub fn target_symbols(self) -> impl Iterator<Item = Symbol> + 't {
        let more = match self.row.more_targets {
            NO_MORE_TARGETS => &[],
            index => self.table.more_targets[index as usize].as_slice(),
        };
        self.row
            .targets
            .iter()
            .copied()
            .filter(|target| target.is_some())
            .chain(more.iter().copied())
    }

    /// What was acted on: resource ids.
    pub fn targets(self) -> impl Iterator<Item = &'t str> + 't {
        self.target_symbols()
            .filter_map(move |symbol| self.text(symbol))
    }

    /// The source's own id of the event.
    pub fn event_id(self) -> Option<String> {
        if self.row.flags & HAS_EVENT_ID == 0 {
            None
        } else if self.row.flags & EVENT_ID_IS_UUID != 0 {
            Some(format_uuid(self.row.event_id))
        } else {
            self.text(Symbol::from_index(self.row.event_id as usize))
                .map(str::to_owned)
        }
    }

    /// The order of two events' ids, as their texts are ordered; one without an id comes first.
    pub fn compare_event_ids(self, other: ActivityRow<'_>) -> Ordering {
        let number = |row: &Row| (row.flags & EVENT_ID_IS_UUID != 0).then_some(row.event_id);
        match (number(self.row), number(other.row)) {
            // Digits of one length and case are ordered as the number that they write.
            (Some(one), Some(other)) => one.cmp(&other),
            _ => self.event_id().cmp(&other.event_id()),
        }
    }

    /// The number of the log source in [`Activities::sources`].
    pub(crate) fn source_number(self) -> usize {
        usize::from(self.row.source)
    }

    /// The id of the log source, as `aws.cloudtrail`.
    pub fn source(self) -> &'static str {
        let sources = &self.table.sources;
        sources
            .get(usize::from(self.row.source))
            .copied()
            .unwrap_or_default()
    }

    /// The file that holds the record.
    pub fn file(self) -> &'t Arc<str> {
        &self.table.files[self.row.file as usize]
    }

    /// The record's position.
    pub fn position(self) -> Position {
        Position {
            file: self.row.file,
            index: self.row.index,
            offset: self.row.offset,
        }
    }
}
