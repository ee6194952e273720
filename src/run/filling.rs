//! From the first episode of a protocol to its tables.

use std::sync::Arc;

use super::answering::answer;
use super::fingerprints::Fingerprints;
use super::prepared::{Prepared, Work};
use super::until::{self, Asked, Until};
use crate::results::{Journal, Results, Warning};
use crate::run::draws;
use crate::run::error::RunError;
use crate::run::tables::Sheets;
use crate::run::watch::Progress;

/// What is written down beside the tables.
type Book<'a> = (&'a mut Journal, &'a mut Fingerprints);

/// Evaluates a draw of fixed length, or the part of it that was asked for, behind what the journal holds of it. A part
/// fills no tables: that is done where all parts are joined.
pub(crate) fn fixed(
    run: &mut Prepared,
    number: usize,
    work: &Work<'_>,
    (journal, fingerprints): Book<'_>,
    results: &mut Results,
) -> Result<Vec<Warning>, RunError> {
    let key = journal.run_key().protocols[number].clone();
    if let (Some(file), Some(text)) = (&key.draw_file, &run.dealer.fresh) {
        results.write_file(file, text.as_bytes())?;
    }
    let mut sheets = match journal.run_key().shard {
        None => Some(Sheets::begin(results, &key)?),
        Some(_) => None,
    };
    if let Some(sheets) = &mut sheets {
        journal.replay(number, |chunk| sheets.take(&chunk))?;
    }
    let (done, of) = (journal.episodes(number), run.dealer.draw.len());
    let size = match journal.run_key().shard {
        None => format!("{of} episodes{}", until::there(done)),
        Some(shard) => format!("{} of {of} episodes, part {shard}{}", key.episodes, until::there(done)),
    };
    let tables = run.tables.len() as u64;
    let steps = u64::from(key.episodes) * tables;
    let name = run.title();
    let progress = Progress::resume(work.watch, &name, &size, steps, u64::from(done) * tables);
    let places = (key.first + done) as usize..(key.first + key.episodes) as usize;
    run.choices = answer::<RunError>(run, &run.dealer.draw.part(places), work, &progress, |chunk| {
        if let Some(sheets) = &mut sheets {
            sheets.take(&chunk)?;
        }
        journal.chunk(number, &chunk)?;
        fingerprints.note(journal)
    })?;
    sheets.map_or(Ok(Vec::new()), |sheets| sheets.finish(results))
}

/// Draws and evaluates episodes of one protocol until the intervals of all its feature sets are narrow at the same look, and
/// fills the tables from the journal: their rows name the hash of a draw that is known only then.
pub(crate) fn sequential(
    group: &mut [Prepared],
    first: usize,
    (until, near): (&Until, Option<f32>),
    work: &Work<'_>,
    (journal, fingerprints): Book<'_>,
    results: &mut Results,
) -> Result<Vec<Warning>, RunError> {
    let mut least = until::bounds(&group[0].rules.protocol)?.0;
    let mut warnings = vec![None; group.len()];
    // A look counts when all are narrow there, so whoever stops later sends the others on.
    loop {
        for (place, run) in group.iter_mut().enumerate() {
            let asked = Asked { until, near, least };
            let (told, choices) = until::go_on(run, first + place, asked, work, journal, fingerprints)?;
            warnings[place] = Some(told);
            run.choices = choices.unwrap_or(std::mem::take(&mut run.choices));
            least = least.max(journal.episodes(first + place));
        }
        if (0..group.len()).all(|place| journal.episodes(first + place) == least) {
            break;
        }
    }
    let dealer = Arc::new(draws::fresh_of(&group[0].rules.protocol, &group[0].store, least)?);
    let mut warnings: Vec<Warning> = warnings.into_iter().flatten().collect();
    for (place, run) in group.iter_mut().enumerate() {
        run.dealer = Arc::clone(&dealer);
        let mut key = journal.run_key().protocols[first + place].clone();
        for table in &mut key.tables {
            table.table.draw_sha256.clone_from(&run.dealer.sha256);
        }
        if let (Some(file), Some(text)) = (&key.draw_file, &run.dealer.fresh) {
            results.write_file(file, text.as_bytes())?;
        }
        let mut sheets = Sheets::begin(results, &key)?;
        journal.replay(first + place, |chunk| sheets.take(&chunk))?;
        warnings.extend(sheets.finish(results)?);
    }
    Ok(warnings)
}
