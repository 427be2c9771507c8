//! The service of rules: which apply and what they raise, and what they would have raised in the past.

mod apply;
mod list;
mod named;
mod tried;

use super::Rules as Service;
use super::find;
use crate::context::Context;
use crate::error;
use crate::outbound::{Outbound, outbound};
use crate::sweep::{End, Gauge, work};
use crate::view::fields::MACHINE_FIELDS;
use crate::view::{code, unsigned};
use find::Part;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use tried::{Told, Trying};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::rule::{Rule, parse};
use werkbuch_wire::name;
use werkbuch_wire::pb::rule_service_server::RuleService;
use werkbuch_wire::pb::{
    ApplyRulesRequest, ApplyRulesResponse, FindHead, FindProgress, ListRaisedRulesRequest,
    ListRaisedRulesResponse, ListRulesRequest, ListRulesResponse, RuleSum, RuleTurn,
    TestRulesRequest, TestRulesResponse,
};
use werkbuch_wire::reason::Reason;

/// How long before the window rules begin to be followed, unless asked otherwise: a day, in nanoseconds.
const LEAD_NS: u64 = 86_400 * 1_000_000_000;

#[tonic::async_trait]
impl RuleService for Service {
    type TestRulesStream = BoxStream<TestRulesResponse>;

    async fn apply_rules(
        &self,
        request: Request<ApplyRulesRequest>,
    ) -> Result<Response<ApplyRulesResponse>, Status> {
        apply::apply(&self.0, request.into_inner()).await
    }

    async fn list_rules(
        &self,
        request: Request<ListRulesRequest>,
    ) -> Result<Response<ListRulesResponse>, Status> {
        list::rules(&self.0, request.into_inner()).await
    }

    async fn list_raised_rules(
        &self,
        request: Request<ListRaisedRulesRequest>,
    ) -> Result<Response<ListRaisedRulesResponse>, Status> {
        list::raised(&self.0, request.into_inner()).await
    }

    async fn test_rules(
        &self,
        request: Request<TestRulesRequest>,
    ) -> Result<Response<BoxStream<TestRulesResponse>>, Status> {
        let request = request.into_inner();
        let rules = parse(&request.content, &request.file_name, &MACHINE_FIELDS);
        let rules = rules.map_err(|mistakes| error::rule_file(&mistakes))?;
        let rules = chosen(rules, &request.rules)?;
        let window = (request.from_time, request.to_time);
        let asked = (request.parent.as_str(), request.instant.as_ref());
        let (head, parts) = find::parts(&self.0, asked, window).await?;
        let longest = rules
            .iter()
            .map(|rule| rule.hold_ns.max(rule.clear_hold_ns));
        let lead = request.lead_ns.unwrap_or(LEAD_NS);
        let testing = Testing {
            context: Arc::clone(&self.0),
            sums: vec![Sum::default(); rules.len()],
            lead_ns: longest.fold(lead, u64::max),
            warnings: named::warnings(&rules, parts.iter().map(|part| &part.twin)),
            rules: Arc::new(rules),
            head,
            events_total: 0,
            plants: parts.len(),
            begun: 0,
            plant: String::new(),
            gauge: Arc::default(),
        };
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        tokio::spawn(testing.run(parts, out));
        Ok(Response::new(answers))
    }
}

