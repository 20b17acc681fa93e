//! Types of the values inside a kernel, and how they are written.

/// Types of the values inside a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    I1,
    I32,
    I64,
    F32,
    /// For angles only.
    F64,
    Ptr,
    /// `vector<nxf32>`
    Vector(usize),
    /// `vector<nxi1>`
    Mask(usize),
    /// `vector<nxi32>`
    Integers(usize),
    /// `vector<nxi16>`
    Shorts(usize),
}

impl Ty {
    pub(super) fn text(self) -> String {
        match self {
            Ty::I1 => "i1".into(),
            Ty::I32 => "i32".into(),
            Ty::I64 => "i64".into(),
            Ty::F32 => "f32".into(),
            Ty::F64 => "f64".into(),
            Ty::Ptr => "!llvm.ptr".into(),
            Ty::Vector(lanes) => format!("vector<{lanes}xf32>"),
            Ty::Mask(lanes) => format!("vector<{lanes}xi1>"),
            Ty::Integers(lanes) => format!("vector<{lanes}xi32>"),
            Ty::Shorts(lanes) => format!("vector<{lanes}xi16>"),
        }
    }

    /// What a thread has of a vector of which it holds one lane.
    pub(super) fn lane(self) -> Ty {
        match self {
            Ty::Vector(_) => Ty::F32,
            Ty::Mask(_) => Ty::I1,
            Ty::Integers(_) => Ty::I32,
            other => other,
        }
    }

    /// The f32 type of the same number of lanes as an integer or mask type, and the other way round.
    pub(super) fn integers(self) -> Ty {
        match self {
            Ty::Vector(lanes) => Ty::Integers(lanes),
            _ => Ty::I32,
        }
    }

    pub(super) fn mask(self) -> Ty {
        match self {
            Ty::Vector(lanes) => Ty::Mask(lanes),
            _ => Ty::I1,
        }
    }
}
