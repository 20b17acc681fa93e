//! What is read of a state: sums over one of its axes become values that a scan gives.
//!
//! A reading of the state after the token arrives as the expanded expression of the new state. It is found again by
//! division: of the products `x M`, each `x / D` may be part of a query, and it is one if taking `qᵀ M'` away leaves
//! fewer products with the state. Where none are left, and no more without it than the readings before the token would
//! leave, the state after the token is read.

use std::collections::BTreeMap;

use super::{
    import::Axes,
    normal::{Query, Reading, Scan, is_scalar, scalar_content},
    polynomial::{Atom, Monomial, Polynomial},
    term::{Index, Symbol},
};

/// Stands for the axis that a query and the new state are summed over.
const SUMMED: Index = Index::Axis((1 << 20) - 1);

/// The most products with a state among which readings of the new state are looked for.
const LARGEST: usize = 64;

pub(crate) struct Reads<'a> {
    /// The axes of each state by number.
    own: Vec<Vec<u32>>,
    axes: &'a Axes,
    /// By state: the scan and the new state's polynomial.
    placed: BTreeMap<usize, (Scan, Polynomial)>,
    /// The readings so far.
    count: u32,
}

/// A product of something without the state and `qᵀ M` or `qᵀ M'`.
struct Found {
    outside: Monomial,
    factor: f64,
    /// Over [`SUMMED`].
    query: Monomial,
    side: usize,
    other: Option<Index>,
}

impl<'a> Reads<'a> {
    pub(crate) fn new(own: Vec<Vec<u32>>, axes: &'a Axes) -> Self {
        Self { own, axes, placed: BTreeMap::new(), count: 0 }
    }

    pub(crate) fn place(&mut self, scan: Scan, next: Polynomial) {
        self.placed.insert(scan.state, (scan, next));
    }

    pub(crate) fn finish(self) -> Vec<Scan> {
        self.placed.into_values().map(|(scan, _)| scan).collect()
    }

    /// With readings in place of the sums over states that have been placed; the equation of `state` itself.
    pub(crate) fn replace_others(&mut self, polynomial: &Polynomial, state: usize) -> Polynomial {
        let others: Vec<usize> = self.placed.keys().copied().filter(|&other| other != state).collect();
        self.replace(polynomial, &others)
    }

    pub(crate) fn replace_all(&mut self, polynomial: &Polynomial) -> Polynomial {
        let all: Vec<usize> = self.placed.keys().copied().collect();
        self.replace(polynomial, &all)
    }

    fn replace(&mut self, polynomial: &Polynomial, states: &[usize]) -> Polynomial {
        let holds = |atom: &Atom| states.iter().any(|&state| atom.holds(Symbol::State(state as u32)));
        if !polynomial.0.keys().any(|monomial| monomial.0.keys().any(holds)) {
            return polynomial.clone();
        }
        let mut polynomial = polynomial.clone();
        for &state in states {
            polynomial = self.read_after(polynomial, state, states);
        }
        let mut replaced = Polynomial::default();
        for (monomial, factor) in &polynomial.0 {
            let (with, without) = monomial.split(holds);
            let mut product = Polynomial::of(without, factor.0);
            let mut exponent = Polynomial::default();
            for (atom, power) in &with.0 {
                match atom {
                    Atom::Exp(x) => exponent = exponent.plus(&Polynomial::of(x.clone(), power.0)),
                    _ => product = product.times(&self.replace_within(atom, states).power(power.0)),
                }
            }
            replaced = replaced.plus(&product.times(&self.replace(&exponent, states).exp()));
        }
        for &state in states {
            replaced = self.read_before(&replaced, state, states);
        }
        replaced
    }

