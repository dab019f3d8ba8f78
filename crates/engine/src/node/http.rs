//! A node by HTTP.

use std::io::Read;

use portreeve_wallet::node::{Provider, ProviderError};
use serde_json::Value;

use super::rpc::{self, Name};
use crate::web::{LARGEST, Web};

/// A node that is reached by HTTP.
#[derive(Debug)]
pub struct HttpProvider {
    web: Web,
    name: Name,
    number: u64,
}

impl HttpProvider {
    /// A node at an address. It is called by its host: the rest may hold a key.
    pub fn new(address: &str) -> Self {
        Self {
            web: Web::default(),
            name: Name::of(address),
            number: 0,
        }
    }

    fn unreachable(&self, error: &impl ToString) -> ProviderError {
        ProviderError::Unreachable(self.name.hide(&error.to_string()))
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        self.name.short()
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        self.number += 1;
        let answer = self
            .web
            .agent
            .post(self.name.address())
            .header("content-type", "application/json")
            .send(rpc::call(self.number, method, parameters))
            .map_err(|error| self.unreachable(&error))?;
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
            .map_err(|error| self.unreachable(&error))?;
        let answer: Value = serde_json::from_slice(&text)
            .map_err(|error| ProviderError::Garbage(format!("status {status}, {error}")))?;
        let other = answer.get("error").is_none_or(Value::is_null)
            && answer.get("id").and_then(Value::as_u64) != Some(self.number);
        if other {
            return Err(ProviderError::Garbage(
                "the answer to another call".to_owned(),
            ));
        }
        rpc::result(answer, wait, &self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::tests::{answer, serve};

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
}
