//! Normalisation over the last axis: root mean square with a weight, and Euclidean length.

use super::Place;
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
};

/// Vectors to be normalised, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vectors {
    width: usize,
    count: usize,
    ty: Ty,
    lanes: usize,
}

impl Vectors {
    pub(crate) fn new(target: &Target, width: usize, count: usize) -> Vectors {
        let lanes = target.lanes_dividing(width);
        Vectors { width, count, ty: Ty::Vector(lanes), lanes }
    }

    /// `x / sqrt(mean x² + eps) · weight`
    pub(crate) fn rms_norm(self, emit: &mut Emit, eps: f64, x: Place, weight: Place, out: Place) {
        self.each(emit, x, out, |emit, x, out| {
            let sum = self.sum_of_squares(emit, x);
            let share = emit.float(1.0 / self.width as f64, Ty::F32);
            let eps = emit.float(eps, Ty::F32);
            let mean = emit.fma(sum, share, eps);
            let factor = reciprocal_sqrt(emit, mean);
            self.scale(emit, x, factor, Some(weight), out);
        });
    }

    /// `x / sqrt(sum x² + eps)`
    pub(crate) fn l2_norm(self, emit: &mut Emit, eps: f64, x: Place, out: Place) {
        self.each(emit, x, out, |emit, x, out| {
            let sum = self.sum_of_squares(emit, x);
            let eps = emit.float(eps, Ty::F32);
            let sum = emit.fadd(sum, eps);
            let factor = reciprocal_sqrt(emit, sum);
            self.scale(emit, x, factor, None, out);
        });
    }

    fn each(self, emit: &mut Emit, x: Place, out: Place, body: impl FnOnce(&mut Emit, Place, Place)) {
        if self.count == 1 {
            return body(emit, x, out);
        }
        emit.count(self.count, |emit, number| {
            let (x, out) = (x.entry(emit, number, self.width), out.entry(emit, number, self.width));
            body(emit, x, out);
        });
    }

    fn sum_of_squares(self, emit: &mut Emit, x: Place) -> V {
        let (zero, end) = (emit.int(0), emit.int(self.width as i64));
        let start = emit.float(0.0, self.ty);
        let sums = emit.fold(zero, end, self.lanes, &[start], |emit, i, sums| {
            let value = x.offset(emit, i).load(emit, self.ty);
            vec![emit.fma(value, value, sums[0])]
        });
        emit.sum(sums[0])
    }

    /// Stores `x · factor (· weight)`.
    fn scale(self, emit: &mut Emit, x: Place, factor: V, weight: Option<Place>, out: Place) {
        let (zero, end) = (emit.int(0), emit.int(self.width as i64));
        let factor = emit.splat(factor, self.ty);
        emit.for_each(zero, end, self.lanes, |emit, i| {
            let value = x.offset(emit, i).load(emit, self.ty);
            let mut scaled = emit.fmul(value, factor);
            if let Some(weight) = weight {
                let weight = weight.offset(emit, i).load(emit, self.ty);
                scaled = emit.fmul(scaled, weight);
            }
            out.offset(emit, i).store(emit, scaled);
        });
    }
}

fn reciprocal_sqrt(emit: &mut Emit, x: V) -> V {
    let root = emit.sqrt(x);
    let one = emit.float(1.0, Ty::F32);
    emit.fdiv(one, root)
}
