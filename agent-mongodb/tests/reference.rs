//! The action reference is what the catalogue says.

use std::path::Path;

use agent_sdk::testing::{TestError, same_as_document};

#[test]
fn the_action_reference_says_what_the_agent_offers() -> Result<(), TestError> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/actions.md");
    let server = serde_json::from_value(serde_json::json!({"replica_set": "rs0"})).unwrap();
    let agent = agent_mongodb::agent(server).unwrap();
    same_as_document(&document, "agent-mongodb", &agent.catalogue().unwrap().reference())
}
