//! Scenes in which an agent has to refuse.

use serde_json::Value;

use super::portrait::Portrait;
use super::scenes::{BLOCKER, TREES, get, post, start, success};
use super::talk::id;
use crate::mutant::{Agent, Fault, Options};

pub fn refusals(portrait: &mut Portrait, faults: &[Fault]) {
    for (tree, action) in TREES {
        let agent = start(faults);
        let at = agent.address.as_str();
        let path = format!("{tree}/{action}");
        let deep = format!(r#"{{"kind":"x","args":{}{}}}"#, "[".repeat(128), "]".repeat(128));
        let fields = [
            r#""id":"7""#,
            r#""more":1"#,
            r#""deadline_s":61"#,
            r#""preconditions":{}"#,
        ];
        let times = [r#""created_time":"2001-02-03T04:05:06+02:00""#, r#""requester":"""#];
        for field in fields.iter().chain(&times) {
            let body = format!(r#"{{"kind":"agent.replicante.io/test.success",{field}}}"#);
            let shown = portrait.0.len();
            let came = portrait.post(at, &path, &body);
            // Ids that the agent gives differ.
            if let Some(id) = came["id"].as_str() {
                portrait.0[shown].1 = portrait.0[shown].1.replace(id, "ID");
            }
        }
        for body in [
            "[]",
            r#"{"kind":"none"}"#,
            r#"{"kind":"agent.replicante.io/test.loop","args":{"target":"3"}}"#,
        ] {
            portrait.post(at, &path, body);
        }
        for body in [r#"{"kind":"x","kind":"x"}"#, &deep] {
            portrait.post(at, &path, body);
        }
        let post = format!("POST {path}");
        portrait.ask(at, &post, "content-type: text/plain\r\n", Some(b"{\"kind\":\"none\"}"));
        portrait.ask(
            at,
            &post,
            "content-type: application/json\r\n",
            Some(b"{\"kind\":\"\xff\"}"),
        );
        portrait.ask(
            at,
            &post,
            "content-type: application/json\r\n",
            Some(&vec![b' '; 1_100_000]),
        );
        for line in [
            "GET TREE/none",
            "GET TREE/info/node/",
            "GET TREE/ACTION/no-uuid",
            "PUT TREE/actions/queue",
        ] {
            portrait.ask(at, &line.replace("TREE", tree).replace("ACTION", action), "", None);
        }
        portrait.ask(at, &format!("GET {path}/{}", id(1)), "", None);
        portrait.ask(at, &format!("HEAD {tree}/info/node"), "", None);
        portrait.post(at, &path, "{");
        portrait.get(at, &format!("{tree}/info/store"));
        portrait.keep("actions kept", agent.look(|book| book.actions.len()));
    }
}

pub fn access(portrait: &mut Portrait, faults: &[Fault]) {
    let agent = Agent::start(Options {
        faults: faults.to_vec(),
        token: Some("canary".to_owned()),
        ..Options::default()
    });
    for head in [
        "",
        "authorization: Bearer wrong\r\n",
        "authorization: Bearer canary\r\n",
    ] {
        portrait.ask(&agent.address, "GET /api/v1/info/store", head, None);
    }
    let elsewhere = b"GET /api/v1/info/store HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n";
    let came = super::talk::send(&agent.address, elsewhere);
    portrait.keep("another host", came.map_or(0, |came| came.status));
}

pub fn load(portrait: &mut Portrait, faults: &[Fault]) {
    let agent = Agent::start(Options {
        faults: faults.to_vec(),
        max_queued: 30,
        ..Options::default()
    });
    let at = agent.address.as_str();
    post(at, "/api/v1/actions", &BLOCKER.replace("ID", &id(0)));
    for number in 1..40 {
        post(at, "/api/v1/actions", &success(number));
    }
    let queue = get(at, "/api/v1/actions/queue?limit=1000");
    portrait.keep(
        "all that were accepted",
        queue["actions"].as_array().map_or(0, Vec::len),
    );
    for (tree, action) in TREES {
        portrait.post(at, &format!("{tree}/{action}"), &success(90));
    }
    let agent = start(faults);
    let twice = (0..2).map(|_| {
        let at = agent.address.clone();
        std::thread::spawn(move || post(&at, "/api/v1/actions", &success(1)))
    });
    let twice: Vec<_> = twice.collect();
    let mut statuses: Vec<Value> = twice.into_iter().map(|one| one.join().unwrap().into()).collect();
    statuses.sort_by_key(ToString::to_string);
    portrait.keep("one id, twice at once", Value::from(statuses));
}
