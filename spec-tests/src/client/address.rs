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
            text: text.to_owned(),
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
        let (host, port) = match authority.strip_prefix('[') {
            Some(literal) => {
                let (host, port) = literal
                    .split_once(']')
                    .ok_or_else(|| fault("a bracket is not closed"))?;
                (host, port.strip_prefix(':'))
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
        if host.is_empty() || host.contains(char::is_whitespace) {
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

    /// Host and port, as a request's `Host` has them.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
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
            ("http://agent.example.org", "http://agent.example.org:80"),
            ("https://agent.example.org", "https://agent.example.org:443"),
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
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
