//! Lines of at most 100 columns, aligned, and coloured only where asked.

use super::visible::visible;

/// Columns of a line. What is to be copied, a line of curl, may be longer.
pub const COLUMNS: usize = 100;

/// A way of showing words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// What is well.
    Good,
    /// What wants a look.
    Doubt,
    /// What is broken.
    Bad,
    /// What a line is about.
    Head,
    /// What explains it.
    Faint,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Doubt => "33",
            Self::Bad => "31;1",
            Self::Head => "1",
            Self::Faint => "2",
        }
    }
}

/// A text that grows by lines.
#[derive(Debug)]
pub struct Lines {
    text: String,
    colour: bool,
}

impl Lines {
    /// None yet.
    pub const fn new(colour: bool) -> Self {
        Self {
            text: String::new(),
            colour,
        }
    }

    /// Words as they are shown. Whatever they hold, they steer no terminal.
    pub fn paint(&self, paint: Paint, words: &str) -> String {
        let words = visible(words);
        if self.colour {
            format!("\x1b[{}m{words}\x1b[0m", paint.code())
        } else {
            words.into_owned()
        }
    }

    /// A line as it is: of words that were painted, or are our own.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line, but never two, and none at the beginning.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Words after a label, in as many lines as they take, all beginning in the same column.
    pub fn labelled(&mut self, indent: usize, label: &str, width: usize, words: &str) {
        let mut first = format!("{}{}", " ".repeat(indent), self.paint(Paint::Faint, label));
        first.push_str(&" ".repeat(width.saturating_sub(label.chars().count())));
        self.beside(&first, indent + width, words);
    }

    /// Words beside what was painted and takes so many columns, in as many lines as they take.
    pub fn beside(&mut self, first: &str, column: usize, words: &str) {
        let space = " ".repeat(column);
        let mut first = first;
        for line in wrapped(words, COLUMNS.saturating_sub(column)) {
            self.line(&format!("{first}{line}"));
            first = &space;
        }
    }

    /// The same on one line, however long, so that it can be copied.
    pub fn labelled_whole(&mut self, indent: usize, label: &str, width: usize, words: &str) {
        let space = " ".repeat(width.saturating_sub(label.chars().count()));
        let label = self.paint(Paint::Faint, label);
        self.line(&format!("{}{label}{space}{}", " ".repeat(indent), visible(words)));
    }

    /// Words, in as many lines as they take.
    pub fn words(&mut self, indent: usize, words: &str) {
        self.labelled(indent, "", 0, words);
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Words in lines of at most so many columns; a longer word has a line of its own, cut where the line ends. There is always
/// at least one line. A no-break space holds its words together and is shown as a space.
pub fn wrapped(words: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(20);
    let words = visible(words);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            lines.push(String::new());
            used = 0;
        }
        let space = (used > 0).then_some(' ');
        for c in space.into_iter().chain(word.chars()) {
            if used == columns {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(if c == '\u{a0}' { ' ' } else { c });
                used += 1;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_where_they_end() {
        let lines = wrapped("one two three four five six seven eight nine ten eleven", 20);
        assert_eq!(lines, ["one two three four", "five six seven eight", "nine ten eleven"]);
        assert_eq!(
            wrapped(&"x".repeat(45), 20).len(),
            3,
            "no line is longer than its columns"
        );
        assert_eq!(wrapped("", 20), [""]);
    }

    #[test]
    fn all_lines_of_a_label_begin_in_one_column() {
        let mut lines = Lines::new(false);
        lines.labelled(2, "came", 6, &"word ".repeat(40));
        let text = lines.finish();
        assert!(text.starts_with("  came  word word"), "{text}");
        assert!(
            text.lines()
                .all(|line| line.len() <= COLUMNS && line[8..].starts_with("word")),
            "{text}"
        );
    }
}
