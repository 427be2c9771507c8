//! Protects the fields about people on their way into the log, and reveals them on the way out.

use crate::error::EngineError;
use crate::keyring::{FieldIdentity, KeyRing, Keys};
use werkbuch_model::event::{Body, Protected};

/// The event that protected fields belong to: their encryption is bound to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    /// The plant.
    pub(crate) plant: &'a str,
    /// The source with its epoch; `writer` for the writer's own records.
    pub(crate) source: &'a str,
    /// The sequence; the position for the writer's own records.
    pub(crate) number: u64,
}

/// The person to whom a comment belongs when nobody is named.
const NOBODY: &str = "";

/// Encrypts every protected field of a body that is still in plain. With [`Keys::Known`] the fields
/// of persons without a key stay as they are.
/// Errors: the key ring cannot be written.
pub(crate) fn protect(
    body: &mut Body<'_>,
    owner: Owner<'_>,
    ring: &KeyRing,
    keys: Keys,
) -> Result<(), EngineError> {
    body.for_each_protected(&mut |path, person, field| {
        if field.plain.is_empty() {
            return Ok(());
        }
        let (identity, person) = (identity(owner, path), person.unwrap_or(NOBODY));
        let Some((key, ciphertext)) = ring.protect(person, identity, &field.plain, keys)? else {
            return Ok(());
        };
        *field = Protected {
            plain: String::new().into(),
            key,
            ciphertext: ciphertext.into(),
        };
        Ok(())
    })
}

/// Whether a body has fields in plain that are to be protected.
pub(crate) fn needs_protection(body: &Body<'_>) -> bool {
    body.any_protected(&|field| !field.plain.is_empty())
}

/// Decrypts every protected field of a body whose key is still there.
/// Errors: none today; the shape is shared with [`protect`].
pub(crate) fn reveal(
    body: &mut Body<'_>,
    owner: Owner<'_>,
    ring: &KeyRing,
) -> Result<(), EngineError> {
    body.for_each_protected(&mut |path, _, field| {
        if let Some(plain) = ring.reveal(field.key, identity(owner, path), &field.ciphertext) {
            field.plain = plain.into();
        }
        Ok(())
    })
}

fn identity<'a>(owner: Owner<'a>, path: &'static str) -> FieldIdentity<'a> {
    FieldIdentity {
        plant: owner.plant,
        source: owner.source,
        number: owner.number,
        path,
    }
}
