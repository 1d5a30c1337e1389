//! Clusters that outlive their command, by the command line and by what it prints.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use testbed::background;
use testbed::identity::Identity;
use testbed::mongodb::bson::doc;
use testbed::poll;
use testbed::supervision::record;

use crate::UP;

/// What `up` leaves running ends with the test, should it fail before it says `down`.
struct Place(tempfile::TempDir);

impl Drop for Place {
    fn drop(&mut self) {
        // Usually nothing is up any more.
        let _ = background::down(self.0.path());
    }
}

fn up(place: &Path, arguments: &[&str]) -> Output {
    let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"));
    up.args(["up", "mongodb"]).args(arguments).arg("--dir").arg(place);
    up.output().unwrap()
}

/// The words of a node's row.
fn row<'a>(printed: &'a str, name: &str) -> Vec<&'a str> {
    let row = printed.lines().find(|line| line.starts_with(name)).unwrap();
    row.split_ascii_whitespace().collect()
}

/// The line below this one.
fn below<'a>(printed: &'a str, line: &str) -> &'a str {
    let mut lines = printed.lines().skip_while(|printed| *printed != line);
    lines.nth(1).unwrap().trim()
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn up_leaves_blank_nodes_that_down_ends_with_those_started_since() {
    let place = Place(tempfile::tempdir().unwrap());
    let said = up(place.0.path(), &["--nodes", "2", "--version", "5.0.4"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let printed = String::from_utf8(said.stdout).unwrap();
    assert!(printed.contains("MongoDB 5.0.4, 2 nodes, in "), "{printed}");
    assert!(printed.contains("\nset rs0, not initiated\n"), "{printed}");
    assert_eq!(row(&printed, "mongo-1")[2], "blank");
    assert!(printed.contains("rs.initiate("), "{printed}");
    let cluster = printed.lines().next().unwrap().rsplit(' ').next().unwrap();
    let second = Path::new(cluster).join("mongo-2");
    let process = record::read(&second).unwrap();
    assert_eq!(process.pid.to_string(), row(&printed, "mongo-2")[3]);
    process.signal(rustix::process::Signal::KILL).unwrap();
    let gone = |_| Ok::<_, io::Error>((!process.is_alive()).then_some(()));
    assert_eq!(poll::until(UP, gone).unwrap(), Some(()));
    let started = Command::new(second.join("start")).status().unwrap();
    assert!(started.success());
    let next = record::read(&second).unwrap();
    assert_eq!(background::down(place.0.path()).unwrap(), 2);
    assert!(!next.is_alive() && !second.exists());
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn up_prints_how_a_secured_set_is_connected_to() {
    let place = Place(tempfile::tempdir().unwrap());
    let said = up(place.0.path(), &["--nodes", "2", "--initiated", "--auth"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let printed = String::from_utf8(said.stdout).unwrap();
    assert_eq!(row(&printed, "mongo-1")[2], "primary");
    assert_eq!(row(&printed, "mongo-2")[2], "secondary");
    let credentials = std::fs::read_to_string(row(&printed, "credentials")[1]).unwrap();
    let plain = below(&printed, "To connect:").to_owned();
    assert!(plain.contains(&format!("//{}@", credentials.trim())), "{plain}");
    let by_tls = plain.clone() + below(&printed, "By TLS, add to it:");
    for way in [plain, by_tls] {
        let written = testbed::mongodb::run(async move {
            let client = mongodb::Client::with_uri_str(way).await?;
            let collection = client.database("testbed").collection("ways");
            let written = collection.insert_one(doc! { "number": 1 }).await;
            client.shutdown().await;
            written
        });
        written.unwrap().unwrap();
    }
    assert_eq!(background::down(place.0.path()).unwrap(), 2);
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn up_that_is_killed_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["up", "mongodb", "--nodes", "2", "--initiated", "--dir"])
        .arg(place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Two nodes are on record, so they run; the command still waits for them.
    let started = || {
        let entries = std::fs::read_dir(place.path()).ok()?.flatten();
        let cluster = entries.map(|entry| entry.path()).find(|path| path.is_dir())?;
        let processes = record::processes(&cluster).ok()?;
        (processes.len() == 2).then_some((cluster, processes))
    };
    let (cluster, processes) = poll::until(UP, |_| Ok::<_, io::Error>(started())).unwrap().unwrap();
    up.kill().unwrap();
    up.wait().unwrap();
    let removed = poll::until(UP, |_| Ok::<_, io::Error>((!cluster.exists()).then_some(())));
    assert_eq!(removed.unwrap(), Some(()));
    assert!(!processes.iter().any(Identity::is_alive));
    assert!(matches!(
        background::down(place.path()),
        Err(background::Error::NotUp { .. })
    ));
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_what_there_is() {
    let place = tempfile::tempdir().unwrap();
    let said = up(place.path(), &["--version", "7.0.0"]);
    let text = String::from_utf8(said.stderr).unwrap();
    assert!(
        !said.status.success() && text.contains("known are 4.4.2, 5.0.4 and 6.0.5"),
        "{text}"
    );
}
