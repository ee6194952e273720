//! What `embed` writes and refuses, and `evaluate` with a network.

use super::place::Place;

#[cfg(not(feature = "text"))]
#[test]
fn a_build_without_sentence_encoders_says_so_in_one_sentence() {
    let place = Place::empty();
    place.write("t.csv", "text,class\nhello,a\n");
    let sentence = "this build has no sentence encoders, which texts need\nhint: build with --features text";
    place.refuses(2, "embed t.csv --backbone bert --weights net --out store", sentence);
}

#[test]
fn a_network_must_be_named_and_known() {
    let place = Place::empty();
    place.write("t.csv", "text,class\nhello,a\n");
    let none = "no network is named\nhint: add --backbone NAME, see `kshot list backbones`";
    place.refuses(2, "embed t.csv --out store", none);
    place.refuses(
        2,
        "embed t.csv --backbone word2vec --out store",
        "unknown backbone `word2vec`, expected one of …",
    );
    let known = place.done("list backbones").out;
    assert!(known.contains("bert\n    sentence encoder") && known.contains("conv4\n"), "{known}");
    assert!(place.done("list datasets").out.contains("\nclinc150\n    150 intents"));
}

#[cfg(feature = "text")]
mod with_text {
    use std::fs;
    use std::path::Path;

    use super::Place;

    const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");

    /// Five sentences of each of four classes, in two parts; one of them is longer than the encoder reads.
    const TEXTS: &str = "text,class,part,split
where is my card,card_lost,train,novel
my card,card_lost,train,novel
is it my card,card_lost,train,novel
where is it where is it where is it where is it my card,card_lost,test,novel
where card,card_lost,test,novel
freeze my card,freeze_it,train,novel
freeze it,freeze_it,train,novel
freeze it ?,freeze_it,train,novel
freeze cards,freeze_it,test,novel
freeze my cards,freeze_it,test,novel
is it,is_it,train,base
is it is it,is_it,train,base
it is,is_it,train,base
is it ?,is_it,test,base
is it it,is_it,test,base
why,oos,train,oos
why ?,oos,train,oos
why why,oos,train,oos
why why ?,oos,test,oos
why why why,oos,test,oos
";

    const PROTOCOL: &str = r#"name = "p"
version = 1
source = "a test, 2026"
settings = ["inductive", "zero-shot"]
[data]
split = "all"
support_part = "train"
query_part = "test"
[episode]
way = "all"
shot = 2
query = "all"
[draw]
count = 4
seed = 7
[report]
metrics = ["accuracy"]
"#;

