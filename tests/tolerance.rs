//! How far results may be from what they are compared with: the only place where a test finds a number.
//!
//! The measure is the norm of the difference over the norm of the reference, taken over a whole tensor.

/// Compiled code computes in float32.
pub(crate) const COMPILED: f64 = 2e-5;

/// The interpreter computes in float64, so only the reference data's own error shows.
pub(crate) const INTERPRETER: f64 = 1e-6;

/// The data of single update rules is float64 throughout.
pub(crate) const OPERATOR_INTERPRETER: f64 = 1e-10;

/// Outputs and states of single update rules, compiled, in every form.
pub(crate) const OPERATOR_COMPILED: f64 = 1e-5;

/// Gradients of single update rules, compiled, in every form.
pub(crate) const OPERATOR_GRADIENT: f64 = 5e-5;

/// The data's error is known as a maximum over one tensor, to two digits; a norm may come out somewhat larger.
pub(crate) const DATA_ERROR_FACTOR: f64 = 2.0;

/// Models with one memory were computed in float32, and what is known of their error is how far two ways to compute the
/// logits are apart. Both have the same products of weights in them, so each may be further than that from the truth.
pub(crate) const TWO_WAYS_FACTOR: f64 = 2.0;

/// Router choices are compared where the reference's gap in probability between the last memory chosen and the first
/// one rejected is larger than this.
pub(crate) const ROUTER_MARGIN: f64 = 1e-5;

/// On random models, compiled code may also be this many times as far from the interpreter as the interpreter is from
/// itself when every weight moves by half a unit in the last place: norms of a few random numbers divide by small ones
/// now and then, and make more of a rounding error than a trained model does.
pub(crate) const NUDGE_FACTOR: f64 = 8.0;

/// How often the weights are nudged to find that distance.
pub(crate) const NUDGES: u64 = 3;

/// A program and what rewrites made of it, both interpreted in float64: sums come in another order.
pub(crate) const REWRITTEN: f64 = 1e-10;

/// What a random program computes is compared where no number is larger.
pub(crate) const MODERATE: f64 = 1e6;

/// Forms of a random rule, in float64: thousands of operations that round, and inverses of triangular matrices of at most
/// a few dozen tokens, whose condition is in the hundreds.
pub(crate) const RANDOM_RULE_FLOAT64: f64 = 1e-9;

/// Results are held to their own norm, but not to less than this part of the largest tensor's.
pub(crate) const LEAST_PART: f64 = 1e-4;

/// A gradient against a difference quotient of five points, over the norm of the gradient.
pub(crate) const DIFFERENCE_QUOTIENT: f64 = 1e-6;

/// Compiled gradients.
pub(crate) const COMPILED_GRADIENT: f64 = 5e-5;

/// Peak memory of a long prefill over that of a short one.
pub(crate) const MEMORY_GROWTH: f64 = 1.05;

pub(crate) fn relative_error(actual: &[f64], expected: &[f64]) -> f64 {
    let difference: f64 = actual.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
    let size: f64 = expected.iter().map(|b| b * b).sum();
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}
