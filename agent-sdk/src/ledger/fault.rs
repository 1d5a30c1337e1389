//! What a failed write means for the ledger.

use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Three kinds of fault, by what may still be done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The disk is full. Nothing was changed; later writes may succeed.
    Full,
    /// What was written may not be on the disk, or the file is not what it was. Nothing may be trusted any more: a
    /// failed sync must never be tried again, since the system may have dropped the pages and will say that all is well.
    Lost(String),
    /// This one was refused; the others are not touched.
    Refused(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // A quota, or no room for the shared memory of the log: nothing was committed, and space may return.
            Some(ErrorCode::SystemIoFailure) if is_space(code) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Lost(error.to_string()),
            Some(ErrorCode::SystemIoFailure) if is_sync(code) => {
                Self::Lost(format!("a write could not be synced to the disk: {error}"))
            }
            _ => Self::Refused(error.to_string()),
        }
    }
}

fn is_space(extended_code: i32) -> bool {
    matches!(extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE)
}

fn is_sync(extended_code: i32) -> bool {
    matches!(
        extended_code,
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC | ffi::SQLITE_IOERR_TRUNCATE | ffi::SQLITE_IOERR_CLOSE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(extended: i32) -> Fault {
        rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None).into()
    }

    #[test]
    fn a_failed_sync_ends_the_ledger_and_a_full_disk_does_not() {
        assert!(matches!(fault(ffi::SQLITE_IOERR_FSYNC), Fault::Lost(_)));
        assert!(matches!(fault(ffi::SQLITE_CORRUPT), Fault::Lost(_)));
        assert!(matches!(fault(ffi::SQLITE_FULL), Fault::Full));
        assert!(matches!(fault(ffi::SQLITE_IOERR_WRITE), Fault::Full), "over a quota");
        assert!(matches!(fault(ffi::SQLITE_IOERR_READ), Fault::Refused(_)));
    }
}
