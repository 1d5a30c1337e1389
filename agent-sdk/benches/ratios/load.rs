//! Clients that cost little: plain connections that are kept, requests that are written once.
//!
//! They share the machine with what they measure, so they are tasks of one thread, send bytes that were put together
//! beforehand, and read of an answer only what they have to: its status and its body.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// The longest answer that is taken.
const LONGEST: usize = 1 << 20;

/// A runtime for clients, on the calling thread.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// A GET request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A request with a token and a body of JSON.
pub(crate) fn send(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let typed = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{typed}\r\n{body}")
        .into_bytes()
}

/// A connection that is kept.
pub(crate) struct Line {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Line {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(4096),
        })
    }

    /// So many of them, each heard once: a server may close those that it has not heard for a while.
    pub(crate) async fn open_many(address: SocketAddr, count: usize) -> anyhow::Result<Vec<Self>> {
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            let mut line = Self::open(address).await?;
            line.expect(200, &get("/healthz")).await?;
            lines.push(line);
        }
        Ok(lines)
    }

    /// Sends a request and returns the status and the body of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some((status, body, end)) = head(&self.received)?
                && self.received.len() >= end
            {
                ensure!(self.received.len() == end, "more came than was asked for");
                return Ok((status, &self.received[body..end]));
            }
            ensure!(self.received.len() < LONGEST, "an answer without an end");
            let read = self.stream.read_buf(&mut self.received).await?;
            ensure!(read > 0, "the connection was closed");
        }
    }

    /// Sends a request and returns the body of its answer, which has to have this status.
    pub(crate) async fn expect(&mut self, status: u16, request: &[u8]) -> anyhow::Result<&[u8]> {
        let (found, body) = self.ask(request).await?;
        ensure!(found == status, "{found}: {}", String::from_utf8_lossy(body));
        Ok(body)
    }
}

/// Status, begin of the body and its end, once the head is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize, usize)>> {
    let Some(length) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..length])?;
    let status = text.get(9..12).context("no status")?.parse()?;
    let announced = text.split("\r\n").skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    let body = length + 4;
    let announced: usize = announced.context("no content-length")?.parse()?;
    Ok(Some((status, body, body + announced)))
}

/// Asks the same over and over on every connection until the time is over; requests answered per second.
pub(crate) fn hammer(
    runtime: &Runtime,
    lines: &mut [Line],
    requests: &[Vec<u8>],
    time: std::time::Duration,
) -> anyhow::Result<f64> {
    let begun = std::time::Instant::now();
    let clients = lines.iter_mut().map(|line| async move {
        let mut answered = 0_u32;
        while begun.elapsed() < time {
            for request in requests {
                line.expect(200, request)
                    .await
                    .with_context(|| format!("after {} ms and {answered} answers", begun.elapsed().as_millis()))?;
                answered += 1;
            }
        }
        anyhow::Ok(answered)
    });
    let answered = runtime.block_on(futures_util::future::try_join_all(clients))?;
    Ok(answered.into_iter().map(f64::from).sum::<f64>() / begun.elapsed().as_secs_f64())
}
