//! `cluster.init`: makes the mongod beside the agent the first member of a new set, or several blank ones at once.
//!
//! The set's name and this member's come from the configuration. The server would choose a name by itself, that of its
//! host, which others may not be able to resolve.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault as ActionFault, Invocation, Kind, Next};
use agent_sdk::config::Address;
use mongodb::bson::{Document, doc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::unanswered;
use super::reach;
use super::wishes::NewMember;
use crate::ask::set::{self, GRACE, Member, Part, SetConfig, millis};
use crate::ask::{Kind as Process, MemberState, status};
use crate::client::Fault;
use crate::code::Code;
use crate::node::Facts;
use crate::sight::Sight;

/// Makes a new set.
pub struct Init(Arc<Sight>);

/// Of whom, and how it is to work.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitArgs {
    /// All members, this node among them; the others are blank mongods that run. When not given: this node alone.
    #[serde(default)]
    #[schemars(length(min = 1, max = 50))]
    pub members: Option<Vec<NewMember>>,
    /// How the set works. What is not given is as the server has it by default.
    #[serde(default)]
    pub settings: Settings,
}

/// How a set works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether secondaries may copy from secondaries. The server's default is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chaining_allowed: Option<bool>,
    /// For how many seconds nothing has to be heard of a member for it to count as down, 1 to 3,600. The server's default is
    /// 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3_600))]
    pub heartbeat_timeout_s: Option<u32>,
    /// For how long nothing has to be heard of the primary for another to be elected, in milliseconds, 500 to 3,600,000. The
    /// server's default is 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 500, max = 3_600_000))]
    pub election_timeout_ms: Option<u32>,
}

/// The new set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialised {
    /// Name of the set.
    pub cluster_id: String,
    /// Name of this member.
    pub node: String,
    /// Name of the primary.
    pub primary: String,
    /// Whether there was anything to change.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    replica_set: String,
    member_address: Option<Address>,
    found: Found,
}

/// What the mongod beside the agent is.
#[derive(Debug)]
enum Found {
    /// In no set.
    Blank,
    /// In no set any more.
    Removed,
    /// Nobody can say whether it was ever in a set.
    Unknown(Fault),
    /// A member.
    Member(Box<Settled>),
}

/// A member, and what it tells.
#[derive(Debug)]
struct Settled {
    state: MemberState,
    me: String,
    primary: Option<String>,
    /// Whether it takes writes itself: a primary does a moment after it is one.
    takes_writes: bool,
    /// None where the agent may not read it.
    config: Option<SetConfig>,
}

/// The one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Name of the set.
    pub replica_set: String,
    /// Its members, by name.
    pub members: Vec<(String, Part)>,
    /// How it works.
    pub settings: Settings,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.members.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "initiate the set {} of {}", self.replica_set, names.join(", "))
    }
}

impl Settings {
    fn document(&self) -> Document {
        let mut all = Document::new();
        if let Some(allowed) = self.chaining_allowed {
            all.insert("chainingAllowed", allowed);
        }
        if let Some(seconds) = self.heartbeat_timeout_s {
            all.insert("heartbeatTimeoutSecs", i64::from(seconds));
        }
        if let Some(millis) = self.election_timeout_ms {
            all.insert("electionTimeoutMillis", i64::from(millis));
        }
        all
    }
}

impl Step {
    /// As the server is to be given it.
    fn document(&self, wire_version: i64) -> Document {
        let delay = set::delay_name(wire_version);
        let members: Vec<_> = (0..)
            .zip(&self.members)
            .map(|(id, (host, part))| {
                let member = Member {
                    id,
                    host: host.clone(),
                    role: part.clone(),
                };
                member.document(delay)
            })
            .collect();
        let mut config = doc! { "_id": &self.replica_set, "version": 1, "members": members };
        let settings = self.settings.document();
        if !settings.is_empty() {
            config.insert("settings", settings);
        }
        config
    }
}

