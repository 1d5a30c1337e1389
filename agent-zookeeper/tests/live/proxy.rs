//! A way to a server on which one request can be caught: the change of the ensemble, or the answer to it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    /// Nothing.
    Off,
    /// The change itself: the server never sees it.
    Request,
    /// The answer: the server has made the change, and nobody hears of it.
    Answer,
}

/// The request that changes an ensemble.
const RECONFIG: [u8; 4] = 16_u32.to_be_bytes();

struct Shared {
    trap: Mutex<Trap>,
    sprung: AtomicBool,
    server: SocketAddr,
}

/// A forwarding port, for as long as the test's process lives.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            trap: Mutex::new(Trap::Off),
            sprung: AtomicBool::new(false),
            server,
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || drop(connection(&shared, client)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the trap anew.
    pub(crate) fn set(&self, trap: Trap) {
        *self.shared.trap.lock().unwrap() = trap;
        self.shared.sprung.store(false, Ordering::SeqCst);
    }

    /// Whether something was caught.
    pub(crate) fn sprung(&self) -> bool {
        self.shared.sprung.load(Ordering::SeqCst)
    }
}

fn connection(shared: &Arc<Shared>, mut client: TcpStream) -> io::Result<()> {
    let mut server = TcpStream::connect(shared.server)?;
    let silenced = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    let (answers, muted) = (Arc::clone(shared), Arc::clone(&silenced));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read) = from.read(&mut buffer) {
            if muted.load(Ordering::SeqCst) && read > 0 {
                answers.sprung.store(true, Ordering::SeqCst);
            } else if read == 0 || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let forwarded = requests(shared, &mut client, &mut server, &silenced);
    let _ = server.shutdown(Shutdown::Both);
    forwarded
}

/// Forwards frames; a word is forwarded as it comes.
fn requests(shared: &Shared, client: &mut TcpStream, server: &mut TcpStream, silenced: &AtomicBool) -> io::Result<()> {
    let mut first = true;
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        if length.iter().all(u8::is_ascii_lowercase) {
            server.write_all(&length)?;
            return io::copy(client, server).map(drop);
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        client.read_exact(&mut frame)?;
        // The first frame asks for the session; each other has a number, then what it is.
        if !first && frame.get(4..8) == Some(&RECONFIG[..]) {
            match *shared.trap.lock().unwrap() {
                Trap::Off => {}
                Trap::Request => {
                    shared.sprung.store(true, Ordering::SeqCst);
                    continue;
                }
                Trap::Answer => silenced.store(true, Ordering::SeqCst),
            }
        }
        first = false;
        server.write_all(&length)?;
        server.write_all(&frame)?;
    }
}
