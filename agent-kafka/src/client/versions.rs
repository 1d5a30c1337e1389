//! What the other side knows: a range of versions for each request, and features.

use std::ops::RangeInclusive;

use kafka_protocol::messages::ApiVersionsResponse;
use thiserror::Error;

use super::answers::Fields;
use super::call::Call;

/// Of a feature: the level of the metadata log's records, which tells the release line.
pub const METADATA_VERSION: &str = "metadata.version";
/// Of a feature: 1 where the cluster can change its voters, 0 or none where they are written in every node's
/// configuration.
pub const KRAFT_VERSION: &str = "kraft.version";

/// What a listener said of itself when the connection was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    apis: Vec<(i16, RangeInclusive<i16>)>,
    features: Vec<Feature>,
}

/// A feature of the cluster, by the name that Kafka's documentation has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Such as [`METADATA_VERSION`].
    pub name: String,
    /// The levels that this process can work at. The highest one is its release's.
    pub supported: RangeInclusive<i16>,
    /// The level that the cluster works at, as this process knows it; none where it does not know.
    pub finalized: Option<i16>,
}

/// There is no version of a request that both sides know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unsupported {
    /// The request is not known there at all.
    #[error("the listener has no {api}: {needs} is needed")]
    Unknown {
        /// The request.
        api: &'static str,
        /// What would know it.
        needs: &'static str,
    },
    /// The listener knows other versions of it.
    #[error("the listener has {api} in the versions {} to {}, and the agent asks for {asked:?}: {needs} is needed", .has.start(), .has.end())]
    Versions {
        /// The request.
        api: &'static str,
        /// What the listener knows.
        has: RangeInclusive<i16>,
        /// What the agent asks for.
        asked: Vec<i16>,
        /// What would know it.
        needs: &'static str,
    },
}

impl Versions {
    pub(super) fn new(answer: &ApiVersionsResponse) -> Self {
        let level = |name: &str| {
            let mut finalized = answer.finalized_features.iter();
            let feature = finalized.find(|feature| feature.name.as_str() == name)?;
            Some(feature.max_version_level)
        };
        let supported = answer.supported_features.iter();
        let features = supported.map(|feature| Feature {
            name: feature.name.to_string(),
            supported: feature.min_version..=feature.max_version,
            finalized: level(&feature.name),
        });
        Self {
            features: features.collect(),
            apis: answer
                .api_keys
                .iter()
                .map(|api| (api.api_key, api.min_version..=api.max_version))
                .collect(),
        }
    }

    /// The highest version of this request that both sides know.
    pub fn choose<C: Call>(&self) -> Result<i16, Unsupported> {
        self.chosen::<C>().map(|(version, _)| version)
    }

    pub(super) fn chosen<C: Call>(&self) -> Result<(i16, Fields), Unsupported> {
        let key = C::KEY as i16;
        let (api, needs) = (C::NAME, C::NEEDS);
        let known = self.apis.iter().find(|(known, _)| *known == key);
        let (_, has) = known.ok_or(Unsupported::Unknown { api, needs })?;
        let newest_first = C::ANSWERS.iter().rev();
        let chosen = newest_first.copied().find(|(version, _)| has.contains(version));
        chosen.ok_or_else(|| Unsupported::Versions {
            api,
            has: has.clone(),
            asked: C::ANSWERS.iter().map(|(version, _)| *version).collect(),
            needs,
        })
    }

    /// A feature of this name, where the process says that it has it.
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name == name)
    }

    /// The highest level of [`METADATA_VERSION`] that this process can work at: 21 is 3.9, 25 is 4.0, 27 is 4.1, 29 is
    /// 4.2, 30 is 4.3.
    pub fn metadata_version(&self) -> Option<i16> {
        self.feature(METADATA_VERSION).map(|feature| *feature.supported.end())
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
    use kafka_protocol::messages::{AddRaftVoterRequest, ApiKey, DescribeClusterRequest, MetadataRequest};
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn knows(apis: &[(ApiKey, i16, i16)]) -> Versions {
        let api = |&(key, min, max): &(ApiKey, i16, i16)| {
            let api = ApiVersion::default().with_api_key(key as i16);
            api.with_min_version(min).with_max_version(max)
        };
        Versions::new(&ApiVersionsResponse::default().with_api_keys(apis.iter().map(api).collect()))
    }

    #[test]
    fn the_highest_version_that_both_know_is_taken() {
        for (min, max, chosen) in [(0, 1, 1), (0, 2, 2), (0, 9, 2), (2, 3, 2)] {
            let versions = knows(&[(ApiKey::DescribeCluster, min, max)]);
            assert_eq!(versions.choose::<DescribeClusterRequest>(), Ok(chosen));
        }
    }

    #[test]
    fn no_common_version_says_what_is_needed() {
        let versions = knows(&[(ApiKey::Metadata, 0, 11)]);
        let error = versions.choose::<AddRaftVoterRequest>().unwrap_err().to_string();
        assert_eq!(
            error,
            "the listener has no AddRaftVoter: Kafka 3.9 or newer in KRaft mode is needed"
        );
        let error = versions.choose::<MetadataRequest>().unwrap_err().to_string();
        assert!(
            error.contains("versions 0 to 11, and the agent asks for [12]"),
            "{error}"
        );
    }

    #[test]
    fn features_have_the_level_of_the_process_and_of_the_cluster() {
        let name = StrBytes::from_static_str(METADATA_VERSION);
        let supported = SupportedFeatureKey::default().with_name(name.clone());
        let finalized = FinalizedFeatureKey::default().with_name(name);
        let answer = ApiVersionsResponse::default()
            .with_supported_features(vec![supported.with_min_version(7).with_max_version(30)])
            .with_finalized_features(vec![finalized.with_max_version_level(25)]);
        let versions = Versions::new(&answer);
        assert_eq!(versions.metadata_version(), Some(30));
        assert_eq!(versions.feature(METADATA_VERSION).unwrap().finalized, Some(25));
        assert_eq!(versions.feature(KRAFT_VERSION), None);
    }
}
