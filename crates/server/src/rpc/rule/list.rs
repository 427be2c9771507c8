//! Which rules apply, and what is raised, at any instant.

use crate::context::{Context, answer};
use crate::error;
use crate::group::{Group, Member};
use crate::page::size;
use crate::view::found::{message, name_of, said};
use crate::view::twin as view;
use crate::view::unsigned;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::{Response, Status};
use werkbuch_engine::{EngineError, Plant, RuleBook, Ruled};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_wire::name;
use werkbuch_wire::pb::{
    AppliedRule, ListRaisedRulesRequest, ListRaisedRulesResponse, ListRulesRequest,
    ListRulesResponse, RaisedRule,
};
use werkbuch_wire::reason::Reason;

/// The rules that apply. Errors: `UNKNOWN_RULE` for a name that none of them has, those of the instant.
pub(super) async fn rules(
    context: &Context,
    request: ListRulesRequest,
) -> Result<Response<ListRulesResponse>, Status> {
    let group = context
        .group(&request.parent, request.instant.as_ref())
        .await?;
    let cut = group.message();
    let plants = plants(context, &group)?;
    let ruled = context.blocking(move || ruled(group, &plants)).await?;
    check_names(&ruled, &request.rules)?;
    let mut rules = Vec::new();
    for (member, ruled) in &ruled {
        let mut raised: BTreeMap<&str, usize> = BTreeMap::new();
        for (rule, _) in ruled.raised.keys() {
            *raised.entry(rule).or_default() += 1;
        }
        let wanted =
            |name: &str| request.rules.is_empty() || request.rules.iter().any(|one| one == name);
        for rule in ruled.rules.iter().filter(|rule| wanted(&rule.rule)) {
            let mut revisions = ruled.revisions.iter();
            let since = revisions.find(|one| one.revision == rule.since_revision);
            rules.push(AppliedRule {
                plant: name::of_plant(member.twin.plant().as_str()),
                rule: rule.rule.to_string(),
                raise: rule.raise.to_string(),
                hold_ns: rule.hold_ns,
                clear: rule.clear.to_string(),
                clear_hold_ns: rule.clear_hold_ns,
                severity: rule.severity,
                message: rule.text.to_string(),
                applied_at: since.map_or(0, |one| one.recorded_at.nanos()),
                position: since.map_or(0, |one| one.position.get()),
                revision: ruled.since.map_or(0, |one| one.revision),
                why: ruled.why.clone(),
                raised: unsigned(raised.get(&*rule.rule).copied().unwrap_or(0)),
            });
        }
    }
    answer(ListRulesResponse {
        rules,
        cut: Some(cut),
    })
}

/// What is raised. Errors: `UNKNOWN_RULE`, `UNKNOWN_MACHINE`, those of the instant.
pub(super) async fn raised(
    context: &Context,
    request: ListRaisedRulesRequest,
) -> Result<Response<ListRaisedRulesResponse>, Status> {
    let most = size(request.limit, 1_000, 10_000)?;
    let group = context
        .group(&request.parent, request.instant.as_ref())
        .await?;
    let cut = group.message();
    let plants = plants(context, &group)?;
    // What was recorded of a time before a rule applied is said as the rule is now.
    let books: Vec<Arc<RuleBook>> = plants.iter().map(Plant::rules).collect();
    let ruled = context.blocking(move || ruled(group, &plants)).await?;
    check_names(&ruled, &request.rules)?;
    let only = machines(&ruled, &request.machine)?;
    let mut found = Vec::new();
    for (at, (member, ruled)) in ruled.iter().enumerate() {
        for ((rule, machine), raised) in &ruled.raised {
            let is_wanted = (request.rules.is_empty()
                || request.rules.iter().any(|one| **one == **rule))
                && raised.severity >= request.severity
                && only
                    .as_ref()
                    .is_none_or(|only| only.get(&at) == Some(machine));
            if is_wanted {
                let book = books.get(at).map_or(&[][..], |book| book.rules());
                let text = said(ruled.rules.iter().chain(book), rule);
                let name = name_of(&member.twin, *machine);
                found.push(message(name, *machine, text, (rule, raised)));
            }
        }
    }
    found.sort_by(|a, b| {
        let of = |one: &RaisedRule| (Reverse(one.severity), one.at);
        of(a)
            .cmp(&of(b))
            .then_with(|| (&a.machine, &a.rule).cmp(&(&b.machine, &b.rule)))
    });
    let total_size = unsigned(found.len());
    found.truncate(most);
    answer(ListRaisedRulesResponse {
        raised: found,
        total_size,
        cut: Some(cut),
    })
}

fn plants(context: &Context, group: &Group) -> Result<Vec<Plant>, Status> {
    let members = group.members.iter();
    let plants = members.map(|member| context.plant_of(member.twin.plant()));
    plants.collect()
}

/// The rules of each plant of a group, as it stood. Blocking.
fn ruled(group: Group, plants: &[Plant]) -> Result<Vec<(Member, Ruled)>, EngineError> {
    let members = group.members.into_iter().zip(plants);
    members
        .map(|(member, plant)| {
            let ruled = plant.rules_at(member.twin.position(), member.twin.scope().at)?;
            Ok((member, ruled))
        })
        .collect()
}

/// Errors: `UNKNOWN_RULE` for a name that no rule has.
fn check_names(ruled: &[(Member, Ruled)], names: &[String]) -> Result<(), Status> {
    let all = || {
        ruled.iter().flat_map(|(_, ruled)| {
            let rules = ruled.rules.iter().map(|rule| &*rule.rule);
            rules.chain(ruled.raised.keys().map(|(rule, _)| &**rule))
        })
    };
    match names.iter().find(|name| !all().any(|one| one == *name)) {
        None => Ok(()),
        Some(other) => {
            let near =
                did_you_mean(other, all()).map_or_else(String::new, |near| format!("; {near}"));
            let text = format!("no rule \"{}\" applies then{near}", error::short(other));
            Err(Reason::UnknownRule.status(text))
        }
    }
}

/// The machine that is asked for, by the place of its plant; nothing when none is.
fn machines(
    ruled: &[(Member, Ruled)],
    machine: &str,
) -> Result<Option<BTreeMap<usize, MachineNumber>>, Status> {
    if machine.is_empty() {
        return Ok(None);
    }
    let members = ruled.iter().enumerate();
    let found: BTreeMap<usize, MachineNumber> = members
        .filter_map(|(at, (member, _))| Some((at, view::find(&member.twin, machine)?)))
        .collect();
    match (found.is_empty(), ruled.first()) {
        (true, Some((member, _))) => Err(error::unknown_machine(&member.twin, machine)),
        _ => Ok(Some(found)),
    }
}
