//! The `AdminServer`: one question by HTTP, where it is switched on and the agent is told of it.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::words::LARGEST;
use agent_sdk::config::Address;

/// What a command answers.
///
/// **Guarantees**: returns within the deadline; holds at most [`LARGEST`] bytes and a little more.
pub(crate) async fn ask(address: &Address, command: &str, within: Duration) -> Result<Map<String, Value>, String> {
    let asked = timeout(within, exchange(address, command)).await;
    asked.map_err(|_| "no answer in time".to_owned()).flatten()
}

async fn exchange(address: &Address, command: &str) -> Result<Map<String, Value>, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(told)?;
    // HTTP/1.0: the answer ends with the connection, and comes in one piece.
    let request = format!("GET /commands/{command} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(told)?;
    let mut answer = Vec::new();
    let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
    stream.take(limit).read_to_end(&mut answer).await.map_err(told)?;
    body(&answer)
}

/// It answers 200 also when it fails, with the error inside.
fn body(answer: &[u8]) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(answer).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    if head.split(' ').nth(1).is_none_or(|status| status != "200") {
        return Err(head.lines().next().unwrap_or_default().to_owned());
    }
    match serde_json::from_str(body).map_err(|error| error.to_string())? {
        Value::Object(told) => match told.get("error") {
            None | Some(Value::Null) => Ok(told),
            Some(error) => Err(error.to_string()),
        },
        _ => Err("its answer is no object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_an_object_without_an_error() {
        let told = body(b"HTTP/1.1 200 OK\r\n\r\n{\"server_id\": 3, \"error\": null}").unwrap();
        assert_eq!(told["server_id"], 3);
        for answer in [
            &b"HTTP/1.1 200 OK\r\n\r\n{\"error\": \"not serving\"}"[..],
            b"HTTP/1.1 404 Not Found\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\n\r\n[]",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"\xff",
            b"",
        ] {
            assert!(body(answer).is_err(), "{:?}", String::from_utf8_lossy(answer));
        }
    }
}
