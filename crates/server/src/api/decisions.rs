//! What people decide of incidents: that two are one, that a part is not of it; and the undoing of that.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use portreeve_incident::decide::Part;
use portreeve_store::{Decision, DecisionKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::about::{About, Told};
use super::words::DecisionWord;
use super::{tagged, words};
use crate::error::Refused;
use crate::extract::Json;

/// The longest name of an incident or part.
const NAME: usize = 400;

/// What someone decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionLine {
    /// To undo it by.
    number: u64,
    #[schema(value_type = DecisionWord, inline)]
    kind: &'static str,
    /// The incident, by the id that it had.
    incident: String,
    /// The other incident; or the part, as `credential:ID` or `finding:ID`.
    what: String,
    /// The name of the token.
    who: String,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Whether it does anything now: one about an incident that is not there waits.
    holds: bool,
    /// Who undid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<Timestamp>,
}

fn line((decision, holds): (&Decision, bool)) -> DecisionLine {
    DecisionLine {
        number: decision.number,
        kind: decision.kind.as_str(),
        incident: decision.incident.clone(),
        what: decision.what.clone(),
        who: decision.who.clone(),
        time: decision.time,
        holds,
        undone_by: decision.undone.as_ref().map(|(who, _)| who.clone()),
        undone: decision.undone.as_ref().map(|(_, time)| *time),
    }
}

/// What people decided of an incident, the first first, with what was undone.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/decisions", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<DecisionLine>), (status = 304)))]
pub(crate) async fn decisions(about: About) -> Result<Response, Refused> {
    about
        .told(|told| {
            let of = told.shown.decisions().of(told.incident);
            let lines: Vec<DecisionLine> = of.into_iter().map(line).collect();
            tagged(&told.about.headers, &lines)
        })
        .await
}

/// A decision to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDecision {
    #[schema(value_type = DecisionWord, inline)]
    pub(crate) kind: String,
    /// The id of the other incident that it is one with; or the part that is not of it, as `credential:ID` or
    /// `finding:ID`.
    #[schema(min_length = 1, max_length = 400, pattern = "\\S")]
    pub(crate) what: String,
}

/// The number of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    number: u64,
}

/// Says that an incident and another are one, or that a part is not of it. What was derived stays as it is;
/// what is shown changes.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/decisions", params(("id" = String, Path)), request_body = NewDecision, responses(
    (status = 201, body = Decided),
    (status = 409, description = "that would change nothing: the part has no finding, or nothing else would be left")))]
pub(crate) async fn decide(
    about: About,
    Json(decision): Json<NewDecision>,
) -> Result<Response, Refused> {
    about
        .told(move |told| {
            let number = take_decision(told, &decision)?;
            Ok((StatusCode::CREATED, axum::Json(Decided { number })).into_response())
        })
        .await
}

/// Undoes a decision.
#[utoipa::path(delete, path = "/api/v1/incidents/{id}/decisions/{number}",
    params(("id" = String, Path), ("number" = u32, Path, maximum = 2_000_000_000)), responses((status = 204)))]
pub(crate) async fn undo(about: About) -> Result<Response, Refused> {
    about
        .told(|told| {
            undo_decision(told, told.about.named.number.unwrap_or_default())?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
}

pub(crate) fn take_decision(told: &Told<'_>, new: &NewDecision) -> Result<u64, Refused> {
    let kind: DecisionKind = new
        .kind
        .parse()
        .map_err(|error| Refused::bad(format!("kind: {error}")))?;
    let what = words(&new.what, NAME)?;
    let own = &told.incident.id;
    let (incident, what) = match kind {
        DecisionKind::Join => (own, told.other(what)?.id.clone()),
        DecisionKind::Part => {
            // A text that names no part names one that is not there.
            let part = what.parse::<Part>();
            let part = part.map_err(|error| {
                Refused::new(
                    StatusCode::NOT_FOUND,
                    format!("there is no such part: {error}"),
                )
            })?;
            // What is taken out of a part is taken out of what that is a part of.
            let whole = told.incident.by_people.as_ref();
            let whole = whole.and_then(|it| it.part_of.first());
            (whole.unwrap_or(own), part.to_string())
        }
    };
    let decision = Decision {
        number: 0,
        incident: incident.clone(),
        kind,
        what,
        who: told.about.caller.name.clone(),
        time: Timestamp::now(),
        undone: None,
    };
    let (app, decisions) = (&told.about.app, told.shown.decisions());
    if let Some(number) = decisions.known(&decision) {
        return Ok(number);
    }
    let would =
        app.store(|store| decisions.would(&decision, told.shown, |id| store.incident_id(id)))?;
    if !would {
        let why = match kind {
            DecisionKind::Join => "they are one already",
            DecisionKind::Part => {
                "nothing of that part was found here, or nothing else would be left of the incident"
            }
        };
        return Err(Refused::new(StatusCode::CONFLICT, why));
    }
    let on = format!("{}: {}", decision.incident, decision.what);
    app.audit(&decision.who, kind.as_str(), &on)?;
    let number = app.store(|store| store.add_decision(&decision))?;
    app.decided();
    Ok(number)
}

pub(crate) fn undo_decision(told: &Told<'_>, number: u64) -> Result<(), Refused> {
    let app = &told.about.app;
    let of = told.shown.decisions().of(told.incident);
    let stands = of
        .iter()
        .map(|(it, _)| it)
        .find(|it| it.number == number && it.undone.is_none());
    let Some(decision) = stands else {
        return Err(Refused::missing("decision about this incident that stands"));
    };
    let who = &told.about.caller.name;
    let on = format!("{}: {} {}", decision.incident, decision.kind, decision.what);
    app.audit(who, "undo", &on)?;
    app.store(|store| store.undo_decision(number, who, Timestamp::now()))?;
    app.decided();
    Ok(())
}
