//! Ids are an agent's own words, and stay that on the wire and in a shell.

use std::process::Command;

use crate::agent::{Agent, good};
use crate::program::run;

const IDS: [&str; 5] = [
    "x'; echo gone > gone; '",
    "x HTTP/1.1\r\nhost: other\r\n\r\nDELETE /api/v1/actions/y",
    "../../../admin",
    "$(echo gone > gone)`echo gone > gone`",
    "a?b#c%41",
];

/// Lists actions with these ids, and has a bad record of each.
fn agent() -> Agent {
    Agent::with(|asked| match asked.path.as_str() {
        "/api/v1/actions/finished" => {
            let action = |id| serde_json::json!({"id": id, "kind": "k", "state": "DONE"});
            let body = serde_json::json!({"actions": IDS.map(action), "next": null});
            Some(good(body.to_string()))
        }
        path => {
            let id = path.strip_prefix("/api/v1/actions/")?;
            id.contains('%').then(|| good(r#"{"id": 1}"#))
        }
    })
}

#[test]
fn an_id_is_one_segment_of_a_path() {
    let agent = agent();
    let ended = run(&agent.url, &[]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    let heads = agent.heads();
    let asked = |part: &str| heads.iter().any(|head| head.contains(part));
    for part in [
        "x%27%3B%20echo",
        "x%20HTTP%2F1%2E1%0D%0Ahost%3A%20other",
        "%2E%2E%2F%2E%2E%2F",
        "a%3Fb%23c%2541",
    ] {
        assert!(asked(part), "{part}: {heads:?}");
    }
    for head in &heads {
        let line = head.lines().next().unwrap();
        assert_eq!(line.split(' ').count(), 3, "{line}");
        assert_eq!(head.matches("\r\nhost: ").count(), 1, "{head}");
    }
}

#[test]
fn a_line_of_curl_is_one_command_to_a_shell() {
    let agent = agent();
    let report = run(&agent.url, &["--report", "json=-"]).out;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let checks = report["checks"].as_array().unwrap().iter();
    let findings = checks.flat_map(|check| check["outcome"]["findings"].as_array().cloned().unwrap_or_default());
    let lines: Vec<String> = findings
        .flat_map(|finding| finding["curl"].as_array().cloned().unwrap())
        .map(|line| line.as_str().unwrap().to_owned())
        .filter(|line| line.contains("%27") || line.contains("%24"))
        .collect();
    assert!(!lines.is_empty(), "{report}");
    let directory = tempfile::tempdir().unwrap();
    for line in lines {
        // In place of curl, what shows the last of its words.
        let script = format!("curl() {{ for word; do :; done; printf '%s' \"$word\"; }}\n{line}");
        let shell = Command::new("sh")
            .args(["-c", &script])
            .current_dir(directory.path())
            .output();
        let word = String::from_utf8(shell.unwrap().stdout).unwrap();
        assert!(word.starts_with(&agent.url) && !word.contains(' '), "{line}: {word}");
    }
    assert!(!directory.path().join("gone").exists());
}
