//! Episodes of a protocol's own stream until every sampler interval of accuracy is narrow.
//!
//! The rule is [`UntilNarrow`]: it looks at the ends of blocks of fixed size, at the width alone and never at a difference
//! or a p-value. So the number of episodes depends on the outcomes only, and not on how the work was done.

use super::answering::answer;
use super::fingerprints::Fingerprints;
use super::prepared::{Prepared, Work};
use crate::episode::{Draw, SampleError, Sampler};
use crate::eval::{Choices, EvalError};
use crate::protocol::Protocol;
use crate::results::{Chunk, Journal, Warning};
use crate::run::error::RunError;
use crate::run::fitness;
use crate::run::watch::Progress;
use crate::stats::{LEAST_EPISODES, LOOK_EVERY, Look, UntilNarrow};

/// How wide an interval may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Until {
    /// The half-width as it was written, in points.
    pub(crate) points: String,
    /// The same as a share.
    pub(crate) half_width: f64,
}

/// Reads the half-width of an interval in points.
pub(crate) fn points(text: &str) -> Result<Until, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 50.0);
    let number = number.ok_or("must be a half-width in points of accuracy, above 0 and below 50")?;
    Ok(Until { points: text.to_string(), half_width: number / 100.0 })
}

/// Episodes of the first look that counts, and of the last: never fewer than the protocol asks for anyway.
///
/// # Errors
/// A protocol whose draw cannot be continued, or that does not say how far.
pub(crate) fn bounds(protocol: &Protocol) -> Result<(u32, u32), RunError> {
    let name = protocol.name();
    if protocol.draw_sha256().is_some() {
        return Err(RunError::Request(format!(
            "protocol `{name}` has a frozen draw, --until needs one that can go on\nhint: leave out `sha256` under [draw], or take a protocol without it"
        )));
    }
    if !protocol.repeat() {
        return Err(RunError::Request(format!(
            "protocol `{name}` has `repeat = false` and draws all episodes at once, --until needs a draw that can go on"
        )));
    }
    let most = protocol.most().ok_or_else(|| {
        RunError::Request(format!(
            "protocol `{name}` does not say how many episodes may be drawn at most, --until needs it\nhint: add `most = 100000` under [draw]"
        ))
    })?;
    let (least, every) = (LEAST_EPISODES as u32, LOOK_EVERY as u32);
    let looks = protocol.evaluated().saturating_sub(least).div_ceil(every);
    Ok(((least + looks * every).min(most), most))
}

/// What ends the drawing of episodes.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) until: &'a Until,
    /// Cosine from which near-duplicates are refused.
    pub(crate) near: Option<f32>,
    /// The first look that counts.
    pub(crate) least: u32,
}

/// Why answering ends before its time.
enum Halt {
    /// The episodes before this one are enough.
    Enough(u32),
    Failed(Box<RunError>),
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Halt {
        Halt::Failed(Box::new(error))
    }
}

impl From<EvalError> for Halt {
    fn from(error: EvalError) -> Halt {
        Halt::Failed(Box::new(error.into()))
    }
}

