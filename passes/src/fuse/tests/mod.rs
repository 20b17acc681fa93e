//! Rewrites, held to what they claim: all nodes of a class are one value, in float64.

mod cases;
mod numeric;
mod programs;
mod reading;
mod search;
