//! A transaction service by HTTP: the feature `chain`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use portreeve_wallet::Address;
use portreeve_wallet::service::{Service, ServiceError};
use ureq::Agent;

use crate::web::Web;

/// The most bytes of one answer. A page of a hundred transactions with large calldata is below 10 MB.
const LARGEST: usize = 32 << 20;
/// The most bytes of answers that are kept to be asked for conditionally.
const KEPT: usize = 64 << 20;
/// Where the service keeps its Safes, below its address; the version is the second part.
const SAFES: [&str; 2] = ["/api/v1/safes/", "/api/v2/safes/"];

/// The address of a transaction service, and the Safe that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    base: String,
    /// The Safe, where the address goes on to one.
    pub safe: Option<Address>,
}

/// Why an address is none of a transaction service, or a token is not sent there. None tells the address's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAddressError {
    /// It begins otherwise.
    #[error("expected an address that begins with https:// or http://")]
    Scheme,
    /// No host, or characters that no address has.
    #[error(
        "expected an address as https://HOST/PATH, without a name, a password, a query or spaces"
    )]
    Address,
    /// It goes on to what is no Safe's address.
    #[error("expected a Safe's address behind /safes/, 20 bytes in hexadecimal that begin with 0x")]
    Safe,
    /// A token that others could read on its way.
    #[error("a token is sent by https:// alone, or to this machine")]
    Exposed,
    /// A token of other characters than a header holds.
    #[error("the token holds characters that are none of a token; give it as one line")]
    Token,
}

impl ServiceAddress {
    /// Reads an address: the service's own, or one below it, of a Safe or of its transactions.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, ServiceAddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(ServiceAddressError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(ServiceAddressError::Scheme);
        }
        let wrong =
            |character: char| !character.is_ascii_graphic() || "@?#\\\"<>".contains(character);
        if rest.is_empty() || rest.starts_with('/') || rest.contains(wrong) {
            return Err(ServiceAddressError::Address);
        }
        let found = SAFES.iter().find_map(|safes| rest.split_once(safes));
        let (base, safe) = match found {
            None => (rest, None),
            Some((base, safe)) => {
                let safe = safe.split('/').next().unwrap_or_default();
                let safe = safe.parse().map_err(|_| ServiceAddressError::Safe)?;
                (base, Some(safe))
            }
        };
        Ok(Self {
            base: format!("{scheme}://{}", base.trim_end_matches('/')),
            safe,
        })
    }

    /// Its host and port, as people read it.
    pub fn host(&self) -> &str {
        let rest = self.base.split("://").last().unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// Whether nobody can read along: encrypted, or within this machine.
    fn is_private(&self) -> bool {
        let host = self.host();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let own = name.trim_matches(['[', ']']);
        let loopback = own
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
        self.base.starts_with("https://") || loopback || own == "localhost"
    }
}

/// A transaction service that is asked by HTTP. It follows no redirection, so that what it is told stays with it;
/// what it answered before is asked for conditionally (`ETag`).
pub struct HttpService {
    agent: Agent,
    address: ServiceAddress,
    token: Option<String>,
    kept: BTreeMap<String, Kept>,
}

/// An answer with its tag.
struct Kept {
    tag: String,
    body: Vec<u8>,
}

impl fmt::Debug for HttpService {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("HttpService")
            .field("host", &self.address.host())
            .finish_non_exhaustive()
    }
}

impl HttpService {
    /// The service at an address; a token is sent as `Authorization: Bearer`.
    ///
    /// # Errors
    /// Where the token could be read on its way, or is none.
    pub fn new(address: ServiceAddress, token: Option<&str>) -> Result<Self, ServiceAddressError> {
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ServiceAddressError::Token);
        }
        if token.is_some() && !address.is_private() {
            return Err(ServiceAddressError::Exposed);
        }
        Ok(Self {
            agent: Web::without_redirections(),
            address,
            token: token.map(|token| format!("Bearer {token}")),
            kept: BTreeMap::new(),
        })
    }

    fn unreachable(&self, error: &impl ToString) -> ServiceError {
        let told = error.to_string();
        ServiceError::Unreachable(told.replace(&self.address.base, self.address.host()))
    }

    fn keep(&mut self, path: &str, tag: &str, body: &[u8]) {
        self.kept.remove(path);
        let held: usize = self.kept.values().map(|kept| kept.body.len()).sum();
        if held + body.len() <= KEPT {
            let kept = Kept {
                tag: tag.to_owned(),
                body: body.to_vec(),
            };
            self.kept.insert(path.to_owned(), kept);
        }
    }
}

