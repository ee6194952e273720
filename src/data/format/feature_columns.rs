//! Which columns of a table are features: those that are asked for, else those that a rule finds.

use std::collections::{BTreeMap, HashSet};

use crate::data::{DataError, Place, StoreWarning};

/// What the cells of a column look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Cells {
    Numbers,
    /// Several numbers in each cell.
    Lists,
    Others,
}

/// A column that says nothing known of an item, and may be a feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub name: &'a str,
    pub cells: Cells,
}

/// The features among the columns of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Places among the candidates, ascending.
    pub places: Vec<usize>,
    pub warning: Option<StoreWarning>,
}

/// Picks the features: the columns that `asked` names or matches, else the one column of lists, else the columns of one
/// numbered prefix, else all columns where they are numbers, without those whose names say that they are none.
pub(super) fn choose(columns: &[Candidate<'_>], asked: &[String], at: &Place) -> Result<Chosen, DataError> {
    if !asked.is_empty() {
        return matched(columns, asked, at);
    }
    let lists = places(columns, |column| column.cells == Cells::Lists);
    match lists.as_slice() {
        [] => {}
        [_] => return Ok(chosen(columns, lists)),
        _ => return Err(unclear(at, format!("{} hold lists", quoted(names(columns, &lists))))),
    }
    let prefixes = numbered(columns);
    match prefixes.as_slice() {
        [] => {}
        [(_, numbered)] => return Ok(chosen(columns, numbered.clone())),
        [(one, _), (other, _), ..] => {
            return Err(unclear(at, format!("`{one}…` and `{other}…` are both numbered")));
        }
    }
    let plausible = places(columns, |column| !is_suspicious(column.name));
    let others: Vec<usize> =
        plausible.iter().copied().filter(|place| columns[*place].cells == Cells::Others).collect();
    if !others.is_empty() {
        let verb = if others.len() == 1 { "is no number" } else { "are no numbers" };
        return Err(unclear(at, format!("{} {verb}", quoted(names(columns, &others)))));
    }
    if plausible.is_empty() && !columns.is_empty() {
        let all: Vec<usize> = (0..columns.len()).collect();
        return Err(unclear(at, format!("there is only {}", quoted(names(columns, &all)))));
    }
    Ok(chosen(columns, plausible))
}

/// Picks the numbers of class embeddings: the columns of one numbered prefix, else all but those whose names say that they
/// are none.
pub(super) fn choose_attributes(columns: &[Candidate<'_>]) -> Chosen {
    if let [(_, numbered)] = numbered(columns).as_slice() {
        return chosen(columns, numbered.clone());
    }
    match places(columns, |column| !is_suspicious(column.name) && column.name != "id") {
        none if none.is_empty() => chosen(columns, (0..columns.len()).collect()),
        plausible => chosen(columns, plausible),
    }
}

/// The columns that are asked for. A pattern passes over names that are no features; a name does not.
fn matched(columns: &[Candidate<'_>], asked: &[String], at: &Place) -> Result<Chosen, DataError> {
    let mut taken = vec![false; columns.len()];
    let mut passed_over = vec![false; columns.len()];
    for pattern in asked {
        let found = places(columns, |column| matches(pattern, column.name));
        if found.is_empty() {
            let all: Vec<usize> = (0..columns.len()).collect();
            let found = if columns.is_empty() { "none".to_string() } else { quoted(names(columns, &all)) };
            return Err(DataError::NoFeatureColumn { at: at.clone(), pattern: pattern.clone(), found });
        }
        for place in found {
            let named = pattern == columns[place].name;
            let passes = !named && is_suspicious(columns[place].name);
            *(if passes { &mut passed_over } else { &mut taken }).get_mut(place).unwrap_or(&mut false) = true;
        }
    }
    let picked: Vec<usize> = (0..columns.len()).filter(|place| taken[*place]).collect();
    let left: Vec<usize> = (0..columns.len()).filter(|place| passed_over[*place] && !taken[*place]).collect();
    if picked.is_empty() {
        return Err(unclear(at, format!("there is only {}", quoted(names(columns, &left)))));
    }
    Ok(Chosen { warning: left_out(columns, &picked, &left), places: picked })
}

/// Whether a name is a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let Some((first, rest)) = pattern.split_once('*') else { return false };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

/// Prefixes that numbers follow, such as `f0`, `f1`, …, each with its columns: at least two, counted from 0 or 1 without
/// gaps, or most of the columns.
fn numbered(columns: &[Candidate<'_>]) -> Vec<(String, Vec<usize>)> {
    let mut groups: BTreeMap<&str, Vec<(usize, u64)>> = BTreeMap::new();
    for (place, column) in columns.iter().enumerate() {
        let prefix = column.name.trim_end_matches(|c: char| c.is_ascii_digit());
        if let Ok(number) = column.name[prefix.len()..].parse() {
            groups.entry(prefix).or_default().push((place, number));
        }
    }
    let is_run = |group: &[(usize, u64)]| {
        let numbers: HashSet<u64> = group.iter().map(|(_, number)| *number).collect();
        let first = numbers.iter().min().copied().unwrap_or(u64::MAX);
        let last = numbers.iter().max().copied().unwrap_or(0);
        let whole = first <= 1 && last - first + 1 == numbers.len() as u64;
        numbers.len() == group.len() && (whole || 2 * group.len() > columns.len())
    };
    let of_numbers =
        |group: &[(usize, u64)]| group.iter().any(|(place, _)| columns[*place].cells == Cells::Numbers);
    groups
        .into_iter()
        .filter(|(prefix, group)| {
            group.len() > 1 && is_run(group) && of_numbers(group) && !names_no_feature(prefix)
        })
        .map(|(prefix, group)| (prefix.to_string(), group.into_iter().map(|(place, _)| place).collect()))
        .collect()
}

/// Whether a prefix is that of columns which are no features: `fold_1`, `Unnamed: 0`.
fn names_no_feature(prefix: &str) -> bool {
    !prefix.is_empty() && is_suspicious(&format!("{prefix}0"))
}

/// Whether a name is one that row numbers, labels, folds, times or files go by.
pub(in crate::data) fn is_suspicious(name: &str) -> bool {
    const NAMES: [&str; 34] = [
        "index",
        "idx",
        "row",
        "rows",
        "row_index",
        "row_number",
        "rownum",
        "label",
        "labels",
        "target",
        "targets",
        "class_index",
        "class_idx",
        "class_label",
        "category",
        "ground_truth",
        "fold",
        "folds",
        "kfold",
        "cv_fold",
        "timestamp",
        "time",
        "date",
        "datetime",
        "created",
        "created_at",
        "updated_at",
        "file",
        "filename",
        "file_name",
        "path",
        "filepath",
        "uuid",
        "guid",
    ];
    let plain: String = name
        .trim()
        .chars()
        .map(|c| if c == ' ' || c == '-' { '_' } else { c.to_ascii_lowercase() })
        .collect();
    let stem = plain.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit());
    // What pandas calls an index that has no name.
    let index = |start: &str| plain.starts_with(start) && stem == start.trim_end_matches('_');
    NAMES.contains(&stem)
        || plain.is_empty()
        || plain.ends_with("_id")
        || index("unnamed:")
        || index("level_")
        || index("__index_level_")
}

fn chosen(columns: &[Candidate<'_>], places: Vec<usize>) -> Chosen {
    let taken: HashSet<usize> = places.iter().copied().collect();
    let left: Vec<usize> = (0..columns.len()).filter(|place| !taken.contains(place)).collect();
    Chosen { warning: left_out(columns, &places, &left), places }
}

fn left_out(columns: &[Candidate<'_>], taken: &[usize], left: &[usize]) -> Option<StoreWarning> {
    let (first, last) = (taken.first()?, taken.last()?);
    let owned = |place: &usize| columns[*place].name.to_string();
    (!left.is_empty()).then(|| StoreWarning::ColumnsLeftOut {
        of: "features",
        first: owned(first),
        last: owned(last),
        taken: taken.len(),
        columns: left.iter().map(owned).collect(),
    })
}

fn places(columns: &[Candidate<'_>], holds: impl Fn(&Candidate<'_>) -> bool) -> Vec<usize> {
    (0..columns.len()).filter(|place| holds(&columns[*place])).collect()
}

fn names<'a>(columns: &[Candidate<'a>], places: &[usize]) -> Vec<&'a str> {
    places.iter().map(|place| columns[*place].name).collect()
}

fn unclear(at: &Place, what: String) -> DataError {
    DataError::NoFeatureRule { at: at.clone(), what }
}

/// Names in a list for messages, the first few of them.
pub(in crate::data) fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    const FEW: usize = 8;
    let names: Vec<String> = names.into_iter().map(|name| one(name.as_ref())).collect();
    match names.len() {
        0..=FEW => names.join(", "),
        all => format!("{} and {} more", names[..FEW].join(", "), all - FEW),
    }
}

/// A name in quotes, shortened, without control characters.
fn one(name: &str) -> String {
    const LONG: usize = 40;
    if name.is_empty() {
        return "one without a name".to_string();
    }
    let shown: String = name.chars().take(LONG).flat_map(char::escape_debug).collect();
    let more = if name.chars().nth(LONG).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `name` is a column of numbers, `name:text` and `name[]` are others.
    fn picked(columns: &str, asked: &[&str]) -> Result<(String, String), String> {
        let columns: Vec<Candidate> = columns
            .split(',')
            .map(|column| match (column.strip_suffix("[]"), column.strip_suffix(":text")) {
                (Some(name), _) => Candidate { name, cells: Cells::Lists },
                (_, Some(name)) => Candidate { name, cells: Cells::Others },
                _ => Candidate { name: column, cells: Cells::Numbers },
            })
            .collect();
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let chosen = choose(&columns, &asked, &Place::file(Path::new("t.csv"))).map_err(|e| e.to_string())?;
        let left = match chosen.warning {
            Some(StoreWarning::ColumnsLeftOut { columns, .. }) => columns.join(","),
            _ => String::new(),
        };
        Ok((names(&columns, &chosen.places).join(","), left))
    }

    fn taken(columns: &str, asked: &[&str]) -> (String, String) {
        picked(columns, asked).unwrap()
    }

    fn pair(one: &str, other: &str) -> (String, String) {
        (one.to_string(), other.to_string())
    }

    #[test]
    fn the_columns_of_one_numbered_prefix_are_taken_and_the_rest_is_named() {
        assert_eq!(taken("Unnamed: 0,f0,f1,f2,fold,height", &[]), pair("f0,f1,f2", "Unnamed: 0,fold,height"));
        assert_eq!(taken("0,1,2,label", &[]), pair("0,1,2", "label"));
        assert_eq!(taken("x_1,x_2,name:text", &[]), pair("x_1,x_2", "name"));
        assert_eq!(taken("f00,f01,f02", &[]), pair("f00,f01,f02", ""));
        // Constant pixels were taken out, and are still most columns.
        assert_eq!(taken("p3,p4,p9,index", &[]), pair("p3,p4,p9", "index"));
        assert_eq!(taken("fold1,fold2,width,height", &[]), pair("width,height", "fold1,fold2"));
    }

    #[test]
    fn numbers_without_a_prefix_are_taken_but_for_names_of_no_features() {
        assert_eq!(taken("sepal length (cm),petal length (cm),target", &[]).1, "target");
        assert_eq!(taken("x,y", &[]), pair("x,y", ""));
        assert_eq!(
            taken("a,Index,image_id,__index_level_0__,b", &[]),
            pair("a,b", "Index,image_id,__index_level_0__")
        );
        assert_eq!(taken("year2019,width,height", &[]), pair("year2019,width,height", ""));
        assert_eq!(taken("f0,label", &[]), pair("f0", "label"));
    }

    #[test]
    fn one_column_of_lists_goes_before_numbers() {
        assert_eq!(taken("id_of,emb[],f0,f1", &[]), pair("emb", "id_of,f0,f1"));
        assert!(picked("emb[],other[]", &[]).unwrap_err().contains("`emb`, `other` hold lists"));
    }

    #[test]
    fn where_no_rule_fits_the_way_on_is_named() {
        let refused = picked("x0,x1,y0,y1", &[]).unwrap_err();
        assert!(
            refused.starts_with(
                "t.csv: which columns are features is not clear, `x…` and `y…` are both numbered\nhint: "
            ),
            "{refused}"
        );
        assert!(refused.contains("--feature-columns"), "{refused}");
        assert!(picked("width,colour:text", &[]).unwrap_err().contains("`colour` is no number"));
        assert!(picked("label,fold", &[]).unwrap_err().contains("there is only `label`, `fold`"));
    }

    #[test]
    fn what_is_asked_for_is_taken_and_a_pattern_passes_over_what_is_no_feature() {
        assert_eq!(taken("f0,f1,fold,g", &["f*"]), pair("f0,f1", "fold"));
        assert_eq!(taken("f0,f1,fold,g", &["fold", "g"]), pair("fold,g", ""));
        assert_eq!(taken("x_mean_1,x_std_1,y_mean_1", &["*_mean_*"]).0, "x_mean_1,y_mean_1");
        let refused = picked("f0,f1", &["g*"]).unwrap_err();
        assert_eq!(
            refused,
            "t.csv: --feature-columns `g*` matches none of the columns that can be features, found `f0`, `f1`"
        );
    }

    #[test]
    fn class_embeddings_are_all_numbers_but_for_names_of_none() {
        let picked = |columns: &str| {
            let columns: Vec<Candidate> =
                columns.split(',').map(|name| Candidate { name, cells: Cells::Numbers }).collect();
            names(&columns, &choose_attributes(&columns).places).join(",")
        };
        assert_eq!(picked("Unnamed: 0,legs,wings,class_id"), "legs,wings");
        assert_eq!(picked("gloss,e0,e1"), "e0,e1");
        assert_eq!(picked("x0,x1,y0,y1"), "x0,x1,y0,y1");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [("a*", "a"), ("*", "x"), ("a*b*c", "aXbYc"), ("*c", "abc"), ("a", "a")] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*", "b"), ("a*b*c", "acb"), ("a", "ab"), ("*c", "cb")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
