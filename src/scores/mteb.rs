//! Folders of MTEB results: `MODEL/REVISION/TASK.json`, with the score of every draw.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ScoresError;
use super::written::Written;

/// The part of a task that is evaluated.
const SPLIT: &str = "test";
/// Folders below the given one: model, revision, and one above both.
const DEPTH: usize = 4;

#[derive(Deserialize)]
struct File {
    task_name: String,
    #[serde(default)]
    dataset_revision: String,
    #[serde(default)]
    mteb_version: Option<String>,
    scores: Map<String, Value>,
}

#[derive(Deserialize)]
struct Subset {
    #[serde(default)]
    hf_subset: Option<String>,
    #[serde(default)]
    scores_per_experiment: Vec<Map<String, Value>>,
}

/// Reads every result of the folder; results without single draws are counted in a note.
pub(super) fn read(folder: &Path) -> Result<Written, ScoresError> {
    let mut files = Vec::new();
    collect(folder, DEPTH, &mut files)?;
    files.sort();
    let columns = ["task", "subset", "dataset_revision", "mteb_version", "model", "model_revision", "draw"];
    let mut written = Written {
        file: folder.display().to_string(),
        columns: columns.map(str::to_string).to_vec(),
        ..Written::default()
    };
    let (mut whole, mut other) = (0, 0);
    for path in files {
        let bytes = fs::read(&path).map_err(|source| ScoresError::Read { path: path.clone(), source })?;
        let file: File = serde_json::from_slice(&bytes).map_err(|error| ScoresError::Damaged {
            place: path.display().to_string(),
            why: format!("no result of MTEB: {error}"),
        })?;
        let subsets = file.scores.get(SPLIT).and_then(Value::as_array).cloned().unwrap_or_default();
        other += usize::from(subsets.is_empty());
        for subset in subsets {
            let Ok(subset) = serde_json::from_value::<Subset>(subset) else { continue };
            whole += usize::from(subset.scores_per_experiment.is_empty());
            add(&mut written, &path, &file, &subset);
        }
    }
    if written.rows.is_empty() {
        return Err(ScoresError::Alone {
            file: written.file,
            found: "no result with `scores_per_experiment`".to_string(),
        });
    }
    if whole > 0 {
        written.notes.push(format!("{whole} results have no score of single draws and are left out"));
    }
    if other > 0 {
        written.notes.push(format!("{other} files have no split `{SPLIT}` and are left out"));
    }
    let width = written.columns.len();
    written.rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    Ok(written)
}

/// A row a draw; scores that are no numbers (lists of a cross-validation) are left out.
fn add(written: &mut Written, path: &Path, file: &File, subset: &Subset) {
    let above = |n: usize| {
        path.ancestors()
            .nth(n)
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy()
            .replace("__", "/")
    };
    for (draw, scores) in subset.scores_per_experiment.iter().enumerate() {
        let mut row = vec![
            file.task_name.clone(),
            subset.hf_subset.clone().unwrap_or("default".to_string()),
            file.dataset_revision.clone(),
            file.mteb_version.clone().unwrap_or_default(),
            above(2),
            above(1),
            draw.to_string(),
        ];
        for (name, score) in scores {
            let Some(score) = score.as_f64() else { continue };
            let place = written.columns.iter().position(|column| column == name).unwrap_or_else(|| {
                written.columns.push(name.clone());
                written.columns.len() - 1
            });
            row.resize(row.len().max(place + 1), String::new());
            row[place] = score.to_string();
        }
        written.rows.push(row);
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), ScoresError> {
    let failed = |source| ScoresError::Read { path: folder.to_path_buf(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && depth > 1 {
            collect(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|suffix| suffix == "json")
            && path.file_name().is_some_and(|name| name != "model_meta.json")
        {
            files.push(path);
        }
    }
    Ok(())
}
