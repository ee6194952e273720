//! Preprocessing as data: what is done to a picture before a network sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::error::RecipeError;
use super::filter::Filter;
use super::resize::{Window, resize};
use super::rgb::RgbImage;
use crate::vocab::Form;
use crate::vocab::spec::parse_values;

/// To which size a picture is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Not at all.
    None,
    /// The shorter side to so many pixels, the longer one to `size · long / short`, cut off.
    Shorter(usize),
    /// Height and width, whatever they were.
    Exact(usize, usize),
}

/// The middle part that is taken: height, width, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Where it begins in a picture that is an odd number of pixels larger.
    pub rounding: Rounding,
}

/// How the half of an odd number is rounded, where a crop begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the even number, as torchvision's `CenterCrop` does.
    Even,
    /// Down, as transformers' image processors do.
    Down,
}

/// In which order a network reads the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first, as Caffe's networks.
    Bgr,
}

/// What the numbers of a picture are before mean and deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0…1.
    Unit,
    /// 0…255.
    Bytes,
}

/// All that is done to a picture before a network: `(x − mean) / std` of its scaled and cropped pixels.
///
/// ```
/// use kshot::image::{Filter, Recipe, RgbImage};
///
/// let recipe = Recipe::imagenet(256, 224, Filter::Bilinear);
/// assert_eq!(recipe.to_string().parse::<Recipe>().as_ref(), Ok(&recipe));
/// let grey = RgbImage::new(8, 6, vec![128; 144]).unwrap();
/// assert_eq!(recipe.apply(&grey).len(), 3 * 224 * 224);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// To which size a picture is scaled.
    pub resize: Resize,
    /// How it is scaled.
    pub filter: Filter,
    /// What is cut out of it; where it is smaller than this, black is put around it.
    pub crop: Crop,
    /// Mean of each channel, in the order in which the network reads them.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, in the same order.
    pub std: [f32; 3],
    /// The order in which the network reads the channels.
    pub order: ChannelOrder,
    /// What the numbers are before mean and deviation.
    pub range: Range,
}

impl Recipe {
    /// The recipe of most networks trained on ImageNet with torchvision: shorter side to `side`, the middle square of
    /// `crop`, mean and deviation of ImageNet.
    pub fn imagenet(side: usize, crop: usize, filter: Filter) -> Recipe {
        Recipe {
            resize: Resize::Shorter(side),
            filter,
            crop: Crop { height: crop, width: crop, rounding: Rounding::Even },
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            order: ChannelOrder::Rgb,
            range: Range::Unit,
        }
    }

    /// What [`Recipe::apply`] gives.
    pub fn form(&self) -> Form {
        Form::Image { channels: 3, height: self.crop.height, width: self.crop.width }
    }

    /// The scaled and cropped picture, as bytes.
    pub fn crop(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = self.scaled(image.width(), image.height());
        let along = |size: usize, wanted: usize| place(size, wanted, self.crop.rounding);
        let ((left, across), (top, down)) = (along(width, self.crop.width), along(height, self.crop.height));
        let (w, h) = (width.min(self.crop.width), height.min(self.crop.height));
        let inside = resize(image, (width, height), self.filter, Window { left, top, width: w, height: h });
        if (w, h) == (self.crop.width, self.crop.height) {
            return inside;
        }
        let bytes = 3 * self.crop.width;
        let mut pixels = vec![0; self.crop.height * bytes];
        for (y, row) in pixels.chunks_exact_mut(bytes).skip(down).take(h).enumerate() {
            row[3 * across..3 * (across + w)].copy_from_slice(inside.row(y));
        }
        RgbImage::new(self.crop.width, self.crop.height, pixels)
            .unwrap_or_else(|| unreachable!("as many as the crop"))
    }

    /// The numbers of a picture as the network reads them: channel by channel, row by row.
    pub fn apply(&self, image: &RgbImage) -> Vec<f32> {
        let crop = self.crop(image);
        let mut out = Vec::with_capacity(crop.pixels().len());
        for channel in 0..3 {
            let table = self.table(channel);
            let source = if self.order == ChannelOrder::Rgb { channel } else { 2 - channel };
            let values = crop.pixels().as_chunks::<3>().0.iter().map(|pixel| pixel[source]);
            out.extend(values.map(|value| table[usize::from(value)]));
        }
        out
    }

