//! Which items features are of: draws that are for other items are refused, and nothing else makes other features.

use super::place::{Place, npy};

/// Ids of the store in item order, `c0-0` to `c5-5`.
fn ids() -> Vec<String> {
    (0..36).map(|row| format!("c{}-{}", row / 6, row % 6)).collect()
}

/// The store with ids, its rows in this order.
fn reordered(place: &Place, name: &str, order: &[usize]) {
    let bytes = std::fs::read(place.path("store/features.npy")).unwrap();
    let body = &bytes[bytes.len() - 36 * 12..];
    let rows: Vec<u8> = order.iter().flat_map(|row| body[row * 12..(row + 1) * 12].to_vec()).collect();
    place.write(&format!("{name}/features.npy"), npy("<f4", "(36, 3)", &rows));
    let ids = ids();
    let items: String = order.iter().map(|row| format!("c{},{}\n", row / 6, ids[*row])).collect();
    place.write(&format!("{name}/items.csv"), format!("class,id\n{items}"));
}

/// A store `own` in order and `shuffled`, whose rows and classes stand elsewhere.
fn two_orders() -> Place {
    let place = Place::new();
    reordered(&place, "own", &(0..36).collect::<Vec<_>>());
    reordered(&place, "shuffled", &(0..36).map(|row| (row * 23 + 5) % 36).collect::<Vec<_>>());
    place
}

/// The lines of a table without the columns that name features and the program's run.
fn without(place: &Place, file: &str, columns: &[&str]) -> Vec<String> {
    let text = place.read(file);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let kept: Vec<usize> = (0..header.len()).filter(|place| !columns.contains(&&header[*place])).collect();
    let line = |record: &csv::StringRecord| {
        kept.iter().map(|place| record[*place].to_string()).collect::<Vec<_>>().join(",")
    };
    reader.records().map(|record| line(&record.unwrap())).collect()
}

#[test]
fn shuffled_rows_are_refused_with_a_draw_by_position_and_agree_with_one_by_ids() {
    let place = two_orders();
    place.done("sample p.toml --features own --out by-position");
    place.done("sample p.toml --features own --ids --out by-ids");
    let sentence = "by-position/p.csv: the items of features `shuffled` stand in another order than those that it was drawn \
                    from; the first that differs is item …";
    place.refuses(3, "evaluate p.toml --features shuffled --draw by-position/p.csv --out out", sentence);
    let learners = "--learner prototypical --learner k-nn --learner linear-probe";
    let run = |features: &str, draw: &str, out: &str| {
        place.done(&format!(
            "evaluate p.toml --features {features} --draw {draw}/p.csv {learners} --out {out}"
        ));
    };
    run("own", "by-position", "first");
    run("own", "by-ids", "second");
    run("shuffled", "by-ids", "third");
    for other in ["second", "third"] {
        for file in ["outcomes.csv", "bins.csv"] {
            let named = |folder: &str| {
                without(&place, &format!("{folder}/{file}"), &["features", "dataset", "method"])
            };
            assert_eq!(named("first"), named(other), "{other}/{file}");
        }
        let columns = ["features", "dataset", "features_sha256", "method"];
        let rows = |folder: &str| without(&place, &format!("{folder}/summary.csv"), &columns);
        assert_eq!(rows("first"), rows(other), "{other}");
    }
}

#[test]
fn a_draw_by_ids_is_the_frozen_draw_of_its_protocol() {
    let place = two_orders();
    let sampled = place.done("sample p.toml --features own --ids --out by-ids").out;
    let hash = sampled.split('"').nth(1).unwrap().to_string();
    place.edit("p.toml", "seed  = 7", &format!("seed  = 7\nsha256 = \"{hash}\""));
    let ran = place.done("check p.toml --features shuffled --draw by-ids/p.csv");
    assert!(ran.out.ends_with(&format!("agree (2 episodes, sha256 {hash})\n")), "{}", ran.out);
    // A line that was changed since makes another draw.
    place.edit("by-ids/p.csv", "\n1,", "\n1,");
    let text = place.read("by-ids/p.csv");
    let last = text.lines().last().unwrap().to_string();
    let (head, query) = last.rsplit_once(',').unwrap();
    let mut words: Vec<&str> = query.split(' ').collect();
    words.reverse();
    place.edit("by-ids/p.csv", &last, &format!("{head},{}", words.join(" ")));
    let changed = place.done("check p.toml --features own --draw by-ids/p.csv").out;
    assert!(changed.contains("the draw has sha256 ") && changed.contains(&hash), "{changed}");
}

