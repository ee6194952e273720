//! The text tower that lies beside an image tower: names of classes become class embeddings of the same space as its features
//! (Radford et al. 2021, section 3.1.4), so that images are classified without any example.

use super::Network;
use super::texts::class_texts;
use crate::backbone::SentenceEncoder;
use crate::backbone::sentence::ClassTexts;
use crate::data::{ClassEmbeddings, EmbeddingSource, files_sha256};
use crate::run::device::{Device, on_device};
use crate::run::error::RunError;
use crate::vocab::Split;

/// The text around the name of a class, where none is given: that of Radford et al. 2021.
const TEMPLATE: &str = "a photo of a {}.";

/// A text tower, and the texts of all classes.
pub(crate) struct ClassTower {
    encoder: SentenceEncoder,
    texts: ClassTexts,
}

/// The tower beside the weights of a network, what its embeddings are made of, and the hash of its files; nothing where the
/// network has none, or where its features are not those of the space that both towers share.
pub(super) fn beside(
    network: &Network,
    listed: &[(String, Split, Option<String>)],
) -> Result<Option<(ClassTower, EmbeddingSource, String)>, RunError> {
    let Some(folder) = network.backbone.text_tower() else { return Ok(None) };
    let encoder = SentenceEncoder::read(folder)?;
    let (texts, source) = class_texts(network, listed, TEMPLATE)?;
    let hash = files_sha256(encoder.files())?;
    Ok(Some((ClassTower { encoder, texts }, source, hash)))
}

impl ClassTower {
    /// One embedding per class, the mean over its texts.
    pub(crate) fn embed(&self, device: Device) -> Result<ClassEmbeddings, RunError> {
        let (texts, workers) = (&self.texts.texts, device.workers());
        let embedded =
            on_device!(device, |open, Kind| self.encoder.embed::<Kind>(texts, workers, open, |_| {}))?;
        let rows = self.texts.mean(&embedded.features, embedded.dim);
        Ok(ClassEmbeddings { rows: rows.into(), class_dim: embedded.dim })
    }
}
