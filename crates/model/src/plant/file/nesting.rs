//! Refuses a text that nests deeper than any plant file, before it is parsed.

use super::reader::Reader;

/// How deeply lists and tables in braces may be nested. A plant file needs two levels; the parser's
/// own limits (80 levels, each of 80 dotted keys) together reach depths that overflow a stack.
const DEPTH_MAX: usize = 8;

/// Looks at brackets outside of texts and remarks. Texts of several lines and texts that are not
/// closed are refused here, so that this scan and the parser cannot differ in where a text ends.
pub(super) fn check(reader: &mut Reader<'_>, text: &str) {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0_usize, 0_usize);
    while let Some(byte) = bytes.get(at) {
        let next = match byte {
            b'#' => line_end(bytes, at),
            b'"' | b'\'' => match text_end(bytes, at, *byte) {
                Ok(end) => end,
                Err((what, hint)) => return reader.mistake(at, what, hint),
            },
            b'.' | b'=' | b',' | b'[' | b']' | b'{' | b'}' | b' ' | b'\t' | b'\r' | b'\n' => at + 1,
            // A bare word ends there alone, so that a quote inside it begins no text.
            _ => word_end(bytes, at),
        };
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let hint = format!("the limit is {DEPTH_MAX} levels; a bracket may not be closed");
            return reader.mistake(at, "brackets are nested too deeply", hint);
        }
        at = next;
    }
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    let mut ahead = bytes.iter().skip(at);
    let ends = |byte: &u8| b".=,[]{} \t#\r\n".contains(byte);
    at + ahead.position(ends).unwrap_or(bytes.len())
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let mut ahead = bytes.iter().skip(at);
    at + ahead
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .unwrap_or(bytes.len())
}

/// The place behind the text that begins at `at`, or what is wrong with it.
fn text_end(bytes: &[u8], at: usize, quote: u8) -> Result<usize, (&'static str, &'static str)> {
    if bytes.get(at..at + 3) == Some(&[quote; 3]) {
        return Err((
            "plant files have no texts of several lines",
            "write it in one line, in single or double quotes",
        ));
    }
    let mut end = at + 1;
    loop {
        match bytes.get(end) {
            None | Some(b'\n') => {
                return Err(("the text is not closed", "add the quote at its end"));
            }
            Some(byte) if *byte == quote => return Ok(end + 1),
            // What follows a backslash closes nothing; a line's end is looked at by itself.
            Some(b'\\') if quote == b'"' && bytes.get(end + 1) != Some(&b'\n') => end += 2,
            Some(_) => end += 1,
        }
    }
}
