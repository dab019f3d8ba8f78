//! Transactions in plain words.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;

use crate::abi;
use crate::safe::{Call, Library, Operation, Unpacked};

/// How many calls of a batch are named.
const NAMED: usize = 5;

/// An address as people compare it: both ends, with the checksum's case.
pub fn short(address: Address) -> String {
    let text = address.to_string();
    format!("{}…{}", &text[..6], &text[text.len() - 4..])
}

/// An amount of the chain's coin. Ether is the unit of 10^18 wei, on every EVM chain.
pub fn ether(wei: U256) -> String {
    let unit = U256::from(1_000_000_000_000_000_000u64);
    let whole = grouped(&(wei / unit).to_string());
    let rest = format!("{:0>18}", (wei % unit).to_string());
    match rest.trim_end_matches('0') {
        "" => format!("{whole} ether"),
        rest => format!("{whole}.{rest} ether"),
    }
}

/// A number with its thousands set apart.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What the calls of a transaction do.
pub fn calls(unpacked: &Unpacked) -> String {
    joined(unpacked, call)
}

/// The same in fewer words, for use beside [`calls`].
pub fn briefly(unpacked: &Unpacked) -> String {
    joined(unpacked, |one| match one.operation {
        Operation::DelegateCall => {
            format!(
                "run the code of {} as the Safe itself (delegatecall)",
                one.to
            )
        }
        _ => call(one),
    })
}

fn joined(unpacked: &Unpacked, words: impl Fn(&Call) -> String) -> String {
    let mut text = match unpacked.calls.as_slice() {
        [] => "nothing".to_owned(),
        [one] => words(one),
        many => {
            let named: Vec<String> = many.iter().take(NAMED).map(words).collect();
            let more = match many.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("{} calls at once: {}{more}", many.len(), named.join("; "))
        }
    };
    if unpacked.incomplete {
        text.push_str("; and what could not be unpacked");
    }
    text
}

/// What one call does.
pub fn call(call: &Call) -> String {
    let to = call.to;
    match call.operation {
        Operation::DelegateCall => delegatecall(call),
        Operation::Unknown(number) => format!("an operation {number} that no Safe knows, at {to}"),
        Operation::Call if call.data.is_empty() && call.value.is_zero() => {
            format!("an empty call to {to}")
        }
        Operation::Call if call.data.is_empty() => format!("send {} to {to}", ether(call.value)),
        Operation::Call => {
            let what = function(&call.data)
                .map_or_else(|| unknown_function(&call.data), |what| what.to_owned());
            match call.value.is_zero() {
                true => format!("{what}, at contract {to}"),
                false => format!("{what}, at contract {to}, with {}", ether(call.value)),
            }
        }
    }
}

fn delegatecall(call: &Call) -> String {
    let target = match Library::at(call.to) {
        Some(library) => format!("{} at {}", library.name(), call.to),
        None => call.to.to_string(),
    };
    let likeness = function(&call.data).map_or_else(String::new, |what| {
        format!(
            "; its calldata look like \"{what}\", which says nothing of what that code does with them"
        )
    });
    format!(
        "run the code of {target} as the Safe itself (delegatecall): it may change the owners and \
         the implementation and spend all that the Safe holds{likeness}"
    )
}

fn unknown_function(data: &[u8]) -> String {
    match data.get(..4) {
        Some(selector) => format!(
            "call function 0x{}, which is not known here",
            alloy_primitives::hex::encode(selector)
        ),
        None => format!("send {} bytes", data.len()),
    }
}

