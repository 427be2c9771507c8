//! `werkbuch rule`: checks files of rules, applies them, tells what they raise, and tries them over the past.

mod apply;
mod list;

use super::choice::Window;
use super::find::Bar;
use super::{Instant, Scope, time, with};
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::{cut, rule};
use crate::when;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use werkbuch_model::plant::Mistake;
use werkbuch_model::rule::{Rule, parse};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

const FILE_HELP: &str = "\
A file of rules is TOML. Conditions are in the syntax of `machine ls --where`, about one machine each.

  [[rule]]
  id = \"paint-stands\"
  raise = \"state = 'FAULTED' AND area = 'paint'\"
  hold = \"5m\"                      # it must hold so long; left out: it is raised at once
  clear = \"state = 'EXECUTING'\"    # left out: when what raises no longer holds
  clear_hold = \"1m\"                # that must hold so long; left out: it is cleared at once
  severity = 800                   # 1 (least) to 1000; left out: 500
  message = \"a machine of the paint shop stands\"

What clears does not count while what raises holds.";

const TEST_HELP: &str = "\
Would it have been raised? The rules are followed through the window as the plant was at each instant, late
events and corrections at their place; --known asks what would have been seen with what was known then.
Nothing is recorded. A rule is raised of a machine at the very end of the time for which its condition has
to hold, whether or not anything happens then, and cleared likewise.

The rules begin to be followed --lead before --from, as if nothing had held before. What is raised then
and still is at --from is told as \"before\".

  werkbuch rule test rules.toml --from \"yesterday 06:00\" --to \"yesterday 14:00\"
  werkbuch rule test rules.toml --from -7d --all-plants -o csv";

const APPLY_HELP: &str = "\
The rules of the file apply from now on, and no others: a rule that the file no longer has is removed. It
is recorded in the plant's log, with who and why. The server then looks at what is recorded, and records
RULE_RAISED and RULE_CLEARED; `rule ls --raised` lists what is raised, `event ls --kind RULE_RAISED` what
was recorded.

What holds already when a rule is applied begins to hold then. A rule that raises or clears otherwise than
before begins anew, and what it had raised is withdrawn; severity and message can change without that.
Rules speak of what is known when they speak: what arrives late does not change what they said. What they
would have said is told by `rule test`.

  werkbuch rule apply rules.toml --plant PLT-07 --why \"ticket 17\" --who \"A. Meier\"
  werkbuch rule apply rules.toml --all-plants --dry-run";

const LIST_HELP: &str = "\
Also as of any instant: --at what applied and was raised by then, --known what was known of it by then.

  werkbuch rule ls --raised --all-plants
  werkbuch rule ls --raised --at \"yesterday 06:00\"";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Let the rules of a file apply to a plant, or to all. They are followed from then on.
    #[command(after_help = APPLY_HELP)]
    Apply(apply::Apply),
    /// The rules that apply, or what is raised.
    #[command(after_help = LIST_HELP)]
    Ls(list::List),
    /// One rule that applies, in full.
    Get(list::Get),
    /// Remove rules from a plant, or from all. What they had raised is withdrawn.
    Rm(apply::Remove),
    /// Check a file of rules, and show what it says. All mistakes are shown, as file:line:column.
    #[command(after_help = FILE_HELP)]
    Check {
        /// The file, TOML.
        file: PathBuf,
    },
    /// Try the rules of a file over a window of the past: what they would have raised and cleared.
    #[command(after_help = TEST_HELP)]
    Test(Box<Test>),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The file, TOML.
    file: PathBuf,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    window: Window,
    /// A rule of the file, again for more [default: all].
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// How long before --from the rules begin to be followed [default: 1d].
    #[arg(long, value_name = "DURATION")]
    lead: Option<String>,
    #[command(flatten)]
    instant: Instant,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::Apply(args) => apply::apply(context, args).await,
        Args::Ls(args) => list::list(context, args).await,
        Args::Get(args) => list::get(context, args).await,
        Args::Rm(args) => apply::remove(context, args).await,
        Args::Check { file } => check(context, &file),
        Args::Test(test) => self::test(context, *test).await,
    }
}