/// Goes on with the journal of one protocol and feature set until it has enough, at a look at or behind `least`; then the
/// journal holds all episodes and no more. Gives back what the fits have chosen, too.
pub(crate) fn go_on(
    run: &Prepared,
    number: usize,
    asked: Asked<'_>,
    work: &Work<'_>,
    journal: &mut Journal,
    fingerprints: &mut Fingerprints,
) -> Result<(Warning, Option<Choices>), RunError> {
    let Asked { until, near, least } = asked;
    let protocol = &run.rules.protocol;
    let failed = |source: SampleError| RunError::Sample { protocol: protocol.name().to_string(), source };
    let most = bounds(protocol)?.1;
    let mut looks =
        Looks::new(run.tables.len(), protocol.confidence_level(), until.half_width, (least, most));
    let (mut enough, mut choices) = (None, None);
    journal.replay::<RunError>(number, |chunk| {
        enough = enough.or(looks.take(&chunk));
        Ok(())
    })?;
    let done = journal.episodes(number);
    let size = format!("{least} to {most} episodes, until ± {} points{}", until.points, there(done));
    let tables = run.tables.len() as u64;
    let (steps, done) = (u64::from(most) * tables, u64::from(done) * tables);
    let name = run.title();
    let progress = Progress::resume(work.watch, &name, &size, steps, done);
    let sampler = Sampler::new(protocol, run.store.index()).map_err(failed)?;
    while enough.is_none() {
        let from = journal.episodes(number);
        // Twice as many each time: what has to be prepared for every draw then costs little.
        let to = from.saturating_mul(2).clamp(least, most);
        let draw = sampler.episodes(from..to).map_err(failed)?;
        near_duplicates(run, &draw, near)?;
        let answered = answer::<Halt>(run, &draw, work, &progress, |chunk| {
            let stop = looks.take(&chunk);
            // A chunk that reaches beyond the end is not kept: how far it does depends on the batch.
            if stop.is_none_or(|stop| stop == chunk.end()) {
                journal.chunk(number, &chunk).map_err(RunError::from)?;
                fingerprints.note(journal)?;
            }
            stop.map_or(Ok(()), |stop| Err(Halt::Enough(stop)))
        });
        match answered {
            Ok(chosen) => choices = Some(chosen),
            Err(Halt::Failed(error)) => return Err(*error),
            Err(Halt::Enough(stop)) => {
                let rest = sampler.episodes(journal.episodes(number)..stop).map_err(failed)?;
                choices = Some(answer::<RunError>(run, &rest, work, &progress, |chunk| {
                    Ok(journal.chunk(number, &chunk)?)
                })?);
                enough = Some(stop);
            }
        }
    }
    let learners = journal.run_key().protocols[number].tables.iter().map(|t| t.learner.clone());
    Ok((looks.warning(run, until, learners), choices))
}

/// That a part of the work is there already.
pub(crate) fn there(done: u32) -> String {
    if done == 0 { String::new() } else { format!(", {done} of them from the killed run") }
}

fn near_duplicates(run: &Prepared, draw: &Draw, near: Option<f32>) -> Result<(), RunError> {
    let Some(threshold) = near else { return Ok(()) };
    let sentences = fitness::near_duplicates(&run.rules.protocol, draw, &run.store, threshold)?;
    sentences.into_iter().next().map_or(Ok(()), |sentence| Err(RunError::NearDuplicate(sentence)))
}

/// The accuracies of all tables so far.
struct Looks {
    tables: Vec<Vec<f64>>,
    rule: UntilNarrow,
    least: u32,
}

impl Looks {
    fn new(tables: usize, level: f64, half_width: f64, (least, most): (u32, u32)) -> Looks {
        let rule = UntilNarrow { half_width, level, most: most as usize };
        Looks { tables: vec![Vec::new(); tables], rule, least }
    }

    /// Takes the next episodes in, up to the one at whose end there are enough; then says how many those are.
    fn take(&mut self, chunk: &Chunk) -> Option<u32> {
        for place in 0..chunk.episodes as usize {
            for table in &chunk.tables {
                // What is no outcome makes no interval, and is refused when it is written down.
                let accuracy = table.episodes[place].outcome.totals().map_or(f64::NAN, |t| t.accuracy());
                self.tables[table.table].push(accuracy);
            }
            let number = chunk.first + place as u32 + 1;
            if number >= self.least && !matches!(self.rule.look(&self.tables), Look::Continue { .. }) {
                return Some(number);
            }
        }
        None
    }

    fn half_width(&self, table: &[f64]) -> Option<f64> {
        self.rule.width(table)
    }

