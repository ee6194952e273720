//! Protocols that cannot be read, break a rule, or do not fit the data.

use super::place::Place;

const RUN: &str = "evaluate p.toml --features store --out out";

/// The protocol with one piece of text replaced.
fn edited(from: &str, to: &str) -> Place {
    let place = Place::new();
    place.edit("p.toml", from, to);
    place
}

#[test]
fn a_protocol_that_is_not_there_is_refused_with_those_that_ship() {
    let place = Place::empty();
    let sentence = "no protocol `quikstart`, neither a file nor one that ships with kshot\nhint: name a file, or one of `quickstart`, …";
    for verb in ["evaluate", "sample", "check"] {
        place.refuses(2, &format!("{verb} quikstart"), sentence);
    }
}

#[test]
fn a_protocol_that_cannot_be_read_is_refused() {
    let place = Place::new();
    place.refuses(2, "evaluate store", "cannot read protocol store: Is a directory (os error 21)");
    place.write("p.toml", b"name = \"\xff\"");
    place.refuses(2, RUN, "cannot read protocol p.toml: stream did not contain valid UTF-8");
}

#[test]
fn a_protocol_that_is_no_toml_is_refused_with_the_line() {
    edited("way   = 5", "way   = five").refuses(2, RUN, "p.toml line 10: …");
    edited("[episode]", "[episode").refuses(2, RUN, "p.toml line 9: …");
}

