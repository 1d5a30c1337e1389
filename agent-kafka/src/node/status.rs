//! How the node is: one of the seven states of the specification (Attributes → Node Status), and why. The first thing that
//! is wrong is the one that is told, the worst first.

use agent_sdk::spec::NodeStatus;

use super::{Facts, Own, Service, Vote, is_cut};
use crate::ask::{AskError, Quorum};
use crate::client::error::Awaiting;
use crate::client::{Code, Fault};
use crate::storage::Storage;

impl Facts {
    /// How the node is. `last` is how it was seen last.
    pub fn status(&self, last: Option<&str>) -> NodeStatus {
        if self.live_broker().is_none() && self.live_controller().is_none() {
            return self.silent(last);
        }
        let found = self.disagreement().map(NodeStatus::unknown);
        let found = found.or_else(|| self.half_open()).or_else(|| self.without_quorum());
        let found = found.or_else(|| self.as_broker()).or_else(|| self.as_controller());
        found.unwrap_or_else(NodeStatus::healthy)
    }

    /// Nobody answers.
    fn silent(&self, last: Option<&str>) -> NodeStatus {
        if let Storage::Blank(directory) = &self.storage
            && !self.is_anybody_there()
        {
            let reason = format!("the log directory {} is not formatted", directory.display());
            return NodeStatus::not_in_cluster().with_reason(reason);
        }
        if let Some(leaving) = self.stopped() {
            return leaving;
        }
        let errors = || self.errors();
        let mut reason = errors().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match &self.storage {
            Storage::Unclear(unclear) => reason = format!("{reason}; {unclear}"),
            Storage::Partial(_) => reason = format!("{reason}; only some of the log directories are formatted"),
            Storage::Blank(_) => {
                reason = format!("{reason}; the log directories that the agent is told of are not formatted");
                return NodeStatus::unknown(reason);
            }
            Storage::Unknown | Storage::Formatted(_) => {}
        }
        if let Some(last) = last {
            reason = format!("{reason}; last seen {last}");
        }
        if errors().any(|error| !is_absence(error)) {
            NodeStatus::unknown(reason)
        } else {
            NodeStatus::unavailable(reason)
        }
    }

    /// Whether a process listens, whatever it answers.
    pub(crate) fn is_anybody_there(&self) -> bool {
        let nobody = |error: &AskError| {
            let connection = Awaiting::Connection;
            matches!(error.fault(), Some(Fault::Connect(_)))
                || matches!(error.fault(), Some(Fault::Silent { awaiting, .. }) if *awaiting == connection)
        };
        let answers = self.live_broker().is_some() || self.live_controller().is_some();
        answers || !self.errors().all(nobody)
    }

