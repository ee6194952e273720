//! Datasets: raw items with their classes, of which networks make features.
//!
//! A dataset is a file of this folder and a line of [`DATASETS`]. One from elsewhere implements [`Dataset`], and
//! [`pixels`] makes features of its images.

#[cfg(feature = "download")]
mod download;
mod gaussian;
mod glyphs;
#[cfg(feature = "download")]
mod hub;
pub mod images;
mod items;
mod kind;
mod made;
pub mod text;

#[cfg(feature = "download")]
pub use download::{Remote, download, file_sha256};
#[cfg(feature = "download")]
pub use hub::{Hub, HubFile, Revision};
pub use images::pixels;
pub use items::{Dataset, Items, Photograph, RawItem};
pub use kind::{Holds, Kind, kind, open_dataset};
pub use made::embedded;

/// The datasets that kshot knows by name.
pub const DATASETS: &[Kind] = &[
    glyphs::KIND,
    gaussian::KIND,
    images::OMNIGLOT,
    images::OMNIGLOT_CHARACTERS,
    images::FOLDER,
    images::LISTED,
    images::IMAGES,
    text::CLINC150,
    text::BANKING77,
    text::TEXTS,
    text::SENTENCES,
];
