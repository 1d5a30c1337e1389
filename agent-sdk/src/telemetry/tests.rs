//! Metrics against the conventions and their table; logs and traces against what was configured.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::client::canned::{Canned, Reply};
use crate::config::{LogFormat, Logs, Traces};
use crate::spec::State;

/// Metrics of which every family has a sample.
fn used() -> Metrics {
    let kinds = BTreeSet::from(["example.org/x".to_owned()]);
    let build = Build {
        version: "0.1.0".into(),
        checkout: Some("abc".into()),
        store_id: "toy".into(),
        kinds,
    };
    let metrics = Metrics::new(build);
    metrics.read_ledger(|| LedgerGauges {
        waiting: 3,
        kept: 7,
        recording: true,
    });
    let took = Duration::from_millis(30);
    metrics.http("GET", Some("/api/v1/actions/{id}"), 200, took);
    metrics.http("BREW", None, 404, took);
    metrics.attempt("example.org/x");
    metrics.finished("example.org/x", State::Done, took);
    metrics.finished("of a client's choosing", State::Failed, took);
    metrics.observed(Observation::Shards, Outcome::Answered, took);
    metrics
}

/// Type, help and label names by family.
fn families(text: &str) -> BTreeMap<String, (String, String, BTreeSet<String>)> {
    let mut families: BTreeMap<String, (String, String, BTreeSet<String>)> = BTreeMap::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# HELP ") {
            let (name, help) = about.split_once(' ').unwrap();
            assert!(
                families
                    .insert(name.into(), (String::new(), help.into(), BTreeSet::new()))
                    .is_none(),
                "{name} twice"
            );
        } else if let Some(about) = line.strip_prefix("# TYPE ") {
            let (name, kind) = about.split_once(' ').unwrap();
            families.get_mut(name).unwrap().0 = kind.into();
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let family = ["", "_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end).filter(|name| families.contains_key(*name)));
            let family = families
                .get_mut(family.unwrap_or_else(|| panic!("{name} is not described")))
                .unwrap();
            for label in labels
                .trim_end_matches('}')
                .split("\",")
                .filter_map(|label| label.split_once('='))
            {
                if label.0 != "le" {
                    family.2.insert(label.0.to_owned());
                }
            }
        }
    }
    families
}

/// What `promtool check metrics` asks for.
#[test]
fn metrics_follow_the_conventions() {
    for (name, (kind, help, labels)) in families(&used().render()) {
        assert!(
            help.len() > 5 && help.ends_with('.'),
            "{name} needs a help text: {help:?}"
        );
        assert!(name.starts_with("agent_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert!(
            ["counter", "gauge", "histogram"].contains(&kind.as_str()),
            "{name} is a {kind}"
        );
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        for word in [
            "count",
            "sum",
            "bucket",
            "counter",
            "gauge",
            "histogram",
            "milliseconds",
            "ms",
            "minutes",
            "hours",
            "kilobytes",
            "kb",
            "percent",
        ] {
            assert!(
                !name.split('_').any(|part| part == word),
                "{name} has {word} in its name"
            );
        }
        if kind == "histogram" {
            assert!(
                name.ends_with("_seconds") || name.ends_with("_bytes"),
                "{name} has no base unit"
            );
        }
        for label in labels {
            assert!(
                [
                    "method",
                    "route",
                    "status",
                    "kind",
                    "state",
                    "observation",
                    "outcome",
                    "version",
                    "checkout",
                    "store_id"
                ]
                .contains(&label.as_str()),
                "{name} has {label}"
            );
        }
    }
}

#[test]
fn no_label_holds_what_a_client_chose() {
    let text = used().render();
    assert!(!text.contains("choosing") && !text.contains("BREW"), "{text}");
    assert!(
        text.contains(r#"agent_actions_finished_total{kind="other",state="FAILED"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"agent_http_requests_total{method="other",route="other",status="404"} 1"#),
        "{text}"
    );
    assert!(
        text.contains("agent_actions_waiting 3\n") && text.contains("agent_actions_kept 7\n"),
        "{text}"
    );
}

#[test]
fn the_table_in_the_documents_is_what_is_rendered() {
    let table = include_str!("../../../docs/metrics.md");
    let mut rows: Vec<String> = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        rows.push(format!(
            "{} {} {} {}",
            cells[0].trim_matches('`'),
            cells[1],
            cells[2].replace('`', ""),
            cells[3]
        ));
    }
    let rendered: Vec<String> = families(&used().render())
        .into_iter()
        .map(|(name, (kind, help, labels))| {
            let labels = labels.into_iter().collect::<Vec<_>>().join(", ");
            let labels = if labels.is_empty() { "-".to_owned() } else { labels };
            format!("{name} {kind} {labels} {help}")
        })
        .collect();
    rows.sort();
    assert_eq!(rows, rendered);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn with_telemetry(format: LogFormat, filter: &str, endpoint: Option<String>, work: impl FnOnce()) -> String {
    let lines = Lines::default();
    let logs = Logs {
        format,
        filter: filter.to_owned(),
    };
    let traces = Traces {
        otlp_endpoint: endpoint,
    };
    let (subscriber, telemetry) =
        install::subscriber(&logs, &traces, "toy-agent", "0.1.0", lines.clone(), false).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        work();
        drop(telemetry);
    });
    lines.text()
}

