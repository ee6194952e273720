//! What a rule file is refused for, and what is read back from it.

use crate::protocol::{Protocol, Query, Shot, Way};
use crate::vocab::{Duplicates, Scope, Split};

const TEXT: &str = r#"name = "five-way"
version = 1
source = "a test"
settings = ["inductive", "zero-shot"]
[data]
split = "novel"
[episode]
way = 5
shot = 1
query = 15
[draw]
count = 600
seed = 7
[report]
metrics = ["accuracy", "nll"]
"#;

fn refusal(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    Protocol::parse(&TEXT.replace(from, to), "p.toml").unwrap_err().to_string()
}

fn reads_back(from: &str, to: &str) -> Protocol {
    let protocol = Protocol::parse(&TEXT.replace(from, to), "p.toml").unwrap();
    let again = Protocol::parse(&protocol.to_toml(), "again").unwrap();
    assert_eq!(protocol, again);
    assert_eq!(protocol.to_toml(), again.to_toml());
    protocol
}

#[test]
fn what_is_left_out_has_a_default() {
    let protocol = reads_back("", "");
    assert_eq!(protocol.confidence_level(), 0.95);
    assert_eq!(protocol.duplicates(), Duplicates::Warn);
    assert!(protocol.repeat() && protocol.parts().is_none() && protocol.most().is_none());
    assert_eq!(reads_back("[data]\nsplit = \"novel\"\n", "").split(), Split::Novel);
}

#[test]
fn every_form_of_a_size_prints_back_with_the_same_meaning() {
    assert_eq!(reads_back("way = 5", "way = \"all\"").way(), &Way::All);
    assert_eq!(reads_back("way = 5", "way = { min = 2, max = 9 }").way(), &Way::Between { min: 2, max: 9 });
    assert_eq!(reads_back("shot = 1", "shot = [0, 1, 5]").shot(), &Shot::Nested(vec![0, 1, 5]));
    assert_eq!(
        reads_back("shot = 1", "shot = { min = 1, max = 3 }").shot(),
        &Shot::Between { min: 1, max: 3 }
    );
    assert_eq!(reads_back("query = 15", "query = \"all\"").query(), &Query::All);
    assert_eq!(
        reads_back("query = 15", "query = { total = 75, alpha = 2 }").query(),
        &Query::Dirichlet { total: 75, alpha: 2.0 }
    );
    let meta = "way = \"meta-dataset\"\nshot = \"meta-dataset\"\nquery = \"meta-dataset\"";
    assert_eq!(reads_back("way = 5\nshot = 1\nquery = 15", meta).shot(), &Shot::MetaDataset);
}

#[test]
fn every_other_key_prints_back_with_the_same_meaning() {
    let hash = "0123456789abcdef".repeat(4);
    let protocol = reads_back("seed = 7", &format!("seed = 7\nmost = 900\nsha256 = \"{hash}\""));
    assert_eq!((protocol.most(), protocol.draw_sha256()), (Some(900), Some(hash.as_str())));
    let parts = "split = \"base\"\ndataset = \"x \\\"y\\\"\"\nsupport_part = \"a\"\nquery_part = \"b\"\nduplicates = \"refuse\"";
    let protocol = reads_back("split = \"novel\"", parts);
    assert_eq!(protocol.dataset(), Some("x \"y\""));
    assert_eq!(protocol.parts().map(|p| (p.support.as_str(), p.query.as_str())), Some(("a", "b")));
    assert_eq!((protocol.split(), protocol.duplicates()), (Scope::One(Split::Base), Duplicates::Refuse));
    assert_eq!(reads_back("split = \"novel\"", "split = \"all\"").split(), Scope::All);
    assert!(!reads_back("query = 15", "query = 15\nrepeat = false").repeat());
}

