//! From chosen kernels back to operations.

use std::collections::BTreeMap;

use egg::Id;
use mom_dialect::{
    graph::{Body, Fused, OpKind, ValueId},
    shape::{Extent, Type},
};

use super::{
    cost::{self, Step, Work},
    draft::{Kernel, Part, changes_states},
    term::{Given, Head, Node, Terms},
};

/// What is computed within a kernel, where a class says that it is.
pub(crate) fn below_inline(terms: &Terms, class: Id) -> Option<Id> {
    let node = terms[terms.find(class)].nodes.iter().find(|node| node.head == Head::Inline)?;
    Some(terms.find(node.children[0]))
}

/// The values of a kernel's parts while its body is written.
struct Values<'a> {
    terms: &'a Terms,
    operands: BTreeMap<Id, ValueId>,
    made: BTreeMap<Id, Vec<ValueId>>,
}

impl Values<'_> {
    /// What stands for a child of a part.
    fn of(&self, child: Id, parts: &Kernel) -> Option<ValueId> {
        let child = self.terms.find(child);
        match below_inline(self.terms, child) {
            None => self.operands.get(&child).copied(),
            Some(value) => self.computed(value, parts).or_else(|| self.operands.get(&value).copied()),
        }
    }

    fn computed(&self, class: Id, kernel: &Kernel) -> Option<ValueId> {
        if let Some(values) = self.made.get(&class) {
            return values.first().copied();
        }
        // A class may hold several results of several operations; the one that is meant was computed here.
        self.terms[class].nodes.iter().find_map(|node| match node.head {
            Head::Result(result) => {
                let of = self.terms.find(node.children[0]);
                let here = kernel.parts.iter().any(|part| part.class == of);
                self.made.get(&of).filter(|_| here)?.get(result).copied()
            }
            _ => None,
        })
    }
}

/// The results of a kernel in order: of the last operation those that are read, then those made on the way.
pub(crate) fn results(kernel: &Kernel) -> Vec<(Id, usize)> {
    let Some(last) = kernel.parts.last() else { return Vec::new() };
    let own: Vec<usize> = match kernel.results.is_empty() {
        true => vec![0],
        false => kernel.results.iter().copied().collect(),
    };
    own.into_iter().map(|result| (last.class, result)).chain(kernel.exports.iter().copied()).collect()
}

/// The constant that a value is: a kernel of several operations holds it itself.
fn constant(terms: &Terms, class: Id) -> Option<&OpKind> {
    terms[class].nodes.iter().filter_map(Node::kind).find(|kind| matches!(kind, OpKind::Constant { .. }))
}

/// What a kernel of several operations is given, in order.
pub(crate) fn operands<'a>(terms: &'a Terms, kernel: &'a Kernel) -> impl Iterator<Item = Id> + 'a {
    kernel.operands.iter().copied().filter(|&operand| constant(terms, operand).is_none())
}

/// A kernel of several operations as one; none where it is ill typed, which is a fault of a rewrite.
pub(crate) fn fused(terms: &Terms, kernel: &Kernel) -> Option<Fused> {
    let mut body = Body::default();
    let mut values = Values { terms, operands: BTreeMap::new(), made: BTreeMap::new() };
    // Arguments come first, as they do when a text is read.
    for operand in operands(terms, kernel) {
        values.operands.insert(operand, body.argument(terms[operand].data.ty()?.clone()));
    }
    for &operand in &kernel.operands {
        if let Some(kind) = constant(terms, operand) {
            let made = body.add_typed(kind.clone(), Vec::new(), terms[operand].data.types.clone(), None);
            values.operands.insert(operand, *made.first()?);
        }
    }
    for part in &kernel.parts {
        let kind = part.node.kind()?.clone();
        let operands: Option<Vec<ValueId>> = part.node.children.iter().map(|&child| values.of(child, kernel)).collect();
        let made = body.add_typed(kind, operands?, terms[part.class].data.types.clone(), None);
        values.made.insert(part.class, made);
    }
    let results: Option<Vec<ValueId>> =
        results(kernel).into_iter().map(|(class, result)| values.made.get(&class)?.get(result).copied()).collect();
    Some(Fused { body, results: results? })
}

