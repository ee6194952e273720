//! `kshot compare --scores`: tables of other tools, ranked.

use std::path::Path;

use assert_cmd::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const TABLE: &str = include_str!("../fixtures/scores/table.csv");

fn rank(folder: &Path, file: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("kshot").unwrap();
    command
        .current_dir(folder)
        .args(["compare", "--scores", file, "--out", "ranks", "--overwrite"])
        .args(more);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn sheet(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.join("ranks").join(name)).unwrap();
    reader.records().map(|record| record.unwrap().iter().map(str::to_string).collect()).collect()
}

/// SciPy's tests on the same table: `tests/fixtures/scores/reference.py`.
#[test]
fn tests_and_holm_agree_with_scipy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("table.csv"), TABLE).unwrap();
    let (code, _, said) = rank(folder.path(), "table.csv", &["--all-pairs"]);
    assert_eq!(code, 0, "{said}");
    let mut reader = csv::Reader::from_reader(include_str!("../fixtures/scores/expected.csv").as_bytes());
    let expected: Vec<Vec<String>> =
        reader.records().map(|record| record.unwrap().iter().map(str::to_string).collect()).collect();
    let found = sheet(folder.path(), "pairs.csv");
    assert_eq!(found.len(), expected.len());
    for want in &expected {
        // dataset,rule,method_a,method_b,difference,low,high,degrees,p,p_sign_flip,p_holm_adjacent,p_holm_all
        let same = |row: &&Vec<String>| {
            [&row[0], &row[1], &row[3], &row[5]] == [&want[0], &want[1], &want[2], &want[3]]
        };
        let row = found.iter().find(same).unwrap_or_else(|| panic!("{want:?} is not there"));
        for (found, want) in row[8..].iter().zip(&want[4..]) {
            let (found, want) = (found.parse::<f64>(), want.parse::<f64>());
            match (found, want) {
                (Ok(found), Ok(want)) => {
                    assert!((found - want).abs() < 1e-8 * want.abs().max(1e-3), "{row:?} {want:?}")
                }
                (found, want) => assert!(found.is_err() && want.is_err(), "{row:?} {want:?}"),
            }
        }
    }
}

#[test]
fn every_form_of_a_table_gives_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("t.csv"), TABLE).unwrap();
    std::fs::write(at("t.tsv"), TABLE.replace(',', "\t")).unwrap();
    let mut packed = GzEncoder::new(std::fs::File::create(at("t.csv.gz")).unwrap(), Compression::fast());
    packed.write_all(TABLE.as_bytes()).unwrap();
    packed.finish().unwrap();
    let mut lines = TABLE.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let objects = lines.map(|line| {
        let cells = head.iter().zip(line.split(',')).map(|(key, cell)| match cell.parse::<f64>() {
            Ok(number) if *key == "score" => format!("\"{key}\":{number}"),
            _ => format!("\"{key}\":\"{cell}\""),
        });
        format!("{{{}}}\n", cells.collect::<Vec<_>>().join(","))
    });
    std::fs::write(at("t.jsonl"), objects.collect::<String>()).unwrap();
    let files = ["ranking.csv", "pairs.csv", "survival.csv", "ranking.md", "ranks.csv"];
    let mut first: Option<Vec<Vec<u8>>> = None;
    for name in ["t.csv", "t.tsv", "t.csv.gz", "t.jsonl"] {
        let (code, _, said) = rank(folder.path(), name, &[]);
        assert_eq!(code, 0, "{name}: {said}");
        let bytes: Vec<Vec<u8>> =
            files.iter().map(|file| std::fs::read(at("ranks").join(file)).unwrap()).collect();
        assert_eq!(*first.get_or_insert_with(|| bytes.clone()), bytes, "{name}");
    }
}

#[test]
fn draws_are_paired_where_somebody_says_so_and_both_answers_are_given_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), TABLE).unwrap();
    let rules = |more: &[&str]| {
        let (code, text, said) = rank(folder.path(), "t.csv", more);
        assert_eq!(code, 0, "{said}");
        let mut rules: Vec<String> =
            sheet(folder.path(), "pairs.csv").iter().map(|row| row[1].clone()).collect();
        rules.dedup();
        rules.sort();
        rules.dedup();
        (rules, text.contains("nothing in the file says that draw i is the same"))
    };
    let both = vec!["paired".to_string(), "unpaired".to_string()];
    assert_eq!(rules(&[]), (both.clone(), true));
    assert_eq!(rules(&["--paired", "draw"]), (both[..1].to_vec(), false));
    assert_eq!(rules(&["--paired", "no"]), (both[1..].to_vec(), false));
    // Hashes of draws in the file.
    let hashed = |hash: &dyn Fn(&str) -> String| {
        let mut lines = TABLE.lines();
        let head = format!("{},draw_sha256\n", lines.next().unwrap());
        let rows = lines.map(|line| format!("{line},{}\n", hash(line)));
        std::fs::write(folder.path().join("t.csv"), head + &rows.collect::<String>()).unwrap();
    };
    hashed(&|line| line.split(',').take(3).step_by(2).collect::<String>());
    assert_eq!(rules(&[]).0, both[..1].to_vec());
    hashed(&|line| line.replace(',', "_"));
    assert_eq!(rules(&[]).0, both[1..].to_vec());
}

