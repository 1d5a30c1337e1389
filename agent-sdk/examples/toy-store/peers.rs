//! Lines over TCP, and calls to other nodes.
//!
//! Everything here has a deadline for the whole of what it does, so that a peer that is stopped, or that trickles a byte at a
//! time, costs its caller that long and no more. Nothing is retried: who calls knows whether asking twice is safe.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::{Answer, Code, Fault, LINE_CAP, Request};

/// Long enough for a healthy node on a busy machine, short enough to meet a stopped one within an election.
pub(crate) const PEER_DEADLINE: Duration = Duration::from_millis(300);

/// A connection read and written by lines.
#[derive(Debug)]
pub(crate) struct Lines {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// The next line; `None` when the peer has closed, half a line before that included.
    pub(crate) fn read(&mut self, within: Duration) -> io::Result<Option<Vec<u8>>> {
        let until = Instant::now() + within;
        let mut part = [0; 4096];
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.unread.drain(..=end).collect()));
            }
            if self.unread.len() >= LINE_CAP {
                return Err(io::Error::new(
                    ErrorKind::InvalidData,
                    format!("a line is longer than {LINE_CAP} bytes"),
                ));
            }
            self.stream.set_read_timeout(Some(left(until)?))?;
            match self.stream.read(&mut part) {
                Ok(0) => return Ok(None),
                Ok(count) => self.unread.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn write(&mut self, line: &impl Serialize, within: Duration) -> io::Result<()> {
        let until = Instant::now() + within;
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut rest = &text[..];
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(left(until)?))?;
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        Err(ErrorKind::TimedOut.into())
    } else {
        Ok(left)
    }
}

/// One other node, over a connection that is kept between calls and made anew after a failure.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) address: String,
    lines: Option<Lines>,
}

impl Peer {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            lines: None,
        }
    }

    /// # Errors
    /// The peer's own fault, or [`Code::Unreachable`], after which the peer may or may not have done what was asked.
    pub(crate) fn call<T: DeserializeOwned>(&mut self, request: &Request, within: Duration) -> Result<T, Fault> {
        self.call_or(Code::Unreachable, request, within)
    }

    /// The same with another code, `lost`, for a request that was sent and not answered.
    fn call_or<T: DeserializeOwned>(&mut self, lost: Code, request: &Request, within: Duration) -> Result<T, Fault> {
        let fault = |code, error: io::Error| {
            let message = format!("no answer from the node at {}: {error}", self.address);
            Fault::new(code, message)
        };
        let (unreachable, lost) = (|error| fault(Code::Unreachable, error), |error| fault(lost, error));
        let until = Instant::now() + within;
        // Taken out, so that an answer that comes too late can never be read as the answer to the next request.
        let mut lines = match self.lines.take() {
            Some(lines) => lines,
            None => connect(&self.address, until).map_err(unreachable)?,
        };
        let mut exchange = || {
            lines.write(request, left(until)?)?;
            let line = lines.read(left(until)?)?.ok_or(ErrorKind::UnexpectedEof)?;
            Ok(serde_json::from_slice(&line)?)
        };
        let answer = exchange().map_err(lost)?;
        self.lines = Some(lines);
        match answer {
            Answer::Ok(value) => serde_json::from_value(value).map_err(|error| lost(error.into())),
            Answer::Error(fault) => Err(fault),
        }
    }
}

/// One call over a connection of its own.
pub(crate) fn ask<T: DeserializeOwned>(address: &str, request: &Request, within: Duration) -> Result<T, Fault> {
    Peer::new(address).call(request, within)
}

/// One call that passes a change on: [`Code::Unreachable`] when nothing was sent, [`Code::Unanswered`] when it was.
pub(crate) fn pass_on<T: DeserializeOwned>(address: &str, request: &Request, within: Duration) -> Result<T, Fault> {
    Peer::new(address).call_or(Code::Unanswered, request, within)
}

fn connect(address: &str, until: Instant) -> io::Result<Lines> {
    let resolved = address.to_socket_addrs()?.next().ok_or(ErrorKind::AddrNotAvailable)?;
    Lines::new(TcpStream::connect_timeout(&resolved, left(until)?)?)
}
