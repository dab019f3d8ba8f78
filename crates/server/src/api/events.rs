//! What is new, as it comes: server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use portreeve_engine::serve::News;
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;

/// Each commit as an event `commit`: `revision`, ids of incidents that are new or changed, those that went
/// into others, how many findings are new or changed, how many records came with it. Whoever was too slow
/// gets an event `behind`, and should ask for everything again.
#[utoipa::path(get, path = "/api/v1/events", responses(
    (status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn events(State(app): State<Arc<App>>) -> impl IntoResponse {
    let state = (app.news(), app.ended());
    let stream = unfold(state, |(mut news, mut ended)| async move {
        let received = tokio::select! {
            received = news.recv() => received,
            _ = ended.changed() => return None,
        };
        let event = match received {
            Ok(news) => commit(&news),
            Err(RecvError::Lagged(_)) => Event::default().event("behind").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), (news, ended)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn commit(news: &News) -> Event {
    let data = serde_json::to_string(news).unwrap_or_default();
    Event::default()
        .event("commit")
        .id(news.revision.to_string())
        .data(data)
}
