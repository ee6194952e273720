//! The rules of the table `[episode]`: how large an episode is.

use super::items::Items;
use crate::protocol::place::Check;
use crate::protocol::written::WrittenEpisode;
use crate::protocol::{ProtocolError, Query, Shot, Way};
use crate::vocab::Setting;

/// The sizes of an episode, each allowed alone.
pub(super) struct Sizes {
    pub way: Way,
    pub shot: Shot,
    pub query: Query,
    pub repeat: bool,
    pub shuffle_labels: bool,
}

impl Sizes {
    /// The sizes that are written.
    pub fn of(check: &Check<'_>, episode: &WrittenEpisode) -> Result<Sizes, ProtocolError> {
        let WrittenEpisode { way, shot, query, repeat, shuffle_labels, .. } = episode;
        Ok(Sizes {
            way: Way::from_written(way.get_ref())
                .map_err(|rule| check.value("way", rule, way, way.get_ref()))?,
            shot: Shot::from_written(shot.get_ref())
                .map_err(|rule| check.value("shot", rule, shot, shot.get_ref()))?,
            query: Query::from_written(query.get_ref())
                .map_err(|rule| check.value("query", rule, query, query.get_ref()))?,
            repeat: repeat.as_ref().is_none_or(|repeat| *repeat.get_ref()),
            shuffle_labels: shuffle_labels.as_ref().is_some_and(|shuffle| *shuffle.get_ref()),
        })
    }

    /// Whether they go together, with the settings and with the parts.
    pub fn suit(
        &self,
        check: &Check<'_>,
        episode: &WrittenEpisode,
        settings: &[Setting],
        items: &Items,
    ) -> Result<(), ProtocolError> {
        let meta =
            [self.way == Way::MetaDataset, self.shot == Shot::MetaDataset, self.query == Query::MetaDataset];
        if meta.contains(&true) && meta.contains(&false) {
            let rule = "`way`, `shot` and `query` must be \"meta-dataset\" all three or none";
            return Err(check.together(&episode.way, rule));
        }
        if meta.contains(&true) && items.parts.is_some() {
            let rule = "\"meta-dataset\" shares out the items of a class, so no part may be named";
            return Err(check.together(&episode.way, rule));
        }
        let without_support = matches!(&self.shot, Shot::Nested(shots) if shots[0] == 0);
        if without_support && settings.iter().all(|setting| setting.needs_support()) {
            let rule = "`shot` 0 needs \"zero-shot\" or \"semantic\" among `settings`";
            return Err(check.together(&episode.shot, rule));
        }
        let of_one_size = self.has_known_way()
            && matches!(self.shot, Shot::Nested(_))
            && matches!(self.query, Query::PerClass(_));
        if !self.repeat && !of_one_size {
            let rule = "`repeat = false` needs episodes of one size: `way` a number or \"all\", `shot` and `query` \
                        numbers";
            return Err(check.together(&episode.way, rule));
        }
        Ok(())
    }

    /// Whether all episodes have the same number of classes.
    pub fn has_known_way(&self) -> bool {
        matches!(self.way, Way::Fixed(_) | Way::All)
    }
}
