//! Credentials, and requests as they are shown to people: without them.

use std::fmt;

use super::{Address, Request};

/// Headers that go with every request. Their values are never shown.
#[derive(Clone, Default)]
pub struct Credentials {
    headers: Vec<(String, String)>,
}

impl Credentials {
    /// A bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// Any header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.headers.extend(others.headers.iter().cloned());
        self
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A text without what is secret.
    pub fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (_, value) in &self.headers {
            let secret = value.strip_prefix("Bearer ").unwrap_or(value);
            if secret.len() >= 4 {
                text = text.replace(secret, "***");
            }
        }
        text
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// A line of curl that asks the same.
pub(super) fn curl(address: &Address, request: &Request, credentials: &Credentials) -> String {
    let mut words = vec!["curl -i".to_owned()];
    if request.method != "GET" {
        words.push(format!("-X {}", request.method));
    }
    words.extend(credentials.headers().map(|(name, _)| format!("-H '{name}: ***'")));
    words.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| format!("-H '{name}: {value}'")),
    );
    if let Some(body) = &request.body {
        let text = String::from_utf8_lossy(body);
        if body.len() <= 2000 && !text.contains(char::REPLACEMENT_CHARACTER) {
            words.push(format!("-d '{}'", credentials.masked(&text).replace('\'', r"'\''")));
        } else {
            words.push(format!("-d @body-of-{}-bytes", body.len()));
        }
    }
    words.push(format!("'{address}{}'", request.path));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_nothing_that_is_shown() {
        let credentials = Credentials::default().with_token("canary");
        let address: Address = "http://h:1/p".parse().unwrap();
        let request = Request::post("/api/v1/actions", &serde_json::json!({"a": "it's canary"}));
        let line = curl(&address, &request, &credentials);
        assert_eq!(
            line,
            r#"curl -i -X POST -H 'authorization: ***' -H 'content-type: application/json' -d '{"a":"it'\''s ***"}' 'http://h:1/p/api/v1/actions'"#
        );
        assert!(!format!("{credentials:?}").contains("canary"));
        assert_eq!(credentials.masked("a canary b"), "a *** b");
    }
}
