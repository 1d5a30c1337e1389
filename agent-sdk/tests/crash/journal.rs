//! The journal that the victim's actions write, read back.

use std::path::Path;

use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Begin(Uuid, u32),
    Step(Uuid, u32),
    End(Uuid, u32),
}

impl Line {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let (what, id, number) = (word(), word().parse().unwrap(), word().parse().unwrap());
        match what {
            "begin" => Self::Begin(id, number),
            "step" => Self::Step(id, number),
            "end" => Self::End(id, number),
            other => panic!("what is {other:?}?"),
        }
    }
}

/// Every line; none when nothing was written.
pub fn read(journal: &Path) -> Vec<Line> {
    std::fs::read_to_string(journal)
        .unwrap_or_default()
        .lines()
        .map(Line::parse)
        .collect()
}

/// Asserts that no action began while another had not ended, but for one that begins again after a crash, and returns
/// the actions in the order in which they first began.
pub fn in_order(lines: &[Line]) -> Vec<Uuid> {
    let mut order = Vec::new();
    let mut running: Option<Uuid> = None;
    for line in lines {
        match *line {
            Line::Begin(id, attempt) => {
                assert!(
                    running.is_none_or(|running| running == id),
                    "{id} began while {running:?} ran"
                );
                if !order.contains(&id) || attempt == 1 {
                    assert!(!order.contains(&id), "{id} began for the first time twice");
                    order.push(id);
                }
                running = Some(id);
            }
            Line::Step(id, _) => assert_eq!(running, Some(id)),
            Line::End(id, _) => {
                assert_eq!(running, Some(id));
                running = None;
            }
        }
    }
    order
}
