//! What the library `datasets` of Hugging Face says of the columns of its files; needs the feature `parquet`.

use arrow_schema::Schema;

use super::names::CLASS;

/// Gives the column of labels of such a file its name here, and the names that its numbers stand for, where the file says
/// so and has no column `class`.
pub(super) fn name_class(names: &mut [String], schema: &Schema) -> Option<Vec<String>> {
    let about = schema.metadata().get("huggingface")?;
    let about: serde_json::Value = serde_json::from_str(about).ok()?;
    let features = about.get("info")?.get("features")?;
    let listed = |name: &str| -> Option<Vec<String>> {
        let names = features.get(name)?.get("names")?.as_array()?;
        names.iter().map(|name| Some(name.as_str()?.to_string())).collect()
    };
    let is_class = |name: &String| name == CLASS.name();
    if let Some(own) = names.iter().find(|name| is_class(name)) {
        return listed(own);
    }
    let place = names.iter().position(|name| CLASS.0.contains(&name.as_str()))?;
    let found = listed(&names[place]);
    names[place] = CLASS.name().to_string();
    found
}
