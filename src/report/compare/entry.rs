//! What goes into a comparison: tables of results, each with where it is from.

use std::sync::Arc;

use crate::results::{ReadTable, ResultsFolder};

/// A table that is compared with others, and where it is from.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The table.
    pub read: &'a ReadTable,
    /// What its results are called in messages: their folder, or a word for those in memory.
    pub origin: Arc<str>,
    /// The rules that its episodes were drawn by, as TOML; absent where the draw was given and not made by them. Draws of
    /// other lengths by the same rules begin with the same episodes.
    pub rules: Option<Arc<str>>,
}

/// The tables of result folders.
pub fn entries(folders: &[ResultsFolder]) -> Vec<Entry<'_>> {
    folders.iter().flat_map(of_folder).collect()
}

fn of_folder(folder: &ResultsFolder) -> impl Iterator<Item = Entry<'_>> {
    let origin: Arc<str> = folder.path.display().to_string().into();
    let request = &folder.run.request;
    let made = request.draw.is_none();
    let rules: Vec<(String, Arc<str>)> = request
        .protocols
        .iter()
        .filter(|_| made)
        .filter_map(|written| {
            let name = written.text.parse::<toml::Table>().ok()?.get("name")?.as_str()?.to_string();
            Some((name, written.text.as_str().into()))
        })
        .collect();
    folder.tables.iter().map(move |read| {
        let rules = rules.iter().find(|(name, _)| *name == read.table.protocol);
        Entry { read, origin: Arc::clone(&origin), rules: rules.map(|(_, text)| Arc::clone(text)) }
    })
}

/// The first key in which two sets of rules differ, with what each of them says; `None` where both draw the same episodes.
///
/// How many episodes are drawn, what hash that draw has, and what is reported of it make no difference to an episode.
pub(super) fn first_difference(one: &str, other: &str) -> Option<(String, String, String)> {
    let parsed = |text: &str| text.parse::<toml::Table>().unwrap_or_default();
    difference("", &parsed(one), &parsed(other))
}

/// Keys that say nothing about what an episode holds.
const ELSEWHERE: &[&str] = &["name", "source", "report", "draw.count", "draw.sha256"];

fn difference(lead: &str, one: &toml::Table, other: &toml::Table) -> Option<(String, String, String)> {
    let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().find_map(|key| {
        let path = format!("{lead}{key}");
        if ELSEWHERE.contains(&path.as_str()) {
            return None;
        }
        match (one.get(key), other.get(key)) {
            (Some(toml::Value::Table(one)), Some(toml::Value::Table(other))) => {
                difference(&format!("{path}."), one, other)
            }
            (one, other) if one == other => None,
            (one, other) => {
                let shown =
                    |value: Option<&toml::Value>| value.map_or("nothing".to_string(), ToString::to_string);
                Some((path, shown(one), shown(other)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str =
        "name = \"p\"\n[episode]\nway = 5\n[draw]\ncount = 600\nseed = 7\n[report]\nmetrics = []\n";

    #[test]
    fn rules_that_draw_the_same_episodes_may_differ_in_how_many_and_in_what_is_reported() {
        let longer = RULES.replace("count = 600", "count = 10000\nsha256 = \"x\"").replace("[]", "[\"nll\"]");
        assert_eq!(first_difference(RULES, &longer), None);
        let other = RULES.replace("way = 5", "way = 20\nquery = 3");
        let found = first_difference(RULES, &other).unwrap();
        assert_eq!(found, ("episode.query".to_string(), "nothing".to_string(), "3".to_string()));
        let seed = first_difference(RULES, &RULES.replace("seed = 7", "seed = 8")).unwrap();
        assert_eq!(seed, ("draw.seed".to_string(), "7".to_string(), "8".to_string()));
    }
}
