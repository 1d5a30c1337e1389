//! The agent beside a mongod.

use std::process::ExitCode;

use agent_mongodb::config::Server;

fn main() -> ExitCode {
    agent_sdk::main(agent_sdk::about!(), |server: Server| Ok(agent_mongodb::agent(server)?))
}
