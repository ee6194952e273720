//! Pieces of HTML.

use crate::report::Grid;

/// Text that a page shows as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML has no place for.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// A table with its notes.
pub(super) fn table(grid: &Grid) -> String {
    let mut html = String::new();
    if !grid.title.is_empty() {
        html.push_str(&format!("<h3>{}</h3>\n", escaped(&grid.title)));
    }
    html.push_str("<div class=\"wide\"><table>\n");
    for (number, line) in grid.lines.iter().enumerate() {
        let tag = if number == 0 { "th" } else { "td" };
        let cell = |(place, text): (usize, &String)| {
            let class = if place < grid.left { " class=\"word\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escaped(text))
        };
        html.push_str(&format!("<tr>{}</tr>\n", line.iter().enumerate().map(cell).collect::<String>()));
    }
    html.push_str("</table></div>\n");
    for note in &grid.notes {
        html.push_str(&format!("<p class=\"muted\">{}</p>\n", escaped(note)));
    }
    html
}

/// Rows of a name and what belongs to it.
pub(super) fn facts(rows: &[(String, String)]) -> String {
    let row = |(name, text): &(String, String)| {
        format!(
            "<tr><td class=\"word\">{}</td><td class=\"free\">{}</td></tr>\n",
            escaped(name),
            escaped(text)
        )
    };
    format!("<div class=\"wide\"><table>\n{}</table></div>\n", rows.iter().map(row).collect::<String>())
}

/// A list of sentences.
pub(super) fn list(sentences: &[String]) -> String {
    let item = |sentence: &String| format!("<li>{}</li>\n", escaped(sentence));
    format!("<ul>\n{}</ul>\n", sentences.iter().map(item).collect::<String>())
}
