//! Normalisation over the last axis: root mean square with a weight, and Euclidean length.

use mom_dialect::shape::Extent;

use super::{Kernel, each_item, extent_symbol, move_ns};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
};

/// The shape that both norms share: `groups` vectors of `width` in each of `rows` rows.
#[derive(Clone, Copy)]
pub(crate) struct Groups {
    pub(crate) rows: Extent,
    pub(crate) groups: usize,
    pub(crate) width: usize,
}

impl Groups {
    fn symbol(self) -> String {
        format!("{}_{}x{}", extent_symbol(self.rows), self.groups, self.width)
    }

    fn kernel<'a>(self, symbol: String, target: &'a Target, body: impl FnOnce(&mut Emit, V, Ty) + 'a) -> Kernel<'a> {
        let lanes = target.lanes_dividing(self.width);
        Kernel {
            symbol,
            schedule: String::new(),
            rows: self.rows,
            chunk: 1,
            times: self.groups,
            item_ns: move_ns(self.width * 8),
            token_ns: 0,
            body: Box::new(move |emit| {
                each_item(emit, |emit, item| {
                    let base = emit.mul_const(item, self.width);
                    body(emit, base, Ty::Vector(lanes));
                });
            }),
        }
    }
}

/// The sum of squares of `width` elements from `base`.
fn sum_of_squares(emit: &mut Emit, x: V, base: V, width: usize, ty: Ty) -> V {
    let Ty::Vector(lanes) = ty else { return base };
    let (zero, end) = (emit.int(0), emit.int(width as i64));
    let start = emit.float(0.0, ty);
    let sums = emit.fold(zero, end, lanes, &[start], |emit, i, sums| {
        let place = emit.add(base, i);
        let value = emit.load(x, place, ty);
        vec![emit.fma(value, value, sums[0])]
    });
    emit.sum(sums[0])
}

/// Stores `x · factor (· weight)` for `width` elements from `base`.
fn scale(emit: &mut Emit, buffers: (V, Option<V>, V), base: V, factor: V, width: usize, ty: Ty) {
    let Ty::Vector(lanes) = ty else { return };
    let (zero, end) = (emit.int(0), emit.int(width as i64));
    let factor = emit.splat(factor, ty);
    emit.for_each(zero, end, lanes, |emit, i| {
        let place = emit.add(base, i);
        let value = emit.load(buffers.0, place, ty);
        let mut scaled = emit.fmul(value, factor);
        if let Some(weight) = buffers.1 {
            let weight = emit.load(weight, i, ty);
            scaled = emit.fmul(scaled, weight);
        }
        emit.store(scaled, buffers.2, place);
    });
}

/// Buffers: x, weight, out.
pub(crate) fn rms_norm<'a>(target: &'a Target, shape: Groups, eps: f64) -> Kernel<'a> {
    let width = shape.width;
    let symbol = format!("momc_rms_norm_{}_{:08x}", shape.symbol(), (eps as f32).to_bits());
    shape.kernel(symbol, target, move |emit, base, ty| {
        let (x, weight, out) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
        let sum = sum_of_squares(emit, x, base, width, ty);
        let share = emit.float(1.0 / width as f64, Ty::F32);
        let eps = emit.float(eps, Ty::F32);
        let mean = emit.fma(sum, share, eps);
        let factor = reciprocal_sqrt(emit, mean);
        scale(emit, (x, Some(weight), out), base, factor, width, ty);
    })
}

/// Buffers: x, out.
pub(crate) fn l2_norm<'a>(target: &'a Target, shape: Groups, eps: f64) -> Kernel<'a> {
    let width = shape.width;
    let symbol = format!("momc_l2_norm_{}_{:08x}", shape.symbol(), (eps as f32).to_bits());
    shape.kernel(symbol, target, move |emit, base, ty| {
        let (x, out) = (emit.buffer(0), emit.buffer(1));
        let sum = sum_of_squares(emit, x, base, width, ty);
        let eps = emit.float(eps, Ty::F32);
        let sum = emit.fadd(sum, eps);
        let factor = reciprocal_sqrt(emit, sum);
        scale(emit, (x, None, out), base, factor, width, ty);
    })
}

fn reciprocal_sqrt(emit: &mut Emit, x: V) -> V {
    let root = emit.sqrt(x);
    let one = emit.float(1.0, Ty::F32);
    emit.fdiv(one, root)
}
