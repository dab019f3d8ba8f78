//! The steps of a theft against real Safes on a node, watched by the program as they happen.
//!
//! With `PORTREEVE_RECORD=1` it writes the blocks that it saw to `crates/wallet/tests/recorded/`,
//! which `recorded.rs` replays without a node.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::anvil::Anvil;
use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use alloy_sol_types::{SolCall, sol};
use serde_json::{Value, json};

sol! {
    function setup(address[] owners, uint256 threshold, address to, bytes data, address fallbackHandler, address paymentToken, uint256 payment, address paymentReceiver);
    function createProxyWithNonce(address singleton, bytes initializer, uint256 saltNonce);
    function approveHash(bytes32 hash);
    function nonce() returns (uint256);
    function getTransactionHash(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, uint256 nonce) returns (bytes32);
    function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures);
    function swapOwner(address prevOwner, address oldOwner, address newOwner);
    function enableModule(address module);
    function setGuard(address guard);
    function multiSend(bytes transactions);
    function transfer(address to, uint256 amount);
    function approve(address spender, uint256 amount);
    function transferFrom(address from, address to, uint256 amount);
}

/// A version of Safe: its package, what its contracts are called, and with which factory they were
/// published where.
struct Version {
    number: &'static str,
    package: &'static str,
    safe: &'static str,
    proxy_factory: &'static str,
    factory: Address,
    singleton: Address,
    multi_send: Address,
}

const VERSION_1_3: Version = Version {
    number: "1.3",
    package: "@gnosis.pm/safe-contracts",
    safe: "GnosisSafe",
    proxy_factory: "proxies/GnosisSafeProxyFactory",
    factory: address!("4e59b44847b379578588920cA78FbF26c0B4956C"),
    singleton: address!("d9Db270c1B5E3Bd161E8c8503c55cEABeE709552"),
    multi_send: address!("A238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761"),
};

const VERSION_1_4: Version = Version {
    number: "1.4",
    package: "@safe-global/safe-contracts",
    safe: "Safe",
    proxy_factory: "proxies/SafeProxyFactory",
    factory: address!("914d7Fec6aaC8cd542e72Bca78B30650d45643d7"),
    singleton: address!("41675C099F32341bf84BFc5382aF534df5C7461a"),
    multi_send: address!("38869bf66a61cF6bDB996A6aE40D5853Fd43B526"),
};

/// How long a finding may take before the test gives up. No further block is made meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

fn ether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(10).pow(U256::from(18))
}

/// The program, watching; what it tells comes line by line.
struct Watching {
    child: Child,
    lines: Receiver<Value>,
    told: Vec<Value>,
}

impl Watching {
    fn start(node: &str, policy: &Path, record: &Path, from: u64) -> Self {
        // By WebSocket nothing may be asked until the node tells of a block.
        let poll = if node.starts_with("ws") {
            "3600"
        } else {
            "0.05"
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .args(["wallet", "watch", "--format", "json", "--poll", poll])
            .args(["--node", node, "--from", &from.to_string()])
            .arg("--policy")
            .arg(policy)
            .arg("--record")
            .arg(record)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            told: Vec::new(),
        }
    }

