//! Who is in the cluster, and what a node must not forget: its cluster, its epoch and its vote.
//!
//! A [`Config`] is a log entry. A change adds or removes exactly one member, and the next one waits until the last is
//! committed, so the majorities of two neighbouring configurations always share a node and nobody needs two quorums.
//!
//! [`Meta`] is the small file beside the log. `save` is atomic (written aside, synced, renamed, directory synced) and comes before
//! the node acts on it: a vote that a crash could take back would allow two primaries in one epoch.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Unique within the cluster.
    pub(crate) name: String,
    /// Where it listens, as it says itself.
    pub(crate) address: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// One more with each change.
    pub(crate) version: u64,
    pub(crate) members: Vec<Member>,
}

impl Config {
    /// The member with this name or this address.
    pub(crate) fn find(&self, node: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.name == node || member.address == node)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    pub(crate) fn majority(&self) -> usize {
        self.members.len() / 2 + 1
    }

    pub(crate) fn with(&self, member: Member) -> Self {
        let mut next = Self {
            version: self.version + 1,
            ..self.clone()
        };
        next.members.push(member);
        next
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut next = Self {
            version: self.version + 1,
            ..self.clone()
        };
        next.members.retain(|member| member.name != name);
        next
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) cluster_id: Option<String>,
    /// The cluster that `epoch` and `voted_for` belong to, kept after leaving it: who comes back must not vote twice.
    pub(crate) last_cluster_id: Option<String>,
    pub(crate) epoch: u64,
    pub(crate) voted_for: Option<String>,
    /// Members to copy from until the log says who they are.
    pub(crate) seeds: Vec<Member>,
}

impl Meta {
    /// What was saved last, or an empty one in a new directory.
    pub(crate) fn load(dir: &Path) -> io::Result<Self> {
        match fs::read(dir.join("node.json")) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn save(&self, dir: &Path) -> io::Result<()> {
        let aside = dir.join("node.json.new");
        let mut file = File::create(&aside)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&aside, dir.join("node.json"))?;
        File::open(dir)?.sync_all()
    }

    /// In cluster `id`, at least at `epoch`. A vote of this node's earlier time in the same cluster still stands.
    pub(crate) fn entering(&self, id: &str, epoch: u64, seeds: Vec<Member>) -> Self {
        let back = self.last_cluster_id.as_deref() == Some(id) && self.epoch >= epoch;
        Self {
            name: self.name.clone(),
            address: self.address.clone(),
            cluster_id: Some(id.to_owned()),
            last_cluster_id: Some(id.to_owned()),
            epoch: if back { self.epoch } else { epoch },
            voted_for: if back { self.voted_for.clone() } else { None },
            seeds,
        }
    }

    pub(crate) fn leaving(&self) -> Self {
        Self {
            cluster_id: None,
            seeds: Vec::new(),
            ..self.clone()
        }
    }

    /// At a later `epoch`, in which this node has voted for nobody or for `vote`.
    pub(crate) fn at(&self, epoch: u64, vote: Option<&str>) -> Self {
        Self {
            epoch,
            voted_for: vote.map(str::to_owned),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Member {
        Member {
            name: name.to_owned(),
            address: format!("{name}:1"),
        }
    }

    #[test]
    fn each_change_is_one_member_and_one_version() {
        let two = Config {
            version: 1,
            members: vec![member("a")],
        }
        .with(member("b"));
        assert_eq!(
            (two.version, two.majority(), two.find("b:1"), two.has("b:1")),
            (2, 2, Some(&member("b")), false)
        );
        let one = two.without("a");
        assert_eq!((one.version, one.members), (3, vec![member("b")]));
    }

    #[test]
    fn metadata_survives_and_a_half_written_one_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Meta::load(dir.path()).unwrap(), Meta::default());
        let meta = Meta::default().entering("c", 3, vec![member("a")]).at(4, Some("a"));
        meta.save(dir.path()).unwrap();
        fs::write(dir.path().join("node.json.new"), "{").unwrap();
        assert_eq!(Meta::load(dir.path()).unwrap(), meta);
    }

    #[test]
    fn a_vote_outlives_leaving_and_coming_back_but_not_another_cluster() {
        let left = Meta::default().entering("c", 1, Vec::new()).at(5, Some("x")).leaving();
        assert_eq!(left.cluster_id, None);
        let back = left.entering("c", 4, Vec::new());
        assert_eq!((back.epoch, back.voted_for.as_deref()), (5, Some("x")));
        let elsewhere = left.entering("d", 2, Vec::new());
        assert_eq!((elsewhere.epoch, elsewhere.voted_for), (2, None));
    }
}
