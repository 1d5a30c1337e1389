//! The end: a table of what the agents show, lines to try by hand, or the logs that explain a failure.

use std::fs;
use std::path::Path;

use agent_sdk::spec::{NodeState, Role};
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use super::Failure;
use super::play::Play;
use super::screen::Screen;
use super::seat::{Blind, Seat, Sight};
use super::story::Story;

/// Lines of each log after a failure.
const SHOWN: usize = 12;

impl<P: Play> Story<'_, P> {
    /// Shows how everything is now; with `stay` goes on until a signal comes.
    pub(super) async fn close(&self, stay: bool) -> Result<(), Failure> {
        Screen::show(format!(
            "\n{}",
            self.screen.paint("1", "What the agents show at the end")
        ));
        if let Some(shard) = self.seats.first().and_then(Seat::followed) {
            self.screen
                .note(&format!("role, offset and behind are those of {shard}"));
        }
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["node", "status", "role", "offset", "behind", "version", "agent"]);
        for seat in &self.seats {
            let failed =
                |blind: Blind| Failure::unexpected(format!("the agent of {} answers", seat.node), blind.reason);
            let Sight {
                status,
                version,
                role,
                offset,
                lag,
                ..
            } = seat.see().await.map_err(failed)?;
            let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            table.add_row([
                seat.node.clone(),
                status.name().to_owned(),
                role.map_or("-", Role::name).to_owned(),
                number(offset),
                number(lag),
                version,
                seat.url(),
            ]);
        }
        let mut table = table.to_string();
        for (status, style) in [(NodeState::Healthy, "32"), (NodeState::Unavailable, "31")] {
            let name = format!(" {} ", status.name());
            table = table.replace(&name, &self.screen.paint(style, &name));
        }
        Screen::show(table);
        self.screen.end();
        if stay {
            self.invite();
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn invite(&self) {
        let seat = &self.seats[self.primary.get()];
        let (url, token) = (seat.url(), seat.token());
        Screen::show(format!(
            "\n{}\n\
             curl -s {url}/api/v1/info/node\n\
             curl -s {url}/api/v1/info/shards\n\
             curl -s {url}/api/v1/actions/finished\n\
             curl -s {url}/api/v1/actions -H 'content-type: application/json' \\\n  \
             -H \"authorization: Bearer $(cat {})\" \\\n  \
             -d '{{\"kind\": \"agent.replicante.io/test.loop\", \"args\": {{\"target\": 5}}}}'\n\n\
             {}",
            self.screen.paint("1", "Everything keeps running. Try:"),
            token.display(),
            self.screen.paint("2", "Ctrl-C ends it all."),
        ));
    }

    /// The last lines of the logs that have to do with the step that failed.
    pub(super) fn logs(&self) -> String {
        let mut logs = Vec::new();
        for place in self.involved() {
            let process = self.seats[place].process();
            logs.push(self.tail(&self.seats[place].node, &self.play.log(place)));
            logs.push(self.tail(&process.name, process.log()));
        }
        logs.join("\n")
    }

    fn tail(&self, name: &str, log: &Path) -> String {
        let bytes = fs::read(log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        let title = format!("--- {name}: its last lines ---");
        format!("{}\n{last}", self.screen.paint("2", &title))
    }
}
