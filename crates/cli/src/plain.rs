//! Texts of others for a terminal: what it would obey instead of showing is spelt out.

use std::borrow::Cow;

/// A text of one line. A machine may have sent anything: a line break would break a table, an escape
/// sequence would clear the screen or dress one word as another.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    spelt(text, &obeyed)
}

/// A text of several lines.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    spelt(text, &|letter| letter != '\n' && obeyed(letter))
}

/// A text in markup: it ends no tag and begins none.
pub(crate) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML cannot hold is shown as missing.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

fn spelt<'t>(text: &'t str, is_spelt: &dyn Fn(char) -> bool) -> Cow<'t, str> {
    if !text.chars().any(is_spelt) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_spelt(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and those that turn the direction of what follows.
fn obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelt_out_and_words_stay() {
        for (text, one, many) in [
            (
                "Schwei\u{df}en \u{2603}",
                "Schwei\u{df}en \u{2603}",
                "Schwei\u{df}en \u{2603}",
            ),
            ("a\nb\tc", "a\\nb\\tc", "a\nb\\tc"),
            ("\u{1b}[2Jx\u{7}", "\\u{1b}[2Jx\\u{7}", "\\u{1b}[2Jx\\u{7}"),
            (
                "\u{202e}abc\u{9b}1m",
                "\\u{202e}abc\\u{9b}1m",
                "\\u{202e}abc\\u{9b}1m",
            ),
        ] {
            assert_eq!((&*line(text), &*lines(text)), (one, many));
        }
    }
}
