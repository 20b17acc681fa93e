//! Runs kernels whose threads work in groups, as those of a graphics processor do, on this processor: the emulated
//! device.
//!
//! Each thread of a group is a coroutine. It runs until it waits for the others, and goes on when all wait for the same.
//! Which of them runs first is drawn anew each time, if alike in every process, so that a kernel which relies on an order that nobody
//! promised gives other results, or fails, in one run or another. What threads do to memory is checked ([`memory`]).
#![allow(unsafe_code)]

use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    mem,
    ops::Range,
    ptr,
};

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};

use self::memory::{Access, Fault, Memory};
use crate::{buffer::Aligned, plan::GROUP};

pub(crate) mod memory;

/// A kernel for groups: its arguments are those of every kernel, then the group's scratch and the thread's number.
pub(crate) type Kernel = unsafe extern "C" fn(*const *mut c_void, *const i64, i64, i64, *mut c_void, i64);

/// What an artifact for this device is told when it is loaded: functions for waiting, for giving to each other, and for
/// telling what is read and written.
pub(crate) type Together = [*const c_void; 3];

/// The symbol of that.
pub(crate) const SYMBOL: &[u8] = b"momc_group";

/// Bytes of a thread's stack; a kernel keeps only registers there.
const STACK: usize = 128 << 10;

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Sync,
    Shuffle,
    /// For nothing, after a fault.
    Fault,
}

/// The threads of one group, as one of this process's threads runs them.
struct Group {
    /// Of the thread that runs: its number, and where it goes when it waits.
    running: Cell<usize>,
    yielders: [Cell<*const Yielder<(), Wait>>; GROUP],
    /// What threads give, for this time and the last: one may be a time ahead of the others.
    given: [[Cell<f32>; GROUP]; 2],
    times: [Cell<usize>; GROUP],
    memory: RefCell<Memory>,
    fault: RefCell<Option<Fault>>,
}

thread_local! {
    static RUNNING: Cell<*const Group> = const { Cell::new(ptr::null()) };
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
    static SCRATCH: RefCell<Option<Aligned<f32>>> = const { RefCell::new(None) };
    static ORDER: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) };
}

/// The functions for [`SYMBOL`].
pub(crate) fn together() -> Together {
    [sync as *const c_void, shuffle as *const c_void, access as *const c_void]
}

impl Group {
    fn new(memory: Memory) -> Group {
        Group {
            running: Cell::new(0),
            yielders: [const { Cell::new(ptr::null()) }; GROUP],
            given: [const { [const { Cell::new(0.0) }; GROUP] }; 2],
            times: [const { Cell::new(0) }; GROUP],
            memory: RefCell::new(memory),
            fault: RefCell::new(None),
        }
    }

    /// The running thread lets the others come to the same place.
    fn wait(&self, what: Wait) {
        // SAFETY: a thread's yielder lives as long as the thread, which is the one that runs.
        unsafe { (*self.yielders[self.running.get()].get()).suspend(what) }
    }
}

extern "C" fn sync() {
    // SAFETY: kernels run within `run` alone, which puts the group there for as long.
    let group = unsafe { &*RUNNING.get() };
    group.wait(Wait::Sync);
}

extern "C" fn shuffle(value: f32, source: i32) -> f32 {
    // SAFETY: as above.
    let group = unsafe { &*RUNNING.get() };
    let thread = group.running.get();
    let time = group.times[thread].get();
    group.times[thread].set(time + 1);
    group.given[time % 2][thread].set(value);
    group.wait(Wait::Shuffle);
    group.given[time % 2][source as usize % GROUP].get()
}

