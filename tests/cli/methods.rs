//! Several feature sets in one run: every learner meets every one of them on one draw.

use super::place::{Place, npy, numbers};

const ROWS: usize = 36;

/// A folder of features with ids, rows in the given order of the 36 items.
fn features(place: &Place, name: &str, dim: usize, order: &[usize]) {
    let all = numbers(ROWS * dim);
    let body: Vec<u8> =
        order.iter().flat_map(|row| &all[row * dim..(row + 1) * dim]).flat_map(|v| v.to_le_bytes()).collect();
    place.write(&format!("{name}/features.npy"), npy("<f4", &format!("({ROWS}, {dim})"), &body));
    let items: String = order.iter().map(|row| format!("c{},item {row}\n", row / 6)).collect();
    place.write(&format!("{name}/items.csv"), format!("class,id\n{items}"));
}

fn in_order() -> Vec<usize> {
    (0..ROWS).collect()
}

/// The cells of a column, row by row.
fn column(place: &Place, file: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
    let at = reader.headers().unwrap().iter().position(|column| column == name).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_string()).collect()
}

/// The rows of outcomes of one learner on one feature set, without the names of features and data set.
fn outcomes(place: &Place, folder: &str, learner: &str, features: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(place.path(&format!("{folder}/outcomes.csv"))).unwrap();
    let columns = reader.headers().unwrap().clone();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let own = rows.iter().filter(|row| &row[at("learner")] == learner && &row[at("features")] == features);
    let names = [at("features"), at("dataset")];
    let kept = |row: &csv::StringRecord| -> Vec<String> {
        row.iter().enumerate().filter(|(n, _)| !names.contains(n)).map(|(_, cell)| cell.to_string()).collect()
    };
    own.map(|row| kept(row).join(",")).collect()
}

fn distinct(mut cells: Vec<String>) -> Vec<String> {
    cells.sort();
    cells.dedup();
    cells
}

#[test]
fn every_learner_meets_every_feature_set_on_one_draw() {
    let place = Place::new();
    features(&place, "small", 3, &in_order());
    features(&place, "large", 5, &in_order());
    place.done(
        "evaluate p.toml --features small --features big=large --learner ridge --learner k-nn --out out",
    );
    let methods = distinct(column(&place, "out/summary.csv", "method"));
    assert_eq!(methods, ["big+k-nn", "big+ridge", "small+k-nn", "small+ridge"]);
    for name in ["draw_sha256", "items_sha256"] {
        assert_eq!(distinct(column(&place, "out/episodes.csv", name)).len(), 1, "{name}");
    }
    assert_eq!(distinct(column(&place, "out/summary.csv", "features_sha256")).len(), 2);
    // Alone they give the same outcomes.
    place.done("evaluate p.toml --features big=large --learner ridge --out alone");
    let of = |folder: &str| outcomes(&place, folder, "ridge", "big");
    assert_eq!(of("alone"), of("out"));
    assert_eq!(of("out").len(), 10);
}

#[test]
fn a_label_names_a_method_and_parameters_tell_the_rest_apart() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --learner Mine=k-nn --learner k-nn:k=3 --learner k-nn:k=5 --out out");
    let methods = distinct(column(&place, "out/summary.csv", "method"));
    assert_eq!(methods, ["Mine", "store+k-nn:k=3", "store+k-nn:k=5"]);
}

#[test]
fn feature_sets_of_other_items_are_refused() {
    let place = Place::new();
    features(&place, "one", 3, &in_order());
    features(&place, "other", 3, &in_order());
    place.edit("other/items.csv", "item 17", "item 99");
    place.refuses(
        3,
        "evaluate p.toml --features one --features other --out out",
        "feature sets `one` and `other` are not of the same items: the first one has item `item 17` of class c2, the \
         second one item `item 99` of class c2…",
    );
    features(&place, "same", 3, &in_order());
    place.refuses(
        2,
        "evaluate p.toml --features x=one --features x=same --out out",
        "two feature sets are called `x`…",
    );
    place.refuses(
        3,
        "evaluate p.toml --features one --features store --out out",
        "feature sets `one` and `store` are not of the same items: items without ids are only themselves in their own \
         file…",
    );
}

#[test]
fn the_same_items_in_another_order_are_met_in_the_same_episodes() {
    let place = Place::new();
    features(&place, "one", 3, &in_order());
    let shuffled: Vec<usize> = (0..ROWS).map(|row| (row * 7 + 3) % ROWS).collect();
    features(&place, "two", 3, &shuffled);
    place.done("evaluate p.toml --features one --features two --learner ridge --out out");
    let rows = |features: &str| outcomes(&place, "out", "ridge", features);
    assert_eq!(rows("one"), rows("two"));
    assert_eq!(rows("one").len(), 10);
}

#[test]
fn pixels_and_a_network_share_the_quickstart() {
    let place = Place::empty();
    place.done(
        "evaluate quickstart --episodes 20 --backbone pixels --backbone conv4:weights=conv4-glyphs --learner \
         prototypical --learner ridge --cache cache --out out",
    );
    let methods = distinct(column(&place, "out/summary.csv", "method"));
    assert_eq!(methods, ["conv4+prototypical", "conv4+ridge", "pixels+prototypical", "pixels+ridge"]);
    assert_eq!(distinct(column(&place, "out/summary.csv", "items_sha256")).len(), 1);
    place.refuses(
        2,
        "evaluate quickstart --backbone pixels --backbone conv4 --weights conv4-glyphs",
        "--weights goes with exactly one --backbone, 2 are given…",
    );
}

#[test]
fn a_sequential_run_stops_at_one_episode_for_all_feature_sets() {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 20\nmost = 5000");
    features(&place, "small", 3, &in_order());
    features(&place, "large", 5, &in_order());
    place.done(
        "evaluate p.toml --features small --features large --learner ridge --learner k-nn --until 0.9 --out out",
    );
    assert_eq!(distinct(column(&place, "out/summary.csv", "episodes")).len(), 1);
    assert_eq!(distinct(column(&place, "out/episodes.csv", "draw_sha256")).len(), 1);
}

#[test]
fn a_backbone_beside_features_alone_is_refused() {
    let place = Place::new();
    let sentence = "--backbone pixels has nothing to embed: `store` holds features, not images or sentences\n\
                    hint: name a dataset too (see `kshot list datasets`), or leave --backbone out";
    place.refuses(2, "evaluate p.toml --features store --backbone pixels --out r", sentence);
}
