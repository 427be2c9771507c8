//! The nouns of the plant's own state: buffers, orders, parts, stock, calls for help, plans and the rest.

use super::paging::Paging;
use super::{Instant, at_position, more, reflected, with};
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::aspect::{self, Noun};
use serde_json::json;
use werkbuch_model::event::AspectKind;
use werkbuch_wire::{name, pb};

macro_rules! nouns {
    ($($(#[$meta:meta])* $variant:ident($verbs:ident) $noun:ident [$($kind:ident)+] $item:literal $sub:literal;)+) => {
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Nouns {
            $($(#[$meta])* #[command(subcommand)] $variant($verbs),)+
        }

        $(const $noun: Noun = Noun {
            name: stringify!($variant),
            kinds: &[$(AspectKind::$kind,)+],
            item: $item,
            sub: $sub,
        };)+

        pub(crate) async fn run(nouns: Nouns, context: &Context) -> Outcome<()> {
            match nouns {
                $(Nouns::$variant(verbs) => verbs.run(context, &$noun).await,)+
            }
        }
    };
}

nouns! {
    /// How full buffers are.
    Buffer(Ls) BUFFER [Buffer] "buffer" "lane";
    /// Orders, from release to end.
    Order(LsGet) ORDER [OrderRelease OrderProgress] "order" "";
    /// Single parts: where they are, what was decided about them.
    Part(LsGet) PART [PartPlace PartDisposition] "part" "";
    /// Stock as it was counted.
    Inventory(Ls) INVENTORY [Inventory] "location" "part_number";
    /// Material: the last arrival, move and use of each part number at each place.
    Material(Ls) MATERIAL [MaterialArrival MaterialMove MaterialUse] "part_number" "location";
    /// What suppliers and other sites say about supply.
    Supply(Ls) SUPPLY [Supply] "part_number" "site";
    /// Transports that are under way or have ended.
    Transport(Ls) TRANSPORT [Transport] "transport" "";
    /// Calls for help.
    Andon(Ls) ANDON [Andon] "key" "";
    /// Plans: of each the greatest version that is complete.
    Plan(Ls) PLAN [Plan] "plan" "";
    /// Changes of the calendar that sources reported.
    Calendar(Ls) CALENDAR [Calendar] "unit" "key";
    /// How many people of a crew are there.
    Staffing(Ls) STAFFING [Staffing] "unit" "crew";
    /// The official figures of closed periods.
    Period(Ls) PERIOD [Period] "unit" "key";
    /// Reasons that were given for downtime.
    Downtime(Ls) DOWNTIME [Downtime] "key" "";
    /// Maintenance, under way or done.
    Maintenance(Ls) MAINTENANCE [Maintenance] "work_order" "";
}

/// What can be done with most nouns.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Ls {
    /// All of a plant, or those of a name or machine.
    Ls(List),
}

/// What can be done with nouns of which one is worth a look.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LsGet {
    /// All of a plant, or those of a name or machine.
    Ls(List),
    /// One in full.
    Get {
        /// Its name.
        name: String,
        /// The plant.
        #[arg(long)]
        plant: String,
        #[command(flatten)]
        instant: Instant,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only of this name, or of this class such as `A-*`.
    #[arg(default_value = "", hide_default_value = true)]
    name: String,
    /// The plant.
    #[arg(long)]
    plant: String,
    /// Only what was reported of this machine (name or number).
    #[arg(long, default_value = "", hide_default_value = true)]
    machine: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    instant: Instant,
}

impl Ls {
    async fn run(self, context: &Context, noun: &Noun) -> Outcome<()> {
        let Self::Ls(list) = self;
        self::list(context, noun, list).await
    }
}

impl LsGet {
    async fn run(self, context: &Context, noun: &Noun) -> Outcome<()> {
        match self {
            Self::Ls(list) => self::list(context, noun, list).await,
            Self::Get {
                name,
                plant,
                instant,
            } => get(context, noun, (&plant, &name), &instant).await,
        }
    }
}

async fn list(context: &Context, noun: &Noun, list: List) -> Outcome<()> {
    let client = context.client().await?;
    let mut request = pb::ListAspectsRequest {
        parent: name::of_plant(&list.plant),
        aspects: noun.codes(),
        item: list.name,
        machine: list.machine,
        page_size: list.paging.size(),
        page_token: list.paging.page_token,
        instant: list.instant.message(context)?,
    };
    let mut rows = Vec::new();
    let page = loop {
        let page = client
            .twin()
            .list_aspects(request.clone())
            .await?
            .into_inner();
        for value in &page.values {
            rows.push(aspect::shown(noun, value)?);
        }
        if !list.paging.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token = page.next_page_token;
    };
    let shown = rows.len();
    let whole = json!({
        "values": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": shown,
        "total": page.total_size,
        "plant_total": page.kinds_size,
    });
    let whole = with(whole, reflected(page.reflected.as_ref()));
    let whole = with(whole, [("next_page_token", json!(page.next_page_token))]);
    let what = noun.name.to_ascii_lowercase();
    let mut note = format!("{shown} of {} values of {what}", page.total_size);
    if page.total_size != page.kinds_size {
        note.push_str(&format!(" that match, of {} in the plant", page.kinds_size));
    }
    note.push_str(&at_position(page.reflected.as_ref()));
    note.push_str(&more(&page.next_page_token));
    let answer = Answer::list(&noun.columns(), rows).whole(whole).note(note);
    context.output.answer(&answer)
}

async fn get(
    context: &Context,
    noun: &Noun,
    (plant, item): (&str, &str),
    instant: &Instant,
) -> Outcome<()> {
    let client = context.client().await?;
    let request = pb::ListAspectsRequest {
        parent: name::of_plant(plant),
        aspects: noun.codes(),
        item: item.to_owned(),
        instant: instant.message(context)?,
        ..pb::ListAspectsRequest::default()
    };
    let page = client.twin().list_aspects(request).await?.into_inner();
    // A star in the name makes it a class; what is asked for here is one.
    let found: Vec<_> = page
        .values
        .iter()
        .filter(|value| value.item == item)
        .collect();
    if found.is_empty() {
        let what = noun.name.to_ascii_lowercase();
        let said = format!("plant \"{plant}\" knows of no {what} \"{item}\"");
        return Err(
            Failure::new(Exit::NotFound, "UNKNOWN_ITEM", said).hint(format!(
                "werkbuch {what} ls --plant {plant} lists what it knows"
            )),
        );
    }
    let mut parts = vec![(noun.item, item.to_owned())];
    let mut values = Vec::new();
    for value in found {
        let (lines, value) = aspect::in_full(noun, value)?;
        parts.extend(lines);
        values.push(value);
    }
    let whole = with(
        json!({ noun.item: item, "values": values }),
        reflected(page.reflected.as_ref()),
    );
    context.output.answer(&Answer::single(parts, whole))
}
