//! Vectors whose lanes are threads: a group of 32 threads runs a kernel as one thread with vectors would, on machines
//! whose threads do run in groups.
//!
//! All threads of a group hold the same scalars and take the same branches; each holds one lane of a vector. In vectors
//! of fewer lanes than the group has threads, which are a power of two, several threads hold the same lane. What
//! threads do together is in functions that come with the module: `momc_sync` is where all wait for each other,
//! and see what the others wrote; `momc_shuffle` gives what another thread holds.
//!
//! Memory is what may go wrong: an element that one thread writes is another's to read. Between a write and a read, and
//! between a read and a write, all threads wait for each other, wherever the order of the program does not tell that
//! they have.

use super::{Emit, Ty, V};

/// Where the lanes of a vector are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// In one register of one thread.
    Register,
    /// In the threads of a group, one each, which are coroutines of this processor.
    Coroutines,
    /// In the threads of a warp, one each.
    Warp,
}

impl Lanes {
    /// Whether threads run kernels in groups.
    pub(crate) fn are_threads(self) -> bool {
        self != Lanes::Register
    }

    /// What threads do together, as functions.
    pub(super) fn together(self) -> &'static str {
        match self {
            Lanes::Register => "",
            Lanes::Coroutines => COROUTINES,
            Lanes::Warp => WARP,
        }
    }
}

/// Threads of a group.
pub(crate) const THREADS: usize = 32;

/// Whoever loads the module puts the addresses of the functions there.
const COROUTINES: &str = "  llvm.mlir.global external @momc_group() : !llvm.array<3 x ptr> {
    %0 = llvm.mlir.zero : !llvm.array<3 x ptr>
    llvm.return %0 : !llvm.array<3 x ptr>
  }
  llvm.func internal @momc_access(%0: !llvm.ptr, %1: i64, %2: i64) {
    %3 = llvm.mlir.addressof @momc_group : !llvm.ptr
    %4 = llvm.getelementptr %3[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %5 = llvm.load %4 : !llvm.ptr -> !llvm.ptr
    llvm.call %5(%0, %1, %2) : !llvm.ptr, (!llvm.ptr, i64, i64) -> ()
    llvm.return
  }
  llvm.func internal @momc_sync() {
    %0 = llvm.mlir.addressof @momc_group : !llvm.ptr
    %1 = llvm.load %0 : !llvm.ptr -> !llvm.ptr
    llvm.call %1() : !llvm.ptr, () -> ()
    llvm.return
  }
  llvm.func internal @momc_shuffle(%0: f32, %1: i32) -> f32 {
    %2 = llvm.mlir.addressof @momc_group : !llvm.ptr
    %3 = llvm.getelementptr %2[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
    %4 = llvm.load %3 : !llvm.ptr -> !llvm.ptr
    %5 = llvm.call %4(%0, %1) : !llvm.ptr, (f32, i32) -> f32
    llvm.return %5 : f32
  }
";

const WARP: &str = "  llvm.func internal @momc_sync() attributes {always_inline, convergent} {
    %0 = llvm.mlir.constant(-1 : i32) : i32
    nvvm.bar.warp.sync %0 : i32
    llvm.return
  }
  llvm.func internal @momc_shuffle(%0: f32, %1: i32) -> f32 attributes {always_inline, convergent} {
    %2 = llvm.mlir.constant(-1 : i32) : i32
    %3 = llvm.mlir.constant(31 : i32) : i32
    %4 = nvvm.shfl.sync idx %2, %0, %1, %3 : f32 -> f32
    llvm.return %4 : f32
  }
";

/// Threads of a block, whose warps have nothing to do with each other.
const BLOCK: usize = 128;

/// What the driver launches: `symbol` is called by each warp for its part of `items`. Arguments are buffers and sizes,
/// the number of items and how many a warp does, and the scratch of all warps with the bytes that each has.
pub(super) fn entry(symbol: &str) -> String {
    format!(
        "  llvm.func @{symbol}(%0: !llvm.ptr, %1: !llvm.ptr, %2: i64, %3: i64, %4: !llvm.ptr, %5: i64) \
         attributes {{nvvm.kernel, nvvm.reqntid = array<i32: {BLOCK}>}} {{
    %6 = nvvm.read.ptx.sreg.tid.x : i32
    %7 = nvvm.read.ptx.sreg.ctaid.x : i32
    %8 = arith.extui %6 : i32 to i64
    %9 = arith.extui %7 : i32 to i64
    %threads = arith.constant {THREADS} : i64
    %warps = arith.constant {} : i64
    %lane = arith.remui %8, %threads : i64
    %warp = arith.divui %8, %threads : i64
    %before = arith.muli %9, %warps : i64
    %number = arith.addi %before, %warp : i64
    %first = arith.muli %number, %3 : i64
    %begin = arith.minsi %first, %2 : i64
    %last = arith.addi %begin, %3 : i64
    %end = arith.minsi %last, %2 : i64
    %offset = arith.muli %5, %number : i64
    %scratch = llvm.getelementptr %4[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    llvm.call @{symbol}_warp(%0, %1, %begin, %end, %scratch, %lane) : (!llvm.ptr, !llvm.ptr, i64, i64, !llvm.ptr, i64) -> ()
    llvm.return
  }}
",
        BLOCK / THREADS
    )
}

