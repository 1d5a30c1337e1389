//! The log directories of a broker: whether they work, their room, and which replicas lie in them.

use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use tokio::time::Instant;

use super::{AskError, accept, left};
use crate::client::{Code, Link};

/// One log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Where it is.
    pub path: String,
    /// Whether the broker has given it up.
    pub failed: bool,
    /// Size of its file system in bytes, where the broker tells.
    pub total_bytes: Option<i64>,
    /// Room that is left in its file system, in bytes, where the broker tells.
    pub usable_bytes: Option<i64>,
}

/// Asks for the directories, not for what lies in them.
pub async fn ask(link: &mut Link, end: Instant) -> Result<Vec<Directory>, AskError> {
    let told = all(link, false, end).await?;
    Ok(read(&told))
}

/// Asks for the directories, and for what lies in them where that is wanted.
pub(crate) async fn all(link: &mut Link, logs: bool, end: Instant) -> Result<DescribeLogDirsResponse, AskError> {
    let topics = if logs { None } else { Some(Vec::new()) };
    let request = DescribeLogDirsRequest::default().with_topics(topics);
    let told = link.call(&request, left(end)).await?;
    accept::<DescribeLogDirsRequest>(link, told.error_code, None)?;
    Ok(told)
}

pub(crate) fn read(told: &DescribeLogDirsResponse) -> Vec<Directory> {
    let known = |bytes: i64| (bytes >= 0).then_some(bytes);
    let directories = told.results.iter().map(|directory| Directory {
        path: directory.log_dir.to_string(),
        failed: Code(directory.error_code) == Code::KAFKA_STORAGE_ERROR,
        total_bytes: known(directory.total_bytes),
        usable_bytes: known(directory.usable_bytes),
    });
    directories.collect()
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::ApiKey;
    use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            let exchange = recorded::first(release, "broker", ApiKey::DescribeLogDirs as i16);
            let directories = read(&recorded::read::<DescribeLogDirsRequest>(&exchange));
            assert!(!directories[0].failed && directories[0].path.ends_with("data"));
            assert!(directories[0].total_bytes > directories[0].usable_bytes);
        }
    }

    #[test]
    fn a_directory_that_was_given_up_says_so_and_nothing_else() {
        let failed = DescribeLogDirsResult::default().with_error_code(56);
        let told = DescribeLogDirsResponse::default().with_results(vec![failed]);
        let directory = &read(&told)[0];
        assert!(directory.failed);
        assert_eq!((directory.total_bytes, directory.usable_bytes), (None, None));
    }
}
