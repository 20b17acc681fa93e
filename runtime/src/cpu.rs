//! Runs kernels on the processor's cores.
//!
//! This is where compiled code is called. What makes that sound is in the plan: [`Plan::validate`] has checked its
//! indices, the session has given every buffer the size that the plan says, and the compiler promises that a kernel
//! stays within these sizes and that the items of one launch write to different places. That promise cannot be checked
//! here, as a kernel's sizes are in its code: an artifact must be trusted like any program.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    artifact::Module,
    buffers::Buffers,
    error::Error,
    group::{self, memory::Fault},
    pack::Packed,
    plan::{Plan, Sizes, WORTH_SHARING_NS},
};

/// A kernel; see [`crate::plan`] for its arguments.
#[derive(Clone, Copy)]
pub(crate) enum Kernel {
    Thread(unsafe extern "C" fn(*const *mut c_void, *const i64, i64, i64)),
    Group(group::Kernel),
}

impl Kernel {
    /// Runs items on this thread.
    ///
    /// # Errors
    /// What a kernel for groups did that it must not do.
    ///
    /// # Safety
    /// The arguments are those that the kernel was compiled for; `bytes` is the plan's scratch of a thread.
    unsafe fn run(
        self,
        buffers: &[*mut c_void],
        ranges: &[Range<usize>],
        sizes: &[i64; 5],
        items: Range<usize>,
        bytes: usize,
    ) -> Result<(), Fault> {
        let (begin, end) = (items.start as i64, items.end as i64);
        let (buffers, sizes) = (buffers.as_ptr(), sizes.as_ptr());
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Kernel::Thread(kernel) => {
                    kernel(buffers, sizes, begin, end);
                    Ok(())
                }
                Kernel::Group(kernel) => group::run(kernel, buffers, sizes, (begin, end), bytes, ranges),
            }
        }
    }
}

/// A step whose launches worth sharing take no longer than this together is not worth waking the threads for.
const WORTH_WAKING_NS: u64 = 40_000;
/// The least work that a thread takes at a time.
const TASK_NS: u64 = 2_000;
/// Tasks for each thread, so that one that is held up, or has items that come to nothing, does not hold up all.
const TASKS_PER_THREAD: usize = 16;
/// How often a thread looks whether a launch is done before it lets others have its core in between.
const SPINS: u32 = 1 << 14;

/// More threads than any machine has use for would only take time to start.
const MOST_THREADS: usize = 1024;

/// Launches of this process so far; the first has the number 1.
static LAUNCHES: AtomicI64 = AtomicI64::new(1);

/// What a kernel is told: the sizes of the step and the number of the launch.
fn sizes_of(sizes: &Sizes, number: i64) -> [i64; 5] {
    let [tokens, sequences, rows, context] = sizes.as_array();
    [tokens, sequences, rows, context, number]
}

/// Where a model runs: some cores of this machine. Clones share the threads.
#[derive(Clone, Debug)]
pub struct Device {
    pool: Arc<rayon::ThreadPool>,
}

impl Device {
    /// All cores that this process may use, up to 1024.
    ///
    /// # Errors
    /// E0611 when threads cannot be started.
    pub fn cpu() -> Result<Device, Error> {
        Device::cpu_threads(std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS))
    }

    /// `threads` threads, at least one. Results are the same bits for any number.
    ///
    /// # Errors
    /// E0611 for more than 1024 threads, or when threads cannot be started.
    pub fn cpu_threads(threads: usize) -> Result<Device, Error> {
        if threads > MOST_THREADS {
            return Err(Error::Device(format!(
                "{threads} threads are too many; use at most {MOST_THREADS}, best one for each core"
            )));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|index| format!("momc {index}"))
            .build()
            .map_err(|cause| Error::Device(format!("cannot start {threads} threads: {cause}")))?;
        Ok(Device { pool: Arc::new(pool) })
    }

    /// Threads that share the work.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` on a thread of the device, whose parallel loops then use all of them.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

