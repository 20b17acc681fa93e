//! Gated DeltaNet alone, in every form that momc has: `cargo bench --bench update_rules`.
//!
//! `momc bench` takes any rule and shape, and shows them beside a matrix product and other programs in turn.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use mom_passes::Target;
use mom_runtime::Device;
use momc::{
    bench::{Contenders, Product},
    failure::Failure,
    rule::{Settings, open},
};

/// Heads and width, as in the models that use the rule.
const SHAPES: [(usize, usize); 3] = [(4, 128), (16, 128), (4, 256)];
const TOKENS: [usize; 4] = [1, 512, 2048, 8192];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default().configure_from_args().measurement_time(Duration::from_secs(2));
    let device = Device::cpu()?;
    let mut product = Product::new(device.threads());
    let mut group = criterion.benchmark_group("product");
    group.throughput(Throughput::Elements(Product::FLOPS as u64));
    group.bench_function("1024", |bencher| bencher.iter(|| product.run()));
    group.finish();
    for shape in SHAPES {
        forms(&mut criterion, shape, &device).map_err(|failure| format!("{failure:?}"))?;
    }
    criterion.final_summary();
    Ok(())
}

fn forms(criterion: &mut Criterion, shape: (usize, usize), device: &Device) -> Result<(), Failure> {
    let folder =
        tempfile::tempdir().map_err(|error| Failure::Usage(format!("there is no temporary folder: {error}")))?;
    let (rule, target) = (open("gated_delta_rule")?, Target::from_name("native")?);
    let contenders = Contenders::new(&rule, &Settings::new(), shape, &target, device, folder.path())?;
    for tokens in TOKENS {
        let (heads, width) = shape;
        let mut group = criterion.benchmark_group(format!("gated_delta_rule {heads}x{width} T={tokens}"));
        group.throughput(Throughput::Elements(tokens as u64)).sample_size(20);
        for contender in &contenders.able {
            let mut run = contender.prepare(tokens)?;
            group.bench_function(BenchmarkId::from_parameter(contender.name), |bencher| bencher.iter(|| run.step()));
        }
        group.finish();
    }
    Ok(())
}