    /// The number of each byte in a channel; divided and subtracted in 32 bits, in the order in which PyTorch does it.
    fn table(&self, channel: usize) -> [f32; 256] {
        std::array::from_fn(|byte| {
            let value = match self.range {
                Range::Unit => byte as f32 / 255.0,
                Range::Bytes => byte as f32,
            };
            (value - self.mean[channel]) / self.std[channel]
        })
    }

    /// The size to which a picture of `width` × `height` is scaled.
    fn scaled(&self, width: usize, height: usize) -> (usize, usize) {
        match self.resize {
            Resize::None => (width, height),
            Resize::Exact(height, width) => (width, height),
            Resize::Shorter(size) => {
                let (short, long) = (width.min(height), width.max(height));
                let longer = (size as f64 * long as f64 / short as f64) as usize;
                if width <= height { (size, longer) } else { (longer, size) }
            }
        }
    }
}

/// Where a crop of `wanted` pixels begins in an axis of `size`, and how many pixels of padding come before it.
fn place(size: usize, wanted: usize, rounding: Rounding) -> (usize, usize) {
    if size < wanted {
        return (0, (wanted - size) / 2);
    }
    let beside = size - wanted;
    let up = rounding == Rounding::Even && beside % 4 == 3;
    (beside / 2 + usize::from(up), 0)
}

const KEYS: [&str; 8] = ["resize", "filter", "crop", "rounding", "mean", "std", "order", "range"];

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resize {
            Resize::None => write!(f, "resize=none")?,
            Resize::Shorter(size) => write!(f, "resize={size}")?,
            Resize::Exact(height, width) => write!(f, "resize={height}x{width}")?,
        }
        let Crop { height, width, rounding } = self.crop;
        let rounding = if rounding == Rounding::Even { "even" } else { "down" };
        let three = |[a, b, c]: [f32; 3]| format!("{a}/{b}/{c}");
        let order = if self.order == ChannelOrder::Rgb { "rgb" } else { "bgr" };
        let range = if self.range == Range::Unit { "unit" } else { "bytes" };
        write!(f, ",filter={},crop={height}x{width},rounding={rounding}", self.filter)?;
        write!(f, ",mean={},std={},order={order},range={range}", three(self.mean), three(self.std))
    }
}

impl FromStr for Recipe {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<Recipe, RecipeError> {
        let values = parse_values(text)?;
        if let Some(key) = values.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(RecipeError::UnknownKey(key.clone()));
        }
        let (height, width) = size("crop", get(&values, "crop")?)?;
        let rounding = one_of(
            &values,
            "rounding",
            "`even` or `down`",
            &[("even", Rounding::Even), ("down", Rounding::Down)],
        )?;
        Ok(Recipe {
            resize: resize_of(get(&values, "resize")?)?,
            filter: get(&values, "filter")?.parse()?,
            crop: Crop { height, width, rounding },
            mean: three("mean", get(&values, "mean")?, |_| true)?,
            std: three("std", get(&values, "std")?, |value| value > 0.0)?,
            order: one_of(
                &values,
                "order",
                "`rgb` or `bgr`",
                &[("rgb", ChannelOrder::Rgb), ("bgr", ChannelOrder::Bgr)],
            )?,
            range: one_of(
                &values,
                "range",
                "`unit` or `bytes`",
                &[("unit", Range::Unit), ("bytes", Range::Bytes)],
            )?,
        })
    }
}

fn get<'a>(values: &'a BTreeMap<String, String>, field: &'static str) -> Result<&'a str, RecipeError> {
    values.get(field).map(String::as_str).ok_or(RecipeError::Missing { field })
}

fn one_of<T: Copy>(
    values: &BTreeMap<String, String>,
    field: &'static str,
    rule: &'static str,
    known: &[(&str, T)],
) -> Result<T, RecipeError> {
    let found = get(values, field)?;
    let known = known.iter().find(|(name, _)| *name == found);
    known.map(|(_, value)| *value).ok_or_else(|| RecipeError::value(field, rule, format!("`{found}`")))
}

/// Pixels that a side may have after scaling or cropping.
pub(super) const LARGEST: usize = 8192;
/// How that is said.
pub(super) const SIDE: &str = "a whole number from 1 to 8192";

fn side(field: &'static str, text: &str) -> Result<usize, RecipeError> {
    let side = text.parse().ok().filter(|side| (1..=LARGEST).contains(side));
    side.ok_or_else(|| RecipeError::value(field, SIDE, format!("`{text}`")))
}

