//! Photographs through a network, batch by batch: decoded and scaled in parallel while the network computes, and never more
//! of them in memory than a few batches.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use rayon::prelude::*;

use super::kept::Kept;
use super::{Behind, Network};
use crate::backbone::{Architecture, Backbone, BackboneError, PREPROCESSING, Saved};
use crate::data::{
    ClassEmbeddings, DATASETS, DataError, Dataset, Holds, NewStore, Photograph, Precision, Provenance,
    open_dataset,
};
use crate::episode::sha256;
use crate::eval::{self, RawItems};
use crate::image::Recipe;
use crate::numbers::{ReadRows, Values};
use crate::results::Shard;
use crate::run::device::{Device, on_device};
use crate::run::error::RunError;
use crate::run::watch::{Progress, Watch};
use crate::tensor::conv::ConvOps;
use crate::tensor::{TensorError, to_host};
use crate::vocab::{Form, SawClasses, counted};

/// Raised when the same pictures and weights give other features.
const FORMAT: &str = "kshot photographs 1";

/// Batches that are decoded ahead of the network.
const AHEAD: usize = 2;

/// Seconds between two sentences on how it goes.
const TELL: f64 = 10.0;

/// Photographs and a network that says how they are scaled.
pub(crate) struct Work {
    dataset: Arc<dyn Dataset>,
    network: Saved,
    recipe: Recipe,
    provenance: Provenance,
    /// What the features depend on.
    key: String,
    /// What makes class embeddings.
    #[cfg(feature = "text")]
    tower: Option<super::class_tower::ClassTower>,
}

/// The recipe of weights; nothing where they read items as they are.
pub(crate) fn recipe(saved: &Saved, backbone: &Network) -> Result<Option<Recipe>, RunError> {
    let Some(text) = saved.metadata.get(PREPROCESSING) else { return Ok(None) };
    let wrong = |what: String| {
        RunError::Request(format!("weights of backbone `{}`: `{PREPROCESSING}`: {what}", backbone.backbone))
    };
    let recipe: Recipe = text.parse().map_err(|error: crate::image::RecipeError| wrong(error.to_string()))?;
    match recipe.form() == saved.config.form() {
        true => Ok(Some(recipe)),
        false => {
            Err(wrong(format!("it gives `{}`, the network reads `{}`", recipe.form(), saved.config.form())))
        }
    }
}

/// The name of a dataset, what its features depend on, and the work that makes them.
pub(crate) fn plan(
    network: &Network,
    dataset: &str,
    saved: Saved,
    recipe: Recipe,
) -> Result<(String, String, Work), RunError> {
    let source = open_dataset(dataset, &network.data)?.ok_or_else(|| {
        let images = DATASETS.iter().filter(|kind| kind.holds == Holds::Images && !kind.is_made());
        let known: Vec<String> = images.map(|kind| format!("`{}`", kind.usage)).collect();
        RunError::Request(format!(
            "dataset `{dataset}` has no photographs, expected one of {}",
            known.join(", ")
        ))
    })?;
    let data = source.recipe()?;
    let backbone = network.backbone.name();
    let said = |key: &str| saved.metadata.get(key).cloned();
    #[cfg(feature = "text")]
    let (tower, class_embeddings, texts) = match super::class_tower::beside(network, &source.items()?.listed)?
    {
        Some((tower, source, hash)) => (Some(tower), Some(source), format!("{hash}\n")),
        None => (None, None, String::new()),
    };
    #[cfg(not(feature = "text"))]
    let (class_embeddings, texts) = (None, "");
    let provenance = Provenance {
        class_embeddings,
        backbone: said("recipe").map_or(backbone.to_string(), |recipe| format!("{backbone}:{recipe}")),
        trained_on: network.trained_on.clone().or_else(|| said("trained_on")),
        saw_classes: saw(network, &saved, source.as_ref())?,
        weights_sha256: Some(sha256(&saved.bytes())),
        preprocessing: Some(recipe.to_string()),
        ..Provenance::default()
    };
    let lines = format!("{dataset}\n{data}\n{provenance:?}\n{texts}");
    let key = sha256(format!("{FORMAT}\n{lines}").as_bytes());
    let name = source.name().to_string();
    let work = Work {
        dataset: source.into(),
        network: saved,
        recipe,
        provenance,
        key,
        #[cfg(feature = "text")]
        tower,
    };
    Ok((name, lines, work))
}

