//! Finds the known word nearest to one that is not known, for "did you mean".
//!
//! ```
//! use werkbuch_model::nearest::did_you_mean;
//!
//! let hint = did_you_mean("pres-3", ["press-3", "robot-1"]);
//! assert_eq!(hint.as_deref(), Some("did you mean \"press-3\"?"));
//! ```

/// No word longer than this is compared: a mistyped word is short.
const CHARACTERS_MAX: usize = 64;

/// The candidate nearest to `word` by edit distance, ignoring case, when it is near enough to be a
/// slip of the hand: at most a third of the letters, and at least one.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(word)?;
    let limit = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= limit.saturating_mul(4))
        .filter_map(|candidate| Some((distance(&wanted, &letters(candidate)?), candidate)))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"?`, or nothing when nothing is near.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|found| format!("did you mean \"{found}\"?"))
}

fn letters(word: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = word
        .chars()
        .take(CHARACTERS_MAX + 1)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (letters.len() <= CHARACTERS_MAX).then_some(letters)
}

/// How many insertions, deletions, replacements and swaps of neighbours lie between two words.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, j).saturating_add(usize::from(from != to));
            let mut best = replaced
                .min(at(&above, j + 1).saturating_add(1))
                .min(at(&row, j).saturating_add(1));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1).saturating_add(1));
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_word_and_strangers_none() {
        let words = ["capacity", "machine", "name", "in", "state", "number"];
        for (slip, word) in [
            ("capasity", Some("capacity")),
            ("capcaity", Some("capacity")),
            ("Machines", Some("machine")),
            ("nmae", Some("name")),
            ("ni", Some("in")),
            ("stat", Some("state")),
            ("numbr", Some("number")),
            ("colour", None),
            ("", None),
            ("zz", None),
        ] {
            assert_eq!(nearest(slip, words), word, "{slip}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), words), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, far) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("press", "press", 0),
        ] {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), far);
        }
    }
}
