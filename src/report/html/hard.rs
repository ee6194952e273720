//! A hard episode in pictures: its support, and the queries that were taken for another class.

use super::PageError;
use super::text::escaped;

/// An image of an item, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: u8,
    /// Row by row, the channels of a pixel together.
    pub pixels: Vec<u8>,
}

/// A query that was taken for another class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongItem {
    /// The item.
    pub picture: Picture,
    /// The class that it was taken for.
    pub predicted: String,
}

/// One class of the episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardClass {
    /// Its name.
    pub name: String,
    /// What the learner was shown.
    pub support: Vec<Picture>,
    /// The queries that went wrong.
    pub wrong: Vec<WrongItem>,
    /// Queries of the class.
    pub queries: usize,
}

/// The episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardEpisode {
    /// Which episode of which learner.
    pub title: String,
    /// Its classes, in the order of their labels.
    pub classes: Vec<HardClass>,
}

/// What the page says of a hard episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hard {
    /// It is shown.
    Shown(HardEpisode),
    /// It is not, for this reason.
    Absent(String),
}

impl Hard {
    /// Its section of the page.
    pub(super) fn html(&self) -> Result<String, PageError> {
        match self {
            Hard::Shown(episode) => episode.html(),
            Hard::Absent(reason) => {
                Ok(format!("<p class=\"muted\">No hard episode in pictures: {}.</p>\n", escaped(reason)))
            }
        }
    }
}

impl HardEpisode {
    fn html(&self) -> Result<String, PageError> {
        let mut html = format!("<h2>A hard episode</h2>\n<p>{}</p>\n", escaped(&self.title));
        for class in &self.classes {
            let count = format!("{} of {} queries wrong", class.wrong.len(), class.queries);
            html.push_str(&format!("<h3>{}: {count}</h3>\n<div class=\"items\">\n", escaped(&class.name)));
            for picture in &class.support {
                html.push_str(&picture.figure("support")?);
            }
            for wrong in &class.wrong {
                html.push_str(&wrong.picture.figure(&format!("taken for {}", wrong.predicted))?);
            }
            html.push_str("</div>\n");
        }
        Ok(html)
    }
}

impl Picture {
    fn figure(&self, caption: &str) -> Result<String, PageError> {
        let (caption, data) = (escaped(caption), base64(&self.png()?));
        Ok(format!(
            "<figure><img class=\"item\" alt=\"{caption}\" width=\"{}\" height=\"{}\" \
             src=\"data:image/png;base64,{data}\"/><figcaption>{caption}</figcaption></figure>\n",
            self.width, self.height
        ))
    }

    fn png(&self) -> Result<Vec<u8>, PageError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(if self.channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.pixels)?;
            writer.finish()
        });
        let failed = |error: png::EncodingError| PageError::Picture {
            width: self.width,
            height: self.height,
            message: error.to_string(),
        };
        written.map_err(failed).map(|()| bytes)
    }
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_in_the_standard() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_picture_of_the_wrong_size_is_an_error_and_not_a_panic() {
        let picture = Picture { width: 2, height: 2, channels: 1, pixels: vec![0; 3] };
        let error = picture.figure("x").unwrap_err().to_string();
        assert!(error.starts_with("cannot pack a picture of 2 × 2 pixels: "), "{error}");
    }
}
