//! Takes events apart into the contents of the aspects that they set.

use crate::fact;
use crate::program::ProgramValue;
use crate::symbol::{Symbol, Symbols};
use crate::value::*;
use std::sync::Arc;
use werkbuch_model::event::{
    AlarmAcknowledged, AlarmRaised, Aspect, AssetDeclared, Body, PartProduced, ProgramChanged,
    Protected, SampleItem, SampleReported, ToolChanged,
};

/// Makes the value of one aspect, once it is known that it is needed. What held before is given, and
/// where it only differs in numbers it is changed in its place; then there is no new one.
pub(crate) type Make<'m> = &'m dyn Fn(&mut Interner<'_>, Option<&mut SlotValue>) -> Made;

/// What became of a value.
#[derive(Debug)]
pub(crate) enum Made {
    /// It is to be put into the slot.
    New(SlotValue),
    /// It lies in the slot already.
    InPlace,
    /// The event says nothing that a slot keeps.
    Nothing,
}

/// The table of texts as the fold uses it: shared with forks until a new text comes.
#[derive(Debug)]
pub(crate) struct Interner<'t>(pub(crate) &'t mut Arc<Symbols>);

impl Interner<'_> {
    /// The symbol of a text, which is put into the table when it is new.
    pub(crate) fn symbol(&mut self, text: &str) -> Symbol {
        match self.0.find(text) {
            Some(symbol) => symbol,
            None => Arc::make_mut(self.0).add(text),
        }
    }
}

/// Calls `f` with each aspect that the body sets and what makes the value of it.
pub(crate) fn for_each(body: &Body<'_>, f: &mut dyn FnMut(Aspect<'_>, Make<'_>)) {
    let Body::SampleReported(batch) = body else {
        return body.for_each_aspect(&mut |aspect| {
            f(aspect, &|texts, held| {
                if held.is_some_and(|held| renew(body, held, texts)) {
                    return Made::InPlace;
                }
                value(body, &aspect, texts).map_or(Made::Nothing, Made::New)
            });
        });
    };
    let mut items = batch.items.iter();
    body.for_each_aspect(&mut |aspect| {
        if let Some(item) = items.next() {
            f(aspect, &|texts, _| Made::New(sample(batch, item, texts)));
        }
    });
}

/// Changes the value that holds into what is said now, where that takes no new memory: counters and
/// conditions mostly say the same words again. False where it has to be made anew.
fn renew(body: &Body<'_>, held: &mut SlotValue, texts: &mut Interner<'_>) -> bool {
    match (body, held) {
        (Body::PartProduced(said), SlotValue::Part(held)) if *held.part == *said.part => {
            held.value = said.value;
            held.modulus = said.modulus;
            held.reset_epoch = said.reset_epoch;
            held.part_type = texts.symbol(&said.part_type);
            held.meaning = said.meaning;
        }
        (Body::AlarmRaised(said), SlotValue::AlarmRaise(held)) if *held.text == *said.text => {
            held.code = texts.symbol(&said.code);
            held.native = texts.symbol(&said.native);
            held.severity = said.severity;
        }
        (
            Body::ConditionChanged(said),
            SlotValue::Condition {
                level,
                qualifier,
                severity,
                text,
            },
        ) if **text == *said.text => {
            *level = said.level;
            *qualifier = said.qualifier;
            *severity = texts.symbol(&said.native_severity);
        }
        _ => return false,
    }
    true
}

