//! The whole system, tested through its binary: one module for each way to fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod cli_errors;
mod contexts;
mod demo;
mod disturbed_import;
mod every_command;
mod formats;
mod full_disk;
mod import;
mod jsonl;
mod jsonl_kinds;
mod kill;
mod log;
mod log_copy;
mod operating;
mod python;
mod recordings;
mod samples;
mod scenarios;
mod shown;
mod stop;
mod support;
mod watch;
mod watch_sampled;
