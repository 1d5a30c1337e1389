//! The log directories as they lie on the disk: whether they are formatted, for which node and which cluster.
//!
//! Known without the process, and before its first start: `meta.properties` in each directory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

/// The file in each log directory that says whose it is.
const FILE: &str = "meta.properties";
/// The directory of the metadata log.
const LOG: &str = "__cluster_metadata-0";

/// What the log directories say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// The agent is not told where they are.
    Unknown,
    /// They are formatted.
    Formatted(Format),
    /// None of them is formatted.
    Blank(PathBuf),
    /// Some of them are formatted, for this cluster: formatting was cut off.
    Partial(Option<String>),
    /// They cannot be read, or contradict each other; in words for the operator.
    Unclear(String),
}

/// What a formatted directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// node.id, where the file has it.
    pub node_id: Option<i32>,
    /// cluster.id, where the file has it.
    pub cluster_id: Option<String>,
    /// directory.id of the first directory, which is that of the metadata log.
    pub directory_id: Option<Uuid>,
    /// Whether the first directory holds a metadata log: formatting makes one for the first node of a cluster, and none for
    /// one that is to join.
    pub has_log: bool,
}

/// For a healthy disk to answer.
const SOON: Duration = Duration::from_millis(200);

/// Reads log directories, whose disk may hang: then what was read last holds, and nothing waits for it but one thread.
#[derive(Debug, Default)]
pub struct Disk(tokio::sync::Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    under_way: Option<JoinHandle<Storage>>,
    last: Option<Storage>,
}

impl Disk {
    /// What the directories say, now or when they could be read last.
    pub async fn read(&self, directories: &[PathBuf]) -> Storage {
        let reading = &mut *self.0.lock().await;
        // It stays in its place while it is waited for: who is dropped meanwhile leaves it to the next.
        let under_way = reading.under_way.get_or_insert_with(|| {
            let directories = directories.to_vec();
            tokio::task::spawn_blocking(move || Storage::read(&directories))
        });
        if let Ok(read) = timeout(SOON, under_way).await {
            reading.under_way = None;
            match read {
                Ok(storage) => reading.last = Some(storage),
                Err(error) => tracing::warn!(%error, "the log directories could not be read"),
            }
        }
        let unread = || Storage::Unclear("the log directories cannot be read in time".to_owned());
        reading.last.clone().unwrap_or_else(unread)
    }
}

/// An id of Kafka's is a UUID in 22 letters.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0:?} is no id of Kafka's: 22 letters and digits, - and _ included, of which the first is no -")]
pub struct NoId(String);

/// Writes an id as Kafka does.
pub fn write_id(id: Uuid) -> String {
    BASE64.encode(id)
}

/// Reads an id as Kafka writes it.
pub fn read_id(text: &str) -> Result<Uuid, NoId> {
    let bytes = BASE64.decode(text).ok().filter(|_| !text.starts_with('-'));
    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.ok_or_else(|| NoId(text.chars().take(60).collect()))
}

/// Makes an id as Kafka does: its tools take one that begins with - for an option, and the first two are reserved.
pub fn new_id() -> String {
    loop {
        let id = write_id(Uuid::new_v4());
        if !id.starts_with('-') {
            return id;
        }
    }
}

impl Storage {
    /// Reads the directories, the first of which holds the metadata log.
    pub fn read(directories: &[PathBuf]) -> Self {
        let mut found: Option<(PathBuf, Format)> = None;
        let mut blank: Option<&PathBuf> = None;
        for directory in directories {
            let format = match read(directory) {
                Ok(Some(format)) => format,
                Ok(None) => {
                    blank = blank.or(Some(directory));
                    continue;
                }
                Err(error) => {
                    let file = directory.join(FILE);
                    return Self::Unclear(format!("{} cannot be read: {error}", file.display()));
                }
            };
            match &found {
                None => found = Some((directory.clone(), format)),
                Some((first, known)) if (known.node_id, &known.cluster_id) != (format.node_id, &format.cluster_id) => {
                    let (first, second) = (first.display(), directory.display());
                    return Self::Unclear(format!(
                        "{first} and {second} are formatted for different nodes or clusters"
                    ));
                }
                Some(_) => {}
            }
        }
        match (found, blank) {
            (None, None) => Self::Unknown,
            (None, Some(blank)) => Self::Blank(blank.clone()),
            (Some((_, format)), None) => Self::Formatted(format),
            (Some((_, format)), Some(_)) => Self::Partial(format.cluster_id),
        }
    }

    /// What they say, where they are formatted.
    pub const fn format(&self) -> Option<&Format> {
        match self {
            Self::Formatted(format) => Some(format),
            Self::Unknown | Self::Blank(_) | Self::Partial(_) | Self::Unclear(_) => None,
        }
    }
}

