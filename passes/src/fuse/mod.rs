//! The stage `fused`: the program that computes the same as the stage `mom` says and costs least by the model.
//!
//! The program is cut into regions (`region`), each becomes the terms of an e-graph (`term`), rewrites are applied until
//! nothing new comes (`rewrite`, `rewrites`), and of all the programs that the e-graph then holds the search takes the
//! cheapest (`extract`, by `cost`), which is written back as operations (`export`), those of one kernel within one
//! `mom.fused`. Regions of equal shape are solved once.

use std::collections::{BTreeMap, BTreeSet};

use egg::Id;
use mom_dialect::{
    diagnostic::Span,
    graph::{Body, Fused, Graph, Op, OpKind, ValueId},
};

pub mod cost;
mod draft;
mod export;
mod extract;
mod region;
mod report;
mod rewrite;
mod rewrites;
mod term;
#[cfg(test)]
mod tests;

pub use report::{Alternative, ChoiceReport, KernelReport, RegionReport};
pub use rewrite::Numerics;

use crate::options::Rewriting;

use self::{
    draft::Kernel,
    extract::{Search, Supports},
    region::{Region, Root, RootOf},
    rewrite::{Rewrite, Saturated},
    term::Head,
};

/// Which rewrites may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The least exact kind of rewrite that is admitted.
    pub numerics: Numerics,
    /// Only these, if any are named.
    pub only: Option<Vec<String>>,
    pub without: Vec<String>,
}

impl Default for Selection {
    fn default() -> Selection {
        Selection { numerics: Numerics::Reassociates, only: None, without: Vec::new() }
    }
}

impl Selection {
    /// No rewrite at all: the program as it was built.
    pub fn none() -> Selection {
        Selection { only: Some(Vec::new()), ..Selection::default() }
    }

    /// Whether a rewrite may be used.
    pub fn admits(&self, rewrite: &RewriteInfo) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == rewrite.name);
        rewrite.numerics <= self.numerics && self.only.as_ref().is_none_or(|only| named(only)) && !named(&self.without)
    }
}

/// A rewrite, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewriteInfo {
    pub name: &'static str,
    pub equation: &'static str,
    pub numerics: Numerics,
}

/// All rewrites there are.
pub fn rewrites() -> Vec<RewriteInfo> {
    rewrites::all().map(info).collect()
}

fn info(&Rewrite { name, equation, numerics, .. }: &Rewrite) -> RewriteInfo {
    RewriteInfo { name, equation, numerics }
}

/// A rewritten program and how it came to be.
#[derive(Clone, Debug)]
pub struct Fusion {
    pub graph: Graph,
    pub regions: Vec<RegionReport>,
    /// For each operation of the graph the region and the kernel there, as [`RegionReport::after`] counts them; none for
    /// what is given or asked for.
    pub kernels: Vec<Option<(usize, usize)>>,
}

