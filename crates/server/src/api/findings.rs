//! Findings, with their evidence.

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portreeve_model::{Finding, Severity};
use serde::Deserialize;
use utoipa::IntoParams;

use super::paging::{Cursor, Listing, page};
use super::words::{CursorText, SeverityWord};
use super::{apart, shown, tagged};
use crate::app::App;
use crate::error::Refused;
use crate::extract::{Path, Query};

/// Which findings.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// At least so grave.
    #[param(value_type = Option<SeverityWord>, inline)]
    severity: Option<Severity>,
    /// The id of the rule.
    rule: Option<String>,
    /// Words in the actor, the credential or a target.
    q: Option<String>,
    /// The `next` of the page before.
    #[param(value_type = Option<CursorText>, inline)]
    after: Option<Cursor>,
    /// How many at most: 100 where nothing is said.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
}

/// Words that are looked for, large and small letters alike. Ids are ASCII, and there may be a million: they
/// are searched as they are. Other letters need a copy in small ones.
enum Words {
    Ascii(AhoCorasick),
    Other(String),
}

impl Words {
    fn new(words: &str) -> Result<Self, Refused> {
        if !words.is_ascii() {
            return Ok(Self::Other(words.to_lowercase()));
        }
        let mut search = AhoCorasick::builder();
        let search = search.ascii_case_insensitive(true).build([words]);
        let search = search.map_err(|error| Refused::bad(format!("q: {error}")))?;
        Ok(Self::Ascii(search))
    }

    fn are_in(&self, text: &str) -> bool {
        match self {
            Self::Ascii(search) => search.is_match(text),
            Self::Other(words) => text.to_lowercase().contains(words),
        }
    }
}

/// Findings in order of time, each with its evidence.
#[utoipa::path(get, path = "/api/v1/findings", params(Wanted), responses(
    (status = 200, body = Listing<serde_json::Value>), (status = 304)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let q = wanted.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
        let q = q.map(Words::new).transpose()?;
        let holds = |finding: &Finding, q: &Words| {
            let texts = [Some(&finding.actor), finding.credential.as_ref()];
            let mut texts = texts.into_iter().flatten().chain(&finding.targets);
            texts.any(|text| q.are_in(text))
        };
        let left: Vec<&Finding> = shown
            .report
            .findings
            .iter()
            .filter(|finding| {
                wanted
                    .severity
                    .is_none_or(|least| finding.severity >= least)
                    && wanted
                        .rule
                        .as_ref()
                        .is_none_or(|rule| finding.rule == *rule)
                    && q.as_ref().is_none_or(|q| holds(finding, q))
            })
            .collect();
        tagged(&headers, &page(left, wanted.after.as_ref(), wanted.limit)?)
    })
    .await
}

/// One finding with its evidence.
#[utoipa::path(get, path = "/api/v1/findings/{id}", params(("id" = String, Path)), responses(
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let finding = shown.finding(&id);
        tagged(
            &headers,
            finding.ok_or_else(|| Refused::missing("finding"))?,
        )
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_letters_size() {
        let found = |words: &str, text: &str| Words::new(words).unwrap().are_in(text);
        assert!(found("ALICE", "arn:aws:iam::111122223333:user/alice"));
        assert!(found("user/Al", "arn:aws:iam::111122223333:user/alice"));
        assert!(!found("alice2", "arn:aws:iam::111122223333:user/alice"));
        assert!(found("JÖRG", "user/jörg"));
        assert!(!found("jorg", "user/jörg"));
    }
}
