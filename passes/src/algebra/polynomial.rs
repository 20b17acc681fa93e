//! Canonical arithmetic: terms as sums of products in one fixed order.
//!
//! A [`Polynomial`] is a sum of numbers times [`Monomial`]s, a monomial a product of powers of [`Atom`]s, and an atom
//! whatever is not a sum, a product or a power. Operands of atoms are polynomials again. Sums over an axis run over
//! one monomial from which everything without that axis has been taken out, and their axis is named by how many sums
//! are nested in it. The exponential of a sum is a product of powers, `exp(2 a - b) = exp(a)^2 exp(b)^-1`. Equal
//! expressions that differ by the laws of addition, multiplication, summation and exponentials become equal values,
//! and nothing here knows a name.

use std::collections::BTreeMap;

use mom_dialect::graph::Function;

use super::term::{Call, Index, Leaf, Number, Symbol};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Atom {
    Leaf(Leaf),
    Exp(Monomial),
    Call(Call, Vec<Polynomial>),
    /// A sum of products that is not written out: to a negative or broken power, or because it would be too large.
    Group(Polynomial),
    /// Over the axis of this index.
    Softmax(Index, Polynomial),
    /// Entry of what is inside along this bound index.
    Entry(Index, usize, Polynomial),
    /// Bound row index, index of the unknowns, matrix, right-hand side.
    Solve(Index, Index, Polynomial, Polynomial),
    /// Over this bound index.
    Sum(Index, Monomial),
}

/// Atoms with their exponents, none of which is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Monomial(pub(crate) BTreeMap<Atom, Number>);

/// Monomials with their factors, none of which is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Polynomial(pub(crate) BTreeMap<Monomial, Number>);

/// The most products that a product of two sums is written out to; what is larger stays a product of groups.
const LARGEST: usize = 64;

/// The first number of the axes that stand for a bound index while its sum is taken apart.
const OPENED: u32 = 1 << 20;

impl Atom {
    /// Calls `visit` with every index in the atom that is not bound within it.
    fn indices(&self, visit: &mut dyn FnMut(Index)) {
        let mut without = |bound: Index, x: &Polynomial| {
            x.indices(&mut |index| {
                if index != bound {
                    visit(index);
                }
            });
        };
        match self {
            Atom::Leaf(leaf) => leaf.indices.iter().for_each(|&index| visit(index)),
            Atom::Exp(x) => x.indices(visit),
            Atom::Call(_, operands) => operands.iter().for_each(|x| x.indices(visit)),
            Atom::Group(x) => x.indices(visit),
            Atom::Softmax(index, x) => {
                visit(*index);
                x.indices(visit);
            }
            Atom::Entry(bound, _, x) => without(*bound, x),
            Atom::Solve(bound, index, matrix, vector) => {
                without(*bound, matrix);
                without(*bound, vector);
                visit(*index);
            }
            Atom::Sum(bound, x) => without(*bound, &Polynomial::of(x.clone(), 1.0)),
        }
    }

    pub(crate) fn has(&self, wanted: Index) -> bool {
        let mut found = false;
        self.indices(&mut |index| found |= index == wanted);
        found
    }

    /// Calls `visit` with every leaf.
    pub(crate) fn leaves<'a>(&'a self, visit: &mut dyn FnMut(&'a Leaf)) {
        match self {
            Atom::Leaf(leaf) => visit(leaf),
            Atom::Exp(x) | Atom::Sum(_, x) => x.leaves(visit),
            Atom::Call(_, operands) => operands.iter().for_each(|x| x.leaves(visit)),
            Atom::Group(x) | Atom::Softmax(_, x) | Atom::Entry(_, _, x) => x.leaves(visit),
            Atom::Solve(_, _, matrix, vector) => {
                matrix.leaves(visit);
                vector.leaves(visit);
            }
        }
    }

    /// Whether a leaf of this symbol is in the atom.
    pub(crate) fn holds(&self, symbol: Symbol) -> bool {
        let mut found = false;
        self.leaves(&mut |leaf| found |= leaf.symbol == symbol);
        found
    }

    pub(crate) fn holds_state(&self) -> bool {
        let mut found = false;
        self.leaves(&mut |leaf| found |= matches!(leaf.symbol, Symbol::State(_)));
        found
    }

    /// How many sums are nested in the atom.
    fn height(&self) -> u32 {
        match self {
            Atom::Leaf(_) => 0,
            Atom::Exp(x) => x.height(),
            Atom::Call(_, operands) => operands.iter().map(Polynomial::height).max().unwrap_or(0),
            Atom::Group(x) | Atom::Softmax(_, x) => x.height(),
            Atom::Entry(bound, _, x) => x.height().max(height_of(*bound)),
            Atom::Solve(bound, _, matrix, vector) => matrix.height().max(vector.height()).max(height_of(*bound)),
            Atom::Sum(bound, x) => x.height().max(height_of(*bound)),
        }
    }

