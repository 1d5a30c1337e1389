use std::path::Path;

use agent_sdk::action::ActionError;

use super::*;
use crate::config::{Process, Timeouts};

const ID: &str = "5L6g3nShT-eMCtK--X86sw";

fn code(error: &ActionError) -> &str {
    match error {
        ActionError::Retry(fault) | ActionError::Final(fault) => fault.code(),
        other => panic!("{other}"),
    }
}

/// A process whose storage is formatted by this script, the directory being its first argument.
fn process(directory: &Path, script: &str) -> Validated {
    let text = r#"{"controller": {"address": "127.0.0.1:1"}}"#;
    let mut process: Process = serde_json::from_str(text).unwrap();
    let data = directory.join("data");
    process.log_directories = vec![data.clone()];
    process.format_command = ["sh", "-c", script, &data.display().to_string()]
        .map(str::to_owned)
        .to_vec();
    process.timeouts = Timeouts::default();
    process.validated().unwrap()
}

fn format() -> Up {
    Up::Format {
        cluster_id: ID.to_owned(),
        first: true,
    }
}

#[tokio::test]
async fn two_never_format_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let process = process(directory.path(), "mkdir $0 && echo cluster.id=$2 > $0/meta.properties");
    // As a command that an agent has left behind when it was killed.
    let left = claim(&process.log_directories).unwrap();
    let error = apply(&process, &format(), &Started::default()).await.unwrap_err();
    assert_eq!(code(&error), "format_under_way");
    assert!(matches!(Storage::read(&process.log_directories), Storage::Blank(_)));
    drop(left);
    apply(&process, &format(), &Started::default()).await.unwrap();
    let storage = Storage::read(&process.log_directories);
    assert_eq!(storage.format().unwrap().cluster_id.as_deref(), Some(ID));
    // What has come to its end meanwhile is not formatted again: the script would fail.
    apply(&process, &format(), &Started::default()).await.unwrap();
}

#[tokio::test]
async fn a_command_that_is_left_behind_keeps_its_claim() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    let script = format!("mkfifo {0}; exec 3<&0; cat {0} >/dev/null & exit 0", pipe.display());
    let process = process(directory.path(), &script);
    apply(&process, &format(), &Started::default()).await.unwrap();
    assert_eq!(code(&claim(&process.log_directories).unwrap_err()), "format_under_way");
    // Opened for writing and closed, the pipe lets go the one that reads it.
    drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
    let freed = testbed::poll::until(Duration::from_secs(20), |_| {
        Ok::<_, ()>(claim(&process.log_directories).ok())
    });
    assert!(freed.unwrap().is_some());
}

#[tokio::test]
async fn a_formatting_that_fails_says_why_and_one_that_was_cut_off_is_completed() {
    let directory = tempfile::tempdir().unwrap();
    let failing = process(directory.path(), "echo no room >&2; exit 1");
    let error = apply(&failing, &format(), &Started::default()).await.unwrap_err();
    assert!(
        code(&error) == "command_failed" && error.to_string().contains("no room"),
        "{error}"
    );
    // Two directories, of which one is done: the tool is told to leave it.
    let process = process(
        directory.path(),
        "test \"$4\" = --ignore-formatted && echo cluster.id=$2 > $0/../other/meta.properties",
    );
    let mut partial = process.clone();
    partial.log_directories = vec![directory.path().join("other"), directory.path().join("data")];
    for name in ["other", "data"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    std::fs::write(
        directory.path().join("data/meta.properties"),
        format!("cluster.id={ID}\n"),
    )
    .unwrap();
    assert!(matches!(Storage::read(&partial.log_directories), Storage::Partial(_)));
    apply(&partial, &format(), &Started::default()).await.unwrap();
    assert!(Storage::read(&partial.log_directories).format().is_some());
}
