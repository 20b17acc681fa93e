//! The rows of each segment and the state that they advance.

use crate::reference::Tensor;

/// The rows of each segment in the order of time, without padding, which `position` tells apart.
pub(super) fn segment_rows(segments: &Tensor, position: Option<&Tensor>) -> Vec<Vec<usize>> {
    let real = |row: &usize| position.is_none_or(|position| position.index(*row).is_some());
    let rows = |bounds: &[f64]| (bounds[0] as usize..bounds[1] as usize).filter(real).collect();
    segments.data.windows(2).map(rows).collect()
}

/// Which entry of a state `[B, (memory,) …]` a segment advances. Segments lie memory by memory, states sequence by
/// sequence.
pub(super) fn state_entry(segment: usize, segments: usize, state: &Tensor) -> usize {
    let sequences = state.shape[0];
    let memories = segments / sequences;
    let (memory, sequence) = (segment / sequences, segment % sequences);
    sequence * memories + memory
}
