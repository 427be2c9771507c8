//! The server as its clients meet it: a real one on a free port, with a data folder of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asked_again;
mod aspects;
mod every_read;
mod find;
mod find_basis;
mod golden;
mod group;
mod group_broken;
mod harness;
mod history;
mod ingest;
mod instants;
mod life;
mod limits;
mod metrics;
mod model;
mod quality;
mod recovering;
mod rules;
mod rules_shown;
mod rules_valid;
mod shifts;
mod simulation;
mod timeline_alone;
mod timelines;
mod twin;
mod watch;
mod watch_many;
mod watch_past;
mod watch_waits;
mod web;
mod wip;
