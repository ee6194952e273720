//! What a command line changes of a protocol.

use super::judge::MOST_EPISODES;
use super::place::Check;
use super::{Protocol, ProtocolError, Query, Shot, Way};

/// Values that take the place of a protocol's own; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// How many episodes: up to the protocol's `count` the first ones of its draw, beyond it a longer draw.
    pub episodes: Option<u32>,
    /// How many classes an episode has.
    pub way: Option<Way>,
    /// How many support items a class has.
    pub shot: Option<Shot>,
    /// How many query items a class has.
    pub query: Option<Query>,
    /// The seed of the draw.
    pub seed: Option<u64>,
}

impl Overrides {
    /// Whether they change nothing.
    pub fn is_empty(&self) -> bool {
        self.episodes.is_none() && self.other_draw().is_empty()
    }

    /// The keys that make another draw of it, whatever the number of episodes.
    fn other_draw(&self) -> Vec<&'static str> {
        let keys = [
            ("`way`", self.way.is_some()),
            ("`shot`", self.shot.is_some()),
            ("`query`", self.query.is_some()),
            ("`seed`", self.seed.is_some()),
        ];
        keys.into_iter().filter_map(|(key, given)| given.then_some(key)).collect()
    }
}

impl Protocol {
    /// This protocol with some values replaced, under the same rules as a rule file; [`Protocol::to_toml`] records them.
    ///
    /// Episodes up to [`Protocol::count`] are the first ones of its draw, frozen or not. More of them, or other sizes or
    /// another seed, make another draw, so that a protocol with a frozen one refuses them. `most` grows with `count`.
    ///
    /// # Errors
    /// A frozen draw would change, a value is out of its range, or two do not go together.
    ///
    /// ```
    /// use kshot::protocol::{Overrides, Protocol};
    /// let protocol = Protocol::episodes().count(1_000).build()?;
    /// let short = protocol.with(&Overrides { episodes: Some(50), ..Overrides::default() })?;
    /// assert_eq!((short.count(), short.evaluated()), (1_000, 50));
    /// let wide = protocol.with(&Overrides { way: Some(20.into()), ..Overrides::default() })?;
    /// assert_eq!(wide.way().to_string(), "20");
    /// # Ok::<(), kshot::protocol::ProtocolError>(())
    /// ```
    pub fn with(&self, overrides: &Overrides) -> Result<Protocol, ProtocolError> {
        self.keeps_its_draw(overrides)?;
        let mut builder = self.to_builder();
        if let Some(way) = &overrides.way {
            builder = builder.way(way.clone());
        }
        if let Some(shot) = &overrides.shot {
            builder = builder.shots(shot.clone());
        }
        if let Some(query) = &overrides.query {
            builder = builder.query(query.clone());
        }
        if let Some(seed) = overrides.seed {
            builder = builder.seed(seed);
        }
        if let Some(episodes) = overrides.episodes {
            let check = Check::Built { name: &self.name };
            check.whole("episodes", &super::builder::placed(episodes.into()), 1..=MOST_EPISODES)?;
            builder = builder.episodes(episodes);
        }
        builder.build()
    }

