//! `kshot report`: result folders in, one page out.

use std::path::{Path, PathBuf};

use clap::Args;

use super::compare::{bits, read, smallest};
use super::error::CliError;
use super::{Outcome, files, say};
use crate::data::{self, Fingerprint, OpenOptions, Store};
use crate::episode::{Draw, Episode, sha256};
use crate::protocol::SHIPPED;
use crate::report::compare::{self, CompareError, Options};
use crate::report::html::{self, HardClass, HardEpisode, Picture, Request, WrongItem};
use crate::report::{ReadQuery, ReadTable, ResultsFolder, read_queries};
use crate::vocab::{Form, ItemId, Metric};

const EXAMPLES: &str = "Examples:
  kshot report results/quickstart --out report.html
  kshot report results/mine results/theirs --baseline prototypical --out report.html --plots plots
  kshot report results/quickstart --features glyphs --out report.html   # after evaluate --queries";

/// Rounds of the sign-flip test.
const ROUNDS: u64 = 9_999;

/// Make one page of results that opens anywhere: tables, plots, and what can be claimed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Result folders of `kshot evaluate`.
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// Page to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Learner from which the differences are taken, `name` or `name:key=value`. Default: all pairs, shown from the best.
    #[arg(long, value_name = "LEARNER")]
    baseline: Option<String>,
    /// Smallest difference that matters, in points of accuracy. Default: 0.5.
    #[arg(long, value_name = "POINTS")]
    smallest: Option<f64>,
    /// Also write every plot as an SVG file into this folder.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Feature store or embedded dataset of the results, for pictures of a hard episode; needs queries.csv and images.
    #[arg(long, value_name = "PATH")]
    features: Option<String>,
    /// Replace the page where it is there already.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let (folder, name) = place(&arguments.out)?;
    files::check_free(&folder, &[name], arguments.overwrite)?;
    let folders = read(&arguments.results)?;
    let options = Options {
        metric: Metric::Accuracy,
        baseline: arguments.baseline.as_deref(),
        smallest: smallest(Metric::Accuracy, arguments.smallest),
        rounds: ROUNDS,
    };
    let comparison = match compare::compare(&folders, &options, &bits) {
        Ok(comparison) => Some(comparison),
        Err(CompareError::Alone { .. }) if arguments.baseline.is_none() => None,
        Err(error) => return Err(error.into()),
    };
    let hard = arguments.features.as_deref().map(|named| hard_episode(named, &folders)).transpose()?;
    let request = Request { folders: &folders, comparison: comparison.as_ref(), hard: hard.as_ref() };
    let page = html::page(&request)?;
    files::write(&folder, &[], &[(name, page.html.into_bytes())])?;
    if let Some(plots) = &arguments.plots {
        let names: Vec<String> = page.plots.iter().map(|plot| format!("{}.svg", plot.name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        files::check_free(plots, &names, arguments.overwrite)?;
        let drawn = names.iter().zip(&page.plots).map(|(name, plot)| (*name, plot.file().into_bytes()));
        files::write(plots, &[], &drawn.collect::<Vec<_>>())?;
    }
    say(&format!("report: {}\n", arguments.out.display()))?;
    Ok(Outcome::Done)
}

/// The folder and the name of a file.
fn place(path: &Path) -> Result<(PathBuf, &str), CliError> {
    let name = path.file_name().and_then(|name| name.to_str()).filter(|_| !path.is_dir());
    let name =
        name.ok_or_else(|| CliError::Request(format!("--out must name a file, got {}", path.display())))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")).to_path_buf(), name))
}

/// The episode in which the best learner that has queries did worst, in pictures.
fn hard_episode(named: &str, folders: &[ResultsFolder]) -> Result<HardEpisode, CliError> {
    let store = match data::embedded(named) {
        Some(store) => store?,
        None => Store::open(named, &OpenOptions::default())?,
    };
    let Form::Image { channels, height, width } = store.form() else {
        return Err(CliError::Request(format!(
            "pictures need items that are images, those of {named} are of form `{}`",
            store.form()
        )));
    };
    let hash = Fingerprint::start(&store).wait()?;
    let mean = |read: &ReadTable| {
        let (correct, total) = (read.correct.iter().sum::<u32>(), read.total.iter().sum::<u32>());
        f64::from(correct) / f64::from(total)
    };
    let with_queries = folders.iter().filter(|folder| folder.path.join("queries.csv").exists());
    let tables = with_queries.flat_map(|folder| folder.tables.iter().map(move |read| (folder, read)));
    let tables = tables.filter(|(_, read)| read.features_sha256 == hash);
    let best = tables.max_by(|a, b| mean(a.1).total_cmp(&mean(b.1)));
    let Some((folder, read)) = best else {
        return Err(CliError::Request(format!(
            "no result has both queries.csv and the features {named} (sha256 {hash})\nhint: evaluate with --queries"
        )));
    };
    let worst = (0..read.correct.len()).min_by(|a, b| {
        let accuracy = |place: usize| f64::from(read.correct[place]) / f64::from(read.total[place]);
        accuracy(*a).total_cmp(&accuracy(*b))
    });
    let worst = worst.unwrap_or(0);
    let number = read.dealt.episodes[worst];
    let queries = read_queries(&folder.path, &read.key(), number)?;
    let draw = draw_of(folder, read, &store)?;
    let dealt = draw.episodes().find(|episode| episode.number() == number);
    let Some(dealt) = dealt else {
        return Err(CliError::Request(format!(
            "the draw of {} has no episode {number}",
            folder.path.display()
        )));
    };
    let title = format!(
        "Episode {number} of {}, where {} got {} of {} queries right: its support, and the queries that it took for \
         another class.",
        read.table.protocol, read.table.learner, read.correct[worst], read.total[worst]
    );
    let pictures = Pictures { store: &store, channels, height, width };
    Ok(HardEpisode { title, classes: pictures.classes(dealt, &queries, read)? })
}

/// The draw of a table: beside the results, a file, or one that ships with kshot; known by its hash.
fn draw_of(folder: &ResultsFolder, read: &ReadTable, store: &Store) -> Result<Draw, CliError> {
    let protocol = &read.table.protocol;
    let record = folder.run.protocols.iter().find(|record| record.name == *protocol);
    let named = record.and_then(|record| record.draw.as_deref()).map(PathBuf::from);
    let beside = ["draw.csv".to_string(), format!("draw-{protocol}.csv")].map(|name| folder.path.join(name));
    let files = beside.into_iter().chain(named).filter_map(|path| {
        let bytes = std::fs::read(&path).ok()?;
        Some((path.display().to_string(), bytes))
    });
    let shipped = SHIPPED
        .iter()
        .filter_map(|shipped| Some((format!("{}.csv", shipped.name), shipped.draw?.as_bytes().to_vec())));
    let ours = files.chain(shipped).find(|(_, bytes)| sha256(bytes) == read.table.draw_sha256);
    let Some((origin, bytes)) = ours else {
        return Err(CliError::Request(format!(
            "the draw of {protocol} (sha256 {}) is neither in {} nor where it was",
            read.table.draw_sha256,
            folder.path.display()
        )));
    };
    Ok(Draw::parse(&bytes, &origin, store.index())?)
}

/// Items as images.
struct Pictures<'a> {
    store: &'a Store,
    channels: usize,
    height: usize,
    width: usize,
}