/// The group that runs a kernel.
pub(super) struct Group {
    /// Scratch that the group has for itself.
    pub(super) scratch: V,
    /// The number of this thread in it.
    lane: V,
    /// Whether memory may have been read, and written, since all threads last waited for each other.
    read: bool,
    written: bool,
}

impl Group {
    pub(super) fn new(scratch: V, lane: V) -> Group {
        Group { scratch, lane, read: true, written: true }
    }
}

impl Emit {
    /// The type of what a thread holds of a `ty`, as it is written.
    pub(super) fn written(&self, ty: Ty) -> String {
        if self.group.is_some() { ty.lane().text() } else { ty.text() }
    }

    /// The threads wait for each other.
    fn sync(&mut self) {
        self.line(format_args!("llvm.call @momc_sync() : () -> ()"));
        if let Some(group) = &mut self.group {
            (group.read, group.written) = (false, false);
        }
    }

    /// To be called before `bytes` bytes are read.
    pub(super) fn reads(&mut self, place: V, bytes: usize) {
        if self.group.as_ref().is_some_and(|group| group.written) {
            self.sync();
        }
        if let Some(group) = &mut self.group {
            group.read = true;
        }
        if self.lanes == Lanes::Coroutines {
            let nothing = self.int(-1);
            self.tells(place, bytes, nothing);
        }
    }

    /// To be called before a value takes the place of `bytes` bytes.
    pub(super) fn writes(&mut self, place: V, bytes: usize, value: V) {
        if self.group.as_ref().is_some_and(|group| group.read || group.written) {
            self.sync();
        }
        if let Some(group) = &mut self.group {
            group.written = true;
        }
        if self.lanes == Lanes::Coroutines {
            let id = value.id;
            let bits = match value.ty {
                Ty::I64 => {
                    let low = self.op(Ty::I32, format_args!("arith.trunci %{id} : i64 to i32")).id;
                    self.op(Ty::I64, format_args!("arith.extui %{low} : i32 to i64"))
                }
                Ty::I32 => self.op(Ty::I64, format_args!("arith.extui %{id} : i32 to i64")),
                _ => {
                    let bits = self.op(Ty::I32, format_args!("arith.bitcast %{id} : f32 to i32")).id;
                    self.op(Ty::I64, format_args!("arith.extui %{bits} : i32 to i64"))
                }
            };
            self.tells(place, bytes, bits);
        }
    }

    /// Tells the emulated device what is read, or written.
    fn tells(&mut self, place: V, bytes: usize, written: V) {
        let bytes = self.int(bytes as i64);
        let (place, bytes, written) = (place.id, bytes.id, written.id);
        self.line(format_args!("llvm.call @momc_access(%{place}, %{bytes}, %{written}) : (!llvm.ptr, i64, i64) -> ()"));
    }

