//! Pictures in files as numbers in 0…1.

use std::io::Cursor;

use super::orientation;

/// Pixels that an image may have: more than any camera gives, and less than a header can claim.
pub(super) const MOST_PIXELS: u64 = 200_000_000;

/// Endings of images that can be read, in a build with the feature `images`.
pub(super) const ENDINGS: [&str; 11] =
    ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "pnm"];

/// Whether this build lists files of this ending; a JPEG without the feature is refused, not passed over.
pub(super) fn is_read(ending: &str) -> bool {
    let without = ["png", "jpg", "jpeg"];
    if cfg!(feature = "images") { ENDINGS.contains(&ending) } else { without.contains(&ending) }
}

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

/// Reads a PNG or, with the feature `images`, other formats, told apart by their first bytes, and turns it upright.
pub(super) fn decode(bytes: &[u8], most: u64) -> Result<Raster, String> {
    let (raster, exif) = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes, most)?,
        _ => other(bytes, most)?,
    };
    Ok(match exif.as_deref().and_then(orientation::of_exif) {
        Some(orientation) => orientation::upright(raster, orientation),
        None => raster,
    })
}

/// Refuses more pixels than may be, before memory is taken for them.
fn bounded(width: u32, height: u32, most: u64) -> Result<(), String> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= most {
        return Ok(());
    }
    Err(format!(
        "its header says {width}×{height} pixels, at most {most} are read\nhint: write folder:DIR,max-pixels={pixels} if that is true"
    ))
}

/// A deflated byte holds at most so many.
const DEFLATE: u64 = 1032;

fn png(bytes: &[u8], most: u64) -> Result<(Raster, Option<Vec<u8>>), String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let exif = info.exif_metadata.as_ref().map(|exif| exif.to_vec());
    let stored = (info.raw_row_length() as u64).saturating_mul(u64::from(height));
    if stored > (bytes.len() as u64).saturating_mul(DEFLATE) {
        return Err(format!(
            "its header says {width}×{height} pixels, which {} bytes cannot hold",
            bytes.len()
        ));
    }
    bounded(width, height, most)?;
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
    let samples = &samples[..frame.buffer_size()];
    let size = (frame.width as usize, frame.height as usize);
    let raster = if frame.bit_depth == png::BitDepth::Sixteen {
        let deep = samples.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        raster(size, kept, stored, deep, 65535.0)
    } else {
        raster(size, kept, stored, samples.iter().copied(), 255.0)
    };
    Ok((raster?, exif))
}

/// A picture from samples, `stored` of a pixel of which the first `kept` count; white is `white`.
fn raster<T: Into<f32>>(
    (width, height): (usize, usize),
    kept: usize,
    stored: usize,
    samples: impl Iterator<Item = T>,
    white: f32,
) -> Result<Raster, String> {
    let samples = samples.enumerate().filter(|(place, _)| place % stored < kept);
    let values: Vec<f32> = samples.map(|(_, value)| value.into() / white).collect();
    if values.len() == width * height * kept && !values.is_empty() {
        Ok(Raster { height, width, channels: kept, values, deep: white > 255.0 })
    } else {
        Err("cut short".to_string())
    }
}

#[cfg(feature = "images")]
fn other(bytes: &[u8], most: u64) -> Result<(Raster, Option<Vec<u8>>), String> {
    use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let format = reader.format().ok_or("no image, or one of a format that is not read")?;
    if format == image::ImageFormat::Jpeg && !ends(bytes) {
        return Err("its data ends before the picture does".to_string());
    }
    let mut limited = reader;
    // The largest sample has four bytes, and there are four of a pixel at most.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(most.saturating_mul(16).max(1 << 26));
    limited.limits(limits);
    let mut decoder = limited.into_decoder().map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions();
    bounded(width, height, most)?;
    let exif = decoder.exif_metadata().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder).map_err(|e| e.to_string())?;
    let size = (width as usize, height as usize);
    let bytes = |kept, stored, samples: Vec<u8>| raster(size, kept, stored, samples.into_iter(), 255.0);
    let deep = |kept, stored, samples: Vec<u16>| raster(size, kept, stored, samples.into_iter(), 65535.0);
    let raster = match picture {
        DynamicImage::ImageLuma8(of) => bytes(1, 1, of.into_raw()),
        DynamicImage::ImageLumaA8(of) => bytes(1, 2, of.into_raw()),
        DynamicImage::ImageRgb8(of) => bytes(3, 3, of.into_raw()),
        DynamicImage::ImageRgba8(of) => bytes(3, 4, of.into_raw()),
        DynamicImage::ImageLuma16(of) => deep(1, 1, of.into_raw()),
        DynamicImage::ImageLumaA16(of) => deep(1, 2, of.into_raw()),
        DynamicImage::ImageRgb16(of) => deep(3, 3, of.into_raw()),
        DynamicImage::ImageRgba16(of) => deep(3, 4, of.into_raw()),
        other => return Err(format!("pixels of type {:?}, expected whole numbers", other.color())),
    };
    Ok((raster?, exif))
}

/// Whether a JPEG has its end behind the last of its scans: one that was cut short would be grey from there on.
#[cfg(feature = "images")]
fn ends(bytes: &[u8]) -> bool {
    let scan = bytes.windows(2).rposition(|two| two == [0xff, 0xda]).unwrap_or(0);
    bytes[scan..].windows(2).any(|two| two == [0xff, 0xd9])
}

#[cfg(not(feature = "images"))]
fn other(bytes: &[u8], _: u64) -> Result<(Raster, Option<Vec<u8>>), String> {
    match bytes {
        [0xff, 0xd8, ..] => Err("this build reads no JPEG\nhint: build with --features images".to_string()),
        _ => Err("no PNG\nhint: build with --features images for other formats".to_string()),
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

    #[cfg(feature = "images")]
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

    #[cfg(not(feature = "images"))]
    #[test]
    fn a_build_without_jpeg_says_so() {
        let told = read(&[0xff, 0xd8, 0xff]).unwrap_err();
        assert_eq!(told, "this build reads no JPEG\nhint: build with --features images");
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
        let exif = orientation::tests::exif(6, true);
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
        use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb};
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
