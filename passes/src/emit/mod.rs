//! Writes kernels as MLIR text of the upstream dialects `scf`, `arith`, `vector`, `math` and `llvm`.
//!
//! A kernel is a function of four arguments, or of six for groups of threads (see `mom_runtime::plan`). It addresses its
//! buffers by element, with `llvm` loads and stores, since their sizes are known only when a step runs. Writing text keeps
//! values plain numbers without lifetimes, and what `--emit tiled` shows is what is compiled; MLIR parses and verifies it
//! before anything else looks at it. Arithmetic is strict: nothing reassociates unless the kernel says so, so a result
//! depends on its own row or segment alone and not on how the work was cut.

use std::fmt::Write;

mod float;
mod group;
mod types;

use group::Group;
pub(crate) use group::{Lanes, THREADS};
pub(crate) use types::Ty;

/// A value inside a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct V {
    id: u32,
    pub(crate) ty: Ty,
}

/// How two integers compare.
#[derive(Clone, Copy)]
pub(crate) enum Compare {
    Less,
    LessEqual,
    GreaterEqual,
}

/// The scratch of a thread, and the f32 elements at its beginning that are [`Emit::thread_mark`]: a cache line.
const THREAD_SCRATCH: &str = "momc_thread_scratch";
const MARK: usize = 16;

/// A module of kernels for a target, the most demanding of which needs so many bytes of scratch a thread.
pub(crate) fn module<'k>(kernels: impl IntoIterator<Item = &'k String>, lanes: Lanes, thread_bytes: usize) -> String {
    let mut text = String::from("module {\n");
    text.push_str(lanes.together());
    if !lanes.are_threads() && thread_bytes > 0 {
        let ty = format!("!llvm.array<{} x f32>", thread_bytes / 4);
        // The first access of a thread allocates, in a library call during which LLVM 22 keeps values in the registers
        // zmm16 to zmm31 that the call does not preserve. In a function that is never inlined nothing else is alive.
        let _ = write!(
            text,
            "  llvm.mlir.global internal thread_local @{THREAD_SCRATCH}() {{alignment = 64 : i64}} : {ty} {{\n    \
             %0 = llvm.mlir.zero : {ty}\n    llvm.return %0 : {ty}\n  }}\n  \
             llvm.func weak @{THREAD_SCRATCH}_address() -> !llvm.ptr attributes {{passthrough = [\"noinline\"]}} {{\n    \
             %0 = llvm.mlir.addressof @{THREAD_SCRATCH} : !llvm.ptr\n    llvm.return %0 : !llvm.ptr\n  }}\n"
        );
    }
    kernels.into_iter().for_each(|kernel| text.push_str(kernel));
    text + "}\n"
}

/// The kernel that is being written.
pub(crate) struct Emit {
    symbol: String,
    /// Attributes of the function, each with its name.
    attributes: Vec<String>,
    /// f32 elements of the thread's scratch that are taken.
    thread_elements: usize,
    /// The function's body.
    text: String,
    depth: usize,
    next: u32,
    buffers: V,
    sizes: V,
    pub(crate) begin: V,
    pub(crate) end: V,
    lanes: Lanes,
    /// Where lanes are threads.
    group: Option<Group>,
}

impl Emit {
    /// Starts a kernel called `symbol`; `schedule` is printed as an attribute of the function.
    pub(crate) fn kernel(symbol: &str, schedule: &str, lanes: Lanes) -> Emit {
        let attributes = if schedule.is_empty() { Vec::new() } else { vec![format!("schedule = {{{schedule}}}")] };
        let v = |id, ty| V { id, ty };
        Emit {
            symbol: symbol.into(),
            attributes,
            thread_elements: 0,
            text: String::new(),
            depth: 2,
            next: if lanes.are_threads() { 6 } else { 4 },
            buffers: v(0, Ty::Ptr),
            sizes: v(1, Ty::Ptr),
            begin: v(2, Ty::I64),
            end: v(3, Ty::I64),
            lanes,
            group: lanes.are_threads().then(|| Group::new(v(4, Ty::Ptr), v(5, Ty::I64))),
        }
    }

