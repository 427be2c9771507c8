//! Takes events apart into the contents of the aspects that they set.

use crate::fact;
use crate::packed::Packer;
use crate::symbol::{Symbol, Symbols};
use crate::value::*;
use std::sync::Arc;
use werkbuch_model::event::{
    AlarmRaised, Aspect, AssetDeclared, Body, PartProduced, ProgramChanged, Protected, SampleItem,
    SampleReported, ToolChanged,
};

/// Writes down what is kept of one aspect, once it is known that it is needed. False when the event
/// says nothing that a slot keeps; what was written means nothing then.
pub(crate) type Make<'m> = &'m dyn Fn(&mut Interner<'_>, &mut Vec<u8>) -> bool;

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

/// Calls `f` with each aspect that the body sets and what writes down the content of it.
pub(crate) fn for_each(body: &Body<'_>, f: &mut dyn FnMut(Aspect<'_>, Make<'_>)) {
    let Body::SampleReported(batch) = body else {
        return body.for_each_aspect(&mut |aspect| {
            f(aspect, &|texts, out| {
                let Some(value) = value(body, texts) else {
                    // The newer kinds are kept as packed fields; the others set no aspect.
                    begin_fact(&mut Packer(out));
                    return fact::pack_to(body, &aspect, out);
                };
                value.pack(&mut Packer(out));
                true
            });
        });
    };
    let mut items = batch.items.iter();
    body.for_each_aspect(&mut |aspect| {
        if let Some(item) = items.next() {
            f(aspect, &|texts, out| {
                sample(batch, item, texts).pack(&mut Packer(out));
                true
            });
        }
    });
}

/// What a kind with a form of its own says; absent for the others.
fn value<'b>(body: &'b Body<'_>, texts: &mut Interner<'_>) -> Option<SlotValue<'b>> {
    Some(match body {
        Body::AssetDeclared(said) => declaration(said, texts),
        Body::ConnectionChanged(said) => SlotValue::Connection {
            to: said.to,
            cause: &said.cause,
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
        Body::AlarmAcknowledged(said) => SlotValue::AlarmAcknowledge {
            who: protected(&said.who),
            comment: protected(&said.comment),
        },
        Body::AlarmCleared(said) => SlotValue::AlarmClear {
            duration_ms: said.duration_ms,
        },
        Body::ConditionChanged(said) => SlotValue::Condition {
            level: said.level,
            qualifier: said.qualifier,
            severity: texts.symbol(&said.native_severity),
            text: &said.text,
        },
        Body::ToolChanged(said) => tool(said),
        Body::OverrideChanged(said) => SlotValue::Override {
            what: said.what,
            percent: said.percent,
        },
        Body::ItemChanged(said) => SlotValue::Item {
            text: said.text.as_deref(),
        },
        _ => return None,
    })
}

fn declaration<'b>(said: &'b AssetDeclared<'_>, texts: &mut Interner<'_>) -> SlotValue<'b> {
    let items = said.items.iter().map(|item| DeclaredItemValue {
        id: texts.symbol(&item.id),
        item_type: texts.symbol(&item.item_type),
        unit: texts.symbol(&item.unit),
        category: item.category,
        deadband: item.deadband,
    });
    SlotValue::Declaration(DeclarationValue {
        items: items.collect(),
        manufacturer: &said.manufacturer,
        model: &said.model,
        serial: &said.serial,
    })
}

fn program<'b>(said: &'b ProgramChanged<'_>) -> SlotValue<'b> {
    SlotValue::Program(ProgramValue {
        program: said.program.as_deref(),
        revision: &said.revision,
        block: &said.block,
    })
}

fn part<'b>(said: &'b PartProduced<'_>, texts: &mut Interner<'_>) -> SlotValue<'b> {
    SlotValue::Part(PartValue {
        value: said.value,
        modulus: said.modulus,
        reset_epoch: said.reset_epoch,
        part_type: texts.symbol(&said.part_type),
        part: &said.part,
        meaning: said.meaning,
    })
}

fn alarm<'b>(said: &'b AlarmRaised<'_>, texts: &mut Interner<'_>) -> SlotValue<'b> {
    SlotValue::AlarmRaise(AlarmValue {
        text: &said.text,
        code: texts.symbol(&said.code),
        native: texts.symbol(&said.native),
        severity: said.severity,
    })
}

fn protected<'b>(said: &'b Protected<'_>) -> ProtectedValue<'b> {
    ProtectedValue {
        present: !said.is_empty(),
        key: said.key,
        ciphertext: &said.ciphertext,
    }
}

fn tool<'b>(said: &'b ToolChanged<'_>) -> SlotValue<'b> {
    SlotValue::Tool(ToolValue {
        tool: said.tool.as_deref(),
        life_used: said.life_used,
        life_limit: said.life_limit,
        life_unit: said.life_unit,
    })
}

fn sample<'b>(
    batch: &SampleReported<'_>,
    said: &SampleItem<'_>,
    texts: &mut Interner<'_>,
) -> SlotValue<'b> {
    SlotValue::Sample(SampleValue {
        period_start_ns: batch.period_start.nanos(),
        period_ms: batch.period_ms,
        n: said.n,
        unavailable: said.unavailable,
        min: said.min,
        max: said.max,
        mean: said.mean,
        last: said.last,
        unit: texts.symbol(&said.unit),
    })
}
