//! HTTP, for nodes of chains and for pages: the feature `chain`.

use std::io::Read;
use std::time::Duration;

use portreeve_wallet::node::{Provider, ProviderError};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::files::stream_sha256;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of one answer: a full block with its transactions is below 20 MB.
const LARGEST: u64 = 128 << 20;

/// A client. It keeps no cookies, follows redirections, and speaks HTTP and HTTPS; it trusts the certificate
/// authorities that the operating system trusts, an organisation's own among them.
#[derive(Clone, Debug)]
pub struct Web {
    agent: Agent,
}

impl Default for Web {
    fn default() -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(trusted()).build())
            .build();
        Self {
            agent: config.into(),
        }
    }
}

/// The operating system's certificate authorities. One that cannot be read is not trusted.
fn trusted() -> RootCerts {
    let found = rustls_native_certs::load_native_certs().certs;
    let certificates = found
        .iter()
        .map(|one| Certificate::from_der(one).to_owned());
    RootCerts::from(certificates)
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Not reached, or it broke off.
    #[error("{0}")]
    Unreachable(String),
    /// An answer that is none.
    #[error("it answered with status {0}")]
    Status(u16),
}

/// What was answered to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// For how many seconds the receiver asks to wait.
    pub retry_after: Option<u64>,
}

impl Web {
    /// Sends a JSON document to an address.
    ///
    /// # Errors
    /// Where it is not reached. The error does not name the address, which may hold a secret.
    pub fn post_json(&self, address: &str, body: &str) -> Result<Answer, WebError> {
        let answer = self
            .agent
            .post(address)
            .header("content-type", "application/json")
            .send(body)
            .map_err(|error| {
                let told = error.to_string();
                WebError::Unreachable(told.replace(address, "the address"))
            })?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Answer {
            status: answer.status().as_u16(),
            retry_after,
        })
    }

    /// The SHA-256 of what an address gives, in hexadecimal; `None` where there is nothing (404, 410).
    pub fn sha256(&self, address: &str) -> Result<Option<String>, WebError> {
        let unreachable = |error: String| WebError::Unreachable(error);
        let answer = self
            .agent
            .get(address)
            .call()
            .map_err(|error| unreachable(error.to_string()))?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Ok(None),
            status => return Err(WebError::Status(status)),
        }
        let mut body = answer.into_body().into_reader().take(LARGEST + 1);
        let (digest, bytes) =
            stream_sha256(&mut body).map_err(|error| unreachable(error.to_string()))?;
        if bytes > LARGEST {
            return Err(unreachable("it is larger than 128 MiB".to_owned()));
        }
        Ok(Some(digest))
    }
}

/// A node that is reached by HTTP.
#[derive(Debug)]
pub struct HttpProvider {
    web: Web,
    address: String,
    name: String,
    number: u64,
}

impl HttpProvider {
    /// A node at an address. It is called by its host: the rest may hold a key.
    pub fn new(address: &str) -> Self {
        let host = address.split("://").last().unwrap_or(address);
        let host = host.rsplit('@').next().unwrap_or(host);
        Self {
            web: Web::default(),
            address: address.to_owned(),
            name: host.split(['/', '?']).next().unwrap_or(host).to_owned(),
            number: 0,
        }
    }

    fn hide(&self, error: &str) -> String {
        error.replace(&self.address, &self.name)
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        self.number += 1;
        let call =
            json!({"jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters});
        let answer = self
            .web
            .agent
            .post(&self.address)
            .header("content-type", "application/json")
            .send(call.to_string())
            .map_err(|error| ProviderError::Unreachable(self.hide(&error.to_string())))?;
        let status = answer.status().as_u16();
        let wait = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if status == 429 {
            return Err(ProviderError::RateLimited { seconds: wait });
        }
        let mut text = Vec::new();
        answer
            .into_body()
            .into_reader()
            .take(LARGEST + 1)
            .read_to_end(&mut text)
            .map_err(|error| ProviderError::Unreachable(self.hide(&error.to_string())))?;
        let mut answer: Value = serde_json::from_slice(&text)
            .map_err(|error| ProviderError::Garbage(format!("status {status}, {error}")))?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let code = error
                .get("code")
                .and_then(Value::as_i64)
                .unwrap_or_default();
            // "Limit exceeded" (EIP-1474).
            if code == -32005 {
                return Err(ProviderError::RateLimited { seconds: wait });
            }
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(ProviderError::Refused {
                code,
                message: self.hide(message),
            });
        }
        if answer.get("id").and_then(Value::as_u64) != Some(self.number) {
            return Err(ProviderError::Garbage(
                "the answer to another call".to_owned(),
            ));
        }
        answer
            .get_mut("result")
            .map(Value::take)
            .ok_or_else(|| ProviderError::Garbage("neither result nor error".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Answers calls on loopback one after the other, each on a connection of its own.
    fn serve(answers: Vec<String>) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1/secret-key", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (address, server)
    }

    fn answer(status: &str, head: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{head}\r\n{body}",
            body.len()
        )
    }

    #[test]
    fn answers_of_every_kind_are_told_apart() {
        let (address, server) = serve(vec![
            answer("200 OK", "", r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#),
            answer("429 Too Many Requests", "retry-after: 7\r\n", ""),
            answer(
                "200 OK",
                "",
                r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32005,"message":"slow down"}}"#,
            ),
            answer(
                "200 OK",
                "",
                r#"{"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"no such method"}}"#,
            ),
            answer("502 Bad Gateway", "", "<html>"),
            answer("200 OK", "", r#"{"jsonrpc":"2.0","id":99,"result":"0x1"}"#),
        ]);
        let mut node = HttpProvider::new(&address);
        assert!(!node.name().contains("secret"));
        let mut call = || node.call("eth_chainId", &json!([]));
        assert_eq!(call(), Ok(json!("0x1")));
        assert_eq!(call(), Err(ProviderError::RateLimited { seconds: Some(7) }));
        assert_eq!(call(), Err(ProviderError::RateLimited { seconds: None }));
        assert!(matches!(
            call(),
            Err(ProviderError::Refused { code: -32601, .. })
        ));
        assert!(matches!(call(), Err(ProviderError::Garbage(_))));
        assert!(matches!(call(), Err(ProviderError::Garbage(_))));
        server.join().unwrap();
        assert!(
            matches!(call(), Err(ProviderError::Unreachable(error)) if !error.contains("secret"))
        );
    }

    #[test]
    fn a_page_is_hashed_and_a_missing_one_is_none() {
        let (address, server) = serve(vec![
            answer("200 OK", "", "abc"),
            answer("404 Not Found", "", "no"),
            answer("500 Oops", "", ""),
        ]);
        let web = Web::default();
        let digest = web.sha256(&address).unwrap().unwrap();
        assert!(digest.starts_with("ba7816bf8f01cfea"));
        assert!(web.sha256(&address).unwrap().is_none());
        assert!(matches!(web.sha256(&address), Err(WebError::Status(500))));
        server.join().unwrap();
    }
}
