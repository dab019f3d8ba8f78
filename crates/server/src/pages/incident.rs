//! One incident: its story, what it rests on, the plan, and what people write to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, Path, Query, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use portreeve_engine::serve::Shown;
use portreeve_incident::{Incident, Report};
use portreeve_model::Finding;
use portreeve_store::{Role, State as Stands};
use portreeve_view::html::live::{self, IncidentPage, NoteLine};
use portreeve_view::html::{Page, Parts, report};
use serde::Deserialize;

use super::{asked, drawn, sorry};
use crate::access::Caller;
use crate::api::incidents::{NewCare, NewNote, find, now_called, write_care, write_note};
use crate::api::{apart, shown};
use crate::app::App;
use crate::error::Refused;
use crate::secrets;

pub(crate) async fn incident(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    drawn(app, caller, None, move |app, shown, caller| {
        let id = now_called(app, &id)?;
        let incident = find(&shown.report.incidents, &id)?;
        let care = app.cares()?.remove(&id).unwrap_or_default();
        let notes = app.store(|store| store.notes(&id))?;
        let jewels = shown.report.jewels.iter();
        Ok(live::incident(&IncidentPage {
            incident,
            findings: by_id(shown, incident),
            jewels: jewels
                .map(|jewel| (jewel.id.as_str(), jewel.kind))
                .collect(),
            owner: care.owner.as_deref(),
            state: care.state.as_str(),
            states: &Stands::ALL.map(Stands::as_str),
            notes: notes
                .iter()
                .map(|note| NoteLine {
                    who: &note.who,
                    time: note.time,
                    words: &note.words,
                })
                .collect(),
            may_write: caller.role.may(Role::Responder),
        }))
    })
    .await
}

/// The report of one incident as a file.
pub(crate) async fn incident_report(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    apart(move || {
        let (shown, id) = (shown(&app)?, now_called(&app, &id)?);
        let incident = find(&shown.report.incidents, &id)?.clone();
        let of_it = |finding: &&Finding| incident.findings.contains(&finding.id);
        let findings = shown
            .report
            .findings
            .iter()
            .filter(of_it)
            .cloned()
            .collect();
        let text = report(&Report {
            incidents: vec![incident],
            findings,
            inputs: Vec::new(),
            ..shown.report.clone()
        });
        Ok(Html(text).into_response())
    })
    .await
}

/// An incident's findings by id.
fn by_id<'s>(shown: &'s Shown, incident: &Incident) -> BTreeMap<&'s str, &'s Finding> {
    let wanted: BTreeSet<&str> = incident.findings.iter().map(String::as_str).collect();
    let findings = shown.report.findings.iter();
    findings
        .map(|finding| (finding.id.as_str(), finding))
        .filter(|(id, _)| wanted.contains(id))
        .collect()
}

/// A page about one incident.
async fn of_incident(
    app: Arc<App>,
    caller: Caller,
    id: String,
    draw: impl FnOnce(&Shown, &Incident) -> Result<Page, Refused> + Send + 'static,
) -> Response {
    drawn(app, caller, None, move |app, shown, _| {
        let id = now_called(app, &id)?;
        draw(shown, find(&shown.report.incidents, &id)?)
    })
    .await
}

pub(crate) async fn finding(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((id, finding)): Path<(String, String)>,
) -> Response {
    of_incident(app, caller, id, move |shown, incident| {
        let findings = by_id(shown, incident);
        let found = findings.get(finding.as_str());
        let found = found.ok_or_else(|| Refused::missing("finding of this incident"))?;
        Ok(live::finding(incident, found))
    })
    .await
}

pub(crate) async fn findings(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    of_incident(app, caller, id, move |shown, incident| {
        let asked = asked(&query)?;
        let findings = by_id(shown, incident);
        Ok(live::findings(incident, &findings, Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn records(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    of_incident(app, caller, id, move |shown, incident| {
        let asked = asked(&query)?;
        let findings = by_id(shown, incident);
        Ok(live::records(incident, &findings, Parts::screen(&asked)))
    })
    .await
}

pub(crate) async fn plan(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    of_incident(app, caller, id, |_, incident| Ok(live::plan(incident))).await
}

/// The plan as a file.
pub(crate) async fn plan_text(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    apart(move || {
        let (shown, id) = (shown(&app)?, now_called(&app, &id)?);
        let text = live::plan_text(find(&shown.report.incidents, &id)?);
        let kind = "text/plain; charset=utf-8";
        Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
    })
    .await
}

/// Which record: by what brought it, or by the part of the log that holds it.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    file: Option<String>,
    segment: Option<u64>,
    index: u64,
}

/// One record as it arrived.
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(named): Query<Named>,
) -> Response {
    drawn(app, caller, None, move |app, _, _| {
        let index = named.index;
        let (file, bytes) = match (named.file, named.segment) {
            (Some(file), None) => {
                let bytes = app.archive.record(app, &file, index)?;
                (file, bytes)
            }
            (None, Some(segment)) => app.archive.line(segment, index)?,
            _ => return Err(Refused::bad("a record is named by file and index")),
        };
        let (text, masked) = secrets::set_out(&bytes);
        Ok(live::record(&live::Raw {
            file: &file,
            index,
            text: &text,
            masked,
        }))
    })
    .await
}

/// Back to the incident, where it went well.
async fn changed(
    app: Arc<App>,
    caller: Caller,
    id: String,
    change: impl FnOnce(&App, &Caller, &str) -> Result<(), Refused> + Send + 'static,
) -> Response {
    let (for_work, by, of) = (app.clone(), caller.clone(), id.clone());
    match apart(move || change(&for_work, &by, &of)).await {
        Ok(()) => Redirect::to(&format!("/incidents/{}", live::address(&id))).into_response(),
        Err(refused) => sorry(&app, Some(&caller), &refused),
    }
}

pub(crate) async fn care(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(care): Form<NewCare>,
) -> Response {
    changed(app, caller, id, move |app, caller, id| {
        write_care(app, caller, id, &care)
    })
    .await
}

pub(crate) async fn note(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(note): Form<NewNote>,
) -> Response {
    changed(app, caller, id, move |app, caller, id| {
        write_note(app, caller, id, &note.words)
    })
    .await
}
