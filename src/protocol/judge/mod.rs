//! The rules that what is written must obey, alone and together: the same for a rule file and for a builder.

mod classes;
mod draw;
mod items;
mod oos;
mod sizes;
#[cfg(test)]
mod tests;

use super::place::Check;
use super::written::{Written, WrittenReport};
use super::{Protocol, ProtocolError};
use crate::metric::{Metric, Need};
use crate::vocab::Setting;
use draw::Amount;
pub(super) use draw::MOST_EPISODES;
use items::Items;
use oos::{Beside, oos};
use sizes::Sizes;

/// The confidence level of intervals where none is given.
pub(super) const CONFIDENCE_LEVEL: f64 = 0.95;

/// The protocol of what is written, or the first rule that is broken.
pub(super) fn judge(check: &Check<'_>, written: Written) -> Result<Protocol, ProtocolError> {
    let Written { name, version, source, settings, data, episode, draw, report } = written;
    let settings: Vec<Setting> = check.words("settings", &settings)?;
    let sizes = Sizes::of(check, &episode)?;
    let items = Items::of(check, &data)?;
    sizes.suit(check, &episode, &settings, &items)?;
    items.suit(check, &data, &sizes)?;
    let amount = Amount::of(check, &draw)?;
    amount.suit(check, &draw, &sizes)?;
    let metrics = metrics(check, &report, items.seen_part.is_some())?;
    let beside = Beside {
        split: items.split,
        parts: items.parts.as_ref(),
        query: &sizes.query,
        repeat: sizes.repeat,
        metrics: &metrics,
        metrics_at: &report.metrics,
    };
    let oos = oos(check, &data, &episode, &beside)?;
    if let (Some(written), Some(_)) = (&data.seen_part, &oos) {
        return Err(check.together(written, "`seen_part` and `oos` do not go together"));
    }
    if let (Some(written), Some(names), Some(oos)) = (&data.classes, &items.classes, &oos)
        && names.contains(&oos.class)
    {
        let rule = "the class of `oos` makes no episodes, so `classes` must not name it";
        return Err(check.together(written, rule));
    }
    Ok(Protocol {
        version: check.whole("version", &version, 1..=1_000_000)?,
        source: check.filled("source", &source)?,
        name: check.kebab(&name)?,
        settings,
        dataset: items.dataset,
        split: items.split,
        classes: items.classes,
        parts: items.parts,
        oos,
        seen_part: items.seen_part,
        duplicates: items.duplicates,
        way: sizes.way,
        shot: sizes.shot,
        query: sizes.query,
        repeat: sizes.repeat,
        shuffle_labels: sizes.shuffle_labels,
        count: amount.count,
        first: amount.first,
        most: amount.most,
        seed: amount.seed,
        draw_sha256: amount.sha256,
        metrics,
        confidence_level: confidence_level(check, &report)?,
    })
}

/// What is reported, where the candidates are only unseen classes or seen ones too.
fn metrics(check: &Check<'_>, report: &WrittenReport, seen: bool) -> Result<Vec<Metric>, ProtocolError> {
    let metrics: Vec<Metric> = check.words("metrics", &report.metrics)?;
    if !seen && metrics.iter().any(|metric| metric.needs(Need::SeenAndUnseen)) {
        let rule = "`metrics` seen, unseen, harmonic and ausuc need `seen_part` under [data]: the candidates must be \
                    seen and unseen classes";
        return Err(check.together(&report.metrics, rule));
    }
    Ok(metrics)
}

fn confidence_level(check: &Check<'_>, report: &WrittenReport) -> Result<f64, ProtocolError> {
    let Some(written) = &report.confidence_level else { return Ok(CONFIDENCE_LEVEL) };
    let level = *written.get_ref();
    if level > 0.0 && level < 1.0 {
        Ok(level)
    } else {
        Err(check.value("confidence_level", "between 0 and 1", written, level))
    }
}
