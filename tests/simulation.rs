//! Intervals cover what they claim to cover, and tests err as rarely as they say, in worlds whose truth is known.
//!
//! 200 repetitions, so a share may miss its bounds by three Monte-Carlo standard errors; the full study is
//! `cargo run --release --example simulation`, and what it showed is in `examples/simulation/results.csv`.

#![expect(clippy::print_stderr, reason = "a skipped part says so")]

#[path = "../examples/simulation/study/mod.rs"]
mod study;

const REPETITIONS: u32 = 200;

fn hold(named: &str) {
    let data = study::Data::read();
    let parts = data.parts();
    let mut parts = parts.iter().filter(|part| part.name.starts_with(named)).peekable();
    if parts.peek().is_none() {
        eprintln!("SKIPPED: {named}; set KSHOT_SHARED");
        return;
    }
    for part in parts {
        for shown in study::run(part, REPETITIONS, 1, &data) {
            let cell = shown.cell;
            let (name, measure, share) = (cell.episodes, cell.measure, shown.share());
            eprintln!("{}, {name}: {}{measure}: {share:.3}", part.name, cell.ask.lead());
            assert_eq!(shown.of, REPETITIONS, "{}, {name}: {measure}", part.name);
            let bounds = format!("between {} and {}", cell.low, cell.high);
            let holds = shown.holds(3.0) || study::is_missed(part.name, &cell);
            assert!(holds, "{}, {name}: {measure}: {share:.3}, must be {bounds}", part.name);
        }
    }
}

#[test]
fn on_a_fixed_pool_of_20_classes_t_and_sign_flips_keep_their_level() {
    hold("fixed pool, C=20");
}

#[test]
fn on_a_fixed_pool_of_60_classes_t_and_sign_flips_keep_their_level() {
    hold("fixed pool, C=60");
}

#[test]
fn on_a_fixed_pool_of_characters_t_and_sign_flips_keep_their_level() {
    hold("fixed pool, 20 characters");
}

#[test]
fn for_new_items_of_20_classes_a_draw_without_repetition_covers() {
    hold("new items, C=20");
}

#[test]
fn for_new_items_of_60_classes_a_draw_without_repetition_covers() {
    hold("new items, C=60");
}

#[test]
fn for_new_classes_after_20_the_jackknife_covers_and_the_sampler_does_not() {
    hold("new classes, C=20");
}

#[test]
fn for_new_classes_after_60_the_jackknife_covers_and_the_sampler_does_not() {
    hold("new classes, C=60");
}

#[test]
fn for_new_characters_the_jackknife_covers() {
    hold("new classes, 20 characters");
    hold("new classes, 40 characters");
}

#[test]
fn in_symmetric_and_skewed_worlds_the_jackknife_covers() {
    hold("normal, 5 of 20");
    hold("skewed, 5 of 20");
    hold("few hard");
    hold("skewed, 5 of 600");
}

#[test]
fn where_an_episode_holds_most_classes_the_jackknife_covers() {
    hold("normal, 20 of 60");
    hold("skewed, 19 of 20");
}

/// The rows of the full study.
fn rows() -> Vec<csv::StringRecord> {
    let table = include_bytes!("../examples/simulation/results.csv").as_slice();
    csv::Reader::from_reader(table).records().map(|row| row.expect("whole rows")).collect()
}

#[test]
fn what_the_full_study_showed_is_of_these_cells_and_within_their_bounds_but_for_those_that_are_listed() {
    let (rows, mut cells) = (rows(), 0);
    for part in study::parts(true, true) {
        for cell in &part.cells {
            let measure = format!("{}{}", cell.ask.lead(), cell.measure);
            let same = |row: &&csv::StringRecord| {
                row[0] == *part.name && row[3] == *cell.episodes && row[4] == *measure
            };
            let row = rows.iter().find(same).unwrap_or_else(|| panic!("no row of {}: {measure}", part.name));
            let number = |column: usize| row[column].parse::<f64>().expect("a number");
            assert_eq!(
                (row[1].to_string(), number(5), number(6)),
                (part.seed.to_string(), cell.low, cell.high)
            );
            let within = (cell.low..=cell.high).contains(&number(7));
            assert!(within || study::is_missed(part.name, cell), "{row:?}");
            cells += 1;
        }
    }
    assert_eq!(rows.len(), cells);
}

#[test]
fn the_readme_says_what_the_full_study_showed() {
    let rows: Vec<[String; 3]> =
        rows().iter().map(|row| [0, 4, 7].map(|column| row[column].to_string())).collect();
    let said = study::statement(&rows);
    let readme = include_str!("../README.md").replace("\r\n", "\n");
    assert!(readme.contains(&said), "README.md must hold:\n{said}");
}
