//! What a rewrite is, and the saturation of an e-graph with some of them.
//!
//! A rewrite looks at one node and gives terms that equal it. The loop here asks every rewrite about every node until
//! nothing new comes, or until a limit on nodes or rounds, never on time: the same program gives the same e-graph on
//! every machine.

use std::collections::BTreeMap;

use egg::Id;

use super::term::{Node, Terms, Tree};

/// How the results of a rewritten program may differ from those of the program as it was, in floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numerics {
    /// Not at all: the same bits.
    Exact,
    /// By the order of sums and products.
    Reassociates,
    /// By more than rounding.
    Approximates,
}

/// A rewrite of programs.
pub(crate) struct Rewrite {
    /// What it does, as `subject-effect`; the name that `--no-rewrite` takes.
    pub(crate) name: &'static str,
    /// The equation, for people.
    pub(crate) equation: &'static str,
    pub(crate) numerics: Numerics,
    /// Terms that equal `node`, a node of the class.
    pub(crate) apply: fn(&Terms, Id, &Node) -> Vec<Tree>,
}

/// The most nodes that an e-graph of one region may have, and the most rounds.
const NODES: usize = 5_000;
const ROUNDS: usize = 24;

/// A saturated e-graph, and how it came to be.
pub(crate) struct Saturated {
    pub(crate) terms: Terms,
    /// The rewrite, by its place in the list, that first made each node; nodes of the program itself have none.
    pub(crate) makers: BTreeMap<Node, usize>,
    /// How often each rewrite found something new.
    pub(crate) uses: Vec<usize>,
    pub(crate) limit: Option<Limit>,
}

/// Why saturation ended before nothing new came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Nodes,
    Rounds,
}

/// Applies rewrites until nothing new comes, phase after phase. Their numbers count through all phases.
pub(crate) fn saturate(terms: Terms, phases: &[Vec<&Rewrite>]) -> Saturated {
    let uses = vec![0; phases.iter().map(Vec::len).sum()];
    let mut saturated = Saturated { terms, makers: BTreeMap::new(), uses, limit: None };
    let mut first = 0;
    for rewrites in phases {
        saturated.run(rewrites, first);
        first += rewrites.len();
    }
    saturated
}

impl Saturated {
    /// Applies rewrites, of which the first has the number `first`.
    fn run(&mut self, rewrites: &[&Rewrite], first: usize) {
        for _ in 0..ROUNDS {
            let before = (self.terms.total_number_of_nodes(), self.terms.number_of_classes());
            self.round(rewrites, first);
            if (self.terms.total_number_of_nodes(), self.terms.number_of_classes()) == before {
                return;
            }
            if self.terms.total_number_of_nodes() > NODES {
                self.limit = Some(Limit::Nodes);
                return;
            }
        }
        self.limit = Some(Limit::Rounds);
    }

    fn round(&mut self, rewrites: &[&Rewrite], first: usize) {
        let mut found: Vec<(Id, usize, Tree)> = Vec::new();
        for class in self.terms.classes() {
            for node in &class.nodes {
                for (index, rewrite) in rewrites.iter().enumerate() {
                    let trees = (rewrite.apply)(&self.terms, class.id, node);
                    found.extend(trees.into_iter().map(|tree| (class.id, index, tree)));
                }
            }
        }
        // The order of classes is egg's own; this one depends on the program alone.
        found.sort_by_key(|(class, index, _)| (*class, *index));
        for (class, index, tree) in found {
            let new = self.add(&tree, first + index);
            // A term of another type is no equal of the class; it stays alone, and nobody reads it.
            if self.terms[new].data.types != self.terms[class].data.types {
                continue;
            }
            if self.terms.union_trusted(class, new, rewrites[index].name) {
                self.uses[first + index] += 1;
            }
        }
        self.terms.rebuild();
        let makers = std::mem::take(&mut self.makers);
        for (node, maker) in makers {
            self.makers.entry(canonical(&self.terms, &node)).or_insert(maker);
        }
    }

    fn add(&mut self, tree: &Tree, maker: usize) -> Id {
        match tree {
            Tree::Class(id) => self.terms.find(*id),
            Tree::Node(head, children) => {
                let children = children.iter().map(|child| self.add(child, maker)).collect();
                let node = Node { head: head.clone(), children };
                if let Some(known) = self.terms.lookup(node.clone()) {
                    return known;
                }
                self.makers.insert(node.clone(), maker);
                self.terms.add(node)
            }
        }
    }
}

/// A node with the classes that its children are in now.
pub(crate) fn canonical(terms: &Terms, node: &Node) -> Node {
    Node { head: node.head.clone(), children: node.children.iter().map(|&child| terms.find(child)).collect() }
}
