//! A small node by WebSocket, on loopback, that behaves as it is told to.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portreeve_wallet::node::{Cursor, FaultKind, Provider, ProviderError, Reader, Step};
use portreeve_wallet::policy::Policy;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, accept};

use super::socket::{SocketProvider, Timing};
use super::{Heads, Node, NodeError};

const QUICK: Timing = Timing {
    patience: Duration::from_millis(400),
    ping: Duration::from_millis(100),
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(100),
    steady: Duration::from_secs(60),
};
/// Longer than anything takes that is not waited for in vain.
const LONG: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Lets nobody subscribe.
    Refuses,
    /// Subscribes, and tells of nothing.
    Silent,
    /// Tells of blocks to a subscription that nobody has.
    Misdirects,
    /// Breaks off at each such call.
    Drops(u64),
    /// Answers each such call with something else.
    Garbage(u64),
    /// Answers under another number.
    WrongNumber,
    /// Takes calls, and never answers.
    Mute,
}

/// A node of which connections are counted.
struct Served {
    address: String,
    head: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
    manner: Arc<Mutex<Manner>>,
}

impl Served {
    fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let served = Self {
            address: format!("ws://{}/v1/secret-key", listener.local_addr().unwrap()),
            head: Arc::new(AtomicU64::new(1)),
            connections: Arc::default(),
            manner: Arc::new(Mutex::new(manner)),
        };
        let [head, connections] = [&served.head, &served.connections].map(Arc::clone);
        let manner = Arc::clone(&served.manner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (head, manner) = (Arc::clone(&head), Arc::clone(&manner));
                std::thread::spawn(move || converse(stream, &head, &manner));
            }
        });
        served
    }

    fn provider(&self, place: usize, heads: &Heads) -> Node {
        let node = SocketProvider::with(&self.address, place, heads.clone(), QUICK);
        Node::Socket(node.unwrap())
    }

    fn grows(&self) {
        self.head.fetch_add(1, Ordering::SeqCst);
    }

    fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

fn converse(stream: TcpStream, head: &AtomicU64, manner: &Mutex<Manner>) {
    let Ok(mut socket) = accept(stream) else {
        return;
    };
    let quick = Some(Duration::from_millis(3));
    socket.get_ref().set_read_timeout(quick).unwrap();
    let (mut calls, mut told, mut subscribed) = (0, head.load(Ordering::SeqCst), false);
    loop {
        let manner = *manner.lock().unwrap();
        let now = head.load(Ordering::SeqCst);
        if subscribed && now > told && manner != Manner::Silent {
            told = now;
            let of = if manner == Manner::Misdirects {
                "0x1"
            } else {
                "0xcd"
            };
            let notice = json!({"jsonrpc": "2.0", "method": "eth_subscription",
                "params": {"subscription": of, "result": {"number": format!("{now:#x}")}}});
            if say(&mut socket, notice.to_string()).is_none() {
                return;
            }
        }
        let text = match socket.read() {
            Ok(Message::Text(text)) => text.to_string(),
            Ok(_) => continue,
            Err(Error::Io(error))
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(_) => return,
        };
        let call: Value = serde_json::from_str(&text).unwrap();
        calls += 1;
        let mut id = call["id"].clone();
        let subscribes = call["method"] == "eth_subscribe";
        let result = match manner {
            Manner::Drops(each) if !subscribes && calls % each == 0 => return,
            Manner::Mute if !subscribes => continue,
            Manner::Garbage(each) if !subscribes && calls % each == 0 => {
                if say(&mut socket, "<html>".to_owned()).is_none() {
                    return;
                }
                continue;
            }
            _ if subscribes && manner == Manner::Refuses => None,
            _ if subscribes => {
                subscribed = true;
                Some(json!("0xcd"))
            }
            _ => answer(&call, now),
        };
        if manner == Manner::WrongNumber && !subscribes {
            id = json!(9_999);
        }
        let answer = match result {
            Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            None => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no such method at ws://secret"}})
            }
        };
        if say(&mut socket, answer.to_string()).is_none() {
            return;
        }
    }
}

fn say(socket: &mut WebSocket<TcpStream>, text: String) -> Option<()> {
    socket.send(Message::text(text)).ok()
}

