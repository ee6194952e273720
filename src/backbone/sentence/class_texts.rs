//! Class vectors from words: names or descriptions of classes, set into templates, embedded and averaged.
//!
//! As in Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 3.1.4:
//! every text is embedded by itself, the embeddings are divided by their norms, averaged, and divided by the norm of the
//! mean.

/// Texts to embed, several per class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassTexts {
    /// All texts, class after class.
    pub texts: Vec<String>,
    /// Where the texts of each class end.
    ends: Vec<usize>,
}

impl ClassTexts {
    /// The words of every class in every template, at `{}`.
    pub fn new(words: &[Vec<String>], templates: &[String]) -> ClassTexts {
        let mut all = ClassTexts { texts: Vec::new(), ends: Vec::with_capacity(words.len()) };
        for words in words {
            for word in words {
                all.texts.extend(templates.iter().map(|template| template.replace("{}", word)));
            }
            all.ends.push(all.texts.len());
        }
        all
    }

    /// The place of the class that a text is of.
    pub fn class_of(&self, text: usize) -> usize {
        self.ends.partition_point(|end| *end <= text)
    }

    /// One vector of norm one per class (classes, dim), from the features of the texts (texts, dim).
    ///
    /// The vector of a class whose texts cancel out is zero.
    pub fn mean(&self, features: &[f32], dim: usize) -> Vec<f32> {
        let mut vectors = Vec::with_capacity(self.ends.len() * dim);
        let mut begin = 0;
        for end in &self.ends {
            let mut sum = vec![0.0; dim];
            for row in features[begin * dim..end * dim].chunks_exact(dim) {
                let scale = inverse_norm(row.iter().map(|v| f64::from(*v)));
                sum.iter_mut().zip(row).for_each(|(sum, v)| *sum += scale * f64::from(*v));
            }
            let scale = inverse_norm(sum.iter().copied());
            vectors.extend(sum.iter().map(|v| (scale * v) as f32));
            begin = *end;
        }
        vectors
    }
}

/// One over the norm; zero for zeros.
fn inverse_norm(row: impl Iterator<Item = f64>) -> f64 {
    let square: f64 = row.map(|v| v * v).sum();
    if square > 0.0 { square.sqrt().recip() } else { 0.0 }
}

/// The name of a class as words: underscores are spaces, and a question mark at the end, as one name of BANKING77 has
/// it, is no part of them.
///
/// ```
/// use kshot::backbone::sentence::label_words;
/// assert_eq!(label_words("card_not_working"), "card not working");
/// assert_eq!(label_words("reverted_card_payment?"), "reverted card payment");
/// ```
pub fn label_words(class: &str) -> String {
    let words = class.replace('_', " ");
    let bare = words.trim_end_matches('?').trim();
    // A name of question marks alone is all that there is to embed.
    if bare.is_empty() { words } else { bare.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_class_counts_alike_whatever_its_length() {
        let words = [vec!["owl".to_string()], vec!["wren".to_string(), "small bird".to_string()]];
        let templates = ["{}".to_string(), "a {}".to_string()];
        let texts = ClassTexts::new(&words, &templates);
        assert_eq!(texts.texts, ["owl", "a owl", "wren", "a wren", "small bird", "a small bird"]);
        assert_eq!([0, 1, 2, 5].map(|text| texts.class_of(text)), [0, 0, 1, 1]);
        let features = [3.0, 4.0, 6.0, 8.0, 5.0, 0.0, 0.0, 0.1, 9.0, 0.0, 0.0, 7.0];
        let vectors = texts.mean(&features, 2);
        let half = 0.5f32.sqrt();
        let far = vectors.iter().zip([0.6, 0.8, half, half]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-6, "{vectors:?}");
        assert_eq!(ClassTexts::new(&words[..1], &templates).mean(&[1.0, 0.0, -1.0, 0.0], 2), [0.0, 0.0]);
    }
}