    fn warning(&self, run: &Prepared, until: &Until, learners: impl Iterator<Item = String>) -> Warning {
        let protocol = run.rules.protocol.name().to_string();
        let episodes = self.tables.first().map_or(0, Vec::len) as u64;
        let until = until.points.clone();
        let halves = self.tables.iter().map(|table| self.half_width(table).unwrap_or(f64::INFINITY));
        let widest = halves.zip(learners).max_by(|a, b| a.0.total_cmp(&b.0));
        match widest.filter(|(half, _)| *half > self.rule.half_width) {
            None => Warning::Sequential { protocol, episodes, until },
            Some((half, learner)) => {
                let half_width = format!("{:.4}", half * 100.0);
                Warning::StillWide { protocol, episodes, until, learner, half_width }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{ClassOutcome, EpisodeOutcome, EpisodeRecord, TableChunk};
    use crate::vocab::ClassId;

    /// Episodes of one table with these correct answers of ten.
    fn chunk(first: u32, correct: &[u32]) -> Chunk {
        let record = |(episode, correct): (u32, &u32)| EpisodeRecord {
            outcome: EpisodeOutcome {
                episode,
                classes: vec![ClassOutcome { class: ClassId(0), correct: *correct, total: 10 }],
                values: Vec::new(),
            },
            ties: 0,
            confidences: Vec::new(),
            scaled: Vec::new(),
            queries: Vec::new(),
            measures: Vec::new(),
            open_set: None,
            margins: Vec::new(),
        };
        let episodes = (first..).zip(correct).map(record).collect();
        let table = TableChunk { table: 0, unconverged: 0, episodes };
        Chunk { first, episodes: correct.len() as u32, tables: vec![table] }
    }

    /// Where a looks stops on answers that alternate between 4 and 6 of 10, given in chunks of this size.
    fn stop(half_width: f64, size: usize) -> u32 {
        let mut looks = Looks::new(1, 0.95, half_width, (400, 5_000));
        let correct: Vec<u32> = (0..5_000).map(|episode| 4 + episode % 2 * 2).collect();
        let mut chunks = (0..).step_by(size).zip(correct.chunks(size));
        chunks.find_map(|(first, correct)| looks.take(&chunk(first, correct))).unwrap()
    }

    #[test]
    fn it_stops_at_the_first_end_of_a_block_that_is_narrow_whatever_the_batches() {
        // The deviation is 0.1, so the half-width after n episodes is 1.96·√((0.01 + 1/n)/n): below 0.005 from 1,635 episodes on.
        for size in [1, 7, 200, 1_000, 5_000] {
            assert_eq!(stop(0.005, size), 1_800, "{size}");
            assert_eq!(stop(0.1, size), 400, "never before 400 episodes");
            assert_eq!(stop(0.0001, size), 5_000, "never beyond what is allowed");
        }
    }

    #[test]
    fn bounds_come_from_the_protocol() {
        let text = "name = \"p\"\nversion = 1\nsource = \"a test\"\nadmits = [\"inductive\"]\n[episode]\nway = 5\n\
                    shot = 1\nquery = 15\n[draw]\ncount = 600\nseed = 7\nmost = 900\n[report]\nmetrics = [\"accuracy\"]\n";
        let of = |text: &str| bounds(&Protocol::parse(text, "p.toml").unwrap()).map_err(|e| e.to_string());
        assert_eq!(of(text), Ok((600, 900)));
        assert_eq!(of(&text.replace("600", "550")), Ok((600, 900)));
        assert_eq!(of(&text.replace("600", "20")), Ok((400, 900)));
        assert_eq!(of(&text.replace("600", "20").replace("900", "100")), Ok((100, 100)));
        assert!(
            of(&text.replace("most = 900\n", "")).unwrap_err().contains("at most, --until needs it\nhint: ")
        );
    }

    #[test]
    fn a_half_width_is_a_number_of_points() {
        assert_eq!(points("0.2").unwrap(), Until { points: "0.2".to_string(), half_width: 0.002 });
        for wrong in ["0", "-1", "50", "nan", "inf", "two"] {
            assert!(points(wrong).is_err(), "{wrong}");
        }
    }
}
