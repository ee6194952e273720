//! Pictures in files as numbers in 0…1.

use std::path::Path;

use crate::data::dataset::items::Photograph;
use crate::data::{DataError, Place};
use crate::image::{self, DecodeError, Picture, Samples};

pub(super) use crate::image::MOST_PIXELS;

/// Whether this build reads files of this ending.
pub(super) fn is_read(ending: &str) -> bool {
    ENDINGS[..6].contains(&ending) || cfg!(feature = "images") && ENDINGS.contains(&ending)
}

/// Endings of images: those that are always read, and those that are with the feature `images`.
pub(super) const ENDINGS: [&str; 16] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "webp", "tif", "tiff", "ppm", "pgm",
    "pbm", "pnm",
];

/// A picture: (height, width, channels), 0 for black and 1 for white.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raster {
    pub height: usize,
    pub width: usize,
    /// 1 for grey, 3 for colour; transparency is left out.
    pub channels: usize,
    pub values: Vec<f32>,
    /// Whether a channel has more than 8 bits.
    pub deep: bool,
}

/// Reads a picture, told by its first bytes, and turns it upright.
pub(super) fn decode(bytes: &[u8], most: u64) -> Result<Raster, String> {
    image::decode(bytes, most).map(Raster::from).map_err(told)
}

/// Reads the picture of a file as it is.
pub(super) fn photograph(path: &Path, most: u64) -> Result<Photograph, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
    let picture = image::decode(&bytes, most)
        .map_err(|error| DataError::Damaged { at: Place::file(path), what: told(error) })?;
    Ok(Photograph { animated: picture.animated, image: picture.rgb() })
}

/// What is wrong with a file, with the way to read one that is larger than usual.
fn told(error: DecodeError) -> String {
    match error {
        DecodeError::TooLarge { pixels, .. } => {
            format!("{error}\nhint: write folder:DIR,max-pixels={pixels} if that is true")
        }
        error => error.to_string(),
    }
}

impl From<Picture> for Raster {
    fn from(picture: Picture) -> Raster {
        let Picture { width, height, channels, samples, .. } = picture;
        let (values, deep) = match samples {
            Samples::Eight(samples) => (samples.iter().map(|v| f32::from(*v) / 255.0).collect(), false),
            Samples::Sixteen(samples) => (samples.iter().map(|v| f32::from(*v) / 65535.0).collect(), true),
        };
        Raster { height, width, channels, values, deep }
    }
}

