//! Comparisons of small folders made by the tests.

use std::fs;
use std::path::Path;

use super::*;
use crate::results::fixtures::Made;
use crate::stats::Verdict;

fn bits(number: u32) -> Bits {
    let mut state = u64::from(number);
    Box::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    })
}

const PLAIN: Options<'_> =
    Options { metric: Metric::ACCURACY, baseline: None, smallest: Some(0.005), rounds: 999 };

fn read(made: &[Made]) -> Vec<ResultsFolder> {
    let folder = tempfile::tempdir().unwrap();
    let read = |(number, made): (usize, &Made)| {
        let path = folder.path().join(format!("run{number}"));
        made.write(&path);
        let mut read = ResultsFolder::read(&path).unwrap();
        read.path = Path::new(&format!("run{number}")).to_path_buf();
        read
    };
    made.iter().enumerate().map(read).collect()
}

fn compared(made: &[Made], options: &Options<'_>) -> Comparison {
    compare(&read(made), options, &bits).unwrap()
}

fn refused(made: &[Made], options: &Options<'_>) -> String {
    compare(&read(made), options, &bits).unwrap_err().to_string()
}

fn only(learner: &'static str) -> Made {
    Made { learners: vec![(learner, "1", 0.7)], ..Made::default() }
}

#[test]
fn learners_of_several_folders_are_paired_as_those_of_one() {
    let parts = Made::default()
        .learners
        .into_iter()
        .map(|learner| Made { learners: vec![learner], ..Made::default() });
    let parts: Vec<Made> = parts.collect();
    let whole = compared(&[Made::default()], &PLAIN);
    assert_eq!(compared(&parts, &PLAIN), whole);
    assert_eq!(whole.blocks.len(), 1);
    let block = &whole.blocks[0];
    let names: Vec<&str> = block.learners.iter().map(|learner| learner.name.as_str()).collect();
    assert_eq!(names, ["good", "middling:k=1", "middling:k=3"]);
    assert_eq!(block.pairs.len(), 3);
    let (good, close) = (&block.pairs[0], &block.pairs[2]);
    assert_eq!(good.inference(Population::Sampler).unwrap().verdict, Verdict::Better);
    assert_eq!(close.inference(Population::Sampler).unwrap().verdict, Verdict::Undecided);
    assert_eq!(block.learners[0].group.as_deref(), Some("a"));
    assert_eq!(block.learners[1].group, block.learners[2].group);
    assert!(good.inference(Population::Items).is_none());
}

#[test]
fn the_difference_and_its_intervals_are_those_of_the_statistics() {
    let folders = read(&[Made { repeat: false, ..Made::default() }]);
    let comparison = compare(&folders, &PLAIN, &bits).unwrap();
    let pair = &comparison.blocks[0].pairs[0];
    let values = |place: usize| folders[0].tables[place].values(Metric::ACCURACY).unwrap();
    let (a, b) = (values(0), values(1));
    let sampler = stats::paired(&a, &b).unwrap();
    let members = folders[0].tables[0].dealt.all_members();
    let classes = stats::over_classes(&stats::differences(&a, &b).unwrap(), &members).unwrap();
    assert_eq!(pair.difference, sampler.value);
    assert_eq!(pair.inference(Population::Sampler).unwrap().estimate, sampler);
    assert_eq!(pair.inference(Population::Items).unwrap().estimate, sampler);
    let found = pair.inference(Population::Classes).unwrap().estimate;
    assert!((found.standard_error - classes.estimate.standard_error).abs() < 1e-12);
    assert_eq!(found.degrees, 11.0);
}

