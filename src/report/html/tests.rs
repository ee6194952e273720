//! The page and its plots are parsed, and every section is where it should be.

use std::path::Path;

use super::*;
use crate::metric::Metric;
use crate::report::compare::{Bits, Options, compare, entries};
use crate::results::fixtures::Made;

fn read(made: &Made) -> ResultsFolder {
    let folder = tempfile::tempdir().unwrap();
    made.write(folder.path());
    let mut read = ResultsFolder::read(folder.path()).unwrap();
    read.path = Path::new("results/small").to_path_buf();
    read
}

fn made() -> Made {
    Made { shots: vec![0, 1, 5], ..Made::default() }
}

fn none() -> Hard {
    Hard::Absent("the items are no images".to_string())
}

fn hard() -> Hard {
    let picture = Picture { width: 2, height: 2, channels: 1, pixels: vec![0, 255, 255, 0] };
    let wrong = vec![WrongItem { picture: picture.clone(), predicted: "a < b".to_string() }];
    let class = HardClass { name: "x & y".to_string(), support: vec![picture], wrong, queries: 4 };
    Hard::Shown(HardEpisode { title: "episode 3 of good".to_string(), classes: vec![class] })
}

fn page_of(made: &Made, hard: &Hard) -> Page {
    let folders = [read(made)];
    let options =
        Options { metric: Metric::ACCURACY, baseline: None, margin: Some(0.005.into()), rounds: 99 };
    let bits = |_| -> Bits { Box::new(|| 0x5555_aaaa_3333_cccc) };
    let comparison = compare(&entries(&folders), &options, &bits).ok();
    page(&Request { folders: &folders, comparison: comparison.as_ref(), hard }).unwrap()
}

/// The page without what XML does not know, so that a strict parser sees every unclosed tag.
fn parsed(html: &str) -> roxmltree::Document<'_> {
    let body = html.strip_prefix("<!DOCTYPE html>\n").unwrap();
    roxmltree::Document::parse(body).unwrap()
}

