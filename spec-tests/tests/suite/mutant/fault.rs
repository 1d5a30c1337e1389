//! What a careless author may get wrong, one switch each.
//!
//! Longer than other files because it is one list: whoever writes a check looks here for its mutant. Each switch breaks one
//! rule and leaves every other answer right; where both dialects have the rule, both break it.

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// One way of being wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Fault {
            /// All of them, each with what its author did.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, concat!($($doc),+))),+];
        }
    };
}

faults! {
    // The node.
    /// `info/node` has no `node_id`.
    NodeIdMissing,
    /// `node_id` is an empty text.
    NodeIdEmpty,
    /// `node_id` counts the answers: it was taken from the connection.
    NodeIdChanges,
    /// `node_id` is `node-0` on every node: it was left in the configuration's template.
    NodeIdSharedByAll,
    /// The status is in lower case.
    NodeStatusLowerCase,
    /// The status is written as the specification's prose has it: `Healthy`.
    NodeStatusCamelCase,
    /// The status is a word of the author's own.
    NodeStatusUnknownWord,
    /// The status is `UNKNOWN`, without a reason.
    NodeStatusUnknownWithoutReason,
    /// There is no status.
    NodeStatusMissing,
    /// The status is `NOT_IN_CLUSTER`, beside a cluster's id and a shard.
    NodeOutsideWithShards,
    /// `unstable` tells of another store's version than `v1`: it was written down there.
    DialectsDiffer,
    /// The agent's version has two parts.
    AgentVersionNotSemver,
    /// There is no `agent_version`.
    AgentVersionMissing,
    /// The store's version is as the store prints it: `v3.9`.
    StoreVersionNotSemver,
    /// There is no `store_version`.
    StoreVersionMissing,
    /// There is no `store_id`.
    StoreIdMissing,
    /// There are no addresses.
    NodeAddressesMissing,
    /// An address is a number: the port alone.
    NodeAddressNumber,
    /// `info/node` has no `attributes`.
    NodeAttributesMissing,
    /// An attribute of the node is a list.
    NodeAttributeList,
    /// An attribute of the node is an object.
    NodeAttributeObject,
    /// An attribute of the node has no scope: `rack`.
    NodeAttributeUnscoped,
    /// An attribute of the node is in the scope kept for the project: `replicante.io/other`.
    NodeAttributeReserved,
    /// An attribute of the node is in a scope below the one kept for the project: `more.replicante.io/other`.
    NodeAttributeReservedBelow,
    /// `info/node` is a 500 while an action runs: one lock for both.
    NodeFailsWhileBusy,
    /// `info/node` is a 500 at every third question.
    NodeFailsNowAndThen,
    /// `info/node` takes six seconds: it asks all other nodes first.
    NodeSlow,

    // The store.
    /// `info/store` has no `cluster_id`.
    ClusterIdMissing,
    /// `cluster_id` is an empty text.
    ClusterIdEmpty,
    /// `cluster_id` is another one in each answer.
    ClusterIdChanges,
    /// `cluster_id` has the node's id in it, so that it differs between nodes.
    ClusterIdDiffers,
    /// `info/store` is a 500 beside a healthy node.
    StoreFails,
    /// `info/store` has no `attributes`.
    StoreAttributesMissing,
    /// An attribute of the store is a list.
    StoreAttributeList,
    /// An attribute of the store has no scope.
    StoreAttributeUnscoped,
    /// An attribute of the store is in the scope kept for the project.
    StoreAttributeReserved,

    // Shards.
    /// `info/shards` has no list.
    ShardsMissing,
    /// `info/shards` is a bare list.
    ShardsBareList,
    /// `info/shards` is a 500 beside a healthy node.
    ShardsFail,
    /// A shard has no id.
    ShardIdMissing,
    /// A shard's id is an empty text.
    ShardIdEmpty,
    /// One shard is listed twice.
    ShardIdTwice,
    /// A shard's id is taken from the node's name, so that no two nodes call it the same.
    ShardIdFromNode,
    /// A shard's role is a word of the store's: `leader`, `LEADER`.
    RoleUnknownWord,
    /// A shard's role is in lower case in `v1`, in upper case in `unstable`.
    RoleWrongCase,
    /// A shard has no role.
    RoleMissing,
    /// No node is the primary of the shard.
    NoPrimary,
    /// No node lists a shard.
    NoShards,
    /// A primary tells how far it is behind itself.
    LagOnPrimary,
    /// A shard has no `commit_offset`, not even null.
    OffsetMissing,
    /// The offset is a text.
    OffsetString,
    /// The offset has a fraction.
    OffsetFloat,
    /// The offset is beyond 64 bits with a sign.
    OffsetBeyond64Bits,
    /// The offset has no unit.
    OffsetWithoutUnit,
    /// The offset's unit is `entries` in one answer and `bytes` in the next.
    OffsetUnitChanges,
    /// Milliseconds are called seconds in every other answer.
    MillisecondsCalledSeconds,
    /// The offset's unit is another than on the node's peers. Only one agent of a cluster should have this.
    OffsetUnitUnlikePeers,
    /// The offset goes back with each answer.
    OffsetGoesBack,
    /// A shard has no lag, not even null.
    LagMissing,
    /// The lag has no unit (secondaries).
    LagWithoutUnit,
    /// The lag is a text (secondaries).
    LagString,
    /// The lag has a fraction (secondaries).
    LagFloat,
    /// The lag is beyond 64 bits (secondaries).
    LagBeyond64Bits,
    /// The lag's unit changes between answers (secondaries).
    LagUnitChanges,

    // Records.
    /// Records have no `args`.
    RecordWithoutArgs,
    /// Records have no `headers`, no `metadata`.
    RecordWithoutHeaders,
    /// Records have no `id`.
    RecordWithoutId,
    /// Records have no `kind`.
    RecordWithoutKind,
    /// Records have no `requester` (`v1`).
    RecordWithoutRequester,
    /// Records have no `created_ts`, no `created_time`.
    RecordWithoutCreated,
    /// Records have no `scheduled_ts`, no `scheduled_time`.
    RecordWithoutScheduled,
    /// Records have no `finished_ts`, no `finished_time`.
    RecordWithoutFinished,
    /// Records have no `state`; in `unstable` no `state.phase`.
    RecordWithoutState,
    /// Records have no `state_payload`; in `unstable` no `state.payload`.
    RecordWithoutPayload,
    /// Records have no `error`, in `unstable` no `state.error`.
    RecordWithoutError,
    /// Records have no `version` (`v1`).
    RecordWithoutVersion,
    /// Arguments come back through floating-point numbers.
    ArgsReformatted,
    /// Arguments come back as null.
    ArgsDropped,
    /// Headers come back empty.
    HeadersDropped,
    /// Names of headers come back in lower case, as an HTTP library has them.
    HeadersLowerCased,
    /// Whoever asked, the requester is `AGENT_API` (`v1`).
    RequesterDropped,
    /// The time that the client gave is replaced by the agent's (`unstable`).
    CreatedTimeReplaced,
    /// The id that the client gave is replaced by the agent's.
    IdReplaced,
    /// Kinds come back without their scope.
    KindShortened,
    /// The id in a record is a number of the agent's own.
    RecordIdNotUuid,
    /// The time of the end is null where the action failed.
    FinishedMissingOnFailed,
    /// The time of the end is null where the action was done.
    FinishedMissingOnDone,
    /// The time of the end is set while the action waits or runs.
    FinishedWhileRunning,
    /// The time of the end is before that of the recording.
    FinishedBeforeScheduled,
    /// The time of the end is that of the answer.
    FinishedMoves,
    /// States are in lower case.
    StateLowerCase,
    /// Every other answer tells of a running action as `NEW`.
    StateGoesBack,
    /// A done action's state is `SUCCEEDED`.
    StateUnknownWord,
    /// Times are told in another zone.
    TimeWithOffset,
    /// Times have three digits after the second.
    TimeShort,
    /// Times are numbers of seconds.
    TimeNumber,
    /// A failed action has no error.
    ErrorMissingOnFailed,
    /// An error is a text.
    ErrorText,
    /// The progress of an action is gone once it is done.
    PayloadLostAtTheEnd,

    // Lists.
    /// Finished actions are listed oldest first.
    FinishedOldestFirst,
    /// Only the last 50 finished actions are listed.
    FinishedCutAt50,
    /// The action that runs is among the finished.
    RunningAmongFinished,
    /// An action that every agent begins with has the same id everywhere.
    SameActionEverywhere,
    /// Finished actions are not listed where they failed.
    FailedInNoList,
    /// Waiting actions are listed newest first.
    QueueNewestFirst,
    /// The queue does not list the action that runs.
    QueueWithoutRunning,
    /// The first action of a list is in it twice.
    ListedTwice,
    /// A finished action stays in the queue, in `unstable` also once it was shown as finished.
    FinalStaysInQueue,
    /// An action that ends after `finished` was read is in no list that is read next (`unstable`).
    LostBetweenLists,
    /// Lists are bare.
    ListsBare,
    /// Entries of lists have no kind.
    BriefWithoutKind,
    /// A next page leaves out its first entry (`v1`).
    PagingSkips,
    /// A next page repeats the last entry (`v1`).
    PagingRepeats,
    /// The cursor is not looked at (`v1`).
    CursorIgnored,
    /// There always is a next page (`v1`).
    NextNeverNull,
    /// The limit is not looked at (`v1`).
    LimitIgnored,
    /// Any cursor is taken (`v1`).
    BadCursorAccepted,
    /// Unknown parameters are passed over (`v1`).
    UnknownParameterAccepted,

    // Actions.
    /// Two actions run at the same time.
    TwoAtOnce,
    /// The action that came last runs first.
    NewestRunsFirst,
    /// Actions run by the clock of who made them (`unstable`: `created_time`; `v1`: their ids).
    OrderedByClock,
    /// Nothing ever runs.
    NothingRuns,
    /// An action that is used again is set back to `NEW`, and accepted.
    FinishedSetBack,
    /// An id that is used again makes a second record.
    RepeatedIdRunsTwice,
    /// A used id is a 200, as if accepted, though nothing new runs.
    RepeatedIdAccepted,
    /// A 409 has no `Location`.
    ConflictWithoutLocation,
    /// A 409 has no `same_request`.
    ConflictWithoutSameRequest,
    /// `same_request` is true whatever was asked.
    SameRequestAlways,
    /// `same_request` compares texts.
    SameRequestByText,
    /// `test.fail` is done.
    FailEndsDone,
    /// `test.success` fails.
    SuccessEndsFailed,
    /// The progress of `test.loop` is never shown.
    ProgressHidden,
    /// The count of `test.loop` goes back.
    CountGoesBack,
    /// `test.loop` is done at half its target.
    LoopStopsShort,
    /// An unknown kind is accepted, and fails later.
    UnknownKindAccepted,
    /// An unknown kind is a 404.
    UnknownKind404,
    /// An unknown kind is a 500.
    UnknownKind500,
    /// Arguments are looked at when the action runs, not before.
    BadArgumentsAccepted,
    /// Arguments that are null are refused.
    NullArgsRefused,
    /// Ids that the agent makes are numbers.
    MadeIdNumber,
    /// A list of requests is accepted.
    ListBodyAccepted,
    /// Headers that are numbers are accepted.
    NumberHeadersAccepted,
    /// An unknown kind is refused, and recorded all the same.
    RefusedIsRecorded,
    /// An id that is no UUID is accepted.
    BadIdAccepted,
    /// Looking for an id that is no UUID is a 404.
    BadIdUnknown,
    /// An unknown id is a 200 with null.
    UnknownActionNull,
    /// An action is accepted with 202.
    AcceptedWithAnotherStatus,
    /// An accepted action has no `Location` (`v1`).
    AcceptedWithoutLocation,
    /// The answer to an accepted action has no id.
    AcceptedWithoutId,
    /// Long polls are answered at once (`v1`).
    LongPollAtOnce,
    /// Long polls are answered at the end of the wait (`v1`).
    LongPollLate,
    /// A long poll that ends without news is a 204 (`v1`).
    LongPollEmpty,
    /// Cancelling a waiting action does nothing (`v1`).
    CancelIgnored,
    /// Cancelling a running action does nothing (`v1`).
    CancelOfRunningIgnored,
    /// Cancelling is a 200 (`v1`).
    CancelAnswers200,
    /// Cancelling a finished action is a 202 (`v1`).
    CancelOfFinishedAccepted,
    /// The history has its first and last step alone (`v1`).
    HistoryWithoutSteps,
    /// The history is newest first (`v1`).
    HistoryNewestFirst,
    /// There is no history (`v1`).
    HistoryMissing,
    /// Kinds have no schemas (`v1`).
    KindsWithoutSchemas,
    /// A kind that can be scheduled is not listed (`v1`).
    KindMissing,
    /// The kind that removes a node is not offered (`v1`).
    RemoveNotOffered,
    /// `kinds` does not say what is absent (`v1`).
    KindsWithoutAbsent,
    /// There is no `OpenAPI` document (`v1`).
    OpenapiMissing,
    /// The `OpenAPI` document has no paths (`v1`).
    OpenapiEmpty,
    /// Preconditions are not looked at (`v1`).
    PreconditionsIgnored,
    /// An empty precondition is accepted (`v1`).
    PreconditionEmptyAccepted,
    /// The deadline is not looked at (`v1`).
    DeadlineIgnored,
    /// Any deadline is accepted (`v1`).
    DeadlineUnbounded,
    /// A requester of any length is accepted (`v1`).
    RequesterUnbounded,
    /// A time with an offset is accepted (`unstable`).
    CreatedOffsetAccepted,

    // Failures.
    /// A malformed body is accepted.
    MalformedAccepted,
    /// A malformed body is a 500.
    Malformed500,
    /// A malformed body is answered in plain text.
    MalformedPlain,
    /// A key given twice is accepted.
    DuplicateKeyAccepted,
    /// Deep nesting is accepted.
    DeepNestingAccepted,
    /// Bytes that are no UTF-8 are accepted.
    BadUtf8Accepted,
    /// A body of any length is accepted.
    TooLargeAccepted,
    /// A body that is too long is a 400.
    TooLargeIs400,
    /// Any content type is accepted.
    WrongTypeAccepted,
    /// Unknown keys are passed over (`v1`).
    UnknownKeyAccepted,
    /// Unknown keys are refused (`unstable`).
    UnknownKeyRefused,
    /// Every failure is told in plain text.
    ErrorsPlain,
    /// Every failure is told as `application/json`.
    ErrorsAsJson,
    /// Problem documents have no code.
    ProblemWithoutCode,
    /// Problem documents tell of another status.
    ProblemWrongStatus,
    /// Problem documents have no `error_msg` (`unstable`).
    ProblemWithoutErrorMsg,
    /// Problem documents do not say which field is meant.
    ProblemWithoutField,
    /// An unknown path is a 200.
    UnknownRoute200,
    /// An unknown path is a 404 in HTML.
    UnknownRouteHtml,
    /// A wrong method is a 404.
    WrongMethod404,
    /// A 405 has no `Allow`.
    WrongMethodWithoutAllow,
    /// HEAD is refused.
    HeadRefused,
    /// A path with a slash at its end is served.
    TrailingSlashServed,
    /// Any `Host` is answered.
    AnyHostServed,
    /// Credentials are not looked at.
    AnyTokenServed,
    /// A wrong token is a 403.
    WrongToken403,

    // Load, crashes, the cluster.
    /// Looking whether an id is used, and using it, are two steps.
    IdAcceptedTwice,
    /// Some of the actions that come while three wait are accepted and dropped.
    LostUnderLoad,
    /// A full queue is a 500.
    OverloadFails,
    /// A full queue closes the connection.
    OverloadCloses,
    /// A full queue is a 429 without `Retry-After`.
    OverloadWithoutRetryAfter,
    /// A malformed body ends the agent.
    HostileBodyKills,
    /// A malformed body is refused, and stored as an action all the same.
    HostileBodyStored,
    /// What was acknowledged is written a while later.
    LostByCrash,
    /// After a restart the actions that wait run in another order.
    OrderLostByCrash,
    /// After a restart finished actions are `NEW`.
    FinishedNewAfterCrash,
    /// After a restart finished actions have run again, in the same record.
    FinishedRunAgainAfterCrash,
    /// After a restart the running action is forgotten.
    RunningForgottenByCrash,
    /// After a restart the running action begins anew.
    ProgressLostByCrash,
    /// After a restart the running action waits behind the others.
    RunningResumedLast,
    /// Removing a node fails the second time.
    RemoveFailsTwice,
    /// Removing a node that is not there fails.
    RemoveOfAbsentFails,

    // What only a close look shows.
    /// `cluster_id` is null for ever, beside a healthy node.
    ClusterIdNullWhileHealthy,
    /// The offset's unit is told as the other dialect has it.
    OffsetUnitOtherForm,
    /// The lag's unit is told as the other dialect has it (secondaries).
    LagUnitOtherForm,
    /// One node alone lists the shard, as `OTHER`.
    OnlyOther,
    /// The time of the first run is told in another zone (`v1`).
    StartedWithOffset,
    /// The time of the making is that of a clock that is ahead of the one that records (`v1`).
    CreatedAhead,
    /// The id in a record has braces around it.
    RecordIdBraced,
    /// Ids that the agent makes come from a seed that is the same on every node.
    MadeIdsAlike,
    /// Looking for an id that is no UUID is a 500.
    BadIdFails,
    /// `kinds` does not say what becomes of `cluster.init` (`v1`).
    InitNotTold,
    /// `kinds` does not say what becomes of `cluster.add` (`v1`).
    AddNotTold,
    /// `kinds` does not say what becomes of `cluster.join` (`v1`).
    JoinNotTold,
    /// After a restart the running action has failed.
    FailedByCrash,
    /// After a restart the record of the running action is as if it had just come.
    RecordSetBackByCrash,
    /// Deep nesting is a 500.
    DeepNestingFails,
    /// Removing a node that is not there empties the node that was asked.
    RemoveEmptiesNode,

    // Lawful, if unusual.
    /// There are no kinds for tests.
    NoTestKinds,
    /// No more than twenty actions may wait or run.
    QueueOfTwenty,
    /// Thousands of actions have ended before.
    ManyFinished,
    /// Somebody's action runs for a long time.
    SomebodyAhead,
    /// A history comes in pages of seven (`v1`).
    HistoryInShortPages,
    /// Every fourth request is to come again later, but for those that the store's process answers.
    ComeAgainLater,
    /// The records of no more than twenty finished actions are kept.
    FewKept,
    /// The shard's primary moves with every other answer.
    PrimaryMoves,
}
