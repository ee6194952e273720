//! Comparisons of small folders made by the tests.

use std::fs;
use std::path::Path;

use super::*;
use crate::results::fixtures::Made;
use crate::results::{Dealt, Measured, ReadTable, ResultsFolder};
use crate::stats;
use crate::stats::Verdict;

fn bits(number: u32) -> Bits {
    let mut state = u64::from(number);
    Box::new(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    })
}

const PLAIN: Options<'_> = Options {
    metric: Metric::ACCURACY,
    baseline: None,
    margin: Some(EquivalenceMargin::Difference(0.005)),
    rounds: 999,
};

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
    compare(&entries(&read(made)), options, &bits).unwrap()
}

fn refused(made: &[Made], options: &Options<'_>) -> String {
    compare(&entries(&read(made)), options, &bits).unwrap_err().to_string()
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
    let names: Vec<&str> = block.methods.iter().map(|method| method.name.as_str()).collect();
    assert_eq!(names, ["store+good", "store+middling:k=1", "store+middling:k=3"]);
    assert_eq!(block.pairs.len(), 3);
    let (good, close) = (&block.pairs[0], &block.pairs[2]);
    assert_eq!(good.inference(Population::Sampler).unwrap().verdict, Verdict::Better);
    assert_eq!(close.inference(Population::Sampler).unwrap().verdict, Verdict::Inconclusive);
    assert_eq!(block.methods[0].group.as_deref(), Some("a"));
    assert_eq!(block.methods[1].group, block.methods[2].group);
    assert!(good.inference(Population::Items).is_none());
}

#[test]
fn the_difference_and_its_intervals_are_those_of_the_statistics() {
    let folders = read(&[Made { repeat: false, ..Made::default() }]);
    let comparison = compare(&entries(&folders), &PLAIN, &bits).unwrap();
    let pair = &comparison.blocks[0].pairs[0];
    let values = |place: usize| folders[0].tables[place].values(Metric::ACCURACY).unwrap();
    let (a, b) = (values(0), values(1));
    let members = folders[0].tables[0].dealt.units_by_episode();
    let range = Some((-1.0, 1.0));
    let differences = stats::differences(&a, &b).unwrap();
    let sampler = stats::of_mean_within(&differences, range).unwrap();
    let classes = stats::over_classes(&differences, &members, range).unwrap();
    assert_eq!(pair.difference, sampler.value);
    assert_eq!(pair.inference(Population::Sampler).unwrap().estimate, sampler);
    assert_eq!(pair.inference(Population::Items).unwrap().estimate, sampler);
    let found = pair.inference(Population::Classes).unwrap().estimate;
    assert!((found.standard_error - classes.estimate.standard_error).abs() < 1e-12);
    assert_eq!(found.degrees, classes.estimate.degrees);
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
    let equivalence: Vec<Option<f64>> = all.iter().map(|inference| inference.equivalence_p).collect();
    let corrected: Vec<Option<f64>> = all.iter().map(|inference| Some(inference.p_holm)).collect();
    let equivalent: Vec<Option<f64>> = all.iter().map(|inference| inference.equivalence_holm).collect();
    assert_eq!(p.len(), 6);
    assert_eq!(Some((corrected, equivalent)), stats::holm_pairs(&p, &equivalence));

    let against = compared(&[made], &Options { baseline: Some("good"), ..PLAIN });
    assert_eq!(against.blocks.iter().map(|block| block.pairs.len()).sum::<usize>(), 4);
    let pair = &against.blocks[0].pairs[0];
    assert_eq!(pair.inference(Population::Sampler).unwrap().verdict, Verdict::Worse);
    assert!(pair.difference < 0.0 && pair.superiority.unwrap().value < 0.5);
}

