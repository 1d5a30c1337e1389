//! The state directory: one agent at a time, and nobody else's eyes.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::OpenError;
use crate::spec::Timestamp;

/// The database's name in the state directory.
pub(super) const DATABASE: &str = "agent.db";

/// The lock's name, which is also where its holder says who it is.
const LOCK: &str = "lock";

/// How often a lock that is held is tried again, and how long to wait in between: 100 ms in all.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// A state directory that this process holds, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    _lock: File,
}

impl StateDirectory {
    /// Makes the directory where it is missing, closes it to others, and takes it for this process.
    ///
    /// **Errors**: [`OpenError::Held`] at once when another process has it, saying which.
    pub fn acquire(path: &Path, program: &str) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Directory {
            directory: path.to_owned(),
            cause,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(unusable)?;
        let mut lock = private(&path.join(LOCK), false).map_err(unusable)?;
        // `check` holds the lock for a moment while it looks: that is no reason to refuse a start.
        let mut tries = 0;
        while let Err(refused) = lock.try_lock() {
            match refused {
                TryLockError::WouldBlock if tries < TRIES => {
                    tries += 1;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                TryLockError::WouldBlock => return Err(held(path, &mut lock)),
                TryLockError::Error(cause) => return Err(unusable(cause)),
            }
        }
        let holder = format!(
            "{program}, process {}, since {}\n",
            std::process::id(),
            Timestamp::now()
        );
        write_over(&mut lock, holder.as_bytes()).map_err(unusable)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Holds it until the process ends: something of this process may still act on the node, and no other agent may begin.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// What was last seen of the node.
    pub fn last_seen(&self) -> PathBuf {
        self.path.join("last-seen.json")
    }

    /// The local token; the command line reads it there.
    pub fn token(&self) -> PathBuf {
        self.path.join("token")
    }

    /// Space that is kept back so that a running action's end can be recorded on a full disk.
    pub(super) fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }
}

fn held(path: &Path, lock: &mut File) -> OpenError {
    let mut holder = String::new();
    // A holder that cannot be read is a holder all the same.
    drop(lock.read_to_string(&mut holder));
    let holder = match holder.trim() {
        "" => "it did not say which",
        holder => holder,
    };
    OpenError::Held {
        directory: path.to_owned(),
        holder: holder.to_owned(),
    }
}

/// Whether an agent holds a state directory just now. Only who can enter the directory can hold it.
pub(crate) fn is_held(path: &Path) -> bool {
    File::open(path.join(LOCK)).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Whether a state directory is there and could be acquired, without acquiring it; false when it could be made.
pub(super) fn probe(path: &Path) -> Result<bool, OpenError> {
    let unusable = |cause| OpenError::Directory {
        directory: path.to_owned(),
        cause,
    };
    let writable = |path: &Path| {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
            .map_err(|error| unusable(error.into()))
    };
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => writable(path)?,
        Ok(_) => return Err(unusable(io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let nearest = path.ancestors().skip(1).find(|ancestor| ancestor.exists());
            writable(
                nearest
                    .filter(|path| !path.as_os_str().is_empty())
                    .unwrap_or(Path::new(".")),
            )?;
            return Ok(false);
        }
        Err(error) => return Err(unusable(error)),
    }
    match File::open(path.join(LOCK)) {
        Ok(mut lock) => match lock.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Err(held(path, &mut lock)),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(unusable(error)),
    }
}

/// Opens a file that only its owner can read, made when missing.
pub(crate) fn private(path: &Path, truncate: bool) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(truncate)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

fn write_over(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b");
        let held = StateDirectory::acquire(&path, "agent-one").unwrap();
        let OpenError::Held { holder, .. } = StateDirectory::acquire(&path, "agent-two").unwrap_err() else {
            panic!("it was not held");
        };
        assert!(
            holder.starts_with(&format!("agent-one, process {}, since ", std::process::id())),
            "{holder}"
        );
        drop(held);
        StateDirectory::acquire(&path, "agent-two").unwrap();
    }

    #[test]
    fn others_cannot_look_inside() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let held = StateDirectory::acquire(directory.path(), "agent").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(held.path()), 0o700);
        assert_eq!(mode(&held.path().join(LOCK)), 0o600);
    }
}
