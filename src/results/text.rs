//! One cell of a CSV file as bytes.

use std::io::Write;

/// Appends a text, quoted where a reader would otherwise split it (RFC 4180).
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Appends a whole number.
pub(crate) fn whole(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the shortest text that reads back to the same f64; nothing where it is absent.
pub(crate) fn float(out: &mut Vec<u8>, number: Option<f64>) {
    if let Some(number) = number {
        // Adding zero turns −0 into 0, which a sum may leave behind.
        let number = number + 0.0;
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format(number);
        // The same digits, several times as fast, but for very large and small numbers as powers of ten; from 2⁵⁰ on two
        // shortest texts may be equally near, of which the standard library takes the other one.
        match number.abs() < 1e15 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-')) {
            true => out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes()),
            false => write!(out, "{number}").expect("writing into memory cannot fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: f64) -> String {
        let mut out = Vec::new();
        float(&mut out, Some(number));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_as_short_as_they_can_be() {
        assert_eq!([written(1.0), written(0.1), written(1.0 / 3.0)], ["1", "0.1", "0.3333333333333333"]);
        assert_eq!([written(-0.0), written(1e-7), written(f64::INFINITY)], ["0", "0.0000001", "inf"]);
        assert_eq!(written(1593160883258443.3), "1593160883258443.3");
    }

    #[test]
    fn a_text_with_a_comma_or_a_quote_is_quoted() {
        let mut out = Vec::new();
        for cell in ["plain", "a,b", "say \"no\"", "two\nlines"] {
            text(&mut out, cell);
            out.push(b'|');
        }
        assert_eq!(String::from_utf8(out).unwrap(), "plain|\"a,b\"|\"say \"\"no\"\"\"|\"two\nlines\"|");
    }

    proptest! {
        #[test]
        fn every_float_reads_back_to_the_same_bits(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
            prop_assert_eq!(written(number).parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
            prop_assert_eq!(written(number), number.to_string());
        }

        #[test]
        fn rates_and_losses_are_written_as_the_standard_library_writes_them(number in -1e3..1e3) {
            prop_assert_eq!(written(number), number.to_string());
        }
    }
}
