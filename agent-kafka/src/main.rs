//! The agent beside a Kafka process.

use std::process::ExitCode;

use agent_kafka::config::Process;

fn main() -> ExitCode {
    agent_sdk::main(agent_sdk::about!(), |process: Process| Ok(agent_kafka::agent(process)?))
}
