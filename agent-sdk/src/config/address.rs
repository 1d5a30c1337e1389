//! Host and port, as a store's configuration names them.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where something listens, written as host:port, an IPv6 literal in brackets. Hosts are compared without regard to case,
/// literals by what they mean, and never resolved: what is meant is the entry, not where a name leads today.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0:?} is no address: a host, a colon and a port from 1 to 65535")]
pub struct AddressError(String);

impl Address {
    /// An address from its parts.
    pub fn new(host: &str, port: u16) -> Self {
        let host = match host.parse::<Ipv6Addr>() {
            Ok(literal) => literal.to_string(),
            Err(_) => host.to_ascii_lowercase(),
        };
        Self { host, port }
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it means every address of its host.
    pub fn is_wildcard(&self) -> bool {
        matches!(self.host.as_str(), "0.0.0.0" | "::")
    }
}

/// A text.
impl JsonSchema for Address {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AddressError(text.chars().take(200).collect());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let stray =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '/' | ',' | ';' | '=' | '|');
        if host.is_empty() || host.contains(stray) || (bare.is_none() && host.contains(':')) {
            return Err(wrong());
        }
        Ok(Self::new(host, port))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
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
        for (text, same) in [
            ("H:1", "h:1"),
            ("[::1]:2", "[::1]:2"),
            ("[0:0:0:0:0:0:0:1]:2", "[::1]:2"),
            ("[2001:DB8:0:0::a]:2", "[2001:db8::a]:2"),
            (" 10.0.0.1:65535 ", "10.0.0.1:65535"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), same);
        }
        assert!("[0:0:0:0:0:0:0:0]:1".parse::<Address>().unwrap().is_wildcard());
        for text in [
            "", "h", "h:", ":1", "h:0", "h:65536", "h:x", "::1:2", "a b:1", "h/p:1", "a,b:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}
