//! Sources, coverage, rules, and the audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use portreeve_engine::serve::SourceState;
use portreeve_view::json::Sight;
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::MOST;
use super::{apart, shown, tagged};
use crate::app::{App, RuleLine};
use crate::error::Refused;

/// Where records come from, with both clocks: the latest record's own time, and when the last arrived.
#[utoipa::path(get, path = "/api/v1/sources", responses(
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn sources(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Answer<'a> {
        sources: &'a [SourceState],
        watermark: Option<Timestamp>,
        dead_letters: u64,
    }
    apart(move || {
        let shown = shown(&app)?;
        let figures = app.board.figures();
        let answer = Answer {
            sources: &shown.sources,
            watermark: figures.watermark,
            dead_letters: figures.dead_letters,
        };
        tagged(&headers, &answer)
    })
    .await
}

/// What the logs cover, which steps of known actors they can show, and what could not be seen or read.
#[utoipa::path(get, path = "/api/v1/coverage", responses(
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn coverage(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || tagged(&headers, &Sight::of(&shown(&app)?.report))).await
}

/// The rules and correlations in use, with how many findings each has made.
#[utoipa::path(get, path = "/api/v1/rules", responses(
    (status = 200, body = Vec<UsedRule>), (status = 304)))]
pub(crate) async fn rules(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let rules: Vec<UsedRule> = app
            .rules
            .iter()
            .map(|rule| UsedRule {
                findings: shown.totals.of_rule(&rule.id),
                rule: rule.clone(),
            })
            .collect();
        tagged(&headers, &rules)
    })
    .await
}

/// A rule with what it found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsedRule {
    #[serde(flatten)]
    rule: RuleLine,
    /// How many findings it made.
    findings: u64,
}

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLine {
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    who: String,
    did: String,
    what: String,
}

/// Who did what, the latest first; the latest 1,000.
#[utoipa::path(get, path = "/api/v1/audit", responses(
    (status = 200, body = Vec<AuditLine>), (status = 304)))]
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let entries = app.store(|store| store.audit_log(MOST))?;
        let lines: Vec<AuditLine> = entries
            .into_iter()
            .map(|entry| AuditLine {
                time: entry.time,
                who: entry.who,
                did: entry.did,
                what: entry.what,
            })
            .collect();
        tagged(&headers, &lines)
    })
    .await
}
