//! What each rewrite is worth: the program without any, with each left out, and with all, as tables for a document.
//!
//! A program is measured against the one with all rewrites, round by round in turn, so a time says how many times
//! as long it takes. Of a layer with a scan there is a second table of its part outside the dense products: what the layer
//! moves, less what its products would move by themselves, and what it takes, less what the products of the program without
//! rewrites take.

use std::path::Path;

use mom_passes::{
    Rewriting,
    fuse::{
        KernelReport,
        cost::{Step, Work},
    },
};
use mom_runtime::show_bytes;

use super::{
    Version,
    measure::{Times, interleaved, load},
    sizes,
};
use crate::{failure::Failure, show::time, spec::fp_name};

/// What programs are asked for: a prompt, and a token of one sequence and of eight.
const ASKED: [Step; 3] = [
    Step { name: "prefill of 2,048", tokens: 2048, sequences: 1, context: 2048, times: 1.0 },
    Step { name: "decode", tokens: 1, sequences: 1, context: 128, times: 1.0 },
    Step { name: "decode, batch 8", tokens: 8, sequences: 8, context: 128, times: 1.0 },
];

/// The steps that it takes to do what programs are asked for, and how many of each.
pub fn steps(block_tokens: usize) -> Vec<Step> {
    let cut = |asked: Step| {
        let tokens = asked.tokens.min(block_tokens);
        Step { tokens, times: asked.tokens.div_ceil(tokens) as f64, ..asked }
    };
    ASKED.map(cut).to_vec()
}

/// A model with and without rewrites. What the steps of the reports are is what [`steps`] answers.
pub struct Ablation {
    pub model: String,
    pub rewriting: Rewriting,
    /// No rewrite, each left out, all; the last is what others are held against.
    pub variants: Vec<Variant>,
}

pub struct Variant {
    pub name: String,
    pub version: Version,
    /// Whether it is the program that all rewrites make.
    pub same: bool,
    /// In the same rounds: this program and the one with all rewrites.
    pub times: Option<[Times; 2]>,
}

impl Ablation {
    /// Measures each program that is not the one with all rewrites against that one. Artifacts go into `folder`, which is
    /// the caller's to remove. Calls `progress` with the number of programs that are done.
    ///
    /// # Errors
    /// A fault of momc, E0604 for a target that this machine is not, E0610 where there is no memory for two models.
    pub fn measure(&mut self, folder: &Path, progress: &mut dyn FnMut(usize)) -> Result<(), Failure> {
        let Some((all, others)) = self.variants.split_last_mut() else { return Ok(()) };
        let model = load(&all.version.program, &folder.join("all.so"))?;
        for (number, variant) in others.iter_mut().enumerate().filter(|(_, variant)| !variant.same) {
            let other = load(&variant.version.program, &folder.join(format!("{number}.so")))?;
            let (mut own, mut best) = (Vec::new(), Vec::new());
            for step in &ASKED {
                let [one, two] = interleaved([&other, &model], step)?;
                own.push(one);
                best.push(two);
            }
            progress(number + 1);
            variant.times = Some([Times::new(&variant.version, own), Times::new(&all.version, best)]);
        }
        Ok(())
    }

    /// The tables, as Markdown.
    pub fn write(&self) -> String {
        let (Some(none), Some(all)) = (self.variants.first(), self.variants.last()) else { return String::new() };
        let mut text = format!(
            "Model {}, fp {}, for {}.\n\n",
            self.model,
            fp_name(self.rewriting.selection.numerics),
            all.version.program.plan.target.name
        );
        text += &self.table(&["launches"], &["moved", "peak", "modelled"], &|variant| self.whole(variant));
        for (index, region) in all.version.fusion.regions.iter().enumerate() {
            if region.before.iter().any(|kernel| kernel.ops.iter().any(|op| op == "scan")) {
                let layer = Layer { ablation: self, region: index, none: &none.version, all: &all.version };
                text +=
                    &format!("\nOutside the dense products of {}, {} in the program:\n\n", region.name, region.count);
                let counts = ["launches without a product", "with one"];
                text += &self.table(&counts, &["moved", "modelled"], &|variant| layer.row(variant));
            }
        }
        let same: Vec<&str> = self.left_out().filter(|variant| variant.same).map(|variant| &variant.name[..]).collect();
        if !same.is_empty() {
            text += &format!("\nThe same program as with all rewrites: {}.\n", same.join(", "));
        }
        text
    }

    /// One row for each program that is not shown otherwise. Of each step there are the same columns, measured times last.
    fn table(&self, counts: &[&str], columns: &[&str], row: &dyn Fn(&Variant) -> Vec<String>) -> String {
        let measured = self.reference().map(|_| "measured");
        let mut header: Vec<String> = ["program"].iter().chain(counts).map(|&name| name.to_owned()).collect();
        for step in &self.rewriting.steps {
            let first = header.len();
            header.extend(columns.iter().copied().chain(measured).map(str::to_owned));
            header[first] = format!("{}: {}", step.name, header[first]);
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&header);
        // Numbers are flush right.
        text += &format!("| --- |{}\n", " ---: |".repeat(header.len() - 1));
        let (none, all) = (self.variants.iter().take(1), self.variants.iter().skip(1).last());
        for variant in none.chain(self.left_out().filter(|variant| !variant.same)).chain(all) {
            text += &line(&[vec![variant.name.clone()], row(variant)].concat());
        }
        text
    }