impl Init {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }

    /// What one is that says it is in no set. As long as it has no user it tells that to anybody beside it.
    ///
    /// A member that starts says for a few milliseconds that it was never initialised. So who says that is asked once more.
    async fn outside(&self) -> Found {
        match self.outside_now().await {
            Found::Blank => {
                tokio::time::sleep(BLANK_FOR).await;
                self.outside_now().await
            }
            found => found,
        }
    }

    async fn outside_now(&self) -> Found {
        let within = millis(self.0.server().timeouts.answer());
        let answer = match status::ask(self.0.anonymous(), within).await {
            Err(fault) if fault.is_refusal() => status::ask(self.0.known(), within).await,
            answer => answer,
        };
        match answer {
            Err(fault) => match fault.code() {
                Some(Code::NOT_YET_INITIALIZED) => Found::Blank,
                Some(Code::INVALID_REPLICA_SET_CONFIG) => Found::Removed,
                _ => Found::Unknown(fault),
            },
            // It has come into a set since.
            Ok(_) => Found::Unknown(Fault::Unfit {
                command: "hello",
                missing: "setName yet",
            }),
        }
    }

    async fn member(&self, facts: &Facts) -> Result<Found, ActionError> {
        let member = reach::member(facts)?;
        let within = self.0.server().timeouts.answer();
        let status = match &facts.set {
            Some(Ok(status)) => status.clone(),
            // Before the first user is made, nobody is the one who may ask.
            _ => status::ask(self.0.anonymous(), millis(within))
                .await
                .map_err(|fault| unanswered(&fault))?,
        };
        Ok(Found::Member(Box::new(Settled {
            state: status.state,
            me: member.me.clone().unwrap_or_default(),
            primary: member.primary.clone(),
            takes_writes: member.is_primary,
            config: set::ask(self.0.known(), within).await.ok(),
        })))
    }
}

/// For how long one has to have been in no set to be taken for one that never was.
const BLANK_FOR: Duration = Duration::from_millis(500);

impl Kind for Init {
    const KIND: &'static str = "agent.replicante.io/cluster.init";
    const SUMMARY: &'static str =
        "Makes this mongod the first member of a new set, or it and other blank ones its members.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = InitArgs;
    type Output = Initialised;
}

impl Converge for Init {
    type View = View;
    type Step = Step;

    async fn observe(&self, _: &InitArgs, _: Option<&Step>) -> Result<View, ActionError> {
        let facts = self.0.look_anew().await;
        let hello = facts.hello.as_ref().map_err(unanswered)?;
        if facts.starts() {
            let message =
                "the mongod was a member, and has just been started again: whether it still is is not known yet";
            return Err(ActionError::retry("not_now", message));
        }
        let found = match &hello.kind {
            Process::Outside => self.outside().await,
            Process::Member(_) => self.member(&facts).await?,
            Process::Standalone | Process::Router => return Err(reach::no_member(&hello.kind)),
        };
        let server = self.0.server();
        Ok(View {
            replica_set: server.replica_set.clone(),
            member_address: server.member_address.clone(),
            found,
        })
    }

