//! The agent beside a ZooKeeper server.

use std::process::ExitCode;

use agent_zookeeper::config::Server;

fn main() -> ExitCode {
    agent_sdk::main(agent_sdk::about!(), |server: Server| Ok(agent_zookeeper::agent(server)))
}
