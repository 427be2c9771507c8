//! Which mark the next one is written as the change since.
//!
//! The marks of a row are numbered from 0, which is whole. Each of the others is the change since the one
//! whose number is its own without the lowest bit that is set. So the first sixteen are read with four
//! others at most, where each were the change since the one before it would be with fifteen; what one mark
//! has to tell is told five times at most, where each were whole it would be with every one. It is the tree
//! by which Fenwick keeps sums (Fenwick 1994, "A new data structure for cumulative frequency tables").

use super::mark::Head;
use std::sync::Arc;
use werkbuch_model::id::Position;
use werkbuch_twin::MarkBase;

/// A mark that others may be written as the change since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Its number in its row.
    pub(super) number: u32,
    pub(super) position: Position,
    pub(super) base: MarkBase,
}

/// The last mark and those that it is read with, a whole one first; without any the next one is whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Row(Vec<Link>);

impl Row {
    /// The row up to the last of some marks, which are those that it is read with.
    pub(super) fn of(marks: &[Arc<Head>]) -> Self {
        Self(marks.iter().filter_map(|head| head.link()).collect())
    }

    /// The last mark.
    pub(super) fn last(&self) -> Option<&Link> {
        self.0.last()
    }

    /// The mark that the next one may be the change since, and the number of that one, in a row of so many.
    pub(super) fn next(&self, row_max: u32) -> Option<(Link, u32)> {
        let number = self.last()?.number.checked_add(1)?;
        let since = number & (number - 1);
        let since = self.0.iter().rfind(|link| link.number == since);
        since
            .filter(|_| number < row_max)
            .map(|link| (*link, number))
    }

    /// Takes the next mark as it was written.
    pub(super) fn take(&mut self, head: &Head) {
        match head.link() {
            Some(link) => self.push(link, head.since()),
            None => self.0.clear(),
        }
    }

    /// Takes the next mark, which is the change since one of them, or whole.
    fn push(&mut self, mark: Link, since: Option<Position>) {
        let at = self.0.iter().position(|link| Some(link.position) == since);
        self.0.truncate(at.map_or(0, |at| at + 1));
        self.0.push(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::id::PlantId;
    use werkbuch_twin::Twin;

    /// The numbers of the marks that each of a row is read with.
    #[test]
    fn each_is_read_with_few_others() -> Result<(), Box<dyn std::error::Error>> {
        let base = Twin::new(PlantId::new("P")?).mark_base();
        let mut row = Row::default();
        let mut read = Vec::new();
        for position in 0..18 {
            let next = row.next(16);
            let number = next.map_or(0, |(_, number)| number);
            let mark = Link {
                number,
                position: Position(position),
                base,
            };
            row.push(mark, next.map(|(since, _)| since.position));
            let numbers: Vec<u32> = row.0.iter().map(|link| link.number).collect();
            let positions: Vec<u64> = row.0.iter().map(|link| link.position.get()).collect();
            let begin = position - u64::from(number);
            let expected = numbers.iter().map(|number| begin + u64::from(*number));
            assert!(positions.iter().copied().eq(expected), "{positions:?}");
            read.push(numbers);
        }
        let expected: [&[u32]; 18] = [
            &[0],
            &[0, 1],
            &[0, 2],
            &[0, 2, 3],
            &[0, 4],
            &[0, 4, 5],
            &[0, 4, 6],
            &[0, 4, 6, 7],
            &[0, 8],
            &[0, 8, 9],
            &[0, 8, 10],
            &[0, 8, 10, 11],
            &[0, 8, 12],
            &[0, 8, 12, 13],
            &[0, 8, 12, 14],
            &[0, 8, 12, 14, 15],
            &[0],
            &[0, 1],
        ];
        assert_eq!(read, expected);
        Ok(())
    }
}