    /// Waits for a finding about a block, with no other block made, and says how long that took.
    fn finds(&mut self, anvil: &mut Anvil, what: &str, rule: &str, wallet: Address, block: u64) {
        let included = Instant::now();
        let is_it = |one: &Value| {
            one["rule"] == rule
                && one["block"] == block
                && one["wallet"] == json!(wallet)
                && ["high", "critical"].contains(&one["severity"].as_str().unwrap())
        };
        while !self.told.iter().any(is_it) {
            match self
                .lines
                .recv_timeout(PATIENCE.saturating_sub(included.elapsed()))
            {
                Ok(line) => self.told.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!(
                        "{what}: {rule} was not told of block {block}: {:#?}",
                        self.told
                    )
                }
            }
        }
        let later = anvil.head() - block;
        assert_eq!(later, 0, "{what}");
        println!(
            "{what}: {rule}, {later} blocks and {} ms after its block",
            included.elapsed().as_millis()
        );
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Safe on the chain with two owners, both of whom must agree.
struct Safe {
    address: Address,
    owners: [Address; 2],
}

/// A transaction of a Safe, as it waits in the queue.
struct Proposed {
    call: execTransactionCall,
    queue: Value,
}

impl Safe {
    /// Proposes a transaction, and has all owners approve it on the chain.
    fn propose(
        &self,
        anvil: &mut Anvil,
        version: &Version,
        (operation, to, value, data): (u8, Address, U256, Vec<u8>),
    ) -> Proposed {
        let nonce = anvil.ask(self.address, &nonceCall {}.abi_encode());
        let nonce = U256::from_be_slice(&nonce);
        let hash = anvil.ask(
            self.address,
            &getTransactionHashCall {
                to,
                value,
                data: data.clone().into(),
                operation,
                safeTxGas: U256::ZERO,
                baseGas: U256::ZERO,
                gasPrice: U256::ZERO,
                gasToken: Address::ZERO,
                refundReceiver: Address::ZERO,
                nonce,
            }
            .abi_encode(),
        );
        let hash = B256::from_slice(&hash);
        let approve: Bytes = approveHashCall { hash }.abi_encode().into();
        let approvals = self
            .owners
            .map(|owner| (owner, Some(self.address), U256::ZERO, approve.clone()));
        anvil.block(&approvals);
        let mut owners = self.owners;
        owners.sort_unstable();
        // r names the owner, v 1 says that he approved on the chain.
        let signature = |owner: Address| {
            let mut bytes = [0; 65];
            bytes[12..32].copy_from_slice(owner.as_slice());
            bytes[64] = 1;
            bytes
        };
        let confirmations: Vec<Value> = owners
            .iter()
            .map(|owner| {
                json!({"owner": owner, "submissionDate": "2025-01-01T00:00:00Z",
                    "signature": hex::encode_prefixed(signature(*owner)), "signatureType": "APPROVED_HASH"})
            })
            .collect();
        let filed = json!({
            "safe": self.address, "to": to, "value": value.to_string(), "data": hex::encode_prefixed(&data),
            "operation": operation, "gasToken": Address::ZERO, "safeTxGas": 0, "baseGas": 0, "gasPrice": "0",
            "refundReceiver": Address::ZERO, "nonce": nonce.to::<u64>(), "safeTxHash": hash,
            "submissionDate": "2025-01-01T00:00:00Z", "isExecuted": false, "executionDate": null,
            "confirmationsRequired": 2, "confirmations": confirmations,
        });
        Proposed {
            call: execTransactionCall {
                to,
                value,
                data: data.into(),
                operation,
                safeTxGas: U256::ZERO,
                baseGas: U256::ZERO,
                gasPrice: U256::ZERO,
                gasToken: Address::ZERO,
                refundReceiver: Address::ZERO,
                signatures: owners.map(signature).concat().into(),
            },
            queue: json!({
                "safe": {"address": self.address, "owners": owners, "threshold": 2, "version": format!("{}.1", version.number)},
                "chainId": 31337,
                "transactions": [filed],
            }),
        }
    }

