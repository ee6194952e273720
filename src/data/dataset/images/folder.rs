//! Images in folders: one folder per class, and a list or folders that say which classes are base, validation and novel.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Pictures;
use super::decode::{Raster, decode};
use super::scale::scale;
use crate::data::files_sha256;
use crate::data::format::splits;
use crate::data::{DataError, Place};
use crate::vocab::{Form, Split};

const KEYS: &str = "behind the path there may be `side=PIXELS` and `channels=1` or `channels=3`";

/// A folder of images, listed but not read.
pub(super) struct Source {
    folder: PathBuf,
    name: String,
    side: Option<usize>,
    channels: Option<usize>,
    /// Class, split, cluster and files of each class.
    classes: Vec<Class>,
}

struct Class {
    name: String,
    split: Split,
    cluster: Option<String>,
    files: Vec<PathBuf>,
}

impl Source {
    /// Lists the images of `rest`, a path with optional `,key=value` behind.
    pub fn open(spec: &str, rest: &str) -> Result<Source, DataError> {
        let (mut path, mut side, mut channels) = (rest, None, None);
        while let Some((before, pair)) = path.rsplit_once(',') {
            let Some((key, value)) = pair.split_once('=') else { break };
            let value: Option<usize> = value.parse().ok();
            match (key, value) {
                ("side", Some(1..=4096)) => side = value,
                ("channels", Some(1 | 3)) => channels = value,
                _ => {
                    let what = format!("{KEYS}, found `{pair}`");
                    return Err(DataError::Spec { spec: spec.to_string(), what });
                }
            }
            path = before;
        }
        let folder = PathBuf::from(path);
        if !folder.is_dir() {
            return Err(DataError::NoFolder { spec: spec.to_string(), path: folder });
        }
        let classes = list(&folder)?;
        if classes.iter().all(|class| class.files.is_empty()) {
            return Err(DataError::NoItems { at: Place::file(&folder) });
        }
        let name = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = name.file_name().map_or("images".to_string(), |n| n.to_string_lossy().into_owned());
        Ok(Source { folder, name, side, channels, classes })
    }

    /// The name of the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the pixels depend on.
    pub fn recipe(&self) -> Result<String, DataError> {
        let inside = |path: &Path| {
            let inside = path.strip_prefix(&self.folder).unwrap_or(path);
            (inside.display().to_string(), path.to_path_buf())
        };
        let files: Vec<(String, PathBuf)> =
            self.classes.iter().flat_map(|class| &class.files).map(|path| inside(path)).collect();
        let classes: Vec<String> =
            self.classes.iter().map(|c| format!("{} {} {:?}", c.name, c.split, c.cluster)).collect();
        let (side, channels) = (self.side, self.channels);
        Ok(format!("folder {side:?} {channels:?}\n{}\n{}\n", classes.join("\n"), files_sha256(&files)?))
    }

    /// Decodes every image.
    pub fn read(&self) -> Result<Pictures, DataError> {
        let files: Vec<(&Class, &PathBuf)> =
            self.classes.iter().flat_map(|class| class.files.iter().map(move |file| (class, file))).collect();
        let read = |path: &PathBuf| -> Result<Raster, DataError> {
            let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
            let picture =
                decode(&bytes).map_err(|what| DataError::Damaged { at: Place::file(path), what })?;
            Ok(self.side.map_or_else(|| picture.clone(), |side| scale(&picture, side, side)))
        };
        let pictures: Vec<Raster> =
            files.par_iter().map(|(_, path)| read(path)).collect::<Result<_, DataError>>()?;
        let coloured = pictures.iter().any(|picture| picture.channels == 3);
        let channels = self.channels.unwrap_or(if coloured { 3 } else { 1 });
        let (height, width) = pictures.first().map_or((0, 0), |p| (p.height, p.width));
        let mut all = Pictures {
            pixels: Vec::with_capacity(pictures.len() * height * width * channels),
            form: Form::Image { channels, height, width },
            classes: files.iter().map(|(class, _)| class.name.clone()).collect(),
            ids: Vec::new(),
            listed: Vec::new(),
        };
        for (picture, (_, path)) in pictures.into_iter().zip(&files) {
            if (picture.height, picture.width) != (height, width) {
                return Err(DataError::ImageSize {
                    at: Place::file(path),
                    found: (picture.height, picture.width),
                    expected: (height, width),
                    first: files[0].1.clone(),
                });
            }
            all.pixels.extend(picture.with_channels(channels).planes());
            let inside = path.strip_prefix(&self.folder).unwrap_or(path);
            all.ids.push(inside.display().to_string());
        }
        let listed = |class: &Class| (class.name.clone(), class.split, class.cluster.clone());
        all.listed = self.classes.iter().filter(|class| !class.files.is_empty()).map(listed).collect();
        Ok(all)
    }
}

