//! Nodes of chains, by HTTP or by WebSocket: the feature `chain`.

mod heads;
mod http;
mod rpc;
mod socket;
#[cfg(test)]
mod tests;

use portreeve_wallet::node::{Provider, ProviderError};
use serde_json::Value;

pub use heads::Heads;
pub use http::HttpProvider;
pub use socket::SocketProvider;

/// A node, however it is reached.
#[derive(Debug)]
pub enum Node {
    /// By HTTP.
    Http(HttpProvider),
    /// By WebSocket.
    Socket(SocketProvider),
}

/// Why an address is none of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// It begins otherwise. The address is not told: it may hold a key.
    #[error(
        "node {number}: expected an address that begins with http://, https://, ws:// or wss://"
    )]
    Scheme {
        /// Which one, from 1.
        number: usize,
    },
    /// It begins well, and the rest is no address.
    #[error("node {number}, {host}: {reason}")]
    Address {
        /// Which one, from 1.
        number: usize,
        /// Its host.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The system gives no thread or no TLS.
    #[error("cannot speak to nodes: {0}")]
    System(String),
}

impl Node {
    /// Nodes by their addresses, in their order, and what tells of new blocks. Those by WebSocket are connected to
    /// from now on, each by a thread of its own; it ends with its node.
    ///
    /// # Errors
    /// Where an address is none. A node that is not reached is no error: its calls are.
    pub fn connect(addresses: &[String]) -> Result<(Vec<Self>, Heads), NodeError> {
        let heads = Heads::new(addresses.len());
        let mut nodes = Vec::new();
        for (place, address) in addresses.iter().enumerate() {
            let is = |scheme: &str| {
                let begins = address.get(..scheme.len());
                begins.is_some_and(|begins| begins.eq_ignore_ascii_case(scheme))
            };
            nodes.push(if is("http://") || is("https://") {
                Self::Http(HttpProvider::new(address))
            } else if is("ws://") || is("wss://") {
                Self::Socket(SocketProvider::start(address, place, heads.clone())?)
            } else {
                return Err(NodeError::Scheme { number: place + 1 });
            });
        }
        Ok((nodes, heads))
    }
}

impl Provider for Node {
    fn name(&self) -> &str {
        match self {
            Self::Http(node) => node.name(),
            Self::Socket(node) => node.name(),
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        match self {
            Self::Http(node) => node.call(method, parameters),
            Self::Socket(node) => node.call(method, parameters),
        }
    }
}
