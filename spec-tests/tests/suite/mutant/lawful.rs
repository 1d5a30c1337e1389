//! What an agent may begin with that is unusual, and right.

use serde_json::json;

use super::answer::Tree;
use super::book::Book;
use super::draft::draft;
use super::fault::Fault;
use super::json::Json;
use super::options::Faults;

/// More than the suite reads of a list in short pages, or in pages of the usual length.
const MANY: usize = 12_000;

pub fn begin(book: &mut Book, faults: &Faults) {
    book.keeps = faults.has(Fault::FewKept).then_some(20);
    if faults.has(Fault::ManyFinished) {
        for _ in 0..MANY {
            let seq = accept(book, r#"{"kind": "agent.replicante.io/test.success"}"#, faults);
            book.begin(seq);
            book.end(seq, Ok(json!({})));
        }
    }
    if faults.has(Fault::SomebodyAhead) {
        let long = r#"{"kind": "agent.replicante.io/test.loop", "args": {"target": 1000, "delay_ms": 1000}}"#;
        accept(book, long, faults);
    }
}

fn accept(book: &mut Book, text: &str, faults: &Faults) -> usize {
    let action = draft(Tree::V1, &Json::read(text).unwrap(), faults).unwrap();
    book.accept(action);
    book.actions.len() - 1
}
