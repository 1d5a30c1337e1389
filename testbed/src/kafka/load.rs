//! Clients that work until they are stopped, for tests that change a cluster meanwhile.
//!
//! Kafka's own test clients: they print every value as it is acknowledged, or read. A value that was acknowledged and is
//! not read afterwards was lost; the reverse says nothing, for the producer stops printing before its last records
//! are acknowledged.

use std::fs;

use super::error::failed;
use super::worker::Worker;
use super::{Error, Tools};

/// Of the producer. By itself it gives up a record at the first error, and a leader that moves is one; no client in use
/// is set so. With retries comes idempotence: no record is there twice.
const PATIENT: &str = "retries=2147483647\nenable.idempotence=true\n";

/// Keys are used in turn, so that every partition gets records at once: those without a key go to one partition for a
/// good while.
const KEYS: &str = "100";

/// Writes the numbers from 0 on until it is stopped or dropped; [`Tools::producing`] starts it.
#[derive(Debug)]
pub struct Producer(Worker);

/// Reads a topic from its beginning until it is stopped or dropped; [`Tools::consuming`] starts it.
#[derive(Debug)]
pub struct Consumer(Worker);

impl Producer {
    /// How many values all replicas in sync have acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.0.count()
    }

    /// Ends it, and returns what was acknowledged, in that order.
    ///
    /// # Errors
    /// [`Error::Ended`] with its complaint when it had ended by itself.
    pub fn stop(self) -> Result<Vec<i64>, Error> {
        self.0.stop()
    }
}

impl Consumer {
    /// How many values it has read so far. It has caught up with a producer that was stopped once they are as many as
    /// the [end offsets](Tools::end_offsets) say; the count of the acknowledged ones does not tell.
    pub fn consumed(&self) -> usize {
        self.0.count()
    }

    /// Ends it, and returns what it read, in that order.
    ///
    /// # Errors
    /// As [`Producer::stop`].
    pub fn stop(self) -> Result<Vec<i64>, Error> {
        self.0.stop()
    }
}

impl Tools<'_> {
    /// Starts to write into a topic, so many records a second. The process ends with its guard, and with the cluster.
    ///
    /// # Errors
    /// Only those of the start; what the client complains of, [`Producer::stop`] says.
    pub fn producing(self, topic: &str, per_second: u32) -> Result<Producer, Error> {
        let directory = Worker::directory(self.common, "producer")?;
        let settings = directory.join("producer.properties");
        fs::write(&settings, PATIENT).map_err(failed("write", &settings))?;
        let (brokers, settings) = (self.brokers(), settings.display().to_string());
        let per_second = per_second.to_string();
        let arguments = ["--bootstrap-server", &brokers, "--topic", topic];
        let how = ["--throughput", &per_second, "--repeating-keys", KEYS];
        let arguments = [&arguments[..], &how, &["--producer.config", &settings]].concat();
        let tool = self.common.bin().join("kafka-verifiable-producer.sh");
        Worker::start(&tool, &arguments, &directory, "producer_send_success").map(Producer)
    }

    /// Starts to read a topic. The process ends with its guard, and with the cluster.
    ///
    /// # Errors
    /// As [`Tools::producing`].
    pub fn consuming(self, topic: &str) -> Result<Consumer, Error> {
        let directory = Worker::directory(self.common, "consumer")?;
        let group = directory.file_name().unwrap_or_default().to_string_lossy();
        let brokers = self.brokers();
        let arguments = ["--bootstrap-server", &brokers, "--topic", topic, "--group-id", &group];
        let arguments = [&arguments[..], &["--reset-policy", "earliest", "--verbose"]].concat();
        let tool = self.common.bin().join("kafka-verifiable-consumer.sh");
        Worker::start(&tool, &arguments, &directory, "record_data").map(Consumer)
    }
}
