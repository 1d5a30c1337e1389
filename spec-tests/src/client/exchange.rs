//! What was asked, and what came of it.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;

/// Bounds of one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For all of it.
    pub time: Duration,
    /// Longest head of an answer, in bytes.
    pub head: usize,
    /// Longest body of an answer, in bytes.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: super::PATIENCE,
            head: 64 * 1024,
            body: 8 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// The same for an exchange that is meant to take longer.
    #[must_use]
    pub(super) fn patient(self, longer: Duration) -> Self {
        Self {
            time: self.time.saturating_add(longer),
            ..self
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// In upper case.
    pub method: &'static str,
    /// From the root on, with its query.
    pub path: String,
    /// Besides those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// None is sent without a length.
    pub body: Option<Vec<u8>>,
    /// How much longer than usual the answer may take.
    pub patience: Duration,
}

impl Request {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// Any method, without a body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: None,
            patience: Duration::ZERO,
        }
    }

    /// A POST of JSON.
    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::post_text(path, body.to_string())
    }

    /// A POST of what says that it is JSON.
    pub fn post_text(path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: vec![("content-type", "application/json".to_owned())],
            body: Some(body.into()),
            ..Self::new("POST", path)
        }
    }

    /// The same, given more time.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Three digits.
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body's type without its parameters, in lower case.
    pub fn media(&self) -> Option<String> {
        let media = self.header("content-type")?.split(';').next()?;
        Some(media.trim().to_ascii_lowercase())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }

    /// 200 to 299.
    pub const fn is_good(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Nobody listens there.
    #[error("no connection: {0}")]
    Connect(String),
    /// It took too long.
    #[error("no whole answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The connection ended first.
    #[error("the connection ended before {0}")]
    Cut(String),
    /// What came is no HTTP.
    #[error("what came is no HTTP/1.1 answer: {0}")]
    Garbage(String),
    /// There is no such request.
    #[error("this is no request that can be sent: {0}")]
    Unfit(&'static str),
    /// More came than is taken.
    #[error("the answer's {0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// There is more in it than is read.
    #[error("the answer has more than {0} values in it")]
    TooMany(usize),
    /// All answers together are more than is taken.
    #[error("the agent's answers are more than {0} bytes in all")]
    TooMuch(usize),
    /// The run was over first.
    #[error("the run was over")]
    Over,
}

impl Fault {
    /// Whether it says nothing of the agent: what was not asked, or is more than is taken, is not seen.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::TooMany(_) | Self::TooMuch(_) | Self::Over)
    }
}

/// One question and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The agent's address.
    pub agent: String,
    /// What was asked.
    pub request: Request,
    /// What came.
    pub outcome: Result<Answer, Fault>,
    /// When it was asked.
    pub began: Instant,
    /// How long all of it took.
    pub took: Duration,
    /// A line of curl that asks the same, secrets masked.
    pub curl: String,
}

impl Exchange {
    /// What came, in a line short enough to read: status, type and the beginning of the body.
    pub fn came(&self) -> String {
        match &self.outcome {
            Err(fault) => fault.to_string(),
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body);
                let text = trimmed(text.trim(), 300);
                match answer.header("content-type") {
                    Some(media) => format!("{} {media}: {text}", answer.status),
                    None => format!("{}: {text}", answer.status),
                }
            }
        }
    }
}

/// A text as one segment of a path has it, or one value of a query. Dots are written out too: two of them lead elsewhere.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // A string takes whatever is written to it.
            let _: std::fmt::Result = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The most that is kept of a body that nobody reads any more.
const KEPT: usize = 64 * 1024;

/// Keeps the beginning of a long body.
pub(crate) fn shorten(body: &mut Vec<u8>) {
    body.truncate(KEPT);
    body.shrink_to_fit();
}

/// At most so many characters of a text, on one line. Where it is cut there stands `…`, by which [`super::Credentials::masked`]
/// knows that a secret may be cut, too.
pub fn trimmed(text: &str, longest: usize) -> String {
    let one_line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(longest + 1)
        .collect();
    if one_line.chars().count() > longest {
        let kept: String = one_line.chars().take(longest).collect();
        format!("{kept}…")
    } else {
        one_line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_segment_says_it_stays_one() {
        assert_eq!(escaped("3d414d8e-dd25_~"), "3d414d8e-dd25_~");
        assert_eq!(escaped("../a b?c#d"), "%2E%2E%2Fa%20b%3Fc%23d");
        assert_eq!(escaped("x HTTP/1.1\r\nä'"), "x%20HTTP%2F1%2E1%0D%0A%C3%A4%27");
    }

    #[test]
    fn no_time_is_too_long() {
        let limits = Limits {
            time: Duration::MAX,
            ..Limits::default()
        };
        assert_eq!(limits.patient(Duration::from_secs(1)).time, Duration::MAX);
    }
}
