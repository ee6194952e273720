//! Draws that are damaged, changed, or belong to something else.

use super::place::Place;

const RUN: &str = "evaluate p.toml --features store --draw draw.csv --out out";
const CHECK: &str = "check p.toml --features store --draw draw.csv";

/// Refused by `evaluate`, and a check that does not hold for `check`.
fn refused(from: &str, to: &str, sentence: &str) {
    let place = Place::new();
    place.edit("draw.csv", from, to);
    place.refuses(3, RUN, sentence);
    let ran = place.run(CHECK);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let sentence = sentence.trim_start_matches("draw draw.csv does not fit: ").trim_end_matches('…');
    assert!(ran.out.starts_with(&format!("p: broken: {sentence}")), "{}", ran.out);
}

#[test]
fn a_whole_draw_is_accepted() {
    let place = Place::new();
    place.done(RUN);
    let out = place.done(CHECK).out;
    assert!(out.starts_with("p: protocol, draw and data agree (2 episodes, sha256 "), "{out}");
}

#[test]
fn a_draw_that_is_not_there_is_refused() {
    let sentence = "cannot read draw nowhere.csv: No such file or directory (os error 2)";
    let place = Place::new();
    place.refuses(3, "evaluate p.toml --features store --draw nowhere.csv", sentence);
    place.refuses(3, "check p.toml --features store --draw nowhere.csv", sentence);
}

#[test]
fn a_class_that_the_data_lacks_is_refused() {
    let sentence = "draw.csv line 3: the dataset has no class `zebra`\nhint: a draw belongs to the dataset that it was drawn from";
    refused("0,1,c1", "0,1,zebra", sentence);
}

#[test]
fn an_item_number_that_is_too_large_is_refused() {
    let sentence = "draw.csv line 4: class c2 has 6 items, support names item 6\nhint: items count from 0 within their class";
    refused("c2,2,", "c2,6,", sentence);
}

#[test]
fn an_item_in_support_and_query_is_refused() {
    refused("c0,0,1 2 3", "c0,0,1 0 3", "draw.csv line 2: item 0 of class c0 is in support and in query");
}

#[test]
fn an_item_named_twice_on_one_side_is_refused() {
    refused("c0,0,1 2 3", "c0,0,1 2 1", "draw.csv line 2: query names item 1 of class c0 twice");
}

#[test]
fn a_line_that_is_cut_off_is_refused() {
    let place = Place::new();
    let whole = place.read("draw.csv");
    place.write("draw.csv", &whole[..whole.len() - 3]);
    let sentence = "draw.csv line 11: the last line has no line break, so the file may be cut off\nhint: end the file with a line break if it is complete";
    place.refuses(3, RUN, sentence);
}

#[test]
fn a_line_with_too_few_fields_is_refused() {
    refused("0,1,c1,1,0 2 3", "0,1,c1,1", "draw.csv line 3: expected 5 columns, found 4");
}

#[test]
fn a_missing_column_is_refused() {
    let sentence = "draw.csv line 1: column `query` is missing, expected episode,label,class,support,query";
    refused("support,query\n", "support\n", sentence);
}

#[test]
fn a_field_that_is_no_number_is_refused() {
    let sentence = "draw.csv line 2: `query` must hold whole numbers, found `x`";
    refused("c0,0,1 2 3", "c0,0,1 2 x", sentence);
}

#[test]
fn a_class_twice_in_an_episode_is_refused() {
    refused("0,1,c1", "0,1,c0", "draw.csv line 3: class c0 stands twice in episode 0");
}

#[test]
fn an_episode_left_out_is_refused() {
    refused("1,0,c5", "2,0,c5", "draw.csv line 7: expected episode 0 or 1, found 2");
}

#[test]
fn a_draw_that_is_not_text_is_refused() {
    let place = Place::new();
    let bytes = [place.read("draw.csv").as_bytes(), b"# \xff\n"].concat();
    place.write("draw.csv", bytes);
    place.refuses(3, RUN, "draw.csv line 12: the text is not UTF-8");
}

