//! What is asked of each agent, by level, and what was told.
//!
//! Gathering never judges: it asks a fixed series of questions, whatever the answers are, and keeps every exchange. What
//! follows from an answer (which records to read, what to wait for) follows from nothing else, so that the same agent is
//! asked the same.

mod acting;
mod crashing;
mod evidence;
mod following;
mod looking;
mod offering;
mod patience;
mod probing;
mod questioning;
mod refusing;
mod removing;
mod rowing;
mod stressing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use uuid::Uuid;

pub(crate) use acting::{LOOP, SUCCESS};
pub use evidence::{
    Across, Acted, Crashed, Evidence, Offered, Pages, Removed, Round, Sample, Scheduled, Seen, Stressed, Survivor,
    Told, Waited,
};
pub(crate) use looking::SHORT_PAGE;
use patience::Patient;
pub(crate) use patience::{is_later, retry_after};

use crate::client::Client;
use crate::dialect::Dialect;
use crate::verdict::Level;

/// What a run is to ask.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How deep.
    pub level: Level,
    /// The dialects that are looked at.
    pub dialects: Vec<Dialect>,
    /// How long to look again and again.
    pub observe: Duration,
    /// A node that is not in the cluster, to be removed twice.
    pub absent_node: Option<String>,
    /// Commands that bring the agent down and up again.
    pub crash: Option<Crash>,
    /// Held while an agent is being brought down and up again: whoever can take it knows that all of them are up.
    pub down: Arc<Mutex<()>>,
    /// When waiting for what others have asked of an agent ends.
    pub until: Instant,
}

/// How an agent is brought down, and up again.
#[derive(Debug, Clone)]
pub struct Crash {
    /// Kills it without a warning.
    pub kill: String,
    /// Starts it again.
    pub restart: String,
}

/// Asks everything of one agent. Once the run is over the rest is not asked, and each of its exchanges says so: what a run
/// that is cut short has found is as good as what a whole one has.
pub async fn look(client: &Client, dialect: Dialect, plan: &Plan) -> Seen {
    let client = &Patient::new(client, plan.until);
    let (samples, queue, finished, records) = looking::look(client, dialect, plan.observe).await;
    Seen {
        agent: client.address().to_string(),
        samples,
        queue,
        finished,
        records,
        probes: probing::probe(client, dialect).await,
        across: looking::across(client, dialect, &plan.dialects).await,
        acted: None,
        stressed: None,
        removed: None,
    }
}

/// Level `actions` of one agent.
pub async fn act(client: &Client, dialect: Dialect, plan: &Plan, seen: &mut Seen) {
    seen.acted = Some(acting::act(&Patient::new(client, plan.until), dialect).await);
}

/// Level `stress` of one agent.
pub async fn stress(client: &Client, dialect: Dialect, plan: &Plan, seen: &mut Seen) {
    seen.stressed = Some(stressing::stress(&Patient::new(client, plan.until), dialect, plan).await);
}

/// Removes a node that is not there, twice.
pub async fn remove(client: &Client, dialect: Dialect, plan: &Plan, node: &str, seen: &mut Seen) {
    let offered = seen.acted.as_ref().map(|acted| &acted.offered);
    let client = Patient::new(client, plan.until);
    seen.removed = Some(removing::remove(&client, dialect, node, offered).await);
}

/// What a run says beforehand that it will write on each agent, in each dialect.
pub const fn writes(level: Level) -> Option<&'static str> {
    match level {
        Level::Read => None,
        Level::Actions => Some(acting::WRITES),
        Level::Stress => Some(stressing::WRITES),
    }
}

/// A new id.
fn id() -> String {
    Uuid::new_v4().to_string()
}
