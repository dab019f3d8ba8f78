//! Whatever a chain's nodes and a transaction service answer: reading them never panics, and ends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_wallet::Address;
use portreeve_wallet::node::{Cursor, Provider, ProviderError, Reader};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::safe::Expectations;
use portreeve_wallet::service::{Desk, Service, ServiceError};
use serde_json::{Value, json};

mod common;
use common::{Grower, WALLET};

const SAFE: Address = Address::repeat_byte(7);

const POLICY: &str = "
[[wallet]]
name = 'treasury'
role = 'cold'
address = '0x0707070707070707070707070707070707070707'
owners = ['0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002']
threshold = 2
";

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    let answers = Answers(Grower::new(bytes, WALLET));
    if kind % 2 == 0 {
        let mut desk = Desk::new(answers, vec![SAFE], Expectations::default());
        for _ in 0..3 {
            desk.round();
        }
    } else {
        let (policy, _) = Policy::read(POLICY).expect("the policy is fixed");
        let mut reader = Reader::new(vec![answers], &policy, Some(5), Cursor::default())
            .expect("there is a provider");
        for _ in 0..8 {
            if reader.step().is_err() {
                break;
            }
        }
    }
});

/// Answers of grown documents, mostly with the frame that belongs around them.
struct Answers<'a>(Grower<'a>);

impl Answers<'_> {
    /// A grown document, with what must be in it where it is an object.
    fn framed(&mut self, frame: Value) -> Value {
        let mut grown = self.0.document();
        if let (Value::Object(grown), Value::Object(frame)) = (&mut grown, frame) {
            grown.extend(frame);
        }
        grown
    }
}

impl Service for Answers<'_> {
    fn get(&mut self, path: &str) -> Result<Vec<u8>, ServiceError> {
        if self.0.is_over() {
            return Err(ServiceError::RateLimited { seconds: None });
        }
        let frame = if path.contains("transactions") {
            json!({"results": [self.framed(json!({"safe": SAFE})), self.0.document()], "next": null})
        } else {
            json!({"address": SAFE})
        };
        Ok(self.framed(frame).to_string().into_bytes())
    }
}

impl Provider for Answers<'_> {
    fn name(&self) -> &str {
        "fuzzed"
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, ProviderError> {
        if self.0.is_over() {
            return Err(ProviderError::RateLimited { seconds: None });
        }
        let hash = |digit: &str| json!(format!("0x{}", digit.repeat(64)));
        Ok(match method {
            "eth_chainId" => json!("0x1"),
            "eth_blockNumber" => json!("0x6"),
            "eth_getBlockByNumber" => self.framed(json!({
                "number": parameters[0], "hash": hash("1"), "parentHash": hash("1"), "timestamp": "0x69000000",
                "logsBloom": format!("0x{}", "f".repeat(512)),
            })),
            _ => self.0.document(),
        })
    }
}
