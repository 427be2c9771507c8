//! Memory: words that change with every event must not fill the table of texts.

use crate::bodies::item;
use crate::writer::*;
use werkbuch_model::event::*;
use werkbuch_model::id::*;

#[test]
fn words_no_longer_used_are_forgotten() {
    let mut writer = Writer::default();
    let mut say = |sequence: u64, machine, body| {
        let (source, at, authority) = (("gw", 1), sequence as i64, 0);
        writer.report(Said {
            machine,
            source,
            sequence,
            at,
            authority,
            body,
        });
    };
    // Machine 1 has only the item that came last, so the table made anew has it first.
    for (sequence, machine, name) in [(1, 2, "a"), (2, 2, "z"), (3, 1, "z")] {
        say(sequence, machine, item(name, Some("v")));
    }
    for word in 1..=20_000_u64 {
        let body = Body::StateChanged(StateChanged {
            to: State::Idle,
            native: format!("word {word}").into(),
            reason: format!("reason {word}").into(),
            ..StateChanged::default()
        });
        say(3 + word, 1 + (word % 5) as u32, body);
    }
    say(20_004, 2, item("z", Some("w")));
    let twin = writer.twin(None);
    // 20,000 words and 20,000 reasons would be half a megabyte.
    let bytes = twin.to_bytes().unwrap().len();
    assert!(bytes < 200_000, "{bytes}");
    for machine in 1..=5 {
        let state = twin.machine(MachineNumber(machine)).unwrap().state();
        let last = (19_996..=20_000).find(|n| 1 + n % 5 == machine).unwrap();
        assert_eq!(state.native, format!("word {last}"));
        assert_eq!(state.reason, format!("reason {last}"));
    }
    let items = twin.machine(MachineNumber(2)).unwrap().items();
    let texts: Vec<_> = items.iter().map(|one| (one.item, one.text)).collect();
    assert_eq!(texts, [("a", Some("v")), ("z", Some("w"))]);
    let again = werkbuch_twin::Twin::from_bytes(&twin.to_bytes().unwrap()).unwrap();
    assert_eq!(again.digest(), twin.digest());
}
