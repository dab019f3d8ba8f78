//! A node by WebSocket: calls and the subscription to new blocks on one connection, which is kept.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portreeve_wallet::node::{Provider, ProviderError};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use super::rpc::{self, Name};
use super::{Heads, NodeError};
use crate::web::{LARGEST, PATIENCE};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The id of the subscription's call; the reader's begin at 1.
const SUBSCRIPTION: u64 = 0;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// One call, and opening a connection.
    pub(super) patience: Duration,
    /// A ping is sent after so long, and the connection given up when nothing came for three times as long.
    pub(super) ping: Duration,
    /// How long after the first failure it is connected again; doubled by each failure that follows.
    pub(super) first_pause: Duration,
    /// The longest such pause.
    pub(super) longest_pause: Duration,
    /// A connection that stood for so long was none of those failures.
    pub(super) steady: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            ping: Duration::from_secs(20),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            steady: Duration::from_secs(60),
        }
    }
}

/// A node that is reached by WebSocket. While it is connected it is subscribed to new blocks (`eth_subscribe`,
/// `newHeads`), where the node lets it be. A lost connection is made again: at once if it had stood for a while, then
/// after a pause that grows. Calls that were under way when it was lost fail; those that come meanwhile wait for an
/// attempt that is under way, and fail during a pause.
#[derive(Debug)]
pub struct SocketProvider {
    name: Name,
    number: u64,
    patience: Duration,
    calls: UnboundedSender<Call>,
}

#[derive(Debug)]
struct Call {
    id: u64,
    text: String,
    reply: SyncSender<Result<Value, ProviderError>>,
}

impl Call {
    fn answer(self, answer: Result<Value, ProviderError>) {
        // Nobody waits any more where the call took too long.
        let _ = self.reply.try_send(answer);
    }
}

impl SocketProvider {
    /// A node at an address, by its place among the nodes. It is called by its host: the rest may hold a key.
    pub(super) fn start(address: &str, place: usize, heads: Heads) -> Result<Self, NodeError> {
        Self::with(address, place, heads, Timing::default())
    }

    pub(super) fn with(
        address: &str,
        place: usize,
        heads: Heads,
        timing: Timing,
    ) -> Result<Self, NodeError> {
        let name = Name::of(address);
        // What is wrong with the address is known before anything is connected to.
        address
            .into_client_request()
            .map_err(|error| NodeError::Address {
                number: place + 1,
                host: name.short().to_owned(),
                reason: name.hide(&error.to_string()),
            })?;
        let system = |error: &dyn std::fmt::Display| NodeError::System(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| system(&error))?;
        let link = Link {
            name: name.clone(),
            place,
            heads,
            timing,
            tls: tls().map_err(|error| system(&error))?,
        };
        let (calls, queue) = unbounded_channel();
        std::thread::Builder::new()
            .name(format!("node {}", place + 1))
            .spawn(move || runtime.block_on(link.run(queue)))
            .map_err(|error| system(&error))?;
        Ok(Self {
            name,
            number: SUBSCRIPTION,
            patience: timing.patience,
            calls,
        })
    }
}

