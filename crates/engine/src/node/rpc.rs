//! JSON-RPC 2.0, whatever carries it.

use portreeve_wallet::node::ProviderError;
use serde_json::{Value, json};

/// An address, and what it is called where people read it: the rest may hold a key.
#[derive(Clone, Debug)]
pub(super) struct Name {
    address: String,
    host: String,
}

impl Name {
    pub(super) fn of(address: &str) -> Self {
        let host = address.split("://").last().unwrap_or(address);
        let host = host.split(['/', '?', '#']).next().unwrap_or(host);
        let host = host.rsplit('@').next().unwrap_or(host);
        Self {
            address: address.to_owned(),
            host: host.to_owned(),
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn short(&self) -> &str {
        &self.host
    }

    /// A text without the address.
    pub(super) fn hide(&self, text: &str) -> String {
        text.replace(&self.address, &self.host)
    }
}

/// A call, as it is sent.
pub(super) fn call(id: u64, method: &str, parameters: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}).to_string()
}

/// What an answer says. `wait` is for how many seconds the node asked to be left alone, told beside the answer.
pub(super) fn result(
    mut answer: Value,
    wait: Option<u64>,
    name: &Name,
) -> Result<Value, ProviderError> {
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
            message: name.hide(message),
        });
    }
    answer
        .get_mut("result")
        .map(Value::take)
        .ok_or_else(|| ProviderError::Garbage("neither result nor error".to_owned()))
}
