//! Embeds the lines of a text file: `embed_texts ENCODER TEXTS [OUT]`, with OUT as raw little-endian 32-bit numbers.

use std::error::Error;
use std::time::Instant;

use kshot::backbone::SentenceEncoder;
use kshot::tensor::open_cpu;

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, texts, out @ ..] = &arguments[..] else {
        return Err("usage: embed_texts ENCODER TEXTS [OUT]".into());
    };
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.lines().collect();
    let start = Instant::now();
    let encoder = SentenceEncoder::read(folder)?;
    let read = start.elapsed().as_secs_f64();
    let workers = std::thread::available_parallelism()?.get();
    let start = Instant::now();
    let embedded = encoder.embed(&texts, workers, || Ok(open_cpu()), |_| {})?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(out) = out.first() {
        std::fs::write(out, embedded.features.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let (count, dim, truncated) = (texts.len(), embedded.dim, embedded.truncated);
    println!("{count} texts of {dim} numbers, {truncated} cut; read {read:.3} s, embedded {seconds:.3} s");
    Ok(())
}
