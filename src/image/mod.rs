//! Pictures as numbers, and what a network expects of them.
//!
//! A [`Recipe`] is preprocessing as data: resize, crop, mean, deviation, order and range of the channels. Scaling follows
//! Pillow's arithmetic bit by bit, because one grey level at random moves the features of a real network by some per cent.

#[cfg(feature = "images")]
mod animated;
mod config;
mod decode;
mod error;
mod filter;
mod orientation;
#[cfg(test)]
mod parity;
mod recipe;
mod resize;
mod rgb;

pub use decode::{MOST_PIXELS, Picture, Samples, decode};
pub use error::{DecodeError, RecipeError};
pub use filter::Filter;
#[cfg(test)]
pub(crate) use orientation::tests::exif;
pub use recipe::{ChannelOrder, Crop, Range, Recipe, Resize, Rounding};
pub use resize::{Window, resize};
pub use rgb::RgbImage;
