//! A stand-in for AWS on loopback (`server.py`), filled with an organization (`estate.py`).

use std::io::{BufRead, BufReader, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use crate::common::python::{self, run};

/// The version of moto that the tests were written against.
const MOTO: &str = "moto[server]==5.2.5";

/// Set where the tests must run: then what is missing is a failure, not a reason to skip.
const REQUIRED: &str = "PORTREEVE_REQUIRE_MOTO";

/// A stand-in, in the hands of one test at a time: what it refuses holds for all that ask it.
pub struct Moto {
    address: String,
    python: PathBuf,
    /// The organization's accounts, the management account first.
    pub accounts: Vec<String>,
    pub regions: [&'static str; 2],
}

/// Stand-ins that no test holds. A server answers one call at a time, so that tests beside each other have one each.
static FREE: Mutex<Vec<Moto>> = Mutex::new(Vec::new());

fn free() -> MutexGuard<'static, Vec<Moto>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stand-in that goes back to the free ones when the test ends, failed or not: that says nothing of the server.
pub struct Held(Option<Moto>);

impl Deref for Held {
    type Target = Moto;

    fn deref(&self) -> &Moto {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        free().extend(self.0.take());
    }
}

/// A stand-in as it is without a gate; `None`, with a word about it, where it cannot be had.
pub fn moto() -> Option<Held> {
    let taken = free().pop();
    let moto = match taken.map_or_else(start, Ok) {
        Ok(moto) => Held(Some(moto)),
        Err(why) if std::env::var_os(REQUIRED).is_some() => panic!("{why}"),
        Err(why) => {
            println!("SKIPPED: moto cannot be started: {why}");
            return None;
        }
    };
    moto.steer("{}");
    Some(moto)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/moto")
}

/// Where moto is installed, which is done once.
fn installed() -> Result<PathBuf, String> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PYTHON
        .get_or_init(|| Ok(python::with(MOTO)?.join("python")))
        .clone()
}

fn start() -> Result<Moto, String> {
    let python = installed()?;
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cloud/models");
    // It ends when this process does, which closes its standard input.
    let mut server = Command::new(&python)
        .arg(folder().join("server.py"))
        .arg(models)
        // Of its own it has images with over a thousand snapshots for each account and region.
        .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut address = String::new();
    let stdout = server.stdout.take().ok_or("no standard output")?;
    BufReader::new(stdout)
        .read_line(&mut address)
        .map_err(|error| error.to_string())?;
    std::mem::forget(server);
    let address = address.trim().to_owned();
    let filled = run(Command::new(&python)
        .arg(folder().join("estate.py"))
        .arg(&address))?;
    let accounts = serde_json::from_slice(&filled.stdout).map_err(|error| error.to_string())?;
    Ok(Moto {
        address,
        python,
        accounts,
        regions: ["eu-west-1", "us-east-1"],
    })
}

impl Moto {
    /// Tells the gate what to refuse and to throttle, and begins its counts anew.
    pub fn steer(&self, orders: &str) {
        self.http("POST", orders);
    }

    /// How often each action was called since.
    pub fn calls(&self) -> Value {
        self.http("GET", "")["calls"].take()
    }

    fn http(&self, method: &str, body: &str) -> Value {
        let host = self.address.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} /_gate HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// The program, with credentials that the stand-in takes for the management account's.
    pub fn portreeve(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
        command
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "6")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
        command
    }

    /// What the AWS command line prints for an operation.
    pub fn reference(&self, service: &str, operation: &str, region: &str) -> Value {
        let mut command = Command::new(&self.python);
        command
            .arg(folder().join("reference.py"))
            .arg(&self.address);
        let output = run(command.args([service, operation, region])).unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes calls, each `[service, operation, region, input]`; what they answer.
    pub fn make(&self, calls: &Value) -> Value {
        let mut child = Command::new(&self.python)
            .arg(folder().join("reference.py"))
            .args([&self.address, "apply"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(calls.to_string().as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Checks the service models against the botocore that moto brought.
    pub fn check_models(&self) -> Output {
        let prune = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cloud/models/prune.py");
        let mut command = Command::new(&self.python);
        command.arg(prune).arg("--check").output().unwrap()
    }
}
