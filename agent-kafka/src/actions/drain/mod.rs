//! `kafka.apache.org/broker.drain`: moves all replicas off this broker onto the others, so that it can be stopped and removed
//! without loss.
//!
//! Replicas are moved a batch at a time: each is copied first, and given up here only when the copy is in sync; Kafka
//! does that, and this says what is to be moved where ([`targets`], pure) and watches. What is on the move is read from the
//! cluster, never remembered, so an agent that was killed goes on from there. Cancelled, it calls off what is on the move;
//! what has been moved stays where it is.

mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{Action, ActionError, Converge, Interrupt, Invocation, Kind, Next, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use self::targets::Target;
use self::targets::{Holding, Others};
use super::outcome::{of_change, unanswered};
use super::reach;
use crate::ask::cluster::Cluster;
use crate::ask::placement::{self, Placement};
use crate::ask::reassignments::{self, Moving, Order, Reply};
use crate::client::Code;
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

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How many replicas were here when the action began.
    pub total: usize,
    /// How many are still here.
    pub left: usize,
    /// What is to be moved now: the topic's id, its name, the partition, and its replicas from then on.
    pub moves: Vec<Target>,
    /// What is to be called off: copies that go to a broker which is fenced.
    pub stuck: Vec<(String, i32)>,
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, moves, stuck, .. } = self;
        write!(f, "move {} of the {left} replicas on this broker", moves.len())?;
        if let Some(Target {
            topic,
            partition,
            replicas,
            ..
        }) = moves.first()
        {
            write!(f, ", {topic}/{partition} to {replicas:?}")?;
        }
        if !stuck.is_empty() {
            write!(f, "; call off {} moves to brokers that are fenced", stuck.len())?;
        }
        Ok(())
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct View {
    broker: i32,
    placement: Placement,
    moving: Vec<Moving>,
    cluster: Cluster,
}

impl View {
    /// Moves that take a replica off this broker.
    fn leaving(&self) -> impl Iterator<Item = &Moving> {
        self.moving
            .iter()
            .filter(|moving| moving.removing.contains(&self.broker))
    }
}

impl Drain {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(Moves(sight))
    }

    /// Calls off what is on the move away from this broker, and puts the replicas into the order that they had: Kafka
    /// leaves them in that of the move.
    async fn call_off(&self) -> Result<usize, ActionError> {
        let view = self.0.observe(&DrainArgs::default(), None).await?;
        let off: Vec<_> = view
            .leaving()
            .map(|moving| cancel(&moving.topic, moving.partition))
            .collect();
        self.0.order(&off).await?;
        let back: Vec<_> = view
            .leaving()
            .filter_map(|moving| restore(moving, view.broker))
            .collect();
        self.0.order(&back).await?;
        Ok(off.len())
    }
}

/// The replicas before a move of ours: the one to come has taken the place of the one to go.
fn restore(moving: &Moving, broker: i32) -> Option<Order> {
    let [coming] = moving.adding[..] else { return None };
    let before = moving
        .target()
        .into_iter()
        .map(|id| if id == coming { broker } else { id });
    Some(Order {
        topic: moving.topic.clone(),
        partition: moving.partition,
        replicas: Some(before.collect()),
    })
}

fn cancel(topic: &str, partition: i32) -> Order {
    Order {
        topic: topic.to_owned(),
        partition,
        replicas: None,
    }
}

impl Moves {
    async fn order(&self, orders: &[Order]) -> Result<(), ActionError> {
        if orders.is_empty() {
            return Ok(());
        }
        let process = self.0.process();
        let mut link = reach::for_change(process, &*self.0.facts().await).await?;
        let end = Instant::now() + process.timeouts.change();
        let replies = reassignments::order(&mut link, orders, end)
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
            return Ok(());
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
        let end = || Instant::now() + self.0.process().timeouts.change();
        let mut link = link.lock().await;
        // First what is on the move, then where replicas are: a move that ends between the two is seen as ended.
        let moving = reassignments::ask(&mut link, end())
            .await
            .map_err(|error| unanswered(&error))?;
        let placement = placement::ask(&mut link, end())
            .await
            .map_err(|error| unanswered(&error))?;
        Ok(View {
            broker: id,
            placement,
            moving,
            cluster: broker.cluster.clone(),
        })
    }

