//! Every route by every credential and every setting, and the hosts that are answered.

use actix_web::http::Method;
use insta::assert_snapshot;

use super::super::Role;
use super::super::route::Table;
use super::golden::Transcript;
use super::stage::{ACTS, READS, Setting, Stage};
use crate::config::{Anonymous, Api, Tree};

fn stage(anonymous: Anonymous) -> Stage {
    let setting = Setting::default();
    Stage::set(Setting {
        api: Api {
            anonymous: Some(anonymous),
            ..setting.api
        },
        ..setting
    })
}

#[test]
fn every_route_by_every_credential() {
    for (anonymous, open) in [
        (Anonymous::None, Role::None),
        (Anonymous::Read, Role::Read),
        (Anonymous::Act, Role::Act),
    ] {
        let stage = stage(anonymous);
        let mut transcript = Transcript::new(stage.address);
        for place in Table::new(&[Tree::V1, Tree::Unstable]).places() {
            let path = place
                .path
                .replace("{id}", &super::actions::id(1))
                .replace("{scope}/{name}", "example.org/raise");
            for route in &place.routes {
                // An empty object is a fault everywhere, and is only found by who may come that far.
                let body = if route.method == Method::POST { "{}" } else { "" };
                let mut status = |token: Option<&str>| {
                    let token = token.map(|token| format!("authorization: Bearer {token}"));
                    let mut headers = vec!["content-type: application/json"];
                    headers.extend(token.as_deref());
                    let answer = transcript.ask(route.method.as_str(), &path, &headers, body);
                    assert_eq!(answer.status == 401, answer.headers.contains_key("www-authenticate"));
                    match answer.status {
                        401 | 403 => answer.status,
                        _ => 0,
                    }
                };
                let wanted = |role: Role, otherwise| if role >= route.needs { 0 } else { otherwise };
                let place = format!("{} {} {anonymous:?}", route.method, route.path);
                assert_eq!(status(None), wanted(open, 401), "{place}");
                assert_eq!(status(Some(READS)), wanted(Role::Read, 403), "{place}");
                assert_eq!(status(Some(ACTS)), 0, "{place}");
                assert_eq!(status(Some("wrong")), wanted(Role::None, 401), "{place}");
            }
        }
        stage.assert_nothing_stored();
    }
}

#[test]
fn who_is_refused_is_told_why() {
    let stage = stage(Anonymous::None);
    let mut transcript = Transcript::new(stage.address);
    let body = r#"{"kind":"example.org/gate"}"#;
    for path in ["/api/v1/actions", "/api/unstable/action"] {
        for credentials in ["", "Bearer wrong", "Basic YTpi", &format!("Bearer {READS}")] {
            let credentials = format!("authorization: {credentials}");
            let mut headers = vec!["content-type: application/json"];
            if credentials.len() > 15 {
                headers.push(&credentials);
            }
            transcript.ask("POST", path, &headers, body);
        }
    }
    stage.assert_nothing_stored();
    // Whoever may not come in still learns that the process lives, and what is served.
    assert_eq!(transcript.get("/healthz").status, 200);
    assert_eq!(transcript.get("/readyz").status, 200);
    assert_eq!(transcript.get("/api/v1/nowhere").status, 404);
    assert_eq!(transcript.ask("PUT", "/api/v1/actions", &[], "").status, 405);
    assert_snapshot!(transcript.finish());
}

/// A body is not even waited for before its sender may act.
#[test]
fn credentials_come_before_the_body() {
    let stage = stage(Anonymous::Read);
    let head = "POST /api/v1/actions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n";
    assert_eq!(
        super::talk::exchange(stage.address, head.as_bytes()).code(),
        "unauthenticated"
    );
}

#[test]
fn a_foreign_host_is_answered_nowhere() {
    let setting = Setting::default();
    let hosts = vec!["agent.example.org".to_owned()];
    let stage = Stage::set(Setting {
        api: Api { hosts, ..setting.api },
        ..setting
    });
    let ask = |path: &str, host: &str| {
        super::talk::exchange(
            stage.address,
            format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes(),
        )
    };
    for path in [
        "/api/v1/info/node",
        "/api/unstable/info/node",
        "/healthz",
        "/metrics",
        "/nowhere",
    ] {
        for host in [
            "evil.example.org",
            "evil.example.org:8000",
            "192.0.2.1",
            "127.0.0.1.evil.org",
            "",
        ] {
            assert_eq!(ask(path, host).code(), "wrong_host", "{path} {host}");
        }
        assert_eq!(ask(path, "a b").code(), "bad_host");
        for host in [
            "localhost",
            "127.0.0.1:1",
            "[::1]",
            "Agent.Example.org:443",
            &stage.address.to_string(),
        ] {
            assert_ne!(ask(path, host).status, 421, "{path} {host}");
        }
    }
    let absolute = "GET http://evil.example.org/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(
        super::talk::exchange(stage.address, absolute.as_bytes()).code(),
        "wrong_host"
    );
    assert_snapshot!(
        "a_foreign_host",
        ["/api/v1/info/node", "/api/unstable/info/node"]
            .map(|path| ask(path, "evil").text().to_owned())
            .join("\n")
    );
    // Without a Host the head is no request (HTTP/1.1), or names nobody (HTTP/1.0).
    assert_eq!(
        super::talk::exchange(stage.address, b"GET /healthz HTTP/1.1\r\n\r\n").status,
        400
    );
    assert_eq!(
        super::talk::exchange(stage.address, b"GET /healthz HTTP/1.0\r\n\r\n").code(),
        "bad_host"
    );
}
