//! Findings, with their evidence.

use std::sync::Arc;

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
        let q = wanted.q.as_ref().map(|q| q.trim().to_lowercase());
        let holds = |finding: &Finding, q: &String| {
            let texts = [Some(&finding.actor), finding.credential.as_ref()];
            let mut texts = texts.into_iter().flatten().chain(&finding.targets);
            texts.any(|text| text.to_lowercase().contains(q))
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
