//! For programs: the report itself, and the schema of it.

use std::fmt::Write;

use super::visible::is_unseen;
use crate::verdict::Report;

/// The report as JSON. Its key `schema` grows with each change that a reader has to know of; keys may be added without.
///
/// **Errors**: none that is known of; a report is made of texts and numbers.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    Ok(shown(&serde_json::to_string_pretty(report)?))
}

/// The JSON Schema of a report.
///
/// **Errors**: as [`json`].
pub fn schema() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&schemars::schema_for!(Report)).map(|text| text + "\n")
}

/// The same JSON, in which nothing steers a terminal: outside of strings JSON has no such character but the line's end.
fn shown(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if c != '\n' && is_unseen(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // A string takes whatever is written to it.
                let _: std::fmt::Result = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown.push('\n');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn reports_are_as_their_schema_says() {
        let schema = serde_json::from_str(&schema().unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for report in [sample::every(), sample::hostile(), sample::unreachable()] {
            let report = serde_json::from_str(&json(&report).unwrap()).unwrap();
            validator.validate(&report).unwrap();
        }
        assert!(!validator.is_valid(&serde_json::json!({"schema": 1})));
    }

    #[test]
    fn no_agent_steers_a_terminal_and_nothing_is_lost() {
        let text = json(&sample::hostile()).unwrap();
        assert!(!text.contains(|c| c != '\n' && is_unseen(c)), "{text:?}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["agents"][1], sample::HOSTILE);
        assert_eq!(read["checks"][0]["outcome"]["findings"][0]["got"], sample::HOSTILE);
    }

    #[test]
    fn the_shape_is_kept() {
        let read: serde_json::Value = serde_json::from_str(&json(&sample::every()).unwrap()).unwrap();
        assert_eq!(read["schema"], 1);
        assert_eq!(read["verdicts"][0]["conclusion"], "not_conformant");
        assert_eq!(read["verdicts"][0]["broken"], serde_json::json!([1, 0, 0]));
        assert_eq!(read["checks"][1]["outcome"]["outcome"], "broken");
        assert_eq!(read["checks"][1]["severity"], "must");
        assert_eq!(read["checks"][2]["accepted"]["expires"], "2026-12-31");
        assert_eq!(read["unseen"][0]["dialect"], "unstable");
        assert!(read["differences"][0].is_string() && read["unreachable"].is_null());
    }
}
