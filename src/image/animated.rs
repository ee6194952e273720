//! Whether a file holds more than one picture, of which the first is read.

/// Whether a GIF or WebP file is animated; PNG says so where it is decoded.
pub(super) fn is_animated(bytes: &[u8]) -> bool {
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => gif_frames(bytes, 2) == 2,
        // The flag `ANIM` of the extended header.
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            b'V',
            b'P',
            b'8',
            b'X',
            _,
            _,
            _,
            _,
            flags,
            ..,
        ] => flags & 2 != 0,
        _ => false,
    }
}

/// Frames of a GIF, counted up to `most`, as far as its blocks can be followed (GIF89a, section 13 and on).
fn gif_frames(bytes: &[u8], most: usize) -> usize {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    // Blocks of data end with an empty one.
    let behind = |mut at: usize| {
        while let Some(size) = bytes.get(at).filter(|size| **size > 0) {
            at += 1 + usize::from(*size);
        }
        at + 1
    };
    let Some(flags) = bytes.get(10) else { return 0 };
    let (mut at, mut frames) = (13 + table(*flags), 0);
    while frames < most {
        match bytes.get(at) {
            Some(0x21) => at = behind(at + 2),
            Some(0x2c) => {
                frames += 1;
                let Some(flags) = bytes.get(at + 9) else { return frames };
                at = behind(at + 10 + table(*flags) + 1);
            }
            _ => return frames,
        }
    }
    frames
}
