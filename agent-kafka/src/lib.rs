//! Agent that runs beside a Kafka process (`KRaft`; 3.9 and 4.x). So far its client: see [`client`].

pub mod client;
pub mod config;
