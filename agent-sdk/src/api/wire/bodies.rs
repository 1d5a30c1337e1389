//! Bad input: each a problem that names its place, and nothing is stored.

use insta::assert_snapshot;

use super::golden::Transcript;
use super::stage::Stage;
use super::talk;

const V1: &str = "/api/v1/actions";
const UNSTABLE: &str = "/api/unstable/action";
const GATE: &str = "example.org/gate";

/// What both dialects refuse.
fn refused_by_both() -> Vec<String> {
    let deep = |depth: usize| {
        format!(
            r#"{{"kind":"{GATE}","args":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let kind = |rest: &str| format!(r#"{{"kind":"{GATE}",{rest}}}"#);
    [
        // Malformed.
        "",
        "{",
        "nothing",
        r#"{"kind":"#,
        r#"{"kind":"example.org/gate"} {}"#,
        r#"{"kind":"example.org/gate",}"#,
        "{\"kind\":\"example.org/gate\u{0}\"}",
        "{\"kind\":\"example.org/gate\n\"}",
        r#"{"kind":"example.org/\ud800"}"#,
        // Not what is asked for.
        "[]",
        "null",
        r#""example.org/gate""#,
        r#"["example.org/gate",null,null,null,null,null,null]"#,
        r#"[null,null,null,"example.org/gate",null]"#,
        "{}",
        r#"{"kind":null}"#,
        r#"{"kind":7}"#,
        r#"{"kind":"no kind"}"#,
        r#"{"kind":"example.org/none"}"#,
        r#"{"kind":"agent.replicante.io/cluster.init"}"#,
        r#"{"kind":"EXAMPLE.org/gate"}"#,
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([
        deep(128),
        kind(r#""kind":"example.org/gate""#),
        kind(r#""args":{"a":{"b":1,"b":2}}"#),
        kind(r#""args":{"a":1,"\u0061":2}"#),
        kind(r#""args":{"n":NaN}"#),
        kind(r#""args":{"n":-Infinity}"#),
        kind(r#""args":{"n":1e999}"#),
        kind(r#""args":[]"#),
        kind(r#""args":"x""#),
        kind(r#""args":{"unknown":1}"#),
        r#"{"kind":"agent.replicante.io/test.loop","args":{"target":"3"}}"#.to_owned(),
        r#"{"kind":"agent.replicante.io/test.loop","args":{"target":-1}}"#.to_owned(),
        r#"{"kind":"agent.replicante.io/test.loop","args":{"target":1e3}}"#.to_owned(),
        kind(r#""id":"7""#),
        kind(r#""id":7"#),
        kind(r#""id":"00000000000000000000000000000001""#),
        kind(r#""id":"{00000000-0000-0000-0000-000000000001}""#),
    ])
    .collect()
}

#[test]
fn bad_input_is_refused_by_both_dialects() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for path in [V1, UNSTABLE] {
        for body in refused_by_both() {
            let answer = transcript.post(path, &body);
            assert_eq!(answer.status, 400, "{path} {body}");
            assert_eq!(answer.json().get("error").is_some(), path == UNSTABLE);
        }
    }
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}

#[test]
fn bad_input_of_v1() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for rest in [
        r#""surprise":1"#,
        r#""a/b~c":1"#,
        r#""created_ts":"2001-02-03T04:05:06Z""#,
        r#""headers":{"a":1}"#,
        r#""headers":{"a/b":null}"#,
        r#""headers":["a"]"#,
        r#""requester":"""#,
        r#""requester":"a\u0007""#,
        r#""requester":5"#,
        r#""deadline_s":0"#,
        r#""deadline_s":61"#,
        r#""deadline_s":-1"#,
        r#""deadline_s":1.5"#,
        r#""deadline_s":"60""#,
        r#""preconditions":{}"#,
        r#""preconditions":[]"#,
        r#""preconditions":[["HEALTHY"],null]"#,
        r#""preconditions":"HEALTHY""#,
        r#""preconditions":{"node_status":[]}"#,
        r#""preconditions":{"node_status":["healthy"]}"#,
        r#""preconditions":{"node_status":"HEALTHY"}"#,
        r#""preconditions":{"shards":{}}"#,
        r#""preconditions":{"shards":{"a":[]}}"#,
        r#""preconditions":{"shards":{"a":["LEADER"]}}"#,
        r#""preconditions":{"node":["HEALTHY"]}"#,
    ] {
        let answer = transcript.post(V1, &format!(r#"{{"kind":"{GATE}",{rest}}}"#));
        assert_eq!(answer.status, 400, "{rest}");
        assert!(answer.json()["field"].is_string(), "{rest}");
    }
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}

#[test]
fn bad_input_of_unstable() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for rest in [
        r#""created_time":"2001-02-03T04:05:06+02:00""#,
        r#""created_time":"2001-02-03 04:05:06""#,
        r#""created_time":"yesterday""#,
        r#""created_time":981173106"#,
        r#""metadata":{"a":1}"#,
        r#""metadata":[["a","b"]]"#,
    ] {
        let answer = transcript.post(UNSTABLE, &format!(r#"{{"kind":"{GATE}",{rest}}}"#));
        assert_eq!(answer.status, 400, "{rest}");
        assert!(answer.json()["field"].is_string(), "{rest}");
    }
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}

#[test]
fn null_is_the_same_as_not_given() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    let nothing = r#"{"kind":"example.org/gate","args":null,"headers":null,"id":null,"requester":null,"preconditions":null,"deadline_s":null}"#;
    assert_eq!(transcript.post(V1, nothing).status, 201);
    let nothing = r#"{"kind":"example.org/gate","args":null,"metadata":null,"id":null,"created_time":null}"#;
    assert_eq!(transcript.post(UNSTABLE, nothing).status, 200);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let stage = Stage::new();
    for path in [V1, UNSTABLE] {
        for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9"] {
            let mut body = br#"{"kind":"example.org/gate","args":{"a":""#.to_vec();
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\"}}");
            let mut request = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            request.extend(body);
            assert_eq!(talk::exchange(stage.address, &request).code(), "malformed_body");
        }
    }
    stage.assert_nothing_stored();
}

/// Depth 129 and deeper, also as deep as the limit on bodies lets it be.
#[test]
fn deep_bodies_are_refused_whatever_their_shape() {
    let stage = Stage::set(super::stage::Setting {
        api: crate::config::Api {
            max_body_bytes: 16 << 20,
            ..super::stage::Setting::default().api
        },
        ..super::stage::Setting::default()
    });
    let mut transcript = Transcript::new(stage.address);
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let body = |depth: usize| {
            format!(
                r#"{{"kind":"{GATE}","args":{}1{}}}"#,
                open.repeat(depth),
                close.repeat(depth)
            )
        };
        assert_eq!(
            transcript.post(V1, &body(127)).code(),
            "bad_arguments",
            "depth 128 is read"
        );
        for depth in [128, 1_000, 1_000_000] {
            assert_eq!(transcript.post(V1, &body(depth)).code(), "body_too_deep", "{depth}");
            assert_eq!(
                transcript.post(UNSTABLE, &body(depth)).code(),
                "body_too_deep",
                "{depth}"
            );
        }
    }
    stage.assert_nothing_stored();
}

#[test]
fn only_json_is_taken() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    let body = r#"{"kind":"example.org/gate"}"#;
    for headers in [
        &[][..],
        &["content-type: text/plain"],
        &["content-type: application/x-www-form-urlencoded"],
        &["content-type: application/json; charset=utf-16"],
        &["content-type: application/json", "content-type: text/plain"],
        &["content-type: application/json", "content-encoding: gzip"],
    ] {
        for path in [V1, UNSTABLE, "/api/v1/kinds/example.org/raise/plan"] {
            assert_eq!(
                transcript.ask("POST", path, headers, body).code(),
                "unsupported_media_type",
                "{headers:?}"
            );
        }
    }
    assert_snapshot!(transcript.finish());
    stage.assert_nothing_stored();
}

#[test]
fn a_body_where_none_is_taken() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    let path = format!("/api/v1/actions/{}", super::actions::id(1));
    let answer = transcript.ask("DELETE", &path, &["content-type: application/json"], "{}");
    assert_eq!(answer.code(), "unexpected_body");
    let none = transcript.ask("DELETE", &path, &["content-length: 0"], "");
    assert_eq!(none.code(), "unknown_action");
}
