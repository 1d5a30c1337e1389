//! From the text that prometheus-client writes to the one that every Prometheus, and its linter, reads.
//!
//! `OpenMetrics` describes a counter without its `_total`, names units in lines of their own and has a mark at its end. In
//! the classic format a description has the very name of its samples, and the other lines mean nothing.

use std::fmt::Write;

/// Rewrites the descriptions; samples stay as they are.
pub(super) fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if line.starts_with("# HELP ") {
            help = line;
        } else if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap_or((described, "untyped"));
            let about = help.splitn(4, ' ').nth(3).unwrap_or_default();
            let total = if kind == "counter" { "_total" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name}{total} {about}\n# TYPE {name}{total} {kind}");
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