    /// The kernel as text, and the bytes of scratch that a thread needs for it.
    pub(crate) fn finish(self) -> (String, usize) {
        let Emit { symbol, attributes, text, thread_elements, group, lanes, .. } = self;
        let attributes = match attributes.join(", ") {
            none if none.is_empty() => none,
            some => format!("attributes {{{some}}} "),
        };
        let more = if group.is_some() { ", %4: !llvm.ptr, %5: i64" } else { "" };
        let arguments = format!("%0: !llvm.ptr, %1: !llvm.ptr, %2: i64, %3: i64{more}");
        let text = match lanes {
            Lanes::Warp => {
                let entry = group::entry(&symbol);
                format!(
                    "  llvm.func internal @{symbol}_warp({arguments}) {attributes}{{\n{text}    llvm.return\n  }}\n{entry}"
                )
            }
            _ => format!("  func.func @{symbol}({arguments}) {attributes}{{\n{text}    return\n  }}\n"),
        };
        (text, if thread_elements == 0 { 0 } else { 4 * (MARK + thread_elements) })
    }

    /// Tells LLVM that loops are to stay as they are written: what is worth unrolling is unrolled already, and where
    /// there are hundreds of loops trying costs seconds.
    pub(crate) fn keep_loops(&mut self) {
        self.attributes.push("passthrough = [\"optsize\"]".into());
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
        let _ = self.text.write_fmt(text);
        self.text.push('\n');
    }

    fn fresh(&mut self, ty: Ty) -> V {
        self.next += 1;
        V { id: self.next - 1, ty }
    }

    fn op(&mut self, ty: Ty, text: std::fmt::Arguments<'_>) -> V {
        let value = self.fresh(ty);
        self.line(format_args!("%{} = {text}", value.id));
        value
    }

    // Buffers and sizes.

    /// The address of the launch's buffer number `index`.
    pub(crate) fn buffer(&mut self, index: usize) -> V {
        let index = self.int(index as i64);
        self.buffer_at(index)
    }

    /// The address of a buffer whose number is known when the kernel runs.
    pub(crate) fn buffer_at(&mut self, index: V) -> V {
        let (buffers, id) = (self.buffers.id, index.id);
        let place = self.op(
            Ty::Ptr,
            format_args!("llvm.getelementptr inbounds %{buffers}[%{id}] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.ptr"),
        );
        self.op(Ty::Ptr, format_args!("llvm.load %{} : !llvm.ptr -> !llvm.ptr", place.id))
    }

    /// The step's size number `index`: T, B, L, C, then the number of the launch.
    pub(crate) fn size(&mut self, index: usize) -> V {
        let at = self.int(index as i64);
        let (sizes, id) = (self.sizes.id, at.id);
        let place = self.op(
            Ty::Ptr,
            format_args!("llvm.getelementptr inbounds %{sizes}[%{id}] : (!llvm.ptr, i64) -> !llvm.ptr, i64"),
        );
        self.op(Ty::I64, format_args!("llvm.load %{} : !llvm.ptr -> i64", place.id))
    }

    fn element(&mut self, pointer: V, index: V, element: &str) -> V {
        let (pointer, index) = (pointer.id, index.id);
        self.op(
            Ty::Ptr,
            format_args!("llvm.getelementptr inbounds %{pointer}[%{index}] : (!llvm.ptr, i64) -> !llvm.ptr, {element}"),
        )
    }

    /// Loads f32 (`F32`, `Vector`) from element `index` of an f32 buffer.
    pub(crate) fn load(&mut self, pointer: V, index: V, ty: Ty) -> V {
        let index = self.own(index, ty);
        let place = self.element(pointer, index, "f32");
        self.reads(place, 4);
        let place = place.id;
        self.op(ty, format_args!("llvm.load %{place} {{alignment = 4 : i64}} : !llvm.ptr -> {}", self.written(ty)))
    }

