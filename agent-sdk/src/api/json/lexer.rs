//! The words of JSON (RFC 8259), one at a time, and nothing beyond them.

use std::borrow::Cow;

use super::strict::Fault;

/// Deepest nesting of lists and objects that is read; the outermost is 1.
pub(super) const DEEPEST: usize = 128;

/// A text and how far it was read.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no white space, without taking it.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes the byte that [`Self::peek`] has shown.
    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Takes the next byte that is no white space if it is this one.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += 1;
        }
        there
    }

    /// What is wrong at this place.
    pub(super) fn unexpected(&mut self) -> Fault {
        match self.peek() {
            None => Fault::Malformed("it ends before its value does".to_owned()),
            Some(_) => Fault::Malformed(format!("byte {} begins nothing that JSON knows", self.at)),
        }
    }

    /// `true`, `false` or `null`.
    pub(super) fn literal(&mut self) -> Result<&'a str, Fault> {
        let rest = &self.text[self.at..];
        for word in ["true", "false", "null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(&rest[..word.len()]);
            }
        }
        Err(self.unexpected())
    }

    /// A number, in its own text.
    pub(super) fn number(&mut self) -> Result<&'a str, Fault> {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = begin + usize::from(bytes[begin] == b'-');
        let whole = at;
        at = digits(at);
        // No number begins with a zero that means nothing.
        let mut lawful = at > whole && (bytes[whole] != b'0' || at == whole + 1);
        if bytes.get(at) == Some(&b'.') {
            let fraction = at + 1;
            at = digits(fraction);
            lawful &= at > fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = at;
            at = digits(exponent);
            lawful &= at > exponent;
        }
        if !lawful {
            return Err(Fault::Malformed(format!("byte {begin} begins no number")));
        }
        self.at = at;
        Ok(&self.text[begin..at])
    }

    /// A string's content, its escapes resolved; the opening quote is the next byte.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let bytes = self.text.as_bytes();
        let begin = self.at + 1;
        let mut owned: Option<String> = None;
        let mut plain = begin;
        let mut at = begin;
        loop {
            match bytes.get(at) {
                None => return Err(Fault::Malformed("a string has no end".to_owned())),
                Some(b'"') => break,
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(&self.text[plain..at]);
                    at = self.escape(at + 1, text)?;
                    plain = at;
                }
                Some(byte) if *byte < 0x20 => {
                    return Err(Fault::Malformed(format!(
                        "byte {at} is a control character inside a string"
                    )));
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        let rest = &self.text[plain..at];
        Ok(match owned {
            None => Cow::Borrowed(rest),
            Some(mut text) => {
                text.push_str(rest);
                Cow::Owned(text)
            }
        })
    }

    /// Reads what follows a backslash and returns where it ends.
    fn escape(&self, at: usize, text: &mut String) -> Result<usize, Fault> {
        let wrong = || Fault::Malformed(format!("byte {at} makes no escape"));
        let letter = match self.text.as_bytes().get(at).ok_or_else(wrong)? {
            letter @ (b'"' | b'\\' | b'/') => char::from(*letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.escaped_unit(at + 1, text),
            _ => return Err(wrong()),
        };
        text.push(letter);
        Ok(at + 1)
    }

    /// Reads four hexadecimal digits, and four more where they are the first half of a pair.
    fn escaped_unit(&self, at: usize, text: &mut String) -> Result<usize, Fault> {
        let lone = || Fault::Malformed(format!("the escape at byte {} is half of a surrogate pair", at - 2));
        let high = self.hex(at)?;
        let (point, end) = match high {
            0xD800..=0xDBFF => {
                if self.text.as_bytes().get(at + 4..at + 6) != Some(b"\\u") {
                    return Err(lone());
                }
                match self.hex(at + 6)? {
                    low @ 0xDC00..=0xDFFF => (0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), at + 10),
                    _ => return Err(lone()),
                }
            }
            unit => (unit, at + 4),
        };
        text.push(char::from_u32(point).ok_or_else(lone)?);
        Ok(end)
    }

    fn hex(&self, at: usize) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(at..at + 4).unwrap_or_default();
        let value = |value: u32, digit: &u8| Some(value * 16 + char::from(*digit).to_digit(16)?);
        digits
            .iter()
            .try_fold(0, value)
            .filter(|_| digits.len() == 4)
            .ok_or_else(|| Fault::Malformed(format!("four hexadecimal digits are missing at byte {at}")))
    }
}
