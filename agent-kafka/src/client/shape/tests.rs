use std::mem::size_of;

use bytes::Bytes;
use kafka_protocol::messages::{
    alter_partition_reassignments_response as alter, api_versions_response as api,
    describe_cluster_response as cluster, describe_configs_response as configs, describe_log_dirs_response as dirs,
    describe_quorum_response as quorum, describe_topic_partitions_response as described,
    elect_leaders_response as elect, list_offsets_response as offsets,
    list_partition_reassignments_response as reassignments, metadata_response as metadata,
};
use kafka_protocol::protocol::StrBytes;
use proptest::prelude::*;

use super::Shape::{Array, CompactArray, CompactString, Int8, Int16, Int32, Nullable, String, Tags};
use super::*;
use crate::client::answers::{self, Fields};
use crate::client::call;
use crate::client::recorded;

/// What the decoder makes of an array's element, and the fewest bytes that one has.
const ELEMENTS: &[(usize, Fields)] = &[
    (size_of::<api::ApiVersion>(), &[Int16, Int16, Int16]),
    (size_of::<api::ApiVersion>(), answers::API_VERSION),
    (size_of::<api::SupportedFeatureKey>(), answers::FEATURE),
    (size_of::<api::FinalizedFeatureKey>(), answers::FEATURE),
    (size_of::<cluster::DescribeClusterBroker>(), answers::BROKER_1),
    (size_of::<cluster::DescribeClusterBroker>(), answers::BROKER_2),
    (size_of::<metadata::MetadataResponseBroker>(), answers::BROKER_1),
    (size_of::<metadata::MetadataResponseTopic>(), answers::TOPIC),
    (size_of::<metadata::MetadataResponsePartition>(), answers::PARTITION),
    (
        size_of::<described::DescribeTopicPartitionsResponseTopic>(),
        answers::TOPIC,
    ),
    (
        size_of::<described::DescribeTopicPartitionsResponsePartition>(),
        answers::ELIGIBLE_PARTITION,
    ),
    (size_of::<dirs::DescribeLogDirsResult>(), answers::LOG_DIR),
    (size_of::<dirs::DescribeLogDirsTopic>(), TOPIC),
    (size_of::<dirs::DescribeLogDirsPartition>(), answers::LOG),
    (size_of::<offsets::ListOffsetsTopicResponse>(), TOPIC),
    (size_of::<offsets::ListOffsetsPartitionResponse>(), answers::OFFSET),
    (size_of::<quorum::TopicData>(), TOPIC),
    (size_of::<quorum::PartitionData>(), answers::QUORUM),
    (size_of::<quorum::ReplicaState>(), answers::REPLICA),
    (size_of::<quorum::Node>(), &[Int32, CompactArray(&[]), Tags(&[])]),
    (size_of::<quorum::Listener>(), answers::LISTENER),
    (
        size_of::<configs::DescribeConfigsResult>(),
        &[Int16, CompactString, Int8, CompactString, CompactArray(&[]), Tags(&[])],
    ),
    (size_of::<configs::DescribeConfigsResourceResult>(), answers::CONFIG),
    (size_of::<configs::DescribeConfigsSynonym>(), answers::SYNONYM),
    (size_of::<elect::ReplicaElectionResult>(), TOPIC),
    (size_of::<elect::PartitionResult>(), answers::PARTITION_CODE),
    (size_of::<alter::ReassignableTopicResponse>(), TOPIC),
    (
        size_of::<alter::ReassignablePartitionResponse>(),
        answers::PARTITION_CODE,
    ),
    (size_of::<reassignments::OngoingTopicReassignment>(), TOPIC),
    (
        size_of::<reassignments::OngoingPartitionReassignment>(),
        answers::REASSIGNMENT,
    ),
    (size_of::<StrBytes>(), &[String]),
    (size_of::<i32>(), &[Int32]),
];
const TOPIC: Fields = &[CompactString, CompactArray(&[]), Tags(&[])];

/// A map with one entry: a leaf of a B-tree, which has room for eleven (each a tag and `Bytes`).
const UNKNOWN_FIELD: usize = 11 * (size_of::<i32>() + size_of::<Bytes>()) + 2 * size_of::<usize>();

#[test]
fn decoding_takes_no_more_than_is_said() {
    // The bytes of an element without those of the arrays within it are its own, so the arrays of an answer, however
    // they are nested, take together no more than the worst of them would.
    let arrays = ELEMENTS
        .iter()
        .map(|(size, fields)| size.div_ceil(smallest(fields)))
        .max()
        .unwrap();
    assert!(arrays + UNKNOWN_FIELD.div_ceil(UNKNOWN) <= DECODED, "{arrays}");
}

/// The fields within fields, themselves included.
fn every_array(fields: Fields, seen: &mut Vec<Fields>) {
    for field in fields {
        match field {
            Array(within) | CompactArray(within) => {
                seen.push(within);
                every_array(within, seen);
            }
            Nullable(within) => every_array(within, seen),
            Tags(known) => known.iter().for_each(|(_, within)| every_array(within, seen)),
            _ => {}
        }
    }
}