#[test]
fn other_draws_and_items_are_refused_by_their_first_difference() {
    let other = |made: Made| [only("a"), Made { draw: "draw-two", given_draw: true, ..made }];
    assert_eq!(
        refused(&other(only("b")), &PLAIN),
        "protocol small (shot 1) cannot be paired, because the draws differ: draw-one in run0 and draw-two in run1\n\
         hint: evaluate all methods on one draw: the protocol's own, or one given with --draw"
    );
    let items = [only("a"), Made { items: "items-two", ..only("b") }];
    assert_eq!(
        refused(&items, &PLAIN),
        "protocol small (shot 1) cannot be paired, because the items differ: items-one in run0 and items-two in run1\n\
         hint: evaluate all methods on the same items"
    );
    // Both differ, but there is nothing else in either that it could be compared with.
    let lonely = other(Made { items: "items-two", ..only("b") });
    assert!(refused(&lonely, &PLAIN).contains("because the items differ: items-one in run0"));
    let unknown =
        [Made { items: "", ..only("a") }, Made { items: "", features: "features-two", ..only("b") }];
    assert!(
        refused(&unknown, &PLAIN)
            .contains("the features differ and their items have no identity: features-one")
    );
    let episodes = [only("a"), Made { episodes: 390, ..only("b") }];
    assert!(refused(&episodes, &PLAIN).ends_with("are not those in run0, although the draws have one hash"));
}

#[test]
fn feature_sets_of_the_same_items_are_paired() {
    let sets = [
        Made { set: "pixels", ..only("a") },
        Made { set: "conv4", features: "features-two", shift: 0.05, ..only("a") },
    ];
    let comparison = compared(&sets, &Options { baseline: Some("pixels+a"), ..PLAIN });
    let block = &comparison.blocks[0];
    let names: Vec<&str> = block.methods.iter().map(|method| method.name.as_str()).collect();
    assert_eq!(names, ["conv4+a", "pixels+a"]);
    assert_eq!(block.pairs[0].inference(Population::Sampler).unwrap().verdict, Verdict::Better);
    assert!(
        comparison
            .text()
            .contains("For these classes and items, conv4+a is better than pixels+a (difference ")
    );
    // Features of one name are told apart by their results.
    let unnamed = [only("a"), Made { features: "features-two", shift: 0.05, ..only("a") }];
    let names: Vec<String> =
        compared(&unnamed, &PLAIN).blocks[0].methods.iter().map(|method| method.name.clone()).collect();
    assert_eq!(names, ["store+a in run1", "store+a in run0"]);
}

#[test]
fn a_longer_draw_by_the_same_rules_is_paired_on_its_first_episodes() {
    let longer = Made { draw: "draw-long", episodes: 500, ..only("b") };
    let comparison = compared(&[only("a"), longer.clone()], &PLAIN);
    let short = compared(&[only("a"), only("b")], &PLAIN);
    let (block, expected) = (&comparison.blocks[0], &short.blocks[0]);
    assert_eq!((block.episodes, &block.draw_sha256), (400, &"draw-one".to_string()));
    assert_eq!(block.pairs, expected.pairs);
    for (found, expected) in block.methods.iter().zip(&expected.methods) {
        assert_eq!((found.value, found.intervals.len()), (expected.value, expected.intervals.len()));
        for (found, expected) in found.intervals.iter().zip(&expected.intervals) {
            let ends =
                |of: &Measured| of.interval.map(|(_, interval)| (interval.low, interval.high)).unwrap();
            assert!((ends(found).0 - ends(expected).0).abs() < 1e-12, "{found:?} and {expected:?}");
        }
    }
    let note = "paired on the first 400 episodes: run1 has 500 of the same draw, run0 has 400";
    assert!(comparison.text().contains(note), "{}", comparison.text());
    // The row of both is taken once, in its first episodes.
    let both = Made { learners: vec![("a", "1", 0.7), ("b", "1", 0.7)], ..longer };
    assert_eq!(compared(&[only("a"), both.clone()], &PLAIN).blocks[0].pairs, expected.pairs);
    // A draw that was given is known by its hash alone.
    let given = refused(&[only("a"), Made { given_draw: true, ..both }], &PLAIN);
    assert!(given.contains("because the draws differ"), "{given}");
}

