//! Features as a folder: features.npy and items.csv, with splits.csv, store.toml and class_embeddings.npy where present.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Reader;
use super::header::{Others, Reading};
use super::npy::matrix_file;
use super::written::{About, Features, Listing, Matrix, Written};
use super::{shards, splits, table, zero_shot};
use crate::data::OpenOptions;
use crate::data::place::store_name;
use crate::data::{DataError, Place};
use crate::vocab::Form;

/// The files that a folder may have; the first it must, and the second unless labels are given apart. The last is what
/// the one before it was called earlier.
pub(in crate::data) const FILES: [&str; 6] =
    ["features.npy", "items.csv", "splits.csv", "store.toml", "class_embeddings.npy", "class_vectors.npy"];

/// A folder.
pub(super) struct Folder;

impl Reader for Folder {
    fn extension(&self) -> Option<&'static str> {
        None
    }

    fn about(&self) -> &'static str {
        "a folder with features.npy and items.csv, or with .parquet or .arrow files"
    }

    fn has_columns(&self, path: &Path) -> bool {
        !path.join(FILES[0]).exists() && !shards::files(path).is_empty()
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        let published = path.join(zero_shot::FEATURES);
        if !path.join(FILES[0]).exists() && published.exists() {
            let written = zero_shot::Mat.read(&published, options)?;
            return Ok(Written { name: store_name(path), path: Some(path.to_path_buf()), ..written });
        }
        if self.has_columns(path) {
            return shards::features(path, &shards::files(path), options);
        }
        let [features, items, splits, about, embeddings, embeddings_before] = FILES;
        let files: Vec<(String, PathBuf)> =
            FILES.iter().map(|name| (name.to_string(), path.join(name))).collect();
        let needed: &[&str] = if options.may_lack_classes() { &[features] } else { &[features, items] };
        if let Some(name) = needed.iter().find(|name| !path.join(name).exists()) {
            let why = format!("the folder has no {name}");
            return Err(DataError::NotFeatures { path: path.to_path_buf(), why });
        }
        // Opening a pipe would wait for somebody to write into it.
        let other = |file: &Path| file.metadata().is_ok_and(|kind| !kind.is_file() && !kind.is_dir());
        if let Some((_, path)) = files.iter().find(|(_, file)| other(file)) {
            return Err(DataError::NotAFile { path: path.clone() });
        }
        // A link that leads nowhere is there, so that reading it fails and the class splits are not silently lost.
        let exists = |file: &Path| file.symlink_metadata().is_ok();
        let present = |name: &str| Some(path.join(name)).filter(|file| exists(file));

        let about = present(about).map(|file| provenance(&file)).transpose()?;
        let (provenance, form) = about.unwrap_or_else(|| (Default::default(), Form::Vector));
        let splits = present(splits).map(|file| splits::read(&file)).transpose()?;
        let labels =
            |file: PathBuf| Ok(table::read(&file, Reading::of(Others::Refused))?.labels(&Place::file(&file)));
        let labels = present(items).map(labels).transpose()?;
        let embeddings = match (present(embeddings), present(embeddings_before)) {
            (Some(_), Some(twice)) => {
                return Err(DataError::EmbeddingsTwice { at: Place::file(&twice) });
            }
            (new, old) => new.or(old),
        };
        let order = splits.as_ref().map(Listing::order);
        let class_embeddings = embeddings.map(|file| matrix(&file, order)).transpose()?;
        let features = path.join(features);
        let array = matrix_file(&features)?;
        Ok(Written {
            name: store_name(path),
            path: Some(path.to_path_buf()),
            features: Features {
                at: Place::file(&features),
                element: array.element,
                rows: array.rows,
                dim: array.dim,
                values: array.open(options.resident).map_err(DataError::unreadable(&features))?,
            },
            columns: None,
            labels,
            splits,
            class_embeddings,
            provenance,
            form,
            files: files.into_iter().filter(|(_, file)| exists(file)).collect(),
        })
    }
}

