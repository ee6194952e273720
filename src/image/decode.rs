//! Files of pictures as pixels, told by their first bytes and turned upright as their EXIF data say.
//!
//! Transparency is dropped, not laid over a colour, and of 16 bits the upper eight are taken for [`Picture::rgb`], as Pillow's
//! `convert("RGB")` does of colours. Of an animation the first frame is read.

use std::io::Cursor;

#[cfg(feature = "images")]
use ::image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

#[cfg(feature = "images")]
use super::animated::is_animated;
use super::error::DecodeError;
use super::orientation::{of_exif, upright};
use super::rgb::RgbImage;

/// Pixels that a picture may have where nobody says otherwise: more than any camera gives, and less than a header can claim.
pub const MOST_PIXELS: u64 = 200_000_000;

/// A decoded picture, upright, without transparency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// The samples of each pixel, row by row.
    pub samples: Samples,
    /// Whether the file holds more than this one, its first frame.
    pub animated: bool,
}

/// Samples as the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// Up to eight bits each.
    Eight(Vec<u8>),
    /// Up to sixteen bits each.
    Sixteen(Vec<u16>),
}

/// Decodes a picture of at most `most` pixels: JPEG or PNG; with the feature `images` also WebP, BMP, GIF, TIFF or PNM.
///
/// # Errors
/// When it is none of these, is damaged or cut short, or has more pixels.
pub fn decode(bytes: &[u8], most: u64) -> Result<Picture, DecodeError> {
    let (picture, exif) = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes, most)?,
        [0xff, 0xd8, ..] => jpeg(bytes, most)?,
        _ => other(bytes, most)?,
    };
    let orientation = exif.as_deref().and_then(of_exif).unwrap_or(1);
    let (size, channels) = ((picture.width, picture.height), picture.channels);
    let (samples, (width, height)) = match picture.samples {
        Samples::Eight(samples) => {
            let (samples, size) = upright(samples, size, channels, orientation);
            (Samples::Eight(samples), size)
        }
        Samples::Sixteen(samples) => {
            let (samples, size) = upright(samples, size, channels, orientation);
            (Samples::Sixteen(samples), size)
        }
    };
    Ok(Picture { width, height, samples, ..picture })
}

impl Picture {
    /// The picture with three channels of eight bits: grey repeated, of sixteen bits the upper eight.
    pub fn rgb(self) -> RgbImage {
        let eight = match self.samples {
            Samples::Eight(samples) => samples,
            Samples::Sixteen(samples) => samples.iter().map(|sample| (sample >> 8) as u8).collect(),
        };
        let pixels =
            if self.channels == 3 { eight } else { eight.iter().flat_map(|grey| [*grey; 3]).collect() };
        RgbImage::new(self.width, self.height, pixels).unwrap_or_else(|| unreachable!("decoded whole"))
    }

    /// A picture from samples, `stored` of a pixel of which the first one or three count.
    fn of<T: Copy>(
        (width, height): (u32, u32),
        stored: usize,
        samples: Vec<T>,
        kind: impl Fn(Vec<T>) -> Samples,
    ) -> Result<Picture, DecodeError> {
        let (width, height) = (width as usize, height as usize);
        if width * height == 0 || width * height * stored != samples.len() {
            return Err(DecodeError::Broken("cut short".to_string()));
        }
        let channels = if stored < 3 { 1 } else { 3 };
        let samples = if stored == channels {
            samples
        } else {
            samples.chunks_exact(stored).flat_map(|pixel| &pixel[..channels]).copied().collect()
        };
        Ok(Picture { width, height, channels, samples: kind(samples), animated: false })
    }
}

/// Refuses more pixels than may be, before memory is taken for them.
fn bounded(width: u32, height: u32, most: u64) -> Result<(), DecodeError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= most { Ok(()) } else { Err(DecodeError::TooLarge { width, height, pixels, most }) }
}

fn broken(error: impl ToString) -> DecodeError {
    DecodeError::Broken(error.to_string())
}

/// A deflated byte holds at most so many.
const DEFLATE: u64 = 1032;

/// A picture and its EXIF data.
type WithExif = (Picture, Option<Vec<u8>>);

