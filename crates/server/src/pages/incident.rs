//! One incident: its story, what it rests on, the plan, and what people write to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts as RequestParts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use portreeve_incident::Incident;
use portreeve_model::Finding;
use portreeve_store::{Role, State as Stands};
use portreeve_view::html::live::{self, IncidentPage, NoteLine};
use portreeve_view::html::{Asked, Page, Parts, report};
use serde::Deserialize;

use super::{asked, drawn, framed};
use crate::access::Caller;
use crate::api::incidents::{NewCare, NewNote, find, write_care, write_note};
use crate::api::{apart, shown};
use crate::app::App;
use crate::error::Refused;
use crate::extract::{Form, Path, Query};
use crate::secrets;
use crate::viewed::Viewed;

/// Who looks at which incident, as the address says it.
pub(crate) struct Visit {
    app: Arc<App>,
    caller: Caller,
    named: Named,
    /// Which parts of long lists.
    asked: Asked,
}

/// What the path names.
#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    finding: Option<String>,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut RequestParts, app: &Arc<App>) -> Result<Self, Refused> {
        let Path(named) = Path::from_request_parts(parts, app).await?;
        let Query(query) =
            Query::<BTreeMap<String, String>>::from_request_parts(parts, app).await?;
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self {
            app: app.clone(),
            caller: caller.ok_or_else(Refused::unknown)?,
            named,
            asked: asked(&query)?,
        })
    }
}

/// An incident that is looked at.
struct Told<'t> {
    shown: &'t Viewed,
    incident: &'t Incident,
    visit: &'t Visit,
}

impl<'t> Told<'t> {
    fn findings(&self) -> BTreeMap<&'t str, &'t Finding> {
        self.shown.findings_of(self.incident)
    }

    fn parts(&self) -> Parts<'t> {
        Parts::screen(&self.visit.asked)
    }
}

impl Visit {
    /// Works something out of the incident on a thread that may wait.
    async fn told<T: Send + 'static>(
        self,
        tell: impl FnOnce(&Told<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        apart(move || {
            let shown = &*shown(&self.app)?;
            let incident = find(&self.app, shown, &self.named.id)?;
            let visit = &self;
            tell(&Told {
                shown,
                incident,
                visit,
            })
        })
        .await
    }

    /// A page about it.
    async fn page(
        self,
        draw: impl FnOnce(&Told<'_>) -> Result<Page, Refused> + Send + 'static,
    ) -> Result<Response, Refused> {
        self.told(|told| {
            let Visit { app, caller, .. } = told.visit;
            Ok(framed(app, Some(caller), None, draw(told)?))
        })
        .await
    }
}

pub(crate) async fn incident(visit: Visit) -> Result<Response, Refused> {
    visit
        .page(|told| {
            let Visit { app, caller, .. } = told.visit;
            let incident = told.incident;
            let care = app.cares()?.remove(&incident.id).unwrap_or_default();
            let notes = app.store(|store| store.notes(&incident.id))?;
            let jewels = told.shown.report.jewels.iter();
            Ok(live::incident(&IncidentPage {
                incident,
                findings: told.findings(),
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
pub(crate) async fn incident_report(visit: Visit) -> Result<Response, Refused> {
    visit
        .told(|told| {
            let findings = told.findings().into_values().cloned().collect();
            let text = report(&told.shown.report.only(told.incident.clone(), findings));
            Ok(Html(text).into_response())
        })
        .await
}

pub(crate) async fn finding(visit: Visit) -> Result<Response, Refused> {
    visit
        .page(|told| {
            let id = told.visit.named.finding.as_deref().unwrap_or_default();
            let is_of_it = told.incident.findings.iter().any(|it| it == id);
            let found = told.shown.finding(id).filter(|_| is_of_it);
            let found = found.ok_or_else(|| Refused::missing("finding of this incident"))?;
            Ok(live::finding(told.incident, found))
        })
        .await
}

pub(crate) async fn findings(visit: Visit) -> Result<Response, Refused> {
    let draw = |told: &Told<'_>| {
        Ok(live::findings(
            told.incident,
            &told.findings(),
            told.parts(),
        ))
    };
    visit.page(draw).await
}

pub(crate) async fn records(visit: Visit) -> Result<Response, Refused> {
    let draw = |told: &Told<'_>| Ok(live::records(told.incident, &told.findings(), told.parts()));
    visit.page(draw).await
}

pub(crate) async fn plan(visit: Visit) -> Result<Response, Refused> {
    visit.page(|told| Ok(live::plan(told.incident))).await
}

/// The plan as a file.
pub(crate) async fn plan_text(visit: Visit) -> Result<Response, Refused> {
    let text = visit
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

/// Back to the incident, where it went well.
async fn changed(
    app: Arc<App>,
    caller: Caller,
    id: String,
    change: impl FnOnce(&App, &Caller, &str) -> Result<(), Refused> + Send + 'static,
) -> Result<Response, Refused> {
    apart(move || {
        change(&app, &caller, &id)?;
        Ok(Redirect::to(&format!("/incidents/{}", live::address(&id))).into_response())
    })
    .await
}

pub(crate) async fn care(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(care): Form<NewCare>,
) -> Result<Response, Refused> {
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
) -> Result<Response, Refused> {
    changed(app, caller, id, move |app, caller, id| {
        write_note(app, caller, id, &note.words)
    })
    .await
}
