//! What an action would do, told without doing it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ErrorRecord;

/// What an action would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Whether the goal holds already, so that nothing would be done.
    pub done: bool,
    /// What would be done, in order.
    pub steps: Vec<PlannedStep>,
    /// Why it would fail, when it would.
    pub refused: Option<ErrorRecord>,
    /// What only acting would show, such as a missing privilege.
    pub unchecked: Vec<String>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// The step in words.
    pub summary: String,
    /// The step as the action would checkpoint it before acting; null for a wait.
    pub data: Value,
}
