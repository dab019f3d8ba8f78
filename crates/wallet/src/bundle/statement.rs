//! The manifest: an in-toto statement (v1) with the SHA-256 of each file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The type of statement (in-toto attestation framework, v1).
const TYPE: &str = "https://in-toto.io/Statement/v1";
/// What the predicate is.
const PREDICATE: &str = "https://github.com/portreeve/portreeve/bundle/v1";
/// The most files of one bundle.
const MOST: usize = 1 << 20;

/// A statement of what a bundle holds. It is not signed here: sign it with what signs the build's
/// other attestations, and verify that before it is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// The files, by name.
    pub subject: Vec<Subject>,
    predicate_type: String,
    /// What else is said.
    #[serde(default)]
    pub predicate: serde_json::Value,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Its path below the bundle's root, with `/`.
    pub name: String,
    /// Its digests, by algorithm, in lower-case hexadecimal.
    pub digest: BTreeMap<String, String>,
}

/// Why bytes are no manifest.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// No JSON of that form.
    #[error("no in-toto statement: {0}")]
    Form(#[from] serde_json::Error),
    /// Another version.
    #[error("its `_type` is `{0}`; expected {TYPE}")]
    Type(String),
    /// A file without a digest that can be compared.
    #[error("subject `{0}` has no sha256 of 64 hexadecimal digits")]
    Digest(String),
    /// A name that leads out of the bundle, or stands twice.
    #[error("subject `{0}` is no name of a file in a bundle, or stands twice")]
    Name(String),
    /// More than could be meant.
    #[error("it has {0} subjects; at most {MOST} are read")]
    Many(usize),
}

impl Statement {
    /// States what files have what digests.
    pub fn of(files: &BTreeMap<String, String>, bytes: u64) -> Self {
        Self {
            kind: TYPE.to_owned(),
            subject: files
                .iter()
                .map(|(name, digest)| Subject {
                    name: name.clone(),
                    digest: BTreeMap::from([("sha256".to_owned(), digest.clone())]),
                })
                .collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate: serde_json::json!({"files": files.len(), "bytes": bytes}),
        }
    }

    /// Reads a statement of any tool, whatever its predicate.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let mut statement: Self = serde_json::from_slice(bytes)?;
        if statement.kind != TYPE {
            return Err(StatementError::Type(statement.kind));
        }
        if statement.subject.len() > MOST {
            return Err(StatementError::Many(statement.subject.len()));
        }
        statement.subject.sort();
        let mut before: Option<&str> = None;
        for Subject { name, digest } in &statement.subject {
            let strange = name.is_empty()
                || name.starts_with('/')
                || name.contains('\\')
                || name.split('/').any(|part| matches!(part, "" | "." | ".."));
            if strange || before == Some(name) {
                return Err(StatementError::Name(name.clone()));
            }
            let sha256 = digest.get("sha256");
            if !sha256.is_some_and(|digest| {
                digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
            }) {
                return Err(StatementError::Digest(name.clone()));
            }
            before = Some(name);
        }
        Ok(statement)
    }

    /// The SHA-256 of each file, by name.
    pub fn digests(&self) -> BTreeMap<&str, String> {
        let sha256 = |subject: &Subject| {
            subject
                .digest
                .get("sha256")
                .map(|digest| digest.to_ascii_lowercase())
        };
        self.subject
            .iter()
            .filter_map(|subject| Some((subject.name.as_str(), sha256(subject)?)))
            .collect()
    }
}

/// Whether a name holds a hash of the content, as bundlers write it: `main.4f3a2b1c.js`,
/// `_app-0c1d2e3f4a5b6c7d.js`. Such a file never changes: other content has another name.
pub fn is_content_hashed(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let Some((stem, _)) = file.rsplit_once('.') else {
        return false;
    };
    stem.split(['.', '-', '_'])
        .skip(usize::from(!stem.starts_with(['.', '-', '_'])))
        .any(|token| {
            let digits = token.bytes().filter(u8::is_ascii_digit).count();
            let hex = token.bytes().all(|byte| byte.is_ascii_hexdigit());
            // A date or a version has only digits.
            token.len() >= 8 && hex && digits > 0 && digits < token.len()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        let files = [("index.html", "a"), ("static/main.4f3a2b1c.js", "b")];
        Statement::of(
            &files
                .map(|(name, digit)| (name.to_owned(), digit.repeat(64)))
                .into(),
            10,
        )
    }

    #[test]
    fn it_reads_what_it_writes() {
        let text = serde_json::to_string(&statement()).unwrap();
        assert!(
            text.starts_with(
                r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"index.html""#
            ),
            "{text}"
        );
        assert_eq!(Statement::read(text.as_bytes()).unwrap(), statement());
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let read = |from: &str, to: &str| {
            let text = serde_json::to_string(&statement())
                .unwrap()
                .replace(from, to);
            Statement::read(text.as_bytes()).unwrap_err().to_string()
        };
        assert!(
            read("Statement/v1", "Statement/v0.1")
                .contains("expected https://in-toto.io/Statement/v1")
        );
        assert!(read("index.html", "../index.html").contains("no name of a file"));
        assert!(read("index.html", "static/main.4f3a2b1c.js").contains("stands twice"));
        assert!(read(&"a".repeat(64), "abc").contains("no sha256"));
        assert!(matches!(
            Statement::read(b"[]"),
            Err(StatementError::Form(_))
        ));
    }

    #[test]
    fn names_with_the_contents_hash_are_told_from_dates_and_words() {
        for name in [
            "main.4f3a2b1c.js",
            "static/_app-0c1d2e3f4a5b6c7d.js",
            "a/b/chunk-9f8e7d6c.css",
        ] {
            assert!(is_content_hashed(name), "{name}");
        }
        for name in [
            "index.html",
            "main.js",
            "report-20260101.pdf",
            "facade-defaced.js",
            "main.4f3a.js",
            "4f3a2b1c",
            "4f3a2b1c.js",
        ] {
            assert!(!is_content_hashed(name), "{name}");
        }
    }
}