#[test]
fn a_row_of_two_results_is_taken_once_and_one_that_differs_is_refused() {
    let two = [Made::default(), only("good"), Made { learners: vec![("good", "1", 0.8)], ..Made::default() }];
    let whole = compared(&two[..1], &PLAIN);
    assert_eq!(compared(&[two[0].clone(), two[2].clone()], &PLAIN), whole);
    let sentence = refused(&two[..2], &PLAIN);
    assert_eq!(
        sentence,
        "learner good:k=1,transform=none on store under protocol small (shot 1) is in run0 and in run1 with different \
         outcomes, from episode 0 on\nhint: one of the two was computed otherwise; name only one of them"
    );
}

#[test]
fn identical_methods_are_named_and_tested_once() {
    let twins = Made {
        learners: vec![("alpha", "1", 0.75), ("omega", "1", 0.75), ("middling", "1", 0.65)],
        ..Made::default()
    };
    let comparison = compared(std::slice::from_ref(&twins), &PLAIN);
    let block = &comparison.blocks[0];
    assert_eq!(block.methods.iter().map(|method| method.same_as).collect::<Vec<_>>(), [None, Some(0), None]);
    assert_eq!(block.pairs.len(), 1);
    let inference = block.pairs[0].inference(Population::Sampler).unwrap();
    assert_eq!(inference.p, inference.p_holm);
    assert_eq!(block.methods[0].group, block.methods[1].group);
    let text = comparison.text();
    let note =
        "identical, and tested once: store+alpha, store+omega (the same outcome in every episode and class)";
    assert!(text.contains(note), "{text}");
    assert!(text.contains("store+alpha and store+omega are identical here"), "{text}");
    let csv = String::from_utf8(comparison.csv()).unwrap();
    assert_eq!(csv.matches(",store+omega,").count(), 2, "{csv}");
    // The baseline stands for those that are identical to it.
    let against = compared(&[twins], &Options { baseline: Some("omega"), ..PLAIN });
    assert_eq!(
        against.blocks[0].methods.iter().map(|m| m.same_as).collect::<Vec<_>>(),
        [Some(1), None, None]
    );
    assert!(against.text().contains("identical"), "{}", against.text());
    // Where all are, that is all there is to say.
    let all = Made { learners: vec![("alpha", "1", 0.75), ("omega", "1", 0.75)], ..Made::default() };
    let all = compared(&[all], &PLAIN);
    assert!(all.blocks[0].pairs.is_empty() && all.text().contains("are identical here"), "{}", all.text());
}

/// Trainings of one network with these seeds, and how far each is from the others.
fn trained(set: &'static str, seeds: &[(u64, f64)]) -> Vec<Made> {
    let features = ["one", "two", "three", "four", "five"];
    let of = |(place, (seed, shift)): (usize, &(u64, f64))| Made {
        set,
        features: features[place],
        seed_train: Some(*seed),
        shift: *shift,
        ..only("a")
    };
    seeds.iter().enumerate().map(of).collect()
}

