//! A bridge gave out on one chain what never went in on the other.

use portreeve_model::Severity;

use crate::watch::Rule;

pub(super) const RULE: Rule = Rule {
    id: "wallet.mint-without-burn",
    title: "A bridge gave out what never went in",
    severity: Severity::Critical,
    techniques: &["T1565"],
    about: "A declared bridge's contract (LayerZero's omnichain tokens) received the message of a transfer \
            that no watched end sent. Both chains are read from nodes of one's own choice, so that what the \
            bridge's verifiers believed does not matter.",
    quieten: "It waits until every other end was read up to the message's time, and says nothing where one \
              is not read: read all chains of a bridge together.",
    judge: |scene, hits| {
        for received in scene.unsent {
            hits.add(
                received.contract,
                Some(received.transaction),
                &received.message.to_string(),
                false,
                format!(
                    "At {} the bridge gave out money for message {}, which no watched end sent",
                    received.time, received.message
                ),
            );
        }
    },
};

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256};
    use alloy_sol_types::SolEvent;

    use super::*;
    use crate::abi::{OFTReceived, OFTSent};
    use crate::watch::stage::{PROXY, STRANGER, Script, Stage, log, severities};

    const FAR: Address = Address::repeat_byte(0xd3);

    fn receive(script: &mut Script, contract: Address) {
        let transaction = script.send(STRANGER, Some(contract), U256::ZERO, Default::default());
        log(
            transaction,
            contract,
            &[
                OFTReceived::SIGNATURE_HASH,
                B256::repeat_byte(1),
                STRANGER.into_word(),
            ],
            &[0; 64],
        );
    }

    fn send(script: &mut Script, message: u8) {
        script.block.chain = 10;
        let transaction = script.send(STRANGER, Some(FAR), U256::ZERO, Default::default());
        log(
            transaction,
            FAR,
            &[
                OFTSent::SIGNATURE_HASH,
                B256::repeat_byte(message),
                STRANGER.into_word(),
            ],
            &[0; 96],
        );
    }

    #[test]
    fn what_no_end_sent_is_found_once_the_other_end_was_read() {
        let mut stage = Stage::new();
        stage.block(|script| send(script, 2));
        let waiting = stage.block(|script| receive(script, PROXY));
        assert_eq!(severities(&waiting, RULE.id), []);
        let found = stage.block(|script| send(script, 3));
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
        assert_eq!(found[0].wallet, PROXY);
    }

    #[test]
    fn what_was_sent_before_or_seen_late_and_others_contracts_are_not() {
        let mut stage = Stage::new();
        stage.block(|script| send(script, 1));
        stage.block(|script| receive(script, PROXY));
        let found = stage.block(|script| send(script, 2));
        assert_eq!(severities(&found, RULE.id), []);
        // The other chain's block is read after.
        let mut late = Stage::new();
        late.block(|script| receive(script, PROXY));
        let found = late.block(|script| send(script, 1));
        assert_eq!(severities(&found, RULE.id), []);
        let mut other = Stage::new();
        other.block(|script| receive(script, STRANGER));
        let found = other.block(|script| send(script, 2));
        assert_eq!(severities(&found, RULE.id), []);
    }
}
