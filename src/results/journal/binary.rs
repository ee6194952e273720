//! A chunk as bytes: whole numbers of fixed width, low byte first, and floats by their bits.

use super::super::chunk::{Chunk, EpisodeRecord, QueryOutcome, TableChunk};
use super::super::generalised::QueryStanding;
use super::super::open_set::OpenSetCounts;
use super::super::tally::{ClassOutcome, EpisodeOutcome};
use crate::metric::Metric;
use crate::vocab::{ClassId, ItemId};

/// Stands for a number that is absent: the bits of one that is never written.
const ABSENT: u32 = u32::MAX;

/// Appends a chunk.
pub(super) fn write(chunk: &Chunk, out: &mut Vec<u8>) {
    whole(out, chunk.first);
    whole(out, chunk.episodes);
    whole(out, chunk.tables.len() as u32);
    for table in &chunk.tables {
        whole(out, table.table as u32);
        out.extend(table.unconverged.to_le_bytes());
        whole(out, table.episodes.len() as u32);
        for episode in &table.episodes {
            write_episode(episode, out);
        }
    }
}

fn write_episode(record: &EpisodeRecord, out: &mut Vec<u8>) {
    whole(out, record.outcome.episode);
    whole(out, record.ties);
    whole(out, record.outcome.classes.len() as u32);
    for ClassOutcome { class, correct, total } in &record.outcome.classes {
        [class.0, *correct, *total].into_iter().for_each(|number| whole(out, number));
    }
    whole(out, record.outcome.values.len() as u32);
    for value in &record.outcome.values {
        out.push(u8::from(value.is_some()));
        out.extend(value.unwrap_or_default().to_bits().to_le_bytes());
    }
    write_measures(&record.measures, out);
    whole(out, record.confidences.len() as u32);
    for (confidence, correct) in &record.confidences {
        whole(out, confidence.to_bits());
        out.push(u8::from(*correct));
    }
    whole(out, record.scaled.len() as u32);
    record.scaled.iter().for_each(|confidence| whole(out, confidence.to_bits()));
    whole(out, record.queries.len() as u32);
    for query in &record.queries {
        let confidence = query.confidence.map_or(ABSENT, f32::to_bits);
        let score = query.confidence_score.map_or(ABSENT, f32::to_bits);
        let numbers = [query.class.0, query.item.0, query.predicted.0, confidence, score];
        numbers.into_iter().for_each(|number| whole(out, number));
    }
    write_margins(&record.margins, out);
    out.push(u8::from(record.open_set.is_some()));
    if let Some(OpenSetCounts { in_scope, oos, threshold }) = &record.open_set {
        let numbers = [*in_scope, *oos, threshold.map_or(ABSENT, f32::to_bits)];
        numbers.into_iter().for_each(|number| whole(out, number));
    }
}

/// Each metric by its name, since a program may have others.
fn write_measures(measures: &[(Metric, f64)], out: &mut Vec<u8>) {
    whole(out, measures.len() as u32);
    for (metric, value) in measures {
        let name = metric.name().as_bytes();
        whole(out, name.len() as u32);
        out.extend(name);
        out.extend(value.to_bits().to_le_bytes());
    }
}

fn write_margins(margins: &[QueryStanding], out: &mut Vec<u8>) {
    whole(out, margins.len() as u32);
    for QueryStanding { class, margin, right } in margins {
        whole(out, class.0);
        whole(out, margin.to_bits());
        out.push(u8::from(*right));
    }
}