    fn decide(args: &DrainArgs, view: &View, last: Option<&Batch>) -> Result<Next<Batch, Drained>, ActionError> {
        let left = view.placement.of(view.broker).count();
        let total = last.map_or(left, |last| last.total.max(left));
        if left == 0 && view.leaving().next().is_none() {
            return Ok(Next::Done(Drained {
                broker: view.broker,
                replicas: total,
                changed: last.is_some(),
            }));
        }
        let unfenced = |id: &i32| view.cluster.is_unfenced(*id);
        let stuck = view.leaving().filter(|moving| !moving.adding.iter().all(unfenced));
        let stuck: Vec<_> = stuck.map(|moving| (moving.topic.clone(), moving.partition)).collect();
        // A partition on the move lists those replicas too that are to come and to go: it is planned for when it has arrived.
        let busy: BTreeSet<_> = view.moving.iter().map(|it| (it.topic.as_str(), it.partition)).collect();
        let held = view.placement.of(view.broker);
        let settled = held.filter(|partition| !busy.contains(&(partition.topic(), partition.index())));
        let holdings: Vec<_> = settled.map(|partition| Holding::of(&partition)).collect();
        let others = Others::new(view.broker, &view.cluster, args.to.as_ref(), &view.placement);
        let targets = targets::choose(view.broker, &holdings, others, args.shrink).map_err(|nowhere| {
            // Nothing was changed yet: nothing is. Later a broker may have died that comes back.
            let code = "no_target";
            match last {
                None => ActionError::last(code, nowhere.to_string()),
                Some(_) => ActionError::retry(code, nowhere.to_string()),
            }
        })?;
        let on_their_way = view.leaving().count().saturating_sub(stuck.len());
        let room = args.batch.saturating_sub(on_their_way);
        let moves: Vec<_> = targets.into_iter().take(room).collect();
        if moves.is_empty() && stuck.is_empty() {
            let moved = total.saturating_sub(left);
            return Ok(Next::Wait(format!(
                "{moved} of {total} replicas are moved, {on_their_way} are on their way"
            )));
        }
        Ok(Next::Do {
            now: Batch {
                total,
                left,
                moves,
                stuck,
            },
            then: Vec::new(),
        })
    }

    async fn apply(&self, _: &DrainArgs, batch: &Batch, _: &Invocation) -> Result<(), ActionError> {
        let off: Vec<_> = batch
            .stuck
            .iter()
            .map(|(topic, partition)| cancel(topic, *partition))
            .collect();
        self.order(&off).await?;
        // A topic that was deleted and made again under the same name is another one, and is planned for anew.
        let topics: BTreeSet<_> = batch.moves.iter().map(|target| target.topic.as_str()).collect();
        if topics.is_empty() {
            return Ok(());
        }
        let Some(link) = self.0.changes() else { return Ok(()) };
        let end = Instant::now() + self.0.process().timeouts.change();
        let topics: Vec<_> = topics.into_iter().collect();
        let told = placement::ask_of(&mut *link.lock().await, &topics, end)
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
        self.order(&orders.collect::<Vec<_>>()).await
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
        let ended = Action::run(&self.0, args, invocation).await;
        // An agent that stops goes on when it starts again, and Kafka with what is on the move. Nobody watches over what is
        // left by an action that is over.
        let over = matches!(invocation.interrupt(), Some(Interrupt::Cancelled | Interrupt::Deadline));
        if over && ended.is_err() {
            match self.call_off().await {
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
