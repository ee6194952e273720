//! Proves that a protocol, a draw and a dataset agree, or says where they do not.

use super::draw::{Draw, Episode};
use super::finding::{Cases, Finding};
use super::pool::Pools;
use super::variable;
use super::write::{rows, sha256};
use crate::data::ClassIndex;
use crate::protocol::{Protocol, Query, Shot, Way};
use crate::vocab::{ClassId, ItemId};

/// Where the draw, its protocol and the dataset disagree: each broken rule once, with its first case; empty is proof.
///
/// Near-duplicates are no matter of groups and so are not looked for here.
pub fn check(protocol: &Protocol, draw: &Draw, index: &ClassIndex) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Err(error) = Pools::of(protocol, index) {
        found.push(Finding::Unsampleable(error));
    }
    let (count, most) = (protocol.count(), protocol.most());
    if !(count as usize..=most.unwrap_or(count) as usize).contains(&draw.len()) {
        let asked = most.map_or(count.to_string(), |most| format!("{count} to {most}"));
        found.push(Finding::OtherCount { found: draw.len(), asked });
    }
    let mut checker = Checker::new(protocol, index, found);
    draw.episodes().for_each(|episode| checker.episode(&episode));
    checker.found
}

/// Whether these bytes of a draw's file are not the ones that the protocol names; nothing where it names none.
pub fn check_hash(protocol: &Protocol, bytes: &[u8]) -> Option<Finding> {
    let asked = protocol.draw_sha256()?.to_string();
    let found = sha256(bytes);
    (found != asked).then_some(Finding::OtherHash { found, asked })
}

struct Checker<'a> {
    protocol: &'a Protocol,
    index: &'a ClassIndex,
    found: Vec<Finding>,
    /// Per item row, its class and its place in it.
    home: Vec<Option<(ClassId, u32)>>,
    /// Per item row, one more than the number of the last episode that named it; 0 where none did.
    named: Vec<u32>,
    /// The groups of the current episode's supports, sorted.
    groups: Vec<u32>,
}

