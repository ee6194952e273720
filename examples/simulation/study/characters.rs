//! Characters of Omniglot, where they are at hand.

use std::path::{Path, PathBuf};

use kshot::data::{OpenOptions, Store};

use super::dice::Dice;
use super::pool::{Drawing, Pool};

/// Characters, each with its drawings.
pub type Characters = Vec<Vec<Drawing>>;

/// The characters of the store `omniglot-pixels` in the folder `data` of `KSHOT_SHARED`, or of `../shared`; or why there
/// are none.
pub fn read() -> Result<Characters, String> {
    let shared = std::env::var_os("KSHOT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("data/omniglot-pixels");
    let store = Store::open(&path, &OpenOptions::default()).map_err(|error| error.to_string())?;
    let mut pixels = vec![0.0; store.dim()];
    let mut characters = Characters::new();
    for class in store.index().classes() {
        let mut drawings = Vec::new();
        for item in &class.items {
            store.read_item(*item, &mut pixels).map_err(|error| error.to_string())?;
            let mut bits: Drawing = [0; 13];
            for (place, _) in pixels.iter().enumerate().filter(|(_, pixel)| **pixel > 0.5) {
                bits[place / 64] |= 1 << (place % 64);
            }
            drawings.push(bits);
        }
        characters.push(drawings);
    }
    Ok(characters)
}

/// A pool of so many characters, and all their drawings.
pub fn pool(characters: &Characters, count: usize, dice: &mut Dice) -> Pool {
    let mut places: Vec<usize> = (0..characters.len()).collect();
    dice.stream.choose(&mut places, count);
    let chosen: Vec<&[Drawing]> = places[..count].iter().map(|place| characters[*place].as_slice()).collect();
    Pool::of_drawings(&chosen)
}
