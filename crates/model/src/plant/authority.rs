//! Who has the say about an aspect of a machine.

use super::description::Description;
use super::spec::{Authority, Machine};
use super::words::family;
use crate::event::{AspectKind, UNLISTED_AUTHORITY};

/// Whether a text belongs to a class such as `press-*`, where `*` stands for any text.
#[must_use]
pub fn in_class(class: &str, text: &str) -> bool {
    let (class, text) = (class.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut retry = None;
    loop {
        match (class.get(at), text.get(from)) {
            (Some(b'*'), _) => {
                at += 1;
                retry = Some((at, from));
            }
            (None, None) => return true,
            (Some(wanted), Some(byte)) if wanted == byte => {
                at += 1;
                from += 1;
            }
            // Only the last `*` needs to take more: what an earlier one took is already enough.
            _ => match retry {
                Some((after, taken)) if taken < text.len() => {
                    at = after;
                    from = taken + 1;
                    retry = Some((after, from));
                }
                _ => return false,
            },
        }
    }
}

/// Whether a machine is meant by an authority's name or class, under its name or one it had.
pub(super) fn means<'a>(class: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| in_class(class, name))
}

impl Description {
    /// The rank of a source (its name without the epoch) for an aspect of a machine: 0 when it has
    /// the say or nobody is named, n when it is the n-th fallback, [`UNLISTED_AUTHORITY`] when
    /// others are named and it is not.
    ///
    /// Of several authorities that match, a machine's own name beats a class, then a named aspect
    /// beats every aspect, then the later declared beats the earlier.
    #[must_use]
    pub fn authority_rank(&self, machine: &Machine, aspect: AspectKind, source: &str) -> u32 {
        let aspect = family(aspect);
        let matching = self.authorities().filter_map(|authority| {
            let all = authority.aspect == AspectKind::Unspecified;
            let names = std::iter::once(&machine.id).chain(&machine.aliases);
            let matches = (all || family(authority.aspect) == aspect)
                && means(&authority.machines, names.map(|id| id.as_str()));
            matches.then_some(((!authority.machines.contains('*'), !all), authority))
        });
        // The last of several greatest is taken, which is the later declared.
        match matching.max_by_key(|(precedence, _)| *precedence) {
            None => 0,
            Some((_, authority)) => rank(authority, source),
        }
    }
}

fn rank(authority: &Authority, source: &str) -> u32 {
    let mut sources = authority.sources.iter();
    match sources.position(|class| in_class(class, source)) {
        None => UNLISTED_AUTHORITY,
        Some(rank) => u32::try_from(rank)
            .unwrap_or(UNLISTED_AUTHORITY)
            .min(UNLISTED_AUTHORITY - 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plant::{parse, tests::described};

    #[test]
    fn classes_take_any_text_for_a_star() {
        for (class, text, fits) in [
            ("press-*", "press-3", true),
            ("press-*", "press-", true),
            ("press-*", "xpress-3", false),
            ("*", "", true),
            ("*", "x", true),
            ("", "", true),
            ("", "x", false),
            ("*-3", "press-3", true),
            ("*-3", "press-33", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**a", "ba", true),
            ("import:*", "import:ab:M1", true),
            ("gateway-7", "gateway-7", true),
            ("gateway-7", "gateway-70", false),
        ] {
            assert_eq!(in_class(class, text), fits, "{class} {text}");
        }
    }

    const SPECIFIC: &str = r#"
        [plant]
        id = "P"
        [[machine]]
        id = "press-3"
        formerly = "stamp-1"
        [[machine]]
        id = "robot-1"
        [[authority]]
        machines = "press-3"
        aspect = "*"
        sources = ["gateway-1"]
        [[authority]]
        machines = "press-3"
        aspect = "state"
        sources = ["gateway-2", "import:*"]
        [[authority]]
        machines = "press-*"
        aspect = "state"
        sources = ["nobody"]
        [[authority]]
        machines = "*-1"
        aspect = "alarm"
        sources = ["first"]
        [[authority]]
        machines = "robot-*"
        aspect = "alarm"
        sources = ["second"]
        [[authority]]
        machines = "robot-*"
        aspect = "*"
        sources = ["third"]
    "#;

    #[test]
    fn the_most_specific_authority_decides() {
        let description = described(&parse(SPECIFIC, "t").unwrap());
        for (machine, aspect, source, rank) in [
            ("press-3", AspectKind::State, "gateway-2", 0),
            ("press-3", AspectKind::State, "import:ab:M1", 1),
            (
                "press-3",
                AspectKind::State,
                "gateway-1",
                UNLISTED_AUTHORITY,
            ),
            ("press-3", AspectKind::State, "nobody", UNLISTED_AUTHORITY),
            ("press-3", AspectKind::Mode, "gateway-1", 0),
            ("press-3", AspectKind::Mode, "gateway-2", UNLISTED_AUTHORITY),
            // Its own name with every aspect beats a class (which its old name is in) with this one.
            ("press-3", AspectKind::AlarmRaise, "gateway-1", 0),
            (
                "press-3",
                AspectKind::AlarmRaise,
                "first",
                UNLISTED_AUTHORITY,
            ),
            // Of two classes the later counts, and a named aspect beats the later every aspect.
            ("robot-1", AspectKind::AlarmRaise, "second", 0),
            ("robot-1", AspectKind::AlarmAcknowledge, "second", 0),
            ("robot-1", AspectKind::AlarmClear, "second", 0),
            (
                "robot-1",
                AspectKind::AlarmClear,
                "third",
                UNLISTED_AUTHORITY,
            ),
            ("robot-1", AspectKind::State, "third", 0),
        ] {
            let machine = description.machine_named(machine).unwrap();
            let found = description.authority_rank(machine, aspect, source);
            assert_eq!(found, rank, "{} {aspect} {source}", machine.id);
        }
        let nobody = Description::default();
        let machine = description.machine_named("robot-1").unwrap();
        assert_eq!(nobody.authority_rank(machine, AspectKind::State, "x"), 0);
    }
}