#[test]
fn a_number_out_of_range_is_refused_with_rule_and_line() {
    assert_eq!(refusal("way = 5", "way = 1"), "p.toml line 8: `way` must be 2 or more, got 1");
    assert_eq!(refusal("shot = 1", "shot = -1"), "p.toml line 9: `shot` must be 0 or more, got -1");
    assert_eq!(refusal("query = 15", "query = 0"), "p.toml line 10: `query` must be 1 or more, got 0");
    assert_eq!(refusal("count = 600", "count = 0"), "p.toml line 12: `count` must be 1 or more, got 0");
    assert_eq!(
        refusal("count = 600", "count = 10000001"),
        "p.toml line 12: `count` must be 10000000 or less, got 10000001"
    );
    assert_eq!(refusal("seed = 7", "seed = -7"), "p.toml line 13: `seed` must be 0 or more, got -7");
    assert_eq!(refusal("version = 1", "version = 0"), "p.toml line 2: `version` must be 1 or more, got 0");
    assert_eq!(
        refusal("seed = 7", "seed = 7\nmost = 599"),
        "p.toml line 14: `most` must be 600 or more, got 599"
    );
    for level in ["0.0", "1.0", "nan", "-0.5", "95"] {
        let said = refusal("[report]", &format!("[report]\nconfidence_level = {level}"));
        assert!(
            said.starts_with("p.toml line 15: `confidence_level` must be between 0 and 1, got "),
            "{said}"
        );
    }
}

