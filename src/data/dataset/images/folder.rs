//! Images in folders: one folder per class, and a list or folders that say which classes are base, validation and novel; or images
//! without classes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::decode::{MOST_PIXELS, decode, photograph};
use super::layout;
use super::scale::scale;
use crate::data::dataset::items::{Dataset, Items, Photograph, RawItem};
use crate::data::dataset::kind::{Asked, Holds, Kind, Opens};
use crate::data::files_sha256;
use crate::data::{DataError, Place};
use crate::vocab::Form;

/// Folders of images.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "folder",
    usage: "folder:DIR",
    about: "any images: a folder per class, optional splits.csv or folders base, validation, novel; write folder:DIR, or \
            folder:DIR,side=84 to scale them, folder:DIR,max-pixels=N to read larger ones than of 200 million pixels",
    holds: Holds::Images,
    opens: Opens::Read {
        home: None,
        lies_at: |_| false,
        open: |Asked { spec, rest, .. }| {
            Ok(Box::new(Source::open(spec, &rest.to_string_lossy(), layout::list)?))
        },
    },
};

/// Images without classes.
pub(in crate::data::dataset) const UNLABELLED: Kind = Kind {
    name: "images",
    usage: "images:DIR",
    about: "images without classes, all that lie in a folder or deeper, with the options of folder:DIR; for `kshot predict`",
    opens: Opens::Read {
        home: None,
        lies_at: |_| false,
        open: |Asked { spec, rest, .. }| {
            Ok(Box::new(Source::open(spec, &rest.to_string_lossy(), layout::all)?))
        },
    },
    ..KIND
};

const KEYS: &str = "behind the path there may be `side=PIXELS`, `channels=1` or `channels=3`, `dark=lines` for dark lines on light paper, and \
                    `max-pixels=NUMBER`";

/// How the images of a folder are found.
type List = fn(&Path) -> Result<layout::Layout, DataError>;

/// A folder of images, listed but not read.
pub(super) struct Source {
    folder: PathBuf,
    name: String,
    side: Option<usize>,
    channels: Option<usize>,
    /// Whether black is 1 and white 0.
    inverted: bool,
    most: u64,
    items: Items,
    /// The file of each item.
    files: Vec<PathBuf>,
    /// Every class as the recipe names it, those without images among them.
    classes: Vec<String>,
    notes: Vec<String>,
    /// Whether an image that was read has more than 8 bits a channel.
    deep: AtomicBool,
}

