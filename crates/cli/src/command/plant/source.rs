//! Where a description comes from: a file with the tables beside it, or the server.

use crate::Context;
use crate::command::Instant;
use crate::exit::hint;
use crate::failure::{Failure, Outcome};
use std::path::{Path, PathBuf};
use werkbuch_model::plant::{Description, Mistake, PlantFile, TableText, parse_with, tables_of};
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// A description file with its tables.
pub(crate) struct Source {
    pub(crate) file_name: String,
    pub(crate) content: String,
    pub(crate) tables: Vec<TableText>,
}

/// Which description is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Of {
    /// The description, TOML. Tables in CSV that it names under `tables` are read beside it.
    #[arg(required_unless_present = "plant")]
    pub(super) file: Option<PathBuf>,
    /// A plant of the server, in place of a file.
    #[arg(long, conflicts_with = "file")]
    pub(super) plant: Option<String>,
    #[command(flatten)]
    pub(super) instant: Instant,
}

impl Source {
    /// Reads a description and the tables that it names. Errors: files that cannot be read, and
    /// mistakes of syntax.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let file_name = path.display().to_string();
        let content = text_of(path)?;
        let named = tables_of(&content, &file_name).map_err(|found| mistaken(&found))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut tables = Vec::with_capacity(named.len());
        for table in named {
            let named = |failure: Failure| {
                failure.hint(format!("tables.{} of {file_name} names it", table.name))
            };
            let content = text_of(&folder.join(&table.file_name)).map_err(named)?;
            tables.push(TableText {
                name: table.name,
                file_name: table.file_name,
                content,
            });
        }
        Ok(Self {
            file_name,
            content,
            tables,
        })
    }

    /// Finds the mistakes, all of them: a server's answer has room for some.
    pub(crate) fn parse(&self) -> Outcome<PlantFile> {
        parse_with(&self.content, &self.file_name, &self.tables).map_err(|found| mistaken(&found))
    }
}

fn text_of(path: &Path) -> Outcome<String> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "\"{}\" is not UTF-8: byte {at} is none of a text",
            path.display()
        ))
    })
}

impl Of {
    /// The description as a file declares it, and as the plant that it makes.
    pub(super) async fn load(&self, context: &Context) -> Outcome<(PlantFile, Description)> {
        let instant = self.instant.message(context)?;
        let file = match (&self.file, &self.plant) {
            (Some(_), _) if instant.is_some() => {
                let what = "--at and --known are about a plant of the server, not about a file";
                return Err(Failure::usage(what).hint("name the plant: --plant NAME"));
            }
            (Some(file), _) => Source::read(file)?.parse()?,
            (None, plant) => ask(context, plant.as_deref().unwrap_or_default(), instant).await?,
        };
        let description = file.to_description().map_err(|found| mistaken(&found))?;
        Ok((file, description))
    }
}

/// The description of a plant of the server.
async fn ask(context: &Context, plant: &str, instant: Option<pb::Instant>) -> Outcome<PlantFile> {
    let request = pb::GetPlantRequest {
        name: name::of_plant(plant),
        instant,
    };
    let client = context.client().await?;
    let found = client.model().get_plant(request).await?.into_inner();
    parse_with(&found.content, plant, &[]).map_err(|found| mistaken(&found))
}

/// All mistakes of a file.
pub(crate) fn mistaken(mistakes: &[Mistake]) -> Failure {
    let reason = Reason::InvalidPlantFile;
    Failure::mistakes("the plant file", reason, mistakes).hint(hint(reason))
}
