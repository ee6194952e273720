//! Pictures of another size, each pixel the mean of the area that it covers.

use super::decode::Raster;

/// The picture with `height` × `width` pixels.
///
/// A pixel is the mean of the old ones under it, counted by the part that lies under it, so that thin lines fade and do
/// not vanish.
pub(super) fn scale(picture: &Raster, height: usize, width: usize) -> Raster {
    if (picture.height, picture.width) == (height, width) {
        return picture.clone();
    }
    let channels = picture.channels;
    let mut rows = vec![0.0; height * picture.width * channels];
    let row = picture.width * channels;
    for (parts, out) in cover(picture.height, height).iter().zip(rows.chunks_exact_mut(row)) {
        for (place, share) in parts {
            let from = &picture.values[place * row..(place + 1) * row];
            out.iter_mut().zip(from).for_each(|(o, f)| *o += share * f);
        }
    }
    let columns = cover(picture.width, width);
    let mut values = vec![0.0; height * width * channels];
    for (from, out) in rows.chunks_exact(row).zip(values.chunks_exact_mut(width * channels)) {
        for (parts, out) in columns.iter().zip(out.chunks_exact_mut(channels)) {
            for (place, share) in parts {
                let pixel = &from[place * channels..(place + 1) * channels];
                out.iter_mut().zip(pixel).for_each(|(o, p)| *o += share * p);
            }
        }
    }
    Raster { height, width, channels, values, deep: picture.deep }
}

/// For each new pixel of an axis the old ones that it covers, with the share of each.
fn cover(old: usize, new: usize) -> Vec<Vec<(usize, f32)>> {
    let step = old as f64 / new as f64;
    (0..new)
        .map(|place| {
            let (from, to) = (place as f64 * step, ((place + 1) as f64 * step).min(old as f64));
            let first = from as usize;
            let last = (to.ceil() as usize).min(old);
            let share = |p: usize| (to.min(p as f64 + 1.0) - from.max(p as f64)) / step;
            (first..last).map(|p| (p, share(p) as f32)).filter(|(_, share)| *share > 0.0).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(height: usize, width: usize, values: &[f32]) -> Raster {
        Raster { height, width, channels: 1, values: values.to_vec(), deep: false }
    }

    #[test]
    fn a_pixel_is_the_mean_of_what_it_covers() {
        let found = scale(&grey(1, 3, &[0.0, 0.5, 1.0]), 1, 2);
        // The middle pixel counts half on both sides.
        assert!((found.values[0] - 0.5 / 3.0).abs() < 1e-6 && (found.values[1] - 2.5 / 3.0).abs() < 1e-6);
        assert_eq!(scale(&grey(2, 2, &[0.0, 1.0, 1.0, 0.0]), 1, 1).values, [0.5]);
        assert_eq!(scale(&grey(1, 1, &[0.25]), 2, 2).values, [0.25; 4]);
    }

    #[test]
    fn the_mean_of_a_picture_stays() {
        let values: Vec<f32> = (0..105 * 105).map(|i| (i * 31 % 17) as f32 / 16.0).collect();
        let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
        let small = scale(&grey(105, 105, &values), 28, 28);
        assert!((mean(&small.values) - mean(&values)).abs() < 1e-4);
    }
}
