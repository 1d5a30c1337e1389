//! Headers that go with every request, and are shown to nobody: not even where an agent repeats them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Characters of a secret that may be shown where it is cut: fewer say nothing, and stand in other words, too.
const LEAST: usize = 4;

/// Characters from which on a value is masked whose name does not say that it is secret.
const LONG: usize = 8;

/// Parts of the names of headers that hold secrets.
const SECRET: [&str; 9] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "session",
    "signature",
    "token",
];

/// Headers that go with every request. Their values are never shown.
#[derive(Clone, Default)]
pub struct Credentials {
    headers: Vec<(String, String)>,
    /// What is masked, longest first.
    secrets: Vec<String>,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a header is a name, and a value of visible ASCII characters, spaces and tabs")]
pub struct HeaderError;

impl Credentials {
    /// A bearer token. One that is no header's value is never sent: each request fails.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// Any header.
    ///
    /// **Errors**: where it would be none, or more than one.
    pub fn with_header(self, name: &str, value: &str) -> Result<Self, HeaderError> {
        if is_header(name, value) {
            Ok(self.with(name, value))
        } else {
            Err(HeaderError)
        }
    }

    /// These and others.
    #[must_use]
    pub fn and(self, others: &Self) -> Self {
        let of = others.headers.iter();
        of.fold(self, |all, (name, value)| all.with(name, value))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self.secrets.extend(secrets(name, value));
        // A secret that is part of another leaves nothing of it.
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.secrets.dedup();
        self
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A text without what is secret: whole, escaped as JSON, addresses and shells do it, and cut off, where `…` says so.
    ///
    /// Of headers whose names say that they are secret, each part of four characters or more is; of others, the value
    /// where it has eight or more, since shorter ones are words that stand for other things, too.
    pub fn masked(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let found = self.secrets.iter().find_map(|secret| found(rest, secret));
            if let Some((_, after)) = found.and_then(|length| rest.split_at_checked(length)) {
                masked.push_str(MASK);
                rest = after;
            } else {
                masked.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        masked
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Whether these are a header's name, and a value that does not end its line.
pub(super) fn is_header(name: &str, value: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_shown = |byte: u8| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic();
    !name.is_empty() && name.bytes().all(is_token) && value.bytes().all(is_shown)
}

/// Everything in a header that nobody is to read.
fn secrets(name: &str, value: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    if !SECRET.iter().any(|part| name.contains(part)) {
        return Some(value.to_owned())
            .filter(|value| value.len() >= LONG)
            .into_iter()
            .collect();
    }
    let mut secrets = vec![value.to_owned()];
    // The scheme is no secret.
    let scheme = value.split_once(' ').filter(|_| name.ends_with("authorization"));
    for part in scheme.map_or(value, |(_, rest)| rest).split([' ', '\t', ',', ';']) {
        secrets.push(part.to_owned());
        secrets.extend(
            part.split_once('=')
                .map(|(_, value)| value.trim_matches('"').to_owned()),
        );
    }
    if let Some((scheme, rest)) = scheme
        && scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = STANDARD
            .decode(rest.trim())
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok())
    {
        if let Some((user, password)) = pair.split_once(':') {
            secrets.push(password.to_owned());
            // A short name is a word that stands for other things, too.
            secrets.extend(Some(user.to_owned()).filter(|user| user.len() >= LONG));
        }
        secrets.push(pair);
    }
    secrets.retain(|secret| secret.len() >= LEAST);
    secrets
}

/// How much of the text's beginning is this secret, or as much of it as a cut has left.
fn found(text: &str, secret: &str) -> Option<usize> {
    let text = text.as_bytes();
    let mut at = 0;
    for (number, byte) in secret.bytes().enumerate() {
        let rest = &text[at..];
        match written(rest, byte) {
            Some(length) => at += length,
            None => return (number >= LEAST).then(|| cut(rest)).flatten().map(|length| at + length),
        }
    }
    Some(at)
}

/// How many bytes stand for this one at the text's beginning: itself, or an escape of it.
fn written(text: &[u8], byte: u8) -> Option<usize> {
    let hex = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits?).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let escaped = &text[slashes..];
    match (text.first()?, byte) {
        // A quotation mark within those of a shell.
        (b'\'', b'\'') if text.starts_with(br"'\''") => Some(4),
        // However often it was escaped, and its escape with it.
        (b'\\', _) if escaped.first() == Some(&byte) => Some(slashes + 1),
        (b'\\', b'\t') if escaped.first() == Some(&b't') => Some(slashes + 1),
        (b'\\', _) if escaped.starts_with(b"u00") && hex(escaped.get(3..5)) == Some(byte) => Some(slashes + 5),
        (b'%', _) if hex(text.get(1..3)) == Some(byte) => Some(3),
        (b'+', b' ') | (b' ', b'\t') => Some(1),
        (first, _) => (*first == byte).then_some(1),
    }
}

/// How many bytes there are before a cut: none, or what is left of an escape.
fn cut(text: &[u8]) -> Option<usize> {
    let before = text
        .windows("…".len())
        .take(7)
        .position(|bytes| bytes == "…".as_bytes())?;
    (before == 0 || matches!(text[0], b'%' | b'\\')).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Credentials {
        Credentials::default().with_header(name, value).unwrap()
    }

    #[test]
    fn every_part_of_a_secret_is_masked() {
        let basic = format!("Basic {}", STANDARD.encode("ann:canary:1"));
        for (name, value, text, masked) in [
            (
                "Authorization",
                "Bearer canary",
                "a canary b, Bearer canary",
                "a *** b, ***",
            ),
            ("authorization", &basic, "ann, canary:1, ann:canary:1", "ann, ***, ***"),
            (
                "Cookie",
                "sid=canary; t=\"other\"",
                "canary other sid=canary",
                "*** *** ***",
            ),
            ("X-Api-Key", "canary", "x=canary", "x=***"),
            ("X-Key", "abc", "abc", "abc"),
            ("X-Env", "test", "test.success", "test.success"),
            ("X-Team", "canaries", "of canaries", "of ***"),
        ] {
            assert_eq!(with(name, value).masked(text), masked, "{name}: {value}");
        }
        let encoded = basic.trim_start_matches("Basic ");
        assert_eq!(with("Authorization", &basic).masked(encoded), "***");
        assert!(!format!("{:?}", with("cookie", "canary")).contains("canary"));
    }

    #[test]
    fn a_secret_is_known_however_it_is_written() {
        let credentials = with("X-Token", "a\"b+c/d e'f");
        for text in [
            "a\"b+c/d e'f",
            r#"a\"b+c/d e'f"#,
            r#"a\\\"b+c\/d e'f"#,
            r"a\u0022b\u002Bc/d\u0020e\u0027f",
            "a%22b%2bc%2Fd%20e%27f",
            "a%22b%2Bc/d+e%27f",
            r#"a"b+c/d e'\''f"#,
        ] {
            assert_eq!(credentials.masked(&format!("<{text}>")), "<***>", "{text}");
        }
    }

    #[test]
    fn a_secret_that_is_cut_is_masked_all_the_same() {
        let credentials = with("X-Token", "canary/of/the/token");
        for text in [
            "canary/of/th…",
            "canary%2Fof%2…",
            r"canary\/of\…",
            r"canary\u002fof\u00…",
        ] {
            assert_eq!(credentials.masked(text), "***…", "{text}");
        }
        assert_eq!(credentials.masked("a can… of oil"), "a can… of oil");
        assert_eq!(credentials.masked("canary birds"), "canary birds");
        assert_eq!(credentials.masked("ä…"), "ä…");
    }

    #[test]
    fn a_header_is_one_line() {
        let default = Credentials::default;
        assert!(default().with_header("a", "b\r\nc: d").is_err());
        assert!(default().with_header("a b", "c").is_err());
        assert!(default().with_header("", "c").is_err());
    }
}