impl Source {
    /// Lists the images of `rest`, a path with optional `,key=value` behind.
    pub fn open(spec: &str, rest: &str, list: List) -> Result<Source, DataError> {
        let (mut path, mut side, mut channels, mut most) = (rest, None, None, MOST_PIXELS);
        let mut inverted = false;
        while let Some((before, pair)) = path.rsplit_once(',') {
            let Some((key, word)) = pair.split_once('=') else { break };
            let value: Option<usize> = word.parse().ok();
            match (key, value) {
                ("dark", None) if word == "lines" => inverted = true,
                ("side", Some(1..=4096)) => side = value,
                ("channels", Some(1 | 3)) => channels = value,
                ("max-pixels", Some(number @ 1..)) => most = number as u64,
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
        let layout::Layout { classes, parts, notes } = list(&folder)?;
        let name = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let name = name.file_name().map_or("images".to_string(), |n| n.to_string_lossy().into_owned());
        let said = classes.iter().map(|c| format!("{} {} {:?}", c.name, c.split, c.cluster)).collect();
        let mut items = Items { parts: parts.then(Vec::new), ..Items::default() };
        let mut files = Vec::new();
        for layout::Class { name, split, cluster, files: own, parts } in classes {
            if own.is_empty() {
                continue;
            }
            items.parts.iter_mut().for_each(|all| all.extend(parts.iter().cloned()));
            for file in own {
                items.classes.push(name.clone());
                items.ids.push(file.strip_prefix(&folder).unwrap_or(&file).display().to_string());
                files.push(file);
            }
            items.listed.push((name, split, cluster));
        }
        let deep = AtomicBool::new(false);
        Ok(Source { folder, name, side, channels, inverted, most, items, files, classes: said, notes, deep })
    }
}

impl Dataset for Source {
    fn name(&self) -> &str {
        &self.name
    }

    fn items(&self) -> Result<&Items, DataError> {
        Ok(&self.items)
    }

    fn read(&self, item: usize) -> Result<RawItem, DataError> {
        let path = &self.files[item];
        let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
        let mut picture =
            decode(&bytes, self.most).map_err(|what| DataError::Damaged { at: Place::file(path), what })?;
        self.deep.fetch_or(picture.deep, Ordering::Relaxed);
        if let Some(side) = self.side {
            picture = scale(&picture, side, side);
        }
        if let Some(channels) = self.channels {
            picture = picture.with_channels(channels);
        }
        if self.inverted {
            picture.values.iter_mut().for_each(|v| *v = (1.0 - *v).clamp(0.0, 1.0));
        }
        let form = Form::Image { channels: picture.channels, height: picture.height, width: picture.width };
        Ok(RawItem::Image { form, pixels: picture.planes() })
    }

    fn photograph(&self, item: usize) -> Result<Option<Photograph>, DataError> {
        if self.side.is_some() || self.channels.is_some() || self.inverted {
            let what =
                "`side`, `channels` and `dark` change pixels, and this network says itself how pictures are scaled"
                    .to_string();
            return Err(DataError::Spec { spec: self.name.clone(), what });
        }
        photograph(&self.files[item], self.most).map(Some)
    }

    fn recipe(&self) -> Result<String, DataError> {
        let inside = |path: &PathBuf| {
            let inside = path.strip_prefix(&self.folder).unwrap_or(path);
            (inside.display().to_string(), path.clone())
        };
        let files: Vec<(String, PathBuf)> = self.files.iter().map(inside).collect();
        let (side, channels) = (self.side, self.channels);
        let classes = self.classes.join("\n");
        let dark = if self.inverted { " dark lines" } else { "" };
        Ok(format!("folder {side:?} {channels:?}{dark}\n{classes}\n{}\n", files_sha256(&files)?))
    }

    fn place(&self, item: usize) -> PathBuf {
        self.files[item].clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn is_deep(&self) -> bool {
        self.deep.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::tests::png_of;
    use super::super::pixels::Pictures;
    use super::*;
    use crate::vocab::Split;

    fn put(place: &Path, path: &str, side: u32, grey: u8) {
        let path = place.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples = vec![grey; (side * side) as usize];
        std::fs::write(path, png_of(side, side, png::ColorType::Grayscale, &samples)).unwrap();
    }

    fn read(place: &Path, keys: &str) -> Result<(Items, Pictures), DataError> {
        let rest = format!("{}{keys}", place.display());
        let source = Source::open(&format!("folder:{rest}"), &rest, layout::list)?;
        Ok((source.items()?.clone(), Pictures::of(&source)?))
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
        let (items, all) = read(place.path(), "").unwrap();
        assert_eq!(
            (items.classes, items.ids),
            (
                ["a", "b", "b"].map(String::from).to_vec(),
                ["a/1.png", "b/10.PNG", "b/2.png"].map(String::from).to_vec(),
            )
        );
        assert_eq!(items.listed[0], ("a".to_string(), Split::Base, Some("x".to_string())));
        assert_eq!((all.form.to_string().as_str(), all.pixels[0], all.pixels[16]), ("image:1x4x4", 0.2, 1.0));
        let (_, scaled) = read(place.path(), ",side=2,channels=3").unwrap();
        assert_eq!((scaled.form.to_string().as_str(), scaled.pixels.len()), ("image:3x2x2", 36));
    }

    #[test]
    fn images_without_classes_are_found_at_every_depth_and_dark_lines_become_light() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "2.png", 2, 0);
        put(place.path(), "a/b/1.png", 2, 255);
        put(place.path(), ".hidden/3.png", 2, 255);
        let rest = format!("{},dark=lines", place.path().display());
        let source = Source::open("images:", &rest, layout::all).unwrap();
        let items = source.items().unwrap();
        assert_eq!(
            (&items.ids, &items.classes),
            (&vec!["2.png".to_string(), "a/b/1.png".to_string()], &vec!["unlabelled".to_string(); 2])
        );
        let pictures = Pictures::of(&source).unwrap();
        assert_eq!(pictures.pixels, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let empty = tempfile::tempdir().unwrap();
        assert!(Source::open("images:", &empty.path().display().to_string(), layout::all).is_err());
    }

    #[test]
    fn folders_of_splits_are_read_too() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "novel/c/1.png", 2, 0);
        put(place.path(), "base/d/1.png", 2, 0);
        let (items, _) = read(place.path(), "").unwrap();
        assert_eq!(
            items.listed.iter().map(|(c, s, _)| (c.as_str(), *s)).collect::<Vec<_>>(),
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
        assert!(told("").starts_with("a/2.png: damaged or cut short: no "), "{}", told(""));
        assert!(told(",side=0").contains("found `side=0`"), "{}", told(",side=0"));
    }

    #[test]
    fn an_image_is_read_alone_and_grey_ones_get_the_colour_of_others() {
        let place = tempfile::tempdir().unwrap();
        put(place.path(), "a/1.png", 2, 51);
        let coloured = png_of(2, 2, png::ColorType::Rgb, &[255; 12]);
        std::fs::write(place.path().join("a/2.png"), coloured).unwrap();
        let rest = place.path().display().to_string();
        let source = Source::open(&format!("folder:{rest}"), &rest, layout::list).unwrap();
        let grey =
            RawItem::Image { form: Form::Image { channels: 1, height: 2, width: 2 }, pixels: vec![0.2; 4] };
        assert_eq!(source.read(0).unwrap(), grey);
        let all = Pictures::of(&source).unwrap();
        assert_eq!((all.form.to_string().as_str(), &all.pixels[..12]), ("image:3x2x2", [0.2; 12].as_slice()));
    }
}
