//! What the inventory says: who reaches what, keys, doors, posture; and what the logs can show.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use portreeve_view::html::live::{self, Section};
use portreeve_view::html::{Parts, keys_page, paths_page, posture_page};
use portreeve_view::roads::Roads;
use serde::Deserialize;

use super::{asked, derived, drawn, wallet_standings};
use crate::access::Caller;
use crate::app::App;
use crate::error::Refused;
use crate::extract::Query;

/// What a search finds at most.
const HITS: usize = 50;

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
    /// What is open of the picture of steps.
    #[serde(default)]
    open: String,
}

pub(crate) async fn estate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(search): Query<Search>,
) -> Result<Response, Refused> {
    let section = Some(Section::Estate);
    drawn(app, caller, section, move |_, shown, _| {
        let graph = &shown.graph;
        let jewels = graph.jewels();
        let query = search.q.trim();
        // A name that means one thing is that thing; others are searched for.
        let meant = match query {
            "" => Vec::new(),
            query => graph.lookup(query),
        };
        let chosen = meant.first();
        let lower = query.to_lowercase();
        let all: Vec<&str> = match query {
            "" => jewels.iter().map(|jewel| jewel.id.as_str()).collect(),
            _ => graph
                .entities()
                .map(portreeve_model::EntityId::as_str)
                .filter(|id| id.to_lowercase().contains(&lower))
                .collect(),
        };
        let blast = chosen.map(|id| graph.blast(std::slice::from_ref(id)));
        let mut ways = chosen.map_or_else(Vec::new, |id| graph.paths_to_jewels(id.as_str()));
        let mut reachers = chosen.map_or_else(Vec::new, |id| graph.reachers(id.as_str()));
        graph.rank(&mut ways);
        graph.rank(&mut reachers);
        let steps =
            chosen.map(|id| live::Steps::lay(id.as_str(), &search.open, |id| graph.steps_from(id)));
        Ok(live::estate(&live::Estate {
            query,
            found: all.len(),
            hits: all.iter().copied().take(HITS).collect(),
            chosen: chosen.map(portreeve_model::EntityId::as_str),
            blast: blast.as_ref(),
            ways: &ways,
            reachers: &reachers,
            steps: steps.as_ref(),
            jewels: &jewels,
        }))
    })
    .await
}

pub(crate) async fn keys(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    drawn(app, caller, Some(Section::Keys), move |app, shown, _| {
        let asked = asked(&query)?;
        let derived = derived(app, shown);
        Ok(keys_page(&derived.keys(shown), Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn doors(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    drawn(app, caller, Some(Section::Doors), move |app, shown, _| {
        let asked = asked(&query)?;
        let derived = derived(app, shown);
        let roads = Roads {
            given: &[],
            paths: &derived.paths,
            jewels: &shown.graph.jewels(),
            doors: shown.graph.doors(),
            reach: &derived.reach,
            blind_spots: &shown.estate.blind_spots,
        };
        Ok(paths_page(&roads, Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn wallets(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    drawn(app, caller, Some(Section::Wallets), move |app, shown, _| {
        let asked = asked(&query)?;
        let standings = wallet_standings(app, shown);
        let apart = &shown.report.wallets;
        Ok(live::wallets(&standings, apart, Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn posture(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    drawn(app, caller, Some(Section::Posture), move |app, shown, _| {
        let asked = asked(&query)?;
        let derived = derived(app, shown);
        Ok(posture_page(&derived.posture, Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn coverage(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    drawn(app, caller, Some(Section::Coverage), move |_, shown, _| {
        let asked = asked(&query)?;
        Ok(live::coverage(
            &shown.report,
            &shown.totals,
            Parts::screen(&asked),
        ))
    })
    .await
}
