//! As much of JSON as a safetensors header has: objects, lists of whole numbers, strings.

use std::borrow::Cow;
use std::fmt::{self, Write};

/// A place in a text that is read from there on.
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes a byte if it is next.
    fn takes(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.takes(byte) { Ok(()) } else { Err(self.expected(&char::from(byte).to_string())) }
    }

    fn expected(&self, what: &str) -> String {
        format!("byte {} of its header: expected {what}", self.at)
    }

    /// Calls `member` for each member of an object, with the place of its name behind the quotation mark and with the name; it
    /// reads the value.
    pub(super) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, usize, Cow<'a, str>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(b'{')?;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            self.peek();
            let place = self.at + 1;
            let name = self.string()?;
            self.expect(b':')?;
            member(self, place, name)?;
            if !self.takes(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// A list of whole numbers, of which there are at most so many.
    pub(super) fn numbers(&mut self, most: usize) -> Result<Vec<u64>, String> {
        self.expect(b'[')?;
        let mut numbers = Vec::new();
        if self.takes(b']') {
            return Ok(numbers);
        }
        loop {
            if numbers.len() == most {
                return Err(self.expected(&format!("at most {most} numbers")));
            }
            numbers.push(self.whole()?);
            if !self.takes(b',') {
                self.expect(b']')?;
                return Ok(numbers);
            }
        }
    }

    fn whole(&mut self) -> Result<u64, String> {
        self.peek();
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        // A number does not begin with a 0 that says nothing.
        let end = if rest.starts_with('0') { end.min(1) } else { end };
        let number = rest[..end].parse().map_err(|_| self.expected("a whole number"))?;
        self.at += end;
        Ok(number)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, String> {
        if !self.takes(b'"') {
            return Err(self.expected("a string"));
        }
        let (string, end) = string(self.text, self.at)?;
        self.at = end;
        Ok(string)
    }

    /// Fails if anything but space is left.
    pub(super) fn finish(mut self) -> Result<(), String> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("nothing after its end")) }
    }
}

/// A string from behind its first quotation mark, and the place behind its last.
pub(super) fn string(text: &str, start: usize) -> Result<(Cow<'_, str>, usize), String> {
    let wrong = |at: usize| format!("byte {at} of its header: expected a string");
    let bytes = text.as_bytes();
    let (mut decoded, mut at, mut copied) = (None::<String>, start, start);
    loop {
        match bytes.get(at) {
            Some(b'"') => {
                let rest = &text[copied..at];
                let string = match decoded {
                    None => Cow::Borrowed(rest),
                    Some(decoded) => Cow::Owned(decoded + rest),
                };
                return Ok((string, at + 1));
            }
            Some(b'\\') => {
                let decoded = decoded.get_or_insert_default();
                decoded.push_str(&text[copied..at]);
                let (character, length) = escaped(&bytes[at + 1..]).ok_or_else(|| wrong(at))?;
                decoded.push(character);
                at += 1 + length;
                copied = at;
            }
            Some(byte) if *byte >= b' ' => at += 1,
            _ => return Err(wrong(at)),
        }
    }
}

/// The character that stands behind a backslash, and how many bytes tell it.
fn escaped(bytes: &[u8]) -> Option<(char, usize)> {
    let character = match bytes.first()? {
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = |at: usize| {
                let digits = bytes.get(at..at + 4)?;
                digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
            };
            let first = unit(1)?;
            if !(0xD800..0xDC00).contains(&first) {
                return Some((char::from_u32(first)?, 5));
            }
            let second = unit(7).filter(|second| bytes[5..7] == *b"\\u" && (0xDC00..0xE000).contains(second))?;
            return Some((char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?, 11));
        }
        _ => return None,
    };
    Some((character, 1))
}

/// Appends a string in quotation marks.
pub(super) fn quote(text: &mut String, string: &str) -> fmt::Result {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            '\0'..=' ' if character != ' ' => write!(text, "\\u{:04x}", u32::from(character))?,
            _ => text.push(character),
        }
    }
    text.push('"');
    Ok(())
}
