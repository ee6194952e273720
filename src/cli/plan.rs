//! `kshot plan`: the commands of a run in parts, for a shell or for Slurm.

use std::fmt::Write;

use clap::Args;

use super::error::CliError;
use super::{Outcome, say};

const EXAMPLES: &str = "Examples:
  kshot plan --shards 4 -- evaluate any-5way --features features.npz --out results/mine
  kshot plan --shards 64 --slurm --time 2:00:00 -- evaluate any-5way --features features.npz --out results/mine > run.sh
  kshot plan --shards 16 --slurm -- embed folder:photographs --backbone resnet50:weights=resnet50.safetensors --out features/mine";

/// Print the commands of an evaluation, or of embedding, in parts: one for each part, and one that joins them.
///
/// The parts are drawn from one draw and joined to the bytes of a single run. Under Slurm each is a task of an array that is
/// queued again when it was stopped, and goes on where it was.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Parts.
    #[arg(long, value_name = "PARTS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shards: u32,
    /// Print a script that submits an array and a job that merges to Slurm.
    #[arg(long)]
    slurm: bool,
    /// The time limit of each task, as Slurm writes it.
    #[arg(long, value_name = "TIME", default_value = "1:00:00", requires = "slurm", value_parser = time)]
    time: String,
    /// The cores of each task.
    #[arg(long, value_name = "CORES", default_value_t = 2, requires = "slurm")]
    cores: u32,
    /// The command: `evaluate` or `embed` with its arguments and --out.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Reads a time limit.
fn time(text: &str) -> Result<String, String> {
    let of_time = |c: char| c.is_ascii_digit() || "-:".contains(c);
    let valid = text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(of_time);
    let why = "must be minutes, hours:minutes:seconds or days-hours, as Slurm writes them";
    if valid { Ok(text.to_string()) } else { Err(why.to_string()) }
}

/// A checked command.
struct Parted<'a> {
    verb: &'a str,
    /// The arguments without --out.
    rest: Vec<String>,
    out: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let parted = checked(&arguments.command)?;
    say(&match arguments.slurm {
        true => slurm(&parted, arguments),
        false => shell(&parted, arguments.shards),
    })?;
    Ok(Outcome::Done)
}

fn checked(command: &[String]) -> Result<Parted<'_>, CliError> {
    let verb = command.first().map_or("", String::as_str);
    if !matches!(verb, "evaluate" | "embed") {
        return Err(CliError::request(format!(
            "a run in parts is one of `evaluate` or `embed`, got `{verb}`"
        )));
    }
    let (mut rest, mut out) = (Vec::new(), None);
    let mut words = command[1..].iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("--out", folder)) => out = Some(folder.to_string()),
            _ if word == "--out" => out = words.next().cloned(),
            _ if ["--shard", "--resume"].contains(&word.split('=').next().unwrap_or_default()) => {
                return Err(CliError::request(format!("{word} is added to every part; leave it out")));
            }
            _ => rest.push(quoted(word)),
        }
    }
    let out =
        out.ok_or_else(|| CliError::request("a run in parts needs a folder for the whole\nhint: --out DIR"))?;
    Ok(Parted { verb, rest, out })
}

impl Parted<'_> {
    /// The command of a part; what stands for its number is put in as it is.
    fn part(&self, number: &str, of: u32) -> String {
        // Embedding goes on by itself with what is in its folder.
        let resume = if self.verb == "evaluate" { " --resume" } else { "" };
        let rest = self.rest.join(" ");
        let folder = quoted(&format!("{}-part-", self.out));
        format!("kshot {} {rest} --shard {number}/{of}{resume} --out {folder}{number}", self.verb)
    }

    fn merge(&self) -> String {
        format!("kshot merge {}* --out {}", quoted(&format!("{}-part-", self.out)), quoted(&self.out))
    }
}

fn shell(parted: &Parted<'_>, shards: u32) -> String {
    let mut text = String::from(
        "# In any order, on any machines that share these folders; a part that was stopped is run again.\n",
    );
    for part in 1..=shards {
        let _ = writeln!(text, "{}", parted.part(&part.to_string(), shards));
    }
    let _ = writeln!(text, "# When all parts are done.\n{}", parted.merge());
    text
}

/// A script that submits both jobs. A task that receives a signal, ahead of its limit or because the machine is needed, keeps its
/// work and ends with code 75; then it is queued again, and continues.
fn slurm(parted: &Parted<'_>, arguments: &Arguments) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    let last = parted.out.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name: String = last.chars().map(plain).collect();
    format!(
        r#"#!/bin/bash
# Submits {shards} parts and their merge to Slurm: bash THIS-FILE
set -euo pipefail
array=$(sbatch --parsable <<'array'
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{shards}
#SBATCH --cpus-per-task={cores}
#SBATCH --time={time}
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={name}-%a.log
{part} &
run=$!
trap 'kill -USR1 $run' USR1
trap 'kill -TERM $run' TERM
code=0; wait $run || code=$?
# A signal ends `wait` early, with a code above 128; the run ends by itself soon after.
while [ $code -gt 128 ]; do last=$code; code=0; wait $run || code=$?; done
if [ $code = 127 ]; then code=${{last:-127}}; fi
if [ $code = 75 ]; then scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"; fi
exit $code
array
)
sbatch --dependency=afterok:"$array" <<'merge'
#!/bin/bash
#SBATCH --job-name={name}-merge
#SBATCH --time={time}
#SBATCH --output={name}-merge.log
{merge}
merge
"#,
        shards = arguments.shards,
        cores = arguments.cores,
        time = arguments.time,
        part = parted.part("$SLURM_ARRAY_TASK_ID", arguments.shards),
        merge = parted.merge(),
    )
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(words: &[&str]) -> Result<String, String> {
        let command: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
        checked(&command).map(|parted| shell(&parted, 2)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_becomes_its_parts_and_their_merge() {
        let text = parted(&["evaluate", "my rules.toml", "--out", "a b", "--learner", "k-nn:k=5"]).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines[1],
            "kshot evaluate 'my rules.toml' --learner k-nn:k=5 --shard 2/2 --resume --out 'a b-part-'2"
        );
        assert_eq!(lines[2], "kshot merge 'a b-part-'* --out 'a b'");
        assert!(
            parted(&["embed", "d", "--out=f"]).unwrap().contains("kshot embed d --shard 1/2 --out f-part-1")
        );
    }

    #[test]
    fn what_has_no_parts_is_refused() {
        assert!(parted(&["train", "x", "--out", "y"]).unwrap_err().contains("one of `evaluate` or `embed`"));
        assert!(parted(&["evaluate", "x"]).unwrap_err().contains("needs a folder"));
        assert!(
            parted(&["evaluate", "x", "--shard=1/2", "--out", "y"]).unwrap_err().contains("leave it out")
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
