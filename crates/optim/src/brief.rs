//! How much of a caller's text a message shows.

use std::fmt;

/// So many characters of a text in quotation marks are shown: a name is shorter, and an error is no place for a book.
const MOST_QUOTED: usize = 200;
/// So many characters of all together: of shapes, of paths, of words of the tensor library.
const MOST: usize = 550;

/// The message without what is too long to read: dots stand for the rest. What messages quote stands between "" or ``.
pub(crate) fn brief(message: String) -> String {
    if message.len() <= MOST_QUOTED {
        return message;
    }
    let mut text = String::new();
    let mut rest = message.as_str();
    while let Some(open) = rest.find(['`', '"']) {
        let (before, quoted) = rest.split_at(open + 1);
        let Some(end) = quoted.find(&before[open..]) else { break };
        text.push_str(before);
        let _ = write_start(&mut text, &quoted[..end], MOST_QUOTED);
        text.push_str(&before[open..]);
        rest = &quoted[end + 1..];
    }
    text.push_str(rest);
    let mut short = String::new();
    let _ = write_start(&mut short, &text, MOST);
    short
}

/// The first 200 characters of a text, and dots where there are more.
pub struct Brief<'a>(pub &'a str);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_start(f, self.0, MOST_QUOTED)
    }
}

fn write_start(out: &mut dyn fmt::Write, text: &str, most: usize) -> fmt::Result {
    match text.char_indices().nth(most) {
        None => out.write_str(text),
        Some((end, _)) => {
            out.write_str(&text[..end])?;
            out.write_str("...")
        }
    }
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
            assert!(brief(text).chars().count() <= MOST + 3);
        }
    }
}
