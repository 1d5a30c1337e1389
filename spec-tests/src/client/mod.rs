//! One HTTP exchange with an agent, bounded in time and size, kept as it was.
//!
//! The client is written byte by byte over HTTP/1.1 on purpose: what is wrong with an answer (a chunk that lies, an end
//! that comes early, a head without an end) is what this suite has to tell, where a library would only say that it failed.
//! Each exchange has a connection of its own, so that no answer depends on the one before.
//!
//! **Guarantees**: an exchange ends within its deadline, holds at most [`Limits::head`] and [`Limits::body`] of an answer and
//! what one read brings, follows no redirect, sends no request that another could hide in, and never panics, whatever comes.

mod address;
mod chunks;
mod exchange;
mod run;
mod secret;
mod shown;
mod tls;
mod wire;

pub use address::{Address, AddressError};
pub(crate) use exchange::shorten;
pub use exchange::{Answer, Exchange, Fault, Limits, Request, escaped, trimmed};
pub use run::Run;
pub use secret::{Credentials, HeaderError};
pub use tls::{Tls, TlsError};

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
    run: Run,
    taken: run::Taken,
    /// Where the agent's name led to: a slow resolver is asked once.
    resolved: Arc<Mutex<Option<Arc<[SocketAddr]>>>>,
}

impl Client {
    /// To this agent, with what it asks for.
    pub fn new(address: Address, credentials: Arc<Credentials>, limits: Limits) -> Self {
        Self {
            address,
            credentials,
            tls: None,
            limits,
            run: Run::default(),
            taken: run::Taken::default(),
            resolved: Arc::default(),
        }
    }

    /// The same, by TLS where the address asks for it.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// The same, until this run is over.
    #[must_use]
    pub fn within(self, run: Run) -> Self {
        Self { run, ..self }
    }

    /// The run that it is for.
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// Which agent.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Asks once.
    pub async fn ask(&self, request: Request) -> Exchange {
        let curl = shown::curl(self, &request);
        match self.bytes(&request) {
            Ok(bytes) => self.exchange(request, &bytes, true, curl).await,
            Err(fault) => Exchange {
                agent: self.address.to_string(),
                request,
                outcome: Err(fault),
                began: Instant::now(),
                took: Duration::ZERO,
                curl,
            },
        }
    }

    /// Sends bytes that may be no request at all; `request` is what is told of them.
    pub async fn send(&self, request: Request, bytes: &[u8]) -> Exchange {
        let shown = shown::raw(self, bytes);
        self.exchange(request, bytes, false, shown).await
    }

    async fn exchange(&self, mut request: Request, bytes: &[u8], alone: bool, curl: String) -> Exchange {
        let limits = self.limits.patient(request.patience);
        let began = Instant::now();
        let talk = tokio::time::timeout(limits.time, self.talk(bytes, wire::Reader::new(limits, alone)));
        let outcome = tokio::select! {
            biased;
            () = self.run.over() => Err(Fault::Over),
            outcome = talk => outcome.unwrap_or(Err(Fault::Deadline(limits.time))),
        };
        let outcome = outcome.and_then(|answer| self.taken.count(answer.body.len()).map(|()| answer));
        if matches!(outcome, Err(Fault::Connect(_) | Fault::Deadline(_))) {
            // An agent that was started again may be elsewhere.
            *self.resolved() = None;
        }
        // What was sent is told by the curl line; of a long body the beginning is kept.
        if let Some(body) = &mut request.body {
            exchange::shorten(body);
        }
        Exchange {
            curl,
            agent: self.address.to_string(),
            request,
            outcome,
            began,
            took: began.elapsed(),
        }
    }

