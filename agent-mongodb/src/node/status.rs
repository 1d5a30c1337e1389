//! Which of the seven states a mongod is in.

use agent_sdk::spec::NodeStatus;

use super::{Facts, ROUTER, STARTS, tells_outside};
use crate::ask::status::Copying;
use crate::ask::{Kind, MemberState, SetStatus};
use crate::client::Fault;
use crate::code::Code;

impl Facts {
    /// How the node is. `last` is how it was seen last.
    pub fn status(&self, last: Option<&str>) -> NodeStatus {
        let hello = match &self.hello {
            Ok(hello) => hello,
            Err(fault) => return unanswered(fault, last),
        };
        if let Some(reason) = self.disagreement() {
            return NodeStatus::unknown(reason);
        }
        match (&hello.kind, &self.set) {
            (Kind::Router, _) => NodeStatus::unknown(ROUTER),
            (Kind::Standalone, _) => standalone(),
            (Kind::Outside, _) => self.outside(),
            (Kind::Member(_), Some(Ok(set))) => self.member_status(set),
            (Kind::Member(_), Some(Err(fault))) => match fault.code() {
                Some(Code::NO_REPLICATION_ENABLED) => standalone(),
                Some(code) if tells_outside(code) => self.outside(),
                _ => unanswered(fault, last),
            },
            (Kind::Member(_), None) => NodeStatus::unknown("the member was not asked for its state"),
        }
    }

    fn outside(&self) -> NodeStatus {
        if self.joining {
            return NodeStatus::joining();
        }
        if self.starts() {
            return NodeStatus::unhealthy(STARTS);
        }
        NodeStatus::not_in_cluster().with_reason("the mongod is in no set: it was never initialised, or was removed")
    }

    fn member_status(&self, set: &SetStatus) -> NodeStatus {
        match set.state {
            MemberState::Primary | MemberState::Secondary => NodeStatus::healthy(),
            MemberState::Arbiter => NodeStatus::healthy().with_reason("it is an arbiter: it votes, and holds no data"),
            MemberState::Startup if self.joining => NodeStatus::joining(),
            MemberState::Startup => NodeStatus::unhealthy("it has not loaded the set's configuration yet (STARTUP)"),
            MemberState::InitialSync => NodeStatus::joining().with_reason(match set.copying {
                Some(Copying { copied, all }) => {
                    format!("it makes its first copy of the data (STARTUP2): {copied} of about {all} bytes")
                }
                None => "it makes its first copy of the data (STARTUP2)".to_owned(),
            }),
            MemberState::Recovering => NodeStatus::unhealthy(
                "it cannot be read (RECOVERING): it catches up, is behind too far, or is in maintenance",
            ),
            MemberState::Rollback => NodeStatus::unhealthy("it takes back writes that the others never had (ROLLBACK)"),
            MemberState::Removed => self.outside(),
            state @ (MemberState::Unknown | MemberState::Down | MemberState::Other(_)) => {
                NodeStatus::unknown(format!("the mongod says of itself that it is {}", state.name()))
            }
        }
    }
}

fn standalone() -> NodeStatus {
    NodeStatus::not_in_cluster().with_reason("the mongod was started without --replSet: it can be in no set as it is")
}

/// A question has no answer, or an error for one.
fn unanswered(fault: &Fault, last: Option<&str>) -> NodeStatus {
    if fault.is_absence() {
        return NodeStatus::unavailable(match last {
            Some(last) => format!("{fault}; last seen {last}"),
            None => fault.to_string(),
        });
    }
    if fault.code().is_some_and(Code::is_shutdown) {
        return NodeStatus::leaving().with_reason("the mongod shuts down");
    }
    NodeStatus::unknown(fault.to_string())
}
