//! `kshot backbones`: what networks cost.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::flags::whole;
use super::progress::Terminal;
use super::{Outcome, say};
use crate::run::networks::{self, NetworkCost};

const EXAMPLES: &str = "Examples:
  kshot backbones
  kshot backbones --backbone resnet50 --backbone mobilenet_v2:size=160 --out results/networks
  kshot backbones --repeats 0";

/// Show what networks of images cost: weights, multiplications, memory, and milliseconds on this machine.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A published network, such as `resnet50` or `vgg16:cut=stage4,size=160`; repeat for several. Default: all of
    /// `kshot list backbones` that have a size of their own.
    #[arg(long, value_name = "SPEC")]
    backbone: Vec<String>,
    /// How often each network is run; the table has the median. 0 counts without running any.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole(0, 1000))]
    repeats: usize,
    /// Folder for backbones.csv. Default: the table is printed alone.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let specs = match arguments.backbone.as_slice() {
        [] => networks::all_published()?,
        some => some.iter().map(|text| networks::asked(text)).collect::<Result<_, _>>()?,
    };
    let costs = networks::costs(&specs, arguments.repeats, &Terminal::default())?;
    say(&text(&costs))?;
    if let Some(folder) = &arguments.out {
        networks::write(&costs, networks::threads(), folder)?;
        say(&format!("\n{}\n", folder.join(networks::FILE).display()))?;
    }
    Ok(Outcome::Done)
}

/// The table for people: counts in millions and thousands of millions.
fn text(costs: &[NetworkCost]) -> String {
    let head = [
        "backbone",
        "weights M",
        "MACs G",
        "depth",
        "image",
        "dim",
        "top-1 %",
        "ms batch 1",
        "ms batch 32",
        "MB batch 32",
    ];
    let mut rows: Vec<Vec<String>> = vec![head.map(String::from).to_vec()];
    for cost in costs {
        let millions = |number: f64| format!("{:.2}", number / 1e6);
        let [one, many, memory] = match cost.measured {
            Some([one, many]) => [format!("{:.1}", one.0), format!("{:.1}", many.0), millions(many.1 as f64)],
            None => ["-", "-", "-"].map(String::from),
        };
        rows.push(vec![
            cost.backbone.clone(),
            millions(cost.parameters_without_aux as f64),
            format!("{:.2}", cost.macs as f64 / 1e9),
            cost.depth.to_string(),
            format!("{}x{}", cost.image.0, cost.image.1),
            cost.dim.to_string(),
            cost.top1.map_or("-".to_string(), |top1| format!("{top1:.2}")),
            one,
            many,
            memory,
        ]);
    }
    let widths: Vec<usize> =
        (0..head.len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(place, (cell, width))| {
            if place == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    rows.iter().map(line).collect::<String>()
        + "top-1 as published for ImageNet; ms per image, median, here; MB of weights and buffers\n"
}
