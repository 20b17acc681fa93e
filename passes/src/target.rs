//! The machine that code is made for. Kernels ask it for capabilities, never for its name.

use mom_dialect::diagnostic::{Code, Diagnostic};

use crate::emit::{Lanes, THREADS};

/// The target is unknown, or cannot be compiled for.
pub const UNKNOWN_TARGET: Code = Code(501);

/// A processor to compile for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As given to `--target`.
    pub name: String,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// LLVM's triple and processor.
    pub(crate) triple: String,
    pub(crate) cpu: String,
    /// What LLVM is told beyond the processor's own features.
    pub(crate) llvm_features: String,
    /// Features that the machine running the code must have, as Rust names them.
    pub features: Vec<String>,
    /// Where the lanes of a vector are.
    pub(crate) lanes_are: Lanes,
    /// f32 lanes of a vector.
    pub(crate) lanes: usize,
    /// Vector registers.
    pub(crate) registers: usize,
}

/// What an x86-64 feature level asks for beyond the one below it.
const V3: &[&str] =
    &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse3", "ssse3", "sse4.1", "sse4.2"];
const V4: &[&str] = &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

impl Target {
    pub const NAMES: [&'static str; 8] =
        ["native", "x86-64-v3", "x86-64-v4", "aarch64", "emulated", "sm_80", "sm_90a", "sm_120a"];

    /// The target called `name`.
    ///
    /// # Errors
    /// E0501 for another name, or where the host is neither x86-64 with AVX2 nor 64-bit Arm.
    pub fn from_name(name: &str) -> Result<Target, Box<Diagnostic>> {
        match name {
            "native" => Self::native(),
            "x86-64-v3" => Ok(Self::x86(name, "x86-64-v3", V3.to_vec(), 8, 16)),
            "x86-64-v4" => Ok(Self::x86(name, "x86-64-v4", [V3, V4].concat(), 16, 32)),
            "aarch64" => Ok(Self::aarch64(name)),
            "emulated" => Self::emulated(),
            "sm_80" => Ok(Self::cuda(name, "+ptx80")),
            "sm_90a" => Ok(Self::cuda(name, "+ptx80")),
            "sm_120a" => Ok(Self::cuda(name, "+ptx87")),
            _ => Err(Box::new(
                Diagnostic::error(UNKNOWN_TARGET, format!("`{name}` is not a target"))
                    .help(format!("the targets are {}", Self::NAMES.join(", "))),
            )),
        }
    }

    /// This machine, where threads that run in groups are coroutines.
    fn emulated() -> Result<Target, Box<Diagnostic>> {
        let native = Self::native()?;
        Ok(Target { name: "emulated".into(), lanes_are: Lanes::Coroutines, lanes: THREADS, ..native })
    }

    /// NVIDIA's processors of an architecture, with the version of PTX that knows it.
    fn cuda(name: &str, ptx: &str) -> Target {
        Target {
            name: name.into(),
            arch: "nvptx64".into(),
            triple: "nvptx64-nvidia-cuda".into(),
            cpu: name.into(),
            llvm_features: ptx.into(),
            features: Vec::new(),
            lanes_are: Lanes::Warp,
            lanes: THREADS,
            registers: 32,
        }
    }

    fn x86(name: &str, cpu: &str, features: Vec<&str>, lanes: usize, registers: usize) -> Target {
        Target {
            name: name.into(),
            arch: "x86_64".into(),
            triple: "x86_64-unknown-linux-gnu".into(),
            cpu: cpu.into(),
            // Vectors as wide as the kernels are written for, whatever the processor's tuning prefers.
            llvm_features: "-prefer-256-bit".into(),
            features: features.into_iter().map(String::from).collect(),
            lanes_are: Lanes::Register,
            lanes,
            registers,
        }
    }

    fn aarch64(name: &str) -> Target {
        Target {
            name: name.into(),
            arch: "aarch64".into(),
            triple: "aarch64-unknown-linux-gnu".into(),
            cpu: "generic".into(),
            llvm_features: String::new(),
            features: vec!["neon".into()],
            lanes_are: Lanes::Register,
            lanes: 4,
            registers: 32,
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn native() -> Result<Target, Box<Diagnostic>> {
        let (level3, level4) = (
            std::is_x86_feature_detected!("avx2")
                && std::is_x86_feature_detected!("fma")
                && std::is_x86_feature_detected!("bmi2"),
            std::is_x86_feature_detected!("avx512f")
                && std::is_x86_feature_detected!("avx512bw")
                && std::is_x86_feature_detected!("avx512dq")
                && std::is_x86_feature_detected!("avx512vl")
                && std::is_x86_feature_detected!("avx512cd"),
        );
        let level = match (level3, level4) {
            (true, true) => "x86-64-v4",
            (true, false) => "x86-64-v3",
            _ => {
                return Err(Box::new(
                    Diagnostic::error(
                        UNKNOWN_TARGET,
                        "this processor has no AVX2 and FMA, which momc's x86 code needs",
                    )
                    .help("compile for another machine with `--target`"),
                ));
            }
        };
        Ok(Target { name: "native".into(), ..Self::from_name(level)? })
    }

    #[cfg(target_arch = "aarch64")]
    fn native() -> Result<Target, Box<Diagnostic>> {
        Ok(Self::aarch64("native"))
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn native() -> Result<Target, Box<Diagnostic>> {
        Err(Box::new(
            Diagnostic::error(UNKNOWN_TARGET, "momc makes code for x86-64 and 64-bit Arm only")
                .help("compile for another machine with `--target`"),
        ))
    }

    /// The widest vector of f32 that divides `elements`.
    pub(crate) fn lanes_dividing(&self, elements: usize) -> usize {
        let power = 1 << elements.trailing_zeros().min(16);
        power.min(self.lanes)
    }
}