/// Whether the network saw the classes of the dataset: as the command line says, else as the card beside the weights.
fn saw(network: &Network, saved: &Saved, dataset: &dyn Dataset) -> Result<SawClasses, DataError> {
    Ok(match (network.saw_classes, network.backbone.seed_train(), &saved.card) {
        // What nobody has trained has seen nothing.
        (_, Some(_), _) => SawClasses::None,
        (SawClasses::Unknown, None, Some(card)) => {
            card.saw(dataset.items()?.listed.iter().map(|(class, _, _)| class.as_str()))
        }
        (said, _, _) => said,
    })
}

/// What came of it.
pub(crate) struct Embedded {
    pub(crate) kept: Kept,
    /// The key of its rows.
    pub(crate) key: String,
    /// What it was made of and with, which all parts of one whole share.
    pub(crate) made_of: String,
    /// Items of the whole dataset.
    pub(crate) total: usize,
    /// The items of this part.
    pub(crate) part: Range<usize>,
    /// Items of this part that could not be read, with what is wrong.
    pub(crate) broken: Vec<(usize, String)>,
    /// Items that were the first frames of animations, as far as this run has read them.
    pub(crate) animated: usize,
    /// The files beside the features, with all items of the dataset.
    pub(crate) tables: Vec<(&'static str, Vec<u8>)>,
}

impl Work {
    /// Makes features of all items, or of a part of them, and keeps them in `folder` as they come.
    ///
    /// Items that cannot be read are passed over and named in the end, so that a run over night does not stop at the first.
    pub(crate) fn embed(
        &self,
        folder: &Path,
        shard: Option<Shard>,
        device: Device,
        watch: &dyn Watch,
    ) -> Result<Embedded, RunError> {
        #[cfg(feature = "text")]
        let embeddings = self.tower.as_ref().map(|tower| tower.embed(device)).transpose()?;
        #[cfg(not(feature = "text"))]
        let embeddings = None;
        let mut embedded =
            on_device!(device, |open, Kind| self.on::<Kind>(open, device.name(), folder, shard, watch))?;
        embedded.tables = self.tables(embedded.kept.dim(), embeddings.as_ref())?;
        Ok(embedded)
    }

    fn on<D: ConvOps>(
        &self,
        open: impl Fn() -> Result<D, TensorError>,
        device: &str,
        folder: &Path,
        shard: Option<Shard>,
        watch: &dyn Watch,
    ) -> Result<Embedded, RunError> {
        let network = self.network.on(&open()?)?;
        self.run(network.as_ref(), device, folder, shard, watch)
    }

    /// The network and its photographs, each decoded when it is asked for; nothing where there are none.
    pub(crate) fn behind(&self) -> Option<Behind> {
        let (form, count) = (self.recipe.form(), self.dataset.items().ok()?.ids.len());
        let dim = form.dim()?;
        let decoded = Decoded { dataset: Arc::clone(&self.dataset), recipe: self.recipe.clone(), dim };
        let items = RawItems { values: Values::File(Arc::new(decoded)), count, dim, form };
        Some(Behind { items, network: Arc::new(self.network.clone()), kept: eval::Kept::default() })
    }

    /// What was left out of the dataset, as sentences.
    pub(crate) fn notes(&self) -> &[String] {
        self.dataset.notes()
    }

    /// As [`Work::embed`], with a network that lies on its device.
    pub(crate) fn run<D: ConvOps>(
        &self,
        network: &dyn Backbone<D>,
        device: &str,
        folder: &Path,
        shard: Option<Shard>,
        watch: &dyn Watch,
    ) -> Result<Embedded, RunError> {
        let items = self.dataset.items()?;
        let (total, batch, dim) = (items.ids.len(), network.batch_size().max(1), network.dim());
        if total == 0 {
            return Err(RunError::Request(format!("dataset `{}` has no images", self.dataset.name())));
        }
        let part = places(total, batch, shard)?;
        // A batch on another device, or of another size, may differ in its last digits.
        let key = sha256(format!("{}\n{device} {batch}", self.key).as_bytes());
        let own =
            sha256(format!("{key}\n{}", shard.map_or(String::new(), |shard| shard.to_string())).as_bytes());
        let mut kept = Kept::begin(folder, &own, dim, batch, part.len())?;
        let animated = self.fill(network, &part, &mut kept, watch)?;
        let mut broken = Vec::new();
        kept.read(|row, values| {
            if values.is_none() {
                broken.push(part.start + row);
            }
            Ok(())
        })?;
        let broken = broken.into_iter().map(|item| (item, self.fault(item))).collect();
        let tables = self.tables(dim, None)?;
        Ok(Embedded { kept, key: own, made_of: key, total, part, broken, animated, tables })
    }

