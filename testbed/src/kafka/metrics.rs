//! The exporter that operators put into a Kafka process: Prometheus' agent for Java, which shows its metrics by HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::download::{Bundle, Error, Maven, Source};
use crate::supervision::script::quote;

const BUNDLE: Bundle = Bundle {
    name: "jmx-exporter-1.0.1",
    title: "the exporter of Java's metrics, 1.0.1",
    source: Source::Maven(Maven {
        coordinates: "io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1",
        pom: include_str!("exporter.xml"),
        properties: &[],
    }),
    pins: include_str!("exporter.sha256"),
};

/// Everything, by the names that the exporter itself makes: what is seen here is seen wherever nobody renames.
pub(super) const RULES: &str = "rules:\n- pattern: \".*\"\n";

/// The jar of what [`Builder::metrics`](super::Builder::metrics) puts into a node, fetched if need be; checked once per
/// process.
pub fn fetch_exporter() -> Result<PathBuf, Error> {
    Ok(BUNDLE.fetch_once()?.join("jmx_prometheus_javaagent-1.0.1.jar"))
}

/// The option that puts it into a Java process, for `sh`.
pub(super) fn option(jar: &Path, at: SocketAddr, rules: &Path) -> String {
    quote(format!("-javaagent:{}={at}:{}", jar.display(), rules.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jar_that_is_named_is_the_one_that_is_pinned() {
        let (_, pinned) = BUNDLE.pins.trim_end().split_once("  ").unwrap();
        assert_eq!(pinned, "jmx_prometheus_javaagent-1.0.1.jar");
        assert!(include_str!("exporter.xml").contains("<version>1.0.1</version>"));
    }

    #[test]
    fn the_option_is_one_word_for_a_shell() {
        let at = SocketAddr::from(([127, 0, 0, 1], 7));
        let option = option(Path::new("/a b/x.jar"), at, Path::new("/c/metrics.yaml"));
        assert_eq!(option, "'-javaagent:/a b/x.jar=127.0.0.1:7:/c/metrics.yaml'");
    }
}
