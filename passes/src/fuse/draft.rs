//! A program chosen from an e-graph: which node each value is, and the kernels that follow.

use std::collections::{BTreeMap, BTreeSet};

use egg::Id;
use mom_dialect::graph::OpKind;

use super::term::{Given, Head, Node, Terms};

/// Whether a value is stored, or computed within the kernel that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Stored,
    Inline,
}

/// For each class and mode the node that is meant.
pub(crate) type Choice = BTreeMap<(Mode, Id), Node>;

/// An operation of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) class: Id,
    pub(crate) node: Node,
}

/// One launch: some operations, the last of which makes what is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kernel {
    /// In the order of their dependencies.
    pub(crate) parts: Vec<Part>,
    /// Classes that are read from memory, in the order of their first use.
    pub(crate) operands: Vec<Id>,
    /// Classes of operations with several results that are computed within the kernel, of which other kernels read a
    /// result: with the places of these.
    pub(crate) exports: Vec<(Id, usize)>,
    /// Results of the last operation that somebody reads; nothing where it has one.
    pub(crate) results: BTreeSet<usize>,
}

/// The kernels of a region in an order in which they can run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) kernels: Vec<Kernel>,
    /// The classes that the program is made of.
    pub(crate) used: Vec<(Mode, Id)>,
}

/// Follows a choice from the roots.
pub(crate) struct Walk<'a> {
    terms: &'a Terms,
    choice: &'a Choice,
    /// Operations with several results that a kernel makes on the way.
    exported: BTreeSet<Id>,
    kernels: BTreeMap<Id, Kernel>,
    /// Results of operations with several that are read from memory.
    wanted: BTreeMap<Id, BTreeSet<usize>>,
    /// Kernels within which each class is computed.
    within: BTreeMap<Id, Vec<Id>>,
    used: BTreeSet<(Mode, Id)>,
    open: BTreeSet<(Mode, Id)>,
}

/// The kernels that a choice comes to; none where it has no meaning: a value that needs itself, a state that changes
/// twice.
pub(crate) fn draft(terms: &Terms, roots: &[Id], choice: &Choice) -> Option<Draft> {
    let mut exported = BTreeSet::new();
    // What a kernel makes on the way is known once all kernels are; each turn finds at least one more of these.
    for _ in 0..8 {
        let mut walk = Walk {
            terms,
            choice,
            exported: exported.clone(),
            kernels: BTreeMap::new(),
            wanted: BTreeMap::new(),
            within: BTreeMap::new(),
            used: BTreeSet::new(),
            open: BTreeSet::new(),
        };
        roots.iter().try_for_each(|&root| walk.stored(root))?;
        let more: Vec<Id> = walk
            .kernels
            .keys()
            .filter(|class| walk.within.contains_key(class) && walk.has_several(**class))
            .copied()
            .collect();
        if more.is_empty() {
            return walk.finish();
        }
        exported.extend(more);
    }
    None
}