    fn replace(&self, from: Index, to: Index) -> Polynomial {
        match self {
            Atom::Leaf(leaf) => {
                let indices: Vec<Index> =
                    leaf.indices.iter().map(|&index| if index == from { to } else { index }).collect();
                match (leaf.symbol, &indices[..]) {
                    (Symbol::Identity, [i, j]) if i == j => Polynomial::number(1.0),
                    (Symbol::Identity, [Index::Entry(_), Index::Entry(_)]) => Polynomial::default(),
                    (Symbol::Identity, [Index::Entry(entry), axis] | [axis, Index::Entry(entry)]) => {
                        Polynomial::leaf(Symbol::OneAt(*entry), vec![*axis])
                    }
                    (Symbol::Identity, [i, j]) => Polynomial::leaf(Symbol::Identity, vec![*i.min(j), *i.max(j)]),
                    (Symbol::OneAt(one), &[Index::Entry(entry)]) => Polynomial::number(f64::from(one == entry)),
                    _ => Polynomial::atom(Atom::Leaf(Leaf { symbol: leaf.symbol, indices })),
                }
            }
            Atom::Exp(x) => x.replace(from, to).exp(),
            Atom::Call(call, operands) => {
                Polynomial::call(*call, operands.iter().map(|x| x.replace(from, to)).collect())
            }
            Atom::Group(x) => x.replace(from, to),
            Atom::Softmax(index, x) if *index == from => match to {
                Index::Entry(entry) => Polynomial::entry(from, axis_size(from), entry, self.clone().into()),
                _ => Polynomial::atom(Atom::Softmax(to, x.replace(from, to))),
            },
            Atom::Softmax(index, x) => Polynomial::atom(Atom::Softmax(*index, x.replace(from, to))),
            Atom::Entry(bound, entry, x) => Polynomial::atom(Atom::Entry(*bound, *entry, x.replace(from, to))),
            Atom::Solve(bound, index, matrix, vector) if *index == from => match to {
                Index::Entry(entry) => Polynomial::entry(from, axis_size(from), entry, self.clone().into()),
                _ => Polynomial::atom(Atom::Solve(*bound, to, matrix.replace(from, to), vector.replace(from, to))),
            },
            Atom::Solve(bound, index, matrix, vector) => {
                Polynomial::atom(Atom::Solve(*bound, *index, matrix.replace(from, to), vector.replace(from, to)))
            }
            Atom::Sum(bound, x) => {
                let inner = x.replace(from, to);
                inner.0.into_iter().fold(Polynomial::default(), |sum, (x, factor)| {
                    sum.plus(&Polynomial::atom(Atom::Sum(*bound, x)).times_number(factor.0))
                })
            }
        }
    }
}

fn height_of(index: Index) -> u32 {
    match index {
        Index::Bound { height, .. } => height,
        _ => 0,
    }
}

/// The size of a bound index; others know theirs elsewhere.
fn axis_size(index: Index) -> usize {
    match index {
        Index::Bound { size, .. } => size,
        _ => 0,
    }
}

impl From<Atom> for Polynomial {
    fn from(atom: Atom) -> Self {
        Polynomial::atom(atom)
    }
}

impl Monomial {
    pub(crate) fn atom(atom: Atom, exponent: f64) -> Monomial {
        Monomial(BTreeMap::from([(atom, Number(exponent))]))
    }

    pub(crate) fn times(&self, other: &Monomial) -> Monomial {
        let (mut product, fewer) =
            if self.0.len() < other.0.len() { (other.clone(), self) } else { (self.clone(), other) };
        for (atom, exponent) in &fewer.0 {
            let sum = product.0.get(atom).map_or(0.0, |own| own.0) + exponent.0;
            match atom {
                _ if sum == 0.0 => product.0.remove(atom),
                // A number that is 0 or 1 is its own power.
                Atom::Leaf(Leaf { symbol: Symbol::OneAt(_) | Symbol::Identity, .. }) => {
                    product.0.insert(atom.clone(), Number(1.0))
                }
                _ => product.0.insert(atom.clone(), Number(sum)),
            };
        }
        product
    }

    fn power(&self, exponent: f64) -> Monomial {
        Monomial(self.0.iter().map(|(atom, own)| (atom.clone(), Number(own.0 * exponent))).collect())
    }