impl Service for HttpService {
    fn get(&mut self, path: &str) -> Result<Vec<u8>, ServiceError> {
        let mut request = self
            .agent
            .get(format!("{}{path}", self.address.base))
            .header("accept", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", token);
        }
        let before = self.kept.get(path);
        if let Some(kept) = before {
            request = request.header("if-none-match", &kept.tag);
        }
        let answer = request.call().map_err(|error| self.unreachable(&error))?;
        let header = |name| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        match (answer.status().as_u16(), before) {
            (200, _) => {}
            (304, Some(kept)) => return Ok(kept.body.clone()),
            (429, _) => {
                let seconds = header("retry-after").and_then(|value| value.parse().ok());
                return Err(ServiceError::RateLimited { seconds });
            }
            (status, _) => return Err(ServiceError::Status(status)),
        }
        let tag = header("etag").map(str::to_owned);
        let mut body = Vec::new();
        let mut reader = answer.into_body().into_reader().take(LARGEST as u64 + 1);
        let read = reader.read_to_end(&mut body);
        read.map_err(|error| self.unreachable(&error))?;
        if body.len() > LARGEST {
            return Err(ServiceError::TooLarge);
        }
        if let Some(tag) = tag {
            self.keep(path, &tag, &body);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::tests::{answer, serve_and_hear};

    const SAFE: &str = "0x1Db92e2EeBC8E0c075a02BeA49a2935BcD2dFCF4";

    #[test]
    fn an_address_is_taken_apart_wherever_it_ends() {
        let base = "https://safe.example/tx-service/eth";
        for text in [
            base.to_owned(),
            format!("{base}/"),
            format!("HTTPS://safe.example/tx-service/eth/api/v1/safes/{SAFE}/"),
            format!("{base}/api/v2/safes/{SAFE}/multisig-transactions/"),
        ] {
            let address = ServiceAddress::parse(&text).unwrap();
            assert_eq!(address.base, base);
            assert_eq!(address.host(), "safe.example");
            assert_eq!(address.safe.is_some(), text.contains(SAFE), "{text}");
        }
        for (text, error) in [
            ("safe.example", ServiceAddressError::Scheme),
            ("ftp://safe.example", ServiceAddressError::Scheme),
            ("https:///x", ServiceAddressError::Address),
            (
                "https://name:word@safe.example",
                ServiceAddressError::Address,
            ),
            ("https://safe.example/?x=1", ServiceAddressError::Address),
            ("https://safe.example/ x", ServiceAddressError::Address),
            (
                "https://safe.example/api/v1/safes/0x12/",
                ServiceAddressError::Safe,
            ),
        ] {
            assert_eq!(ServiceAddress::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_token_goes_where_nobody_reads_along() {
        let service = |address: &str, token| {
            HttpService::new(ServiceAddress::parse(address).unwrap(), Some(token)).err()
        };
        for address in [
            "https://safe.example",
            "http://127.0.0.1:80",
            "http://[::1]:80/x",
            "http://localhost",
        ] {
            assert_eq!(service(address, "abc\n"), None, "{address}");
        }
        for address in [
            "http://safe.example",
            "http://127.0.0.1.example:80",
            "http://10.0.0.1",
        ] {
            assert_eq!(
                service(address, "abc"),
                Some(ServiceAddressError::Exposed),
                "{address}"
            );
            assert_eq!(service(address, " \n"), None, "no token is sent");
        }
        let two = service("https://safe.example", "a\nb");
        assert_eq!(two, Some(ServiceAddressError::Token));
        let address = ServiceAddress::parse("https://safe.example").unwrap();
        let service = HttpService::new(address, Some("hush")).unwrap();
        assert!(!format!("{service:?}").contains("hush"));
    }

    #[test]
    fn an_unchanged_answer_is_not_fetched_again_and_others_are_told_apart() {
        let (address, server) = serve_and_hear(vec![
            answer("200 OK", "etag: \"one\"\r\n", "first"),
            answer("304 Not Modified", "", ""),
            answer("200 OK", "", "second"),
            answer("429 Too Many Requests", "retry-after: 9\r\n", ""),
            answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
            answer("503 Oops", "", ""),
        ]);
        let address = ServiceAddress::parse(&address).unwrap();
        let mut service = HttpService::new(address, Some("hush")).unwrap();
        let mut get = || service.get("/api/v1/safes/");
        assert_eq!(get(), Ok(b"first".to_vec()));
        assert_eq!(get(), Ok(b"first".to_vec()));
        assert_eq!(get(), Ok(b"second".to_vec()));
        assert_eq!(get(), Err(ServiceError::RateLimited { seconds: Some(9) }));
        assert_eq!(get(), Err(ServiceError::Status(302)));
        assert_eq!(get(), Err(ServiceError::Status(503)));
        let heard = server.join().unwrap();
        assert!(
            heard
                .iter()
                .all(|head| head.contains("authorization: bearer hush"))
        );
        assert!(!heard[0].contains("if-none-match"));
        assert!(heard[1].contains("if-none-match: \"one\""));
        assert!(matches!(get(), Err(ServiceError::Unreachable(why)) if !why.contains("hush")));
    }
}
