//! Floating-point arithmetic of kernels, on scalars and vectors alike, and the elementary functions as arithmetic.
//!
//! MLIR turns `math.exp` on a vector into one library call per lane; a polynomial costs a tenth of that.

use super::{Emit, Ty, V};

impl Emit {
    /// A constant of type `F32` or `Vector`.
    pub(crate) fn float(&mut self, value: f64, ty: Ty) -> V {
        // Written as bits, which is exact and covers infinities.
        let bits = (value as f32).to_bits();
        match ty {
            Ty::Vector(_) if self.group.is_none() => {
                self.op(ty, format_args!("arith.constant dense<0x{bits:08X}> : {}", self.written(ty)))
            }
            _ => self.op(ty, format_args!("arith.constant 0x{bits:08X} : f32")),
        }
    }

    pub(super) fn integer_splat(&mut self, value: i64, ty: Ty) -> V {
        let ty = ty.integers();
        match ty {
            Ty::Integers(_) if self.group.is_none() => {
                self.op(ty, format_args!("arith.constant dense<{value}> : {}", self.written(ty)))
            }
            _ => self.op(ty, format_args!("arith.constant {value} : i32")),
        }
    }

    /// A scalar in every lane.
    pub(crate) fn splat(&mut self, value: V, ty: Ty) -> V {
        if value.ty == ty {
            return value;
        }
        if self.group.is_some() {
            return V { ty, ..value };
        }
        self.op(ty, format_args!("vector.broadcast %{} : f32 to {}", value.id, self.written(ty)))
    }

    fn float_op(&mut self, name: &str, a: V, b: V) -> V {
        self.op(a.ty, format_args!("arith.{name} %{}, %{} : {}", a.id, b.id, self.written(a.ty)))
    }

    pub(crate) fn fadd(&mut self, a: V, b: V) -> V {
        self.float_op("addf", a, b)
    }

    pub(crate) fn fsub(&mut self, a: V, b: V) -> V {
        self.float_op("subf", a, b)
    }

    pub(crate) fn fmul(&mut self, a: V, b: V) -> V {
        self.float_op("mulf", a, b)
    }

    pub(crate) fn fdiv(&mut self, a: V, b: V) -> V {
        self.float_op("divf", a, b)
    }

    pub(crate) fn fneg(&mut self, a: V) -> V {
        self.op(a.ty, format_args!("arith.negf %{} : {}", a.id, self.written(a.ty)))
    }

    /// `a · b + c`, rounded once.
    pub(crate) fn fma(&mut self, a: V, b: V, c: V) -> V {
        self.op(a.ty, format_args!("math.fma %{}, %{}, %{} : {}", a.id, b.id, c.id, self.written(a.ty)))
    }

    /// `a > b`, lane by lane.
    pub(crate) fn greater(&mut self, a: V, b: V) -> V {
        self.op(a.ty.mask(), format_args!("arith.cmpf ogt, %{}, %{} : {}", a.id, b.id, self.written(a.ty)))
    }

    /// The larger; `b` where `a` is not a number.
    pub(crate) fn fmax(&mut self, a: V, b: V) -> V {
        let condition = self.greater(a, b);
        self.select(condition, a, b)
    }

    pub(crate) fn sqrt(&mut self, a: V) -> V {
        self.op(a.ty, format_args!("math.sqrt %{} : {}", a.id, self.written(a.ty)))
    }

    fn double(&mut self, value: f64) -> V {
        self.op(Ty::F64, format_args!("arith.constant 0x{:016X} : f64", value.to_bits()))
    }

    /// Sine and cosine of an f64 angle of at most some millions, to far more digits than f32 has: x = n · π/2 + r with
    /// |r| ≤ π/4, both of r by their Taylor polynomials, and exchanged and negated as n says.
    pub(crate) fn sin_cos(&mut self, x: V) -> (V, V) {
        // Adding 1.5 · 2⁵² rounds to the nearest integer and leaves it in the low bits of the sum.
        let (shift, per_quarter) = (self.double(6_755_399_441_055_744.0), self.double(std::f64::consts::FRAC_2_PI));
        let shifted = self.fma(x, per_quarter, shift);
        let n = self.fsub(shifted, shift);
        let (high, low) = (self.double(-std::f64::consts::FRAC_PI_2), self.double(-6.123_233_995_736_766e-17));
        let r = self.fma(n, high, x);
        let r = self.fma(n, low, r);
        let square = self.fmul(r, r);
        // The terms ±r²ᵏ / (2k + first)!, by Horner's scheme.
        let mut series = |first: u32| {
            let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
            let term = |k: u32| (-1.0_f64).powi(k as i32) / factorial(2 * k + first);
            let mut sum = self.double(term(9));
            for k in (0..9).rev() {
                let coefficient = self.double(term(k));
                sum = self.fma(sum, square, coefficient);
            }
            sum
        };
        let (sin, cos) = (series(1), series(0));
        let sin = self.fmul(r, sin);
        let quarter = self.op(Ty::I64, format_args!("arith.bitcast %{} : f64 to i64", shifted.id));
        let is_odd = self.bit(quarter, 1);
        let (first, second) = (self.select(is_odd, cos, sin), self.select(is_odd, sin, cos));
        let is_low = self.bit(quarter, 2);
        let next = self.add_const(quarter, 1);
        let is_left = self.bit(next, 2);
        let (below, left) = (self.fneg(first), self.fneg(second));
        (self.select(is_low, below, first), self.select(is_left, left, second))
    }

