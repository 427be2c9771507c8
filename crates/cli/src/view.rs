//! How machines and events are shown.

pub(crate) mod event;
pub(crate) mod machine;
