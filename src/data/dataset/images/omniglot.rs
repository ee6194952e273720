//! Omniglot (Lake, Salakhutdinov and Tenenbaum 2015) as few-shot learning uses it (Vinyals et al. 2016): each rotation of
//! a character by a quarter turn is a class of its own, and the character is its cluster.
//!
//! Differs from the usual code: pictures are scaled from 105×105 to 28×28 by the mean of the area and not to the nearest
//! pixel, which tears thin strokes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use zip::ZipArchive;

use super::decode::{MOST_PIXELS, Raster, decode};
use super::scale::scale;
use super::vinyals;
use crate::data::dataset::items::{Dataset, Items, RawItem};
use crate::data::dataset::kind::{Asked, Holds, Kind, Opens};
use crate::data::files_sha256;
use crate::data::{DataError, Place};
use crate::vocab::{Form, Split};

/// Rotations as classes.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "omniglot",
    usage: "omniglot",
    about: "1,623 characters of 50 alphabets at 28×28, four rotations as classes (Lake et al. 2015, splits of Vinyals et \
            al. 2016, or of splits/vinyals); images_background.zip and images_evaluation.zip, by `kshot data get omniglot`",
    holds: Holds::Images,
    opens: Opens::Read {
        home: Some("omniglot"),
        lies_at: |_| false,
        open: |asked| open(asked, "omniglot", true),
    },
};

/// Characters as classes.
pub(in crate::data::dataset) const CHARACTERS: Kind = Kind {
    name: "omniglot-characters",
    usage: "omniglot-characters",
    about: "the same without rotations: each character is one class",
    opens: Opens::Read {
        home: Some("omniglot"),
        lies_at: |_| false,
        open: |asked| open(asked, "omniglot-characters", false),
    },
    ..KIND
};

fn open(asked: &Asked<'_>, name: &'static str, rotations: bool) -> Result<Box<dyn Dataset>, DataError> {
    let path = asked.rest.clone();
    match (path.exists(), asked.by_name) {
        (true, _) => Ok(Box::new(Source::open(name, &path, rotations)?)),
        (false, true) => Err(DataError::NoDataset { name: name.to_string(), path }),
        (false, false) => Err(DataError::NoFolder { spec: asked.spec.to_string(), path }),
    }
}

/// Height and width in pixels.
const SIDE: usize = 28;

const ARCHIVES: [&str; 2] = ["images_background.zip", "images_evaluation.zip"];
const LISTS: [(&str, Split); 3] =
    [("train.txt", Split::Base), ("val.txt", Split::Validation), ("test.txt", Split::Novel)];

/// The files of the dataset.
pub(super) struct Source {
    name: &'static str,
    folder: PathBuf,
    /// Classes as the lists name them, `Alphabet/character01/rot090`, with the split of each.
    classes: Vec<(String, Split)>,
    /// What the archives hold, once somebody has asked.
    unpacked: OnceLock<Unpacked>,
}

/// Drawings of a character, by name.
type Drawings = Vec<(String, Vec<u8>)>;

/// The archives in memory, still packed as PNG.
struct Unpacked {
    items: Items,
    /// Per item its character, the number of its drawing, and its quarter turns.
    homes: Vec<(usize, usize, usize)>,
    characters: Vec<Character>,
}

struct Character {
    name: String,
    drawings: Drawings,
    /// The small pictures of its drawings, which its rotations share.
    ink: OnceLock<Vec<Vec<f32>>>,
}

impl Source {
    /// Looks for the files and reads the lists of classes, with or without those that are turned. Where there is no
    /// folder of lists they are those of Vinyals et al.
    pub fn open(name: &'static str, folder: &Path, rotations: bool) -> Result<Source, DataError> {
        let mut classes = Vec::new();
        let mut listed: HashMap<String, Split> = HashMap::new();
        let lists = folder.join("splits/vinyals");
        for (name, split) in LISTS {
            let path = lists.join(name);
            let text = match lists.exists() {
                true => std::fs::read_to_string(&path).map_err(DataError::unreadable(&path))?,
                false => vinyals::list(split),
            };
            if text.trim().is_empty() {
                return Err(DataError::Empty { at: Place::file(&path) });
            }
            for (line, class) in (1..).zip(text.lines()).filter(|(_, class)| !class.trim().is_empty()) {
                if turns(class).is_none() {
                    let what =
                        format!("`{class}` is no class, expected ALPHABET/CHARACTER/rot000, 090, 180 or 270");
                    return Err(DataError::Written { at: Place::line(&path, line), what });
                }
                if let Some(first) = listed.insert(class.to_string(), split) {
                    let (at, class) = (Place::line(&path, line), class.to_string());
                    return Err(match first == split {
                        true => DataError::ClassTwice { at, class },
                        false => DataError::ClassInTwoSplits { at, class, first, second: split },
                    });
                }
                if rotations || turns(class) == Some(0) {
                    classes.push((class.to_string(), split));
                }
            }
        }
        Ok(Source { name, folder: folder.to_path_buf(), classes, unpacked: OnceLock::new() })
    }

