//! Whom a request is meant for.
//!
//! A page in somebody's browser can have its own name resolve to this agent's address and then ask it anything (DNS
//! rebinding); the browser still says that name in `Host`. So only names that the agent is known by are answered: the
//! address it is bound to, `localhost` and loopback addresses, and the names in `api.hosts`. Bound to all addresses it
//! also answers to any address: no page is *named* by a literal address that is not its own. Ports are not compared.

use std::net::IpAddr;

use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};

use super::problem::{Code, Problem};

/// The names that the agent answers to.
pub(super) struct Hosts {
    bound: IpAddr,
    names: Vec<String>,
}

impl Hosts {
    /// `names` may carry ports, which are left out.
    pub(super) fn new(bound: IpAddr, names: &[String]) -> Self {
        let name = |name: &String| without_port(name).unwrap_or(name).to_ascii_lowercase();
        Self {
            bound: bound.to_canonical(),
            names: names.iter().map(name).collect(),
        }
    }

    /// Lets a request pass that is meant for this agent.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST);
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Problem::new(
                Code::BadHost,
                "a request names one host in its Host header",
            ));
        };
        let host = std::str::from_utf8(host.as_bytes())
            .ok()
            .and_then(without_port)
            .ok_or_else(|| Problem::new(Code::BadHost, "the Host header is no host"))?;
        // A target in absolute form says it again.
        let target = uri
            .authority()
            .map(|authority| without_port(authority.as_str()).unwrap_or_default());
        if self.known(host) && target.is_none_or(|target| self.known(target)) {
            Ok(())
        } else {
            Err(Problem::new(
                Code::WrongHost,
                "this agent does not serve that host; see api.hosts in its configuration",
            ))
        }
    }

    fn known(&self, host: &str) -> bool {
        let literal = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        match literal.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) => {
                address.is_loopback()
                    || address == self.bound
                    || self.bound.is_unspecified()
                    || self.names.iter().any(|name| name == host)
            }
            Err(_) => {
                host.eq_ignore_ascii_case("localhost") || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
            }
        }
    }
}

/// A host without its port, in brackets where it has them; `None` for what is no host.
fn without_port(host: &str) -> Option<&str> {
    let end = match host.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => host.find(':').unwrap_or(host.len()),
    };
    let (name, port) = host.split_at(end);
    let digits = port.strip_prefix(':').unwrap_or(port);
    let lawful = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
    (digits.chars().all(|c| c.is_ascii_digit()) && name.chars().all(lawful)).then_some(name)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn status(hosts: &Hosts, host: &str) -> u16 {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        let checked = hosts.check(&Uri::from_static("/"), &headers);
        checked.map_or_else(|problem| problem.code().status().as_u16(), |()| 200)
    }

    #[test]
    fn known_names_pass_and_others_do_not() {
        let hosts = Hosts::new("192.0.2.7".parse().unwrap(), &["Agent.example.org:8000".to_owned()]);
        for known in [
            "localhost",
            "LocalHost:1",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]",
            "[::1]:8000",
            "192.0.2.7",
            "192.0.2.7:8000",
            "agent.example.org",
            "AGENT.example.org:99",
        ] {
            assert_eq!(status(&hosts, known), 200, "{known}");
        }
        for other in [
            "evil.example.org",
            "192.0.2.8",
            "[::2]",
            "localhost.evil.org",
            "127.0.0.1.evil.org",
            "example.org",
            "",
        ] {
            assert_eq!(status(&hosts, other), 421, "{other}");
        }
        for bad in [
            "a b",
            "localhost:80:80",
            "user@localhost",
            "[::1",
            "localhost:http",
            "[::1]x",
        ] {
            assert_eq!(status(&hosts, bad), 400, "{bad}");
        }
    }

    #[test]
    fn bound_to_all_addresses_it_answers_to_any_address_but_not_to_any_name() {
        for all in ["0.0.0.0", "::"] {
            let hosts = Hosts::new(all.parse().unwrap(), &[]);
            assert_eq!(status(&hosts, "192.0.2.8:1"), 200);
            assert_eq!(status(&hosts, "[2001:db8::1]"), 200);
            assert_eq!(status(&hosts, "evil.example.org"), 421);
        }
    }

    #[test]
    fn the_target_counts_as_much_as_the_header() {
        let hosts = Hosts::new("127.0.0.1".parse().unwrap(), &[]);
        let mut headers = HeaderMap::new();
        assert_eq!(
            hosts.check(&Uri::from_static("/"), &headers).unwrap_err().code(),
            Code::BadHost
        );
        headers.append(header::HOST, HeaderValue::from_static("localhost"));
        assert!(hosts.check(&Uri::from_static("http://127.0.0.1:1/"), &headers).is_ok());
        let evil = hosts.check(&Uri::from_static("http://evil.example.org/"), &headers);
        assert_eq!(evil.unwrap_err().code(), Code::WrongHost);
        headers.append(header::HOST, HeaderValue::from_static("localhost"));
        assert_eq!(
            hosts.check(&Uri::from_static("/"), &headers).unwrap_err().code(),
            Code::BadHost
        );
    }
}