#[test]
fn training_seeds_are_a_factor_and_no_methods_of_their_own() {
    let mut made = trained("conv4", &[(1, 0.06), (2, 0.1), (3, 0.02)]);
    made.push(Made { set: "pixels", ..only("a") });
    let folders = read(&made);
    let comparison = compare(&entries(&folders), &PLAIN, &bits).unwrap();
    let block = &comparison.blocks[0];
    assert_eq!((block.methods.len(), block.pairs.len()), (2, 1));
    let (method, pair) = (&block.methods[0], &block.pairs[0]);
    assert_eq!((method.name.as_str(), method.seeds.join(",")), ("conv4+a", "1,2,3".to_string()));

    let values = |place: usize| folders[place].tables[0].values(Metric::ACCURACY).unwrap();
    let rows: Vec<Vec<f64>> = (0..3).map(values).collect();
    let differences: Vec<Vec<f64>> =
        rows.iter().map(|row| stats::differences(row, &values(3)).unwrap()).collect();
    let parts = [stats::over_seeds(&differences).unwrap()];
    let means = stats::mean_over_seeds(&differences).unwrap();
    let expected = stats::with_seeds(&stats::of_mean(&means).unwrap(), &parts);
    let found = pair.inference(Population::Sampler).unwrap().estimate;
    assert!((found.value - expected.value).abs() < 1e-12);
    assert!((found.standard_error - expected.standard_error).abs() < 1e-12);
    assert!((found.degrees - expected.degrees).abs() < 1e-6 && found.degrees < 4.0, "{found:?}");
    let members = folders[0].tables[0].dealt.units_by_episode();
    let classes = stats::over_classes(&means, &members, Some((0.0, 1.0))).unwrap().estimate;
    let found = pair.inference(Population::Classes).unwrap().estimate;
    assert!((found.standard_error - stats::with_seeds(&classes, &parts).standard_error).abs() < 1e-12);
    assert_eq!((pair.sign_flip, pair.between_seeds), (None, Some(parts[0].between_seeds)));

    let text = comparison.text();
    assert!(
        text.contains("conv4: mean over 3 training seeds (1, 2, 3); margins are for new seeds too"),
        "{text}"
    );
    assert!(text.contains(
        "3 seeds cannot tell how much seeds differ: the true standard deviation may be 0.5 to 6.3"
    ));
    let csv = String::from_utf8(comparison.csv()).unwrap();
    assert!(csv.contains(",1;2;3,"), "{csv}");
}

#[test]
fn seeds_are_paired_where_both_methods_have_the_same_and_independent_otherwise() {
    let standard_error = |other: &[(u64, f64)]| {
        let mut made = trained("conv4", &[(1, 0.06), (2, 0.1), (3, 0.02)]);
        made.extend(trained("other", other));
        let comparison = compared(&made, &PLAIN);
        assert_eq!(comparison.blocks[0].pairs.len(), 1);
        comparison.blocks[0].pairs[0].inference(Population::Sampler).unwrap().estimate.standard_error
    };
    // The shifts of the seeds cancel where they are paired, and add where they are not.
    let paired = standard_error(&[(1, 0.0), (2, 0.04), (3, -0.04)]);
    let apart = standard_error(&[(4, 0.0), (5, 0.04), (6, -0.04)]);
    assert!(apart > 3.0 * paired, "{apart} and {paired}");
    // One training says nothing of others, and the words say so.
    let mut one = trained("conv4", &[(1, 0.06)]);
    one.push(Made { set: "pixels", ..only("a") });
    let text = compared(&one, &PLAIN).text();
    let note = "conv4: one training (seed 1); nothing is said of training with another seed";
    assert!(text.contains(note) && !text.contains("mean over"), "{text}");
}

#[test]
fn tables_that_were_never_in_a_folder_are_compared() {
    let dealt = std::sync::Arc::new(Dealt::of((0..400).map(|number| {
        let class =
            |step: u32| ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][((number + step) % 10) as usize];
        (number, vec![class(0), class(1 + number / 10 % 3)])
    })));
    let table = |learner: &str, right: &dyn Fn(u32) -> u32| {
        let outcomes: Vec<Vec<(u32, u32)>> =
            (0..400).map(|e| vec![(right(e), 5), (right(e + 1), 5)]).collect();
        let table = Made::default().table(learner, "1", 1);
        ReadTable::of(table, "features-one".to_string(), Vec::new(), std::sync::Arc::clone(&dealt), &outcomes)
            .unwrap()
    };
    let tables = [table("one", &|e| 3 + e % 3), table("other", &|e| 2 + e * 7 % 4)];
    let entry = |read| Entry { read, origin: "here".into(), rules: None };
    let entries: Vec<Entry<'_>> = tables.iter().map(entry).collect();
    let comparison = compare(&entries, &PLAIN, &bits).unwrap();
    let pair = &comparison.blocks[0].pairs[0];
    assert_eq!(pair.inference(Population::Sampler).unwrap().verdict, Verdict::Better);
    assert!(pair.inference(Population::Classes).unwrap().estimate.degrees <= 9.0);
    assert!(comparison.text().contains("store+one is better than store+other"));
}