#[test]
fn other_items_are_refused_by_name() {
    let place = two_orders();
    place.done("sample p.toml --features own --out by-position");
    let items = place.read("own/items.csv").replace("c3-2", "c3-x");
    place.write("own/items.csv", items);
    let sentence = "by-position/p.csv: the items of features `own` are not those that it was drawn from; the first that \
                    differs is item 2 of class `c3`, here `c3-x` (items_sha256 …";
    place.refuses(3, "evaluate p.toml --features own --draw by-position/p.csv --out out", sentence);
    let checked = place.run("check p.toml --features own --draw by-position/p.csv");
    assert!(
        checked.code == 1 && checked.out.starts_with("p: broken: by-position/p.csv: "),
        "{}",
        checked.out
    );
}

#[test]
fn a_draw_that_does_not_name_its_items_is_used_with_a_warning() {
    let place = Place::new();
    let ran = place.done("evaluate p.toml --features store --draw draw.csv --learner prototypical --out out");
    assert!(
        ran.err.contains("warning: draw.csv: no line `# items_sha256 = …` says which items"),
        "{}",
        ran.err
    );
    assert!(place.read("out/run.json").contains("\"draw-without-items\""));
    let fresh = place.done("evaluate p.toml --features store --learner prototypical --out fresh");
    assert!(
        !fresh.err.contains("items_sha256") && place.read("fresh/draw.csv").starts_with("# items_sha256 = ")
    );
    // The draw of a run is one that names its items.
    let again = "evaluate p.toml --features store --draw fresh/draw.csv --learner prototypical --out again";
    assert!(!place.done(again).err.contains("items_sha256"));
    let hash = |folder: &str| {
        let text = place.read(&format!("{folder}/summary.csv"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let column = reader.headers().unwrap().iter().position(|name| name == "draw_sha256").unwrap();
        reader.records().next().unwrap().unwrap()[column].to_string()
    };
    assert_eq!(hash("fresh"), hash("again"));
}

#[test]
fn a_renamed_file_another_format_and_an_edited_store_toml_are_the_same_features() {
    let place = two_orders();
    let hash = |features: &str, out: &str| {
        place.done(&format!("evaluate p.toml --features {features} --learner prototypical --out {out}"));
        let text = place.read(&format!("{out}/run.json"));
        let (_, rest) = text.split_once("\"features_sha256\": \"").unwrap();
        rest[..64].to_string()
    };
    let first = hash("own", "one");
    place.write("own/store.toml", "backbone = \"another\"\n");
    std::fs::rename(place.path("own"), place.path("moved")).unwrap();
    assert_eq!(hash("moved", "two"), first);
    let labels: String = (0..36).map(|row| format!("c{}\n", row / 6)).collect();
    place.write("y.txt", labels);
    std::fs::copy(place.path("moved/features.npy"), place.path("x.npy")).unwrap();
    assert_eq!(hash("x.npy --labels y.txt", "three"), first);
}

#[test]
fn a_bare_matrix_is_evaluated_with_labels_in_their_own_file() {
    let place = Place::new();
    std::fs::copy(place.path("store/features.npy"), place.path("x.npy")).unwrap();
    let labels: Vec<u8> = (0..36i64).flat_map(|row| (row / 6).to_le_bytes()).collect();
    place.write("y.npy", npy("<i8", "(36,)", &labels));
    place.done("evaluate p.toml --features x.npy --labels y.npy --learner prototypical --out bare");
    place.done("evaluate p.toml --features store --learner prototypical --out folder");
    // Classes of other names have their queries in another order, which losses see in their last digits.
    let columns = ["features", "dataset", "method", "class", "nll", "brier"];
    let outcomes = |folder: &str| without(&place, &format!("{folder}/outcomes.csv"), &columns);
    assert_eq!(outcomes("bare"), outcomes("folder"));
    place.refuses(
        3,
        "evaluate p.toml --features x.npy --out out",
        "x.npy: a .npy file alone has no classes\nhint: add --labels FILE, with a class for every row",
    );
    place.refuses(
        2,
        "evaluate p.toml --features glyphs --labels y.npy --out out",
        "`glyphs` is a dataset with labels of its own, --labels is for features from files",
    );
    place.write("y.npy", npy("<i8", "(2,)", &labels[..16]));
    place.refuses(
        3,
        "evaluate p.toml --features x.npy --labels y.npy --out out",
        "y.npy: 2 rows, expected 36 as in x.npy",
    );
}
