//! Intervals cover what they claim to cover, and tests err as rarely as they say, in worlds whose truth is known.
//!
//! 200 repetitions, so a share may miss its bounds by three Monte-Carlo standard errors; the full study is
//! `cargo run --release --example simulation`, and what it showed is in `examples/simulation/results.csv`.

#![expect(clippy::print_stderr, reason = "a skipped part says so")]

#[path = "../examples/simulation/study/mod.rs"]
mod study;

const REPETITIONS: u32 = 200;

fn hold(named: &str) {
    let characters = study::read();
    let parts = study::parts(characters.is_ok());
    let mut parts = parts.iter().filter(|part| part.name.starts_with(named)).peekable();
    if let (None, Err(error)) = (parts.peek(), &characters) {
        eprintln!("SKIPPED: {named} ({error}); set KSHOT_SHARED");
        return;
    }
    for part in parts {
        for shown in study::run(part, REPETITIONS, 1, characters.as_ref().ok()) {
            let cell = shown.cell;
            let (name, measure, share) = (cell.episodes, cell.measure, shown.share());
            eprintln!("{}, {name}: {measure}: {share:.3} of {} repetitions", part.name, shown.of);
            assert_eq!(shown.of, REPETITIONS, "{}, {name}: {measure}", part.name);
            let bounds = format!("between {} and {}", cell.low, cell.high);
            assert!(shown.holds(3.0), "{}, {name}: {measure}: {share:.3}, must be {bounds}", part.name);
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
}

#[test]
fn what_the_full_study_showed_is_of_these_cells_and_within_their_bounds() {
    let mut reader =
        csv::Reader::from_reader(include_bytes!("../examples/simulation/results.csv").as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("whole rows")).collect();
    let mut cells = 0;
    for part in study::parts(true) {
        for cell in &part.cells {
            let same = |row: &&csv::StringRecord| {
                row[0] == *part.name && row[3] == *cell.episodes && row[4] == *cell.measure
            };
            let row =
                rows.iter().find(same).unwrap_or_else(|| panic!("no row of {}: {}", part.name, cell.measure));
            let number = |column: usize| row[column].parse::<f64>().expect("a number");
            assert_eq!(
                (row[1].to_string(), number(5), number(6)),
                (part.seed.to_string(), cell.low, cell.high)
            );
            assert!((cell.low..=cell.high).contains(&number(7)), "{row:?}");
            cells += 1;
        }
    }
    assert_eq!(rows.len(), cells);
}
