//! The quorum of the metadata log, as `kafka-metadata-quorum.sh describe --status` prints it.

use serde::Deserialize;

use super::Error;

/// Who votes, who leads, who only follows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quorum {
    /// The cluster's id.
    pub cluster_id: String,
    /// The leader's number, where there is one.
    pub leader: Option<u32>,
    /// How often there was an election.
    pub epoch: u32,
    /// How far the log is committed; `None` without a majority.
    pub high_watermark: Option<u64>,
    /// In the order of the tool's output. The leader is one of them; dead ones are too.
    pub voters: Vec<Voter>,
    /// Brokers, and controllers that are not voters.
    pub observers: Vec<Voter>,
}

/// A node's log directory, as the quorum knows it. A node whose disk was lost is there twice, under two directory ids.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Voter {
    /// Its number.
    pub id: u32,
    /// The id of its log directory.
    pub directory_id: Option<String>,
    /// Its controller listeners, as `CONTROLLER://host:port`. Observers have none.
    #[serde(default)]
    pub endpoints: Vec<String>,
}

impl Quorum {
    /// The voters' numbers, in rising order.
    pub fn voter_ids(&self) -> Vec<u32> {
        ids(&self.voters)
    }

    /// The observers' numbers, in rising order.
    pub fn observer_ids(&self) -> Vec<u32> {
        ids(&self.observers)
    }

    pub(super) fn parse(output: &str) -> Result<Self, Error> {
        let field = |name| {
            let mut fields = output.lines().filter_map(|line| line.split_once(':'));
            fields.find_map(|(key, value)| (key == name).then(|| value.trim()))
        };
        let members = |name| serde_json::from_str::<Vec<Voter>>(field(name)?).ok();
        let read = || {
            Some(Self {
                cluster_id: field("ClusterId")?.to_owned(),
                // -1 stands for none.
                leader: field("LeaderId")?.parse().ok(),
                epoch: field("LeaderEpoch")?.parse().ok()?,
                high_watermark: field("HighWatermark")?.parse().ok(),
                voters: members("CurrentVoters")?,
                observers: members("CurrentObservers")?,
            })
        };
        read().ok_or_else(|| Error::Unexpected {
            tool: "kafka-metadata-quorum.sh describe --status",
            said: output.to_owned(),
        })
    }
}

fn ids(members: &[Voter]) -> Vec<u32> {
    let mut ids: Vec<_> = members.iter().map(|member| member.id).collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_outputs_of_both_releases_are_read() {
        for (recorded, observers) in [
            (include_str!("recorded/3.9.2-quorum.txt"), vec![2, 3]),
            (include_str!("recorded/4.3.0-quorum.txt"), vec![2, 3]),
        ] {
            let quorum = Quorum::parse(recorded).unwrap();
            assert_eq!((quorum.leader, quorum.epoch), (Some(1), 1));
            assert!(quorum.high_watermark > Some(0));
            assert_eq!((quorum.voter_ids(), quorum.observer_ids()), (vec![1], observers));
            assert_eq!(quorum.voters[0].endpoints, ["CONTROLLER://127.0.0.1:17111"]);
            assert_eq!(quorum.voters[0].directory_id.as_ref().unwrap().len(), 22);
            assert_eq!(quorum.cluster_id.len(), 22);
        }
    }

    #[test]
    fn no_leader_is_none() {
        let recorded = include_str!("recorded/4.3.0-quorum.txt");
        let without = recorded.replace("LeaderId:               1", "LeaderId:               -1");
        assert_eq!(Quorum::parse(&without).unwrap().leader, None);
    }

    #[test]
    fn anything_else_is_shown() {
        let error = Quorum::parse("Error: no").unwrap_err().to_string();
        assert!(error.contains("Error: no"), "{error}");
    }
}
