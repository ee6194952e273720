//! How good the features of a network are on frozen episodes: the nearest class mean answers.

use std::collections::HashMap;

use super::error::TrainError;
use crate::backbone::Backbone;
use crate::data::Store;
use crate::episode::Draw;
use crate::tensor::conv::ConvOps;
use crate::tensor::to_host;
use crate::vocab::ItemId;

/// The share of right answers over all queries of the draw.
pub(super) fn accuracy<D: ConvOps>(
    network: &dyn Backbone<D>,
    store: &Store,
    draw: &Draw,
) -> Result<f64, TrainError> {
    let mut wanted: Vec<ItemId> =
        draw.episodes().flat_map(|e| e.all_support().iter().chain(e.all_query()).copied()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let place: HashMap<ItemId, usize> = wanted.iter().copied().zip(0..).collect();
    let (size, dim) = (store.dim(), network.dim());
    let mut features = Vec::with_capacity(wanted.len() * dim);
    let mut images = Vec::new();
    for items in wanted.chunks(network.batch_size().max(1)) {
        images.resize(items.len() * size, 0.0);
        read(store, items, &mut images)?;
        features.extend(to_host(&network.embed(&images)?)?);
    }
    let row = |item: &ItemId| &features[place[item] * dim..(place[item] + 1) * dim];
    let (mut right, mut total) = (0usize, 0usize);
    for episode in draw.episodes() {
        let means: Vec<Vec<f32>> = (0..episode.way())
            .map(|label| {
                let items = episode.support(label);
                let mut mean = vec![0.0; dim];
                for item in items {
                    mean.iter_mut().zip(row(item)).for_each(|(m, x)| *m += x / items.len() as f32);
                }
                mean
            })
            .collect();
        for label in 0..episode.way() {
            for item in episode.query(label) {
                let distance =
                    |mean: &Vec<f32>| row(item).iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum::<f32>();
                let nearest =
                    (0..means.len()).min_by(|a, b| distance(&means[*a]).total_cmp(&distance(&means[*b])));
                right += usize::from(nearest == Some(label));
                total += 1;
            }
        }
    }
    Ok(right as f64 / total.max(1) as f64)
}

/// Copies items one after the other.
pub(super) fn read(store: &Store, items: &[ItemId], out: &mut [f32]) -> Result<(), TrainError> {
    for (item, out) in items.iter().zip(out.chunks_exact_mut(store.dim())) {
        let read = store.values().read_block(store.dim(), item.index(), out);
        read.map_err(|source| TrainError::Unreadable { item: item.index(), source })?;
    }
    Ok(())
}
