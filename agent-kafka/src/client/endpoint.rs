//! Whom to ask, and how to get there.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::deadline::Deadline;
use super::error::{Awaiting, Fault};
use super::login::Login;
use super::tls::Tls;
use agent_sdk::config::Address;

/// The longest answer that is taken where nothing else is said, in bytes: three hundred thousand partitions have room.
pub const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// A listener of a Kafka process, and what it asks of those who connect.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// For a listener with TLS.
    pub tls: Option<Tls>,
    /// For a listener with SASL.
    pub login: Option<Login>,
    /// The longest answer that is taken, in bytes. Reading one costs up to [`DECODED`](super::shape::DECODED) times as
    /// much memory for a moment.
    pub largest_answer: usize,
}

/// What a connection is made of.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Endpoint {
    /// A listener that asks for nothing.
    pub const fn plain(address: Address) -> Self {
        Self {
            address,
            tls: None,
            login: None,
            largest_answer: LARGEST_ANSWER,
        }
    }

    pub(super) async fn connect(&self, deadline: Deadline) -> Result<Box<dyn Stream>, Fault> {
        let to = (self.address.host(), self.address.port());
        let connected = deadline.bound(Awaiting::Connection, connect(to)).await?;
        let stream = connected.map_err(Fault::Connect)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let handshake = tls.handshake(self.address.host(), stream);
                Ok(Box::new(deadline.bound(Awaiting::Tls, handshake).await??))
            }
        }
    }
}

async fn connect(to: (&str, u16)) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    // Each request is one write, and its answer is waited for.
    stream.set_nodelay(true)?;
    Ok(stream)
}
