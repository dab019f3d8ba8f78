//! The schema, as the steps that lead to it. A step that was released is never changed: a database of any
//! age is brought up to date by the steps that it lacks.

use std::cmp::Ordering;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// One step each; the number of steps taken is SQLite's `user_version`.
const STEPS: &[&str] = &["
    CREATE TABLE revision (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        number INTEGER NOT NULL
    ) STRICT;
    INSERT INTO revision VALUES (1, 0);

    -- What is derived from records. Written by commits alone.
    CREATE TABLE finding (
        id TEXT PRIMARY KEY,
        rank INTEGER NOT NULL,
        time INTEGER,
        body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE incident (
        id TEXT PRIMARY KEY,
        rank INTEGER NOT NULL,
        time INTEGER,
        body BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE alias (
        former TEXT PRIMARY KEY,
        incident TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alias_of ON alias (incident);
    CREATE TABLE state (
        space TEXT NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (space, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE input (
        name TEXT PRIMARY KEY,
        mark BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE segment (
        number INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL,
        positions INTEGER NOT NULL,
        records INTEGER NOT NULL,
        latest INTEGER
    ) STRICT;
    CREATE TABLE dead_letter (
        file TEXT NOT NULL,
        place INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (file, place, reason)
    ) STRICT, WITHOUT ROWID;

    -- What people add. No commit writes here.
    CREATE TABLE note (
        number INTEGER PRIMARY KEY,
        incident TEXT NOT NULL,
        who TEXT NOT NULL,
        time INTEGER NOT NULL,
        words TEXT NOT NULL
    ) STRICT;
    CREATE INDEX note_of ON note (incident);
    CREATE TABLE care (
        incident TEXT PRIMARY KEY,
        owner TEXT,
        state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        who TEXT NOT NULL,
        did TEXT NOT NULL,
        what TEXT NOT NULL
    ) STRICT;
    CREATE TABLE token (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        hash BLOB NOT NULL,
        made INTEGER NOT NULL,
        expires INTEGER
    ) STRICT, WITHOUT ROWID;
", "
    -- How each incident stood when others were told of it last, by whom they were told. No commit writes here.
    CREATE TABLE told (
        target TEXT NOT NULL,
        incident TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (target, incident)
    ) STRICT, WITHOUT ROWID;
", "
    -- What people decided of incidents: two are one, a part is not of it. None is ever taken away: one that
    -- was undone says so. No commit writes here.
    CREATE TABLE decision (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        incident TEXT NOT NULL,
        kind TEXT NOT NULL,
        what TEXT NOT NULL,
        who TEXT NOT NULL,
        time INTEGER NOT NULL,
        undone_by TEXT,
        undone INTEGER
    ) STRICT;
"];

/// Brings a database up to date.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_by(connection, STEPS)
}

/// Whether a database that cannot be brought up to date needs not to be.
pub(crate) fn expect_current(connection: &Connection) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::TooNew { found, known }),
        Ordering::Less => Err(StoreError::TooOld { found, known }),
    }
}

fn migrate_by(connection: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    // Read under the lock: two processes may open a new database at once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = steps.len() as i64;
    let Some(missing) = usize::try_from(found).ok().and_then(|it| steps.get(it..)) else {
        return Err(StoreError::TooNew { found, known });
    };
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&mut connection, &["CREATE TABLE a (x)"]).unwrap();
        connection.execute("INSERT INTO a VALUES (7)", []).unwrap();
        let steps = ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 3"];
        migrate_by(&mut connection, &steps).unwrap();
        migrate_by(&mut connection, &steps).unwrap();
        let kept: (i64, i64) = connection
            .query_row("SELECT x, y FROM a", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((kept, version(&connection)), ((7, 3), 2));
    }

    #[test]
    fn a_step_that_fails_leaves_the_database_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); nonsense"];
        assert!(migrate_by(&mut connection, &steps).is_err());
        assert_eq!(version(&connection), 0);
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }

    #[test]
    fn what_a_newer_version_wrote_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(
            migrate(&mut connection),
            Err(StoreError::TooNew {
                found: 99,
                known: 3
            })
        ));
    }
}
