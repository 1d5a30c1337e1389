//! `kafka.apache.org/broker.drain`: moves all replicas off this broker onto the others, so that it can be stopped and removed
//! without loss.
//!
//! Replicas are moved a batch at a time: each is copied first, and given up here only when the copy is in sync; Kafka
//! does that, and this says what is to be moved where ([`targets`], pure) and watches. What was ordered is in the checkpoint, and
//! what has become of it is read from the cluster, so an agent that was killed goes on from there. Moves that somebody else
//! has ordered are waited for, and left alone.
//!
//! Cancelled, or at its deadline, it calls off what it has ordered; what has been moved stays where it is. That takes an
//! attempt that runs, so once moves are ordered it does not end an attempt for what may pass, but waits.

mod ordered;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{Action, ActionError, Converge, Interrupt, Invocation, Kind, Next, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use self::ordered::Batch;
use self::ordered::{Fate, View, cancel, restore};
pub use self::targets::Target;
use self::targets::{Holding, Others};
use super::outcome::{of_change, unanswered};
use super::reach;
use crate::ask::directories;
use crate::ask::placement;
use crate::ask::reassignments::{self, Order, Reply};
use crate::client::Code;
use crate::shards;
use crate::sight::Sight;

/// Moves all replicas off this broker.
pub struct Drain(Moves);

/// The same without the calling off.
struct Moves(Arc<Sight>);

/// How to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DrainArgs {
    /// How many partitions are on the move at a time, 1 to 1,000.
    #[schemars(range(min = 1, max = 1_000))]
    pub batch: usize,
    /// Only to these brokers, by node.id. When not given: to any other that is not fenced.
    pub to: Option<BTreeSet<i32>>,
    /// Whether a partition that has a replica on every other broker already may be left with one less.
    pub shrink: bool,
}

impl Default for DrainArgs {
    fn default() -> Self {
        Self {
            batch: 50,
            to: None,
            shrink: false,
        }
    }
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drained {
    /// node.id of this broker.
    pub broker: i32,
    /// How many replicas were on it when this action began.
    pub replicas: usize,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// How long one request may take: less than an action that is cancelled has to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts at what may pass, while moves are under way.
const PAUSE: Duration = Duration::from_secs(3);

impl Drain {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(Moves(sight))
    }

    /// Calls off what this action has ordered and is on the move still, and puts the replicas into the order that they had:
    /// Kafka leaves them in that of the move.
    async fn call_off(&self, batch: &Batch) -> Result<usize, ActionError> {
        let view = self.0.observe(&DrainArgs::default(), None).await?;
        let ours: Vec<_> = batch
            .ordered()
            .filter(|target| view.fate(target) == Fate::Moving)
            .collect();
        let off: Vec<_> = ours
            .iter()
            .map(|target| cancel(&target.topic, target.partition))
            .collect();
        // One that came to its end before it was called off is not put back: that would be a move of its own.
        let called_off = self.0.order(&off).await?;
        let back = ours
            .iter()
            .filter(|target| called_off.contains(&(target.topic.clone(), target.partition)));
        let back: Vec<_> = back.filter_map(|target| restore(target, &view)).collect();
        self.0.order(&back).await?;
        Ok(called_off.len())
    }
}

/// What the framework keeps of an attempt, as far as this reads it.
#[derive(Serialize, Deserialize)]
struct Kept {
    step: Option<Batch>,
    waiting: Option<String>,
}

impl Moves {
    fn end(&self) -> Instant {
        Instant::now() + PATIENCE.min(self.0.process().timeouts.change())
    }

