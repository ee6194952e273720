//! A folder made by the test reads back; every kind of damage is refused with its place.

use std::fs;

use super::*;
use crate::results::fixtures::Made;
use crate::results::{cells, rows};
use crate::stats;

/// The sentence with which a folder is refused after its file was changed.
fn refused(file: &str, change: impl Fn(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    Made { learners: vec![("a", "1", 0.6), ("b", "1", 0.5)], ..Made::default() }.write(folder.path());
    let path = folder.path().join(file);
    fs::write(&path, change(&fs::read_to_string(&path).unwrap())).unwrap();
    let error = ResultsFolder::read(folder.path()).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

/// Writes the hashes of the files as they are into the record.
fn recorded(folder: &Path) {
    let mut run = read_record(folder).unwrap();
    for (name, hash) in &mut run.files {
        *hash = hash::of_file(&folder.join(name)).unwrap();
    }
    fs::write(folder.join("run.json"), run.json().unwrap()).unwrap();
}

/// Changes one line, counted from 1.
fn line(text: &str, number: usize, change: impl Fn(&str) -> String) -> String {
    let lines = text.lines().enumerate();
    lines.map(|(i, line)| if i + 1 == number { change(line) } else { line.to_string() } + "\n").collect()
}

/// Changes one cell of a row without quotes before it, from the end.
fn cell(line: &str, from_end: usize, value: &str) -> String {
    let mut cells: Vec<&str> = line.split(',').collect();
    let place = cells.len() - from_end;
    cells[place] = value;
    cells.join(",")
}

#[test]
fn what_was_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    Made { shots: vec![1, 5], repeat: false, queries: true, ..Made::default() }.write(folder.path());
    let read = ResultsFolder::read(folder.path()).unwrap();
    assert_eq!(read.tables.len(), 6);
    assert_eq!(read.run.protocols[0].draw_sha256, "draw-one");
    let summary: Vec<SummaryRow> = read.tables.iter().flat_map(ReadTable::rows).collect();
    let mut bytes = format!("{}\n", rows::header::<rows::SummaryCells>(false)).into_bytes();
    cells::append(&mut bytes, summary.iter().map(rows::SummaryCells::from));
    assert_eq!(bytes, fs::read(folder.path().join("summary.csv")).unwrap());

    let table = &read.tables[0];
    assert!(!table.table.repeat && Arc::ptr_eq(&table.dealt, &read.tables[5].dealt));
    assert_eq!((table.dealt.episodes.len(), table.dealt.classes.len()), (400, 12));
    let values = table.values(Metric::ACCURACY).unwrap();
    let jackknife = stats::over_classes(&values, &table.dealt.units_by_episode(), Some((0.0, 1.0))).unwrap();
    let row =
        table.measured.iter().find(|m| m.interval.is_some_and(|(p, _)| p == stats::Population::Classes));
    let low = row.unwrap().interval.unwrap().1.low;
    assert!((low - jackknife.estimate.interval(0.95).unwrap().low).abs() < 1e-12);
    let counted: u64 = table.by_class.iter().map(|(correct, _)| correct).sum();
    assert_eq!(counted, table.correct.iter().map(|c| u64::from(*c)).sum::<u64>());
    assert_eq!(table.values(Metric::ADAPTIVE_ECE), None);

    let queries = read_queries(folder.path(), &table.key(), 3).unwrap();
    assert_eq!(queries.len(), 20);
    let right = queries.iter().filter(|query| query.class == query.predicted).count();
    assert_eq!(right, table.correct[3] as usize);
}

#[test]
fn lines_are_counted_alike_where_they_end_in_cr_lf() {
    let broken = |text: &str| line(text, 5, |row| cell(row, 4, "x"));
    let plain = refused("outcomes.csv", broken);
    assert!(plain.starts_with("outcomes.csv line 5: "), "{plain}");
    assert_eq!(refused("outcomes.csv", |text| broken(text).replace('\n', "\r\n")), plain);
}

#[test]
fn clusters_read_back_and_must_be_complete() {
    let folder = tempfile::tempdir().unwrap();
    Made { clustered: 4, ..Made::default() }.write(folder.path());
    let dealt = Arc::clone(&ResultsFolder::read(folder.path()).unwrap().tables[0].dealt);
    assert_eq!((dealt.classes.len(), dealt.units.len()), (12, 10));
    let path = folder.path().join("clusters.csv");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with(
            "protocol,dataset,class,cluster\nsmall,store,class 0,cluster 0\nsmall,store,class 1,cluster 0\n"
        ),
        "{text}"
    );
    fs::write(&path, text.replace("small,store,class 0,cluster 0\n", "")).unwrap();
    let error = ResultsFolder::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("class class 0 has no row in clusters.csv"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(
        ResultsFolder::read(folder.path()).unwrap_err().to_string().contains("clusters.csv: No such file")
    );
}

#[test]
fn a_missing_file_or_column_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = ResultsFolder::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("run.json: No such file"), "{error}");
    assert_eq!(
        refused("episodes.csv", |text| text.replace(",total", "")),
        "episodes.csv line 1: column `total` is missing"
    );
    assert_eq!(
        refused("bins.csv", |text| line(text, 1, |header| header.replace("count,correct", "count,count"))),
        "bins.csv line 1: column `correct` is missing"
    );
    assert_eq!(
        refused("bins.csv", |text| line(text, 1, |header| format!("{header},colour"))),
        "bins.csv line 1: column `colour` does not belong here"
    );
}

