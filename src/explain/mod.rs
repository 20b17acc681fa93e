//! What rewriting does to a model: its kernels before and after, what they cost by the model and on this machine, and how
//! the one came from the other. [`text`] writes that as tables, [`page`] as a page with both programs drawn; [`ablation`]
//! says what each rewrite is worth.

pub mod ablation;
mod layout;
pub mod measure;
pub mod page;
pub mod text;

use mom_passes::{
    Program, Rewriting,
    fuse::{
        Fusion, KernelReport,
        cost::{Step, Work},
    },
};
use mom_runtime::plan::{Linear, Plan, Sizes};

pub use self::measure::Times;

/// A model before and after rewriting.
pub struct Explanation {
    pub model: String,
    pub rewriting: Rewriting,
    pub before: Version,
    pub after: Version,
}

/// A program, and which kernel each operation is in.
pub struct Version {
    pub fusion: Fusion,
    pub program: Program,
    /// What the kernels took on this machine, if that was asked for.
    pub times: Option<Times>,
}

impl Version {
    /// The kernels of the regions of one shape.
    pub fn kernels(&self, region: usize) -> &[KernelReport] {
        &self.fusion.regions[region].after
    }

    /// Kernels of a whole step.
    fn kernel_count(&self) -> usize {
        self.fusion.regions.iter().map(|region| region.count * region.after.len()).sum()
    }

    /// Modelled nanoseconds of a step, by its place among those of the report.
    fn modelled(&self, step: usize) -> f64 {
        self.sum(|kernel| kernel.work[step].1)
    }

    /// What all kernels together have of something.
    fn sum(&self, of: impl Fn(&KernelReport) -> f64) -> f64 {
        let regions = self.fusion.regions.iter();
        regions.map(|region| region.count as f64 * region.after.iter().map(&of).sum::<f64>()).sum()
    }

    fn workspace(&self) -> Linear {
        workspace(&self.program.plan)
    }
}

/// The bytes of all slots of a step.
fn workspace(plan: &Plan) -> Linear {
    plan.slots.iter().fold(Linear::default(), |sum, slot| Linear {
        tokens: sum.tokens + slot.tokens,
        sequences: sum.sequences + slot.sequences,
        rows: sum.rows + slot.rows,
        context: sum.context + slot.context,
        constant: sum.constant + slot.constant,
    })
}

/// The sizes of a step as the runtime knows them.
fn sizes(plan: &Plan, step: &Step) -> Sizes {
    let context = plan.context_capacity(step.context);
    Sizes { tokens: step.tokens, sequences: step.sequences, rows: step.sequences, context }
}

impl Explanation {
    /// How much of a kernel's time the machine needs at its limits.
    fn share(&self, work: &Work, ns: f64) -> f64 {
        self.rewriting.machine.limit(work) / ns.max(1.0)
    }
}
