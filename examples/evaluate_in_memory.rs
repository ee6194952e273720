//! Rows and labels in; a table, a comparison and a page out. Nothing is read and nothing is written but the page.

use kshot::protocol::Protocol;
use kshot::run::{Features, Run, RunError};

fn main() -> Result<(), RunError> {
    // Eight classes of forty items around their own centres, in four dimensions.
    let labels: Vec<String> = (0..320).map(|item| format!("class {}", item % 8)).collect();
    let noise = |item: usize, d: usize| ((item * 37 + d * 101) as f32 * 0.7).sin();
    let rows: Vec<f32> = (0..320)
        .flat_map(|item| (0..4).map(move |d| ((item % 8) >> (d % 3) & 1) as f32 + noise(item, d)))
        .collect();

    let done = Run::new(Protocol::episodes().way(5).shots([1, 5]).query(15).count(1_000).seed(7))
        .features(Features::from_rows(&rows, 4, &labels)?.named("mine"))
        .learners(["prototypical", "linear-probe:c=10", "ridge"])?
        .evaluate()?;
    println!("{}", done.table());
    println!("{}", done.compare().baseline("prototypical").margin(0.5).run()?.text());
    std::fs::write("report.html", done.compare().page(None)?.html).ok();
    Ok(())
}
