//! The whole system, tested through its binary: one module for each way to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_folder;
mod bench;
mod cli_errors;
mod clock;
mod contexts;
mod demo;
mod disturbed_import;
mod every_command;
mod export;
mod formats;
mod full_disk;
mod group;
mod identity;
mod import;
mod jsonl;
mod jsonl_kinds;
mod kill;
mod log;
mod log_copy;
mod operating;
mod peers;
mod power_cut;
mod python;
mod recordings;
mod recovery;
mod samples;
mod scenarios;
mod shown;
mod stop;
mod support;
mod sync_first;
mod system_calls;
mod timelines;
mod watch;
mod watch_sampled;
