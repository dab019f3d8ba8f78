//! Any bytes as what wallets are judged by: queues of Safes, calldata, signatures, blocks, policies,
//! ledgers, manifests, keys. What can be read is judged; nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portreeve_wallet::bundle::Statement;
use portreeve_wallet::chain::read_block;
use portreeve_wallet::ledger::{read_keys, read_requests};
use portreeve_wallet::policy::Policy;
use portreeve_wallet::safe::{
    Expectations, OwnerSignature, SafeTransaction, Unpacked, read_queues, verify,
};
use portreeve_wallet::watch::{Observation, Watcher};
use portreeve_wallet::{B256, U256, address_of_public_key, words};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind % 8 {
        0 => {
            if let Ok((queues, _)) = read_queues(bytes) {
                verify(&queues, &Expectations::default());
            }
        }
        1 => {
            if let Some((transaction, signatures)) =
                SafeTransaction::from_calldata(bytes, U256::ZERO)
            {
                words::calls(&Unpacked::of(&transaction, &|_| true));
                for signature in OwnerSignature::split(&signatures).into_iter().flatten() {
                    signature.signer(B256::ZERO);
                }
            }
            words::function(bytes);
        }
        2 => {
            for signature in OwnerSignature::split(bytes).into_iter().flatten() {
                signature.signer(B256::repeat_byte(7));
            }
        }
        3 => {
            let mut watcher = Watcher::new(Policy::default());
            for line in bytes.split(|byte| *byte == b'\n') {
                if let Ok(block) = read_block(line) {
                    watcher.observe(Observation::Block(Box::new(block), Vec::new()));
                }
            }
        }
        4 => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                let _ = Policy::read(text);
            }
        }
        5 => {
            read_requests(bytes);
        }
        6 => {
            if let Ok(statement) = Statement::read(bytes) {
                statement.digests();
            }
        }
        _ => {
            let _ = address_of_public_key(bytes);
            read_keys(bytes);
        }
    }
});
