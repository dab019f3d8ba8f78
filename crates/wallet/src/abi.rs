//! The functions, events and structures of contracts that are decoded, as their sources declare them.
//!
//! Sources: Safe's `Safe.sol`, `MultiSend.sol`, `OwnerManager.sol`, `ModuleManager.sol`,
//! `GuardManager.sol`, `FallbackManager.sol`; EIP-20, EIP-712, EIP-721, EIP-1967, EIP-2612; the
//! `Ownable`, `AccessControl` and `TimelockController` contracts of OpenZeppelin; LayerZero's
//! `EndpointV2`.
#![allow(missing_docs, unreachable_pub, clippy::too_many_arguments)]

/// What owners sign since Safe 1.0.0.
pub(crate) mod since_1_0 {
    alloy_sol_types::sol! {
        struct SafeTx {
            address to;
            uint256 value;
            bytes data;
            uint8 operation;
            uint256 safeTxGas;
            uint256 baseGas;
            uint256 gasPrice;
            address gasToken;
            address refundReceiver;
            uint256 nonce;
        }
    }
}

/// What owners signed before Safe 1.0.0: `baseGas` was called `dataGas`, which changes the hash.
pub(crate) mod before_1_0 {
    alloy_sol_types::sol! {
        struct SafeTx {
            address to;
            uint256 value;
            bytes data;
            uint8 operation;
            uint256 safeTxGas;
            uint256 dataGas;
            uint256 gasPrice;
            address gasToken;
            address refundReceiver;
            uint256 nonce;
        }
    }
}

alloy_sol_types::sol! {
    function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) external payable returns (bool success);
    function multiSend(bytes transactions) external payable;

    function addOwnerWithThreshold(address owner, uint256 threshold) external;
    function removeOwner(address prevOwner, address owner, uint256 threshold) external;
    function swapOwner(address prevOwner, address oldOwner, address newOwner) external;
    function changeThreshold(uint256 threshold) external;
    function enableModule(address module) external;
    function disableModule(address prevModule, address module) external;
    function setGuard(address guard) external;
    function setModuleGuard(address moduleGuard) external;
    function setFallbackHandler(address handler) external;
    function changeMasterCopy(address masterCopy) external;

    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function balanceOf(address account) external view returns (uint256);
    function approve(address spender, uint256 amount) external returns (bool);
    function increaseAllowance(address spender, uint256 addedValue) external returns (bool);
    function setApprovalForAll(address operator, bool approved) external;
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    function transferOwnership(address newOwner) external;
    function upgradeTo(address newImplementation) external;
    function upgradeToAndCall(address newImplementation, bytes data) external payable;
    function grantRole(bytes32 role, address account) external;
    function updateDelay(uint256 newDelay) external;

    struct SetConfigParam { uint32 eid; uint32 configType; bytes config; }
    function pause() external;
    function setConfig(address oapp, address lib, SetConfigParam[] params) external;
    function setDelegate(address delegate) external;
    struct UlnConfig { uint64 confirmations; uint8 requiredDVNCount; uint8 optionalDVNCount; uint8 optionalDVNThreshold; address[] requiredDVNs; address[] optionalDVNs; }

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner);
    event Upgraded(address indexed implementation);
    event AdminChanged(address previousAdmin, address newAdmin);
    event BeaconUpgraded(address indexed beacon);
    event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);
    event MinDelayChange(uint256 oldDuration, uint256 newDuration);
    event CallScheduled(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data, bytes32 predecessor, uint256 delay);
    event CallExecuted(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data);
    event AddedOwner(address owner);
    event RemovedOwner(address owner);
    event ChangedThreshold(uint256 threshold);
    event EnabledModule(address module);
    event DisabledModule(address module);
    event ChangedGuard(address guard);
    event ChangedFallbackHandler(address handler);
    event ChangedMasterCopy(address masterCopy);
    event OFTSent(bytes32 indexed guid, uint32 dstEid, address indexed fromAddress, uint256 amountSentLD, uint256 amountReceivedLD);
    event OFTReceived(bytes32 indexed guid, uint32 srcEid, address indexed toAddress, uint256 amountReceivedLD);
    event ApproveHash(bytes32 indexed approvedHash, address indexed owner);
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, hex};
    use alloy_sol_types::{SolCall, SolEvent, SolStruct};

    use super::*;

    #[test]
    fn types_and_selectors_are_those_that_the_contracts_hold() {
        // SAFE_TX_TYPEHASH of Safe 0.1.0 and of 1.0.0 and later.
        let hash =
            |name: std::borrow::Cow<'static, str>| alloy_primitives::keccak256(name.as_bytes());
        assert_eq!(
            hash(before_1_0::SafeTx::eip712_encode_type()),
            B256::new(hex!(
                "14d461bc7412367e924637b363c7bf29b8f47e2f84869f4426e5633d8af47b20"
            ))
        );
        assert_eq!(
            hash(since_1_0::SafeTx::eip712_encode_type()),
            B256::new(hex!(
                "bb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8"
            ))
        );
        assert_eq!(execTransactionCall::SELECTOR, hex!("6a761202"));
        assert_eq!(multiSendCall::SELECTOR, hex!("8d80ff0a"));
        assert_eq!(setConfigCall::SELECTOR, hex!("6dbd9f90"));
        assert_eq!(setDelegateCall::SELECTOR, hex!("ca5eb5e1"));
        assert_eq!(swapOwnerCall::SELECTOR, hex!("e318b52b"));
        assert_eq!(permitCall::SELECTOR, hex!("d505accf"));
        assert_eq!(
            ChangedFallbackHandler::SIGNATURE_HASH,
            B256::new(hex!(
                "5ac6c46c93c8d0e53714ba3b53db3e7c046da994313d7ed0d192028bc7c228b0"
            ))
        );
        assert_eq!(
            CallScheduled::SIGNATURE_HASH,
            B256::new(hex!(
                "4cf4410cc57040e44862ef0f45f3dd5a5e02db8eb8add648d4b0e236f1d07dca"
            ))
        );
    }
}
