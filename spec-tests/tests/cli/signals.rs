//! Ctrl-C and SIGTERM.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use crate::agent::{Agent, Reply, node};
use crate::program::{Ended, command, signal};

const STORE: &str = "/api/v1/info/store";

#[test]
fn what_is_known_so_far_is_reported() {
    for (name, told) in [("-INT", "Ctrl-C"), ("-TERM", "SIGTERM")] {
        let agent = Agent::but("info/store", Reply::Hang);
        let child = command(&["run", &agent.url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        agent.wait_for(STORE);
        signal(&child, name);
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 5, "{}", ended.all());
        assert!(ended.out.contains(&format!("ended by {told}")), "{}", ended.out);
        assert!(ended.out.contains("v1        level read     partial"), "{}", ended.out);
    }
}

#[test]
fn what_was_found_so_far_is_found() {
    let agent = Agent::with(|asked| match asked.path.as_str() {
        "/api/v1/info/node" => Some(node("SICK")),
        STORE => Some(Reply::Hang),
        _ => None,
    });
    let child = command(&["run", &agent.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    agent.wait_for(STORE);
    signal(&child, "-INT");
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("broken  v1  node.status"), "{}", ended.out);
    assert!(ended.out.contains("not judged: the run was over"), "{}", ended.out);
}

#[test]
fn what_an_earlier_run_has_found_stays_found() {
    // Some runs are whole, and the next one hangs.
    let agent = Agent::with(|asked| match asked.path.as_str() {
        "/api/v1/info/node" if asked.before >= 20 => Some(Reply::Hang),
        "/api/v1/info/node" => Some(node("SICK")),
        _ => None,
    });
    let child = command(&["run", &agent.url, "--repeat", "20"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..=20 {
        agent.wait_for("/api/v1/info/node");
    }
    signal(&child, "-INT");
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("ended by Ctrl-C, in run"), "{}", ended.out);
    assert!(ended.out.contains("broken  v1  node.status"), "{}", ended.out);
}

#[test]
fn it_is_heard_before_anything_is_known() {
    let agent = Agent::with(|_| Some(Reply::Hang));
    let child = command(&["run", &agent.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    agent.wait_for("/api/v1/info/node");
    signal(&child, "-INT");
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(ended.out.contains("nothing ran"), "{}", ended.out);
}

#[test]
fn the_second_time_ends_at_once_even_where_nobody_reads() {
    let agent = Agent::but("info/store", Reply::Hang);
    // A page on both dialects is longer than a pipe is: the program waits for a reader that does not come.
    let words = [
        "--dialect",
        "v1",
        "--dialect",
        "unstable",
        "--level",
        "stress",
        "--report",
        "html=-",
    ];
    let mut child = command(&[&["run", &agent.url], words.as_slice()].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    agent.wait_for(STORE);
    signal(&child, "-INT");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("once more ends at once")));
    // It writes by now, and not to the end.
    let mut out = child.stdout.take().unwrap();
    let mut page = vec![0; 1];
    out.read_exact(&mut page).unwrap();
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(5));
    out.read_to_end(&mut page).unwrap();
    let page = String::from_utf8_lossy(&page);
    assert!(
        page.starts_with("<!doctype html>") && !page.contains("</html>"),
        "{}",
        page.len()
    );
}

/// `O_NONBLOCK` of Linux.
const NONBLOCK: i32 = 0o4000;

#[test]
fn the_second_time_ends_at_once_even_where_no_words_can_be_said() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Somebody who does not read, and as much as the pipe takes.
    let _reader = File::options().read(true).custom_flags(NONBLOCK).open(&pipe).unwrap();
    let mut filler = File::options().write(true).custom_flags(NONBLOCK).open(&pipe).unwrap();
    while filler.write(b"x").is_ok() {}
    assert_eq!(filler.write(b"x").unwrap_err().kind(), ErrorKind::WouldBlock);
    let full = File::options().write(true).open(&pipe).unwrap();

    let agent = Agent::but("info/store", Reply::Hang);
    let words = [
        "run",
        &agent.url,
        "--dialect",
        "v1",
        "--dialect",
        "unstable",
        "--quiet",
        "--report",
        "html=-",
    ];
    let mut child = command(&words).stdout(Stdio::piped()).stderr(full).spawn().unwrap();
    agent.wait_for(STORE);
    signal(&child, "-INT");
    // It writes by now, and not to the end: a page is longer than a pipe is.
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1]).unwrap();
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(5));
}
