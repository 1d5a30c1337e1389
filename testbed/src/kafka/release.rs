//! Which Kafka: two pinned releases, one of each line that agents support.

use std::path::PathBuf;

use crate::download::{self, Bundle, Maven, Source};

/// A release that can be run here.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Release {
    /// The last line that knows ZooKeeper, run in `KRaft` mode.
    V3_9_2,
    /// The current line. Needs Java 17.
    #[default]
    V4_3_0,
}

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V3_9_2, Self::V4_3_0];

    /// As `kafka.Kafka --version` begins.
    pub fn version(self) -> &'static str {
        match self {
            Self::V3_9_2 => "3.9.2",
            Self::V4_3_0 => "4.3.0",
        }
    }

    /// The directory with its jars, fetched if need be; checked once per process.
    pub fn fetch(self) -> Result<PathBuf, download::Error> {
        self.bundle().fetch_once()
    }

    fn bundle(self) -> Bundle {
        let pom = include_str!("pom.xml");
        match self {
            Self::V3_9_2 => Bundle {
                name: "kafka-3.9.2",
                title: "Kafka 3.9.2",
                source: Source::Maven(Maven {
                    coordinates: "org.apache.kafka:kafka_2.13:3.9.2",
                    pom,
                    properties: &["kafka.version=3.9.2"],
                }),
                pins: include_str!("3.9.2.sha256"),
            },
            Self::V4_3_0 => Bundle {
                name: "kafka-4.3.0",
                title: "Kafka 4.3.0",
                source: Source::Maven(Maven {
                    coordinates: "org.apache.kafka:kafka_2.13:4.3.0",
                    pom,
                    properties: &["kafka.version=4.3.0"],
                }),
                pins: include_str!("4.3.0.sha256"),
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
            .ok_or_else(|| format!("known are {}", Self::ALL.map(Self::version).join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_as_it_is_written() {
        for release in Release::ALL {
            assert_eq!(release.to_string().parse(), Ok(release));
        }
        assert_eq!("4.3.1".parse::<Release>(), Err("known are 3.9.2 and 4.3.0".to_owned()));
    }

    #[test]
    fn every_release_pins_its_own_server_and_tools() {
        for release in Release::ALL {
            for jar in ["kafka_2.13", "kafka-tools"] {
                let line = format!("  {jar}-{release}.jar\n");
                assert!(release.bundle().pins.contains(&line), "{line}");
            }
        }
    }
}