    fn unpacked(&self) -> Result<&Unpacked, DataError> {
        if self.unpacked.get().is_none() {
            let unpacked = self.unpack()?;
            // Somebody else may have been faster, with the same.
            let _ = self.unpacked.set(unpacked);
        }
        self.unpacked.get().ok_or_else(|| DataError::NoItems { at: Place::file(&self.folder) })
    }

    fn unpack(&self) -> Result<Unpacked, DataError> {
        let mut found: HashMap<String, Drawings> = HashMap::new();
        for name in ARCHIVES {
            unpack(&self.folder.join(name), &mut found)?;
        }
        let character = |(name, drawings)| Character { name, drawings, ink: OnceLock::new() };
        let characters: Vec<Character> = found.into_iter().map(character).collect();
        let places: HashMap<&str, usize> = characters.iter().map(|c| c.name.as_str()).zip(0..).collect();
        let (mut items, mut homes) = (Items::default(), Vec::new());
        for (class, split) in &self.classes {
            let (character, turn) = class.rsplit_once('/').unwrap_or((class, ""));
            let place = *places.get(character).ok_or_else(|| DataError::ClassWithoutItems {
                at: Place::file(&self.folder),
                class: class.clone(),
            })?;
            for (number, (id, _)) in characters[place].drawings.iter().enumerate() {
                items.classes.push(class.clone());
                items.ids.push(format!("{id}-{turn}"));
                homes.push((place, number, turns(class).unwrap_or(0)));
            }
            items.listed.push((class.clone(), *split, Some(character.to_string())));
        }
        Ok(Unpacked { items, homes, characters })
    }

    /// The small pictures of a character.
    fn ink<'a>(&self, character: &'a Character) -> Result<&'a [Vec<f32>], DataError> {
        if let Some(known) = character.ink.get() {
            return Ok(known);
        }
        let decoded = |(id, bytes): &(String, Vec<u8>)| {
            let path = self.folder.join(format!("{}/{id}.png", character.name));
            let broken = |what| DataError::Damaged { at: Place::file(&path), what };
            let picture = decode(bytes, MOST_PIXELS).map_err(broken)?;
            let found = (picture.height, picture.width);
            match found.0 == found.1 {
                true => Ok(ink(&picture)),
                false => Err(DataError::NotSquare { at: Place::file(&path), found }),
            }
        };
        let decoded = character.drawings.iter().map(decoded).collect::<Result<Vec<_>, DataError>>()?;
        Ok(character.ink.get_or_init(|| decoded))
    }
}

impl Dataset for Source {
    fn name(&self) -> &str {
        self.name
    }

    fn items(&self) -> Result<&Items, DataError> {
        Ok(&self.unpacked()?.items)
    }

    fn read(&self, item: usize) -> Result<RawItem, DataError> {
        let unpacked = self.unpacked()?;
        let (character, drawing, turns) = unpacked.homes[item];
        let pictures = self.ink(&unpacked.characters[character])?;
        let form = Form::Image { channels: 1, height: SIDE, width: SIDE };
        Ok(RawItem::Image { form, pixels: turn(&pictures[drawing], turns) })
    }

    fn recipe(&self) -> Result<String, DataError> {
        let archives = ARCHIVES.map(|name| (name.to_string(), self.folder.join(name)));
        let classes: String =
            self.classes.iter().map(|(class, split)| format!("{class} {split}\n")).collect();
        Ok(format!("omniglot {SIDE}\n{classes}{}\n", files_sha256(&archives)?))
    }
}

/// Quarter turns of a class, by the end of its name.
fn turns(class: &str) -> Option<usize> {
    let (_, turn) = class.rsplit_once("/rot")?;
    ["000", "090", "180", "270"].iter().position(|known| *known == turn)
}

/// The most bytes of a drawing, whose image has some hundreds: an archive can claim, and unpack to, any number.
const LARGEST: u64 = 1 << 16;

