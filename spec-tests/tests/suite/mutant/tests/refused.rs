//! What the right agent refuses in `/api/v1`, and how.

use serde_json::json;

use super::talk::{ask, ask_with, get, id, post};
use crate::mutant::Agent;

#[test]
fn bad_requests_are_refused_with_their_codes() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    let deep = format!(r#"{{"kind":"x","args":{}{}}}"#, "[".repeat(128), "]".repeat(128));
    for (body, code) in [
        ("", "malformed_body"),
        ("{", "malformed_body"),
        ("[]", "bad_value"),
        ("{}", "bad_value"),
        (r#"{"kind":7}"#, "bad_value"),
        (r#"{"kind":"none"}"#, "unknown_kind"),
        (r#"{"kind":"agent.replicante.io/cluster.init"}"#, "unknown_kind"),
        (r#"{"kind":"x","kind":"x"}"#, "duplicate_key"),
        (r#"{"kind":"x","args":{"a":{"b":1,"b":2}}}"#, "duplicate_key"),
        (r#"{"kind":"x","more":1}"#, "unknown_key"),
        (r#"{"kind":"x","id":"7"}"#, "bad_id"),
        (r#"{"kind":"x","headers":{"a":1}}"#, "bad_value"),
        (r#"{"kind":"x","requester":""}"#, "bad_value"),
        (r#"{"kind":"x","preconditions":{}}"#, "bad_value"),
        (r#"{"kind":"x","preconditions":{"node_status":[]}}"#, "bad_value"),
        (r#"{"kind":"agent.replicante.io/test.loop","args":[]}"#, "bad_arguments"),
        (
            r#"{"kind":"agent.replicante.io/test.loop","args":{"target":"3"}}"#,
            "bad_arguments",
        ),
        (
            r#"{"kind":"agent.replicante.io/test.success","args":{"a":1}}"#,
            "bad_arguments",
        ),
        (
            r#"{"kind":"agent.replicante.io/test.success","deadline_s":61}"#,
            "bad_value",
        ),
        (&deep, "body_too_deep"),
    ] {
        post(at, "/api/v1/actions", body).refused(400, code);
    }
    let json = "content-type: application/json\r\n";
    let sent = |head: &str, body: &[u8]| ask_with(at, "POST /api/v1/actions", head, Some(body)).unwrap();
    sent(json, b"{\"kind\":\"\xff\"}").refused(400, "malformed_body");
    sent("", b"{}").refused(415, "unsupported_media_type");
    sent("content-type: text/plain\r\n", b"{}").refused(415, "unsupported_media_type");
    sent(json, &vec![b' '; 2_000_000]).refused(413, "body_too_large");
    get(at, "/api/v1/none").refused(404, "unknown_route");
    get(at, "/api/v1/info/node/").refused(404, "unknown_route");
    get(at, "/").refused(404, "unknown_route");
    get(at, "/api/v1/info/node?a=1").refused(400, "bad_parameter");
    get(at, "/api/v1/actions/queue?limit=1001").refused(400, "bad_parameter");
    get(at, "/api/v1/actions/no-uuid").refused(400, "bad_id");
    get(at, &format!("/api/v1/actions/{}", id(1))).refused(404, "unknown_action");
    get(at, &format!("/api/v1/actions/{}/history", id(1))).refused(404, "unknown_action");
    get(at, &format!("/api/v1/actions/{}?wait=1", id(1))).refused(400, "bad_parameter");
    ask_with(at, "GET /api/v1/info/node", "", Some(b"{}"))
        .unwrap()
        .refused(400, "unexpected_body");
    post(at, "/api/v1/kinds/agent.replicante.io/test.success/plan", "{}").refused(501, "no_plan");
    post(at, "/api/v1/kinds/a/b/plan", "{}").refused(404, "no_such_kind");
    let wrong = ask(at, "PUT /api/v1/actions/queue");
    wrong.refused(405, "method_not_allowed");
    assert!(wrong.head.contains("allow: get, head"), "{}", wrong.head);
    let head = ask(at, "HEAD /api/v1/info/node");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let elsewhere = b"GET /api/v1/info/node HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n";
    super::talk::send(at, elsewhere).unwrap().refused(421, "wrong_host");
    assert_eq!(
        get(at, "/api/v1/actions/queue").json(),
        json!({"actions": [], "next": null}),
        "nothing was kept"
    );
}