    async fn talk(&self, bytes: &[u8], reader: wire::Reader) -> Result<Answer, Fault> {
        let stream = self
            .connect()
            .await
            .map_err(|error| Fault::Connect(error.to_string()))?;
        // Small requests, each waited for.
        drop(stream.set_nodelay(true));
        match (self.address.is_secure(), &self.tls) {
            (false, _) => talk(stream, bytes, reader).await,
            (true, Some(tls)) => talk(tls.handshake(self.address.host(), stream).await?, bytes, reader).await,
            (true, None) => Err(Fault::Connect(
                "https needs the certificate of whom to trust".to_owned(),
            )),
        }
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        let known = self.resolved().clone();
        let known = match known {
            Some(known) => known,
            None => tokio::net::lookup_host((self.address.host(), self.address.port()))
                .await?
                .collect(),
        };
        let stream = TcpStream::connect(&*known).await?;
        *self.resolved() = Some(known);
        Ok(stream)
    }

    fn resolved(&self) -> std::sync::MutexGuard<'_, Option<Arc<[SocketAddr]>>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request as it is sent; none where something in it would end its line, and begin another.
    fn bytes(&self, request: &Request) -> Result<Vec<u8>, Fault> {
        if !request.path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::Unfit("its target has more than visible ASCII characters"));
        }
        let headers = self.credentials.headers();
        let mut values = headers.chain(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        if values.any(|(name, value)| !secret::is_header(name, value)) {
            return Err(Fault::Unfit("one of its headers is none"));
        }
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
        Ok(bytes)
    }
}

/// Sends bytes and takes one answer.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    bytes: &[u8],
    mut reader: wire::Reader,
) -> Result<Answer, Fault> {
    // What is left to send; none once all of it has gone.
    let mut sending = Some(bytes);
    let mut piece = vec![0; 16 * 1024];
    loop {
        // An answer may come, and the connection end, before everything was sent: it counts all the same.
        let read = if let Some(rest) = sending {
            let (mut from, mut to) = tokio::io::split(&mut stream);
            tokio::select! {
                biased;
                read = from.read(&mut piece) => read,
                sent = send(&mut to, rest) => {
                    // A server that takes nothing more may have said why.
                    sending = sent.unwrap_or(None);
                    continue;
                }
            }
        } else {
            stream.read(&mut piece).await
        };
        match read {
            Ok(0) => return reader.end(None),
            Ok(length) => {
                if let Some(answer) = reader.take(&piece[..length])? {
                    return Ok(answer);
                }
            }
            Err(error) => return reader.end(Some(&error)),
        }
    }
}

/// Sends some of it; what is left, or none once TLS keeps nothing back either.
async fn send<'a>(to: &mut (impl AsyncWrite + Unpin), rest: &'a [u8]) -> std::io::Result<Option<&'a [u8]>> {
    if rest.is_empty() {
        to.flush().await?;
        return Ok(None);
    }
    let written = to.write(rest).await?;
    Ok(Some(rest.get(written..).unwrap_or_default()))
}

/// The longest that anything is waited for by default.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::io::{BufStream, duplex};

    use super::*;

    #[tokio::test]
    async fn nothing_is_kept_back() {
        let (near, mut far) = duplex(1024);
        let server = async {
            let mut asked = [0; 4];
            far.read_exact(&mut asked).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            far.write_all(answer).await.unwrap();
            asked
        };
        // It sends when it is told to, as TLS may.
        let client = talk(
            BufStream::new(near),
            b"ask\n",
            wire::Reader::new(Limits::default(), true),
        );
        let (asked, answer) = tokio::time::timeout(PATIENCE, async { tokio::join!(server, client) })
            .await
            .unwrap();
        assert_eq!((&asked, answer.unwrap().status), (b"ask\n", 200));
    }

    #[tokio::test]
    async fn no_request_has_another_in_it() {
        let address: Address = "http://127.0.0.1:1".parse().unwrap();
        let client = Client::new(address.clone(), Arc::default(), Limits::default());
        for path in ["/a b", "/a\r\nb: c", "/ä"] {
            let exchange = client.ask(Request::get(path)).await;
            assert!(matches!(exchange.outcome, Err(Fault::Unfit(_))), "{path}");
        }
        let credentials = Credentials::default().with_token("a\r\nb: c");
        let client = Client::new(address, Arc::new(credentials), Limits::default());
        let exchange = client.ask(Request::get("/")).await;
        assert!(matches!(exchange.outcome, Err(Fault::Unfit(_))));
    }
}
