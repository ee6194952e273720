//! One protocol from its first episode to its tables.

use super::answering::{Run, Work, answer};
use super::fingerprints::Fingerprints;
use super::until::{self, Until};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::sheets::Sheets;
use crate::learner::Roster;
use crate::results::{Journal, Results, Warning};

/// What is written down beside the tables.
type Book<'a> = (&'a mut Journal, &'a mut Fingerprints);

/// Evaluates a draw of fixed length, or the part of it that was asked for, behind what the journal holds of it. A part
/// fills no tables: that is done where all parts are joined.
pub(super) fn fixed<R: Roster>(
    run: &mut Run,
    number: usize,
    work: &Work,
    (journal, fingerprints): Book<'_>,
    results: &mut Results,
) -> Result<Vec<Warning>, CliError> {
    let terms = journal.terms().protocols[number].clone();
    if let (Some(file), Some(text)) = (&terms.draw_file, &run.dealer.fresh) {
        results.write_file(file, text.as_bytes())?;
    }
    let mut sheets = match journal.terms().shard {
        None => Some(Sheets::begin(results, &terms)?),
        Some(_) => None,
    };
    if let Some(sheets) = &mut sheets {
        journal.replay(number, |stretch| sheets.take(&stretch))?;
    }
    let (done, of) = (journal.episodes(number), run.dealer.draw.len());
    let size = match journal.terms().shard {
        None => format!("{of} episodes{}", until::there(done)),
        Some(shard) => format!("{} of {of} episodes, part {shard}{}", terms.episodes, until::there(done)),
    };
    let tables = run.tables.len() as u64;
    let progress = Progress::start(&terms.name, &size, u64::from(terms.episodes) * tables);
    progress.advance(u64::from(done) * tables);
    let places = (terms.first + done) as usize..(terms.first + terms.episodes) as usize;
    run.choices = answer::<R, CliError>(run, &run.dealer.draw.part(places), work, &progress, |stretch| {
        if let Some(sheets) = &mut sheets {
            sheets.take(&stretch)?;
        }
        journal.stretch(number, &stretch)?;
        fingerprints.note(journal)
    })?;
    sheets.map_or(Ok(Vec::new()), |sheets| sheets.finish(results))
}

/// Draws and evaluates episodes until the intervals are narrow, and fills the tables from the journal: their rows name the
/// hash of a draw that is known only then.
pub(super) fn sequential<R: Roster>(
    run: &mut Run,
    number: usize,
    until: &Until,
    near: Option<f32>,
    work: &Work,
    (journal, fingerprints): Book<'_>,
    results: &mut Results,
) -> Result<Vec<Warning>, CliError> {
    let (told, choices) = until::go_on::<R>(run, number, until, near, work, journal, fingerprints)?;
    run.choices = choices;
    until::close(run, journal.episodes(number))?;
    let mut terms = journal.terms().protocols[number].clone();
    for table in &mut terms.tables {
        table.table.draw_sha256.clone_from(&run.dealer.sha256);
    }
    if let (Some(file), Some(text)) = (&terms.draw_file, &run.dealer.fresh) {
        results.write_file(file, text.as_bytes())?;
    }
    let mut sheets = Sheets::begin(results, &terms)?;
    journal.replay(number, |stretch| sheets.take(&stretch))?;
    let mut warnings = sheets.finish(results)?;
    warnings.push(told);
    Ok(warnings)
}
