//! Which classes are in which episode.

/// The classes of every episode, as numbers; or their clusters, where classes have such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    ends: Vec<usize>,
    units: Vec<u32>,
}

impl Members {
    /// Those of these episodes.
    ///
    /// ```
    /// let members = kshot::stats::Members::of(&[[3, 1], [1, 1]]);
    /// assert_eq!((members.episode(0), members.episode(1)), (&[1, 3][..], &[1][..]));
    /// ```
    pub fn of(episodes: &[impl AsRef<[u32]>]) -> Members {
        let mut members = Members::default();
        episodes.iter().for_each(|episode| members.push(episode.as_ref().iter().copied()));
        members
    }

    /// Adds an episode; what is named twice in it counts once.
    pub fn push(&mut self, units: impl IntoIterator<Item = u32>) {
        let start = self.units.len();
        self.units.extend(units);
        self.units[start..].sort_unstable();
        let mut kept = start;
        for place in start..self.units.len() {
            if kept == start || self.units[kept - 1] != self.units[place] {
                self.units[kept] = self.units[place];
                kept += 1;
            }
        }
        self.units.truncate(kept);
        self.ends.push(kept);
    }

    /// How many episodes there are.
    pub fn episodes(&self) -> usize {
        self.ends.len()
    }

    /// The classes of an episode, by rising number.
    pub fn episode(&self, place: usize) -> &[u32] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.units[start..self.ends[place]]
    }

    /// One more than the largest number that occurs.
    pub(super) fn bound(&self) -> usize {
        self.units.iter().max().map_or(0, |largest| *largest as usize + 1)
    }
}