/// What a step runs with; all are in the plan's order.
pub(crate) struct Program<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) kernels: &'a [Kernel],
    pub(crate) params: &'a [Arc<Packed>],
}

impl Program<'_> {
    /// Runs all launches of a step for which `buffers` have been reserved.
    pub(crate) fn run(&self, device: &Device, buffers: &mut Buffers, sizes: &Sizes) {
        self.launch(device, buffers, sizes, &|| ());
    }

    /// As [`Program::run`]; adds how long each launch took to `times`.
    pub(crate) fn run_timed(&self, device: &Device, buffers: &mut Buffers, sizes: &Sizes, times: &mut [Duration]) {
        let instants = Mutex::new(Vec::with_capacity(times.len() + 1));
        self.launch(device, buffers, sizes, &|| {
            instants.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        });
        let instants = instants.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (time, ends) in times.iter_mut().zip(instants.windows(2)) {
            *time += ends[1] - ends[0];
        }
    }

    /// `tick` is called when the first launch begins and when each ends, by whichever thread that is.
    fn launch(&self, device: &Device, buffers: &mut Buffers, sizes: &Sizes, tick: &(dyn Fn() + Sync)) {
        let threads = device.threads();
        let first = LAUNCHES.fetch_add(self.plan.launches.len() as i64, Ordering::Relaxed);
        let mut calls = Vec::with_capacity(self.plan.launches.len());
        let mut shared_ns = 0_u64;
        for (number, launch) in (first..).zip(&self.plan.launches) {
            let ranges = match self.plan.target.groups {
                true => {
                    launch.buffers.iter().map(|buffer| buffers.range(self.plan, buffer, self.params, sizes)).collect()
                }
                false => Vec::new(),
            };
            let addresses = launch.buffers.iter().map(|buffer| buffers.address(buffer, self.params)).collect();
            let items = launch.items(sizes);
            let cost = launch.cost_ns(sizes);
            let tasks = tasks(items, cost, threads);
            if tasks > 1 {
                shared_ns = shared_ns.saturating_add(cost);
            }
            calls.push(Call {
                kernel: self.kernels[launch.kernel],
                buffers: addresses,
                ranges,
                sizes: sizes_of(sizes, number),
                items,
                tasks,
                bytes: self.plan.thread_bytes,
                next: AtomicUsize::new(0),
                done: AtomicUsize::new(0),
            });
        }
        let team = Team { calls, fault: Mutex::new(None) };
        if shared_ns >= WORTH_WAKING_NS {
            // This thread is one of the team, so that it need not sleep and be woken.
            device.pool.in_place_scope(|scope| {
                for _ in 1..threads {
                    scope.spawn(|_| team.work(tick));
                }
                team.work(tick);
            });
        } else {
            team.work(tick);
        }
        if let Some((kernel, fault)) = team.fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            panic!("the kernel `{}` is at fault: {fault}", self.plan.kernels[self.plan.launches[kernel].kernel]);
        }
    }
}

/// Into how many tasks to cut so many items that cost so much altogether.
fn tasks(items: usize, cost: u64, threads: usize) -> usize {
    if threads < 2 || cost < WORTH_SHARING_NS {
        return 1;
    }
    let worthwhile = usize::try_from(cost / TASK_NS).unwrap_or(usize::MAX);
    (threads * TASKS_PER_THREAD).min(items).min(worthwhile).max(1)
}

/// A step's launches, at which all threads work side by side: each takes task after task of a launch and goes on to the
/// next launch when all its tasks are done. The threads are woken once a step; within it, waiting is spinning, since a
/// step has hundreds of launches that last some microseconds each. A thread that comes late or is held up costs its
/// share of the work only: those that are there do all the tasks.
struct Team {
    calls: Vec<Call>,
    /// The first fault of a kernel for groups, and in which launch it was.
    fault: Mutex<Option<(usize, Fault)>>,
}

