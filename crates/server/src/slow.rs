//! Connections, and for how long whoever is at the other end is waited for.
//!
//! A request that trickles in holds a connection, and memory with it. So a head has to be whole within
//! [`HEAD`], pieces of a body have to follow one another within [`PIECE`], all of it within [`BODY`]: what is
//! slower is answered with 408 ("Request Timeout", RFC 9110, 15.5.9), or closed where not even the head has
//! come. There are no more than [`CONNECTIONS`] at a time; further ones wait to be accepted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::error::Refused;

/// Within so long the head of a request has to be there, from the connection or the answer before it on.
pub(crate) const HEAD: Duration = Duration::from_secs(15);
/// Within so long the next piece of a body has to come.
const PIECE: Duration = Duration::from_secs(10);
/// Within so long a whole body has to come: 16 MiB at 280 KB a second.
const BODY: Duration = Duration::from_secs(60);
/// How many connections there are at a time.
const CONNECTIONS: usize = 1_024;
/// For so long the answers at hand are waited for in the end.
const FAREWELL: Duration = Duration::from_secs(10);

/// Answers connections until `ended`; then those that are answered are waited for.
pub(crate) async fn answer(
    listener: TcpListener,
    router: Router,
    ended: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    tokio::pin!(ended);
    loop {
        // The semaphore is never closed.
        let Ok(place) = room.clone().acquire_owned().await else {
            return;
        };
        let (stream, peer) = tokio::select! {
            () = &mut ended => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if is_of_the_listener(&error) {
                        // Too many files are open, say: others have to close first.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
            }
        };
        let own: Router<()> = router
            .clone()
            .layer(axum::Extension(ConnectInfo::<SocketAddr>(peer)));
        let connection =
            server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(own));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // One that breaks off, or is too slow, is no one's failure here.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

/// Whether a failure is not of one connection, but would be met by the next one as well.
fn is_of_the_listener(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Has a body come in time, or refuses the request with 408.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    let is_late = Arc::new(AtomicBool::new(false));
    let (head, body) = request.into_parts();
    let state = (
        body.into_data_stream(),
        Instant::now() + BODY,
        is_late.clone(),
    );
    let pieces = unfold(state, |(mut stream, until, is_late)| async move {
        let next = (Instant::now() + PIECE).min(until);
        match timeout_at(next, stream.next()).await {
            Ok(None) => None,
            Ok(Some(piece)) => Some((
                piece.map_err(|error| io::Error::other(error.to_string())),
                (stream, until, is_late),
            )),
            Err(_) => {
                is_late.store(true, Ordering::Relaxed);
                let late = io::Error::from(io::ErrorKind::TimedOut);
                Some((Err(late), (stream, until, is_late)))
            }
        }
    });
    let has_body = head
        .headers
        .contains_key(axum::http::header::CONTENT_LENGTH)
        || head
            .headers
            .contains_key(axum::http::header::TRANSFER_ENCODING);
    let body = if has_body {
        Body::from_stream(pieces)
    } else {
        Body::empty()
    };
    let response = next.run(Request::from_parts(head, body)).await;
    if is_late.load(Ordering::Relaxed) {
        return Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
            .into_response();
    }
    response
}
