//! Findings, with their evidence.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use portreeve_model::Finding;
use serde::Deserialize;
use utoipa::IntoParams;

use super::incidents::severity;
use super::{Listing, apart, page, shown, tagged};
use crate::app::App;
use crate::error::{Problem, Refused};

/// Which findings.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// At least so grave: informational, low, medium, high, critical.
    severity: Option<String>,
    /// The id of the rule.
    rule: Option<String>,
    /// Words in the actor, the credential or a target.
    q: Option<String>,
    /// The id of the last finding of the page before.
    after: Option<String>,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    limit: Option<usize>,
}

/// Findings in order of time, each with its evidence.
#[utoipa::path(get, path = "/api/v1/findings", params(Wanted), responses(
    (status = 200, body = Listing<serde_json::Value>), (status = 304), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let least = severity(wanted.severity.as_deref())?;
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
                least.is_none_or(|least| finding.severity >= least)
                    && wanted
                        .rule
                        .as_ref()
                        .is_none_or(|rule| finding.rule == *rule)
                    && q.as_ref().is_none_or(|q| holds(finding, q))
            })
            .collect();
        let after = wanted.after.as_deref();
        tagged(
            &headers,
            &page(left, |it| it.id.as_str(), after, wanted.limit)?,
        )
    })
    .await
}

/// One finding with its evidence.
#[utoipa::path(get, path = "/api/v1/findings/{id}", params(("id" = String, Path)), responses(
    (status = 200, body = serde_json::Value), (status = 304), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let finding = shown.report.findings.iter().find(|it| it.id == id);
        tagged(
            &headers,
            finding.ok_or_else(|| Refused::missing("finding"))?,
        )
    })
    .await
}
