//! What values an expression can take, from what is known of its ingredients.
//!
//! An expression is taken as a polynomial of degree one in each of its atoms, whose extremes lie where every atom is at
//! an end of its range. Atoms are taken to be independent of each other, so ranges may be too wide but never too narrow.

use std::collections::BTreeMap;

use mom_dialect::graph::{Function, UpdateRule};

use super::{
    polynomial::{Atom, Monomial, Polynomial},
    term::{Call, Leaf, Number, Symbol},
};

/// The most atoms whose ends are tried in all combinations.
const ATOMS: usize = 8;

/// From `low` to `high`; whether each end is only approached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    low_open: bool,
    high_open: bool,
}

impl Range {
    const ALL: Range = Range::closed(f64::NEG_INFINITY, f64::INFINITY);

    const fn closed(low: f64, high: f64) -> Range {
        Range { low, high, low_open: false, high_open: false }
    }

    const fn open(low: f64, high: f64) -> Range {
        Range { low, high, low_open: true, high_open: true }
    }

    /// The range of an increasing function; what it tends to at infinity is not reached.
    fn through(self, increasing: impl Fn(f64) -> f64) -> Range {
        Range {
            low: increasing(self.low),
            high: increasing(self.high),
            low_open: self.low_open || self.low.is_infinite(),
            high_open: self.high_open || self.high.is_infinite(),
        }
    }
}

/// The bounds that a rule's ports state.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    given: Vec<Range>,
}

impl Bounds {
    /// With `fractions`, parameters are taken to be no less than zero.
    pub(crate) fn new(rule: &UpdateRule, fractions: bool) -> Self {
        let range = |at_most: Option<f64>, low: f64| Range::closed(low, at_most.unwrap_or(f64::INFINITY));
        let inputs = rule.inputs.iter().map(|port| range(port.at_most, f64::NEG_INFINITY));
        let low = if fractions { 0.0 } else { f64::NEG_INFINITY };
        let parameters = rule.parameters.iter().map(|port| range(port.at_most, low));
        Self { given: inputs.chain(parameters).collect() }
    }

    /// Whether the expression is above zero wherever it is defined.
    pub(crate) fn is_positive(&self, x: &Polynomial) -> bool {
        if let Some((monomial, factor)) = x.single()
            && factor > 0.0
            && monomial.0.iter().all(|(atom, power)| self.is_positive_atom(atom, power.0))
        {
            return true;
        }
        let Some(linear) = self.linear(x) else { return self.range(x).low > 0.0 };
        linear.is_positive()
    }

    fn is_positive_atom(&self, atom: &Atom, power: f64) -> bool {
        let range = self.power(atom, power);
        range.low > 0.0 || range.low == 0.0 && range.low_open
    }

    /// The range of an expression.
    pub(crate) fn range(&self, x: &Polynomial) -> Range {
        match self.linear(x) {
            Some(linear) => linear.range(),
            None => x.0.iter().fold(Range::closed(0.0, 0.0), |sum, (monomial, factor)| {
                let product = monomial.0.iter().fold(Range::closed(factor.0, factor.0), |product, (atom, power)| {
                    times(product, self.power(atom, power.0))
                });
                Range::closed(sum.low + product.low, sum.high + product.high)
            }),
        }
    }

    /// The expression in its atoms, if each occurs to one power only.
    fn linear(&self, x: &Polynomial) -> Option<Linear> {
        let mut atoms: BTreeMap<&Atom, Number> = BTreeMap::new();
        for (atom, power) in x.0.keys().flat_map(|monomial| &monomial.0) {
            if *atoms.entry(atom).or_insert(*power) != *power {
                return None;
            }
        }
        if atoms.len() > ATOMS {
            return None;
        }
        let ranges: Vec<Range> = atoms.iter().map(|(atom, power)| self.power(atom, power.0)).collect();
        let place = |monomial: &Monomial| atoms.keys().map(|atom| monomial.0.contains_key(*atom)).collect();
        let products = x.0.iter().map(|(monomial, factor)| (place(monomial), factor.0)).collect();
        Some(Linear { ranges, products })
    }

    fn power(&self, atom: &Atom, power: f64) -> Range {
        if let Atom::Exp(x) = atom {
            return self.range(&Polynomial::of(x.clone(), power)).through(f64::exp);
        }
        let range = self.atom(atom);
        match power {
            1.0 => range,
            _ if power > 0.0 && range.low >= 0.0 => range.through(|x| x.powf(power)),
            _ if power > 0.0 && power % 2.0 == 0.0 => {
                let (low, high) = (range.low.abs(), range.high.abs());
                Range::closed(0.0, low.max(high).powf(power))
            }
            _ if power < 0.0 && range.low >= 0.0 => {
                let (low, high) = (range.high.powf(power), range.low.powf(power));
                Range { low, high, low_open: range.high_open || range.high.is_infinite(), high_open: range.low_open }
            }
            _ => Range::ALL,
        }
    }