/// A kernel, its arguments, and how far the threads are with it.
struct Call {
    kernel: Kernel,
    buffers: Vec<*mut c_void>,
    /// Where they lie, for devices that look.
    ranges: Vec<Range<usize>>,
    sizes: [i64; 5],
    items: usize,
    tasks: usize,
    /// Scratch of a thread.
    bytes: usize,
    /// The next task to be taken.
    next: AtomicUsize,
    done: AtomicUsize,
}

// SAFETY: the addresses belong to buffers that outlive the step. The items of a launch write to different places of
// them, so that any thread may do any item; launches follow one another, as `work` sees to.
unsafe impl Sync for Team {}

impl Team {
    fn fault(&self) -> MutexGuard<'_, Option<(usize, Fault)>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Program::launch`] for `tick`.
    fn work(&self, tick: &(dyn Fn() + Sync)) {
        for (number, call) in self.calls.iter().enumerate() {
            loop {
                let task = call.next.fetch_add(1, Ordering::Relaxed);
                if task >= call.tasks {
                    break;
                }
                if (number, task) == (0, 0) {
                    tick();
                }
                let border = |task: usize| (call.items as u128 * task as u128 / call.tasks as u128) as usize;
                // After a fault, buffers may hold anything.
                let is_over = call.is_for_groups() && self.fault().is_some();
                if !is_over && let Err(fault) = call.items(border(task)..border(task + 1)) {
                    self.fault().get_or_insert((number, fault));
                }
                // What was written is seen by whoever sees the task done.
                if call.done.fetch_add(1, Ordering::Release) + 1 == call.tasks {
                    tick();
                }
            }
            let mut spins = 0_u32;
            while call.done.load(Ordering::Acquire) < call.tasks {
                spins += 1;
                if spins < SPINS {
                    std::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            }
        }
    }
}

impl Call {
    fn is_for_groups(&self) -> bool {
        matches!(self.kernel, Kernel::Group(_))
    }

    fn items(&self, range: Range<usize>) -> Result<(), Fault> {
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the buffers are as large as the plan says for these sizes, and the items are among the launch's.
        unsafe { self.kernel.run(&self.buffers, &self.ranges, &self.sizes, range, self.bytes) }
    }
}

impl Module {
    /// Runs all `items` of the plan's kernel number `kernel` on this thread, outside of any model: for whoever holds a
    /// kernel against something else. `buffers` are its buffers in order, as bits; they must have the sizes that the
    /// kernel was compiled for.
    ///
    /// # Errors
    /// What a kernel for groups of threads did that it must not do.
    pub fn call(&self, kernel: usize, buffers: &mut [Vec<u32>], sizes: &Sizes, items: usize) -> Result<(), Fault> {
        let Some(&kernel) = self.code().get(kernel) else { return Ok(()) };
        let range = |buffer: &Vec<u32>| buffer.as_ptr().addr()..buffer.as_ptr_range().end.addr();
        let ranges: Vec<Range<usize>> = buffers.iter().map(range).collect();
        let buffers: Vec<*mut c_void> = buffers.iter_mut().map(|buffer| buffer.as_mut_ptr().cast()).collect();
        let sizes = sizes_of(sizes, LAUNCHES.fetch_add(1, Ordering::Relaxed));
        // SAFETY: the caller gives the buffers that the kernel expects; an artifact is trusted, as `Module::load` says.
        unsafe { kernel.run(&buffers, &ranges, &sizes, 0..items, self.plan().thread_bytes) }
    }
}

/// Kernels of a small model for tests: embeddings, a fading sum, a cache and a ring, logits. All rows have [`WIDTH`]
/// elements.
///
/// [`WIDTH`]: test_kernels::WIDTH
#[cfg(test)]
pub(crate) mod test_kernels {
    use std::{ffi::c_void, slice};

    use super::Kernel;

