//! The action reference is what the catalogue says.

use std::path::Path;

use agent_sdk::testing::{TestError, same_as_document};

#[test]
fn the_action_reference_says_what_the_agent_offers() -> Result<(), TestError> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/actions.md");
    let server = serde_json::from_value(serde_json::json!({"cluster_id": "zookeeper-1"})).unwrap();
    let agent = agent_zookeeper::agent(server);
    same_as_document(&document, "agent-zookeeper", &agent.catalogue().unwrap().reference())
}
