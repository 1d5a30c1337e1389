//! The exact version of the process.
//!
//! Over the wire a process tells its release line only ([`line()`]). The exact one is in the name of the jar that the process
//! runs, which Linux shows to whoever may look at the process ([`of_listener`]).

use std::fs;
use std::path::{Path, PathBuf};

use agent_sdk::spec::StoreVersion;

use crate::client::versions::Versions;

/// Highest level of `metadata.version`, and the release line that brought it.
const LINES: [(i16, &str); 6] = [
    (21, "3.9"),
    (25, "4.0"),
    (27, "4.1"),
    (29, "4.2"),
    (30, "4.3"),
    (31, "4.4"),
];

/// The release line that a process tells; none below 3.9.
pub fn line(versions: &Versions) -> Option<StoreVersion> {
    let level = versions.metadata_version()?;
    let known = LINES.iter().rev().find(|(lowest, _)| *lowest <= level)?;
    let version = StoreVersion::parse(known.1)?;
    Some(version.with_extra(format!("the release line, by metadata.version {level}")))
}

/// The version of the process that listens on this port of this machine, by the jar that it has open.
///
/// `None` where there is no such process, where the agent's user may not look at it, and where there is no jar of Kafka's
/// among its files.
pub fn of_listener(port: u16) -> Option<StoreVersion> {
    let process = owner(&listening(port)?)?;
    of_process(&process)
}

/// The socket that listens on a port: its inode, from the kernel's table.
fn listening(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    texts.into_iter().find_map(|text| socket(&text, port))
}

/// In a table of the kernel's: `sl local_address rem_address st … inode`, all in hexadecimal but the inode.
fn socket(table: &str, port: u16) -> Option<String> {
    const LISTENS: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (_, at) = fields.get(1)?.rsplit_once(':')?;
        let is = u16::from_str_radix(at, 16).ok()? == port && *fields.get(3)? == LISTENS;
        is.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    })
}

/// The process that has this socket open.
fn owner(inode: &str) -> Option<PathBuf> {
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let numbered = processes.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    let mut processes = numbered.map(|entry| entry.path());
    processes.find(|process| open_files(process).any(|file| file.as_os_str() == wanted.as_str()))
}

fn of_process(process: &Path) -> Option<StoreVersion> {
    open_files(process).find_map(|file| of_jar(file.file_name()?.to_str()?))
}

fn open_files(process: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten();
    files.filter_map(|file| fs::read_link(file.ok()?.path()).ok())
}

/// `kafka_2.13-4.3.0.jar`, `kafka-server-4.3.0.jar`.
fn of_jar(name: &str) -> Option<StoreVersion> {
    let name = name.strip_suffix(".jar")?;
    let version = match name.strip_prefix("kafka-server-") {
        Some(version) => version,
        None => name.strip_prefix("kafka_")?.split_once('-')?.1,
    };
    StoreVersion::parse(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_of_kafkas_is_named_by_its_version() {
        let read = |name| of_jar(name).map(|version| version.number.to_string());
        assert_eq!(read("kafka_2.13-4.3.0.jar").as_deref(), Some("4.3.0"));
        assert_eq!(read("kafka-server-3.9.2.jar").as_deref(), Some("3.9.2"));
        assert_eq!(read("kafka_2.13-7.9.0-ccs.jar").as_deref(), Some("7.9.0-ccs"));
        for none in [
            "kafka-clients-4.3.0.jar",
            "kafka-server-common-4.3.0.jar",
            "kafka_2.13-4.3.0",
            "x.jar",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_listening_socket_is_found_in_the_kernels_table() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let process = owner(&listening(port).unwrap()).unwrap();
        assert_eq!(process, PathBuf::from(format!("/proc/{}", std::process::id())));
        assert_eq!(of_listener(port), None, "a test has no jar open");
        drop(listener);
    }

    #[test]
    fn a_connection_is_no_listener() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:2384 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 111 1\n   \
                     1: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1\n";
        assert_eq!(socket(table, 0x2384).as_deref(), Some("222"));
        assert_eq!(socket(table, 1), None);
    }
}
