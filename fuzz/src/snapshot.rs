//! Any bytes are a snapshot or an error; what is taken can be asked, written down and read again.

use super::mend;
use werkbuch_engine::decode_snapshot;
use werkbuch_model::id::PlantId;
use werkbuch_twin::Twin;

/// The name of the plant whose snapshots these are.
pub const PLANT: &str = "P";

/// The first byte says whether the checksums are mended; the rest is the snapshot.
pub fn body(data: &[u8]) -> bool {
    let Some((mode, bytes)) = data.split_first() else {
        return false;
    };
    let mut bytes = bytes.to_vec();
    if mode & 1 == 1 {
        mend::snapshot(&mut bytes);
    }
    let plant = PlantId::new(PLANT).expect("a name");
    let Ok(twin) = decode_snapshot(&plant, &bytes) else {
        return false;
    };
    assert_eq!(twin.plant(), &plant);
    // Whatever it says, it can be asked.
    for machine in twin.machines() {
        let _ = (machine.view(), machine.held(), machine.all_values());
    }
    let _ = (twin.parts(), twin.plans(), twin.count_by_state());
    let written = twin.to_bytes().expect("what was read can be written");
    let again = Twin::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again.digest(), twin.digest());
    true
}