/// A well-known function in words. Amounts are in the token's smallest unit: how many decimals a
/// token has is not in the call.
pub fn function(data: &[u8]) -> Option<String> {
    let selector: [u8; 4] = data.get(..4)?.try_into().ok()?;
    macro_rules! known {
        ($($function:ident($call:ident) => $words:expr;)*) => {
            $(if selector == abi::$function::SELECTOR {
                let $call = abi::$function::abi_decode(data).ok()?;
                return Some($words);
            })*
        };
    }
    known! {
        transferCall(call) => format!("transfer {} units of a token to {}", grouped(&call.amount.to_string()), call.to);
        transferFromCall(call) => format!("transfer {} units of a token from {} to {}", grouped(&call.amount.to_string()), call.from, call.to);
        approveCall(call) => format!("allow {} to spend {} units of a token", call.spender, allowance(call.amount));
        increaseAllowanceCall(call) => format!("allow {} to spend {} more units of a token", call.spender, allowance(call.addedValue));
        setApprovalForAllCall(call) => format!("{} {} to move every token of a collection", if call.approved { "allow" } else { "no longer allow" }, call.operator);
        permitCall(call) => format!("allow {} by signature to spend {} units of {}'s token", call.spender, allowance(call.value), call.owner);
        addOwnerWithThresholdCall(call) => format!("add the owner {} and ask for {} signatures", call.owner, call.threshold);
        removeOwnerCall(call) => format!("remove the owner {} and ask for {} signatures", call.owner, call.threshold);
        swapOwnerCall(call) => format!("replace the owner {} by {}", call.oldOwner, call.newOwner);
        changeThresholdCall(call) => format!("ask for {} signatures", call.threshold);
        enableModuleCall(call) => format!("let the module {} spend without signatures", call.module);
        disableModuleCall(call) => format!("take away the module {}", call.module);
        setGuardCall(call) => format!("set the guard to {}", call.guard);
        setModuleGuardCall(call) => format!("set the guard of modules to {}", call.moduleGuard);
        setFallbackHandlerCall(call) => format!("set the fallback handler to {}", call.handler);
        changeMasterCopyCall(call) => format!("replace the Safe's implementation by {}", call.masterCopy);
        transferOwnershipCall(call) => format!("hand a contract's ownership to {}", call.newOwner);
        upgradeToCall(call) => format!("replace a contract's implementation by {}", call.newImplementation);
        upgradeToAndCallCall(call) => format!("replace a contract's implementation by {} and call it", call.newImplementation);
        grantRoleCall(call) => format!("give role {} to {}", call.role, call.account);
        updateDelayCall(call) => format!("set a timelock's delay to {} seconds", call.newDelay);
        setDelegateCall(call) => format!("let {} set a bridge's configuration", call.delegate);
        setConfigCall(call) => format!("set a bridge's configuration of library {}", call.lib);
        execTransactionCall(call) => format!("carry out another Safe's transaction to {}", call.to);
        multiSendCall(call) => format!("run {} bytes of packed calls", call.transactions.len());
    }
    None
}

fn allowance(amount: U256) -> String {
    if is_unlimited(amount) {
        "unlimited".to_owned()
    } else {
        grouped(&amount.to_string())
    }
}

/// Whether an allowance is without limit in practice: wallets write 2^256-1, some 2^255 or 2^160-1
/// and the like; no token has as many units as 2^128.
pub(crate) fn is_unlimited(amount: U256) -> bool {
    amount >> 128 != U256::ZERO
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, address};

    use super::*;

    #[test]
    fn amounts_keep_every_digit() {
        let wei = |text: &str| ether(text.parse().unwrap());
        assert_eq!(wei("30000000000000000000000"), "30,000 ether");
        assert_eq!(wei("1500000000000000001"), "1.500000000000000001 ether");
        assert_eq!(wei("0"), "0 ether");
        assert_eq!(wei("10000000000000000"), "0.01 ether");
    }

    #[test]
    fn a_delegatecall_is_not_told_as_what_its_calldata_look_like() {
        let to = address!("96221423681A6d52E184D440a8eFCEbB105C7242");
        let data: Bytes = abi::transferCall {
            to: Address::ZERO,
            amount: U256::ZERO,
        }
        .abi_encode()
        .into();
        let mut one = Call {
            operation: Operation::DelegateCall,
            to,
            value: U256::ZERO,
            data,
        };
        let words = call(&one);
        assert!(words.starts_with(
            "run the code of 0x96221423681A6d52E184D440a8eFCEbB105C7242 as the Safe itself"
        ));
        assert!(words.contains("look like \"transfer 0 units"));
        one.operation = Operation::Call;
        assert!(call(&one).starts_with("transfer 0 units of a token to 0x0000"));
        one.data = Bytes::from_static(&[1, 2, 3, 4]);
        assert!(call(&one).contains("0x01020304"));
        one.data = Bytes::new();
        one.value = U256::from(10u64).pow(U256::from(18));
        assert_eq!(call(&one), format!("send 1 ether to {to}"));
    }

    #[test]
    fn unlimited_is_told_from_large() {
        assert!(is_unlimited(U256::MAX));
        assert!(is_unlimited(U256::MAX >> 96));
        assert!(!is_unlimited(U256::from(u128::MAX)));
    }
}
