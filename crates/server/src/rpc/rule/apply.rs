//! Says which rules apply to plants from now on.

use super::named;
use crate::context::{Context, answer};
use crate::error;
use crate::rules::kept;
use crate::view::fields::MACHINE_FIELDS;
use sha2::{Digest, Sha256};
use tonic::{Response, Status};
use werkbuch_engine::{ChangeRules, ChangedRules, Plant, RuleSet};
use werkbuch_model::rule::{Rule, parse};
use werkbuch_twin::Twin;
use werkbuch_wire::name;
use werkbuch_wire::pb::{AppliedRules, ApplyRulesRequest, ApplyRulesResponse};
use werkbuch_wire::reason::Reason;

/// The longest reason, in bytes: with the rules of a part it fits an event.
const WHY_BYTES_MAX: usize = 2 * 1024;

/// Changes which rules apply to the plants of a request.
/// Errors: those of the file, of the plant when it is one, and of writing.
pub(super) async fn apply(
    context: &Context,
    request: ApplyRulesRequest,
) -> Result<Response<ApplyRulesResponse>, Status> {
    let (rules, set) = wanted(&request)?;
    if request.why.len() > WHY_BYTES_MAX || request.who.len() > WHY_BYTES_MAX {
        let text = format!("who and why have at most {WHY_BYTES_MAX} bytes");
        return Err(Reason::InvalidRequest.violations(text.clone(), [("why".to_owned(), text)]));
    }
    let change = ChangeRules {
        file_hash: match set {
            RuleSet::These(_) => Sha256::digest(request.content.as_bytes()).to_vec(),
            RuleSet::Without(_) => Vec::new(),
        },
        set,
        dry_run: request.validate_only,
        who: request.who,
        why: request.why,
    };
    let (plants, one) = match name::plant_or_all(&request.parent)? {
        Some(id) => (vec![context.plant_of(&id)?], true),
        None => (context.engine.plants(), false),
    };
    let mut twins = Vec::new();
    for plant in &plants {
        if !rules.is_empty() {
            twins.push(context.glance(plant, Twin::clone).await?);
        }
    }
    let warn = move || Ok(named::warnings(&rules, twins.iter()));
    let warnings = context.blocking(warn).await?;
    let mut applied = Vec::with_capacity(plants.len());
    for plant in &plants {
        match plant.change_rules(change.clone()).await {
            Ok(changed) => applied.push(message(changed)),
            Err(error) if one => return Err(error::status(error)),
            // What was done in other plants is done: each tells for itself.
            Err(error) => applied.push(failed(plant, &error::status(error))),
        }
    }
    if !one {
        applied.extend(context.engine.recovering().iter().map(|late| AppliedRules {
            plant: name::of_plant(late.plant.as_str()),
            error:
                "it is being folded from its log since the server started; apply again".to_owned(),
            ..AppliedRules::default()
        }));
    }
    answer(ApplyRulesResponse {
        plants: applied,
        warnings,
    })
}

fn wanted(request: &ApplyRulesRequest) -> Result<(Vec<Rule>, RuleSet), Status> {
    if request.remove.is_empty() {
        let rules = parse(&request.content, &request.file_name, &MACHINE_FIELDS);
        let rules = rules.map_err(|mistakes| error::rule_file(&mistakes))?;
        let set = RuleSet::These(rules.iter().map(kept).collect());
        return Ok((rules, set));
    }
    if !request.content.is_empty() {
        let text = "give a file or rules to remove, not both";
        let field = ("remove".to_owned(), text.to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    Ok((Vec::new(), RuleSet::Without(request.remove.clone())))
}

fn message(changed: ChangedRules) -> AppliedRules {
    AppliedRules {
        plant: name::of_plant(changed.plant.as_str()),
        recorded: changed.recorded,
        revision: changed.revision,
        changes: changed.changes,
        rules: changed.rules,
        withdrawn: changed.withdrawn,
        position: changed.position.get(),
        error: String::new(),
    }
}

fn failed(plant: &Plant, status: &Status) -> AppliedRules {
    AppliedRules {
        plant: name::of_plant(plant.id().as_str()),
        error: status.message().to_owned(),
        ..AppliedRules::default()
    }
}