    /// The files beside features of `dim` numbers.
    fn tables(
        &self,
        dim: usize,
        class_embeddings: Option<&ClassEmbeddings>,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, RunError> {
        let items = self.dataset.items()?;
        let store = NewStore {
            features: &[],
            dim,
            precision: Precision::F32,
            classes: &items.classes,
            parts: items.parts.as_deref(),
            groups: items.groups.as_deref(),
            ids: &items.ids,
            listed: &items.listed,
            class_embeddings,
            provenance: &self.provenance,
            form: Form::Vector,
        };
        Ok(store.tables())
    }

    /// Runs the network over the items of a part that are not kept yet; gives how many were animations.
    fn fill<D: ConvOps>(
        &self,
        network: &dyn Backbone<D>,
        part: &Range<usize>,
        kept: &mut Kept,
        watch: &dyn Watch,
    ) -> Result<usize, RunError> {
        let (batch, done) = (network.batch_size().max(1), kept.rows());
        let (name, total) = (format!("embedding {}", self.dataset.name()), part.len() as u64);
        let size = match done {
            0 => counted(total, "image", "images"),
            done => format!("{}, {done} of them by an earlier run", counted(total, "image", "images")),
        };
        let progress = Progress::resume(watch, &name, &size, total, done as u64);
        let pace = Pace::start(total as usize - done);
        let mut animated = 0;
        let (send, batches) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let starts = (part.start + done..part.end).step_by(batch);
            scope.spawn(move || {
                for first in starts {
                    let items = first..(first + batch).min(part.end);
                    let prepared: Vec<_> = items.into_par_iter().map(|item| self.prepared(item)).collect();
                    if send.send(prepared).is_err() {
                        return;
                    }
                }
            });
            let (mut pixels, mut pace) = (Vec::new(), pace);
            for prepared in batches {
                let (broken, moving) = self.gather(prepared, &mut pixels)?;
                animated += moving;
                let features = network.embed(&pixels).and_then(|features| to_host(&features));
                let mut features = features.map_err(BackboneError::from)?;
                let rows = features.len() / kept.dim();
                kept.push(&mut features, &broken)?;
                progress.advance(rows as u64);
                progress.go_on()?;
                if let Some(sentence) = pace.after(rows) {
                    progress.tell(&format!("{name}: {sentence}"));
                }
            }
            Ok(animated)
        })
    }

