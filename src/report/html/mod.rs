//! One page that shows results: no scripts, nothing from outside, readable on a phone and in print.

mod canvas;
mod charts;
mod hard;
#[cfg(feature = "plots-png")]
mod pixels;
mod plots;
mod run;
mod text;

use std::collections::BTreeMap;

use super::Overview;
use super::compare::{self, Comparison, blocks};
use super::names::display_names;
use crate::metric::Metric;
use crate::results::{ReadTable, ResultsFolder, Size, SummaryRow};

pub use canvas::{Plot, PlotError};
pub use hard::{Hard, HardClass, HardEpisode, Picture, WrongItem};

const STYLE: &str = include_str!("style.css");

/// What is put on the page.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The results.
    pub folders: &'a [ResultsFolder],
    /// Their comparison; absent for a single learner.
    pub comparison: Option<&'a Comparison>,
    /// A hard episode in pictures, or why there is none.
    pub hard: &'a Hard,
}

/// A page, and its plots as files of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The whole HTML file.
    pub html: String,
    /// The plots, in the order of the page.
    pub plots: Vec<Plot>,
}

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Results that do not belong together.
    #[error(transparent)]
    Compare(#[from] compare::CompareError),
    /// A plot that could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A picture that could not be packed.
    #[error("cannot pack a picture of {width} × {height} pixels: {message}")]
    Picture {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// What the library said.
        message: String,
    },
}

/// The tables of one protocol, shot and data set.
pub(super) struct Group<'a> {
    title: String,
    /// The beginning of the names of its plots.
    slug: String,
    /// Each learner with the name that tells it from others.
    tables: Vec<(String, &'a ReadTable)>,
    /// The mark of each of them in plots: its place among all learners of the page.
    marks: Vec<usize>,
    block: Option<&'a compare::Block>,
}

/// Makes the page.
///
/// # Errors
/// Results that cannot be laid side by side, or a plot that could not be drawn.
pub fn page(request: &Request<'_>) -> Result<Page, PageError> {
    let groups = groups(request)?;
    let mut plots = Vec::new();
    let mut body = format!("<h1>{}</h1>\n", text::escaped(&title(&groups)));
    body.push_str("<h2>Results</h2>\n");
    body.push_str(&overviews(request));
    for group in &groups {
        body.push_str(&format!("<h2>{}</h2>\n", text::escaped(&group.title)));
        if let (Some(comparison), Some(block)) = (request.comparison, group.block)
            && !block.pairs.is_empty()
        {
            let mut grid = comparison.grid(block);
            grid.title = "Ranked, with what can be told apart".to_string();
            body.push_str(&text::table(&grid));
            body.push_str("<h3>What can be claimed</h3>\n");
            body.push_str(&text::list(&compare::claims(comparison, block)));
        }
        let drawn = plots::of_group(group, request.comparison)?;
        body.push_str(&figures(&drawn));
        plots.extend(drawn.into_iter().map(|(plot, _)| plot));
    }
    let curves = plots::curves(&groups)?;
    if !curves.is_empty() {
        body.push_str("<h2>Accuracy against shots</h2>\n");
        body.push_str(&figures(&curves));
        plots.extend(curves.into_iter().map(|(plot, _)| plot));
    }
    for ranking in request.comparison.iter().flat_map(|comparison| &comparison.rankings) {
        body.push_str("<h2>Several data sets</h2>\n");
        body.push_str(&text::table(&ranking.grid()));
    }
    body.push_str(&request.hard.html()?);
    body.push_str("<h2>What was run</h2>\n");
    request.folders.iter().for_each(|folder| body.push_str(&run::facts(folder)));
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <link rel=\"icon\" href=\"data:,\"/>\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        text::escaped(&title(&groups))
    );
    Ok(Page { html, plots })
}

fn title(groups: &[Group<'_>]) -> String {
    let mut protocols: Vec<&str> =
        groups.iter().flat_map(|group| &group.tables).map(|(_, read)| read.table.protocol.as_str()).collect();
    protocols.dedup();
    format!("Results of {}", protocols.join(", "))
}

fn groups<'a>(request: &Request<'a>) -> Result<Vec<Group<'a>>, PageError> {
    let sources = blocks::blocks(request.folders)?;
    let tables = sources.values().flatten().map(|source| &source.read.table);
    let names = display_names(tables.map(|table| (table.learner.as_str(), &table.parameters)));
    let mut groups = Vec::new();
    for (number, (key, sources)) in sources.iter().enumerate() {
        let record = sources[0].folder.run.of_table(&sources[0].read.key());
        let features = record.map_or("", |record| record.source.as_str());
        let shot = match key.shot {
            Size::Number(number) => format!("{number}-shot"),
            other => format!("{other} shots"),
        };
        let block = request.comparison.and_then(|comparison| {
            let same = |block: &&compare::Block| {
                (&block.protocol, block.shot) == (&key.protocol, key.shot)
                    && (&block.draw_sha256, &block.features_sha256)
                        == (&key.draw_sha256, &key.features_sha256)
            };
            comparison.blocks.iter().find(same)
        });
        let name = |read: &ReadTable| {
            names.get(&(read.table.learner.as_str(), &read.table.parameters)).cloned().unwrap_or_default()
        };
        let mark = |read: &ReadTable| {
            let key = (read.table.learner.as_str(), &read.table.parameters);
            names.keys().position(|known| *known == key).unwrap_or(0)
        };
        let plain: String =
            key.protocol.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        groups.push(Group {
            title: format!("{}, {shot}, {features}", key.protocol),
            slug: format!("{:02}-{plain}-shot-{}", number + 1, key.shot),
            tables: sources.iter().map(|source| (name(source.read), source.read)).collect(),
            marks: sources.iter().map(|source| mark(source.read)).collect(),
            block,
        });
    }
    Ok(groups)
}

/// The summary, one table per data set.
fn overviews(request: &Request<'_>) -> String {
    let mut sets: BTreeMap<&str, (Vec<SummaryRow>, &str)> = BTreeMap::new();
    for folder in request.folders {
        for read in &folder.tables {
            let record = folder.run.of_table(&read.key());
            let features = record.map_or("", |record| record.source.as_str());
            let set = sets.entry(&read.features_sha256).or_insert((Vec::new(), features));
            set.0.extend(read.rows());
        }
    }
    let several = sets.len() > 1;
    let mut html = String::new();
    for (rows, features) in sets.values() {
        let mut grid = Overview::of(rows, Metric::ACCURACY).grid().clone();
        if several {
            grid.title = features.to_string();
        }
        html.push_str(&text::table(&grid));
    }
    html
}

fn figures(plots: &[(Plot, String)]) -> String {
    let figure = |(plot, caption): &(Plot, String)| {
        format!("<figure>{}\n<figcaption>{}</figcaption></figure>\n", plot.figure(), text::escaped(caption))
    };
    format!("<div class=\"figures\">\n{}</div>\n", plots.iter().map(figure).collect::<String>())
}

#[cfg(test)]
mod tests;
