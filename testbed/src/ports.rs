//! Ports that stay ours from the first start of a server to its last.
//!
//! A server that was killed must come back on the same port, so the usual trick (bind port 0, let go, hope) is not
//! enough: meanwhile the kernel may give that port to any outgoing connection. So ports are taken in blocks of eight
//! from a range *below* the one the kernel uses for outgoing connections, and a block is claimed by a file lock that
//! all test processes of this user share. The lock is handed on to the server itself (see
//! [`crate::supervision`]), or taken by it once more: while either lives, nobody else gets the block. Locks of dead processes vanish by
//! themselves. What does not take part in this is found by binding the ports once.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Linux gives outgoing connections 32768 and above by default.
const FIRST: u16 = 18_000;
const BLOCKS: u16 = 1_750;
/// Ports in a block: a Kafka node with listeners of every kind and an exporter of metrics needs six.
const SIZE: u16 = 8;

/// Eight neighbouring ports on loopback, claimed until the last copy of the lock is closed.
#[derive(Debug)]
pub struct Block {
    first: u16,
    lock: File,
    path: PathBuf,
}

/// No ports could be claimed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory of the locks cannot be used.
    #[error("the registry of ports, {path}, cannot be used")]
    Registry {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everything is taken.
    #[error("all {BLOCKS} blocks of ports from {FIRST} on are taken (locks in {path})")]
    Exhausted {
        /// Where the locks are.
        path: PathBuf,
    },
}

impl Block {
    /// Claims a free block.
    pub fn claim() -> Result<Self, Error> {
        let user = rustix::process::getuid().as_raw();
        // Not below the cache: processes with different caches share the ports of one machine.
        Self::claim_in(&std::env::temp_dir().join(format!("agent-testbed-ports-{user}")))
    }

    fn claim_in(registry: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Registry {
            path: registry.to_owned(),
            source,
        };
        fs::create_dir_all(registry).map_err(failed)?;
        // Processes that start together begin at different places.
        let start = RandomState::new().build_hasher().finish();
        for step in 0..u64::from(BLOCKS) {
            let number = u16::try_from((start.wrapping_add(step)) % u64::from(BLOCKS)).unwrap_or_default();
            let first = FIRST + number * SIZE;
            let file = registry.join(first.to_string());
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&file)
                .map_err(failed)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            if !(first..first + SIZE).all(is_free) {
                continue;
            }
            // Claimed alone, held together with the block's servers. Linux lets go of the lock between the two: who
            // claims it in that moment has it.
            match flock(&lock, FlockOperation::NonBlockingLockShared) {
                Ok(()) => {
                    let path = file;
                    return Ok(Self { first, lock, path });
                }
                Err(Errno::WOULDBLOCK) => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(Error::Exhausted {
            path: registry.to_owned(),
        })
    }

    /// The address at this place of the block (0 to 7; higher ones wrap).
    pub fn address(&self, place: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.first + place % SIZE).into()
    }

    /// The file to take a shared lock on, for a process that shall hold the block too and is not started by us.
    pub fn lock_path(&self) -> &Path {
        &self.path
    }

    /// The lock once more, for a process that shall hold the block too.
    pub fn lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll;
    use std::convert::Infallible;
    use std::time::Duration;

    #[test]
    fn two_claims_never_share_a_port() {
        let registry = tempfile::tempdir().unwrap();
        let blocks: Vec<_> = (0..50).map(|_| Block::claim_in(registry.path()).unwrap()).collect();
        let mut firsts: Vec<_> = blocks.iter().map(|block| block.first).collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 50);
    }

    /// Processes that other tests start have a copy of every open file until they execute their own program.
    fn gets_free(lock: &File) -> bool {
        let free = poll::until(Duration::from_secs(10), |_| {
            Ok::<_, Infallible>(lock.try_lock().is_ok().then_some(()))
        });
        free == Ok(Some(()))
    }

    #[test]
    fn a_copy_of_the_lock_keeps_the_block_and_the_last_one_frees_it() {
        let registry = tempfile::tempdir().unwrap();
        let block = Block::claim_in(registry.path()).unwrap();
        let file = registry.path().join(block.first.to_string());
        let copy = block.lock().unwrap();
        drop(block);
        let other = File::open(&file).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(copy);
        assert!(gets_free(&other));
    }

    #[test]
    fn a_server_that_takes_the_lock_itself_keeps_the_block() {
        let registry = tempfile::tempdir().unwrap();
        let block = Block::claim_in(registry.path()).unwrap();
        let (server, other) = [(); 2].map(|()| File::open(block.lock_path()).unwrap()).into();
        server.try_lock_shared().unwrap();
        drop(block);
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(server);
        assert!(gets_free(&other));
    }

    #[test]
    fn a_port_in_use_by_somebody_else_is_seen() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(taken.local_addr().unwrap().port()));
    }
}
