//! Incidents, and what people write beside them.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use portreeve_incident::Incident;
use portreeve_model::Severity;
use portreeve_store::{Care, Note, State as Stands};
use portreeve_view::stix;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::about::{About, Told};
use super::paging::{Cursor, Listing, page};
use super::words::{CursorText, SeverityWord, StandingWord, StateWord};
use super::{apart, private, shown, tagged, tagged_body, words};
use crate::app::App;
use crate::error::Refused;
use crate::extract::{Json, Query};
use crate::viewed::Cares;

/// The longest note, in characters.
const NOTE: usize = 10_000;
const OWNER: usize = 100;

/// Which incidents.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// At least so grave.
    #[param(value_type = Option<SeverityWord>, inline)]
    pub(crate) severity: Option<Severity>,
    /// How it stands; `open` for all but `closed` and `false-positive`; `all`, which is what is meant where
    /// nothing is said.
    #[param(value_type = Option<StandingWord>, inline)]
    pub(crate) state: Option<Standing>,
    /// Whose.
    pub(crate) owner: Option<String>,
    /// Words that are in its headline, or in a principal, credential or resource of it.
    pub(crate) q: Option<String>,
    /// The `next` of the page before.
    #[param(value_type = Option<CursorText>, inline)]
    pub(crate) after: Option<Cursor>,
    /// How many at most: 100 where nothing is said.
    #[param(minimum = 1, maximum = 1_000)]
    pub(crate) limit: Option<usize>,
}

/// How an incident stands that nobody cared for.
pub(crate) static NOBODY: Care = Care {
    owner: None,
    state: Stands::New,
};

/// Which states are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    #[default]
    All,
    Open,
    One(Stands),
}

impl Standing {
    pub(crate) const ALL: &'static str = "all";
    pub(crate) const OPEN: &'static str = "open";

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::All => Self::ALL,
            Self::Open => Self::OPEN,
            Self::One(state) => state.as_str(),
        }
    }
}

impl FromStr for Standing {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            Self::ALL => Ok(Self::All),
            Self::OPEN => Ok(Self::Open),
            word => match word.parse() {
                Ok(state) => Ok(Self::One(state)),
                Err(error) => Err(format!("state: {error}, open, all")),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Standing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Cow::<str>::deserialize(deserializer)?;
        word.parse().map_err(D::Error::custom)
    }
}

/// An incident in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    id: String,
    #[schema(value_type = SeverityWord, inline)]
    severity: Severity,
    /// From 0 to 100.
    score: u32,
    headline: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    first_sign: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity: Option<Timestamp>,
    findings: usize,
    #[schema(value_type = StateWord, inline)]
    state: &'static str,
    owner: Option<String>,
}

/// The severity that a word of an address names; none where the word is empty.
pub(crate) fn severity(word: &str) -> Result<Option<Severity>, Refused> {
    if word.is_empty() {
        return Ok(None);
    }
    let found = Severity::ALL.into_iter().find(|it| it.as_str() == word);
    found
        .map(Some)
        .ok_or_else(|| Refused::bad("severity is informational, low, medium, high or critical"))
}

impl Wanted {
    /// The incidents that it leaves, in their order, each with how it stands.
    pub(crate) fn of<'v>(
        &self,
        incidents: &[&'v Incident],
        cares: &'v Cares,
    ) -> Vec<(&'v Incident, &'v Care)> {
        let q = self.q.as_ref().map(|q| q.trim().to_lowercase());
        let q = q.filter(|q| !q.is_empty());
        incidents
            .iter()
            .copied()
            .map(|incident| (incident, cares.get(&incident.id).unwrap_or(&NOBODY)))
            .filter(|(incident, care)| self.leaves(incident, care, q.as_deref()))
            .collect()
    }

    fn leaves(&self, incident: &Incident, care: &Care, q: Option<&str>) -> bool {
        let stands = match self.state.unwrap_or_default() {
            Standing::All => true,
            Standing::Open => !care.state.is_over(),
            Standing::One(state) => care.state == state,
        };
        let holds = |q: &str| {
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
            && q.is_none_or(holds)
    }
}

/// Incidents, gravest first.
#[utoipa::path(get, path = "/api/v1/incidents", params(Wanted), responses(
    (status = 200, body = Listing<Line>), (status = 304)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let cares = app.store(|store| shown.cares(store))?;
        let incidents = shown.incidents();
        let left = wanted.of(&incidents, &cares);
        let listing = page(left, wanted.after.as_ref(), wanted.limit)?;
        let line = |(incident, care): (&Incident, &Care)| Line {
            id: incident.id.clone(),
            severity: incident.severity,
            score: incident.score,
            headline: incident.headline.clone(),
            first_sign: incident.first_sign,
            last_activity: incident.last_activity,
            findings: incident.findings.len(),
            state: care.state.as_str(),
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
    (status = 200, body = serde_json::Value), (status = 304)))]