    pub(crate) fn store(&mut self, value: V, pointer: V, index: V) {
        let index = self.own(index, value.ty);
        let place = self.element(pointer, index, "f32");
        self.writes(place, 4, value);
        let place = place.id;
        let (id, ty) = (value.id, self.written(value.ty));
        self.line(format_args!("llvm.store %{id}, %{place} {{alignment = 4 : i64}} : {ty}, !llvm.ptr"));
    }

    /// Asks for the cache line of element `index` of an f32 buffer, which will be read or written soon.
    pub(crate) fn prefetch(&mut self, pointer: V, index: V) {
        // While one group of threads waits for memory, its processor runs others.
        if self.group.is_some() {
            return;
        }
        let place = self.element(pointer, index, "f32").id;
        self.line(format_args!(
            "\"llvm.intr.prefetch\"(%{place}) {{rw = 0 : i32, hint = 3 : i32, cache = 1 : i32}} : (!llvm.ptr) -> ()"
        ));
    }

    /// Loads from a bf16 buffer and widens to f32, which is exact.
    pub(crate) fn load_bf16(&mut self, pointer: V, index: V, ty: Ty) -> V {
        let index = self.own(index, ty);
        let place = self.element(pointer, index, "i16");
        self.reads(place, 2);
        let place = place.id;
        let narrow = match ty {
            Ty::Vector(lanes) if self.group.is_none() => Ty::Shorts(lanes).text(),
            _ => "i16".into(),
        };
        let wide = self.written(ty.integers());
        let bits =
            self.op(ty.integers(), format_args!("llvm.load %{place} {{alignment = 2 : i64}} : !llvm.ptr -> {narrow}"));
        let extended = self.op(ty.integers(), format_args!("arith.extui %{} : {narrow} to {wide}", bits.id));
        let sixteen = self.integer_splat(16, ty);
        let shifted = self.op(ty.integers(), format_args!("arith.shli %{}, %{} : {wide}", extended.id, sixteen.id));
        self.op(ty, format_args!("arith.bitcast %{} : {wide} to {}", shifted.id, self.written(ty)))
    }

    /// Loads an element of an i32 buffer, as i64.
    pub(crate) fn load_index(&mut self, pointer: V, index: V) -> V {
        let place = self.element(pointer, index, "i32");
        self.reads(place, 4);
        let place = place.id;
        let value = self.op(Ty::I32, format_args!("llvm.load %{place} : !llvm.ptr -> i32"));
        self.op(Ty::I64, format_args!("arith.extsi %{} : i32 to i64", value.id))
    }

    /// A whole number of 64 bits, which takes the place of two elements.
    pub(crate) fn load_word(&mut self, pointer: V, index: usize) -> V {
        let place = self.word(pointer, index);
        self.reads(place, 8);
        self.op(Ty::I64, format_args!("llvm.load %{} : !llvm.ptr -> i64", place.id))
    }

    pub(crate) fn store_word(&mut self, value: V, pointer: V, index: usize) {
        let place = self.word(pointer, index);
        self.writes(place, 8, value);
        self.line(format_args!("llvm.store %{}, %{} : i64, !llvm.ptr", value.id, place.id));
    }

    fn word(&mut self, pointer: V, index: usize) -> V {
        let index = self.int(index as i64);
        self.element(pointer, index, "i64")
    }

    pub(crate) fn store_index(&mut self, value: V, pointer: V, index: V) {
        let narrow = self.op(Ty::I32, format_args!("arith.trunci %{} : i64 to i32", value.id));
        let place = self.element(pointer, index, "i32");
        self.writes(place, 4, narrow);
        let (narrow, place) = (narrow.id, place.id);
        self.line(format_args!("llvm.store %{narrow}, %{place} : i32, !llvm.ptr"));
    }

