//! A file that only takes up space, so that there is some when the disk is full.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::directory::private;

/// Enough for the pages of a few steps and their write-ahead log.
const SIZE: usize = 256 * 1024;

/// The space that is kept back.
pub(super) struct Reserve {
    file: PathBuf,
    held: bool,
}

impl Reserve {
    /// Takes the space, where there is enough of it.
    pub(super) fn hold(file: PathBuf) -> Self {
        let mut reserve = Self { file, held: false };
        reserve.refill();
        reserve
    }

    /// Gives the space up. Returns whether there was any.
    pub(super) fn release(&mut self) -> bool {
        let released = self.held && std::fs::remove_file(&self.file).is_ok();
        self.held = false;
        released
    }

    /// Takes the space again after it was given up. Returns whether it is held.
    pub(super) fn refill(&mut self) -> bool {
        if !self.held {
            self.held = self.write().is_ok();
            if !self.held {
                // A part of it would help nobody.
                drop(std::fs::remove_file(&self.file));
            }
        }
        self.held
    }

    fn write(&self) -> io::Result<()> {
        let mut file: File = private(&self.file, true)?;
        // Not a sparse file: each block has to be there.
        file.write_all(&vec![0x2e; SIZE])?;
        file.sync_all()
    }
}
