//! What a benchmark measures with: time of a thread, memory of a process, ranks in a sample.

use serde_json::Value;
use std::path::PathBuf;

/// The time for which the calling thread has been on a core, in nanoseconds, where the system tells.
pub(super) fn thread_cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// For how long those threads of a process (absent: of this one) that `of` picks by their names have
/// been on a core, in nanoseconds, where the system tells. Threads that have ended do not count.
pub(super) fn threads_cpu_ns(process: Option<u32>, of: impl Fn(&str) -> bool) -> Option<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let tasks: PathBuf = ["/proc", &process, "task"].iter().collect();
    let mut sum = None;
    for task in std::fs::read_dir(tasks).ok()?.flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name));
        let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else {
            continue;
        };
        if of(name.trim_end()) {
            let time = times.split_whitespace().next()?.parse::<u64>().ok()?;
            sum = Some(sum.unwrap_or(0) + time);
        }
    }
    sum
}

/// For how long the threads of a process have been on a core, in seconds, where the system tells: it
/// counts in hundredths of a second.
pub(super) fn process_cpu_seconds(process: u32) -> Option<f64> {
    let path: PathBuf = ["/proc", &process.to_string(), "stat"].iter().collect();
    let stat = std::fs::read_to_string(path).ok()?;
    // The name of the program may hold anything; what follows it does not.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(user.saturating_add(system) as f64 / 100.0)
}

/// What a process (absent: this one) has sent to disks so far in bytes, where the system tells: it counts
/// whole pages, and a page that is written again before it gets there once.
pub(super) fn disk_bytes(process: Option<u32>) -> Option<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let path: PathBuf = ["/proc", &process, "io"].iter().collect();
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let bytes = lines.find_map(|line| line.strip_prefix("write_bytes:"))?;
    bytes.trim().parse().ok()
}

/// The resident memory of a process in bytes, where the system tells.
pub(super) fn resident_bytes(process: u32) -> Option<u64> {
    let path: PathBuf = ["/proc", &process.to_string(), "status"].iter().collect();
    let status = std::fs::read_to_string(path).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1_024)
}

/// The value below which `percent` of a sample lie: the nearest rank. Nothing of an empty sample.
pub(super) fn percentile(sample: &mut [u64], percent: usize) -> Option<u64> {
    sample.sort_unstable();
    let rank = (sample.len() * percent).div_ceil(100).max(1);
    sample.get(rank - 1).copied()
}

/// A value with two digits behind the point.
pub(super) fn rounded(value: f64) -> Value {
    let rounded = (value * 100.0).round() / 100.0;
    serde_json::Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let mut sample: Vec<u64> = (1..=200).rev().collect();
        for (percent, value) in [(50, 100), (99, 198), (100, 200), (0, 1)] {
            assert_eq!(percentile(&mut sample, percent), Some(value), "{percent}");
        }
        assert_eq!(percentile(&mut [7], 99), Some(7));
        assert_eq!(percentile(&mut [], 50), None);
    }

    #[test]
    fn rounding_keeps_two_digits() {
        assert_eq!(rounded(1.237).to_string(), "1.24");
        assert_eq!(rounded(f64::NAN), Value::Null);
    }
}
