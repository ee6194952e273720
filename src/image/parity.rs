//! Equal bytes to Pillow: scaled noise and decoded files against what `tests/fixtures/images/pillow/make_fixture.py` wrote.

use sha2::{Digest, Sha256};

use super::{Filter, MOST_PIXELS, Picture, RgbImage, Window, decode, resize};

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

fn read(file: &str) -> Picture {
    decode(&std::fs::read(format!("{FOLDER}/{file}")).unwrap(), MOST_PIXELS).unwrap()
}

#[test]
fn decoded_files_have_the_bytes_of_pillow() {
    let all = rows("decoded.csv");
    assert_eq!(all.len(), 25);
    let is_read = |row: &Vec<String>| cfg!(feature = "images") || row[0].ends_with(".png");
    for row in all.into_iter().filter(is_read) {
        let found = read(&row[0]).rgb();
        assert_eq!([found.width().to_string(), found.height().to_string()], row[1..3], "{}", row[0]);
        assert_eq!(sha256(found.pixels()), row[3], "{}", row[0]);
    }
}

#[cfg(feature = "images")]
#[test]
fn an_animation_is_known_by_its_file() {
    assert!(
        read("animated.gif").animated && !read("palette.gif").animated && !read("lossless.webp").animated
    );
}

/// Decoders of JPEG differ by a level or so in the inverse transform and more at coloured edges, where colours of half the
/// resolution are enlarged.
#[test]
fn decoded_photographs_are_those_of_libjpeg_turbo_within_a_few_levels() {
    let bounds = [
        ("photo-444.jpg", 3, 0.05),
        ("photo-444-progressive.jpg", 3, 0.05),
        ("photo-422.jpg", 4, 0.3),
        ("photo-422-progressive.jpg", 4, 0.3),
        ("photo-420.jpg", 4, 0.5),
        ("photo-420-progressive.jpg", 4, 0.5),
        ("photo-grey.jpg", 1, 0.05),
        ("photo-cmyk.jpg", 1, 0.05),
        ("photo-turned.jpg", 4, 0.5),
    ];
    for (name, most, mean) in bounds {
        let (found, expected) = (read(name).rgb(), read(&format!("{name}.png")).rgb());
        assert_eq!((found.width(), found.height()), (expected.width(), expected.height()), "{name}");
        let far = found.pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b));
        let (max, sum) = far.fold((0, 0.0), |(max, sum), d| (d.max(max), sum + f64::from(d)));
        let found_mean = sum / found.pixels().len() as f64;
        assert!(max <= most && found_mean <= mean, "{name}: mean {found_mean:.4}, largest {max}");
    }
}