#[test]
fn corrections_run_over_all_pairs_of_a_protocol_and_its_shots() {
    let made = Made { shots: vec![1, 5], ..Made::default() };
    let comparison = compared(std::slice::from_ref(&made), &PLAIN);
    assert_eq!(comparison.blocks.len(), 2);
    let all: Vec<&Inference> = comparison
        .blocks
        .iter()
        .flat_map(|block| &block.pairs)
        .filter_map(|pair| pair.inference(Population::Classes))
        .collect();
    let p: Vec<f64> = all.iter().map(|inference| inference.p).collect();
    let corrected: Vec<f64> = all.iter().map(|inference| inference.p_holm).collect();
    assert_eq!((p.len(), Some(corrected)), (6, stats::holm(&p)));

    let against = compared(&[made], &Options { baseline: Some("good"), ..PLAIN });
    assert_eq!(against.blocks.iter().map(|block| block.pairs.len()).sum::<usize>(), 4);
    let pair = &against.blocks[0].pairs[0];
    assert_eq!(pair.inference(Population::Sampler).unwrap().verdict, Verdict::Worse);
    assert!(pair.difference < 0.0 && pair.superiority.value < 0.5);
}

#[test]
fn other_draws_and_features_are_refused_by_name() {
    let draws = [only("a"), Made { draw: "draw-two", ..only("b") }];
    assert_eq!(
        refused(&draws, &PLAIN),
        "protocol small (shot 1) cannot be paired, because the draws differ: draw-one in run0 and draw-two in run1\n\
         hint: evaluate all learners on one draw: the protocol's own, or one given with --draw"
    );
    let features = [only("a"), Made { features: "features-two", ..only("b") }];
    assert_eq!(
        refused(&features, &PLAIN),
        "protocol small (shot 1) cannot be paired, because the features differ: features-one in run0 and features-two \
         in run1\nhint: compare learners on one feature store at a time"
    );
    let both = [only("a"), Made { draw: "draw-two", features: "features-two", ..only("b") }];
    assert!(
        refused(&both, &PLAIN)
            .contains("because the draws and features differ: draw-one and features-one in run0")
    );
    assert_eq!(
        refused(&[only("a"), only("a")], &PLAIN),
        "learner a:k=1,transform=none on store under protocol small (shot 1) is in run0 and in run1\n\
         hint: name each result once"
    );
    let other = [only("a"), Made { episodes: 390, ..only("b") }];
    assert!(refused(&other, &PLAIN).ends_with("are not those in run0, although the draws have one hash"));
}

#[test]
fn a_question_that_cannot_be_asked_is_refused() {
    assert_eq!(
        refused(&[only("a")], &PLAIN),
        "a comparison needs two learners on the same episodes, found a"
    );
    assert_eq!(
        refused(&[Made::default()], &Options { metric: Metric::ADAPTIVE_ECE, ..PLAIN }),
        "adaptive-ece cannot be paired episode by episode, expected one of `accuracy`, `nll`, `brier`, `aurc`, `aurc-open-set`, `auroc`, `fpr95`, `in-scope-accuracy-at-95`, `oos-recall`, `nll-ts`"
    );
    let asked = |baseline| Options { baseline: Some(baseline), ..PLAIN };
    assert_eq!(
        refused(&[Made::default()], &asked("bad")),
        "baseline `bad` is not in the results, expected one of good, middling:k=1, middling:k=3"
    );
    assert_eq!(
        refused(&[Made::default()], &asked("middling")),
        "baseline `middling` fits several learners, expected one of middling:k=1, middling:k=3"
    );
    assert_eq!(
        refused(&[Made::default()], &Options { smallest: Some(0.0), ..PLAIN }),
        "the smallest difference that matters must be above 0, got 0"
    );
}

#[test]
fn a_lower_loss_is_better() {
    let comparison = compared(&[Made::default()], &Options { metric: Metric::NLL, smallest: None, ..PLAIN });
    let block = &comparison.blocks[0];
    assert_eq!(block.learners[0].name, "good");
    let pair = &block.pairs[0];
    let inference = pair.inference(Population::Sampler).unwrap();
    assert!(pair.difference < 0.0 && pair.superiority.value > 0.5);
    assert_eq!((inference.verdict, inference.equivalence_p, inference.plan), (Verdict::Better, None, None));
}

#[test]
fn few_classes_say_nothing_about_new_ones_and_the_table_says_why() {
    let made = Made { classes: 9, ..Made::default() };
    let comparison = compared(&[made], &PLAIN);
    let text = comparison.text();
    assert!(text.contains(
        "nothing about new classes: an interval for new classes needs 10 classes or more, found 9"
    ));
    assert_eq!(comparison.blocks[0].learners[0].class_group, None);
    let csv = String::from_utf8(comparison.csv()).unwrap();
    let row = csv.lines().find(|line| line.contains(",classes,")).and_then(|_| csv.lines().nth(2)).unwrap();
    assert!(
        row.ends_with("\"an interval for new classes needs 10 classes or more, found 9\"")
            || row.contains("found 9")
    );
}

