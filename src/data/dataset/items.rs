//! What a dataset is: items with ids and classes, each of which can be read by itself.

use std::path::PathBuf;

use crate::data::DataError;
use crate::image::RgbImage;
use crate::vocab::{Form, Split};

/// Raw items with their classes.
///
/// ```
/// use kshot::data::{DataError, Dataset, Items, RawItem};
/// use kshot::vocab::Split;
///
/// struct Greetings(Items);
///
/// impl Dataset for Greetings {
///     fn name(&self) -> &str {
///         "greetings"
///     }
///     fn items(&self) -> Result<&Items, DataError> {
///         Ok(&self.0)
///     }
///     fn read(&self, item: usize) -> Result<RawItem, DataError> {
///         Ok(RawItem::Text(["hello", "bye"][item].to_string()))
///     }
///     fn recipe(&self) -> Result<String, DataError> {
///         Ok("greetings 1".to_string())
///     }
/// }
///
/// let words = |words: [&str; 2]| words.map(String::from).to_vec();
/// let dataset = Greetings(Items {
///     ids: words(["a", "b"]),
///     classes: words(["greet", "leave"]),
///     parts: None,
///     groups: None,
///     listed: vec![("greet".to_string(), Split::Base, None), ("leave".to_string(), Split::Novel, None)],
/// });
/// assert!(matches!(dataset.read(1)?, RawItem::Text(text) if text == "bye"));
/// # Ok::<(), DataError>(())
/// ```
pub trait Dataset: Send + Sync {
    /// The name that features of it carry.
    fn name(&self) -> &str;

    /// All items in item order.
    ///
    /// # Errors
    /// Files that are not there or are broken.
    fn items(&self) -> Result<&Items, DataError>;

    /// One item, by its place among [`Dataset::items`]; called by several threads at once.
    ///
    /// # Errors
    /// A file that is broken.
    fn read(&self, item: usize) -> Result<RawItem, DataError>;

    /// The picture of an item as its file has it, before any scaling; nothing where items are no pictures in files. Called by
    /// several threads at once.
    ///
    /// # Errors
    /// A file that is broken.
    fn photograph(&self, _item: usize) -> Result<Option<Photograph>, DataError> {
        Ok(None)
    }

    /// What all of this depends on, such as the hash of the files: where it is equal, so are the items.
    ///
    /// # Errors
    /// Files that cannot be read.
    fn recipe(&self) -> Result<String, DataError>;

    /// The file of an item, for messages.
    fn place(&self, item: usize) -> PathBuf {
        let id = self.items().ok().and_then(|items| items.ids.get(item));
        id.map_or_else(|| PathBuf::from(self.name()), PathBuf::from)
    }

    /// What of it was left out or taken to mean something, as sentences.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Whether an image that was read has more than 8 bits a channel, so that its numbers need more than 16.
    fn is_deep(&self) -> bool {
        false
    }

    /// Columns or keys of its files that are not read.
    fn ignored(&self) -> &[String] {
        &[]
    }
}

/// The items of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// The id of each item, which no other item of its class has.
    pub ids: Vec<String>,
    /// The class of each item.
    pub classes: Vec<String>,
    /// The part of each item, where the dataset has parts.
    pub parts: Option<Vec<String>>,
    /// The group of each item, empty where it is in none, where the dataset has groups.
    pub groups: Option<Vec<String>>,
    /// Every class once, with its split and the cluster where it has one.
    pub listed: Vec<(String, Split, Option<String>)>,
}

/// A picture as its file has it.
#[derive(Clone, Debug)]
pub struct Photograph {
    /// Its pixels, upright.
    pub image: RgbImage,
    /// Whether it is the first frame of several.
    pub animated: bool,
}

/// An item before any network.
#[derive(Clone, Debug, PartialEq)]
pub enum RawItem {
    /// An image.
    Image {
        /// Its channels, height and width.
        form: Form,
        /// Numbers in 0…1, channel by channel, row by row.
        pixels: Vec<f32>,
    },
    /// A sentence.
    Text(String),
    /// Numbers that mean nothing by their order.
    Vector(Vec<f32>),
}
