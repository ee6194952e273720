//! Descriptions of classes in words.

use std::path::Path;

use super::table::csv;
use crate::data::class_name::Places;
use crate::data::{DataError, Place};

/// Reads a .csv of columns `class` and `description`; several lines of a class are several descriptions of it.
///
/// Gives the descriptions of each of `classes`, in their order.
///
/// # Errors
/// When the file cannot be read, lacks a column, has an empty field, describes a class that is none of `classes`, or
/// leaves one out that is not in `optional`.
pub fn descriptions(
    path: impl AsRef<Path>,
    classes: &[&str],
    optional: &[&str],
) -> Result<Vec<Vec<String>>, DataError> {
    let path = path.as_ref();
    let places = Places::of(classes.iter().copied());
    let mut all = vec![Vec::new(); classes.len()];
    let table = csv(path, &["description", "class"], true)?;
    if let Some(found) = table.ignored.first().cloned() {
        let known = "`class`, `description`".to_string();
        return Err(DataError::UnknownName { at: Place::file(path), what: "column", found, known });
    }
    for (line, written) in table.lines {
        let Some(place) = places.find(&written.class) else {
            return Err(DataError::DescribedClass { at: Place::line(path, line), class: written.class });
        };
        all[place].push(written.text);
    }
    let left_out = |(class, texts): &(&&str, &Vec<String>)| texts.is_empty() && !optional.contains(class);
    match classes.iter().zip(&all).find(left_out) {
        Some((class, _)) => Err(DataError::NoDescription { at: Place::file(path), class: class.to_string() }),
        None => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_descriptions_in_order_and_none_is_left_out() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("d.csv");
        let read = |text: &str, optional: &[&str]| {
            std::fs::write(&file, text).unwrap();
            let read = descriptions(&file, &["owl", "wren"], optional);
            read.map_err(|error| error.to_string().replace(&format!("{}/", place.path().display()), ""))
        };
        let all = read("class,description\nwren,small\nowl,\"big, round\"\nwren,brown\n", &[]).unwrap();
        assert_eq!(all, [vec!["big, round"], vec!["small", "brown"]]);
        let refused = |text, optional: &[&str]| read(text, optional).unwrap_err();
        let missing = "d.csv: class `wren` has no description\nhint: ";
        assert!(refused("class,description\nowl,big\n", &[]).starts_with(missing));
        assert_eq!(read("class,description\nowl,big\n", &["wren"]).unwrap()[1], [""; 0]);
        let foreign = "d.csv line 3: class `crow` is not in the dataset";
        assert_eq!(refused("class,description\nowl,big\ncrow,black\n", &[]), foreign);
        let empty = "d.csv line 2: item 0 has an empty `description`\nhint: ";
        assert!(refused("class,description\nowl, \n", &[]).starts_with(empty));
        let column = "d.csv: no column `description`, found `class`, `text`";
        assert_eq!(refused("class,text\nowl,big\n", &[]), column);
        let more = "d.csv: unknown column `mood`, expected one of `class`, `description`";
        assert_eq!(refused("class,description,mood\nowl,big,sad\n", &[]), more);
    }
}
