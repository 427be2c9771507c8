//! Keys of persons: fields about people are stored encrypted, each under a key of that person.
//!
//! The ring is a file apart from the log, so that it can be kept out of the log's backups. Names of
//! persons stand only here; the log holds the numbers of their keys.

use crate::error::EngineError;
use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Key, Nonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// One person's key.
#[derive(Clone, Serialize, Deserialize)]
struct PersonKey {
    number: u64,
    person: String,
    /// 32 bytes in hexadecimal.
    key: String,
}

#[derive(Default, Serialize, Deserialize)]
struct RingFile {
    version: u32,
    keys: Vec<PersonKey>,
}

#[derive(Default)]
struct Ring {
    numbers: BTreeMap<String, u64>,
    keys: BTreeMap<u64, [u8; 32]>,
    file: RingFile,
}

/// The key ring of a data folder.
pub(crate) struct KeyRing {
    path: PathBuf,
    ring: Mutex<Ring>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What a field's encryption is bound to: which field of which event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldIdentity<'a> {
    /// The plant.
    pub(crate) plant: &'a str,
    /// The source with its epoch, or the writer.
    pub(crate) source: &'a str,
    /// The sequence, or the position of a writer's own record.
    pub(crate) number: u64,
    /// The field's path.
    pub(crate) path: &'static str,
}

impl FieldIdentity<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        for part in [self.plant, self.source, self.path] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes
    }
}

/// Whether a person without a key gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The field is about to be recorded: the person gets a key.
    Make,
    /// The field is only looked at.
    Known,
}

impl KeyRing {
    /// Opens the ring of a data folder; a folder without one has an empty ring.
    pub(crate) fn open(data: &Path) -> Result<Self, EngineError> {
        let path = data.join("keys").join("ring.json");
        let mut ring = Ring::default();
        match std::fs::read(&path) {
            Ok(bytes) => {
                ring.file = serde_json::from_slice(&bytes)
                    .map_err(|error| damaged(&path, &error.to_string()))?;
                for entry in &ring.file.keys {
                    let key =
                        unhex(&entry.key).ok_or_else(|| damaged(&path, "a key is not 32 bytes"))?;
                    ring.keys.insert(entry.number, key);
                    ring.numbers.insert(entry.person.clone(), entry.number);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(EngineError::io("read the key ring", &path, error)),
        }
        Ok(Self {
            path,
            ring: Mutex::new(ring),
        })
    }

    /// Encrypts a person's field, with the key that the person has or gets. Returns the key's number
    /// and the ciphertext, nothing for a person without a key who is not to get one.
    /// Errors: the ring cannot be written.
    pub(crate) fn protect(
        &self,
        person: &str,
        field: FieldIdentity<'_>,
        plain: &str,
        keys: Keys,
    ) -> Result<Option<(u64, Vec<u8>)>, EngineError> {
        let Some((number, key)) = self.key_of(person, keys)? else {
            return Ok(None);
        };
        let identity = field.bytes();
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: &identity,
        };
        let ciphertext = cipher(&key)
            .encrypt(&nonce(&identity), payload)
            .map_err(|_| EngineError::internal("a protected field could not be encrypted"))?;
        Ok(Some((number, ciphertext)))
    }

    /// Decrypts a field; nothing when its key is gone or it does not belong to this place.
    pub(crate) fn reveal(
        &self,
        number: u64,
        field: FieldIdentity<'_>,
        ciphertext: &[u8],
    ) -> Option<String> {
        let key = {
            let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            *ring.keys.get(&number)?
        };
        let identity = field.bytes();
        let payload = Payload {
            msg: ciphertext,
            aad: &identity,
        };
        let plain = cipher(&key).decrypt(&nonce(&identity), payload).ok()?;
        String::from_utf8(plain).ok()
    }

    fn key_of(&self, person: &str, keys: Keys) -> Result<Option<(u64, [u8; 32])>, EngineError> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = ring.numbers.get(person).copied()
            && let Some(key) = ring.keys.get(&number)
        {
            return Ok(Some((number, *key)));
        }
        if keys == Keys::Known {
            return Ok(None);
        }
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key)
            .map_err(|_| EngineError::internal("the system gave no random bytes for a key"))?;
        let number = ring
            .file
            .keys
            .iter()
            .map(|entry| entry.number)
            .max()
            .unwrap_or(0)
            + 1;
        let entry = PersonKey {
            number,
            person: person.to_owned(),
            key: hex(&key),
        };
        ring.file.version = 1;
        ring.file.keys.push(entry);
        if let Err(error) = save(&self.path, &ring.file) {
            ring.file.keys.pop();
            return Err(error);
        }
        ring.numbers.insert(person.to_owned(), number);
        ring.keys.insert(number, key);
        Ok(Some((number, key)))
    }
}

