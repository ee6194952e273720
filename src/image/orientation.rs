//! Which way up a picture is, as cameras write it into its EXIF data.

/// The orientation in EXIF data, 1 to 8; nothing where there is none.
///
/// EXIF 2.32, section 4.6: a TIFF header, and the tag 0x0112 in its first directory. A prefix `Exif` is left out.
pub(super) fn of_exif(exif: &[u8]) -> Option<u8> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = match exif.get(..2)? {
        b"MM" => true,
        b"II" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = exif.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let directory = long(4)? as usize;
    let entries = usize::from(short(directory)?);
    let tags = (0..entries).map_while(|entry| directory.checked_add(2 + 12 * entry));
    let at = tags.into_iter().find(|at| short(*at) == Some(0x0112))?;
    u8::try_from(short(at + 8)?).ok().filter(|found| (1..=8).contains(found))
}

/// The samples of a picture of `width` × `height` as it is to be looked at, and its sizes then.
pub(super) fn upright<T: Copy>(
    samples: Vec<T>,
    (width, height): (usize, usize),
    channels: usize,
    orientation: u8,
) -> (Vec<T>, (usize, usize)) {
    if orientation <= 1 {
        return (samples, (width, height));
    }
    // From 5 on rows are columns.
    let (tall, wide) = if orientation >= 5 { (width, height) } else { (height, width) };
    let mut turned = Vec::with_capacity(samples.len());
    for y in 0..tall {
        for x in 0..wide {
            let (row, column) = match orientation {
                2 => (y, width - 1 - x),
                3 => (height - 1 - y, width - 1 - x),
                4 => (height - 1 - y, x),
                5 => (x, y),
                6 => (height - 1 - x, y),
                7 => (height - 1 - x, width - 1 - y),
                _ => (x, width - 1 - y),
            };
            let start = (row * width + column) * channels;
            turned.extend_from_slice(&samples[start..start + channels]);
        }
    }
    (turned, (wide, tall))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// EXIF data that says this orientation behind another tag.
    pub fn exif(orientation: u16, big: bool) -> Vec<u8> {
        let short = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let long = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut bytes = if big { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend(short(42));
        bytes.extend(long(8));
        bytes.extend(short(2));
        for (tag, value) in [(0x010f, 7), (0x0112, orientation)] {
            bytes.extend(short(tag));
            bytes.extend(short(3));
            bytes.extend(long(1));
            bytes.extend(short(value));
            bytes.extend(short(0));
        }
        bytes.extend(long(0));
        bytes
    }

    #[test]
    fn the_tag_is_found_in_both_orders_of_bytes_and_damage_is_none() {
        for big in [true, false] {
            let whole = exif(6, big);
            assert_eq!(of_exif(&whole), Some(6));
            assert_eq!(of_exif(&[b"Exif\0\0".as_slice(), &whole].concat()), Some(6));
            assert!((0..32).all(|end| of_exif(&whole[..end]).is_none()));
            assert_eq!(of_exif(&exif(9, big)), None);
        }
        assert_eq!(of_exif(b"MM\0*\xff\xff\xff\xff"), None);
    }

    #[test]
    fn every_orientation_puts_the_first_row_and_column_where_the_standard_says() {
        let turned = |orientation| {
            let (samples, (_, height)) = upright(vec![1_u8, 2, 3, 4, 5, 6], (3, 2), 1, orientation);
            (height, samples.iter().fold(0, |all, v| 10 * all + u32::from(*v)))
        };
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7, 8].map(turned),
            [
                (2, 123456),
                (2, 321654),
                (2, 654321),
                (2, 456123),
                (3, 142536),
                (3, 415263),
                (3, 635241),
                (3, 362514)
            ]
        );
    }
}