    /// Replaces what is read within the operands of an atom, but not the atom.
    fn replace_within(&mut self, atom: &Atom, states: &[usize]) -> Polynomial {
        match atom {
            Atom::Leaf(_) | Atom::Exp(_) => atom.clone().into(),
            Atom::Call(call, operands) => {
                Polynomial::call(*call, operands.iter().map(|x| self.replace(x, states)).collect())
            }
            Atom::Group(x) => self.replace(x, states),
            Atom::Softmax(index, x) => Polynomial::softmax(*index, self.replace(x, states)),
            Atom::Entry(bound, entry, x) => Atom::Entry(*bound, *entry, self.replace(x, states)).into(),
            Atom::Solve(bound, index, matrix, vector) => {
                let (matrix, vector) = (self.replace(matrix, states), self.replace(vector, states));
                Atom::Solve(*bound, *index, matrix, vector).into()
            }
            Atom::Sum(..) if Reading::of(atom).is_some() => atom.clone().into(),
            Atom::Sum(bound, x) => {
                let (axis, inside) = Polynomial::open(*bound, x);
                let size = match bound {
                    Index::Bound { size, .. } => *size,
                    _ => 1,
                };
                self.replace(&inside, states).sum(axis, size)
            }
        }
    }

    /// Replaces sums over the new state, if that takes every product with the state away.
    fn read_after(&mut self, polynomial: Polynomial, state: usize, states: &[usize]) -> Polynomial {
        let symbol = Symbol::State(state as u32);
        let free = polynomial.0.keys().filter(|x| !x.0.keys().any(|atom| atom.holds(symbol))).count();
        match self.after(&polynomial, state).filter(|(_, rest)| rest.0.len() <= free) {
            Some((after, rest)) => rest.plus(&self.values(state, after, false, states)),
            None => polynomial,
        }
    }

    /// Replaces the sums over the state before the token among the factors of a polynomial's products.
    fn read_before(&mut self, polynomial: &Polynomial, state: usize, states: &[usize]) -> Polynomial {
        let is_reading = |atom: &Atom| Reading::of(atom).is_some_and(|reading| reading.state == state);
        let mut rest = Polynomial::default();
        let mut before = Vec::new();
        for (monomial, factor) in &polynomial.0 {
            match linear(monomial, factor.0, state) {
                Some(found) => before.push(found),
                None if monomial.0.keys().any(is_reading) => {
                    rest = rest.plus(&self.each(monomial, factor.0, state, states));
                }
                None => rest = rest.plus(&Polynomial::of(monomial.clone(), factor.0)),
            }
        }
        rest.plus(&self.values(state, before, true, states))
    }

    /// Each reading of a product by itself.
    fn each(&mut self, monomial: &Monomial, factor: f64, state: usize, states: &[usize]) -> Polynomial {
        monomial.0.iter().fold(Polynomial::number(factor), |product, (atom, power)| {
            let found = linear(&Monomial::atom(atom.clone(), 1.0), 1.0, state);
            let value = found.map(|found| self.values(state, vec![found], true, states));
            product.times(&value.unwrap_or_else(|| atom.clone().into()).power(power.0))
        })
    }

    /// The readings of the new state that take every product with the state away, and what is then left.
    fn after(&self, polynomial: &Polynomial, state: usize) -> Option<(Vec<Found>, Polynomial)> {
        let symbol = Symbol::State(state as u32);
        let count = |x: &Polynomial| x.0.keys().filter(|m| m.0.keys().any(|atom| atom.holds(symbol))).count();
        let mut rest = polynomial.clone();
        let mut found = Vec::new();
        if count(&rest) > LARGEST {
            return None;
        }
        while count(&rest) > 0 {
            let candidates = rest.0.iter().filter_map(|(monomial, factor)| linear(monomial, factor.0, state));
            let candidates = candidates.flat_map(|product| self.through_decay(&product, state));
            let tried = candidates.map(|candidate| {
                let left = rest.clone().minus(&self.expanded(&candidate, state));
                (count(&left), left, candidate)
            });
            let (left, remaining, candidate) = tried.min_by_key(|(left, ..)| *left)?;
            if left >= count(&rest) {
                return None;
            }
            rest = remaining;
            found.push(candidate);
        }
        Some((found, rest))
    }