fn size(field: &'static str, text: &str) -> Result<(usize, usize), RecipeError> {
    match text.split_once('x') {
        Some((height, width)) => Ok((side(field, height)?, side(field, width)?)),
        None => Err(RecipeError::value(field, "HEIGHTxWIDTH", format!("`{text}`"))),
    }
}

fn resize_of(text: &str) -> Result<Resize, RecipeError> {
    match text {
        "none" => Ok(Resize::None),
        text if text.contains('x') => {
            size("resize", text).map(|(height, width)| Resize::Exact(height, width))
        }
        text => side("resize", text).map(Resize::Shorter),
    }
}

fn three(field: &'static str, text: &str, valid: impl Fn(f32) -> bool) -> Result<[f32; 3], RecipeError> {
    let numbers: Option<Vec<f32>> = text.split('/').map(|number| number.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| numbers.iter().all(|value| value.is_finite() && valid(*value)));
    let three = numbers.and_then(|numbers| <[f32; 3]>::try_from(numbers).ok());
    three.ok_or_else(|| {
        let rule = if field == "std" { "three numbers above 0 as a/b/c" } else { "three numbers as a/b/c" };
        RecipeError::value(field, rule, format!("`{text}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_places_are_those_of_torchvision() {
        let recipe = Recipe::imagenet(256, 224, Filter::Bilinear);
        assert_eq!(recipe.scaled(500, 375), (341, 256));
        assert_eq!(recipe.scaled(320, 480), (256, 384));
        // 58.5 goes to 58 and 59.5 to 60.
        assert_eq!([341, 343, 225, 224].map(|size| place(size, 224, Rounding::Even).0), [58, 60, 0, 0]);
        assert_eq!(place(343, 224, Rounding::Down), (59, 0));
        assert_eq!(place(221, 224, Rounding::Even), (0, 1));
    }

    #[test]
    fn a_smaller_picture_lies_in_black_and_channels_come_in_their_order() {
        let crop = Crop { height: 2, width: 4, rounding: Rounding::Even };
        let recipe = Recipe {
            resize: Resize::None,
            crop,
            mean: [1.0, 2.0, 3.0],
            std: [2.0; 3],
            order: ChannelOrder::Bgr,
            range: Range::Bytes,
            filter: Filter::Bilinear,
        };
        let image = RgbImage::new(1, 2, vec![3, 4, 5, 13, 14, 15]).unwrap();
        let found = recipe.apply(&image);
        assert_eq!(found[..8], [-0.5, 2.0, -0.5, -0.5, -0.5, 7.0, -0.5, -0.5]);
        assert_eq!(found[16..], [-1.5, 0.0, -1.5, -1.5, -1.5, 5.0, -1.5, -1.5]);
    }

    #[test]
    fn a_very_long_picture_is_scaled_no_further_than_it_is_seen() {
        let image = RgbImage::new(1, 60_000, vec![9; 180_000]).unwrap();
        let found = Recipe::imagenet(256, 224, Filter::Bicubic).crop(&image);
        assert_eq!((found.width(), found.height(), found.pixels()[0]), (224, 224, 9));
    }

    #[test]
    fn a_text_is_read_back_and_what_is_wrong_is_named() {
        let recipe = Recipe::imagenet(232, 224, Filter::Bicubic);
        let text = recipe.to_string();
        assert_eq!(
            text,
            "resize=232,filter=bicubic,crop=224x224,rounding=even,mean=0.485/0.456/0.406,std=0.229/0.224/0.225,order=rgb,range=unit"
        );
        for resize in [Resize::None, Resize::Exact(30, 40)] {
            let recipe = Recipe { resize, range: Range::Bytes, order: ChannelOrder::Bgr, ..recipe.clone() };
            assert_eq!(recipe.to_string().parse::<Recipe>().unwrap(), recipe);
        }
        let said = |from: &str, to: &str| text.replace(from, to).parse::<Recipe>().unwrap_err().to_string();
        assert_eq!(said(",std=0.229/0.224/0.225", ""), "preprocessing needs `std`, which is not there");
        assert_eq!(said("0.224", "0"), "`std` must be three numbers above 0 as a/b/c, found `0.229/0/0.225`");
        assert_eq!(said("bicubic", "nearest"), "`filter` must be `bilinear` or `bicubic`, found nearest");
        assert_eq!(said("232", "0"), "`resize` must be a whole number from 1 to 8192, found `0`");
        assert_eq!(said("rgb", "rbg"), "`order` must be `rgb` or `bgr`, found `rbg`");
        assert_eq!(said("range=", "rang="), "a recipe has no key `rang`");
    }
}
