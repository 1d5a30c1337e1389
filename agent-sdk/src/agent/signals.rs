//! SIGTERM and SIGINT: the first asks the agent to stop, the second ends it at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the process exits with when it is ended at once: 128 and the number of SIGINT, as shells count.
const ENDED_AT_ONCE: i32 = 130;

/// Cancels `stop` at the first signal and ends the process at the second. Called inside a runtime.
pub(crate) fn on_signals(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        // First: the log may be at a standstill.
        stop.cancel();
        tracing::info!("the agent stops; a second signal ends it at once");
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("the agent was ended at once");
        std::process::exit(ENDED_AT_ONCE);
    });
    Ok(())
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
