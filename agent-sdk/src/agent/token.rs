//! The local token: who can read the state directory may act.

use std::io::{self, Read, Write};

use uuid::Uuid;

use crate::ledger::{StateDirectory, private};

/// Fewer characters than this are no token, but what a crash left of one.
const SHORTEST: usize = 32;

/// The token in the state directory, made at the first start.
pub(super) fn local(directory: &StateDirectory) -> io::Result<String> {
    let mut file = private(&directory.token(), false)?;
    let mut token = String::new();
    file.read_to_string(&mut token)?;
    let token = token.trim();
    if token.len() >= SHORTEST {
        return Ok(token.to_owned());
    }
    // Two random UUIDs have 244 random bits.
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let mut file = private(&directory.token(), true)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_token_is_made_once_and_is_its_owners_only() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::acquire(place.path(), "test").unwrap();
        let token = local(&directory).unwrap();
        assert_eq!((token.len(), local(&directory).unwrap()), (64, token.clone()));
        let mode = std::fs::metadata(directory.token()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(directory.token(), &token[..10]).unwrap();
        assert_ne!(local(&directory).unwrap(), token, "half a token is none");
    }
}
