//! The episodes on which thresholds are set: like those of a draw, with queries that are not its own.

use super::draw::Draw;
use super::error::SampleError;
use super::sampler;
use crate::data::ClassIndex;
use crate::protocol::Protocol;
use crate::vocab::ItemId;

/// The episodes that set the thresholds of a draw, without out-of-scope queries.
///
/// Where the protocol names a part for it: the episodes of the draw with the supports that they have, and all items of
/// that part as queries. Else: as many episodes of the validation classes, by the same rules and seed.
///
/// # Errors
/// The validation classes are too few or too small for the rules, or an episode has no query in the part.
pub fn threshold_draw(protocol: &Protocol, index: &ClassIndex, draw: &Draw) -> Result<Draw, SampleError> {
    let part = protocol.oos().and_then(|outside| outside.threshold_part.as_deref());
    let Some(part) = part else {
        return sampler::draw(&protocol.on_validation(), index);
    };
    let mut out = Draw::default();
    for episode in draw.episodes() {
        let mut groups: Vec<u32> = episode.all_support().iter().map(|item| index.group(*item)).collect();
        groups.sort_unstable();
        let may = |item: &&ItemId| {
            index.part(**item) == Some(part) && groups.binary_search(&index.group(**item)).is_err()
        };
        for (label, class) in episode.classes().iter().enumerate() {
            episode.support(label).iter().for_each(|item| out.push(*item));
            out.end_support(*class);
        }
        let before = out.items();
        for class in episode.classes() {
            index.class(*class).items.iter().filter(may).for_each(|item| out.push(*item));
            out.end_query();
        }
        if out.items() == before {
            let class = index.class(episode.class(0)).name.clone();
            let part = format!(" in part `{part}`");
            return Err(SampleError::PartTooSmall { class, part, items: 0, need: 1, side: "threshold" });
        }
        out.end_episode().map_err(|_| SampleError::TooLarge)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Class;
    use crate::episode::{check, draw};
    use crate::vocab::{ClassId, Split};

    /// Three novel classes, three of validation and one out of scope; of eight items each four are of part `a`, two of `b`
    /// and two of `c`.
    fn index() -> ClassIndex {
        let class = |c: u32| Class {
            name: if c == 6 { "oos".to_string() } else { format!("c{c}") },
            split: [Split::Novel, Split::Validation, Split::Oos][c as usize / 3],
            cluster: None,
            items: (8 * c..8 * c + 8).map(ItemId).collect(),
        };
        let parts = (0..56).map(|row| [0, 0, 0, 0, 1, 1, 2, 2][row % 8]).collect();
        ClassIndex::new((0..7).map(class).collect(), ["a", "b", "c"].map(String::from).into(), parts, vec![])
    }

    fn protocol(data: &str, query: &str) -> Protocol {
        let text = format!(
            "name = \"p\"\nversion = 1\nsource = \"a test\"\nsettings = [\"inductive\"]\n[data]\noos = \"oos\"\n{data}\n\
             [episode]\nway = 2\nshot = 1\nquery = {query}\n[draw]\ncount = 5\nseed = 7\n[report]\n\
             metrics = [\"oos-recall\"]\n"
        );
        Protocol::parse(&text, "p").unwrap()
    }

    #[test]
    fn queries_outside_are_drawn_beside_the_others_and_a_check_proves_them() {
        let (index, protocol) = (index(), protocol("", "3"));
        let drawn = draw(&protocol, &index).unwrap();
        for episode in drawn.episodes() {
            assert_eq!((episode.all_query().len(), episode.oos().len()), (6, 3));
            assert!(episode.oos().iter().all(|item| item.0 >= 48));
            assert!(episode.classes().iter().all(|class| class.0 < 3));
        }
        assert_eq!(check(&protocol, &drawn, &index), []);
        let text = drawn.to_csv(&index);
        assert_eq!(
            text.lines().nth(3).unwrap().split(',').take(4).collect::<Vec<_>>(),
            ["0", "oos", "oos", ""]
        );
        assert_eq!(Draw::parse(text.as_bytes(), "d", &index).unwrap(), drawn);
        let plain = protocol.on_validation();
        let said: Vec<String> = check(&plain, &drawn, &index).iter().map(ToString::to_string).collect();
        assert!(
            said.iter()
                .any(|s| s.starts_with("episode 0 has 3 out-of-scope queries, the protocol asks for 0"))
        );
    }

    #[test]
    fn the_same_classes_and_queries_are_drawn_with_queries_outside_and_without() {
        let index = index();
        let with = draw(&protocol("", "3"), &index).unwrap();
        let text = protocol("", "3").to_toml().replace("oos = \"oos\"\n", "");
        let text = text.replace("query_oos = 3\n", "").replace("oos-recall", "accuracy");
        let without = draw(&Protocol::parse(&text, "p").unwrap(), &index).unwrap();
        for (a, b) in with.episodes().zip(without.episodes()) {
            assert_eq!(
                (a.classes(), a.all_support(), a.all_query()),
                (b.classes(), b.all_support(), b.all_query())
            );
        }
    }

    #[test]
    fn without_a_part_thresholds_are_set_on_validation_classes() {
        let (index, protocol) = (index(), protocol("", "3"));
        let own = draw(&protocol, &index).unwrap();
        let other = threshold_draw(&protocol, &index, &own).unwrap();
        assert_eq!(other.len(), 5);
        for episode in other.episodes() {
            assert!(
                episode.classes().iter().all(|class| (3..6).contains(&class.0)) && episode.oos().is_empty()
            );
        }
    }

    #[test]
    fn with_a_part_the_supports_stay_and_the_queries_are_all_of_that_part() {
        let parts = "support_part = \"a\"\nquery_part = \"b\"\nthreshold_part = \"c\"";
        let (index, protocol) = (index(), protocol(parts, "\"all\""));
        let own = draw(&protocol, &index).unwrap();
        assert!(own.episodes().all(|e| e.oos() == [ItemId(52), ItemId(53)]));
        assert_eq!(check(&protocol, &own, &index), []);
        let other = threshold_draw(&protocol, &index, &own).unwrap();
        for (a, b) in own.episodes().zip(other.episodes()) {
            assert_eq!((a.classes(), a.all_support()), (b.classes(), b.all_support()));
            let ClassId(class) = b.class(1);
            assert_eq!(b.query(1), [ItemId(8 * class + 6), ItemId(8 * class + 7)]);
        }
    }

    #[test]
    fn what_the_dataset_lacks_is_told() {
        let other = protocol("", "9");
        let error = draw(&other, &index()).unwrap_err().to_string();
        assert!(error.starts_with("class c0 has 8 items, an episode needs 10 (shot 1 + query 9)"), "{error}");
        let text = protocol("", "3").to_toml();
        let said = |from: &str, to: &str| {
            let protocol = Protocol::parse(&text.replace(from, to), "p").unwrap();
            draw(&protocol, &index()).unwrap_err().to_string()
        };
        let none = "the dataset has no class `none`, the protocol takes out-of-scope queries from it";
        assert_eq!(said("\"oos\"", "\"none\""), none);
        let few = "class oos has 8 items, an episode needs 9 (query_oos 9)";
        assert_eq!(said("query_oos = 3", "query_oos = 9"), few);
    }
}
