//! Incidents, and what people write beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use portreeve_incident::Incident;
use portreeve_model::Severity;
use portreeve_store::{Care, Note, State as Stands};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Listing, apart, page, shown, tagged, words};
use crate::access::Caller;
use crate::app::App;
use crate::error::{Problem, Refused};

/// The longest note, in characters.
const NOTE: usize = 10_000;
const OWNER: usize = 100;

/// Which incidents.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// At least so grave: informational, low, medium, high, critical.
    pub(crate) severity: Option<String>,
    /// How it stands: new, investigating, contained, closed, false-positive; `open` for all but the last
    /// two; `all`, which is what is meant where nothing is said.
    pub(crate) state: Option<String>,
    /// Whose.
    pub(crate) owner: Option<String>,
    /// Words that are in its headline, or in a principal, credential or resource of it.
    pub(crate) q: Option<String>,
    /// The id of the last incident of the page before.
    pub(crate) after: Option<String>,
    /// How many at most: 100 where nothing is said, 1,000 at most.
    pub(crate) limit: Option<usize>,
}

/// An incident in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    id: String,
    severity: String,
    /// From 0 to 100.
    score: u32,
    headline: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    first_sign: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity: Option<Timestamp>,
    findings: usize,
    state: String,
    owner: Option<String>,
}

/// What an incident is asked for by.
pub(crate) struct Filter {
    severity: Option<Severity>,
    state: Option<String>,
    owner: Option<String>,
    q: Option<String>,
}

/// The severity that a word names; none where the word is empty.
pub(crate) fn severity(word: Option<&str>) -> Result<Option<Severity>, Refused> {
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    let found = Severity::ALL.into_iter().find(|it| it.as_str() == word);
    found
        .map(Some)
        .ok_or_else(|| Refused::bad("severity is informational, low, medium, high or critical"))
}

impl Filter {
    pub(crate) fn new(wanted: &Wanted) -> Result<Self, Refused> {
        let state = wanted.state.clone().filter(|it| !it.is_empty());
        if let Some(word) = &state
            && !matches!(word.as_str(), "open" | "all")
            && word.parse::<Stands>().is_err()
        {
            let expected =
                "state is new, investigating, contained, closed, false-positive, open or all";
            return Err(Refused::bad(expected));
        }
        Ok(Self {
            severity: severity(wanted.severity.as_deref())?,
            state,
            owner: wanted.owner.clone(),
            q: wanted
                .q
                .as_ref()
                .map(|q| q.trim().to_lowercase())
                .filter(|q| !q.is_empty()),
        })
    }

    pub(crate) fn leaves(&self, incident: &Incident, care: &Care) -> bool {
        let stands = match self.state.as_deref() {
            None | Some("all") => true,
            Some("open") => !care.state.is_over(),
            Some(word) => care.state.as_str() == word,
        };
        let holds = |q: &String| {
            let texts = [&incident.headline, &incident.id].into_iter();
            texts
                .chain(&incident.principals)
                .chain(&incident.credentials)
                .chain(incident.touched.iter().map(|touched| &touched.resource))
                .any(|text| text.to_lowercase().contains(q))
        };
        stands
            && self.severity.is_none_or(|least| incident.severity >= least)
            && (self.owner.is_none() || self.owner == care.owner)
            && self.q.as_ref().is_none_or(holds)
    }
}

/// Incidents, gravest first.
#[utoipa::path(get, path = "/api/v1/incidents", params(Wanted), responses(
    (status = 200, body = Listing<Line>), (status = 304), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let (shown, cares) = (shown(&app)?, app.cares()?);
        let filter = Filter::new(&wanted)?;
        let nobody = Care::default();
        let left: Vec<(&Incident, &Care)> = shown
            .report
            .incidents
            .iter()
            .map(|incident| (incident, cares.get(&incident.id).unwrap_or(&nobody)))
            .filter(|(incident, care)| filter.leaves(incident, care))
            .collect();
        let after = wanted.after.as_deref();
        let listing = page(left, |it| it.0.id.as_str(), after, wanted.limit)?;
        let line = |(incident, care): (&Incident, &Care)| Line {
            id: incident.id.clone(),
            severity: incident.severity.as_str().to_owned(),
            score: incident.score,
            headline: incident.headline.clone(),
            first_sign: incident.first_sign,
            last_activity: incident.last_activity,
            findings: incident.findings.len(),
            state: care.state.to_string(),
            owner: care.owner.clone(),
        };
        let listing = Listing {
            items: listing.items.into_iter().map(line).collect(),
            total: listing.total,
            next: listing.next,
        };
        tagged(&headers, &listing)
    })
    .await
}

