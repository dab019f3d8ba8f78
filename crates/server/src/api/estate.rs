//! The estate: ways, what a loss would cost, jewels, doors, keys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use portreeve_graph::{AttackPath, Difference};
use portreeve_model::EntityId;
use portreeve_view::roads::Loss;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::paging::MOST;
use super::{apart, shown, tagged};
use crate::app::App;
use crate::error::Refused;
use crate::extract::Query;
use crate::pages::derived;

/// From where to where.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ends {
    /// Who walks: a user, role, person, key. Without it, and without `to`, everyone from outside.
    from: Option<String>,
    /// Where to: a resource or principal. Without it, crown jewels.
    to: Option<String>,
}

/// What a name means.
pub(crate) fn meant(app: &App, name: &str) -> Result<EntityId, Refused> {
    shown(app)?
        .graph
        .find(name)
        .ok_or_else(|| Refused::missing("user, role, key or resource in the inventory"))
}

/// Attack paths, in the order in which they want a look; the first 1,000.
#[utoipa::path(get, path = "/api/v1/paths", params(Ends), responses(
    (status = 200, body = serde_json::Value), (status = 304), (status = 404, description = "the inventory knows no such name")))]
pub(crate) async fn paths(
    State(app): State<Arc<App>>,
    Query(ends): Query<Ends>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Answer {
        paths: Vec<AttackPath>,
        total: usize,
    }
    apart(move || {
        let shown = shown(&app)?;
        let end = |name: &Option<String>| name.as_ref().map(|name| meant(&app, name)).transpose();
        let mut paths = match (end(&ends.from)?, end(&ends.to)?) {
            (None, None) => shown.graph.paths_from_doors(),
            (Some(from), None) => shown.graph.paths_to_jewels(from.as_str()),
            (None, Some(to)) => shown.graph.reachers(to.as_str()),
            (Some(from), Some(to)) => {
                let path = shown.graph.path(from.as_str(), to.as_str());
                path.into_iter().collect()
            }
        };
        shown.graph.rank(&mut paths);
        let total = paths.len();
        paths.truncate(MOST);
        tagged(&headers, &Answer { paths, total })
    })
    .await
}

/// What is lost.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lost {
    /// A user, role, person, key.
    of: String,
}

/// What the loss of one principal or key would cost.
#[utoipa::path(get, path = "/api/v1/blast", params(Lost), responses(
    (status = 200, body = serde_json::Value), (status = 304), (status = 404, description = "the inventory knows no such name")))]
pub(crate) async fn blast(
    State(app): State<Arc<App>>,
    Query(lost): Query<Lost>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let id = meant(&app, &lost.of)?;
        let blast = shown.graph.blast(&[id]);
        let jewels = shown.graph.jewels();
        let loss = Loss {
            asked: std::slice::from_ref(&lost.of),
            given: &[],
            blast: &blast,
            jewels: &jewels,
            blind_spots: &shown.estate.blind_spots,
        };
        tagged(&headers, &loss)
    })
    .await
}

/// The crown jewels.
#[utoipa::path(get, path = "/api/v1/jewels", responses(
    (status = 200, body = Vec<serde_json::Value>), (status = 304)))]
pub(crate) async fn jewels(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || tagged(&headers, &shown(&app)?.graph.jewels())).await
}

/// Where someone from outside can come in.
#[utoipa::path(get, path = "/api/v1/doors", responses(
    (status = 200, body = Vec<serde_json::Value>), (status = 304)))]
pub(crate) async fn doors(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || tagged(&headers, &shown(&app)?.graph.doors())).await
}

/// Every credential with what it opens, the master keys first.
#[utoipa::path(get, path = "/api/v1/keys", responses(
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn keys(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let derived = derived(&app, &shown);
        tagged(&headers, &derived.keys(&shown))
    })
    .await
}

/// How often inventory was read since the watch began, and what its last change opened and closed: doors,
/// and ways to crown jewels. Absent where nothing of that changed.
#[utoipa::path(get, path = "/api/v1/inventory", responses(
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn inventory(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Answer<'a> {
        reads: u64,
        changed: Option<Timestamp>,
        #[serde(flatten)]
        difference: Option<&'a Difference>,
    }
    apart(move || {
        let shown = shown(&app)?;
        let change = shown.inventory_change.as_deref();
        let answer = Answer {
            reads: shown.inventory,
            changed: change.map(|(time, _)| *time),
            difference: change.map(|(_, difference)| difference),
        };
        tagged(&headers, &answer)
    })
    .await
}
