//! Recipes as timm's `config.json` and transformers' `preprocessor_config.json` write them.

use serde_json::{Map, Value};

use super::error::RecipeError;
use super::filter::Filter;
use super::recipe::{ChannelOrder, Crop, LARGEST, Range, Recipe, Resize, Rounding, SIDE};

impl Recipe {
    /// The recipe of a `pretrained_cfg` as timm writes it, followed as `timm.data.create_transform` follows it for evaluation:
    /// shorter side to `⌊input / crop_pct⌋`, then the middle. A missing `crop_mode` is `center`, as there; `test_input_size` is
    /// not read, as there by default.
    ///
    /// # Errors
    /// A field that is missing, or a value that is not followed here.
    pub fn from_timm(config: &Map<String, Value>) -> Result<Recipe, RecipeError> {
        const SQUARE: &str = "[3, side, side] with one side for both";
        let input = present(config, "input_size", "pretrained_cfg.input_size")?;
        let sides = input.as_array().filter(|all| all.len() == 3 && all[0] == 3 && all[1] == all[2]);
        let side = sides.and_then(|all| whole(&all[1]));
        let side = side.ok_or_else(|| RecipeError::value("pretrained_cfg.input_size", SQUARE, input))?;
        let share = present(config, "crop_pct", "pretrained_cfg.crop_pct")?;
        let scaled = share.as_f64().filter(|share| (0.01..=1.0).contains(share));
        let scaled = scaled.map(|share| (side as f64 / share).floor() as usize);
        let scaled = scaled.filter(|scaled| *scaled <= LARGEST);
        let scaled = scaled
            .ok_or_else(|| RecipeError::value("pretrained_cfg.crop_pct", "a fraction up to 1", share))?;
        let resize = match config.get("crop_mode").filter(|mode| !mode.is_null()) {
            None => Resize::Shorter(scaled),
            Some(mode) if mode == "center" => Resize::Shorter(scaled),
            Some(mode) if mode == "squash" => Resize::Exact(scaled, scaled),
            Some(mode) => {
                return Err(RecipeError::value("pretrained_cfg.crop_mode", "`center` or `squash`", mode));
            }
        };
        let filter = present(config, "interpolation", "pretrained_cfg.interpolation")?;
        let known = filter.as_str().and_then(|name| name.parse::<Filter>().ok());
        Ok(Recipe {
            resize,
            filter: known.ok_or_else(|| {
                RecipeError::value("pretrained_cfg.interpolation", "`bilinear` or `bicubic`", filter)
            })?,
            crop: Crop { height: side, width: side, rounding: Rounding::Even },
            mean: three(present(config, "mean", "pretrained_cfg.mean")?, "pretrained_cfg.mean")?,
            std: deviations(present(config, "std", "pretrained_cfg.std")?, "pretrained_cfg.std")?,
            order: ChannelOrder::Rgb,
            range: Range::Unit,
        })
    }

    /// The recipe of a `preprocessor_config.json` as transformers writes it.
    ///
    /// A missing `do_center_crop` is true where there is a `crop_size`, the other missing `do_…` are true where the fields
    /// that they need are there; a missing `rescale_factor` is 1/255, as there.
    ///
    /// # Errors
    /// A field that is missing, or a value that is not followed here.
    pub fn from_transformers(config: &Map<String, Value>) -> Result<Recipe, RecipeError> {
        if let Some(share) = config.get("crop_pct").filter(|share| !share.is_null()) {
            return Err(RecipeError::value("crop_pct", "absent: `size` and `crop_size` say it all", share));
        }
        let does = |key: &str, without: bool| config.get(key).and_then(Value::as_bool).unwrap_or(without);
        let resize = match does("do_resize", config.contains_key("size")) {
            true => resize_of(present(config, "size", "size")?)?,
            false => Resize::None,
        };
        let (height, width) = match (does("do_center_crop", config.contains_key("crop_size")), resize) {
            (true, _) => height_and_width(present(config, "crop_size", "crop_size")?, "crop_size")?,
            (false, Resize::Exact(height, width)) => (height, width),
            (false, _) => return Err(RecipeError::Missing { field: "crop_size" }),
        };
        let filter = match resize {
            Resize::None => Filter::Bilinear,
            _ => match present(config, "resample", "resample")? {
                found if *found == 2 => Filter::Bilinear,
                found if *found == 3 => Filter::Bicubic,
                found => return Err(RecipeError::value("resample", "2 (bilinear) or 3 (bicubic)", found)),
            },
        };
        let (mean, std) = match does("do_normalize", config.contains_key("image_mean")) {
            false => ([0.0; 3], [1.0; 3]),
            true => (
                three(present(config, "image_mean", "image_mean")?, "image_mean")?,
                deviations(present(config, "image_std", "image_std")?, "image_std")?,
            ),
        };
        let range =
            if does("do_rescale", true) { range_of(config.get("rescale_factor"))? } else { Range::Bytes };
        let crop = Crop { height, width, rounding: Rounding::Down };
        Ok(Recipe { resize, filter, crop, mean, std, order: ChannelOrder::Rgb, range })
    }
}