    /// Whether an integer has this bit.
    fn bit(&mut self, value: V, bit: i64) -> V {
        let (mask, zero) = (self.int(bit), self.int(0));
        let masked = self.op(Ty::I64, format_args!("arith.andi %{}, %{} : i64", value.id, mask.id));
        self.differ(masked, zero)
    }

    pub(crate) fn int_to_double(&mut self, a: V) -> V {
        self.op(Ty::F64, format_args!("arith.sitofp %{} : i64 to f64", a.id))
    }

    pub(crate) fn int_to_float(&mut self, a: V) -> V {
        self.op(Ty::F32, format_args!("arith.sitofp %{} : i64 to f32", a.id))
    }

    /// f32 to f64.
    pub(crate) fn widen(&mut self, a: V) -> V {
        self.op(Ty::F64, format_args!("arith.extf %{} : f32 to f64", a.id))
    }

    /// f64 to f32.
    pub(crate) fn narrow(&mut self, a: V) -> V {
        self.op(Ty::F32, format_args!("arith.truncf %{} : f64 to f32", a.id))
    }

    /// The sum of a vector's lanes, in an order fixed by the target; a scalar is its own sum.
    pub(crate) fn sum(&mut self, a: V) -> V {
        if let Ty::Vector(lanes) = a.ty
            && let Some(sum) = self.sum_over_threads(a, lanes)
        {
            return sum;
        }
        match a.ty {
            Ty::Vector(_) => self.op(
                Ty::F32,
                format_args!("vector.reduction <add>, %{} fastmath<reassoc> : {} into f32", a.id, self.written(a.ty)),
            ),
            _ => a,
        }
    }

    /// `polynomial[0] + polynomial[1]·x + …` by Horner's scheme.
    fn horner(&mut self, x: V, polynomial: &[f64]) -> V {
        let Some((last, rest)) = polynomial.split_last() else { return self.float(0.0, x.ty) };
        let mut sum = self.float(*last, x.ty);
        for &coefficient in rest.iter().rev() {
            let coefficient = self.float(coefficient, x.ty);
            sum = self.fma(sum, x, coefficient);
        }
        sum
    }

