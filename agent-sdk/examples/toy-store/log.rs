//! The log on disk: one JSON line per entry, in order, the offset of an entry being its line's number from 0.
//!
//! Guarantees: once `append`, `truncate` or `wipe` has returned, what it did survives a crash (`fsync`); a crash within
//! an append leaves a prefix of it, whose torn last line is dropped by the next `open`. A damaged line before the end is
//! no crash of ours, and refused: dropping what a majority may count on would be a lie.
//!
//! Changes of membership are entries too, so one mechanism copies, commits and undoes both. The configuration in force is
//! the last one in the log, committed or not; it is kept at hand here because every decision asks for it.
//!
//! Everything is in memory as well: this is a toy, and its logs are short.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::membership::Config;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) epoch: u64,
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    Data(String),
    /// The membership from here on.
    Config(Config),
    /// The first entry of an epoch, by its primary: with it, everything before becomes committed too.
    Lead(String),
}

#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    entries: Vec<Entry>,
    /// `ends[i]` is the position in the file after entry `i`.
    ends: Vec<u64>,
    config: Option<(u64, Config)>,
}

impl Log {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut log = Self {
            file,
            entries: Vec::new(),
            ends: Vec::new(),
            config: None,
        };
        let mut end = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let is_last = end + line.len() == text.len();
            match serde_json::from_slice(line) {
                Ok(entry) if line.ends_with(b"\n") => {
                    end += line.len();
                    log.remember(entry, end as u64);
                }
                _ if is_last => break,
                _ => {
                    let message = format!("line {} of {} is damaged", log.entries.len() + 1, path.display());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                }
            }
        }
        if end < text.len() {
            log.cut(log.length())?;
        }
        Ok(log)
    }

    pub(crate) fn length(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The epoch of the entry before `offset`; 0 at the start, and beyond the end.
    pub(crate) fn epoch_before(&self, offset: u64) -> u64 {
        let before = offset.checked_sub(1).and_then(|last| self.entries.get(index(last)));
        before.map_or(0, |entry| entry.epoch)
    }

    /// The configuration in force and the offset of its entry.
    pub(crate) fn config(&self) -> Option<(u64, &Config)> {
        self.config.as_ref().map(|(offset, config)| (*offset, config))
    }

    pub(crate) fn epochs(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.epoch)
    }

    /// Entries in `from..to`, as many as fit `bytes` as they are stored, but at least one if there is one.
    pub(crate) fn slice(&self, from: u64, to: u64, bytes: usize) -> &[Entry] {
        let (from, to) = (index(from), index(to).min(self.entries.len()));
        if from >= to {
            return &[];
        }
        let start = from.checked_sub(1).map_or(0, |last| self.ends[last]);
        let fitting = self.ends[from..to].partition_point(|end| end - start <= bytes as u64);
        &self.entries[from..from + fitting.max(1)]
    }

    pub(crate) fn append(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let mut text = Vec::new();
        let start = self.ends.last().copied().unwrap_or(0);
        let mut ends = Vec::with_capacity(entries.len());
        for entry in &entries {
            serde_json::to_writer(&mut text, entry)?;
            text.push(b'\n');
            ends.push(start + text.len() as u64);
        }
        self.file.seek(SeekFrom::Start(start))?;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        for (entry, end) in entries.into_iter().zip(ends) {
            self.remember(entry, end);
        }
        Ok(())
    }

    /// Drops everything from `length` on: entries that no majority held, which is the specification's lost write.
    pub(crate) fn truncate(&mut self, length: u64) -> io::Result<()> {
        if length >= self.length() {
            return Ok(());
        }
        self.cut(length)?;
        self.entries.truncate(index(length));
        self.ends.truncate(index(length));
        let configs = (0..)
            .zip(&self.entries)
            .filter_map(|(offset, entry)| match &entry.body {
                Body::Config(config) => Some((offset, config)),
                Body::Data(_) | Body::Lead(_) => None,
            });
        self.config = configs.last().map(|(offset, config)| (offset, config.clone()));
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let end = length.checked_sub(1).map_or(0, |last| self.ends[index(last)]);
        self.file.set_len(end)?;
        self.file.sync_all()
    }

    fn remember(&mut self, entry: Entry, end: u64) {
        if let Body::Config(config) = &entry.body {
            self.config = Some((self.length(), config.clone()));
        }
        self.entries.push(entry);
        self.ends.push(end);
    }
}

/// Offsets travel as `u64`; one that this machine cannot count to is simply beyond the end.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(epoch: u64, text: &str) -> Entry {
        Entry {
            epoch,
            body: Body::Data(text.to_owned()),
        }
    }

    fn config(version: u64) -> Entry {
        Entry {
            epoch: 1,
            body: Body::Config(Config {
                version,
                members: Vec::new(),
            }),
        }
    }

    #[test]
    fn a_log_cut_anywhere_opens_with_the_whole_entries_before_the_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        Log::open(&path)
            .unwrap()
            .append(vec![config(1), data(1, "a"), data(2, "b\n")])
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut log = Log::open(&path).unwrap();
            let lines = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(log.length(), lines as u64, "cut at {cut}");
            log.append(vec![data(3, "after")]).unwrap();
            assert_eq!(Log::open(&path).unwrap().entries.last(), Some(&data(3, "after")));
        }
    }

    #[test]
    fn damage_before_the_end_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "{\"epoch\":1,\"bo\n{\"epoch\":1,\"body\":{\"data\":\"a\"}}\n").unwrap();
        assert_eq!(Log::open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn truncation_survives_and_undoes_a_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path).unwrap();
        log.append(vec![config(1), data(1, "a"), config(2)]).unwrap();
        assert_eq!(log.config().unwrap().1.version, 2);
        log.truncate(2).unwrap();
        log.truncate(9).unwrap();
        for log in [&log, &Log::open(&path).unwrap()] {
            assert_eq!((log.length(), log.config().unwrap().1.version), (2, 1));
        }
    }

    #[test]
    fn a_slice_keeps_to_its_bytes_but_never_starves() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(&dir.path().join("log")).unwrap();
        log.append(vec![data(1, "a"), data(1, "b"), data(1, "c")]).unwrap();
        let one = usize::try_from(log.ends[0]).unwrap();
        assert_eq!(log.slice(0, 3, 2 * one).len(), 2);
        assert_eq!(log.slice(1, 3, 1).len(), 1);
        assert!(log.slice(3, 9, one).is_empty() && log.slice(2, 2, one).is_empty());
    }
}
