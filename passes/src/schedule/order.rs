//! The order of launches: among those whose operands are ready, the one that leaves the least memory live.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::graph::{Body, ValueId};
use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
};

use super::{Launch, bytes, typical};

/// Orders launches. The result depends on the graph alone: ties go to the program's own order.
pub(super) fn order<'a>(body: &Body, launches: Vec<Launch<'a>>) -> Vec<Launch<'a>> {
    let dependencies = dependencies(&launches);
    let mut readers: BTreeMap<ValueId, usize> = BTreeMap::new();
    for value in launches.iter().flat_map(|launch| &launch.reads) {
        *readers.entry(*value).or_default() += 1;
    }
    let made_here: BTreeSet<ValueId> = launches.iter().flat_map(|launch| launch.writes.iter().copied()).collect();
    let size = |value: ValueId| if made_here.contains(&value) { typical(bytes(body, value)) as i64 } else { 0 };

    let mut waiting: Vec<usize> = dependencies
        .node_indices()
        .map(|node| dependencies.neighbors_directed(node, Direction::Incoming).count())
        .collect();
    let mut ready: Vec<usize> = (0..launches.len()).filter(|&index| waiting[index] == 0).collect();
    let mut sequence = Vec::with_capacity(launches.len());
    while !ready.is_empty() {
        let growth = |index: usize| {
            let launch: &Launch<'_> = &launches[index];
            let made: i64 = launch.writes.iter().map(|&value| size(value)).sum();
            let freed: i64 =
                launch.reads.iter().filter(|value| readers.get(value) == Some(&1)).map(|&value| size(value)).sum();
            made - freed
        };
        let (place, next) =
            ready.iter().copied().enumerate().min_by_key(|&(_, index)| (growth(index), index)).unwrap_or_default();
        ready.swap_remove(place);
        for value in &launches[next].reads {
            readers.entry(*value).and_modify(|count| *count -= 1);
        }
        for follower in dependencies.neighbors(NodeIndex::new(next)) {
            waiting[follower.index()] -= 1;
            if waiting[follower.index()] == 0 {
                ready.push(follower.index());
            }
        }
        sequence.push(next);
    }
    let mut launches: Vec<Option<Launch<'a>>> = launches.into_iter().map(Some).collect();
    sequence.into_iter().filter_map(|index| launches[index].take()).collect()
}

/// An edge from each launch to those that need what it makes, states after the step among it. Nobody else reads a state
/// that a launch changes, so that no launch has to come before it.
fn dependencies(launches: &[Launch<'_>]) -> DiGraph<(), ()> {
    let mut graph = DiGraph::new();
    let nodes: Vec<NodeIndex> = launches.iter().map(|_| graph.add_node(())).collect();
    let mut maker: BTreeMap<ValueId, usize> = BTreeMap::new();
    for (index, launch) in launches.iter().enumerate() {
        for &value in launch.writes.iter().chain(&launch.changes) {
            maker.insert(value, index);
        }
    }
    for (index, launch) in launches.iter().enumerate() {
        for source in launch.reads.iter().filter_map(|value| maker.get(value)) {
            graph.update_edge(nodes[*source], nodes[index], ());
        }
    }
    graph
}
