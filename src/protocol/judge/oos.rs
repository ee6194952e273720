//! The rules of out-of-scope queries.

use toml::{Spanned, Value};

use crate::metric::{Metric, Need};
use crate::protocol::place::Check;
use crate::protocol::written::{WrittenData, WrittenEpisode};
use crate::protocol::{Oos, OosQuery, Parts, ProtocolError, Query};
use crate::vocab::{Scope, Split};

/// What the rules of an episode say beside.
pub(super) struct Beside<'a> {
    pub split: Scope,
    pub parts: Option<&'a Parts>,
    pub query: &'a Query,
    pub repeat: bool,
    pub metrics: &'a [Metric],
    /// Where the metrics are written.
    pub metrics_at: &'a Spanned<Vec<Spanned<String>>>,
}

const RULE: &str = "1 to 1000000, or \"all\"";

/// The out-of-scope queries, where there are such, or the first rule that is broken.
pub(super) fn oos(
    check: &Check<'_>,
    data: &WrittenData,
    episode: &WrittenEpisode,
    beside: &Beside<'_>,
) -> Result<Option<Oos>, ProtocolError> {
    let asked = |need: Need| beside.metrics.iter().any(|metric| metric.needs(need));
    let Some(class) = &data.oos else {
        for orphan in [
            data.threshold_part.as_ref().map(|at| check.together(at, "`threshold_part` needs `oos`")),
            episode.query_oos.as_ref().map(|at| check.together(at, "`query_oos` needs `oos`")),
        ] {
            orphan.map_or(Ok(()), Err)?;
        }
        if asked(Need::OosQueries) {
            let rule = "metrics of out-of-scope queries need `oos`, the class that they are of";
            return Err(check.together(beside.metrics_at, rule));
        }
        return Ok(None);
    };
    if !beside.repeat {
        return Err(check.together(class, "`oos` goes with `repeat = true` alone"));
    }
    let query = match &episode.query_oos {
        Some(written) => number(check, written)?,
        None => OosQuery::beside(beside.query).ok_or_else(|| {
            let rule = "`query_oos` must be given where `query` is neither a number nor \"all\"";
            check.together(class, rule)
        })?,
    };
    let threshold_part = threshold_part(check, data, beside.parts)?;
    if asked(Need::Threshold) && threshold_part.is_none() && beside.split.holds(Split::Validation) {
        let rule = "a threshold is set on validation classes, which `split` takes itself, so `threshold_part` must name \
                    a part for it";
        return Err(check.together(beside.metrics_at, rule));
    }
    Ok(Some(Oos { class: check.filled("oos", class)?, query, threshold_part }))
}

/// The part that sets thresholds: one beside those of supports and queries.
fn threshold_part(
    check: &Check<'_>,
    data: &WrittenData,
    parts: Option<&Parts>,
) -> Result<Option<String>, ProtocolError> {
    let Some(part) = &data.threshold_part else { return Ok(None) };
    let Some(parts) = parts else {
        return Err(check.together(part, "`threshold_part` needs `support_part` and `query_part`"));
    };
    if [&parts.support, &parts.query].contains(&part.get_ref()) {
        let rule = "a part beside `support_part` and `query_part`";
        return Err(check.value("threshold_part", rule, part, format!("`{}`", part.get_ref())));
    }
    check.filled("threshold_part", part).map(Some)
}

fn number(check: &Check<'_>, written: &Spanned<Value>) -> Result<OosQuery, ProtocolError> {
    match written.get_ref() {
        Value::String(word) if word == "all" => Ok(OosQuery::All),
        Value::Integer(n @ 1..=1_000_000) => Ok(OosQuery::PerEpisode(*n as u32)),
        other => Err(check.value("query_oos", RULE, written, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    const TEXT: &str = r#"name = "open"
version = 1
source = "a test"
settings = ["inductive"]
[data]
oos = "oos"
[episode]
way = 5
shot = 1
query = 15
[draw]
count = 600
seed = 7
[report]
metrics = ["accuracy", "auroc", "oos-recall"]
"#;

    fn parse(edits: &[(&str, &str)]) -> Result<Protocol, String> {
        let text = edits.iter().fold(TEXT.to_string(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let protocol = Protocol::parse(&text, "p").map_err(|error| error.to_string())?;
        assert_eq!(Protocol::parse(&protocol.to_toml(), "again").unwrap(), protocol);
        Ok(protocol)
    }

    #[test]
    fn as_many_as_a_class_has_unless_it_says_otherwise() {
        let query = |edits: &[(&str, &str)]| parse(edits).unwrap().oos().unwrap().query;
        assert_eq!(query(&[]), OosQuery::PerEpisode(15));
        assert_eq!(query(&[("query = 15", "query = \"all\"")]), OosQuery::All);
        assert_eq!(query(&[("query = 15", "query = 15\nquery_oos = \"all\"")]), OosQuery::All);
        assert_eq!(query(&[("query = 15", "query = 15\nquery_oos = 30")]), OosQuery::PerEpisode(30));
    }

    #[test]
    fn a_threshold_is_set_on_validation_classes_or_on_a_part_of_its_own() {
        let parts = "oos = \"oos\"\nsupport_part = \"train\"\nquery_part = \"test\"\nsplit = \"all\"";
        let with = format!("{parts}\nthreshold_part = \"val\"");
        let protocol = parse(&[("oos = \"oos\"", &with)]).unwrap();
        assert_eq!(protocol.oos().unwrap().threshold_part.as_deref(), Some("val"));
        assert!(parse(&[("oos = \"oos\"", parts)]).unwrap_err().contains("so `threshold_part` must name"));
        let twice = format!("{parts}\nthreshold_part = \"test\"");
        let said = parse(&[("oos = \"oos\"", &twice)]).unwrap_err();
        assert!(
            said.ends_with(
                "`threshold_part` must be a part beside `support_part` and `query_part`, got `test`"
            )
        );
        let validation = parse(&[]).unwrap().on_validation();
        assert_eq!((validation.split() == Split::Validation, validation.oos()), (true, None));
        assert_eq!(validation.metrics(), [Metric::ACCURACY]);
    }

    #[test]
    fn rules_that_need_what_is_not_there_are_refused() {
        let said = |from: &str, to: &str| parse(&[(from, to)]).unwrap_err();
        assert!(said("oos = \"oos\"\n", "").contains("need `oos`, the class"));
        let orphan = parse(&[("oos = \"oos\"\n", ""), ("query = 15", "query = 15\nquery_oos = 15")]);
        assert_eq!(orphan.unwrap_err(), "p line 10: `query_oos` needs `oos`");
        assert!(said("query = 15", "query = 15\nrepeat = false").contains("`repeat = true` alone"));
        let dirichlet = "query = { total = 75, alpha = 2.0 }";
        assert!(said("query = 15", dirichlet).contains("`query_oos` must be given"));
        let wrong = said("query = 15", "query = 15\nquery_oos = 0");
        assert_eq!(wrong, "p line 11: `query_oos` must be 1 to 1000000, or \"all\", got 0");
        let part = said("oos = \"oos\"", "oos = \"oos\"\nthreshold_part = \"val\"");
        assert_eq!(part, "p line 7: `threshold_part` needs `support_part` and `query_part`");
    }
}
