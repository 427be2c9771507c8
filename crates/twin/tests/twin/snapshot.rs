//! Snapshot bytes: the same twin again, or an error, and never a panic.

use crate::bodies::*;
use crate::writer::*;
use proptest::prelude::*;
use werkbuch_model::event::*;
use werkbuch_twin::{SnapshotError, Twin};

fn twin() -> Twin {
    let mut writer = Writer::default();
    for kind in 0..KINDS {
        let target = writer.report(Said {
            machine: 1 + (kind % 3) as u32,
            source: [("gw", 1), ("alt", 2)][kind % 2],
            sequence: kind as u64 + 1,
            at: kind as i64,
            authority: (kind % 2) as u32,
            body: body(kind, 2),
        });
        if kind == 4 {
            writer.correct(Fix {
                action: CorrectionAction::Retract,
                targets: vec![target],
                replacement: None,
                new_time: None,
            });
        }
    }
    writer.twin(None)
}

#[test]
fn a_twin_comes_back_as_it_was() {
    for twin in [twin(), Twin::new(plant())] {
        let bytes = twin.to_bytes().unwrap();
        let again = Twin::from_bytes(&bytes).unwrap();
        assert_eq!(again.digest(), twin.digest());
        assert_eq!(again.to_bytes().unwrap(), bytes);
        assert_eq!(again.position(), twin.position());
        assert_eq!(again.notes(), twin.notes());
        assert_eq!(again.sources(), twin.sources());
        for (one, two) in again.machines().zip(twin.machines()) {
            assert_eq!(one.view(), two.view());
            assert_eq!(one.held(), two.held());
        }
    }
}

#[test]
fn a_twin_that_came_back_goes_on() {
    let mut writer = Writer::default();
    for kind in 0..KINDS as u64 {
        let body = body(kind as usize, 1);
        let (machine, source, authority) = (1, ("gw", 1), 0);
        writer.report(Said {
            machine,
            source,
            sequence: kind + 1,
            at: 5,
            authority,
            body,
        });
    }
    let mut twin = Twin::new(plant());
    for event in &writer.events {
        twin = Twin::from_bytes(&twin.to_bytes().unwrap()).unwrap();
        twin.apply(event).unwrap();
    }
    assert_eq!(twin.digest(), writer.twin(None).digest());
}

#[test]
fn another_version_is_said_to_be_one() {
    let bytes = twin().to_bytes().unwrap();
    for at in [11, 15] {
        let mut other = bytes.clone();
        other[at] += 1;
        assert!(matches!(
            Twin::from_bytes(&other),
            Err(SnapshotError::OtherVersion { .. })
        ));
    }
    assert!(matches!(
        Twin::from_bytes(b""),
        Err(SnapshotError::NotASnapshot)
    ));
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(
        Twin::from_bytes(&longer),
        Err(SnapshotError::Length { .. })
    ));
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(
        Twin::from_bytes(&flipped),
        Err(SnapshotError::Checksum)
    ));
}

/// The bytes with a header that holds, whatever the content.
fn sealed(header: &[u8], content: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    let mut bytes = header[..16].to_vec();
    bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
    let hash = sha2::Sha256::new()
        .chain_update(&bytes)
        .chain_update(content)
        .finalize();
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn every_cut_is_an_error() {
    let bytes = twin().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(Twin::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let content = &bytes[56..];
    for length in 0..content.len() {
        assert!(
            Twin::from_bytes(&sealed(&bytes, &content[..length])).is_err(),
            "{length}"
        );
    }
}

proptest! {
    #[test]
    fn a_flipped_byte_is_an_error(at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let mut bytes = twin().to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        prop_assert!(Twin::from_bytes(&bytes).is_err());
    }

    #[test]
    fn a_forged_content_does_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bytes = twin().to_bytes().unwrap();
        let mut content = bytes[56..].to_vec();
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Ok(mut twin) = Twin::from_bytes(&sealed(&bytes, &content)) {
            let _ = twin.digest();
            let _ = twin.to_bytes();
            twin.machines().for_each(|machine| {
                let _ = (machine.view(), machine.held());
            });
            let mut writer = Writer::default();
            writer.report(Said {
                machine: 1,
                source: ("gw", 1),
                sequence: 1,
                at: 5,
                authority: 0,
                body: body(0, 1),
            });
            let _ = writer.events.iter().try_for_each(|event| twin.apply(event));
        }
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let header = twin().to_bytes().unwrap();
        let _ = Twin::from_bytes(&bytes);
        let _ = Twin::from_bytes(&sealed(&header, &bytes));
    }
}