    /// This by `other`, if every factor of `other` is a factor here with at least its exponent.
    pub(crate) fn divided(&self, other: &Monomial) -> Option<Monomial> {
        let enough = |(atom, wanted): (&Atom, &Number)| self.0.get(atom).is_some_and(|own| own.0 / wanted.0 >= 1.0);
        other.0.iter().all(enough).then(|| self.times(&other.power(-1.0)))
    }

    /// The factors that both have, each with the exponent closer to zero.
    pub(crate) fn common(&self, other: &Monomial) -> Monomial {
        let shared = self.0.iter().filter_map(|(atom, own)| {
            let other = other.0.get(atom)?;
            let exponent = if own.0.abs() <= other.0.abs() { own.0 } else { other.0 };
            (own.0 * other.0 > 0.0).then(|| (atom.clone(), Number(exponent)))
        });
        Monomial(shared.collect())
    }

    /// The factors that `wanted` holds for, and the others.
    pub(crate) fn split(&self, mut wanted: impl FnMut(&Atom) -> bool) -> (Monomial, Monomial) {
        let (chosen, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            self.0.iter().map(|(atom, exponent)| (atom.clone(), *exponent)).partition(|(atom, _)| wanted(atom));
        (Monomial(chosen), Monomial(others))
    }

    pub(crate) fn indices(&self, visit: &mut dyn FnMut(Index)) {
        self.0.keys().for_each(|atom| atom.indices(visit));
    }

    pub(crate) fn leaves<'a>(&'a self, visit: &mut dyn FnMut(&'a Leaf)) {
        self.0.keys().for_each(|atom| atom.leaves(visit));
    }

    fn height(&self) -> u32 {
        self.0.keys().map(Atom::height).max().unwrap_or(0)
    }

    pub(crate) fn replace(&self, from: Index, to: Index) -> Polynomial {
        self.0.iter().fold(Polynomial::number(1.0), |product, (atom, exponent)| {
            product.times(&atom.replace(from, to).power(exponent.0))
        })
    }
}

impl Polynomial {
    pub(crate) fn number(value: f64) -> Polynomial {
        Polynomial::of(Monomial::default(), value)
    }

    pub(crate) fn of(monomial: Monomial, factor: f64) -> Polynomial {
        Polynomial(if factor == 0.0 { BTreeMap::new() } else { BTreeMap::from([(monomial, Number(factor))]) })
    }

    pub(crate) fn atom(atom: Atom) -> Polynomial {
        Polynomial::of(Monomial::atom(atom, 1.0), 1.0)
    }