/// Two tables of 10 queries an episode, which never were in a folder, from their right answers.
fn few_episodes(one: &[u32], other: &[u32], margin: f64) -> Comparison {
    let dealt = std::sync::Arc::new(Dealt::of((0..).take(one.len()).map(|number| (number, vec!["a"]))));
    let table = |learner: &str, right: &[u32]| {
        let outcomes: Vec<Vec<(u32, u32)>> = right.iter().map(|right| vec![(*right, 10)]).collect();
        let table = Made::default().table(learner, "1", 1);
        ReadTable::of(table, "features-one".to_string(), Vec::new(), std::sync::Arc::clone(&dealt), &outcomes)
            .unwrap()
    };
    let tables = [table("one", one), table("other", other)];
    let entry = |read| Entry { read, origin: "here".into(), rules: None };
    let entries: Vec<Entry<'_>> = tables.iter().map(entry).collect();
    compare(&entries, &Options { margin: Some(EquivalenceMargin::Difference(margin)), ..PLAIN }, &bits)
        .unwrap()
}

#[test]
fn few_episodes_show_no_more_than_their_signs_allow() {
    let found = |one: &[u32], other: &[u32], margin: f64| {
        let comparison = few_episodes(one, other, margin);
        let inference = comparison.blocks[0].pairs[0].inference(Population::Sampler).cloned();
        inference.map(|i| (i.p, i.equivalence_p.unwrap(), i.verdict))
    };
    // The t-tests alone say p = 0.010 and 0.004.
    let three = found(&[9, 9, 10], &[6, 6, 6], 0.05).unwrap();
    assert_eq!((three.0, three.2), (0.25, Verdict::Inconclusive));
    assert_eq!(
        found(&[9, 9, 8], &[9, 9, 9], 0.9).map(|(_, e, v)| (e, v)),
        Some((0.25, Verdict::Inconclusive))
    );
    // Six episodes of one sign can.
    let six = found(&[9, 9, 10, 9, 9, 9], &[2; 6], 0.05).unwrap();
    assert_eq!((six.0, six.2), (0.03125, Verdict::Better));
    // 0.9 − 0.6, 0.8 − 0.5 and 0.7 − 0.4 are equal but for rounding: their interval is that of three signs, and nothing
    // is equivalent for lack of spread.
    let equal = found(&[9, 8, 7], &[6, 5, 4], 0.5).unwrap();
    assert!((equal.0 - 2.0 * (1.0 - 0.3 / 1.3_f64).powi(3)).abs() < 1e-9, "{equal:?}");
    assert_eq!((equal.1, equal.2), (1.0, Verdict::Inconclusive));
    let words = few_episodes(&[9, 8, 7], &[6, 5, 4], 0.5).text();
    assert!(!words.contains("equivalent within") && words.contains("inconclusive"), "{words}");
}

#[test]
fn a_question_that_cannot_be_asked_is_refused() {
    assert_eq!(
        refused(&[only("a")], &PLAIN),
        "a comparison needs two methods on the same episodes, found store+a"
    );
    assert_eq!(
        refused(&[Made::default()], &Options { metric: Metric::ADAPTIVE_ECE, ..PLAIN }),
        "adaptive-ece cannot be paired episode by episode, nor class by class, expected one of `accuracy`, `nll`, `brier`, `class-accuracy`, `macro-f1`, `weighted-f1`, `balanced-accuracy`, `cohen-kappa`, `matthews`, `ovr-auroc`, `average-precision`, `top-2`, `top-3`, `top-5`, `top-10`, `support-accuracy`, `aurc`, `aurc-open-set`, `auroc`, `fpr95`, `in-scope-accuracy-at-95`, `oos-recall`, `nll-ts`, `seen`, `unseen`, `harmonic`"
    );
    let asked = |baseline| Options { baseline: Some(baseline), ..PLAIN };
    assert_eq!(
        refused(&[Made::default()], &asked("bad")),
        "baseline `bad` is not in the results, expected one of store+good, store+middling:k=1, store+middling:k=3"
    );
    assert_eq!(
        refused(&[Made::default()], &asked("middling")),
        "baseline `middling` fits several methods, expected one of store+middling:k=1, store+middling:k=3"
    );
    assert_eq!(
        refused(&[Made::default()], &Options { margin: Some(EquivalenceMargin::Difference(0.0)), ..PLAIN }),
        "the equivalence margin must be above 0, got 0"
    );
    assert_eq!(
        refused(&[Made { episodes: 1, ..Made::default() }], &PLAIN),
        "a paired comparison needs two episodes or more, or ten classes in a single one, and protocol small has 1 episode\nhint: evaluate with more, `--episodes 600`"
    );
}