/// One incident: everything that the report of an investigation says of it, how it stands, and what people
/// wrote. An id that went into another incident leads to that one.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", params(("id" = String, Path)), responses(
    (status = 200, body = serde_json::Value), (status = 304), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        incident: &'a Incident,
        state: &'a str,
        owner: &'a Option<String>,
        notes: Vec<NoteLine>,
    }
    apart(move || {
        let (shown, id) = (shown(&app)?, now_called(&app, &id)?);
        let incident = find(&shown.report.incidents, &id)?;
        let care = app.cares()?.remove(&id).unwrap_or_default();
        let document = Document {
            incident,
            state: care.state.as_str(),
            owner: &care.owner,
            notes: note_lines(&app, &id)?,
        };
        tagged(&headers, &document)
    })
    .await
}

pub(crate) fn now_called(app: &App, id: &str) -> Result<String, Refused> {
    Ok(app.store(|store| store.incident_id(id))?)
}

pub(crate) fn find<'i>(incidents: &'i [Incident], id: &str) -> Result<&'i Incident, Refused> {
    let found = incidents.iter().find(|incident| incident.id == id);
    found.ok_or_else(|| Refused::missing("incident"))
}

/// What someone wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoteLine {
    /// The name of the token.
    who: String,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    words: String,
}

fn note_lines(app: &App, id: &str) -> Result<Vec<NoteLine>, Refused> {
    let notes = app.store(|store| store.notes(id))?;
    let line = |note: Note| NoteLine {
        who: note.who,
        time: note.time,
        words: note.words,
    };
    Ok(notes.into_iter().map(line).collect())
}

/// What people wrote to an incident, the oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<NoteLine>), (status = 304), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn notes(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let (shown, id) = (shown(&app)?, now_called(&app, &id)?);
        find(&shown.report.incidents, &id)?;
        tagged(&headers, &note_lines(&app, &id)?)
    })
    .await
}

/// A note to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// From 1 to 10,000 characters.
    #[schema(min_length = 1, max_length = 10_000)]
    pub(crate) words: String,
}

/// Writes a note to an incident.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path)), request_body = NewNote, responses(
    (status = 201), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn add_note(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(note): Json<NewNote>,
) -> Result<Response, Refused> {
    apart(move || {
        write_note(&app, &caller, &id, &note.words)?;
        Ok(StatusCode::CREATED.into_response())
    })
    .await
}

pub(crate) fn write_note(app: &App, caller: &Caller, id: &str, text: &str) -> Result<(), Refused> {
    let text = words(text, NOTE)?;
    let (shown, id) = (shown(app)?, now_called(app, id)?);
    find(&shown.report.incidents, &id)?;
    let note = Note {
        who: caller.name.clone(),
        time: Timestamp::now(),
        words: text.to_owned(),
    };
    app.audit(&caller.name, "note", &id)?;
    app.store(|store| store.add_note(&id, &note))?;
    Ok(())
}

/// Whose an incident is, and how it stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCare {
    /// Nobody's, where it is absent or empty.
    #[schema(max_length = 100)]
    pub(crate) owner: Option<String>,
    /// new, investigating, contained, closed, false-positive.
    pub(crate) state: String,
}

/// Says whose an incident is, and how it stands.
#[utoipa::path(put, path = "/api/v1/incidents/{id}/care", params(("id" = String, Path)), request_body = NewCare, responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn set_care(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(care): Json<NewCare>,
) -> Result<Response, Refused> {
    apart(move || {
        write_care(&app, &caller, &id, &care)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

pub(crate) fn write_care(
    app: &App,
    caller: &Caller,
    id: &str,
    care: &NewCare,
) -> Result<(), Refused> {
    let state: Stands = care
        .state
        .parse()
        .map_err(|error| Refused::bad(format!("state: {error}")))?;
    let owner = care
        .owner
        .as_deref()
        .map(str::trim)
        .filter(|it| !it.is_empty());
    let owner = owner.map(|owner| words(owner, OWNER)).transpose()?;
    let (shown, id) = (shown(app)?, now_called(app, id)?);
    find(&shown.report.incidents, &id)?;
    let what = format!("{id}: {state}, owner {}", owner.unwrap_or("nobody"));
    app.audit(&caller.name, "care", &what)?;
    let care = Care {
        owner: owner.map(str::to_owned),
        state,
    };
    app.store(|store| store.set_care(&id, &care))?;
    Ok(())
}

/// How each incident stands, by id.
pub(crate) type Cares = BTreeMap<String, Care>;