/// A field that has no default.
fn present<'a>(
    config: &'a Map<String, Value>,
    key: &str,
    field: &'static str,
) -> Result<&'a Value, RecipeError> {
    config.get(key).filter(|value| !value.is_null()).ok_or(RecipeError::Missing { field })
}

/// Pixels of a side.
fn whole(value: &Value) -> Option<usize> {
    let side = value.as_u64().and_then(|side| usize::try_from(side).ok());
    side.filter(|side| (1..=LARGEST).contains(side))
}

fn three(value: &Value, field: &'static str) -> Result<[f32; 3], RecipeError> {
    let numbers = value.as_array().filter(|all| all.len() == 3);
    let numbers: Option<Vec<f32>> =
        numbers.and_then(|all| all.iter().map(|number| number.as_f64().map(|n| n as f32)).collect());
    let three = numbers.and_then(|all| <[f32; 3]>::try_from(all).ok());
    three
        .filter(|all| all.iter().all(|number| number.is_finite()))
        .ok_or_else(|| RecipeError::value(field, "three numbers", value))
}

fn deviations(value: &Value, field: &'static str) -> Result<[f32; 3], RecipeError> {
    let three = three(value, field)?;
    match three.iter().all(|number| *number > 0.0) {
        true => Ok(three),
        false => Err(RecipeError::value(field, "three numbers above 0", value)),
    }
}

/// A number, `{"shortest_edge": n}`, or `{"height": h, "width": w}`.
fn resize_of(size: &Value) -> Result<Resize, RecipeError> {
    let shorter = whole(size).or_else(|| size.get("shortest_edge").and_then(whole));
    match shorter.filter(|_| size.get("longest_edge").is_none()) {
        Some(side) => Ok(Resize::Shorter(side)),
        None => height_and_width(size, "size").map(|(height, width)| Resize::Exact(height, width)),
    }
}

fn height_and_width(size: &Value, field: &'static str) -> Result<(usize, usize), RecipeError> {
    let both = || Some((whole(size.get("height")?)?, whole(size.get("width")?)?));
    let sides = whole(size).map(|side| (side, side)).or_else(both);
    sides.ok_or_else(|| RecipeError::value(field, SIDE, size))
}

