//! From polynomials to the normal form `M' = D M + Σ_j u_j (w_j - c_j (b_jᵀ M))ᵀ` of every state.
//!
//! Each product of a state's polynomial holds no state and is part of a write, or the state itself and is part of `D`,
//! or one sum over an axis of the state and is part of an erase. What else it may be is refused, and the refusal holds
//! that product. Writes and erases that share their vector `u` are one term, and so are vectors that share what they
//! are multiplied with.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::graph::UpdateRule;

use super::{
    import::Axes,
    polynomial::{Atom, Monomial, Polynomial},
    reads::Reads,
    term::{Index, Leaf, Symbol},
};

/// Why a rule has no chain of affine scans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
    /// The product that prevents it.
    pub(crate) term: Polynomial,
    /// The term that it was found in, where it was found before anything was written out.
    pub(crate) at: Option<egg::Id>,
}

/// Whose equation a refusal is about, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    State(usize),
    Output(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The term is not of degree one in the states.
    NotLinear,
    /// The term holds another state as a whole; whether that one needs this one.
    WholeState { coupled: bool },
    /// The states' equations need one another.
    Cycle,
    /// The term permutes or picks entries of the state.
    Moved,
    /// Some erases sum over rows and others over columns.
    BothSides,
    /// What is erased has a factor for each column.
    ColumnErase,
    /// The decay has a factor for each entry.
    FullDecay,
    /// The decay has a factor for each entry along the axis that erases do not sum over.
    DecayAcross,
    /// What is written is no product of a vector of rows and a vector of columns.
    FullWrite,
    /// The term's equation has too many factors when it is written out; how many erases follow one another in it.
    TooLong { erases: usize },
    /// The state has no axis, or more than two.
    Axes,
    /// Nothing of the state is kept as it is.
    Forgotten,
    /// The decay cannot be shown to be positive.
    NotPositive,
    /// The decay can exceed one.
    Grows,
    /// The output is not made from sums over an axis of the state.
    NotRead,
    /// The query of a reading depends on the state that it reads.
    OwnQuery,
    /// A fault of momc.
    Fault(String),
}

/// A state's normal form in polynomials.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) state: usize,
    /// The axes by number in [`Axes`].
    pub(crate) rows: u32,
    pub(crate) columns: Option<u32>,
    pub(crate) mirrored: bool,
    /// `D` itself.
    pub(crate) decay: Polynomial,
    pub(crate) terms: Vec<Term>,
    pub(crate) reads: Vec<Query>,
}

/// `u (w - c (bᵀ M))ᵀ`; `w` and `c` are zero where there is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) row: Polynomial,
    pub(crate) column: Polynomial,
    pub(crate) scale: Polynomial,
    pub(crate) erase: Polynomial,
}

/// A reading, whose value is [`Symbol::Read`] of `number`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) query: Polynomial,
    pub(crate) across: bool,
    pub(crate) before: bool,
    pub(crate) number: u32,
}

/// A rule in normal form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normal {
    /// In an order in which they can run.
    pub(crate) scans: Vec<Scan>,
    pub(crate) outputs: Vec<Polynomial>,
}

/// # Errors
/// What prevents it.
pub(crate) fn normalise(
    rule: &UpdateRule,
    axes: &mut Axes,
    next: &[Polynomial],
    outputs: &[Polynomial],
) -> Result<Normal, Refusal> {
    let own: Vec<Vec<u32>> =
        rule.states.iter().map(|port| port.ty.axes.iter().map(|axis| axes.number(axis)).collect()).collect();
    let preferred: Vec<usize> = (0..next.len()).map(|state| preferred_rows(state, next, outputs)).collect();
    let mut reads = Reads::new(own.clone(), axes);
    let mut left: BTreeSet<usize> = (0..next.len()).collect();
    while let Some(&first) = left.first() {
        let needs = |state: usize, polynomial: &Polynomial| {
            left.iter().any(|&other| other != state && polynomial.holds(Symbol::State(other as u32)))
        };
        let Some(&state) = left.iter().find(|&&state| !needs(state, &next[state])) else {
            return Err(cycle(first, &next[first], &left));
        };
        let refuse = |reason: Reason, term: Polynomial| Refusal { place: Place::State(state), reason, term, at: None };
        let known = reads.replace_others(&next[state], state);
        let scan =
            classify(state, &known, &own[state], preferred[state]).map_err(|(reason, term)| refuse(reason, term))?;
        reads.place(scan, known);
        left.remove(&state);
    }
    let outputs: Vec<Polynomial> = outputs.iter().map(|output| reads.replace_all(output)).collect();
    for (number, output) in outputs.iter().enumerate() {
        if let Some(term) = first_with_state(output) {
            return Err(Refusal { place: Place::Output(number), reason: Reason::NotRead, term, at: None });
        }
    }
    let scans = reads.finish();
    for scan in &scans {
        for read in &scan.reads {
            let axis = if read.across { scan.columns.unwrap_or(scan.rows) } else { scan.rows };
            let mut own = true;
            read.query.indices(&mut |index| own &= index == Index::Axis(axis) || matches!(index, Index::Entry(_)));
            if !own || read.query.holds_state() {
                let value = |output: &Polynomial| output.holds(Symbol::Read(read.number));
                let place = outputs.iter().position(value).map_or(Place::State(scan.state), Place::Output);
                return Err(Refusal { place, reason: Reason::NotRead, term: read.query.clone(), at: None });
            }
        }
    }
    Ok(Normal { scans: ordered(scans)?, outputs })
}

