//! Where the work is done: what `--device` takes, refuses and leaves in the files.

use super::place::Place;
#[cfg(feature = "cuda")]
use super::place::skipped;

/// Every verb that does heavy work, with requests that are otherwise right.
const VERBS: [&str; 4] = [
    "evaluate p.toml --features store --out out",
    "select p.toml --features store --oracle --learner ridge --out out",
    "embed glyphs --backbone conv4 --weights conv4-glyphs --out out",
    "train conv4-glyphs --out out",
];

#[test]
fn a_device_that_is_none_is_refused_with_those_there_are() {
    for verb in VERBS {
        for wrong in ["gpu", "cuda:x", "cuda:"] {
            let sentence = format!(
                "invalid value '{wrong}' for '--device <DEVICE>': expected `cpu`, `cuda`, `cuda:N` or `auto`…"
            );
            Place::new().refuses(2, &format!("{verb} --device {wrong}"), &sentence);
        }
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_build_without_cuda_says_so_in_one_sentence() {
    for verb in VERBS {
        for device in ["cuda", "cuda:1"] {
            let sentence = "this build has no CUDA\nhint: build with --features cuda, or leave out --device";
            Place::new().refuses(2, &format!("{verb} --device {device}"), sentence);
        }
    }
}

#[cfg(feature = "cuda")]
#[test]
fn a_gpu_that_is_not_there_is_one_sentence_and_a_failure() {
    for verb in VERBS {
        let sentence = "no NVIDIA GPU can be used: …";
        Place::new().refuses(4, &format!("{verb} --device cuda:1000"), sentence);
    }
}

#[cfg(feature = "cuda")]
#[test]
fn what_a_driver_refuses_is_one_sentence_and_a_failure() {
    if std::env::var("KSHOT_GPU").as_deref() != Ok("stand-in") {
        return skipped(
            "what_a_driver_refuses_is_one_sentence_and_a_failure",
            "no stand-in driver is loaded",
        );
    }
    let hint = "hint: --device cpu does the same on the processor";
    let none = |why: &str| format!("error: no NVIDIA GPU can be used: {why}\n{hint}\n");
    for (how, sentence) in [
        ("no-gpu", none("the driver finds none")),
        ("old-driver", none("the driver and its library are of different versions")),
        ("old-ptx", none("the driver is older than the toolkit that this program was built with")),
        (
            "memory",
            "error: cuda has not enough memory\nhint: take fewer episodes at once with --batch, or the processor with \
             --device cpu\n"
                .to_string(),
        ),
        ("memory-later", "has not enough memory\nhint: ".to_string()),
    ] {
        for verb in VERBS {
            let place = Place::new();
            let mut command = place.command(&format!("{verb} --device cuda"));
            let output = command.env("KSHOT_SIM_FAILS", how).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(4), "{how} {verb}\n{said}");
            assert!(said.contains(&sentence) && !said.contains("panicked"), "{how} {verb}\n{said}");
        }
    }
}

#[test]
fn the_processor_is_the_default_and_stands_in_the_files() {
    let place = Place::new();
    for (name, device) in [("plain", ""), ("auto", "--device auto"), ("cpu", "--device cpu")] {
        place.done(&format!("evaluate p.toml --features store --out {name} {device}"));
    }
    let summary = place.read("plain/summary.csv");
    assert_eq!(summary, place.read("auto/summary.csv"));
    assert_eq!(summary, place.read("cpu/summary.csv"));
    let column = summary.lines().next().unwrap().split(',').position(|name| name == "device").unwrap();
    let mut lines = csv::Reader::from_reader(summary.as_bytes());
    assert!(lines.records().all(|line| &line.unwrap()[column] == "cpu"));
    assert!(place.read("plain/run.json").contains("\"device\": \"cpu\""));
}
