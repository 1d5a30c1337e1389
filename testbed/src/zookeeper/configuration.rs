//! The text of a server's files. Pure: who is in the ensemble comes in, text comes out.

use std::fmt::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use crate::ports::Block;

/// What a whole cluster has in common.
#[derive(Clone, Debug)]
pub(super) struct Switches {
    pub(super) reconfig_enabled: bool,
    pub(super) skip_acl: bool,
    pub(super) super_password: Option<String>,
    pub(super) whitelist: Option<String>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            reconfig_enabled: true,
            skip_acl: false,
            super_password: None,
            whitelist: None,
        }
    }
}

/// The places of the ports in a server's block.
pub(super) mod place {
    pub(in crate::zookeeper) const CLIENT: u16 = 0;
    pub(in crate::zookeeper) const QUORUM: u16 = 1;
    pub(in crate::zookeeper) const ELECTION: u16 = 2;
    pub(in crate::zookeeper) const ADMIN: u16 = 3;
}

/// `server.N=127.0.0.1:Q:E:role;127.0.0.1:C`
pub(super) fn server_line(id: u32, ports: &Block, role: &str) -> String {
    let (quorum, election) = (ports.address(place::QUORUM), ports.address(place::ELECTION).port());
    format!(
        "server.{id}={quorum}:{election}:{role};{}",
        ports.address(place::CLIENT)
    )
}

/// How a server starts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Start {
    /// Without quorum code at all.
    Standalone,
    /// With these server lines in its dynamic file.
    Member(Vec<String>),
}

/// `zoo.cfg`. `more` comes last and so wins over the lines above it.
pub(super) fn zoo_cfg(switches: &Switches, start: &Start, ports: &Block, directory: &Path, more: &str) -> String {
    let mut text = format!(
        "dataDir={}\ntickTime=500\ninitLimit=10\nsyncLimit=5\nadmin.enableServer=false\n",
        directory.join("data").display()
    );
    // Writing into a String cannot fail.
    let _ = match start {
        Start::Standalone => {
            let client = ports.address(place::CLIENT);
            writeln!(text, "clientPort={}\nclientPortAddress={}", client.port(), client.ip())
        }
        Start::Member(_) => {
            let dynamic = directory.join(DYNAMIC);
            let reconfig = switches.reconfig_enabled;
            writeln!(
                text,
                "standaloneEnabled=false\nreconfigEnabled={reconfig}\ndynamicConfigFile={}",
                dynamic.display()
            )
        }
    };
    if let Some(words) = &switches.whitelist {
        let _ = writeln!(text, "4lw.commands.whitelist={words}");
    }
    text.push_str(more);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The name of the dynamic file a server starts with; later ones get a version behind it.
pub(super) const DYNAMIC: &str = "zoo.cfg.dynamic";

/// `-D…` for the Java command line.
pub(super) fn properties(switches: &Switches) -> Vec<String> {
    let mut all = vec![
        // Logs are compared with each other and with the tests': give them a time.
        "-Dorg.slf4j.simpleLogger.showDateTime=true".to_owned(),
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS".to_owned(),
    ];
    if switches.skip_acl {
        all.push("-Dzookeeper.skipACL=yes".to_owned());
    }
    if let Some(password) = &switches.super_password {
        let digest = super_digest(password);
        all.push(format!("-Dzookeeper.DigestAuthenticationProvider.superDigest={digest}"));
    }
    all
}

fn super_digest(password: &str) -> String {
    let sum = Sha1::digest(format!("super:{password}"));
    format!("super:{}", BASE64.encode(sum))
}

/// The first lines of the members, and the server itself as observer: how a joiner starts. Two joiners must never
/// list each other.
pub(super) fn joiner(members: &[String], own: String) -> Start {
    Start::Member(members.iter().cloned().chain([own]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_one_zookeeper_computes() {
        // From `DigestAuthenticationProvider super:secret`.
        assert_eq!(super_digest("secret"), "super:lK75jTNcA+U9vtVEw5vB51mj/w4=");
    }

    #[test]
    fn what_is_appended_wins() {
        let registry = Block::claim().unwrap();
        let text = zoo_cfg(
            &Switches::default(),
            &Start::Member(vec![]),
            &registry,
            Path::new("/d"),
            "admin.enableServer=true",
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.last(), Some(&"admin.enableServer=true"));
        for line in [
            "dataDir=/d/data",
            "reconfigEnabled=true",
            "dynamicConfigFile=/d/zoo.cfg.dynamic",
        ] {
            assert!(lines.contains(&line), "{text}");
        }
    }

    #[test]
    fn a_standalone_server_has_a_client_port_and_no_members() {
        let ports = Block::claim().unwrap();
        let text = zoo_cfg(&Switches::default(), &Start::Standalone, &ports, Path::new("/d"), "");
        assert!(text.contains("clientPortAddress=127.0.0.1\n"), "{text}");
        assert!(
            !text.contains("standaloneEnabled") && !text.contains("dynamicConfigFile"),
            "{text}"
        );
    }
}
