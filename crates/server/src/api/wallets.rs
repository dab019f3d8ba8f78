//! Wallets: who signs for each, who reaches it, what was seen of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portreeve_incident::WalletStanding;
use portreeve_model::Severity;
use serde::Deserialize;
use utoipa::IntoParams;

use super::paging::{Cursor, Listed, Listing, page};
use super::words::{CursorText, SeverityWord};
use super::{apart, shown, tagged};
use crate::app::App;
use crate::error::Refused;
use crate::extract::Query;
use crate::pages::wallet_standings;

/// Which wallets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Those of which something at least so grave was seen.
    #[param(value_type = Option<SeverityWord>, inline)]
    severity: Option<Severity>,
    /// The `next` of the page before.
    #[param(value_type = Option<CursorText>, inline)]
    after: Option<Cursor>,
    /// How many at most: 100 where nothing is said.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
}

impl Listed for WalletStanding {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn rank(&self) -> u128 {
        WalletStanding::rank(self)
    }
}

/// Wallets, those that want a look first: each with its keys, how many reach it, and what was seen of it.
#[utoipa::path(get, path = "/api/v1/wallets", params(Wanted), responses(
    (status = 200, body = Listing<serde_json::Value>), (status = 304)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let mut all = wallet_standings(&app, &shown);
        all.retain(|one| {
            wanted
                .severity
                .is_none_or(|least| one.severity >= Some(least))
        });
        tagged(&headers, &page(all, wanted.after.as_ref(), wanted.limit)?)
    })
    .await
}
