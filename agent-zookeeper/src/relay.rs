//! The way between the client library and the server, which bounds what the server can make the library keep.
//!
//! The library believes the length in front of each answer and buffers until that much has come: four bytes of whoever
//! listens on the client port would cost 2 GiB. It has no limit to set and takes no connection from outside, only a host
//! and a port. So it is sent to a port on loopback, where one task hands on what the library says as it is, and what the
//! server says answer by answer: one that is announced longer than [`LARGEST`] ends the connection before it is read.
//!
//! The port gives nobody anything. One connection is taken, that of the session itself: its first request carries a
//! number that only this process knows, in the place of the session's timeout, and no other host is asked before it was
//! seen. All others are closed, one to make up for a lost connection included: what is lost is read back by a new
//! session. The port stays taken for as long as the library may connect to it, so that nobody else can come to listen
//! where it sends its credentials.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use agent_sdk::config::Address;

/// The longest answer that is handed on: what servers and clients agree on by default (`jute.maxbuffer`), and what they
/// grant each other beyond (`jute.maxbuffer.extrasize`).
const LARGEST: u32 = 1_048_575 + 1_024;

/// The request for a session has 45 bytes.
const LONGEST_OPENING: u32 = 128;

/// Connections that may wait to say their number. The library's is there within a millisecond; others are strangers.
const KNOCKING: usize = 8;

/// After a fault of the listener, such as too many open files.
const BREATH: Duration = Duration::from_millis(50);

/// For the library to take the last answer and close.
const LINGER: Duration = Duration::from_millis(500);

/// Where the timeout stands in the request for a session, behind the protocol's version and the last zxid.
const TIMEOUT: std::ops::Range<usize> = 12..16;

/// The port on loopback that leads to a server.
pub(crate) struct Relay {
    /// Keeps the port for as long as this lives, also when the task that listens has ended.
    listener: std::net::TcpListener,
    ticket: Ticket,
    cut: Arc<OnceLock<String>>,
}

/// A number for one session, instead of the timeout that it asks for. Twelve days at least, in milliseconds: nothing that
/// the library derives from it until the server's answer comes is shorter than what the agent waits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ticket(i32);

impl Ticket {
    fn new() -> Self {
        let [a, b, c, d, ..] = uuid::Uuid::new_v4().into_bytes();
        Self((i32::from_be_bytes([a, b, c, d]) & i32::MAX) | 1 << 30)
    }
}

impl Relay {
    /// Takes a port.
    pub(crate) fn bind() -> io::Result<Self> {
        // In this order: hardly any host is without the first.
        let loopback: [SocketAddr; 2] = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        let listener = std::net::TcpListener::bind(&loopback[..])?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            ticket: Ticket::new(),
            cut: Arc::default(),
        })
    }

    /// Where the library has to connect.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The timeout that the library has to ask for.
    pub(crate) fn ticket(&self) -> Duration {
        Duration::from_millis(u64::from(self.ticket.0.unsigned_abs()))
    }

    /// Why the connection was ended from here, or was none.
    pub(crate) fn cut(&self) -> Option<&str> {
        self.cut.get().map(String::as_str)
    }

    /// Serves for as long as it is polled. `session` is the timeout to ask the server for.
    pub(crate) fn serve(
        &self,
        server: Address,
        session: Duration,
    ) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let (listener, ticket, cut) = (self.listener.try_clone()?, self.ticket, Arc::clone(&self.cut));
        let timeout = i32::try_from(session.as_millis()).map_err(io::Error::other)?;
        Ok(async move {
            // From here on the runtime of the session watches it.
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            let (library, mut opening) = own(&listener, ticket).await;
            if let Some(asked) = opening.get_mut(TIMEOUT) {
                asked.copy_from_slice(&timeout.to_be_bytes());
            }
            let handed_on = async {
                let mut library = library;
                if let Err(error) = hand_on(&mut library, &opening, &server).await {
                    tracing::debug!(%server, %error, "a session's connection was ended");
                    // Nobody else writes it, and the library hears of it later.
                    drop(cut.set(error.to_string()));
                }
                drop(library);
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = handed_on => {}
                () = turn_away(&listener) => {}
            }
        })
    }
}

/// Waits for the session's own connection, with its first request.
async fn own(listener: &TcpListener, ticket: Ticket) -> (TcpStream, Vec<u8>) {
    let mut knocking = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if knocking.len() < KNOCKING => match accepted {
                Ok((stream, _)) => drop(knocking.spawn(opening(stream, ticket))),
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(knocked) = knocking.join_next() => {
                if let Ok(Ok(own)) = knocked {
                    return own;
                }
            }
        }
    }
}

/// The first request of a connection, when it carries the number.
async fn opening(mut stream: TcpStream, ticket: Ticket) -> io::Result<(TcpStream, Vec<u8>)> {
    let stranger = || io::Error::other("a connection of somebody else");
    let length = stream.read_u32().await?;
    if length > LONGEST_OPENING {
        return Err(stranger());
    }
    let mut request = vec![0; length as usize];
    stream.read_exact(&mut request).await?;
    if request.get(TIMEOUT) == Some(&ticket.0.to_be_bytes()[..]) {
        Ok((stream, request))
    } else {
        Err(stranger())
    }
}

/// Closes every further connection.
async fn turn_away(listener: &TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(stream),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Connects to the server and hands on until either side ends. An error is the server's.
async fn hand_on(library: &mut TcpStream, opening: &[u8], server: &Address) -> io::Result<()> {
    let mut connected = TcpStream::connect((server.host(), server.port())).await?;
    // Small requests and answers, each waited for.
    connected.set_nodelay(true)?;
    library.set_nodelay(true)?;
    let (mut from_server, mut to_server) = connected.split();
    let (mut from_library, mut to_library) = library.split();
    let length = u32::try_from(opening.len()).map_err(io::Error::other)?;
    to_server.write_all(&[&length.to_be_bytes(), opening].concat()).await?;
    {
        let asking = tokio::io::copy(&mut from_library, &mut to_server);
        let mut answering = std::pin::pin!(answers(&mut from_server, &mut to_library));
        tokio::select! {
            ended = &mut answering => ended,
            asked = asking => match asked {
                Ok(_) => return Ok(()),
                // A server that takes nothing more may have said why.
                Err(_) => answering.await,
            },
        }?;
    }
    // What the library has not read yet would be lost, were this closed on requests that nobody takes any more.
    to_library.shutdown().await?;
    let mut nowhere = tokio::io::sink();
    let rest = tokio::io::copy(&mut from_library, &mut nowhere);
    drop(tokio::time::timeout(LINGER, rest).await);
    Ok(())
}

/// Hands on the server's answers until it ends.
async fn answers(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> io::Result<()> {
    loop {
        let length = match from.read_u32().await {
            Ok(length) if length <= LARGEST => length,
            Ok(length) => {
                let told =
                    format!("what listens there is no ZooKeeper server: it announces an answer of {length} bytes");
                return Err(io::Error::other(told));
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        to.write_u32(length).await?;
        tokio::io::copy(&mut (&mut *from).take(length.into()), to).await?;
    }
}

#[cfg(test)]
mod tests;