#[test]
fn equal_scores_in_all_draws_are_no_certainty() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..10).flat_map(|draw| [format!("d,a,{draw},0.9\n"), format!("d,b,{draw},0.1\n")]);
    let table = format!("dataset,method,draw,score\n{}", rows.collect::<String>());
    std::fs::write(folder.path().join("t.csv"), table).unwrap();
    let (code, text, _) = rank(folder.path(), "t.csv", &[]);
    assert_eq!(code, 0);
    assert!(text.contains("1 pairs have no test, because nothing varies between their draws"), "{text}");
    assert!(sheet(folder.path(), "pairs.csv").is_empty());
    let ranking = sheet(folder.path(), "ranking.csv");
    // Rank 1 by its mean, and anything from 1 to 2 by what is known.
    assert_eq!(ranking[0][4], "1");
    assert_eq!(ranking[0][9..], ["1", "2"]);
}

#[test]
fn answers_of_queries_widen_the_interval_by_what_other_queries_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("dataset,method,draw,query,correct\n");
    for draw in 0..5_u32 {
        for query in 0..40_u32 {
            let noise = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 16) % 10;
            // Easy and hard queries, the same in every draw, and a few answers that change.
            let changes = |of: u32| noise(1000 * of + 50 * draw + query) == 0;
            let (a, b) = ((noise(query) < 8) ^ changes(1), (noise(query + 77) < 6) ^ changes(2));
            table += &format!("d,a,{draw},q{query},{}\nd,b,{draw},q{query},{}\n", a, u8::from(b));
        }
    }
    std::fs::write(folder.path().join("t.csv"), &table).unwrap();
    let (code, text, said) = rank(folder.path(), "t.csv", &["--paired", "draw"]);
    assert_eq!(code, 0, "{said}");
    assert!(text.contains("other draws and other queries"), "{text}");
    let width = |folder: &Path| {
        let row = &sheet(folder, "pairs.csv")[0];
        row[10].parse::<f64>().unwrap() - row[9].parse::<f64>().unwrap()
    };
    let with_queries = width(folder.path());
    std::fs::write(folder.path().join("t.csv"), table.replace("query", "other")).unwrap();
    assert_eq!(rank(folder.path(), "t.csv", &["--paired", "draw"]).0, 0);
    assert!(with_queries > 1.5 * width(folder.path()), "{with_queries}");
}

#[test]
fn a_folder_of_mteb_results_is_read_draw_by_draw() {
    let folder = tempfile::tempdir().unwrap();
    for (model, scores) in [("org__a", [0.8, 0.82, 0.84]), ("org__b", [0.7, 0.74, 0.72])] {
        let at = folder.path().join("results").join(model).join("rev1");
        std::fs::create_dir_all(&at).unwrap();
        let draws: Vec<String> =
            scores.iter().map(|score| format!("{{\"accuracy\":{score},\"f1\":{}}}", score - 0.1)).collect();
        let draws = draws.join(",");
        let json = format!(
            "{{\"task_name\":\"Banking77\",\"dataset_revision\":\"x\",\"mteb_version\":\"1.2.3\",\
             \"scores\":{{\"test\":[{{\"hf_subset\":\"default\",\"accuracy\":0.8,\"scores_per_experiment\":[{draws}]}}]}}}}"
        );
        std::fs::write(at.join("Banking77.json"), json).unwrap();
        std::fs::write(at.join("model_meta.json"), "{}").unwrap();
    }
    let (code, _, said) = rank(folder.path(), "results", &["--score", "f1"]);
    assert_eq!(code, 0, "{said}");
    let ranking = sheet(folder.path(), "ranking.csv");
    assert_eq!([&ranking[0][0], &ranking[0][2], &ranking[0][3]], ["Banking77 default", "org/a", "3"]);
    assert!((ranking[0][5].parse::<f64>().unwrap() - 0.72).abs() < 1e-12);
}