impl<'a> Checker<'a> {
    fn new(protocol: &'a Protocol, index: &'a ClassIndex, found: Vec<Finding>) -> Checker<'a> {
        let mut home = vec![None; rows(index)];
        for (class, id) in index.classes().iter().zip((0..).map(ClassId)) {
            class.items.iter().zip(0..).for_each(|(item, place)| home[item.index()] = Some((id, place)));
        }
        let named = vec![0; home.len()];
        Checker { protocol, index, found, home, named, groups: Vec::new() }
    }

    /// Adds a case to the finding of its kind, or begins that finding.
    fn note(&mut self, episode: &Episode<'_>, finding: impl FnOnce(Cases) -> Finding) {
        let new = finding(Cases { episode: episode.number(), count: 1 });
        let kind = std::mem::discriminant(&new);
        match self.found.iter_mut().find(|f| std::mem::discriminant(*f) == kind).and_then(Finding::cases) {
            Some(cases) => cases.count += 1,
            None => self.found.push(new),
        }
    }

    fn name(&self, class: ClassId) -> String {
        self.index.class(class).name.clone()
    }

    fn episode(&mut self, episode: &Episode<'_>) {
        let at_home = |class: ClassId, items: &[ItemId]| {
            items.iter().all(|i| matches!(self.home.get(i.index()), Some(Some((c, _))) if *c == class))
        };
        let labels = 0..episode.way();
        let known = |label: usize| {
            let class = episode.class(label);
            class.index() < self.index.classes().len()
                && at_home(class, episode.support(label))
                && at_home(class, episode.query(label))
        };
        if !labels.clone().all(known) {
            return self.note(episode, |at| Finding::Foreign { at });
        }
        self.classes(episode);
        self.named_once(episode);
        self.apart(episode);
        for label in labels {
            self.parts(episode, label);
            self.shot(episode, label);
        }
        self.meta_dataset_support(episode);
        self.queries(episode);
    }

    fn classes(&mut self, episode: &Episode<'_>) {
        let split = self.protocol.split();
        let mut classes = episode.classes().to_vec();
        classes.sort_unstable();
        for pair in classes.windows(2).filter(|pair| pair[0] == pair[1]) {
            let class = self.name(pair[0]);
            self.note(episode, |at| Finding::ClassTwice { at, class });
        }
        for class in classes {
            let of = self.index.class(class);
            if of.split != split {
                let (class, found) = (of.name.clone(), of.split);
                self.note(episode, |at| Finding::OtherSplit { at, class, found, asked: split });
            }
        }
        let all = self.index.of_split(split).count();
        let (least, most) = match self.protocol.way() {
            Way::Fixed(n) => (*n as usize, *n as usize),
            Way::All => (all, all),
            Way::Between { min, max } => (*min as usize, *max as usize),
            Way::MetaDataset => (variable::LEAST_WAY as usize, all.min(variable::MOST_WAY as usize)),
        };
        let found = episode.way();
        if !(least..=most).contains(&found) {
            let asked = range(least, most);
            self.note(episode, |at| Finding::OtherWay { at, found, asked });
        }
    }

    /// No item twice in an episode, nor in two episodes where none may repeat.
    fn named_once(&mut self, episode: &Episode<'_>) {
        let mark = episode.number() + 1;
        for item in episode.all_support().iter().chain(episode.all_query()) {
            let before = std::mem::replace(&mut self.named[item.index()], mark);
            let again = before == mark;
            if again || (before != 0 && !self.protocol.repeat()) {
                let (class, item) = self.whereabouts(*item);
                self.note(episode, |at| match again {
                    true => Finding::Overlap { at, class, item },
                    false => Finding::Repeated { at, class, item },
                });
            }
        }
    }

    /// No group on both sides. A query that is itself in the support is another finding.
    fn apart(&mut self, episode: &Episode<'_>) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.clear();
        groups.extend(episode.all_support().iter().map(|i| self.index.group(*i)));
        groups.sort_unstable();
        if self.index.has_groups() {
            for item in episode.all_query() {
                let shared = groups.binary_search(&self.index.group(*item)).is_ok();
                if shared && !episode.all_support().contains(item) {
                    let (class, item) = self.whereabouts(*item);
                    self.note(episode, |at| Finding::Duplicate { at, class, item });
                }
            }
        }
        self.groups = groups;
    }

    fn parts(&mut self, episode: &Episode<'_>, label: usize) {
        let Some(parts) = self.protocol.parts() else { return };
        for (side, items, part) in [
            ("support", episode.support(label), &parts.support),
            ("query", episode.query(label), &parts.query),
        ] {
            for item in items.iter().filter(|i| self.index.part(**i) != Some(part.as_str())) {
                let (class, item) = self.whereabouts(*item);
                let asked = part.clone();
                self.note(episode, |at| Finding::OtherPart { at, class, item, side, asked });
            }
        }
    }

    fn shot(&mut self, episode: &Episode<'_>, label: usize) {
        let (least, most) = match self.protocol.shot() {
            Shot::Nested(shots) => {
                let all = shots.last().copied().unwrap_or(0) as usize;
                (all, all)
            }
            Shot::Between { min, max } => (*min as usize, *max as usize),
            Shot::MetaDataset => (1, variable::MOST_SUPPORT as usize),
        };
        let found = episode.support(label).len();
        if !(least..=most).contains(&found) {
            let (class, asked) = (self.name(episode.class(label)), range(least, most));
            self.note(episode, |at| Finding::OtherShot { at, class, found, asked });
        }
    }

    fn meta_dataset_support(&mut self, episode: &Episode<'_>) {
        let (found, most) = (episode.all_support().len(), variable::MOST_SUPPORT as usize);
        if *self.protocol.shot() == Shot::MetaDataset && found > most {
            let (class, asked) = ("all of them together".to_string(), format!("at most {most}"));
            self.note(episode, |at| Finding::OtherShot { at, class, found, asked });
        }
    }

    fn queries(&mut self, episode: &Episode<'_>) {
        if let Query::Dirichlet { total, .. } = self.protocol.query() {
            let found = episode.all_query().len();
            if found != *total as usize {
                let (whose, asked) = ("the episode".to_string(), total.to_string());
                self.note(episode, |at| Finding::OtherQuery { at, whose, found, asked });
            }
            return;
        }
        let sizes: Vec<u32> =
            episode.classes().iter().map(|c| self.index.class(*c).items.len() as u32).collect();
        for label in 0..episode.way() {
            let asked = match self.protocol.query() {
                Query::PerClass(query) => *query as usize,
                Query::MetaDataset => variable::query(&sizes) as usize,
                _ => self.possible_queries(episode.class(label)),
            };
            let found = episode.query(label).len();
            if found != asked {
                let whose = format!("class {}", self.name(episode.class(label)));
                let asked = asked.to_string();
                self.note(episode, |at| Finding::OtherQuery { at, whose, found, asked });
            }
        }
    }

    /// How many items of a class can be queries beside the supports of the current episode.
    fn possible_queries(&self, class: ClassId) -> usize {
        let part = self.protocol.parts().map(|p| p.query.as_str());
        let items = self.index.class(class).items.iter();
        items
            .filter(|i| part.is_none() || self.index.part(**i) == part)
            .filter(|i| self.groups.binary_search(&self.index.group(**i)).is_err())
            .count()
    }

    /// The class of an item by name, and its place there.
    fn whereabouts(&self, item: ItemId) -> (String, usize) {
        let (class, place) = self.home[item.index()].unwrap_or((ClassId(0), 0));
        (self.name(class), place as usize)
    }
}

fn range(least: usize, most: usize) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}
