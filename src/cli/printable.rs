//! Text for a terminal: what files hold must not steer it, hide anything, or fill it.

/// Characters of one line of a message; a name of more is no name.
const LONGEST: usize = 1_000;

/// The text with control characters, and marks that turn the direction of writing, as escapes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// As [`escaped`], with lines that are too long shortened in their middle.
pub(super) fn message(text: &str) -> String {
    let lines: Vec<String> = escaped(text).split('\n').map(shortened).collect();
    lines.join("\n")
}

fn shortened(line: &str) -> String {
    let count = line.chars().count();
    if count <= LONGEST {
        return line.to_string();
    }
    let head: String = line.chars().take(LONGEST / 2).collect();
    let tail: String = line.chars().skip(count - LONGEST / 4).collect();
    format!("{head} … ({} characters left out) … {tail}", count - LONGEST / 2 - LONGEST / 4)
}

/// Marks of direction, and of no width (Unicode, Bidirectional Algorithm; Trojan Source, arXiv:2111.00169).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}'..='\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(
            message("class \u{1b}[2J\rb\u{202e}c\nhint: ä"),
            "class \\u{1b}[2J\\rb\\u{202e}c\nhint: ä"
        );
    }

    #[test]
    fn long_lines_lose_their_middle_and_others_nothing() {
        let text = format!("class {} is wrong\nhint: so", "x".repeat(100_000));
        let short = message(&text);
        assert!(short.len() < 900 && short.ends_with(" is wrong\nhint: so"), "{short}");
        assert!(short.contains("characters left out"));
        assert_eq!(message(&"y".repeat(1000)), "y".repeat(1000));
    }
}
