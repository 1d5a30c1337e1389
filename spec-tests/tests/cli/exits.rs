//! Each exit code, provoked.

use std::net::TcpListener;

use crate::agent::{Agent, Reply, good, kinds, node, problem};
use crate::program::{program, run};

#[test]
fn zero_when_all_that_counts_was_seen_to_hold() {
    let ended = run(&Agent::right().url, &[]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(
        ended.out.contains("v1        level read     conformant"),
        "{}",
        ended.out
    );
}

#[test]
fn zero_when_it_is_so_each_time() {
    let ended = run(&Agent::right().url, &["--repeat", "3"]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.err.contains("run 3 of 3"), "{}", ended.err);
}

#[test]
fn one_when_a_demand_is_broken() {
    let ended = run(&Agent::but("info/node", node("WELL")).url, &[]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("broken  v1  node.status  MUST"), "{}", ended.out);
    assert!(ended.out.contains("not conformant"), "{}", ended.out);
}

#[test]
fn one_when_a_recommendation_is_broken_and_the_verdict_says_partial() {
    let undocumented = kinds(r#""summary":"""#);
    let ended = run(&Agent::but("kinds", undocumented).url, &[]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("partial"), "{}", ended.out);
    assert!(ended.out.contains("broken: 1 SHOULD"), "{}", ended.out);
}

#[test]
fn one_when_something_is_broken_and_something_else_was_not_run() {
    let agent = Agent::with(|asked| match asked.path.as_str() {
        "/api/v1/info/node" => Some(node("WELL")),
        "/api/v1/info/store" => Some(problem(503)),
        _ => None,
    });
    assert_eq!(run(&agent.url, &[]).code, 1);
}

#[test]
fn two_when_the_command_line_makes_no_sense_and_nothing_was_asked() {
    let agent = Agent::right();
    let url = agent.url.as_str();
    for (words, told) in [
        (vec![], "run [OPTIONS] --agent URL"),
        (vec!["localhost:8000"], "http://127.0.0.1:8000"),
        (vec![url, "--agent", url], "--agent"),
        (vec!["--agent", url, "--agent", url], "is there twice"),
        (vec![url, "--level", "deep"], "[possible values: read, actions, stress]"),
        (vec![url, "--dialect", "v2"], "[possible values: v1, unstable]"),
        (vec![url, "--observe", "30"], "--observe <TIME>': its unit is missing"),
        (vec![url, "--observe", "20m"], "shorter than --deadline"),
        (vec![url, "--timeout", "0s"], "--timeout <TIME>': it has to be longer"),
        (vec![url, "--repeat", "0"], "--repeat <N>"),
        (vec![url, "--kill-command", "x"], "--restart-command"),
        (vec![url, "--restart-command", "x"], "--kill-command"),
        (
            vec![url, "--kill-command", "x", "--restart-command", "y"],
            "--level stress",
        ),
        (vec![url, "--cluster-actions"], "--absent-node"),
        (vec![url, "--absent-node", "n9"], "--cluster-actions"),
        (vec![url, "--cluster-actions", "--absent-node", "n9"], "--level actions"),
        (
            vec![url, "--level", "actions", "--cluster-actions", "--absent-node", " "],
            "--absent-node is empty",
        ),
        (vec![url, "--report", "pdf=x"], "text, json, junit or html"),
        (vec![url, "--report", "json=/no/such/place"], "/no/such/place"),
        (vec![url, "--baseline", "/no/such/file"], "/no/such/file"),
        (vec![url, "--token-file", "/no/such/file"], "/no/such/file"),
        (vec![url, "--header-file", "/no/such/file"], "/no/such/file"),
        (
            vec![url, "--token-file", "a", "--token-file", "b"],
            "one file for all, or one for each",
        ),
        (vec!["https://127.0.0.1:1"], "--ca-file"),
        (vec![url, "--ca-file", "/no/such/file"], "/no/such/file"),
        (vec![url, "--ca-file", "/dev/null"], "no certificate in PEM"),
        (vec![url, "--client-certificate", "a", "--ca-file", "b"], "--client-key"),
        (vec![url, "--color", "blue"], "[possible values: auto, always, never]"),
        (vec![url, "--token", "x"], "--token"),
    ] {
        let ended = program(&[vec!["run"], words.clone()].concat());
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.all());
        assert!(ended.err.contains(told), "{words:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "{}", ended.out);
    }
    assert!(!agent.was_asked());
}

#[test]
fn two_when_the_node_that_is_to_be_absent_is_there() {
    let agent = Agent::right();
    let words = ["--level", "actions", "--cluster-actions", "--absent-node", "n1"];
    let ended = run(&agent.url, &words);
    assert_eq!(ended.code, 2, "{}", ended.all());
    assert!(ended.err.contains("--absent-node n1: the agent at"), "{}", ended.err);
}

#[test]
fn zero_when_what_stands_before_an_agent_refuses_a_dialect_that_it_has_not() {
    for status in [403, 405] {
        let agent = Agent::with(move |asked| asked.path.starts_with("/api/unstable").then(|| problem(status)));
        let ended = run(&agent.url, &[]);
        assert_eq!(ended.code, 0, "{}", ended.all());
        assert!(ended.out.contains("not looked at  unstable"), "{}", ended.out);
        let judged = ended.out.lines().any(|line| line.starts_with("unstable"));
        assert!(!judged, "{}", ended.out);
    }
}

#[test]
fn three_when_nobody_listens() {
    let url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let directory = tempfile::tempdir().unwrap();
    let at = |format: &str| directory.path().join(format).display().to_string();
    let reports = ["text", "json", "junit", "html"].map(|format| format!("{format}={}", at(format)));
    let mut words = Vec::new();
    for report in &reports {
        words.extend(["--report", report.as_str()]);
    }
    let ended = run(&url, &words);
    assert_eq!(ended.code, 3, "{}", ended.all());
    let told = |text: &str| text.contains(&url) && text.contains("no connection");
    assert!(
        told(&ended.err) && told(&ended.out.replace("\n             ", " ")),
        "{}",
        ended.all()
    );
    for format in ["json", "junit", "html"] {
        assert!(told(&std::fs::read_to_string(at(format)).unwrap()), "{format}");
    }
    let junit = std::fs::read_to_string(at("junit")).unwrap();
    assert_eq!(quick_junit::Report::deserialize_from_str(&junit).unwrap().errors, 1);
}

#[test]
fn three_when_what_answers_is_no_agent() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"node".to_vec();
    for (reply, told) in [
        (
            Reply::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n\x1b[2J\r\n".to_vec()),
            "no HTTP/1.1 answer",
        ),
        (Reply::Bytes(half), "ended before"),
        (Reply::Bytes(Vec::new()), "ended before"),
        (Reply::Hang, "no whole answer within 200 ms"),
        (problem(404), "nothing under /api/v1 or /api/unstable"),
    ] {
        let agent = Agent::with(move |_| Some(reply.clone()));
        let ended = run(&agent.url, &["--timeout", "200ms"]);
        assert_eq!(ended.code, 3, "{}", ended.all());
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
        assert!(!ended.err.contains('\x1b'), "{:?}", ended.err);
    }
}

#[test]
fn three_when_one_of_a_cluster_is_not_there() {
    let there = Agent::right();
    let hangs = Agent::with(|_| Some(Reply::Hang));
    let ended = program(&[
        "run",
        "--agent",
        &there.url,
        "--agent",
        &hangs.url,
        "--timeout",
        "200ms",
    ]);
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(ended.err.contains(&hangs.url), "{}", ended.err);
}

#[test]
fn four_when_the_same_run_has_another_result() {
    // Each run asks four times: whether there is such a dialect, and three looks.
    let agent = Agent::with(|asked| {
        let is_node = asked.method == "GET" && asked.path == "/api/v1/info/node";
        is_node.then(|| node(if asked.before < 4 { "HEALTHY" } else { "WELL" }))
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("junit");
    let junit = format!("junit={}", path.display());
    let ended = run(&agent.url, &["--repeat", "2", "--report", &junit]);
    assert_eq!(ended.code, 4, "{}", ended.all());
    let told = "run 2 differs from the first: v1 node.status: held, then broken";
    assert!(ended.err.contains(told) && ended.out.contains(told), "{}", ended.all());
    let junit = std::fs::read_to_string(path).unwrap();
    assert!(quick_junit::Report::deserialize_from_str(&junit).unwrap().errors > 0);
    assert!(junit.contains(told), "{junit}");
}

#[test]
fn four_when_a_report_cannot_be_written() {
    let ended = run(&Agent::right().url, &["--report", "json=/dev/full"]);
    assert_eq!(ended.code, 4, "{}", ended.all());
    assert!(ended.err.contains("/dev/full"), "{}", ended.err);
    assert!(ended.out.contains("conformant"), "the others are written all the same");
}

#[test]
fn five_when_something_that_counts_was_not_run() {
    let ended = run(&Agent::but("info/store", problem(503)).url, &[]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(
        ended.out.contains("partial") && ended.out.contains("not run (3 MUST)"),
        "{}",
        ended.out
    );
}

#[test]
fn five_when_the_deadline_is_over() {
    let agent = Agent::but("info/store", Reply::Hang);
    let ended = run(&agent.url, &["--deadline", "300ms"]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(ended.out.contains("ended by its deadline of 0.3 s"), "{}", ended.out);
}

#[test]
fn five_when_nothing_ran() {
    let hangs = Agent::with(|_| Some(Reply::Hang));
    let ended = run(&hangs.url, &["--deadline", "200ms"]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(ended.out.contains("nothing ran"), "{}", ended.out);

    let v1 = Agent::right();
    let unstable = Agent::with(|asked| {
        (asked.path == "/api/unstable/info/node")
            .then(|| good("{}"))
            .or(Some(problem(404)))
    });
    let ended = program(&["run", "--agent", &v1.url, "--agent", &unstable.url]);
    assert_eq!(ended.code, 5, "{}", ended.all());
    for told in [
        "not all agents have v1",
        "not all agents have unstable",
        "not looked at",
    ] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
}