#[test]
fn a_draw_without_episodes_is_refused() {
    let place = Place::new();
    place.write("draw.csv", "");
    place.refuses(3, RUN, "draw.csv line 1: the file holds no episode");
}

#[test]
fn another_way_than_the_protocol_asks_for_is_refused() {
    let sentence = "draw draw.csv does not fit: episode 0 has 4 classes, the protocol asks for 5";
    refused("0,4,c4,3,2 1 0\n", "", sentence);
}

#[test]
fn other_numbers_of_items_than_the_protocol_asks_for_are_refused() {
    let shot =
        "draw draw.csv does not fit: in episode 0, class c0 has 2 support items, the protocol asks for 1";
    refused("c0,0,", "c0,0 4,", shot);
    let query = "draw draw.csv does not fit: in episode 0, class c0 has 2 queries, the protocol asks for 3";
    refused("c0,0,1 2 3", "c0,0,1 2", query);
}

#[test]
fn a_class_of_another_split_is_refused() {
    let place = Place::new();
    place.write(
        "store/splits.csv",
        "class,split\nc0,base\nc1,novel\nc2,novel\nc3,novel\nc4,novel\nc5,novel\n",
    );
    let sentence =
        "draw draw.csv does not fit: in episode 0, class c0 is of split base, the protocol asks for novel";
    place.refuses(3, RUN, sentence);
}

#[test]
fn a_group_on_both_sides_of_a_draw_made_elsewhere_is_a_warning_unless_the_protocol_refuses_it() {
    let place = Place::new();
    let items: String =
        (0..36).map(|row| format!("c{},{}\n", row / 6, ["", "g"][usize::from(row < 2)])).collect();
    place.write("store/items.csv", format!("class,group\n{items}"));
    let ran = place.done(RUN);
    assert!(ran.err.contains("warning: draw.csv"), "{}", ran.err);
    let ran = place.done(CHECK);
    let sentence = "in episode 0, query item 1 of class c0 is of one group with a support item";
    assert!(ran.out.starts_with(&format!("p: warning: {sentence}\n")), "{}", ran.out);
    place.edit("p.toml", "[data]", "[data]\nduplicates = \"refuse\"");
    place.refuses(
        3,
        &RUN.replace("out out", "out other"),
        &format!("draw draw.csv does not fit: {sentence}"),
    );
    assert_eq!(place.run(CHECK).code, 1);
}

#[test]
fn near_duplicates_are_refused_on_demand() {
    let place = Place::new();
    let sentence = "episode 0 holds near-duplicates in support and query: items …";
    place.refuses(3, &format!("{RUN} --near 0.5"), sentence);
    let ran = place.run(&format!("{CHECK} --near 0.5"));
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("p: broken: episode 0 holds near-duplicates"), "{}", ran.out);
}

/// A protocol in `mine/protocols` that names the hash of its draw in `mine/episodes`.
fn frozen() -> Place {
    let place = Place::new();
    let said = place.done("sample p.toml --features store --out mine/episodes").out;
    let line = said.lines().find(|line| line.starts_with("sha256 = ")).unwrap();
    place.write(
        "mine/protocols/p.toml",
        place.read("p.toml").replace("seed  = 7", &format!("seed  = 7\n{line}")),
    );
    place
}

const FROZEN: &str = "evaluate mine/protocols/p.toml --features store --out out";

#[test]
fn a_frozen_draw_is_found_beside_its_protocol_and_not_written_again() {
    let place = frozen();
    place.done(FROZEN);
    assert!(!place.path("out/draw.csv").exists());
    assert_eq!(place.done("check mine/protocols/p.toml --features store").err, "");
}

