//! `short_conv`: a causal convolution of few taps along each segment.
//!
//! `y_t[c] = Σ_{j=0..W-1} weight[c, j] · s_{t-W+1+j}[c]`, channel by channel, where `s` is the segment's rows after
//! the last `W` inputs of the same memory of the same sequence, which `window` carries from step to step, newest last.
//! The last tap meets the current row. No activation, no skip connection.
//!
//! Segment `s` belongs to memory `s / B` of sequence `s mod B`; a window without a memory axis has one segment per
//! sequence. With `position`, rows whose position is -1 are not there: they shift no window and their `y` is zero.

use super::{Operand, check, segments};
use crate::{
    reference::Tensor,
    shape::{Axis, Extent, Type},
};

pub(super) fn result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let (x, weight, window, segments, position) = match *operands {
        [x, weight, window, segments] => (x, weight, window, segments, None),
        [x, weight, window, segments, position] => (x, weight, window, segments, Some(position)),
        _ => return Err(format!("`short_conv` takes 4 or 5 operands, found {}", operands.len())),
    };
    let (rows, channels) = check::rows("short_conv", "an operand", x)?;
    let [kept @ .., tap] = &weight.axes[..] else {
        return Err(format!("`short_conv` needs a weight […, tap]; found {}", weight.describe()));
    };
    if kept != channels || tap.size().is_none_or(|size| size == 0) || tap.name() != "tap" {
        return Err(format!(
            "`short_conv` needs a weight with the operand's channels and a tap axis, {} then tap; found {} and {}",
            check::describe(channels),
            x.describe(),
            weight.describe()
        ));
    }
    check::float("short_conv", "a weight", weight)?;
    let memory = window.axis("memory").cloned();
    let expected: Vec<Axis> = [Axis::Rows(Extent::SEQUENCES)]
        .into_iter()
        .chain(memory.clone())
        .chain([tap.clone()])
        .chain(channels.iter().cloned())
        .collect();
    check::same("short_conv", "a window", window, &Type::f32(expected))?;
    let memories = memory.and_then(|axis| axis.size()).unwrap_or(1);
    check::same("short_conv", "segments", segments, &check::boundaries(memories))?;
    if let Some(position) = position {
        check::same("short_conv", "position", position, &check::index(rows))?;
    }
    Ok(vec![x.clone(), window.clone()])
}

pub(super) fn evaluate(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [x, weight, window, segments] = [0, 1, 2, 3].map(|at| operands[at].value);
    let segments = segments::segment_rows(segments, operands.get(4).map(|position| position.value));
    let channels = x.row_elements();
    let taps = weight.data.len() / channels;
    let mut y = Tensor::zeros(x.shape.clone());
    let mut after = window.clone();
    for (segment, rows) in segments.iter().enumerate() {
        let start = segments::state_entry(segment, segments.len(), window) * taps * channels;
        // The last inputs before the step, then those of the step, oldest first.
        let mut inputs = window.data[start..][..taps * channels].to_vec();
        for &row in rows {
            inputs.extend(x.row(row));
            let seen = &inputs[inputs.len() - taps * channels..];
            for (channel, y) in y.row_mut(row).iter_mut().enumerate() {
                *y = (0..taps).map(|tap| weight.data[channel * taps + tap] * seen[tap * channels + channel]).sum();
            }
        }
        after.data[start..][..taps * channels].copy_from_slice(&inputs[inputs.len() - taps * channels..]);
    }
    vec![y, after]
}