impl Walk<'_> {
    fn node(&self, mode: Mode, class: Id) -> Option<&Node> {
        self.choice.get(&(mode, class)).or_else(|| self.choice.get(&(Mode::Stored, class)))
    }

    fn has_several(&self, class: Id) -> bool {
        self.terms[class].data.types.len() != 1
    }

    /// Makes a value lie in memory.
    fn stored(&mut self, class: Id) -> Option<()> {
        let class = self.terms.find(class);
        let node = self.node(Mode::Stored, class)?.clone();
        match node.head {
            Head::Leaf(..) => {}
            Head::Inline => return None,
            Head::Result(place) => {
                let of = self.terms.find(node.children[0]);
                self.wanted.entry(of).or_default().insert(place);
                if self.used.insert((Mode::Stored, class)) {
                    self.kernel(of)?;
                }
            }
            Head::Op(_) => self.kernel(class)?,
        }
        Some(())
    }

    fn kernel(&mut self, class: Id) -> Option<()> {
        if self.exported.contains(&class) || !self.used.insert((Mode::Stored, class)) {
            return if self.open.contains(&(Mode::Stored, class)) { None } else { Some(()) };
        }
        self.open.insert((Mode::Stored, class));
        let mut kernel = Kernel::default();
        self.part(&mut kernel, Mode::Stored, class, class)?;
        self.open.remove(&(Mode::Stored, class));
        self.kernels.insert(class, kernel);
        Some(())
    }

    /// Adds an operation to a kernel, and all that is computed for it there.
    fn part(&mut self, kernel: &mut Kernel, mode: Mode, class: Id, root: Id) -> Option<()> {
        let node = self.node(mode, class)?.clone();
        for &child in &node.children {
            let child = self.terms.find(child);
            match self.inlined(child) {
                Some(value) => self.within_kernel(kernel, value, root)?,
                None => self.operand(kernel, child)?,
            }
        }
        kernel.parts.push(Part { class, node });
        Some(())
    }

    /// The class below an `Inline`.
    fn inlined(&self, class: Id) -> Option<Id> {
        let node = self.terms[class].nodes.iter().find(|node| node.head == Head::Inline)?;
        Some(self.terms.find(node.children[0]))
    }

    fn operand(&mut self, kernel: &mut Kernel, class: Id) -> Option<()> {
        self.stored(class)?;
        if !kernel.operands.contains(&class) {
            kernel.operands.push(class);
        }
        Some(())
    }

    /// Computes a value within a kernel.
    fn within_kernel(&mut self, kernel: &mut Kernel, class: Id, root: Id) -> Option<()> {
        if self.open.contains(&(Mode::Inline, class)) {
            return None;
        }
        let node = self.node(Mode::Inline, class)?.clone();
        self.used.insert((Mode::Inline, class));
        match node.head {
            Head::Leaf(..) => return self.operand(kernel, class),
            Head::Inline => return None,
            Head::Result(_) => {
                let of = self.terms.find(node.children[0]);
                self.open.insert((Mode::Inline, class));
                self.within_kernel(kernel, of, root)?;
                self.open.remove(&(Mode::Inline, class));
                return Some(());
            }
            Head::Op(_) => {}
        }
        if kernel.parts.iter().any(|part| part.class == class) {
            return Some(());
        }
        self.open.insert((Mode::Inline, class));
        self.part(kernel, Mode::Inline, class, root)?;
        self.open.remove(&(Mode::Inline, class));
        let kernels = self.within.entry(class).or_default();
        if !kernels.contains(&root) {
            kernels.push(root);
        }
        Some(())
    }

    /// Orders the kernels and checks that every state changes in one place.
    fn finish(mut self) -> Option<Draft> {
        for (class, kernels) in &self.within {
            let stateful = self.terms[*class].nodes.iter().any(|node| node.kind().is_some_and(changes_states));
            if stateful && kernels.len() > 1 {
                return None;
            }
            let Some(wanted) = self.wanted.get(class).filter(|_| self.exported.contains(class)) else { continue };
            let [kernel] = kernels[..] else { return None };
            self.kernels.get_mut(&kernel)?.exports.extend(wanted.iter().map(|&place| (*class, place)));
        }
        for (class, kernel) in &mut self.kernels {
            if let Some(wanted) = self.wanted.get(class) {
                kernel.results.clone_from(wanted);
            }
        }
        let mut readers: BTreeMap<Id, usize> = BTreeMap::new();
        for &operand in self.kernels.values().flat_map(|kernel| &kernel.operands) {
            let is_state = |node: &Node| matches!(node.head, Head::Leaf(Given::State, _));
            if self.terms[operand].nodes.iter().any(is_state) {
                *readers.entry(operand).or_default() += 1;
            }
        }
        if readers.values().any(|&readers| readers > 1) {
            return None;
        }
        let used = self.used.iter().copied().collect();
        Some(Draft { kernels: self.ordered()?, used })
    }

    /// The kernels, each after those that make its operands.
    fn ordered(self) -> Option<Vec<Kernel>> {
        // What each class that is read from memory is made by.
        let mut makers: BTreeMap<Id, Id> = BTreeMap::new();
        for (&root, kernel) in &self.kernels {
            makers.insert(root, root);
            makers.extend(kernel.exports.iter().map(|&(class, _)| (class, root)));
        }
        let maker = |class: Id| -> Option<Id> {
            let node = self.node(Mode::Stored, class)?;
            let of = if let Head::Result(_) = node.head { self.terms.find(node.children[0]) } else { class };
            makers.get(&of).copied()
        };
        let mut waiting: BTreeMap<Id, Kernel> = self.kernels.clone();
        let mut ordered = Vec::new();
        while !waiting.is_empty() {
            let ready = waiting.iter().find(|(_, kernel)| {
                kernel.operands.iter().all(|&operand| maker(operand).is_none_or(|maker| !waiting.contains_key(&maker)))
            });
            let root = *ready?.0;
            ordered.push(waiting.remove(&root)?);
        }
        Some(ordered)
    }
}

/// Whether an operation changes states in place.
pub(crate) fn changes_states(kind: &OpKind) -> bool {
    matches!(kind, OpKind::Scan { .. } | OpKind::ShortConv | OpKind::AppendCache)
}
