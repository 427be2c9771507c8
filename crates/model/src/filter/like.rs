//! Patterns of LIKE: `%` for any text, `_` for one character.

use super::field::fold;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Letter(char),
}

/// A pattern, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    ignore_case: bool,
}

impl Pattern {
    /// Nothing when the pattern ends with a lone escape character.
    pub(super) fn new(text: &str, escape: Option<char>, ignore_case: bool) -> Option<Self> {
        let mut parts = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let part = match letter {
                letter if Some(letter) == escape => Part::Letter(letters.next()?),
                '%' => Part::Any,
                '_' => Part::One,
                letter => Part::Letter(letter),
            };
            // Several % in a row say the same as one.
            if part != Part::Any || parts.last() != Some(&Part::Any) {
                parts.push(part);
            }
        }
        if ignore_case {
            for part in &mut parts {
                if let Part::Letter(letter) = part {
                    *letter = fold(*letter);
                }
            }
        }
        Some(Self { parts, ignore_case })
    }

    /// Whether the whole text follows the pattern. Goes back to the last `%` alone, so that the
    /// time is at most the product of the two lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if self.parts.get(at) == Some(&Part::Any) {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            let mut ahead = rest.clone();
            match (self.parts.get(at), ahead.next()) {
                (None, None) => return true,
                (Some(part), Some(letter)) if self.fits(*part, letter) => {
                    at += 1;
                    rest = ahead;
                }
                _ => {
                    let Some((after, mut from)) = retry.take() else {
                        return false;
                    };
                    if from.next().is_none() {
                        return false;
                    }
                    at = after;
                    rest = from.clone();
                    retry = Some((after, from));
                }
            }
        }
    }

    fn fits(&self, part: Part, letter: char) -> bool {
        match part {
            Part::Letter(wanted) if self.ignore_case => wanted == fold(letter),
            Part::Letter(wanted) => wanted == letter,
            Part::One | Part::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "abc", true),
            ("a%", "abc", true),
            ("a%", "bac", false),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("_", "ä", true),
            ("__", "ä", false),
            ("a%b%c", "aXbXbYc", true),
            ("a%b%c", "aXbXbYd", false),
            ("%ab", "aab", true),
            ("%a_c", "aababc", true),
            ("100!%", "100%", true),
            ("100!%", "1000", false),
            ("a!!b", "a!b", true),
            ("ABC", "abc", false),
        ] {
            let compiled = Pattern::new(pattern, Some('!'), false).unwrap();
            assert_eq!(compiled.matches(text), fits, "{pattern} {text}");
        }
        assert!(
            Pattern::new("PRESS-%", None, true)
                .unwrap()
                .matches("press-3")
        );
        assert!(Pattern::new("Ä", None, true).unwrap().matches("ä"));
        assert!(Pattern::new("a!", Some('!'), false).is_none());
        assert!(Pattern::new("a!", None, false).unwrap().matches("a!"));
    }

    #[test]
    fn many_wildcards_stay_quick() {
        let pattern = Pattern::new(&"%a".repeat(2_000), None, false).unwrap();
        assert!(!pattern.matches(&"ab".repeat(1_900)));
    }

    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some((one, rest)) => text
                .split_first()
                .is_some_and(|(letter, tail)| (*one == '_' || one == letter) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab%_]{0,8}", text in "[ab]{0,10}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::new(&pattern, None, false).unwrap().matches(&text), slow(&p, &t));
        }
    }
}