#[test]
fn a_frozen_draw_that_was_edited_is_refused() {
    let place = frozen();
    place.write("mine/episodes/p.csv", place.read("mine/episodes/p.csv") + "# a remark\n");
    let sentence = "draw mine/protocols/../episodes/p.csv does not fit: the draw has sha256 …";
    place.refuses(3, FROZEN, sentence);
    let ran = place.run("check mine/protocols/p.toml --features store");
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("p: broken: the draw has sha256 "), "{}", ran.out);
    assert!(
        ran.out.contains("\nhint: the draw was made by another version of the protocol, or changed since\n")
    );
}

#[test]
fn an_edited_draw_that_is_named_is_a_warning() {
    let place = frozen();
    place.write("edited.csv", place.read("mine/episodes/p.csv") + "# a remark\n");
    let ran = place.done(&format!("{FROZEN} --draw edited.csv"));
    assert!(ran.err.contains("warning: edited.csv"), "{}", ran.err);
    assert!(ran.err.contains("the draw has sha256 "), "{}", ran.err);
}

#[test]
fn a_frozen_draw_without_a_file_is_drawn_again_and_must_have_the_hash() {
    let place = frozen();
    place.done(FROZEN);
    let summary = place.read("out/summary.csv");
    let draw = place.read("mine/episodes/p.csv");
    std::fs::remove_file(place.path("mine/episodes/p.csv")).unwrap();
    place.done(&format!("{FROZEN} --overwrite"));
    assert_eq!((place.read("out/summary.csv"), place.read("out/draw.csv")), (summary, draw));

    place.edit("mine/protocols/p.toml", "seed  = 7", "seed  = 8");
    let sentence = "protocol `p` names a draw of which there is no file, and its seed draws another one from \
                    features store, of sha256 …";
    place.refuses(3, &format!("{FROZEN} --overwrite"), sentence);
    place.refuses(3, "check mine/protocols/p.toml --features store", sentence);
}

#[test]
fn the_first_episodes_of_a_frozen_draw_are_those_of_the_whole_one_which_is_verified() {
    let place = frozen();
    place.done(&FROZEN.replace("--out out", "--out whole"));
    place.edit("mine/protocols/p.toml", "count = 2", "count = 2\nfirst = 1");
    place.done(FROZEN);
    let first = |file: &str| -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(place.path(file)).unwrap();
        let episode = reader.headers().unwrap().iter().position(|column| column == "episode").unwrap();
        let rows = reader.records().map(|row| row.unwrap()).filter(|row| &row[episode] == "0");
        rows.map(|row| row.iter().collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(first("out/outcomes.csv"), first("whole/outcomes.csv"));
    assert_eq!(first("out/draw.csv"), first("mine/episodes/p.csv"));
    assert_eq!(place.read("out/draw.csv").lines().last(), first("out/draw.csv").last().map(String::as_str));
    let checked = place.done("check mine/protocols/p.toml --features store").out;
    assert!(checked.starts_with("p: protocol, draw and data agree (1 episodes, "), "{checked}");

    let draw = place.read("mine/episodes/p.csv");
    place.write(
        "mine/episodes/p.csv",
        draw.lines().take(draw.lines().count() - 5).map(|line| format!("{line}\n")).collect::<String>(),
    );
    let sentence = "draw mine/protocols/../episodes/p.csv does not fit: the draw has sha256 …";
    place.refuses(3, &format!("{FROZEN} --overwrite"), sentence);
}

#[test]
fn sampling_over_another_draw_is_refused_and_done_on_demand() {
    let place = Place::new();
    let sample = "sample p.toml --features store --out drawn";
    place.done(sample);
    let first = place.read("drawn/p.csv");
    assert!(place.done(sample).out.contains("unchanged"));
    place.write("drawn/p.csv", "mine");
    let sentence = "drawn/p.csv holds another draw\nhint: give --overwrite, or another folder with --out";
    place.refuses(2, sample, sentence);
    place.done(&format!("{sample} --overwrite"));
    assert_eq!(place.read("drawn/p.csv"), first);
    let sentence = "p.toml is not a folder, draws need one\nhint: name another folder with --out";
    place.refuses(2, "sample p.toml --features store --out p.toml", sentence);
}
