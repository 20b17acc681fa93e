//! What the algebra found out about an update rule, for people.

use std::fmt;

use egg::FlatTerm;
use mom_dialect::{diagnostic::Span, graph::UpdateRule};

use super::{
    decay,
    import::Imported,
    normal::{Normal, Place, Reason, Refusal, Scan},
    print::Printer,
    read::{self, LARGEST},
    saturate,
    term::{Index, Term},
};

/// The class of an update rule, its normal form and the forms that can be derived from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// In one phrase: `affine in h; scalar decay exp(g) ≤ 1; one erase, merged with the write`.
    pub class: String,
    /// The normal form: an equation for each state, in an order in which they can run, then one for each output. Empty
    /// where there is none.
    pub equations: Vec<String>,
    /// What is taken for granted: `exp(g) ≤ 1, as nothing bounds g`.
    pub assumptions: Vec<String>,
    /// Why there is no chunk form, where there is none.
    pub refused: Option<Refused>,
    /// The lines of the proof that each state's equation is its normal form, where it was asked for and none is too long.
    pub proof: Vec<String>,
}

/// What prevents a chunk form.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// In a whole sentence.
    pub reason: String,
    /// The term of the expanded equation, in the rule's names.
    pub term: String,
    /// The place of the expression that makes the term, where it is known.
    pub span: Option<Span>,
}

impl fmt::Display for Analysis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "class        {}", self.class)?;
        for (number, equation) in self.equations.iter().enumerate() {
            writeln!(formatter, "{:<12} {equation}", if number == 0 { "normal form" } else { "" })?;
        }
        for (number, assumption) in self.assumptions.iter().enumerate() {
            writeln!(formatter, "{:<12} {assumption}", if number == 0 { "assumes" } else { "" })?;
        }
        writeln!(formatter, "recurrent    yes, with gradient")?;
        match &self.refused {
            None => writeln!(formatter, "chunk        yes, with gradient")?,
            Some(refused) => {
                writeln!(formatter, "chunk        no: {}", refused.reason)?;
                writeln!(formatter, "{:<12} the term is {}", "", refused.term)?;
                if let Some(span) = &refused.span {
                    let (line, column) = span.source.line_column(span.range.start);
                    let text = span.source.text.get(span.range.clone()).unwrap_or_default();
                    writeln!(formatter, "{:<12} from `{text}`, {}:{line}:{column}", "", span.source.name)?;
                }
            }
        }
        for (number, line) in self.proof.iter().enumerate() {
            writeln!(formatter, "{:<12} {line}", if number == 0 { "proof" } else { "" })?;
        }
        Ok(())
    }
}

/// Analyses an update rule; `proof` asks for the proof too, which takes longer.
#[must_use]
pub fn analyse(rule: &UpdateRule, proof: bool) -> Analysis {
    let (imported, normal) = match super::normal(rule) {
        Ok(found) => found,
        Err(message) => {
            let reason = format!("{message}, which is a fault of momc");
            let refused = Refused { reason, term: String::new(), span: None };
            return Analysis {
                class: "unknown".into(),
                equations: Vec::new(),
                assumptions: Vec::new(),
                refused: Some(refused),
                proof: Vec::new(),
            };
        }
    };
    let printer = Printer::new(rule, &imported.axes, normal.as_ref().ok());
    let too_long = matches!(&normal, Err(Refusal { reason: Reason::TooLong { .. }, .. }));
    let mut analysis = Analysis {
        class: String::new(),
        equations: Vec::new(),
        assumptions: Vec::new(),
        refused: None,
        proof: if proof && !too_long { lines(&imported, &printer) } else { Vec::new() },
    };
    match normal {
        Ok(normal) => analysis.affine(rule, &normal, &printer),
        Err(refusal) => {
            analysis.class = match refusal.reason {
                Reason::NotPositive | Reason::Grows | Reason::FullDecay | Reason::ColumnErase => "affine",
                Reason::FullWrite | Reason::WholeState { .. } | Reason::Moved => "affine",
                Reason::TooLong { .. } => "unknown, as the equations are too long",
                Reason::NotRead if !refusal.term.holds_state() => "affine",
                _ => "not a chain of affine scans",
            }
            .to_owned();
            analysis.refused = Some(refused(rule, &imported, &refusal, &printer));
        }
    }
    analysis
}

impl Analysis {
    fn affine(&mut self, rule: &UpdateRule, normal: &Normal, printer: &Printer<'_>) {
        let mut classes = Vec::new();
        for scan in &normal.scans {
            classes.push(self.class_of(rule, scan, printer));
            self.equations.push(printer.scan(scan));
        }
        for (output, port) in normal.outputs.iter().zip(&rule.outputs) {
            self.equations.push(format!("{} = {}", port.name, printer.polynomial(output)));
        }
        self.class = classes.join("; then ");
    }