    /// The numbers of a batch one after the other, with the rows that could not be read and how many are animations.
    fn gather(
        &self,
        prepared: Vec<Prepared>,
        pixels: &mut Vec<f32>,
    ) -> Result<(Vec<usize>, usize), DataError> {
        pixels.clear();
        let (mut broken, mut animated) = (Vec::new(), 0);
        for (row, item) in prepared.into_iter().enumerate() {
            match item {
                Ok((numbers, moves)) => {
                    pixels.extend_from_slice(&numbers);
                    animated += usize::from(moves);
                }
                // Others keep their places, so that a batch gives the same features with it and without.
                Err(fault) if is_of_the_file(&fault) => {
                    broken.push(row);
                    pixels.resize(pixels.len() + self.recipe.form().dim().unwrap_or(1), 0.0);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok((broken, animated))
    }

    fn photograph(&self, item: usize) -> Result<Photograph, DataError> {
        self.dataset.photograph(item)?.ok_or_else(|| DataError::Spec {
            spec: self.dataset.name().to_string(),
            what: "its items are no photographs in files, and this network scales such".to_string(),
        })
    }

    /// The numbers that the network reads, and whether the item is one frame of several.
    fn prepared(&self, item: usize) -> Prepared {
        let Photograph { image, animated } = self.photograph(item)?;
        Ok((self.recipe.apply(&image), animated))
    }

    /// What is wrong with an item.
    fn fault(&self, item: usize) -> String {
        match self.photograph(item) {
            Ok(_) => format!("{}: it can be read now", self.dataset.place(item).display()),
            // Without the hint, and on one line whatever the path is.
            Err(error) => {
                let text = error.to_string();
                text.split("\nhint: ").next().unwrap_or_default().replace('\n', "\\n")
            }
        }
    }
}

/// Photographs as rows of numbers that a network reads.
struct Decoded {
    dataset: Arc<dyn Dataset>,
    recipe: Recipe,
    dim: usize,
}

impl ReadRows for Decoded {
    fn read_block(&self, first_row: usize, out: &mut [f32]) -> io::Result<()> {
        out.par_chunks_exact_mut(self.dim).enumerate().try_for_each(|(row, out)| {
            let photograph = self.dataset.photograph(first_row + row).map_err(io::Error::other)?;
            let photograph = photograph.ok_or_else(|| io::Error::other("the item is no photograph"))?;
            out.copy_from_slice(&self.recipe.apply(&photograph.image));
            Ok(())
        })
    }
}

/// The numbers that a network reads of an item, and whether it is one frame of several.
type Prepared = Result<(Vec<f32>, bool), DataError>;

/// Whether an error is one of a single file, not of the request.
fn is_of_the_file(error: &DataError) -> bool {
    !error.is_request()
}

/// The items of a part: whole batches, as even as they can be.
fn places(total: usize, batch: usize, shard: Option<Shard>) -> Result<Range<usize>, RunError> {
    let Some(Shard { number, of }) = shard else { return Ok(0..total) };
    let batches = total.div_ceil(batch);
    let (number, of) = (number as usize, of as usize);
    if of > batches {
        return Err(RunError::Request(format!(
            "{total} images are {batches} batches of {batch}, fewer than {of} parts\nhint: ask for {batches} parts or fewer"
        )));
    }
    let start = |part: usize| (batches * part / of * batch).min(total);
    Ok(start(number - 1)..start(number))
}

/// How fast it goes.
struct Pace {
    begun: Instant,
    told: Instant,
    done: usize,
    all: usize,
}

impl Pace {
    fn start(all: usize) -> Pace {
        Pace { begun: Instant::now(), told: Instant::now(), done: 0, all }
    }

    /// After so many more items: a sentence, now and then.
    fn after(&mut self, items: usize) -> Option<String> {
        self.done += items;
        if self.told.elapsed().as_secs_f64() < TELL {
            return None;
        }
        self.told = Instant::now();
        Some(pace(self.done, self.all, self.begun.elapsed().as_secs_f64()))
    }
}

/// Images per second, and the time that is left.
fn pace(done: usize, all: usize, seconds: f64) -> String {
    let rate = done as f64 / seconds;
    let left = ((all - done) as f64 / rate).round() as u64;
    let left = match (left / 3600, left / 60 % 60, left % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    };
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    format!("{rate} images/s, {left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_batches_that_cover_all_items_once() {
        for (total, batch, of) in [(100, 8, 3), (7, 1, 7), (33, 32, 2), (1000, 32, 5)] {
            let parts: Vec<Range<usize>> =
                (1..=of).map(|number| places(total, batch, Some(Shard { number, of })).unwrap()).collect();
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, total));
            assert!(parts.windows(2).all(|two| two[0].end == two[1].start));
            assert!(parts.iter().all(|part| !part.is_empty() && part.start % batch == 0));
        }
        let said = places(40, 32, Some(Shard { number: 1, of: 3 })).unwrap_err().to_string();
        assert!(said.starts_with("40 images are 2 batches of 32, fewer than 3 parts\nhint: "), "{said}");
    }

    #[test]
    fn the_pace_is_said_with_the_time_that_is_left() {
        assert_eq!(pace(100, 1000, 10.0), "10 images/s, 1 min 30 s left");
        assert_eq!(pace(5, 100_000, 10.0), "0.5 images/s, 55 h 33 min left");
        assert_eq!(pace(90, 100, 1.0), "90 images/s, 0 s left");
    }
}
