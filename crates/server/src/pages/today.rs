//! What wants a look today.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use portreeve_engine::serve::Shown;
use portreeve_graph::JewelKind;
use portreeve_incident::{Incident, Report};
use portreeve_store::Care;
use portreeve_view::html::Page;
use portreeve_view::html::live::{self, Listed, Section, SourceLine, Today};

use super::{derived, drawn};
use crate::access::Caller;
use crate::api::incidents::{Cares, Filter, Wanted};
use crate::api::page;
use crate::app::App;
use crate::error::Refused;

/// Incidents on one page.
const INCIDENTS: usize = 40;

pub(crate) async fn today(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(mut wanted): Query<Wanted>,
) -> Response {
    wanted.state = wanted
        .state
        .filter(|state| !state.is_empty())
        .or_else(|| Some("open".to_owned()));
    let section = Some(Section::Today);
    drawn(app, caller, section, move |app, shown, _| {
        today_of(app, shown, &wanted)
    })
    .await
}

fn today_of(app: &App, shown: &Shown, wanted: &Wanted) -> Result<Page, Refused> {
    let cares = app.cares()?;
    let nobody = Care::default();
    let filter = Filter::new(wanted)?;
    let incidents = &shown.report.incidents;
    let care = |incident: &Incident| cares.get(&incident.id).unwrap_or(&nobody);
    let left: Vec<&Incident> = incidents
        .iter()
        .filter(|incident| filter.leaves(incident, care(incident)))
        .collect();
    let after = wanted.after.as_deref();
    let listing = page(left, |it| it.id.as_str(), after, Some(INCIDENTS))?;
    let q = wanted.q.as_deref().unwrap_or_default();
    let state = wanted.state.as_deref().unwrap_or("open");
    let next = listing.next.as_deref().map(|after| {
        let severity = wanted.severity.as_deref().unwrap_or_default();
        let mut query = joined(&[("q", q), ("severity", severity), ("state", state)]);
        query.push_str(&joined(&[("after", after)]));
        format!("/?{}", query.trim_end_matches('&'))
    });
    let derived = derived(app, shown);
    let is_open = |incident: &&Incident| !care(incident).state.is_over();
    Ok(live::today(&Today {
        incidents: listing
            .items
            .iter()
            .map(|incident| Listed {
                incident,
                owner: care(incident).owner.as_deref(),
                state: care(incident).state.as_str(),
            })
            .collect(),
        found: listing.total,
        all: incidents.len(),
        open: incidents.iter().filter(is_open).count(),
        query: q,
        severity: crate::api::incidents::severity(wanted.severity.as_deref())?,
        state,
        next,
        at_risk: at_risk(&shown.report, &cares),
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
fn at_risk<'r>(report: &'r Report, cares: &Cares) -> Vec<(&'r str, JewelKind, &'r str, bool)> {
    let kinds: BTreeMap<&str, JewelKind> = report
        .jewels
        .iter()
        .map(|jewel| (jewel.id.as_str(), jewel.kind))
        .collect();
    let mut found = BTreeMap::<&str, (&str, bool)>::new();
    let open = |incident: &&Incident| cares.get(&incident.id).is_none_or(|it| !it.state.is_over());
    for incident in report.incidents.iter().filter(open) {
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
