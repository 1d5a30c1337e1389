//! Every class of a wrong configuration, and that the example is a right one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;

/// A vendor's section.
#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)] // read by the deserializer alone
struct Toy {
    /// Address of the toy server.
    #[schemars(example = "127.0.0.1:7000")]
    server: String,
    /// Who the agent is to the store.
    #[serde(default)]
    login: Login,
    /// How many links it may open, 1 to 8.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 8))]
    links: u8,
    /// Odds and ends.
    #[serde(default)]
    options: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Login {
    /// The password's file.
    password_file: Option<String>,
    /// The password itself.
    password: Option<Digits>,
}

/// A type whose errors repeat what they were given.
#[derive(Debug, JsonSchema)]
struct Digits(#[allow(dead_code)] String);

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().all(|c| c.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom(format!("{text} is no number")))
        }
    }
}

fn two() -> u8 {
    2
}

const LEAST: &str = "state_directory: /s\nstore:\n  server: h:1\n";

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Validated<Toy>, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    parse(Path::new("agent.yaml"), text, variables).map_err(|error| error.to_string())
}

fn fault(text: &str) -> String {
    read(text, &[]).unwrap_err()
}

fn with(more: &str) -> String {
    format!("{LEAST}{more}")
}

#[test]
fn the_least_configuration_has_all_defaults() {
    let read = read(LEAST, &[]).unwrap();
    let config = read.config();
    assert_eq!(config.api.bind.to_string(), "127.0.0.1:8000");
    assert_eq!(config.api.anonymous(), Anonymous::Read);
    assert_eq!((config.store.server.as_str(), config.store.links), ("h:1", 2));
    assert!(read.warnings().is_empty());
}

#[test]
fn sections_whose_keys_are_all_commented_out_are_default() {
    assert!(read(&with("node:\n  # id: x\nlogs:\n"), &[]).is_ok());
}

#[test]
fn text_that_looks_like_a_number_stays_as_it_was_written() {
    let read = read(
        &with("node:\n  version: 3.10\n  id: 0042\n  zone: no\n"),
        &[("AGENT__NODE__CLUSTER_ID", "1.0")],
    )
    .unwrap();
    let node = &read.config().node;
    assert_eq!(node.version.as_deref(), Some("3.10"));
    assert_eq!(node.id.as_deref(), Some("0042"));
    assert_eq!(node.zone.as_deref(), Some("no"));
    assert_eq!(node.cluster_id.as_deref(), Some("1.0"));
    assert_eq!(read.store_version().unwrap().number.to_string(), "3.10.0");
    assert_eq!(
        read.attributes().get("replicante.io/zone"),
        Some(&serde_json::json!("no"))
    );
}

#[test]
fn unknown_keys_are_named_with_their_line_and_what_is_known() {
    insta::assert_snapshot!(fault(&with("api:\n  bnd: 127.0.0.1:1\n")), @"agent.yaml:5: api.bnd: unknown key; known here: bind, trees, anonymous, hosts, max_body_bytes, max_connections, client_timeout_s, workers");
    insta::assert_snapshot!(fault(&with("apis: {}\n")), @"agent.yaml:4: apis: unknown key; known here: state_directory, node, api, actions, observe, logs, traces, store");
    // The vendor's type would ignore this one.
    insta::assert_snapshot!(fault("state_directory: /s\nstore:\n  server: h:1\n  sever: h:2\n"), @"agent.yaml:4: store.sever: unknown key");
}

#[test]
fn wrong_types_are_named_with_what_would_be_right() {
    insta::assert_snapshot!(fault(&with("api:\n  workers: many\n")), @"agent.yaml:5: api.workers: expected a whole number, not negative, found text. It is: Threads that serve HTTP, 1 to 64.");
    insta::assert_snapshot!(fault(&with("api:\n  workers: 1.5\n")), @"agent.yaml:5: api.workers: expected a whole number, not negative, found a number. It is: Threads that serve HTTP, 1 to 64.");
    insta::assert_snapshot!(fault(&with("api:\n  hosts: a\n")), @"agent.yaml:5: api.hosts: expected a list, found text. It is: Names besides the bound address and localhost by which clients may call the agent (the Host header).");
    insta::assert_snapshot!(fault(&with("api: [1]\n")), @"agent.yaml:4: api: expected a section of keys with values, found a list. It is: The HTTP interface.");
    insta::assert_snapshot!(fault(&with("api:\n  bind: localhost\n")), @"agent.yaml:5: api.bind: invalid socket address syntax. It is: Address and port to listen on, such as 127.0.0.1:8000. Port 0 takes a free one.");
    insta::assert_snapshot!(fault(&with("logs:\n  format: xml\n")), @"agent.yaml:5: logs.format: expected one of text, json. It is: Lines for people, or one JSON object a line.");
    insta::assert_snapshot!(fault(&with("node:\n  attributes: [a]\n")), @"agent.yaml:5: node.attributes: expected keys with values, found a list. It is: Further attributes of the node: scoped names such as example.org/rack, and text, numbers, booleans or null.");
    insta::assert_snapshot!(fault("- a\n"), @"agent.yaml:1: expected a section of keys with values, found a list");
}

