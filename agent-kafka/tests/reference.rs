//! The action reference is what the catalogue says.

use std::path::Path;

use agent_sdk::testing::{TestError, same_as_document};

#[test]
fn the_action_reference_says_what_the_agent_offers() -> Result<(), TestError> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/actions.md");
    let process = serde_json::from_value(serde_json::json!({"broker": {"address": "127.0.0.1:9092"}})).unwrap();
    let agent = agent_kafka::agent(process).unwrap();
    same_as_document(&document, "agent-kafka", &agent.catalogue().unwrap().reference())
}