    fn place() -> Place {
        let place = Place::empty();
        place.write("t.csv", TEXTS);
        place.write("p.toml", PROTOCOL);
        for entry in fs::read_dir(FIXTURE).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name != "expected.json" && name != "make_fixture.py" {
                place.write(&format!("net/{name}"), fs::read(&path).unwrap());
            }
        }
        place
    }

    fn matrix(path: &Path, dim: usize) -> Vec<f32> {
        let bytes = fs::read(path).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert!(String::from_utf8_lossy(&bytes[..header]).contains(&format!(", {dim})")));
        bytes[header..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    #[test]
    fn texts_become_a_store_with_parts_splits_class_vectors_and_their_origin() {
        let place = place();
        let ran = place.done("embed texts:t.csv --backbone bert --weights net --dtype f32 --out store");
        assert_eq!(ran.out, "store: 20 items of 16 numbers\n");
        assert_eq!(
            ran.err,
            "embedding t: 20 items\nwarning: 1 of 20 items was longer than the network reads, and cut\n"
        );
        assert!(place.read("store/items.csv").starts_with("class,part,id\ncard_lost,train,row:0\n"));
        assert_eq!(
            place.read("store/splits.csv"),
            "class,split\ncard_lost,novel\nfreeze_it,novel\nis_it,base\noos,oos\n"
        );
        let about = place.read("store/store.toml");
        for line in
            ["backbone = \"bert:net\"", "truncated = 1", "texts = \"label names\"", "templates = [\"{}\"]"]
        {
            assert!(about.contains(line), "{about}");
        }
        // The vector of `is_it` is that of the sentence `is it`, its first.
        let (features, vectors) = (
            matrix(&place.path("store/features.npy"), 16),
            matrix(&place.path("store/class_embeddings.npy"), 16),
        );
        assert_eq!((features.len(), vectors.len()), (20 * 16, 4 * 16));
        let far = features[10 * 16..11 * 16].iter().zip(&vectors[2 * 16..3 * 16]).map(|(a, b)| (a - b).abs());
        assert!(far.fold(0.0, f32::max) < 1e-6);

        let half = place.done("embed t.csv --backbone bert --weights net --out half");
        assert!(half.out.starts_with("half: 20 items"));
        assert_eq!(place.read("half/store.toml"), about);
        let taken = "store/features.npy is there already\nhint: name another place, or give --overwrite";
        place.refuses(2, "embed t.csv --backbone bert --weights net --out store", taken);
        place.done("embed t.csv --backbone bert --weights net --out store --overwrite");
    }

    #[test]
    fn supports_come_from_one_part_and_queries_from_the_other() {
        let place = place();
        place.done("embed t.csv --backbone bert --weights net --out store");
        let ran = place.done("evaluate p.toml --features store --learner prototypical --out r --queries");
        assert!(
            ran.err.contains("warning: store: 1 items were longer than the network reads"),
            "{}",
            ran.err
        );
        let draw = place.read("r/draw.csv");
        // Three classes in each of four draws; items 0 to 2 of a class are of part train, 3 and 4 of part test.
        let lines: Vec<&str> = draw.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines.len(), 13);
        for line in &lines[1..] {
            let cells: Vec<&str> = line.split(',').collect();
            assert!(cells[3].split(' ').all(|item| ["0", "1", "2"].contains(&item)), "{line}");
            assert_eq!(cells[4], "3 4");
        }
        assert!(!draw.contains("oos") && !place.read("r/queries.csv").contains("oos"));
        let run: serde_json::Value = serde_json::from_str(&place.read("r/run.json")).unwrap();
        let vectors = &run["protocols"][0]["class_embeddings"];
        assert_eq!(
            (vectors["texts"].as_str(), vectors["templates"][0].as_str()),
            (Some("label names"), Some("{}"))
        );
        assert_eq!(vectors["sha256"].as_str().unwrap().len(), 64);
        let summary = place.read("r/summary.csv");
        assert!(summary.contains(",bert:net,unknown,all,2,") && summary.contains(",all,4,3,accuracy,"));
    }

    #[test]
    fn templates_and_descriptions_make_the_class_vectors_and_stand_in_the_results() {
        let place = place();
        place.write(
            "d.csv",
            "class,description\ncard_lost,where is it\nfreeze_it,freeze it\nis_it,is it\nis_it,it\n",
        );
        let base = "embed t.csv --backbone bert --weights net --dtype f32";
        place.done(&format!("{base} --descriptions d.csv --out plain"));
        let mut command = place.command(&format!("{base} --descriptions d.csv --out with --template {{}}"));
        assert!(command.args(["--template", "where is my {} ?"]).output().unwrap().status.success());
        let about = place.read("with/store.toml");
        assert!(
            about.contains("texts = \"d.csv\"\ntexts_sha256 = \"") && about.contains("\"where is my {} ?\""),
            "{about}"
        );
        let (plain, with) = (
            matrix(&place.path("plain/class_embeddings.npy"), 16),
            matrix(&place.path("with/class_embeddings.npy"), 16),
        );
        assert!(plain != with);
        assert!(with.chunks_exact(16).all(|row| (row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5));
        // Two descriptions of one class lie on both sides of their mean.
        let place_of =
            |name: &str| matrix(&place.path(&format!("{name}/class_embeddings.npy")), 16)[32..48].to_vec();
        place
            .write("one.csv", "class,description\ncard_lost,where is it\nfreeze_it,freeze it\nis_it,is it\n");
        place.write("two.csv", "class,description\ncard_lost,where is it\nfreeze_it,freeze it\nis_it,it\n");
        place.done(&format!("{base} --descriptions one.csv --out one"));
        place.done(&format!("{base} --descriptions two.csv --out two"));
        let mean: Vec<f32> = place_of("one").iter().zip(place_of("two")).map(|(a, b)| a + b).collect();
        let norm = mean.iter().map(|v| v * v).sum::<f32>().sqrt();
        let far = place_of("plain").iter().zip(&mean).map(|(a, b)| (a - b / norm).abs()).fold(0.0, f32::max);
        assert!(far < 1e-6, "{far}");
    }

    #[test]
    fn evaluate_embeds_once_and_again_only_where_something_has_changed() {
        let place = place();
        let base =
            "evaluate p.toml --features t.csv --backbone bert --weights net --cache cache --learner ridge";
        let first = place.done(&format!("{base} --out a"));
        assert!(first.err.starts_with("embedding t: 20 items\n"), "{}", first.err);
        let again = place.done(&format!("{base} --out b"));
        assert!(!again.err.contains("embedding"), "{}", again.err);
        for file in ["summary.csv", "outcomes.csv"] {
            assert_eq!(place.read(&format!("a/{file}")), place.read(&format!("b/{file}")));
        }
        place.edit("t.csv", "is it it", "it is it");
        assert!(place.done(&format!("{base} --out c")).err.starts_with("embedding t"));
        assert!(place.done(&format!("{base} --template a{{}} --out d")).err.starts_with("embedding t"));
        assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 3);
        let mut command = place.command(&base.replace(" --cache cache", " --out e"));
        assert!(command.env("XDG_CACHE_HOME", place.path("xdg")).output().unwrap().status.success());
        assert_eq!(fs::read_dir(place.path("xdg/kshot")).unwrap().count(), 1);
    }

    #[test]
    fn a_zero_shot_learner_takes_the_class_vectors() {
        let place = place();
        place.edit("p.toml", "shot = 2", "shot = 0");
        place.edit("p.toml", "count = 4", "count = 1");
        let ran =
            place.done("evaluate p.toml --features t.csv --backbone bert --weights net --cache c --learner class-embedding-cosine --out r");
        assert!(ran.out.contains("class-embedding-cosine"), "{}", ran.out);
    }

    #[test]
    fn columns_that_nobody_reads_are_named_in_one_warning() {
        let place = place();
        let lines: Vec<String> =
            TEXTS.lines().enumerate().map(|(i, line)| format!("{i},{line},glad")).collect();
        place.write("t.csv", lines.join("\n").replacen("0,text", ",text", 1).replacen(",glad", ",mood", 1));
        let ran = place.done("embed t.csv --backbone bert --weights net --out store");
        let warning = "warning: t: columns that are not read: one without a name, `mood`\n";
        assert!(ran.err.contains(warning), "{}", ran.err);
        assert_eq!(ran.err.matches("not read").count(), 1, "{}", ran.err);
        let items = place.read("store/items.csv");
        assert_eq!((items.lines().count(), items.lines().next()), (21, Some("class,part,id")));
    }

    #[test]
    fn a_class_without_words_is_named_before_the_sentences_are_embedded() {
        let place = place();
        place.write("t.csv", TEXTS.replace(",is_it,", ",_,"));
        let embed = "embed t.csv --backbone bert --weights net --out store";
        let ran = place.run(embed);
        let error =
            "error: class `_` has no words to make a class vector of\nhint: give it another name, or …";
        assert!(ran.code == 3 && ran.err.contains(error.trim_end_matches('…')), "{}", ran.err);
        place.write("d.csv", "class,description\ncard_lost,my card\nfreeze_it,freeze it\n_,is it\n");
        place.done(&format!("{embed} --descriptions d.csv"));
        // A question mark alone is all that there is of a name, and the tokenizer knows it.
        place.write("t.csv", TEXTS.replace(",is_it,", ",?,"));
        place.done(&format!("{embed} --overwrite"));
    }

    #[test]
    fn texts_without_a_network_or_without_parts_are_refused_with_the_way_out() {
        let place = place();
        let hint = "hint: add --backbone bert:weights=FOLDER, or make them once with `kshot embed`";
        for named in ["texts:t.csv", "banking77"] {
            let sentence = format!(
                "`{named}` is a dataset of texts, and no network is named that makes features of them\n{hint}"
            );
            place.refuses(2, &format!("evaluate p.toml --features {named} --out r"), &sentence);
        }
        let words =
            "t.csv line 2: column `text` holds `where is my card`, features are numbers alone\nhint: …";
        place.refuses(3, "evaluate p.toml --features t.csv --out r", words);
        let bare: Vec<String> =
            TEXTS.lines().map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
        place.write("bare.csv", bare.join("\n"));
        place.done("embed bare.csv --backbone bert --weights net --out bare");
        let parts = "protocol any-intents-5shot: the dataset has no part `train`, its items are not divided into parts\nhint: …";
        place.refuses(3, "evaluate any-intents-5shot --features bare --learner ridge --out r", parts);
    }

    #[test]
    fn what_cannot_be_embedded_is_refused() {
        let place = place();
        let embed = "embed t.csv --backbone bert --weights net --out store";
        place.refuses(2, "embed t.csv --backbone bert --out store", "backbone `bert` needs weights\nhint: …");
        place.refuses(
            2,
            "embed glyphs --backbone bert --weights net --out s",
            "unknown dataset of texts `glyphs`, …",
        );
        place.refuses(
            3,
            "embed clinc150 --backbone bert --weights net --out s",
            "data/clinc150: no such file or …",
        );
        place.refuses(
            3,
            "embed clinc150 --data d --backbone bert --weights net --out s",
            "d/clinc150: no such …",
        );
        place.refuses(
            3,
            "embed t.csv --backbone bert --weights nowhere --out s",
            "nowhere/config.json: no such file…",
        );
        let file = embed.replace("--weights net", "--weights net/model.safetensors");
        place.refuses(
            2,
            &file,
            "the weights of backbone `bert` are a folder, net/model.safetensors is a file\nhint: …",
        );
        let described = format!("{embed} --descriptions d.csv");
        place.refuses(3, &described, "d.csv: no such file");
        place.write("d.csv", "class,description\ncard_lost,x\n");
        place.refuses(3, &described, "d.csv: class `freeze_it` has no description\nhint: …");
        let ran = place.run(&format!("{embed} --template plain"));
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.contains("must have the place of the words, {}, once, found it 0 times"),
            "{}",
            ran.err
        );
        place.edit("net/config.json", "\"hidden_size\": 16", "\"hidden_size\": 20");
        place.refuses(3, embed, "net/model.safetensors: the weights do not fit the sizes of the network: …");
        place.edit("net/config.json", "\"hidden_size\": 20", "\"hidden_size\": 16");
        place.edit("t.csv", "\nmy card,card_lost", "\n ,card_lost");
        place.refuses(3, embed, "t.csv line 3: item 1 has an empty `text`\nhint: …");
        fs::remove_file(place.path("net/tokenizer.json")).unwrap();
        place.edit("t.csv", "\n ,card_lost", "\nmy card,card_lost");
        place.refuses(3, embed, "net/tokenizer.json: no such file\nhint: …");
    }
}