#[test]
fn logs_are_text_or_json_and_filtered() {
    let work = || {
        tracing::debug!("too quiet");
        tracing::info_span!("action", id = "i1").in_scope(|| tracing::warn!(n = 3, "loud"));
    };
    let text = with_telemetry(LogFormat::Text, "info", None, work);
    assert!(
        text.contains("WARN") && text.contains("loud n=3") && text.contains("id=\"i1\""),
        "{text}"
    );
    assert!(!text.contains("too quiet"), "{text}");
    let json = with_telemetry(LogFormat::Json, "info", None, work);
    let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(
        (&line["level"], &line["message"], &line["n"]),
        (&"WARN".into(), &"loud".into(), &3.into())
    );
    assert_eq!(line["span"]["id"], "i1");
}

const CAME: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn without_an_exporter_a_context_is_passed_on_as_it_came() {
    with_telemetry(LogFormat::Text, "info", None, || {
        let span = tracing::info_span!("request");
        continue_trace(&span, Some(CAME));
        assert_eq!(traceparent(&span, Some(CAME)).as_deref(), Some(CAME));
        assert_eq!(traceparent(&span, None), None);
        for wrong in [
            "",
            "00",
            "00-0-0-01",
            &CAME.to_uppercase(),
            &format!("{CAME}-x"),
            &CAME.replace("00-", "ff-"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert_eq!(traceparent(&span, Some(wrong)), None, "{wrong}");
        }
    });
}

#[test]
fn with_an_exporter_spans_continue_the_trace_and_are_sent() {
    let collector = Canned::start(|_| Reply::Json(200, String::new()));
    let log = with_telemetry(LogFormat::Text, "info", Some(collector.url()), || {
        let span = tracing::info_span!("request of the test");
        continue_trace(&span, Some(CAME));
        let own = span
            .in_scope(|| traceparent(&tracing::Span::current(), Some(CAME)))
            .unwrap();
        assert!(own.starts_with(&CAME[..35]) && own != CAME, "{own}");
        let action = tracing::info_span!(parent: None, "action");
        continue_trace(&action, Some(&own));
        let next = traceparent(&action, None).unwrap();
        assert!(next.starts_with(&CAME[..35]) && next != own, "{next}");
    });
    let asked = collector.asked();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].path.as_str()),
        ("POST", "/v1/traces")
    );
    assert!(
        asked[0].headers.contains("application/x-protobuf"),
        "{}",
        asked[0].headers
    );
    let body = String::from_utf8_lossy(&asked[0].body).into_owned();
    assert!(
        body.contains("request of the test") && body.contains("toy-agent"),
        "{body}"
    );
    assert_eq!(log, "", "a collector that answers is not worth a line");
}

#[test]
fn a_dead_collector_costs_a_log_line() {
    let sender = traces::tests_support::sender("http://127.0.0.1:1");
    let log = with_telemetry(LogFormat::Text, "info", None, || {
        for _ in 0..3 {
            sender();
        }
    });
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("traces cannot be sent") && log.contains("http://127.0.0.1:1"),
        "{log}"
    );
}
