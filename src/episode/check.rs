//! Proves that a protocol, a draw and a dataset agree, or says where they do not.

use super::draw::{Draw, Episode};
use super::finding::{Cases, Finding};
use super::pool::{Pools, own_classes};
use super::variable;
use super::write::rows;
use crate::data::{ClassIndex, seen_items};
use crate::protocol::{OosQuery, Protocol, Query, Shot, Way};
use crate::vocab::{ClassId, ItemId};

/// Where the draw, its protocol and the dataset disagree: each broken rule once, with its first case; empty is proof.
///
/// Near-duplicates are no matter of groups and so are not looked for here.
pub fn check(protocol: &Protocol, draw: &Draw, index: &ClassIndex) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Err(error) = Pools::of(protocol, index) {
        found.push(Finding::Unsampleable(error));
    }
    let (count, most) = (protocol.evaluated(), protocol.most());
    if !(count as usize..=most.unwrap_or(count) as usize).contains(&draw.len()) {
        let asked = most.map_or(count.to_string(), |most| format!("{count} to {most}"));
        found.push(Finding::OtherCount { found: draw.len(), asked });
    }
    let mut checker = Checker::new(protocol, index, found);
    draw.episodes().for_each(|episode| checker.episode(&episode));
    checker.found
}

/// Whether a draw of this hash is not the one that the protocol names; nothing where it names none.
pub fn check_hash(protocol: &Protocol, draw_sha256: &str) -> Option<Finding> {
    let asked = protocol.draw_sha256()?.to_string();
    let found = draw_sha256.to_string();
    (found != asked).then_some(Finding::OtherHash { found, asked })
}

