//! The pages: what is asked of them, and who may see what. `portreeve-view` draws them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use axum::Extension;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use portreeve_engine::serve::{Health, Shown};
use portreeve_graph::{AttackPath, JewelKind, JewelReach};
use portreeve_incident::{Incident, KeyQuestion, KeyRing, Report};
use portreeve_model::Finding;
use portreeve_posture::{Posture, Scene, check};
use portreeve_store::{Care, Role, State as Stands};
use portreeve_view::html::live::{
    self, Frame, IncidentPage, Listed, NoteLine, Section, SourceLine, Today,
};
use portreeve_view::html::{Page, keys_page, paths_page, posture_page, report};
use portreeve_view::keys::Keys;
use portreeve_view::roads::Roads;
use serde::Deserialize;

use crate::access::{COOKIE, Caller, hash};
use crate::api::incidents::{
    Cares, Filter, NewCare, NewNote, Wanted, find, now_called, write_care, write_note,
};
use crate::api::{apart, page, shown};
use crate::app::App;
use crate::error::Refused;

const SCRIPT: &str = include_str!("../assets/watch.js");

/// Incidents on one page.
const INCIDENTS: usize = 40;

/// What a search finds at most, and the paths that are drawn of a whole estate.
const HITS: usize = 50;
const PATHS: usize = 30;

/// How many principals are named of those who reach a jewel.
const NAMED: usize = 25;

/// After how many days without a use a key counts as unused.
const UNUSED_DAYS: u32 = 90;

/// How many master keys are shown.
const MASTERS: usize = 50;

/// What is asked of one inventory again and again, worked out once.
#[derive(Debug)]
pub(crate) struct Derived {
    inventory: u64,
    paths: Vec<AttackPath>,
    reach: Vec<JewelReach>,
    ring: KeyRing,
    posture: Posture,
}

impl Derived {
    pub(crate) fn keys<'d>(&'d self, shown: &'d Shown) -> Keys<'d> {
        Keys {
            ring: &self.ring,
            top: MASTERS,
            blind_spots: &shown.estate.blind_spots,
        }
    }
}

pub(crate) fn derived(app: &App, shown: &Shown) -> Arc<Derived> {
    // Whoever asks meanwhile waits for the one who works it out.
    let mut slot = app.derived.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*slot
        && known.inventory == shown.inventory
    {
        return known.clone();
    }
    let (estate, graph) = (&*shown.estate, &*shown.graph);
    let question = KeyQuestion {
        masters: MASTERS,
        unused_days: UNUSED_DAYS,
        as_of: None,
    };
    let derived = Arc::new(Derived {
        inventory: shown.inventory,
        paths: graph.paths_from_doors(),
        reach: graph.reach_of_jewels(NAMED),
        ring: KeyRing::of(estate, graph, None, question),
        posture: check(&Scene::new(estate, graph, &app.posture, Timestamp::now())),
    });
    *slot = Some(derived.clone());
    derived
}

/// A page in its frame.
fn framed(app: &App, caller: Option<&Caller>, section: Option<Section>, page: Page) -> Response {
    let shown = app.shown();
    let trouble = match app.board.health() {
        Health::Waiting(why) | Health::Failed(why) => Some(why),
        _ => None,
    };
    let frame = Frame {
        section,
        simulated: shown.as_ref().is_some_and(|shown| shown.report.simulated),
        trouble: trouble.as_deref(),
        who: caller
            .map(|it| it.name.as_str())
            .filter(|who| *who != "loopback"),
        revision: shown.as_ref().map_or(0, |shown| shown.revision),
        up_to: app.board.figures().watermark,
    };
    Html(frame.around(page)).into_response()
}

/// What a page answers where something is not as it was asked for.
fn sorry(app: &App, caller: Option<&Caller>, refused: &Refused) -> Response {
    let title = match refused.status() {
        StatusCode::NOT_FOUND => "There is no such thing",
        StatusCode::SERVICE_UNAVAILABLE => "In a moment",
        _ => "That cannot be answered",
    };
    let page = live::message(title, refused.words());
    (refused.status(), framed(app, caller, None, page)).into_response()
}