#[test]
fn half_a_line_is_refused_wherever_it_ends() {
    let sentence =
        "the last line is cut off\nhint: the file was not written to its end or was edited; evaluate again";
    assert_eq!(
        refused("outcomes.csv", |text| text[..text.len() - 3].to_string()),
        format!("outcomes.csv line 4001: {sentence}")
    );
    assert_eq!(
        refused("episodes.csv", |text| text[..text.len() - 30].to_string()),
        format!("episodes.csv line 801: {sentence}")
    );
    assert_eq!(
        refused("episodes.csv", |text| line(text, 7, |row| row[..45].to_string())),
        "episodes.csv line 7: expected 28 cells, found 8"
    );
}

#[test]
fn lost_lines_are_counted() {
    let key = "learner b:k=1,transform=none on store under protocol small (shot 1)";
    assert_eq!(
        refused("outcomes.csv", |text| line(text, 4001, |_| String::new()).trim_end().to_string() + "\n"),
        format!("outcomes.csv: {key}: expected 400 episodes, found 399")
    );
    assert_eq!(
        refused("episodes.csv", |text| text.lines().take(401).map(|row| row.to_string() + "\n").collect()),
        format!("episodes.csv: {key} has no rows in episodes.csv\nhint: the files are not of one run")
    );
}

#[test]
fn another_version_is_refused() {
    let here = env!("CARGO_PKG_VERSION");
    assert_eq!(
        refused("run.json", |text| text.replace(here, "9.0.1")),
        format!(
            "run.json: written by kshot 9.0.1, this is kshot {here}\nhint: evaluate again, or use kshot 9.0.1"
        )
    );
    let error = refused("summary.csv", |text| line(text, 3, |row| cell(row, 3, "0.0.9")));
    assert!(error.starts_with("summary.csv line 3: `kshot` is `0.0.9`, but run.json has"), "{error}");
}

#[test]
fn rows_of_another_run_are_refused() {
    let end = "\nhint: the files are not of one run";
    assert_eq!(
        refused("episodes.csv", |text| line(text, 9, |row| cell(row, 2, "draw-two"))),
        format!("episodes.csv line 9: `draw_sha256` is `draw-two`, but summary.csv has `draw-one`{end}")
    );
    assert_eq!(
        refused("summary.csv", |text| line(text, 2, |row| cell(row, 4, "other"))),
        format!("summary.csv line 2: `features_sha256` is `other`, but run.json has `features-one`{end}")
    );
    let error = refused("outcomes.csv", |text| text.replace("small,b,", "small,c,"));
    assert!(error.starts_with(
        "outcomes.csv line 2002: learner c:k=1,transform=none on store under protocol small (shot 1) has no"
    ));
    assert_eq!(
        refused("outcomes.csv", |text| line(text, 2002, |row| cell(row, 5, "class 99"))),
        "outcomes.csv line 2002: `class` is `class 99`, but another learner's row has `class 2`".to_string()
            + end
    );
}

