//! Equal bytes to Pillow: scaled noise and decoded files against what `tests/fixtures/images/pillow/make_fixture.py` wrote.

use sha2::{Digest, Sha256};

use super::{Filter, RgbImage, Window, resize};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/images/pillow");

fn rows(file: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The noise of the script.
fn noise(width: usize, height: usize) -> RgbImage {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    RgbImage::new(width, height, (0..width * height * 3).map(|_| next()).collect()).unwrap()
}

#[test]
fn scaled_noise_has_the_bytes_of_pillow() {
    let all = rows("resized.csv");
    assert_eq!(all.len(), 160);
    for row in all {
        let number = |column: usize| row[column].parse::<usize>().unwrap();
        let filter: Filter = row[2].parse().unwrap();
        let (width, height) = (number(3), number(4));
        let window = Window { left: 0, top: 0, width, height };
        let found = resize(&noise(number(0), number(1)), (width, height), filter, window);
        assert_eq!(sha256(found.pixels()), row[5], "{row:?}");
    }
}