#[test]
fn a_wrong_table_gets_one_sentence_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let head = "dataset,method,draw,score\n";
    let good = "d,a,0,0.5\nd,a,1,0.6\nd,b,0,0.4\nd,b,1,0.5\n";
    let cases: [(&str, String, &str); 14] = [
        ("t.csv", String::new(), "t.csv: the file is empty"),
        ("t.csv", head.to_string(), "t.csv: a ranking needs two methods of one data set, found no rows"),
        ("t.csv", format!("{head}{good}d,b,2,\n"), "t.csv:6: column `score` must be a finite number, got ``"),
        (
            "t.csv",
            format!("{head}{good}d,b,2,n/a\n"),
            "t.csv:6: column `score` must be a finite number, got `n/a`",
        ),
        (
            "t.csv",
            format!("{head}{good}d,b,2,NaN\n"),
            "t.csv:6: column `score` must be a finite number, got `NaN`",
        ),
        (
            "t.csv",
            format!("{head}{good}d,b,1,0.7\n"),
            "t.csv:6: method `b` has draw `1` of `d` a second time, first in line 5",
        ),
        ("t.csv", format!("{head}{good}d,,2,0.7\n"), "t.csv:6: column `method` is empty"),
        ("t.csv", format!("{head}{good}d,c,0,55\nd,c,1,61\n"), "t.csv:6: `d` mixes fractions and percent"),
        ("t.csv", format!("{head}{good}d,c,0,0.5\n"), "t.csv: method `c` has one draw of `d`"),
        ("t.csv", format!("{head}d,a,0,0.5\nd,a,1,0.6\n"), "a ranking needs two methods of one data set"),
        (
            "t.csv",
            "dataset,method,score\nd,a,1\n".into(),
            "t.csv has no column for the draw, expected `draw`, `seed` or `fold`",
        ),
        ("t.csv", "dataset,method,draw,points\nd,a,1,1\n".into(), "t.csv has no column for the score"),
        ("t.csv", "dataset,dataset,method,draw,score\n".into(), "t.csv has two columns `dataset`"),
        ("t.doc", String::new(), "t.doc is no table of scores, expected .csv"),
    ];
    for (name, text, sentence) in cases {
        std::fs::write(folder.path().join(name), text).unwrap();
        let (code, out, said) = rank(folder.path(), name, &[]);
        assert_eq!((code, out.as_str()), (3, ""), "{said}");
        assert!(said.contains(sentence), "{said}");
        assert!(!folder.path().join("ranks").exists());
    }
    let (code, _, said) = rank(folder.path(), "absent.csv", &[]);
    assert_eq!(code, 3);
    assert!(said.starts_with("error: cannot read absent.csv"), "{said}");
    std::fs::write(
        folder.path().join("t.csv"),
        format!("{head}d,a,0,0.5\nd,a,1,0.6\nd,b,2,0.4\nd,b,3,0.5\n"),
    )
    .unwrap();
    let (code, _, said) = rank(folder.path(), "t.csv", &["--paired", "draw"]);
    assert_eq!(code, 3);
    assert!(
        said.contains("draws of `d` cannot be paired: no method has two draws in common with `a`"),
        "{said}"
    );
}

#[test]
fn a_method_that_lacks_in_a_data_set_is_told_and_not_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let more = "e,alpha,0,0.1\ne,alpha,1,0.2\ne,beta,0,0.3\ne,beta,1,0.35\ne,new,0,0.4\ne,new,1,0.6\n";
    std::fs::write(folder.path().join("t.csv"), format!("{TABLE}{more}")).unwrap();
    let (code, text, said) = rank(folder.path(), "t.csv", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(text.contains("do not stand in all 3 data sets"), "{text}");
    let ranks = sheet(folder.path(), "ranks.csv");
    assert_eq!(ranks.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["alpha", "beta"]);
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_table_gives_the_files_of_the_same_csv() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), TABLE).unwrap();
    let rows: Vec<Vec<&str>> = TABLE.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let texts =
        |at: usize| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row[at]))) as ArrayRef;
    let draws = Int64Array::from_iter_values(rows.iter().map(|row| row[2].parse().unwrap()));
    let scores = Float64Array::from_iter_values(rows.iter().map(|row| row[3].parse().unwrap()));
    let columns = [
        ("dataset", texts(0)),
        ("method", texts(1)),
        ("draw", Arc::new(draws) as ArrayRef),
        ("score", Arc::new(scores) as ArrayRef),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(folder.path().join("t.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(rank(folder.path(), "t.csv", &[]).0, 0);
    let of_csv = std::fs::read(folder.path().join("ranks/pairs.csv")).unwrap();
    let (code, _, said) = rank(folder.path(), "t.parquet", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(of_csv == std::fs::read(folder.path().join("ranks/pairs.csv")).unwrap());
    std::fs::write(folder.path().join("t.parquet"), b"PAR1 damaged").unwrap();
    assert_eq!(rank(folder.path(), "t.parquet", &[]).0, 3);
}
