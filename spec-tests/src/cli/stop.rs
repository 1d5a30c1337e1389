//! Being asked to stop: once, and what is known so far is reported; twice, and it ends at once.
//!
//! Who listens has a thread of its own, so that the second time is heard even where nobody reads what is written.

use std::{io, thread};

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::{Exit, say};

/// Knows whether the program was asked to stop.
#[derive(Debug)]
pub(super) struct Stop {
    reason: watch::Receiver<Option<&'static str>>,
}

impl Stop {
    /// Listens for Ctrl-C and SIGTERM from now on.
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _within = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let (tell, reason) = watch::channel(None);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tell.send_replace(Some(either(&mut interrupt, &mut terminate).await));
                // Where nobody reads these words either, the second time is heard all the same.
                let words = thread::Builder::new().name("words".to_owned());
                drop(words.spawn(|| say("stopping, what is known so far follows; once more ends at once")));
                either(&mut interrupt, &mut terminate).await;
                std::process::exit(i32::from(Exit::Incomplete.code()));
            });
        })?;
        Ok(Self { reason })
    }

    /// Waits until it is asked to, and says by what.
    pub(super) async fn asked(&self) -> String {
        let mut reason = self.reason.clone();
        if let Ok(reason) = reason.wait_for(Option::is_some).await
            && let Some(reason) = *reason
        {
            return reason.to_owned();
        }
        // Who listened is gone, so nobody can ask any more.
        std::future::pending().await
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "SIGTERM",
    }
}
