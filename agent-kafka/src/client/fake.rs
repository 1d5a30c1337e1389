//! A listener that says what a test makes it say.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::endpoint::Endpoint;
use super::frame;
use super::recorded;
use agent_sdk::config::Address;

/// What is said to a request.
pub(super) enum Say {
    /// What a broker of this release said to a request of this key.
    As(&'static str),
    /// These bytes behind a header that is right.
    Body(Vec<u8>),
    /// These bytes, as they are; then the connection stays open.
    Raw(Vec<u8>),
    /// These bytes, as they are; then the end.
    Last(Vec<u8>),
    /// What a broker of this release said, and the end of the connection.
    Farewell(&'static str),
    /// Nothing, for ever.
    Nothing,
}

/// As `socket.request.max.bytes` of a broker: above it, the connection is closed.
const LARGEST_REQUEST: usize = 1 << 20;

/// One request as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Connections are counted from 1.
    pub(super) connection: usize,
    /// And so are the requests of one.
    pub(super) nth: usize,
    pub(super) key: i16,
    pub(super) version: i16,
}

/// A listener on loopback. It ends with the runtime of the test.
pub(super) struct Peer {
    pub(super) address: Address,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Peer {
    pub(super) async fn start(say: impl Fn(Asked) -> Say + Clone + Send + Sync + 'static) -> Self {
        Self::behind(None, say).await
    }

    /// One that speaks TLS, where it is given an acceptor.
    pub(super) async fn behind(
        tls: Option<TlsAcceptor>,
        say: impl Fn(Asked) -> Say + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = Address::new("127.0.0.1", listener.local_addr().unwrap().port());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            for connection in 1.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, say, seen) = (tls.clone(), say.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, connection, say, seen).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, connection, say, seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, asked }
    }

    /// One that negotiates as a broker of 4.3.0 does, and then says this.
    pub(super) async fn after_versions(say: impl Fn(Asked) -> Say + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |asked| {
            if asked.key == ApiKey::ApiVersions as i16 {
                Say::As("4.3.0")
            } else {
                say(asked)
            }
        })
        .await
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::plain(self.address.clone())
    }

    /// How often this was asked.
    pub(super) fn times(&self, key: ApiKey) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.key == key as i16).count()
    }

    pub(super) fn connections(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|asked| asked.connection).max().unwrap_or(0)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    say: impl Fn(Asked) -> Say,
    seen: Arc<Mutex<Vec<Asked>>>,
) {
    for nth in 1.. {
        let Ok(request) = frame::read(&mut stream, LARGEST_REQUEST).await else {
            break;
        };
        let asked = Asked {
            connection,
            nth,
            key: i16::from_be_bytes([request[0], request[1]]),
            version: i16::from_be_bytes([request[2], request[3]]),
        };
        seen.lock().unwrap().push(asked);
        let (bytes, goes_on) = match say(asked) {
            Say::As(release) => (recorded_answer(release, asked, &request), true),
            Say::Farewell(release) => (recorded_answer(release, asked, &request), false),
            Say::Body(body) => (with_length(&[&request[4..8], &body].concat()), true),
            Say::Raw(bytes) => (bytes, true),
            Say::Last(bytes) => (bytes, false),
            Say::Nothing => (Vec::new(), true),
        };
        stream.write_all(&bytes).await.unwrap();
        stream.flush().await.unwrap();
        if !goes_on {
            break;
        }
    }
}

fn recorded_answer(release: &str, asked: Asked, request: &Bytes) -> Vec<u8> {
    let exchange = recorded::first(release, "broker", asked.key);
    assert_eq!(exchange.asks().1, asked.version, "version of {}", asked.key);
    with_length(&[&request[4..8], &exchange.answer[4..]].concat())
}

pub(super) fn with_length(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}