    /// Sends orders, and returns those that were carried out, by topic and partition.
    async fn order(&self, orders: &[Order]) -> Result<Vec<(String, i32)>, ActionError> {
        if orders.is_empty() {
            return Ok(Vec::new());
        }
        let mut link = reach::for_change(self.0.process(), &*self.0.facts().await).await?;
        let replies = reassignments::order(&mut link, orders, self.end())
            .await
            .map_err(|error| of_change(&error))?;
        let failed: Vec<_> = replies.iter().filter(|reply| !is_fine(reply.code)).collect();
        let Some(Reply {
            topic,
            partition,
            code,
            said,
        }) = failed.first()
        else {
            let carried_out = replies.into_iter().filter(|reply| reply.code.is_success());
            return Ok(carried_out.map(|reply| (reply.topic, reply.partition)).collect());
        };
        let said = said.as_deref().unwrap_or("no more was said");
        let message = format!(
            "{} of {} moves were refused, {topic}/{partition} with {code}: {said}",
            failed.len(),
            orders.len()
        );
        match *code {
            Code::TOPIC_AUTHORIZATION_FAILED | Code::CLUSTER_AUTHORIZATION_FAILED => {
                Err(ActionError::last("not_allowed", message))
            }
            _ => Err(ActionError::retry("not_now", message)),
        }
    }
}

/// Whether nothing is left to be done about it: also where a topic has been deleted, or a move has come to its end meanwhile.
fn is_fine(code: Code) -> bool {
    code.is_success()
        || matches!(
            code,
            Code::UNKNOWN_TOPIC_OR_PARTITION | Code::NO_REASSIGNMENT_IN_PROGRESS
        )
}

impl Kind for Moves {
    const KIND: &'static str = "kafka.apache.org/broker.drain";
    const SUMMARY: &'static str = "Moves all replicas off this broker onto the others by their racks and counts, so that it can be stopped and removed.";
    const DEADLINE: Duration = Duration::from_secs(6 * 3600);
    type Args = DrainArgs;
    type Output = Drained;
}

impl Converge for Moves {
    type View = View;
    type Step = Batch;

    /// Each look asks for all partitions of the cluster.
    const POLL: Duration = Duration::from_secs(1);

    async fn observe(&self, _: &DrainArgs, _: Option<&Batch>) -> Result<View, ActionError> {
        let facts = self.0.look_anew().await;
        if let Some(reason) = facts.disagreement() {
            return Err(ActionError::last("other_cluster", reason));
        }
        let (Some(link), Some(broker), Some(id)) = (self.0.changes(), facts.live_broker(), facts.id()) else {
            let status = facts.status(None);
            let reason = status.reason().unwrap_or("it does not tell its id");
            return Err(match facts.broker {
                None => ActionError::last("not_a_broker", "the process beside the agent is no broker"),
                Some(_) => ActionError::retry(
                    "unreachable",
                    format!("the broker beside the agent does not answer: {reason}"),
                ),
            });
        };
        let mut link = link.lock().await;
        let moving = reassignments::ask(&mut link, self.end())
            .await
            .map_err(|error| unanswered(&error))?;
        let placement = placement::ask(&mut link, self.end())
            .await
            .map_err(|error| unanswered(&error))?;
        // Topics that the agent may not see are not told, without an error; the directories tell all that lies in them.
        let strays = if placement.of(id).next().is_none() {
            let lying = directories::all(&mut link, true, self.end())
                .await
                .map_err(|error| unanswered(&error))?;
            shards::logs(&lying)
                .map(|(topic, partition)| format!("{topic}/{partition}"))
                .collect()
        } else {
            Vec::new()
        };
        Ok(View {
            broker: id,
            placement,
            moving,
            cluster: broker.cluster.clone(),
            strays,
        })
    }

    fn decide(args: &DrainArgs, view: &View, last: Option<&Batch>) -> Result<Next<Batch, Drained>, ActionError> {
        let left = view.placement.of(view.broker).count();
        let total = last.map_or(left, |last| last.total.max(left));
        let ordered = last.into_iter().flat_map(Batch::ordered);
        let going: Vec<_> = ordered
            .filter(|target| view.fate(target) != Fate::Over)
            .cloned()
            .collect();
        if left == 0 && going.is_empty() {
            if let Some(stray) = view.strays.first() {
                return Ok(Next::Wait(format!(
                    "{} logs lie here of which the agent sees no replica here, such as {stray}: they are being deleted, or \
                     the agent may not describe their topics",
                    view.strays.len()
                )));
            }
            return Ok(Next::Done(Drained {
                broker: view.broker,
                replicas: total,
                changed: last.is_some(),
            }));
        }
        let unfenced = |id: &i32| view.cluster.is_unfenced(*id);
        let is_stuck = |target: &&Target| {
            let moving = view.moving(&target.topic, target.partition);
            moving.is_some_and(|moving| !moving.adding.iter().all(unfenced))
        };
        let (stuck, going): (Vec<_>, Vec<_>) = going.into_iter().partition(|target| is_stuck(&target));

        // A partition on the move lists those replicas too that are to come and to go: it is planned for when it has arrived.
        let arriving: BTreeSet<_> = going
            .iter()
            .map(|target| (target.topic.as_str(), target.partition))
            .collect();
        let settled = view.placement.of(view.broker).filter(|partition| {
            let name = (partition.topic(), partition.index());
            view.moving(name.0, name.1).is_none() && !arriving.contains(&name)
        });
        let holdings: Vec<_> = settled.map(|partition| Holding::of(&partition)).collect();
        let others = Others::new(
            view.broker,
            &view.cluster,
            args.to.as_ref(),
            &view.placement,
            &view.moving,
        );
        let others = others.map_err(|unknown| ActionError::last("broker_unknown", unknown.to_string()))?;
        let (targets, nowhere) = targets::choose(view.broker, &holdings, others, args.shrink);
        if let (Some(nowhere), None) = (&nowhere, last) {
            // Nothing was changed yet: nothing is. Later a broker may have died that comes back, or a topic was made.
            return Err(ActionError::last("no_target", nowhere.to_string()));
        }
        let room = args.batch.saturating_sub(going.len());
        let moves: Vec<_> = targets.into_iter().take(room).collect();
        if let (Some(nowhere), true) = (&nowhere, moves.is_empty() && going.is_empty() && stuck.is_empty()) {
            return Ok(Next::Wait(nowhere.to_string()));
        }
        if moves.is_empty() && stuck.is_empty() {
            let (moved, on_their_way) = (total.saturating_sub(left), going.len());
            return Ok(Next::Wait(format!(
                "{moved} of {total} replicas are moved, {on_their_way} are on their way"
            )));
        }
        Ok(Next::Do {
            now: Batch {
                total,
                left,
                moves,
                going,
                stuck,
            },
            then: Vec::new(),
        })
    }

