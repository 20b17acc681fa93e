//! Which processor this is, and what it can do.

use crate::plan::Target;

macro_rules! features {
    ($detected:ident: $($name:tt)*) => {
        /// Processor features that a [`Target`] may ask for.
        pub const FEATURES: &[&str] = &[$($name),*];

        /// Whether this processor has a feature; none for a name that is not in [`FEATURES`].
        pub fn has_feature(name: &str) -> Option<bool> {
            match name {
                $($name => Some(std::arch::$detected!($name)),)*
                _ => None,
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
features! { is_x86_feature_detected:
    "sse" "sse2" "sse3" "ssse3" "sse4.1" "sse4.2" "sse4a" "popcnt" "lzcnt" "movbe" "bmi1" "bmi2" "adx" "aes"
    "pclmulqdq" "sha" "rdrand" "rdseed" "fxsr" "xsave" "cmpxchg16b" "f16c" "fma" "avx" "avx2" "avxvnni" "gfni" "vaes"
    "vpclmulqdq" "avx512f" "avx512cd" "avx512bw" "avx512dq" "avx512vl" "avx512ifma" "avx512vbmi" "avx512vbmi2"
    "avx512vnni" "avx512bitalg" "avx512vpopcntdq" "avx512vp2intersect" "avx512bf16" "avx512fp16"
}

#[cfg(target_arch = "aarch64")]
features! { is_aarch64_feature_detected:
    "neon" "aes" "sha2" "sha3" "crc" "lse" "rdm" "dotprod" "fp16" "fhm" "fcma" "rcpc" "bf16" "i8mm" "f32mm" "sve"
    "sve2"
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod other {
    /// Processor features that a target may ask for.
    pub const FEATURES: &[&str] = &[];

    /// Whether this processor has a feature; none for a name that is not in [`FEATURES`].
    pub fn has_feature(_: &str) -> Option<bool> {
        None
    }
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use other::{FEATURES, has_feature};

/// What keeps this machine from running code for `target`, as a phrase.
pub(crate) fn obstacle(target: &Target) -> Option<String> {
    let arch = std::env::consts::ARCH;
    if target.arch != arch {
        return Some(format!("this is a machine of kind {arch}, not {}", target.arch));
    }
    let missing: Vec<&str> =
        target.features.iter().map(String::as_str).filter(|feature| has_feature(feature) != Some(true)).collect();
    (!missing.is_empty()).then(|| format!("this processor lacks {}", missing.join(", ")))
}
