//! The client against a server that says what it is told to, garbage included.

use std::time::Duration;

use super::canned::{Canned, Reply};
use super::{Client, ClientError, Http, Method, Request, Schedule, wait};

const NODE: &str = r#"{"node_id":"n1","node_status":"HEALTHY","node_status_reason":null,
    "agent_version":{"number":"0.1.0","checkout":null,"taint":null},"store_id":"toy",
    "store_version":{"number":"1.0.0","checkout":null,"extra":null},
    "addresses":{"client":"h:1","member":null},"attributes":{"example.org/rack":"r1"},"from_a_newer_agent":1}"#;

fn answering(status: u16, body: &'static str) -> (Canned, Client) {
    serving(move || Reply::Json(status, body.to_owned()))
}

fn serving(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Canned, Client) {
    let server = Canned::start(move |_| reply());
    let client = Client::new(&server.url()).unwrap();
    (server, client)
}

#[test]
fn an_answer_becomes_its_type_and_the_token_goes_along() {
    let (server, client) = answering(200, NODE);
    let node = wait(client.with_token("s3cret\n").node()).unwrap();
    assert_eq!((node.node_id.as_str(), node.node_status.name()), ("n1", "HEALTHY"));
    let asked = server.asked();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].path.as_str()),
        ("GET", "/api/v1/info/node")
    );
    assert!(
        asked[0]
            .headers
            .to_ascii_lowercase()
            .contains("authorization: bearer s3cret\r\n")
    );
}

#[test]
fn it_is_used_from_async_code_of_any_runtime() {
    let (_server, client) = answering(200, NODE);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let task = runtime.spawn(async move { client.node().await.map(|node| node.store_id) });
    assert_eq!(runtime.block_on(task).unwrap().unwrap(), "toy");
}

#[test]
fn what_is_scheduled_is_sent_as_it_was_given() {
    let (server, client) = answering(201, r#"{"id":"67e55044-10b1-426f-9247-bb680e5fe0c8"}"#);
    let mut schedule = Schedule::new("example.org/x");
    schedule.args = Some(serde_json::value::RawValue::from_string("{\"n\": 1.50}".to_owned()).unwrap());
    let scheduled = wait(client.schedule(&schedule)).unwrap();
    assert_eq!(scheduled.id.to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
    let asked = &server.asked()[0];
    assert_eq!(asked.body, br#"{"kind":"example.org/x","args":{"n": 1.50}}"#);
    assert!(
        asked
            .headers
            .to_ascii_lowercase()
            .contains("content-type: application/json\r\n")
    );
}

#[test]
fn a_refusal_is_told_with_its_code_and_field() {
    let (_server, client) = answering(
        400,
        r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"no such kind","code":"unknown_kind","field":"/kind"}"#,
    );
    let error = wait(client.schedule(&Schedule::new("a/b"))).unwrap_err();
    assert_eq!(
        error.problem().map(|problem| problem.code.as_str()),
        Some("unknown_kind")
    );
    assert_eq!(error.to_string(), "no such kind at /kind (400 unknown_kind)");
}

#[test]
fn garbage_is_an_error_and_never_a_panic() {
    for body in ["", "{", "[]", "null", "{\"node_id\":1}", "\u{0}", "<html>"] {
        for status in [200, 404, 500] {
            let (_server, client) = answering(status, body);
            let error = wait(client.node()).unwrap_err();
            assert!(matches!(error, ClientError::Garbled { .. }), "{body:?}: {error}");
        }
    }
    for bytes in [
        &b"no http at all\r\n\r\n"[..],
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"",
    ] {
        let (_server, client) = serving(move || Reply::Raw(bytes.to_vec()));
        wait(client.node()).unwrap_err();
    }
}

#[test]
fn an_answer_that_is_cut_short_is_an_error() {
    let (_server, client) = serving(|| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()));
    let error = wait(client.node()).unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

#[test]
fn length_and_time_are_bounded() {
    let (server, _) = answering(200, "0123456789");
    let http = Http::new().unwrap();
    let short = Request {
        limit: 9,
        ..Request::new(Method::Get, server.url())
    };
    assert!(matches!(
        wait(http.send(short)),
        Err(ClientError::TooLong { limit: 9, .. })
    ));

    let (silent, _) = serving(|| Reply::Silence);
    let hasty = Request {
        timeout: Duration::from_millis(20),
        ..Request::new(Method::Get, silent.url())
    };
    assert!(matches!(wait(http.send(hasty)), Err(ClientError::Timeout { .. })));
}

#[test]
fn nobody_there_is_said_with_the_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = wait(Client::new(&format!("http://{free}")).unwrap().node()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("http://{free}/api/v1/info/node cannot be reached: connection refused")
    );
}

#[test]
fn addresses_that_are_none_are_refused_at_once() {
    for url in [
        "",
        "127.0.0.1:8000",
        "ftp://h",
        "https://h",
        "http://",
        "http://h/?q",
        "http://h h",
    ] {
        let error = Client::new(url).unwrap_err();
        assert!(matches!(error, ClientError::Address { .. }), "{url}");
    }
}

#[test]
fn the_thread_ends_with_the_last_handle() {
    let (http, thread) = Http::start().unwrap();
    let other = http.clone();
    drop(http);
    assert!(!thread.is_finished());
    drop(other);
    thread.join().unwrap();
}
