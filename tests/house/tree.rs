//! The files of the repository, as the rules read them.

use std::fs;
use std::path::{Path, PathBuf};

/// What `cargo fuzz` makes beside the targets; nobody keeps it.
const NOT_KEPT: [&str; 4] = [
    "fuzz/Cargo.lock",
    "fuzz/artifacts",
    "fuzz/corpus",
    "fuzz/coverage",
];

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Its path from the root, with forward slashes.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize()
        .expect("the root of the workspace exists")
}

/// All text files but what is built, in the order of their paths. Fails when there are none.
pub(crate) fn text_files() -> Vec<TextFile> {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        files.len() > 20,
        "the repository was not found in {}",
        root.display()
    );
    files
}

/// The Rust files.
pub(crate) fn rust_files() -> Vec<TextFile> {
    let mut files = text_files();
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

/// The names of the folders in `crates/`, in order.
pub(crate) fn crate_folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).expect("crates/ can be listed");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("crates/ can be listed"))
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A file's text. Fails when it cannot be read.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A TOML file's content. Fails when it cannot be read.
pub(crate) fn read_toml(path: &str) -> toml::Table {
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<TextFile>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let entry = entry.expect("the folder can be listed");
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let name = entry.file_name();
        let made = NOT_KEPT.iter().any(|made| path == root.join(made));
        if made {
            continue;
        }
        if kind.is_dir() && name != ".git" && name != "target" {
            collect(root, &path, files);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root).expect("files lie below the root");
            let path = path.to_string_lossy().replace('\\', "/");
            files.push(TextFile { path, text });
        }
    }
}
