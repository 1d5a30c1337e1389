//! Reports, and the commands that need no agent.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::agent::{Agent, Reply, good};
use crate::program::{command, program, run};

/// Markup, the end of a section, terminal sequences, bytes that are no text.
fn hostile() -> Agent {
    let text = "<script>alert('x')</script>]]>\u{9b}31m\u{202e}\u{7f}";
    Agent::with(move |asked| match asked.path.as_str() {
        "/api/v1/info/store" => Some(good(serde_json::json!({"cluster_id": [text, "\u{1b}[2J"]}).to_string())),
        "/api/v1/no/such/route" => {
            let mut bytes = b"HTTP/1.1 404 \x1b[2J\r\ncontent-type: \x1b]0;x\x07<b>\r\n\r\n\xff\xfe\x00".to_vec();
            bytes.extend(text.as_bytes());
            Some(Reply::Bytes(bytes))
        }
        "/api/v1/kinds" => Some(Reply::Whole(200, "text/html", format!("\u{1b}[31m{text}"))),
        _ => None,
    })
}

#[test]
fn no_agent_gets_out_of_a_report() {
    let agent = hostile();
    let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    for format in ["text", "json", "junit", "html"] {
        let ended = run(&agent.url, &["--report", &format!("{format}=-")]);
        assert_eq!(ended.code, 1, "{}", ended.all());
        assert!(!ended.out.contains(steers), "{format}: {:?}", ended.out);
        match format {
            "junit" => {
                assert!(
                    !ended.out.contains("<script") && !ended.out.contains("]]>"),
                    "{}",
                    ended.out
                );
                quick_junit::Report::deserialize_from_str(&ended.out).unwrap();
            }
            "html" => {
                assert_eq!(ended.out.matches("<script").count(), 1, "its own");
                assert!(ended.out.contains("alert("), "and it is shown");
            }
            "json" => drop(serde_json::from_str::<serde_json::Value>(&ended.out).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn each_format_goes_where_it_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    fs::write(at("page"), "of an earlier run, and longer than nothing").unwrap();
    let (html, junit) = (format!("html={}", at("page")), format!("junit={}", at("junit")));
    let ended = run(&Agent::right().url, &["--quiet", "--report", &html, "--report", &junit]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.all().is_empty(), "{}", ended.all());
    assert!(fs::read_to_string(at("page")).unwrap().starts_with("<!doctype html>"));
    let junit = fs::read_to_string(at("junit")).unwrap();
    let junit = quick_junit::Report::deserialize_from_str(&junit).unwrap();
    assert_eq!((junit.failures, junit.errors), (0, 0));
}

#[test]
fn json_is_as_the_schema_says() {
    let schema = serde_json::from_str(&program(&["schema"]).out).unwrap();
    let report = run(&hostile().url, &["--report", "json=-"]).out;
    let report = serde_json::from_str(&report).unwrap();
    jsonschema::validator_for(&schema).unwrap().validate(&report).unwrap();
}

#[test]
fn colour_is_where_it_was_asked_for() {
    let agent = Agent::right();
    assert!(!run(&agent.url, &[]).out.contains('\x1b'), "a pipe is no terminal");
    assert!(
        run(&agent.url, &["--color", "always"])
            .out
            .contains("\x1b[32mconformant")
    );
}

#[test]
fn what_will_be_written_is_said_beforehand_even_quietly() {
    let directory = tempfile::tempdir().unwrap();
    let said = directory.path().join("said");
    let file = fs::File::create(&said).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    // It refuses every action, so nothing is waited for.
    let agent = Agent::with(move |asked| {
        if asked.method == "POST" {
            drop(tell.send(fs::read_to_string(&said).unwrap()));
        }
        None
    });
    let words = ["run", &agent.url, "--level", "actions", "--quiet", "--deadline", "10s"];
    let mut child = command(&words).stdout(Stdio::null()).stderr(file).spawn().unwrap();
    let first = told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(
        first.contains("level actions will write"),
        "before the first of them: {first}"
    );
    child.wait().unwrap();
    assert!(
        run(&Agent::right().url, &["--quiet"]).err.is_empty(),
        "looking writes nothing"
    );
}

#[test]
fn checks_are_listed_and_explained() {
    let list = program(&["list"]);
    assert_eq!(list.code, 0);
    assert!(
        list.out.lines().count() > 50 && list.out.contains("node.status"),
        "{}",
        list.out
    );
    let explained = program(&["explain", "node.status"]);
    assert_eq!(explained.code, 0);
    for told in ["MUST", "read", "v1, unstable", "docs/wire.md#the-node"] {
        assert!(explained.out.contains(told), "{told}: {}", explained.out);
    }
    let unknown = program(&["explain", "node.sttus"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("node.status"), "{}", unknown.err);
}

#[test]
fn another_text_is_not_covered() {
    let ended = program(&["coverage", "--specification", "/dev/null"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("Entries without a sentence"), "{}", ended.out);
    let ended = program(&["coverage", "--specification", "/no/such/file"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--specification /no/such/file"), "{}", ended.err);
}

#[test]
fn shells_complete_it() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(program(&["completions", shell]).out.contains("spec-tests"), "{shell}");
    }
}
