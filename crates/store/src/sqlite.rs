use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use portreeve_model::DeadLetter;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::people::stored;
use crate::{
    AuditEntry, Care, Commit, Decision, Note, Segment, Store, StoreError, StoredToken, Value,
    micros, schema,
};

/// For how long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a backup copies in one go, in pages, and how long it lets writers in between.
const BACKUP_PAGES: i32 = 1_024;
const BACKUP_PAUSE: Duration = Duration::from_millis(5);

/// The store in one SQLite file.
///
/// It writes ahead (WAL) and waits for the disk with each commit (`synchronous = FULL`), so that what was
/// committed stays through a kill and a loss of power. Several may be open on one file: readers never
/// wait for the writer, and writers wait for each other.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    /// Whether commits are forgotten.
    sealed: bool,
}

impl Sqlite {
    /// Opens a store, made where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// Where it is damaged, of a newer version, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, PATIENCE)
    }

    /// The same, waiting so long for another writer.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_with(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(patience)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::migrate(&mut connection)?;
        Ok(Self {
            connection,
            sealed: false,
        })
    }

    /// Bounds the size of the file, in pages of 4 KiB; what would take more is [`StoreError::Full`].
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn bound(&self, pages: u32) -> Result<(), StoreError> {
        let set = self
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0));
        Ok(set.map(drop)?)
    }

    /// Forgets tokens and who was told of what, so that not even the file's free pages hold them.
    ///
    /// # Errors
    /// Where the database cannot be written.
    pub fn forget_secrets(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch(
            "DELETE FROM token; DELETE FROM told; PRAGMA journal_mode = DELETE; VACUUM;",
        )?;
        Ok(())
    }

    /// Opens a store that nobody writes to, to be read: nothing is written, not even beside it. A commit is
    /// taken and forgotten; what people want to write is [`StoreError::ReadOnly`].
    ///
    /// # Errors
    /// Where it is damaged, or of another version.
    pub fn open_sealed(path: &Path) -> Result<Self, StoreError> {
        let mut address = String::from("file:");
        for byte in path.to_string_lossy().bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                    address.push(char::from(byte));
                }
                byte => address.push_str(&format!("%{byte:02x}")),
            }
        }
        address.push_str("?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(address, flags)?;
        schema::expect_current(&connection)?;
        Ok(Self {
            connection,
            sealed: true,
        })
    }

    fn each(&self, query: &str, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(
                text(row.get_ref(0)?)?,
                row.get_ref(1)?.as_blob().map_err(damaged)?,
            );
        }
        Ok(())
    }

    fn body(&self, query: &str, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.connection.prepare_cached(query)?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }
}

fn text(value: rusqlite::types::ValueRef<'_>) -> Result<&str, StoreError> {
    value.as_str().map_err(damaged)
}

fn damaged(error: rusqlite::types::FromSqlError) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| StoreError::Value(format!("the time {micros}")))
}

/// SQLite's numbers are signed; no size comes near the bound.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn put(
    transaction: &Connection,
    table: &str,
    changes: &[(String, Option<Value>)],
) -> Result<(), StoreError> {
    let mut write = transaction.prepare_cached(&format!(
        "INSERT INTO {table} (id, rank, time, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE \
         SET rank = excluded.rank, time = excluded.time, body = excluded.body"
    ))?;
    let mut remove = transaction.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?;
    for (id, value) in changes {
        match value {
            Some(value) => write.execute(params![id, value.rank, value.time, value.body])?,
            None => remove.execute([id])?,
        };
    }
    Ok(())
}

