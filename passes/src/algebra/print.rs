//! Polynomials in the words of a rule.

use egg::FlatTerm;
use mom_dialect::graph::{Function, UpdateRule};

use super::{
    import::Axes,
    normal::{Normal, Scan},
    polynomial::{Atom, Monomial, Polynomial},
    term::{Index, Leaf, Symbol, Term},
};

pub(crate) struct Printer<'a> {
    pub(crate) rule: &'a UpdateRule,
    pub(crate) axes: &'a Axes,
    /// How each reading is written.
    pub(crate) reads: Vec<String>,
}

impl<'a> Printer<'a> {
    /// A printer that writes the readings of these scans out.
    pub(crate) fn new(rule: &'a UpdateRule, axes: &'a Axes, normal: Option<&Normal>) -> Self {
        let mut printer = Printer { rule, axes, reads: Vec::new() };
        for scan in normal.iter().flat_map(|normal| &normal.scans) {
            for read in &scan.reads {
                let number = read.number as usize;
                printer.reads.resize(printer.reads.len().max(number + 1), String::new());
                let state = &rule.states[scan.state].name;
                let state = if read.before { state.clone() } else { format!("{state}'") };
                let query = printer.vector(&read.query);
                let turned = read.across == scan.mirrored;
                printer.reads[number] = if turned { format!("{state}ᵀ {query}") } else { format!("{state} {query}") };
            }
        }
        printer
    }

    pub(crate) fn axis(&self, number: u32) -> String {
        self.axes.axis(number).map_or_else(|| "axis".to_owned(), mom_dialect::shape::Axis::name)
    }

    /// `h' = D h + …` of a scan.
    pub(crate) fn scan(&self, scan: &Scan) -> String {
        let state = &self.rule.states[scan.state].name;
        let rows = scan.decay.has(Index::Axis(scan.rows));
        let decay = self.polynomial(&scan.decay);
        let kept = match (scan.decay.constant() == Some(1.0), rows, scan.mirrored) {
            (true, ..) => state.clone(),
            (_, true, false) => format!("diag({decay}) {state}"),
            (_, true, true) => format!("{state} diag({decay})"),
            _ => format!("{} {state}", self.factor(&scan.decay)),
        };
        let mut text = format!("{state}' = {kept}");
        for term in &scan.terms {
            let row = self.vector(&term.row);
            let mut column = if term.column.is_zero() { String::new() } else { self.polynomial(&term.column) };
            if !term.scale.is_zero() {
                let erase = self.vector(&term.erase);
                let seen = match (scan.columns.is_some(), scan.mirrored) {
                    (true, true) => format!("{state} {erase}"),
                    (true, false) => format!("{state}ᵀ {erase}"),
                    _ => format!("{erase}ᵀ {state}"),
                };
                let added = term.scale.leading() < 0.0;
                let size = term.scale.times_number(if added { -1.0 } else { 1.0 });
                let scale = match size.constant() {
                    Some(1.0) => String::new(),
                    _ => format!("{} ", self.factor(&size)),
                };
                let sign = match (column.is_empty(), added) {
                    (true, true) => "",
                    (true, false) => "-",
                    (false, true) => " + ",
                    (false, false) => " - ",
                };
                column.push_str(&format!("{sign}{scale}({seen})"));
            }
            text.push_str(&match (scan.columns.is_some(), scan.mirrored) {
                (true, false) => format!(" + {row} ({column})ᵀ"),
                (true, true) => format!(" + ({column}) {row}ᵀ"),
                (false, _) => format!(" + {row} ({column})"),
            });
        }
        text
    }

    pub(crate) fn polynomial(&self, polynomial: &Polynomial) -> String {
        let mut text = String::new();
        let (plus, minus): (Vec<_>, Vec<_>) = polynomial.0.iter().partition(|(_, factor)| factor.0 > 0.0);
        for (monomial, factor) in plus.into_iter().chain(minus) {
            text.push_str(match (text.is_empty(), factor.0 < 0.0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            });
            text.push_str(&self.product(monomial, factor.0.abs()));
        }
        if text.is_empty() { "0".to_owned() } else { text }
    }

    /// As what a state is applied to.
    fn vector(&self, polynomial: &Polynomial) -> String {
        let text = self.factor(polynomial);
        if text.contains(' ') && polynomial.0.len() == 1 && !text.starts_with('(') { format!("({text})") } else { text }
    }

    /// As a factor of a product.
    fn factor(&self, polynomial: &Polynomial) -> String {
        let text = self.polynomial(polynomial);
        if polynomial.0.len() > 1 || text.starts_with('-') { format!("({text})") } else { text }
    }

    fn product(&self, monomial: &Monomial, factor: f64) -> String {
        let mut above = Vec::new();
        let mut below = Vec::new();
        let mut exponent = Polynomial::default();
        // Numbers first, then vectors, then what holds states.
        let mut atoms: Vec<(&Atom, f64)> = monomial.0.iter().map(|(atom, power)| (atom, power.0)).collect();
        atoms.sort_by_key(|(atom, _)| {
            let mut axes = 0;
            Monomial::atom((*atom).clone(), 1.0).indices(&mut |_| axes += 1);
            (atom.holds_state(), axes > 0)
        });
        for (atom, power) in atoms {
            match atom {
                Atom::Exp(x) => exponent = exponent.plus(&Polynomial::of(x.clone(), power)),
                _ => {
                    let text = self.atom(atom);
                    let written = if power.abs() == 1.0 { text } else { format!("{text}^{}", power.abs()) };
                    if power < 0.0 { below.push(written) } else { above.push(written) }
                }
            }
        }
        if !exponent.is_zero() {
            above.insert(0, format!("exp({})", self.polynomial(&exponent)));
        }
        if factor != 1.0 || above.is_empty() {
            above.insert(0, number(factor));
        }
        let below = match &below[..] {
            [] => String::new(),
            [one] => format!(" / {one}"),
            more => format!(" / ({})", more.join(" ")),
        };
        format!("{}{below}", above.join(" "))
    }

