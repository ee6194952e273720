//! Which files of a folder of images are items, and of which class: the layouts that people have, and what is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::data::format::splits;
use crate::data::{DataError, OpenOptions};
use crate::vocab::{Split, counted, few};

use super::decode::{ENDINGS, is_read};

/// Endings of files that are images and that nobody here reads.
const OTHER_IMAGES: [&str; 10] = ["heic", "heif", "avif", "jxl", "jp2", "svg", "ico", "tga", "psd", "exr"];

/// A class and its images.
pub(super) struct Class {
    pub name: String,
    pub split: Split,
    pub cluster: Option<String>,
    pub files: Vec<PathBuf>,
    /// The part of each file, where folders of one class are parts.
    pub parts: Vec<String>,
}

/// A folder as it was understood.
pub(super) struct Layout {
    pub classes: Vec<Class>,
    /// Whether the items have parts.
    pub parts: bool,
    /// What was left out or taken to mean something, as sentences.
    pub notes: Vec<String>,
}

/// Lists a folder: a folder per class; or folders `base`, `validation`, `novel` of such; or `train`, `val`, `test` of such.
pub(super) fn list(folder: &Path) -> Result<Layout, DataError> {
    let (own, others) = (sides(folder, &OWN), sides(folder, &OTHERS));
    let mut passed = PassedOver::default();
    let mut layout = if others.len() > 1 && are_sides(folder, &others)? {
        of_sides(others, &mut passed)?
    } else if !own.is_empty() {
        let mut classes = Vec::new();
        for (path, split) in own {
            classes.extend(folders(&path, &mut passed)?.into_iter().map(|class| Class { split, ..class }));
        }
        Layout { classes, parts: false, notes: Vec::new() }
    } else {
        Layout { classes: listed(folder, &mut passed)?, parts: false, notes: Vec::new() }
    };
    passed.empty = layout.classes.iter().filter(|c| c.files.is_empty()).map(|c| c.name.clone()).collect();
    layout.notes.extend(passed.sentences());
    if layout.classes.iter().all(|class| class.files.is_empty()) {
        return Err(match passed.deeper.first() {
            Some(found) => DataError::DeepImages { folder: folder.to_path_buf(), found: found.clone() },
            None => DataError::NoImages { folder: folder.to_path_buf(), notes: layout.notes.join("; ") },
        });
    }
    Ok(layout)
}

/// Lists all images of a folder and of the folders in it, without classes.
pub(super) fn all(folder: &Path) -> Result<Layout, DataError> {
    let (mut passed, mut class) = (PassedOver::default(), Class::new(OpenOptions::UNLABELLED));
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            visible(&folder)?.into_iter().partition(|path| path.is_dir());
        class.files.extend(passed.read(files));
        waiting.extend(folders);
    }
    class.files.sort();
    match class.files.is_empty() {
        true => {
            Err(DataError::NoPictures { folder: folder.to_path_buf(), notes: passed.sentences().join("; ") })
        }
        false => Ok(Layout { classes: vec![class], parts: false, notes: passed.sentences() }),
    }
}

/// Folders that say of which split their classes are.
const OWN: [(&str, Split); 3] =
    [("base", Split::Base), ("validation", Split::Validation), ("novel", Split::Novel)];
/// How others call them.
const OTHERS: [(&str, Split); 5] = [
    ("train", Split::Base),
    ("val", Split::Validation),
    ("valid", Split::Validation),
    ("validation", Split::Validation),
    ("test", Split::Novel),
];

fn sides(folder: &Path, names: &[(&str, Split)]) -> Vec<(PathBuf, Split)> {
    let there = |(name, split): &(&str, Split)| (folder.join(name), *split);
    names.iter().map(there).filter(|(path, _)| path.is_dir()).collect()
}

