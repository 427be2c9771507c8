//! `werkbuch plant graph`: the flow of a plant as a drawing.

mod layout;
mod svg;
mod text;

use super::source::Of;
use crate::Context;
use crate::command::last;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use layout::Drawing;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use werkbuch_model::plant::{Description, Flow};
use werkbuch_wire::{name, pb};

/// How many machines are asked for at once.
const PAGE: i32 = 10_000;

/// Draw the flow of a plant, in the terminal or as SVG.
///
/// In the terminal: `a > b` flows on, `(b 4)` is a buffer with its capacity, `[6]` are the resources
/// of a station, `*` marks a line's constraint. What leaves the row is listed below it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// Only this unit and what lies in it.
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// Write an SVG drawing to this file (`-` for standard output). Of a plant of the server, machines
    /// have their states, at present or as --at and --known say.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome<()> {
    let (_, description) = args.of.load(context).await?;
    if let Some(unit) = &args.unit
        && description.unit(unit).is_none()
    {
        let what = format!("there is no unit \"{unit}\"");
        let hint = "name a unit of the plant, such as a line";
        return Err(Failure::new(Exit::NotFound, "UNKNOWN_UNIT", what).hint(hint));
    }
    let drawing = Drawing::new(&description, args.unit.as_deref());
    if let Some(path) = &args.svg {
        let states = match (&args.of.plant, &args.of.file) {
            (Some(plant), None) => {
                states(context, plant, args.of.instant.message(context)?).await?
            }
            _ => BTreeMap::new(),
        };
        let image = svg::draw(&description, &drawing, &states);
        if path.as_os_str() == "-" {
            return context.output.text(&image);
        }
        std::fs::write(path, image).map_err(|error| Failure::file(path, &error))?;
        let note = format!("{} places drawn to {}", drawing.places(), path.display());
        context.output.note(&note);
        return Ok(());
    }
    if context.output.format == Format::Table {
        return context.output.text(&crate::plain::lines(&text::draw(
            &description,
            &drawing,
            text::width(),
        )));
    }
    context.output.answer(&answer(&description, &drawing))
}

/// The arrows as rows; as JSON with the places.
fn answer(description: &Description, drawing: &Drawing<'_>) -> Answer {
    let flows = description
        .flows()
        .filter(|flow| drawing.holds(&flow.from) || drawing.holds(&flow.to));
    let rows: Vec<(Vec<String>, Value)> = flows.map(row).collect();
    let arrows: Vec<Value> = rows.iter().map(|(_, item)| item.clone()).collect();
    let machines = description
        .machines()
        .filter(|machine| drawing.holds(&machine.id));
    let machines: Vec<&str> = machines.map(|machine| machine.id.as_str()).collect();
    let buffers = description
        .buffers()
        .filter(|buffer| drawing.holds(&buffer.id));
    let buffers: Vec<Value> = buffers
        .map(|buffer| json!({ "buffer": buffer.id, "capacity": buffer.capacity }))
        .collect();
    let whole = json!({ "machines": machines, "buffers": buffers, "flows": arrows });
    Answer::list(&["from", "to", "kind", "share"], rows).whole(whole)
}

fn row(flow: &Flow) -> (Vec<String>, Value) {
    let kind = layout::kind_of(flow);
    let share = flow.share.map(|share| share.to_string());
    let cells = vec![
        flow.from.to_string(),
        flow.to.to_string(),
        kind.to_owned(),
        share.clone().unwrap_or_default(),
    ];
    let item = json!({ "from": flow.from, "to": flow.to, "kind": kind, "share": share });
    (cells, item)
}

/// The present states of the machines, by name.
async fn states(
    context: &Context,
    plant: &str,
    instant: Option<pb::Instant>,
) -> Outcome<BTreeMap<String, String>> {
    let client = context.client().await?;
    let mut request = pb::ListMachinesRequest {
        parent: name::of_plant(plant),
        page_size: PAGE,
        instant,
        ..pb::ListMachinesRequest::default()
    };
    let mut states = BTreeMap::new();
    loop {
        let page = client
            .twin()
            .list_machines(request.clone())
            .await?
            .into_inner();
        for machine in page.machines {
            let state = crate::view::machine::state(machine.state);
            if state != "UNSPECIFIED" {
                states.insert(last(&machine.name).to_owned(), state.to_owned());
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(states);
        }
        request.page_token = page.next_page_token;
    }
}