fn whole(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

/// Reads a chunk from bytes that hold it and nothing else; nothing where they do not.
pub(super) fn read(bytes: &[u8]) -> Option<Chunk> {
    let mut bytes = Bytes(bytes);
    let (first, episodes) = (bytes.whole()?, bytes.whole()?);
    let tables = bytes.list(|bytes| {
        let (table, unconverged) = (bytes.whole()? as usize, u64::from_le_bytes(bytes.take()?));
        Some(TableChunk { table, unconverged, episodes: bytes.list(episode)? })
    })?;
    bytes.0.is_empty().then_some(Chunk { first, episodes, tables })
}

fn episode(bytes: &mut Bytes<'_>) -> Option<EpisodeRecord> {
    let (episode, ties) = (bytes.whole()?, bytes.whole()?);
    let classes = bytes.list(|bytes| {
        let (class, correct, total) = (ClassId(bytes.whole()?), bytes.whole()?, bytes.whole()?);
        Some(ClassOutcome { class, correct, total })
    })?;
    let values = bytes.list(Bytes::float)?;
    let measures = bytes.list(measure)?;
    let confidences = bytes.list(|bytes| Some((f32::from_bits(bytes.whole()?), bytes.flag()?)))?;
    let scaled = bytes.list(|bytes| Some(f32::from_bits(bytes.whole()?)))?;
    let queries = bytes.list(|bytes| {
        let (class, item, predicted) =
            (ClassId(bytes.whole()?), ItemId(bytes.whole()?), ClassId(bytes.whole()?));
        let (confidence, confidence_score) = (bytes.single()?, bytes.single()?);
        Some(QueryOutcome { class, item, predicted, confidence, confidence_score })
    })?;
    let margins = bytes.list(|bytes| {
        let (class, margin) = (ClassId(bytes.whole()?), f32::from_bits(bytes.whole()?));
        Some(QueryStanding { class, margin, right: bytes.flag()? })
    })?;
    let open_set = if bytes.flag()? {
        let (in_scope, oos, threshold) = (bytes.whole()?, bytes.whole()?, bytes.single()?);
        Some(OpenSetCounts { in_scope, oos, threshold })
    } else {
        None
    };
    let outcome = EpisodeOutcome { episode, classes, values };
    Some(EpisodeRecord { outcome, ties, confidences, scaled, measures, open_set, queries, margins })
}

fn measure(bytes: &mut Bytes<'_>) -> Option<(Metric, f64)> {
    let name = bytes.list(|bytes| bytes.take().map(|[byte]: [u8; 1]| byte))?;
    let metric = std::str::from_utf8(&name).ok()?.parse().ok()?;
    Some((metric, f64::from_bits(u64::from_le_bytes(bytes.take()?))))
}

/// Bytes that are still to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn whole(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// A number of 32 bits, where it is there.
    fn single(&mut self) -> Option<Option<f32>> {
        Some(Some(self.whole()?).filter(|bits| *bits != ABSENT).map(f32::from_bits))
    }

    fn float(&mut self) -> Option<Option<f64>> {
        let there = self.flag()?;
        let value = f64::from_bits(u64::from_le_bytes(self.take()?));
        Some(there.then_some(value))
    }

    /// A list behind its length. Memory grows with what is read, so that a wrong length cannot ask for all of it.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.whole()?).map(|_| one(self)).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A chunk of this many episodes in two tables, one of which only ranks.
    pub fn chunk(first: u32, episodes: u32) -> Chunk {
        let query = |confidence| QueryOutcome {
            class: ClassId(1),
            item: ItemId(first),
            predicted: ClassId(4),
            confidence,
            confidence_score: Some(-0.5),
        };
        let counts =
            |episode| OpenSetCounts { in_scope: 1, oos: 2, threshold: (episode % 2 == 0).then_some(-1.5) };
        let class = |class, total| ClassOutcome { class: ClassId(class), correct: 0, total };
        let values = |_| vec![None, None, Some(f64::INFINITY), Some(0.1 + 0.2)];
        let record = |episode: u32, confidence: Option<f32>| EpisodeRecord {
            outcome: EpisodeOutcome {
                episode,
                classes: vec![class(4, 0), class(1, 1)],
                values: confidence.map(values).unwrap_or_default(),
            },
            ties: episode % 3,
            confidences: confidence.map(|confidence| (confidence, false)).into_iter().collect(),
            scaled: confidence.map(|confidence| confidence / 2.0).into_iter().collect(),
            measures: Metric::of_open_set().into_iter().map(|metric| (metric, 0.25)).collect(),
            open_set: confidence.map(|_| counts(episode)),
            queries: vec![query(confidence)],
            margins: vec![QueryStanding { class: ClassId(4), margin: -0.25, right: episode % 2 == 1 }],
        };
        let table = |table, confidence| TableChunk {
            table,
            unconverged: u64::from(u32::MAX) + 3,
            episodes: (first..first + episodes).map(|number| record(number, confidence)).collect(),
        };
        Chunk { first, episodes, tables: vec![table(1, None), table(0, Some(1.000_000_1))] }
    }

    fn bytes(chunk: &Chunk) -> Vec<u8> {
        let mut out = Vec::new();
        write(chunk, &mut out);
        out
    }

    #[test]
    fn what_is_written_is_read_back() {
        let there = chunk(7, 5);
        assert_eq!(read(&bytes(&there)), Some(there));
    }

    #[test]
    fn bytes_that_are_cut_off_or_too_many_are_not_read() {
        let whole = bytes(&chunk(0, 2));
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        assert_eq!(read(&[whole, vec![0]].concat()), None);
    }
}