impl Raster {
    /// The picture with so many channels: grey repeated, or colour weighed to grey (ITU-R BT.601).
    pub fn with_channels(self, channels: usize) -> Raster {
        let values = match (self.channels, channels) {
            (1, 3) => self.values.iter().flat_map(|v| [*v; 3]).collect(),
            (3, 1) => {
                self.values.chunks_exact(3).map(|p| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]).collect()
            }
            _ => return self,
        };
        Raster { channels, values, ..self }
    }

    /// Channel by channel, row by row.
    pub fn planes(&self) -> Vec<f32> {
        let channel = |c: usize| self.values.iter().skip(c).step_by(self.channels).copied();
        (0..self.channels).flat_map(channel).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Raster, String> {
        decode(bytes, MOST_PIXELS)
    }

    /// A PNG of 8-bit samples.
    pub fn png_of(width: u32, height: u32, color: png::ColorType, samples: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        bytes
    }

    #[test]
    fn grey_and_colour_are_read_and_turned_into_each_other() {
        let grey = read(&png_of(2, 1, png::ColorType::Grayscale, &[0, 255])).unwrap();
        assert_eq!(grey, Raster { height: 1, width: 2, channels: 1, values: vec![0.0, 1.0], deep: false });
        let colour = read(&png_of(1, 2, png::ColorType::Rgba, &[255, 0, 0, 9, 0, 0, 255, 9])).unwrap();
        assert_eq!(colour.planes(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(grey.with_channels(3).values, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(colour.with_channels(1).values, [0.299, 0.114]);
    }

    #[test]
    fn a_photograph_has_the_pixels_that_others_decode() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/images");
        let expected = std::fs::read_to_string(format!("{folder}/expected.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
        for (name, channels) in [("photo", 3), ("grey", 1)] {
            let bytes = std::fs::read(format!("{folder}/{name}.jpg")).unwrap();
            let found = read(&bytes).unwrap();
            assert_eq!((found.height, found.width, found.channels), (24, 32, channels));
            let pixels = expected[name].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
            let pixels: Vec<f32> = match channels {
                1 => pixels.map(|v| v.as_f64().unwrap() as f32).collect(),
                _ => pixels.flat_map(|p| p.as_array().unwrap()).map(|v| v.as_f64().unwrap() as f32).collect(),
            };
            let far = found.values.iter().zip(&pixels).map(|(a, b)| (255.0 * a - b).abs());
            // Decoders differ in how they enlarge the colours of a 4:2:0 picture.
            assert!(far.clone().sum::<f32>() / (pixels.len() as f32) < 1.0, "{name}");
            assert!(far.fold(0.0, f32::max) < 16.0, "{name}");
            assert!(read(&bytes[..bytes.len() / 2]).is_err(), "{name} cut short");
        }
    }

    #[test]
    fn broken_pictures_are_refused() {
        let whole = png_of(2, 1, png::ColorType::Grayscale, &[0, 255]);
        assert!(read(&whole[..whole.len() - 20]).is_err());
        assert!(read(b"nothing").unwrap_err().starts_with("no "));
    }

    fn png_with(
        set: impl Fn(&mut png::Encoder<'_, &mut Vec<u8>>),
        (width, height): (u32, u32),
        samples: &[u8],
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        set(&mut encoder);
        encoder.write_header().unwrap().write_image_data(samples).unwrap();
        bytes
    }

    #[test]
    fn sixteen_bits_a_palette_and_single_bits_are_kept() {
        let deep = png_with(|png| png.set_depth(png::BitDepth::Sixteen), (2, 1), &[0, 200, 255, 255]);
        let deep = read(&deep).unwrap();
        assert_eq!((deep.deep, deep.values), (true, vec![200.0 / 65535.0, 1.0]));
        let palette = |png: &mut png::Encoder<'_, &mut Vec<u8>>| {
            png.set_color(png::ColorType::Indexed);
            png.set_palette([255, 0, 0, 0, 0, 51].as_slice());
        };
        assert_eq!(read(&png_with(palette, (2, 1), &[1, 0])).unwrap().values, [0.0, 0.0, 0.2, 1.0, 0.0, 0.0]);
        let bits = png_with(|png| png.set_depth(png::BitDepth::One), (3, 1), &[0b1010_0000]);
        assert_eq!(read(&bits).unwrap().values, [1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_header_is_believed_no_further_than_its_file_reaches() {
        let whole = png_of(2, 1, png::ColorType::Grayscale, &[0, 255]);
        // The width of IHDR, with the checksum of the chunk made anew.
        let wide = |width: u32, height: u32| {
            let mut bytes = whole.clone();
            bytes[16..20].copy_from_slice(&width.to_be_bytes());
            bytes[20..24].copy_from_slice(&height.to_be_bytes());
            let mut crc = !0_u32;
            for byte in &bytes[12..29] {
                crc ^= u32::from(*byte);
                (0..8).for_each(|_| crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
            }
            bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
            bytes
        };
        let said = read(&wide(4, 2_147_483_647)).unwrap_err();
        assert!(said.starts_with("its header says 4×2147483647 pixels, which "), "{said}");
        let said = decode(&png_of(20, 20, png::ColorType::Grayscale, &[7; 400]), 399).unwrap_err();
        assert_eq!(
            said,
            "its header says 20×20 pixels, at most 399 are read\nhint: write folder:DIR,max-pixels=400 if that is true"
        );
    }

    #[test]
    fn a_picture_is_turned_as_its_camera_says() {
        let bytes = png_of(2, 1, png::ColorType::Grayscale, &[0, 255]);
        let exif = image::exif(6, true);
        let mut info = png::Info::with_size(2, 1);
        info.bit_depth = png::BitDepth::Eight;
        info.exif_metadata = Some(exif.into());
        let mut turned = Vec::new();
        let encoder = png::Encoder::with_info(&mut turned, info).unwrap();
        encoder.write_header().unwrap().write_image_data(&[0, 255]).unwrap();
        let (plain, turned) = (read(&bytes).unwrap(), read(&turned).unwrap());
        assert_eq!((plain.height, plain.width), (1, 2));
        assert_eq!((turned.height, turned.width, turned.values), (2, 1, vec![0.0, 1.0]));
    }

    #[cfg(feature = "images")]
    #[test]
    fn other_formats_are_read() {
        use ::image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb};
        let colour = DynamicImage::ImageRgb8(ImageBuffer::from_fn(8, 8, |_, _| Rgb([255, 0, 51])));
        let deep: DynamicImage = ImageBuffer::from_fn(8, 8, |x, _| Luma([x as u16 * 256 + 7])).into();
        for format in
            [ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Pnm]
        {
            let mut bytes = std::io::Cursor::new(Vec::new());
            colour.write_to(&mut bytes, format).unwrap();
            let found = read(bytes.get_ref()).unwrap();
            assert_eq!((found.width, &found.values[..3]), (8, [1.0, 0.0, 0.2].as_slice()), "{format:?}");
        }
        let mut bytes = std::io::Cursor::new(Vec::new());
        deep.write_to(&mut bytes, ImageFormat::Tiff).unwrap();
        let found = read(bytes.get_ref()).unwrap();
        assert_eq!((found.deep, found.values[1]), (true, 263.0 / 65535.0));
        assert!(decode(bytes.get_ref(), 63).unwrap_err().contains("max-pixels=64"));
    }
}
