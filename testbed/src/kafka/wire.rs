//! Two requests, in their oldest versions: whether a listener answers, and which brokers a broker takes for alive.
//!
//! For the testbed's own waiting, where starting one of Kafka's tools for each look would take a second of a processor.
//! An agent has its own client, with its own opinion on what the answers mean.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer above this many bytes is an error: a thousand brokers need less.
const LARGEST_ANSWER: usize = 1 << 16;

const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
/// Comes back in the answer.
const CORRELATION: i32 = 7;

/// A listener of a node, of brokers or of controllers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listening(pub SocketAddr);

impl Listening {
    /// Whether it answers `ApiVersions`, which every listener does. A paused process accepts, and never answers.
    ///
    /// # Errors
    /// `TimedOut` when it is silent, `InvalidData` when the answer is none; else what the connection says.
    pub fn answers(self, within: Duration) -> io::Result<()> {
        self.ask(API_VERSIONS, 0, &[], within).map(drop)
    }

    /// The brokers that are alive (not fenced) as this one sees it: `Metadata` without any topic. Asks brokers only.
    ///
    /// # Errors
    /// As [`Listening::answers`]. A broker that was never unfenced refuses connections.
    pub fn brokers(self, within: Duration) -> io::Result<Vec<i32>> {
        let none: i32 = 0;
        let answer = self.ask(METADATA, 1, &none.to_be_bytes(), within)?;
        brokers(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no metadata response"))
    }

    fn ask(self, api: i16, version: i16, body: &[u8], within: Duration) -> io::Result<Vec<u8>> {
        let end = Instant::now() + within;
        let left = || match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::Error::from(io::ErrorKind::TimedOut)),
            left => Ok(left),
        };
        let mut stream = TcpStream::connect_timeout(&self.0, left()?)?;
        stream.set_write_timeout(Some(left()?))?;
        stream.write_all(&request(api, version, body))?;
        let mut read = |buffer: &mut [u8]| {
            let mut filled = 0;
            while filled < buffer.len() {
                stream.set_read_timeout(Some(left()?))?;
                match stream.read(&mut buffer[filled..]) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(more) => filled += more,
                    // What a timeout of a socket is called on Linux.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        let mut size = [0; 4];
        read(&mut size)?;
        let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
        if size > LARGEST_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
        let mut answer = vec![0; size];
        read(&mut answer)?;
        match answer.split_first_chunk() {
            Some((head, body)) if i32::from_be_bytes(*head) == CORRELATION => Ok(body.to_vec()),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "an answer to something else",
            )),
        }
    }
}

/// Size, key, version, correlation, no client id, body.
fn request(api: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let no_client: i16 = -1;
    let head = [api.to_be_bytes(), version.to_be_bytes()].concat();
    let message = [&head[..], &CORRELATION.to_be_bytes(), &no_client.to_be_bytes(), body].concat();
    let size = u32::try_from(message.len()).unwrap_or_default();
    [&size.to_be_bytes()[..], &message].concat()
}

/// The ids of version 1 of the response: an array of (id, host, port, rack), then what is not needed here.
fn brokers(mut body: &[u8]) -> Option<Vec<i32>> {
    fn take<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
        let (head, rest) = body.split_first_chunk()?;
        *body = rest;
        Some(*head)
    }
    /// A length of -1 is a null.
    fn skip_string(body: &mut &[u8]) -> Option<()> {
        let length = usize::try_from(i16::from_be_bytes(take(body)?)).unwrap_or(0);
        *body = body.get(length..)?;
        Some(())
    }
    let count = i32::from_be_bytes(take(&mut body)?);
    (0..count)
        .map(|_| {
            let id = i32::from_be_bytes(take(&mut body)?);
            skip_string(&mut body)?;
            let _port: [u8; 4] = take(&mut body)?;
            skip_string(&mut body)?;
            Some(id)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// As Kafka 3.9.2 sent it while node 2 was starting, without size and correlation.
    const RECORDED: &[u8] = b"\x00\x00\x00\x02\x00\x00\x00\x01\x00\t127.0.0.1\x00\x00Br\x00\x06rack-1\x00\x00\x00\x03\
        \x00\t127.0.0.1\x00\x00B\x86\x00\x06rack-3\x00\x00\x00\x03\x00\x00\x00\x00";

    fn peer(answer: &'static [u8]) -> Listening {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(answer).unwrap();
            // Until the other side goes.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        Listening(address)
    }

    #[test]
    fn the_brokers_of_a_recorded_answer() {
        assert_eq!(brokers(RECORDED), Some(vec![1, 3]));
        let whole = (0..RECORDED.len() - 8).find(|end| brokers(&RECORDED[..*end]).is_some());
        assert_eq!(whole, None, "a cut answer is none");
    }

    #[test]
    fn a_broker_without_a_rack_is_read() {
        let one = b"\x00\x00\x00\x01\x00\x00\x00\x09\x00\x01h\x00\x00\x00\x01\xff\xff";
        assert_eq!(brokers(one), Some(vec![9]));
    }

    #[test]
    fn a_request_counts_its_bytes() {
        assert_eq!(
            request(API_VERSIONS, 0, &[]),
            b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff"
        );
    }

    #[test]
    fn silence_garbage_and_an_endless_answer_are_errors() {
        let kind = |answer, within| peer(answer).answers(Duration::from_millis(within)).unwrap_err().kind();
        assert_eq!(kind(b"", 50), io::ErrorKind::TimedOut);
        assert_eq!(kind(b"HTTP/1.1 200 OK", 10_000), io::ErrorKind::InvalidData);
        assert_eq!(
            kind(b"\x00\x00\x00\x04\x00\x00\x00\x01", 10_000),
            io::ErrorKind::InvalidData
        );
    }
}