fn first_with_state(polynomial: &Polynomial) -> Option<Polynomial> {
    let (monomial, factor) = polynomial.0.iter().find(|(monomial, _)| monomial.0.keys().any(Atom::holds_state))?;
    Some(Polynomial::of(monomial.clone(), factor.0))
}

/// The refusal of states of which each waits for another.
fn cycle(state: usize, next: &Polynomial, left: &BTreeSet<usize>) -> Refusal {
    let others = |atom: &Atom| left.iter().any(|&other| other != state && atom.holds(Symbol::State(other as u32)));
    let term = next.0.iter().find(|(monomial, _)| monomial.0.keys().any(others));
    let whole = term.is_some_and(|(monomial, _)| {
        let is_state = |atom: &Atom| matches!(atom, Atom::Leaf(Leaf { symbol: Symbol::State(_), .. }));
        monomial.0.keys().any(|atom| others(atom) && is_state(atom))
    });
    let term = term.map(|(monomial, factor)| Polynomial::of(monomial.clone(), factor.0)).unwrap_or_default();
    Refusal {
        place: Place::State(state),
        reason: if whole { Reason::WholeState { coupled: true } } else { Reason::Cycle },
        term,
        at: None,
    }
}

/// Which of a state's axes most sums run over: the rows, where its own equation leaves that open.
fn preferred_rows(state: usize, next: &[Polynomial], outputs: &[Polynomial]) -> usize {
    let mut counts = [0_usize; 2];
    for polynomial in next.iter().chain(outputs) {
        polynomial.leaves(&mut |leaf| {
            if leaf.symbol == Symbol::State(state as u32) && leaf.indices.len() == 2 {
                for (count, index) in counts.iter_mut().zip(&leaf.indices) {
                    *count += usize::from(matches!(index, Index::Bound { .. }));
                }
            }
        });
    }
    usize::from(counts[1] > counts[0])
}

/// A sum over one axis of a state with factors that do not hold that state.
pub(crate) struct Reading<'a> {
    pub(crate) state: usize,
    pub(crate) bound: Index,
    /// Which of the state's axes the sum runs over.
    pub(crate) side: usize,
    /// The index at the other axis of a matrix.
    pub(crate) other: Option<Index>,
    /// The factors.
    pub(crate) query: Monomial,
    pub(crate) leaf: &'a Leaf,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(atom: &'a Atom) -> Option<Reading<'a>> {
        let Atom::Sum(bound, inside) = atom else { return None };
        let (leaf, state, side) = inside.0.iter().find_map(|(atom, exponent)| {
            let Atom::Leaf(leaf) = atom else { return None };
            let Symbol::State(state) = leaf.symbol else { return None };
            let others = inside.0.keys().any(|other| other != atom && other.holds(leaf.symbol));
            let side = leaf.indices.iter().position(|index| index == bound)?;
            (exponent.0 == 1.0 && !others).then_some((leaf, state, side))
        })?;
        let other: Vec<Index> = leaf.indices.iter().copied().filter(|index| index != bound).collect();
        if other.len() + 1 != leaf.indices.len() || other.len() > 1 {
            return None;
        }
        let query = inside.split(|atom| *atom != Atom::Leaf(leaf.clone())).0;
        Some(Reading { state: state as usize, bound: *bound, side, other: other.first().copied(), query, leaf })
    }
}

type Refused = (Reason, Polynomial);