#[test]
fn no_array_is_left_out_of_that() {
    let mut arrays = Vec::new();
    let answers = call::ALL.iter().flat_map(|known| known.answers);
    answers.for_each(|(_, fields)| every_array(fields, &mut arrays));
    for fields in arrays {
        let least = smallest(fields);
        assert!(least > 0);
        let known = ELEMENTS
            .iter()
            .any(|(_, known)| known.len() == fields.len() && smallest(known) == least);
        assert!(known, "{fields:?}");
    }
}

#[test]
fn counts_and_lengths_are_held_against_what_is_left() {
    let strings: Fields = &[CompactArray(&[CompactString])];
    assert_eq!(
        walk(&[3, 2, b'a', 1], strings),
        Ok(Extent {
            elements: 2,
            unknown: 0
        })
    );
    assert_eq!(walk(&[0], strings), Ok(Extent::default()));
    assert_eq!(
        walk(&[0xff, 0xff, 0xff, 0xff, 0x0f], strings),
        Err(Misfit::Array(0xffff_fffe, 0))
    );
    assert_eq!(walk(&[2, 9, b'a'], strings), Err(Misfit::String(8, 1)));
    assert_eq!(walk(&[1, 0], strings), Err(Misfit::Rest(1)));
    let old: Fields = &[Array(&[String])];
    assert_eq!(walk(b"\x7f\xff\xff\xff", old), Err(Misfit::Array(0x7fff_ffff, 0)));
    assert_eq!(walk(b"\xff\xff\xff\xfe", old), Err(Misfit::Negative(-2)));
    assert_eq!(walk(b"\xff\xff\xff\xff", old), Ok(Extent::default()));
    assert_eq!(walk(b"\0\0\0\x01\xff\xfe", old), Err(Misfit::Negative(-2)));
    assert_eq!(walk(&[], &[Int16]), Err(Misfit::Short));
}

#[test]
fn numbers_have_at_most_32_bits() {
    for endless in [[0xff, 0xff, 0xff, 0xff, 0x10], [0x80, 0x80, 0x80, 0x80, 0x80]] {
        assert_eq!(walk(&endless, &[CompactString]), Err(Misfit::Number));
    }
}

#[test]
fn a_structure_is_there_or_null() {
    let cursor: Fields = &[Nullable(&[CompactString])];
    assert_eq!(walk(&[0xff], cursor), Ok(Extent::default()));
    assert_eq!(walk(&[1, 1], cursor), Ok(Extent::default()));
    assert_eq!(walk(&[0, 1], cursor), Err(Misfit::Presence(0)));
}

#[test]
fn tagged_fields_are_as_long_as_they_say() {
    let tags: Fields = &[Tags(&[(1, &[Int16])])];
    let unknown = |unknown| Ok(Extent { elements: 0, unknown });
    assert_eq!(walk(&[1, 1, 2, 0, 0], tags), unknown(0));
    assert_eq!(walk(&[1, 5, 3, 0, 0, 0], tags), unknown(1));
    for wrong in [&[1, 1, 1, 0, 0][..], &[1, 1, 3, 0, 0, 0], &[1, 5, 4, 0]] {
        assert_eq!(walk(wrong, tags), Err(Misfit::TagSize), "{wrong:?}");
    }
    // Each costs the decoder far more than its two bytes.
    let many: Vec<u8> = [200, 1].into_iter().chain((0..200).flat_map(|_| [7, 0])).collect();
    assert_eq!(walk(&many, tags), Err(Misfit::Unknown));
}

/// Reads bytes as an answer to any request, as the client does; says how many got through.
fn read_as_anything(bytes: &[u8]) -> Result<usize, TestCaseError> {
    let mut read = 0;
    for known in call::ALL {
        for (version, fields) in known.answers {
            if let Ok(extent) = walk(bytes, fields) {
                prop_assert!(extent.elements <= bytes.len());
                prop_assert!(extent.unknown <= UNKNOWN_ANYWAY + bytes.len() / UNKNOWN);
                read += usize::from(known.again(Bytes::copy_from_slice(bytes), *version).is_ok());
            }
            let frame = Bytes::copy_from_slice(bytes);
            let _: Result<Bytes, _> = known.uncover(frame, *version, 0);
        }
    }
    Ok(read)
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_as_anything(&bytes)?;
    }

    /// Small numbers are lengths that fit, so that more of it is walked.
    #[test]
    fn random_small_bytes_do_no_harm(bytes in prop::collection::vec(0_u8..6, 0..200)) {
        read_as_anything(&bytes)?;
    }

    #[test]
    fn real_answers_with_bytes_changed_do_no_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let exchanges = recorded::of("4.3.0");
        let exchange = which.get(&exchanges);
        let known = call::ALL.iter().find(|known| known.key == exchange.asks().0).unwrap();
        let (_, version) = exchange.asks();
        let mut body = known.uncover(exchange.answer.clone(), version, exchange.correlation()).unwrap().to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        if walk(&body, known.fields(version)).is_ok() {
            // It may say nonsense, such as a text that is none; it may not do harm.
            let _: Result<Vec<u8>, _> = known.again(body.into(), version);
        }
    }
}