/// The rules of these names, in the order of the file; all of them where none is named.
/// Errors: `INVALID_REQUEST` for a name that no rule has.
fn chosen(mut rules: Vec<Rule>, names: &[String]) -> Result<Vec<Rule>, Status> {
    let all = || rules.iter().map(|rule| rule.id.as_str());
    if let Some(other) = names.iter().find(|name| !all().any(|one| one == *name)) {
        let near = did_you_mean(other, all());
        let near = near.map_or_else(String::new, |near| format!(", {near}"));
        let text = format!("the file has no rule \"{other}\"{near}");
        let field = ("rules".to_owned(), text.clone());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    rules.retain(|rule| names.is_empty() || names.iter().any(|name| name == rule.id.as_str()));
    Ok(rules)
}

/// A test on its way.
struct Testing {
    context: Arc<Context>,
    rules: Arc<Vec<Rule>>,
    lead_ns: u64,
    head: FindHead,
    warnings: Vec<String>,
    sums: Vec<Sum>,
    gauge: Arc<Gauge>,
    events_total: u64,
    plants: usize,
    /// The plants that were begun.
    begun: usize,
    plant: String,
}

/// What a rule came to.
#[derive(Clone, Debug, Default)]
struct Sum {
    raised: u32,
    cleared: u32,
    machines: BTreeSet<(usize, MachineNumber)>,
    standing: BTreeSet<(usize, MachineNumber)>,
}

type Out = Outbound<TestRulesResponse>;

impl Testing {
    async fn run(mut self, parts: Vec<Part>, out: Out) {
        let gauge = Arc::clone(&self.gauge);
        let ended = self.test(parts, &out).await;
        // What still runs in a thread gives up.
        gauge.stop();
        match ended {
            Ok(()) => {}
            Err(End::Status(status)) => out.end(status),
            Err(End::Reader(ended)) => out.give_up(&ended),
        }
    }

    async fn test(&mut self, parts: Vec<Part>, out: &Out) -> Result<(), End> {
        let first = TestRulesResponse {
            head: Some(self.head.clone()),
            warnings: std::mem::take(&mut self.warnings),
            ..TestRulesResponse::default()
        };
        out.send(first).await?;
        let (of, lead) = (parts.clone(), self.lead_ns);
        let survey = move || Trying::survey(&of, lead);
        self.events_total = work(&self.context, out, survey, || self.tell()).await?;
        for part in parts {
            self.plant = name::of_plant(part.plant.id().as_str());
            self.begun += 1;
            let (rules, gauge) = (Arc::clone(&self.rules), Arc::clone(&self.gauge));
            let mut trying = Trying::new(part.clone(), self.lead_ns, rules, gauge);
            while !trying.is_done() {
                let step = move || {
                    let told = trying.step()?;
                    Ok((trying, told))
                };
                let told;
                (trying, told) = work(&self.context, out, step, || self.tell()).await?;
                for some in told.chunks(crate::limits::FOUND_PART) {
                    let turns = some
                        .iter()
                        .filter_map(|one| self.turn(&part, one))
                        .collect();
                    let message = TestRulesResponse {
                        turns,
                        ..self.tell()
                    };
                    out.send(message).await?;
                }
            }
        }
        let last = TestRulesResponse {
            sums: self.rules.iter().zip(&self.sums).map(sum).collect(),
            progress: Some(FindProgress {
                plants_done: unsigned(self.plants),
                ..self.progress()
            }),
            ..TestRulesResponse::default()
        };
        Ok(out.send(last).await?)
    }

    /// Counts what is told, and says it.
    fn turn(&mut self, of: &Part, told: &Told) -> Option<RuleTurn> {
        let Told { found, before } = told;
        let rule = self.rules.get(found.rule)?;
        let sum = self.sums.get_mut(found.rule)?;
        let key = (self.begun, found.machine);
        let why = found.turn.raised.as_ref();
        if why.is_some() {
            sum.raised = sum.raised.saturating_add(1);
            sum.standing.insert(key);
        } else {
            sum.cleared = sum.cleared.saturating_add(1);
            sum.standing.remove(&key);
        }
        sum.machines.insert(key);
        let (state, reason, position) = why.map_or((0, "", 0), |why| {
            (code(why.state.code()), &*why.reason, why.position.get())
        });
        Some(RuleTurn {
            rule: rule.id.as_str().to_owned(),
            machine: of.name_of(found.machine),
            number: found.machine.get(),
            raised: why.is_some(),
            at: found.turn.at.nanos(),
            since: found.turn.since.nanos(),
            before: *before,
            state,
            reason: reason.to_owned(),
            position,
            severity: rule.severity,
            message: rule.message.clone(),
        })
    }

    fn tell(&self) -> TestRulesResponse {
        TestRulesResponse {
            progress: Some(self.progress()),
            ..TestRulesResponse::default()
        }
    }

    fn progress(&self) -> FindProgress {
        let reached = self.gauge.reached().nanos();
        let found = self.sums.iter().map(|sum| u64::from(sum.raised));
        FindProgress {
            plant: self.plant.clone(),
            reached_time: reached,
            events_read: self.gauge.events(),
            events_total: self.events_total,
            plants_done: unsigned(self.begun.saturating_sub(1)),
            plants_total: unsigned(self.plants),
            found: found.sum(),
            looking_back: reached != 0 && reached < self.head.from_time,
        }
    }
}

fn sum((rule, sum): (&Rule, &Sum)) -> RuleSum {
    RuleSum {
        rule: rule.id.as_str().to_owned(),
        raised: sum.raised,
        cleared: sum.cleared,
        machines: unsigned(sum.machines.len()),
        standing: unsigned(sum.standing.len()),
    }
}