    /// Room for `elements` f32 on the stack; to be asked for outside of loops.
    pub(crate) fn scratch(&mut self, elements: usize) -> V {
        // A stack is its thread's alone.
        if self.group.is_some() {
            return self.thread_scratch(elements);
        }
        let count = self.int(elements as i64).id;
        self.op(Ty::Ptr, format_args!("llvm.alloca %{count} x f32 {{alignment = 64 : i64}} : (i64) -> !llvm.ptr"))
    }

    /// Room for `elements` f32 in the scratch that a thread has as long as it lives: stacks of threads are small, and a
    /// kernel may need megabytes. Other kernels have it too, so that anything may lie there when a launch begins; what a
    /// task leaves there is still there in the thread's next task of the launch. To be asked for outside of loops.
    pub(crate) fn thread_scratch(&mut self, elements: usize) -> V {
        let first = self.int((MARK + self.thread_elements) as i64);
        self.thread_elements += elements.next_multiple_of(MARK);
        let base = self.thread_mark();
        self.address(base, first)
    }

    /// Two words of the thread's scratch that tell what lies in the rest of it: the number of the launch that put it
    /// there, and what that launch will. No kernel uses them for anything else, and they are zero at first.
    pub(crate) fn thread_mark(&mut self) -> V {
        match &self.group {
            Some(group) => group.scratch,
            None => self.op(Ty::Ptr, format_args!("llvm.call @{THREAD_SCRATCH}_address() : () -> !llvm.ptr")),
        }
    }

    /// The address of element `index` of an f32 buffer.
    pub(crate) fn address(&mut self, pointer: V, index: V) -> V {
        self.element(pointer, index, "f32")
    }

    /// The lanes of a `ty` whose number is at most `last`, as a mask; for a scalar, whether `last` is not negative.
    pub(crate) fn lanes_to(&mut self, last: V, ty: Ty) -> V {
        if let Ty::Vector(lanes) = ty
            && let Some(mask) = self.lane_to(last, lanes)
        {
            return mask;
        }
        let integers = ty.integers();
        let last = self.op(Ty::I32, format_args!("arith.trunci %{} : i64 to i32", last.id));
        let Ty::Vector(lanes) = ty else {
            let zero = self.op(Ty::I32, format_args!("arith.constant 0 : i32"));
            return self.op(Ty::I1, format_args!("arith.cmpi sge, %{}, %{} : i32", last.id, zero.id));
        };
        let numbers: Vec<String> = (0..lanes).map(|lane| lane.to_string()).collect();
        let (numbers, text) = (numbers.join(", "), self.written(integers));
        let numbers = self.op(integers, format_args!("arith.constant dense<[{numbers}]> : {text}"));
        let last = self.op(integers, format_args!("vector.broadcast %{} : i32 to {text}", last.id));
        self.op(ty.mask(), format_args!("arith.cmpi sle, %{}, %{} : {text}", numbers.id, last.id))
    }

    /// Lanes picked from two vectors, those of `b` counted on from those of `a`.
    pub(crate) fn shuffle(&mut self, a: V, b: V, lanes: &[usize]) -> V {
        if let Some(picked) = self.shuffle_threads(a, b, lanes) {
            return picked;
        }
        let ty = a.ty.text();
        let lanes: Vec<String> = lanes.iter().map(usize::to_string).collect();
        self.op(a.ty, format_args!("vector.shuffle %{}, %{} [{}] : {ty}, {ty}", a.id, b.id, lanes.join(", ")))
    }

    // Integers.

    pub(crate) fn int(&mut self, value: i64) -> V {
        self.op(Ty::I64, format_args!("arith.constant {value} : i64"))
    }

    fn int_op(&mut self, name: &str, a: V, b: V) -> V {
        self.op(Ty::I64, format_args!("arith.{name} %{}, %{} : i64", a.id, b.id))
    }

    pub(crate) fn add(&mut self, a: V, b: V) -> V {
        self.int_op("addi", a, b)
    }

    pub(crate) fn sub(&mut self, a: V, b: V) -> V {
        self.int_op("subi", a, b)
    }

    pub(crate) fn mul(&mut self, a: V, b: V) -> V {
        self.int_op("muli", a, b)
    }

