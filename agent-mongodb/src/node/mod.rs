//! What a mongod is, from what was seen of it. Pure.
//!
//! Three things look like something else. A standalone calls itself a writable primary. A member that was removed answers
//! `hello` like one that never was in a set. And one that does not let the agent in is well, as far as anybody can tell: it
//! is not known how it is, which is not the same as its being away.

mod status;

use agent_sdk::datastore::StoreError;

use crate::ask::hello::Member;
use crate::ask::{Hello, Kind, MemberState, SetStatus};
use crate::client::Fault;
use crate::code::Code;

/// What was seen of a mongod at one time.
#[derive(Debug)]
pub struct Facts {
    /// What it says of itself.
    pub hello: Result<Hello, Fault>,
    /// The set as it sees it; none where it is in none.
    pub set: Option<Result<SetStatus, Fault>>,
    /// Name of the set, as the agent is told.
    pub replica_set: String,
    /// Whether this agent is about to take it into a set.
    pub joining: bool,
    /// Whether this process is a new one of a mongod that was a member.
    pub restarted: bool,
}

impl Facts {
    /// The member, where it is one.
    pub fn member(&self) -> Option<&Member> {
        self.hello.as_ref().ok()?.member()
    }

    /// The set, where the member tells.
    pub fn status_of_set(&self) -> Option<&SetStatus> {
        self.set.as_ref()?.as_ref().ok()
    }

    /// Its name in the set.
    pub fn name(&self) -> Option<&str> {
        self.member()?.me.as_deref()
    }

    /// Why it is of another set than the agent is told.
    pub fn disagreement(&self) -> Option<String> {
        let set = &self.member()?.set;
        (*set != self.replica_set).then(|| {
            format!(
                "the mongod is a member of {set}, and store.replica_set says {}",
                self.replica_set
            )
        })
    }

    /// Id of the cluster that the running process is in.
    pub fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        let hello = self.hello.as_ref().map_err(store_error)?;
        if let Some(reason) = self.disagreement() {
            return Err(StoreError::refused(anyhow::anyhow!(reason)));
        }
        match &hello.kind {
            Kind::Outside if self.starts() => Err(StoreError::refused(anyhow::anyhow!(STARTS))),
            Kind::Outside | Kind::Standalone => Ok(None),
            Kind::Router => Err(StoreError::refused(anyhow::anyhow!(ROUTER))),
            Kind::Member(_) if self.is_outside() => Ok(None),
            Kind::Member(member) => Ok(Some(member.set.clone())),
        }
    }

    /// Whether one of the two answers, which are of about the same moment, says that it is in no set.
    fn is_outside(&self) -> bool {
        match &self.set {
            Some(Ok(set)) => set.state == MemberState::Removed,
            Some(Err(fault)) => fault.code().is_some_and(tells_outside),
            None => false,
        }
    }

    /// Whether it was a member, was started again, and says that it was never initialised: so do 4.4 and 5.0 until they have read
    /// their configuration, beside a frozen member for half a minute.
    pub(crate) fn starts(&self) -> bool {
        let told = self.set.as_ref().and_then(|set| set.as_ref().err());
        self.restarted && told.and_then(Fault::code) == Some(Code::NOT_YET_INITIALIZED)
    }

    /// How it is in a few words, for the time when it is gone.
    pub fn summary(&self) -> Option<String> {
        let hello = self.hello.as_ref().ok()?;
        Some(match (&hello.kind, self.status_of_set()) {
            (Kind::Member(member), Some(set)) => format!("{} of {}", set.state.name(), member.set),
            (Kind::Member(member), None) if member.is_primary => format!("the primary of {}", member.set),
            (Kind::Member(member), None) => format!("a member of {}", member.set),
            (Kind::Outside, _) => "running, and in no set".to_owned(),
            (Kind::Standalone, _) => "a standalone".to_owned(),
            (Kind::Router, _) => "a router".to_owned(),
        })
    }
}

pub(crate) const STARTS: &str = "it was started again and says that it was never initialised, as it does until it has read its set's \
                      configuration; if it goes on to say so, its data are gone";

const ROUTER: &str =
    "what listens there is a router of a sharded cluster (mongos): this agent runs beside members of a set";

/// Whether an error says that the server is in no set.
pub(crate) const fn tells_outside(code: Code) -> bool {
    matches!(
        code,
        Code::NOT_YET_INITIALIZED | Code::INVALID_REPLICA_SET_CONFIG | Code::NO_REPLICATION_ENABLED
    )
}

/// What the framework is told of an error.
pub fn store_error(fault: &Fault) -> StoreError {
    let cause = anyhow::anyhow!("{fault}");
    match fault {
        Fault::Unreachable { .. } | Fault::Silent { .. } | Fault::Cut { .. } => StoreError::unreachable(cause),
        Fault::Garbage { .. } | Fault::Unfit { .. } => StoreError::garbled(cause),
        Fault::Tls { .. } | Fault::NotLetIn { .. } | Fault::NoCredentials(_) | Fault::Answered { .. } => {
            StoreError::refused(cause)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
