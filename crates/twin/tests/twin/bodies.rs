//! Bodies of every kind that sets an aspect, for tables and for the random tests.

use crate::facts;
use proptest::prelude::*;
use werkbuch_model::event::*;
use werkbuch_model::time::Timestamp;

pub(crate) fn state(to: State) -> Body<'static> {
    let native = to.name().to_lowercase();
    Body::StateChanged(StateChanged {
        to,
        native: native.into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    })
}

pub(crate) fn mode(vocabulary: Vocabulary, to: Mode) -> Body<'static> {
    Body::ModeChanged(ModeChanged {
        to,
        native: to.name().into(),
        vocabulary,
    })
}

pub(crate) fn connection(to: Connection) -> Body<'static> {
    Body::ConnectionChanged(ConnectionChanged {
        to,
        cause: "cable".into(),
    })
}

pub(crate) fn condition(
    item: &'static str,
    code: &'static str,
    level: ConditionLevel,
) -> Body<'static> {
    Body::ConditionChanged(ConditionChanged {
        item: item.into(),
        level,
        code: code.into(),
        native_severity: "7".into(),
        qualifier: Qualifier::High,
        text: "too hot".into(),
    })
}

pub(crate) fn raised(key: &'static str, severity: u32) -> Body<'static> {
    Body::AlarmRaised(AlarmRaised {
        key: key.into(),
        code: "E1".into(),
        severity,
        text: "door open".into(),
        native: "HIGH".into(),
    })
}

pub(crate) fn acknowledged(key: &'static str, key_number: u64) -> Body<'static> {
    let who = Protected {
        key: key_number,
        ciphertext: vec![1, 2, 3].into(),
        ..Protected::default()
    };
    Body::AlarmAcknowledged(AlarmAcknowledged {
        key: key.into(),
        who,
        ..Default::default()
    })
}

pub(crate) fn cleared(key: &'static str) -> Body<'static> {
    Body::AlarmCleared(AlarmCleared {
        key: key.into(),
        duration_ms: Some(70),
    })
}

pub(crate) fn counter(counter: &'static str, value: u64) -> Body<'static> {
    Body::PartProduced(PartProduced {
        counter: counter.into(),
        meaning: PartMeaning::Good,
        value: Some(value),
        modulus: 1000,
        reset_epoch: 2,
        part_type: "door".into(),
        part: "".into(),
    })
}

pub(crate) fn samples(items: &[&'static str], last: f64) -> Body<'static> {
    let items = items.iter().map(|item| SampleItem {
        item: (*item).into(),
        unit: "A".into(),
        n: 2,
        unavailable: 1,
        min: Some(last - 1.0),
        max: Some(last),
        mean: Some(last - 0.5),
        last: Some(last),
    });
    Body::SampleReported(SampleReported {
        period_start: Timestamp(5),
        period_ms: 60_000,
        items: items.collect(),
        ..SampleReported::default()
    })
}

pub(crate) fn item(name: &'static str, text: Option<&'static str>) -> Body<'static> {
    Body::ItemChanged(ItemChanged {
        item: name.into(),
        text: text.map(Into::into),
    })
}

pub(crate) fn program(slot: &'static str, name: Option<&'static str>) -> Body<'static> {
    Body::ProgramChanged(ProgramChanged {
        slot: slot.into(),
        program: name.map(Into::into),
        revision: "3".into(),
        block: "N10".into(),
    })
}

pub(crate) fn turned(name: &'static str, percent: Option<f64>) -> Body<'static> {
    Body::OverrideChanged(OverrideChanged {
        item: name.into(),
        what: OverrideKind::Feed,
        percent,
    })
}

pub(crate) fn tool(slot: &'static str, id: Option<&'static str>) -> Body<'static> {
    Body::ToolChanged(ToolChanged {
        slot: slot.into(),
        tool: id.map(Into::into),
        life_used: Some(2.5),
        life_limit: None,
        life_unit: ToolLifeUnit::Count,
    })
}

pub(crate) fn declared(model: &'static str) -> Body<'static> {
    let item = DeclaredItem {
        id: "Xact".into(),
        item_type: "POSITION".into(),
        unit: "mm".into(),
        category: ItemCategory::Sample,
        deadband: Some(0.5),
    };
    Body::AssetDeclared(AssetDeclared {
        manufacturer: "ACME".into(),
        model: model.into(),
        serial: "1".into(),
        items: vec![item],
    })
}

/// A body out of few aspects and few values, so that events often meet. `kind` decides the aspect
/// (and a batch of samples may set fewer or more), `value` the rest.
pub(crate) fn body(kind: usize, value: usize) -> Body<'static> {
    let pick = |words: [&'static str; 3]| words[value % 3];
    match kind % KINDS {
        0 | 1 => state(State::ALL[1 + value % 13]),
        2 => mode(Vocabulary::PackmlMode, Mode::ALL[1 + value % 8]),
        3 => mode(
            Vocabulary::MtconnectControllerMode,
            Mode::ALL[1 + value % 8],
        ),
        4 => connection(Connection::ALL[1 + value % 3]),
        5 => condition("temp", "", ConditionLevel::ALL[1 + value % 4]),
        6 => condition("temp", "42", ConditionLevel::ALL[1 + value % 3]),
        7 => raised("a", 1 + value as u32),
        8 => acknowledged("a", 1 + (value % 2) as u64),
        9 => cleared("a"),
        10 => counter("good", value as u64),
        11 | 12 => samples([&["x"][..], &["y"], &["x", "y"]][value % 3], value as f64),
        13 => item("note", [None, Some(""), Some("hello")][value % 3]),
        14 => program("", Some(pick(["p1", "p2", "p3"]))),
        15 => turned("feed", Some(value as f64)),
        16 => tool("", Some(pick(["t1", "t2", "t3"]))),
        17 => declared(pick(["m1", "m2", "m3"])),
        fact => facts::body(fact - SLOTTED, value),
    }
}

/// The kinds that have forms of their own in the twin.
pub(crate) const SLOTTED: usize = 18;
pub(crate) const KINDS: usize = SLOTTED + facts::KINDS;

pub(crate) fn any_kind() -> impl Strategy<Value = usize> {
    0..KINDS
}

#[test]
fn the_pool_has_every_kind_that_sets_an_aspect() {
    let mut missing: std::collections::BTreeSet<AspectKind> =
        AspectKind::ALL.iter().copied().skip(1).collect();
    for kind in 0..KINDS {
        for value in 0..12 {
            let body = body(kind, value);
            let stored = body.any_protected(&|field| field.key != 0);
            assert!(body.validate().is_ok() || stored, "{body:?}");
            body.for_each_aspect(&mut |aspect| {
                missing.remove(&aspect.kind);
            });
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