#[test]
fn classes_of_one_cluster_are_left_out_together() {
    let difference = |clustered| {
        let comparison = compared(&[Made { clustered, ..Made::default() }], &PLAIN);
        comparison.blocks[0].pairs[0]
            .inference(Population::Classes)
            .map(|inference| inference.estimate.degrees)
    };
    assert_eq!([difference(0), difference(2), difference(4)], [Some(11.0), Some(10.0), Some(9.0)]);
    let text = compared(&[Made { clustered: 6, ..Made::default() }], &PLAIN).text();
    let reason = "For new clusters, nothing can be said: an interval for new clusters needs 10 clusters or more, found 9.";
    assert!(text.contains(reason), "{text}");
}

#[test]
fn sometimes_no_number_of_episodes_will_do_and_the_words_say_so() {
    let made = Made {
        learners: vec![("even", "1", 0.7), ("unevenly", "1", 0.67)],
        episodes: 4000,
        ..Made::default()
    };
    let options = Options { smallest: Some(0.0005), ..PLAIN };
    let words = compared(&[made], &options).text();
    assert!(words.contains(
        "No number of episodes of these 12 classes would give an interval of ±0.05 points; about "
    ));
    assert!(words.contains("For these classes and items, "), "{words}");
}

#[test]
fn several_data_sets_are_ranked_and_never_pooled() {
    let sets = ["one", "two", "three"].map(|name| Made {
        draw: name,
        features: name,
        learners: vec![("good", "1", 0.8), ("middling", "1", 0.7), ("poor", "1", 0.6)],
        ..Made::default()
    });
    let comparison = compared(&sets, &PLAIN);
    assert_eq!((comparison.blocks.len(), comparison.rankings.len()), (3, 1));
    let ranking = &comparison.rankings[0];
    assert_eq!(ranking.learners.iter().map(|l| l.rank).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(ranking.pairs.len(), 3);
    let ranks = String::from_utf8(comparison.ranks_csv().unwrap()).unwrap();
    assert!(ranks.lines().nth(1).unwrap().starts_with("accuracy,5,1,4,3,good,1,middling,2,"), "{ranks}");
    assert!(comparison.text().contains("Mean ranks over 3 data sets"));
    assert!(comparison.blocks.iter().all(|block| block.episodes == 400));
}

#[test]
fn every_row_of_the_csv_has_all_columns_and_reads_back() {
    let comparison = compared(&[Made { repeat: false, ..Made::default() }], &PLAIN);
    let csv = comparison.csv();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let columns = COMPARISON_COLUMNS.split(',').count();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|row| row.len() == columns));
    let intervals: Vec<&str> = rows.iter().take(3).map(|row| &row[20]).collect();
    assert_eq!(intervals, ["sampler", "items", "classes"]);
    let p: f64 = rows[0][26].parse().unwrap();
    assert_eq!(p, comparison.blocks[0].pairs[0].inference(Population::Sampler).unwrap().p);
    assert!(!rows[0][34].is_empty() && rows[2][34].is_empty());
}

#[test]
fn markdown_and_latex_show_the_same_learners() {
    let folder = tempfile::tempdir().unwrap();
    let comparison = compared(&[Made::default()], &PLAIN);
    fs::write(folder.path().join("comparison.md"), comparison.markdown()).unwrap();
    for text in [comparison.markdown(), comparison.latex(), comparison.text()] {
        for name in ["good", "middling:k=1", "middling:k=3"] {
            assert!(text.contains(name), "{text}");
        }
    }
    assert!(comparison.latex().contains("\\toprule") && comparison.latex().ends_with("\\end{table}\n"));
    assert!(
        comparison
            .markdown()
            .starts_with("# Comparison\n\n**small, 1-shot, some features: accuracy in percent")
    );
}
