//! HTTP, for nodes of chains, queues of Safes and pages: the feature `chain`.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

use crate::files::stream_sha256;

/// How long one call may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of one answer: a full block with its transactions is below 20 MB.
pub(crate) const LARGEST: u64 = 128 << 20;

/// A client. It keeps no cookies, follows redirections, and speaks HTTP and HTTPS; it trusts the certificate
/// authorities that the operating system trusts, an organisation's own among them.
#[derive(Clone, Debug)]
pub struct Web {
    pub(crate) agent: Agent,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            agent: settings().build().into(),
        }
    }
}

fn settings() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .user_agent(concat!("portreeve/", env!("CARGO_PKG_VERSION")))
        .tls_config(TlsConfig::builder().root_certs(trusted()).build())
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
    /// A client to which a redirection is an answer as others.
    pub(crate) fn without_redirections() -> Agent {
        let settings = settings().max_redirects(0).max_redirects_will_error(false);
        settings.build().into()
    }

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

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Answers calls on loopback one after the other, each on a connection of its own.
    pub(crate) fn serve(answers: Vec<String>) -> (String, JoinHandle<()>) {
        let (address, server) = serve_and_hear(answers);
        (address, std::thread::spawn(move || drop(server.join())))
    }

    /// The same; the heads of the calls come back, in small letters.
    pub(crate) fn serve_and_hear(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1/secret-key", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut heads = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut length, mut head) = (0, String::new());
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
                    head.push_str(&lower);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                heads.push(head);
                stream.write_all(answer.as_bytes()).unwrap();
            }
            heads
        });
        (address, server)
    }

    pub(crate) fn answer(status: &str, head: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{head}\r\n{body}",
            body.len()
        )
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