/// Whether these are all the folders that can be seen, and folders lie in each and no images: a class may have such a name.
fn are_sides(folder: &Path, sides: &[(PathBuf, Split)]) -> Result<bool, DataError> {
    let mut folders = visible(folder)?.into_iter().filter(|path| path.is_dir());
    if !folders.all(|path| sides.iter().any(|(side, _)| *side == path)) {
        return Ok(false);
    }
    for (side, _) in sides {
        let inside = visible(side)?;
        if !inside.iter().any(|path| path.is_dir())
            || inside.iter().any(|path| !path.is_dir() && is_image(path))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `train`, `val` and `test`: splits where their classes differ, and parts of the same classes where they do not.
fn of_sides(sides: Vec<(PathBuf, Split)>, passed: &mut PassedOver) -> Result<Layout, DataError> {
    let mut all = Vec::new();
    for (path, split) in &sides {
        let side = file_name(path);
        all.extend(folders(path, passed)?.into_iter().map(|class| (side.clone(), *split, class)));
    }
    let names: BTreeSet<&str> = all.iter().map(|(_, _, class)| class.name.as_str()).collect();
    let parts = names.len() < all.len();
    let words: Vec<String> = sides.iter().map(|(path, _)| format!("`{}`", file_name(path))).collect();
    let words = words.join(", ");
    if !parts {
        let classes = all.into_iter().map(|(_, split, class)| Class { split, ..class }).collect();
        let note =
            format!("the folders {words} hold different classes, and are read as base, validation and novel");
        return Ok(Layout { classes, parts, notes: vec![note] });
    }
    let mut merged: BTreeMap<String, Class> = BTreeMap::new();
    for (side, _, class) in all {
        let into = merged
            .entry(class.name.clone())
            .or_insert_with(|| Class { files: Vec::new(), ..Class::new(&class.name) });
        into.parts.extend(class.files.iter().map(|_| side.clone()));
        into.files.extend(class.files);
    }
    let note = format!(
        "the folders {words} hold the same classes, and are read as parts of these, all of them novel"
    );
    Ok(Layout { classes: merged.into_values().collect(), parts, notes: vec![note] })
}

/// A folder per class, and a list that says their splits.
fn listed(folder: &Path, passed: &mut PassedOver) -> Result<Vec<Class>, DataError> {
    let mut classes = folders(folder, passed)?;
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

impl Class {
    fn new(name: &str) -> Class {
        let (name, parts) = (name.to_string(), Vec::new());
        Class { name, split: Split::Novel, cluster: None, files: Vec::new(), parts }
    }
}

/// The folders of a folder, each with its images, all in the order of their names.
fn folders(folder: &Path, passed: &mut PassedOver) -> Result<Vec<Class>, DataError> {
    let mut classes = Vec::new();
    for path in visible(folder)? {
        if !path.is_dir() {
            passed.beside += usize::from(is_image(&path));
            continue;
        }
        let mut class = Class::new(&file_name(&path));
        class.files = images(&path, passed)?;
        classes.push(class);
    }
    Ok(classes)
}

/// The images of a class: those of its folder; where that has none and one folder alone, those of that one.
fn images(class: &Path, passed: &mut PassedOver) -> Result<Vec<PathBuf>, DataError> {
    let (inner, files): (Vec<PathBuf>, Vec<PathBuf>) =
        visible(class)?.into_iter().partition(|path| path.is_dir());
    let files = passed.read(files);
    if let ([only], true) = (inner.as_slice(), files.is_empty()) {
        let (deeper, inside): (Vec<PathBuf>, Vec<PathBuf>) =
            visible(only)?.into_iter().partition(|path| path.is_dir());
        let inside = passed.read(inside);
        if !inside.is_empty() {
            deeper.iter().try_for_each(|path| passed.count(path))?;
            return Ok(inside);
        }
    }
    inner.iter().try_for_each(|path| passed.count(path))?;
    Ok(files)
}

/// What looks like an image and is not read.
#[derive(Default)]
struct PassedOver {
    /// Files by their ending.
    unread: BTreeMap<String, usize>,
    /// Images in folders inside of those of classes.
    deeper: Vec<PathBuf>,
    /// Images beside the folders of classes.
    beside: usize,
    /// Classes without images.
    empty: Vec<String>,
}

impl PassedOver {
    /// The files that are read, and a count of other images.
    fn read(&mut self, files: Vec<PathBuf>) -> Vec<PathBuf> {
        let (read, others): (Vec<PathBuf>, Vec<PathBuf>) =
            files.into_iter().partition(|path| is_read(&ending(path)));
        for path in others.iter().filter(|path| is_image(path)) {
            *self.unread.entry(ending(path)).or_default() += 1;
        }
        read
    }

    /// Counts the images of a folder that lies too deep.
    fn count(&mut self, folder: &Path) -> Result<(), DataError> {
        self.deeper.extend(visible(folder)?.into_iter().filter(|path| !path.is_dir() && is_image(path)));
        Ok(())
    }

    fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        if !self.unread.is_empty() {
            let by_ending: Vec<String> = self.unread.iter().map(|(e, n)| format!("{n} .{e}")).collect();
            let count = self.unread.values().sum::<usize>() as u64;
            let readable = self.unread.keys().any(|ending| ENDINGS.contains(&ending.as_str()));
            let way = if readable { "; build with --features images to read them" } else { "" };
            let files = counted(count, "file that looks like an image is", "files that look like images are");
            all.push(format!(
                "{files} left out, in formats that are not read ({}){way}",
                by_ending.join(", ")
            ));
        }
        if let Some(first) = self.deeper.first() {
            let images = counted(self.deeper.len() as u64, "image", "images");
            all.push(format!(
                "{images} in folders inside of class folders left out, the first is {}",
                first.display()
            ));
        }
        if self.beside > 0 {
            all.push(format!(
                "{} beside the class folders left out",
                counted(self.beside as u64, "image", "images")
            ));
        }
        if !self.empty.is_empty() {
            let classes = counted(self.empty.len() as u64, "class folder", "class folders");
            all.push(format!("{classes} without images: {}", few(&self.empty)));
        }
        all
    }
}

fn is_image(path: &Path) -> bool {
    let ending = ending(path);
    ENDINGS.contains(&ending.as_str()) || OTHER_IMAGES.contains(&ending.as_str())
}

fn ending(path: &Path) -> String {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What lies in a folder, in the order of the names: without hidden files, and those that macOS writes beside others.
fn visible(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read =
        || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().map_err(DataError::unreadable(folder))?;
    entries.retain(|path| {
        let name = file_name(path);
        !name.starts_with('.') && name != "__MACOSX"
    });
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(place: &Path, paths: &[&str]) {
        for path in paths {
            let path = place.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    /// Classes with their splits, files and parts; then the notes.
    fn told(paths: &[&str]) -> (Vec<String>, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        touch(place.path(), paths);
        let inside = |path: &PathBuf| path.strip_prefix(place.path()).unwrap().display().to_string();
        match list(place.path()) {
            Ok(layout) => {
                let of = |class: &Class| {
                    let files: Vec<String> = class.files.iter().map(inside).collect();
                    format!("{} {}: {} {}", class.name, class.split, files.join(" "), class.parts.join(" "))
                };
                let plain = |note: &String| note.replace(&format!("{}/", place.path().display()), "");
                (layout.classes.iter().map(of).collect(), layout.notes.iter().map(plain).collect())
            }
            Err(error) => {
                (Vec::new(), vec![error.to_string().replace(&place.path().display().to_string(), "DIR")])
            }
        }
    }

    #[test]
    fn hidden_files_are_passed_over_in_silence() {
        let found =
            told(&["a/1.png", "a/._1.png", "a/.hidden.png", ".git/x.png", "__MACOSX/a/1.png", "a/notes.txt"]);
        assert_eq!(found, (vec!["a novel: a/1.png ".to_string()], Vec::new()));
    }

    #[test]
    fn a_folder_inside_of_a_class_folder_holds_its_images() {
        let (classes, notes) = told(&["a/images/1.png", "a/boxes.txt", "b/images/2.png"]);
        assert_eq!(
            (classes.join(","), notes.len()),
            ("a novel: a/images/1.png ,b novel: b/images/2.png ".to_string(), 0)
        );
    }

    #[test]
    fn train_and_test_are_splits_of_different_classes_and_parts_of_the_same() {
        let (classes, notes) = told(&["train/a/1.png", "val/b/1.png", "test/c/1.png"]);
        assert_eq!(
            classes,
            ["a base: train/a/1.png ", "b validation: val/b/1.png ", "c novel: test/c/1.png "]
        );
        assert!(
            notes[0].contains("hold different classes, and are read as base, validation and novel"),
            "{notes:?}"
        );
        let (classes, notes) = told(&["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/2.png"]);
        assert_eq!(
            classes,
            [
                "a novel: train/a/1.png test/a/1.png train test",
                "b novel: train/b/1.png test/b/2.png train test"
            ]
        );
        assert!(notes[0].contains("are read as parts of these"), "{notes:?}");
        // A class may have such a name.
        assert_eq!(told(&["test/1.png", "c/1.png"]).0, ["c novel: c/1.png ", "test novel: test/1.png "]);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let (classes, notes) =
            told(&["a/1.png", "a/2.heic", "a/3.heic", "a/deep/4.png", "loose.png", "empty/readme.md"]);
        assert_eq!(classes[0], "a novel: a/1.png ");
        assert_eq!(
            notes,
            [
                "2 files that look like images are left out, in formats that are not read (2 .heic)",
                "1 image in folders inside of class folders left out, the first is a/deep/4.png",
                "1 image beside the class folders left out",
                "1 class folder without images: empty",
            ]
        );
    }

    #[test]
    fn a_folder_without_classes_is_explained() {
        let (_, said) = told(&["Greek/alpha/1.png", "Greek/beta/1.png", "Latin/a/1.png", "Latin/b/1.png"]);
        assert!(
            said[0].starts_with("DIR: no images in its folders, but deeper: DIR/Greek/alpha/1.png\nhint: "),
            "{said:?}"
        );
        let (_, said) = told(&["1.png", "2.png"]);
        assert!(said[0].starts_with("DIR: no folder with images in it (2 images beside"), "{said:?}");
    }
}
