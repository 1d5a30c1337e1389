//! How a command ended, for scripts.

use crate::client::ClientError;

/// The exit code of a command. The table is `docs/exit-codes.md`, and stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done as asked.
    Done,
    /// The action failed or would fail, or `check` found different things wrong.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// The configuration is missing or wrong.
    Configuration,
    /// No agent answers.
    Unreachable,
    /// The agent wants a token, or another one.
    Denied,
    /// The agent refuses the request.
    Refused,
    /// The state directory cannot be used, or another process holds it.
    StateDirectory,
    /// The database is damaged, foreign, or of a newer version.
    Database,
    /// The store cannot be reached.
    StoreUnreachable,
    /// The store answers and refuses.
    StoreRefuses,
    /// A fault in the agent.
    Fault,
    /// Watching stopped before the action's end.
    Unfinished,
}

impl Exit {
    /// Every outcome, in the codes' order.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Configuration,
        Self::Unreachable,
        Self::Denied,
        Self::Refused,
        Self::StateDirectory,
        Self::Database,
        Self::StoreUnreachable,
        Self::StoreRefuses,
        Self::Fault,
        Self::Unfinished,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::Unreachable => 4,
            Self::Denied => 5,
            Self::Refused => 6,
            Self::StateDirectory => 7,
            Self::Database => 8,
            Self::StoreUnreachable => 9,
            Self::StoreRefuses => 10,
            Self::Fault => 11,
            Self::Unfinished => 12,
        }
    }

    /// What it means, as the table says it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done as asked",
            Self::Failed => "the action failed or would fail; `check` found different things wrong",
            Self::Usage => "the command line makes no sense",
            Self::Configuration => "the configuration is missing or wrong",
            Self::Unreachable => "no agent answers at the address",
            Self::Denied => "the agent wants a token, or another one",
            Self::Refused => "the agent refuses the request and says why",
            Self::StateDirectory => "the state directory cannot be used, or another process holds it",
            Self::Database => "the database is damaged, foreign, or of a newer version",
            Self::StoreUnreachable => "the store cannot be reached",
            Self::StoreRefuses => "the store answers and refuses",
            Self::Fault => "a fault in the agent",
            Self::Unfinished => "watching stopped before the action's end",
        }
    }

    /// What a client's error means for the one who asked.
    pub(super) fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Address { .. } => Self::Usage,
            ClientError::Unreachable { .. }
            | ClientError::Timeout { .. }
            | ClientError::Garbled { .. }
            | ClientError::TooLong { .. } => Self::Unreachable,
            ClientError::Refused(problem) if matches!(problem.status, 401 | 403) => Self::Denied,
            ClientError::Refused(_) => Self::Refused,
            ClientError::Broken(_) => Self::Fault,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
