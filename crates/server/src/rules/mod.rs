//! The rules that apply, followed live: what they raise and clear is recorded in the log of their plant.
//!
//! For each plant that has rules, one task folds a twin of its own along the log, away from the writer, and
//! looks at the machines that events touch. What follows from that is a function of the log, but for how far
//! plant time has gone: so after a start it is found again from the log, and what is recorded there already
//! is not recorded again.

mod found;
mod latches;
mod live;
mod meter;
mod run;

pub(crate) use latches::{Key, Latches, Turned};
pub(crate) use meter::RuleMeter;
pub(crate) use run::follow_all;

use crate::view::fields::MACHINE_FIELDS;
use crate::view::row::MachineRow;
use werkbuch_engine::KeptRule;
use werkbuch_model::filter::{Filter, FilterError};
use werkbuch_model::id::ElementId;
use werkbuch_model::rule::Rule;
use werkbuch_twin::course::Terms;

/// How long conditions of a rule must hold.
pub(crate) fn terms(rule: &Rule) -> Terms {
    Terms {
        hold_ns: rule.hold_ns,
        clear_hold_ns: rule.clear_hold_ns,
    }
}

/// Whether what raises a rule holds of a machine, and whether what clears it does. Of a machine that is gone
/// nothing is raised.
pub(crate) fn judge(rule: &Rule, row: Option<&MachineRow<'_>>) -> (bool, bool) {
    let raises = row.is_some_and(|row| rule.raise.matches(row));
    let clears = match (&rule.clear, row) {
        (Some(clear), Some(row)) => clear.matches(row),
        _ => !raises,
    };
    (raises, clears)
}

/// A rule as it was read from a file.
pub(crate) fn kept(rule: &Rule) -> KeptRule {
    KeptRule {
        rule: rule.id.as_str().into(),
        raise: rule.raise_text.as_str().into(),
        hold_ns: rule.hold_ns,
        clear: rule.clear_text.as_str().into(),
        clear_hold_ns: rule.clear_hold_ns,
        severity: rule.severity,
        text: rule.message.as_str().into(),
        since_revision: 0,
    }
}

/// A rule as it was recorded, read again.
/// Errors: a sentence that says why it means nothing to this build.
pub(crate) fn read(kept: &KeptRule) -> Result<Rule, String> {
    let filter = |text: &str| {
        Filter::parse(text, &MACHINE_FIELDS).map_err(|error: FilterError| error.to_string())
    };
    let clear = match &*kept.clear {
        "" => None,
        text => Some(filter(text)?),
    };
    Ok(Rule {
        id: ElementId::new(&*kept.rule).map_err(|error| error.to_string())?,
        raise: filter(&kept.raise)?,
        raise_text: kept.raise.to_string(),
        hold_ns: kept.hold_ns,
        clear,
        clear_text: kept.clear.to_string(),
        clear_hold_ns: kept.clear_hold_ns,
        severity: kept.severity,
        message: kept.text.to_string(),
    })
}
