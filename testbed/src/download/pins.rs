//! Compares a directory with its pins: every pinned file, with its sum, and no other.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// How a directory differs from its pins.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// A pinned file is not there.
    #[error("{file} is missing")]
    Missing {
        /// Its name.
        file: String,
    },
    /// A file that nobody pinned.
    #[error("{file} is not among the pinned files")]
    NotPinned {
        /// Its name.
        file: String,
    },
    /// A file with other contents.
    #[error("{file} has the SHA-256 sum {found}, pinned is {pinned}")]
    Differs {
        /// Its name.
        file: String,
        /// The sum in the repository.
        pinned: String,
        /// The sum of what is there.
        found: String,
    },
    /// It could not be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// Its name, or the directory's.
        file: String,
        /// Why.
        source: io::Error,
    },
}

/// Checks all files of `directory` against `pins` (`SUM  NAME` per line).
pub(super) fn verify(directory: &Path, pins: &str) -> Result<(), Mismatch> {
    let unreadable = |file: &str| {
        let file = file.to_owned();
        move |source| Mismatch::Unreadable { file, source }
    };
    let mut pinned: BTreeMap<&str, &str> = pins
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(flip)
        .collect();
    let listing = fs::read_dir(directory).map_err(unreadable(&directory.display().to_string()))?;
    for entry in listing {
        let entry = entry.map_err(unreadable(&directory.display().to_string()))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(pin) = pinned.remove(file.as_str()) else {
            return Err(Mismatch::NotPinned { file });
        };
        let found = File::open(entry.path()).and_then(sum).map_err(unreadable(&file))?;
        if found != pin {
            return Err(Mismatch::Differs {
                file,
                pinned: pin.to_owned(),
                found,
            });
        }
    }
    match pinned.into_keys().next() {
        Some(file) => Err(Mismatch::Missing { file: file.to_owned() }),
        None => Ok(()),
    }
}

fn flip<'a>((sum, file): (&'a str, &'a str)) -> (&'a str, &'a str) {
    (file, sum)
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sum(mut from: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            let digest = hasher.finalize();
            return Ok(digest
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}")));
        }
        hasher.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_that_sha256sum_writes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sum(&b""[..]).unwrap(), empty);
    }

    #[test]
    fn a_missing_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        let error = verify(place.path(), "00  a.jar\n").unwrap_err();
        assert_eq!(error.to_string(), "a.jar is missing");
    }
}
