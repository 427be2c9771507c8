//! Small text files that carry the checksum of their text in their last line.

/// How the last line begins.
const KEY: &str = "sum = \"";

/// A text with its checksum behind it; the text ends with a line break.
pub(crate) fn with_sum(text: &str) -> String {
    format!("{text}{KEY}{}\"\n", sum(text))
}

/// The text before the checksum, and whether it is the right one. Files of earlier builds have none and
/// pass; so whoever reads them refuses keys that it does not know, as a damaged last line would be.
pub(crate) fn without_sum(text: &str) -> (&str, bool) {
    let last = text.strip_suffix("\"\n").and_then(|text| {
        let (before, found) = text.rsplit_once(KEY)?;
        before.ends_with('\n').then_some((before, found))
    });
    match last {
        Some((before, found)) => (before, found == sum(before)),
        None => (text, true),
    }
}

fn sum(text: &str) -> String {
    format!("{:08x}", crc32c::crc32c(text.as_bytes()))
}
