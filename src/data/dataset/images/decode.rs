//! Pictures in files as numbers in 0…1.

use std::io::Cursor;

/// A picture: (height, width, channels), 0 for black and 1 for white.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raster {
    pub height: usize,
    pub width: usize,
    /// 1 for grey, 3 for colour; transparency is left out.
    pub channels: usize,
    pub values: Vec<f32>,
}

/// Reads a PNG or, with the feature `images`, a JPEG, told apart by their first bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Raster, String> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [0xff, 0xd8, ..] => jpeg(bytes),
        _ => Err("neither PNG nor JPEG".to_string()),
    }
}

fn png(bytes: &[u8]) -> Result<Raster, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().ok_or("too large")?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(|e| e.to_string())?;
    let (kept, stored) = match frame.color_type {
        png::ColorType::Grayscale => (1, 1),
        png::ColorType::GrayscaleAlpha => (1, 2),
        png::ColorType::Rgb => (3, 3),
        png::ColorType::Rgba => (3, 4),
        png::ColorType::Indexed => return Err("a palette that was not resolved".to_string()),
    };
    let used = samples[..frame.buffer_size()].chunks_exact(stored);
    raster(frame.width as usize, frame.height as usize, kept, used.flat_map(|pixel| &pixel[..kept]))
}

fn raster<'a>(
    width: usize,
    height: usize,
    channels: usize,
    samples: impl Iterator<Item = &'a u8>,
) -> Result<Raster, String> {
    let values: Vec<f32> = samples.map(|v| f32::from(*v) / 255.0).collect();
    match values.len() == width * height * channels && !values.is_empty() {
        true => Ok(Raster { height, width, channels, values }),
        false => Err("cut short".to_string()),
    }
}

#[cfg(feature = "images")]
fn jpeg(bytes: &[u8]) -> Result<Raster, String> {
    let mut decoder = jpeg_decoder::Decoder::new(Cursor::new(bytes));
    let samples = decoder.decode().map_err(|e| e.to_string())?;
    let info = decoder.info().ok_or("no size")?;
    let channels = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => 1,
        jpeg_decoder::PixelFormat::RGB24 => 3,
        other => return Err(format!("pixels of format {other:?}, expected grey or RGB with 8 bits")),
    };
    raster(info.width.into(), info.height.into(), channels, samples.iter())
}

#[cfg(not(feature = "images"))]
fn jpeg(_: &[u8]) -> Result<Raster, String> {
    Err("this build reads no JPEG\nhint: build with --features images".to_string())
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
        let grey = decode(&png_of(2, 1, png::ColorType::Grayscale, &[0, 255])).unwrap();
        assert_eq!(grey, Raster { height: 1, width: 2, channels: 1, values: vec![0.0, 1.0] });
        let colour = decode(&png_of(1, 2, png::ColorType::Rgba, &[255, 0, 0, 9, 0, 0, 255, 9])).unwrap();
        assert_eq!(colour.planes(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(grey.with_channels(3).values, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(colour.with_channels(1).values, [0.299, 0.114]);
    }

    #[cfg(feature = "images")]
    #[test]
    fn a_photograph_has_the_pixels_that_others_decode() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/images");
        let expected = std::fs::read_to_string(format!("{folder}/expected.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
        for (name, channels) in [("photo", 3), ("grey", 1)] {
            let bytes = std::fs::read(format!("{folder}/{name}.jpg")).unwrap();
            let found = decode(&bytes).unwrap();
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
            assert!(decode(&bytes[..bytes.len() / 2]).is_err(), "{name} cut short");
        }
    }

    #[cfg(not(feature = "images"))]
    #[test]
    fn a_build_without_jpeg_says_so() {
        let told = decode(&[0xff, 0xd8, 0xff]).unwrap_err();
        assert_eq!(told, "this build reads no JPEG\nhint: build with --features images");
    }

    #[test]
    fn broken_pictures_are_refused() {
        let whole = png_of(2, 1, png::ColorType::Grayscale, &[0, 255]);
        assert!(decode(&whole[..whole.len() - 20]).is_err());
        assert_eq!(decode(b"GIF89a").unwrap_err(), "neither PNG nor JPEG");
    }
}