    /// Quotient of numbers that are not negative.
    pub(crate) fn div(&mut self, a: V, b: V) -> V {
        self.divide("divui", a, b)
    }

    pub(crate) fn rem(&mut self, a: V, b: V) -> V {
        self.divide("remui", a, b)
    }

    fn divide(&mut self, name: &str, a: V, b: V) -> V {
        if !self.lanes.are_threads() {
            return self.int_op(name, a, b);
        }
        // GPUs divide numbers of 64 bits in a function, around which registers are spilled. These fit into 32.
        let [a, b] = [a, b].map(|x| self.op(Ty::I32, format_args!("arith.trunci %{} : i64 to i32", x.id)));
        let result = self.op(Ty::I32, format_args!("arith.{name} %{}, %{} : i32", a.id, b.id));
        self.op(Ty::I64, format_args!("arith.extui %{} : i32 to i64", result.id))
    }

    pub(crate) fn min(&mut self, a: V, b: V) -> V {
        self.int_op("minsi", a, b)
    }

    pub(crate) fn max(&mut self, a: V, b: V) -> V {
        self.int_op("maxsi", a, b)
    }

    pub(crate) fn add_const(&mut self, a: V, b: usize) -> V {
        let b = self.int(b as i64);
        self.add(a, b)
    }

    pub(crate) fn mul_const(&mut self, a: V, b: usize) -> V {
        let b = self.int(b as i64);
        self.mul(a, b)
    }

    pub(crate) fn div_const(&mut self, a: V, b: usize) -> V {
        let b = self.int(b as i64);
        self.div(a, b)
    }

    pub(crate) fn rem_const(&mut self, a: V, b: usize) -> V {
        let b = self.int(b as i64);
        self.rem(a, b)
    }

    /// `a · stride + b`, the usual address of two indices.
    pub(crate) fn at(&mut self, a: V, stride: usize, b: V) -> V {
        let product = self.mul_const(a, stride);
        self.add(product, b)
    }

    pub(crate) fn compare(&mut self, how: Compare, a: V, b: V) -> V {
        let predicate = match how {
            Compare::Less => "slt",
            Compare::LessEqual => "sle",
            Compare::GreaterEqual => "sge",
        };
        self.op(Ty::I1, format_args!("arith.cmpi {predicate}, %{}, %{} : i64", a.id, b.id))
    }

    pub(crate) fn and(&mut self, a: V, b: V) -> V {
        self.op(Ty::I1, format_args!("arith.andi %{}, %{} : i1", a.id, b.id))
    }

    pub(crate) fn or(&mut self, a: V, b: V) -> V {
        self.op(Ty::I1, format_args!("arith.ori %{}, %{} : i1", a.id, b.id))
    }

    /// Whether two integers differ.
    pub(crate) fn differ(&mut self, a: V, b: V) -> V {
        self.op(Ty::I1, format_args!("arith.cmpi ne, %{}, %{} : i64", a.id, b.id))
    }

    pub(crate) fn select(&mut self, condition: V, yes: V, no: V) -> V {
        let condition_ty = match condition.ty {
            Ty::Mask(_) if self.group.is_none() => format!("{}, ", condition.ty.text()),
            _ => String::new(),
        };
        self.op(
            yes.ty,
            format_args!(
                "arith.select %{}, %{}, %{} : {condition_ty}{}",
                condition.id,
                yes.id,
                no.id,
                self.written(yes.ty)
            ),
        )
    }

    // Control flow.

