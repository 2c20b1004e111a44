//! Which part of a file is asked for: RFC 9110, section 14.

use std::ops::Range;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it. So is what cannot be read, and several parts at once.
    Whole,
    /// Some of it.
    Range(Range<u64>),
    /// Nothing that there is.
    Nowhere,
}

/// What the header `Range` asks for of so many bytes.
pub(super) fn asked(header: Option<&str>, size: u64) -> Asked {
    let spec = header.and_then(|header| header.trim().strip_prefix("bytes="));
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // One that is larger than any file is as good as the largest.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(count) => size.saturating_sub(count)..size,
            None => return Asked::Whole,
        },
        (first, last) => match (number(first), last, number(last)) {
            (Some(first), "", _) => first..size,
            (Some(first), _, Some(last)) if first <= last => {
                first..last.saturating_add(1).min(size)
            }
            _ => return Asked::Whole,
        },
    };
    if range.start >= range.end {
        return Asked::Nowhere;
    }
    Asked::Range(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_rfc_says() {
        for (header, expected) in [
            ("bytes=0-0", Asked::Range(0..1)),
            ("bytes=0-99", Asked::Range(0..100)),
            ("bytes=90-", Asked::Range(90..100)),
            ("bytes=90-1000", Asked::Range(90..100)),
            ("bytes=-10", Asked::Range(90..100)),
            ("bytes=-1000", Asked::Range(0..100)),
            ("bytes=5-99999999999999999999999", Asked::Range(5..100)),
            ("bytes=100-", Asked::Nowhere),
            ("bytes=100-200", Asked::Nowhere),
            ("bytes=-0", Asked::Nowhere),
            ("bytes=99999999999999999999999-", Asked::Nowhere),
            ("bytes=5-4", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("bytes=", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(asked(Some(header), 100), expected, "{header}");
        }
        assert_eq!(asked(None, 100), Asked::Whole);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Nowhere);
    }
}
