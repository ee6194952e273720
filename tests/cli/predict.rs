//! Predictions: a fixed support and items without labels, thresholds, saved classifiers, classes that are added.

use super::place::{Place, npy};

/// Three classes of four items around corners, in `support.csv`; `items.csv` of six items, the last of which are far from all.
fn place() -> Place {
    let place = Place::empty();
    let mut support = "class,split,f0,f1\n".to_string();
    for (class, x, y) in [("a", 0.0, 0.0), ("b", 9.0, 0.0), ("c", 0.0, 9.0)] {
        for item in 0..4 {
            let shift = f64::from(item) * 0.3;
            support += &format!("{class},novel,{},{}\n", x + shift, y - shift);
        }
    }
    place.write("support.csv", support);
    place.write("items.csv", "id,f0,f1\np,0.1,0.2\nq,9.2,0.1\nr,0.3,9.1\ns,8.8,-0.5\nt,30,30\nu,-30,25\n");
    place
}

/// Class and refusal of each item.
fn answers(place: &Place, folder: &str) -> Vec<(String, String, bool)> {
    let text = place.read(&format!("{folder}/predictions.csv"));
    let mut table = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(table.headers().unwrap(), vec!["item", "class", "probability", "confidence", "refused"]);
    table.records().map(|row| row.unwrap()).map(|r| (r[0].into(), r[1].into(), &r[4] == "true")).collect()
}

const SUPPORT: &str = "--features support.csv";

#[test]
fn items_are_labelled_and_far_ones_refused() {
    let place = place();
    let ran = place.done(&format!("predict items.csv {SUPPORT} --out p"));
    assert!(
        ran.out.starts_with("support: 3 classes, 12 items, learner prototypical\nthreshold: "),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(
        "from cross-validation inside the support; left out: 12 items of known classes, 100.0 % right"
    ));
    let found = answers(&place, "p");
    let classes: Vec<(&str, &str)> = found.iter().map(|(i, c, _)| (i.as_str(), c.as_str())).collect();
    assert_eq!(classes[..4], [("p", "a"), ("q", "b"), ("r", "c"), ("s", "b")]);
    assert_eq!(
        found.iter().map(|(_, _, refused)| *refused).collect::<Vec<_>>(),
        [false, false, false, false, true, true]
    );
    let record: serde_json::Value = serde_json::from_str(&place.read("p/predictions.json")).unwrap();
    assert_eq!((&record["items"], &record["refused"]), (&6.into(), &2.into()));
    assert_eq!(record["threshold_from"], "cross-validation inside the support");
    place.done(&format!("predict items.csv {SUPPORT} --threshold none --out q"));
    assert!(answers(&place, "q").iter().all(|(_, _, refused)| !refused));
    place.done(&format!("predict items.csv {SUPPORT} --threshold -1e9 --out r"));
    assert!(answers(&place, "r").iter().all(|(_, _, refused)| !refused));
}

#[test]
fn every_setting_answers() {
    let place = place();
    place.write("v.csv", "class,v0,v1\na,0,0\nb,9,0\nc,0,9\n");
    let learners = [
        "k-nn:k=3",
        "nearest-centroid:transform=cl2n",
        "svm",
        "bd-cspn",
        "class-embedding-cosine",
        "tip-adapter",
    ];
    for learner in learners {
        let embeddings = "--class-embeddings v.csv";
        let ran = place.done(&format!(
            "predict items.csv {SUPPORT} {embeddings} --learner {learner} --out p --overwrite"
        ));
        assert_eq!(answers(&place, "p").len(), 6, "{learner}");
        assert_eq!(ran.err.contains("is transductive"), learner == "bd-cspn", "{}", ran.err);
    }
    place.refuses(
        3,
        &format!("predict items.csv {SUPPORT} --learner tip-adapter --out n"),
        "learner `tip-adapter` needs class embeddings…",
    );
}

#[test]
fn a_saved_classifier_takes_more_classes_and_knows_its_files() {
    let place = place();
    place.done(&format!("predict {SUPPORT} --learner ridge --save kept"));
    place.done(&format!("predict items.csv {SUPPORT} --learner ridge --out p"));
    place.done("predict items.csv --load kept --out q");
    assert_eq!(place.read("p/predictions.csv"), place.read("q/predictions.csv"));
    place.write("more.csv", "class,f0,f1\nd,30,29\nd,31,30\nd,29,30\n");
    place.done("predict items.csv --load kept --features more.csv --out r --save kept-2");
    let (before, after) = (answers(&place, "q"), answers(&place, "r"));
    assert_eq!(after[4].1, "d");
    assert!(before[..4].iter().zip(&after).all(|(before, after)| before.1 == after.1));
    place.done("predict items.csv --load kept-2 --out s");
    assert_eq!(place.read("r/predictions.csv"), place.read("s/predictions.csv"));
    place.edit("kept/items.csv", "\na,", "\nb,");
    place.refuses(
        3,
        "predict items.csv --load kept --out t",
        "kept/classifier.toml: damaged or cut short: items.csv is not the file…",
    );
    place.refuses(
        2,
        "predict items.csv --load p --out t",
        "p is no saved classifier, it has no classifier.toml…",
    );
    place.refuses(
        2,
        "predict items.csv --load kept-2 --learner svm --out t",
        "--load brings its learner with it…",
    );
}

