//! The rooms of the house, and which may import which. A room is a top-level module.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may import. What is missing here does not exist.
const TABLE: &[(&str, &[&str])] = &[
    ("vocab", &[]),
    ("rng", &[]),
    ("numbers", &[]),
    ("guard", &[]),
    ("image", &["vocab"]),
    ("stats", &[]),
    ("tensor", &["vocab", "numbers"]),
    ("view", &["tensor", "vocab"]),
    ("metric", &["view", "vocab", "stats", "numbers"]),
    ("data", &["vocab", "rng", "numbers", "guard", "image"]),
    ("backbone", &["tensor", "vocab", "rng", "guard", "image"]),
    ("optimise", &["tensor", "backbone", "vocab", "rng"]),
    ("learner", &["view", "tensor", "vocab", "rng", "backbone", "optimise"]),
    ("protocol", &["vocab", "metric"]),
    ("episode", &["data", "view", "protocol", "rng", "vocab", "tensor"]),
    (
        "eval",
        &[
            "learner", "view", "episode", "data", "metric", "protocol", "rng", "tensor", "vocab", "backbone",
            "numbers",
        ],
    ),
    ("select", &["learner", "eval", "episode", "data", "metric", "rng", "stats", "tensor", "vocab"]),
    ("train", &["backbone", "tensor", "optimise", "episode", "data", "rng", "vocab", "metric"]),
    ("results", &["stats", "vocab", "metric"]),
    ("scores", &["stats", "rng", "guard"]),
    ("report", &["results", "scores", "stats", "vocab", "metric"]),
    (
        "run",
        &[
            "vocab", "rng", "stats", "tensor", "view", "metric", "data", "learner", "protocol", "episode",
            "eval", "select", "results", "scores", "report", "backbone", "train", "image", "numbers",
        ],
    ),
    (
        "cli",
        &[
            "vocab", "rng", "stats", "tensor", "view", "metric", "data", "learner", "protocol", "episode",
            "eval", "select", "results", "scores", "report", "backbone", "train", "run", "guard", "image",
        ],
    ),
];