/// The classes of a folder: its folders, or those of its folders `base`, `validation` and `novel`.
fn list(folder: &Path) -> Result<Vec<Class>, DataError> {
    let parts: Vec<(Split, PathBuf)> = [Split::Base, Split::Validation, Split::Novel]
        .into_iter()
        .map(|split| (split, folder.join(split.word())))
        .filter(|(_, path)| path.is_dir())
        .collect();
    let mut classes = Vec::new();
    if !parts.is_empty() {
        for (split, path) in parts {
            for class in folders(&path)? {
                classes.push(Class { split, ..class });
            }
        }
        return Ok(classes);
    }
    classes = folders(folder)?;
    let path = folder.join("splits.csv");
    if path.exists() {
        let listing = splits::read(&path)?;
        let at = || listing.at.clone();
        for class in &mut classes {
            let listed = listing
                .classes
                .iter()
                .find(|l| l.class == class.name)
                .ok_or_else(|| DataError::ClassWithoutSplit { at: at(), class: class.name.clone() })?;
            (class.split, class.cluster) = (listed.split, listed.cluster.clone());
        }
    }
    Ok(classes)
}

/// The folders of a folder, each with its images, all in the order of their names.
fn folders(folder: &Path) -> Result<Vec<Class>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let picture = |path: &PathBuf| {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            ["png", "jpg", "jpeg"].contains(&extension.to_ascii_lowercase().as_str())
        };
        let files = entries(&path)?.into_iter().filter(picture).collect();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        classes.push(Class { name, split: Split::Novel, cluster: None, files });
    }
    Ok(classes)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read =
        || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().map_err(DataError::unreadable(folder))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::super::decode::tests::png_of;
    use super::*;

    fn put(place: &Path, path: &str, side: u32, grey: u8) {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples = vec![grey; (side * side) as usize];
        std::fs::write(path, png_of(side, side, png::ColorType::Grayscale, &samples)).unwrap();
    }

    fn read(place: &Path, keys: &str) -> Result<Pictures, DataError> {
        let rest = format!("{}{keys}", place.display());
        Source::open(&format!("folder:{rest}"), &rest)?.read()
    }

    #[test]
    fn folders_are_classes_and_a_list_says_their_splits() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "b/2.png", 4, 0);
        put(place.path(), "b/10.PNG", 4, 255);
        put(place.path(), "a/1.png", 4, 51);
        std::fs::write(place.path().join("a/notes.txt"), "none").unwrap();
        std::fs::write(place.path().join("splits.csv"), "class,split,cluster\na,base,x\nb,novel,y\n")
            .unwrap();
        let all = read(place.path(), "").unwrap();
        assert_eq!(
            (all.classes, all.ids),
            (
                ["a", "b", "b"].map(String::from).to_vec(),
                ["a/1.png", "b/10.PNG", "b/2.png"].map(String::from).to_vec(),
            )
        );
        assert_eq!(all.listed[0], ("a".to_string(), Split::Base, Some("x".to_string())));
        assert_eq!((all.form.to_string().as_str(), all.pixels[0], all.pixels[16]), ("image:1x4x4", 0.2, 1.0));
        let scaled = read(place.path(), ",side=2,channels=3").unwrap();
        assert_eq!((scaled.form.to_string().as_str(), scaled.pixels.len()), ("image:3x2x2", 36));
    }

    #[test]
    fn folders_of_splits_are_read_too() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "novel/c/1.png", 2, 0);
        put(place.path(), "base/d/1.png", 2, 0);
        let all = read(place.path(), "").unwrap();
        assert_eq!(
            all.listed.iter().map(|(c, s, _)| (c.as_str(), *s)).collect::<Vec<_>>(),
            [("d", Split::Base), ("c", Split::Novel),]
        );
    }

    #[test]
    fn broken_images_and_images_of_another_size_are_named() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "a/1.png", 4, 0);
        put(place.path(), "a/2.png", 3, 0);
        let told = |keys: &str| {
            let error = read(place.path(), keys).unwrap_err().to_string();
            error.replace(&format!("{}/", place.path().display()), "")
        };
        assert_eq!(
            told(""),
            "a/2.png: an image of 3×3 pixels, expected 4×4 as in a/1.png\nhint: write folder:DIR,side=PIXELS to scale them"
        );
        assert!(read(place.path(), ",side=2").is_ok());
        std::fs::write(place.path().join("a/2.png"), b"nothing").unwrap();
        assert_eq!(told(""), "a/2.png: damaged or cut short: neither PNG nor JPEG");
        assert!(told(",side=0").contains("found `side=0`"), "{}", told(",side=0"));
    }
}
