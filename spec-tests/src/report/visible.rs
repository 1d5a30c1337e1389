//! Text from outside, made harmless to who looks at it.

use std::borrow::Cow;

/// The same text with everything that is no sign to be seen written out: control characters, which a terminal obeys, those
/// that turn the direction of a line around, and those that take no room, in which words can hide, or differ unseen.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal, or who lays out a line, obeys it instead of showing it.
pub(super) fn is_unseen(c: char) -> bool {
    let takes_no_room = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}');
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || takes_no_room || turns || ends_a_line || c == '\u{feff}' || c == '\u{fffe}' || c == '\u{ffff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_steers() {
        assert_eq!(visible("äö ✓ <b>"), "äö ✓ <b>");
        assert_eq!(
            visible("a\u{1b}[2J\u{9b}m\u{202e}\nb"),
            r"a\u{1b}[2J\u{9b}m\u{202e}\u{a}b"
        );
        assert_eq!(visible("a\u{200b}b\u{e0041}"), r"a\u{200b}b\u{e0041}");
        assert!(!visible(crate::report::sample::HOSTILE).contains(is_unseen));
    }
}
