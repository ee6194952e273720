//! One page that shows results: no scripts, nothing from outside, readable on a phone and in print.

mod canvas;
pub(super) mod charts;
mod hard;
#[cfg(feature = "plots-png")]
mod pixels;
mod plots;
mod run;
mod text;

use super::Overview;
use super::compare::methods::Methods;
use super::compare::{self, Comparison, blocks};
use crate::metric::Metric;
use crate::results::{ReadTable, ResultsFolder, Selection, Size, SummaryRow, Table};

pub use canvas::{Plot, PlotError};
pub use hard::{Hard, HardClass, HardEpisode, Picture, WrongItem};

const STYLE: &str = include_str!("style.css");

/// What is put on the page.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The results.
    pub folders: &'a [ResultsFolder],
    /// Their comparison; absent where there is nothing to compare.
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

/// The rows of one protocol, shot and data set.
pub(super) struct Group<'a> {
    title: String,
    /// The beginning of the names of its plots.
    slug: String,
    /// Each row with the name of its method, and its training seed where there are several.
    tables: Vec<(String, &'a ReadTable)>,
    /// The names of their methods alone.
    methods: Vec<String>,
    /// The mark of each of them in plots: its place among all rows of the page.
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
    body.push_str(&overviews(request, &groups));
    for group in &groups {
        body.push_str(&format!("<h2>{}</h2>\n", text::escaped(&group.title)));
        if let (Some(comparison), Some(block)) = (request.comparison, group.block)
            && block.is_compared()
        {
            let mut grid = comparison.grid(block);
            grid.title = "Methods, with their paired differences".to_string();
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
    let shared = blocks::blocks(&compare::entries(request.folders))?;
    let methods = Methods::of(&shared);
    let mut groups = Vec::new();
    // The mark of a row in plots is the same wherever its method and seed are.
    let mut known: Vec<String> = Vec::new();
    for (number, (shared, of_block)) in shared.iter().zip(&methods.of_blocks).enumerate() {
        let shot = match shared.shot {
            Size::Number(number) => format!("{number}-shot"),
            other => format!("{other} shots"),
        };
        let same = |block: &&compare::Block| (&block.protocol, block.shot) == (&shared.protocol, shared.shot);
        let block = request.comparison.and_then(|comparison| comparison.blocks.get(number)).filter(same);
        let plain: String =
            shared.protocol.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let tables: Vec<(String, &ReadTable)> = of_block
            .iter()
            .flat_map(|method| {
                let names = method.row_names(&methods.names[method.name].name);
                names.into_iter().zip(&method.rows).map(|(name, (_, entry))| (name, entry.read))
            })
            .collect();
        let mut mark = |name: &String| {
            known.iter().position(|known| known == name).unwrap_or_else(|| {
                known.push(name.clone());
                known.len() - 1
            })
        };
        groups.push(Group {
            title: format!("{}, {shot}, {}", shared.protocol, shared.entries[0].read.table.dataset),
            slug: format!("{:02}-{plain}-shot-{}", number + 1, shared.shot),
            marks: tables.iter().map(|(name, _)| mark(name)).collect(),
            tables,
            methods: of_block
                .iter()
                .flat_map(|method| vec![methods.names[method.name].name.clone(); method.rows.len()])
                .collect(),
            block,
        });
    }
    Ok(groups)
}

/// The summary, one table per protocol and data set, with methods by the names that they have on this page. Bounds that
/// stand in no comparison stand here.
fn overviews(request: &Request<'_>, groups: &[Group<'_>]) -> String {
    let compared = groups.iter().flat_map(|group| {
        group.methods.iter().zip(&group.tables).map(|(method, (_, read))| (method.clone(), *read))
    });
    let oracle = request.folders.iter().flat_map(|folder| &folder.tables);
    let oracle = oracle.filter(|read| read.table.selection == Selection::Oracle);
    let all = compared.chain(oracle.map(|read| (read.table.method.clone(), read)));
    let rows: Vec<SummaryRow> = all
        .flat_map(|(method, read)| {
            read.rows().map(move |row| {
                let table = Table { method: method.clone(), ..row.table };
                SummaryRow { table, ..row }
            })
        })
        .collect();
    Overview::of(&rows, Metric::ACCURACY).grids().iter().map(text::table).collect()
}

fn figures(plots: &[(Plot, String)]) -> String {
    let figure = |(plot, caption): &(Plot, String)| {
        format!("<figure>{}\n<figcaption>{}</figcaption></figure>\n", plot.figure(), text::escaped(caption))
    };
    format!("<div class=\"figures\">\n{}</div>\n", plots.iter().map(figure).collect::<String>())
}

#[cfg(test)]
mod tests;