fn matrix(path: &Path, order: Option<(Place, Vec<String>)>) -> Result<Matrix, DataError> {
    let array = matrix_file(path)?;
    let (rows, class_dim) = (array.rows, array.dim);
    let mut values: Arc<[f32]> = std::iter::repeat_n(0.0, rows * class_dim).collect();
    let out = Arc::get_mut(&mut values).expect("made one line above");
    let values_of_file = array.open(u64::MAX).map_err(DataError::unreadable(path))?;
    values_of_file.read_block(class_dim, 0, out).map_err(DataError::unreadable(path))?;
    Ok(Matrix { at: Place::file(path), order, values, rows, class_dim })
}

fn provenance(path: &Path) -> Result<(crate::data::Provenance, Form), DataError> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => DataError::NotUtf8 { at: Place::file(path) },
        _ => DataError::unreadable(path)(error),
    })?;
    let about: About = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| 1 + before.matches('\n').count() as u64);
        DataError::Written { at: Place { line, ..Place::file(path) }, what: error.message().to_string() }
    })?;
    about.parse().map_err(|source| DataError::UnknownWord { at: Place::file(path), source })
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::{array, matrix};
    use crate::data::fixtures::{folder_refusal, folder_with, numbers, open, refusal, sample};
    use crate::data::{OpenOptions, Store, Values};
    use crate::vocab::{ClassId, ItemId, SawClasses, Split};

    #[test]
    fn a_folder_gives_items_classes_splits_parts_groups_and_ids() {
        let (_place, folder) = folder_with(&[]);
        let store = open(&folder).unwrap();
        let index = store.index();
        let classes: Vec<_> =
            index.classes().iter().map(|c| (c.name.as_str(), c.split, c.items.len())).collect();
        assert_eq!(
            classes,
            [("dog", Split::Base, 2), ("cat", Split::Validation, 2), ("ant", Split::Novel, 2)]
        );
        assert_eq!(index.class(ClassId(1)).items, [ItemId(1), ItemId(4)]);
        assert_eq!((index.part(ItemId(2)), index.part_names().len()), (Some("test"), 2));
        assert_eq!((0..6).map(|i| index.group(ItemId(i))).collect::<Vec<_>>(), [0, 1, 2, 3, 1, 5]);
        assert_eq!(store.ids().unwrap()[5], "f,\"1\"");
        assert_eq!((store.name(), store.rows(), store.dim()), ("store", 6, 2));
        assert_eq!(numbers(&store), sample().values);
        assert!(store.warnings().is_empty());
    }

    #[test]
    fn without_splits_all_classes_are_novel() {
        let (_place, folder) = folder_with(&[]);
        std::fs::remove_file(folder.join("splits.csv")).unwrap();
        let store = open(&folder).unwrap();
        assert_eq!(store.index().of_split(Split::Novel).count(), 3);
    }

    #[test]
    fn splits_may_stand_in_any_order_and_name_clusters_and_class_vectors_follow_them() {
        let splits = b"cluster,split,class\npets,base,cat\n,novel,ant\npets,base,dog\n";
        let vectors = matrix(3, 2, &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5]);
        let (_place, folder) = folder_with(&[("splits.csv", splits), ("class_embeddings.npy", &vectors)]);
        let store = open(&folder).unwrap();
        let clusters: Vec<_> = store.index().classes().iter().map(|c| c.cluster.as_deref()).collect();
        assert_eq!(clusters, [Some("pets"), Some("pets"), None]);
        let vectors = store.class_embeddings().unwrap();
        assert_eq!((vectors.class_dim, &*vectors.rows), (2, [3.0, 3.5, 1.0, 1.5, 2.0, 2.5].as_slice()));
    }

    #[test]
    fn store_toml_tells_form_and_provenance() {
        let toml =
            b"backbone = \"net\"\ntrained_on = \"photos\"\nsaw_classes = \"some\"\nform = \"image:1x1x2\"\n";
        let (_place, folder) = folder_with(&[("store.toml", toml)]);
        let store = open(&folder).unwrap();
        let provenance = store.provenance();
        assert_eq!((provenance.backbone.as_str(), provenance.trained_on.as_deref()), ("net", Some("photos")));
        assert_eq!(
            (provenance.saw_classes, store.form().to_string().as_str()),
            (SawClasses::Some, "image:1x1x2")
        );
    }

    #[test]
    fn a_store_larger_than_it_may_be_in_memory_stays_in_its_file() {
        let (_place, folder) = folder_with(&[]);
        let store = Store::open(&folder, &OpenOptions { resident: 47, ..OpenOptions::default() }).unwrap();
        assert!(matches!(store.values(), Values::File(_)));
        assert_eq!(numbers(&store), sample().values);
        let mut row = [0.0; 2];
        store.read_item(ItemId(4), &mut row).unwrap();
        assert_eq!(row, [4.0, 4.5]);
        let store = Store::open(&folder, &OpenOptions { resident: 48, ..OpenOptions::default() }).unwrap();
        assert!(matches!(store.values(), Values::F32(_)));
    }

    #[test]
    fn a_damaged_matrix_is_refused() {
        let refused = |bytes: Vec<u8>| folder_refusal(&[("features.npy", &bytes)]);
        let whole = matrix(6, 2, &sample().values);
        assert_eq!(refused(vec![]), "store/features.npy: the file is empty");
        let cut = refused(whole[..whole.len() - 1].to_vec());
        let sentence =
            "store/features.npy: damaged or cut short: 175 bytes, its header promises 176 (6 rows of 2)";
        assert_eq!(cut, sentence);
        let text = refused(b"class,f0\n".to_vec());
        assert_eq!(text, "store/features.npy: damaged or cut short: it does not begin like a .npy file");
        let fortran = refused(array("<f4", "(6, 2)", true, &[0; 48]));
        assert!(
            fortran
                .starts_with("store/features.npy: the array is in Fortran order, expected C order\nhint: ")
        );
        let truths = refused(array("|b1", "(6, 2)", false, &[0; 12]));
        assert!(
            truths.starts_with("store/features.npy: elements of type `|b1`, expected `<f2`, `<f4`, `<f8`")
        );
        let cube = refused(array("<f4", "(3, 2, 2)", false, &[0; 48]));
        assert_eq!(cube, "store/features.npy: an array of shape (3, 2, 2), expected two axes (items, dim)");
        let flat = refused(array("<f4", "(6, 0)", false, &[]));
        assert_eq!(flat, "store/features.npy: no features: every item needs at least one number");
        let none = refused(array("<f4", "(0, 2)", false, &[]));
        assert_eq!(none, "store/features.npy: no items");
    }

    #[test]
    fn a_number_that_is_not_finite_is_named_by_item_and_column() {
        let refused = |bytes: Vec<u8>| folder_refusal(&[("features.npy", &bytes)]);
        let mut values = sample().values;
        values[9] = f32::NAN;
        let sentence = "store/features.npy: item 4 (class `cat`, id `é`) has NaN in column 1, features must be finite \
                        32-bit numbers";
        assert_eq!(refused(matrix(6, 2, &values)), sentence);
        let body: Vec<u8> = (0..12).flat_map(|i| (f64::from(i) * 1e38).to_le_bytes()).collect();
        let wide = refused(array("<f8", "(6, 2)", false, &body));
        assert!(
            wide.contains("item 2 (class `dog`, id `c`) has a number beyond 32 bits in column 0"),
            "{wide}"
        );
    }

    #[test]
    fn items_that_do_not_fit_are_refused() {
        let refused = |items: &str| folder_refusal(&[("items.csv", items.as_bytes())]);
        assert_eq!(refused(""), "store/items.csv: the file is empty");
        let few = refused("class\ndog\ncat\nant\n");
        assert_eq!(few, "store/items.csv: 3 rows, expected 6 as in store/features.npy");
        let column =
            "store/items.csv: unknown column `video`, expected one of `class`, `part`, `group`, `id`";
        assert_eq!(refused("class,video\ndog,1\n"), column);
        assert_eq!(refused("id,part\na,b\n"), "store/items.csv: no column `class`, found `id`, `part`");
        assert_eq!(refused("class,id,class\n"), "store/items.csv: column `class` appears twice");
        assert_eq!(refused("class,id\ndog,a\ncat\n"), "store/items.csv line 3: expected 2 fields, found 1");
        assert_eq!(refused("class,id\ndog,a\n,b\n"), "store/items.csv line 3: item 1 has an empty `class`");
        assert_eq!(refused("class,part\ndog,\n"), "store/items.csv line 2: item 0 has an empty `part`");
        let text = folder_refusal(&[("items.csv", b"class\ndog\nc\xfft\n")]);
        assert_eq!(text, "store/items.csv line 3: the text is not UTF-8");
    }

    #[test]
    fn class_vectors_that_do_not_fit_are_refused() {
        let refused = |bytes: Vec<u8>| folder_refusal(&[("class_embeddings.npy", &bytes)]);
        let rows = refused(matrix(2, 2, &[0.0; 4]));
        assert_eq!(rows, "store/class_embeddings.npy: 2 rows, expected 3 as in store/splits.csv");
        let bad = refused(matrix(3, 2, &[0.0, 0.0, 0.0, f32::INFINITY, 0.0, 0.0]));
        let sentence = "store/class_embeddings.npy: the embedding of class `cat` has inf in column 1, class embeddings must be \
                        finite\nhint: ";
        assert!(bad.starts_with(sentence), "{bad}");
        let flat = refused(array("<f4", "(3, 0)", false, &[]));
        assert_eq!(
            flat,
            "store/class_embeddings.npy: class embeddings without numbers, every class needs at least one"
        );
    }

    #[test]
    fn a_store_toml_that_says_what_nobody_reads_is_refused() {
        let refused = |toml: &str| folder_refusal(&[("store.toml", toml.as_bytes())]);
        let unknown = "store/store.toml line 2: unknown field `saw`, expected one of `backbone`, `trained_on`, \
                       `saw_classes`, `saw_splits`, `form`, `weights_sha256`, `seed_train`, `truncated`, `preprocessing`, `class_embeddings`";
        assert_eq!(refused("backbone = \"net\"\nsaw = \"all\"\n"), unknown);
        let word = "store/store.toml: unknown value of saw_classes `maybe`, expected one of `none`, `some`, `all`, \
                    `unknown`";
        assert_eq!(refused("saw_classes = \"maybe\"\n"), word);
        let form = "store/features.npy: form `image:1x28x28` has 784 numbers per item, the features have 2";
        assert_eq!(refused("form = \"image:1x28x28\"\n"), form);
        assert!(refused("backbone = net\n").starts_with("store/store.toml line 1: "));
        let text = folder_refusal(&[("store.toml", b"backbone = \"\xff\"\n")]);
        assert_eq!(text, "store/store.toml: the text is not UTF-8");
    }

    #[test]
    fn a_path_that_is_no_store_is_refused_with_the_forms_there_are() {
        let (place, folder) = folder_with(&[]);
        let missing = refusal(place.path(), &place.path().join("nowhere"));
        assert!(
            missing.starts_with("nowhere: no such file or folder\nhint: features are a folder"),
            "{missing}"
        );
        let alone = refusal(place.path(), &folder.join("features.npy"));
        assert!(alone.starts_with("store/features.npy: a .npy file alone has no classes\nhint: "));
        let other = refusal(place.path(), &{
            std::fs::write(place.path().join("a.txt"), "a").unwrap();
            place.path().join("a.txt")
        });
        assert!(other.starts_with(
            "a.txt: cannot be read as features, the name ends in none of the known ways\nhint: "
        ));
        #[cfg(not(feature = "parquet"))]
        {
            let table = place.path().join("a.parquet");
            std::fs::write(&table, "PAR1").unwrap();
            let sentence = "a.parquet: this kshot was built without parquet\nhint: build it with `--features parquet`, or \
                            save the table as .csv";
            assert_eq!(refusal(place.path(), &table), sentence);
            assert!(open(&table).unwrap_err().is_request());
        }
        std::fs::remove_file(folder.join("items.csv")).unwrap();
        let half = refusal(place.path(), &folder);
        assert!(
            half.starts_with("store: cannot be read as features, the folder has no items.csv\nhint: "),
            "{half}"
        );
    }
}
