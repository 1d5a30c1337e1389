//! Agent that runs beside a Kafka process (`KRaft`; 3.9 and 4.x).

pub mod ask;
pub mod client;
pub mod config;
pub mod lag;
pub mod shards;
pub mod storage;
pub mod version;
