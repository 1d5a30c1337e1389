//! Where fetched jars lie, and who may touch them.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Error;
use super::error::failed;

/// `$TESTBED_CACHE`, else `$XDG_CACHE_HOME/agent-testbed`, else `~/.cache/agent-testbed`.
pub fn cache_directory() -> Result<PathBuf, Error> {
    choose(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)).ok_or(Error::NoCache)
}

fn choose(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // A relative path would mean another cache in every directory; the XDG specification ignores it too.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    variable("TESTBED_CACHE")
        .or_else(|| Some(absolute("XDG_CACHE_HOME")?.join("agent-testbed")))
        .or_else(|| Some(absolute("HOME")?.join(".cache/agent-testbed")))
}

/// Held while a bundle is fetched or checked. Waits for whoever has it, and says so.
pub(super) fn lock(cache: &Path, name: &str, title: &str) -> Result<File, Error> {
    fs::create_dir_all(cache).map_err(failed("could not create the cache", cache))?;
    let path = cache.join(format!("{name}.lock"));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed("could not open the lock", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another process that fetches or checks {title}");
            file.lock().map_err(failed("could not take the lock", &path))?;
        }
        Err(TryLockError::Error(error)) => return Err(failed("could not take the lock", &path)(error)),
    }
    Ok(file)
}

/// A new directory beside the final one, so that the rename stays within one file system. The lock is held: what
/// earlier processes left half-done belongs to nobody.
pub(super) fn incoming(cache: &Path, name: &str) -> Result<TempDir, Error> {
    let prefix = format!(".{name}-");
    for entry in fs::read_dir(cache).map_err(failed("could not list", cache))? {
        let entry = entry.map_err(failed("could not list", cache))?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path()).map_err(failed("could not remove", &entry.path()))?;
        }
    }
    tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(cache)
        .map_err(failed("could not write to the cache", cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: &[(&str, &str)]) -> Option<PathBuf> {
        choose(|name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| PathBuf::from(value))
        })
    }

    #[test]
    fn the_nearest_variable_wins() {
        let all = [("TESTBED_CACHE", "/t"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(chosen(&all), Some("/t".into()));
        assert_eq!(chosen(&all[1..]), Some("/x/agent-testbed".into()));
        assert_eq!(chosen(&all[2..]), Some("/h/.cache/agent-testbed".into()));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn a_relative_xdg_directory_is_ignored() {
        assert_eq!(
            chosen(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")]),
            Some("/h/.cache/agent-testbed".into())
        );
    }
}
