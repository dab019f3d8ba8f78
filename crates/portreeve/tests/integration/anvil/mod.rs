//! A chain on loopback: `anvil`, with the published contracts of Safe, both installed by npm below
//! the target folder as `package-lock.json` pins them.
//!
//! Nobody here holds a private key: the node's own accounts are unlocked, and owners approve hashes
//! on the chain.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use portreeve_engine::HttpProvider;
use portreeve_wallet::node::Provider;
use serde_json::{Value, json};

/// Set where the test must run: then what is missing is a failure, not a reason to skip.
const REQUIRED: &str = "PORTREEVE_REQUIRE_ANVIL";
/// The time of the first block. Each block is twelve seconds after the one before.
const GENESIS: u64 = 1_735_689_600;
const SLOT: u64 = 12;

/// A node that makes a block when it is told to.
pub struct Anvil {
    child: Child,
    node: HttpProvider,
    pub address: String,
    packages: PathBuf,
    pub accounts: Vec<Address>,
}

/// What came of a transaction.
pub struct Sent {
    pub block: u64,
    pub created: Option<Address>,
    pub logs: Vec<Value>,
}

/// A fresh chain; `None`, with a word about it, where it cannot be had.
pub fn anvil() -> Option<Anvil> {
    anvil_with(&[])
}

/// The same with more arguments for the node.
pub fn anvil_with(more: &[&str]) -> Option<Anvil> {
    match packages().and_then(|packages| Anvil::start(packages, more)) {
        Ok(anvil) => Some(anvil),
        Err(why) if std::env::var_os(REQUIRED).is_some() => panic!("{why}"),
        Err(why) => {
            println!("SKIPPED: anvil cannot be started: {why}");
            None
        }
    }
}

/// The npm packages, installed the first time and after the lock changed. Their scripts are not run.
fn packages() -> Result<PathBuf, String> {
    static INSTALLING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().map_err(|error| error.to_string())?;
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/anvil");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anvil");
    let failed = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&place).map_err(failed)?;
    let lock = std::fs::read(own.join("package-lock.json")).map_err(failed)?;
    let ready = place.join("ready");
    if std::fs::read(&ready).is_ok_and(|installed| installed == lock) {
        return Ok(place);
    }
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(own.join(name), place.join(name)).map_err(failed)?;
    }
    let mut npm = Command::new("npm");
    npm.current_dir(&place).stdin(Stdio::null()).args([
        "ci",
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--no-audit",
        "--no-fund",
    ]);
    let output = npm.output().map_err(|error| format!("npm: {error}"))?;
    if !output.status.success() {
        return Err(format!("npm: {}", String::from_utf8_lossy(&output.stderr)));
    }
    std::fs::write(&ready, lock).map_err(failed)?;
    Ok(place)
}

/// The program for this machine, not its launcher: that would leave the node behind when it is ended.
fn program(packages: &Path) -> Result<PathBuf, String> {
    let folder = packages.join("node_modules/@foundry-rs");
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    entries
        .flatten()
        .flat_map(|entry| ["anvil", "anvil.exe"].map(|name| entry.path().join("bin").join(name)))
        .find(|path| path.exists())
        .ok_or_else(|| "npm has no anvil for this machine".to_owned())
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Anvil {
    fn start(packages: PathBuf, more: &[&str]) -> Result<Self, String> {
        let mut child = Command::new(program(&packages)?)
            .args(["--host", "127.0.0.1", "--port", "0", "--no-mining"])
            .args(["--hardfork", "cancun", "--chain-id", "31337"])
            .args(["--timestamp", &GENESIS.to_string()])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let listens = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.to_owned()));
        let address = format!("http://{}", listens.ok_or("anvil ended at once")?.trim());
        // What it goes on to say is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let mut anvil = Self {
            child,
            node: HttpProvider::new(&address),
            address,
            packages,
            accounts: Vec::new(),
        };
        let accounts = anvil.call("eth_accounts", json!([]));
        anvil.accounts = serde_json::from_value(accounts).map_err(|error| error.to_string())?;
        Ok(anvil)
    }

    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.node.call(method, &parameters);
        answer.unwrap_or_else(|error| panic!("{method} {parameters}: {error}"))
    }

    pub fn head(&mut self) -> u64 {
        number(&self.call("eth_blockNumber", json!([])))
    }

    /// The creation code of a contract of a package.
    pub fn code(&self, package: &str, contract: &str) -> Bytes {
        self.artifact(package, contract, "bytecode")
    }

    /// The code that a contract of a package has once it is made.
    pub fn runtime(&self, package: &str, contract: &str) -> Bytes {
        self.artifact(package, contract, "deployedBytecode")
    }

    fn artifact(&self, package: &str, contract: &str, key: &str) -> Bytes {
        let name = contract.rsplit('/').next().unwrap();
        let path = self.packages.join(format!(
            "node_modules/{package}/build/artifacts/contracts/{contract}.sol/{name}.json"
        ));
        let artifact: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        artifact[key].as_str().unwrap().parse().unwrap()
    }

    /// Makes a block of transactions, none of which may fail.
    pub fn block(&mut self, calls: &[(Address, Option<Address>, U256, Bytes)]) -> Vec<Sent> {
        let hashes: Vec<Value> = calls
            .iter()
            .map(|(from, to, value, data)| {
                let call = json!({"from": from, "to": to, "value": value, "input": data, "gas": "0x5b8d80"});
                self.call("eth_sendTransaction", json!([call]))
            })
            .collect();
        let time = GENESIS + (self.head() + 1) * SLOT;
        self.call("evm_setNextBlockTimestamp", json!([time]));
        self.call("evm_mine", json!([]));
        hashes
            .into_iter()
            .map(|hash| {
                let receipt = self.call("eth_getTransactionReceipt", json!([hash]));
                assert_eq!(receipt["status"], "0x1", "{receipt:#}");
                Sent {
                    block: number(&receipt["blockNumber"]),
                    created: serde_json::from_value(receipt["contractAddress"].clone()).unwrap(),
                    logs: receipt["logs"].as_array().unwrap().clone(),
                }
            })
            .collect()
    }

    /// Makes a block of one transaction.
    pub fn send(&mut self, from: Address, to: Option<Address>, value: U256, data: Bytes) -> Sent {
        self.block(&[(from, to, value, data)]).remove(0)
    }

    /// Deploys at the address that follows from the code, by a factory that takes a salt and code
    /// and answers with the address: those that Safe's published contracts were made with.
    pub fn publish(&mut self, factory: Address, code: &Bytes) -> Address {
        // The node brings the one that 1.3 was published with; that of 1.4 has the same code.
        let own: Address = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
            .parse()
            .unwrap();
        let runs = self.call("eth_getCode", json!([own, "latest"]));
        self.call("anvil_setCode", json!([factory, runs]));
        let salt = B256::ZERO;
        let input: Bytes = [salt.as_slice(), code].concat().into();
        let sender = self.accounts[9];
        self.send(sender, Some(factory), U256::ZERO, input);
        factory.create2(salt, keccak256(code))
    }

    /// What a contract answers.
    pub fn ask(&mut self, to: Address, data: &[u8]) -> Bytes {
        let data = Bytes::copy_from_slice(data);
        let answer = self.call("eth_call", json!([{"to": to, "data": data}, "latest"]));
        answer.as_str().unwrap().parse().unwrap()
    }
}

pub fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}