    /// To be called where control flow meets: what was done before depends on the way there.
    pub(super) fn meets(&mut self) {
        if let Some(group) = &mut self.group {
            (group.read, group.written) = (true, true);
        }
    }

    /// The lane of a vector of so many that this thread holds.
    fn lane(&mut self, lane: V, lanes: usize) -> V {
        if lanes >= THREADS { lane } else { self.rem_const(lane, lanes) }
    }

    /// Where the element lies that this thread has of a `ty` from `index` on.
    pub(super) fn own(&mut self, index: V, ty: Ty) -> V {
        match (&self.group, ty) {
            (Some(group), Ty::Vector(lanes)) => {
                let lane = group.lane;
                let lane = self.lane(lane, lanes);
                self.add(index, lane)
            }
            _ => index,
        }
    }

    /// Where lanes are threads: whether this thread's lane is at most `last`.
    pub(super) fn lane_to(&mut self, last: V, lanes: usize) -> Option<V> {
        let lane = self.group.as_ref()?.lane;
        let lane = self.lane(lane, lanes);
        let is_in = self.op(Ty::I1, format_args!("arith.cmpi sle, %{}, %{} : i64", lane.id, last.id));
        Some(V { ty: Ty::Mask(lanes), ..is_in })
    }

    /// What the thread number `source` holds.
    fn of_thread(&mut self, value: V, source: V) -> V {
        let source = self.op(Ty::I32, format_args!("arith.trunci %{} : i64 to i32", source.id));
        let (value_id, source) = (value.id, source.id);
        self.op(value.ty, format_args!("llvm.call @momc_shuffle(%{value_id}, %{source}) : (f32, i32) -> f32"))
    }

    /// Where lanes are threads: the sum of a vector's lanes, in pairs, then in pairs of pairs.
    pub(super) fn sum_over_threads(&mut self, a: V, lanes: usize) -> Option<V> {
        let lane = self.group.as_ref()?.lane;
        let mut sum = V { ty: Ty::F32, ..a };
        let mut distance = 1;
        while distance < lanes {
            let other = self.int(distance as i64);
            let other = self.op(Ty::I64, format_args!("arith.xori %{}, %{} : i64", lane.id, other.id));
            let part = self.of_thread(sum, other);
            sum = self.fadd(sum, part);
            distance *= 2;
        }
        Some(sum)
    }

    /// Where lanes are threads: lanes picked from two vectors, as in [`Emit::shuffle`].
    pub(super) fn shuffle_threads(&mut self, a: V, b: V, picked: &[usize]) -> Option<V> {
        let own = self.group.as_ref()?.lane;
        let lanes = picked.len();
        let lane = self.lane(own, lanes);
        // Which lane this thread picks: bit by bit, each a bit mask over the threads.
        let mut source = self.int(0);
        for bit in 0..=lanes.trailing_zeros() {
            let mask =
                (0..lanes).filter(|&lane| picked[lane] >> bit & 1 == 1).fold(0_i64, |mask, lane| mask | 1 << lane);
            let mask = self.int(mask);
            let (one, places) = (self.int(1), self.int(i64::from(bit)));
            let here = self.op(Ty::I64, format_args!("arith.shrui %{}, %{} : i64", mask.id, lane.id));
            let here = self.op(Ty::I64, format_args!("arith.andi %{}, %{} : i64", here.id, one.id));
            let here = self.op(Ty::I64, format_args!("arith.shli %{}, %{} : i64", here.id, places.id));
            source = self.add(source, here);
        }
        let from = self.rem_const(source, lanes);
        let (of_a, of_b) = (self.of_thread(a, from), self.of_thread(b, from));
        let last = self.int(lanes as i64 - 1);
        let is_a = self.op(Ty::I1, format_args!("arith.cmpi sle, %{}, %{} : i64", source.id, last.id));
        let is_a = V { ty: Ty::Mask(lanes), ..is_a };
        Some(self.select(is_a, of_a, of_b))
    }
}
