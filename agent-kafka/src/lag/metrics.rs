//! Lag by the node's own metrics, in the text form of Prometheus, as its exporter for JMX writes them:
//! `kafka.server:type=FetcherLagMetrics,name=ConsumerLag,clientId=…,topic=…,partition=…`.
//!
//! Exporters are configured in many ways. So a line counts by what it is of, whatever separates the words of its name:
//! `ConsumerLag` of `FetcherLagMetrics`, in the name or as a label, with the labels `topic` and `partition`. A partition
//! that is fetched by several fetchers is as far behind as their sum.

use std::collections::HashMap;
use std::time::Duration;

use agent_sdk::config::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Lags;

/// The longest text that is read, in bytes: ten thousand partitions have some 40 lines each.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads the metrics.
///
/// **Guarantees**: returns within the time given, and holds one line at a time.
pub async fn ask(address: &Address, within: Duration) -> Result<Lags, String> {
    let asked = timeout(within, exchange(address)).await;
    asked.map_err(|_| "no answer in time".to_owned()).flatten()
}

async fn exchange(address: &Address) -> Result<Lags, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(told)?;
    // HTTP/1.0: the answer ends with the connection, and comes in one piece.
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\nAccept: text/plain\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(told)?;
    let mut stream = stream.take(LARGEST);
    let mut reading = Reading::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.read(&mut buffer).await.map_err(told)? {
            0 => return reading.end(),
            read => reading.feed(&buffer[..read])?,
        }
    }
}

/// The longest line that is looked at, in bytes; a longer one is no answer of this kind.
const LONGEST_LINE: usize = 64 * 1024;

/// What was read so far.
#[derive(Default)]
struct Reading {
    line: Vec<u8>,
    status: Option<String>,
    topics: HashMap<String, HashMap<i32, i64>>,
}

impl Reading {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > LONGEST_LINE {
                return Err("its lines are too long for metrics".to_owned());
            }
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), String> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line)
            .map_err(|_| "it is no text".to_owned())?
            .trim();
        if self.status.is_none() {
            if line.split(' ').nth(1) != Some("200") {
                return Err(format!("no metrics: {}", line.chars().take(100).collect::<String>()));
            }
            self.status = Some(line.to_owned());
        } else if let Some((topic, partition, lag)) = lag(line) {
            let sum = self.topics.entry(topic).or_default().entry(partition).or_default();
            *sum = sum.saturating_add(lag);
        }
        Ok(())
    }

    fn end(mut self) -> Result<Lags, String> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        match self.status {
            Some(_) => Ok(Lags::Metrics(self.topics)),
            None => Err("the connection was closed without an answer".to_owned()),
        }
    }
}

/// Topic, partition and lag of one line, where it tells a lag.
fn lag(line: &str) -> Option<(String, i32, i64)> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once('}')?;
    let labels = labels_of(labels);
    let plain = |text: &str| text.replace(['_', '-', '.'], "").to_ascii_lowercase();
    let label = |wanted: &str| {
        labels
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let whole = plain(name) + &plain(label("type").unwrap_or_default()) + &plain(label("name").unwrap_or_default());
    if !(whole.contains("fetcherlagmetrics") && whole.contains("consumerlag")) {
        return None;
    }
    // A time may follow the value.
    let value: f64 = value.split_whitespace().next()?.parse().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "counts of messages, held against a bound that a double counts to"
    )]
    let lag = (value.is_finite() && value.abs() < 9e15).then_some(value as i64)?;
    Some((label("topic")?.to_owned(), label("partition")?.parse().ok()?, lag))
}

/// `a="b",c="d\"e",`
fn labels_of(text: &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut characters = after.char_indices();
        let mut end = after.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped)) => value.push(escaped),
                    None => {}
                },
                other => value.push(other),
            }
        }
        labels.push((name.trim_matches([',', ' ']).to_owned(), value));
        rest = after.get(end..).unwrap_or_default();
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_told_in_the_names_that_exporters_give_it() {
        for line in [
            r#"kafka_server_FetcherLagMetrics_Value{name="ConsumerLag",clientId="ReplicaFetcherThread-0-2",topic="orders",partition="3",} 42.0"#,
            r#"kafka_server_fetcherlagmetrics_consumerlag{clientid="f",topic="orders",partition="3"} 42"#,
            r#"kafka_server_fetcher_lag_metrics_consumer_lag{partition="3",topic="orders"} 4.2E1 1700000000000"#,
            r#"kafka_server_fetcherlagmetrics_value{type="FetcherLagMetrics", name="ConsumerLag", topic="orders", partition="3"} 42.0"#,
        ] {
            assert_eq!(lag(line), Some(("orders".to_owned(), 3, 42)), "{line}");
        }
        for line in [
            "# HELP kafka_server_fetcherlagmetrics_consumerlag x",
            r#"kafka_server_fetcherlagmetrics_consumerlag{topic="orders"} 42"#,
            r#"kafka_server_fetcherlagmetrics_consumerlag{topic="orders",partition="3"} NaN"#,
            r#"kafka_server_fetcherstats_bytespersec{topic="orders",partition="3"} 1"#,
            r#"kafka_consumer_consumerlag{topic="orders",partition="3"} 1"#,
        ] {
            assert_eq!(lag(line), None, "{line}");
        }
    }

    #[test]
    fn labels_may_hold_what_separates_them() {
        let labels = labels_of(r#"a="x,y=\"z\"",b="}",c="\\n""#);
        let expected = [("a", "x,y=\"z\""), ("b", "}"), ("c", "\\n")];
        assert_eq!(
            labels,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn an_answer_is_read_in_whatever_pieces_it_comes() {
        let line = r#"kafka_server_fetcherlagmetrics_consumerlag{clientid="C",topic="t",partition="0"} 5"#;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}\n{}",
            line.replace('C', "1"),
            line.replace('C', "2")
        );
        for size in [1, 7, 4096] {
            let mut reading = Reading::default();
            answer
                .as_bytes()
                .chunks(size)
                .for_each(|piece| reading.feed(piece).unwrap());
            let Lags::Metrics(topics) = reading.end().unwrap() else {
                panic!()
            };
            assert_eq!(topics["t"][&0], 10, "two fetchers, {size} bytes at a time");
        }
        let refused = Reading::default().feed(b"HTTP/1.1 404 Not Found\r\n").unwrap_err();
        assert!(refused.contains("404"), "{refused}");
        assert!(Reading::default().feed(&vec![b'x'; LONGEST_LINE + 1]).is_err());
        assert!(Reading::default().end().is_err());
    }
}
