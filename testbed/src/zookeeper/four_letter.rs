//! Four-letter words: one connection, one word, one answer.
//!
//! For the testbed's own waiting. An agent has its own, with its own opinion on what the answers mean.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer above this many bytes is an error: no word whose answer is used here needs more.
pub const LARGEST_ANSWER: usize = 1 << 16;

/// Sends a word and reads to the end of the answer, all within the deadline.
///
/// # Errors
/// `TimedOut` when the server is silent or slow, `InvalidData` for an answer that is too long or no UTF-8; else what
/// the connection says.
pub fn four_letter(address: SocketAddr, word: &str, within: Duration) -> io::Result<String> {
    let end = Instant::now() + within;
    let left = || {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::Error::from(io::ErrorKind::TimedOut))
        } else {
            Ok(left)
        }
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(word.as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        stream.set_read_timeout(Some(left()?))?;
        let read = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            // What a timeout of a socket is called on Linux.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error),
        };
        answer.extend_from_slice(&buffer[..read]);
        if answer.len() > LARGEST_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
    }
    String::from_utf8(answer).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The answer to `srvr` of a server that serves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Srvr(String);

impl Srvr {
    /// Takes an answer; `None` when it is not that of a serving server.
    pub fn parse(answer: &str) -> Option<Self> {
        let srvr = Self(answer.to_owned());
        srvr.field("Mode").is_some().then_some(srvr)
    }

    /// `leader`, `follower`, `observer`, `standalone` or `read-only`.
    pub fn mode(&self) -> &str {
        self.field("Mode").unwrap_or_default()
    }

    /// The last transaction it has, or 0 when it does not say.
    pub fn zxid(&self) -> u64 {
        let text = self.field("Zxid").and_then(|text| text.strip_prefix("0x"));
        text.and_then(|text| u64::from_str_radix(text, 16).ok())
            .unwrap_or_default()
    }

    /// The whole answer.
    pub fn text(&self) -> &str {
        &self.0
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    fn peer(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        address
    }

    #[test]
    fn the_answer_is_read_to_its_end() {
        let address = peer(|mut stream| {
            stream.read_exact(&mut [0; 4]).unwrap();
            stream.write_all(b"Zxid: 0x1").unwrap();
            stream.write_all(b"0\nMode: leader\n").unwrap();
        });
        let srvr = Srvr::parse(&four_letter(address, "srvr", Duration::from_secs(10)).unwrap()).unwrap();
        assert_eq!((srvr.mode(), srvr.zxid()), ("leader", 16));
    }

    #[test]
    fn a_silent_peer_is_given_up() {
        let (hold, until_asserted) = std::sync::mpsc::channel::<()>();
        let address = peer(move |_stream| {
            let _ = until_asserted.recv();
        });
        let error = four_letter(address, "srvr", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(hold);
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let address = peer(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
        let error = four_letter(address, "srvr", Duration::from_secs(10)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn not_serving_is_no_srvr() {
        assert_eq!(
            Srvr::parse("This ZooKeeper instance is not currently serving requests\n"),
            None
        );
    }
}
