//! The fields of every answer that the client reads, one table for each version that it asks for. They are as in the
//! message definitions of Kafka's sources (`clients/src/main/resources/common/message`).

use super::shape::Shape::{
    self, Array, CompactArray, CompactString, Int8, Int16, Int32, Int64, Nullable, String, Tags, Uuid,
};

/// The fields of one version.
pub(super) type Fields = &'static [Shape];

/// Behind the correlation id, where the header of an answer has more than that.
pub(super) const HEADER_TAGS: Fields = &[NO_TAGS];

const NO_TAGS: Shape = Tags(&[]);

pub(super) const API_VERSIONS_0: Fields = &[Int16, Array(&[Int16, Int16, Int16])];

pub(super) const API_VERSIONS_4: Fields = &[
    Int16,
    CompactArray(API_VERSION),
    Int32,
    Tags(&[
        (0, &[CompactArray(FEATURE)]),
        (1, &[Int64]),
        (2, &[CompactArray(FEATURE)]),
        (3, &[Int8]),
    ]),
];
pub(super) const API_VERSION: Fields = &[Int16, Int16, Int16, NO_TAGS];
pub(super) const FEATURE: Fields = &[CompactString, Int16, Int16, NO_TAGS];

pub(super) const DESCRIBE_CLUSTER_1: Fields = &[
    Int32,
    Int16,
    CompactString,
    Int8,
    CompactString,
    Int32,
    CompactArray(BROKER_1),
    Int32,
    NO_TAGS,
];
pub(super) const BROKER_1: Fields = &[Int32, CompactString, Int32, CompactString, NO_TAGS];

pub(super) const DESCRIBE_CLUSTER_2: Fields = &[
    Int32,
    Int16,
    CompactString,
    Int8,
    CompactString,
    Int32,
    CompactArray(BROKER_2),
    Int32,
    NO_TAGS,
];

pub(super) const BROKER_2: Fields = &[Int32, CompactString, Int32, CompactString, Int8, NO_TAGS];

pub(super) const METADATA_12: Fields = &[
    Int32,
    CompactArray(BROKER_1),
    CompactString,
    Int32,
    CompactArray(TOPIC),
    NO_TAGS,
];
pub(super) const TOPIC: Fields = &[
    Int16,
    CompactString,
    Uuid,
    Int8,
    CompactArray(PARTITION),
    Int32,
    NO_TAGS,
];
pub(super) const PARTITION: Fields = &[Int16, Int32, Int32, Int32, REPLICAS, REPLICAS, REPLICAS, NO_TAGS];
const REPLICAS: Shape = CompactArray(&[Int32]);

pub(super) const DESCRIBE_TOPIC_PARTITIONS_0: Fields = &[
    Int32,
    CompactArray(&[
        Int16,
        CompactString,
        Uuid,
        Int8,
        CompactArray(ELIGIBLE_PARTITION),
        Int32,
        NO_TAGS,
    ]),
    Nullable(&[CompactString, Int32, NO_TAGS]),
    NO_TAGS,
];
pub(super) const ELIGIBLE_PARTITION: Fields = &[
    Int16, Int32, Int32, Int32, REPLICAS, REPLICAS, REPLICAS, REPLICAS, REPLICAS, NO_TAGS,
];

pub(super) const DESCRIBE_LOG_DIRS_4: Fields = &[Int32, Int16, CompactArray(LOG_DIR), NO_TAGS];
pub(super) const LOG_DIR: Fields = &[
    Int16,
    CompactString,
    CompactArray(&[CompactString, CompactArray(LOG), NO_TAGS]),
    Int64,
    Int64,
    NO_TAGS,
];
pub(super) const LOG: Fields = &[Int32, Int64, Int64, Int8, NO_TAGS];

pub(super) const LIST_OFFSETS_9: Fields = &[
    Int32,
    CompactArray(&[CompactString, CompactArray(OFFSET), NO_TAGS]),
    NO_TAGS,
];
pub(super) const OFFSET: Fields = &[Int32, Int16, Int64, Int64, Int32, NO_TAGS];

pub(super) const DESCRIBE_QUORUM_2: Fields = &[
    Int16,
    CompactString,
    CompactArray(&[CompactString, CompactArray(QUORUM), NO_TAGS]),
    CompactArray(&[Int32, CompactArray(LISTENER), NO_TAGS]),
    NO_TAGS,
];
pub(super) const QUORUM: Fields = &[
    Int32,
    Int16,
    CompactString,
    Int32,
    Int32,
    Int64,
    CompactArray(REPLICA),
    CompactArray(REPLICA),
    NO_TAGS,
];
pub(super) const REPLICA: Fields = &[Int32, Uuid, Int64, Int64, Int64, NO_TAGS];
pub(super) const LISTENER: Fields = &[CompactString, CompactString, Int16, NO_TAGS];

pub(super) const DESCRIBE_CONFIGS_4: Fields = &[
    Int32,
    CompactArray(&[Int16, CompactString, Int8, CompactString, CompactArray(CONFIG), NO_TAGS]),
    NO_TAGS,
];
pub(super) const CONFIG: Fields = &[
    CompactString,
    CompactString,
    Int8,
    Int8,
    Int8,
    CompactArray(SYNONYM),
    Int8,
    CompactString,
    NO_TAGS,
];
pub(super) const SYNONYM: Fields = &[CompactString, CompactString, Int8, NO_TAGS];

/// `AddRaftVoter`, `RemoveRaftVoter` and `UnregisterBroker` answer alike.
pub(super) const CODE_AND_MESSAGE: Fields = &[Int32, Int16, CompactString, NO_TAGS];

pub(super) const ELECT_LEADERS_2: Fields = &[Int32, Int16, CompactArray(TOPIC_CODES), NO_TAGS];
/// What became of each partition of a topic.
pub(super) const TOPIC_CODES: Fields = &[CompactString, CompactArray(PARTITION_CODE), NO_TAGS];
pub(super) const PARTITION_CODE: Fields = &[Int32, Int16, CompactString, NO_TAGS];

pub(super) const ALTER_PARTITION_REASSIGNMENTS_0: Fields =
    &[Int32, Int16, CompactString, CompactArray(TOPIC_CODES), NO_TAGS];

pub(super) const LIST_PARTITION_REASSIGNMENTS_0: Fields = &[
    Int32,
    Int16,
    CompactString,
    CompactArray(&[CompactString, CompactArray(REASSIGNMENT), NO_TAGS]),
    NO_TAGS,
];
pub(super) const REASSIGNMENT: Fields = &[Int32, REPLICAS, REPLICAS, REPLICAS, NO_TAGS];

pub(super) const SASL_HANDSHAKE_1: Fields = &[Int16, Array(&[String])];

pub(super) const SASL_AUTHENTICATE_2: Fields = &[Int16, CompactString, CompactString, Int64, NO_TAGS];
