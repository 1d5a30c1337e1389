//! What was asked and answered, written down to be compared.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::schemas::Schemas;
use super::talk::{self, Answer};

/// One conversation with one agent.
pub(super) struct Transcript {
    address: SocketAddr,
    schemas: Schemas,
    text: String,
}

impl Transcript {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            schemas: Schemas::of(address),
            text: String::new(),
        }
    }

    pub(super) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    pub(super) fn delete(&mut self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], "")
    }

    pub(super) fn post(&mut self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &["content-type: application/json"], body)
    }

    /// Asks, writes down and checks.
    pub(super) fn ask(&mut self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for header in headers {
            write!(head, "{header}\r\n").unwrap();
        }
        if !body.is_empty() {
            write!(head, "content-length: {}\r\n", body.len()).unwrap();
        }
        let answer = talk::exchange(self.address, format!("{head}\r\n{body}").as_bytes());
        self.note(method, path, headers, body, &answer);
        answer
    }

    /// Asks and checks, without writing down.
    pub(super) fn quietly(&mut self, path: &str) -> Answer {
        let length = self.text.len();
        let answer = self.get(path);
        self.text.truncate(length);
        answer
    }

    /// Writes down an exchange that was made otherwise, and checks it.
    pub(super) fn note(&mut self, method: &str, path: &str, headers: &[&str], body: &str, answer: &Answer) {
        self.schemas.check(method, path, answer);
        writeln!(self.text, "> {method} {path}").unwrap();
        for header in headers {
            writeln!(self.text, "> {header}").unwrap();
        }
        if !body.is_empty() {
            let visible: String = body.chars().flat_map(visible).collect();
            writeln!(self.text, "> {visible}").unwrap();
        }
        writeln!(self.text, "{}", answer.line).unwrap();
        for (name, value) in &answer.headers {
            match name.as_str() {
                "date" => {}
                // It changes with what is taken out of the body.
                "content-length" => assert!(method == "HEAD" || value.parse() == Ok(answer.body.len())),
                name => writeln!(self.text, "{name}: {value}").unwrap(),
            }
        }
        writeln!(self.text, "{}\n", answer.text()).unwrap();
    }

    /// The conversation, without what changes from run to run.
    pub(super) fn finish(self) -> String {
        redact(&self.text)
    }
}

/// A character that a file may hold.
fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = (!c.is_control()).then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

/// Times, and ids of the agent's making: those of the tests' own begin with zeros.
fn redact(text: &str) -> String {
    const TIME: &str = "0000-00-00T00:00:00.000000000Z";
    const ID: &str = "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx";
    let fits = |text: &str, form: &str| {
        text.len() >= form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_hexdigit(),
                form => byte == form,
            })
    };
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (word, length) = if fits(rest, TIME) && !rest.starts_with("2001-") {
            ("TIME", TIME.len())
        } else if fits(rest, ID) {
            ("ID", ID.len())
        } else {
            (&rest[..c.len_utf8()], c.len_utf8())
        };
        redacted.push_str(word);
        rest = &rest[length..];
    }
    redacted
}
