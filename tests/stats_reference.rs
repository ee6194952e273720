//! The statistics agree with SciPy and statsmodels on the samples of `fixtures/stats/stats_reference.csv`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use kshot::stats;

struct Case {
    line: u64,
    function: String,
    inputs: Vec<f64>,
    arguments: Vec<f64>,
    expected: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stats/stats_reference.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).unwrap();
    let numbers = |text: &str| text.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let case = |row: csv::StringRecord| Case {
        line: row.position().unwrap().line(),
        function: row[0].to_string(),
        inputs: numbers(&row[1]),
        arguments: numbers(&row[2]),
        expected: numbers(&row[3]),
    };
    reader.records().map(|row| case(row.unwrap())).collect()
}

/// What our function of that name says, laid out as the reference lays it out.
fn ours(case: &Case) -> Vec<f64> {
    let half = case.inputs.len() / 2;
    let argument = |i: usize| case.arguments[i];
    match case.function.as_str() {
        "interval" => {
            let estimate = stats::of_mean(&case.inputs).unwrap();
            let interval = estimate.interval(argument(0)).unwrap();
            vec![estimate.value, estimate.standard_error, interval.low, interval.high]
        }
        "paired" => {
            let test = stats::paired(&case.inputs[..half], &case.inputs[half..]).unwrap().test(0.0);
            vec![test.statistic.unwrap(), test.p]
        }
        "equivalence" => {
            let estimate = stats::paired(&case.inputs[..half], &case.inputs[half..]).unwrap();
            vec![stats::equivalence_p(&estimate, argument(0)).unwrap()]
        }
        "signed_rank" => {
            let test = stats::signed_rank(&case.inputs).unwrap();
            vec![test.positive.min(test.negative), test.p]
        }
        "sign_flip" => {
            let test = stats::sign_flip(&case.inputs, argument(0) as u64, || 0).unwrap();
            vec![test.statistic.unwrap(), test.p]
        }
        "superiority" => {
            let ahead = stats::superiority(&case.inputs, argument(0)).unwrap();
            vec![ahead.value, ahead.interval.low, ahead.interval.high]
        }
        "holm" => stats::holm(&case.inputs).unwrap(),
        "friedman" => {
            let rows: Vec<&[f64]> = case.inputs.chunks(argument(0) as usize).collect();
            let friedman = stats::friedman(&rows).unwrap();
            [vec![friedman.chi_squared, friedman.p, friedman.iman_davenport_p], friedman.ranks].concat()
        }
        "nemenyi" => {
            let (learners, data_sets) = (argument(0) as usize, argument(1) as usize);
            vec![
                stats::nemenyi_difference(learners, data_sets, argument(2)).unwrap(),
                stats::nemenyi_p(case.inputs[0], learners, data_sets).unwrap(),
            ]
        }
        "seeds" => {
            let counts: Vec<usize> = case.arguments.iter().map(|count| *count as usize).collect();
            let episodes = case.inputs.len() / counts.iter().sum::<usize>();
            let rows: Vec<&[f64]> = case.inputs.chunks(episodes).collect();
            let (first, second) = rows.split_at(counts[0]);
            let mut means = stats::mean_over_seeds(first).unwrap();
            let mut parts = vec![stats::over_seeds(first).unwrap()];
            if let Some(others) = stats::mean_over_seeds(second) {
                means = stats::differences(&means, &others).unwrap();
                parts.push(stats::over_seeds(second).unwrap());
            }
            let estimate = stats::with_seeds(&stats::of_mean(&means).unwrap(), &parts);
            vec![estimate.value, estimate.standard_error, estimate.degrees]
        }
        "most" => {
            vec![stats::most(case.inputs[0] as u64, argument(0) as u64, argument(1)).unwrap()]
        }
        "within" => {
            let estimate = stats::of_mean_within(&case.inputs, Some((argument(1), argument(2)))).unwrap();
            let interval = estimate.interval(argument(0)).unwrap();
            vec![interval.low, interval.high]
        }
        "classes" => {
            let way = argument(3) as usize;
            let mut members = stats::Members::default();
            for episode in case.arguments[4..].chunks(way) {
                members.push(episode.iter().map(|class| *class as u32));
            }
            let range = Some((argument(1), argument(2)));
            let jackknife = stats::over_classes(&case.inputs, &members, range).unwrap();
            let interval = jackknife.estimate.interval(argument(0)).unwrap();
            vec![interval.low, interval.high]
        }
        other => panic!("line {}: no function `{other}`", case.line),
    }
}

#[test]
fn every_number_of_the_reference_is_met() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases() {
        let found = ours(&case);
        // These references integrate or search numerically.
        let tolerance =
            if ["superiority", "nemenyi", "seeds"].contains(&case.function.as_str()) { 1e-6 } else { 1e-9 };
        assert_eq!(found.len(), case.expected.len(), "line {}", case.line);
        for (found, expected) in found.iter().zip(&case.expected) {
            let close = (found - expected).abs() <= tolerance * expected.abs().max(1e-3);
            assert!(close, "line {} ({}): expected {expected}, found {found}", case.line, case.function);
        }
        *met.entry(case.function).or_default() += 1;
    }
    let functions = ["interval", "paired", "equivalence", "signed_rank", "sign_flip"];
    let others = ["superiority", "holm", "friedman", "nemenyi", "seeds", "most", "within", "classes"];
    for function in functions.into_iter().chain(others) {
        assert!(met.contains_key(function), "the reference holds no case of `{function}`");
    }
}