#[test]
fn missing_keys_are_named() {
    insta::assert_snapshot!(fault(""), @"agent.yaml:1: state_directory: missing: it has no default. It is: Directory for the agent's database, its local token and its lock. Made when missing, readable by its owner only.");
    insta::assert_snapshot!(fault("state_directory: /s\n"), @"agent.yaml:1: store: missing: it has no default. It is: The store beside the agent.");
    insta::assert_snapshot!(fault("state_directory: /s\nstore:\n  links: 1\n"), @"agent.yaml:3: store.server: missing: it has no default. It is: Address of the toy server.");
}

#[test]
fn impossible_values_are_named_all_at_once() {
    insta::assert_snapshot!(fault(&with("api:\n  workers: 0\n  max_body_bytes: 5\nobserve:\n  deadline_ms: 1000000\n")), @r#"
    agent.yaml:5: api.workers: it must be 1 to 64
    agent.yaml:6: api.max_body_bytes: it must be 1024 to 16777216
    agent.yaml:8: observe.deadline_ms: it must be 50 to 30000
    "#);
    insta::assert_snapshot!(fault("state_directory: /s\nstore: {server: h, links: 9}\n"), @"agent.yaml:2: store.links: it must be 1 to 8");
    insta::assert_snapshot!(fault(&with("api:\n  workers: -1\n")), @"agent.yaml:5: api.workers: expected a whole number, not negative. It is: Threads that serve HTTP, 1 to 64.");
    insta::assert_snapshot!(
        fault(&with("node:\n  version: new\n  zone: a\n  attributes:\n    plain: 1\n    replicante.io/x: 2\n    a/b: [1]\n")),
        @r#"
    agent.yaml:5: node.version: it must begin with a number, such as 3.9.5
    agent.yaml:10: node.attributes.a/b: its value is neither text, number, boolean nor null
    agent.yaml:8: node.attributes.plain: its name has no scope, such as example.org/name
    agent.yaml:8: node.attributes.replicante.io/x: its scope is reserved for the specification
    "#
    );
    insta::assert_snapshot!(fault(&with("api:\n  hosts: ['', 'a b']\n  trees: []\nlogs:\n  filter: loud\n")), @r#"
    agent.yaml:6: api.trees: it must name at least one of v1, unstable
    agent.yaml:5: api.hosts.0: it must be a host's name, such as node1.example.org
    agent.yaml:5: api.hosts.1: it must be a host's name, such as node1.example.org
    agent.yaml:8: logs.filter: it must be a level (error, warn, info, debug, trace, off), or levels by module such as info,agent_sdk=debug
    "#);
    insta::assert_snapshot!(fault(&with("traces:\n  otlp_endpoint: https://c:4318\n")), @"agent.yaml:5: traces.otlp_endpoint: https is not supported yet: use http:// and a collector on this host");
    insta::assert_snapshot!(fault(&with("traces:\n  otlp_endpoint: c:4318\n")), @"agent.yaml:5: traces.otlp_endpoint: it must be an http:// address, such as http://127.0.0.1:4318");
}

#[test]
fn what_is_no_yaml_is_named_with_its_line() {
    insta::assert_snapshot!(fault("a: b\n  c: d\n"), @"agent.yaml:2: no YAML: mapping values are not allowed in this context");
    insta::assert_snapshot!(fault("state_directory: /s\nstate_directory: /t\n"), @"agent.yaml:2: no YAML: duplicate mapping key: state_directory");
    insta::assert_snapshot!(fault("a: *nowhere\n"), @"agent.yaml:1: no YAML: alias references unknown anchor");
    assert!(fault(&"[".repeat(10_000)).contains("no YAML"));
    let level = |n: u32| match n {
        0 => "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
        n => format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 7].join(", ")),
    };
    let bomb: String = (0..12).map(level).collect();
    assert!(fault(&bomb).contains("no YAML"));
}