    fn class_of(&mut self, rule: &UpdateRule, scan: &Scan, printer: &Printer<'_>) -> String {
        let state = &rule.states[scan.state].name;
        let decay = printer.polynomial(&scan.decay);
        let known = decay::known(rule, &scan.decay);
        let decay = match scan.decay.constant() == Some(1.0) {
            true => "no decay".to_owned(),
            false if scan.decay.has(Index::Axis(scan.rows)) => {
                format!("decay {decay} ≤ 1 for each {}", printer.axis(scan.rows))
            }
            false => format!("scalar decay {decay} ≤ 1"),
        };
        if let Ok(known) = known {
            let text = printer.polynomial(&scan.decay);
            if known.assumes_at_most_one {
                self.assumptions.push(format!("{text} ≤ 1, which no stated bound implies"));
            }
            if known.assumes_parameters {
                self.assumptions.push(format!("{text} > 0, which holds where the parameters are not negative"));
            }
        }
        let count = |number: usize, one: &str, more: &str| match number {
            0 => format!("no {one}"),
            1 => format!("one {one}"),
            _ => format!("{number} {more}"),
        };
        let erases = scan.terms.iter().filter(|term| !term.scale.is_zero()).count();
        let writes = scan.terms.iter().filter(|term| !term.column.is_zero()).count();
        let merged = scan.terms.iter().filter(|term| !term.scale.is_zero() && !term.column.is_zero()).count();
        let terms = match (erases, merged) {
            (0, _) => count(writes, "write", "writes"),
            (1, 1) if writes == 1 => "one erase, merged with the write".to_owned(),
            (_, merged) if merged == erases && merged == writes => {
                format!("{}, merged with the writes", count(erases, "erase", "erases"))
            }
            _ => format!("{}, {}", count(erases, "erase", "erases"), count(writes, "write", "writes")),
        };
        let mirrored =
            if scan.mirrored { format!(", mirrored: rows are {}", printer.axis(scan.rows)) } else { String::new() };
        format!("affine in {state}; {decay}; {terms}{mirrored}")
    }
}

/// Characters of a refused term that are shown: what is longer says no more.
const LONGEST_TERM: usize = 400;

fn refused(rule: &UpdateRule, imported: &Imported, refusal: &Refusal, printer: &Printer<'_>) -> Refused {
    let place = match refusal.place {
        Place::State(number) => rule.states[number].name.clone(),
        Place::Output(number) => rule.outputs[number].name.clone(),
    };
    let reason = match &refusal.reason {
        Reason::NotLinear => format!("the equation of `{place}` is not of degree one in the memory"),
        Reason::WholeState { coupled: false } => {
            format!("the equation of `{place}` holds another state as a whole, not what a vector reads from it")
        }
        Reason::WholeState { coupled: true } => {
            format!("the equation of `{place}` holds another state as a whole, and that one needs `{place}`")
        }
        Reason::Cycle => format!("the equation of `{place}` needs a state that needs `{place}`"),
        Reason::Moved => format!("the equation of `{place}` moves entries of the state to other places"),
        Reason::BothSides => format!("some erases of `{place}` read its rows and others its columns"),
        Reason::ColumnErase => format!(
            "what is erased from `{place}` has a factor for each column, so that each column has its own transition"
        ),
        Reason::FullDecay => {
            format!("the decay of `{place}` has a factor for each entry, so every entry is its own recurrence")
        }
        Reason::DecayAcross => format!("`{place}` decays along one axis and is erased along the other"),
        Reason::FullWrite => format!("what is written to `{place}` is no outer product"),
        Reason::TooLong { erases: 0 | 1 } => {
            format!(
                "the equation of `{place}` is too long when it is written out; chunk forms take at most {LARGEST} factors"
            )
        }
        Reason::TooLong { erases } => format!(
            "{erases} erases one after the other in a token make too long a product for `{place}`; chunk forms take at \
             most {LARGEST} factors"
        ),
        Reason::Axes => format!("`{place}` is neither a vector nor a matrix"),
        Reason::Forgotten => format!("nothing of `{place}` is kept from one token to the next as it is"),
        Reason::NotPositive => format!("the decay of `{place}` cannot be shown to be positive"),
        Reason::Grows => format!("the decay of `{place}` can exceed one"),
        Reason::NotRead if is_elementwise(rule, refusal) => {
            format!(
                "`{place}` is the whole state: every entry is its own recurrence, and nothing is to gain from chunks"
            )
        }
        Reason::NotRead => format!("`{place}` is not made from sums over one axis of a state"),
        Reason::OwnQuery => format!("a reading of `{place}` depends on another reading of it"),
        Reason::Fault(message) => format!("{message}, which is a fault of momc"),
    };
    let mut term = printer.polynomial(&refusal.term);
    if let Some((end, _)) = term.char_indices().nth(LONGEST_TERM) {
        term.truncate(end);
        term.push('…');
    }
    Refused { reason, term, span: span(rule, imported, refusal) }
}

/// Whether an output holds entries of a state as they are.
fn is_elementwise(rule: &UpdateRule, refusal: &Refusal) -> bool {
    let Place::Output(output) = refusal.place else { return false };
    rule.states.iter().any(|state| state.ty.axes == rule.outputs[output].ty.axes) && refusal.term.holds_state()
}

/// The place of the first expression whose expansion has the refused term.
fn span(rule: &UpdateRule, imported: &Imported, refusal: &Refusal) -> Option<Span> {
    let at = refusal.at.or_else(|| {
        let (wanted, _) = refusal.term.single()?;
        let values = read::read(&imported.terms, &imported.axes).ok()?;
        values.iter().position(|value| value.0.contains_key(wanted)).map(egg::Id::from)
    })?;
    let value = imported.values.get(&at)?;
    rule.body.ops.iter().find(|op| op.results.contains(value))?.span.clone()
}

/// The steps of every e-graph's proof, each with the rewrite that makes it.
fn lines(imported: &Imported, printer: &Printer<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for mut stage in saturate::saturate(imported, true).stages {
        let mut proof = stage.proof();
        for (number, step) in proof.make_flat_explanation().iter().enumerate() {
            let rewrite = rewrite_of(step).map(|name| format!("    [{name}]")).unwrap_or_default();
            let sign = if number == 0 { " " } else { "=" };
            lines.push(format!("{sign} {}{rewrite}", printer.written(step)));
        }
    }
    lines
}

/// The rewrite that made a line from the one before.
fn rewrite_of(step: &FlatTerm<Term>) -> Option<String> {
    let own = step.forward_rule.or(step.backward_rule).map(|name| name.to_string());
    own.or_else(|| step.children.iter().find_map(rewrite_of))
}
