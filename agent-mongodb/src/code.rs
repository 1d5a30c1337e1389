//! The error codes of the server that the agent tells apart.

use std::fmt;

/// A code of an error, as the server answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i32);

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $number:literal $name:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*

            /// As the server calls it, where the agent knows it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// There is no user for the certificate.
    USER_NOT_FOUND = 11 "UserNotFound";
    /// The user may not do this.
    UNAUTHORIZED = 13 "Unauthorized";
    /// User or password are wrong.
    AUTHENTICATION_FAILED = 18 "AuthenticationFailed";
    /// The set is initialised already.
    ALREADY_INITIALIZED = 23 "AlreadyInitialized";
    /// The time that the command was given is over.
    MAX_TIME_MS_EXPIRED = 50 "MaxTimeMSExpired";
    /// A node does not answer, or is not in the state that this needs.
    NODE_NOT_FOUND = 74 "NodeNotFound";
    /// The mongod was started without a set.
    NO_REPLICATION_ENABLED = 76 "NoReplicationEnabled";
    /// The server shuts down.
    SHUTDOWN_IN_PROGRESS = 91 "ShutdownInProgress";
    /// A set's configuration that is none, or has no place for this server.
    INVALID_REPLICA_SET_CONFIG = 93 "InvalidReplicaSetConfig";
    /// The set is not initialised.
    NOT_YET_INITIALIZED = 94 "NotYetInitialized";
    /// A configuration that cannot follow the present one.
    NEW_CONFIGURATION_INCOMPATIBLE = 103 "NewReplicaSetConfigurationIncompatible";
    /// The server that is asked could not be elected any more.
    NODE_NOT_ELECTABLE = 104 "NodeNotElectable";
    /// Another change of the configuration is under way.
    CONFIGURATION_IN_PROGRESS = 109 "ConfigurationInProgress";
    /// The primary stepped down.
    PRIMARY_STEPPED_DOWN = 189 "PrimarySteppedDown";
    /// Nobody could take over in time.
    EXCEEDED_TIME_LIMIT = 262 "ExceededTimeLimit";
    /// The present configuration is not committed yet.
    CONFIGURATION_NOT_COMMITTED = 308 "CurrentConfigNotCommittedYet";
    /// Not the primary, or not any more.
    NOT_WRITABLE_PRIMARY = 10_107 "NotWritablePrimary";
    /// The server shuts down.
    INTERRUPTED_AT_SHUTDOWN = 11_600 "InterruptedAtShutdown";
    /// The server changes its state.
    INTERRUPTED_DUE_TO_STATE_CHANGE = 11_602 "InterruptedDueToReplStateChange";
    /// Not the primary, and not a secondary.
    NOT_PRIMARY_OR_SECONDARY = 13_436 "NotPrimaryOrSecondary";
}

impl Code {
    /// Whether the server is going down.
    pub const fn is_shutdown(self) -> bool {
        matches!(self, Self::SHUTDOWN_IN_PROGRESS | Self::INTERRUPTED_AT_SHUTDOWN)
    }

    /// Whether the user is not let in, or may not do this.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::USER_NOT_FOUND | Self::UNAUTHORIZED | Self::AUTHENTICATION_FAILED
        )
    }

    /// Whether another server is the primary, or none is.
    pub const fn is_not_primary(self) -> bool {
        matches!(
            self,
            Self::NOT_WRITABLE_PRIMARY
                | Self::PRIMARY_STEPPED_DOWN
                | Self::INTERRUPTED_DUE_TO_STATE_CHANGE
                | Self::NOT_PRIMARY_OR_SECONDARY
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_number_and_name() {
        assert_eq!(Code::NOT_YET_INITIALIZED.to_string(), "94 NotYetInitialized");
        assert_eq!(Code(7).to_string(), "7");
    }
}