fn png(bytes: &[u8], most: u64) -> Result<WithExif, DecodeError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let exif = info.exif_metadata.as_ref().map(|exif| exif.to_vec());
    let animated = info.animation_control.is_some_and(|control| control.num_frames > 1);
    let stored = (info.raw_row_length() as u64).saturating_mul(u64::from(height));
    if stored > (bytes.len() as u64).saturating_mul(DEFLATE) {
        return Err(DecodeError::Claims { width, height, bytes: bytes.len() });
    }
    bounded(width, height, most)?;
    let size = reader.output_buffer_size().ok_or_else(|| broken("too large"))?;
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(broken)?;
    let stored = match frame.color_type {
        png::ColorType::Grayscale => 1,
        png::ColorType::GrayscaleAlpha => 2,
        png::ColorType::Rgb => 3,
        png::ColorType::Rgba => 4,
        png::ColorType::Indexed => return Err(broken("a palette that was not resolved")),
    };
    samples.truncate(frame.buffer_size());
    let size = (frame.width, frame.height);
    let picture = if frame.bit_depth == png::BitDepth::Sixteen {
        let deep = samples.as_chunks::<2>().0.iter().map(|two| u16::from_be_bytes(*two)).collect();
        Picture::of(size, stored, deep, Samples::Sixteen)?
    } else {
        Picture::of(size, stored, samples, Samples::Eight)?
    };
    Ok((Picture { animated, ..picture }, exif))
}

fn jpeg(bytes: &[u8], most: u64) -> Result<WithExif, DecodeError> {
    if !ends(bytes) {
        return Err(broken("its data ends before the picture does"));
    }
    let options = DecoderOptions::default().set_strict_mode(false);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(broken)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let (width, height) = (width as u32, height as u32);
    bounded(width, height, most)?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let wanted = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let samples = decoder.decode().map_err(broken)?;
    let picture = Picture::of((width, height), if grey { 1 } else { 3 }, samples, Samples::Eight)?;
    Ok((picture, decoder.exif().cloned()))
}

#[cfg(feature = "images")]
fn other(bytes: &[u8], most: u64) -> Result<WithExif, DecodeError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(broken)?;
    reader.format().ok_or_else(|| broken("no image, or one of a format that is not read"))?;
    let mut limited = reader;
    // The largest sample has four bytes, and there are four of a pixel at most.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(most.saturating_mul(16).max(1 << 26));
    limited.limits(limits);
    let mut decoder = limited.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    bounded(width, height, most)?;
    let exif = decoder.exif_metadata().ok().flatten();
    let size = (width, height);
    let picture = match DynamicImage::from_decoder(decoder).map_err(broken)? {
        DynamicImage::ImageLuma8(of) => Picture::of(size, 1, of.into_raw(), Samples::Eight),
        DynamicImage::ImageLumaA8(of) => Picture::of(size, 2, of.into_raw(), Samples::Eight),
        DynamicImage::ImageRgb8(of) => Picture::of(size, 3, of.into_raw(), Samples::Eight),
        DynamicImage::ImageRgba8(of) => Picture::of(size, 4, of.into_raw(), Samples::Eight),
        DynamicImage::ImageLuma16(of) => Picture::of(size, 1, of.into_raw(), Samples::Sixteen),
        DynamicImage::ImageLumaA16(of) => Picture::of(size, 2, of.into_raw(), Samples::Sixteen),
        DynamicImage::ImageRgb16(of) => Picture::of(size, 3, of.into_raw(), Samples::Sixteen),
        DynamicImage::ImageRgba16(of) => Picture::of(size, 4, of.into_raw(), Samples::Sixteen),
        other => return Err(broken(format!("pixels of type {:?}, expected whole numbers", other.color()))),
    };
    Ok((Picture { animated: is_animated(bytes), ..picture? }, exif))
}

#[cfg(not(feature = "images"))]
fn other(bytes: &[u8], _: u64) -> Result<WithExif, DecodeError> {
    let formats: [(&[u8], &str); 5] =
        [(b"RIFF", "WebP"), (b"BM", "BMP"), (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF")];
    let pnm = matches!(bytes, [b'P', b'1'..=b'6', ..]).then_some("PNM");
    let format = formats.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| *name).or(pnm);
    Err(broken(match format {
        Some(format) => format!("this build reads no {format}\nhint: build with --features images"),
        None => "no image, or one of a format that is not read".to_string(),
    }))
}

/// Whether a JPEG has its end behind the last of its scans: one that was cut short would be grey from there on.
fn ends(bytes: &[u8]) -> bool {
    let scan = bytes.windows(2).rposition(|two| two == [0xff, 0xda]).unwrap_or(0);
    bytes[scan..].windows(2).any(|two| two == [0xff, 0xd9])
}
