//! What wants a look today.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use portreeve_graph::JewelKind;
use portreeve_incident::{Incident, Report};
use portreeve_view::html::Page;
use portreeve_view::html::live::{self, Listed, Section, SourceLine, Today};
use serde::Deserialize;

use super::{derived, drawn};
use crate::access::Caller;
use crate::api::incidents::{Standing, Wanted, severity};
use crate::api::paging::page;
use crate::app::App;
use crate::error::Refused;
use crate::extract::Query;
use crate::viewed::{Cares, Viewed};

/// Incidents on one page.
const INCIDENTS: usize = 40;

/// What is asked, as it stands in the address. What a form leaves empty is not asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
    severity: String,
    state: String,
    owner: String,
    after: String,
}

impl Asked {
    fn wanted(&self) -> Result<Wanted, Refused> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let state = given(&self.state).map_or(Ok(Standing::Open), |word| word.parse());
        let after = given(&self.after).map(|text| text.parse()).transpose();
        Ok(Wanted {
            severity: severity(&self.severity)?,
            state: Some(state.map_err(Refused::bad)?),
            owner: given(&self.owner),
            q: given(&self.q),
            after: after.map_err(Refused::bad)?,
            limit: Some(INCIDENTS),
        })
    }
}

pub(crate) async fn today(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let section = Some(Section::Today);
    drawn(app, caller, section, move |app, shown, _| {
        today_of(app, shown, &asked)
    })
    .await
}

fn today_of(app: &App, shown: &Viewed, asked: &Asked) -> Result<Page, Refused> {
    let cares = app.store(|store| shown.cares(store))?;
    let wanted = asked.wanted()?;
    let incidents = shown.incidents();
    let left = wanted.of(&incidents, &cares);
    let listing = page(left, wanted.after.as_ref(), wanted.limit)?;
    let state = wanted.state.unwrap_or_default().as_str();
    let next = listing.next.as_deref().map(|after| {
        let query = joined(&[
            ("q", &asked.q),
            ("severity", &asked.severity),
            ("state", state),
            ("owner", &asked.owner),
            ("after", after),
        ]);
        format!("/?{}", query.trim_end_matches('&'))
    });
    let derived = derived(app, shown);
    let is_open =
        |incident: &Incident| cares.get(&incident.id).is_none_or(|it| !it.state.is_over());
    Ok(live::today(&Today {
        incidents: listing
            .items
            .iter()
            .map(|(incident, care)| Listed {
                incident,
                owner: care.owner.as_deref(),
                state: care.state.as_str(),
            })
            .collect(),
        found: listing.total,
        all: incidents.len(),
        open: incidents.iter().filter(|it| is_open(it)).count(),
        query: &asked.q,
        severity: wanted.severity,
        state,
        next,
        at_risk: at_risk(&shown.report, &incidents, &cares),
        findings: shown.report.findings.len(),
        doors: shown.graph.doors().len(),
        masters: derived.ring.masters,
        records: app.board.figures().rows,
        sources: shown
            .sources
            .iter()
            .map(|one| SourceLine {
                source: &one.source,
                input: &one.input,
                records: one.records,
                last_arrival: one.last_arrival,
                last_event: one.last_event,
                usual_delay: one.usual_delay,
            })
            .collect(),
        wallets: &shown.report.wallets,
        blind_spots: &shown.report.blind_spots,
    }))
}

/// Pairs as part of an address, each with `&` behind it.
fn joined(pairs: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query.push_str(&format!("{name}={}&", live::address(value)));
    }
    query
}

/// Jewels that an open incident touched or has a way to, each with the gravest such incident.
fn at_risk<'r>(
    report: &'r Report,
    incidents: &[&'r Incident],
    cares: &Cares,
) -> Vec<(&'r str, JewelKind, &'r str, bool)> {
    let kinds: BTreeMap<&str, JewelKind> = report
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let mut found = BTreeMap::<&str, (&str, bool)>::new();
    let open = |incident: &&Incident| cares.get(&incident.id).is_none_or(|it| !it.state.is_over());
    for incident in incidents.iter().copied().filter(open) {
        let touched = incident.touched.iter().filter(|it| it.succeeded);
        for resource in touched.map(|it| it.resource.as_str()) {
            if kinds.contains_key(resource) {
                let known = found.entry(resource).or_insert((&incident.id, true));
                if !known.1 {
                    *known = (&incident.id, true);
                }
            }
        }
        for path in &incident.paths {
            found
                .entry(path.to.as_str())
                .or_insert((&incident.id, false));
        }
    }
    let mut risk: Vec<_> = found
        .into_iter()
        .filter_map(|(id, (incident, touched))| Some((id, *kinds.get(id)?, incident, touched)))
        .collect();
    risk.sort_by_key(|(id, _, _, touched)| (!touched, *id));
    risk
}
