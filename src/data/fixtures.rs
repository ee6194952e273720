//! Small stores for tests, written in every form.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use super::{DataError, OpenOptions, Store};
use crate::data::format::npy::tests::{matrix, text};
use crate::rng::{Purpose, Stream};
use crate::vocab::Split;

/// The columns of a small store; texts, as they would stand in files.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub values: Vec<f32>,
    pub dim: usize,
    pub class: Vec<String>,
    /// In order of first appearance.
    pub splits: Vec<(String, String)>,
    pub part: Vec<String>,
    pub group: Vec<String>,
    pub id: Vec<String>,
}

/// Three classes of two items each, with every column.
pub fn sample() -> Sample {
    let words = |words: &[&str]| words.iter().map(|w| w.to_string()).collect::<Vec<_>>();
    Sample {
        values: vec![0.5, -1.0, 2.0, 3.25, 0.1, 0.2, 1e-3, 7.0, 4.0, 4.5, -6.0, 0.0],
        dim: 2,
        class: words(&["dog", "cat", "dog", "ant", "cat", "ant"]),
        splits: [("dog", "base"), ("cat", "validation"), ("ant", "novel")]
            .map(|(c, s)| (c.to_string(), s.to_string()))
            .to_vec(),
        part: words(&["train", "train", "test", "train", "test", "test"]),
        group: words(&["", "g", "", "h", "g", ""]),
        id: words(&["a", "b", "c", "d", "é", "f,\"1\""]),
    }
}

impl Sample {
    fn rows(&self) -> usize {
        self.class.len()
    }

    fn columns(&self) -> Vec<(&'static str, &Vec<String>)> {
        let all = [("class", &self.class), ("part", &self.part), ("group", &self.group), ("id", &self.id)];
        all.into_iter().filter(|(_, column)| !column.is_empty()).collect()
    }

    pub fn folder(&self, at: &Path) -> PathBuf {
        let folder = at.join("store");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("features.npy"), matrix(self.rows(), self.dim, &self.values)).unwrap();
        let mut items = csv::Writer::from_path(folder.join("items.csv")).unwrap();
        items.write_record(self.columns().iter().map(|(name, _)| name)).unwrap();
        for row in 0..self.rows() {
            items.write_record(self.columns().iter().map(|(_, column)| &column[row])).unwrap();
        }
        items.flush().unwrap();
        let mut splits = csv::Writer::from_path(folder.join("splits.csv")).unwrap();
        splits.write_record(["class", "split"]).unwrap();
        self.splits.iter().for_each(|(class, split)| splits.write_record([class, split]).unwrap());
        splits.flush().unwrap();
        folder
    }

    pub fn csv(&self, at: &Path) -> PathBuf {
        let path = at.join("store.csv");
        let mut table = csv::Writer::from_path(&path).unwrap();
        let features = (0..self.dim).map(|d| format!("f{d}"));
        let names = self.columns().iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        table.write_record(names.into_iter().chain(["split".to_string()]).chain(features)).unwrap();
        for row in 0..self.rows() {
            let texts = self.columns().iter().map(|(_, column)| column[row].clone()).collect::<Vec<_>>();
            let split = self.splits.iter().find(|(class, _)| *class == self.class[row]).unwrap().1.clone();
            let numbers = self.values[row * self.dim..(row + 1) * self.dim].iter().map(f32::to_string);
            table.write_record(texts.into_iter().chain([split]).chain(numbers)).unwrap();
        }
        table.flush().unwrap();
        path
    }

    pub fn npz(&self, at: &Path, compressed: bool) -> PathBuf {
        let words = |column: &[String]| text(&column.iter().map(String::as_str).collect::<Vec<_>>());
        let splits: Vec<String> = self.splits.iter().map(|(_, split)| split.clone()).collect();
        let mut members = vec![("features", matrix(self.rows(), self.dim, &self.values))];
        members.extend(self.columns().iter().map(|(name, column)| (*name, words(column))));
        let classes: Vec<String> = self.splits.iter().map(|(class, _)| class.clone()).collect();
        members.extend([("classes", words(&classes)), ("class_split", words(&splits))]);
        archive(at, compressed, &members)
    }

    pub fn safetensors(&self, at: &Path) -> PathBuf {
        let codes = self.class.iter().map(|c| self.splits.iter().position(|(class, _)| class == c).unwrap());
        let codes: Vec<u8> = codes.flat_map(|code| (code as i64).to_le_bytes()).collect();
        let values: Vec<u8> = self.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let classes: Vec<&String> = self.splits.iter().map(|(class, _)| class).collect();
        let splits: serde_json::Map<_, _> = self.splits.iter().map(|(c, s)| (c.clone(), json!(s))).collect();
        let mut metadata =
            json!({ "classes": json!(classes).to_string(), "splits": json!(splits).to_string() });
        for (name, column) in &self.columns()[1..] {
            metadata[name] = json!(json!(column).to_string());
        }
        let header = json!({
            "__metadata__": metadata,
            "features": { "dtype": "F32", "shape": [self.rows(), self.dim], "data_offsets": [0, values.len()] },
            "class": {
                "dtype": "I64", "shape": [self.rows()], "data_offsets": [values.len(), values.len() + codes.len()],
            },
        });
        tensors(at, &header, &[values, codes].concat())
    }
}

