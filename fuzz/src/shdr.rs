//! Any bytes are a recording: every line of it is accounted for, and every event of it is valid.

use std::sync::Arc;
use werkbuch_gateway::source::mapping::Mapping;
use werkbuch_gateway::source::shdr::{ShdrReader, decode_body};
use werkbuch_model::id::MachineNumber;
use werkbuch_record::{decode_reported, encode_reported};

const MACHINE: MachineNumber = MachineNumber(7);

/// The bytes are the recording, decompressed. It is taken when it holds more than gaps.
pub fn body(data: &[u8]) -> bool {
    let mapping = Arc::new(Mapping::builtin());
    let mut reader = ShdrReader::new(data, "a.shdr", mapping, MACHINE);
    let mut emitted = 0;
    for emit in reader.by_ref() {
        let emit = emit.expect("bytes in memory can be read");
        emitted += 1;
        assert_eq!(emit.event.sequence.get(), emitted);
        assert_eq!(emit.event.machine, MACHINE);
        if let Err(refusal) = emit.event.validate() {
            panic!("{refusal:?}: {:?}", emit.event);
        }
        let bytes = encode_reported(&emit.event);
        let back = decode_reported(&bytes).map(|event| encode_reported(&event));
        assert_eq!(back, Ok(bytes));
        if let Some(body) = &emit.body {
            decode_body(body).expect("our own bodies can be read");
        }
    }
    let counts = reader.counts();
    assert!(counts.reconcile(), "{counts:?}");
    assert_eq!(counts.emitted(), emitted, "{counts:?}");
    assert_eq!(reader.bytes_read(), data.len() as u64);
    counts.events + counts.sampled > 0
}
