//! Datasets of sentences by name.

use std::path::{Path, PathBuf};

use super::{Sentences, banking77, clinc150, texts};
use crate::data::DataError;

/// The datasets of sentences, with a line on each.
pub const TEXT_DATASETS: &[(&str, &str)] = &[
    (
        "clinc150",
        "150 intents in ten domains, and queries out of their scope (Larson et al. 2019); data_full.json",
    ),
    ("banking77", "77 intents of customers of a bank (Casanueva et al. 2020); train.csv and test.csv"),
    (
        "texts",
        "any table: a .csv or .jsonl file with text, class and optional part, split, id; write texts:FILE",
    ),
];

type Reader = fn(&Path) -> Result<Sentences, DataError>;

/// Reads a dataset of sentences and gives its name with it; nothing where `spec` is none.
///
/// `spec` is `clinc150` or `banking77`, which are looked for below the folder `data`; `clinc150:PATH`, `banking77:PATH`
/// or `texts:PATH`; or a path alone, of which the files tell what it is.
///
/// # Errors
/// When the dataset is not there, or its reader refuses it.
pub fn named(spec: &str, data: &Path) -> Result<Option<(String, Sentences)>, DataError> {
    let Some((name, path)) = place(spec, data) else { return Ok(None) };
    let read: Reader = match name.as_str() {
        "clinc150" => |path| clinc150(path),
        "banking77" => |path| banking77(path),
        _ => |path| texts(path),
    };
    if !path.exists() {
        return Err(DataError::NoDataset { name, path });
    }
    let sentences = read(&path)?;
    let own = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = if name == "texts" { own(&path).unwrap_or(name) } else { name };
    Ok(Some((name, sentences)))
}

/// Whether `spec` names a dataset of sentences by its kind: `clinc150`, `texts:mine.csv`. A file or folder of that name
/// goes before it.
pub fn is_named(spec: &str) -> bool {
    let kind = spec.split_once(':').map_or(spec, |(kind, _)| kind);
    let known = TEXT_DATASETS.iter().any(|(known, _)| *known == kind);
    known && !Path::new(spec).exists()
}

/// Whether a dataset of sentences lies at `spec`, a path, or below the folder `data`.
pub fn is_place(spec: &str, data: &Path) -> bool {
    place(spec, data).is_some_and(|(kind, path)| kind != "texts" && path.exists())
}

/// The kind of a dataset, and where it lies.
fn place(spec: &str, data: &Path) -> Option<(String, PathBuf)> {
    let known = |name: &str| TEXT_DATASETS.iter().any(|(known, _)| *known == name);
    if let Some((kind, path)) = spec.split_once(':').filter(|(kind, _)| known(kind)) {
        return Some((kind.to_string(), PathBuf::from(path)));
    }
    if known(spec) && spec != "texts" {
        return Some((spec.to_string(), data.join(spec)));
    }
    let path = PathBuf::from(spec);
    let has = |name: &str| path.join(name).is_file();
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let kind = match extension.as_deref() {
        _ if has("data_full.json") => "clinc150",
        _ if has("train.csv") && has("test.csv") => "banking77",
        Some("json") => "clinc150",
        Some("csv" | "jsonl") => "texts",
        _ => return None,
    };
    Some((kind.to_string(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_found_by_name_by_kind_and_by_its_files() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("banking77");
        std::fs::create_dir(&folder).unwrap();
        for (part, text) in [("train", "t1"), ("test", "t2")] {
            std::fs::write(folder.join(format!("{part}.csv")), format!("text,category\n{text},a\n")).unwrap();
        }
        let file = place.path().join("mine.csv");
        std::fs::write(&file, "text,class\nhello,a\n").unwrap();
        let read = |spec: &str| named(spec, place.path()).unwrap().map(|(name, s)| (name, s.texts.len()));
        let shown = folder.display();
        for spec in ["banking77".to_string(), format!("banking77:{shown}"), shown.to_string()] {
            assert_eq!(read(&spec), Some(("banking77".to_string(), 2)), "{spec}");
        }
        for spec in [format!("texts:{}", file.display()), file.display().to_string()] {
            assert_eq!(read(&spec), Some(("mine".to_string(), 1)), "{spec}");
        }
        assert_eq!((read("glyphs"), read("texts")), (None, None));
        assert!(["clinc150", "texts:no.csv"].into_iter().all(is_named) && !is_named("glyphs"));
        let error = named("clinc150", place.path()).unwrap_err().to_string();
        assert!(error.contains("clinc150: no such file or folder") && error.contains("--data"), "{error}");
    }
}