impl Pictures<'_> {
    fn classes(
        &self,
        dealt: Episode<'_>,
        queries: &[ReadQuery],
        read: &ReadTable,
    ) -> Result<Vec<HardClass>, CliError> {
        let shot = match read.table.shot {
            crate::report::Size::Number(shot) => shot as usize,
            _ => usize::MAX,
        };
        let mut classes = Vec::new();
        for label in 0..dealt.way() {
            let name = self.store.index().class(dealt.class(label)).name.clone();
            let support = dealt.support(label).iter().take(shot).map(|item| self.picture(*item));
            let of_class = || queries.iter().filter(|query| query.class == name);
            let wrong = of_class().filter(|query| query.predicted != query.class).map(|query| {
                let picture = self.picture(ItemId(query.item))?;
                Ok(WrongItem { picture, predicted: query.predicted.clone() })
            });
            let (support, wrong) =
                (support.collect::<Result<_, CliError>>()?, wrong.collect::<Result<_, CliError>>()?);
            let queries = of_class().count();
            classes.push(HardClass { name, support, wrong, queries });
        }
        Ok(classes)
    }

    /// An item from its lowest number, black, to its highest, white; pictures of the web know no other scale.
    fn picture(&self, item: ItemId) -> Result<Picture, CliError> {
        let mut values = vec![0.0; self.store.dim()];
        self.store.read_item(item, &mut values)?;
        let low = values.iter().copied().fold(f32::INFINITY, f32::min);
        let span = (values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - low).max(f32::MIN_POSITIVE);
        let shown = if self.channels == 3 { 3 } else { 1 };
        let size = self.height * self.width;
        let pixels = (0..size * shown).map(|place| {
            let (pixel, channel) = (place / shown, place % shown);
            ((values[channel * size + pixel] - low) / span * 255.0).round() as u8
        });
        let (width, height) = (self.width as u32, self.height as u32);
        Ok(Picture { width, height, channels: shown as u8, pixels: pixels.collect() })
    }
}