/// Rewrites a program. `supports` says whether there is a kernel for a fused operation.
pub(crate) fn fuse(graph: &Graph, rewriting: &Rewriting, supports: &Supports<'_>) -> Fusion {
    let selection = &rewriting.selection;
    let admitted = |lists: &[&'static [Rewrite]]| -> Vec<&'static Rewrite> {
        lists.iter().copied().flatten().filter(|rewrite| selection.admits(&info(rewrite))).collect()
    };
    let phases = rewrites::PHASES.map(admitted);
    let names: Vec<&'static str> = phases.iter().flatten().map(|rewrite| rewrite.name).collect();
    let folds = phases.last().map_or(0, Vec::len);
    let mut writer = Writer {
        graph,
        new: Graph { name: graph.name.clone(), update_rules: graph.update_rules.clone(), body: Body::default() },
        values: BTreeMap::new(),
        kernels: Vec::new(),
    };
    let mut solved: Vec<Solved> = Vec::new();
    for range in region::cut(graph) {
        graph.body.ops[range.clone()].iter().filter(|op| region::is_leaf(op)).for_each(|op| writer.leaf(op));
        let (region, terms) = Region::new(graph, range);
        let known = solved.iter().position(|solved| solved.region.key == region.key);
        let index = known.unwrap_or_else(|| {
            let saturated = rewrite::saturate(terms, &phases);
            let names = (&names[..], names.len() - folds);
            solved.push(Solved::new(graph, region.clone(), saturated, (rewriting, supports), names));
            solved.len() - 1
        });
        let solution = &mut solved[index];
        solution.report.count += 1;
        writer.region(index, solution, &region);
    }
    writer.kernels.resize(writer.new.body.ops.len(), None);
    let regions = solved.into_iter().map(|solved| solved.report).collect();
    let (body, kernels) = without_unread_constants(&writer.new.body, writer.kernels);
    Fusion { graph: Graph { body, ..writer.new }, regions, kernels }
}

/// The operations but for constants that nobody reads, as a kernel of several operations holds its constants itself. `of`
/// is what else is known of each operation.
fn without_unread_constants<T>(body: &Body, of: Vec<T>) -> (Body, Vec<T>) {
    let read: BTreeSet<ValueId> = body.ops.iter().flat_map(|op| &op.operands).copied().collect();
    let (mut new, mut values, mut kept) = (Body::default(), BTreeMap::new(), Vec::new());
    for (op, of) in body.ops.iter().zip(of) {
        let is_constant = matches!(op.kind, OpKind::Constant { .. });
        if is_constant && op.results.iter().all(|result| !read.contains(result)) {
            continue;
        }
        let operands = op.operands.iter().map(|operand| values[operand]).collect();
        let types = op.results.iter().map(|&result| body.ty(result).clone()).collect();
        let made = new.add_typed(op.kind.clone(), operands, types, op.span.clone());
        values.extend(op.results.iter().copied().zip(made));
        kept.push(of);
    }
    (new, kept)
}

/// A region and the program that was chosen for it.
struct Solved {
    region: Region,
    saturated: Saturated,
    /// None where the region cannot be run as it is, and stays as it is.
    kernels: Option<Vec<Kernel>>,
    report: RegionReport,
}

impl Solved {
    fn new(
        graph: &Graph,
        region: Region,
        saturated: Saturated,
        (rewriting, supports): (&Rewriting, &Supports<'_>),
        (names, restructuring): (&[&'static str], usize),
    ) -> Solved {
        let search = Search::new(&region, &saturated, &rewriting.machine, supports);
        let before = search.original();
        let after = before.clone().map(|start| search.best(start, restructuring));
        let report = report::report(
            (graph, &region),
            &saturated,
            (&search, &rewriting.steps),
            (before.as_ref(), after.as_ref()),
            names,
        );
        let kernels = after.map(|chosen| chosen.draft.kernels);
        Solved { region, saturated, kernels, report }
    }
}

/// Writes the new program.
struct Writer<'a> {
    graph: &'a Graph,
    new: Graph,
    /// Values of the old program in the new one.
    values: BTreeMap<ValueId, ValueId>,
    /// As in [`Fusion`].
    kernels: Vec<Option<(usize, usize)>>,
}

impl Writer<'_> {
    /// Something that the program is given.
    fn leaf(&mut self, op: &Op) {
        let types = op.results.iter().map(|&result| self.graph.body.ty(result).clone()).collect();
        let new = self.new.body.add_typed(op.kind.clone(), Vec::new(), types, op.span.clone());
        self.values.extend(op.results.iter().copied().zip(new));
    }

    /// The operations of a region as its solution has them.
    fn region(&mut self, number: usize, solved: &Solved, region: &Region) {
        let Some(kernels) = &solved.kernels else { return self.unchanged(region) };
        let terms = &solved.saturated.terms;
        let mut values: BTreeMap<(Id, usize), ValueId> = BTreeMap::new();
        for class in terms.classes() {
            for node in &class.nodes {
                if let Head::Leaf(_, index) = node.head
                    && let Some(&value) = region.leaves.get(index).and_then(|leaf| self.values.get(leaf))
                {
                    values.insert((class.id, 0), value);
                }
            }
        }
        let own: BTreeMap<_, _> =
            solved.region.own.iter().map(|(node, &op)| (rewrite::canonical(terms, node), op)).collect();
        let mut span: Option<Span> = None;
        let mut place = 0;
        for kernel in kernels {
            let op = kernel.parts.iter().rev().find_map(|part| own.get(&part.node));
            if let Some(&op) = op.and_then(|&op| region.ops.get(op)) {
                span.clone_from(&self.graph.body.ops[op].span);
            }
            self.kernel(terms, kernel, &mut values, span.clone());
            if !extract::is_view(kernel) {
                self.kernels.resize(self.new.body.ops.len(), None);
                self.kernels.pop();
                self.kernels.push(Some((number, place)));
                place += 1;
            }
        }
        for ((root, class, _), (_, _, of)) in solved.region.roots.iter().zip(&region.roots) {
            let Some(value) = value_of(terms, &values, terms.find(*class)) else { continue };
            match (root, of) {
                (Root::Value, RootOf::Value(old)) => {
                    self.values.insert(*old, value);
                }
                (_, RootOf::Op(op)) => {
                    let op = &self.graph.body.ops[*op];
                    let value = if matches!(op.kind, OpKind::Output { .. }) { self.answer(value) } else { value };
                    self.new.body.add_typed(op.kind.clone(), vec![value], Vec::new(), op.span.clone());
                }
                (_, RootOf::Value(_)) => {}
            }
        }
    }

    /// What an output is of: a value lies in one place, so that what is an input or another output has to be copied. The
    /// program as it was said may have computed it twice.
    fn answer(&mut self, value: ValueId) -> ValueId {
        let body = &mut self.new.body;
        let is_taken = |op: &Op| match op.kind {
            OpKind::Input { .. } => op.results.contains(&value),
            OpKind::Output { .. } => op.operands.contains(&value),
            _ => false,
        };
        if !body.ops.iter().any(is_taken) {
            return value;
        }
        let ty = body.ty(value).clone();
        let mut copy = Body::default();
        let results = vec![copy.argument(ty.clone())];
        let copy = OpKind::Fused(Box::new(Fused { body: copy, results }));
        body.add_typed(copy, vec![value], vec![ty], None).first().copied().unwrap_or(value)
    }

    /// The operations of a region as they were.
    fn unchanged(&mut self, region: &Region) {
        for op in region.ops.iter().map(|&op| &self.graph.body.ops[op]) {
            let operands = op.operands.iter().filter_map(|operand| self.values.get(operand).copied()).collect();
            let types = op.results.iter().map(|&result| self.graph.body.ty(result).clone()).collect();
            let new = self.new.body.add_typed(op.kind.clone(), operands, types, op.span.clone());
            self.values.extend(op.results.iter().copied().zip(new));
        }
    }

    fn kernel(
        &mut self,
        terms: &term::Terms,
        kernel: &Kernel,
        values: &mut BTreeMap<(Id, usize), ValueId>,
        span: Option<Span>,
    ) {
        let operand = |class: Id| value_of(terms, values, terms.find(class));
        let Some(last) = kernel.parts.last() else { return };
        let (kind, operands, results) = match &kernel.parts[..] {
            [part] => {
                let Some(kind) = part.node.kind() else { return };
                let results = (0..terms[part.class].data.types.len()).map(|result| (last.class, result)).collect();
                // A value that would be computed here may be one that lies in memory anyway.
                let given = |child: Id| operand(export::below_inline(terms, child).unwrap_or(child));
                let operands: Option<Vec<ValueId>> = part.node.children.iter().map(|&child| given(child)).collect();
                (kind.clone(), operands, results)
            }
            _ => {
                let Some(fused) = export::fused(terms, kernel) else { return };
                let operands = export::operands(terms, kernel).map(operand).collect();
                (OpKind::Fused(Box::new(fused)), operands, export::results(kernel))
            }
        };
        let Some(operands) = operands else { return };
        let types = results.iter().map(|(class, result)| terms[*class].data.types[*result].clone()).collect();
        let made = self.new.body.add_typed(kind, operands, types, span);
        values.extend(results.into_iter().zip(made));
    }
}

/// The value that stands for a class, if it was made already.
fn value_of(terms: &term::Terms, values: &BTreeMap<(Id, usize), ValueId>, class: Id) -> Option<ValueId> {
    values.get(&(class, 0)).copied().filter(|_| terms[class].data.types.len() == 1).or_else(|| {
        terms[class].nodes.iter().find_map(|node| match node.head {
            Head::Result(result) => values.get(&(terms.find(node.children[0]), result)).copied(),
            _ => None,
        })
    })
}