fn read(directory: &Path) -> io::Result<Option<Format>> {
    match std::fs::read_to_string(directory.join(FILE)) {
        Ok(text) => Ok(Some(parse(&text, directory.join(LOG).exists()))),
        // A directory that is not there is made by formatting.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Java's format of properties, as Kafka writes it: a name, an equals sign and a value on each line.
fn parse(text: &str, has_log: bool) -> Format {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let values: HashMap<_, _> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    Format {
        node_id: values.get("node.id").and_then(|id| id.parse().ok()),
        cluster_id: values.get("cluster.id").map(|id| (*id).to_owned()),
        directory_id: values.get("directory.id").and_then(|id| read_id(id).ok()),
        has_log,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "#\n#Fri Nov 27 07:00:00 UTC 2026\ncluster.id=5L6g3nShT-eMCtK--X86sw\n\
                           directory.id=jEzV8xGuTdmBnWWYRD2JSg\nnode.id=3\nversion=1\n";

    fn directories(texts: &[Option<&str>]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let root = tempfile::tempdir().unwrap();
        let make = |(number, text): (usize, Option<&str>)| {
            let directory = root.path().join(format!("d{number}"));
            if let Some(text) = text {
                std::fs::create_dir(&directory).unwrap();
                std::fs::write(directory.join(FILE), text).unwrap();
            }
            directory
        };
        let paths = texts.iter().copied().enumerate().map(make).collect();
        (root, paths)
    }

    fn read(texts: &[Option<&str>]) -> Storage {
        let (_root, paths) = directories(texts);
        Storage::read(&paths)
    }

    #[test]
    fn a_formatted_directory_says_whose_it_is() {
        let storage = read(&[Some(WRITTEN), Some(WRITTEN)]);
        let format = storage.format().unwrap();
        assert_eq!(
            (format.node_id, format.cluster_id.as_deref()),
            (Some(3), Some("5L6g3nShT-eMCtK--X86sw"))
        );
        let directory = format.directory_id.unwrap();
        assert_eq!(write_id(directory), "jEzV8xGuTdmBnWWYRD2JSg");
    }

    #[test]
    fn blank_unclear_and_unknown_are_told_apart() {
        assert_eq!(Storage::read(&[]), Storage::Unknown);
        assert!(matches!(read(&[None]), Storage::Blank(_)));
        let unclear = |texts: &[Option<&str>]| match read(texts) {
            Storage::Unclear(reason) => reason,
            other => panic!("{other:?}"),
        };
        let partial = read(&[None, Some(WRITTEN)]);
        assert_eq!(partial, Storage::Partial(Some("5L6g3nShT-eMCtK--X86sw".to_owned())));
        let other = WRITTEN.replace("node.id=3", "node.id=4");
        assert!(unclear(&[Some(WRITTEN), Some(&other)]).contains("different"));
    }

    #[test]
    fn a_directory_that_may_not_be_read_is_not_taken_for_blank() {
        let root = tempfile::tempdir().unwrap();
        // A directory in the place of the file: as unreadable for root as for anybody.
        std::fs::create_dir(root.path().join(FILE)).unwrap();
        let storage = Storage::read(&[root.path().to_owned()]);
        assert!(matches!(storage, Storage::Unclear(reason) if reason.contains(FILE)));
    }

    #[tokio::test]
    async fn a_disk_that_hangs_holds_one_thread_and_what_was_read_last() {
        let root = tempfile::tempdir().unwrap();
        let directories = [root.path().join("d")];
        let disk = Disk::default();
        assert!(matches!(disk.read(&directories).await, Storage::Blank(_)));
        // A pipe in the place of the file: nobody writes, and who reads waits.
        std::fs::create_dir(&directories[0]).unwrap();
        let file = directories[0].join(FILE);
        let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        for _ in 0..2 {
            assert!(matches!(disk.read(&directories).await, Storage::Blank(_)));
            assert!(disk.0.lock().await.under_way.is_some());
        }
        std::fs::write(&file, WRITTEN).unwrap();
        let read = async { while !matches!(disk.read(&directories).await, Storage::Formatted(_)) {} };
        timeout(Duration::from_secs(20), read).await.unwrap();
    }

    #[test]
    fn ids_are_22_letters_and_no_option() {
        for _ in 0..300 {
            let id = new_id();
            assert!(id.len() == 22 && read_id(&id).is_ok(), "{id}");
        }
        for text in [
            "",
            "short",
            "-L6g3nShT-eMCtK--X86sw",
            "5L6g3nShT-eMCtK--X86sw==",
            "5L6g3nShT+eMCtK//X86sw",
        ] {
            assert!(read_id(text).is_err(), "{text:?}");
        }
    }
}
