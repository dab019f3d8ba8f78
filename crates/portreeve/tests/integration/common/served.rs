//! A watch that listens, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{portreeve, said};

/// A watch that listens.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Served {
    pub fn new(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let logs = folder.path().join("logs");
        std::fs::create_dir_all(&logs).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--poll", "50"])
            .args(arguments)
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg(&logs);
        Self::begin(command, folder)
    }

    /// The demo, on a port of its own.
    pub fn demo(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
        command
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Self::begin(command, tempfile::tempdir().unwrap())
    }

    /// A case that was opened, to be looked at.
    pub fn case(folder: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portreeve"));
        command.args(["serve", "--case", folder, "--listen", "127.0.0.1:0"]);
        Self::begin(command, tempfile::tempdir().unwrap())
    }

    /// Kills it, and gives back its folder.
    pub fn end(mut self) -> tempfile::TempDir {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn begin(mut command: Command, folder: tempfile::TempDir) -> Self {
        let mut child = command
            .env("PORTREEVE_DATA_DIR", folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let rest = line.split_once("http://")?.1;
                rest.split('/').next()?.parse().ok()
            })
            .expect("it says where it is");
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            folder,
        }
    }

    pub fn token(folder: &Path, name: &str, role: &str) -> String {
        let data = folder.join("data");
        let data = data.to_str().unwrap();
        let output = portreeve(&["token", "--data", data, "add", name, "--role", role]);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(self.address, method, path, headers, body)
    }

    /// Waits until it has read what lies there already.
    pub fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        while self.get("/readyz").status != 200 {
            assert!(Instant::now() < until, "it does not get ready");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until all is taken in and folded that lies there.
    pub fn wait_until_caught_up(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        while !self
            .get("/metrics")
            .body
            .contains("\nportreeve_caught_up 1")
        {
            assert!(Instant::now() < until, "it does not catch up");
            std::thread::sleep(Duration::from_millis(100));
        }
        self.wait_until_ready();
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks whoever is at an address.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str(&format!("Host: {}\r\n", address));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    ));
    stream.write_all(head.as_bytes()).unwrap();
    // One that is refused may close before it has read everything.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    // A stream of events does not end: its beginning is answer enough.
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
        if path.ends_with("/events") {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .parse()
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}
