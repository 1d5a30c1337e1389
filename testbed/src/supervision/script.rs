//! The script that starts a node, whoever calls it: this crate, a person, or an agent.
//!
//! So the node is no child of ours, and is found by what the script leaves on [record](super::record) before it becomes
//! the server.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Puts the shell that runs it on [record](super::record) in the directory where it runs, so the process that it
/// becomes, or says why not and goes. The record is written before the look at `closed`, and read after `closed` was
/// written. No single quotes: it stands between some.
pub(crate) const RECORD: &str = r#"
field() { shift 19; echo "$1"; }
read -r stat < /proc/$$/stat && read -r boot < /proc/sys/kernel/random/boot_id || exit 1
echo "$$ $(field ${stat##*) }) $boot" > process.new && mv process.new process || { echo "no record of it can be written"; exit 1; }
[ -e ../closed ] && { echo "its cluster has been ended"; exit 1; }
"#;

/// For a shell in a directory of the cluster: becomes its arguments' command, once that is on record. What the command
/// prints is not mixed with complaints.
pub(crate) fn recorded() -> String {
    format!("{{ {RECORD} }} >&2\nexec \"$@\"")
}

/// `start` of a node: returns once the process is on record, and has become the server. `command` is the server's, as `sh`
/// shall read it; it runs in the node's `directory`, and its outputs go to `node.log` there.
///
/// It starts a node that is not running. Descriptor 3 is a lock that the node holds for as long as it lives (a killed
/// JVM's last thread lets go of it a moment after the process counts as ended), its input is the lock of its ports.
pub(crate) fn start(name: &str, directory: &Path, ports: &Path, command: &str) -> String {
    format!(
        r#"#!/bin/sh
# Starts {name} in the background, and returns.
cd {directory} || exit 1
name={name}
ports={ports}
set -- {command}

exec 3>>lock
flock -w 2 3 || {{ echo "$name runs already" >&2; exit 1; }}
run='{RECORD}
flock -s -n 0 || {{ echo "its ports are used by another cluster by now"; exit 1; }}
exec "$@" >> node.log 2>&1
'
said=$(setsid sh -c "$run" "$name" "$@" < "$ports" &)
[ -z "$said" ] || {{ echo "$name does not start: $said" >&2; exit 1; }}
"#,
        directory = quote(directory),
        ports = quote(ports),
    )
}

/// Writes a script that can be executed.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// For `sh`: one word, whatever is in it.
pub(crate) fn quote(text: impl AsRef<OsStr>) -> String {
    format!("'{}'", text.as_ref().to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Output};
    use std::time::Duration;

    use crate::poll;
    use crate::supervision::record;

    /// A node whose server is a shell script.
    struct Stand {
        place: tempfile::TempDir,
    }

    impl Stand {
        fn new(server: &str) -> Self {
            let place = tempfile::tempdir().unwrap();
            let node = place.path().join("node-1");
            fs::create_dir(&node).unwrap();
            let ports = place.path().join("ports");
            fs::write(&ports, "").unwrap();
            let text = start("node-1", &node, &ports, &format!("sh -c {}", quote(server)));
            write(&node.join("start"), &text).unwrap();
            Self { place }
        }

        fn start(&self) -> Output {
            let script = self.place.path().join("node-1/start");
            // Not by itself: a process that another thread starts at this moment may have it open for writing.
            Command::new("sh").arg(script).output().unwrap()
        }
    }

    #[test]
    fn a_started_node_is_on_record_and_is_started_once() {
        let stand = Stand::new("echo out; echo err >&2; exec sleep 600");
        let node = stand.place.path().join("node-1");
        assert!(stand.start().status.success());
        let process = record::read(&node).unwrap();
        assert!(process.is_alive());
        let again = stand.start();
        assert!(!again.status.success());
        assert_eq!(String::from_utf8(again.stderr).unwrap(), "node-1 runs already\n");
        let logged = poll::until(Duration::from_secs(10), |_| {
            fs::read_to_string(node.join("node.log")).map(|log| (log == "out\nerr\n").then_some(()))
        });
        assert_eq!(logged.unwrap(), Some(()));
        record::end(stand.place.path()).unwrap();
        assert!(!process.is_alive());
    }

    #[test]
    fn nothing_starts_in_a_cluster_that_was_ended() {
        let stand = Stand::new("exec sleep 600");
        record::end(stand.place.path()).unwrap();
        let late = stand.start();
        let said = String::from_utf8(late.stderr).unwrap();
        assert!(
            !late.status.success() && said.contains("its cluster has been ended"),
            "{said}"
        );
        let late = record::read(&stand.place.path().join("node-1")).unwrap();
        let gone = |_| Ok::<_, std::io::Error>((!late.is_alive()).then_some(()));
        assert_eq!(poll::until(Duration::from_secs(10), gone).unwrap(), Some(()));
    }

    #[test]
    fn ports_that_another_cluster_has_claimed_are_not_used() {
        let stand = Stand::new("exec sleep 600");
        let claimed = fs::File::open(stand.place.path().join("ports")).unwrap();
        claimed.try_lock().unwrap();
        let said = String::from_utf8(stand.start().stderr).unwrap();
        assert!(said.contains("used by another cluster"), "{said}");
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word() {
        let said = Command::new("sh")
            .args(["-c", &format!("printf %s {}", quote("/it's a/$HOME"))])
            .output()
            .unwrap();
        assert_eq!(said.stdout, b"/it's a/$HOME");
    }
}
