//! From the text of one block of Markdown to plain sentences.
//!
//! What is only dress goes: emphasis, backticks, links' targets, white space. Nothing that is said goes, and where it is not
//! clear whether a sentence ends, the shorter one is taken: a sentence that is cut wrongly is told as one without an entry,
//! one that is swallowed would never be seen.

/// What may stand after the point that ends a sentence.
const CLOSING: &[char] = &[')', ']', '"', '\'', '”', '’'];

/// What may stand before an abbreviation.
const OPENING: &[char] = &['(', '[', '"', '\'', '“', '‘'];

/// What a sentence ends with, and is not told apart by.
const TRAILING: &[char] = &['.', ':', ';', ',', '!', '?', '…', ' '];

/// Abbreviations after which a sentence goes on.
const GOES_ON: &[&str] = &["e.g.", "i.e.", "cf.", "vs.", "approx.", "resp.", "incl."];

/// Without dress: code, links, emphasis and white space as a reader sees them.
pub(super) fn plain(block: &str) -> String {
    let chars: Vec<char> = block.chars().collect();
    let mut said = String::with_capacity(block.len());
    undress(&chars, &mut said);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn undress(chars: &[char], said: &mut String) {
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let rest = &chars[at + 1..];
        let before = at.checked_sub(1).map(|before| chars[before]);
        at += 1;
        match char {
            // What stands between backticks is said as it is.
            '`' => {
                if let Some(length) = rest.iter().position(|char| *char == '`') {
                    said.extend(&rest[..length]);
                    at += length + 1;
                }
            }
            '\\' if rest.first().is_some_and(char::is_ascii_punctuation) => {
                said.push(rest[0]);
                at += 1;
            }
            '!' if rest.first() == Some(&'[') => {}
            '[' => match rest.iter().position(|char| *char == ']') {
                Some(length) => {
                    undress(&rest[..length], said);
                    at += length + 1 + target(&rest[length + 1..]);
                }
                None => said.push('['),
            },
            '*' | '_' if is_emphasis(char, before, rest.first().copied()) => {}
            _ => said.push(char),
        }
    }
}

/// How long a link's target is, where one follows its text.
fn target(rest: &[char]) -> usize {
    let end = match rest.first() {
        Some('(') => ')',
        Some('[') => ']',
        _ => return 0,
    };
    rest.iter().position(|char| *char == end).map_or(0, |end| end + 1)
}

/// A mark between spaces is a character like any other, and so is a low line within a word.
fn is_emphasis(mark: char, before: Option<char>, after: Option<char>) -> bool {
    let space = |char: Option<char>| char.is_none_or(char::is_whitespace);
    let letter = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
    let apart = space(before) && space(after);
    let within = mark == '_' && letter(before) && letter(after);
    !apart && !within
}

/// The sentences of a plain text, without what ends them. What has neither a letter nor a digit says nothing.
pub(super) fn split(plain: &str) -> Vec<String> {
    let words: Vec<&str> = plain.split(' ').collect();
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (place, word) in words.iter().enumerate() {
        let next = words.get(place + 1);
        if next.is_some_and(|next| !ends(word, next)) {
            continue;
        }
        let sentence = words[begin..=place].join(" ");
        begin = place + 1;
        let sentence = sentence.trim_end_matches(TRAILING);
        if sentence.contains(char::is_alphanumeric) {
            sentences.push(sentence.to_owned());
        }
    }
    sentences
}

/// Whether a sentence ends with this word, when this other one follows.
fn ends(word: &str, next: &str) -> bool {
    let bare = word.trim_end_matches(CLOSING);
    if !bare.ends_with(['.', '?', '!', '…']) {
        return false;
    }
    let fresh = next.trim_start_matches(OPENING).starts_with(char::is_uppercase);
    if bare.ends_with("...") || bare.ends_with('…') {
        // Something is left out, within a bracket or at the end.
        return fresh && bare.len() == word.len();
    }
    let bare = bare.trim_start_matches(OPENING).to_lowercase();
    if bare == "etc." {
        return fresh;
    }
    !GOES_ON.contains(&bare.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(block: &str) -> Vec<String> {
        split(&plain(block))
    }

    #[test]
    fn dress_goes_and_what_is_said_stays() {
        assert_eq!(plain("*A **bold*** `*.code_d*` _word_"), "A bold *.code_d* word");
        assert_eq!(plain("a_b 2 * 3 \\*not\\*  \n  broken"), "a_b 2 * 3 *not* broken");
        assert_eq!(plain("[a *link*](http://x/y) and [another][ref]"), "a link and another");
        assert_eq!(
            plain("[Short], ![seen](x.png), an open [bracket"),
            "Short, seen, an open [bracket"
        );
        assert_eq!(plain("an open ` tick"), "an open tick");
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        assert_eq!(sentences("One. Two! Three? four."), ["One", "Two", "Three", "four"]);
        assert_eq!(
            sentences("See (e.g. that one) i.e. This."),
            ["See (e.g. that one) i.e. This"]
        );
        assert_eq!(sentences("Cats, dogs etc. are kept."), ["Cats, dogs etc. are kept"]);
        assert_eq!(
            sentences("Cats, dogs etc. They are kept."),
            ["Cats, dogs etc", "They are kept"]
        );
        assert_eq!(
            sentences("Units (seconds, ...) matter."),
            ["Units (seconds, ...) matter"]
        );
        assert_eq!(sentences("Units (seconds, ...). All."), ["Units (seconds, ...)", "All"]);
        assert_eq!(sentences("Wait ... Then go."), ["Wait", "Then go"]);
        assert_eq!(
            sentences("Say \"so.\" Then (stop.) End"),
            ["Say \"so.\"", "Then (stop.)", "End"]
        );
        assert_eq!(
            sentences("The id: a number. 1.5 of them"),
            ["The id: a number", "1.5 of them"]
        );
    }

    #[test]
    fn nothing_said_is_no_sentence() {
        assert_eq!(sentences(" ... "), Vec::<String>::new());
        assert_eq!(sentences("**:**"), Vec::<String>::new());
    }
}