struct Checker<'a> {
    protocol: &'a Protocol,
    index: &'a ClassIndex,
    found: Vec<Finding>,
    /// The classes that make the episodes, in order.
    own: Vec<ClassId>,
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
        let own = own_classes(protocol, index).unwrap_or_else(|_| index.of_split(protocol.split()).collect());
        Checker { protocol, index, found, own, home, named, groups: Vec::new() }
    }

    /// Adds a case to the finding of its kind, or begins that finding.
    fn note(&mut self, episode: &Episode<'_>, finding: impl FnOnce(Cases) -> Finding) {
        let new = finding(Cases::first(episode.number()));
        let kind = std::mem::discriminant(&new);
        match self.found.iter_mut().find(|f| std::mem::discriminant(*f) == kind).and_then(Finding::cases) {
            Some(cases) => cases.add(episode.number()),
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
        let outside_known = episode.oos().iter().all(|i| matches!(self.home.get(i.index()), Some(Some(_))));
        if !labels.clone().all(known) || !outside_known {
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
        self.oos(episode);
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
            let seen = self.protocol.seen_part().is_some() && split.sees(of.split);
            if !split.holds(of.split) && !seen {
                let (class, found) = (of.name.clone(), of.split);
                self.note(episode, |at| Finding::OtherSplit { at, class, found, asked: split });
            } else if !seen && self.protocol.classes().is_some() && self.own.binary_search(&class).is_err() {
                let class = of.name.clone();
                self.note(episode, |at| Finding::Unlisted { at, class });
            }
        }
        let oos = self.protocol.oos().and_then(|outside| self.index.find(&outside.class));
        let all = self.own.iter().filter(|class| Some(**class) != oos).count();
        let (least, most) = match self.protocol.way() {
            Way::Fixed(n) => (*n as usize, *n as usize),
            Way::All => (all, all),
            Way::Between { min, max } => (*min as usize, *max as usize),
            Way::MetaDataset => (variable::LEAST_WAY as usize, all.min(variable::MOST_WAY as usize)),
        };
        let generalised = self.protocol.seen_part().is_some();
        let is_seen = |class: &&ClassId| generalised && !split.holds(self.index.class(**class).split);
        let seen = episode.classes().iter().filter(is_seen).count();
        if generalised {
            let all = self.index.classes().iter().filter(|class| split.sees(class.split)).count();
            let asked = if *self.protocol.way() == Way::All { all } else { most };
            if seen != asked {
                let asked = format!("{asked} seen ones");
                self.note(episode, |at| Finding::OtherWay { at, found: seen, asked });
            }
        }
        let found = episode.way() - seen;
        if !(least..=most).contains(&found) {
            let asked = range(least, most);
            self.note(episode, |at| Finding::OtherWay { at, found, asked });
        }
    }

    /// No item twice in an episode, nor in two episodes where none may repeat.
    fn named_once(&mut self, episode: &Episode<'_>) {
        let mark = episode.number() + 1;
        let inside = episode.all_support().iter().chain(episode.all_query());
        for item in inside.chain(episode.oos()) {
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
            for item in episode.all_query().iter().chain(episode.oos()) {
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
        if let Some(part) = self.protocol.seen_part()
            && self.protocol.split().sees(self.index.class(episode.class(label)).split)
        {
            let held_out = seen_items(self.index, episode.class(label), part).held_out;
            for item in episode.query(label).iter().filter(|item| !held_out.contains(item)) {
                let (class, item) = self.whereabouts(*item);
                let (asked, side) = (part.to_string(), "query");
                self.note(episode, |at| Finding::OtherPart { at, class, item, side, asked });
            }
        }
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

    /// The out-of-scope queries: so many, of the class and part that the protocol names.
    fn oos(&mut self, episode: &Episode<'_>) {
        let found = episode.oos().len();
        let Some(rule) = self.protocol.oos() else {
            if found > 0 {
                self.note(episode, |at| Finding::OtherOos { at, found, asked: "0".to_string() });
            }
            return;
        };
        let Some(class) = self.index.find(&rule.class) else { return };
        for item in episode.oos() {
            if self.home[item.index()].is_none_or(|(home, _)| home != class) {
                let ((found, _), asked) = (self.whereabouts(*item), rule.class.clone());
                self.note(episode, |at| Finding::OosOfClass { at, found, asked });
            }
        }
        if let Some(parts) = self.protocol.parts() {
            for item in episode.oos().iter().filter(|i| self.index.part(**i) != Some(parts.query.as_str())) {
                let ((class, item), asked) = (self.whereabouts(*item), parts.query.clone());
                self.note(episode, |at| Finding::OtherPart { at, class, item, side: "query", asked });
            }
        }
        let asked = match rule.query {
            OosQuery::PerEpisode(query) => query as usize,
            OosQuery::All => self.possible_queries(class),
        };
        if found != asked {
            self.note(episode, |at| Finding::OtherOos { at, found, asked: asked.to_string() });
        }
    }

    /// How many items of a class can be queries beside the supports of the current episode.
    fn possible_queries(&self, class: ClassId) -> usize {
        if let Some(part) = self.protocol.seen_part()
            && self.protocol.split().sees(self.index.class(class).split)
        {
            return seen_items(self.index, class, part).held_out.len();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Class;
    use crate::episode::draw::tests::draw_of;
    use crate::episode::sha256;
    use crate::episode::{Maker, Severity};
    use crate::vocab::Split;

    /// Four classes of five items, the last of split base; rows 0 and 5 are of one group; part `a` is the first four
    /// items of each class.
    fn index() -> ClassIndex {
        let class = |c: u32| Class {
            name: format!("c{c}"),
            split: if c == 3 { Split::Base } else { Split::Novel },
            cluster: None,
            items: (5 * c..5 * c + 5).map(ItemId).collect(),
        };
        let groups = (0..20).map(|row| if row == 5 { 0 } else { row }).collect();
        let parts = (0..20).map(|row| u16::from(row % 5 == 4)).collect();
        ClassIndex::new((0..4).map(class).collect(), vec!["a".into(), "b".into()], parts, groups)
    }

    fn protocol(episode: &str, more: &str) -> Protocol {
        let text = format!(
            "name = \"p\"\nversion = 1\nsource = \"a test\"\nadmits = [\"inductive\"]\n[data]\n{more}\n\
             [episode]\n{episode}\n[draw]\ncount = 1\nseed = 7\n[report]\nmetrics = [\"accuracy\"]\n"
        );
        Protocol::parse(&text, "p").unwrap()
    }

    const FIXED: &str = "way = 2\nshot = 1\nquery = 2";

    /// What is said of a draw with one episode.
    fn said(protocol: &Protocol, episode: &[(u32, &[u32], &[u32])]) -> Vec<String> {
        check(protocol, &draw_of(&[episode]), &index()).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_draw_that_keeps_the_rules_is_proved() {
        assert_eq!(said(&protocol(FIXED, ""), &[(0, &[1], &[2, 3]), (1, &[7], &[8, 9])]), [""; 0]);
        let all = protocol("way = 2\nshot = 1\nquery = \"all\"", "");
        assert_eq!(said(&all, &[(0, &[0], &[1, 2, 3, 4]), (1, &[6], &[7, 8, 9])]), [""; 0]);
    }

    #[test]
    fn items_on_both_sides_are_found_once_with_all_their_cases() {
        let overlap = &[(0, &[1][..], &[1, 3][..]), (1, &[7], &[7, 9])];
        assert_eq!(
            said(&protocol(FIXED, ""), overlap),
            ["episode 0 names item 1 of class c0 twice (the first of 2 cases)"]
        );
        let duplicate = &[(0, &[0][..], &[1, 3][..]), (1, &[7], &[5, 9])];
        assert_eq!(
            said(&protocol(FIXED, ""), duplicate),
            ["in episode 0, query item 0 of class c1 is of one group with a support item"]
        );
    }

    #[test]
    fn classes_are_distinct_and_of_the_right_split() {
        assert_eq!(
            said(&protocol(FIXED, ""), &[(0, &[1], &[2, 3]), (3, &[15], &[16, 17])]),
            ["in episode 0, class c3 is of split base, the protocol asks for novel"]
        );
        assert_eq!(
            said(&protocol(FIXED, ""), &[(2, &[10], &[11, 12]), (2, &[13], &[14, 14])]),
            ["class c2 stands twice in episode 0", "episode 0 names item 4 of class c2 twice"]
        );
        assert_eq!(
            said(&protocol(FIXED, ""), &[(0, &[1], &[2, 3]), (1, &[2], &[8, 9])]),
            ["episode 0 names a class or an item that the dataset does not have"]
        );
    }

    #[test]
    fn sizes_are_those_of_the_protocol() {
        let sizes = &[(0, &[1, 2][..], &[3][..]), (1, &[7], &[8, 9]), (2, &[11], &[12, 13])];
        assert_eq!(
            said(&protocol(FIXED, ""), sizes),
            [
                "episode 0 has 3 classes, the protocol asks for 2",
                "in episode 0, class c0 has 2 support items, the protocol asks for 1",
                "in episode 0, class c0 has 1 query, the protocol asks for 2"
            ]
        );
        let total = protocol("way = 3\nshot = { min = 2, max = 3 }\nquery = { total = 6, alpha = 2 }", "");
        assert_eq!(
            said(&total, sizes),
            [
                "in episode 0, class c1 has 1 support item, the protocol asks for 2 to 3 (the first of 2 cases)",
                "in episode 0, the episode has 5 queries, the protocol asks for 6"
            ]
        );
        let all = protocol("way = \"all\"\nshot = 1\nquery = \"all\"", "");
        assert_eq!(
            said(&all, &[(0, &[0], &[1, 2, 3, 4]), (1, &[6], &[5, 7, 8]), (2, &[11], &[10, 12, 13, 14])]),
            ["in episode 0, query item 0 of class c1 is of one group with a support item"]
        );
    }

    #[test]
    fn items_are_of_their_parts() {
        let parts = protocol("way = 2\nshot = 1\nquery = 1", "support_part = \"a\"\nquery_part = \"b\"");
        assert_eq!(said(&parts, &[(0, &[1], &[4]), (1, &[7], &[9])]), [""; 0]);
        assert_eq!(
            said(&parts, &[(0, &[1], &[4]), (1, &[7], &[8])]),
            ["in episode 0, query item 3 of class c1 is not in part `b`"]
        );
    }

    #[test]
    fn repetition_count_and_hash_are_checked() {
        let protocol = protocol(&format!("{FIXED}\nrepeat = false"), "");
        let one: &[(u32, &[u32], &[u32])] = &[(0, &[1], &[2, 3]), (1, &[7], &[8, 9])];
        let two: &[(u32, &[u32], &[u32])] = &[(0, &[0], &[2, 4]), (2, &[11], &[12, 13])];
        let found = check(&protocol, &draw_of(&[one, two]), &index());
        let said: Vec<String> = found.iter().map(Finding::to_string).collect();
        assert_eq!(
            said,
            [
                "the draw has 2 episodes, the protocol asks for 1",
                "episode 1 repeats item 2 of class c0 from an earlier episode"
            ]
        );
        assert_eq!(check_hash(&protocol, &sha256(b"x")), None);
        let named =
            protocol.to_toml().replace("seed = 7", &format!("seed = 7\nsha256 = \"{}\"", sha256(b"x")));
        let named = Protocol::parse(&named, "p").unwrap();
        assert_eq!(check_hash(&named, &sha256(b"x")), None);
        assert!(
            check_hash(&named, &sha256(b"y")).unwrap().to_string().contains("the protocol names 2d711642")
        );
    }

    #[test]
    fn only_a_draw_made_elsewhere_is_let_pass_and_only_in_some_things() {
        let (lenient, strict) = (protocol(FIXED, ""), protocol(FIXED, "duplicates = \"refuse\""));
        let duplicate = draw_of(&[&[(0, &[0], &[1, 3]), (1, &[7], &[5, 9])]]);
        let found = check(&lenient, &duplicate, &index()).remove(0);
        assert_eq!((found.count(), found.episodes()), (1, 1));
        assert_eq!(found.severity(&lenient, Maker::Elsewhere), Severity::Warning);
        assert_eq!(found.severity(&strict, Maker::Elsewhere), Severity::Refused);
        assert_eq!(found.severity(&lenient, Maker::Sampler), Severity::Refused);
        let overlap = draw_of(&[&[(0, &[1], &[1, 3]), (1, &[7], &[8, 9])]]);
        let found = check(&lenient, &overlap, &index()).remove(0);
        assert_eq!(found.severity(&lenient, Maker::Elsewhere), Severity::Refused);
        let large = protocol("way = 2\nshot = 4\nquery = 2", "");
        let found = check(&large, &overlap, &index()).remove(0);
        let sentence = "class c0 has 5 items, an episode needs 6 (shot 4 + query 2); 2 other classes have too few, too: c1, c2";
        assert_eq!(found.to_string(), sentence);
        assert_eq!(found.severity(&large, Maker::Elsewhere), Severity::Warning);
    }
}
