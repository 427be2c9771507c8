//! Generates the services from the proto files; event messages are those of `record`.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

/// Messages that carry events as the bytes they are stored in, see `src/raw.rs`.
const RAW: [&str; 3] = ["AppendRequest", "ListEventsResponse", "TailEventsResponse"];

/// The files whose messages are those of `record`.
const EVENTS: [&str; 6] = [
    "codes.proto",
    "description.proto",
    "event.proto",
    "flow.proto",
    "people.proto",
    "work.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let files = [
        "common",
        "event",
        "ingest",
        "model",
        "twin",
        "history",
        "quality",
        "wip",
        "timeline",
        "find",
        "rule",
        "table",
        "simulation",
        "admin",
    ]
    .map(|name| format!("werkbuch/v1/{name}.proto"));
    let set = protox::compile(files, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), set.encode_to_vec())?;

    let mut builder = tonic_prost_build::configure();
    for file in &set.file {
        if !EVENTS.contains(&file.name().trim_start_matches("werkbuch/v1/")) {
            continue;
        }
        let messages = file.message_type.iter().map(|message| message.name());
        let enums = file.enum_type.iter().map(|one| one.name());
        for name in messages.chain(enums) {
            builder = builder.extern_path(
                format!(".werkbuch.v1.{name}"),
                format!("::werkbuch_record::pb::{name}"),
            );
        }
    }
    for name in RAW {
        builder = builder.extern_path(
            format!(".werkbuch.v1.{name}"),
            format!("crate::raw::{name}"),
        );
    }
    builder.compile_fds(set)?;
    Ok(())
}