impl Store for Sqlite {
    fn commit(&mut self, commit: &Commit) -> Result<u64, StoreError> {
        if self.sealed {
            return self.revision();
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        put(&transaction, "finding", &commit.findings)?;
        put(&transaction, "incident", &commit.incidents)?;
        {
            // Whoever pointed to the former now points to the one it went into, so that no chain grows.
            let mut follow =
                transaction.prepare_cached("UPDATE alias SET incident = ?2 WHERE incident = ?1")?;
            let mut write =
                transaction.prepare_cached("INSERT OR REPLACE INTO alias VALUES (?1, ?2)")?;
            for (former, incident) in &commit.aliases {
                follow.execute([former, incident])?;
                write.execute([former, incident])?;
            }
            // One that is there again is no alias any more.
            let mut forget = transaction.prepare_cached("DELETE FROM alias WHERE former = ?1")?;
            for (id, value) in &commit.incidents {
                if value.is_some() {
                    forget.execute([id])?;
                }
            }
            let mut write =
                transaction.prepare_cached("INSERT OR REPLACE INTO state VALUES (?1, ?2, ?3)")?;
            let mut remove =
                transaction.prepare_cached("DELETE FROM state WHERE space = ?1 AND key = ?2")?;
            for (space, key, value) in &commit.state {
                match value {
                    Some(value) => write.execute(params![space, key, value])?,
                    None => remove.execute(params![space, key])?,
                };
            }
            let mut write =
                transaction.prepare_cached("INSERT OR REPLACE INTO input VALUES (?1, ?2)")?;
            let mut remove = transaction.prepare_cached("DELETE FROM input WHERE name = ?1")?;
            for (name, mark) in &commit.offsets {
                match mark {
                    Some(mark) => write.execute(params![name, mark])?,
                    None => remove.execute([name])?,
                };
            }
            let mut write = transaction
                .prepare_cached("INSERT OR REPLACE INTO segment VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for segment in &commit.segments {
                write.execute(params![
                    signed(segment.number),
                    signed(segment.bytes),
                    signed(segment.positions),
                    signed(segment.records),
                    segment.latest
                ])?;
            }
            let mut remove = transaction.prepare_cached("DELETE FROM segment WHERE number = ?1")?;
            for number in &commit.dropped_segments {
                remove.execute([signed(*number)])?;
            }
            let mut write = transaction
                .prepare_cached("INSERT OR IGNORE INTO dead_letter VALUES (?1, ?2, ?3)")?;
            for letter in &commit.dead_letters {
                write.execute(params![
                    &*letter.file,
                    signed(letter.offset),
                    &*letter.reason
                ])?;
            }
        }
        let revision: i64 = transaction.query_row(
            "UPDATE revision SET number = number + 1 RETURNING number",
            [],
            |row| row.get(0),
        )?;
        transaction.commit()?;
        Ok(unsigned(revision))
    }

    fn revision(&self) -> Result<u64, StoreError> {
        let number = self
            .connection
            .query_row("SELECT number FROM revision", [], |row| row.get(0))?;
        Ok(unsigned(number))
    }

    fn each_finding(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.each("SELECT id, body FROM finding ORDER BY id", take)
    }

    fn each_incident(&self, take: &mut dyn FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.each("SELECT id, body FROM incident ORDER BY id", take)
    }

    fn finding(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.body("SELECT body FROM finding WHERE id = ?1", id)
    }

    fn incident(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let id = self.incident_id(id)?;
        self.body("SELECT body FROM incident WHERE id = ?1", &id)
    }

    fn incident_id(&self, id: &str) -> Result<String, StoreError> {
        let found = self
            .connection
            .prepare_cached("SELECT incident FROM alias WHERE former = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or_else(|| id.to_owned()))
    }

    fn state(&self, space: &str, take: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key, value FROM state WHERE space = ?1 ORDER BY key")?;
        let mut rows = statement.query([space])?;
        while let Some(row) = rows.next()? {
            take(
                row.get_ref(0)?.as_blob().map_err(damaged)?,
                row.get_ref(1)?.as_blob().map_err(damaged)?,
            );
        }
        Ok(())
    }

    fn offsets(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, mark FROM input ORDER BY name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn segments(&self) -> Result<Vec<Segment>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, bytes, positions, records, latest FROM segment ORDER BY number",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Segment {
                number: unsigned(row.get(0)?),
                bytes: unsigned(row.get(1)?),
                positions: unsigned(row.get(2)?),
                records: unsigned(row.get(3)?),
                latest: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn dead_letters(&self, limit: usize) -> Result<(Vec<DeadLetter>, u64), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT file, place, reason FROM dead_letter ORDER BY file, place, reason LIMIT ?1",
        )?;
        let rows = statement.query_map([signed(limit as u64)], |row| {
            Ok(DeadLetter {
                file: row.get::<_, String>(0)?.into(),
                offset: unsigned(row.get(1)?),
                reason: row.get(2)?,
            })
        })?;
        let letters = rows.collect::<Result<_, _>>()?;
        let count = self
            .connection
            .query_row("SELECT count(*) FROM dead_letter", [], |row| row.get(0))?;
        Ok((letters, unsigned(count)))
    }

    fn add_note(&mut self, incident: &str, note: &Note) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO note (incident, who, time, words) VALUES (?1, ?2, ?3, ?4)",
            params![incident, note.who, micros(note.time), note.words],
        )?;
        Ok(())
    }

    fn notes(&self, incident: &str) -> Result<Vec<Note>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT who, time, words FROM note WHERE incident = ?1 \
             OR incident IN (SELECT former FROM alias WHERE incident = ?1) ORDER BY time, number",
        )?;
        let mut rows = statement.query([self.incident_id(incident)?])?;
        let mut notes = Vec::new();
        while let Some(row) = rows.next()? {
            notes.push(Note {
                who: row.get(0)?,
                time: time(row.get(1)?)?,
                words: row.get(2)?,
            });
        }
        Ok(notes)
    }

    fn set_care(&mut self, incident: &str, care: &Care) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO care VALUES (?1, ?2, ?3)",
            params![incident, care.owner, care.state.as_str()],
        )?;
        Ok(())
    }

    fn cares(&self) -> Result<Vec<(String, Care)>, StoreError> {
        // What is said of the incident itself counts before what was said of one that went into it.
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce(alias.incident, care.incident) AS now, owner, state FROM care \
             LEFT JOIN alias ON alias.former = care.incident \
             ORDER BY now, alias.incident IS NOT NULL, care.incident",
        )?;
        let mut rows = statement.query([])?;
        let mut cares: Vec<(String, Care)> = Vec::new();
        while let Some(row) = rows.next()? {
            let care = Care {
                owner: row.get(1)?,
                state: stored(text(row.get_ref(2)?)?)?,
            };
            cares.push((row.get(0)?, care));
        }
        cares.dedup_by(|later, first| later.0 == first.0);
        Ok(cares)
    }

    fn add_decision(&mut self, decision: &Decision) -> Result<u64, StoreError> {
        self.connection.execute(
            "INSERT INTO decision (incident, kind, what, who, time) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                decision.incident,
                decision.kind.as_str(),
                decision.what,
                decision.who,
                micros(decision.time)
            ],
        )?;
        Ok(unsigned(self.connection.last_insert_rowid()))
    }

    fn undo_decision(
        &mut self,
        number: u64,
        who: &str,
        time: Timestamp,
    ) -> Result<bool, StoreError> {
        let undone = self.connection.execute(
            "UPDATE decision SET undone_by = ?2, undone = ?3 WHERE number = ?1 AND undone IS NULL",
            params![signed(number), who, micros(time)],
        )?;
        Ok(undone > 0)
    }

    fn decisions(&self) -> Result<Vec<Decision>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, incident, kind, what, who, time, undone_by, undone FROM decision \
             ORDER BY number",
        )?;
        let mut rows = statement.query([])?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let by: Option<String> = row.get(6)?;
            let undone = row.get::<_, Option<i64>>(7)?.map(time).transpose()?;
            decisions.push(Decision {
                number: unsigned(row.get(0)?),
                incident: row.get(1)?,
                kind: stored(text(row.get_ref(2)?)?)?,
                what: row.get(3)?,
                who: row.get(4)?,
                time: time(row.get(5)?)?,
                undone: by.zip(undone),
            });
        }
        Ok(decisions)
    }

    fn told(&self, target: &str) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT incident, state FROM told WHERE target = ?1 ORDER BY incident",
        )?;
        let rows = statement.query_map([target], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn set_told(&mut self, target: &str, incident: &str, state: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO told VALUES (?1, ?2, ?3)",
            params![target, incident, state],
        )?;
        Ok(())
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO audit (time, who, did, what) VALUES (?1, ?2, ?3, ?4)",
            params![micros(entry.time), entry.who, entry.did, entry.what],
        )?;
        Ok(())
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT time, who, did, what FROM audit ORDER BY number DESC LIMIT ?1",
        )?;
        let mut rows = statement.query([signed(limit as u64)])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(AuditEntry {
                time: time(row.get(0)?)?,
                who: row.get(1)?,
                did: row.get(2)?,
                what: row.get(3)?,
            });
        }
        Ok(entries)
    }

    fn add_token(&mut self, token: &StoredToken) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO token VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                token.name,
                token.role.as_str(),
                token.hash,
                micros(token.made),
                token.expires.map(micros)
            ],
        )?;
        Ok(())
    }

    fn remove_token(&mut self, name: &str) -> Result<bool, StoreError> {
        let removed = self
            .connection
            .execute("DELETE FROM token WHERE name = ?1", [name])?;
        Ok(removed > 0)
    }

    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, role, hash, made, expires FROM token ORDER BY name")?;
        let mut rows = statement.query([])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            tokens.push(StoredToken {
                name: row.get(0)?,
                role: stored(text(row.get_ref(1)?)?)?,
                hash: row.get(2)?,
                made: time(row.get(3)?)?,
                expires: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
            });
        }
        Ok(tokens)
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Exists(to.to_owned()));
        }
        let mut copy = Connection::open(to)?;
        Backup::new(&self.connection, &mut copy)?.run_to_completion(
            BACKUP_PAGES,
            BACKUP_PAUSE,
            None,
        )?;
        Ok(())
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut found = rows.collect::<Result<Vec<_>, _>>()?;
        found.retain(|line| line != "ok");
        Ok(found)
    }
}