fn hash(number: u64) -> String {
    use std::fmt::Write;
    Sha256::digest(number.to_be_bytes())
        .iter()
        .fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn answer(call: &Value, head: u64) -> Option<Value> {
    Some(match call["method"].as_str()? {
        "eth_chainId" => json!("0x1"),
        "eth_blockNumber" => json!(format!("{head:#x}")),
        "eth_getBlockByNumber" => {
            let asked = call["params"][0].as_str()?;
            let number = u64::from_str_radix(asked.trim_start_matches("0x"), 16).ok()?;
            if number > head {
                return Some(Value::Null);
            }
            json!({"number": asked, "hash": hash(number), "parentHash": hash(number - 1), "transactions": [],
                "timestamp": format!("{:#x}", 1_767_225_600 + number * 12)})
        }
        "eth_getBlockReceipts" => json!([]),
        "eth_getBalance" => json!("0x64"),
        _ => return None,
    })
}

fn reader(nodes: Vec<Node>, cursor: Cursor) -> Reader<Node> {
    let policy = "[[wallet]]\nname = \"hot\"\naddress = \"0x00000000000000000000000000000000000000aa\"\nrole = \"hot\"\n";
    let (policy, _) = Policy::read(policy).unwrap();
    let reader = Reader::new(nodes, &policy, Some(1), cursor).unwrap();
    reader.with_poll(POLL)
}

/// Reads up to a block, waiting as the command does; the numbers of the blocks.
fn read(reader: &mut Reader<Node>, heads: &Heads, until: u64) -> Vec<u64> {
    let begun = Instant::now();
    let mut read = Vec::new();
    while reader.cursor().number() < Some(until) {
        assert!(
            begun.elapsed() < LONG,
            "read {read:?}: {:?}",
            reader.faults()
        );
        match reader.step().unwrap() {
            Step::Block(block, ..) => read.push(block.number),
            Step::Wait { reason: None, .. } => {
                heads.wait_for_block(POLL);
            }
            Step::Wait { .. } => {
                heads.wait(POLL * 5);
            }
        }
    }
    read
}

#[test]
fn a_word_of_a_new_block_ends_the_wait_and_the_block_is_read_by_the_same_connection() {
    let served = Served::new(Manner::Honest);
    let heads = Heads::new(1);
    let mut reader = reader(vec![served.provider(0, &heads)], Cursor::default());
    assert_eq!(read(&mut reader, &heads, 1), [1]);
    // The subscription's own word, and the one time that is asked after it.
    while heads.wait_for_block(POLL) {}
    for block in 2..5 {
        let begun = Instant::now();
        let grows = Arc::clone(&served.head);
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            grows.fetch_add(1, Ordering::SeqCst);
        });
        // Nothing is asked for half a minute, if nobody tells.
        while !heads.wait_for_block(POLL) {}
        later.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(read(&mut reader, &heads, block), [block]);
    }
    assert_eq!(served.connections(), 1);
    assert!(reader.faults().is_empty());
    assert!(heads.take_notices().is_empty());
}

#[test]
fn a_connection_that_breaks_off_is_made_again_and_no_block_is_missed() {
    for manner in [Manner::Drops(7), Manner::Garbage(9)] {
        let served = Served::new(manner);
        served.head.store(12, Ordering::SeqCst);
        let heads = Heads::new(1);
        let mut reader = reader(vec![served.provider(0, &heads)], Cursor::default());
        let blocks = read(&mut reader, &heads, 12);
        assert_eq!(blocks, (1..=12).collect::<Vec<_>>(), "{manner:?}");
        assert!(served.connections() > 2, "{manner:?}");
        let kind = match manner {
            Manner::Garbage(_) => FaultKind::Garbage,
            _ => FaultKind::Unreachable,
        };
        assert!(reader.faults().iter().any(|fault| fault.kind == kind));
        let notices = heads.take_notices();
        assert!(
            notices
                .iter()
                .any(|notice| notice.contains("connecting again"))
        );
        assert!(!notices.concat().contains("secret"));
        // What was saved goes on with the next.
        served.becomes(Manner::Honest);
        served.grows();
        let saved = reader.cursor().clone();
        drop(reader);
        let heads = Heads::new(1);
        let mut resumed = self::reader(vec![served.provider(0, &heads)], saved);
        assert_eq!(read(&mut resumed, &heads, 13), [13]);
    }
}

