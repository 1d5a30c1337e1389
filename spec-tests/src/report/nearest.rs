//! The checks whose ids are nearest to a text that is none.

use std::cmp::Reverse;

use crate::check;

/// How many are named.
const NAMED: usize = 3;

/// The ids nearest to this text: those that hold it, or a part of it between dots, before those that are only spelled alike.
pub fn nearest(text: &str) -> Vec<&'static str> {
    let mut ids: Vec<&'static str> = check::all().map(|check| check.id).collect();
    let parts: Vec<&str> = text.split(['.', '_']).filter(|part| part.len() > 2).collect();
    let shared = |id: &str| parts.iter().filter(|part| id.contains(**part)).count();
    ids.sort_by_key(|id| (Reverse(id.contains(text)), distance(text, id), Reverse(shared(id))));
    ids.truncate(NAMED);
    ids
}

/// How many letters have to be put in, taken out or changed to make one text the other.
fn distance(one: &str, other: &str) -> usize {
    // Nobody misspells an id at length.
    let one: Vec<char> = one.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (line, b) in other.chars().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, a) in one.iter().enumerate() {
            let above = row[column + 1];
            let changed = diagonal + usize::from(*a != b);
            row[column + 1] = changed.min(above + 1).min(row[column] + 1);
            diagonal = above;
        }
    }
    row[one.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_leads_to_the_id_that_was_meant() {
        for id in check::all().map(|check| check.id) {
            assert_eq!(nearest(id)[0], id);
            let slip = format!("{}x", &id[..id.len() - 1]);
            assert!(nearest(&slip).contains(&id), "{slip}: {:?}", nearest(&slip));
        }
        assert_eq!(nearest("").len(), NAMED);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
