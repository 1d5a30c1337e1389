//! An agent as the story knows it: a process that can be killed and started again, and what its HTTP interface says.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use agent_sdk::client::{Client, ClientError, Http, PlanAnswer, Record, Schedule, ShardInfo};
use agent_sdk::spec::{NodeState, Role};
use serde_json::Value;
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::play::Play;
use super::stage::{Process, Stage};
use super::{Failure, screen::Look};
use crate::ports::Block;

/// One agent.
pub(super) struct Seat {
    /// The name of its node, which the story calls both by.
    pub(super) node: String,
    process: Process,
    http: Http,
    state: PathBuf,
    /// The shard that the story is about; none: the first one.
    followed: Cell<Option<&'static str>>,
}

/// What an agent shows at one moment.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    pub(super) id: String,
    pub(super) status: NodeState,
    pub(super) reason: Option<String>,
    pub(super) member: Option<String>,
    pub(super) version: String,
    pub(super) cluster: Option<String>,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) role: Option<Role>,
    pub(super) offset: Option<i64>,
    pub(super) lag: Option<i64>,
    /// All of the node's.
    pub(super) shards: Vec<ShardInfo>,
}

/// Why an agent shows nothing.
#[derive(Debug)]
pub(super) struct Blind {
    pub(super) reason: String,
    /// Its process has ended by itself.
    for_good: bool,
}

impl Seat {
    /// Writes the agent's configuration; it is not started yet.
    pub(super) fn prepare(stage: &Stage, http: Http, play: &impl Play, place: usize) -> Result<Self, Failure> {
        let name = format!("agent-{}", place + 1);
        let directory = stage.place(&name)?;
        let (file, kept) = (directory.join("agent.yaml"), directory.join("state"));
        let arguments = vec!["--config".into(), file.clone().into(), "run".into()];
        let process = Process::new(&name, play.agent(), arguments, &directory, Block::claim()?);
        let text = format!(
            "state_directory: {}\napi:\n  bind: {}\n{}",
            Value::from(kept.to_string_lossy()),
            process.address(),
            play.configuration(place)
        );
        fs::write(&file, text)
            .map_err(|error| Failure::setup(format!("{} cannot be written", file.display()), error))?;
        Ok(Self {
            node: play.name(place),
            process,
            http,
            state: kept,
            followed: Cell::new(None),
        })
    }

    pub(super) fn process(&self) -> &Process {
        &self.process
    }

    /// From now on role, offset and lag are those of this shard.
    pub(super) fn follow(&self, shard: &'static str) {
        self.followed.set(Some(shard));
    }