    /// Fails where a frozen draw would not be the frozen one any more.
    fn keeps_its_draw(&self, overrides: &Overrides) -> Result<(), ProtocolError> {
        if self.draw_sha256.is_none() {
            return Ok(());
        }
        let what = match overrides.episodes {
            Some(episodes) if episodes > self.count => format!("more than its {} episodes", self.count),
            _ if overrides.other_draw().is_empty() => return Ok(()),
            _ => format!("another {}", overrides.other_draw().join(" and ")),
        };
        Err(ProtocolError::Frozen { name: self.name.clone(), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::protocol::{OosQuery, ProtocolBuilder};

    fn open() -> ProtocolBuilder {
        Protocol::episodes().name("open").count(1_000).most(2_000)
    }

    fn frozen() -> Protocol {
        open().name("frozen").draw_sha256(&"ab".repeat(32)).build().unwrap()
    }

    fn episodes(episodes: u32) -> Overrides {
        Overrides { episodes: Some(episodes), ..Overrides::default() }
    }

    #[test]
    fn fewer_episodes_are_the_first_ones_of_the_same_draw() {
        for protocol in [open().build().unwrap(), frozen()] {
            let short = protocol.with(&episodes(10)).unwrap();
            assert_eq!((short.count(), short.first(), short.evaluated()), (1_000, Some(10), 10));
            assert_eq!((short.draw_sha256(), short.seed()), (protocol.draw_sha256(), protocol.seed()));
            assert_eq!(Protocol::parse(&short.to_toml(), "printed").unwrap(), short);
            assert_eq!(short.with(&episodes(1_000)).unwrap(), protocol);
            assert_eq!(protocol.with(&Overrides::default()).unwrap(), protocol);
        }
    }

    #[test]
    fn more_episodes_make_a_longer_draw_and_raise_most() {
        let protocol = open().build().unwrap();
        let longer = protocol.with(&episodes(1_500)).unwrap();
        assert_eq!((longer.count(), longer.first(), longer.most()), (1_500, None, Some(2_000)));
        let longest = protocol.with(&episodes(5_000)).unwrap();
        assert_eq!((longest.count(), longest.most()), (5_000, Some(5_000)));
        let plain = Protocol::episodes().count(10).build().unwrap();
        assert_eq!(plain.with(&episodes(20)).unwrap().most(), None);
    }

    #[test]
    fn sizes_and_seed_obey_the_rules_of_the_file() {
        let protocol = open().build().unwrap();
        let given = Overrides {
            way: Some(Way::All),
            shot: Some([1, 5].into()),
            query: Some(Query::All),
            seed: Some(9),
            ..Overrides::default()
        };
        assert!(Overrides::default().is_empty() && !given.is_empty() && !episodes(1).is_empty());
        let other = protocol.with(&given).unwrap();
        let expected = open().way(Way::All).shots([1, 5]).query(Query::All).seed(9);
        assert_eq!(other, expected.settings(protocol.settings().iter().copied()).build().unwrap());
        let said = |overrides: Overrides| protocol.with(&overrides).unwrap_err().to_string();
        let way = Overrides { way: Some(Way::Fixed(1)), ..Overrides::default() };
        assert_eq!(said(way), "protocol `open`: `way` must be 2 or more, got 1");
        let meta = Overrides { shot: Some(Shot::MetaDataset), ..Overrides::default() };
        assert!(said(meta).contains("all three or none"));
        assert_eq!(said(episodes(0)), "protocol `open`: `episodes` must be 1 or more, got 0");
        let many = "protocol `open`: `episodes` must be 10000000 or less, got 10000001";
        assert_eq!(said(episodes(10_000_001)), many);
    }

    #[test]
    fn a_frozen_draw_is_never_another_one() {
        let hint = "hint: take the line `sha256` out of the protocol, or take one of those that are for any features, \
                    such as any-5way-1shot";
        let said = |overrides: &Overrides| frozen().with(overrides).unwrap_err().to_string();
        let more = "protocol `frozen` has a frozen draw, it cannot have more than its 1000 episodes";
        assert_eq!(said(&episodes(1_001)), format!("{more}\n{hint}"));
        let other = Overrides { shot: Some(5.into()), seed: Some(8), ..Overrides::default() };
        let sentence = "protocol `frozen` has a frozen draw, it cannot have another `shot` and `seed`";
        assert_eq!(said(&other), format!("{sentence}\n{hint}"));
    }

    #[test]
    fn out_of_scope_queries_that_were_as_many_as_a_class_has_stay_so() {
        let oos = open().oos("oos").metrics([Metric::ACCURACY, Metric::AUROC]);
        let query = |builder: ProtocolBuilder| {
            let overrides = Overrides { query: Some(5.into()), ..Overrides::default() };
            builder.build().unwrap().with(&overrides).unwrap().oos().unwrap().query
        };
        assert_eq!(query(oos.clone()), OosQuery::PerEpisode(5));
        assert_eq!(query(oos.clone().query_oos(30)), OosQuery::PerEpisode(30));
        assert_eq!(query(oos.query_oos(OosQuery::All)), OosQuery::All);
    }
}
