//! A hard episode in pictures: which one, and where its items are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::RunError;
use crate::data::{self, Fingerprint, OpenOptions, Store};
use crate::episode::{Draw, Episode, Frozen, draw_sha256};
use crate::protocol::SHIPPED;
use crate::report::html::{Hard, HardClass, HardEpisode, Picture, WrongItem};
use crate::results::{ReadQuery, ReadTable, ResultsFolder, Size, read_queries};
use crate::vocab::{Form, ItemId};

/// The file that holds single queries.
const QUERIES: &str = "queries.csv";

/// A hard episode of these results with the features that are named; without a name, with those that a run recorded,
/// where they are still there. Only what was asked for by name is an error where it cannot be had.
pub(crate) fn find(named: Option<&str>, folders: &[ResultsFolder]) -> Result<Hard, RunError> {
    if let Some(named) = named {
        return Ok(Hard::Shown(hard_episode(named, folders)?));
    }
    let with_queries = folders.iter().filter(|folder| folder.path.join(QUERIES).exists());
    let recorded: BTreeSet<&str> = with_queries
        .flat_map(|folder| &folder.run.protocols)
        .map(|protocol| protocol.source.as_str())
        .collect();
    let mut reason = "the results hold no single queries, which `evaluate --queries` writes".to_string();
    for features in recorded {
        match hard_episode(features, folders) {
            Ok(episode) => return Ok(Hard::Shown(episode)),
            Err(error) => reason = error.to_string().lines().next().unwrap_or_default().to_string(),
        }
    }
    Ok(Hard::Absent(reason))
}

/// The episode in which the best learner that has queries did worst, in pictures.
fn hard_episode(named: &str, folders: &[ResultsFolder]) -> Result<HardEpisode, RunError> {
    let store = match data::embedded(named) {
        Some(store) => store?,
        None => Store::open(named, &OpenOptions::default())?,
    };
    let Form::Image { channels, height, width } = store.form() else {
        return Err(RunError::Request(format!(
            "pictures need items that are images, those of {named} are of form `{}`",
            store.form()
        )));
    };
    let hash = Fingerprint::start(&store).wait()?;
    let mean = |read: &ReadTable| {
        let (correct, total) = (read.correct.iter().sum::<u32>(), read.total.iter().sum::<u32>());
        f64::from(correct) / f64::from(total)
    };
    let with_queries = folders.iter().filter(|folder| folder.path.join(QUERIES).exists());
    let tables = with_queries.flat_map(|folder| folder.tables.iter().map(move |read| (folder, read)));
    let tables = tables.filter(|(_, read)| read.features_sha256 == hash);
    let best = tables.max_by(|a, b| mean(a.1).total_cmp(&mean(b.1)));
    let Some((folder, read)) = best else {
        return Err(RunError::Request(format!(
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
        return Err(RunError::Request(format!(
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
fn draw_of(folder: &ResultsFolder, read: &ReadTable, store: &Store) -> Result<Draw, RunError> {
    let protocol = &read.table.protocol;
    let record = folder.run.of_table(&read.key());
    let named = record.and_then(|record| record.draw.as_deref()).map(PathBuf::from);
    let beside = ["draw.csv".to_string(), format!("draw-{protocol}.csv")].map(|name| folder.path.join(name));
    let files = beside.into_iter().chain(named).filter_map(|path| {
        let bytes = std::fs::read(&path).ok()?;
        Some((path.display().to_string(), bytes))
    });
    let shipped = SHIPPED
        .iter()
        .filter_map(|shipped| Some((format!("{}.csv", shipped.name), shipped.draw?.as_bytes().to_vec())));
    let ours = files.chain(shipped).find(|(_, bytes)| draw_sha256(bytes) == read.table.draw_sha256);
    let Some((origin, bytes)) = ours else {
        return Err(RunError::Request(format!(
            "the draw of {protocol} (sha256 {}) is neither in {} nor where it was",
            read.table.draw_sha256,
            folder.path.display()
        )));
    };
    Ok(Frozen::parse(&bytes, &origin, store)?.draw)
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
    ) -> Result<Vec<HardClass>, RunError> {
        let shot = match read.table.shot {
            Size::Number(shot) => shot as usize,
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
                (support.collect::<Result<_, RunError>>()?, wrong.collect::<Result<_, RunError>>()?);
            let queries = of_class().count();
            classes.push(HardClass { name, support, wrong, queries });
        }
        Ok(classes)
    }

    /// An item from its lowest number, black, to its highest, white; pictures of the web know no other scale.
    fn picture(&self, item: ItemId) -> Result<Picture, RunError> {
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
