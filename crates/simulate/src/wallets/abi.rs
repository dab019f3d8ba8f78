//! The functions and events that the simulated contracts have, as Safe's and EIP-20's sources declare them.
#![allow(missing_docs, unreachable_pub, clippy::too_many_arguments)]

alloy_sol_types::sol! {
    function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) external payable returns (bool success);
    function multiSend(bytes transactions) external payable;
    function swapOwner(address prevOwner, address oldOwner, address newOwner) external;
    function transfer(address to, uint256 amount) external returns (bool);

    event ExecutionSuccess(bytes32 txHash, uint256 payment);
    event AddedOwner(address owner);
    event RemovedOwner(address owner);
    event SafeReceived(address indexed sender, uint256 value);
    event Transfer(address indexed from, address indexed to, uint256 value);
}
