//! Fewer must agree before a bridge believes a message.

use alloy_primitives::Address;
use alloy_sol_types::{SolCall, SolValue};
use portreeve_model::Severity;

use crate::abi::{UlnConfig, setConfigCall, setDelegateCall};
use crate::policy::Announced;
use crate::watch::{Rule, Scene, change_announced, executed_hash};

/// The type of configuration that names verifiers (LayerZero's `CONFIG_TYPE_ULN`).
const VERIFIERS: u32 = 2;

pub(super) const RULE: Rule = Rule {
    id: "wallet.bridge-downgrade",
    title: "A bridge's verification was weakened",
    severity: Severity::Critical,
    techniques: &["T1685"],
    about: "A declared contract got a bridge configuration by which one verifier is enough, or another \
            delegate, who may set such configurations. One forged message then mints or releases money.",
    quieten: "Name the delegate under `[known]`, or announce the upgrade with the contract's address.",
    judge: |scene, hits| {
        for transaction in scene
            .block
            .transactions
            .iter()
            .filter(|one| one.took_effect())
        {
            for (caller, _, _, input) in transaction.all_calls() {
                let Some((contract, what)) = weakened(scene, caller, input) else {
                    continue;
                };
                let hash = executed_hash(transaction, contract);
                let announced = change_announced(
                    scene.policy,
                    Announced::Upgrade,
                    contract,
                    scene.block,
                    Some(contract),
                    hash,
                );
                hits.add(
                    contract,
                    Some(transaction.hash),
                    &what,
                    announced,
                    what.clone(),
                );
            }
        }
    },
};

fn weakened(scene: &Scene<'_>, caller: Address, input: &[u8]) -> Option<(Address, String)> {
    if let Ok(call) = setConfigCall::abi_decode(input) {
        scene.policy.wallet(call.oapp)?;
        let enough = call
            .params
            .iter()
            .filter(|param| param.configType == VERIFIERS)
            .find_map(|param| {
                let config = UlnConfig::abi_decode(&param.config).ok()?;
                // 255 stands for none, 0 for the bridge's default.
                let required = match config.requiredDVNCount {
                    0 => return None,
                    255 => 0,
                    count => u32::from(count),
                };
                let enough = required + u32::from(config.optionalDVNThreshold);
                (enough <= 1).then_some((param.eid, enough))
            });
        return enough.map(|(chain, enough)| {
            (
                call.oapp,
                format!("{enough} verifier is enough for messages of bridge chain {chain}"),
            )
        });
    }
    let call = setDelegateCall::abi_decode(input).ok()?;
    scene.policy.wallet(caller)?;
    (!scene.policy.knows(call.delegate)).then(|| {
        (
            caller,
            format!("{} may set its bridge's configuration", call.delegate),
        )
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, U256};

    use super::*;
    use crate::abi::SetConfigParam;
    use crate::watch::stage::{OWNERS, PROXY, STRANGER, Stage, severities};

    fn config(contract: Address, required: u8, threshold: u8, kind: u32) -> Bytes {
        let config = UlnConfig {
            confirmations: 15,
            requiredDVNCount: required,
            optionalDVNCount: threshold,
            optionalDVNThreshold: threshold,
            requiredDVNs: Vec::new(),
            optionalDVNs: Vec::new(),
        };
        let param = SetConfigParam {
            eid: 30_101,
            configType: kind,
            config: config.abi_encode().into(),
        };
        setConfigCall {
            oapp: contract,
            lib: STRANGER,
            params: vec![param],
        }
        .abi_encode()
        .into()
    }

    fn found(from: Address, input: Bytes) -> Vec<Severity> {
        let found = Stage::new().block(|script| {
            script.send(from, Some(STRANGER), U256::ZERO, input);
        });
        severities(&found, RULE.id)
    }

    #[test]
    fn one_verifier_and_a_strange_delegate_are_found() {
        assert_eq!(
            found(STRANGER, config(PROXY, 1, 0, VERIFIERS)),
            [Severity::Critical]
        );
        assert_eq!(
            found(STRANGER, config(PROXY, 255, 1, VERIFIERS)),
            [Severity::Critical]
        );
        let delegate = setDelegateCall { delegate: STRANGER }.abi_encode();
        assert_eq!(found(PROXY, delegate.into()), [Severity::Critical]);
    }

    #[test]
    fn two_verifiers_defaults_other_settings_and_others_contracts_are_not() {
        assert_eq!(found(STRANGER, config(PROXY, 2, 0, VERIFIERS)), []);
        assert_eq!(found(STRANGER, config(PROXY, 1, 1, VERIFIERS)), []);
        assert_eq!(found(STRANGER, config(PROXY, 0, 0, VERIFIERS)), []);
        assert_eq!(found(STRANGER, config(PROXY, 1, 0, 1)), []);
        assert_eq!(found(STRANGER, config(STRANGER, 1, 0, VERIFIERS)), []);
        let known = setDelegateCall {
            delegate: OWNERS[0],
        }
        .abi_encode();
        assert_eq!(found(PROXY, known.into()), []);
        let other = setDelegateCall { delegate: STRANGER }.abi_encode();
        assert_eq!(found(STRANGER, other.into()), []);
    }
}