/// Takes the drawings out of an archive whose members are `…/ALPHABET/CHARACTER/NAME.png`.
fn unpack(path: &Path, characters: &mut HashMap<String, Drawings>) -> Result<(), DataError> {
    let file = File::open(path).map_err(DataError::unreadable(path))?;
    let broken = |what: String| DataError::Damaged { at: Place::file(path), what };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| broken(e.to_string()))?;
    let mut found = Vec::new();
    for number in 0..archive.len() {
        let mut member = archive.by_index(number).map_err(|e| broken(e.to_string()))?;
        let name = member.name().map_err(|e| broken(e.to_string()))?.into_owned();
        let Some(stem) = name.strip_suffix(".png") else { continue };
        let mut parts = stem.rsplit('/');
        let (Some(id), Some(character), Some(alphabet)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken(format!("`{name}` lies not in ALPHABET/CHARACTER")));
        };
        let mut bytes = Vec::new();
        (&mut member)
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| broken(format!("`{name}`: {e}")))?;
        if bytes.len() as u64 > LARGEST {
            return Err(broken(format!(
                "`{name}` has more than the {LARGEST} bytes that a drawing may have"
            )));
        }
        found.push((format!("{alphabet}/{character}"), id.to_string(), bytes));
    }
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    for (character, id, bytes) in found {
        characters.entry(character).or_default().push((id, bytes));
    }
    Ok(())
}

/// A small picture in which ink is 1 and paper 0.
fn ink(picture: &Raster) -> Vec<f32> {
    let small = scale(&picture.clone().with_channels(1), SIDE, SIDE);
    small.values.iter().map(|v| (1.0 - v).clamp(0.0, 1.0)).collect()
}