#[test]
fn a_threshold_is_set_on_validation_classes_too() {
    let place = place();
    let mut text = place.read("support.csv");
    for class in 0..6 {
        for item in 0..6 {
            text += &format!("v{class},validation,{},{}\n", class * 9 + item % 3, 20 + item);
        }
    }
    place.write("all.csv", text);
    let ran = place.done("predict items.csv --features all.csv --threshold validation --out p");
    assert!(ran.out.contains("from validation classes; left out: 300 items"), "{}", ran.out);
    place.done("predict items.csv --features all.csv --threshold validation --keep 0.9 --out q");
    let record: serde_json::Value = serde_json::from_str(&place.read("q/predictions.json")).unwrap();
    assert!((0.9..0.95).contains(&record["threshold"]["kept"].as_f64().unwrap()), "{record}");
    let few =
        "support `support` has 0 validation classes, of which four or more must have more than 4 items…";
    place.refuses(2, &format!("predict items.csv {SUPPORT} --threshold validation --out n"), few);
}

#[test]
fn what_cannot_be_predicted_is_one_sentence() {
    let place = place();
    place.refuses(2, "predict items.csv --out p", "no support is named…");
    place.refuses(2, &format!("predict {SUPPORT}"), "there is nothing to do…");
    place.refuses(2, &format!("predict items.csv {SUPPORT}"), "items go with --out DIR…");
    place.refuses(
        2,
        &format!("predict items.csv {SUPPORT} --learner nothing --out p"),
        "unknown learner `nothing`…",
    );
    place.refuses(3, &format!("predict none.csv {SUPPORT} --out p"), "none.csv: no such file or folder…");
    place.write("wide.csv", "f0,f1,f2\n1,2,3\n");
    place.refuses(
        2,
        &format!("predict wide.csv {SUPPORT} --out p"),
        "`support` holds 2 numbers of an item, `wide` holds 3 numbers…",
    );
    place.write("one.csv", "class,f0,f1\na,1,2\na,2,1\n");
    place.refuses(
        2,
        "predict items.csv --features one.csv --out p",
        "support `one` has 1 class of split novel…",
    );
    place.write("single.csv", "class,f0,f1\na,1,2\nb,2,1\n");
    let ran = place.done("predict items.csv --features single.csv --out p");
    assert!(
        ran.err.contains("one item per class cannot be cross-validated")
            && ran.out.contains("threshold: none")
    );
    place.refuses(2, &format!("predict items.csv {SUPPORT} --out p"), "p/predictions.csv is there already…");
    let unread = place.run(&format!("predict items.csv {SUPPORT} --threshold high --out p"));
    assert_eq!(unread.code, 2);
    place.write("x.npy", npy("<f4", "(1, 2)", &[0, 0, 0, 0, 0, 0, 128, 63]));
    place.done(&format!("predict x.npy {SUPPORT} --out bare"));
    assert_eq!(answers(&place, "bare")[0].0, "row:0");
}

#[test]
fn photographs_go_through_the_network_of_the_support_from_folders_without_classes() {
    let place = Place::empty();
    let drawing = |name: &str, class: u8, item: u8| {
        let mut samples = vec![255u8; 28 * 28];
        for step in 4..24usize {
            let spot = if class == 0 { 28 * step + 13 } else { 28 * 13 + step };
            samples[spot + usize::from(item % 3)] = 0;
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 28, 28);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&samples).unwrap();
        place.write(name, bytes);
    };
    for item in 0..3 {
        drawing(&format!("known/upright/{item}.png"), 0, item);
        drawing(&format!("known/flat/{item}.png"), 1, item);
    }
    drawing("asked/deep/x.png", 1, 2);
    drawing("asked/y.png", 0, 1);
    let network = "--backbone conv4:weights=conv4-glyphs --cache cache";
    let support = "--features folder:known,dark=lines";
    let ran = place.done(&format!("predict asked {support} {network} --out p --save kept"));
    assert!(ran.err.is_empty() || !ran.err.contains("warning"), "{}", ran.err);
    let found: Vec<(String, String)> = answers(&place, "p").into_iter().map(|(i, c, _)| (i, c)).collect();
    assert_eq!(found, [("deep/x.png".into(), "flat".into()), ("y.png".to_string(), "upright".to_string())]);
    place.done("predict asked --load kept --cache cache --out q");
    assert_eq!(place.read("p/predictions.csv"), place.read("q/predictions.csv"));
    let other =
        place.run("predict asked --load kept --backbone conv4:weights=random:1 --cache cache --out r");
    assert_eq!(other.code, 2);
    assert!(other.err.contains("with other weights or preprocessing"), "{}", other.err);
}
