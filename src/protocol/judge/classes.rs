//! The rules of `classes`: the names of classes, or a file that lists them.

use std::collections::HashSet;
use std::path::Path;

use toml::{Spanned, Value};

use crate::protocol::place::Check;
use crate::protocol::{Place, ProtocolError};

const RULE: &str = "a file, or a list of names of classes";

/// The names that are written, or stand in the file that is written.
pub(super) fn classes(check: &Check<'_>, written: &Spanned<Value>) -> Result<Vec<String>, ProtocolError> {
    let other = |found: &Value| check.value("classes", RULE, written, found);
    let here = check.place(written.span().start);
    let listed: Vec<(Place, String)> = match written.get_ref() {
        Value::String(file) => from_file(check, &here, file)?,
        Value::Array(names) => {
            let name = |name: &Value| name.as_str().map(|name| (here.clone(), name.to_string()));
            names.iter().map(name).collect::<Option<_>>().ok_or_else(|| other(written.get_ref()))?
        }
        found => return Err(other(found)),
    };
    let mut known = HashSet::new();
    for (place, name) in &listed {
        if name.trim().is_empty() || !known.insert(name.as_str()) {
            let found =
                if name.trim().is_empty() { "an empty one".to_string() } else { format!("`{name}` twice") };
            let rule = "names of classes without repetition".to_string();
            return Err(ProtocolError::Value { place: place.clone(), key: "classes", rule, found });
        }
    }
    if listed.is_empty() {
        return Err(check.value("classes", "a list of at least one class", written, "none"));
    }
    Ok(listed.into_iter().map(|(_, name)| name).collect())
}

/// The classes of a file beside the rule file: the column `class` of a .csv, else one in each line.
fn from_file(check: &Check<'_>, here: &Place, file: &str) -> Result<Vec<(Place, String)>, ProtocolError> {
    let path = check.folder().join(file);
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| ProtocolError::Classes {
        place: here.clone(),
        file: origin.clone(),
        source,
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let of_table = Path::new(file).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let listed = if of_table { of_column(text, &origin)? } else { of_lines(text) };
    let placed = |(line, name)| (Place::Line { origin: origin.clone(), line }, name);
    Ok(listed.into_iter().map(placed).collect())
}

/// The lines that say something, with their numbers.
fn of_lines(text: &str) -> Vec<(usize, String)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, name)| !name.is_empty()).map(|(line, name)| (line, name.to_string())).collect()
}

/// The cells of the column `class`, with their lines.
fn of_column(text: &str, origin: &str) -> Result<Vec<(usize, String)>, ProtocolError> {
    let wrong = |line: u64, found: String| {
        let place = Place::Line { origin: origin.to_string(), line: line as usize };
        let rule = "a table with a column `class`".to_string();
        ProtocolError::Value { place, key: "classes", rule, found }
    };
    let broken = |error: csv::Error| {
        wrong(error.position().map_or(1, csv::Position::line), "rows of different lengths".to_string())
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(broken)?.clone();
    let Some(column) = header.iter().position(|name| name == "class") else {
        return Err(wrong(1, format!("`{}`", header.iter().collect::<Vec<_>>().join(","))));
    };
    let mut listed = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        listed.push((record.position().map_or(1, csv::Position::line) as usize, record[column].to_string()));
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use crate::protocol::Protocol;

    /// A protocol in a folder with this class list.
    fn read(file: &str, list: &str) -> Result<Protocol, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file), list).unwrap();
        let text = Protocol::episodes().build().unwrap().to_toml();
        let rules = folder.path().join("p.toml");
        std::fs::write(&rules, text.replace("[data]", &format!("[data]\nclasses = \"{file}\""))).unwrap();
        let protocol = Protocol::read(&rules)
            .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))?;
        let printed = protocol.to_toml();
        assert_eq!(Protocol::parse(&printed, "elsewhere/p.toml").unwrap(), protocol, "needs no file");
        assert_eq!(Protocol::standalone(&std::fs::read_to_string(&rules).unwrap(), &rules).unwrap(), printed);
        Ok(protocol)
    }

    fn names(protocol: &Protocol) -> Vec<&str> {
        protocol.classes().unwrap().iter().map(String::as_str).collect()
    }

    #[test]
    fn a_list_has_a_class_a_line_or_a_column_class() {
        for (file, list) in [
            ("novel.txt", "\u{feff}owl\r\n\n  great tit \n"),
            ("novel.csv", "split,class\nnovel,owl\nnovel,great tit\n"),
        ] {
            assert_eq!(names(&read(file, list).unwrap()), ["owl", "great tit"], "{file}");
        }
    }

    #[test]
    fn a_list_that_is_wrong_is_refused_with_its_line() {
        let said = |file: &str, list: &str| read(file, list).unwrap_err();
        let rule = "`classes` must be names of classes without repetition, got";
        assert_eq!(said("a.txt", "owl\nwren\n\nowl\n"), format!("a.txt line 4: {rule} `owl` twice"));
        assert_eq!(said("a.csv", "class,x\nowl,1\n,2\n"), format!("a.csv line 3: {rule} an empty one"));
        let table = "`classes` must be a table with a column `class`, got";
        assert_eq!(said("a.csv", "name,split\nowl,novel\n"), format!("a.csv line 1: {table} `name,split`"));
        let rows = said("a.csv", "class,x\nowl,1\nwren\n");
        assert_eq!(rows, format!("a.csv line 3: {table} rows of different lengths"));
        let none = "`classes` must be a list of at least one class, got none";
        assert_eq!(said("a.txt", "\n"), format!("p.toml line 7: {none}"));
    }

    #[test]
    fn names_may_stand_in_the_rule_file_itself() {
        let text = Protocol::episodes().build().unwrap().to_toml();
        let with = |classes: &str| text.replace("[data]", &format!("[data]\nclasses = {classes}"));
        let listed = with("[\"owl\", \"wren\"]");
        assert_eq!(names(&Protocol::parse(&listed, "p.toml").unwrap()), ["owl", "wren"]);
        assert_eq!(Protocol::standalone(&listed, "p.toml").unwrap(), listed);
        let built = Protocol::episodes().classes(["owl", "wren"]).build().unwrap();
        assert_eq!(names(&built), ["owl", "wren"]);
        let said = |classes: &str| Protocol::parse(&with(classes), "p.toml").unwrap_err().to_string();
        for wrong in ["7", "[\"owl\", 7]"] {
            let rule = "p.toml line 7: `classes` must be a file, or a list of names of classes, got ";
            assert!(said(wrong).starts_with(rule), "{}", said(wrong));
        }
        assert_eq!(said("[]"), "p.toml line 7: `classes` must be a list of at least one class, got none");
        let missing = said("\"no.txt\"");
        assert!(missing.starts_with("p.toml line 7: cannot read the classes in no.txt: "), "{missing}");
        let oos = Protocol::episodes().oos("owl").classes(["owl"]).build().unwrap_err().to_string();
        assert_eq!(
            oos,
            "protocol `custom`: the class of `oos` makes no episodes, so `classes` must not name it"
        );
    }
}
