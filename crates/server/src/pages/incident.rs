//! One incident: its story, what it rests on, the plan, and what people write to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts as RequestParts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use portreeve_store::{DecisionKind, Role, State as Stands};
use portreeve_view::html::live::{self, DecisionLine, DecisionsPage, IncidentPage, NoteLine};
use portreeve_view::html::{Asked, Page, Parts, report};
use serde::Deserialize;

use super::{asked, drawn, framed};
use crate::access::Caller;
use crate::api::about::{About, Told};
use crate::api::decisions::{NewDecision, take_decision, undo_decision};
use crate::api::incidents::{NOBODY, NewCare, NewNote, write_care, write_note};
use crate::app::App;
use crate::error::Refused;
use crate::extract::{Form, Query};
use crate::secrets;

/// How many other incidents are offered to be joined.
const OTHERS: usize = 200;

/// Who looks at which incident, as the address says it.
pub(crate) struct Visit {
    about: About,
    /// Which parts of long lists.
    asked: Asked,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut RequestParts, app: &Arc<App>) -> Result<Self, Refused> {
        let about = About::from_request_parts(parts, app).await?;
        let Query(query) =
            Query::<BTreeMap<String, String>>::from_request_parts(parts, app).await?;
        Ok(Self {
            about,
            asked: asked(&query)?,
        })
    }
}

/// A page about an incident.
async fn page_about(
    about: About,
    draw: impl FnOnce(&Told<'_>) -> Result<Page, Refused> + Send + 'static,
) -> Result<Response, Refused> {
    about
        .told(|told| {
            let About { app, caller, .. } = told.about;
            Ok(framed(app, Some(caller), None, draw(told)?))
        })
        .await
}

impl Visit {
    /// A page of long lists about it.
    async fn page(
        self,
        draw: impl FnOnce(&Told<'_>, Parts<'_>) -> Result<Page, Refused> + Send + 'static,
    ) -> Result<Response, Refused> {
        let Self { about, asked } = self;
        page_about(about, move |told| draw(told, Parts::screen(&asked))).await
    }
}

pub(crate) async fn incident(visit: Visit) -> Result<Response, Refused> {
    visit
        .page(|told, _| {
            let About { app, caller, .. } = told.about;
            let incident = told.incident;
            let cares = app.store(|store| told.shown.cares(store))?;
            let care = cares.get(&incident.id).unwrap_or(&NOBODY);
            let notes = app.store(|store| told.shown.notes(incident, store))?;
            let jewels = told.shown.report.jewels.iter();
            Ok(live::incident(&IncidentPage {
                incident,
                findings: told.shown.findings_of(incident),
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
                may_write: may_write(app, caller),
            }))
        })
        .await
}

fn may_write(app: &App, caller: &Caller) -> bool {
    caller.role.may(Role::Responder) && !app.read_only
}

/// The report of one incident as a file.
pub(crate) async fn incident_report(about: About) -> Result<Response, Refused> {
    about
        .told(|told| {
            let findings = told.shown.findings_of(told.incident);
            let findings = findings.into_values().cloned().collect();
            let text = report(&told.shown.report.only(told.incident.clone(), findings));
            Ok(Html(text).into_response())
        })
        .await
}

pub(crate) async fn finding(about: About) -> Result<Response, Refused> {
    page_about(about, |told| {
        let id = told.about.named.finding.as_deref().unwrap_or_default();
        let is_of_it = told.incident.findings.iter().any(|it| it == id);
        let found = told.shown.finding(id).filter(|_| is_of_it);
        let found = found.ok_or_else(|| Refused::missing("finding of this incident"))?;
        Ok(live::finding(told.incident, found))
    })
    .await
}

pub(crate) async fn findings(visit: Visit) -> Result<Response, Refused> {
    visit
        .page(|told, parts| {
            let findings = told.shown.findings_of(told.incident);
            Ok(live::findings(told.incident, &findings, parts))
        })
        .await
}

pub(crate) async fn records(visit: Visit) -> Result<Response, Refused> {
    visit
        .page(|told, parts| {
            let findings = told.shown.findings_of(told.incident);
            Ok(live::records(told.incident, &findings, parts))
        })
        .await
}

pub(crate) async fn plan(about: About) -> Result<Response, Refused> {
    page_about(about, |told| Ok(live::plan(told.incident))).await
}

/// The picture of its paths as a table.
pub(crate) async fn paths(about: About) -> Result<Response, Refused> {
    page_about(about, |told| Ok(live::paths(told.incident))).await
}

/// The plan as a file.
pub(crate) async fn plan_text(about: About) -> Result<Response, Refused> {
    let text = about
        .told(|told| Ok(live::plan_text(told.incident)))
        .await?;
    let kind = "text/plain; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Which record: by what brought it, or by the part of the log that holds it.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    file: Option<String>,
    segment: Option<u64>,
    index: u64,
}

/// One record as it arrived.
pub(crate) async fn record(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(named): Query<Place>,
) -> Result<Response, Refused> {
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

/// Back to the incident, or to a page behind it, where it went well.
async fn changed(
    about: About,
    back: &'static str,
    change: impl FnOnce(&Told<'_>) -> Result<(), Refused> + Send + 'static,
) -> Result<Response, Refused> {
    about
        .told(move |told| {
            change(told)?;
            let id = live::address(&told.incident.id);
            Ok(Redirect::to(&format!("/incidents/{id}{back}")).into_response())
        })
        .await
}

pub(crate) async fn care(about: About, Form(care): Form<NewCare>) -> Result<Response, Refused> {
    changed(about, "", move |told| write_care(told, &care)).await
}

pub(crate) async fn note(about: About, Form(note): Form<NewNote>) -> Result<Response, Refused> {
    changed(about, "", move |told| write_note(told, &note.words)).await
}

/// What people decided of it, and what they may.
pub(crate) async fn decisions(about: About) -> Result<Response, Refused> {
    page_about(about, |told| {
        let decisions = told.shown.decisions().of(told.incident);
        let others = told.shown.incidents();
        Ok(live::decisions(&DecisionsPage {
            incident: told.incident,
            findings: told.shown.findings_of(told.incident),
            others: others
                .into_iter()
                .filter(|it| it.id != told.incident.id)
                .take(OTHERS)
                .collect(),
            decisions: decisions
                .iter()
                .map(|(it, holds)| DecisionLine {
                    number: it.number,
                    joins: it.kind == DecisionKind::Join,
                    incident: &it.incident,
                    what: &it.what,
                    who: &it.who,
                    time: it.time,
                    holds: *holds,
                    undone: it.undone.as_ref().map(|(who, time)| (who.as_str(), *time)),
                })
                .collect(),
            may_write: may_write(&told.about.app, &told.about.caller),
        }))
    })
    .await
}

const DECISIONS: &str = "/decisions";

pub(crate) async fn decide(
    about: About,
    Form(decision): Form<NewDecision>,
) -> Result<Response, Refused> {
    changed(about, DECISIONS, move |told| {
        take_decision(told, &decision).map(drop)
    })
    .await
}

pub(crate) async fn undo(about: About) -> Result<Response, Refused> {
    changed(about, DECISIONS, |told| {
        undo_decision(told, told.about.named.number.unwrap_or_default())
    })
    .await
}
