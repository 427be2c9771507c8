//! `werkbuch completion`: the script by which a shell completes commands.

use crate::Context;
use crate::failure::Outcome;
use crate::output::{Answer, Format};
use clap_complete::Shell;
use serde_json::json;

/// Print the script by which a shell completes commands and options.
///
/// bash:        source <(werkbuch completion bash)
/// zsh:         werkbuch completion zsh > ~/.zfunc/_werkbuch
/// fish:        werkbuch completion fish > ~/.config/fish/completions/werkbuch.fish
/// powershell:  werkbuch completion powershell | Out-String | Invoke-Expression
/// elvish:      eval (werkbuch completion elvish | slurp)
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome<()> {
    let mut script = Vec::new();
    let mut command = crate::line::command();
    clap_complete::generate(args.shell, &mut command, "werkbuch", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if matches!(context.asked_format(), None | Some(Format::Table)) {
        return context.output.text(&script);
    }
    let shell = args.shell.to_string();
    let whole = json!({ "shell": shell, "script": script });
    let answer = Answer::single(vec![("shell", shell), ("script", script)], whole);
    context.output.asked(context.asked_format()).answer(&answer)
}
