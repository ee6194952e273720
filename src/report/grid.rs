//! A table of text cells, and the three ways in which it is written.

/// Columns of a screen.
const SCREEN: usize = 80;
/// What stands between two columns.
const GAP: &str = "  ";
/// Words are not broken into narrower columns than this.
const LEAST: usize = 14;

/// Head line, lines and notes; the first `left` columns are words, the others numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// What it shows, in a few words; empty where the head says it.
    pub title: String,
    /// The head line and the others, all of one length.
    pub lines: Vec<Vec<String>>,
    /// Columns that are set to the left.
    pub left: usize,
    /// Sentences below it.
    pub notes: Vec<String>,
}

impl Grid {
    /// Aligned plain text, line ends included, for a screen of 80 columns: a table that is wider gets a head of several
    /// lines, then words of several lines. Notes are left to the screen.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("{}\n", self.title));
        }
        for line in &self.lines {
            let cells: Vec<Vec<String>> =
                line.iter().zip(&widths).map(|(cell, width)| wrapped(cell, *width)).collect();
            for row in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let cells = cells.iter().zip(&widths).enumerate().map(|(place, (cell, width))| {
                    let piece = cell.get(row).map_or("", String::as_str);
                    if place < self.left { format!("{piece:<width$}") } else { format!("{piece:>width$}") }
                });
                let line = cells.collect::<Vec<_>>().join(GAP);
                text.push_str(&format!("{}\n", line.trim_end()));
            }
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        self.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
        text
    }

    /// The width of every column: as its cells need it, and less where the table would be wider than the screen.
    fn widths(&self) -> Vec<usize> {
        let columns = self.lines.first().map_or(0, Vec::len);
        let of = |lines: &[Vec<String>], column: usize| {
            lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
        };
        let all: Vec<usize> = (0..columns).map(|column| of(&self.lines, column)).collect();
        let room = SCREEN.saturating_sub(GAP.len() * columns.saturating_sub(1));
        if all.iter().sum::<usize>() <= room {
            return all;
        }
        // First the head is broken between its words.
        let word = |head: &str| pieces(head, false).iter().map(|word| word.trim().chars().count()).max();
        let head = |column: usize| word(&self.lines[0][column]).unwrap_or(0);
        let mut widths: Vec<usize> =
            (0..columns).map(|column| head(column).max(of(&self.lines[1..], column))).collect();
        // Then the widest words are.
        let over = widths.iter().sum::<usize>().saturating_sub(room);
        if let Some(widest) = (0..self.left.min(columns)).max_by_key(|column| widths[*column]) {
            widths[widest] = widths[widest].saturating_sub(over).max(LEAST.min(widths[widest]));
        }
        widths
    }

    /// A Markdown table, line ends included.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("**{}**\n\n", self.title));
        }
        for (number, line) in self.lines.iter().enumerate() {
            let cells: Vec<String> = line.iter().map(|cell| cell.replace('|', "\\|")).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            if number == 0 {
                let rule = |place: usize| if place < self.left { " :--- |" } else { " ---: |" };
                text.push_str(&format!("|{}\n", (0..line.len()).map(rule).collect::<String>()));
            }
        }
        text.push('\n');
        text.push_str(&self.notes.join("  \n"));
        text.push('\n');
        text
    }

    /// A LaTeX table with the rules of the booktabs package, line ends included.
    pub fn latex(&self) -> String {
        let columns = self.lines.first().map_or(0, Vec::len);
        let align: String = (0..columns).map(|place| if place < self.left { 'l' } else { 'r' }).collect();
        let mut text = String::from("\\begin{table}\n  \\centering\n");
        text.push_str(&format!("  \\caption{{{}}}\n", escaped(&self.title)));
        text.push_str(&format!("  \\begin{{tabular}}{{{align}}}\n    \\toprule\n"));
        for (number, line) in self.lines.iter().enumerate() {
            let cells: Vec<String> = line.iter().map(|cell| escaped(cell)).collect();
            text.push_str(&format!("    {} \\\\\n", cells.join(" & ")));
            if number == 0 {
                text.push_str("    \\midrule\n");
            }
        }
        text.push_str("    \\bottomrule\n  \\end{tabular}\n");
        for note in &self.notes {
            text.push_str(&format!("  \\par\\footnotesize {}\n", escaped(note)));
        }
        text.push_str("\\end{table}\n");
        text
    }
}