fn range_of(factor: Option<&Value>) -> Result<Range, RecipeError> {
    match factor {
        None | Some(Value::Null) => Ok(Range::Unit),
        Some(factor) if factor.as_f64().is_some_and(|f| (f * 255.0 - 1.0).abs() < 1e-6) => Ok(Range::Unit),
        Some(factor) if factor.as_f64() == Some(1.0) => Ok(Range::Bytes),
        Some(factor) => Err(RecipeError::value("rescale_factor", "1/255 or 1", factor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    const TIMM: &str = r#"{"input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.875,
        "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}"#;
    const CLIP: &str = r#"{"crop_size": 224, "do_center_crop": true, "do_normalize": true, "do_resize": true,
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3, "size": 224}"#;

    #[test]
    fn timm_says_224_of_256_with_the_statistics_of_imagenet() {
        assert_eq!(Recipe::from_timm(&object(TIMM)).unwrap(), Recipe::imagenet(256, 224, Filter::Bilinear));
        let squash = TIMM.replace("center", "squash").replace("0.875", "0.96");
        assert_eq!(Recipe::from_timm(&object(&squash)).unwrap().resize, Resize::Exact(233, 233));
        let without = TIMM.replace("crop_mode", "crop_mood");
        assert_eq!(Recipe::from_timm(&object(&without)).unwrap().resize, Resize::Shorter(256));
    }

    #[test]
    fn transformers_say_it_by_numbers_and_by_objects() {
        let clip = Recipe::from_transformers(&object(CLIP)).unwrap();
        assert_eq!((clip.resize, clip.filter), (Resize::Shorter(224), Filter::Bicubic));
        assert_eq!(clip.crop, Crop { height: 224, width: 224, rounding: Rounding::Down });
        let objects =
            CLIP.replace(r#""crop_size": 224"#, r#""crop_size": {"height": 224, "width": 224}"#).replace(
                r#""size": 224"#,
                r#""size": {"shortest_edge": 224}, "rescale_factor": 0.00392156862745098"#,
            );
        assert_eq!(Recipe::from_transformers(&object(&objects)).unwrap(), clip);
        let vit = r#"{"do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": {"height": 224, "width": 224}}"#;
        let vit = Recipe::from_transformers(&object(vit)).unwrap();
        assert_eq!((vit.resize, vit.crop.height), (Resize::Exact(224, 224), 224));
        let bare =
            r#"{"size": 224, "crop_size": 224, "resample": 2, "do_normalize": false, "do_rescale": false}"#;
        let bare = Recipe::from_transformers(&object(bare)).unwrap();
        assert_eq!((bare.mean, bare.std, bare.range), ([0.0; 3], [1.0; 3], Range::Bytes));
    }

    #[test]
    fn every_field_of_timm_is_needed_and_named() {
        for field in ["input_size", "interpolation", "crop_pct", "mean", "std"] {
            let mut config = object(TIMM);
            config.remove(field);
            let said = Recipe::from_timm(&config).unwrap_err().to_string();
            assert_eq!(said, format!("preprocessing needs `pretrained_cfg.{field}`, which is not there"));
        }
        let said = |from: &str, to: &str| {
            Recipe::from_timm(&object(&TIMM.replace(from, to))).unwrap_err().to_string()
        };
        assert!(
            said("3, 224", "1, 224")
                .ends_with("must be [3, side, side] with one side for both, found [1,224,224]")
        );
        assert!(said("bilinear", "lanczos").ends_with("must be `bilinear` or `bicubic`, found \"lanczos\""));
        assert!(said("0.875", "0").ends_with("must be a fraction up to 1, found 0"));
        assert!(said("center", "border").ends_with("must be `center` or `squash`, found \"border\""));
        assert!(said("0.224", "0").ends_with("must be three numbers above 0, found [0.229,0,0.225]"));
    }

    #[test]
    fn what_transformers_leave_out_is_named() {
        for field in ["size", "resample", "image_mean", "image_std", "crop_size"] {
            let mut config = object(CLIP);
            config.remove(field);
            let said = Recipe::from_transformers(&config).unwrap_err().to_string();
            assert_eq!(said, format!("preprocessing needs `{field}`, which is not there"));
        }
        let said = |from: &str, to: &str| {
            Recipe::from_transformers(&object(&CLIP.replace(from, to))).unwrap_err().to_string()
        };
        assert_eq!(
            said("\"resample\": 3", "\"resample\": 1"),
            "`resample` must be 2 (bilinear) or 3 (bicubic), found 1"
        );
        let scaled = said("\"size\": 224}", "\"size\": 224, \"rescale_factor\": 0.5}");
        assert_eq!(scaled, "`rescale_factor` must be 1/255 or 1, found 0.5");
    }
}
