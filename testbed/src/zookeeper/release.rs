//! Which ZooKeeper: two pinned releases, the newest of each line that resolves.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::download::{self, Bundle, Maven, Source};

/// A release that can be run here.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Release {
    /// The older line.
    V3_8_6,
    /// The current line.
    #[default]
    V3_9_5,
}

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V3_8_6, Self::V3_9_5];

    /// As `srvr` says it.
    pub fn version(self) -> &'static str {
        match self {
            Self::V3_8_6 => "3.8.6",
            Self::V3_9_5 => "3.9.5",
        }
    }

    /// The directory with its jars, fetched if need be; checked once per process.
    pub fn fetch(self) -> Result<PathBuf, download::Error> {
        self.bundle().fetch_once()
    }

    fn bundle(self) -> Bundle {
        let pom = include_str!("pom.xml");
        match self {
            Self::V3_8_6 => Bundle {
                name: "zookeeper-3.8.6",
                title: "ZooKeeper 3.8.6",
                source: Source::Maven(Maven {
                    coordinates: "org.apache.zookeeper:zookeeper:3.8.6",
                    pom,
                    properties: &["zookeeper.version=3.8.6"],
                }),
                pins: include_str!("3.8.6.sha256"),
            },
            Self::V3_9_5 => Bundle {
                name: "zookeeper-3.9.5",
                title: "ZooKeeper 3.9.5",
                source: Source::Maven(Maven {
                    coordinates: "org.apache.zookeeper:zookeeper:3.9.5",
                    pom,
                    properties: &["zookeeper.version=3.9.5"],
                }),
                pins: include_str!("3.9.5.sha256"),
            },
        }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.version())
    }
}

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|release| release.version() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::version).join(" and ");
                format!("known are {known}")
            })
    }
}

/// `JARS/*`, which Java expands itself.
pub(super) fn class_path(jars: &std::path::Path) -> OsString {
    jars.join("*").into_os_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_as_it_is_written() {
        for release in Release::ALL {
            assert_eq!(release.to_string().parse(), Ok(release));
        }
        assert_eq!("3.9.6".parse::<Release>(), Err("known are 3.8.6 and 3.9.5".to_owned()));
    }

    #[test]
    fn every_release_pins_its_own_server() {
        for release in Release::ALL {
            let jar = format!("  zookeeper-{release}.jar\n");
            assert!(release.bundle().pins.contains(&jar), "{release}");
        }
    }
}