/// The normal form of one state whose polynomial holds no other.
fn classify(state: usize, next: &Polynomial, own: &[u32], preferred: usize) -> Result<Scan, Refused> {
    if own.is_empty() || own.len() > 2 {
        return Err((Reason::Axes, Polynomial::leaf(Symbol::State(state as u32), Vec::new())));
    }
    let whole =
        Leaf { symbol: Symbol::State(state as u32), indices: own.iter().map(|&axis| Index::Axis(axis)).collect() };
    let mut decay = Polynomial::default();
    let mut writes: Vec<(Monomial, f64)> = Vec::new();
    let mut erases: Vec<(Monomial, f64, Reading<'_>)> = Vec::new();
    for (monomial, &factor) in &next.0 {
        let term = || Polynomial::of(monomial.clone(), factor.0);
        let (with, without) = monomial.split(Atom::holds_state);
        if with.0.is_empty() {
            writes.push((without, factor.0));
            continue;
        }
        let dependent = monomial.0.iter().find(|(atom, _)| atom.holds_state());
        match dependent.filter(|(_, exponent)| with.0.len() == 1 && exponent.0 == 1.0) {
            Some((Atom::Leaf(leaf), _)) if *leaf == whole => decay = decay.plus(&Polynomial::of(without, factor.0)),
            Some((Atom::Leaf(leaf), _)) if leaf.symbol == whole.symbol => return Err((Reason::Moved, term())),
            Some((Atom::Leaf(_), _)) => return Err((Reason::WholeState { coupled: false }, term())),
            Some((atom, _)) => match Reading::of(atom) {
                Some(reading) if reading.state == state => erases.push((without, factor.0, reading)),
                _ => return Err((Reason::NotLinear, term())),
            },
            None => return Err((Reason::NotLinear, term())),
        }
    }
    let side = rows_side(own, preferred, &decay, &erases)?;
    let (rows, columns) = (own[side], (own.len() == 2).then(|| own[1 - side]));
    let mut parts = Parts { rows: Index::Axis(rows), columns: columns.map(Index::Axis), found: BTreeMap::new() };
    for (monomial, factor) in &decay.0 {
        if monomial.0.keys().any(|atom| parts.columns.is_some_and(|columns| atom.has(columns))) {
            let term = Polynomial::of(monomial.clone(), factor.0).times(&Polynomial::atom(Atom::Leaf(whole)));
            let both = monomial.0.keys().any(|atom| atom.has(parts.rows)) || erases.is_empty();
            return Err((if both { Reason::FullDecay } else { Reason::DecayAcross }, term));
        }
    }
    if decay.is_zero() {
        return Err((Reason::Forgotten, Polynomial::atom(Atom::Leaf(whole))));
    }
    for (monomial, factor) in writes {
        parts.write(&monomial, factor)?;
    }
    for (monomial, factor, reading) in &erases {
        parts.erase(monomial, *factor, reading)?;
    }
    Ok(Scan { state, rows, columns, mirrored: side == 1, decay, terms: parts.terms(), reads: Vec::new() })
}

/// Which of the state's axes are the rows: those that erases sum over, or the decay has, or `preferred`.
fn rows_side(
    own: &[u32],
    preferred: usize,
    decay: &Polynomial,
    erases: &[(Monomial, f64, Reading<'_>)],
) -> Result<usize, Refused> {
    if own.len() == 1 {
        return Ok(0);
    }
    if let Some((_, _, first)) = erases.first() {
        return match erases.iter().find(|(_, _, reading)| reading.side != first.side) {
            Some((monomial, factor, reading)) => {
                let sum = Polynomial::of(reading.query.clone(), 1.0)
                    .times(&Polynomial::atom(Atom::Leaf(reading.leaf.clone())));
                let size = match reading.bound {
                    Index::Bound { size, .. } => size,
                    _ => 1,
                };
                Err((Reason::BothSides, Polynomial::of(monomial.clone(), *factor).times(&sum.sum(reading.bound, size))))
            }
            None => Ok(first.side),
        };
    }
    let [first, second] = [own[0], own[1]].map(|axis| decay.has(Index::Axis(axis)));
    Ok(if first == second { preferred } else { usize::from(second) })
}

/// Writes and erases by their row vector.
struct Parts {
    rows: Index,
    columns: Option<Index>,
    /// `w` and `c b` by `u`.
    found: BTreeMap<Monomial, (Polynomial, Polynomial)>,
}

impl Parts {
    /// The factors over rows, those over columns, and the numbers.
    fn split(&self, monomial: &Monomial) -> Option<[Monomial; 3]> {
        let (rows, others) = monomial.split(|atom| atom.has(self.rows));
        let (columns, numbers) = others.split(|atom| self.columns.is_some_and(|columns| atom.has(columns)));
        let over_both = rows.0.keys().any(|atom| self.columns.is_some_and(|columns| atom.has(columns)));
        (!over_both).then_some([rows, columns, numbers])
    }

    fn write(&mut self, monomial: &Monomial, factor: f64) -> Result<(), Refused> {
        let parts = self.split(monomial);
        let [rows, columns, numbers] =
            parts.ok_or_else(|| (Reason::FullWrite, Polynomial::of(monomial.clone(), factor)))?;
        let column = Polynomial::of(columns.times(&numbers), factor);
        let part = self.found.entry(rows).or_default();
        part.0 = std::mem::take(&mut part.0).plus(&column);
        Ok(())
    }

    fn erase(&mut self, monomial: &Monomial, factor: f64, reading: &Reading<'_>) -> Result<(), Refused> {
        let term = || {
            let inside = reading.query.times(&Monomial::atom(Atom::Leaf(reading.leaf.clone()), 1.0));
            Polynomial::of(monomial.times(&Monomial::atom(Atom::Sum(reading.bound, inside), 1.0)), factor)
        };
        if reading.other != self.columns {
            return Err((Reason::Moved, term()));
        }
        let Some([rows, columns, numbers]) = self.split(monomial) else { return Err((Reason::ColumnErase, term())) };
        let across = |atom: &Atom| self.columns.is_some_and(|columns| atom.has(columns));
        if !columns.0.is_empty() || reading.query.0.keys().any(across) {
            return Err((Reason::ColumnErase, term()));
        }
        let erase = reading.query.replace(reading.bound, self.rows).times(&Polynomial::of(numbers, factor));
        let part = self.found.entry(rows).or_default();
        part.1 = std::mem::take(&mut part.1).minus(&erase);
        Ok(())
    }

    fn terms(self) -> Vec<Term> {
        let mut by_column: BTreeMap<(Polynomial, Polynomial), Polynomial> = BTreeMap::new();
        for (row, (column, erase)) in self.found {
            let both: Vec<&Polynomial> = [&column, &erase].into_iter().filter(|x| !x.is_zero()).collect();
            let Some(first) = both.first() else { continue };
            let (common, factor) = (scalar_content(&both), first.leading());
            let primitive = [&column, &erase].map(|x| x.divided(&common, factor));
            let [column, erase] = primitive;
            let row = Polynomial::of(row.times(&common), factor);
            let sum = by_column.entry((column, erase)).or_default();
            *sum = std::mem::take(sum).plus(&row);
        }
        let term = |((column, erase), row): ((Polynomial, Polynomial), Polynomial)| {
            let (common, factor) = (scalar_content(&[&row]), row.leading());
            let content = Polynomial::of(common.clone(), factor);
            let [column, erase] = [column, erase].map(|x| x.times(&content));
            let row = row.divided(&common, factor);
            let (common, factor) = (scalar_content(&[&erase]), erase.leading());
            let scale = if erase.is_zero() { Polynomial::default() } else { Polynomial::of(common.clone(), factor) };
            Term { row, column, scale, erase: erase.divided(&common, factor) }
        };
        let mut terms: Vec<Term> = by_column.into_iter().map(term).collect();
        terms.sort_by(|a, b| a.row.cmp(&b.row));
        terms
    }
}

/// The factors without an axis that all products of all these have in common.
pub(crate) fn scalar_content(polynomials: &[&Polynomial]) -> Monomial {
    let mut monomials = polynomials.iter().flat_map(|polynomial| polynomial.0.keys());
    let first = monomials.next().cloned().unwrap_or_default();
    let common = monomials.fold(first, |common, monomial| common.common(monomial));
    common.split(is_scalar).0
}

pub(crate) fn is_scalar(atom: &Atom) -> bool {
    let mut scalar = true;
    Monomial::atom(atom.clone(), 1.0).indices(&mut |index| scalar &= matches!(index, Index::Entry(_)));
    scalar
}

/// The scans in an order in which every ingredient is known before it is needed.
fn ordered(mut scans: Vec<Scan>) -> Result<Vec<Scan>, Refusal> {
    let mut ordered: Vec<Scan> = Vec::new();
    let mut known: BTreeSet<u32> = BTreeSet::new();
    while !scans.is_empty() {
        let Some(ready) = scans.iter().position(|scan| unknown(scan, &known).is_none()) else {
            let term = unknown(&scans[0], &known).cloned().unwrap_or_default();
            return Err(Refusal { place: Place::State(scans[0].state), reason: Reason::OwnQuery, term, at: None });
        };
        let scan = scans.remove(ready);
        known.extend(scan.reads.iter().map(|read| read.number));
        ordered.push(scan);
    }
    Ok(ordered)
}

/// An ingredient of a scan that holds a reading which is not known yet.
fn unknown<'s>(scan: &'s Scan, known: &BTreeSet<u32>) -> Option<&'s Polynomial> {
    let terms = scan.terms.iter().flat_map(|term| [&term.row, &term.column, &term.scale, &term.erase]);
    let mut ingredients = terms.chain([&scan.decay]).chain(scan.reads.iter().map(|read| &read.query));
    ingredients.find(|ingredient| {
        let mut missing = false;
        ingredient.leaves(&mut |leaf| {
            missing |= matches!(leaf.symbol, Symbol::Read(number) if !known.contains(&number));
        });
        missing
    })
}