fn value(body: &Body<'_>, aspect: &Aspect<'_>, texts: &mut Interner<'_>) -> Option<SlotValue> {
    Some(match body {
        Body::AssetDeclared(said) => declaration(said, texts),
        Body::ConnectionChanged(said) => SlotValue::Connection {
            to: said.to,
            cause: boxed(&said.cause),
        },
        Body::StateChanged(said) => SlotValue::State {
            to: said.to,
            from: said.from,
            vocabulary: said.vocabulary,
            native: texts.symbol(&said.native),
            reason: texts.symbol(&said.reason),
        },
        Body::ModeChanged(said) => SlotValue::Mode {
            to: said.to,
            vocabulary: said.vocabulary,
            native: texts.symbol(&said.native),
        },
        Body::ProgramChanged(said) => program(said),
        Body::PartProduced(said) => part(said, texts),
        Body::AlarmRaised(said) => alarm(said, texts),
        Body::AlarmAcknowledged(said) => acknowledge(said),
        Body::AlarmCleared(said) => SlotValue::AlarmClear {
            duration_ms: said.duration_ms,
        },
        Body::ConditionChanged(said) => SlotValue::Condition {
            level: said.level,
            qualifier: said.qualifier,
            severity: texts.symbol(&said.native_severity),
            text: boxed(&said.text),
        },
        Body::ToolChanged(said) => tool(said),
        Body::OverrideChanged(said) => SlotValue::Override {
            what: said.what,
            percent: said.percent,
        },
        Body::ItemChanged(said) => SlotValue::Item {
            text: said.text.as_deref().map(boxed),
        },
        // The newer kinds are kept as packed fields; the others set no aspect.
        other => SlotValue::Fact(fact::pack(other, aspect)?),
    })
}

fn boxed(text: &str) -> Box<str> {
    text.into()
}

fn declaration(said: &AssetDeclared<'_>, texts: &mut Interner<'_>) -> SlotValue {
    let items = said.items.iter().map(|item| DeclaredItemValue {
        id: texts.symbol(&item.id),
        item_type: texts.symbol(&item.item_type),
        unit: texts.symbol(&item.unit),
        category: item.category,
        deadband: item.deadband,
    });
    SlotValue::Declaration(Box::new(DeclarationValue {
        items: items.collect(),
        manufacturer: boxed(&said.manufacturer),
        model: boxed(&said.model),
        serial: boxed(&said.serial),
    }))
}

fn program(said: &ProgramChanged<'_>) -> SlotValue {
    SlotValue::Program(ProgramValue::new(
        said.program.as_deref(),
        &said.revision,
        &said.block,
    ))
}

fn part(said: &PartProduced<'_>, texts: &mut Interner<'_>) -> SlotValue {
    SlotValue::Part(Box::new(PartValue {
        value: said.value,
        modulus: said.modulus,
        reset_epoch: said.reset_epoch,
        part_type: texts.symbol(&said.part_type),
        part: boxed(&said.part),
        meaning: said.meaning,
    }))
}

fn alarm(said: &AlarmRaised<'_>, texts: &mut Interner<'_>) -> SlotValue {
    SlotValue::AlarmRaise(Box::new(AlarmValue {
        text: boxed(&said.text),
        code: texts.symbol(&said.code),
        native: texts.symbol(&said.native),
        severity: said.severity,
    }))
}

fn acknowledge(said: &AlarmAcknowledged<'_>) -> SlotValue {
    SlotValue::AlarmAcknowledge(Box::new(AcknowledgeValue {
        who: protected(&said.who),
        comment: protected(&said.comment),
    }))
}

fn protected(said: &Protected<'_>) -> ProtectedValue {
    ProtectedValue {
        present: !said.is_empty(),
        key: said.key,
        ciphertext: said.ciphertext.as_ref().into(),
    }
}

fn tool(said: &ToolChanged<'_>) -> SlotValue {
    SlotValue::Tool(Box::new(ToolValue {
        tool: said.tool.as_deref().map(boxed),
        life_used: said.life_used,
        life_limit: said.life_limit,
        life_unit: said.life_unit,
    }))
}

fn sample(
    batch: &SampleReported<'_>,
    said: &SampleItem<'_>,
    texts: &mut Interner<'_>,
) -> SlotValue {
    SlotValue::Sample(Box::new(SampleValue {
        period_start_ns: batch.period_start.nanos(),
        period_ms: batch.period_ms,
        n: said.n,
        unavailable: said.unavailable,
        min: said.min,
        max: said.max,
        mean: said.mean,
        last: said.last,
        unit: texts.symbol(&said.unit),
    }))
}
