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

/// Compiled against the interpreter, on random models and weights. Norms of a few random numbers divide by small ones
/// now and then, which makes more of a rounding error than a trained model does.
pub(crate) const COMPILED_TO_INTERPRETER: f64 = 1e-4;

/// Peak memory of a long prefill over that of a short one.
pub(crate) const MEMORY_GROWTH: f64 = 1.05;

pub(crate) fn relative_error(actual: &[f64], expected: &[f64]) -> f64 {
    let difference: f64 = actual.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
    let size: f64 = expected.iter().map(|b| b * b).sum();
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}
