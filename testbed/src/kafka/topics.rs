//! Topics, as `kafka-topics.sh --describe` prints them.

use super::Error;

/// A topic with its partitions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id; a topic that was deleted and made again has another one.
    pub id: String,
    /// By number.
    pub partitions: Vec<Partition>,
}

/// Where a partition is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Partition {
    /// Its number.
    pub partition: u32,
    /// The leader, unless all replicas that could lead are gone.
    pub leader: Option<u32>,
    /// In order of preference.
    pub replicas: Vec<u32>,
    /// Those in sync.
    pub isr: Vec<u32>,
}

/// All topics of an output.
pub(super) fn parse(output: &str) -> Result<Vec<Topic>, Error> {
    let mut topics: Vec<Topic> = Vec::new();
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        let read = match line.strip_prefix('\t') {
            None => topic(line).map(|topic| topics.push(topic)),
            Some(line) => partition(line)
                .zip(topics.last_mut())
                .map(|(partition, topic)| topic.partitions.push(partition)),
        };
        read.ok_or_else(|| Error::Unexpected {
            tool: "kafka-topics.sh --describe",
            said: line.to_owned(),
        })?;
    }
    Ok(topics)
}

/// `Topic: t⇥TopicId: x⇥…`
fn topic(line: &str) -> Option<Topic> {
    Some(Topic {
        name: field(line, "Topic")?.to_owned(),
        id: field(line, "TopicId")?.to_owned(),
        partitions: Vec::new(),
    })
}

/// `Topic: t⇥Partition: 0⇥Leader: 1⇥Replicas: 1,2⇥Isr: 1⇥…`
fn partition(line: &str) -> Option<Partition> {
    Some(Partition {
        partition: field(line, "Partition")?.parse().ok()?,
        leader: field(line, "Leader")?.parse().ok(),
        replicas: numbers(field(line, "Replicas")?)?,
        isr: numbers(field(line, "Isr")?)?,
    })
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = line.split('\t').filter_map(|field| field.split_once(':'));
    fields.find_map(|(key, value)| (key == name).then(|| value.trim()))
}

fn numbers(list: &str) -> Option<Vec<u32>> {
    let parts = list.split(',').filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_outputs_of_both_releases_are_read() {
        for recorded in [
            include_str!("recorded/3.9.2-topics.txt"),
            include_str!("recorded/4.3.0-topics.txt"),
        ] {
            let topics = parse(recorded).unwrap();
            let names: Vec<_> = topics.iter().map(|topic| topic.name.as_str()).collect();
            assert_eq!(names, ["t1", "alone"]);
            assert_eq!(topics[1].partitions[0].leader, None, "its only replica is dead");
            let placed = |partition: &Partition| (partition.partition, partition.leader, partition.replicas.clone());
            let all: Vec<_> = topics[0].partitions.iter().map(placed).collect();
            assert_eq!(all, [(0, Some(2), vec![1, 2, 3]), (1, Some(2), vec![2, 3, 1])]);
            assert_eq!(topics[0].partitions[0].isr, [2, 3]);
            assert_eq!(topics[0].id.len(), 22);
        }
    }

    #[test]
    fn no_topics_are_no_error_and_anything_else_is_shown() {
        assert_eq!(parse("\n").unwrap(), []);
        assert!(
            parse("\tTopic: t\tPartition: x")
                .unwrap_err()
                .to_string()
                .contains("Partition: x")
        );
    }
}