#[test]
fn variables_override_and_are_named_when_they_are_wrong() {
    let read_with = |variables: &[(&str, &str)]| read(LEAST, variables);
    let read = read_with(&[
        ("AGENT__API__BIND", "0.0.0.0:1"),
        ("AGENT__API__ANONYMOUS", "act"),
        ("AGENT__API__HOSTS", "[a, b]"),
        ("AGENT__NODE", "{id: n1, zone: z}"),
        ("AGENT__NODE__ID", "n2"),
        ("AGENT__STORE__SERVER", "'[::1]:7000'"),
        ("AGENT_OTHER", "ignored"),
    ])
    .unwrap();
    let config = read.config();
    assert_eq!(
        (config.api.bind.to_string().as_str(), config.api.hosts.len()),
        ("0.0.0.0:1", 2)
    );
    assert_eq!(
        (config.node.id.as_deref(), config.node.zone.as_deref()),
        (Some("n2"), Some("z"))
    );
    assert_eq!(config.store.server, "[::1]:7000");
    assert_eq!(
        read.warnings().len(),
        1,
        "acting without a token from anywhere deserves a second look"
    );

    let wrong = |name, value| read_with(&[(name, value)]).unwrap_err();
    insta::assert_snapshot!(wrong("AGENT__API__WORKERS", "many"), @"environment variable AGENT__API__WORKERS: api.workers: expected a whole number, not negative, found text. It is: Threads that serve HTTP, 1 to 64.");
    insta::assert_snapshot!(wrong("AGENT__API__WORKERS", "65"), @"environment variable AGENT__API__WORKERS: api.workers: it must be 1 to 64");
    insta::assert_snapshot!(wrong("AGENT__API__BNID", "1"), @"environment variable AGENT__API__BNID: api.bnid: unknown key; known here: bind, trees, anonymous, hosts, max_body_bytes, max_connections, client_timeout_s, workers");
    insta::assert_snapshot!(wrong("AGENT__STORE__SEVER", "1"), @"environment variable AGENT__STORE__SEVER: store.sever: unknown key");
    insta::assert_snapshot!(wrong("AGENT__API____BIND", "1"), @"environment variable AGENT__API____BIND: api: its name has an empty part: write AGENT__SECTION__KEY");
    insta::assert_snapshot!(wrong("AGENT__API__BIND__PORT", "1"), @"environment variable AGENT__API__BIND__PORT: api.bind: expected socket address, found a section of keys with values. It is: Address and port to listen on, such as 127.0.0.1:8000. Port 0 takes a free one.");
    insta::assert_snapshot!(wrong("AGENT__API__HOSTS", "[a"), @"environment variable AGENT__API__HOSTS: its value is no YAML (unclosed bracket '['): put text with special characters in quotes");
    insta::assert_snapshot!(wrong("AGENT__TRACES__OTLP_ENDPOINT", "https://x"), @"environment variable AGENT__TRACES__OTLP_ENDPOINT: traces.otlp_endpoint: https is not supported yet: use http:// and a collector on this host");
}

#[test]
fn secrets_are_never_shown() {
    let canary = "hunter2";
    for text in [
        with("  login:\n    password: hunter2\n"),
        with("  login:\n    password: [hunter2]\n"),
        with("  login: hunter2\n"),
        with("  links: hunter2\n"),
        with("  login:\n    password: {a: hunter2}\n"),
        with("  login:\n    password: 'hunter2\n"),
        with("api:\n  bind: hunter2\nlogs: {format: hunter2}\n"),
    ] {
        let fault = fault(&text);
        assert!(!fault.contains(canary), "{fault}");
    }
    for value in ["hunter2", "[hunter2", "\"hunter2"] {
        let fault = read(LEAST, &[("AGENT__STORE__LOGIN__PASSWORD", value)]).unwrap_err();
        assert!(!fault.contains(canary), "{fault}");
        assert!(fault.contains("AGENT__STORE__LOGIN__PASSWORD"), "{fault}");
    }
}

#[test]
fn the_example_is_a_configuration_and_says_every_key() {
    let text = example::<Toy>("toy-agent");
    read(&text, &[]).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn defaults_are_within_their_ranges_and_what_the_documents_say() {
    let config = read(LEAST, &[]).unwrap().into_config();
    assert!(config.validate().is_ok());
    let schema = serde_json::to_value(schema::<Toy>()).unwrap();
    for section in ["Api", "Actions", "Observe"] {
        for (key, about) in schema["$defs"][section]["properties"].as_object().unwrap() {
            let (Some(least), Some(most)) = (about["minimum"].as_u64(), about["maximum"].as_u64()) else {
                continue;
            };
            let said = about["description"].as_str().unwrap().replace([',', '\n'], "");
            let shown = |number: u64| match number {
                1024 => "1 KiB".to_owned(),
                16_777_216 => "16 MiB".to_owned(),
                other => other.to_string(),
            };
            let range = format!("{} to {}", shown(least), shown(most));
            assert!(
                said.contains(&range),
                "{section}.{key} says {said:?}, its range is {range}"
            );
        }
    }
}

#[test]
fn a_configuration_made_by_a_program_is_checked_as_well() {
    let mut config = read(LEAST, &[]).unwrap().into_config();
    config.api.workers = 0;
    config.observe.deadline_ms = 1;
    let keys: Vec<_> = config
        .validate()
        .unwrap_err()
        .into_iter()
        .map(|fault| fault.key)
        .collect();
    assert_eq!(keys, ["api.workers", "observe.deadline_ms"]);
}

#[test]
fn comments_may_be_as_long_as_they_are() {
    let comments = "  # of a section that is not used\n".repeat(1_000);
    let text = format!("{comments}{}{comments}", with("api:\n  workers: 2\n"));
    assert!(read(&text, &[]).is_ok(), "{}", fault(&text));
}
