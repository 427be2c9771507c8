//! The kinds of questions, and what each needs.

use super::needs::Needs;
use super::{Answerable, Missing, Question};
use crate::event::PartMeaning;
use crate::plant::authority::in_class;
use crate::plant::description::Description;
use crate::plant::spec::*;
use std::collections::BTreeSet;

/// What a question lacks: what it cannot do without, then what makes it better.
type Lacks = Vec<Option<Missing>>;

/// A question: its name, what it asks, what it lacks.
type Asked = (&'static str, &'static str, fn(&Needs<'_>) -> Lacks);

const QUESTIONS: &[Asked] = &[
    ("state", "What does each machine do?", state),
    (
        "starved-blocked",
        "Why does it wait: starved or blocked?",
        starved_blocked,
    ),
    ("stops-together", "What stops with it?", stops_together),
    (
        "parts-located",
        "Where is each part, how much is in process?",
        parts_located,
    ),
    (
        "output-of-lines",
        "What did each line make, good and in all?",
        output_of_lines,
    ),
    (
        "oee-of-machines",
        "How effective is each machine?",
        oee_of_machines,
    ),
    ("oee-of-lines", "How effective is each line?", oee_of_lines),
    ("shift-figures", "What did each shift make?", shift_figures),
    (
        "micro-stops",
        "How much is lost in short stops?",
        micro_stops,
    ),
    (
        "first-pass-yield",
        "What passes without rework?",
        first_pass_yield,
    ),
    (
        "energy-per-part",
        "How much energy does a part take?",
        energy_per_part,
    ),
    (
        "time-to-starve",
        "When does a station run out of parts?",
        time_to_starve,
    ),
    (
        "shortages",
        "Which material will be short, and when?",
        shortages,
    ),
    (
        "what-if-throughput",
        "What if a machine were faster or failed less?",
        throughput,
    ),
    ("what-if-buffers", "What if a buffer were larger?", buffers),
    (
        "what-if-products",
        "What if the mix of products changed?",
        products,
    ),
    (
        "what-if-setups",
        "What if the sequence had fewer set-ups?",
        setups,
    ),
    (
        "what-if-crews",
        "What if there were more or fewer people?",
        crews,
    ),
    (
        "what-if-carriers",
        "What if there were more carriers?",
        carriers,
    ),
    (
        "what-if-shifts",
        "What if shifts or breaks were moved?",
        shifts,
    ),
];

/// All questions with their answers.
pub(super) fn all(description: &Description) -> Vec<Question> {
    let needs = Needs::new(description);
    let mut all = Vec::with_capacity(QUESTIONS.len());
    for (name, asks, lacks) in QUESTIONS {
        let missing: Vec<Missing> = lacks(&needs).into_iter().flatten().collect();
        let answer = if missing.iter().any(|one| one.is_needed && one.is_total()) {
            Answerable::No
        } else if missing.is_empty() {
            Answerable::Yes
        } else {
            Answerable::Partly
        };
        all.push(Question {
            name,
            asks,
            answer,
            missing,
        });
    }
    all
}

/// The same, as something that the answer is only better with.
fn better(missing: Option<Missing>) -> Option<Missing> {
    missing.map(|missing| Missing {
        is_needed: false,
        ..missing
    })
}

const FLOWS: &str = "flows ([[flow]])";
const SHIFTS: &str = "a calendar with shifts";

fn machines(needs: &Needs<'_>) -> Option<Missing> {
    let there = needs.description.machines().next().is_some();
    Needs::none("machines ([[machine]])", there)
}

fn flows(needs: &Needs<'_>) -> Option<Missing> {
    Needs::none(FLOWS, needs.description.flows().next().is_some())
}

/// What leads parts from machine to machine: flows, or in a job shop routings alone.
fn ways(needs: &Needs<'_>) -> Option<Missing> {
    let description = needs.description;
    let there = description.flows().next().is_some() || description.steps().next().is_some();
    Needs::none("flows ([[flow]]) or routings ([[step]])", there)
}

fn lines(needs: &Needs<'_>) -> Option<Missing> {
    Needs::none("lines (units of level = \"line\")", !needs.lines.is_empty())
}

fn fed(needs: &Needs<'_>) -> Option<Missing> {
    needs.of_nodes("where parts come from (a flow or a source)", |one| {
        needs.is_fed(one)
    })
}

fn emptied(needs: &Needs<'_>) -> Option<Missing> {
    needs.of_nodes("where parts go (a flow or a sink)", |one| {
        needs.is_emptied(one)
    })
}

fn cycles(needs: &Needs<'_>) -> Option<Missing> {
    let what = "a cycle (cycle_s, or a step of a routing)";
    needs.of_nodes(what, |one| needs.has_cycle(one))
}

fn state(needs: &Needs<'_>) -> Lacks {
    let what = "the vocabulary of its state (vocabulary)";
    let all = needs.description.machines();
    let has = |one: &Machine| one.vocabulary != crate::event::Vocabulary::Unspecified;
    let said = Needs::lacking(what, "machines", all, |one| one.id.as_str(), has);
    vec![machines(needs), better(said)]
}

fn starved_blocked(needs: &Needs<'_>) -> Lacks {
    vec![machines(needs), flows(needs), fed(needs), emptied(needs)]
}

fn stops_together(needs: &Needs<'_>) -> Lacks {
    let grouped = |one: &Machine| !one.stop_groups.is_empty() || one.node.is_some();
    vec![
        Needs::none(
            "stop groups ([[stop_group]])",
            needs.description.stop_groups().next().is_some(),
        ),
        needs.of_nodes("a stop group (stop_groups)", grouped),
    ]
}

fn parts_located(needs: &Needs<'_>) -> Lacks {
    let transit = needs
        .description
        .buffers()
        .filter(|one| one.buffer_kind == BufferKind::Conveyor);
    vec![
        machines(needs),
        ways(needs),
        fed(needs),
        emptied(needs),
        Needs::none(
            "where the flow begins ([[boundary]] of kind source)",
            needs.has_source(),
        ),
        Needs::none(
            "where the flow ends ([[boundary]] of kind sink)",
            needs.has_sink(),
        ),
        better(Needs::lacking(
            "the time on it (transit_s)",
            "conveyors",
            transit,
            |one| one.id.as_str(),
            |one| one.transit_ms.is_some(),
        )),
    ]
}

fn output_of_lines(needs: &Needs<'_>) -> Lacks {
    vec![
        lines(needs),
        needs.of_lines("a count point of all parts", |line| counts_all(needs, line)),
        needs.of_lines("a count point of good parts", |line| {
            counts_good(needs, line)
        }),
    ]
}

/// All parts are counted as such, or as good ones and scrap.
fn counts_all(needs: &Needs<'_>, line: &Unit) -> bool {
    let by_parts =
        needs.counts(line, &[PartMeaning::Good]) && needs.counts(line, &[PartMeaning::Scrap]);
    needs.counts(line, &[PartMeaning::All]) || by_parts
}

fn counts_good(needs: &Needs<'_>, line: &Unit) -> bool {
    let by_parts =
        needs.counts(line, &[PartMeaning::All]) && needs.counts(line, &[PartMeaning::Scrap]);
    needs.counts(line, &[PartMeaning::Good]) || by_parts
}

fn oee_of_machines(needs: &Needs<'_>) -> Lacks {
    let cycle = "a planned cycle (cycle_s, or a step of a routing)";
    vec![
        machines(needs),
        needs.of_nodes(cycle, |one| needs.has_planned_cycle(one)),
        needs.of_nodes(SHIFTS, |one| needs.is_planned_machine(one)),
    ]
}

fn oee_of_lines(needs: &Needs<'_>) -> Lacks {
    let planned = |line: &Unit| {
        let machine = line.constraint.as_ref();
        let machine = machine.and_then(|id| needs.description.machine_named(id.as_str()));
        line.takt_ms.is_some() || machine.is_some_and(|one| needs.has_planned_cycle(one))
    };
    let mut lacks = output_of_lines(needs);
    lacks.push(needs.of_lines("its constraint", |line| line.constraint.is_some()));
    lacks.push(needs.of_lines("the planned cycle of its constraint", planned));
    lacks.push(needs.of_lines(SHIFTS, |line| needs.is_planned(Some(&line.id))));
    lacks
}

fn shift_figures(needs: &Needs<'_>) -> Lacks {
    vec![
        lines(needs),
        needs.of_lines(SHIFTS, |line| needs.is_planned(Some(&line.id))),
        needs.of_lines("a count point of good parts", |line| {
            counts_good(needs, line)
        }),
    ]
}

fn micro_stops(needs: &Needs<'_>) -> Lacks {
    let what = "when a stop is a short one (micro_stop_s)";
    vec![
        machines(needs),
        needs.of_nodes(what, |one| one.micro_stop_ms.is_some()),
        better(cycles(needs)),
    ]
}

fn first_pass_yield(needs: &Needs<'_>) -> Lacks {
    let counts = |line: &Unit| {
        counts_all(needs, line)
            && (counts_good(needs, line) || needs.counts(line, &[PartMeaning::Rework]))
    };
    let reworks = needs.description.reworks().next().is_some();
    vec![
        lines(needs),
        needs.of_lines("count points of all and of good parts", counts),
        better(Needs::none("rework loops ([[rework]])", reworks)),
    ]
}

fn energy_per_part(needs: &Needs<'_>) -> Lacks {
    vec![
        machines(needs),
        lines(needs),
        needs.of_lines("a count point of good parts", |line| {
            counts_good(needs, line)
        }),
    ]
}

fn time_to_starve(needs: &Needs<'_>) -> Lacks {
    let mut lacks = starved_blocked(needs);
    lacks.push(cycles(needs));
    lacks.push(better(Needs::none(
        "buffers ([[buffer]])",
        needs.description.buffers().next().is_some(),
    )));
    lacks
}

fn shortages(needs: &Needs<'_>) -> Lacks {
    let feeds = || needs.description.feeds();
    let all = || needs.description.products();
    let fed = |product: &Product| {
        feeds().any(|feed| feed.product.as_ref().is_none_or(|of| *of == product.id))
    };
    let name: fn(&Feed) -> &str = |feed| &feed.part_number;
    vec![
        Needs::none("what is used up where ([[feed]])", feeds().next().is_some()),
        Needs::lacking("feeds", "products", all(), |one| one.id.as_str(), fed),
        better(Needs::lacking(
            "the site that it comes from (site)",
            "feeds",
            feeds(),
            name,
            |feed| !feed.site.is_empty(),
        )),
        better(Needs::lacking(
            "the buffer that it is taken from (from)",
            "feeds",
            feeds(),
            name,
            |feed| feed.from.is_some(),
        )),
    ]
}

fn throughput(needs: &Needs<'_>) -> Lacks {
    let mut lacks = vec![machines(needs), ways(needs), fed(needs), emptied(needs)];
    lacks.push(cycles(needs));
    lacks.push(Needs::none(
        "where the flow begins ([[boundary]] of kind source)",
        needs.has_source(),
    ));
    lacks.push(Needs::none(
        "where the flow ends ([[boundary]] of kind sink)",
        needs.has_sink(),
    ));
    let measured = "the least cycle that was measured (cycle_min_s)";
    lacks.push(better(
        needs.of_nodes(measured, |one| one.cycle_min_ms.is_some()),
    ));
    lacks
}

fn buffers(needs: &Needs<'_>) -> Lacks {
    let mut lacks = throughput(needs);
    let all = || needs.description.buffers();
    lacks.push(flows(needs));
    lacks.push(Needs::none("buffers ([[buffer]])", all().next().is_some()));
    let kinds = |one: &&Buffer| !matches!(one.buffer_kind, BufferKind::Pool | BufferKind::Store);
    let in_flow = all().filter(kinds);
    let what = "a flow to it and one from it";
    lacks.push(Needs::lacking(
        what,
        "buffers",
        in_flow,
        |one| one.id.as_str(),
        |one| needs.is_passed(one),
    ));
    lacks
}

fn products(needs: &Needs<'_>) -> Lacks {
    let mut lacks = throughput(needs);
    let all = || needs.description.products();
    let variants = || needs.description.variants();
    let routed = |product: &Product| {
        let mut own = variants()
            .filter(|one| one.product == product.id)
            .peekable();
        let common = needs
            .description
            .routing(&product.id, None)
            .next()
            .is_some();
        let each = own.peek().is_some()
            && own.all(|one| {
                needs
                    .description
                    .routing(&product.id, Some(&one.id))
                    .next()
                    .is_some()
            });
        common || each
    };
    lacks.push(Needs::none(
        "products ([[product]])",
        all().next().is_some(),
    ));
    let routing = "a routing ([[step]])";
    lacks.push(Needs::lacking(
        routing,
        "products",
        all(),
        |one| one.id.as_str(),
        routed,
    ));
    let share = "its share of the product (share)";
    let single = |one: &Variant| {
        variants()
            .filter(|other| other.product == one.product)
            .nth(1)
            .is_none()
    };
    lacks.push(better(Needs::lacking(
        share,
        "variants",
        variants(),
        |one| one.id.as_str(),
        |one| one.share.is_some() || single(one),
    )));
    lacks
}

fn setups(needs: &Needs<'_>) -> Lacks {
    let mut lacks = products(needs);
    let there = needs.description.setups().next().is_some();
    lacks.push(Needs::none("the set-up matrix ([[setup]])", there));
    let mut attributes = BTreeSet::new();
    for variant in needs.description.variants() {
        let keys = variant
            .attributes
            .iter()
            .filter_map(|one| one.split_once('='));
        attributes.extend(keys.map(|(key, _)| key.trim().to_owned()));
    }
    let known: Vec<String> = attributes.into_iter().collect();
    let has = |key: &String| {
        needs
            .description
            .setups()
            .any(|setup| setup.attribute == *key)
    };
    let what = "what a change of it takes ([[setup]])";
    lacks.push(better(Needs::lacking(
        what,
        "attributes of variants",
        &known,
        |key| key.as_str(),
        has,
    )));
    lacks
}

fn crews(needs: &Needs<'_>) -> Lacks {
    let description = needs.description;
    let of = |kind: CrewKind| description.crews().any(|crew| crew.crew_kind == kind);
    let manned = description.machines().filter(|one| one.operators > 0);
    let is_served = |machine: &Machine| {
        description.crews().any(|crew| {
            let mut names: Vec<&str> = vec![machine.id.as_str()];
            let place = description.place(machine.parent.as_ref());
            names.extend(place.into_iter().map(|unit| unit.id.as_str()));
            let serves = |class: &String| names.iter().any(|name| in_class(class, name));
            let skilled = machine.skill.is_empty() || crew.skills.contains(&machine.skill);
            crew.crew_kind == CrewKind::Operation && skilled && crew.serves.iter().any(serves)
        })
    };
    let mut lacks = throughput(needs);
    lacks.push(Needs::none(
        "crews ([[crew]])",
        description.crews().next().is_some(),
    ));
    lacks.push(better(Needs::none(
        "a crew that repairs",
        of(CrewKind::Repair),
    )));
    lacks.push(better(Needs::none(
        "a crew that brings and fetches",
        of(CrewKind::Logistics),
    )));
    let what = "a crew with its skill that serves it";
    lacks.push(Needs::lacking(
        what,
        "machines that need people",
        manned,
        |one| one.id.as_str(),
        is_served,
    ));
    lacks
}

fn carriers(needs: &Needs<'_>) -> Lacks {
    let all = || needs.description.carriers();
    let used = |carrier: &Carrier| {
        needs
            .description
            .steps()
            .any(|step| step.carrier.as_ref() == Some(&carrier.id))
    };
    let id: fn(&Carrier) -> &str = |carrier| carrier.id.as_str();
    let mut lacks = throughput(needs);
    lacks.push(Needs::none(
        "carriers ([[carrier]])",
        all().next().is_some(),
    ));
    lacks.push(Needs::lacking(
        "the buffer of empties (home)",
        "carriers",
        all(),
        id,
        |one| one.home.is_some(),
    ));
    lacks.push(better(Needs::lacking(
        "the way back (return_s)",
        "carriers",
        all(),
        id,
        |one| one.return_ms.is_some(),
    )));
    lacks.push(Needs::lacking(
        "a step that it is used in (carrier)",
        "carriers",
        all(),
        id,
        used,
    ));
    lacks
}

fn shifts(needs: &Needs<'_>) -> Lacks {
    let mut lacks = throughput(needs);
    lacks.push(needs.of_nodes(SHIFTS, |one| needs.is_planned_machine(one)));
    lacks
}