    /// `for index in begin..end step step`, carrying values round; the body gives the next ones.
    pub(crate) fn fold(
        &mut self,
        begin: V,
        end: V,
        step: usize,
        carried: &[V],
        body: impl FnOnce(&mut Emit, V, &[V]) -> Vec<V>,
    ) -> Vec<V> {
        let step = self.int(step as i64).id;
        let results: Vec<V> = carried.iter().map(|value| self.fresh(value.ty)).collect();
        let index = self.fresh(Ty::I64);
        let inner: Vec<V> = carried.iter().map(|value| self.fresh(value.ty)).collect();
        let mut head = String::new();
        // Results of one operation share one number in MLIR's own numbering; named one by one they read better.
        if !results.is_empty() {
            let names: Vec<String> = results.iter().map(|value| format!("%{}", value.id)).collect();
            let _ = write!(head, "{} = ", names.join(", "));
        }
        let _ = write!(head, "scf.for %{} = %{} to %{} step %{step}", index.id, begin.id, end.id);
        if !results.is_empty() {
            let pairs: Vec<String> =
                inner.iter().zip(carried).map(|(inner, outer)| format!("%{} = %{}", inner.id, outer.id)).collect();
            let _ = write!(head, " iter_args({}) -> ({})", pairs.join(", "), self.types(&results));
        }
        self.line(format_args!("{head} : i64 {{"));
        self.block(|emit| body(emit, index, &inner));
        self.line(format_args!("}}"));
        results
    }

    /// `for index in begin..end step step`.
    pub(crate) fn for_each(&mut self, begin: V, end: V, step: usize, body: impl FnOnce(&mut Emit, V)) {
        self.fold(begin, end, step, &[], |emit, index, _| {
            body(emit, index);
            Vec::new()
        });
    }

    /// `for index in 0..count`.
    pub(crate) fn count(&mut self, count: usize, body: impl FnOnce(&mut Emit, V)) {
        let (zero, count) = (self.int(0), self.int(count as i64));
        self.for_each(zero, count, 1, body);
    }

    pub(crate) fn when(&mut self, condition: V, body: impl FnOnce(&mut Emit)) {
        self.line(format_args!("scf.if %{} {{", condition.id));
        self.block(|emit| {
            body(emit);
            Vec::new()
        });
        self.line(format_args!("}}"));
    }

    pub(crate) fn when_else(&mut self, condition: V, yes: impl FnOnce(&mut Emit), no: impl FnOnce(&mut Emit)) {
        self.line(format_args!("scf.if %{} {{", condition.id));
        self.block(|emit| {
            yes(emit);
            Vec::new()
        });
        self.line(format_args!("}} else {{"));
        self.block(|emit| {
            no(emit);
            Vec::new()
        });
        self.line(format_args!("}}"));
    }

    /// Values of the types `types`, from one branch or the other.
    pub(crate) fn either(
        &mut self,
        condition: V,
        types: &[Ty],
        yes: impl FnOnce(&mut Emit) -> Vec<V>,
        no: impl FnOnce(&mut Emit) -> Vec<V>,
    ) -> Vec<V> {
        let results: Vec<V> = types.iter().map(|&ty| self.fresh(ty)).collect();
        let mut head = String::new();
        if !results.is_empty() {
            let names: Vec<String> = results.iter().map(|value| format!("%{}", value.id)).collect();
            let _ = write!(head, "{} = ", names.join(", "));
        }
        let _ = write!(head, "scf.if %{}", condition.id);
        if !results.is_empty() {
            let _ = write!(head, " -> ({})", self.types(&results));
        }
        self.line(format_args!("{head} {{"));
        self.block(yes);
        self.line(format_args!("}} else {{"));
        self.block(no);
        self.line(format_args!("}}"));
        results
    }

    /// The inside of a loop or a branch.
    fn block(&mut self, body: impl FnOnce(&mut Emit) -> Vec<V>) {
        self.depth += 1;
        self.meets();
        let values = body(self);
        self.yields(&values);
        self.meets();
        self.depth -= 1;
    }

    fn yields(&mut self, values: &[V]) {
        if !values.is_empty() {
            let names: Vec<String> = values.iter().map(|value| format!("%{}", value.id)).collect();
            let types = self.types(values);
            self.line(format_args!("scf.yield {} : {types}", names.join(", ")));
        }
    }

    fn types(&self, values: &[V]) -> String {
        let types: Vec<String> = values.iter().map(|value| self.written(value.ty)).collect();
        types.join(", ")
    }
}
