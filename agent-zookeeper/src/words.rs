//! Four-letter words: one connection, one word, one answer, all within a deadline and a size.
//!
//! What comes back is sorted here, because every word has the same ways not to be answered: nobody listens, nobody
//! answers, the server does not serve, the word is not whitelisted, what listens is no ZooKeeper at all.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use agent_sdk::config::Address;

/// An answer above this many bytes is none: the longest one that is used here (`mntr`) has a few thousand.
pub const LARGEST: usize = 256 * 1024;

/// Why a word has no answer.
#[derive(Debug, Error)]
pub enum WordError {
    /// Nobody listens, or the way is cut.
    #[error("{address} cannot be reached: {cause}")]
    Unreachable {
        /// Who was asked.
        address: Address,
        /// Why.
        cause: io::Error,
    },
    /// Somebody listens and does not answer in time.
    #[error("{address} takes connections and does not answer within {} ms", .within.as_millis())]
    Silent {
        /// Who was asked.
        address: Address,
        /// How long it was waited for.
        within: Duration,
    },
    /// The connection was closed without an answer.
    #[error("{0} closed the connection without an answer (maxClientCnxns reached, or a port for TLS)")]
    Closed(Address),
    /// The server does not serve just now.
    #[error("the server is not serving: it looks for a leader, still syncs, or has no quorum")]
    NotServing,
    /// The server does not allow the word.
    #[error("the server does not allow the word {0}: it is not in 4lw.commands.whitelist")]
    NotWhitelisted(&'static str),
    /// More than any server says.
    #[error("what listens on {0} is no ZooKeeper server: its answer does not end")]
    Endless(Address),
    /// No text.
    #[error("what listens on {0} is no ZooKeeper server: its answer is no text")]
    NotText(Address),
}

/// Asks a server one word.
///
/// **Guarantees**: returns within the deadline; holds at most [`LARGEST`] bytes and a little more.
pub async fn ask(address: &Address, word: &'static str, within: Duration) -> Result<String, WordError> {
    let asked = timeout(within, exchange(address, word)).await;
    let answer = asked.unwrap_or_else(|_| {
        Err(WordError::Silent {
            address: address.clone(),
            within,
        })
    })?;
    classify(address, word, answer)
}

async fn exchange(address: &Address, word: &'static str) -> Result<Vec<u8>, WordError> {
    let unreachable = |cause| WordError::Unreachable {
        address: address.clone(),
        cause,
    };
    let mut stream = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(unreachable)?;
    stream.write_all(word.as_bytes()).await.map_err(unreachable)?;
    let mut answer = Vec::with_capacity(1024);
    let limit = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    match stream.take(limit).read_to_end(&mut answer).await {
        Ok(_) => {}
        // A server that closes with unread input resets the connection after its answer.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset && !answer.is_empty() => {}
        Err(error) => return Err(unreachable(error)),
    }
    Ok(answer)
}

fn classify(address: &Address, word: &'static str, answer: Vec<u8>) -> Result<String, WordError> {
    if answer.len() > LARGEST {
        return Err(WordError::Endless(address.clone()));
    }
    let answer = String::from_utf8(answer).map_err(|_| WordError::NotText(address.clone()))?;
    if answer.trim().is_empty() {
        return Err(WordError::Closed(address.clone()));
    }
    if answer.starts_with("This ZooKeeper instance is not currently serving requests") {
        return Err(WordError::NotServing);
    }
    if answer.contains("is not executed because it is not in the whitelist") {
        return Err(WordError::NotWhitelisted(word));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// A peer that takes one connection, reads the word and then does this.
    async fn peer<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> (Address, JoinHandle<()>)
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 4]).await.unwrap();
            answer(stream).await;
        });
        (address, serving)
    }

    async fn answered(bytes: &'static [u8]) -> Result<String, WordError> {
        let (address, _serving) = peer(move |mut stream| async move {
            stream.write_all(bytes).await.unwrap();
        })
        .await;
        ask(&address, "srvr", SOON).await
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        assert_eq!(answered(b"Mode: leader\n").await.unwrap(), "Mode: leader\n");
        let not_serving = answered(b"This ZooKeeper instance is not currently serving requests\n").await;
        assert!(matches!(not_serving, Err(WordError::NotServing)));
        let refused = answered(b"srvr is not executed because it is not in the whitelist.\n").await;
        assert!(matches!(refused, Err(WordError::NotWhitelisted("srvr"))));
        assert!(matches!(answered(b"\xff\xfe\x00").await, Err(WordError::NotText(_))));
        assert!(matches!(answered(b"").await, Err(WordError::Closed(_))));
    }

    #[tokio::test]
    async fn a_silent_peer_costs_the_deadline() {
        let (address, serving) = peer(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await;
        let answer = ask(&address, "srvr", Duration::from_millis(50)).await;
        assert!(matches!(answer, Err(WordError::Silent { .. })), "{answer:?}");
        serving.abort();
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() {
        let (address, serving) =
            peer(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} }).await;
        let answer = ask(&address, "srvr", SOON).await;
        assert!(matches!(answer, Err(WordError::Endless(_))), "{answer:?}");
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_dead_port_is_told_at_once() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        drop(listener);
        let answer = ask(&address, "srvr", SOON).await;
        assert!(matches!(answer, Err(WordError::Unreachable { .. })), "{answer:?}");
    }
}