/// The heads that a scan works on one by one.
fn heads_of_scan(terms: &Terms, part: &Part) -> Option<usize> {
    let Some(OpKind::Scan { .. }) = part.node.kind() else { return None };
    terms[part.class].data.types.first()?.axis("head")?.size()
}

/// What a kernel does in a step, by the cost model.
pub(crate) fn work(terms: &Terms, kernel: &Kernel, step: &Step) -> Work {
    let mut work = Work::default();
    let rows = |class: Id| terms[class].data.types.first().and_then(Type::rows);
    let root_rows = kernel.parts.last().and_then(|part| rows(part.class)).unwrap_or(Extent::ZERO.plus(1));
    let is_product = |part: &Part| matches!(part.node.kind(), Some(OpKind::Linear | OpKind::GroupedLinear));
    let anchor = kernel.parts.iter().position(is_product);
    let heads = kernel.parts.iter().find_map(|part| heads_of_scan(terms, part)).unwrap_or(1);
    let (mut read, mut read_by_products) = (BTreeMap::new(), BTreeMap::new());
    for (number, part) in kernel.parts.iter().enumerate() {
        let Some(kind) = part.node.kind() else { continue };
        let children: Vec<Id> = part.node.children.iter().map(|&child| terms.find(child)).collect();
        let operands: Option<Vec<&Type>> = children.iter().map(|&child| terms[child].data.ty()).collect();
        let Some(operands) = operands else { continue };
        let rule = match kind {
            OpKind::Scan { update_rule } => terms.analysis.graph.update_rule(update_rule),
            _ => None,
        };
        let mut own = cost::compute(kind, &operands, &terms[part.class].data.types, rule, step, heads);
        // What is computed on the way is computed for each row that reads it.
        let again = match rows(part.class) {
            Some(rows) if rows.tokens > 0 => (root_rows.tokens as f64 / rows.tokens as f64).max(1.0),
            Some(_) => 1.0,
            None => (root_rows.tokens * step.tokens).max(1) as f64,
        };
        own.vector_flops *= again;
        let is_index = matches!(kind, OpKind::Dispatch | OpKind::SelectRows);
        if anchor.is_some_and(|anchor| number < anchor) && !is_index {
            own.repeated_flops = std::mem::take(&mut own.vector_flops);
        }
        work.add(own);
        for (place, &child) in children.iter().enumerate() {
            let child = below_inline(terms, child).unwrap_or(child);
            let bytes = cost::read(kind, place, &operands, step);
            let note = |read: &mut BTreeMap<Id, f64>| {
                read.entry(child).and_modify(|known| *known = known.max(bytes)).or_insert(bytes);
            };
            if kernel.operands.contains(&child) {
                note(&mut read);
            }
            if is_product(part) {
                note(&mut read_by_products);
            }
        }
        if is_product(part) {
            work.product_bytes += terms[part.class].data.types.iter().map(|ty| cost::bytes(ty, step)).sum::<f64>();
        }
        if changes_states(kind) {
            // States are written where they are read.
            for (place, ty) in operands.iter().enumerate() {
                if ty.rows() == Some(Extent::SEQUENCES) {
                    let bytes = cost::read(kind, place, &operands, step);
                    work.written += bytes;
                    work.cold += 2.0 * bytes;
                }
            }
        }
    }
    work.read = read.values().sum();
    work.product_bytes += read_by_products.values().sum::<f64>();
    let is_weight = |class: Id| terms[class].nodes.iter().any(|node| matches!(node.head, Head::Leaf(Given::Param, _)));
    work.cold += read.iter().filter(|(class, _)| is_weight(**class)).map(|(_, bytes)| bytes).sum::<f64>();
    for (class, result) in results(kernel) {
        let Some(ty) = terms[class].data.types.get(result) else { continue };
        if ty.rows() != Some(Extent::SEQUENCES) {
            work.written += cost::bytes(ty, step);
        }
    }
    work
}
