//! Requests that cannot be understood: verbs, flags, learners.

use super::place::Place;

const RUN: &str = "evaluate p.toml --features store --out out";

fn learner_refused(specs: &str, sentence: &str) {
    Place::new().refuses(2, &format!("{RUN} --learner {specs}"), sentence);
}

#[test]
fn an_unknown_verb_is_refused() {
    Place::empty().refuses(2, "evalute", "unrecognized subcommand 'evalute'…");
}

#[test]
fn an_unknown_flag_is_refused() {
    Place::new().refuses(2, &format!("{RUN} --fast"), "unexpected argument '--fast' found…");
}

#[test]
fn no_protocol_at_all_is_refused() {
    let sentence = "the following required arguments were not provided:\n  <PROTOCOL>…";
    Place::empty().refuses(2, "evaluate", sentence);
}

#[test]
fn no_verb_prints_the_help_and_is_refused() {
    let ran = Place::empty().run("");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("Usage: kshot <COMMAND>"), "{}", ran.err);
}

#[test]
fn help_and_version_are_no_errors_and_help_has_the_exit_codes() {
    let place = Place::empty();
    let help = place.done("--help").out;
    for line in [
        "0  done",
        "1  a check you asked for does not hold",
        "2  the request is wrong",
        "3  the data is wrong",
        "4  the computation failed",
    ] {
        assert!(help.contains(line), "{help}");
    }
    assert!(place.done("--version").out.starts_with("kshot "));
    for verb in ["list", "sample", "check", "select", "evaluate", "compare", "report", "merge"] {
        let help = place.done(&format!("{verb} --help")).out;
        assert!(help.contains("Examples:\n  kshot "), "{help}");
    }
}

#[test]
fn an_unknown_thing_to_list_is_refused_with_the_known_ones() {
    let sentence =
        "invalid value 'heads' for '<WHAT>'\n  [possible values: learners, protocols, datasets, backbones, …";
    Place::empty().refuses(2, "list heads", sentence);
}

#[test]
fn an_unknown_learner_is_refused_with_the_list_of_learners() {
    learner_refused(
        "prototype",
        "unknown learner `prototype`, expected one of `prototypical`, `nearest-centroid`, `k-nn`, `matching`, \
         `linear-probe`, `ridge`, `svm`, `fine-tune`, …",
    );
}

#[test]
fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let sentence = "learner `ridge` has no parameter `beta`, expected one of `alpha`, `transform`";
    learner_refused("ridge:beta=1", sentence);
}

#[test]
fn a_value_out_of_its_range_is_refused_with_the_range() {
    let sentence = "parameter `alpha` of `ridge` must be a number from 0.000001 to 1000000, got `-1`";
    learner_refused("ridge:alpha=-1", sentence);
}

#[test]
fn a_value_that_is_none_of_the_words_is_refused_with_the_words() {
    let sentence = "parameter `distance` of `k-nn` must be one of `euclidean`, `cosine`, got `l1`";
    learner_refused("k-nn:distance=l1", sentence);
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let sentence = "learner `ridge:alpha=1,alpha=2`: `alpha` is given twice\nhint: write `name` or `name:key=value,key=value`";
    learner_refused("ridge:alpha=1,alpha=2", sentence);
}

#[test]
fn a_parameter_without_a_value_is_refused() {
    let sentence = "learner `k-nn:3`: `3` is not of the form key=value\nhint: write `name` or `name:key=value,key=value`";
    learner_refused("k-nn:3", sentence);
}

#[test]
fn parameters_that_conflict_are_refused_with_the_reason() {
    let sentence = "learner `fine-tune`: `head=cosine` needs `init=prototype` or `init=random`, because a zero weight has no direction";
    learner_refused("fine-tune:head=cosine", sentence);
}

#[test]
fn a_learner_given_twice_is_refused_even_where_it_is_written_in_another_way() {
    let sentence =
        "learner `ridge:alpha=1.0` is given twice with the same parameters, a result holds each once";
    learner_refused("ridge --learner ridge:alpha=1.0", sentence);
}

