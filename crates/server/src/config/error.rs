//! What can be wrong with the options.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the options cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read. Name another, or give its reader the right.
    #[error("could not read the configuration \"{}\": {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Arc<std::io::Error>,
    },
    /// The file is not what it should be. Correct it at the line.
    #[error("{file}:{line}: {what}")]
    File {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The file has a key that is no option. Correct or remove it.
    #[error("{file}:{line}: there is no option \"{key}\"{hint}; the options are {known}")]
    UnknownKey {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// `, did you mean "listen"?`, or empty.
        hint: String,
        /// All options.
        known: String,
    },
    /// An option does not take this value. Give one that it takes.
    #[error("the option {key} does not take \"{value}\": {expected}")]
    Value {
        /// The option.
        key: &'static str,
        /// The value as given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The address lies beyond this machine. Listen on 127.0.0.1 or say `allow_remote`.
    #[error(
        "{listen} can be reached from other machines, and there is no authentication yet: listen on \
         127.0.0.1 behind a proxy that authenticates, or allow it with --allow-remote"
    )]
    Remote {
        /// The address.
        listen: SocketAddr,
    },
}
