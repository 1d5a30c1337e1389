//! The error codes of the protocol that an agent acts on, and whether a moment changes them.
//!
//! Codes are compared, never messages: those of success are "NONE", null or nothing.

use std::fmt;

/// An error code of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub i16);

macro_rules! codes {
    ($($(#[$doc:meta])+ $number:literal $name:ident;)+) => {
        impl Code {
            $($(#[$doc])+ pub const $name: Self = Self($number);)+

            /// Its name in the protocol's documentation, where it is one of those named here.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// Success.
    0 NONE;
    /// Of a partition: it is not on this broker (any more).
    3 UNKNOWN_TOPIC_OR_PARTITION;
    /// Of a partition: nobody leads it now.
    5 LEADER_NOT_AVAILABLE;
    /// This node does not lead the partition, or the quorum: re-read who does.
    6 NOT_LEADER_OR_FOLLOWER;
    /// Of a voter change, everything that passes: another change is pending, the node cannot be reached, is not ready,
    /// or lags. Re-read the quorum.
    7 REQUEST_TIMED_OUT;
    /// Of a partition: the replica is not on this broker.
    9 REPLICA_NOT_AVAILABLE;
    /// The agent may not see the topic.
    29 TOPIC_AUTHORIZATION_FAILED;
    /// The agent may not do this to the cluster.
    31 CLUSTER_AUTHORIZATION_FAILED;
    /// The listener does not take this mechanism.
    33 UNSUPPORTED_SASL_MECHANISM;
    /// The listener takes no SASL, or not now.
    34 ILLEGAL_SASL_STATE;
    /// Not this version; or, of a voter change, a quorum with static voters. Before a node has loaded its metadata it
    /// also answers `DescribeQuorum` so.
    35 UNSUPPORTED_VERSION;
    /// The node is not the controller: re-read which one is.
    41 NOT_CONTROLLER;
    /// Something in the request is wrong: of a voter change its listeners or directory id; of `DescribeConfigs` a
    /// broker that is not this one.
    42 INVALID_REQUEST;
    /// More than the cluster's policy allows, such as ten thousand partitions at once.
    44 POLICY_VIOLATION;
    /// The log directory has failed.
    56 KAFKA_STORAGE_ERROR;
    /// The credentials are refused.
    58 SASL_AUTHENTICATION_FAILED;
    /// Another reassignment is under way.
    60 REASSIGNMENT_IN_PROGRESS;
    /// Of a partition: the listener that was asked is not known for its leader.
    72 LISTENER_NOT_FOUND;
    /// The preferred replica is not alive, or not in sync.
    80 PREFERRED_LEADER_NOT_AVAILABLE;
    /// No election: the leader is the preferred one already. Success.
    84 ELECTION_NOT_NEEDED;
    /// There is nothing to cancel.
    85 NO_REASSIGNMENT_IN_PROGRESS;
    /// There is no broker with this id. Success, of a removal.
    102 BROKER_ID_NOT_REGISTERED;
    /// The request names another cluster.
    104 INCONSISTENT_CLUSTER_ID;
    /// The request is for another kind of listener: a broker's where a controller's was asked, or the reverse.
    114 MISMATCHED_ENDPOINT_TYPE;
    /// There is a voter with this id: success only when its directory id is the same.
    126 DUPLICATE_VOTER;
    /// There is no such voter; the directory id counts, and the only voter is never removed.
    127 VOTER_NOT_FOUND;
}

impl Code {
    /// Whether nothing is wrong.
    pub const fn is_success(self) -> bool {
        self.0 == Self::NONE.0
    }

    /// Whether the same request may succeed a moment later, after re-reading what it was made from.
    ///
    /// 35 is not: as an answer to `DescribeQuorum` it passes, as one to a voter change it does not. Who asks knows.
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::LEADER_NOT_AVAILABLE
                | Self::NOT_LEADER_OR_FOLLOWER
                | Self::REQUEST_TIMED_OUT
                | Self::NOT_CONTROLLER
                | Self::REASSIGNMENT_IN_PROGRESS
                | Self::PREFERRED_LEADER_NOT_AVAILABLE
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::ResponseError;

    use super::*;

    #[test]
    fn codes_are_named_as_the_protocol_names_them() {
        for number in 1..200 {
            let Some(name) = Code(number).name() else { continue };
            let known = ResponseError::try_from_code(number).map(|error| format!("{error:?}"));
            // The library writes NotLeaderOrFollower for NOT_LEADER_OR_FOLLOWER.
            let plain = |name: &str| name.replace('_', "").to_lowercase();
            if let Some(known) = known.filter(|known| !known.starts_with("Unknown(")) {
                assert_eq!(plain(&known), plain(name), "{number}");
            }
        }
        assert_eq!(Code(7).to_string(), "7 REQUEST_TIMED_OUT");
        assert_eq!(Code(-1).to_string(), "error -1");
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        assert!([6, 7, 41].into_iter().all(|number| Code(number).is_passing()));
        assert!(
            ![0, 35, 42, 104, 126, 127]
                .into_iter()
                .any(|number| Code(number).is_passing())
        );
        assert!(Code(0).is_success() && !Code(84).is_success());
    }
}
