//! Pseudo-random weights: a hash of the seed, the tensor's name and the element's number.
//!
//! As no value depends on another, tensors can be made in any order, by any number of threads, straight into the layout
//! that the kernels want.

/// The values of one tensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random {
    key: u64,
    mean: f32,
    deviation: f32,
}

impl Random {
    pub(crate) fn new(seed: u64, tensor: &str, shape: &[usize]) -> Random {
        let (mean, deviation) = match shape {
            [] | [_] if tensor.ends_with(".weight") => (1.0, 0.02),
            [] | [_] => (-1.0, 0.25),
            // What a row of the tensor is multiplied with has this many terms.
            [_, columns @ ..] => (0.0, 1.0 / (columns.iter().product::<usize>().max(1) as f32).sqrt()),
        };
        let key = tensor.bytes().fold(mix(seed), |key, byte| mix(key ^ u64::from(byte)));
        Random { key, mean, deviation }
    }

    /// Fills `out` with the elements from number `start`.
    pub(crate) fn read(&self, start: usize, out: &mut [f32]) {
        // The sum of four uniform 16-bit numbers is close to normal; its variance is 4/12 of their range's square.
        let scale = self.deviation * 3f32.sqrt() / 65536.0;
        for (value, index) in out.iter_mut().zip(start as u64..) {
            let bits = mix(self.key.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
            *value = self.mean + scale * (sum as f32 - 131_070.0);
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), a permutation of the 64-bit numbers.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_depend_on_how_they_are_read_and_have_the_right_size() {
        let random = Random::new(7, "model.layers.0.mlp.up_proj.weight", &[64, 256]);
        let mut whole = vec![0.0; 64 * 256];
        random.read(0, &mut whole);
        let mut part = [0.0; 5];
        random.read(1000, &mut part);
        assert_eq!(part, whole[1000..1005]);
        let mean = whole.iter().sum::<f32>() / whole.len() as f32;
        let deviation = (whole.iter().map(|value| value * value).sum::<f32>() / whole.len() as f32).sqrt();
        assert!(mean.abs() < 0.002 && (deviation * 16.0 - 1.0).abs() < 0.03, "{mean} {deviation}");
    }
}