    async fn apply(&self, _: &DrainArgs, batch: &Batch, _: &Invocation) -> Result<(), ActionError> {
        let off: Vec<_> = batch
            .stuck
            .iter()
            .map(|target| cancel(&target.topic, target.partition))
            .collect();
        self.order(&off).await?;
        // A topic that was deleted and made again under the same name is another one, and is planned for anew.
        let topics: BTreeSet<_> = batch.moves.iter().map(|target| target.topic.as_str()).collect();
        if topics.is_empty() {
            return Ok(());
        }
        let Some(link) = self.0.changes() else { return Ok(()) };
        let topics: Vec<_> = topics.into_iter().collect();
        let told = placement::ask_of(&mut *link.lock().await, &topics, self.end())
            .await
            .map_err(|error| unanswered(&error))?;
        let ids: BTreeMap<_, _> = told
            .partitions()
            .map(|partition| (partition.topic(), partition.topic_id()))
            .collect();
        let same = |target: &&Target| ids.get(target.topic.as_str()) == Some(&target.topic_id);
        let orders = batch.moves.iter().filter(same).map(|target| Order {
            topic: target.topic.clone(),
            partition: target.partition,
            replicas: Some(target.replicas.clone()),
        });
        self.order(&orders.collect::<Vec<_>>()).await.map(drop)
    }

    fn unchecked(_: &DrainArgs, _: &View) -> Vec<String> {
        vec!["whether the other brokers have the room, in space and in traffic".to_owned()]
    }
}

impl Kind for Drain {
    const KIND: &'static str = Moves::KIND;
    const SUMMARY: &'static str = Moves::SUMMARY;
    const DEADLINE: Duration = Moves::DEADLINE;
    type Args = DrainArgs;
    type Output = Drained;
}

impl Action for Drain {
    const PLANS: bool = true;

    async fn run(&self, args: &DrainArgs, invocation: &mut Invocation) -> Result<Drained, ActionError> {
        let ended = loop {
            let fault = match Action::run(&self.0, args, invocation).await {
                Err(ActionError::Retry(fault)) => fault,
                ended => break ended,
            };
            let Some(Kept { step: Some(step), .. }) = invocation.last_checkpoint()? else {
                break Err(ActionError::Retry(fault));
            };
            let waiting = Some(fault.to_string());
            let kept = Kept {
                step: Some(step),
                waiting,
            };
            if let Err(error) = invocation.checkpoint(&kept).await {
                break Err(error);
            }
            if let Err(error) = invocation.pause(PAUSE).await {
                break Err(error);
            }
        };
        // An agent that stops goes on when it starts again, and Kafka with what is on the move. Nobody watches over what is
        // left by an action that is over.
        let stops = invocation.interrupt() == Some(Interrupt::Stopping);
        if ended.is_err()
            && !stops
            && let Some(Kept { step: Some(batch), .. }) = invocation.last_checkpoint()?
        {
            match self.call_off(&batch).await {
                Ok(count) => tracing::info!(count, "moves were called off"),
                Err(error) => tracing::warn!(%error, "moves could not be called off: they go on"),
            }
        }
        ended
    }

    async fn plan(&self, args: &DrainArgs) -> Result<Plan, ActionError> {
        Action::plan(&self.0, args).await
    }
}

#[cfg(test)]
mod tests;
