//! The watch over HTTP: an API with its OpenAPI document, what is new as it comes, the web page, metrics.
//!
//! It shows what the [`Board`](portreeve_engine::serve::Board) holds and computes nothing that the crates
//! above compute. What people add goes to the store by a connection of its own.
//!
//! | module | what it holds |
//! |---|---|
//! | [`access`] | who may: tokens, roles, the address that a request came to, the same origin |
//! | `guard` | what stands before every route: rates, headers, the audit log |
//! | `api` | one module a group of routes |
//! | `pages` | the pages, drawn by `portreeve-view` |
//! | `archive` | records as they arrived: one, or what a hunt finds |
//! | `slow` | connections, and for how long a request is waited for |
//! | `decisions` | what people decided of incidents |
//! | `viewed` | what is shown, with where each thing of it is |
//! | `extract` | what handlers take out of a request |
//! | `metrics` | Prometheus text, health, readiness |
//! | [`notify`] | tells others of incidents |

pub mod access;
mod api;
mod app;
mod archive;
mod decisions;
mod error;
mod extract;
mod guard;
mod metrics;
pub mod notify;
mod openapi;
mod pages;
mod rate;
mod routes;
mod secrets;
mod slow;
mod viewed;

use std::net::SocketAddr;
use std::sync::Arc;

pub use app::{App, RuleLine};
pub use archive::Archive;
pub use openapi::document;
pub use routes::{ROUTES, Route, router};

/// Where to listen, and what stands before it.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Whether a proxy that speaks TLS stands before it, and sets `X-Forwarded-For`.
    pub behind_proxy: bool,
}

/// Why the server does not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Everyone could look.
    #[error(
        "{0} is no loopback address and there is no token: make one with `portreeve token add NAME --role viewer`, or listen on 127.0.0.1"
    )]
    NoTokens(SocketAddr),
    /// Tokens would cross the network in the clear.
    #[error(
        "{0} is no loopback address, and tokens would cross the network in the clear: put a proxy that speaks TLS before it and say --behind-proxy, or listen on 127.0.0.1"
    )]
    NoTls(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// The runtime or a connection failed.
    #[error("the server ended: {0}")]
    Io(#[from] std::io::Error),
    /// The tokens cannot be read.
    #[error(transparent)]
    Store(#[from] portreeve_store::StoreError),
}

/// Whether the rules for who may look are kept: on loopback no login is needed; elsewhere there must be
/// tokens, and TLS before them.
///
/// # Errors
/// Where they are not.
pub fn may_listen(listen: Listen, tokens: usize) -> Result<(), ServerError> {
    if listen.address.ip().is_loopback() && !listen.behind_proxy {
        return Ok(());
    }
    if tokens == 0 {
        return Err(ServerError::NoTokens(listen.address));
    }
    if !listen.behind_proxy {
        return Err(ServerError::NoTls(listen.address));
    }
    Ok(())
}

/// Serves until the future that it is given ends; open requests are answered, open streams ended.
///
/// # Errors
/// Where it may not listen there, or cannot.
pub async fn serve(
    app: App,
    listen: Listen,
    bound: impl FnOnce(SocketAddr),
    ended: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerError> {
    may_listen(listen, app.tokens()?)?;
    let listener = tokio::net::TcpListener::bind(listen.address)
        .await
        .map_err(|error| ServerError::Bind {
            address: listen.address,
            error,
        })?;
    let address = listener.local_addr()?;
    let app = Arc::new(app.at(address, listen.behind_proxy));
    bound(address);
    let closing = app.clone();
    slow::answer(listener, router(app), async move {
        ended.await;
        closing.end();
    })
    .await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn away_from_loopback_it_wants_tokens_and_tls() {
        let listen = |address: &str, behind_proxy| Listen {
            address: address.parse().unwrap(),
            behind_proxy,
        };
        assert!(may_listen(listen("127.0.0.1:1", false), 0).is_ok());
        assert!(may_listen(listen("[::1]:1", false), 0).is_ok());
        let refused = |address, behind_proxy, tokens| {
            may_listen(listen(address, behind_proxy), tokens).unwrap_err()
        };
        assert!(matches!(
            refused("0.0.0.0:1", false, 0),
            ServerError::NoTokens(_)
        ));
        assert!(matches!(
            refused("0.0.0.0:1", false, 1),
            ServerError::NoTls(_)
        ));
        assert!(matches!(
            refused("192.0.2.1:1", true, 0),
            ServerError::NoTokens(_)
        ));
        // A proxy before loopback brings strangers there.
        assert!(matches!(
            refused("127.0.0.1:1", true, 0),
            ServerError::NoTokens(_)
        ));
        assert!(may_listen(listen("0.0.0.0:1", true), 1).is_ok());
    }
}
