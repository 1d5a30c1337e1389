//! What the benchmark is when it starts itself again: the yardstick's server, or an agent beside a store that counts.
//!
//! Both are processes of their own, with the profile that is measured.

use std::io::{Read, Write};
use std::path::PathBuf;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use agent_sdk::agent::Agent;
use agent_sdk::config::{Api, Logs, Traces};
use agent_sdk::testing::TestAgent;
use clap::Subcommand;

use crate::counting::Counting;

/// What a process started by the benchmark is.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// A bare route that answers what is in a file.
    #[command(hide = true)]
    Bare { body: PathBuf },
    /// An agent beside a store that counts.
    #[command(hide = true)]
    Counting,
}

impl Role {
    /// Is that until the benchmark ends it.
    pub(crate) fn play(self) -> anyhow::Result<()> {
        match self {
            Self::Bare { body } => bare(std::fs::read(body)?.into()),
            Self::Counting => counting(),
        }
    }
}

/// A server as actix makes one, with as many workers as an agent has, and nothing in it.
fn bare(body: Bytes) -> anyhow::Result<()> {
    let workers = Api::default().workers;
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let body = body.clone();
            let route = move |_: Bytes| {
                let body = body.clone();
                // The agent's headers, too: the same bytes are the whole answer.
                async move {
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .insert_header(("cache-control", "no-store"))
                        .insert_header(("x-content-type-options", "nosniff"))
                        .body(body)
                }
            };
            App::new().default_service(web::to(route))
        })
        .workers(workers)
        .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            say(&address.to_string())?;
        }
        server.run().await?;
        Ok(())
    })
}

/// An agent until the standard input is closed; then it says what its store has counted.
fn counting() -> anyhow::Result<()> {
    let _telemetry = agent_sdk::telemetry::install(&Logs::default(), &Traces::default(), "counting", "0.0.0")?;
    let store = Counting::default();
    let agent = TestAgent::start(Agent::new(store.clone()))?;
    say(&agent.address().to_string())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    agent.stop()?;
    say(&store.told())
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
