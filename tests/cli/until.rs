//! Episodes until intervals are narrow.

use super::parts::assert_same;
use super::place::Place;

const STORE: &str = "gaussian:novel=12,base=0,validation=0,items=20,dim=4";

fn run(more: &str) -> String {
    format!("evaluate p.toml --features {STORE} --learner ridge --learner prototypical {more}")
}

fn place(draw: &str) -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", draw);
    place
}

/// Rows of the summary for one metric and interval: episodes and half-width in points.
fn halves(place: &Place, folder: &str, interval: &str) -> Vec<(usize, f64)> {
    let mut reader = csv::Reader::from_path(place.path(folder).join("summary.csv")).unwrap();
    let columns = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| record.unwrap()).filter_map(move |row| {
        let cell = |name: &str| row[columns.iter().position(|column| column == name).unwrap()].to_string();
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        let asked = cell("metric") == "accuracy" && cell("interval") == interval;
        asked.then(|| (cell("episodes").parse().unwrap(), (number("high") - number("low")) * 50.0))
    });
    rows.collect()
}

#[test]
fn episodes_are_drawn_until_every_interval_is_narrow() {
    let place = place("count = 20\nmost = 5000");
    let ran = place.done(&run("--until 0.8 --out out"));
    let found = halves(&place, "out", "sampler-sequential");
    assert_eq!((found.len(), halves(&place, "out", "sampler").len()), (2, 0));
    let episodes = found[0].0;
    assert!(found.iter().all(|(count, half)| *count == episodes && *half <= 0.8), "{found:?}");
    assert!(episodes > 400 && episodes < 5000 && episodes.is_multiple_of(200), "{episodes}");
    assert!(ran.out.contains("sequential"), "{}", ran.out);
    let told =
        format!("warning: p: {episodes} episodes were drawn, until every sampler interval was within ± 0.8");
    assert!(ran.err.contains(&told), "{}", ran.err);
    let record: serde_json::Value = serde_json::from_str(&place.read("out/run.json")).unwrap();
    assert_eq!(record["until"], "0.8");

    // One look earlier some interval was still too wide.
    place.edit("p.toml", "count = 20", &format!("count = {}", episodes - 200));
    place.done(&run("--out before"));
    // Chow and Robbins' width has 1/n beside the variance: √(half² + (t · 100/n)²) with t just above 1.96.
    let more = 196.0 / (episodes - 200) as f64;
    assert!(halves(&place, "before", "sampler").iter().any(|(_, half)| half.hypot(more) > 0.799));
    place.done("compare out --baseline ridge --out compared");
    place.done("report out --out page.html");
}

#[test]
fn the_draw_is_written_and_gives_the_same_outcomes_again() {
    let place = place("count = 20\nmost = 5000");
    place.done(&run("--until 1.2 --out out"));
    place.done(&run("--draw out/draw.csv --out again"));
    for file in ["episodes.csv", "outcomes.csv", "bins.csv"] {
        assert!(place.read(&format!("out/{file}")) == place.read(&format!("again/{file}")), "{file}");
    }
}

#[test]
fn neither_workers_nor_batches_change_where_it_stops() {
    let place = place("count = 20\nmost = 5000");
    place.done(&run("--until 1 --out one --workers 1"));
    place.done(&run("--until 1 --out two --workers 2 --batch 7"));
    assert_same(&place, "one", "two");
}

#[test]
fn what_the_protocol_allows_ends_it_with_a_warning() {
    let place = place("count = 20\nmost = 450");
    let ran = place.done(&run("--until 0.1 --out out"));
    assert_eq!(halves(&place, "out", "sampler-sequential")[0].0, 450);
    assert!(
        ran.err.contains(" points after all 450 episodes that the protocol allows, ± 0.1 was asked for\n")
    );
}

#[test]
fn protocols_whose_draw_cannot_go_on_are_refused() {
    let refused = |draw: &str, sentence: &str| place(draw).refuses(2, &run("--until 1 --out out"), sentence);
    refused(
        "count = 20",
        "protocol `p` does not say how many episodes may be drawn at most, --until needs it\n\
         hint: add `most = 100000` under [draw]",
    );
    let hash = format!("count = 20\nmost = 900\nsha256 = \"{}\"", "0".repeat(64));
    refused(
        &hash,
        "protocol `p` has a frozen draw, --until needs one that can go on\n\
         hint: leave out `sha256` under [draw], or take a protocol without it",
    );
    let once = place("count = 4");
    once.edit("p.toml", "query = 3", "query = 3\nrepeat = false");
    let sentence = "protocol `p` has `repeat = false` and draws all episodes at once, --until needs a draw that can go on";
    once.refuses(2, &run("--until 1 --out out"), sentence);
}

#[test]
fn flags_that_contradict_it_are_refused() {
    let place = place("count = 20\nmost = 900");
    for other in ["--shard 1/2", "--draw draw.csv"] {
        let flag = other.split(' ').next().unwrap();
        let sentence = format!("the argument '--until <POINTS>' cannot be used with '{flag} <…");
        place.refuses(2, &run(&format!("--until 1 {other} --out out")), &sentence);
    }
    for wrong in ["0", "-1", "50", "nan", "narrow"] {
        let sentence = format!(
            "invalid value '{wrong}' for '--until <POINTS>': must be a half-width in points of accuracy, above 0 and below 50…"
        );
        place.refuses(2, &run(&format!("--until={wrong} --out out")), &sentence);
    }
}
