//! `werkbuch man`: man pages, one for each command.

use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use clap::Command;
use clap_mangen::Man;
use serde_json::json;
use std::path::{Path, PathBuf};
use werkbuch_model::nearest::did_you_mean;

/// Print the man page of a command, or write the pages of all commands to a folder.
///
/// To read one at once: werkbuch man machine ls | man -l -
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command; left out: werkbuch itself.
    command: Vec<String>,
    /// Write one page for each command to this folder, such as ~/.local/share/man/man1.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// A command with its page.
struct Page {
    words: String,
    file: String,
    /// Whether it does something itself, and is no group of others.
    leaf: bool,
    roff: Vec<u8>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome<()> {
    let mut root = crate::line::command().disable_help_subcommand(true);
    root.build();
    match &args.dir {
        Some(dir) => all(context, &root, dir),
        None => one(context, &root, &args.command),
    }
}

fn one(context: &Context, root: &Command, words: &[String]) -> Outcome<()> {
    let mut command = root;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            let near = did_you_mean(word, names.iter().copied());
            let what = format!("there is no command \"{}\"", words.join(" "));
            let hint = near.unwrap_or_else(|| format!("there are {}", names.join(", ")));
            Failure::new(Exit::NotFound, "UNKNOWN_COMMAND", what).hint(hint)
        })?;
    }
    let page = page(command, words.join(" "))?;
    let text = String::from_utf8_lossy(&page.roff).into_owned();
    if matches!(context.asked_format(), None | Some(Format::Table)) {
        return context.output.text(&text);
    }
    let whole = json!({ "command": page.words, "file": page.file, "page": text });
    let parts = vec![("command", page.words), ("file", page.file), ("page", text)];
    let output = context.output.asked(context.asked_format());
    output.answer(&Answer::single(parts, whole))
}

fn all(context: &Context, root: &Command, dir: &Path) -> Outcome<()> {
    let mut pages = Vec::new();
    gather(root, String::new(), &mut pages)?;
    std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    for page in &pages {
        let path = dir.join(&page.file);
        std::fs::write(&path, &page.roff).map_err(|error| Failure::file(&path, &error))?;
    }
    let rows = pages.into_iter().map(|page| {
        let item = json!({ "command": page.words, "file": page.file, "leaf": page.leaf });
        (vec![page.words, page.file], item)
    });
    let rows: Vec<_> = rows.collect();
    let count = rows.len();
    let whole = json!({
        "pages": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "total": count,
        "folder": dir.display().to_string(),
    });
    let note = format!("{count} of {count} pages written to \"{}\"", dir.display());
    let answer = Answer::list(&["command", "file"], rows);
    context.output.answer(&answer.whole(whole).note(note))
}

fn gather(command: &Command, words: String, pages: &mut Vec<Page>) -> Outcome<()> {
    pages.push(page(command, words.clone())?);
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        let words = format!("{words} {}", inner.get_name());
        gather(inner, words.trim_start().to_owned(), pages)?;
    }
    Ok(())
}

fn page(command: &Command, words: String) -> Outcome<Page> {
    let man = Man::new(command.clone()).manual("Werkbuch");
    let mut roff = Vec::new();
    man.render(&mut roff)?;
    Ok(Page {
        words,
        file: man.get_filename(),
        leaf: !command.has_subcommands(),
        roff,
    })
}
