//! Many replications side by side: the one place here that knows threads.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does `work` for each number from 0 and answers in the order of the numbers, whatever the count of threads.
/// Work that panics ends them all.
#[allow(
    clippy::disallowed_methods,
    reason = "the fan-out over replications knows threads, and nothing else here"
)]
pub fn replicate<R: Send>(count: u32, threads: usize, work: impl Fn(u32) -> R + Sync) -> Vec<R> {
    let next = AtomicU32::new(0);
    let done = Mutex::new(Vec::new());
    let help = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let answer = work(number);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((number, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count as usize) {
            scope.spawn(help);
        }
        help();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order_from_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let squares = replicate(50, threads, |number| number * number);
            assert!(
                squares
                    .iter()
                    .zip(0..)
                    .all(|(square, number)| *square == number * number)
            );
            assert_eq!(squares.len(), 50);
        }
        assert!(replicate(0, 4, |number| number).is_empty());
    }
}