    /// `exp(x)` to about one unit in the last place: 2ⁿ · exp(r) with |r| ≤ ln 2 / 2, exp(r) by its Taylor polynomial.
    /// Below -87.3 the result is 0 (it would be subnormal), above 88.37 it stays at 2.4e38; not-a-number is kept.
    pub(crate) fn exp(&mut self, x: V) -> V {
        let ty = x.ty;
        let low = self.float(-87.3, ty);
        let high = self.float(88.37, ty);
        let too_low = self.greater(low, x);
        let clamped = self.select(too_low, low, x);
        let too_high = self.greater(x, high);
        let clamped = self.select(too_high, high, clamped);
        // Adding 1.5 · 2²³ rounds to the nearest integer and leaves it in the low bits of the sum.
        let shift = self.float(12_582_912.0, ty);
        let log2_e = self.float(std::f64::consts::LOG2_E, ty);
        let shifted = self.fma(clamped, log2_e, shift);
        let n = self.fsub(shifted, shift);
        // ln 2 in two parts: n times the first is exact.
        let ln2_high = self.float(-0.693_359_375, ty);
        let ln2_low = self.float(2.121_944_400_546_905_8e-4, ty);
        let r = self.fma(n, ln2_high, clamped);
        let r = self.fma(n, ln2_low, r);
        let taylor = [1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
        let fraction = self.horner(r, &taylor);
        // 2ⁿ by its bits: (n + 127) << 23; what the shift constant left above the low bits is shifted out.
        let bits = self.bits(shifted);
        let bias = self.integer_splat(127, ty);
        let biased = self.bit_op("addi", bits, bias);
        let places = self.integer_splat(23, ty);
        let power = self.bit_op("shli", biased, places);
        let power = self.op(
            ty,
            format_args!("arith.bitcast %{} : {} to {}", power.id, self.written(ty.integers()), self.written(ty)),
        );
        let result = self.fmul(fraction, power);
        let zero = self.float(0.0, ty);
        self.select(too_low, zero, result)
    }

    fn bits(&mut self, x: V) -> V {
        let ty = x.ty.integers();
        self.op(ty, format_args!("arith.bitcast %{} : {} to {}", x.id, self.written(x.ty), self.written(ty)))
    }

    fn bit_op(&mut self, name: &str, a: V, b: V) -> V {
        self.op(a.ty, format_args!("arith.{name} %{}, %{} : {}", a.id, b.id, self.written(a.ty)))
    }

    /// `log(x)` to about two units in the last place: x = 2ⁿ · m with m between √½ and √2, log(m) = 2 · artanh((m - 1) /
    /// (m + 1)) by its series. Minus infinity at 0, not-a-number below; subnormal numbers count as 0.
    pub(crate) fn log(&mut self, x: V) -> V {
        let ty = x.ty;
        let bits = self.bits(x);
        let root_half = self.integer_splat(0x3F35_04F3, ty);
        let from_root = self.bit_op("subi", bits, root_half);
        let places = self.integer_splat(23, ty);
        let exponent = self.bit_op("shrsi", from_root, places);
        let shifted = self.bit_op("shli", exponent, places);
        let mantissa = self.bit_op("subi", bits, shifted);
        let (integers, floats) = (self.written(ty.integers()), self.written(ty));
        let m = self.op(ty, format_args!("arith.bitcast %{} : {integers} to {floats}", mantissa.id));
        let n = self.op(ty, format_args!("arith.sitofp %{} : {integers} to {floats}", exponent.id));
        let one = self.float(1.0, ty);
        let (below, above) = (self.fsub(m, one), self.fadd(m, one));
        let s = self.fdiv(below, above);
        let square = self.fmul(s, s);
        let series: Vec<f64> = (1..7).map(|k| 2.0 / f64::from(2 * k + 1)).collect();
        let tail = self.horner(square, &series);
        // 2·s + s³·tail, the small part first.
        let cube = self.fmul(s, square);
        let tail = self.fmul(cube, tail);
        let ln2_low = self.float(-2.121_944_400_546_905_8e-4, ty);
        let low = self.fma(n, ln2_low, tail);
        let two = self.float(2.0, ty);
        let mantissa = self.fma(two, s, low);
        let ln2_high = self.float(0.693_359_375, ty);
        let result = self.fma(n, ln2_high, mantissa);
        let smallest = self.float(f64::from(f32::MIN_POSITIVE), ty);
        let zero = self.float(0.0, ty);
        let (infinity, undefined) = (self.float(f64::NEG_INFINITY, ty), self.float(f64::NAN, ty));
        let too_small = self.greater(smallest, x);
        let negative = self.greater(zero, x);
        let result = self.select(too_small, infinity, result);
        let result = self.select(negative, undefined, result);
        // Infinity and not-a-number are their own logarithms.
        let top = self.float(f64::INFINITY, ty);
        let finite = self.greater(top, x);
        self.select(finite, result, x)
    }

    /// `1 / (1 + exp(-x))`
    pub(crate) fn sigmoid(&mut self, x: V) -> V {
        let negative = self.fneg(x);
        let exp = self.exp(negative);
        let one = self.float(1.0, x.ty);
        let denominator = self.fadd(one, exp);
        self.fdiv(one, denominator)
    }

    /// `x · sigmoid(x)`
    pub(crate) fn silu(&mut self, x: V) -> V {
        let negative = self.fneg(x);
        let exp = self.exp(negative);
        let one = self.float(1.0, x.ty);
        let denominator = self.fadd(one, exp);
        self.fdiv(x, denominator)
    }

    /// `log(1 + exp(x))` = max(x, 0) + log1p(exp(-|x|)), where log1p(y) = 2·artanh(y / (2 + y)) by its series: on
    /// [0, 1] the argument is at most 1/3, the relative error 1e-9, also for small y.
    pub(crate) fn softplus(&mut self, x: V) -> V {
        let ty = x.ty;
        let zero = self.float(0.0, ty);
        let negative = self.fneg(x);
        let positive = self.greater(x, zero);
        let minus_abs = self.select(positive, negative, x);
        let y = self.exp(minus_abs);
        let two = self.float(2.0, ty);
        let denominator = self.fadd(two, y);
        let s = self.fdiv(y, denominator);
        let square = self.fmul(s, s);
        let series: Vec<f64> = (0..9).map(|k| 2.0 / f64::from(2 * k + 1)).collect();
        let sum = self.horner(square, &series);
        let log1p = self.fmul(s, sum);
        // `x` first, so that not-a-number survives the comparison.
        let linear = self.select(positive, x, zero);
        self.fadd(linear, log1p)
    }
}
