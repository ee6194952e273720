//! `kshot report`: one page, and its plots as files.

use super::place::Place;

/// Glyphs are images; with queries, a hard episode can be shown.
fn evaluated(more: &str) -> Place {
    let place = Place::new();
    place.edit("p.toml", "count = 2", "count = 30");
    place.edit("p.toml", "shot  = 1", "shot  = [1, 5]");
    place.done(&format!(
        "evaluate p.toml --features glyphs --learner prototypical --learner ridge {more} --out out"
    ));
    place
}

#[test]
fn the_page_stands_alone_and_shows_everything() {
    let place = evaluated("--queries");
    let said = place.done("report out --out pages/page.html --plots plots").out;
    assert!(said.starts_with("report: pages/page.html\nplots: 11 in plots"), "{said}");
    let page = place.read("pages/page.html");
    let document = roxmltree::Document::parse(page.strip_prefix("<!DOCTYPE html>\n").unwrap()).unwrap();
    let count = |name: &str| document.descendants().filter(|node| node.tag_name().name() == name).count();
    assert_eq!((count("svg"), count("script")), (11, 0));
    assert!(count("img") > 10, "{}", count("img"));
    for node in document.descendants() {
        for attribute in node.attributes().filter(|attribute| ["src", "href"].contains(&attribute.name())) {
            assert!(attribute.value().starts_with("data:"), "{}", attribute.value());
        }
    }
    let text: String = document.descendants().filter_map(|node| node.text()).collect();
    for part in [
        "Results of p",
        "What can be claimed",
        "Paired differences from",
        "Distribution of episode accuracies",
        "hardest",
        "Reliability",
        "accuracy against shots, on a logarithmic axis",
        "A hard episode",
        "taken for",
        "What was run",
        "kshot",
        "sha256",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let svg: Vec<_> =
        place.files().into_keys().filter(|path| path.extension().is_some_and(|e| e == "svg")).collect();
    assert_eq!(svg.len(), 11);
    for path in svg {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(roxmltree::Document::parse(&text).unwrap().root_element().tag_name().name(), "svg");
    }
    assert_eq!(
        said.contains("(SVG alone: PNG needs a build with --features plots-png)"),
        !cfg!(feature = "plots-png")
    );
}

#[cfg(feature = "plots-png")]
#[test]
fn plots_come_as_png_too() {
    let place = evaluated("");
    place.done("report out --out page.html --plots plots");
    let png: Vec<_> =
        place.files().into_keys().filter(|path| path.extension().is_some_and(|e| e == "png")).collect();
    assert_eq!(png.len(), 11);
    for path in png {
        let mut reader = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, 960);
        let ink = pixels.iter().filter(|value| **value < 128).count();
        assert!(ink > 1000, "{} is nearly empty: {ink}", path.display());
    }
}

#[test]
fn without_queries_the_page_says_why_no_episode_is_shown() {
    let place = evaluated("");
    place.done("report out --out page.html");
    let page = place.read("page.html");
    let reason = "the results hold no single queries, which `evaluate --queries` writes";
    assert!(page.contains(&format!("No hard episode in pictures: {reason}.")));
    place.refuses(
        2,
        "report out --features glyphs --out other.html",
        "no result has both queries.csv and the features glyphs…",
    );
}

#[test]
fn items_that_are_no_images_are_not_pictured() {
    let place = Place::new();
    place.done("evaluate p.toml --features store --draw draw.csv --learner ridge --queries --out out");
    place.done("report out --out page.html");
    let reason = "pictures need items that are images, those of store are of form `vector`";
    assert!(place.read("page.html").contains(&format!("No hard episode in pictures: {reason}.")));
    place.refuses(2, "report out --features store --out other.html", reason);
}

#[test]
fn a_page_or_a_plot_that_is_there_is_not_replaced() {
    let place = evaluated("");
    place.done("report out --out page.html --plots plots");
    let end = "is there already\nhint: name another place, or give --overwrite";
    place.refuses(2, "report out --out page.html", &format!("./page.html {end}"));
    place.refuses(
        2,
        "report out --out new.html --plots plots",
        "plots/01-p-shot-1-accuracy.svg is there already…",
    );
    place.done("report out --out page.html --plots plots --overwrite");
    place.refuses(2, "report out --out plots", "--out must name a file, got plots");
    place.refuses(
        2,
        "report out --out new.html --baseline best",
        "baseline `best` is not in the results, expected one of pixels+prototypical, pixels+ridge",
    );
}
