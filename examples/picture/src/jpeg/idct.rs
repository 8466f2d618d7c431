//! The inverse cosine transform, in whole numbers.
//!
//! The method is Loeffler, Ligtenberg and Moschytz's with 11 multiplications ("Practical fast 1-D DCT algorithms", 1989),
//! first down the columns, then along the rows, each time over eight lanes at once. Sums wrap: coefficients that no
//! encoder makes give pixels that nobody asked for, and nothing worse.

use std::num::Wrapping;

use super::block::Block;

type Lanes = [[i32; 8]; 8];

/// A factor with 12 bits behind the point.
const fn fixed(value: f64) -> Wrapping<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "factors are below four")]
    Wrapping((value * 4096.0 + if value < 0.0 { -0.5 } else { 0.5 }) as i32)
}

/// Turns coefficients into eight rows of samples, `stride` bytes apart.
#[inline]
pub(crate) fn inverse(block: &Block, samples: &mut [u8], stride: usize) {
    if block.last == 0 {
        let [first, ..] = block.coefficients;
        let sample = clamp((Wrapping(first) + Wrapping(4)).0 >> 3, 128);
        for row in samples.chunks_mut(stride).take(8) {
            if let Some(row) = row.first_chunk_mut::<8>() {
                *row = [sample; 8];
            }
        }
        return;
    }
    let mut lanes: Lanes = [[0; 8]; 8];
    for (lane, row) in lanes.iter_mut().zip(block.coefficients.as_chunks::<8>().0) {
        *lane = *row;
    }
    let columns = pass(&lanes, 512, 10);
    let rows = transposed(&pass(&transposed(&columns), 1 << 16, 17));
    for (room, row) in samples.chunks_mut(stride).zip(&rows) {
        if let Some(room) = room.first_chunk_mut::<8>() {
            *room = row.map(|sample| clamp(sample, 128));
        }
    }
}

#[inline]
fn clamp(sample: i32, bias: i32) -> u8 {
    u8::try_from(sample.saturating_add(bias).clamp(0, 255)).unwrap_or(0)
}

#[inline]
fn transposed(lanes: &Lanes) -> Lanes {
    let [a, b, c, d, e, f, g, h] = lanes;
    let column = |at: usize| [a, b, c, d, e, f, g, h].map(|lane| lane.get(at).copied().unwrap_or(0));
    [column(0), column(1), column(2), column(3), column(4), column(5), column(6), column(7)]
}

/// One pass over eight lanes: what comes in as the first index is frequency, what goes out is position.
#[inline]
fn pass(lanes: &Lanes, round: i32, shift: u32) -> Lanes {
    let mut out: Lanes = [[0; 8]; 8];
    let [o0, o1, o2, o3, o4, o5, o6, o7] = &mut out;
    let [i0, i1, i2, i3, i4, i5, i6, i7] = lanes;
    macro_rules! lane {
        ($at:expr) => {{
            let (s0, s1, s2, s3) = (Wrapping(i0[$at]), Wrapping(i1[$at]), Wrapping(i2[$at]), Wrapping(i3[$at]));
            let (s4, s5, s6, s7) = (Wrapping(i4[$at]), Wrapping(i5[$at]), Wrapping(i6[$at]), Wrapping(i7[$at]));
            let z1 = (s2 + s6) * fixed(0.541_196_1);
            let (e2, e3) = (z1 + s6 * fixed(-1.847_759_065), z1 + s2 * fixed(0.765_366_865));
            let (e0, e1) = ((s0 + s4) << 12, (s0 - s4) << 12);
            let round = Wrapping(round);
            let (x0, x3, x1, x2) = (e0 + e3 + round, e0 - e3 + round, e1 + e2 + round, e1 - e2 + round);
            let (p3, p4) = (s7 + s3, s5 + s1);
            let p5 = (p3 + p4) * fixed(1.175_875_602);
            let p1 = p5 + (s7 + s1) * fixed(-0.899_976_223);
            let p2 = p5 + (s5 + s3) * fixed(-2.562_915_447);
            let (p3, p4) = (p3 * fixed(-1.961_570_56), p4 * fixed(-0.390_180_644));
            let t3 = s1 * fixed(1.501_321_11) + p1 + p4;
            let t2 = s3 * fixed(3.072_711_026) + p2 + p3;
            let t1 = s5 * fixed(2.053_119_869) + p2 + p4;
            let t0 = s7 * fixed(0.298_631_336) + p1 + p3;
            (o0[$at], o7[$at]) = ((x0 + t3).0 >> shift, (x0 - t3).0 >> shift);
            (o1[$at], o6[$at]) = ((x1 + t2).0 >> shift, (x1 - t2).0 >> shift);
            (o2[$at], o5[$at]) = ((x2 + t1).0 >> shift, (x2 - t1).0 >> shift);
            (o3[$at], o4[$at]) = ((x3 + t0).0 >> shift, (x3 - t0).0 >> shift);
        }};
    }
    #[expect(clippy::indexing_slicing, reason = "both the lanes and the range have eight places")]
    for at in 0..8 {
        lane!(at);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform as the standard defines it (T.81, A.3.3).
    fn exact(block: &Block) -> [f64; 64] {
        let mut samples = [0.0; 64];
        for (place, sample) in samples.iter_mut().enumerate() {
            let (x, y) = ((place % 8) as f64, (place / 8) as f64);
            for (at, coefficient) in block.coefficients.iter().enumerate() {
                let (u, v) = ((at % 8) as f64, (at / 8) as f64);
                let scale = |k: f64| if k == 0.0 { 0.5_f64.sqrt() } else { 1.0 };
                let wave = |k: f64, z: f64| ((2.0 * z + 1.0) * k * std::f64::consts::PI / 16.0).cos();
                *sample += scale(u) * scale(v) * f64::from(*coefficient) * wave(u, x) * wave(v, y) / 4.0;
            }
            *sample = (*sample + 128.0).clamp(0.0, 255.0);
        }
        samples
    }

    proptest::proptest! {
        #[test]
        fn is_within_one_of_the_definition(
            first in -1024..1024_i32,
            others in proptest::collection::vec((1..64_usize, -200..200_i32), 0..12),
        ) {
            let mut block = Block::new();
            block.coefficients[0] = first;
            for (at, value) in others {
                block.coefficients[at] = value;
                block.last = block.last.max(at);
            }
            let mut samples = [0; 64];
            inverse(&block, &mut samples, 8);
            for (sample, exact) in samples.iter().zip(exact(&block)) {
                proptest::prop_assert!((f64::from(*sample) - exact).abs() <= 1.0, "{sample} is not {exact}");
            }
        }

        #[test]
        fn any_coefficients_give_samples(coefficients in proptest::array::uniform32(i32::MIN..=i32::MAX)) {
            let mut block = Block::new();
            block.coefficients[..32].copy_from_slice(&coefficients);
            block.last = 63;
            inverse(&block, &mut [0; 64], 8);
        }
    }
}
