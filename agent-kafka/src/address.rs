//! Host and port.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Where a listener of Kafka's is reached. Compared as it is written: which node an address belongs to is asked of the
/// node, never concluded from a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0:?} is no address: a host, a colon and a port from 1 to 65535")]
pub struct AddressError(String);

impl Address {
    /// An address from its parts; an IPv6 literal without brackets.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AddressError(text.chars().take(200).collect());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let stray = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '/' | ',');
        let is_literal = bare.is_some();
        let host = bare.unwrap_or(host);
        if host.is_empty() || host.contains(stray) || (!is_literal && host.contains(':')) {
            return Err(wrong());
        }
        Ok(Self::new(host, port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for text in ["h:1", "[::1]:2", "10.0.0.1:65535", "kafka-1.example:9092"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "h",
            "h:",
            ":1",
            "h:0",
            "h:65536",
            "h:x",
            "::1:2",
            "a b:1",
            "PLAINTEXT://h:1",
            "a,b:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