/// Works a page out on a thread that may wait.
async fn drawn(
    app: Arc<App>,
    caller: Caller,
    section: Option<Section>,
    draw: impl FnOnce(&App, &Shown, &Caller) -> Result<Page, Refused> + Send + 'static,
) -> Response {
    let (for_work, by) = (app.clone(), caller.clone());
    let result = apart(move || {
        let shown = shown(&for_work)?;
        draw(&for_work, &shown, &by)
    })
    .await;
    match result {
        Ok(page) => framed(&app, Some(&caller), section, page),
        Err(refused) => sorry(&app, Some(&caller), &refused),
    }
}

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
        let findings: BTreeMap<&str, &Finding> = shown
            .report
            .findings
            .iter()
            .map(|finding| (finding.id.as_str(), finding))
            .collect();
        let jewels = shown.report.jewels.iter();
        Ok(live::incident(&IncidentPage {
            incident,
            findings,
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

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

pub(crate) async fn estate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(search): Query<Search>,
) -> Response {
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
        Ok(live::estate(&live::Estate {
            query,
            found: all.len(),
            hits: all.iter().copied().take(HITS).collect(),
            chosen: chosen.map(portreeve_model::EntityId::as_str),
            blast: blast.as_ref(),
            ways: &ways,
            reachers: &reachers,
            jewels: &jewels,
        }))
    })
    .await
}

pub(crate) async fn keys(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    drawn(app, caller, Some(Section::Keys), |app, shown, _| {
        Ok(keys_page(&derived(app, shown).keys(shown)))
    })
    .await
}

pub(crate) async fn doors(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    drawn(app, caller, Some(Section::Doors), |app, shown, _| {
        let derived = derived(app, shown);
        Ok(paths_page(&Roads {
            given: &[],
            paths: derived.paths.get(..PATHS).unwrap_or(&derived.paths),
            jewels: &shown.graph.jewels(),
            doors: shown.graph.doors(),
            reach: &derived.reach,
            blind_spots: &shown.estate.blind_spots,
        }))
    })
    .await
}

pub(crate) async fn posture(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    drawn(app, caller, Some(Section::Posture), |app, shown, _| {
        Ok(posture_page(&derived(app, shown).posture))
    })
    .await
}

pub(crate) async fn coverage(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    drawn(app, caller, Some(Section::Coverage), |_, shown, _| {
        Ok(live::coverage(&shown.report))
    })
    .await
}

pub(crate) async fn login(State(app): State<Arc<App>>) -> Response {
    framed(&app, None, None, live::login(false))
}

#[derive(Deserialize)]
pub(crate) struct Login {
    token: String,
}

/// Takes a token into a cookie that scripts cannot read and other sites cannot send.
pub(crate) async fn log_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    axum::extract::ConnectInfo(peer): axum::extract::ConnectInfo<std::net::SocketAddr>,
    Form(login): Form<Login>,
) -> Response {
    let from = crate::access::address(&app, peer, &headers);
    if !app.rates.may_try(from) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return Refused::later(status, "too many wrong tokens from this address", 30)
            .into_response();
    }
    let (for_work, token) = (app.clone(), login.token.trim().to_owned());
    let found = apart(move || {
        let found = for_work.token_of(&hash(&token))?;
        if let Some(found) = &found {
            for_work.audit(&found.name, "login", "")?;
        }
        Ok(found.map(|_| token))
    })
    .await;
    match found {
        Ok(Some(token)) => {
            let cookie = format!(
                "{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=43200"
            );
            let mut response = Redirect::to("/").into_response();
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
            response
        }
        Ok(None) => {
            app.rates.was_wrong(from);
            let page = framed(&app, None, None, live::login(true));
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
        Err(refused) => sorry(&app, None, &refused),
    }
}

pub(crate) async fn script() -> Response {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], SCRIPT).into_response()
}

pub(crate) async fn missing(State(app): State<Arc<App>>) -> Response {
    let page = live::message(
        "There is no such page",
        "It may have moved, or the address was cut off.",
    );
    (StatusCode::NOT_FOUND, framed(&app, None, None, page)).into_response()
}