    fn atom(&self, atom: &Atom) -> Range {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        match atom {
            Atom::Leaf(Leaf { symbol, .. }) => match symbol {
                Symbol::Given(number) => self.given.get(*number as usize).copied().unwrap_or(Range::ALL),
                Symbol::Head => Range::closed(0.0, f64::INFINITY),
                Symbol::OneAt(_) | Symbol::Identity => Range::closed(0.0, 1.0),
                Symbol::Read(_) | Symbol::State(_) => Range::ALL,
            },
            Atom::Call(Call(function), operands) => {
                let ranges: Vec<Range> = operands.iter().map(|x| self.range(x)).collect();
                match (function, &ranges[..]) {
                    (Function::Sigmoid, [x]) => x.through(sigmoid),
                    (Function::Softplus, [x]) => x.through(softplus),
                    (Function::Sqrt, [x]) => Range::closed(x.low.max(0.0).sqrt(), x.high.max(0.0).sqrt()),
                    (Function::Log, [x]) => Range::closed(x.low.max(0.0).ln(), x.high.max(0.0).ln()),
                    (Function::Max, [a, b]) => Range::closed(a.low.max(b.low), a.high.max(b.high)),
                    (Function::Min, [a, b]) => Range::closed(a.low.min(b.low), a.high.min(b.high)),
                    (Function::Less, _) => Range::closed(0.0, 1.0),
                    _ => Range::ALL,
                }
            }
            Atom::Exp(x) => self.range(&Polynomial::of(x.clone(), 1.0)).through(f64::exp),
            Atom::Group(x) | Atom::Entry(_, _, x) => self.range(x),
            Atom::Softmax(..) => Range::open(0.0, 1.0),
            Atom::Solve(..) => Range::ALL,
            Atom::Sum(bound, x) => {
                let size = match bound {
                    super::term::Index::Bound { size, .. } => *size as f64,
                    _ => 1.0,
                };
                let range = self.range(&Polynomial::of(x.clone(), 1.0));
                Range { low: range.low * size, high: range.high * size, ..range }
            }
        }
    }
}

fn times(a: Range, b: Range) -> Range {
    let product = |x: f64, y: f64| if x == 0.0 || y == 0.0 { 0.0 } else { x * y };
    let ends = [product(a.low, b.low), product(a.low, b.high), product(a.high, b.low), product(a.high, b.high)];
    Range::closed(ends.into_iter().fold(f64::INFINITY, f64::min), ends.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// A polynomial of degree one in each of some numbers.
#[derive(Clone)]
struct Linear {
    ranges: Vec<Range>,
    /// Which numbers each product has, and its factor.
    products: Vec<(Vec<bool>, f64)>,
}

impl Linear {
    /// The last number taken out: what is left without it, what it is multiplied with, and its range.
    fn taken(&self) -> Option<(Linear, Linear, Range)> {
        // Numbers whose ends are among their values go first, so that those that never reach theirs are left.
        let at = self.ranges.iter().position(|range| !(range.low_open && range.high_open));
        let at = at.or_else(|| self.ranges.len().checked_sub(1))?;
        let mut ranges = self.ranges.clone();
        let range = ranges.remove(at);
        let part = |with: bool| {
            let products = self.products.iter().filter(|(has, _)| has[at] == with).map(|(has, factor)| {
                let mut has = has.clone();
                has.remove(at);
                (has, *factor)
            });
            Linear { ranges: ranges.clone(), products: products.collect() }
        };
        Some((part(false), part(true), range))
    }

    /// With a value for the number that was taken out.
    fn at(without: &Linear, with: &Linear, value: f64) -> Linear {
        let mut sums: BTreeMap<Vec<bool>, f64> = BTreeMap::new();
        let scaled = with.products.iter().map(|(has, factor)| (has, factor * value));
        for (has, factor) in without.products.iter().map(|(has, factor)| (has, *factor)).chain(scaled) {
            *sums.entry(has.clone()).or_default() += factor;
        }
        let products = sums.into_iter().filter(|(_, factor)| *factor != 0.0).collect();
        Linear { ranges: without.ranges.clone(), products }
    }

    fn range(&self) -> Range {
        let Some((without, with, range)) = self.taken() else {
            let value = self.products.iter().map(|(_, factor)| factor).sum();
            return Range::closed(value, value);
        };
        if with.products.is_empty() {
            return without.range();
        }
        let slope = with.range();
        let mut hull = Range::closed(f64::INFINITY, f64::NEG_INFINITY);
        for (end, up) in [(range.low, -1.0), (range.high, 1.0)] {
            if end.is_finite() {
                let there = Linear::at(&without, &with, end).range();
                hull = Range::closed(hull.low.min(there.low), hull.high.max(there.high));
            } else {
                hull.high = if slope.high * up > 0.0 || slope.low * up > 0.0 { f64::INFINITY } else { hull.high };
                hull.low = if slope.low * up < 0.0 || slope.high * up < 0.0 { f64::NEG_INFINITY } else { hull.low };
            }
        }
        // Without a finite end, the value where the number is zero is one of the values.
        if range.low.is_infinite() && range.high.is_infinite() {
            let there = without.range();
            hull = Range::closed(hull.low.min(there.low), hull.high.max(there.high));
        }
        hull
    }

    /// Whether all values are above zero. A polynomial that is not constant does not reach the least value that it has
    /// at the ends of open ranges.
    fn is_positive(&self) -> bool {
        let Some((without, with, range)) = self.taken() else {
            return self.products.iter().map(|(_, factor)| factor).sum::<f64>() > 0.0;
        };
        if range.low_open && range.high_open {
            return self.range().low >= 0.0 && !self.products.is_empty();
        }
        let ends = [(range.low, -1.0), (range.high, 1.0)];
        ends.into_iter().all(|(end, up)| {
            if end.is_finite() {
                return Linear::at(&without, &with, end).is_positive();
            }
            let slope = with.range();
            if up > 0.0 { slope.low >= 0.0 } else { slope.high <= 0.0 }
        })
    }
}