    fn leaf(&self, leaf: &Leaf) -> String {
        let ports: Vec<_> = self.rule.inputs.iter().chain(&self.rule.parameters).collect();
        let mut text = match leaf.symbol {
            Symbol::Given(number) => ports.get(number as usize).map_or("?", |port| &port.name).to_owned(),
            Symbol::State(number) => self.rule.states[number as usize].name.clone(),
            Symbol::Read(number) => {
                return self.reads.get(number as usize).map_or_else(|| "?".to_owned(), |read| format!("({read})"));
            }
            Symbol::Head => "head".to_owned(),
            Symbol::OneAt(entry) => format!("one[{entry}]"),
            Symbol::Identity => "identity".to_owned(),
        };
        for index in &leaf.indices {
            if let Index::Entry(entry) = index {
                text.push_str(&format!("[{entry}]"));
            }
        }
        text
    }

    fn atom(&self, atom: &Atom) -> String {
        match atom {
            Atom::Leaf(leaf) => self.leaf(leaf),
            Atom::Exp(x) => format!("exp({})", self.product(x, 1.0)),
            Atom::Call(call, operands) => {
                let operands: Vec<String> = operands.iter().map(|x| self.polynomial(x)).collect();
                match call.0 {
                    Function::Less => format!("({} < {})", operands[0], operands[1]),
                    function => format!("{}({})", function.name(), operands.join(", ")),
                }
            }
            Atom::Group(x) => format!("({})", self.polynomial(x)),
            Atom::Softmax(_, x) => format!("softmax({})", self.polynomial(x)),
            Atom::Entry(_, entry, x) => format!("({})[{entry}]", self.polynomial(x)),
            Atom::Solve(_, _, matrix, vector) => {
                format!("solve({}, {})", self.polynomial(matrix), self.polynomial(vector))
            }
            Atom::Sum(bound, x) => self.sum(*bound, x),
        }
    }

    /// A term as it stands, with its axes and without any order of its own.
    pub(crate) fn written(&self, term: &FlatTerm<Term>) -> String {
        let operands: Vec<String> = term.children.iter().map(|operand| self.written(operand)).collect();
        let index = |index: &Index| match index {
            Index::Axis(axis) => self.axis(*axis),
            Index::Entry(entry) => entry.to_string(),
            Index::Bound { .. } => index.to_string(),
        };
        match (&term.node, &operands[..]) {
            (Term::Number(value), _) => number(value.0),
            (Term::Index(own), _) => index(own),
            (Term::Leaf(leaf), _) => {
                let name = self.leaf(&Leaf { symbol: leaf.symbol, indices: Vec::new() });
                let indices: Vec<String> = leaf.indices.iter().map(index).collect();
                if indices.is_empty() { name } else { format!("{name}[{}]", indices.join(", ")) }
            }
            (Term::Add(_), [a, b]) => format!("({a} + {b})"),
            (Term::Sub(_), [a, b]) => format!("({a} - {b})"),
            (Term::Mul(_), operands) => {
                let nested = |at: usize| matches!(term.children[at].node, Term::Mul(_));
                let factor = |(at, text): (usize, &String)| if nested(at) { format!("({text})") } else { text.clone() };
                operands.iter().enumerate().map(factor).collect::<Vec<_>>().join(" * ")
            }
            (Term::Div(_), [a, b]) => format!("({a} / {b})"),
            (Term::Neg(_), [x]) => format!("(-{x})"),
            (Term::Sum(_), [axis, x]) => format!("sum({axis}: {x})"),
            (node, operands) => format!("{node}({})", operands.join(", ")),
        }
    }

    fn sum(&self, bound: Index, x: &Monomial) -> String {
        let is_state = |atom: &Atom| match atom {
            Atom::Leaf(leaf) if matches!(leaf.symbol, Symbol::State(_)) => Some(leaf.clone()),
            _ => None,
        };
        if let Some(leaf) = x.0.keys().find_map(is_state) {
            let query = x.split(|atom| is_state(atom).is_none()).0;
            let query = if query.0.is_empty() { "1".to_owned() } else { self.factor(&Polynomial::of(query, 1.0)) };
            let across = leaf.indices.len() == 2 && leaf.indices[1] == bound;
            return format!("({}{} {query})", self.leaf(&leaf), if across { "" } else { "ᵀ" });
        }
        let factors: Vec<(&Atom, f64)> = x.0.iter().map(|(atom, power)| (atom, power.0)).collect();
        match factors[..] {
            [(a, 1.0), (b, 1.0)] => format!("({} · {})", self.atom(a), self.atom(b)),
            [(a, 2.0)] => format!("({0} · {0})", self.atom(a)),
            _ => format!("sum({})", self.product(x, 1.0)),
        }
    }
}

/// A number with as many digits as tell it from its neighbours in print.
fn number(value: f64) -> String {
    let rounded = format!("{value:.6}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if short.parse::<f64>().is_ok_and(|short| (short - value).abs() <= 1e-9 * value.abs()) {
        short.to_owned()
    } else {
        format!("{value}")
    }
}
