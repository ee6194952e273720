//! Datasets: what is embedded, what is made of images or texts, and what is downloaded.

#[cfg(feature = "download")]
mod download;
mod embedded;
mod gaussian;
mod glyphs;
pub mod images;
pub mod text;

#[cfg(feature = "download")]
pub use download::{Remote, download, file_sha256};
pub use embedded::{EMBEDDED, embedded};
