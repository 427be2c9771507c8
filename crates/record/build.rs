//! Generates the event messages from the proto files, with a compiler that is itself a crate.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let set = protox::compile(
        [
            "werkbuch/v1/codes.proto",
            "werkbuch/v1/description.proto",
            "werkbuch/v1/event.proto",
        ],
        [&root],
    )?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("event_descriptor.bin"), prost_bytes(&set))?;
    prost_build::Config::new().compile_fds(set)?;
    Ok(())
}

fn prost_bytes(set: &impl protox::prost::Message) -> Vec<u8> {
    set.encode_to_vec()
}