/// A cell in lines of at most this width, broken between its parts, and inside of one where it is longer than a line.
fn wrapped(cell: &str, width: usize) -> Vec<String> {
    if cell.chars().count() <= width {
        return vec![cell.to_string()];
    }
    let mut lines = vec![String::new()];
    let mut add = |piece: &str| {
        let last = lines.last_mut().filter(|last| {
            last.is_empty() || last.chars().count() + piece.trim_end().chars().count() <= width
        });
        match last {
            Some(last) => last.push_str(piece),
            None => lines.push(piece.to_string()),
        }
    };
    for part in pieces(cell, false) {
        if part.trim_end().chars().count() <= width {
            add(part);
            continue;
        }
        for part in pieces(part, true) {
            let letters: Vec<char> = part.chars().collect();
            letters.chunks(width.max(1)).for_each(|piece| add(&piece.iter().collect::<String>()));
        }
    }
    lines.iter().map(|line| line.trim().to_string()).collect()
}

/// The parts of a name or a head: each ends with the sign that joins it to the next; hyphens join too where `hyphens` says so.
/// A sign in front of a number's name stays with it.
fn pieces(text: &str, hyphens: bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (place, letter) in text.char_indices() {
        let end = place + letter.len_utf8();
        let joins = matches!(letter, '+' | ',' | ':') || (hyphens && letter == '-');
        let between = letter == ' ' && !text[..place].ends_with('±');
        if (joins || between) && end < text.len() {
            pieces.push(&text[start..end]);
            start = end;
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Text as LaTeX sets it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', letter]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' | '>' => out.push_str(&format!("${letter}$")),
            '±' => out.push_str("$\\pm$"),
            '−' => out.push_str("$-$"),
            'δ' => out.push_str("$\\delta$"),
            '–' => out.push_str("--"),
            '…' => out.push_str("\\dots{}"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(lines: &[&[&str]], left: usize) -> Grid {
        let lines = lines.iter().map(|line| line.iter().map(ToString::to_string).collect()).collect();
        Grid { title: String::new(), lines, left, notes: Vec::new() }
    }

    #[test]
    fn a_wide_table_breaks_its_head_first_and_then_its_names() {
        let head =
            ["method", "accuracy", "difference", "± these classes", "verdict", "± new classes", "verdict"];
        let row = |name| [name, "88.19", "+33.07", "0.24", "inconclusive", "1.90", "inconclusive"];
        let fits = grid(&[&head, &row("a+b")], 1).text();
        let expected = "\
method  accuracy  difference  ± these       verdict    ± new       verdict
                              classes                classes
a+b        88.19      +33.07     0.24  inconclusive     1.90  inconclusive
";
        assert_eq!(fits, expected);
        let name = "my-own-network+nearest-centroid:distance=cosine,transform=none";
        let wide = grid(&[&head[..6], &row(name)[..6]], 1).text();
        let expected = "\
method                      accuracy  difference  ± these       verdict    ± new
                                                  classes                classes
my-own-network+                88.19      +33.07     0.24  inconclusive     1.90
nearest-centroid:
distance=cosine,
transform=none
";
        assert_eq!(wide, expected);
    }

    #[test]
    fn no_line_is_wider_than_the_screen_and_nothing_is_lost() {
        let name = "a-network-of-mine+a-learner-of-a-very-long-name:parameter=0.0000001,otherparameterwithoutanyhyphen=12345678";
        let cells = ["1", name, "88.19", "± 0.20", "abc", "± 2.10", "abc"];
        let text = grid(
            &[&["rank", "method", "accuracy", "± these classes", "group", "± new classes", "group"], &cells],
            2,
        )
        .text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let shown: String = text
            .lines()
            .skip(2)
            .map(|line| line.get(6..38).unwrap_or(&line[6.min(line.len())..]).trim())
            .collect();
        assert_eq!(shown, name);
    }

    #[test]
    fn latex_uses_booktabs_and_escapes_what_it_would_read() {
        let lines = [["learner", "value"], ["k-nn:p_1=50%", "1.0 ± 0.5"]];
        let lines = lines.map(|line| line.map(str::to_string).into()).into();
        let grid = Grid { title: "a & b".to_string(), lines, left: 1, notes: vec!["p < 1".to_string()] };
        let expected = "\\begin{table}
  \\centering
  \\caption{a \\& b}
  \\begin{tabular}{lr}
    \\toprule
    learner & value \\\\
    \\midrule
    k-nn:p\\_1=50\\% & 1.0 $\\pm$ 0.5 \\\\
    \\bottomrule
  \\end{tabular}
  \\par\\footnotesize p $<$ 1
\\end{table}
";
        assert_eq!(grid.latex(), expected);
    }
}
