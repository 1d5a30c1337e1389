//! The file that outlives the process: one line for each step, synced before the step is seen.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::book::{Action, Book, State};
use super::fault::Fault;
use super::options::Faults;

/// Where steps are written.
pub struct Log {
    file: File,
    /// Steps that are written only when others have come for so long, where that is so.
    late: Option<VecDeque<(Instant, String)>>,
}

/// How long steps are kept back, where they are.
const LATE: Duration = Duration::from_secs(3);

impl Log {
    /// Writes a step; once it returns, the step outlives the process.
    pub fn append(&mut self, action: &Action, step: &Value) {
        let line = format!("{}\n", json!({"action": action, "step": step}));
        if let Some(late) = &mut self.late {
            late.push_back((Instant::now(), line));
            let is_due = |(since, _): &(Instant, String)| since.elapsed() > LATE;
            while late.front().is_some_and(is_due)
                && let Some((_, line)) = late.pop_front()
            {
                self.file.write_all(line.as_bytes()).unwrap();
            }
            return;
        }
        self.file.write_all(line.as_bytes()).unwrap();
        self.file.sync_data().unwrap();
    }
}

/// The book as the file has it. A line that a crash cut short was never acknowledged, and is cut off.
pub fn open(path: &Path, faults: &Faults) -> Book {
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).open(path).unwrap();
    let mut book = Book::default();
    let mut whole = 0;
    let mut reader = BufReader::new(&file);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
        let mut entry: Value = serde_json::from_str(&line).unwrap();
        whole += line.len() as u64;
        let step = entry["step"].take();
        book.recall(serde_json::from_value(entry["action"].take()).unwrap(), step);
        line.clear();
    }
    file.set_len(whole).unwrap();
    forget(&mut book, faults);
    book.log = Some(Log {
        file,
        late: faults.has(Fault::LostByCrash).then(VecDeque::new),
    });
    book
}

/// What a careless author's agent makes of its file. Here nothing is written: another restart does the same again.
fn forget(book: &mut Book, faults: &Faults) {
    for seq in 0..book.actions.len() {
        let state = book.actions[seq].state;
        if faults.has(Fault::FinishedNewAfterCrash) {
            book.set_back(seq);
        }
        let action = &mut book.actions[seq];
        if faults.has(Fault::FinishedRunAgainAfterCrash) && state.is_final() {
            action.attempt += 1;
            action.version += 2;
            action.started = Some(super::book::now());
            action.finished = Some(super::book::now());
        }
        if state == State::Running {
            if faults.has(Fault::RunningForgottenByCrash) {
                action.state = State::Failed;
                "forgotten".clone_into(&mut action.id);
            }
            if faults.has(Fault::FailedByCrash) {
                action.state = State::Failed;
                action.finished = Some(super::book::now());
                action.error = Some(json!({"code": "crashed", "message": "the agent did", "retryable": false}));
                action.version += 1;
            }
            if faults.has(Fault::RecordSetBackByCrash) {
                action.scheduled = super::book::now();
                (action.version, action.attempt) = (1, 0);
            }
            if faults.has(Fault::ProgressLostByCrash) {
                action.payload = None;
            }
        }
    }
    if faults.has(Fault::RunningForgottenByCrash) {
        let kept = std::mem::take(book);
        for mut action in kept.actions.into_iter().filter(|action| action.id != "forgotten") {
            action.seq = book.actions.len();
            let step = action.history.pop().unwrap_or_default();
            book.recall(action, step);
        }
    }
}