#[test]
fn a_learner_that_the_protocol_does_not_admit_is_refused() {
    let place = Place::new();
    place.edit("p.toml", "\"inductive\"", "\"transductive\"");
    let sentence = "learner `ridge` is inductive, protocol `p` admits transductive";
    place.refuses(2, &format!("{RUN} --learner ridge"), sentence);
}

#[test]
fn a_protocol_that_admits_transductive_learners_alone_runs_no_other() {
    let place = Place::new();
    place.edit("p.toml", "\"inductive\"", "\"transductive\"");
    place.done(RUN);
    let summary = place.read("out/summary.csv");
    assert!(summary.contains(",pt-map,") && !summary.contains(",ridge,"), "{summary}");
}

#[test]
fn a_learner_that_needs_support_is_refused_where_there_is_none() {
    let place = Place::new();
    place.edit("p.toml", "\"inductive\"", "\"inductive\", \"zero-shot\"");
    place.edit("p.toml", "shot  = 1", "shot  = 0");
    let sentence = "learner `ridge` needs a support set, protocol `p` has shot 0 only";
    place.refuses(2, &format!("{RUN} --learner ridge"), sentence);
}

#[test]
fn centring_without_base_classes_is_refused() {
    learner_refused(
        "nearest-centroid:transform=cl2n",
        "store `store` has no base classes, transform `cl2n` subtracts the mean of their items\nhint: name base classes \
         in the splits, or take `l2n`",
    );
}

#[test]
fn numbers_of_workers_and_batches_have_a_range() {
    let place = Place::new();
    for (flag, most) in [("--workers <N>", 1024), ("--batch <N>", 100_000)] {
        let (name, _) = flag.split_once(' ').unwrap();
        for wrong in ["0".to_string(), (most + 1).to_string(), "two".to_string()] {
            let sentence =
                format!("invalid value '{wrong}' for '{flag}': must be a whole number from 1 to {most}…");
            place.refuses(2, &format!("{RUN} {name} {wrong}"), &sentence);
        }
    }
}

#[test]
fn a_size_of_memory_that_is_none_is_refused() {
    let sentence =
        "invalid value 'lots' for '--memory <SIZE>': must be a number of bytes, such as 512M or 8G…";
    Place::new().refuses(2, &format!("{RUN} --memory lots"), sentence);
}

#[test]
fn a_cosine_beyond_one_is_refused() {
    let sentence = "invalid value '1.5' for '--near <COSINE>': must be a number above 0 and up to 1…";
    let place = Place::new();
    place.refuses(2, &format!("{RUN} --near 1.5"), sentence);
    place.refuses(2, "check p.toml --features store --near 1.5", sentence);
}

#[test]
fn overwriting_without_naming_a_folder_is_refused() {
    let sentence = "the following required arguments were not provided:\n  --out <DIR>…";
    Place::new().refuses(2, "evaluate p.toml --features store --overwrite", sentence);
}

#[test]
fn a_draw_beside_two_protocols_is_refused() {
    let place = Place::new();
    let sentence = "--draw goes with one protocol, 2 are given";
    place.refuses(2, "evaluate p.toml any-5way-1shot --features store --draw draw.csv", sentence);
    place.refuses(2, "check p.toml any-5way-1shot --features store --draw draw.csv", sentence);
}

#[test]
fn a_protocol_given_twice_is_refused() {
    let place = Place::new();
    place.write("again.toml", place.read("p.toml"));
    let sentence = "protocol `p` is given twice, a run holds each name once";
    place.refuses(2, "evaluate p.toml again.toml --features store", sentence);
}

#[test]
fn shells_get_their_completions_and_man_its_pages() {
    let place = Place::new();
    for (shell, word) in
        [("bash", "complete -F _kshot"), ("zsh", "#compdef kshot"), ("fish", "complete -c kshot")]
    {
        assert!(place.done(&format!("completions {shell}")).out.contains(word), "{shell}");
    }
    assert!(place.done("man").out.starts_with(".ie \\n(.g .ds Aq"));
    assert!(place.done("man evaluate").out.contains("\\-\\-resume"));
    let ran = place.run("man fly");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.starts_with("error: there is no verb `fly`, expected one of list, sample, check, select, "),
        "{}",
        ran.err
    );
    let version = place.done("--version").out;
    assert!(version.contains("\nfeatures: ") && version.contains("\nvector instructions: "), "{version}");
}
