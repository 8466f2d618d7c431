//! The end of what a process wrote to its standard error.

use std::collections::VecDeque;

/// What is kept, in bytes.
const TAIL_BYTES_MAX: usize = 4 << 10;

/// The last bytes of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<u8>);

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.get(bytes.len().saturating_sub(TAIL_BYTES_MAX)..).unwrap_or(bytes);
        let surplus = (self.0.len() + kept.len()).saturating_sub(TAIL_BYTES_MAX);
        self.0.drain(..surplus);
        self.0.extend(kept);
    }

    /// As text for a log.
    pub(super) fn text(&self) -> String {
        let (front, back) = self.0.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let mut tail = Tail::default();
        assert_eq!(tail.text(), "");
        tail.push(b"first\n");
        tail.push(&[b'x'; TAIL_BYTES_MAX - 4]);
        tail.push(b"end\n");
        assert_eq!(tail.text().len(), TAIL_BYTES_MAX - 1);
        assert!(tail.text().ends_with("xend"));
        tail.push(&[b'y'; TAIL_BYTES_MAX + 9]);
        assert_eq!(tail.text(), "y".repeat(TAIL_BYTES_MAX));
    }
}