#[test]
fn an_empty_protocol_is_refused() {
    let place = Place::new();
    place.write("p.toml", "");
    place.refuses(2, RUN, "p.toml line 1: missing key `name`");
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones() {
    let sentence = "p.toml line 10: unknown key `ways`, expected one of `way`, `shot`, `query`, `query_oos`, `repeat`, `shuffle_labels`\n  ways  = 5\n  ^^^^";
    edited("way   = 5", "ways  = 5").refuses(2, RUN, sentence);
}

#[test]
fn a_missing_key_is_refused() {
    edited("seed  = 7\n", "").refuses(2, RUN, "p.toml line 14: missing key `seed`…");
}

#[test]
fn one_way_is_refused() {
    edited("way   = 5", "way   = 1").refuses(2, RUN, "p.toml line 10: `way` must be 2 or more, got 1");
}

#[test]
fn shot_zero_without_zero_shot_learners_is_refused() {
    let sentence = "p.toml line 11: `shot` 0 needs \"zero-shot\" or \"semantic\" among `settings`";
    edited("shot  = 1", "shot  = 0").refuses(2, RUN, sentence);
}

#[test]
fn an_unknown_setting_is_refused_with_the_known_ones() {
    let sentence = "p.toml line 4: unknown setting `clever`, expected one of `inductive`, `transductive`, `zero-shot`, `class-transductive`, `semantic`";
    edited("\"inductive\"", "\"clever\"").refuses(2, RUN, sentence);
}

#[test]
fn an_unknown_metric_is_refused_with_the_known_ones() {
    let sentence = "p.toml line 19: unknown metric `f1`, expected one of `accuracy`, `nll`, `brier`, `adaptive-ece`, `class-accuracy`, …";
    edited("\"accuracy\"", "\"f1\"").refuses(2, RUN, sentence);
}

#[test]
fn more_ways_than_classes_are_refused() {
    let place = edited("way   = 5", "way   = 7");
    let sentence = "protocol p: split novel has 6 classes, an episode needs 7";
    place.refuses(3, RUN, sentence);
    place.refuses(3, "sample p.toml --features store", sentence);
}

#[test]
fn a_split_without_classes_is_refused() {
    let sentence = "protocol p: split base has 0 classes, an episode needs 5";
    edited("\"novel\"", "\"base\"").refuses(3, RUN, sentence);
}

#[test]
fn classes_that_are_too_small_are_left_out_where_that_is_asked_for() {
    let place = Place::new();
    let mut csv = "class,f0,f1\n".to_string();
    for class in 0..7 {
        for item in 0..if class == 6 { 2 } else { 6 } {
            csv += &format!("k{class},{},{}\n", (class * 17 + item * 5) % 23, (class * 7 + item * 3) % 11);
        }
    }
    place.write("f.csv", csv);
    let run = "evaluate p.toml --features f.csv --learner prototypical --out o";
    let sentence =
        "protocol p: class k6 has 2 items, an episode needs 4 (shot 1 + query 3)\nhint: lower `shot`…";
    place.refuses(3, run, sentence);
    let ran = place.done(&format!("{run} --drop-small-classes"));
    assert!(ran.err.contains("p: 1 class left out, with too few items for an episode: k6"), "{}", ran.err);
    assert!(place.read("o/run.json").contains("\"drop_small_classes\": true"));
    place.done("rerun o --out again");
    assert_eq!(place.read("again/outcomes.csv"), place.read("o/outcomes.csv"));
    place.edit("p.toml", "way   = 5", "way   = 7");
    let few = "protocol p: split novel has 6 classes with enough items, and 1 that are left out; an episode needs 7";
    place.refuses(3, &format!("{run} --drop-small-classes --overwrite"), few);
}

#[test]
fn rows_that_are_all_alike_are_named() {
    let place = Place::new();
    let rows: String = (0..24).map(|row| format!("k{},0.5,0.25\n", row % 6)).collect();
    place.write("f.csv", format!("class,f0,f1\n{rows}"));
    let sentence = "protocol p: all 24 rows of f are bit-identical, such as items 0 of class k0 and 1 of class k1, so support…";
    place.refuses(3, "evaluate p.toml --features f.csv --learner prototypical --out o", sentence);
}

#[test]
fn a_class_that_is_too_small_is_named() {
    let place = edited("query = 3", "query = 6");
    let sentence = "class c0 has 6 items, an episode needs 7 (shot 1 + query 6)";
    place.refuses(3, RUN, &format!("protocol p: {sentence}…"));
    let ran = place.run("check p.toml --features store");
    let hint = "hint: lower `shot` or `query`, or leave these classes out with `kshot evaluate --drop-small-classes`";
    let others = "5 other classes have too few, too: c1, c2, c3, c4, c5";
    assert_eq!((ran.code, ran.out), (1, format!("p: broken: protocol p: {sentence}; {others}\n{hint}\n")));
}

#[test]
fn a_part_that_the_data_lacks_is_refused() {
    let place = edited("split = \"novel\"", "support_part = \"train\"\nquery_part = \"test\"");
    place.refuses(3, RUN, "protocol p: the dataset has no part `train`, its items are not divided into parts\nhint: add a column `part` …");
}

#[test]
fn more_episodes_than_the_items_last_for_are_refused() {
    let place = edited("query = 3", "query = 3\nrepeat = false");
    let sentence = "protocol p: without repetition split novel allows 1 episodes, the protocol asks for 2";
    place.refuses(3, RUN, sentence);
}

#[test]
fn a_protocol_for_any_store_needs_features() {
    let sentence = "protocol `any-5way-1shot` is for any features, but none are named\nhint: add --features PATH (or `glyphs`)";
    for verb in ["evaluate", "sample", "check"] {
        Place::empty().refuses(2, &format!("{verb} any-5way-1shot"), sentence);
    }
}

#[test]
fn a_dataset_that_is_not_embedded_is_looked_for() {
    let place = edited("[data]", "[data]\ndataset = \"omniglot\"");
    let sentence = "data/omniglot: no such file or folder, dataset `omniglot` is looked for there\nhint: name the folder of datasets with --data or KSHOT_DATA, or write `omniglot:PATH`";
    place.refuses(3, "evaluate p.toml", sentence);
    place.done(RUN);
}

#[test]
fn keys_of_an_embedded_dataset_are_checked() {
    let place = Place::new();
    let gaussian = "dataset `gaussian:way=2`: unknown key `way`, expected one of `base`, `validation`, `novel`, \
                    `items`, `dim`, `spread`, `seed`";
    place.refuses(2, "evaluate p.toml --features gaussian:way=2", gaussian);
    let dim = "dataset `gaussian:dim=0`: `dim` must be a whole number from 1 to 10000000, got `0`";
    place.refuses(2, "evaluate p.toml --features gaussian:dim=0", dim);
    place.refuses(2, "evaluate p.toml --features glyphs:n=2", "dataset `glyphs:n=2`: `glyphs` has no keys");
}

/// A place whose protocol takes the classes of this list.
fn with_classes(list: &str) -> Place {
    let place = edited("split = \"novel\"", "split = \"novel\"\nclasses = \"classes.txt\"");
    place.write("classes.txt", list);
    place
}

#[test]
fn a_class_list_restricts_the_classes_of_the_split_and_is_kept_with_the_results() {
    let place = with_classes("c5\nc1\nc2\nc3\nc4\n");
    place.done(RUN);
    let draw = place.read("out/draw.csv");
    assert!(draw.contains(",c5,") && !draw.contains(",c0,"), "{draw}");
    let ran = place.run("check p.toml --features store --draw draw.csv");
    let sentence = "p: broken: in episode 0, class c0 is not among the `classes` of the protocol\n";
    assert!(ran.code == 1 && ran.out.contains(sentence), "{}", ran.out);
    // What is recorded needs the file no more.
    std::fs::remove_file(place.path("classes.txt")).unwrap();
    place.refuses(2, RUN, "p.toml line 8: cannot read the classes in classes.txt: …");
    place.done("rerun out --out again");
    for file in ["summary.csv", "outcomes.csv", "draw.csv"] {
        assert_eq!(place.read(&format!("again/{file}")), place.read(&format!("out/{file}")), "{file}");
    }
}

#[test]
fn a_class_list_with_classes_that_are_not_of_the_split_is_refused() {
    let unknown = "protocol p: the dataset has no class `zebra`, which stands among the `classes` of the protocol (and 1 \
                   more)\nhint: names are those of the column `class` of items.csv, letter for letter";
    with_classes("c0\nc1\nzebra\nc2\nC3\nc4\n").refuses(3, RUN, unknown);
    let place = with_classes("c0\nc1\nc2\nc3\nc4\n");
    place.write(
        "store/splits.csv",
        "class,split\nc0,base\nc1,novel\nc2,novel\nc3,novel\nc4,novel\nc5,novel\n",
    );
    let elsewhere = "protocol p: class `c0` stands among the `classes` of the protocol, but is of split base, and the \
                     protocol takes novel";
    place.refuses(3, RUN, elsewhere);
    let few = "protocol p: the protocol lists 4 classes of split novel under `classes`, an episode needs 5";
    with_classes("c0\nc1\nc2\nc3\n").refuses(3, RUN, few);
    let twice = "classes.txt line 3: `classes` must be names of classes without repetition, got `c0` twice";
    with_classes("c0\n\nc0\n").refuses(2, RUN, twice);
}