fn read(path: &Path) -> Outcome<(String, Vec<Rule>)> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let name = path.display().to_string();
    let rules = parse(&text, &name, &werkbuch_server::MACHINE_FIELDS);
    let rules = rules.map_err(|found| mistaken(&found))?;
    Ok((text, rules))
}

/// All mistakes of a file.
fn mistaken(mistakes: &[Mistake]) -> Failure {
    Failure::mistakes("the file of rules", Reason::InvalidRequest, mistakes)
        .hint("see `werkbuch rule check --help` for the form of the file")
}

fn check(context: &Context, file: &Path) -> Outcome<()> {
    let (_, rules) = read(file)?;
    let rows: Vec<(Vec<String>, Value)> = rules.iter().map(rule::row).collect();
    let count = rows.len();
    let items: Vec<&Value> = rows.iter().map(|(_, item)| item).collect();
    let whole = json!({ "rules": items, "shown": count, "total": count });
    let note = format!("{count} of {count} rules are well-formed");
    let answer = Answer::list(&rule::COLUMNS, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

async fn test(context: &Context, test: Test) -> Outcome<()> {
    let (content, _) = read(&test.file)?;
    let clocks = test.scope.clocks(context);
    let (from_time, to_time) = test.window.times(&clocks).await?;
    let lead = test.lead.as_deref().map(when::duration).transpose()?;
    let request = pb::TestRulesRequest {
        parent: test.scope.parent(),
        file_name: test.file.display().to_string(),
        content,
        from_time,
        to_time,
        lead_ns: lead.map(|lead| u64::try_from(lead.as_nanos()).unwrap_or(u64::MAX)),
        instant: test.instant.message(context)?,
        rules: test.rules,
    };
    let client = context.client().await?;
    let mut stream = client.rule().test_rules(request).await?.into_inner();
    let bar = Bar::new(context.output.quiet);
    let (mut head, mut sums) = (pb::FindHead::default(), Vec::new());
    let mut warnings: Vec<String> = Vec::new();
    let mut rows: Vec<(Vec<String>, Value)> = Vec::new();
    while let Some(message) = stream.message().await? {
        head = message.head.unwrap_or(head);
        warnings.extend(message.warnings);
        if let Some(progress) = &message.progress {
            bar.show(progress);
        }
        rows.extend(
            message
                .turns
                .iter()
                .map(|one| rule::turn(one, test.scope.all_plants)),
        );
        sums = message.sums;
    }
    drop(bar);
    if sums.is_empty() {
        let what = "the server ended the stream before the rules were through".to_owned();
        return Err(Failure::new(Exit::Unavailable, "STREAM_ENDED", what));
    }
    for warning in &warnings {
        context.output.note(&format!("warning: {warning}"));
    }
    let answer = answer((&head, &warnings), &sums, rows, test.scope.all_plants);
    context.output.answer(&answer)
}

fn answer(
    (head, warnings): (&pb::FindHead, &[String]),
    sums: &[pb::RuleSum],
    rows: Vec<(Vec<String>, Value)>,
    with_plant: bool,
) -> Answer {
    let items: Vec<&Value> = rows.iter().map(|(_, item)| item).collect();
    let whole = json!({
        "from": time(Some(head.from_time)),
        "to": time(Some(head.to_time)),
        "turns": items,
        "rules": sums.iter().map(rule::sum).collect::<Vec<_>>(),
        "warnings": warnings,
        "shown": rows.len(),
        "total": rows.len(),
    });
    let stood = head.cut.clone().unwrap_or_default();
    let whole = with(whole, [("cut", cut::json(&stood))]);
    let raised = sums.iter().filter(|sum| sum.raised > 0).count();
    let mut note = format!(
        "{raised} of {} rules would have been raised, from {} to {}",
        sums.len(),
        Timestamp(head.from_time),
        Timestamp(head.to_time)
    );
    for sum in sums {
        note.push_str(&format!(
            "; {}: raised {}, cleared {}, of {} machines, {} at the end",
            sum.rule, sum.raised, sum.cleared, sum.machines, sum.standing
        ));
    }
    match stood.plants.as_slice() {
        [one] if !with_plant => note.push_str(&super::at_position(one.reflected.as_ref())),
        _ => note.push_str(&cut::note(&stood)),
    }
    let columns = rule::turn_columns(with_plant);
    Answer::list(&columns, rows).whole(whole).note(note)
}
