//! Servers that are no agents: what a client has to survive.
//!
//! Each takes connections on a thread of its own, and each connection has one more, so that a client may ask again while
//! the last question hangs. All of them end when the server is dropped.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a server does to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hostility {
    /// Takes the question, and never answers.
    Hangs,
    /// Sends a head, and then nothing.
    HangsAfterHead,
    /// Sends a body without end.
    EndlessBody,
    /// Sends chunks without end.
    EndlessChunks,
    /// Sends a head without end.
    EndlessHead,
    /// Sends one byte at a time, and never enough.
    Drips,
    /// Announces more than it sends, and closes.
    ShortBody,
    /// Announces a length that no memory has.
    HugeLength,
    /// Sends chunks without lengths.
    BadChunks,
    /// Sends the first chunk, and closes.
    CutChunks,
    /// Redirects to where it was asked.
    RedirectsInCircles,
    /// Closes at once.
    ClosesAtOnce,
    /// Resets the connection once the question came.
    ClosesAfterQuestion,
    /// Sends what is no HTTP.
    Garbage,
    /// Sends a good head, and a body that is no JSON.
    GarbageBody,
    /// Sends JSON that is nested a hundred thousand deep.
    DeepBody,
    /// Sends two lengths.
    TwoLengths,
    /// Sends a hundred informational heads before the answer, and no answer.
    InformsForEver,
}

impl Hostility {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Hangs,
        Self::HangsAfterHead,
        Self::EndlessBody,
        Self::EndlessChunks,
        Self::EndlessHead,
        Self::Drips,
        Self::ShortBody,
        Self::HugeLength,
        Self::BadChunks,
        Self::CutChunks,
        Self::RedirectsInCircles,
        Self::ClosesAtOnce,
        Self::ClosesAfterQuestion,
        Self::Garbage,
        Self::GarbageBody,
        Self::DeepBody,
        Self::TwoLengths,
        Self::InformsForEver,
    ];
}

/// A running server.
pub struct Server {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub address: String,
    port: u16,
    stopping: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    asked: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server.
    pub fn start(hostility: Hostility) -> Self {
        Self::with(move |stream| serve(stream, hostility))
    }

    /// Starts one that does this with each connection.
    pub fn with(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stopping = Arc::new(AtomicBool::new(false));
        let connections: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (stop, open) = (Arc::clone(&stopping), Arc::clone(&connections));
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&asked), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                open.lock().unwrap().push(stream.try_clone().unwrap());
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                // Whatever happens to the connection, it was the client who ended it.
                std::thread::spawn(move || drop(serve(stream)));
            }
        });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            port,
            stopping,
            connections,
            asked,
            thread: Some(thread),
        }
    }

    /// How many connections there were.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        for stream in self.connections.lock().unwrap().iter() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn serve(mut stream: TcpStream, hostility: Hostility) -> std::io::Result<()> {
    if hostility == Hostility::ClosesAtOnce {
        return stream.shutdown(Shutdown::Both);
    }
    let head = question(&mut stream)?;
    answer(stream, path(&head), hostility)
}

/// Answers a question for this path.
pub(super) fn answer(mut stream: TcpStream, path: &str, hostility: Hostility) -> std::io::Result<()> {
    let ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let sent = match hostility {
        Hostility::Hangs | Hostility::ClosesAtOnce | Hostility::ClosesAfterQuestion => String::new(),
        Hostility::HangsAfterHead => format!("{ok}content-length: 10\r\n\r\n"),
        Hostility::EndlessBody => format!("{ok}\r\n"),
        Hostility::EndlessChunks => format!("{ok}transfer-encoding: chunked\r\n\r\n"),
        Hostility::EndlessHead => ok.to_owned(),
        Hostility::Drips => format!("{ok}content-length: 1000000\r\n\r\n"),
        Hostility::ShortBody => format!("{ok}content-length: 1000\r\n\r\n{{\"node_id\":"),
        Hostility::HugeLength => format!("{ok}content-length: 18446744073709551615\r\n\r\n{{}}"),
        Hostility::BadChunks => format!("{ok}transfer-encoding: chunked\r\n\r\nlong\r\n{{}}\r\n0\r\n\r\n"),
        Hostility::CutChunks => format!("{ok}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n"),
        Hostility::RedirectsInCircles => format!("HTTP/1.1 302 Found\r\nlocation: {path}\r\ncontent-length: 0\r\n\r\n"),
        Hostility::Garbage => "\u{16}\u{3}\u{1}\u{2} this is no HTTP\r\n\r\n".to_owned(),
        Hostility::GarbageBody => format!("{ok}content-length: 4\r\n\r\n\u{0}\u{1}{{["),
        Hostility::DeepBody => format!("{ok}content-length: 100000\r\n\r\n{}", "[".repeat(100_000)),
        Hostility::TwoLengths => format!("{ok}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        Hostility::InformsForEver => "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100),
    };
    stream.write_all(sent.as_bytes())?;
    match hostility {
        Hostility::EndlessBody => forever(&mut stream, &[b' '; 8192]),
        Hostility::EndlessChunks => forever(&mut stream, format!("400\r\n{}\r\n", " ".repeat(1024)).as_bytes()),
        Hostility::EndlessHead => forever(&mut stream, b"x-more: and more\r\n"),
        Hostility::Drips => loop {
            stream.write_all(b" ")?;
            std::thread::sleep(std::time::Duration::from_millis(20));
        },
        // Until the client, or the server's end, closes the connection.
        Hostility::Hangs | Hostility::HangsAfterHead | Hostility::HugeLength | Hostility::InformsForEver => {
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        }
        _ => stream.shutdown(Shutdown::Both),
    }
}

fn forever(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

/// Reads a question's head, and what comes with it.
pub(super) fn question(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&piece[..read]);
    }
    Ok(head)
}

/// The path that a head asks for.
pub(super) fn path(head: &[u8]) -> &str {
    let path = head.split(|byte| *byte == b' ').nth(1);
    path.and_then(|path| std::str::from_utf8(path).ok()).unwrap_or("/")
}