    pub(crate) fn leaf(symbol: Symbol, indices: Vec<Index>) -> Polynomial {
        Polynomial::atom(Atom::Leaf(Leaf { symbol, indices }))
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The only product in the sum, with its factor.
    pub(crate) fn single(&self) -> Option<(&Monomial, f64)> {
        let mut monomials = self.0.iter();
        monomials.next().filter(|_| self.0.len() == 1).map(|(monomial, factor)| (monomial, factor.0))
    }

    /// The value, where it is a number.
    pub(crate) fn constant(&self) -> Option<f64> {
        match self.single() {
            Some((monomial, factor)) => monomial.0.is_empty().then_some(factor),
            None => self.is_zero().then_some(0.0),
        }
    }

    pub(crate) fn plus(mut self, other: &Polynomial) -> Polynomial {
        for (monomial, factor) in &other.0 {
            self.add(monomial, factor.0);
        }
        self
    }

    pub(crate) fn minus(self, other: &Polynomial) -> Polynomial {
        self.plus(&other.times_number(-1.0))
    }

    fn add(&mut self, monomial: &Monomial, factor: f64) {
        let own = self.0.get(monomial).map_or(0.0, |own| own.0);
        let sum = own + factor;
        // What is left of numbers that should have cancelled is rounding.
        if sum.abs() <= 1e-13 * own.abs().max(factor.abs()) {
            self.0.remove(monomial);
        } else {
            self.0.insert(monomial.clone(), Number(sum));
        }
    }

    pub(crate) fn times_number(&self, number: f64) -> Polynomial {
        if number == 0.0 {
            return Polynomial::default();
        }
        Polynomial(self.0.iter().map(|(monomial, factor)| (monomial.clone(), Number(factor.0 * number))).collect())
    }

    pub(crate) fn times(&self, other: &Polynomial) -> Polynomial {
        if self.stays_grouped(other) {
            return self.grouped(1.0).times(&other.grouped(1.0));
        }
        let mut product = Polynomial::default();
        for (a, x) in &self.0 {
            for (b, y) in &other.0 {
                product.add(&a.times(b), x.0 * y.0);
            }
        }
        product
    }

    /// Whether the product with `other` is not written out. One that may be affine in the states always is.
    fn stays_grouped(&self, other: &Polynomial) -> bool {
        let (own, others) = (self.0.len(), other.0.len());
        own.min(others) > 1 && own * others > LARGEST && self.holds_state() == other.holds_state()
    }

    /// How many factors the product with `other` has at most, counted as [`Polynomial::size`] does.
    pub(crate) fn size_of_product(&self, other: &Polynomial) -> usize {
        match self.stays_grouped(other) {
            true => self.size() + other.size(),
            false => self.0.len() * other.size() + other.0.len() * self.size(),
        }
    }

    /// How many leaves there are in everything that is written out.
    pub(crate) fn size(&self) -> usize {
        let mut size = 0;
        self.leaves(&mut |_| size += 1);
        size
    }

    pub(crate) fn power(&self, exponent: f64) -> Polynomial {
        let whole = exponent.fract() == 0.0;
        if exponent == 1.0 {
            return self.clone();
        }
        if let Some((monomial, factor)) = self.single()
            && (whole || factor > 0.0)
        {
            return Polynomial::of(monomial.power(exponent), factor.powf(exponent));
        }
        if whole && exponent > 0.0 && exponent <= 4.0 {
            return (1..exponent as usize).fold(self.clone(), |product, _| product.times(self));
        }
        self.grouped(exponent)
    }

    /// A power that is not written out.
    fn grouped(&self, exponent: f64) -> Polynomial {
        if let Some((monomial, factor)) = self.single() {
            return Polynomial::of(monomial.power(exponent), factor.powf(exponent));
        }
        let (content, factor) = self.content();
        let rest = self.divided(&content, factor);
        let outside = Polynomial::of(content.power(exponent), factor.abs().powf(exponent));
        let rest = if factor < 0.0 { rest.times_number(-1.0) } else { rest };
        outside.times(&Polynomial::of(Monomial::atom(Atom::Group(rest), exponent), 1.0))
    }

    /// What all products have in common, and the factor of the last.
    pub(crate) fn content(&self) -> (Monomial, f64) {
        let mut monomials = self.0.keys();
        let first = monomials.next().cloned().unwrap_or_default();
        (monomials.fold(first, |common, monomial| common.common(monomial)), self.leading())
    }

    /// The factor of the last product, which is not the constant one where there is another.
    pub(crate) fn leading(&self) -> f64 {
        self.0.values().next_back().map_or(1.0, |factor| factor.0)
    }

    /// This by something that all products have in common.
    pub(crate) fn divided(&self, common: &Monomial, factor: f64) -> Polynomial {
        self.times(&Polynomial::of(common.power(-1.0), factor.recip()))
    }

    /// This by something that need not be in all products; nothing where a negative power would be left.
    pub(crate) fn exp(&self) -> Polynomial {
        self.0.iter().fold(Polynomial::number(1.0), |product, (monomial, factor)| {
            product.times(&if monomial.0.is_empty() {
                Polynomial::number(factor.0.exp())
            } else {
                Polynomial::of(Monomial::atom(Atom::Exp(monomial.clone()), factor.0), 1.0)
            })
        })
    }

    pub(crate) fn call(call: Call, mut operands: Vec<Polynomial>) -> Polynomial {
        let constants: Option<Vec<f64>> = operands.iter().map(Polynomial::constant).collect();
        if let Some(values) = constants {
            let value = constant_call(call.0, &values);
            if let Some(value) = value.filter(|value| value.is_finite()) {
                return Polynomial::number(value);
            }
        }
        match (call.0, &operands[..]) {
            (Function::Add, [a, b]) => a.clone().plus(b),
            (Function::Sub, [a, b]) => a.clone().minus(b),
            (Function::Mul, [a, b]) => a.times(b),
            (Function::Div, [a, b]) => a.times(&b.power(-1.0)),
            (Function::Neg, [x]) => x.times_number(-1.0),
            (Function::Exp, [x]) => x.exp(),
            (Function::Silu, [x]) => x.times(&Polynomial::call(Call(Function::Sigmoid), vec![x.clone()])),
            (Function::Max | Function::Min, _) => {
                operands.sort();
                Polynomial::atom(Atom::Call(call, operands))
            }
            _ => Polynomial::atom(Atom::Call(call, operands)),
        }
    }

    pub(crate) fn softmax(index: Index, x: Polynomial) -> Polynomial {
        Polynomial::atom(Atom::Softmax(index, x))
    }

    pub(crate) fn entry(index: Index, size: usize, entry: usize, x: Polynomial) -> Polynomial {
        let bound = Index::Bound { height: x.height() + 1, size };
        Polynomial::atom(Atom::Entry(bound, entry, x.replace(index, bound)))
    }

    pub(crate) fn solve(
        row: Index,
        size: usize,
        unknown: Index,
        matrix: &Polynomial,
        vector: &Polynomial,
    ) -> Polynomial {
        let bound = Index::Bound { height: matrix.height().max(vector.height()) + 1, size };
        Polynomial::atom(Atom::Solve(bound, unknown, matrix.replace(row, bound), vector.replace(row, bound)))
    }

    /// The sum over an axis of this size.
    pub(crate) fn sum(&self, index: Index, size: usize) -> Polynomial {
        let mut total = Polynomial::default();
        for (monomial, factor) in &self.0 {
            let (inside, outside) = monomial.split(|atom| atom.has(index));
            let summed = if let Some((chooser, chosen)) = chosen(&inside, index) {
                let bound = Index::Bound { height: inside.height() + 1, size };
                inside.split(|atom| *atom != chooser).0.replace(index, bound).replace(bound, chosen)
            } else if inside.0.is_empty() {
                Polynomial::number(size as f64)
            } else {
                let bound = Index::Bound { height: inside.height() + 1, size };
                let renamed = inside.replace(index, bound);
                renamed.0.into_iter().fold(Polynomial::default(), |sum, (x, factor)| {
                    sum.plus(&Polynomial::atom(Atom::Sum(bound, x)).times_number(factor.0))
                })
            };
            total = total.plus(&summed.times(&Polynomial::of(outside, factor.0)));
        }
        total
    }

    /// What a sum runs over, with a free axis in place of the bound one.
    pub(crate) fn open(bound: Index, x: &Monomial) -> (Index, Polynomial) {
        let axis = Index::Axis(OPENED + height_of(bound));
        (axis, x.replace(bound, axis))
    }

    pub(crate) fn replace(&self, from: Index, to: Index) -> Polynomial {
        if from == to {
            return self.clone();
        }
        self.0.iter().fold(Polynomial::default(), |sum, (monomial, factor)| {
            sum.plus(&monomial.replace(from, to).times_number(factor.0))
        })
    }

    pub(crate) fn indices(&self, visit: &mut dyn FnMut(Index)) {
        self.0.keys().for_each(|monomial| monomial.indices(visit));
    }

    pub(crate) fn has(&self, wanted: Index) -> bool {
        self.0.keys().any(|monomial| monomial.0.keys().any(|atom| atom.has(wanted)))
    }

    pub(crate) fn leaves<'a>(&'a self, visit: &mut dyn FnMut(&'a Leaf)) {
        self.0.keys().for_each(|monomial| monomial.leaves(visit));
    }

    pub(crate) fn holds(&self, symbol: Symbol) -> bool {
        self.0.keys().any(|monomial| monomial.0.keys().any(|atom| atom.holds(symbol)))
    }

    pub(crate) fn holds_state(&self) -> bool {
        self.0.keys().any(|monomial| monomial.0.keys().any(Atom::holds_state))
    }

    fn height(&self) -> u32 {
        self.0.keys().map(Monomial::height).max().unwrap_or(0)
    }
}

/// A factor that is zero but for one value of an index, and that value.
fn chosen(product: &Monomial, index: Index) -> Option<(Atom, Index)> {
    product.0.keys().find_map(|atom| {
        let Atom::Leaf(leaf) = atom else { return None };
        let value = match (leaf.symbol, &leaf.indices[..]) {
            (Symbol::OneAt(entry), [own]) if *own == index => Index::Entry(entry),
            (Symbol::Identity, [i, j]) if *i == index => *j,
            (Symbol::Identity, [i, j]) if *j == index => *i,
            _ => return None,
        };
        Some((atom.clone(), value))
    })
}

fn constant_call(function: Function, x: &[f64]) -> Option<f64> {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    Some(match (function, x) {
        (Function::Exp, [x]) => x.exp(),
        (Function::Sigmoid, [x]) => sigmoid(*x),
        (Function::Silu, [x]) => x * sigmoid(*x),
        (Function::Softplus, [x]) => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        (Function::Sqrt, [x]) => x.sqrt(),
        (Function::Log, [x]) => x.ln(),
        (Function::Max, [a, b]) => a.max(*b),
        (Function::Min, [a, b]) => a.min(*b),
        (Function::Less, [a, b]) => f64::from(a < b),
        _ => return None,
    })
}
