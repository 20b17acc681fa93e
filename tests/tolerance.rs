//! How far results may be from what they are compared with: the only place where a test finds a number.
//!
//! The measure is the norm of the difference over the norm of the reference, taken over a whole tensor.

/// Compiled code computes in float32.
pub(crate) const COMPILED: f64 = 2e-5;

/// The interpreter computes in float64, so only the reference data's own error shows.
pub(crate) const INTERPRETER: f64 = 1e-6;

/// The data's error is known as a maximum over one tensor, to two digits; a norm may come out somewhat larger.
pub(crate) const DATA_ERROR_FACTOR: f64 = 2.0;

/// Router choices are compared where the reference's gap in probability between the last memory chosen and the first
/// one rejected is larger than this.
pub(crate) const ROUTER_MARGIN: f64 = 1e-5;

/// On random models, compiled code may also be this many times as far from the interpreter as the interpreter is from
/// itself when every weight moves by half a unit in the last place: norms of a few random numbers divide by small ones
/// now and then, and make more of a rounding error than a trained model does.
pub(crate) const NUDGE_FACTOR: f64 = 8.0;

/// How often the weights are nudged to find that distance.
pub(crate) const NUDGES: u64 = 3;

/// Peak memory of a long prefill over that of a short one.
pub(crate) const MEMORY_GROWTH: f64 = 1.05;

pub(crate) fn relative_error(actual: &[f64], expected: &[f64]) -> f64 {
    let difference: f64 = actual.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
    let size: f64 = expected.iter().map(|b| b * b).sum();
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}