/// An archive of arrays.
pub fn archive(at: &Path, compressed: bool, members: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = at.join("store.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let method = if compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
    path
}

/// A .safetensors file of this header and body.
pub fn tensors(at: &Path, header: &serde_json::Value, body: &[u8]) -> PathBuf {
    let path = at.join("store.safetensors");
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(body);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The sample as a folder in which some files are replaced.
pub fn folder_with(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = sample().folder(place.path());
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    (place, folder)
}

pub fn open(path: &Path) -> Result<Store, DataError> {
    Store::open(path, &OpenOptions::default())
}

/// The sentence with which a store is refused, its path shortened to what lies in `place`.
pub fn refusal(place: &Path, path: &Path) -> String {
    open(path).unwrap_err().to_string().replace(&format!("{}/", place.display()), "")
}

/// The sentence with which a folder of the sample is refused when some of its files are replaced.
pub fn folder_refusal(files: &[(&str, &[u8])]) -> String {
    let (place, folder) = folder_with(files);
    refusal(place.path(), &folder)
}

/// All numbers of a store.
pub fn numbers(store: &Store) -> Vec<f32> {
    let mut numbers = vec![0.0; store.rows() * store.dim()];
    store.values().read_block(store.dim(), 0, &mut numbers).unwrap();
    numbers
}

/// The share of queries whose nearest class mean is their own, over episodes of novel classes with one query each.
pub fn nearest_mean_accuracy(store: &Store, way: usize, shot: usize, episodes: u32) -> f64 {
    let (values, dim, index) = (numbers(store), store.dim(), store.index());
    let row = |item: crate::vocab::ItemId| &values[item.index() * dim..(item.index() + 1) * dim];
    let mut correct = 0;
    for episode in 0..episodes {
        let mut stream = Stream::new(3, Purpose::Draw, episode);
        let mut classes: Vec<_> = index.of_split(Split::Novel).collect();
        stream.choose(&mut classes, way);
        let items: Vec<_> = classes[..way]
            .iter()
            .map(|class| {
                let mut items = index.class(*class).items.clone();
                stream.choose(&mut items, shot + 1);
                items
            })
            .collect();
        let means: Vec<Vec<f32>> = items
            .iter()
            .map(|items| {
                (0..dim)
                    .map(|d| items[..shot].iter().map(|i| row(*i)[d]).sum::<f32>() / shot as f32)
                    .collect()
            })
            .collect();
        for (label, items) in items.iter().enumerate() {
            let distance = |mean: &Vec<f32>| {
                mean.iter().zip(row(items[shot])).map(|(m, x)| (m - x).powi(2)).sum::<f32>()
            };
            let distances: Vec<f32> = means.iter().map(distance).collect();
            correct += usize::from(distances.iter().all(|d| *d >= distances[label]));
        }
    }
    correct as f64 / (episodes as usize * way) as f64
}
