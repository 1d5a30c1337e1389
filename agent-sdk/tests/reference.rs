//! The action reference is what the catalogue says.

use std::path::Path;

use agent_sdk::agent::Agent;
use agent_sdk::testing::{Scripted, TestError, same_as_document};

#[test]
fn the_action_reference_says_what_every_agent_offers() -> Result<(), TestError> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/actions.md");
    let agent = Agent::new(Scripted::new());
    same_as_document(&document, "every agent", &agent.catalogue().unwrap().reference())
}
