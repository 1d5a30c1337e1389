//! What only a plain socket can send: bodies without end, lying lengths, slow ones, broken heads.

use std::fmt::Write as _;
use std::io::Write;
use std::time::{Duration, Instant};

use super::stage::{Setting, Stage};
use super::talk;
use crate::config::Api;

const LIMIT: usize = 4096;

fn head(rest: &str) -> Vec<u8> {
    format!("POST /api/v1/actions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{rest}\r\n\r\n")
        .into_bytes()
}

/// A body of exactly this length.
fn body(length: usize) -> String {
    let empty = r#"{"kind":"example.org/gate","headers":{"a":""}}"#;
    empty.replace(r#""a":"""#, &format!(r#""a":"{}""#, "x".repeat(length - empty.len())))
}

#[test]
fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let stage = Stage::new();
    let send = |length: usize| {
        let mut request = head(&format!("content-length: {length}"));
        request.extend(body(length).bytes());
        talk::exchange(stage.address, &request)
    };
    assert_eq!(send(LIMIT).status, 201);
    let answer = send(LIMIT + 1);
    assert_eq!(
        (answer.code().as_str(), answer.headers["connection"].as_str()),
        ("body_too_large", "close")
    );
}

/// The length alone is enough: not a byte of the body is waited for.
#[test]
fn a_length_over_the_limit_is_refused_unread() {
    let stage = Stage::new();
    for length in ["4097", "99999999999", "18446744073709551615"] {
        let answer = talk::exchange(stage.address, &head(&format!("content-length: {length}")));
        assert_eq!(answer.code(), "body_too_large");
    }
    stage.assert_nothing_stored();
}

#[test]
fn chunks_without_end_are_refused_at_the_limit() {
    let stage = Stage::new();
    let mut socket = talk::connect(stage.address);
    socket.write_all(&head("transfer-encoding: chunked")).unwrap();
    let chunk = format!("100\r\n{}\r\n", " ".repeat(256));
    for _ in 0..=LIMIT / 256 {
        socket.write_all(chunk.as_bytes()).unwrap();
    }
    assert_eq!(talk::read(&mut socket, false).code(), "body_too_large");
    talk::rest(&mut socket);
    stage.assert_nothing_stored();
}