fn cipher(key: &[u8; 32]) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&Key::<Aes256GcmSiv>::from(*key))
}

/// The nonce follows from what is encrypted where, so that a repeat has the same bytes. The scheme
/// stays safe when a nonce comes twice (RFC 8452), which an identity that is used once rules out.
fn nonce(identity: &[u8]) -> Nonce {
    let hash: [u8; 32] = Sha256::digest(identity).into();
    let mut nonce = [0_u8; 12];
    nonce.copy_from_slice(hash.split_at(12).0);
    Nonce::from(nonce)
}

/// Writes the ring beside itself, syncs it, and puts it in place: it is whole or the old one.
fn save(path: &Path, file: &RingFile) -> Result<(), EngineError> {
    let fail = |error| EngineError::io("write the key ring", path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail)?;
    let bytes = serde_json::to_vec_pretty(file).map_err(|error| {
        EngineError::internal(format!("the key ring cannot be written: {error}"))
    })?;
    let temporary = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&temporary).map_err(fail)?;
    out.write_all(&bytes).map_err(fail)?;
    out.sync_all().map_err(fail)?;
    std::fs::rename(&temporary, path).map_err(fail)?;
    std::fs::File::open(folder)
        .and_then(|dir| dir.sync_all())
        .map_err(fail)
}

fn damaged(path: &Path, what: &str) -> EngineError {
    EngineError::internal(format!(
        "the key ring {} cannot be read ({what}); restore it from its backup, protected fields need it",
        path.display()
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0_u8; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIELD: FieldIdentity<'static> = FieldIdentity {
        plant: "P",
        source: "s#1",
        number: 7,
        path: "who",
    };

    #[test]
    fn a_field_comes_back_only_at_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(folder.path()).unwrap();
        let (number, secret) = ring
            .protect("anna", FIELD, "Anna Amboss", Keys::Make)
            .unwrap()
            .unwrap();
        assert!(!secret.windows(4).any(|w| w == b"Anna"));
        assert_eq!(
            ring.protect("anna", FIELD, "Anna Amboss", Keys::Make)
                .unwrap()
                .unwrap(),
            (number, secret.clone())
        );
        let reopened = KeyRing::open(folder.path()).unwrap();
        assert_eq!(
            reopened.reveal(number, FIELD, &secret).as_deref(),
            Some("Anna Amboss")
        );
        let elsewhere = FieldIdentity { number: 8, ..FIELD };
        assert_eq!(reopened.reveal(number, elsewhere, &secret), None);
        assert_eq!(reopened.reveal(number + 1, FIELD, &secret), None);
        let (other, _) = reopened
            .protect("bert", FIELD, "x", Keys::Make)
            .unwrap()
            .unwrap();
        assert_eq!(
            reopened.protect("carl", FIELD, "x", Keys::Known).unwrap(),
            None
        );
        assert_ne!(other, number);
    }

    #[test]
    fn a_damaged_ring_is_an_error_not_an_empty_ring() {
        let folder = tempfile::tempdir().unwrap();
        KeyRing::open(folder.path())
            .unwrap()
            .protect("anna", FIELD, "x", Keys::Make)
            .unwrap();
        let path = folder.path().join("keys/ring.json");
        std::fs::write(&path, b"{").unwrap();
        assert!(KeyRing::open(folder.path()).is_err());
    }
}
