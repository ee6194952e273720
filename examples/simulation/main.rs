//! The simulation study of the intervals and tests, in full.
//!
//! `cargo run --release --example simulation > examples/simulation/results.csv` takes minutes. It lists its cells and
//! seeds first, then writes what each cell showed, and ends with code 1 where one misses its bounds. A number of
//! repetitions may be given (default 2,000), and a part of the names of the parts to run; characters of Omniglot and intents
//! of CLINC150 are looked for in the folder of `KSHOT_SHARED`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

mod study;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let typed = std::env::args().nth(1).unwrap_or_else(|| "2000".to_string());
    let repetitions: u32 = match typed.parse() {
        Ok(number) if number > 0 => number,
        _ => {
            eprintln!("error: the number of repetitions must be a whole number above 0, got {typed}");
            return ExitCode::from(2);
        }
    };
    let named = std::env::args().nth(2).unwrap_or_default();
    let data = study::Data::read();
    for error in data.characters.as_ref().err().into_iter().chain(data.intents.as_ref().err()) {
        eprintln!("SKIPPED: the cells of real classes ({error})");
    }
    let parts: Vec<study::Part> =
        data.parts().into_iter().filter(|part| part.name.contains(&named)).collect();
    eprintln!("cells, written before running: part (seed), episodes, measure, bounds");
    for part in &parts {
        for cell in &part.cells {
            eprintln!(
                "{} ({}), {}, {}{}, {} to {}",
                part.name,
                part.seed,
                cell.episodes,
                cell.ask.lead(),
                cell.measure,
                cell.low,
                cell.high
            );
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let mut missed = 0;
    println!("part,seed,repetitions,episodes,measure,low,high,share,standard_error,within");
    for part in &parts {
        let clock = Instant::now();
        for shown in study::run(part, repetitions, threads, &data) {
            let within = shown.of == repetitions.min(part.most) && shown.holds(0.0);
            missed += u32::from(!within);
            println!(
                "\"{}\",{},{},\"{}\",\"{}{}\",{},{},{:.4},{:.4},{}",
                part.name,
                part.seed,
                shown.of,
                shown.cell.episodes,
                shown.cell.ask.lead(),
                shown.cell.measure,
                shown.cell.low,
                shown.cell.high,
                shown.share(),
                shown.error(),
                if within { "yes" } else { "NO" }
            );
        }
        eprintln!("{}: {:.0} s on {threads} threads", part.name, clock.elapsed().as_secs_f64());
    }
    eprintln!("{missed} cells miss their bounds");
    ExitCode::from(u8::from(missed > 0))
}
