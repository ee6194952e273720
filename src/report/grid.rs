//! A table of text cells, and the three ways in which it is written.

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
    /// Aligned plain text, line ends included.
    pub fn text(&self) -> String {
        let width = |column: usize| self.lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.lines.first().map_or(0, Vec::len)).map(width).collect();
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("{}\n", self.title));
        }
        for line in &self.lines {
            let cells = line.iter().zip(&widths).enumerate().map(|(place, (cell, width))| {
                if place < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(&format!("{}\n", line.trim_end()));
        }
        text.push('\n');
        self.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
        text
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
