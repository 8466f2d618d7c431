//! From brightness and colour differences to red, green and blue (JFIF 1.02).

/// Writes a row of pixels from three rows of samples.
#[inline]
pub(crate) fn to_rgb(y: &[u8], cb: &[u8], cr: &[u8], row: &mut [u8]) {
    // Factors with 16 bits behind the point: 1.402, 0.344136, 0.714136, 1.772.
    const RED_CR: i32 = 91_881;
    const GREEN_CB: i32 = 22_553;
    const GREEN_CR: i32 = 46_802;
    const BLUE_CB: i32 = 116_130;
    for (((pixel, y), cb), cr) in row.as_chunks_mut::<3>().0.iter_mut().zip(y).zip(cb).zip(cr) {
        let (y, cb, cr) = ((i32::from(*y) << 16) + (1 << 15), i32::from(*cb) - 128, i32::from(*cr) - 128);
        *pixel = [y + RED_CR * cr, y - GREEN_CB * cb - GREEN_CR * cr, y + BLUE_CB * cb].map(clamp);
    }
}

/// Writes a row of pixels from samples that are colours already, or grey three times over.
#[inline]
pub(crate) fn interleave(red: &[u8], green: &[u8], blue: &[u8], row: &mut [u8]) {
    for (((pixel, red), green), blue) in row.as_chunks_mut::<3>().0.iter_mut().zip(red).zip(green).zip(blue) {
        *pixel = [*red, *green, *blue];
    }
}

#[inline]
fn clamp(value: i32) -> u8 {
    u8::try_from((value >> 16).clamp(0, 255)).unwrap_or(0)
}

/// Widens a row of samples by a whole factor. A factor of two goes smoothly from sample to sample, as cameras' own
/// software does it; the rare others repeat.
pub(crate) fn widen(samples: &[u8], factor: usize, row: &mut [u8]) {
    if factor != 2 {
        for (places, sample) in row.chunks_mut(factor).zip(samples) {
            places.fill(*sample);
        }
        return;
    }
    let near = |at: usize| samples.get(at).copied().map_or(0, u16::from);
    let last = samples.len().saturating_sub(1);
    for (at, places) in row.chunks_mut(2).enumerate().take(samples.len()) {
        let (before, here, after) = (near(at.saturating_sub(1)), near(at), near((at + 1).min(last)));
        let mixed = [(here * 3 + before + 1) / 4, (here * 3 + after + 2) / 4];
        for (place, sample) in places.iter_mut().zip(mixed) {
            *place = u8::try_from(sample).unwrap_or(u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widens(samples: &[u8], factor: usize, expect: &[u8]) {
        let mut row = vec![0; expect.len()];
        widen(samples, factor, &mut row);
        assert_eq!(row, expect);
    }

    #[test]
    fn widening() {
        widens(&[1, 2, 3], 1, &[1, 2, 3]);
        widens(&[0, 100], 2, &[0, 25, 75, 100]);
        widens(&[7], 2, &[7, 7]);
        widens(&[1, 2], 4, &[1, 1, 1, 1, 2, 2, 2, 2]);
    }

    #[test]
    fn primary_colours() {
        for (samples, colour) in [
            ([255, 128, 128], [255, 255, 255]),
            ([0, 128, 128], [0, 0, 0]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
        ] {
            let [y, cb, cr] = samples.map(|sample| [sample]);
            let mut row = [0; 3];
            to_rgb(&y, &cb, &cr, &mut row);
            assert_eq!(row, colour, "{samples:?}");
        }
    }
}