#[test]
fn a_size_of_another_form_is_refused_with_the_known_forms() {
    assert_eq!(
        refusal("way = 5", "way = \"some\""),
        "p.toml line 8: `way` must be 2 to 1000000, \"all\", { min, max } of these, or \"meta-dataset\", got \"some\""
    );
    for wrong in ["[5]", "5.0", "{ min = 1, max = 3 }", "{ min = 4, max = 3 }", "{ min = 4 }", "1000001"] {
        assert!(refusal("way = 5", &format!("way = {wrong}")).contains("`way` must be 2 to"), "{wrong}");
    }
    for wrong in
        ["\"all\"", "[1, \"2\"]", "{ min = 0, max = 3 }", "{ min = 1, max = 3, more = 2 }", "[-1, 1]"]
    {
        assert!(refusal("shot = 1", &format!("shot = {wrong}")).contains("`shot` must be 0 to"), "{wrong}");
    }
    for wrong in ["[]", "[5, 1]", "[1, 1]"] {
        let rule = "`shot` must be an increasing list of at least one number";
        assert!(refusal("shot = 1", &format!("shot = {wrong}")).contains(rule), "{wrong}");
    }
    for wrong in
        ["[15]", "{ total = 75 }", "{ total = 0, alpha = 2.0 }", "{ total = 75, alpha = 0.0 }", "true"]
    {
        assert!(
            refusal("query = 15", &format!("query = {wrong}")).contains("`query` must be 1 to"),
            "{wrong}"
        );
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones_and_underlined() {
    assert_eq!(
        refusal("way = 5", "ways = 5"),
        "p.toml line 8: unknown key `ways`, expected one of `way`, `shot`, `query`, `query_oos`, `repeat`, `shuffle_labels`\n  ways = 5\n  ^^^^"
    );
    assert!(refusal("seed = 7\n", "").contains("missing key `seed`"));
    assert!(refusal("version = 1", "version = \"1\"").starts_with("p.toml line 2: invalid type"));
    assert!(refusal("[episode]", "[episode").starts_with("p.toml line 7: "));
}

#[test]
fn a_key_of_before_is_refused_with_its_name_of_today_or_read_where_data_have_it() {
    assert_eq!(
        refusal("split = \"novel\"", "outside = \"oos\""),
        "p.toml line 6: unknown key `outside`, it is now `oos`\n  outside = \"oos\"\n  ^^^^^^^"
    );
    assert!(
        refusal("query = 15", "query = 15\nquery_outside = 3")
            .starts_with("p.toml line 11: unknown key `query_outside`, it is now `query_oos`\n")
    );
    assert_eq!(Protocol::parse(&TEXT.replace("settings", "admits"), "p").unwrap(), reads_back("", ""));
    let with = |key: &str| TEXT.replace("[report]", &format!("[report]\n{key} = 0.9"));
    let now = Protocol::parse(&with("confidence_level"), "p").unwrap();
    assert_eq!((now.confidence_level(), Protocol::parse(&with("level"), "p").unwrap()), (0.9, now.clone()));
    assert!(refusal("source", "sauce").ends_with(
        "unknown key `sauce`, expected one of `name`, `version`, `source`, `settings`, `data`, `episode`, `draw`, \
         `report`\n  sauce = \"a test\"\n  ^^^^^"
    ));
    assert!(!refusal("metrics", "metric").contains("`level`"));
}

#[test]
fn the_first_episodes_of_a_draw_are_some_of_them() {
    let first = |number: &str| format!("seed = 7\nfirst = {number}");
    let protocol = reads_back("seed = 7", &first("599"));
    assert_eq!((protocol.count(), protocol.first(), protocol.evaluated()), (600, Some(599), 599));
    let all = reads_back("seed = 7", &first("600"));
    assert_eq!((all.first(), all.evaluated()), (None, 600));
    assert_eq!(refusal("seed = 7", &first("601")), "p.toml line 14: `first` must be 600 or less, got 601");
}

#[test]
fn a_word_that_is_unknown_or_twice_is_refused() {
    assert_eq!(
        refusal("split = \"novel\"", "split = \"test\""),
        "p.toml line 6: unknown split `test`, expected one of `base`, `validation`, `novel`, `all`"
    );
    assert!(refusal("\"nll\"", "\"loss\"").starts_with("p.toml line 15: unknown metric `loss`"));
    assert!(refusal("split", "duplicates").contains("unknown value of duplicates `novel`"));
    assert_eq!(
        refusal("\"nll\"", "\"accuracy\""),
        "p.toml line 15: `metrics` must be a list without repetition, got `accuracy` twice"
    );
    assert_eq!(
        refusal("[\"inductive\", \"zero-shot\"]", "[]"),
        "p.toml line 4: `settings` must be a list of at least one word, got none"
    );
}

#[test]
fn names_sources_and_hashes_have_their_form() {
    for name in ["Five", "five_way", "-five", "five--way", ""] {
        assert!(refusal("five-way", name).starts_with("p.toml line 1: `name` must be lower-case"), "{name}");
    }
    assert_eq!(refusal("a test", " "), "p.toml line 3: `source` must be a text, got nothing");
    assert_eq!(
        refusal("seed = 7", "seed = 7\nsha256 = \"12\""),
        "p.toml line 14: `sha256` must be 64 hexadecimal digits, got `12`"
    );
}

#[test]
fn rules_that_do_not_go_together_are_refused() {
    let said = refusal;
    assert!(said("shot = 1", "shot = \"meta-dataset\"").contains("all three or none"));
    let meta = "way = \"meta-dataset\"\nshot = \"meta-dataset\"\nquery = \"meta-dataset\"";
    assert!(said("way = 5\nshot = 1\nquery = 15", &format!("{meta}\nrepeat = false")).contains("one size"));
    assert!(said("split = \"novel\"", "support_part = \"train\"").contains("must be given together"));
    assert!(said("query = 15", "query = \"all\"\nrepeat = false").contains("one size"));
    assert!(
        said("query = 15\n[draw]", "query = 15\nrepeat = false\n[draw]\nmost = 700")
            .contains("`most` must be left out")
    );
    let alone = TEXT.replace(", \"zero-shot\"", "").replace("shot = 1", "shot = [0, 1]");
    assert_eq!(
        Protocol::parse(&alone, "p.toml").unwrap_err().to_string(),
        "p.toml line 9: `shot` 0 needs \"zero-shot\" or \"semantic\" among `settings`"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Protocol::read("no/such.toml").unwrap_err().to_string();
    assert!(said.starts_with("cannot read protocol no/such.toml: "), "{said}");
}
