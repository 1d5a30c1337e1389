//! One HTTP exchange with an agent, bounded in time and size, kept as it was.
//!
//! The client is written byte by byte over HTTP/1.1 on purpose: what is wrong with an answer (a chunk that lies, an end
//! that comes early, a head without an end) is what this suite has to tell, where a library would only say that it failed.
//! Each exchange has a connection of its own, so that no answer depends on the one before.
//!
//! **Guarantees**: an exchange ends within its deadline, holds at most [`Limits::body`] of an answer, follows no redirect, and
//! never panics, whatever comes.

mod address;
mod exchange;
mod shown;
mod tls;
mod wire;

pub use address::{Address, AddressError};
pub use exchange::{Answer, Exchange, Fault, Limits, Request, trimmed};
pub use shown::Credentials;
pub use tls::{Tls, TlsError};

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// A way to one agent.
#[derive(Debug, Clone)]
pub struct Client {
    address: Address,
    credentials: Arc<Credentials>,
    tls: Option<Tls>,
    limits: Limits,
}

impl Client {
    /// To this agent, with what it asks for.
    pub fn new(address: Address, credentials: Arc<Credentials>, limits: Limits) -> Self {
        Self {
            address,
            credentials,
            tls: None,
            limits,
        }
    }

    /// The same, by TLS where the address asks for it.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Which agent.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Asks once.
    pub async fn ask(&self, request: Request) -> Exchange {
        let bytes = self.bytes(&request);
        self.send(request, &bytes).await
    }

    /// Sends bytes that may be no request at all; `request` is what is shown of them.
    pub async fn send(&self, request: Request, bytes: &[u8]) -> Exchange {
        let limits = self.limits.patient(request.patience);
        let began = Instant::now();
        let outcome = tokio::time::timeout(limits.time, self.talk(bytes, limits))
            .await
            .unwrap_or(Err(Fault::Deadline(limits.time)));
        Exchange {
            curl: shown::curl(&self.address, &request, &self.credentials),
            agent: self.address.to_string(),
            request,
            outcome,
            began,
            took: began.elapsed(),
        }
    }

    async fn talk(&self, bytes: &[u8], limits: Limits) -> Result<Answer, Fault> {
        let stream = TcpStream::connect((self.address.host(), self.address.port()))
            .await
            .map_err(|error| Fault::Connect(error.to_string()))?;
        // Small requests, each waited for.
        drop(stream.set_nodelay(true));
        match (self.address.is_secure(), &self.tls) {
            (false, _) => exchange(stream, bytes, limits).await,
            (true, Some(tls)) => exchange(tls.handshake(self.address.host(), stream).await?, bytes, limits).await,
            (true, None) => Err(Fault::Connect(
                "https needs the certificate of whom to trust".to_owned(),
            )),
        }
    }

    fn bytes(&self, request: &Request) -> Vec<u8> {
        let mut lines = vec![
            format!("{} {} HTTP/1.1", request.method, self.address.target(&request.path)),
            format!("host: {}", self.address.authority()),
            "connection: close".to_owned(),
            "accept: application/json, application/problem+json".to_owned(),
        ];
        lines.extend(
            self.credentials
                .headers()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(
            request
                .body
                .iter()
                .map(|body| format!("content-length: {}", body.len())),
        );
        let mut bytes = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
        bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// Sends bytes and takes one answer.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    bytes: &[u8],
    limits: Limits,
) -> Result<Answer, Fault> {
    let mut reader = wire::Reader::new(limits);
    let mut sending = bytes;
    let mut piece = vec![0; 16 * 1024];
    loop {
        // An answer may come, and the connection end, before everything was sent: it counts all the same.
        let read = if sending.is_empty() {
            stream.read(&mut piece).await
        } else {
            let (mut from, mut to) = tokio::io::split(&mut stream);
            tokio::select! {
                biased;
                read = from.read(&mut piece) => read,
                written = to.write(sending) => {
                    // A server that takes nothing more may have said why.
                    sending = written.map_or(&[], |written| sending.get(written..).unwrap_or_default());
                    continue;
                }
            }
        };
        match read {
            Ok(0) => return reader.end(),
            Ok(length) => {
                if let Some(answer) = reader.take(&piece[..length])? {
                    return Ok(answer);
                }
            }
            Err(error) => return reader.end().map_err(|fault| fault.after(&error)),
        }
    }
}

/// The longest that anything is waited for by default.
pub const PATIENCE: Duration = Duration::from_secs(10);