/// Whoever goes on sending after the answer is cut off, whatever was asked.
#[test]
fn a_connection_ends_with_an_answer_that_left_its_body_unread() {
    let stage = Stage::new();
    let begun = Instant::now();
    let sockets: Vec<_> = [
        "GET /api/unstable/info/node HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
        "GET /api/v1/info/node HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST /nowhere HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST /nowhere HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n",
    ]
    .map(|begin| {
        let mut socket = talk::connect(stage.address);
        socket.write_all(begin.as_bytes()).unwrap();
        socket
    })
    .into();
    for mut socket in sockets {
        let answer = String::from_utf8(talk::rest(&mut socket)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 ") && answer.ends_with('}'), "{answer}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// Whoever asks and asks and never reads is cut off.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let stage = Stage::new();
    let mut socket = talk::connect(stage.address);
    let ask = b"GET /api/v1/kinds HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1000);
    // The write ends with an error once the server is gone; it would time out if the server stayed.
    let end = (0..).find_map(|_| socket.write_all(&ask).err()).unwrap();
    assert!(
        matches!(
            end.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        ),
        "{end}"
    );
}

#[test]
fn a_body_in_chunks_is_read_as_a_whole() {
    let stage = Stage::new();
    let mut request = head("transfer-encoding: chunked");
    for piece in [r#"{"kind":"exam"#, "ple.org/g", r#"ate"}"#] {
        request.extend(format!("{:x}\r\n{piece}\r\n", piece.len()).bytes());
    }
    request.extend(b"0\r\n\r\n");
    assert_eq!(talk::exchange(stage.address, &request).status, 201);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let stage = Stage::new();
    let mut socket = talk::connect(stage.address);
    socket.write_all(&head("content-length: 100")).unwrap();
    socket.write_all(b"{").unwrap();
    let answer = talk::read(&mut socket, false);
    assert_eq!(
        (answer.code().as_str(), answer.headers["connection"].as_str()),
        ("body_timeout", "close")
    );
    stage.assert_nothing_stored();
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let stage = Stage::new();
    for begun in ["", "GET /healthz HTTP/1.1\r\nhost: loc"] {
        let mut socket = talk::connect(stage.address);
        socket.write_all(begun.as_bytes()).unwrap();
        let answer = talk::rest(&mut socket);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"),
            "{:?}",
            String::from_utf8_lossy(&answer)
        );
    }
}

/// A client that says more than it sends, and leaves.
#[test]
fn a_body_cut_short_stores_nothing() {
    let stage = Stage::new();
    for length in ["100", "4096"] {
        let mut socket = talk::connect(stage.address);
        let mut request = head(&format!("content-length: {length}"));
        request.extend(br#"{"kind":"example.org/gate"}"#);
        socket.write_all(&request).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = String::from_utf8(talk::rest(&mut socket)).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    stage.assert_nothing_stored();
}

/// What follows the length that was said is another request, and no good one.
#[test]
fn a_body_longer_than_it_says_is_cut_there() {
    let stage = Stage::new();
    let mut request = head("content-length: 5");
    request.extend(br#"{"kind":"example.org/gate"}"#);
    assert_eq!(talk::exchange(stage.address, &request).code(), "malformed_body");
    stage.assert_nothing_stored();
}

#[test]
fn broken_heads_are_refused() {
    let stage = Stage::new();
    let mut long = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n".to_owned();
    for number in 0..200 {
        write!(long, "x-{number}: y\r\n").unwrap();
    }
    let wide = format!(
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "y".repeat(200_000)
    );
    for broken in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nhost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
        "POST /api/v1/actions HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n",
        "POST /api/v1/actions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &format!("{long}\r\n"),
        &wide,
    ] {
        let mut socket = talk::connect(stage.address);
        // The server may close before it has all of it.
        let _ = socket.write_all(broken.as_bytes());
        let answer = String::from_utf8(talk::rest(&mut socket)).unwrap();
        let begin: String = broken.chars().take(60).collect();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{begin:?}: {answer}"
        );
    }
    stage.assert_nothing_stored();
}

#[test]
fn a_connection_serves_one_request_after_another() {
    let stage = Stage::new();
    let mut socket = talk::connect(stage.address);
    for _ in 0..3 {
        socket
            .write_all(b"GET /api/unstable/info/node HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        assert_eq!(talk::read(&mut socket, false).status, 200);
        socket
            .write_all(b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        assert_eq!(talk::read(&mut socket, false).status, 404);
    }
}

/// An id that came and went over a trace is kept beside the headers, never in them.
#[test]
fn the_trace_of_a_request_is_kept() {
    let stage = Stage::new();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (value, kept) in [(trace, Some(trace)), ("nonsense", None)] {
        let body = r#"{"kind":"example.org/gate"}"#;
        let mut request = head(&format!("traceparent: {value}\r\ncontent-length: {}", body.len()));
        request.extend(body.bytes());
        let id = talk::exchange(stage.address, &request).json()["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let record = stage.runtime.block_on(stage.ledger.record(id)).unwrap().unwrap();
        assert_eq!(record.trace.as_deref(), kept);
        assert!(record.headers.is_empty());
    }
}

/// More than may be connected at once have to wait, and are served when others go.
#[test]
fn connections_over_the_limit_wait_for_a_place() {
    let setting = Setting::default();
    let stage = Stage::set(Setting {
        api: Api {
            max_connections: 16,
            ..setting.api
        },
        ..setting
    });
    let idle: Vec<_> = (0..40).map(|_| talk::connect(stage.address)).collect();
    // Those that say nothing are closed after a second, and then there is a place.
    assert_eq!(
        talk::exchange(stage.address, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").status,
        200
    );
    drop(idle);
}
