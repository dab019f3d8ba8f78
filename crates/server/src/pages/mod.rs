//! The pages: what is asked of them, and who may see what. `portreeve-view` draws them.

mod estate;
mod hunt;
mod incident;
mod login;
mod today;

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use portreeve_engine::serve::{Health, Shown};
use portreeve_graph::{AttackPath, JewelReach};
use portreeve_incident::{KeyQuestion, KeyRing, WalletStanding, standings};
use portreeve_posture::{Posture, Scene, check};
use portreeve_view::html::live::{self, Frame, Section};
use portreeve_view::html::{Asked, Page};
use portreeve_view::keys::Keys;

use crate::access::Caller;
use crate::api::{apart, shown, tagged_text};
use crate::app::App;
use crate::error::Refused;
use crate::extract::Path;
use crate::guard::is_page;
use crate::viewed::Viewed;

pub(crate) use estate::{coverage, doors, estate, keys, posture, wallets};
pub(crate) use hunt::hunt;
pub(crate) use incident::{
    care, decide, decisions, finding, findings, incident, incident_report, note, paths, plan,
    plan_text, record, records, undo,
};
pub(crate) use login::{log_in, login};
pub(crate) use today::today;

/// Our modules, by name; pages ask for the first, which imports the others.
const MODULES: [(&str, &str); 7] = [
    ("watch.js", include_str!("../../assets/watch.js")),
    ("live.js", include_str!("../../assets/live.js")),
    ("picture.js", include_str!("../../assets/picture.js")),
    ("inline.js", include_str!("../../assets/inline.js")),
    ("keyboard.js", include_str!("../../assets/keyboard.js")),
    ("steps.js", include_str!("../../assets/steps.js")),
    ("table.js", include_str!("../../assets/table.js")),
];

/// How many principals are named of those who reach a jewel.
const NAMED: usize = 25;

/// After how many days without a use a key counts as unused.
const UNUSED_DAYS: u32 = 90;

/// How many master keys are told.
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

/// How each wallet stands as of what is shown.
pub(crate) fn wallet_standings(app: &App, shown: &Shown) -> Vec<WalletStanding> {
    let derived = derived(app, shown);
    standings(&shown.estate, &derived.reach, &shown.report)
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
pub(crate) fn sorry(app: &App, caller: Option<&Caller>, refused: &Refused) -> Response {
    let title = match refused.status() {
        StatusCode::NOT_FOUND => "There is no such thing",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "In a moment",
        StatusCode::FORBIDDEN => "That is for others",
        _ => "That cannot be answered",
    };
    let page = live::message(title, refused.words());
    refused.upon(framed(app, caller, None, page))
}

/// Works a page out on a thread that may wait.
async fn drawn(
    app: Arc<App>,
    caller: Caller,
    section: Option<Section>,
    draw: impl FnOnce(&App, &Viewed, &Caller) -> Result<Page, Refused> + Send + 'static,
) -> Result<Response, Refused> {
    apart(move || {
        let shown = shown(&app)?;
        let page = draw(&app, &shown, &caller)?;
        Ok(framed(&app, Some(&caller), section, page))
    })
    .await
}

/// Which parts of long lists were asked for.
fn asked(query: &std::collections::BTreeMap<String, String>) -> Result<Asked, Refused> {
    let number = |(name, text): (&String, &String)| match text.parse() {
        Ok(number) => Ok((name.clone(), number)),
        Err(_) => Err(Refused::bad(format!(
            "{name} is the number of a part, from 1"
        ))),
    };
    query.iter().map(number).collect()
}

/// Styles, pictures and modules.
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let address = format!("/assets/{name}");
    if address == live::STYLESHEET {
        return tagged_text(&headers, "text/css; charset=utf-8", live::stylesheet());
    }
    if address == live::ICON {
        return tagged_text(&headers, "image/svg+xml", live::icon());
    }
    match MODULES.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => {
            let kind = "text/javascript; charset=utf-8";
            tagged_text(&headers, kind, (*text).to_owned())
        }
        None => Refused::missing("file").into_response(),
    }
}

/// What is answered where no route is.
pub(crate) async fn missing(State(app): State<Arc<App>>, uri: Uri) -> Response {
    if !is_page(uri.path()) {
        return Refused::missing("route").into_response();
    }
    let page = live::message(
        "There is no such page",
        "It may have moved, or the address was cut off.",
    );
    (StatusCode::NOT_FOUND, framed(&app, None, None, page)).into_response()
}

/// What is answered where a route takes other methods. Which, the header `Allow` says.
pub(crate) async fn wrong_method(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let refused = Refused::new(status, "this address takes another method");
    match is_page(uri.path()) {
        true => sorry(&app, None, &refused),
        false => refused.into_response(),
    }
}