    pub(crate) const WIDTH: usize = 3;
    pub(crate) const VOCAB: usize = 7;
    /// Tokens that the ring has room for.
    pub(crate) const RING: usize = 2;

    pub(crate) const ALL: [Kernel; 3] = [Kernel::Thread(embed), Kernel::Thread(remember), Kernel::Thread(logits)];

    /// Rows of one buffer.
    struct Rows(*mut c_void);

    impl Rows {
        /// # Safety
        /// The buffer has more than `row` rows of `width` elements of type T, and nobody else uses this one.
        unsafe fn row<'a, T>(&self, row: usize, width: usize) -> &'a mut [T] {
            // SAFETY: as above.
            unsafe { slice::from_raw_parts_mut(self.0.cast::<T>().add(row * width), width) }
        }
    }

    /// # Safety
    /// As for every kernel; the buffers are `N`.
    unsafe fn arguments<const N: usize>(buffers: *const *mut c_void) -> [Rows; N] {
        // SAFETY: as above.
        std::array::from_fn(|index| Rows(unsafe { *buffers.add(index) }))
    }

    /// Buffers: table, tokens, x. Items: tokens.
    unsafe extern "C" fn embed(buffers: *const *mut c_void, _: *const i64, begin: i64, end: i64) {
        // SAFETY: the test's plan gives these buffers their sizes.
        unsafe {
            let [table, tokens, x] = arguments(buffers);
            for token in begin as usize..end as usize {
                let [number] = *tokens.row::<i32>(token, 1) else { return };
                x.row::<f32>(token, WIDTH).copy_from_slice(table.row(number as usize, WIDTH));
            }
        }
    }

    /// Buffers: x, position, cu_seqlens, sum, cache, ring, y. Items: sequences.
    unsafe extern "C" fn remember(buffers: *const *mut c_void, sizes: *const i64, begin: i64, end: i64) {
        // SAFETY: the test's plan gives these buffers their sizes.
        unsafe {
            let [x, position, cu_seqlens, sum, cache, ring, y] = arguments(buffers);
            let room = *sizes.add(3) as usize;
            for sequence in begin as usize..end as usize {
                let sum = sum.row::<f32>(sequence, WIDTH);
                let cache = cache.row::<f32>(sequence, room * WIDTH);
                let ring = ring.row::<f32>(sequence, RING * WIDTH);
                let border = |index| cu_seqlens.row::<i32>(index, 1)[0] as usize;
                for token in border(sequence)..border(sequence + 1) {
                    let (x, y) = (x.row::<f32>(token, WIDTH), y.row::<f32>(token, WIDTH));
                    let position = position.row::<i32>(token, 1)[0];
                    if position < 0 {
                        y.fill(0.0);
                        continue;
                    }
                    let position = position as usize;
                    for (column, x) in x.iter().enumerate() {
                        sum[column] = 0.5 * sum[column] + x;
                        cache[position * WIDTH + column] = *x;
                        let attended: f32 = (0..=position).map(|at| cache[at * WIDTH + column] / (at + 1) as f32).sum();
                        let place = position % RING * WIDTH + column;
                        y[column] = sum[column] + attended + ring[place];
                        ring[place] = *x;
                    }
                }
            }
        }
    }

    /// Buffers: y, rows, head, logits. Items: rows.
    unsafe extern "C" fn logits(buffers: *const *mut c_void, _: *const i64, begin: i64, end: i64) {
        // SAFETY: the test's plan gives these buffers their sizes.
        unsafe {
            let [y, rows, head, logits] = arguments(buffers);
            for row in begin as usize..end as usize {
                let y = y.row::<f32>(rows.row::<i32>(row, 1)[0] as usize, WIDTH);
                for (token, logit) in logits.row::<f32>(row, VOCAB).iter_mut().enumerate() {
                    *logit = (0..WIDTH).map(|column| y[column] * head.row::<f32>(column, VOCAB)[token]).sum();
                }
            }
        }
    }
}