    /// The shard whose role, offset and lag are shown, where it is a certain one.
    pub(super) fn followed(&self) -> Option<&'static str> {
        self.followed.get()
    }

    /// Where the agent answers.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.process.address())
    }

    /// Where its local token is: who can read it may act.
    pub(super) fn token(&self) -> PathBuf {
        self.state.join("token")
    }

    /// A client without a token, which may look.
    pub(super) fn client(&self) -> Result<Client, ClientError> {
        Client::over(self.http.clone(), &self.url())
    }

    /// A client with the agent's local token, which may act.
    fn actor(&self) -> Result<Client, Failure> {
        let failed = |error| Failure::setup(format!("the token of the agent of {} cannot be read", self.node), error);
        let token = fs::read_to_string(self.token()).map_err(failed)?;
        Ok(self.client()?.with_token(token))
    }

    /// What an action would do now.
    pub(super) async fn plan(&self, kind: &str, args: &Value) -> Result<PlanAnswer, Failure> {
        let args = to_raw_value(args).map_err(|error| Failure::setup("arguments", error))?;
        Ok(self.actor()?.plan(kind, Some(&args)).await?)
    }

    /// Schedules an action.
    pub(super) async fn schedule(&self, kind: &str, args: Option<&Value>) -> Result<Uuid, Failure> {
        let mut schedule = Schedule::new(kind);
        if let Some(args) = args {
            schedule = schedule.with_args(args);
        }
        Ok(self.actor()?.schedule(&schedule).await?.id)
    }

    /// What the agent shows now; or why it shows nothing.
    pub(super) async fn see(&self) -> Result<Sight, Blind> {
        let client = self.client().map_err(|error| self.blind(&error))?;
        let (node, store, shards) = tokio::join!(client.node(), client.store(), client.shards());
        let node = node.map_err(|error| self.blind(&error))?;
        let (store, shards) = (store.ok(), shards.map(|shards| shards.shards).unwrap_or_default());
        let followed = |shard: &&ShardInfo| self.followed.get().is_none_or(|id| shard.shard_id == id);
        let shard = shards.iter().find(followed);
        Ok(Sight {
            id: node.node_id,
            status: node.node_status,
            reason: node.node_status_reason,
            member: node.addresses.get("member").cloned().flatten(),
            version: node.store_version.number,
            cluster: store.as_ref().and_then(|store| store.cluster_id.clone()),
            attributes: store.map(|store| store.attributes).unwrap_or_default(),
            role: shard.map(|shard| shard.replication_state),
            offset: shard.and_then(|shard| Some(shard.commit_offset.as_ref()?.value)),
            lag: shard.and_then(|shard| Some(shard.replication_lag.as_ref()?.value)),
            shards,
        })
    }

    /// One look at the node; an agent that has ended will never show it.
    pub(super) async fn look(&self, wanted: impl Fn(&Sight) -> bool) -> Look<Sight> {
        match self.see().await {
            Ok(sight) if wanted(&sight) => Look::Yes(sight),
            Ok(sight) => Look::NotYet(format!("{} {}", self.node, sight.in_words())),
            Err(blind) => blind.look(),
        }
    }

    /// One look at an action: at its end, or on its way.
    pub(super) async fn look_at(&self, id: Uuid, wanted: impl Fn(&Record) -> bool) -> Look<Record> {
        let record = match self.client() {
            Ok(client) => client.record(id).await,
            Err(error) => Err(error),
        };
        match record {
            Ok(record) if wanted(&record) => Look::Yes(record),
            Ok(record) if record.state.is_final() => Look::Never(told(&record)),
            Ok(record) => Look::NotYet(told(&record)),
            Err(error) => self.blind(&error).look(),
        }
    }

    /// Why the agent did not answer: an end of its process is the better reason.
    fn blind(&self, error: &ClientError) -> Blind {
        let ended = self.process.ended();
        let reason = match ended {
            Some(status) => format!("the agent of {} has ended: {status}", self.node),
            None => error.to_string(),
        };
        let for_good = ended.is_some();
        Blind { reason, for_good }
    }
}

impl Blind {
    /// What it means for who waits.
    pub(super) fn look<T>(self) -> Look<T> {
        if self.for_good {
            Look::Never(self.reason)
        } else {
            Look::NotYet(self.reason)
        }
    }
}

/// A record in words: its state, and what there is to say about it.
fn told(record: &Record) -> String {
    let more = match (&record.error, &record.state_payload) {
        (Some(error), _) => format!(": {} ({})", error.message, error.code),
        (None, Some(payload)) => format!(", at {}", payload.get()),
        (None, None) => String::new(),
    };
    format!("{}{more}", record.state.name())
}

impl Sight {
    /// Status, role, offset and lag in one line.
    pub(super) fn in_words(&self) -> String {
        let Self {
            status,
            role,
            offset,
            lag,
            ..
        } = self;
        let mut words = vec![status.name().to_owned()];
        words.extend(role.map(|role| role.name().to_owned()));
        words.extend(offset.map(|offset| format!("at {offset}")));
        words.extend(lag.filter(|lag| *lag > 0).map(|lag| format!("({lag} behind)")));
        words.join(" ")
    }
}
