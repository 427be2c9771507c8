//! The public accept-or-refuse cases of transparency-dev/merkle, read from the data folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use serde_json::Value;
use werkbuch_proof::{Hash, verify_consistency, verify_inclusion};

#[test]
fn the_verifiers_agree_with_every_public_case() {
    let Some(cases) = read_cases() else { return };
    let (mut accepted, mut refused) = (0, 0);
    for case in &cases {
        let name = format!("{} {}", text(case, "kind"), text(case, "case"));
        let must_be_refused = case["wantErr"].as_bool().expect("wantErr");
        assert_eq!(verify_strict(case).is_none(), must_be_refused, "{name}");
        assert_eq!(!verify_padded(case), must_be_refused, "{name}, padded");
        if must_be_refused {
            refused += 1
        } else {
            accepted += 1
        }
    }
    assert_eq!((accepted, refused), (7, 89), "cases accepted and refused");
}

/// Verifies as a caller with bytes from outside would: what is no hash is refused on the way in.
fn verify_strict(case: &Value) -> Option<()> {
    verify(case, |bytes, _| Hash::try_from(bytes).ok())
}

/// Verifies with every hash of a wrong length cut or filled to 32 bytes, so that those attacks
/// reach the verifiers too. The filler differs by field, else two empty ones became equal.
fn verify_padded(case: &Value) -> bool {
    let pad = |bytes: &[u8], filler: u8| {
        let mut padded = [filler; 32];
        let length = bytes.len().min(32);
        padded[..length].copy_from_slice(&bytes[..length]);
        Some(Hash::from_bytes(padded))
    };
    verify(case, pad).is_some()
}

fn verify(case: &Value, to_hash: impl Fn(&[u8], u8) -> Option<Hash>) -> Option<()> {
    let number = |field: &str| case[field].as_u64().expect("a whole number");
    let hash = |field: &str, filler| to_hash(&base64(text(case, field)), filler);
    let no_path = Vec::new();
    let path = case["proof"].as_array().unwrap_or(&no_path);
    let path: Option<Vec<Hash>> = path
        .iter()
        .map(|hash| to_hash(&base64(hash.as_str().expect("a hash")), 1))
        .collect();
    let verdict = match text(case, "kind") {
        "inclusion" => verify_inclusion(
            number("leafIdx"),
            number("treeSize"),
            &hash("leafHash", 2)?,
            &path?,
            &hash("root", 3)?,
        ),
        "consistency" => verify_consistency(
            number("size1"),
            number("size2"),
            &hash("root1", 4)?,
            &hash("root2", 5)?,
            &path?,
        ),
        other => panic!("unknown kind {other:?}"),
    };
    verdict.ok()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text in {case}"))
}

/// Reads the cases, or says aloud that they are absent; that fails the test where data is required.
fn read_cases() -> Option<Vec<Value>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("WERKBUCH_DATA").map_or_else(beside, PathBuf::from);
    let file = folder.join("rfc6962-vectors/vectors.json");
    if !file.exists() {
        let required = std::env::var_os("WERKBUCH_REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "{} is absent", file.display());
        eprintln!("SKIPPED, nothing was tested: {} is absent", file.display());
        return None;
    }
    let json = std::fs::read_to_string(&file).expect("the cases can be read");
    Some(serde_json::from_str(&json).expect("the cases are a JSON array"))
}

/// Decodes padded standard base64; made for trusted test data, so it fails aloud.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS
            .iter()
            .position(|known| *known == digit)
            .expect("a base64 digit");
        bits = bits << 6 | value as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

#[test]
fn the_base64_decoder_of_this_test_is_right() {
    let cases = [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYmE=", "fooba"),
    ];
    for (encoded, decoded) in cases {
        assert_eq!(base64(encoded), decoded.as_bytes());
    }
}