    /// The programs that lack one rewrite.
    fn left_out(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().take(self.variants.len().saturating_sub(1)).skip(1)
    }

    /// Of the whole model: launches, bytes between kernels, memory beside weights, and times.
    fn whole(&self, variant: &Variant) -> Vec<String> {
        let Variant { version, times, .. } = variant;
        let plan = &version.program.plan;
        let mut cells = vec![plan.launches.len().to_string()];
        for (place, step) in self.rewriting.steps.iter().enumerate() {
            cells.push(bytes(step.times * version.sum(|kernel| kernel.work[place].0.bytes())));
            cells.push(show_bytes(plan.bytes(&sizes(plan, step)).saturating_sub(plan.weight_bytes())));
            cells.push(time(step.times * version.modelled(place)));
            let fastest = |times: &Times| times.steps[place].fastest();
            cells.extend(match (times, self.reference()) {
                (Some([own, all]), _) => Some(factor(fastest(own), fastest(all))),
                (None, reference) => reference.map(|times| time(fastest(times))),
            });
        }
        cells
    }

    /// What the program with all rewrites took beside the one without any.
    fn reference(&self) -> Option<&Times> {
        let [_, all] = self.variants.first()?.times.as_ref()?;
        Some(all)
    }
}

/// What a layer is outside its dense products.
struct Layer<'a> {
    ablation: &'a Ablation,
    region: usize,
    none: &'a Version,
    all: &'a Version,
}

impl Layer<'_> {
    /// Launches without and with a dense product, and beside dense products bytes and times, each also as so many times
    /// those of the program with all rewrites.
    fn row(&self, variant: &Variant) -> Vec<String> {
        let mut cells: Vec<String> = self.launches(&variant.version).iter().map(usize::to_string).collect();
        for (place, step) in self.ablation.rewriting.steps.iter().enumerate() {
            let moved = |version: &Version| step.times * self.sum(version, |kernel| outside(&kernel.work[place].0));
            let modelled = |version: &Version| {
                let products =
                    self.sum(self.none, |kernel| if has_product(kernel) { kernel.work[place].1 } else { 0.0 });
                step.times * (self.sum(version, |kernel| kernel.work[place].1) - products)
            };
            cells.push(compared(moved(&variant.version), moved(self.all), bytes));
            cells.push(compared(modelled(&variant.version), modelled(self.all), time));
            cells.extend(self.measured(variant, place).map(|(own, all)| compared(own, all, time)));
        }
        cells
    }

    fn sum(&self, version: &Version, of: impl Fn(&KernelReport) -> f64) -> f64 {
        version.kernels(self.region).iter().map(of).sum()
    }

    /// Launches that have no dense product in them, and that have one.
    fn launches(&self, version: &Version) -> [usize; 2] {
        let mut counts = [0; 2];
        for op in &version.program.ops {
            if let Some(&Some((region, kernel))) = version.fusion.kernels.get(*op)
                && region == self.region
            {
                counts[usize::from(has_product(&version.kernels(region)[kernel]))] += 1;
            }
        }
        counts.map(|count| count / version.fusion.regions[self.region].count)
    }

    /// Nanoseconds of a program and of the one with all rewrites, if programs were measured.
    fn measured(&self, variant: &Variant, step: usize) -> Option<(f64, f64)> {
        let [before, after] = self.ablation.variants.first()?.times.as_ref()?;
        let whole = |version: &Version, times: &Times, of: &dyn Fn(&KernelReport) -> bool| -> f64 {
            let kernels = version.kernels(self.region).iter().enumerate().filter(|(_, kernel)| of(kernel));
            kernels.filter_map(|(kernel, _)| times.of(self.region, kernel)).map(|times| times[step]).sum()
        };
        let products = whole(self.none, before, &has_product);
        let all = whole(self.all, after, &|_| true);
        // Of a program that was measured in other rounds counts how it did against the one with all rewrites there.
        let ratio = variant
            .times
            .as_ref()
            .map_or(1.0, |[own, best]| whole(&variant.version, own, &|_| true) / whole(self.all, best, &|_| true));
        Some((ratio * all - products, all - products))
    }
}

fn has_product(kernel: &KernelReport) -> bool {
    kernel.work.iter().any(|(work, _)| work.product_flops > 0.0)
}

/// Bytes that a kernel moves beside what its dense products would move by themselves.
fn outside(work: &Work) -> f64 {
    work.bytes() - work.product_bytes
}

/// A number, and how many times that of the program with all rewrites it is.
fn compared(own: f64, all: f64, show: impl Fn(f64) -> String) -> String {
    // Merged products take less time than those that are subtracted, so that less than nothing may be left.
    match own > 0.0 && all > 0.0 {
        true => format!("{} ({})", show(own), factor(own, all)),
        false if own < 0.0 => format!("−{}", show(-own)),
        false => show(own),
    }
}

fn factor(own: f64, all: f64) -> String {
    format!("{:.2} ×", own / all)
}

fn bytes(number: f64) -> String {
    show_bytes(number as u64)
}
