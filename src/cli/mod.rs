//! The command line: one file per verb. The only room that prints, and the only one that knows exit codes.

mod backbones;
mod check;
mod compare;
mod completions;
mod data;
mod device;
mod embed;
mod error;
mod evaluate;
mod flags;
mod list;
mod long_run;
mod merge;
mod panics;
mod plan;
mod predict;
mod printable;
mod progress;
mod report;
mod rerun;
mod sample;
mod select;
mod signals;
mod train;
mod verify;
mod weights;

use std::io::Write;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{CommandFactory, Parser, Subcommand};

use crate::eval::Meter;
use crate::learner::Learners;
use crate::results::Machine;
use device::DeviceFlag;
use error::CliError;

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  a check you asked for does not hold
  2  the request is wrong
  3  the data is wrong
  4  the computation failed
  75 a signal ended the run: run it again, with --resume";

/// Few-shot and zero-shot evaluation on identical frozen episodes.
#[derive(Parser)]
#[command(name = "kshot", version = VERSION.as_str(), about, after_help = EXIT_CODES, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(list::Arguments),
    Sample(sample::Arguments),
    Check(check::Arguments),
    Select(select::Arguments),
    Train(train::Arguments),
    Embed(embed::Arguments),
    Evaluate(evaluate::Arguments),
    Predict(predict::Arguments),
    Rerun(rerun::Arguments),
    Verify(verify::Arguments),
    Compare(compare::Arguments),
    Report(report::Arguments),
    Merge(merge::Arguments),
    Plan(plan::Arguments),
    Data(data::Arguments),
    Weights(weights::Arguments),
    Backbones(backbones::Arguments),
    Completions(completions::Completions),
    Man(completions::Man),
}

impl Verb {
    /// Where the work is to be done, for verbs that have a choice.
    fn device(&self) -> Option<DeviceFlag> {
        match self {
            Verb::Select(arguments) => Some(arguments.inputs.device),
            Verb::Train(arguments) => Some(arguments.device),
            Verb::Sample(arguments) => Some(arguments.inputs.device),
            Verb::Check(arguments) => Some(arguments.inputs.device),
            Verb::Embed(arguments) => Some(arguments.inputs.device),
            Verb::Evaluate(arguments) => Some(arguments.inputs.device),
            Verb::Predict(arguments) => Some(arguments.inputs.device),
            Verb::Rerun(arguments) => Some(arguments.device),
            Verb::Verify(arguments) => Some(arguments.device),
            _ => None,
        }
    }
}

/// The version, the features of the build, and the vector instructions that this processor has.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let built = [
        ("cuda", cfg!(feature = "cuda")),
        ("download", cfg!(feature = "download")),
        ("images", cfg!(feature = "images")),
        ("parquet", cfg!(feature = "parquet")),
        ("plots-png", cfg!(feature = "plots-png")),
        ("text", cfg!(feature = "text")),
    ];
    let built: Vec<&str> = built.iter().filter(|(_, with)| *with).map(|(name, _)| *name).collect();
    let listed = |names: &[&str]| if names.is_empty() { "none".to_string() } else { names.join(", ") };
    let machine = Machine::here();
    let vectors: Vec<&str> = machine.cpu_features.iter().map(String::as_str).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!("{version}\nfeatures: {}\nvector instructions: {}", listed(&built), listed(&vectors))
});

/// All verbs and their flags.
fn command() -> clap::Command {
    Arguments::command()
}

/// Whether what was asked for holds.
enum Outcome {
    Done,
    DoesNotHold,
}

/// Runs the command line with these learners.
///
/// Programs with learners of their own call it in `main`; see [`Plugin`](crate::learner::Plugin).
pub fn main(learners: &Learners) -> ExitCode {
    main_with(learners, None)
}

/// As [`main`], in a program whose allocator counts what it gives.
pub fn main_with(learners: &Learners, meter: Option<Meter>) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no errors.
            let code = if error.use_stderr() { error::WRONG_REQUEST } else { error::DONE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let device = arguments.verb.device();
    let verb = || match arguments.verb {
        Verb::List(arguments) => list::run(learners, &arguments),
        Verb::Sample(arguments) => sample::run(&arguments),
        Verb::Check(arguments) => check::run(learners, &arguments),
        Verb::Select(arguments) => select::run(learners, &arguments),
        Verb::Train(arguments) => train::run(&arguments),
        Verb::Embed(arguments) => embed::run(&arguments),
        Verb::Evaluate(arguments) => evaluate::run(learners, &arguments, meter),
        Verb::Predict(arguments) => predict::run(learners, &arguments),
        Verb::Rerun(arguments) => rerun::run(learners, &arguments),
        Verb::Verify(arguments) => verify::run(learners, &arguments),
        Verb::Compare(arguments) => compare::run(&arguments),
        Verb::Report(arguments) => report::run(&arguments),
        Verb::Merge(arguments) => merge::run(&arguments),
        Verb::Plan(arguments) => plan::run(&arguments),
        Verb::Data(arguments) => data::run(&arguments),
        Verb::Weights(arguments) => weights::run(&arguments),
        Verb::Backbones(arguments) => backbones::run(&arguments),
        Verb::Completions(arguments) => completions::completions(&arguments),
        Verb::Man(arguments) => completions::man(&arguments),
    };
    let outcome = panics::with_threads(|| device::guarded(device, verb));
    match outcome {
        Ok(Outcome::Done) => ExitCode::from(error::DONE),
        Ok(Outcome::DoesNotHold) => ExitCode::from(error::DOES_NOT_HOLD),
        Err(CliError::Closed) => ExitCode::from(error::DONE),
        Err(error) => {
            tell(&format!("error: {error}"));
            ExitCode::from(error.code())
        }
    }
}

/// Prints a line to standard error, as far as that can be written: a note that nobody can read ends no run.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", printable::message(line));
}

/// Prints bytes to standard output as they are.
fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::from_output)
}

/// Prints to standard output; a reader that has gone away ends the program without an error.
fn say(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(printable::escaped(text).as_bytes())
        .and_then(|()| out.flush())
        .map_err(CliError::from_output)
}