#[test]
fn the_page_is_well_formed_and_holds_every_section() {
    let page = page_of(&made(), &hard());
    let document = parsed(&page.html);
    let count = |name: &str| document.descendants().filter(|node| node.tag_name().name() == name).count();
    assert_eq!(count("svg"), page.plots.len());
    assert_eq!(count("script"), 0);
    assert_eq!(count("img"), 2);
    let kinds = ["accuracy", "differences", "episodes", "classes", "reliability"];
    for kind in kinds {
        assert_eq!(page.plots.iter().filter(|plot| plot.name.ends_with(kind)).count(), 3, "{kind}");
    }
    assert_eq!(page.plots.iter().filter(|plot| plot.name.ends_with("shots")).count(), 1);
    let text: String = document.descendants().filter_map(|node| node.text()).collect();
    for part in [
        "Results of small",
        "What can be claimed",
        "What was run",
        "A hard episode",
        "x & y",
        "taken for a < b",
        "draw-one",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn nothing_comes_from_outside() {
    let page = page_of(&made(), &hard());
    let document = parsed(&page.html);
    for node in document.descendants() {
        for attribute in node.attributes().filter(|attribute| ["src", "href"].contains(&attribute.name())) {
            assert!(attribute.value().starts_with("data:"), "{}", attribute.value());
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn plots_follow_the_page_and_their_files_do_not() {
    let page = page_of(&made(), &none());
    for plot in &page.plots {
        let inline = plot.figure();
        assert!(!inline.contains("=\"#"), "{} has a colour of its own: {inline}", plot.name);
        let file = plot.file();
        let document = roxmltree::Document::parse(&file).unwrap();
        let svg = document.root_element();
        assert_eq!(svg.attribute("width"), Some("480"));
        assert_eq!(svg.attribute("aria-label"), Some(plot.label.as_str()));
        assert!(!file.contains("var("));
        let shown = svg.descendants().filter(|node| {
            ["circle", "polyline", "rect", "polygon", "line"].contains(&node.tag_name().name())
        });
        assert!(shown.count() > 3, "{} is empty", plot.name);
    }
}

#[test]
fn text_and_marks_stay_inside_the_picture() {
    let page = page_of(&made(), &none());
    for plot in &page.plots {
        let file = plot.file();
        let document = roxmltree::Document::parse(&file).unwrap();
        let svg = document.root_element();
        let size = |name| svg.attribute(name).unwrap().parse::<f64>().unwrap();
        for node in svg.descendants().filter(|node| ["circle", "text"].contains(&node.tag_name().name())) {
            let at = |names: [&str; 2]| {
                names.iter().find_map(|name| node.attribute(*name)).unwrap().parse::<f64>().unwrap()
            };
            let (x, y) = (at(["cx", "x"]), at(["cy", "y"]));
            assert!(
                (0.0..=size("width")).contains(&x) && (0.0..=size("height")).contains(&y),
                "{}: {x} {y}",
                plot.name
            );
        }
    }
}

#[test]
fn the_axis_of_shots_is_logarithmic_and_has_room_for_zero() {
    let page = page_of(&made(), &none());
    let plot = page.plots.iter().find(|plot| plot.name.ends_with("shots")).unwrap();
    let file = plot.file();
    let document = roxmltree::Document::parse(&file).unwrap();
    let labels: Vec<(&str, f64)> = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")))
        .filter_map(|node| Some((node.text()?.trim(), node.attribute("x")?.parse().ok()?)))
        .collect();
    let at =
        |label: &str| labels.iter().find(|(text, x)| *text == label && *x > 60.0).map(|(_, x)| *x).unwrap();
    let (zero, one, five) = (at("0"), at("1"), at("5"));
    assert!((five - one) / (one - zero) > 2.2 && (five - one) / (one - zero) < 2.45, "{zero} {one} {five}");
}

#[test]
fn a_single_learner_has_a_page_without_differences() {
    let page = page_of(&Made { learners: vec![("alone", "1", 0.6)], ..Made::default() }, &none());
    assert!(page.plots.iter().all(|plot| !plot.name.ends_with("differences")));
    assert!(!page.html.contains("What can be claimed"));
    assert!(page.html.contains("No hard episode in pictures: the items are no images."));
    parsed(&page.html);
}

#[test]
fn a_learner_has_one_colour_in_every_plot() {
    // `a` only ranks and is not in the reliability diagram, so places among those drawn would differ.
    let made = Made { learners: vec![("a", "1", 0.6), ("b", "1", 0.7), ("c", "1", 0.8)], ..Made::default() };
    let mut folders = [read(&made)];
    folders[0].tables[0].bins.clear();
    let page = page(&Request { folders: &folders, comparison: None, hard: &none() }).unwrap();
    let legend = |kind: &str, name: &str| {
        let file = page.plots.iter().find(|plot| plot.name.ends_with(kind)).unwrap().file();
        let document = roxmltree::Document::parse(&file).unwrap();
        let nodes: Vec<_> = document.root_element().children().filter(|node| node.is_element()).collect();
        let place =
            nodes.iter().position(|node| node.text().is_some_and(|text| text.trim() == name)).unwrap();
        let drawn = &nodes[..place];
        let colour = drawn.iter().rev().find_map(|node| {
            [node.attribute("fill"), node.attribute("stroke")]
                .into_iter()
                .flatten()
                .find(|c| c.starts_with('#'))
        });
        colour.unwrap().to_string()
    };
    for name in ["store+b", "store+c"] {
        assert_eq!(legend("classes", name), legend("reliability", name), "{name}");
    }
    assert_ne!(legend("classes", "store+b"), legend("classes", "store+c"));
}

#[test]
fn bins_of_the_distribution_hold_as_many_counts_each() {
    let folder = read(&Made::default());
    let mut table = folder.tables[0].clone();
    table.total = vec![25; 26];
    table.correct = (0..26).collect();
    let bars = plots::bars(&table);
    assert_eq!(bars.len(), 13);
    assert!(bars.iter().all(|(_, _, share)| (share - 2.0 / 26.0).abs() < 1e-12), "{bars:?}");
    assert_eq!((bars[0].0, bars[12].1), (0.0, 100.0));
    table.total[3] = 24;
    assert_eq!(plots::bars(&table).len(), 20);
}
