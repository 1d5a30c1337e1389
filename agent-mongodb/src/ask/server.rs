//! What operators look at besides: `serverStatus`, and the compatibility version.

use mongodb::bson::{Document, doc};

use crate::client::{Fault, Link, Read};

/// Figures of a server; each none where it does not tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// What stores the data.
    pub storage_engine: Option<String>,
    /// Connections that are open.
    pub connections: Option<i64>,
    /// Connections that could be opened besides.
    pub connections_left: Option<i64>,
    /// Bytes in the cache.
    pub cache_used: Option<i64>,
    /// Bytes that the cache may have.
    pub cache_size: Option<i64>,
    /// From the oldest entry of the oplog to the newest, in seconds: for so long may a member be away.
    pub oplog_window_s: Option<i64>,
}

impl Figures {
    /// What an answer means.
    pub fn of(answer: &Document) -> Self {
        let connections = answer.part("connections");
        let cache = answer.part("wiredTiger").and_then(|engine| engine.part("cache"));
        let oplog = answer.part("oplog");
        let end = |name| Some(i64::from(oplog?.point(name)?.time));
        Self {
            storage_engine: answer
                .part("storageEngine")
                .and_then(|engine| engine.text("name"))
                .map(str::to_owned),
            connections: connections.and_then(|connections| connections.whole("current")),
            connections_left: connections.and_then(|connections| connections.whole("available")),
            cache_used: cache.and_then(|cache| cache.whole("bytes currently in the cache")),
            cache_size: cache.and_then(|cache| cache.whole("maximum bytes configured")),
            oplog_window_s: end("latestOptime")
                .zip(end("earliestOptime"))
                .map(|(latest, earliest)| (latest - earliest).max(0)),
        }
    }
}

/// Asks for the figures, and for no more of the long answer than holds them.
pub async fn figures(link: &Link, within_ms: i64) -> Result<Figures, Fault> {
    let mut command = doc! { "serverStatus": 1, "oplog": 1, "maxTimeMS": within_ms };
    for section in UNUSED {
        command.insert(*section, 0);
    }
    link.ask_again(command).await.map(|answer| Figures::of(&answer))
}

/// Sections that are long or cost the server something.
const UNUSED: &[&str] = &[
    "metrics",
    "tcmalloc",
    "locks",
    "opLatencies",
    "transactions",
    "flowControl",
    "sharding",
    "asserts",
    "network",
    "repl",
    "security",
    "defaultRWConcern",
];

/// The release whose features may be used.
pub async fn compatibility(link: &Link, within_ms: i64) -> Result<Option<String>, Fault> {
    let command = doc! { "getParameter": 1, "featureCompatibilityVersion": 1, "maxTimeMS": within_ms };
    let answer = link.ask_again(command).await?;
    let version = answer.part("featureCompatibilityVersion");
    Ok(version.and_then(|version| version.text("version")).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::Timestamp;

    #[test]
    fn figures_are_read_each_for_itself() {
        let point = |time| Timestamp { time, increment: 1 };
        let answer = doc! {
            "storageEngine": { "name": "wiredTiger" },
            "connections": { "current": 7, "available": 15_993_i64 },
            "wiredTiger": { "cache": { "bytes currently in the cache": 100.0, "maximum bytes configured": 268_435_456_i64 } },
            "oplog": { "latestOptime": point(110), "earliestOptime": point(50) },
        };
        let figures = Figures::of(&answer);
        assert_eq!((figures.connections, figures.connections_left), (Some(7), Some(15_993)));
        assert_eq!((figures.cache_used, figures.cache_size), (Some(100), Some(268_435_456)));
        assert_eq!(figures.oplog_window_s, Some(60));
        assert_eq!(Figures::of(&doc! { "ok": 1 }), Figures::default());
    }
}
