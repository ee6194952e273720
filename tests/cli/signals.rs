//! Signals: a run that is asked to end keeps what it has, and the plan of a run in parts.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::parts::assert_same;
use super::place::Place;

const RUN: &str = "evaluate p.toml --features gaussian:novel=12,base=0,validation=0,items=20,dim=16 --batch 5 \
                   --learner ridge --learner k-nn --learner svm";

fn place(count: usize) -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", &format!("count = {count}\nmost = 100000"));
    place
}

/// Runs kshot, sends a signal once a file of its has so many bytes, and gives its exit code and what it said.
fn told(place: &Place, arguments: &str, signal: &str, file: &str, bytes: u64) -> (Option<i32>, String) {
    let child = Command::new(env!("CARGO_BIN_EXE_kshot"))
        .current_dir(place.path(""))
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = place.path(file);
    let begun = std::time::Instant::now();
    while fs::metadata(&journal).map_or(0, |file| file.len()) < bytes
        && begun.elapsed() < Duration::from_secs(60)
    {
        std::thread::sleep(Duration::from_micros(200));
    }
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "the run ended before it could be told");
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_run_that_a_signal_ends_says_so_and_goes_on_to_the_same_bytes() {
    let place = place(4_000);
    place.done(&format!("{RUN} --out whole"));
    for signal in ["TERM", "INT", "USR1"] {
        let arguments = format!("{RUN} --out out --resume");
        let (code, said) = told(&place, &arguments, signal, "out/.kshot-partial/journal", 50_000);
        assert_eq!(code, Some(75), "{said}");
        assert!(
            said.contains(&format!("error: SIG{signal} ended the run\nhint: what was computed is kept")),
            "{said}"
        );
        assert!(!place.path("out/run.json").exists());
        let kept = fs::metadata(place.path("out/.kshot-partial/journal")).unwrap().len();
        assert!(kept >= 50_000, "{kept}");
        let ran = place.done(&arguments);
        assert!(ran.err.contains("of them from the killed run"), "{}", ran.err);
        assert_same(&place, "whole", "out");
        fs::remove_dir_all(place.path("out")).unwrap();
    }
}

const TRAINING: &str = "name = \"t\"\n[data]\ndataset = \"glyphs\"\n[backbone]\nname = \"mlp\"\nhidden = 16\nwidth = 8\n[objective]\n\
                        kind = \"prototypical\"\nway = 5\nshot = 1\nquery = 3\n[optimiser]\nkind = \"adam\"\nrate = 0.01\n\
                        [training]\nsteps = 3000\nseed = 3\n[validation]\nway = 5\nshot = 1\nquery = 5\nepisodes = 20\nseed = 7\n\
                        every = 5\n";

#[test]
fn a_training_that_a_signal_ends_goes_on_to_the_same_weights() {
    let place = Place::new();
    place.write("t.toml", TRAINING);
    place.done("train t.toml --out whole");
    let (code, said) =
        told(&place, "train t.toml --out out --resume", "TERM", "out/checkpoint.safetensors", 1);
    assert_eq!(code, Some(75), "{said}");
    assert!(
        said.contains("error: SIGTERM ended the run\nhint: give the same command with --resume"),
        "{said}"
    );
    assert!(!place.path("out/weights.safetensors").exists());
    place.done("train t.toml --out out --resume");
    let weights = |folder: &str| fs::read(place.path(folder).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights("out"));
}

#[test]
fn the_commands_of_a_plan_make_the_bytes_of_a_single_run() {
    let place = place(60);
    place.done(&format!("{RUN} --out whole"));
    let plan = place.done(&format!("plan --shards 3 -- {RUN} --out joined")).out;
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_kshot")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let shell = |script: &str| {
        let ran = Command::new("sh")
            .args(["-ec", script])
            .current_dir(place.path(""))
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    shell(&plan);
    assert_same(&place, "whole", "joined");
    // What Slurm would run, with its variables set by hand.
    let script = place.done(&format!("plan --shards 2 --slurm -- {RUN} --out slurm")).out;
    let task = script.split("<<'array'\n").nth(1).unwrap().split("\narray\n").next().unwrap();
    for number in 1..=2 {
        shell(&format!("export SLURM_ARRAY_TASK_ID={number} SLURM_ARRAY_JOB_ID=7\n( {task} )"));
    }
    shell(script.split("<<'merge'\n").nth(1).unwrap().split("\nmerge\n").next().unwrap());
    assert_same(&place, "whole", "slurm");
}
