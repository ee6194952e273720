//! `kshot predict`: labelled items and items without labels in, a class for each of these out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::flags::{InputFlags, whole};
use super::progress::Terminal;
use super::{Outcome, say, tell};
use crate::learner::Learners;
use crate::run::{self, PredictDone, PredictRequest, Resources, ThresholdFrom, ThresholdRule};

const EXAMPLES: &str = "Examples:
  kshot predict new-photos --features folder:people --backbone resnet50:weights=resnet50.safetensors --out predictions
  kshot predict drawings --features folder:characters,side=28,channels=1,dark=lines \\
    --backbone conv4:weights=conv4-omniglot-5shot --learner linear-probe --out predictions
  kshot predict questions.txt --features texts:labelled.csv --backbone bert:weights=all-MiniLM-L6-v2 --out predictions
  kshot predict new.npy --features labelled.npz --learner ridge --threshold validation --out predictions
  kshot predict --features folder:people --backbone resnet50:weights=resnet50.safetensors --save people
  kshot predict new-photos --load people --features folder:one-more --save people-2 --out predictions-2";

/// Label items by a few labelled ones, and refuse those that are of none of their classes.
///
/// The support is named by --features; adding a class to it is adding a folder. Items need no labels: a folder of images, a .txt, .csv
/// or .jsonl of sentences, or features. The answers go to predictions.csv: item, class, its probability, the confidence score, and
/// whether the answer is refused because that is below the threshold.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Items without labels, made into features like the support. Leave it out to save a classifier only.
    items: Option<String>,
    /// Learner, `name` or `name:key=value,key=value`, of any setting. Default: prototypical.
    #[arg(long, value_name = "SPEC")]
    learner: Option<String>,
    /// What sets the confidence score below which an answer is refused: `cross-validation` inside the support, where items and whole
    /// classes are left out in turn; `validation`, the validation classes of the feature set; `none`; or a number.
    /// Default: cross-validation.
    #[arg(long, value_name = "HOW", allow_negative_numbers = true)]
    threshold: Option<ThresholdFrom>,
    /// Share of items of known classes that the threshold accepts. Default: what makes the mean of that share and of the share of
    /// unknown items that are refused the largest.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    keep: Option<f64>,
    /// Folder for predictions.csv and predictions.json.
    #[arg(long, value_name = "DIR", requires = "items")]
    out: Option<PathBuf>,
    /// Write the classifier into this folder, for --load.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Begin with a saved classifier; a support beside it adds its classes.
    #[arg(long, value_name = "DIR")]
    load: Option<PathBuf>,
    /// Replace what --out or --save already hold.
    #[arg(long)]
    overwrite: bool,
    /// Seed of the learner's random numbers. Default: 7.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Workers, each on a core of its own. Default: all cores. Answers do not depend on it.
    #[arg(long, value_name = "N", value_parser = whole(1, 1024))]
    workers: Option<usize>,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
}

/// Reads a share.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "must be a number above 0 and up to 1".to_string())
}

pub(super) fn run(learners: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let Arguments { items, learner, out, save, load, overwrite, seed, .. } = arguments;
    let rule = ThresholdRule { from: arguments.threshold.unwrap_or_default(), keep: arguments.keep };
    let asked = arguments.threshold.is_some() || arguments.keep.is_some();
    let request = PredictRequest {
        inputs: arguments.inputs.inputs(),
        items: items.clone(),
        learner: learner.clone(),
        threshold: asked.then_some(rule),
        load: load.clone(),
        save: save.clone(),
        out: out.clone(),
        overwrite: *overwrite,
        seed: *seed,
    };
    let device = arguments.inputs.device.chosen()?;
    let workers = arguments.workers.unwrap_or(device.workers());
    let watch = Terminal::default();
    let done = run::predict(&request, &Resources { learners, device, workers, watch: &watch })?;
    done.warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
    say(&told(&done, &request))?;
    Ok(Outcome::Done)
}

/// What came of it, for the screen.
fn told(done: &PredictDone, request: &PredictRequest) -> String {
    let classifier = &done.classifier;
    let (classes, items) = (classifier.classes().len(), classifier.support_items());
    let mut text =
        format!("support: {classes} classes, {items} items, learner {}\n", classifier.learner().learner());
    text += &match classifier.threshold() {
        None => "threshold: none, nothing is refused\n".to_string(),
        Some(threshold) => {
            let from = classifier.rule().from;
            let percent = |share: Option<f64>| {
                share.map_or("–".to_string(), |share| format!("{:.1} %", 100.0 * share))
            };
            let held_out = format!(
                "; left out: {} items of known classes, {} right, {} accepted; {} items of others, {} refused",
                threshold.known,
                percent(threshold.accuracy),
                percent(threshold.kept),
                threshold.unknown,
                percent(threshold.refused)
            );
            let held_out = if threshold.known > 0 { held_out } else { String::new() };
            format!("threshold: {} from {from}{held_out}\n", threshold.value)
        }
    };
    if let Some(predictions) = &done.predictions {
        let (count, refused) = (predictions.items.len(), predictions.refused());
        let share = 100.0 * refused as f64 / count.max(1) as f64;
        text += &format!("items: {count}, {refused} refused ({share:.1} %)\n");
    }
    let seconds: Vec<String> = done.seconds.iter().map(|(what, s)| format!("{what} {s:.2}")).collect();
    text += &format!("seconds: {}\n", seconds.join(", "));
    let folder = |what: &str, path: &Option<PathBuf>| {
        path.as_ref().map_or(String::new(), |path| format!("{what}: {}\n", path.display()))
    };
    text + &folder("predictions", &request.out) + &folder("classifier", &request.save)
}