    /// The readings of the new state that may have become this product with the old one.
    fn through_decay(&self, product: &Found, state: usize) -> Vec<Found> {
        let Some((scan, _)) = self.placed.get(&state) else { return Vec::new() };
        let decay = self.at(&scan.decay, state, product.side, product.other);
        let whole = product.outside.times(&product.query);
        let divided = decay.0.iter().filter_map(|(part, factor)| {
            let (query, outside) = whole.divided(part)?.split(|atom| atom.has(SUMMED));
            let factor = product.factor / factor.0;
            Some(Found { outside, factor, query, side: product.side, other: product.other })
        });
        divided.collect()
    }

    /// A polynomial over the state's axes with [`SUMMED`] at one of them.
    fn at(&self, polynomial: &Polynomial, state: usize, side: usize, other: Option<Index>) -> Polynomial {
        let own = &self.own[state];
        let summed = polynomial.replace(Index::Axis(own[side]), SUMMED);
        match (own.get(1 - side), other) {
            (Some(&axis), Some(other)) if own.len() == 2 => summed.replace(Index::Axis(axis), other),
            _ => summed,
        }
    }

    /// The product with the new state written out.
    fn expanded(&self, found: &Found, state: usize) -> Polynomial {
        let Some((_, next)) = self.placed.get(&state) else { return Polynomial::default() };
        let next = self.at(next, state, found.side, found.other);
        let sum = Polynomial::of(found.query.clone(), 1.0).times(&next).sum(SUMMED, self.size(state, found.side));
        sum.times(&Polynomial::of(found.outside.clone(), found.factor))
    }

    fn size(&self, state: usize, side: usize) -> usize {
        self.axes.size(self.own[state][side])
    }

    /// Products with readings in place of the sums. Those that differ only in numbers and queries share one reading.
    fn values(&mut self, state: usize, found: Vec<Found>, before: bool, states: &[usize]) -> Polynomial {
        let mut queries: BTreeMap<(usize, Option<Index>, Monomial), Polynomial> = BTreeMap::new();
        for product in found {
            let (numbers, outside) = product.outside.split(|atom| is_scalar(atom) && !atom.holds_state());
            let query = queries.entry((product.side, product.other, outside)).or_default();
            *query = std::mem::take(query).plus(&Polynomial::of(product.query.times(&numbers), product.factor));
        }
        let mut sum = Polynomial::default();
        for ((side, other, outside), query) in queries {
            let (common, factor) = (scalar_content(&[&query]), query.leading());
            let primitive = query.divided(&common, factor);
            let query = self.replace(&primitive.replace(SUMMED, Index::Axis(self.own[state][side])), states);
            let number = self.number(state, side, query, before);
            let value = Polynomial::leaf(Symbol::Read(number), other.into_iter().collect());
            sum = sum.plus(&value.times(&Polynomial::of(outside.times(&common), factor)));
        }
        sum
    }

    /// The number of a reading, made where there is none like it.
    fn number(&mut self, state: usize, side: usize, query: Polynomial, before: bool) -> u32 {
        let axis = self.own[state][side];
        let Some((scan, _)) = self.placed.get_mut(&state) else { return 0 };
        let across = scan.rows != axis;
        let known = |read: &&Query| read.across == across && read.before == before && read.query == query;
        if let Some(read) = scan.reads.iter().find(known) {
            return read.number;
        }
        let number = self.count;
        self.count += 1;
        scan.reads.push(Query { query, across, before, number });
        number
    }
}

/// A product with one sum over the state, and with that state nowhere else.
fn linear(monomial: &Monomial, factor: f64, state: usize) -> Option<Found> {
    let symbol = Symbol::State(state as u32);
    let mut with = monomial.0.iter().filter(|(atom, _)| atom.holds(symbol));
    let (atom, power) = with.next()?;
    let reading =
        Reading::of(atom).filter(|reading| reading.state == state && with.next().is_none() && power.0 == 1.0)?;
    let outside = monomial.split(|other| other != atom).0;
    let query = reading.query.replace(reading.bound, SUMMED);
    let (query, own) = query.single()?;
    let query = query.clone();
    Some(Found { outside, factor: factor * own, query, side: reading.side, other: reading.other })
}
