//! Cutting of long texts in messages.

use std::fmt;

/// In characters. The longest quotation from a caller that a message shows; names are shorter.
const MAX_QUOTED_CHARS: usize = 200;
/// In characters. The longest message, with shapes, paths and texts of the tensor library.
const MAX_CHARS: usize = 550;

/// The message with long parts replaced by dots. Messages quote in `""` or ``` `` ```.
pub(crate) fn brief(message: String) -> String {
    if message.len() <= MAX_QUOTED_CHARS {
        return message;
    }
    let mut text = String::new();
    let mut rest = message.as_str();
    // Quotation marks are one byte each.
    while let Some(open) = rest.bytes().position(|byte| byte == b'`' || byte == b'"') {
        let (before, quoted) = rest.split_at(open + 1);
        let Some(end) = quoted.bytes().position(|byte| byte == rest.as_bytes()[open]) else { break };
        let (quoted, after) = quoted.split_at(end);
        let (start, dots) = start(quoted, MAX_QUOTED_CHARS);
        for part in [before, start, dots, &after[..1]] {
            text.push_str(part);
        }
        rest = &after[1..];
    }
    text.push_str(rest);
    let (start, dots) = start(&text, MAX_CHARS);
    let length = start.len();
    text.truncate(length);
    text.push_str(dots);
    text
}

/// A text of at most 200 characters; dots replace the rest.
pub struct Brief<'a>(pub &'a str);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, dots) = start(self.0, MAX_QUOTED_CHARS);
        f.write_str(start)?;
        f.write_str(dots)
    }
}

/// The first `max_chars` characters of a text, and dots if there are more.
#[inline(never)]
fn start(text: &str, max_chars: usize) -> (&str, &'static str) {
    let mut characters = 0;
    for (index, byte) in text.bytes().enumerate() {
        // Bytes 0b10xx_xxxx continue a character.
        if byte & 0xc0 != 0x80 {
            if characters == max_chars {
                return (&text[..index], "...");
            }
            characters += 1;
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_of_200_characters_is_shown_and_a_longer_one_is_cut() {
        let name = "ä".repeat(200);
        let shown = format!("unknown word `{name}`, expected one of `a`");
        assert_eq!(brief(shown.clone()), shown);
        let long = format!("unknown word `{name}\"and more`, expected one of `a`");
        assert_eq!(brief(long), format!("unknown word `{name}...`, expected one of `a`"));
    }

    #[test]
    fn a_message_has_an_end_wherever_its_quotation_marks_are() {
        for text in ["x".repeat(100_000), format!("`{}", "x".repeat(1000)), "\"".repeat(1001), "`\"".repeat(1000)] {
            assert!(brief(text).chars().count() <= MAX_CHARS + 3);
        }
    }
}
