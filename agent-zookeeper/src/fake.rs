//! A peer that speaks as much of the protocol as a session with it needs, and keeps what it was sent.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use agent_sdk::config::Address;

/// It serves for as long as the test's process lives.
pub(crate) struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    sessions: usize,
    changes: usize,
    config: String,
    script: VecDeque<Change>,
    hangs: bool,
}

/// What becomes of a change of the ensemble.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// It is refused with this code.
    Refused(i32),
    /// It is not answered.
    Lost,
    /// It is not answered, and nothing after it.
    Hangs,
    /// Its answer is announced with 2 GiB, and does not end.
    Floods,
    /// It is not answered, and this is the ensemble from then on.
    Becomes(&'static str),
}

/// Anything longer stands for an answer without end.
const LARGEST: usize = 1_000_000;
const RECONFIG: i32 = 16;
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
        let seen = Arc::new(Mutex::new(Seen {
            config: config.to_owned(),
            ..Seen::default()
        }));
        let serving = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&serving);
                std::thread::spawn(move || drop(serve(stream, id, unless, &seen)));
            }
        });
        Self { address, seen }
    }

    /// The same as [`Peer::start`], with what becomes of each change that it is sent.
    pub(crate) fn scripted(id: u8, config: &str, script: &[Change]) -> Self {
        let peer = Self::start(id, config);
        peer.seen.lock().unwrap().script.extend(script);
        peer
    }

    /// It makes no session and answers nothing on one from now on, or does again.
    pub(crate) fn hang(&self, hangs: bool) {
        self.seen.lock().unwrap().hangs = hangs;
    }

    /// How many changes it was sent.
    pub(crate) fn changes(&self) -> usize {
        self.seen.lock().unwrap().changes
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

fn serve(mut stream: TcpStream, id: u8, unless: &[u8], seen: &Mutex<Seen>) -> io::Result<()> {
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
        let mut seen = seen.lock().unwrap();
        seen.bytes.extend(&frame);
        allowed = allowed || frame.windows(unless.len()).any(|window| window == unless);
        let first = std::mem::take(&mut first);
        seen.sessions += usize::from(first);
        let answer = match () {
            () if seen.hangs => None,
            () if first => Some(session(id)),
            () => reply(&frame, allowed, &mut seen),
        };
        drop(seen);
        let Some(answer) = answer else { continue };
        if answer.len() > LARGEST {
            stream.write_all(&i32::MAX.to_be_bytes())?;
            // Until the other side has enough of it.
            loop {
                stream.write_all(&answer)?;
            }
        }
        stream.write_all(&u32::try_from(answer.len()).unwrap().to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}

fn session(id: u8) -> Vec<u8> {
    let mut answer = vec![0; 4];
    answer.extend(30_000_i32.to_be_bytes());
    answer.extend([id, 0, 0, 0, 0, 0, 0, 1]);
    answer.extend(16_i32.to_be_bytes());
    answer.extend([7; 16]);
    answer.push(0);
    answer
}

/// The answer to a request, if there is one.
fn reply(frame: &[u8], allowed: bool, seen: &mut Seen) -> Option<Vec<u8>> {
    let number = |at: usize| i32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    let kind = number(4);
    let error = match kind {
        _ if !allowed => AUTH_FAILED,
        RECONFIG => {
            seen.changes += 1;
            match seen.script.pop_front() {
                None => -6,
                Some(Change::Refused(code)) => code,
                Some(Change::Lost) => return None,
                Some(Change::Floods) => return Some(vec![0; 2_000_000]),
                Some(Change::Hangs) => {
                    seen.hangs = true;
                    return None;
                }
                Some(Change::Becomes(config)) => {
                    config.clone_into(&mut seen.config);
                    return None;
                }
            }
        }
        SYNC | GET_DATA | 11 | 100 | -11 => 0,
        _ => -6,
    };
    let mut answer = number(0).to_be_bytes().to_vec();
    answer.extend(0x1_0000_0007_i64.to_be_bytes());
    answer.extend(error.to_be_bytes());
    match kind {
        _ if !allowed => {}
        SYNC => answer.extend(&frame[8..]),
        GET_DATA => {
            answer.extend(u32::try_from(seen.config.len()).unwrap().to_be_bytes());
            answer.extend(seen.config.as_bytes());
            answer.extend([0; 68]);
        }
        _ => {}
    }
    Some(answer)
}
