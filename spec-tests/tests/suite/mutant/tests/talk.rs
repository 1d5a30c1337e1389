//! Asking an agent, without the client that is tried elsewhere.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// What came.
#[derive(Debug)]
pub struct Came {
    pub status: u16,
    /// The whole head, in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Came {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| Value::from(self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the answer is a problem with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], "about:blank");
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        assert!(
            self.head.contains("content-type: application/problem+json"),
            "{}",
            self.head
        );
    }
}

/// Sends bytes; none where the connection ended without an answer.
pub fn send(address: &str, bytes: &[u8]) -> Option<Came> {
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).ok()?;
    stream.write_all(bytes).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_off(end + 4);
    Some(Came { status, head, body })
}

/// Asks with a body and further lines of the head.
pub fn ask_with(address: &str, line: &str, head: &str, body: Option<&[u8]>) -> Option<Came> {
    let length = body
        .map(|body| format!("content-length: {}\r\n", body.len()))
        .unwrap_or_default();
    let head = format!("{line} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{head}{length}\r\n");
    send(address, &[head.as_bytes(), body.unwrap_or_default()].concat())
}

pub fn ask(address: &str, line: &str) -> Came {
    ask_with(address, line, "", None).unwrap()
}

pub fn get(address: &str, path: &str) -> Came {
    ask(address, &format!("GET {path}"))
}

pub fn post(address: &str, path: &str, body: &str) -> Came {
    let json = "content-type: application/json\r\n";
    ask_with(address, &format!("POST {path}"), json, Some(body.as_bytes())).unwrap()
}

/// A UUID that ends with this number.
pub fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Waits, by long polls, until an action is so; its record.
pub fn until(address: &str, id: &str, so: impl Fn(&Value) -> bool) -> Value {
    let mut record = get(address, &format!("/api/v1/actions/{id}")).json();
    while !so(&record) {
        let path = format!("/api/v1/actions/{id}?wait=10&after={}", record["version"]);
        record = get(address, &path).json();
        assert!(record["version"].is_u64(), "{record}");
    }
    record
}

/// Waits until an action has ended.
pub fn ended(address: &str, id: &str) -> Value {
    until(address, id, |record| !record["finished_ts"].is_null())
}