/// A square picture turned by quarters of a turn, against the clock.
fn turn(picture: &[f32], quarters: usize) -> Vec<f32> {
    let last = SIDE - 1;
    let from = |x: usize, y: usize| match quarters {
        0 => (x, y),
        1 => (last - y, x),
        2 => (last - x, last - y),
        _ => (y, last - x),
    };
    let pixel = |place: usize| {
        let (x, y) = from(place % SIDE, place / SIDE);
        picture[y * SIDE + x]
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::decode::tests::png_of;
    use super::super::pixels::Pictures;
    use super::*;

    /// A dataset of two characters with two drawings each.
    fn tiny(place: &Path, broken: bool) {
        std::fs::create_dir_all(place.join("splits/vinyals")).unwrap();
        for (name, lines) in [
            ("train.txt", "Greek/character01/rot000\nGreek/character01/rot090\n"),
            ("val.txt", "Greek/character02/rot000\n"),
            ("test.txt", "Latin/character01/rot000\nLatin/character01/rot270\n"),
        ] {
            std::fs::write(place.join("splits/vinyals").join(name), lines).unwrap();
        }
        for (archive, characters) in [
            (ARCHIVES[0], vec!["Greek/character01", "Greek/character02"]),
            (ARCHIVES[1], vec!["Latin/character01"]),
        ] {
            let mut zip = zip::ZipWriter::new(File::create(place.join(archive)).unwrap());
            for (number, character) in characters.iter().enumerate() {
                for drawing in [2, 1] {
                    // One black pixel on white paper, at another place in each drawing.
                    let mut samples = vec![255; SIDE * SIDE];
                    samples[number * 2 + drawing] = 0;
                    let mut bytes = png_of(28, 28, png::ColorType::Grayscale, &samples);
                    if broken && number == 1 {
                        bytes.truncate(40);
                    }
                    let options = zip::write::SimpleFileOptions::default();
                    zip.start_file(format!("images/{character}/0{number}_0{drawing}.png"), options).unwrap();
                    zip.write_all(&bytes).unwrap();
                }
            }
            zip.finish().unwrap();
        }
    }

    fn read(place: &Path) -> Result<(Items, Pictures), DataError> {
        let source = Source::open("omniglot", place, true)?;
        Ok((source.items()?.clone(), Pictures::of(&source)?))
    }

    #[test]
    fn rotations_are_classes_characters_are_clusters_and_ink_is_one() {
        let place = tempfile::tempdir().unwrap();
        tiny(place.path(), false);
        let (items, all) = read(place.path()).unwrap();
        assert_eq!(items.classes.len(), 10);
        assert_eq!(items.ids[..2], ["00_01-rot000", "00_02-rot000"]);
        let listed = &items.listed[1];
        let expected = ("Greek/character01/rot090", Split::Base, Some("Greek/character01"));
        assert_eq!((listed.0.as_str(), listed.1, listed.2.as_deref()), expected);
        let ink = |item: usize| {
            let pixels = &all.pixels[item * 784..(item + 1) * 784];
            let place = pixels.iter().position(|p| *p == 1.0).unwrap();
            assert!((pixels.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            (place % SIDE, place / SIDE)
        };
        let upright = Source::open("omniglot-characters", place.path(), false).unwrap();
        assert_eq!(upright.items().unwrap().listed.len(), 3);
        // Column 1 of the first row, and a quarter turn against the clock: row 26 of the first column.
        assert_eq!((ink(0), ink(2), ink(8)), ((1, 0), (0, 26), (27, 1)));
    }

    #[test]
    fn what_is_broken_or_missing_is_named() {
        let place = tempfile::tempdir().unwrap();
        tiny(place.path(), true);
        let told = || {
            let error = read(place.path()).unwrap_err().to_string();
            error.replace(&format!("{}/", place.path().display()), "")
        };
        let broken = told();
        assert!(broken.starts_with("Greek/character02/01_01.png: damaged or cut short: "), "{broken}");
        std::fs::write(place.path().join(ARCHIVES[0]), b"no zip").unwrap();
        assert!(told().starts_with("images_background.zip: damaged or cut short: "), "{}", told());
        std::fs::remove_file(place.path().join("splits/vinyals/val.txt")).unwrap();
        assert!(told().starts_with("splits/vinyals/val.txt: cannot be read: "), "{}", told());
        std::fs::write(place.path().join("splits/vinyals/val.txt"), "Greek/character02/rot001\n").unwrap();
        assert!(told().starts_with("splits/vinyals/val.txt line 1: `Greek/character02/rot001` is no class"));
        let listed = |lines: &str| {
            std::fs::write(place.path().join("splits/vinyals/val.txt"), lines).unwrap();
            told()
        };
        let twice = listed("Greek/character02/rot000\n\nGreek/character02/rot000\n");
        let sentence = "splits/vinyals/val.txt line 3: class `Greek/character02/rot000` is listed twice";
        assert_eq!(twice, sentence);
        let both = listed("Greek/character01/rot090\n");
        let sentence = "splits/vinyals/val.txt line 1: class `Greek/character01/rot090` is in two splits, base and \
                        validation";
        assert_eq!(both, sentence);
        assert_eq!(listed("\n"), "splits/vinyals/val.txt: the file is empty");
    }

    #[test]
    fn a_drawing_that_is_not_square_is_refused_and_not_stretched() {
        let place = tempfile::tempdir().unwrap();
        tiny(place.path(), false);
        let mut zip = zip::ZipWriter::new(File::create(place.path().join(ARCHIVES[1])).unwrap());
        zip.start_file("images/Latin/character01/1_01.png", zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&png_of(28, 20, png::ColorType::Grayscale, &[255; 560])).unwrap();
        zip.finish().unwrap();
        let error = read(place.path()).unwrap_err().to_string();
        let sentence = "/Latin/character01/1_01.png: an image of 20×28 pixels, expected a square one";
        assert!(error.ends_with(sentence), "{error}");
    }

    /// The members of an archive that end so, by name.
    fn members(path: &Path, end: &str) -> HashMap<String, Vec<u8>> {
        let mut archive = ZipArchive::new(BufReader::new(File::open(path).unwrap())).unwrap();
        let mut found = HashMap::new();
        for number in 0..archive.len() {
            let mut member = archive.by_index(number).unwrap();
            let name = member.name().unwrap().into_owned();
            if name.ends_with(end) {
                let mut bytes = Vec::new();
                member.read_to_end(&mut bytes).unwrap();
                found.insert(name, bytes);
            }
        }
        found
    }

    #[test]
    fn the_draw_of_the_one_shot_runs_holds_the_pictures_of_their_archive() {
        let root = std::env::var_os("KSHOT_SHARED")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
        let folder = root.join("data/omniglot");
        if !folder.join("all_runs.zip").exists() {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no {}; set KSHOT_SHARED", folder.display());
            return;
        }
        let mut drawings = HashMap::new();
        unpack(&folder.join(ARCHIVES[1]), &mut drawings).unwrap();
        let pictures = members(&folder.join("all_runs.zip"), ".png");
        let labels: HashMap<String, String> = members(&folder.join("all_runs.zip"), "class_labels.txt")
            .into_values()
            .flat_map(|text| String::from_utf8(text).unwrap().lines().map(String::from).collect::<Vec<_>>())
            .filter_map(|line| {
                line.split_once(' ').map(|(test, class)| (class.to_string(), test.to_string()))
            })
            .collect();
        let same = |class: &str, item: &str, picture: &str| {
            let drawing = &drawings[class.strip_suffix("/rot000").unwrap()][item.parse::<usize>().unwrap()].1;
            assert_eq!(
                decode(drawing, MOST_PIXELS).unwrap(),
                decode(&pictures[picture], MOST_PIXELS).unwrap(),
                "{class} {item} {picture}"
            );
        };
        let draw = include_str!("../../../../episodes/omniglot-one-shot-runs.csv");
        let rows: Vec<Vec<&str>> = draw.lines().skip(2).map(|row| row.split(',').collect()).collect();
        assert_eq!((rows.len(), labels.len()), (400, 400));
        for row in rows {
            let [episode, label] = [row[0], row[1]].map(|number| number.parse::<usize>().unwrap() + 1);
            let support = format!("run{episode:02}/training/class{label:02}.png");
            same(row[2], row[3], &support);
            same(row[2], row[4], &labels[&support]);
        }
    }
}