/// A thread reads or, with `written` not negative, writes these bits. A fault ends the thread's turn for good: what it
/// would read or write next may not exist.
extern "C" fn access(address: *const c_void, bytes: i64, written: i64) {
    // SAFETY: as above.
    let group = unsafe { &*RUNNING.get() };
    let written = u32::try_from(written).ok();
    let access = Access { thread: group.running.get(), address: address.addr(), bytes: bytes as usize, written };
    let checked = group.memory.borrow_mut().check(access);
    if let Err(fault) = checked {
        group.fault.borrow_mut().get_or_insert(fault);
        group.wait(Wait::Fault);
    }
}

/// Runs the items `begin..end` by one group, which has `bytes` bytes of scratch. `ranges` are where buffers lie.
///
/// # Errors
/// What the kernel did that it must not do.
///
/// # Safety
/// The arguments are those that the kernel was compiled for.
pub(crate) unsafe fn run(
    kernel: Kernel,
    buffers: *const *mut c_void,
    sizes: *const i64,
    (begin, end): (i64, i64),
    bytes: usize,
    ranges: &[Range<usize>],
) -> Result<(), Fault> {
    let scratch = scratch(bytes);
    let own = scratch.addr()..scratch.addr() + bytes;
    let group = Group::new(Memory::new(ranges.iter().cloned().chain([own])));
    let shared: *const Group = &group;
    let outer = RUNNING.replace(shared);
    let stacks: Option<Vec<DefaultStack>> = (0..GROUP).map(|_| stack()).collect();
    let mut threads: Vec<Option<Coroutine<(), Wait, ()>>> = stacks
        .ok_or(Fault::NoMemory)?
        .into_iter()
        .enumerate()
        .map(|(number, stack)| {
            Some(Coroutine::with_stack(stack, move |yielder: &Yielder<(), Wait>, ()| {
                // SAFETY: the group outlives its threads, which all end before `run` does. For the rest the caller
                // answers; the scratch is this group's as long as it runs.
                unsafe {
                    (*shared).yielders[number].set(yielder);
                    kernel(buffers, sizes, begin, end, scratch, number as i64);
                }
            }))
        })
        .collect();
    loop {
        let mut waits = Vec::with_capacity(GROUP);
        for number in order() {
            let Some(thread) = &mut threads[number] else { continue };
            group.running.set(number);
            match thread.resume(()) {
                CoroutineResult::Yield(what) => waits.push(what),
                CoroutineResult::Return(()) => {
                    let stack = threads[number].take().map(Coroutine::into_stack);
                    STACKS.with_borrow_mut(|stacks| stacks.extend(stack));
                }
            }
        }
        // Threads that give each other values do not wait for what was written.
        if waits.contains(&Wait::Sync) {
            group.memory.borrow_mut().sync();
        }
        let Some(first) = waits.first() else { break };
        if waits.len() < GROUP || waits.iter().any(|what| what != first) {
            group.fault.borrow_mut().get_or_insert(Fault::Waits);
        }
        if group.fault.borrow().is_some() {
            break;
        }
    }
    RUNNING.set(outer);
    let fault = group.fault.take();
    // A kernel has nothing to clean up, and no way to be unwound: threads that a fault stops are forgotten.
    threads.into_iter().flatten().for_each(mem::forget);
    fault.map_or(Ok(()), Err)
}

fn stack() -> Option<DefaultStack> {
    STACKS.with_borrow_mut(Vec::pop).or_else(|| DefaultStack::new(STACK).ok())
}

/// Scratch of this thread's groups, zero at first.
fn scratch(bytes: usize) -> *mut c_void {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.as_ref().is_none_or(|scratch| (scratch.bytes() as usize) < bytes) {
            *scratch = Aligned::new(bytes / mem::size_of::<f32>());
        }
        scratch.as_mut().map_or(ptr::null_mut(), |scratch| scratch.as_mut_ptr().cast())
    })
}

/// The threads of a group in some order.
fn order() -> [usize; GROUP] {
    let mut seed = ORDER.get();
    let mut order = std::array::from_fn(|number| number);
    for last in (1..GROUP).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (seed >> 33) as usize % (last + 1));
    }
    ORDER.set(seed);
    order
}