    /// Why listeners that the agent is told of do not answer.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &AskError> {
        let broker = self.broker.as_ref().and_then(|broker| broker.as_ref().err());
        let controller = self
            .controller
            .as_ref()
            .and_then(|controller| controller.as_ref().err());
        broker.into_iter().chain(controller)
    }

    /// Why what answers is not the node that the agent is for.
    pub(crate) fn disagreement(&self) -> Option<String> {
        let another = |own: &Own| matches!(own, Own::Another);
        let broker = self.live_broker().is_some_and(|broker| another(&broker.own));
        if broker
            || self
                .live_controller()
                .is_some_and(|controller| another(&controller.own))
        {
            let whom = self.known_id.map_or_else(|| "this one".to_owned(), |id| id.to_string());
            let side = if broker { "broker" } else { "controller" };
            return Some(format!(
                "the process that listens at store.{side}.address is another node, not {whom}"
            ));
        }
        if let Storage::Blank(directory) = &self.storage {
            let directory = directory.display();
            return Some(format!(
                "{directory} is not formatted, and a process answers: store.log_directories are not those of this process"
            ));
        }
        let written = self.storage.format().and_then(|format| format.cluster_id.as_deref());
        let both = |told: &str| written.filter(|written| *written != told).map(str::to_owned);
        let told = [
            self.live_broker().map(|broker| broker.cluster.id.as_deref()),
            self.live_controller()
                .map(|controller| controller.cluster.id.as_deref()),
        ];
        let mut told = told.into_iter().flatten().flatten();
        told.find_map(|told| {
            let written = both(told)?;
            Some(format!(
                "the log directories are of cluster {written}, and the process is in cluster {told}"
            ))
        })
    }

    /// One of its two listeners answers, the other does not.
    fn half_open(&self) -> Option<NodeStatus> {
        let error = self.errors().next()?;
        let of_broker = self.live_broker().is_none() && self.broker.is_some();
        // Kafka lets nobody see controllers at a controller who may not alter the cluster; a broker tells the quorum.
        let withheld = !of_broker && error.code() == Some(Code::CLUSTER_AUTHORIZATION_FAILED);
        if withheld || (of_broker && !self.is_broker()) || (!of_broker && !self.is_controller()) {
            // The agent is told of a listener that this process does not have.
            return None;
        }
        if let Some(leaving) = self.stopped() {
            return Some(leaving);
        }
        Some(match (of_broker, error.is_refused()) {
            (true, true) => NodeStatus::joining().with_reason("the broker starts, and is not unfenced yet"),
            _ if !is_absence(error) => NodeStatus::unknown(error.to_string()),
            _ => NodeStatus::unhealthy(format!("one of two listeners does not answer: {error}")),
        })
    }

    /// The broker has stopped, and the controller of the same process is still there; it answers some of its last questions
    /// with errors.
    fn stopped(&self) -> Option<NodeStatus> {
        let gone = matches!(&self.broker, Some(Err(error)) if is_cut(error));
        let answers = match &self.controller {
            Some(Ok(_)) => true,
            Some(Err(error)) => error.code().is_some(),
            None => false,
        };
        let stopped = gone && answers && self.before.service != Service::None;
        stopped.then(|| NodeStatus::leaving().with_reason("the broker has stopped, and the process is about to"))
    }

    /// Whether there is a quorum that works.
    fn without_quorum(&self) -> Option<NodeStatus> {
        if self.told_cluster_id().is_none() {
            let reason = "the controller has loaded nothing yet: it has not reached a quorum of its cluster";
            return Some(NodeStatus::joining().with_reason(reason));
        }
        let error = match &self.quorum {
            Ok(quorum) if quorum.works() => return None,
            Ok(quorum) => {
                let leader = quorum
                    .leader
                    .map_or_else(|| "no leader".to_owned(), |id| format!("leader {id}"));
                return Some(NodeStatus::unhealthy(format!(
                    "the quorum has {leader} and no majority"
                )));
            }
            Err(error) => error,
        };
        Some(match error.code() {
            Some(Code::UNSUPPORTED_VERSION) => NodeStatus::joining().with_reason("the node loads the metadata log"),
            Some(Code::CLUSTER_AUTHORIZATION_FAILED) => NodeStatus::unknown(format!(
                "the agent may not see the quorum, and so not whether there is one: {error}"
            )),
            // Such as a leader, asked itself, whose certificate is not trusted.
            None if !is_absence(error) => {
                NodeStatus::unknown(format!("the agent cannot tell whether there is a quorum: {error}"))
            }
            _ => NodeStatus::unhealthy(format!("no quorum answers: {error}")),
        })
    }

    fn as_broker(&self) -> Option<NodeStatus> {
        let broker = self.live_broker()?;
        let id = self.id()?;
        // The controllers fence it a moment before it ends.
        let ends = self.before.service == Service::HandedOver;
        let ending =
            || NodeStatus::leaving().with_reason("the broker has handed over all its partitions, and is fenced");
        match broker.cluster.member(id) {
            // As much of it is left as of a node whose vote was taken.
            None if broker.cluster.lists_fenced && self.is_controller() && self.votes() => {
                let reason = format!("no broker {id} is registered; its controller still is a voter");
                return Some(NodeStatus::leaving().with_reason(reason));
            }
            None if broker.cluster.lists_fenced => {
                return Some(NodeStatus::not_in_cluster().with_reason(format!("no broker {id} is registered")));
            }
            None if ends => return Some(ending()),
            None if !self.before.unfenced => {
                let reason = format!("broker {id} is not unfenced yet, or not registered: this release does not tell");
                return Some(NodeStatus::joining().with_reason(reason));
            }
            None => {
                let reason =
                    format!("broker {id} is fenced, or not registered any more: this release does not tell which");
                return Some(NodeStatus::unhealthy(reason));
            }
            Some(member) if member.fenced && ends => return Some(ending()),
            Some(member) if member.fenced && !self.before.unfenced => {
                return Some(NodeStatus::joining().with_reason("the broker is not unfenced yet"));
            }
            Some(member) if member.fenced => {
                return Some(NodeStatus::unhealthy(
                    "the broker is fenced: the controllers do not hear from it",
                ));
            }
            Some(_) => {}
        }
        let failed = broker.directories.iter().flatten().filter(|directory| directory.failed);
        let failed: Vec<_> = failed.map(|directory| directory.path.as_str()).collect();
        if !failed.is_empty() {
            return Some(NodeStatus::unhealthy(format!(
                "log directories have failed: {}",
                failed.join(", ")
            )));
        }
        match broker.in_sync {
            Some(false) if self.before.service != Service::None => {
                Some(NodeStatus::leaving().with_reason("the broker has handed over all its partitions"))
            }
            Some(false) => Some(NodeStatus::unhealthy(
                "the broker is in sync for none of its partitions: it catches up",
            )),
            Some(true) | None => None,
        }
    }

    fn votes(&self) -> bool {
        self.vote().is_some_and(|vote| vote.counts())
    }

    fn as_controller(&self) -> Option<NodeStatus> {
        if !self.is_controller() {
            return None;
        }
        let vote = self.vote()?;
        if vote.counts() {
            let (quorum, replica) = (self.quorum.as_ref().ok()?, self.replica()?);
            let behind = vote == Vote::Votes && replica.end.is_some() && !quorum.is_up_to_date(replica);
            return behind.then(|| NodeStatus::unhealthy("its copy of the metadata log is behind: it catches up"));
        }
        let voters = self.quorum.as_ref().map(Quorum::voter_ids).unwrap_or_default();
        let standing = format!("the controller is no voter: those are {voters:?}");
        let alive = self.live_broker().is_some();
        Some(match (alive, self.before.voted, self.joining) {
            (_, _, true) => NodeStatus::joining().with_reason(standing),
            (true, true, _) => NodeStatus::leaving().with_reason(format!("{standing}; its broker still is registered")),
            (true, false, _) => NodeStatus::joining().with_reason(format!("{standing}; its broker is registered")),
            (false, ..) => NodeStatus::not_in_cluster().with_reason(standing),
        })
    }
}

/// Whether an error means that nobody is there, and not that somebody is there who does not fit.
pub(crate) fn is_absence(error: &AskError) -> bool {
    is_cut(error) || matches!(error.fault(), Some(Fault::Silent { .. }))
}
