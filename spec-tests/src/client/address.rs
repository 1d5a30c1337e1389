//! Where an agent is.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An agent's address: `http[s]://HOST[:PORT][/PREFIX]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    secure: bool,
    host: String,
    port: u16,
    /// What stands before `/api`, without a slash at its end.
    prefix: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no agent's address: {reason}; one looks like http://127.0.0.1:8000")]
pub struct AddressError {
    text: String,
    reason: &'static str,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fault = |reason| AddressError {
            // Whoever is named before the host may be named with a password.
            text: text
                .rsplit_once('@')
                .map_or_else(|| text.to_owned(), |(_, host)| format!("***@{host}")),
            reason,
        };
        let (secure, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(fault("it does not begin with http:// or https://")),
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if prefix.contains(['?', '#']) || authority.contains('@') {
            return Err(fault("it has more than a host, a port and a path"));
        }
        if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(fault("its path has more than visible ASCII characters"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(literal) => {
                let (host, port) = literal
                    .split_once(']')
                    .ok_or_else(|| fault("a bracket is not closed"))?;
                match port.strip_prefix(':') {
                    None if !port.is_empty() => return Err(fault("something stands between its host and its port")),
                    port => (host, port),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            None if secure => 443,
            None => 80,
            Some(port) => port.parse().map_err(|_| fault("its port is no number up to 65535"))?,
        };
        if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(fault("it has no host"));
        }
        Ok(Self {
            secure,
            host: host.to_owned(),
            port,
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }
}

impl Address {
    /// Whether it is reached by TLS.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as a request's `Host` has them: without the port that its scheme has anyway.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// A path of the agent's as a request names it.
    pub(super) fn target(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_faults_named() {
        for (text, shown) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://agent.example.org:80", "http://agent.example.org"),
            ("https://agent.example.org/", "https://agent.example.org"),
            ("https://agent.example.org:80", "https://agent.example.org:80"),
            ("http://[::1]", "http://[::1]"),
            ("http://[::1]:7/at/node-1/", "http://[::1]:7/at/node-1"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for (text, reason) in [
            ("127.0.0.1:8000", "begin"),
            ("http://", "no host"),
            ("http://a:b", "port"),
            ("http://me:secret@a", "more than"),
            ("http://[::1", "bracket"),
            ("http://[::1]8000", "between"),
            ("http://a/b c", "path"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("secret"), "{error}");
        }
    }
}
