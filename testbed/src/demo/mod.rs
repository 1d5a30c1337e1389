//! The demonstration: a story in steps, each of which says what it does and checks what comes of it.
//!
//! The story (`story`) knows agents only by their HTTP interface. What differs from store to store (how a node is
//! started, how something is written to it) is a `play`; a store of many partitions has steps of its own besides (`kafka`);
//! processes and their files are the `stage`'s, and nothing
//! of them is left whatever happens: the [watchdog](crate::supervision) outlives this process. The `screen` is where
//! it is told: with a live line on a terminal, in plain lines elsewhere.

mod closing;
mod failure;
mod growth;
mod kafka;
mod losses;
mod mongodb;
mod play;
mod programs;
mod screen;
mod seat;
mod stage;
mod story;
mod toy;
mod writes;
mod zookeeper;

use std::rc::Rc;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use failure::Failure;
use play::Play;
use screen::Screen;
use stage::Stage;
use story::Story;

/// How the demonstration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was seen.
    Seen,
    /// Something was not as it should be; it has been told.
    Unexpected,
    /// A signal came before the end.
    Interrupted,
}

/// Tells the story of the toy store. With `stay` it goes on running until a signal comes.
pub fn toy(stay: bool) -> Outcome {
    run(
        stay,
        async |screen, stage| toy::Toy::prepare(screen, stage).await,
        async |story| story.tell().await,
    )
}

/// Tells the story of an ensemble of real ZooKeeper servers, as far as ZooKeeper has it. Needs Java, and Maven once.
pub fn zookeeper(stay: bool) -> Outcome {
    run(
        stay,
        async |screen, _| zookeeper::ZooKeeper::prepare(screen).await,
        async |story| story.tell().await,
    )
}

/// Tells the story of a cluster of real Kafka nodes, from three blank disks to a broker that is drained and removed. Needs
/// Java, and Maven once.
pub fn kafka(stay: bool) -> Outcome {
    run(
        stay,
        async |screen, stage| kafka::Kafka::prepare(screen, stage).await,
        async |story| story.tell_of_partitions().await,
    )
}

/// Tells the story of a replica set of real MongoDB servers, from three blank ones to the removal of a dead member. Needs
/// Python with pip, once.
pub fn mongodb(stay: bool) -> Outcome {
    run(
        stay,
        async |screen, _| mongodb::MongoDb::prepare(screen).await,
        async |story| story.tell_of_elections().await,
    )
}

/// Prepares, tells the story, and cleans up; a signal cuts it short anywhere.
fn run<P: Play>(
    stay: bool,
    prepare: impl AsyncFnOnce(&Screen, Rc<Stage>) -> Result<P, Failure>,
    tale: impl AsyncFnOnce(&Story<'_, P>) -> Result<(), Failure>,
) -> Outcome {
    let screen = Screen::new();
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return screen.failed(&Failure::setup("the demonstration cannot start", error), ""),
    };
    let outcome = runtime.block_on(async {
        let interrupted = async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        tokio::select! {
            biased;
            () = interrupted => None,
            told = tell(&screen, stay, prepare, tale) => Some(told),
        }
    });
    // Calls that are still waited for must not delay the end.
    runtime.shutdown_background();
    match outcome {
        Some(Ok(())) => Outcome::Seen,
        Some(Err((failure, logs))) => screen.failed(&failure, &logs),
        None => screen.interrupted(),
    }
}

/// From the first process to the last line; a failure comes with the logs that may explain it.
async fn tell<P: Play>(
    screen: &Screen,
    stay: bool,
    prepare: impl AsyncFnOnce(&Screen, Rc<Stage>) -> Result<P, Failure>,
    tale: impl AsyncFnOnce(&Story<'_, P>) -> Result<(), Failure>,
) -> Result<(), (Failure, String)> {
    let unexplained = |failure| (failure, String::new());
    screen.note("What follows is done by real processes, seen through their agents' HTTP interface, and checked.");
    let stage = Rc::new(Stage::new().map_err(unexplained)?);
    let play = prepare(screen, Rc::clone(&stage)).await.map_err(unexplained)?;
    let story = Story::new(screen, stage, play).map_err(unexplained)?;
    let told = tale(&story).await;
    told.map_err(|failure| (failure, story.logs()))?;
    story.close(stay).await.map_err(unexplained)
}