/// A file of the library: its path in `src`, its room, and its code without comments and texts.
struct Source {
    path: String,
    room: String,
    /// Modules between the root of the crate and what the file holds.
    depth: usize,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).unwrap().with_extension("");
                let mut modules: Vec<String> =
                    inside.iter().map(|part| part.to_str().unwrap().to_string()).collect();
                if modules.last().is_some_and(|last| last == "mod") {
                    modules.pop();
                }
                let code = code(&std::fs::read_to_string(&path).unwrap());
                all.push(Source {
                    path: inside.with_extension("rs").display().to_string(),
                    room: modules[0].clone(),
                    depth: modules.len(),
                    code,
                });
            }
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// Rust without its comments, texts and characters.
fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut i) = (String::new(), 0);
    let at = |i: usize| chars.get(i).copied().unwrap_or('\n');
    while i < chars.len() {
        let raw = (0..9).find(|n| {
            let before = i == 0 || !(at(i - 1).is_alphanumeric() || at(i - 1) == '_');
            before && at(i) == 'r' && (1..=*n).all(|k| at(i + k) == '#') && at(i + n + 1) == '"'
        });
        if at(i) == '/' && at(i + 1) == '/' {
            i = (i..chars.len()).find(|j| at(*j) == '\n').unwrap_or(chars.len());
        } else if at(i) == '/' && at(i + 1) == '*' {
            i = (i + 2..chars.len())
                .find(|j| at(*j) == '*' && at(j + 1) == '/')
                .map_or(chars.len(), |j| j + 2);
        } else if let Some(hashes) = raw {
            let closes = |j: &usize| at(*j) == '"' && (1..=hashes).all(|k| at(j + k) == '#');
            let start = i + hashes + 2;
            i = (start..chars.len()).find(closes).map_or(chars.len(), |j| j + hashes + 1);
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            // A lifetime has no closing mark right behind its first letter.
            let start = if at(i + 1) == '\\' { i + 3 } else { i + 2 };
            i = (start..chars.len()).find(|j| at(*j) == '\'').map_or(chars.len(), |j| j + 1);
        } else {
            out.push(at(i));
            i += 1;
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where a whole word begins, each with what stands behind it.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(word).filter_map(move |(place, _)| {
        let behind = &code[place + word.len()..];
        let whole = !code[..place].ends_with(is_word) && !behind.starts_with(is_word);
        whole.then_some((place, behind))
    })
}

/// The first names of `path` or of each path in `{path, path}`.
fn first_names(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let (mut names, mut depth) = (vec![name(group)], 0);
    for (place, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[place + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What code names at the root of the crate: after `crate::`, and after enough `super::`.
fn named(code: &str, depth: usize) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (place, behind) in words(code, "crate") {
        if let Some(path) = behind.strip_prefix("::").filter(|_| !code[..place].ends_with('$')) {
            names.extend(first_names(path));
        }
    }
    for (place, mut behind) in words(code, "super") {
        let mut steps = 1;
        while let Some(next) = behind.strip_prefix("::super") {
            (steps, behind) = (steps + 1, next);
        }
        if let Some(path) = behind.strip_prefix("::").filter(|_| !code[..place].ends_with("super::")) {
            let reached = first_names(path);
            // A chain in an inner module of tests is one step shorter than it looks, and then names no room.
            names.extend(
                reached.into_iter().filter(|name| steps >= depth && rooms().contains_key(name.as_str())),
            );
        }
    }
    names
}

fn rooms() -> BTreeMap<&'static str, &'static [&'static str]> {
    TABLE.iter().copied().collect()
}

/// Files in which one of the words stands, outside of the rooms that may use them.
fn outside(words_sought: &[&str], allowed: &[&str]) -> Vec<String> {
    let sought = |s: &Source| words_sought.iter().any(|word| words(&s.code, word).next().is_some());
    let foreign = |s: &Source| !allowed.contains(&s.room.as_str());
    sources().iter().filter(|s| foreign(s) && sought(s)).map(|s| s.path.clone()).collect()
}

#[test]
fn every_room_stands_in_the_table_and_imports_only_what_it_may() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for source in sources() {
        let named = named(&source.code, source.depth);
        match source.room.as_str() {
            "main" => assert!(named.is_empty() && source.code.contains("kshot::cli::main"), "{named:?}"),
            "lib" => {}
            room => {
                let Some(may) = rooms.get(room) else {
                    panic!("{} belongs to no room of the table", source.path);
                };
                met.insert(room.to_string());
                let foreign = named.iter().filter(|n| *n != room && !may.contains(&n.as_str()));
                wrong.extend(foreign.map(|name| format!("{} imports {name}", source.path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(met, rooms.keys().map(ToString::to_string).collect(), "rooms of the table that do not exist");
}

#[test]
fn nobody_imports_the_command_line_and_no_learner_sees_data_or_answers() {
    let rooms = rooms();
    assert!(rooms.values().all(|may| !may.contains(&"cli")));
    assert!(["data", "episode", "protocol", "metric"].iter().all(|room| !rooms["learner"].contains(room)));
}

#[test]
fn only_the_room_of_tensors_speaks_dfdx_itself() {
    let direct = |s: &Source| {
        words(&s.code, "dfdx").any(|(place, _)| !s.code[..place].ends_with("tensor::")) && s.room != "tensor"
    };
    let wrong: Vec<String> = sources().iter().filter(|s| direct(s)).map(|s| s.path.clone()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let all = sources();
    let prelude: Vec<&String> =
        all.iter().filter(|s| s.code.contains("dfdx::prelude")).map(|s| &s.path).collect();
    assert!(prelude.is_empty(), "{prelude:?}");
}

#[test]
fn only_grading_reads_the_answers() {
    assert_eq!(outside(&["labels_for_grading"], &["metric"]), ["view/answers.rs"]);
    let answers = sources().into_iter().find(|s| s.path == "view/answers.rs").unwrap();
    // Its definition, and no use.
    assert_eq!(words(&answers.code, "labels_for_grading").count(), 1);
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let printing = ["println", "eprintln", "print", "eprint", "dbg"].map(|word| format!("{word}!"));
    let prints = |s: &Source| {
        // A test may say that it was skipped.
        let code = s.code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        printing.iter().any(|mark| words(code, mark.trim_end_matches('!')).any(|(_, b)| b.starts_with('!')))
            || code.contains("process::exit")
            || code.contains("io::stdout")
            || code.contains("io::stderr")
    };
    let wrong: Vec<String> =
        sources().iter().filter(|s| s.room != "cli" && prints(s)).map(|s| s.path.clone()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn nothing_is_called_by_a_name_that_says_nothing() {
    let empty = ["utils", "util", "helpers", "common", "manager", "core", "misc"];
    for source in sources() {
        let found = source.path.trim_end_matches(".rs").split('/').find(|part| empty.contains(part));
        assert_eq!(found, None, "{}", source.path);
    }
}

/// The longest functions that a room may have, where a reader is to see each on one screen.
const SCREEN: usize = 60;

#[test]
fn a_function_of_a_run_or_of_a_verb_fits_a_screen() {
    let mut long = Vec::new();
    for source in sources().iter().filter(|source| ["run", "cli"].contains(&source.room.as_str())) {
        let lines: Vec<&str> = source.code.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            if !words(line, "fn")
                .any(|(at, _)| line[..at].trim_end().ends_with([')', 'b']) || line[..at].trim().is_empty())
            {
                continue;
            }
            let end = lines[start..].iter().position(|line| line.trim_end() == format!("{indent}}}"));
            let length = end.map_or(1, |end| end + 1);
            if length > SCREEN {
                long.push(format!("{}: {length} lines from `{}`", source.path, line.trim()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_scan_finds_every_way_to_name_a_room() {
    let text = r##"
        //! See [`crate::cli`].
        use crate::data::{Store, index::ClassIndex};
        use crate::{metric, view::{Items, Support}, rng::Stream};
        pub(in crate::eval) fn f<'a>(x: &'a str) -> char { crate::stats::mean(x); '"' }
        const TEXT: &str = "crate::report"; /* crate::protocol */ const RAW: &str = r#"crate::"episode""#;
        use super::super::learner::Learner;
        use super::cli;
    "##;
    let found = named(&code(text), 2);
    let expected = ["data", "eval", "learner", "metric", "rng", "stats", "view"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(code("a // b\n\"c\\\"\" d '\\'' e 'f' g::<'h>"), "a \n d  e  g::<'h>");
}
