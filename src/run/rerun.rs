//! A run made again from its record.

use std::path::{Path, PathBuf};

use super::done::Done;
use super::error::RunError;
use super::evaluate::evaluate;
use super::execution::Execution;
use super::watch::Watch;
use crate::learner::Learners;
use crate::results::{Inputs, Request, RunRecord, read_record};
use crate::vocab::spec::labelled;

/// Evaluates again what the folder of an earlier run records, on one machine and in one piece.
///
/// Relative paths are looked for from the current folder, then from the one in which the run was made.
///
/// # Errors
/// A record that is missing, one of a part alone, a run on features in memory, or what the evaluation refuses.
pub fn rerun(
    folder: &Path,
    execution: &Execution,
    learners: &Learners,
    watch: &dyn Watch,
) -> Result<Done, RunError> {
    let request = again(folder, &read_record(folder)?)?;
    evaluate(&request, Vec::new(), execution, learners, watch)
}

/// The request of a record, with paths that lead somewhere.
fn again(folder: &Path, record: &RunRecord) -> Result<Request, RunError> {
    let folder = folder.display();
    if let Some(part) = record.part {
        return Err(RunError::Request(format!(
            "{folder} holds part {part} of an evaluation\nhint: join the parts with `kshot merge`, and rerun that"
        )));
    }
    if let Some(name) = record.in_memory.first() {
        return Err(RunError::Request(format!(
            "{folder}: features `{name}` were in memory, so that the run cannot be made again from its record"
        )));
    }
    let there = Path::new(&record.folder);
    let Request { inputs, draw, protocols, .. } = record.request.clone();
    let protocols = protocols
        .into_iter()
        .map(|mut text| {
            if text.origin.ends_with(".toml") {
                text.origin = settled(Path::new(&text.origin), there).display().to_string();
            }
            text
        })
        .collect();
    Ok(Request {
        inputs: inputs_of(inputs, there),
        draw: draw.map(|path| settled(&path, there)),
        protocols,
        ..record.request.clone()
    })
}

/// Inputs with paths that lead somewhere.
fn inputs_of(inputs: Inputs, there: &Path) -> Inputs {
    let path = |path: Option<PathBuf>| path.map(|path| settled(&path, there));
    Inputs {
        features: inputs.features.iter().map(|written| features(written, there)).collect(),
        labels: path(inputs.labels),
        weights: path(inputs.weights),
        data: path(inputs.data),
        class_embeddings: path(inputs.class_embeddings),
        descriptions: path(inputs.descriptions),
        backbones: inputs.backbones.iter().map(|spec| backbone(spec, there)).collect(),
        ..inputs
    }
}

/// `[NAME=][KIND:]PATH`, with a path that leads somewhere.
fn features(written: &str, there: &Path) -> String {
    let (label, rest) = labelled(written);
    let prefix = label.map_or(String::new(), |label| format!("{label}="));
    let kind = ["folder:", "texts:", "csv:"].iter().find(|kind| rest.starts_with(**kind)).unwrap_or(&"");
    let (path, options) = rest[kind.len()..].split_once(',').unwrap_or((&rest[kind.len()..], ""));
    let comma = if options.is_empty() { "" } else { "," };
    format!("{prefix}{kind}{}{comma}{options}", settled(Path::new(path), there).display())
}

/// `[NAME=]NAME[:weights=PATH]`, with a path that leads somewhere.
fn backbone(written: &str, there: &Path) -> String {
    match written.split_once("weights=") {
        Some((head, path)) => format!("{head}weights={}", settled(Path::new(path), there).display()),
        None => written.to_string(),
    }
}

/// A path as it is where it leads somewhere or is absolute, else from the folder of the run, where that leads somewhere.
fn settled(path: &Path, there: &Path) -> PathBuf {
    let old = there.join(path);
    if path.is_absolute() || path.exists() || !old.exists() { path.to_path_buf() } else { old }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_looked_for_here_and_then_where_the_run_was_made() {
        let there = tempfile::tempdir().unwrap();
        std::fs::write(there.path().join("mine.npz"), "").unwrap();
        let old = there.path().join("mine.npz").display().to_string();
        assert_eq!(features("mine.npz", there.path()), old);
        assert_eq!(features("a=mine.npz", there.path()), format!("a={old}"));
        assert_eq!(features("folder:mine.npz,side=8", there.path()), format!("folder:{old},side=8"));
        assert_eq!(features("glyphs", there.path()), "glyphs");
        assert_eq!(backbone("c=conv4:weights=mine.npz", there.path()), format!("c=conv4:weights={old}"));
        assert_eq!(backbone("conv4:weights=conv4-glyphs", there.path()), "conv4:weights=conv4-glyphs");
        let src = Path::new("src").display().to_string();
        assert_eq!(features("src", there.path()), src, "what is here goes before");
    }
}