#[test]
fn a_node_that_refuses_the_subscription_or_tells_of_nothing_is_asked() {
    for manner in [Manner::Refuses, Manner::Misdirects, Manner::Silent] {
        let served = Served::new(manner);
        let heads = Heads::new(1);
        let mut reader = reader(vec![served.provider(0, &heads)], Cursor::default());
        assert_eq!(read(&mut reader, &heads, 1), [1]);
        while heads.wait(POLL) {}
        served.grows();
        if manner == Manner::Refuses {
            assert_eq!(read(&mut reader, &heads, 2), [2]);
            let notices = heads.take_notices();
            assert_eq!(notices.len(), 1);
            assert!(notices[0].contains("does not tell of new blocks"));
        } else {
            assert!(!heads.wait(POLL * 5), "{manner:?}");
            // Half a minute later it would be asked.
            assert!(matches!(reader.step().unwrap(), Step::Block(block, ..) if block.number == 2));
        }
        assert_eq!(served.connections(), 1);
    }
}

#[test]
fn nodes_of_both_kinds_are_compared_and_a_mute_one_holds_nothing_up() {
    let [honest, mute] = [Manner::Honest, Manner::Mute].map(Served::new);
    for served in [&honest, &mute] {
        served.head.store(4, Ordering::SeqCst);
    }
    let heads = Heads::new(3);
    let bodies = [(1, "0x1"), (2, "0x4")].map(|(id, result)| {
        let body = json!({"jsonrpc": "2.0", "id": id, "result": result});
        crate::web::tests::answer("200 OK", "", &body.to_string())
    });
    let (address, _) = crate::web::tests::serve(bodies.to_vec());
    let nodes = vec![
        honest.provider(0, &heads),
        mute.provider(1, &heads),
        Node::Http(super::HttpProvider::new(&address)),
    ];
    let mut reader = reader(nodes, Cursor::default());
    assert_eq!(read(&mut reader, &heads, 4), [1, 2, 3, 4]);
    let faults = reader.faults();
    assert!(faults.iter().any(
        |fault| mute.address.contains(&fault.provider) && fault.kind == FaultKind::Unreachable
    ));
}

#[test]
fn what_does_not_answer_in_time_or_under_another_number_is_not_waited_for_longer() {
    for manner in [Manner::Mute, Manner::WrongNumber] {
        let served = Served::new(manner);
        let heads = Heads::new(1);
        let mut node = served.provider(0, &heads);
        assert!(!node.name().contains("secret"));
        let begun = Instant::now();
        let answer = node.call("eth_chainId", &json!([]));
        assert!(
            matches!(answer, Err(ProviderError::Unreachable(_))),
            "{answer:?}"
        );
        assert!(begun.elapsed() < QUICK.patience * 3);
        served.becomes(Manner::Honest);
        let begun = Instant::now();
        while node.call("eth_chainId", &json!([])) != Ok(json!("0x1")) {
            assert!(begun.elapsed() < LONG);
            std::thread::sleep(POLL);
        }
    }
}

#[test]
fn nobody_there_a_page_and_too_many_wishes_are_told_apart() {
    let call = |address: &str| {
        let heads = Heads::new(1);
        let mut node = SocketProvider::with(address, 0, heads, QUICK).unwrap();
        node.call("eth_chainId", &json!([]))
    };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("ws://{}/secret-key", free.local_addr().unwrap());
    drop(free);
    assert!(
        matches!(call(&closed), Err(ProviderError::Unreachable(why)) if !why.contains("secret"))
    );
    let http = |status: &str, head: &str| {
        let answer = crate::web::tests::answer(status, head, "");
        let (address, _) = crate::web::tests::serve(vec![answer]);
        call(&address.replace("http://", "ws://"))
    };
    assert_eq!(
        http("429 Too Many Requests", "retry-after: 7\r\n"),
        Err(ProviderError::RateLimited { seconds: Some(7) })
    );
    assert!(
        matches!(http("403 Forbidden", ""), Err(ProviderError::Unreachable(why)) if why.contains("403"))
    );
}

#[test]
fn addresses_that_are_none_are_told_without_their_keys() {
    let connect = |address: &str| Node::connect(&[address.to_owned()]).unwrap_err();
    assert_eq!(connect("ftp://secret"), NodeError::Scheme { number: 1 });
    assert_eq!(connect(""), NodeError::Scheme { number: 1 });
    let wrong = connect("ws://no host/secret").to_string();
    assert!(!wrong.contains("secret"), "{wrong}");
    let both = ["HTTP://one.example", "wss://127.0.0.1:1/"].map(str::to_owned);
    let (nodes, _) = Node::connect(&both).unwrap();
    assert!(matches!(nodes.as_slice(), [Node::Http(_), Node::Socket(_)]));
}
