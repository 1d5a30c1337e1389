//! The end of a log, which says why.

use std::fs;
use std::path::Path;

/// The last lines of a log; nothing where there is none.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let log = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_no_longer_than_the_log() {
        let log = tempfile::NamedTempFile::new().unwrap();
        fs::write(&log, "a\nb\nc\n").unwrap();
        assert_eq!(tail(log.path(), 2), "b\nc");
        assert_eq!(tail(log.path(), 9), "a\nb\nc");
        assert_eq!(tail(&log.path().with_extension("none"), 9), "");
    }
}
