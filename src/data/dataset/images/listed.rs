//! Images that a table lists: `csv:FILE` with the columns `path` and `class`, and optionally `part`, `split`, `group`, `id`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::decode::{MOST_PIXELS, decode, photograph};
use crate::data::dataset::items::{Dataset, Items, Photograph, RawItem};
use crate::data::dataset::kind::{Asked, Holds, Kind, Opens};
use crate::data::dataset::text::table::{csv, gather};
use crate::data::files_sha256;
use crate::data::{DataError, Place};
use crate::vocab::{Form, few};

/// Images by a table of their paths.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "csv",
    usage: "csv:FILE",
    about: "images that a .csv or .tsv lists: path (from its folder on) and class, optional part, split, group, id; write csv:FILE",
    holds: Holds::Images,
    opens: Opens::Read {
        home: None,
        lies_at: |_| false,
        open: |Asked { rest, .. }| Ok(Box::new(Listed::open(rest)?)),
    },
};

const COLUMNS: [&str; 6] = ["path", "class", "part", "split", "id", "group"];

/// The images of a table, listed but not read.
struct Listed {
    name: String,
    table: PathBuf,
    items: Items,
    /// The file of each item.
    files: Vec<PathBuf>,
    notes: Vec<String>,
    deep: AtomicBool,
}

impl Listed {
    fn open(table: &Path) -> Result<Listed, DataError> {
        if !table.is_file() {
            return Err(DataError::NoFile { path: table.to_path_buf() });
        }
        let rows = gather(table, csv(table, &COLUMNS, true)?)?;
        let folder = table.parent().unwrap_or(Path::new(""));
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for (row, path) in rows.texts.iter().enumerate() {
            if let Some(before) = lines.insert(path, row) {
                let what = format!("rows {before} and {row} both name {path}, an image is one item");
                return Err(DataError::Written { at: Place::file(table), what });
            }
        }
        let listed = rows.listed();
        // Without ids of their own, images are known by their paths.
        let id =
            |(id, path): (&String, &String)| if id.starts_with("row:") { path.clone() } else { id.clone() };
        let ids = rows.ids.iter().zip(&rows.texts).map(id).collect();
        let unread =
            (!rows.ignored.is_empty()).then(|| format!("columns that are not read: {}", few(&rows.ignored)));
        let name = table.file_stem().map_or("images".to_string(), |stem| stem.to_string_lossy().into_owned());
        let files = rows.texts.iter().map(|path| folder.join(path)).collect();
        let items = Items { ids, classes: rows.classes, parts: rows.parts, groups: rows.groups, listed };
        let (table, deep) = (table.to_path_buf(), AtomicBool::new(false));
        Ok(Listed { name, table, items, files, notes: unread.into_iter().collect(), deep })
    }
}

impl Dataset for Listed {
    fn name(&self) -> &str {
        &self.name
    }

    fn items(&self) -> Result<&Items, DataError> {
        Ok(&self.items)
    }

    fn read(&self, item: usize) -> Result<RawItem, DataError> {
        let path = &self.files[item];
        let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
        let picture =
            decode(&bytes, MOST_PIXELS).map_err(|what| DataError::Damaged { at: Place::file(path), what })?;
        self.deep.fetch_or(picture.deep, Ordering::Relaxed);
        let form = Form::Image { channels: picture.channels, height: picture.height, width: picture.width };
        Ok(RawItem::Image { form, pixels: picture.planes() })
    }

    fn photograph(&self, item: usize) -> Result<Option<Photograph>, DataError> {
        photograph(&self.files[item], MOST_PIXELS).map(Some)
    }

    fn recipe(&self) -> Result<String, DataError> {
        // A file that is not there is one that cannot be read, and is counted where it is read.
        let there =
            self.items.ids.iter().cloned().zip(self.files.iter().cloned()).filter(|(_, path)| path.is_file());
        let mut files: Vec<(String, PathBuf)> = vec![("table".to_string(), self.table.clone())];
        files.extend(there);
        Ok(format!("csv\n{}\n", files_sha256(&files)?))
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
    use super::*;
    use crate::vocab::Split;

    fn open(table: &str) -> Result<Listed, String> {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("mine.csv");
        std::fs::write(&file, table).unwrap();
        std::fs::create_dir(place.path().join("a")).unwrap();
        std::fs::write(place.path().join("a/1.png"), png_of(1, 1, png::ColorType::Rgb, &[1, 2, 3])).unwrap();
        let listed = Listed::open(&file);
        let plain = |e: DataError| e.to_string().replace(&format!("{}/", place.path().display()), "");
        let listed = listed.map_err(plain)?;
        assert_eq!(listed.photograph(0).unwrap().unwrap().image.pixels(), [1, 2, 3]);
        assert!(listed.recipe().is_ok());
        Ok(listed)
    }

    #[test]
    fn paths_count_from_the_folder_of_the_table_and_are_ids() {
        let all =
            open("class,path,split,group,colour\ncat,a/1.png,base,g,red\ndog,a/2.png,novel,,blue\n").unwrap();
        assert_eq!(
            (all.name(), all.items.ids.as_slice()),
            ("mine", ["a/1.png", "a/2.png"].map(String::from).as_slice())
        );
        assert_eq!(all.items.listed[0], ("cat".to_string(), Split::Base, None));
        assert_eq!(all.items.groups, Some(vec!["g".to_string(), String::new()]));
        assert_eq!(all.notes, ["columns that are not read: colour"]);
        assert!(all.photograph(1).is_err());
        let named = open("path,class,id\na/1.png,cat,one\n").unwrap();
        assert_eq!(named.items.ids, ["one"]);
    }

    #[test]
    fn a_wrong_table_is_one_sentence() {
        assert!(open("file,class\na/1.png,cat\n").err().unwrap().starts_with("mine.csv: no column `path`"));
        let twice = open("path,class\na/1.png,cat\na/1.png,dog\n").err().unwrap();
        assert_eq!(twice, "mine.csv: rows 0 and 1 both name a/1.png, an image is one item");
    }
}