#[test]
fn damaged_numbers_are_refused() {
    assert_eq!(
        refused("outcomes.csv", |text| line(text, 5, |row| cell(row, 4, "x"))),
        "outcomes.csv line 5: `correct` must be a whole number, found `x`"
    );
    assert_eq!(
        refused("outcomes.csv", |text| line(text, 5, |row| cell(row, 4, "9"))),
        "outcomes.csv line 5: 9 of 4 queries cannot be correct"
    );
    let error = refused("outcomes.csv", |text| line(text, 5, |row| cell(row, 1, "7.5")));
    assert!(error.starts_with("outcomes.csv line 6: `brier` is "), "{error}");
    assert_eq!(
        refused("episodes.csv", |text| line(text, 4, |row| cell(row, 16, "NaN"))),
        "episodes.csv line 4: `nll` must be a number, found `NaN`"
    );
    let error = refused("summary.csv", |text| text.replacen(",accuracy,0.", ",accuracy,0.0", 1));
    assert!(error.contains("accuracy is 0.0") && error.contains("but its episodes give 0."), "{error}");
    let error = refused("summary.csv", |text| text.replacen(",accuracy,", ",precision,", 1));
    assert!(error.starts_with("summary.csv line 2: unknown metric `precision`, expected one of"), "{error}");
    let error = refused("run.json", |text| text.replacen("\"workers\": 1,", "\"workers\": -1,", 1));
    assert!(error.starts_with("run.json line ") && error.contains("not a run record"), "{error}");
}

#[test]
fn rows_that_do_not_follow_from_the_outcomes_are_refused() {
    // The first row of accuracy with this interval, and a cell of it by column, changed.
    let edit = |interval: &'static str, column: &'static str, value: &'static str| {
        move |text: &str| {
            let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
            let place = header.iter().position(|name| *name == column).unwrap();
            let number =
                text.lines().skip(1).position(|line| line.contains(&format!(",{interval},"))).unwrap() + 1;
            line(text, number + 1, |row| cell(row, header.len() - place, value))
        }
    };
    let error = refused("summary.csv", edit("classes", "low", "0.001"));
    assert!(
        error.contains("the lower end of the classes interval of ") && error.contains("is 0.001, but"),
        "{error}"
    );
    let error = refused("summary.csv", edit("sampler", "high", "0.999"));
    assert!(error.contains("the upper end of the sampler interval of "), "{error}");
    let error = refused("summary.csv", |text| {
        text.lines()
            .filter(|line| !line.contains(",classes,") || line.contains("interval"))
            .fold(String::new(), |all, line| all + line + "\n")
    });
    assert!(error.contains("no row for the classes interval of accuracy"), "{error}");
    let error = refused("summary.csv", |text| text.replace(",default,", ",validation,"));
    assert!(
        error.starts_with("summary.csv line 2: `selection` is `validation`, but run.json has `default`"),
        "{error}"
    );
    let error = refused("bins.csv", |text| line(text, 2, |row| cell(row, 1, "0.5")));
    assert_eq!(
        error,
        "bins.csv: changed since the run wrote it: its sha256 is not the one in run.json\n\
         hint: `kshot rerun` makes the results again"
    );
}

#[test]
fn rows_that_are_there_twice_are_refused() {
    let doubled = |text: &str, number| line(text, number, |row| format!("{row}\n{row}"));
    assert_eq!(
        refused("episodes.csv", |text| doubled(text, 5)),
        "episodes.csv line 6: episode 3 of learner a:k=1,transform=none on store under protocol small (shot 1) is there twice"
    );
    let error = refused("summary.csv", |text| doubled(text, 2));
    assert!(error.starts_with("summary.csv line 3: accuracy of learner a"), "{error}");
    let error = refused("outcomes.csv", |text| doubled(text, 5));
    assert!(
        error.starts_with("outcomes.csv line 6: `label` is `3`, but the order of labels has `4`"),
        "{error}"
    );
    let error = refused("bins.csv", |text| doubled(text, 2));
    assert!(error.starts_with("bins.csv line 3: bin 0 of learner a"), "{error}");
}

#[test]
fn columns_may_stand_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    Made::default().write(folder.path());
    let before = ResultsFolder::read(folder.path()).unwrap();
    for name in ["summary.csv", "episodes.csv", "outcomes.csv", "bins.csv"] {
        let path = folder.path().join(name);
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_path(&path).unwrap();
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        let mut turned = csv::Writer::from_path(&path).unwrap();
        for row in &rows {
            turned.write_record(row.iter().collect::<Vec<_>>().into_iter().rev()).unwrap();
        }
        turned.flush().unwrap();
    }
    let error = ResultsFolder::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("bins.csv: changed since the run wrote it"), "{error}");
    recorded(folder.path());
    let after = ResultsFolder::read(folder.path()).unwrap();
    let rows = |read: &ResultsFolder| read.tables.iter().flat_map(ReadTable::rows).collect::<Vec<_>>();
    assert_eq!(rows(&after), rows(&before));
    assert_eq!(after.tables[1].bins, before.tables[1].bins);
}