pub(crate) async fn one(about: About) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        incident: &'a Incident,
        state: &'a str,
        owner: &'a Option<String>,
        notes: Vec<NoteLine>,
    }
    about
        .told(|told| {
            let incident = told.incident;
            let cares = told.about.app.store(|store| told.shown.cares(store))?;
            let care = cares.get(&incident.id).unwrap_or(&NOBODY);
            let document = Document {
                incident,
                state: care.state.as_str(),
                owner: &care.owner,
                notes: note_lines(told)?,
            };
            tagged(&told.about.headers, &document)
        })
        .await
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

fn note_lines(told: &Told<'_>) -> Result<Vec<NoteLine>, Refused> {
    let app = &told.about.app;
    let notes = app.store(|store| told.shown.notes(told.incident, store))?;
    let line = |note: Note| NoteLine {
        who: note.who,
        time: note.time,
        words: note.words,
    };
    Ok(notes.into_iter().map(line).collect())
}

/// One incident as a STIX 2.1 bundle: what was observed, by which techniques, from where.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/stix", params(("id" = String, Path)), responses(
    (status = 200, content_type = "application/stix+json", body = serde_json::Value), (status = 304)))]
pub(crate) async fn stix(about: About) -> Result<Response, Refused> {
    about
        .told(|told| {
            let findings = told.shown.findings_of(told.incident);
            let findings = findings.into_values().cloned().collect();
            let report = told.shown.report.only(told.incident.clone(), findings);
            let mut bundle = Vec::new();
            stix::report(&report, &mut bundle).map_err(|error| {
                Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            })?;
            let kind = "application/stix+json;version=2.1";
            Ok(private(tagged_body(&told.about.headers, kind, bundle)))
        })
        .await
}

/// What people wrote to an incident, the oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<NoteLine>), (status = 304)))]
pub(crate) async fn notes(about: About) -> Result<Response, Refused> {
    about
        .told(|told| tagged(&told.about.headers, &note_lines(told)?))
        .await
}

/// A note to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// From 1 to 10,000 characters.
    #[schema(min_length = 1, max_length = 10_000, pattern = "\\S")]
    pub(crate) words: String,
}

/// Writes a note to an incident.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", params(("id" = String, Path)), request_body = NewNote, responses(
    (status = 201)))]
pub(crate) async fn add_note(about: About, Json(note): Json<NewNote>) -> Result<Response, Refused> {
    about
        .told(move |told| {
            write_note(told, &note.words)?;
            Ok(StatusCode::CREATED.into_response())
        })
        .await
}

pub(crate) fn write_note(told: &Told<'_>, text: &str) -> Result<(), Refused> {
    let text = words(text, NOTE)?;
    let (app, id) = (&told.about.app, &told.incident.id);
    let note = Note {
        who: told.about.caller.name.clone(),
        time: Timestamp::now(),
        words: text.to_owned(),
    };
    app.audit(&note.who, "note", id)?;
    app.store(|store| store.add_note(id, &note))?;
    Ok(())
}

/// Whose an incident is, and how it stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCare {
    /// Nobody's, where it is absent or empty.
    #[schema(max_length = 100)]
    pub(crate) owner: Option<String>,
    #[schema(value_type = StateWord, inline)]
    pub(crate) state: String,
}

/// Says whose an incident is, and how it stands.
#[utoipa::path(put, path = "/api/v1/incidents/{id}/care", params(("id" = String, Path)), request_body = NewCare, responses(
    (status = 204)))]
pub(crate) async fn set_care(about: About, Json(care): Json<NewCare>) -> Result<Response, Refused> {
    about
        .told(move |told| {
            write_care(told, &care)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

pub(crate) fn write_care(told: &Told<'_>, care: &NewCare) -> Result<(), Refused> {
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
    let (app, id) = (&told.about.app, &told.incident.id);
    let what = format!("{id}: {state}, owner {}", owner.unwrap_or("nobody"));
    app.audit(&told.about.caller.name, "care", &what)?;
    let care = Care {
        owner: owner.map(str::to_owned),
        state,
    };
    app.store(|store| store.set_care(id, &care))?;
    Ok(())
}
