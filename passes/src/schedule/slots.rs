//! The workspace: values that do not live at the same time share a slot.
//!
//! A slot is as large as the largest of its values, taken term by term of the linear forms, so it is large enough
//! whatever the step's sizes are.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, ValueId},
    shape::Extent,
};
use mom_runtime::plan::Buffer;

use super::{Launch, bytes, typical};

/// Where each value lies, and the sizes of the slots in bytes.
pub(super) struct Places {
    pub(super) of: BTreeMap<ValueId, Buffer>,
    /// What each launch works in, if it asks for it.
    pub(super) workspaces: Vec<Option<Buffer>>,
    pub(super) slots: Vec<Extent>,
}

/// Gives every value of the launches a place; `fixed` tells those that lie outside the workspace.
pub(super) fn assign(body: &Body, launches: &[Launch<'_>], fixed: impl Fn(ValueId) -> Option<Buffer>) -> Places {
    let mut last_use: BTreeMap<ValueId, usize> = BTreeMap::new();
    for (index, launch) in launches.iter().enumerate() {
        for &value in launch.reads.iter().chain(&launch.writes) {
            last_use.insert(value, index);
        }
    }
    let mut places = Places { of: BTreeMap::new(), workspaces: Vec::new(), slots: Vec::new() };
    let mut free: Vec<usize> = Vec::new();
    for (index, launch) in launches.iter().enumerate() {
        for &value in launch.reads.iter().chain(&launch.writes) {
            if places.of.contains_key(&value) {
                continue;
            }
            let place =
                fixed(value).unwrap_or_else(|| Buffer::Slot(take(&mut places.slots, &mut free, bytes(body, value))));
            places.of.insert(value, place);
        }
        let workspace = launch.workspace.map(|bytes| take(&mut places.slots, &mut free, bytes));
        places.workspaces.push(workspace.map(Buffer::Slot));
        // Only now may a slot that was read here hold something else.
        let mut done: Vec<usize> = launch
            .reads
            .iter()
            .chain(&launch.writes)
            .filter(|value| last_use.get(value) == Some(&index))
            .filter_map(|value| match places.of.get(value) {
                Some(Buffer::Slot(slot)) => Some(*slot),
                _ => None,
            })
            .collect();
        done.sort_unstable();
        done.dedup();
        free.extend(done.into_iter().chain(workspace));
    }
    places
}

/// Takes the free slot that has to grow least, and of those the one that wastes least; else a new one.
fn take(slots: &mut Vec<Extent>, free: &mut Vec<usize>, size: Extent) -> usize {
    let best = (0..free.len()).min_by_key(|&place| {
        let slot = slots[free[place]];
        (typical(larger(slot, size)) - typical(slot), typical(slot), free[place])
    });
    // Growing a slot beyond twice its size saves less than it seems: a later value may fit the small one.
    let fits = |place: &usize| typical(larger(slots[free[*place]], size)) <= 2 * typical(slots[free[*place]]).max(1);
    match best.filter(fits) {
        Some(place) => {
            let slot = free.swap_remove(place);
            slots[slot] = larger(slots[slot], size);
            slot
        }
        None => {
            slots.push(size);
            slots.len() - 1
        }
    }
}

fn larger(a: Extent, b: Extent) -> Extent {
    Extent {
        tokens: a.tokens.max(b.tokens),
        sequences: a.sequences.max(b.sequences),
        rows: a.rows.max(b.rows),
        context: a.context.max(b.context),
        constant: a.constant.max(b.constant),
    }
}