    fn decide(args: &InitArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Initialised>, ActionError> {
        let wanted = wanted(args, view)?;
        match &view.found {
            Found::Blank => Ok(Next::Do {
                now: Step {
                    replica_set: view.replica_set.clone(),
                    members: wanted,
                    settings: args.settings.clone(),
                },
                then: Vec::new(),
            }),
            Found::Removed => Err(ActionError::last(
                "removed",
                "the mongod was removed from a set, whose data it holds: add it from a member, or remove its data",
            )),
            Found::Unknown(fault @ Fault::Unfit { .. }) => Err(ActionError::retry("not_now", fault.to_string())),
            Found::Unknown(fault) => Err(unanswered(fault)),
            Found::Member(member) => {
                let Settled {
                    state,
                    me,
                    primary,
                    takes_writes,
                    config,
                } = &**member;
                if let Some(config) = config {
                    differs(&wanted, config)?;
                }
                let settled = match state {
                    MemberState::Primary => *takes_writes,
                    MemberState::Secondary | MemberState::Arbiter => true,
                    _ => false,
                };
                match primary {
                    Some(primary) if settled => Ok(Next::Done(Initialised {
                        cluster_id: view.replica_set.clone(),
                        node: me.clone(),
                        primary: primary.clone(),
                        changed: last.is_some(),
                    })),
                    _ => Ok(Next::Wait("the new set elects its primary".to_owned())),
                }
            }
        }
    }

    async fn apply(&self, _: &InitArgs, step: &Step, invocation: &Invocation) -> Result<(), ActionError> {
        let facts = self.0.facts().await;
        let wire_version = facts.hello.as_ref().map_err(unanswered)?.wire_version;
        self.0.set_joining(true);
        let within = self.0.server().timeouts.change().min(invocation.remaining());
        let command = doc! { "replSetInitiate": step.document(wire_version), "maxTimeMS": millis(within) };
        let link = self.0.stranger(self.0.server().address.clone());
        match link.ask_within(command, within + GRACE).await {
            Ok(_) => Ok(()),
            Err(fault) => {
                self.0.set_joining(false);
                of_initiate(&fault)
            }
        }
    }
}

/// The members that are asked for, by their names.
fn wanted(args: &InitArgs, view: &View) -> Result<Vec<(String, Part)>, ActionError> {
    let Some(own) = &view.member_address else {
        return Err(ActionError::last(
            "not_configured",
            "store.member_address is not set: it is the name of this member, by which the others find it",
        ));
    };
    let own = own.to_string();
    let Some(members) = &args.members else {
        return Ok(vec![(own, Part::default())]);
    };
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for member in members {
        let name = reach::address(&member.node)?.to_string();
        if !names.insert(name.clone()) {
            return Err(ActionError::last("invalid_member", format!("{name} is named twice")));
        }
        all.push((name, member.part()?));
    }
    if !names.contains(&own) {
        let message = format!("this node, {own}, is not among the members");
        return Err(ActionError::last("invalid_member", message));
    }
    Ok(all)
}

/// Whether a set that is there is another than the one that is asked for: one that has grown since is not.
fn differs(wanted: &[(String, Part)], config: &SetConfig) -> Result<(), ActionError> {
    match wanted.iter().find(|(name, _)| config.member(name).is_none()) {
        None => Ok(()),
        Some((name, _)) => Err(ActionError::last(
            "set_differs",
            format!(
                "the mongod is a member of {} already, and {name} is none: cluster.add adds it",
                config.set
            ),
        )),
    }
}

/// A set is initiated once, so whatever was applied twice is found to be there.
fn of_initiate(fault: &Fault) -> Result<(), ActionError> {
    if fault.is_undecided() {
        return Err(ActionError::Retry(ActionFault::undecided(fault.to_string())));
    }
    let text = fault.to_string();
    match fault.code() {
        Some(Code::ALREADY_INITIALIZED) => Ok(()),
        Some(Code::NODE_NOT_FOUND) => Err(ActionError::retry("member_unreachable", text)),
        // Another of the members is in a set of that name: this one, made from its side, will be here in a moment.
        Some(Code::NEW_CONFIGURATION_INCOMPATIBLE) if text.contains("set ID did not match") => {
            Err(ActionError::retry("other_set", text))
        }
        Some(Code::INVALID_REPLICA_SET_CONFIG | Code::NEW_CONFIGURATION_INCOMPATIBLE) => {
            Err(ActionError::last("refused", text))
        }
        Some(Code::CONFIGURATION_IN_PROGRESS) => Err(ActionError::retry("not_now", text)),
        Some(Code::UNAUTHORIZED) => Err(ActionError::last(
            "not_allowed",
            format!(
                "a mongod with access control is initialised by nobody in particular, before its first user is made, and over \
                 127.0.0.1 or ::1 only: {text}"
            ),
        )),
        _ => Err(unanswered(fault)),
    }
}

#[cfg(test)]
mod tests;