#[test]
fn a_lower_loss_is_better() {
    let comparison = compared(&[Made::default()], &Options { metric: Metric::NLL, margin: None, ..PLAIN });
    let block = &comparison.blocks[0];
    assert_eq!(block.methods[0].name, "store+good");
    let pair = &block.pairs[0];
    let inference = pair.inference(Population::Sampler).unwrap();
    assert!(pair.difference < 0.0 && pair.superiority.unwrap().value > 0.5);
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
    assert_eq!(comparison.blocks[0].methods[0].class_group, None);
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
            .unwrap()
    };
    // One less than there are clusters, or fewer where episodes are noisy.
    for (clustered, most) in [(0, 11.0), (2, 10.0), (4, 9.0)] {
        assert!(difference(clustered) <= most && difference(clustered) > most - 2.0, "{clustered}");
    }
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
    let options = Options { margin: Some(EquivalenceMargin::Difference(0.0005)), ..PLAIN };
    let words = compared(&[made], &options).text();
    assert!(
        words.contains(
            "No number of episodes of these 12 classes would give a margin of ±0.05 points; about "
        )
    );
    assert!(words.contains("For these classes and items, "), "{words}");
}

#[test]
fn several_data_sets_are_ranked_and_never_pooled() {
    let sets = ["one", "two", "three"].map(|name| Made {
        draw: name,
        features: name,
        items: name,
        learners: vec![("good", "1", 0.8), ("middling", "1", 0.7), ("poor", "1", 0.6)],
        ..Made::default()
    });
    let comparison = compared(&sets, &PLAIN);
    assert_eq!((comparison.blocks.len(), comparison.rankings.len()), (3, 1));
    let ranking = &comparison.rankings[0];
    assert_eq!(ranking.methods.iter().map(|method| method.rank).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
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
    assert_eq!(reader.headers().unwrap(), comparison_columns());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 9);
    let column = |name: &str| rows.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("interval")[..3], ["sampler", "items", "classes"]);
    assert_eq!(column("method_a")[0], "store+good");
    let p: f64 = column("p")[0].parse().unwrap();
    assert_eq!(p, comparison.blocks[0].pairs[0].inference(Population::Sampler).unwrap().p);
    assert!(!column("sign_flip_p")[0].is_empty() && column("sign_flip_p")[2].is_empty());
}

#[test]
fn markdown_and_latex_show_the_same_learners() {
    let folder = tempfile::tempdir().unwrap();
    let comparison = compared(&[Made::default()], &PLAIN);
    fs::write(folder.path().join("comparison.md"), comparison.markdown()).unwrap();
    for text in [comparison.markdown(), comparison.latex(), comparison.text()] {
        for name in ["store+good", "store+middling:k=1", "store+middling:k=3"] {
            assert!(text.contains(name), "{text}");
        }
    }
    assert!(comparison.latex().contains("\\toprule") && comparison.latex().ends_with("\\end{table}\n"));
    assert!(comparison.markdown().starts_with("# Comparison\n\n**small, 1-shot, store: accuracy in percent"));
}
