//! What is done to a data folder beside watching.

use std::io::Write;

use anyhow::{Context, Result};
use jiff::{Timestamp, ToSpan};
use portreeve_engine::serve::{EventLog, Segments};
use portreeve_server::access::new_token;
use portreeve_store::{AuditEntry, Sqlite, Store, StoredToken};

use crate::Ending;
use crate::arguments::{Data, Doctor, Token, TokenTask};

fn database(data: &Data) -> std::path::PathBuf {
    data.data.join("portreeve.db")
}

/// Makes, forgets and lists tokens.
pub(crate) fn token(options: &Token) -> Result<Ending> {
    std::fs::create_dir_all(&options.data.data)
        .with_context(|| format!("cannot make {}", options.data.data.display()))?;
    let mut store = Sqlite::open(&database(&options.data))?;
    let now = Timestamp::now();
    let mut out = std::io::stdout().lock();
    let entry = |did: &str, what: &str| AuditEntry {
        time: now,
        who: "command line".to_owned(),
        did: did.to_owned(),
        what: what.to_owned(),
    };
    match &options.task {
        TokenTask::Add { name, role, days } => {
            let name = name.trim();
            if name.is_empty() || name == "loopback" || name.chars().any(char::is_control) {
                say!("portreeve: a token's name is a few words, and not `loopback`");
                return Ok(Ending::Usage);
            }
            let expires = days
                .map(|days| now.checked_add((24 * i64::from(days)).hours()))
                .transpose()?;
            let (token, hash) = new_token()?;
            store.audit(&entry("token added", &format!("{name}, {role}")))?;
            store.add_token(&StoredToken {
                name: name.to_owned(),
                role: *role,
                hash,
                made: now,
                expires,
            })?;
            writeln!(out, "{token}")?;
            say!("portreeve: this is shown once; only its hash is kept");
        }
        TokenTask::Remove { name } => {
            if !store.remove_token(name)? {
                say!(
                    "portreeve: there is no token called `{name}`; `portreeve token list` has all"
                );
                return Ok(Ending::Usage);
            }
            store.audit(&entry("token removed", name))?;
        }
        TokenTask::List => {
            for token in store.tokens()? {
                let until = match token.expires {
                    None => "for good".to_owned(),
                    Some(time) if time <= now => format!("expired {time:.0}"),
                    Some(time) => format!("until {time:.0}"),
                };
                writeln!(
                    out,
                    "{}  {}  made {:.0}, {until}",
                    token.name, token.role, token.made
                )?;
            }
        }
    }
    Ok(Ending::Clean)
}

/// Looks whether everything in a data folder is in order.
pub(crate) fn doctor(options: &Doctor) -> Result<Ending> {
    let path = database(&options.data);
    if !path.is_file() {
        say!(
            "portreeve: {} does not exist; `portreeve serve` makes it, --data names another folder",
            path.display()
        );
        return Ok(Ending::NoInput);
    }
    let store = Sqlite::open(&path)?;
    if let Some(to) = &options.backup {
        store.backup(to)?;
        println(&format!("wrote a copy of the database to {}", to.display()))?;
        return Ok(Ending::Clean);
    }
    let mut sound = true;
    let damage = store.check()?;
    match damage.as_slice() {
        [] => println(&format!("database   sound, commit {}", store.revision()?))?,
        damage => {
            sound = false;
            println("database   DAMAGED: put a backup in its place (docs/serve.md)")?;
            for line in damage {
                println(&format!("           {line}"))?;
            }
        }
    }
    let segments = store.segments()?;
    let expected: u64 = segments.iter().map(|segment| segment.records).sum();
    let log = Segments::read_only(&options.data.data.join("log"), segments);
    let mut records = 0u64;
    let damage = log.replay(&mut |_| records += 1);
    if damage.is_empty() && records == expected {
        println(&format!("event log  sound, {records} records"))?;
    } else {
        sound = false;
        println(&format!(
            "event log  DAMAGED: {records} of {expected} records can be read"
        ))?;
        for one in damage {
            println(&format!("           {}: {}", one.file, one.reason))?;
        }
    }
    let (letters, total) = store.dead_letters(5)?;
    println(&format!(
        "inputs     {} followed, {total} parts not readable",
        store.offsets()?.len()
    ))?;
    for letter in letters {
        println(&format!(
            "           {}, byte {}: {}",
            letter.file, letter.offset, letter.reason
        ))?;
    }
    println(&format!("tokens     {}", store.tokens()?.len()))?;
    if !sound {
        anyhow::bail!("the data folder is damaged");
    }
    Ok(Ending::Clean)
}

fn println(line: &str) -> Result<()> {
    let line = portreeve_view::text::clean_lines(line);
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