impl Provider for SocketProvider {
    fn name(&self) -> &str {
        self.name.short()
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        self.number += 1;
        let (reply, answer) = sync_channel(1);
        let sent = self.calls.send(Call {
            id: self.number,
            text: rpc::call(self.number, method, parameters),
            reply,
        });
        let gone = || ProviderError::Unreachable("its thread has ended".to_owned());
        sent.map_err(|_| gone())?;
        // The thread tells when a call takes too long; opening a connection may come before it.
        match answer.recv_timeout(self.patience * 3) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                Err(ProviderError::Unreachable("no answer in time".to_owned()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

/// TLS that trusts the certificate authorities that the operating system trusts.
fn tls() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found: Vec<CertificateDer<'static>> = rustls_native_certs::load_native_certs().certs;
    // One that cannot be read is not trusted.
    roots.add_parsable_certificates(found);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

/// How a connection ended.
enum End {
    /// Nobody calls any more.
    Over,
    Lost(ProviderError),
}

/// The connection's side of a node.
struct Link {
    name: Name,
    place: usize,
    heads: Heads,
    timing: Timing,
    tls: Arc<ClientConfig>,
}

impl Link {
    async fn run(self, mut calls: UnboundedReceiver<Call>) {
        let mut failures = 0u32;
        loop {
            let opened = timeout(self.timing.patience, self.open()).await;
            let opened = opened.unwrap_or_else(|_| Err(self.lost("no connection in time")));
            let error = match opened {
                Ok(mut stream) => {
                    let since = Instant::now();
                    let end = self.serve(&mut stream, &mut calls).await;
                    self.heads.subscribed(self.place, false);
                    // A word to the node that it is over; whether it hears it does not matter.
                    let _ = timeout(self.timing.ping, stream.close(None)).await;
                    let End::Lost(error) = end else { return };
                    if since.elapsed() >= self.timing.steady {
                        failures = 0;
                    } else {
                        failures = failures.saturating_add(1);
                    }
                    error
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    error
                }
            };
            let pause = self.pause(failures, &error);
            self.heads.notice(format!(
                "{}: {error}; connecting again in {:.1} s",
                self.name.short(),
                pause.as_secs_f32()
            ));
            if !rest(pause, &error, &mut calls).await {
                return;
            }
        }
    }

    /// How long to wait before connecting again.
    fn pause(&self, failures: u32, error: &ProviderError) -> Duration {
        let Timing {
            first_pause,
            longest_pause,
            ..
        } = self.timing;
        let grown = match failures.checked_sub(1) {
            None => Duration::ZERO,
            Some(doubled) => first_pause.saturating_mul(1 << doubled.min(16)),
        };
        let asked = match error {
            ProviderError::RateLimited {
                seconds: Some(seconds),
            } => Duration::from_secs((*seconds).min(300)),
            _ => Duration::ZERO,
        };
        grown.min(longest_pause).max(asked)
    }

    async fn open(&self) -> Result<Stream, ProviderError> {
        let limits = WebSocketConfig::default()
            .max_message_size(Some(LARGEST as usize))
            .max_frame_size(Some(LARGEST as usize));
        let opened = tokio_tungstenite::connect_async_tls_with_config(
            self.name.address(),
            Some(limits),
            true,
            Some(Connector::Rustls(Arc::clone(&self.tls))),
        );
        match opened.await {
            Ok((stream, _)) => Ok(stream),
            Err(Error::Http(answer)) if answer.status().as_u16() == 429 => {
                let wait = answer.headers().get("retry-after");
                Err(ProviderError::RateLimited {
                    seconds: wait.and_then(|value| value.to_str().ok()?.parse().ok()),
                })
            }
            Err(Error::Http(answer)) => Err(self.lost(&format!(
                "it answered with status {} to the wish for a WebSocket",
                answer.status().as_u16()
            ))),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn lost(&self, error: &(impl ToString + ?Sized)) -> ProviderError {
        ProviderError::Unreachable(self.name.hide(&error.to_string()))
    }

    /// Carries calls, one after the other, and tells of new blocks, until the connection is lost.
    async fn serve(&self, stream: &mut Stream, calls: &mut UnboundedReceiver<Call>) -> End {
        let wish = rpc::call(SUBSCRIPTION, "eth_subscribe", &json!(["newHeads"]));
        if let Err(error) = self.send(stream, Message::text(wish)).await {
            return End::Lost(error);
        }
        let mut subscription = Subscription::Asked(Instant::now() + self.timing.patience);
        let mut under_way: Option<(Call, Instant)> = None;
        let mut heard = Instant::now();
        let mut ping = heard + self.timing.ping;
        let error = loop {
            let asked = match &subscription {
                Subscription::Asked(until) => *until,
                _ => ping,
            };
            let call_ends = under_way.as_ref().map_or(ping, |(_, ends)| *ends);
            let alarm = ping.min(asked).min(call_ends);
            tokio::select! {
                call = calls.recv(), if under_way.is_none() => {
                    let Some(call) = call else { return End::Over };
                    let sent = self.send(stream, Message::text(call.text.clone())).await;
                    under_way = Some((call, Instant::now() + self.timing.patience));
                    if let Err(error) = sent {
                        break error;
                    }
                }
                message = stream.next() => {
                    heard = Instant::now();
                    let text = match message {
                        Some(Ok(Message::Text(text))) => text.to_string().into_bytes(),
                        Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                        Some(Ok(Message::Close(_))) | None => break self.lost("the connection was closed"),
                        // Pings are answered by the library.
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => break self.lost(&error),
                    };
                    if let Err(error) = self.read(&text, &mut subscription, &mut under_way) {
                        break error;
                    }
                }
                () = sleep_until(alarm) => {
                    let now = Instant::now();
                    if under_way.as_ref().is_some_and(|(_, ends)| now >= *ends) {
                        break self.lost("no answer in time");
                    }
                    if matches!(&subscription, Subscription::Asked(until) if now >= *until) {
                        self.refused(&mut subscription, "it does not answer");
                    }
                    if now >= ping {
                        if now.duration_since(heard) >= self.timing.ping * 3 {
                            break self.lost("nothing was heard of it");
                        }
                        if let Err(error) = self.send(stream, Message::Ping(Vec::new().into())).await {
                            break error;
                        }
                        ping = now + self.timing.ping;
                    }
                }
            }
        };
        if let Some((call, _)) = under_way {
            call.answer(Err(error.clone()));
        }
        End::Lost(error)
    }

    async fn send(&self, stream: &mut Stream, message: Message) -> Result<(), ProviderError> {
        match timeout(self.timing.patience, stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| self.lost(&error)),
            Err(_) => Err(self.lost("it takes no call")),
        }
    }

    /// Reads one message. An error ends the connection: what follows on it can no longer be told apart.
    fn read(
        &self,
        text: &[u8],
        subscription: &mut Subscription,
        under_way: &mut Option<(Call, Instant)>,
    ) -> Result<(), ProviderError> {
        let garbage = |what: String| Err(ProviderError::Garbage(what));
        let message: Value = match serde_json::from_slice(text) {
            Ok(message) => message,
            Err(error) => return garbage(error.to_string()),
        };
        if message.get("method").and_then(Value::as_str) == Some("eth_subscription") {
            let of = message.pointer("/params/subscription");
            if matches!(subscription, Subscription::Of(own) if Some(&*own) == of) {
                self.heads.tell();
            }
            return Ok(());
        }
        match message.get("id").and_then(Value::as_u64) {
            Some(SUBSCRIPTION) if matches!(subscription, Subscription::Asked(_)) => {
                match rpc::result(message, None, &self.name) {
                    Ok(own @ (Value::String(_) | Value::Number(_))) => {
                        *subscription = Subscription::Of(own);
                        self.heads.subscribed(self.place, true);
                    }
                    Ok(_) => self.refused(subscription, "its answer names no subscription"),
                    Err(error) => self.refused(subscription, &error.to_string()),
                }
                Ok(())
            }
            id => match under_way.take_if(|(call, _)| Some(call.id) == id) {
                Some((call, _)) => {
                    call.answer(rpc::result(message, None, &self.name));
                    Ok(())
                }
                // An answer to another call, and none of ours: it may be that ours has no number in it.
                None if under_way.is_some() && id.is_none() => {
                    garbage("an answer without the call's number".to_owned())
                }
                None => Ok(()),
            },
        }
    }

    fn refused(&self, subscription: &mut Subscription, why: &str) {
        *subscription = Subscription::Refused;
        self.heads.notice(format!(
            "{} does not tell of new blocks ({why}): it is asked",
            self.name.short()
        ));
    }
}

/// Whether the node tells of new blocks.
enum Subscription {
    /// It was asked to, and may answer until then.
    Asked(Instant),
    /// It does, under this name.
    Of(Value),
    Refused,
}

/// Lets time pass; calls that come meanwhile fail at once, so that those of other nodes are not held up. Whether
/// anybody still calls.
async fn rest(pause: Duration, error: &ProviderError, calls: &mut UnboundedReceiver<Call>) -> bool {
    let ends = Instant::now() + pause;
    // What waited for the attempt has failed with it.
    while let Ok(call) = calls.try_recv() {
        call.answer(Err(error.clone()));
    }
    loop {
        tokio::select! {
            () = sleep_until(ends) => return true,
            call = calls.recv() => match call {
                Some(call) => call.answer(Err(error.clone())),
                None => return false,
            },
        }
    }
}
