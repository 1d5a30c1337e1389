//! A peer that speaks as much of the protocol as a session with it needs, and keeps what it was sent.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::address::Address;

/// It serves for as long as the test's process lives.
pub(crate) struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    sessions: usize,
}

const SYNC: i32 = 9;
const AUTH_FAILED: i32 = -115;
const GET_DATA: i32 = 4;

impl Peer {
    /// A follower of this id, with this content in its config node.
    pub(crate) fn start(id: u8, config: &str) -> Self {
        Self::refusing(id, config, b"")
    }

    /// The same; it refuses each session on which it was not sent these bytes first.
    pub(crate) fn refusing(id: u8, config: &str, unless: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, config) = (Arc::new(Mutex::new(Seen::default())), config.to_owned());
        let serving = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, config) = (Arc::clone(&serving), config.clone());
                std::thread::spawn(move || drop(serve(stream, id, &config, unless, &seen)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> Address {
        self.address.to_string().parse().unwrap()
    }

    /// Whether these bytes came over any connection.
    pub(crate) fn has_seen(&self, bytes: &[u8]) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.bytes.windows(bytes.len()).any(|window| window == bytes)
    }

    /// How many sessions it made.
    pub(crate) fn sessions(&self) -> usize {
        self.seen.lock().unwrap().sessions
    }
}

fn serve(mut stream: TcpStream, id: u8, config: &str, unless: &[u8], seen: &Mutex<Seen>) -> io::Result<()> {
    let (mut first, mut allowed) = (true, unless.is_empty());
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        seen.lock().unwrap().bytes.extend(length);
        if &length == b"srvr" {
            return stream.write_all(b"Zookeeper version: 3.9.5-x\nZxid: 0x100000007\nMode: follower\n");
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame)?;
        seen.lock().unwrap().bytes.extend(&frame);
        let number = |at: usize| i32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        let mut answer = Vec::new();
        allowed = allowed || frame.windows(unless.len()).any(|window| window == unless);
        if std::mem::take(&mut first) {
            seen.lock().unwrap().sessions += 1;
            answer.extend([0; 4]);
            answer.extend(30_000_i32.to_be_bytes());
            answer.extend([id, 0, 0, 0, 0, 0, 0, 1]);
            answer.extend(16_i32.to_be_bytes());
            answer.extend([7; 16]);
            answer.push(0);
        } else {
            answer.extend(number(0).to_be_bytes());
            answer.extend(0x1_0000_0007_i64.to_be_bytes());
            let known = matches!(number(4), SYNC | GET_DATA | 11 | 100 | -11);
            let error = match known {
                _ if !allowed => AUTH_FAILED,
                true => 0,
                false => -6,
            };
            answer.extend(error.to_be_bytes());
            match number(4) {
                _ if !allowed => {}
                SYNC => answer.extend(&frame[8..]),
                GET_DATA => {
                    answer.extend(u32::try_from(config.len()).unwrap().to_be_bytes());
                    answer.extend(config.as_bytes());
                    answer.extend([0; 68]);
                }
                _ => {}
            }
        }
        stream.write_all(&u32::try_from(answer.len()).unwrap().to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}
