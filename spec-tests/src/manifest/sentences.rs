//! From a page of Markdown, with tables in HTML among it, to its sentences and their places.
//!
//! A page is read line by line, as far as it takes to know where a sentence ends and under what it stands; it is not
//! rendered. What is not understood stays in the text, where it is told as a sentence without an entry.

use super::words::{plain, split};

/// The place of what stands before the first heading.
pub const BEFORE_HEADINGS: &str = "Introduction";

/// A sentence of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Its nearest heading and, within a table, what the first cell of its row says.
    pub place: String,
    /// The sentence, normalised.
    pub text: String,
}

/// Every sentence of a page, in its order.
///
/// Headings (those of a table's columns too), front matter, comments, tags, shortcodes and the addresses of links are none.
/// A list's item, a table's cell, a paragraph and a line that ends with a colon each end a sentence.
pub fn sentences(page: &str) -> Vec<Sentence> {
    let page = page.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut page = without_front_matter(&page).to_owned();
    for (begin, end) in [("<!--", "-->"), ("{{%", "%}}"), ("{{<", ">}}")] {
        page = without(&page, begin, end);
    }
    let mut reader = Reader {
        heading: BEFORE_HEADINGS.to_owned(),
        ..Reader::default()
    };
    let lines: Vec<&str> = page.lines().map(str::trim).collect();
    for (number, line) in lines.iter().enumerate() {
        let next = lines.get(number + 1).copied().unwrap_or_default();
        reader.line(line, next);
    }
    reader.end_block();
    reader.found
}

fn without_front_matter(page: &str) -> &str {
    for fence in ["---", "+++"] {
        let rest = page.strip_prefix(fence).and_then(|rest| rest.strip_prefix('\n'));
        let body = rest.and_then(|rest| rest.split_once(&format!("\n{fence}\n")));
        if let Some((_, body)) = body {
            return body;
        }
    }
    page
}

/// Without what stands between these two; one that is not closed stays.
fn without(page: &str, begin: &str, end: &str) -> String {
    let mut kept = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, inside)) = rest.split_once(begin) {
        let Some((_, after)) = inside.split_once(end) else {
            break;
        };
        kept.push_str(before);
        rest = after;
    }
    kept + rest
}

/// Which row of a table is being read.
#[derive(Default)]
enum Row {
    #[default]
    None,
    /// Its first cell has not said anything yet.
    Unnamed,
    Named(String),
}

#[derive(Default)]
struct Reader {
    heading: String,
    row: Row,
    block: String,
    found: Vec<Sentence>,
}

impl Reader {
    fn line(&mut self, line: &str, next: &str) {
        let line = line.trim_start_matches("> ");
        let is_fence = line.starts_with("```") || line.starts_with("~~~");
        if line.is_empty() || is_fence || is_rule(line) {
            return self.end_block();
        }
        if let Some(heading) = heading(line) {
            self.end_block();
            self.row = Row::None;
            self.heading = plain(heading);
            return;
        }
        if is_address(line) {
            return;
        }
        if let Some(cells) = line.strip_prefix('|') {
            return self.cells(cells, next);
        }
        let mut line = line;
        if let Some(item) = item(line) {
            self.end_block();
            line = item;
        }
        self.block.push(' ');
        self.pieces(line);
        if plain(&self.block).ends_with(':') {
            self.end_block();
        }
    }

    /// A row of a table in Markdown.
    fn cells(&mut self, cells: &str, next: &str) {
        self.end_block();
        // Above the line of dashes stand the columns' headings.
        if is_dashes(cells) || next.strip_prefix('|').is_some_and(is_dashes) {
            return;
        }
        self.row = Row::Unnamed;
        for cell in cells.trim_end_matches('|').split('|') {
            self.pieces(cell);
            self.end_cell();
        }
        self.row = Row::None;
    }

    /// Takes a line's text, and does what its tags say.
    fn pieces(&mut self, line: &str) {
        let mut code = false;
        let mut rest = line;
        while let Some(place) = rest.find(['<', '`']) {
            let (before, from) = rest.split_at(place);
            self.block.push_str(before);
            if let Some((name, closes, length)) = tag(from).filter(|_| !code) {
                self.tag(&name, closes);
                rest = &from[length..];
            } else {
                code ^= from.starts_with('`');
                self.block.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
        self.block.push_str(rest);
    }

    fn tag(&mut self, name: &str, closes: bool) {
        match (name, closes) {
            ("th", true) => self.block.clear(),
            ("td", true) => self.end_cell(),
            ("table" | "tr", _) => {
                self.end_block();
                self.row = if name == "tr" && !closes {
                    Row::Unnamed
                } else {
                    Row::None
                };
            }
            ("br", _) => self.block.push(' '),
            (
                "a" | "abbr" | "b" | "code" | "del" | "em" | "i" | "kbd" | "mark" | "small" | "span" | "strong" | "sub"
                | "sup" | "u",
                _,
            ) => {}
            _ => self.end_block(),
        }
    }

    fn end_cell(&mut self) {
        self.end_block();
        if matches!(self.row, Row::Unnamed) {
            self.row = Row::Named(String::new());
        }
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        for text in split(&plain(&block)) {
            if matches!(self.row, Row::Unnamed) {
                self.row = Row::Named(text.clone());
            }
            let place = match &self.row {
                Row::Named(row) if !row.is_empty() => format!("{} › {row}", self.heading),
                _ => self.heading.clone(),
            };
            self.found.push(Sentence { place, text });
        }
    }
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| rest.trim_end_matches('#').trim())
}

/// A line that only says where a link leads.
fn is_address(line: &str) -> bool {
    line.starts_with('[') && !line.starts_with("[^") && line.contains("]: ")
}

/// A line across the page.
fn is_rule(line: &str) -> bool {
    let mark = line.chars().next();
    line.len() > 2 && matches!(mark, Some('-' | '*' | '_')) && line.chars().all(|char| Some(char) == mark)
}

/// The line between a table's head and its body.
fn is_dashes(cells: &str) -> bool {
    cells.contains('-') && cells.chars().all(|char| "|:- ".contains(char))
}

/// What an item of a list says.
fn item(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|char: char| char.is_ascii_digit());
    let rest = if rest.len() < line.len() {
        rest.strip_prefix(['.', ')'])
    } else {
        rest.strip_prefix(['*', '-', '+'])
    };
    rest.filter(|rest| rest.starts_with(' ')).map(str::trim_start)
}

/// A tag's name, whether it closes, and how long it is.
fn tag(from: &str) -> Option<(String, bool, usize)> {
    let inside = from.strip_prefix('<')?;
    let (inside, _) = inside.split_once('>')?;
    let length = inside.len() + 2;
    let name = inside.trim_start_matches('/').trim_end_matches('/');
    let name = name.split_whitespace().next()?;
    let is_name = name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-');
    is_name.then(|| (name.to_ascii_lowercase(), inside.starts_with('/'), length))
}
