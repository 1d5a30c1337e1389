//! Kinds that every agent has, and arguments that kinds of the same meaning share.
//!
//! The three `test.*` kinds touch nothing outside the agent: they show that a queue is served (`test.success`), that a
//! failure is told as one (`test.fail`), and that progress, cancellation and resumption work (`test.loop`).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Catalogue, CatalogueError, Invocation, Kind};

/// Arguments of a kind that takes none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// The arguments that `cluster.add`, `cluster.join` and `cluster.remove` take on every store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeArgs {
    /// The other node: its member address, or its node id.
    pub node: String,
}

/// Adds the kinds that every agent has.
pub(super) fn register(catalogue: &mut Catalogue) -> Result<(), CatalogueError> {
    catalogue.register(TestSuccess)?;
    catalogue.register(TestFail)?;
    catalogue.register(TestLoop)
}

/// Does nothing, well.
struct TestSuccess;

impl Kind for TestSuccess {
    const KIND: &'static str = "agent.replicante.io/test.success";
    const SUMMARY: &'static str = "Does nothing and succeeds: shows that the agent runs actions.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = NoArgs;
    type Output = NoArgs;
}

impl Action for TestSuccess {
    async fn run(&self, _: &NoArgs, _: &mut Invocation) -> Result<NoArgs, ActionError> {
        Ok(NoArgs {})
    }
}

/// Does nothing, and fails.
struct TestFail;

impl Kind for TestFail {
    const KIND: &'static str = "agent.replicante.io/test.fail";
    const SUMMARY: &'static str = "Does nothing and fails: shows how the agent tells of failures.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = NoArgs;
    type Output = NoArgs;
}

impl Action for TestFail {
    async fn run(&self, _: &NoArgs, _: &mut Invocation) -> Result<NoArgs, ActionError> {
        Err(ActionError::last("test_failed", "this kind always fails, as asked"))
    }
}

/// Counts, with a checkpoint at every step.
struct TestLoop;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LoopArgs {
    /// How far to count.
    #[serde(default = "ten")]
    #[schemars(range(max = 1_000_000))]
    target: u32,
    /// Pause after each count, in milliseconds.
    #[serde(default)]
    #[schemars(range(max = 3_600_000))]
    delay_ms: u32,
}

fn ten() -> u32 {
    10
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
struct Counted {
    /// Counted so far.
    count: u32,
    /// Where it ends.
    target: u32,
}

impl Kind for TestLoop {
    const KIND: &'static str = "agent.replicante.io/test.loop";
    const SUMMARY: &'static str = "Counts to a target with a checkpoint at each step: shows progress and resumption.";
    const DEADLINE: Duration = Duration::from_secs(24 * 3600);
    type Args = LoopArgs;
    type Output = Counted;
}

impl Action for TestLoop {
    async fn run(&self, args: &LoopArgs, invocation: &mut Invocation) -> Result<Counted, ActionError> {
        let target = args.target;
        let mut counted = invocation.last_checkpoint()?.unwrap_or(Counted { count: 0, target });
        while counted.count < target {
            if args.delay_ms > 0 {
                invocation.pause(Duration::from_millis(args.delay_ms.into())).await?;
            }
            counted.count += 1;
            invocation.checkpoint(&counted).await?;
        }
        Ok(counted)
    }
}
