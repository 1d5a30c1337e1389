//! Documents that are written from the program, and stay so.

use std::path::Path;

use super::TestError;

/// Set to write what is expected into the documents instead of comparing.
const UPDATE: &str = "UPDATE_DOCUMENTS";

/// Compares a part of a document, between the lines `<!-- NAME -->` and `<!-- end of NAME -->`, with what the program
/// says. With the variable `UPDATE_DOCUMENTS` set, the part is written instead.
///
/// **Errors**: [`TestError::Document`] when they differ, or the part is not there.
pub fn same_as_document(document: &Path, name: &str, expected: &str) -> Result<(), TestError> {
    let wrong = |detail: &str| TestError::Document(format!("{}: {detail}", document.display()));
    let text = std::fs::read_to_string(document).map_err(|error| wrong(&error.to_string()))?;
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let parts = text
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?)));
    let Some((before, (found, after))) = parts else {
        return Err(wrong(&format!("there is no part {name:?}")));
    };
    let expected = format!("\n{}\n\n", expected.trim());
    if found == expected {
        return Ok(());
    }
    if std::env::var_os(UPDATE).is_some() {
        let text = format!("{before}{begin}{expected}{end}{after}");
        return std::fs::write(document, text).map_err(|error| wrong(&error.to_string()));
    }
    Err(wrong(&format!(
        "the part {name:?} is not what the program says; {UPDATE}=1 writes it"
    )))
}
