//! seen.csv: which classes are seen ones, where the candidates have sides.

use std::collections::HashMap;
use std::path::Path;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use super::sheet::Sheet;
use crate::results::rows::{SideCells, header};

/// Fills the sides of every table whose protocol has such.
pub(super) fn read(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, &header::<SideCells>(false))?;
    let mut sides: HashMap<[String; 3], bool> = HashMap::new();
    while sheet.next()? {
        let SideCells { protocol, dataset, class, side } = sheet.read()?;
        let seen = match side.as_str() {
            "seen" => true,
            "unseen" => false,
            _ => {
                let (column, expected) = ("side".to_string(), "`seen` or `unseen`");
                return Err(sheet.flaw(Flaw::Cell { column, expected, found: side }));
            }
        };
        sides.insert([protocol, dataset, class], seen);
    }
    for read in tables {
        let of = |class: &String| {
            sides.get(&[read.table.protocol.clone(), read.table.dataset.clone(), class.clone()])
        };
        let all: Option<Vec<bool>> = read.dealt.classes.iter().map(|class| of(class).copied()).collect();
        read.seen = all.unwrap_or_default();
    }
    Ok(())
}