    /// Has it carried out; the block that includes it.
    fn execute(&self, anvil: &mut Anvil, proposed: Proposed) -> u64 {
        let data = proposed.call.abi_encode().into();
        let sent = anvil.send(self.owners[0], Some(self.address), U256::ZERO, data);
        sent.block
    }
}

/// Has `wallet verify` judge a queue before anything is carried out.
fn verified(queue: &Value, policy: &Path) -> BTreeSet<(String, String)> {
    let output = crate::common::portreeve_with_input(
        &[
            "wallet",
            "verify",
            "-",
            "--policy",
            policy.to_str().unwrap(),
            "--format",
            "json",
        ],
        queue.to_string().as_bytes(),
    );
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", crate::common::said(&output)));
    let stated = &queue["transactions"][0]["safeTxHash"];
    assert_eq!(&found["transactions"][0]["computed_hash"], stated);
    let checks = found["checks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .iter()
        .map(|check| (text(&check["id"]), text(&check["severity"])))
        .collect()
}

/// Deploys a contract as anyone does.
fn deploy(anvil: &mut Anvil, from: Address, code: Bytes) -> Address {
    anvil.send(from, None, U256::ZERO, code).created.unwrap()
}

fn packed(calls: &[(Address, U256, Vec<u8>)]) -> Vec<u8> {
    let mut transactions = Vec::new();
    for (to, value, data) in calls {
        transactions.push(0);
        transactions.extend(to.as_slice());
        transactions.extend(value.to_be_bytes::<32>());
        transactions.extend(U256::from(data.len()).to_be_bytes::<32>());
        transactions.extend(data);
    }
    multiSendCall {
        transactions: transactions.into(),
    }
    .abi_encode()
}

/// Where recordings are kept.
fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../wallet/tests/recorded")
        .join(name)
}

/// Keeps what the program recorded, compressed, with the policy that it was watched by.
fn keep(version: &Version, policy: &str, record: &Path) {
    let name = format!("safe-{}", version.number);
    std::fs::create_dir_all(recorded("")).unwrap();
    let blocks = zstd::encode_all(std::fs::read(record).unwrap().as_slice(), 19).unwrap();
    std::fs::write(recorded(&format!("{name}.ndjson.zst")), blocks).unwrap();
    std::fs::write(recorded(&format!("{name}.toml")), policy).unwrap();
}

/// Makes a Safe with two owners, some of the coin and some of a token.
fn safe(
    anvil: &mut Anvil,
    proxies: Address,
    version: &Version,
    owners: [Address; 2],
    salt: u64,
) -> Safe {
    let call = createProxyWithNonceCall {
        singleton: version.singleton,
        initializer: setupCall {
            owners: owners.to_vec(),
            threshold: U256::from(2),
            to: Address::ZERO,
            data: Bytes::new(),
            fallbackHandler: Address::ZERO,
            paymentToken: Address::ZERO,
            payment: U256::ZERO,
            paymentReceiver: Address::ZERO,
        }
        .abi_encode()
        .into(),
        saltNonce: U256::from(salt),
    };
    let made = anvil.send(
        owners[0],
        Some(proxies),
        U256::ZERO,
        call.abi_encode().into(),
    );
    // The proxy logs its setup before the factory logs its address.
    let address = made.logs[0]["address"].as_str().unwrap().parse().unwrap();
    anvil.send(owners[0], Some(address), ether(100), Bytes::new());
    Safe { address, owners }
}

fn walk(version: &Version, scheme: &str) {
    let Some(mut anvil) = crate::anvil::anvil() else {
        return;
    };
    let accounts = anvil.accounts.clone();
    let owners = [accounts[0], accounts[1]];
    let [hot, thief, spender, module, other] = [2, 3, 4, 5, 6].map(|place| accounts[place]);

    // The packages' contracts come to stand where their makers published them.
    let code = anvil.code(version.package, version.safe);
    assert_eq!(anvil.publish(version.factory, &code), version.singleton);
    let code = anvil.code(version.package, "libraries/MultiSend");
    assert_eq!(anvil.publish(version.factory, &code), version.multi_send);
    let code = anvil.code(version.package, version.proxy_factory);
    let proxies = anvil.publish(version.factory, &code);
    let code = anvil.code(version.package, "test/ERC20Token");
    let token = deploy(&mut anvil, hot, code);
    let code = anvil.code(
        version.package,
        "examples/guards/ReentrancyTransactionGuard",
    );
    let guard = deploy(&mut anvil, owners[0], code);

    let cold = safe(&mut anvil, proxies, version, owners, 1);
    let treasury = safe(&mut anvil, proxies, version, owners, 2);
    let set_guard = |guard| setGuardCall { guard }.abi_encode();
    let own = |safe: &Safe, data| (0, safe.address, U256::ZERO, data);
    let guarded = treasury.propose(&mut anvil, version, own(&treasury, set_guard(guard)));
    treasury.execute(&mut anvil, guarded);

    let folder = tempfile::tempdir().unwrap();
    let [policy, record] = ["wallets.toml", "blocks.ndjson"].map(|name| folder.path().join(name));
    let wallet = |name: &str, safe: &Safe, more: &str| {
        format!(
            "[[wallet]]\nname = \"{name}\"\naddress = \"{}\"\nrole = \"cold\"\nowners = {:?}\nthreshold = 2\nimplementation = \"{}\"\nexecutors = [\"{}\"]\n{more}\n",
            safe.address,
            owners.map(|owner| owner.to_string()),
            version.singleton,
            owners[0]
        )
    };
    let written = format!(
        "{}{}[[wallet]]\nname = \"hot\"\naddress = \"{hot}\"\nrole = \"hot\"\n",
        wallet("cold", &cold, ""),
        wallet("treasury", &treasury, &format!("guard = \"{guard}\"")),
    );
    std::fs::write(&policy, &written).unwrap();
    let from = anvil.head();
    let node = anvil.address.replacen("http", scheme, 1);
    let mut watching = Watching::start(&node, &policy, &record, from);

    // What passes the queue: found there by the checks named, before it is carried out.
    let step =
        |anvil: &mut Anvil,
         watching: &mut Watching,
         what: &str,
         safe: &Safe,
         transaction,
         check: &str,
         rules: &[&str]| {
            let proposed = safe.propose(anvil, version, transaction);
            let before = anvil.head();
            let found = verified(&proposed.queue, &policy);
            assert!(
                found.iter().any(|(id, severity)| id == check
                    && ["high", "critical"].contains(&severity.as_str())),
                "{what}: {found:?}"
            );
            assert_eq!(anvil.head(), before, "{what}: nothing was carried out yet");
            println!("{what}: {check}, in the queue before it was carried out");
            let block = safe.execute(anvil, proposed);
            for rule in rules {
                watching.finds(
                    anvil,
                    &format!("Safe {}: {what}", version.number),
                    rule,
                    safe.address,
                    block,
                );
            }
        };
    let swap = swapOwnerCall {
        prevOwner: Address::with_last_byte(1),
        oldOwner: owners[0],
        newOwner: other,
    };
    let enable = enableModuleCall { module }.abi_encode();
    let control = "wallet.safe-configuration";
    let code = "wallet.safe-implementation";
    let step_of = &step;
    step_of(
        &mut anvil,
        &mut watching,
        "module",
        &treasury,
        own(&treasury, enable),
        "control-change",
        &[control],
    );
    step_of(
        &mut anvil,
        &mut watching,
        "guard removal",
        &treasury,
        own(&treasury, set_guard(Address::ZERO)),
        "control-change",
        &[control, code],
    );

    // A burst: half of what the treasury has, packed in MultiSend.
    let payments = packed(&[
        (thief, ether(30), Vec::new()),
        (thief, ether(25), Vec::new()),
    ]);
    let burst = treasury.propose(
        &mut anvil,
        version,
        (1, version.multi_send, U256::ZERO, payments),
    );
    let block = treasury.execute(&mut anvil, burst);
    let name = |what: &str| format!("Safe {}: {what}", version.number);
    watching.finds(
        &mut anvil,
        &name("burst"),
        "wallet.outflow-burst",
        treasury.address,
        block,
    );

    // The loot is spread over addresses that nobody saw before.
    let spread: Vec<_> = (1..=6u8)
        .map(|number| {
            (
                thief,
                Some(Address::repeat_byte(0xd0 + number)),
                ether(9),
                Bytes::new(),
            )
        })
        .collect();
    let block = anvil.block(&spread)[0].block;
    watching.finds(
        &mut anvil,
        &name("fan-out"),
        "wallet.fan-out",
        treasury.address,
        block,
    );

    // An allowance that a hot wallet was talked into, and its use.
    let allow: Bytes = approveCall {
        spender,
        amount: U256::MAX,
    }
    .abi_encode()
    .into();
    anvil.send(hot, Some(token), U256::ZERO, allow);
    let take = transferFromCall {
        from: hot,
        to: thief,
        amount: U256::from(900_000_000_000_000u64),
    };
    let taken = anvil.send(spender, Some(token), U256::ZERO, take.abi_encode().into());
    watching.finds(
        &mut anvil,
        &name("approval drain"),
        "wallet.approval-drain",
        hot,
        taken.block,
    );

    step_of(
        &mut anvil,
        &mut watching,
        "owner swap",
        &treasury,
        own(&treasury, swap.abi_encode()),
        "control-change",
        &[control],
    );

    // The takeover of 2025-02-21 in all that its log shows: a delegatecall that looks like a transfer
    // and after which slot 0 holds its argument. The contract is one SSTORE and no more:
    // PUSH1 4 CALLDATALOAD PUSH1 0 SSTORE STOP, behind code that returns these seven bytes.
    let writer = hex!("6007600c60003960076000f360043560005500");
    let target = deploy(&mut anvil, thief, Bytes::from(writer));
    let looks_like = transferCall {
        to: other,
        amount: U256::ZERO,
    }
    .abi_encode();
    step_of(
        &mut anvil,
        &mut watching,
        "takeover",
        &cold,
        (1, target, U256::ZERO, looks_like),
        "delegatecall-to-unknown",
        &["wallet.safe-delegatecall", code],
    );

    drop(watching);
    if std::env::var_os("PORTREEVE_RECORD").is_some() {
        keep(version, &written, &record);
    }
}

#[test]
fn each_step_against_a_safe_1_3_is_found_in_the_block_that_includes_it() {
    walk(&VERSION_1_3, "http");
}

#[test]
fn each_step_against_a_safe_1_4_by_websocket_is_found_in_the_block_that_includes_it() {
    walk(&VERSION_1_4, "ws");
}
