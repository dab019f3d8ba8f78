//! What is new, as it comes: server-sent events.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use portreeve_engine::serve::News;
use tokio::sync::broadcast::error::RecvError;

use super::{apart, shown};
use crate::app::App;

/// Each commit as an event `commit`: `revision`, ids of incidents that are new or changed, as they are shown,
/// those that went into others, how many findings are new or changed, how many records came with it. Whoever
/// was too slow gets an event `behind`, and should ask for everything again.
#[utoipa::path(get, path = "/api/v1/events", responses(
    (status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    let state = (app.news(), app.ended(), app);
    let stream = unfold(state, |(mut news, mut ended, app)| async move {
        let received = tokio::select! {
            received = news.recv() => received,
            _ = ended.changed() => return None,
        };
        let event = match received {
            Ok(news) => commit(&as_shown(app.clone(), news).await),
            Err(RecvError::Lagged(_)) => Event::default().event("behind").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), (news, ended, app)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// The same, of incidents as people see them; as they were derived where that cannot be read.
async fn as_shown(app: Arc<App>, news: News) -> News {
    let derived = news.clone();
    let told = apart(move || {
        let viewed = shown(&app)?;
        let decisions = viewed.decisions();
        let shown = news.incidents.iter().flat_map(|id| decisions.shown_as(id));
        let shown: BTreeSet<&str> = shown.collect();
        let now = |id: &String| decisions.now(id).to_owned();
        Ok(News {
            incidents: shown.into_iter().map(str::to_owned).collect(),
            merged: news
                .merged
                .iter()
                .map(|(was, is)| (was.clone(), now(is)))
                .collect(),
            ..news
        })
    });
    told.await.unwrap_or(derived)
}

fn commit(news: &News) -> Event {
    let data = serde_json::to_string(news).unwrap_or_default();
    Event::default()
        .event("commit")
        .id(news.revision.to_string())
        .data(data)
}
