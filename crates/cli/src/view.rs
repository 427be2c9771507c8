//! How machines and events are shown.

pub(crate) mod aspect;
pub(crate) mod basis;
pub(crate) mod change;
pub(crate) mod cut;
pub(crate) mod event;
pub(crate) mod found;
pub(crate) mod inferred;
pub(crate) mod machine;
pub(crate) mod quality;
pub(crate) mod rule;
pub(crate) mod timeline;

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
